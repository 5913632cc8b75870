"""Divergences as functions of JAX arrays, with derivatives by the accurate form."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false, reportFunctionMemberAccess=false
from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from .plan import Plan


def divergence(plan: Plan, values: dict[str, Any]) -> Any:
    """The divergence as a JAX array, differentiable once by every array among the values; jit and vmap are known.

    Closed formulas of numbers whose error is bounded run on klsym's JAX backend, where they are differentiable twice.
    Otherwise NumPy is called back, on the host.
    """
    import jax.numpy as jnp

    arguments = [jnp.asarray(values[name]) for name in plan.arguments]
    # There is no second pass in JAX: what may cancel is left to NumPy.
    if (native := plan.native("jax")) is not None and not native.program.outputs[0].error:
        return native(*arguments)
    kinds = [a.dtype for a in arguments if jnp.issubdtype(a.dtype, jnp.floating)]
    shape = plan.shape(*(a.shape for a in arguments))
    whole = [jnp.broadcast_to(a, shape + a.shape[a.ndim - n :]) for a, n in zip(arguments, plan.axes, strict=True)]
    return _function()(plan, jnp.result_type(*kinds) if kinds else jnp.result_type(float), *whole)


@cache
def _function() -> Any:
    import jax
    import jax.numpy as jnp

    def call(plan: Plan, kind: Any, arrays: Any, slopes: bool) -> Any:
        shape = plan.shape(*(a.shape for a in arrays))
        wanted = [jnp.issubdtype(a.dtype, jnp.floating) and not w for a, w in zip(arrays, plan.integers, strict=True)]
        result = [jax.ShapeDtypeStruct(shape, kind)]
        result += [jax.ShapeDtypeStruct(a.shape, kind) for a, w in zip(arrays, wanted, strict=True) if slopes and w]

        def host(*given: Any) -> Any:
            value, found = plan(*map(np.asarray, given), slopes=slopes)
            parts = [value, *(f for f, w in zip(found, wanted, strict=False) if w)]
            # vmap may have put axes before all arrays.
            ahead = np.shape(value)[: np.ndim(value) - len(shape)]
            return tuple(np.broadcast_to(p, ahead + r.shape).astype(kind) for p, r in zip(parts, result, strict=True))

        return wanted, jax.pure_callback(host, tuple(result), *arrays, vmap_method="broadcast_all")

    @partial(jax.custom_jvp, nondiff_argnums=(0, 1))
    def function(plan: Plan, kind: Any, *arrays: Any) -> Any:
        return call(plan, kind, arrays, False)[1][0]

    @function.defjvp
    def derivative(plan: Plan, kind: Any, primals: Any, tangents: Any) -> Any:
        wanted, (value, *slopes) = call(plan, kind, primals, True)
        total = jnp.zeros_like(value)
        moving = [(t, n) for t, n, w in zip(tangents, plan.axes, wanted, strict=True) if w]
        for slope, (tangent, axes) in zip(slopes, moving, strict=True):
            total += jnp.sum(slope * tangent, axis=tuple(range(-axes, 0))).astype(kind)
        return value, total

    return function


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
