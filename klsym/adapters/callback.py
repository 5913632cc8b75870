"""Divergences of distributions of JAX's libraries."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

from typing import Any

import numpy as np

from .plan import Plan


def divergence(plan: Plan, values: dict[str, Any]) -> Any:
    """The divergence as a JAX array, differentiable by every array among the values; jit and vmap are known.

    Closed formulas of numbers whose error is bounded are computed in JAX, arrays and all others by NumPy, on the host.
    """
    return plan.on("jax")(*(values[name] for name in plan.arguments))


def fit(value: Any, batch: tuple[int, ...] | None, events: int) -> Any:
    """The array in its batch shape, summed over the last axes."""
    import jax.numpy as jnp

    whole = value if batch is None else jnp.broadcast_to(value, batch)
    return whole.sum(tuple(range(-events, 0))) if events else whole


def two(logits: Any) -> Any:
    """The logits of two categories, of which the second is a success."""
    import jax.numpy as jnp

    return jnp.stack((jnp.zeros_like(logits), jnp.asarray(logits)), -1)


def product(factor: Any) -> Any:
    """The matrix of a triangular factor."""
    return factor @ factor.swapaxes(-1, -2)


def diagonal(entries: Any) -> Any:
    """The diagonal matrices of vectors."""
    import jax.numpy as jnp

    return jnp.asarray(entries)[..., None] * jnp.eye(np.shape(entries)[-1], dtype=jnp.asarray(entries).dtype)
