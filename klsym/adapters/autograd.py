"""Divergences of distributions of torch."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from typing import Any

from .plan import Plan


def divergence(plan: Plan, values: dict[str, Any]) -> Any:
    """The divergence as a tensor, differentiable by every tensor among the values; see `ArrayFormula.compile`.

    Where it is not of closed form the value is computed from the definition, and a derivative raises UnderivableError.
    """
    return plan.on("torch")(*(values[name] for name in plan.arguments))


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
