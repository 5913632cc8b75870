"""How fast the divergences of other stacks run, forward and with their gradients, each beside its like in one run.

Tensors of torch beside torch's own divergence, arrays of JAX beside numpyro's, both under jit, and C beside numba.
"""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..api import kl
from ..backends.c.build import compiler
from ..families import array_catalog, catalog
from . import peers
from .run import Row, columns, timed

FAMILIES = ("Normal", "Bernoulli", "Gamma", "Beta")
Calls = dict[str, Callable[[], Any]]


def torch(family: str, arrays: peers.Columns, gradient: bool) -> Calls:
    """The compiled kernel, torch's own operations, and torch.distributions.kl_divergence."""
    import torch

    torch.set_num_threads(1)
    tensors = [torch.from_numpy(column).requires_grad_(gradient) for column in arrays]
    law, half = getattr(torch.distributions, family), len(tensors) // 2
    compiled = kl(catalog[family], catalog[family]).compile("torch")

    def theirs(*x: Any) -> Any:
        p, q = (law(*values, validate_args=False) for values in (x[:half], x[half:]))
        return torch.distributions.kl_divergence(p, q)

    def call(function: Callable[..., Any]) -> Callable[[], Any]:
        if not gradient:
            return lambda: function(*tensors)
        return lambda: torch.autograd.grad(function(*tensors).sum(), tensors)

    return {"klsym": call(compiled), "klsym pure": call(compiled.pure), "torch": call(theirs)}


def jax(family: str, arrays: peers.Columns, gradient: bool) -> Calls:
    """klsym's function and numpyro's divergence under jit, or the textbook formula where numpyro has none."""
    import jax

    jax.config.update("jax_enable_x64", True)
    columns = [jax.numpy.asarray(column) for column in arrays]

    def call(function: Callable[..., Any]) -> Callable[[], Any]:
        if gradient:
            every = tuple(range(len(columns)))
            function = jax.value_and_grad(lambda *x, f=function: f(*x).sum(), argnums=every)
        compiled = jax.jit(function)
        return lambda: jax.block_until_ready(compiled(*columns))

    ours = kl(catalog[family], catalog[family]).compile("jax")
    return {"klsym": call(ours), "numpyro jit": call(peers.of_numpyro(family))}


def c(family: str, arrays: peers.Columns, gradient: bool) -> Calls:
    """The same formula compiled by a C compiler and by numba."""
    formula, out = kl(catalog[family], catalog[family]), np.empty((2, len(arrays[0])))
    ours, theirs = formula.compile("c"), formula.compile("numba")
    return {"klsym": lambda: ours(*arrays, out=out[0]), "numba": lambda: theirs(*arrays, out=out[1])}


@dataclass(frozen=True)
class Stack:
    """How its calls are made, beside which it is timed, and how many times as fast it is to be, by with gradients."""

    calls: Callable[[str, peers.Columns, bool], Calls]
    beside: str
    targets: dict[bool, float]

    @property
    def present(self) -> bool:
        """Whether both are there."""
        if self.beside == "numba":
            return compiler() is not None and find_spec("numba") is not None
        return find_spec(self.beside.partition(" ")[0]) is not None


STACKS = {
    "torch": Stack(torch, "torch", {False: 2.0, True: 1.0}),
    "jax": Stack(jax, "numpyro jit", {False: 0.5, True: 0.5}),
    "c": Stack(c, "numba", {False: 1 / 1.2}),
}


def race(name: str, family: str, gradient: bool, n: int, repeats: int) -> Row:
    """One family of a stack: nanoseconds an element of all that are timed, and klsym's ratio to its like."""
    stack = STACKS[name]
    ns = timed(stack.calls(family, columns(family, n, near=False), gradient), n, repeats)
    ratio, target = ns[stack.beside] / ns["klsym"], stack.targets[gradient]
    return {"stack": name, "family": family, "gradient": gradient, "ns": ns, "ratio": ratio, "target": target}


