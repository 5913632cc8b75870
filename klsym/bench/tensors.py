"""How fast the divergences of torch tensors run, forward and with their gradients, beside torch's own in one run."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

from ..api import kl
from ..families import catalog
from .run import Row, columns, timed

# How many times as fast as torch.distributions.kl_divergence it is to be, by whether the gradients are asked for.
TARGETS = {False: 2.0, True: 1.0}
FAMILIES = ("Normal", "Bernoulli", "Gamma", "Beta")


def race(family: str, gradient: bool, n: int, repeats: int) -> Row:
    """One family: nanoseconds an element of the compiled kernel, of torch's operations and of torch's divergence."""
    import torch

    torch.set_num_threads(1)
    tensors = [torch.from_numpy(column).requires_grad_(gradient) for column in columns(family, n, near=False)]
    law, half = getattr(torch.distributions, family), len(tensors) // 2
    compiled = kl(catalog[family], catalog[family]).compile("torch")

    def theirs(*x: Any) -> Any:
        p, q = (law(*values, validate_args=False) for values in (x[:half], x[half:]))
        return torch.distributions.kl_divergence(p, q)

    def timing(function: Callable[..., Any]) -> Callable[[], Any]:
        if not gradient:
            return lambda: function(*tensors)
        return lambda: torch.autograd.grad(function(*tensors).sum(), tensors)

    contestants = {"klsym": timing(compiled), "klsym pure": timing(compiled.pure), "torch": timing(theirs)}
    ns = timed(contestants, n, repeats)
    ratio = ns["torch"] / ns["klsym"]
    return {"family": family, "gradient": gradient, "ns": ns, "ratio": ratio, "target": TARGETS[gradient]}


def rows(n: int, repeats: int) -> Iterator[Row]:
    """A row for every family, forward and then with the gradients; none without torch."""
    if find_spec("torch"):
        for gradient in TARGETS:
            yield from (race(family, gradient, n, repeats) for family in FAMILIES)
