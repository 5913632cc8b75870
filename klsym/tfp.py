"""klsym in TensorFlow Probability on JAX: `klsym.tfp.register()`."""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .registry import Pair, Registration
from .registry import register as _register


def register(*, replace: bool = False) -> Registration:
    """Add to the kl_divergence of TFP on JAX every pair that it lacks and klsym has; with `replace` all klsym has.

    The result says what was added and replaced, and takes it back with `undo()` or at the end of a with block.
    """
    return _register(Tfp(), replace)


class Tfp:
    """The registry of tensorflow_probability.substrates.jax.distributions.kl_divergence."""

    name = "tfp"
    bases: Sequence[str] = ("MultivariateNormalLinearOperator",)

    def __init__(self) -> None:
        from tensorflow_probability.substrates.jax import distributions

        self.module = distributions

    def array(self, value: Any) -> Any:
        """A JAX array."""
        import jax.numpy as jnp

        return jnp.asarray(value)

    def call(self, p: Any, q: Any) -> Any:
        """TFP's own divergence."""
        return self.module.kl_divergence(p, q)

    def get(self, pair: Pair) -> Any:
        """What is registered for exactly this pair."""
        return self.module.kullback_leibler._DIVERGENCES.get(pair)

    def put(self, functions: Mapping[Pair, Any]) -> None:
        """Put these in the place of others, which RegisterKL refuses, or take them out."""
        known = self.module.kullback_leibler._DIVERGENCES
        known.update({pair: f for pair, f in functions.items() if f is not None})
        for pair in (pair for pair, f in functions.items() if f is None):
            known.pop(pair, None)
