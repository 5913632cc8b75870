"""klsym in torch: `klsym.torch.register()`."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
# torch has no public way to take a function out of its registry.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .registry import Pair, Registration
from .registry import register as _register


def register(*, replace: bool = False) -> Registration:
    """Add to torch.distributions.kl_divergence every pair that it lacks and klsym has; with `replace` all klsym has.

    Whether torch lacks a pair is found by calling it: many dispatch to a function that then raises. The result says
    what was added and replaced, and takes it back with `undo()` or at the end of a with block.
    """
    return _register(Torch(), replace)


class Torch:
    """The registry of torch.distributions.kl_divergence."""

    name = "torch"
    bases: Sequence[str] = ()

    def __init__(self) -> None:
        import torch

        self.module = torch.distributions

    def array(self, value: Any) -> Any:
        """A tensor of doubles."""
        import torch

        return torch.tensor(value, dtype=torch.float64)

    def call(self, p: Any, q: Any) -> Any:
        """torch's own divergence."""
        return self.module.kl_divergence(p, q)

    def get(self, pair: Pair) -> Any:
        """What is registered for exactly this pair."""
        return self.module.kl._KL_REGISTRY.get(pair)

    def put(self, functions: Mapping[Pair, Any]) -> None:
        """Register these, or nothing; what torch remembers of its look-ups is forgotten."""
        known = self.module.kl._KL_REGISTRY
        known.update({pair: f for pair, f in functions.items() if f is not None})
        for pair in (pair for pair, f in functions.items() if f is None):
            known.pop(pair, None)
        self.module.kl._KL_MEMOIZE.clear()
