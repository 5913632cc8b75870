"""The greatest value of a concave function of an order from 0 to 1, for arrays of the other arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.program import Program
from .filled import Array, Filled
from .quadrature.nodes import lines

_EPSILON = 2.0**-52
_ROUNDS = 60


class Greatest(Filled):
    """A divergence that is the greatest value of another one over its order, that one compiled with its derivative.

    Its tangents at two orders meet above all of its values between them: what their meeting is above the greater value
    is part of the error. `coefficient` takes the order last.
    """

    def __init__(
        self,
        program: Program,
        closed: Any,
        reached: Program,
        coefficient: Callable[..., Any],
        second_pass: bool,
        report: bool,
    ) -> None:
        Filled.__init__(self, program, closed, second_pass, report)
        self.coefficient, self.reached, self._reached = coefficient, reached, lines(reached)

    def __reduce__(self) -> tuple[Any, ...]:
        from . import load_greatest

        options = {"second_pass": self.second_pass, "report": self.report}
        return partial(load_greatest, **options), (self.program, self.reached, self.coefficient)

    def computed(self, arguments: list[Array], valid: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Array, Array]:
        needed = valid & (self._reached(*arguments)[0] == 1.0)
        with np.errstate(all="ignore"):
            value, relative = self._climbed([argument[needed] for argument in arguments], int(needed.sum()))
        return needed, value[None, :], relative[None, :]

    def _climbed(self, arguments: list[Array], size: int) -> tuple[Array, Array]:
        """The greatest values and their relative errors."""
        ends = np.array([np.zeros(size), np.ones(size)])  # of each, an order where the function rises, and one beyond
        values, slopes = np.full((2, 2, size), np.nan)
        best, error, gap = np.full(size, -np.inf), np.full(size, np.inf), np.full(size, np.inf)
        order, waiting = np.full(size, 0.5), np.arange(size)
        for _ in range(_ROUNDS):
            found = self.coefficient(*(argument[waiting] for argument in arguments), order[waiting], report=True)
            value, slope = found.value
            side = (slope <= 0).astype(np.int64)
            ends[side, waiting], values[side, waiting], slopes[side, waiting] = order[waiting], value, slope
            above = ~(value <= best[waiting])
            best[waiting[above]], error[waiting[above]] = value[above], found.error[0][above]
            gap[waiting] = _meeting(ends[:, waiting], values[:, waiting], slopes[:, waiting]) - best[waiting]
            gap[waiting[(slope == 0) | np.isinf(value)]] = 0.0
            order[waiting] = _vertex(ends[:, waiting], values[:, waiting], slopes[:, waiting])
            waiting = waiting[~(gap[waiting] <= 2 * _EPSILON * best[waiting]) & ~np.isnan(value)]
            if not waiting.size:
                break
        return best, error + np.where(gap > 0, gap / best, 0.0)


def _meeting(ends: Array, values: Array, slopes: Array) -> Array:
    """The height at which the two tangents meet; NaN where one of them is not known."""
    (a, b), (f, g), (rise, fall) = ends, values, slopes
    return f + rise * (g - f - fall * (b - a)) / (rise - fall)


def _vertex(ends: Array, values: Array, slopes: Array) -> Array:
    """The top of the cubic through both values with both slopes, or the middle (Nocedal and Wright, equation 3.59)."""
    (a, b), (f, g), (rise, fall) = ends, values, slopes
    first = 3 * (g - f) / (b - a) - rise - fall
    second = np.sqrt(first**2 - rise * fall)
    top = b - (b - a) * (second - fall - first) / (rise - fall + 2 * second)
    inside = (top > a) & (top < b)
    return np.where(inside, top, (a + b) / 2)
