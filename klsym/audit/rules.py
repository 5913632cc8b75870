"""How a result is judged: in which unit, of which format, and what is promised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rule:
    """A format of `digits` bits above 2^bottom, the unit of errors, and how many of them are promised.

    The unit eps is 2^(1-digits), relative, and only of values from `smallest` to `largest`: outside of them it would
    judge the format, not the formula. The unit ulp is that of the last place, also of subnormal numbers. `sweep` is
    promised at points drawn, `climb` at the worst that hill-climbing finds. A `signed` result may be negative.
    """

    unit: str
    digits: int
    bottom: int
    smallest: float
    largest: float
    sweep: float
    climb: float
    signed: bool = False

    @property
    def dtype(self) -> type[np.floating]:
        return np.float64 if self.digits == 53 else np.float32

    @property
    def eps(self) -> float:
        return 2.0 ** (1 - self.digits)

    def rounded(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The points as numbers of the format, which float64 holds exactly."""
        with np.errstate(over="ignore"):
            return points.astype(self.dtype).astype(float)

    def units(self, difference: NDArray[np.float64], scale: NDArray[np.float64], exponent: NDArray[np.int64]) -> Any:
        """A difference in units of the scale, both times 2^-exponent."""
        with np.errstate(all="ignore"):
            if self.unit == "eps":
                return np.abs(difference / scale) / self.eps
            last = np.maximum(np.frexp(scale)[1] + exponent - self.digits, self.bottom)
            return np.abs(np.ldexp(difference, np.clip(exponent - last, -5000, 5000).astype(np.int32)))


DOUBLE = Rule("eps", 53, -1074, 1e-290, 1e290, sweep=8, climb=16)
SINGLE = Rule("ulp", 24, -149, 0.0, float(np.finfo(np.float32).max), sweep=1, climb=1)
EXACT = Rule("ulp", 53, -1074, 0.0, float(np.finfo(np.float64).max), sweep=0.5, climb=0.5)


def rule(backend: str | None, dtype: str, gradient: bool, signed: bool = False) -> Rule:
    """What is promised of a backend's results of a type: the exact backend rounds correctly."""
    found = SINGLE if dtype == "float32" else EXACT if backend == "exact" else DOUBLE
    if not gradient:
        return replace(found, signed=signed)
    return replace(found, signed=True, **({"sweep": 32, "climb": 32} if found is DOUBLE else {}))
