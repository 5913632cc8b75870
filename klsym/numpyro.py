"""klsym in numpyro: `klsym.numpyro.register()`."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .registry import Pair, Registration
from .registry import register as _register


def register(*, replace: bool = False) -> Registration:
    """Add to numpyro.distributions.kl_divergence every pair that it lacks and klsym has; with `replace` all klsym has.

    The result says what was added and replaced, and takes it back with `undo()` or at the end of a with block.
    """
    return _register(Numpyro(), replace)


class Numpyro:
    """The registry of numpyro.distributions.kl_divergence, which dispatches on both classes."""

    name = "numpyro"
    bases: Sequence[str] = ()

    def __init__(self) -> None:
        import numpyro.distributions

        self.module = numpyro.distributions

    def array(self, value: Any) -> Any:
        """A JAX array."""
        import jax.numpy as jnp

        return jnp.asarray(value)

    def call(self, p: Any, q: Any) -> Any:
        """numpyro's own divergence."""
        return self.module.kl_divergence(p, q)

    def get(self, pair: Pair) -> Any:
        """What is registered for exactly this pair."""
        return self.module.kl_divergence.funcs.get(pair)

    def put(self, functions: Mapping[Pair, Any]) -> None:
        """Register these, or nothing; the dispatcher finds its order anew when it is called."""
        dispatcher = self.module.kl_divergence
        dispatcher.funcs.update({pair: f for pair, f in functions.items() if f is not None})
        for pair in (pair for pair, f in functions.items() if f is None):
            dispatcher.funcs.pop(pair, None)
        if hasattr(dispatcher, "_ordering"):
            del dispatcher._ordering
        dispatcher._cache.clear()
