"""Divergences as functions of torch tensors, with derivatives by the accurate form."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from functools import cache, reduce
from typing import Any

import numpy as np

from ..core.errors import UnderivableError
from .plan import Plan


def divergence(plan: Plan, values: dict[str, Any]) -> Any:
    """The divergence as a tensor, differentiable by every tensor among the values.

    Closed formulas of numbers run on klsym's torch backend. Otherwise the value and its derivatives come from NumPy, so
    that a second derivative raises RuntimeError, as does torch.func.
    """
    import torch

    arguments = [values[name] for name in plan.arguments]
    if (native := plan.native("torch")) is not None:
        return native(*arguments)
    tensors = [a for a in arguments if isinstance(a, torch.Tensor)]
    kinds = [t.dtype for t in tensors if t.is_floating_point()]
    kind = reduce(torch.promote_types, kinds) if kinds else torch.get_default_dtype()
    found = _function().apply(plan, *arguments)
    return found.to(device=tensors[0].device if tensors else None, dtype=kind)


@cache
def _function() -> Any:
    import torch

    class Divergence(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, plan: Plan, *arguments: Any) -> Any:
            slopes = any(ctx.needs_input_grad)
            value, found = plan(*map(array, arguments), slopes=slopes)
            wanted = ctx.needs_input_grad[1:]
            if slopes and plan.open and _unknown(value, found):
                raise UnderivableError(
                    f"{plan.formula.title} has no closed form at these values, so that its derivatives are not known; "
                    "detach them for the value"
                )
            ctx.axes = plan.axes
            ctx.like = [a if w else None for a, w in zip(arguments, wanted, strict=True)]
            ctx.slopes = (
                [torch.as_tensor(s) if w else None for s, w in zip(found, wanted, strict=True)] if slopes else []
            )
            return torch.as_tensor(value)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, *grads: Any) -> Any:
            parts: list[Any] = [None]
            for like, slope, axes in zip(ctx.like, ctx.slopes, ctx.axes, strict=True):
                if like is None:
                    parts.append(None)
                    continue
                factor = grads[0][(..., *[None] * axes)]
                # What is masked out has no part, even where the derivative is NaN.
                product = torch.where(factor == 0, torch.zeros_like(factor), factor * slope)
                parts.append(product.sum_to_size(like.shape).to(device=like.device, dtype=like.dtype))
            return tuple(parts)

    return Divergence


def _unknown(value: Any, slopes: Any) -> bool:
    """Whether a derivative is missing where the value is finite."""
    return any(np.isnan(s[np.isfinite(value)]).any() for s in slopes if s is not None)


def array(value: Any) -> Any:
    """The NumPy array of a tensor, anything else as it is."""
    import torch

    if not isinstance(value, torch.Tensor):
        return value
    plain = value.detach().cpu()
    return (plain if plain.dtype != torch.bfloat16 else plain.float()).numpy()


def fit(value: Any, batch: tuple[int, ...] | None, events: int) -> Any:
    """The tensor in its batch shape, summed over the last axes."""
    whole = value if batch is None else value.expand(batch)
    return whole.sum(tuple(range(-events, 0))) if events else whole