# Batches of arrays, forward with backward: the law of torch, its arguments, how many elements and of what size.
ARRAYS = (
    ("Categorical", ("logits",), 64, 32_000, "float32"),
    ("Categorical", ("logits",), 64, 32_000, "float64"),
    *(
        ("MultivariateNormal", ("loc", matrix), count, k, "float64")
        for matrix in ("scale_tril", "covariance_matrix")
        for count, k in ((100_000, 4), (10_000, 8), (1_000, 32))
    ),
)
ARRAY_TARGET = 2.0


def array_race(law: str, names: tuple[str, ...], count: int, k: int, dtype: str, repeats: int) -> Row:
    """One batch with its gradients: the function of tensors, the objects of torch, and torch's own divergence."""
    import torch

    torch.set_num_threads(1)
    tensors = [torch.from_numpy(a.astype(dtype)).requires_grad_() for _ in "pq" for a in _drawn(names, count, k)]
    kind, half = getattr(torch.distributions, law), len(names)
    options = {"scale_tril": {"scale_tril": "L"}, "covariance_matrix": {"Sigma": "S"}, "logits": {"logits": "l"}}
    family, form = array_catalog()[law], options[names[-1]]
    p, q = (
        family(*([f"mu{side}"] if half > 1 else []), **{name: value + side for name, value in form.items()})
        for side in ("_p", "_q")
    )
    compiled = kl(p, q).compile("torch")

    def members() -> Any:
        for side in (tensors[:half], tensors[half:]):
            yield kind(**dict(zip(names, side, strict=True)), validate_args=False)

    def theirs() -> Any:
        if law != "Categorical":
            return torch.distributions.kl_divergence(*members())
        a, b = (torch.nn.functional.log_softmax(x, -1) for x in tensors)
        return torch.nn.functional.kl_div(b, a, log_target=True, reduction="none").sum(-1)

    def timing(function: Callable[..., Any]) -> Callable[[], Any]:
        return lambda: torch.autograd.grad(function().sum(), tensors)

    contestants = {
        "klsym": timing(lambda: compiled(*tensors)),
        "klsym objects": timing(lambda: kl(*members())),
        "torch": timing(theirs),
        "torch objects": timing(lambda: torch.distributions.kl_divergence(*members())),
    }
    us = {name: ns / 1e3 for name, ns in timed(contestants, count, repeats).items()}
    ratios = {"ratio": us["torch"] / us["klsym"], "objects": us["torch objects"] / us["klsym objects"]}
    what = f"{law}, {names[-1]}, {dtype}"
    return {"family": what, "elements": count, "dimension": k, "us": us, **ratios, "target": ARRAY_TARGET}


def _drawn(names: tuple[str, ...], count: int, k: int) -> Iterator[Any]:
    """Everyday arguments of one side."""
    rng = np.random.default_rng()
    yield 3 * rng.normal(size=(count, k))
    if len(names) > 1:
        factor = np.tril(rng.normal(size=(count, k, k)) / k, -1) + (1.0 + rng.random((count, 1, k))) * np.eye(k)
        whole = factor @ factor.swapaxes(-1, -2)
        yield factor if names[-1] == "scale_tril" else (whole + whole.swapaxes(-1, -2)) / 2


def rows(n: int, repeats: int) -> Iterator[Row]:
    """A row for every family of the stacks that are there, forward and then with the gradients."""
    for name, stack in STACKS.items():
        for gradient in stack.targets if stack.present else ():
            yield from (race(name, family, gradient, n, repeats) for family in FAMILIES)


def array_rows(share: float, repeats: int) -> Iterator[Row]:
    """A row for every batch of arrays, of a share of its elements; none without torch."""
    if find_spec("torch"):
        for law, names, count, k, dtype in ARRAYS:
            yield array_race(law, names, max(int(count * share), 1), k, dtype, repeats)
