"""The coordinates of one outcome of a joint distribution: a chart of its law's outcomes, or the counts themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays.family import Factor
from ...arrays.walk import walk
from ...core.errors import ParameterError
from ...core.family import Distribution
from .charts import chart_of

COUNTS = 192  # of a law without end


@dataclass(frozen=True)
class Axis:
    """`point` maps coordinates (..., dimension), given earlier outcomes, to outcomes and the log of their Jacobian."""

    dimension: int
    point: Callable[[Any, Mapping[Any, Any]], tuple[Any, Any]]
    counts: Any = None
    endless: bool = False


def axis(factor: Factor, values: Mapping[Any, Any]) -> Axis:
    """The coordinates of a factor's outcome, whose support must not depend on earlier outcomes."""
    law = factor.law
    if not isinstance(law, Distribution):
        return _of_array(law, values)
    ends = (law.support.lower, law.support.upper)
    if any(end.has(*(s for s in end.free_symbols if s not in values)) for end in ends if end.free_symbols):
        raise ParameterError(f"the support of {factor.outcome} ~ {law} depends on an earlier outcome")
    low, high = (float(walk(end, values)) for end in ends)
    if law.family.discrete:
        last = min(high, low + COUNTS - 1)
        return Axis(0, _nothing, np.arange(low, last + 1), endless=last < high)
    return Axis(1, lambda t, _: _interval(t[..., 0], low, high))


def _nothing(t: Any, _: Mapping[Any, Any]) -> tuple[Any, Any]:
    raise ParameterError("counts have no coordinates")


def _interval(t: Any, low: float, high: float) -> tuple[Any, Any]:
    if np.isinf(low) and np.isinf(high):
        return t, np.zeros(t.shape)
    if np.isinf(high):
        return low + np.exp(t), t
    if np.isinf(low):
        return high - np.exp(t), t
    share = -np.logaddexp(0, -t)
    return low + (high - low) * np.exp(share), np.log(high - low) + share - np.logaddexp(0, t)


def _of_array(law: Any, values: Mapping[Any, Any]) -> Axis:
    size, columns = (int(walk(n, values)) for n in (law.outcome.size, law.outcome.columns))
    if law.outcome.name == "categories":
        return Axis(0, _nothing, np.arange(1, size + 1))
    if (chart := chart_of(law)) is None:
        raise ParameterError(f"outcomes of {law} have no chart")
    return Axis(chart.dimension(size, columns), lambda t, _: chart.point(t, size, columns))
