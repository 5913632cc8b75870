"""What an answer is worth beside the truth: a severity, or nothing.

Inputs are exact doubles, so a few eps are attainable everywhere. A fault begins where half of a type's digits are gone;
it is lost digits as long as rounding of the textbook form can explain it, and a wrong value beyond that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

from .call import Call, Outcome
from .finding import Severity
from .subjects import SUBJECTS
from .truth import Truth

# An error of each operation, in eps, that still counts as rounding: special functions lose tens of them.
ROUNDING = 256
UNKNOWN = 2.0**-10
DEAD = ("crashed", "hung", "memory")


@dataclass(frozen=True)
class Type:
    """What a type of floats can hold: its unit, its smallest normal number and its largest."""

    eps: float
    smallest: float
    largest: float

    @property
    def half(self) -> float:
        """A relative error of half of the digits."""
        return self.eps**0.5


TYPES = {
    name: Type(float(np.finfo(name).eps), float(np.finfo(name).tiny), float(np.finfo(name).max))
    for name in ("float64", "float32")
}


@dataclass(frozen=True)
class Fault:
    """A severity, the error in units of eps relative to the truth where it is a number, and whether it is sure.

    One that is not sure is LOST_DIGITS or worse, and `room` decides which.
    """

    severity: Severity
    error: float | None = None


Room = Callable[[], float]


def whole(call: Call, outcome: Outcome, shape: tuple[int, ...]) -> Fault | None:
    """What is wrong with an answer before its numbers are looked at; not to have a divergence is no fault."""
    if outcome.fate in DEAD:
        return Fault(Severity.DIES)
    if outcome.fate != "answered":
        return Fault(Severity.NAN) if outcome.fate == "raised" else None
    if tuple(outcome.shape) != shape or not (outcome.dtype == call.dtype or _widened(call, outcome)):
        return Fault(Severity.WRONG_SHAPE)
    return None


def _widened(call: Call, outcome: Outcome) -> bool:
    known = SUBJECTS.get(call.subject)
    return outcome.dtype == "float64" and known is not None and known.dialect.widens


def value(got: float, truth: Truth, dtype: str, room: Room, positive: bool = True) -> Fault | None:
    """A divergence (`positive`), an entropy or a log density beside its truth.

    `room` is what rounding can do to the textbook form, per eps, absolute; it is asked for where it matters.

    >>> value(-1e-17, Truth(mp.mpf("1e-17")), "float64", room=lambda: 1.0).severity
    <Severity.WRONG_SIGN: 6>
    >>> value(0.5, Truth(mp.mpf("0.25")), "float64", room=lambda: 1.0).severity
    <Severity.WRONG_VALUE: 8>
    >>> value(0.25, Truth(mp.mpf("0.25")), "float64", room=lambda: 1.0)
    """
    kind = TYPES[dtype]
    if truth.number is None or mp.isnan(truth.number):
        return None
    if mp.isinf(truth.number):
        return None if got == np.inf else Fault(Severity.NAN if np.isnan(got) else Severity.FALSE_INFINITY)
    if abs(truth.number) > kind.largest / 4:
        return None
    if np.isnan(got):
        return Fault(Severity.NAN)
    if np.isinf(got):
        return Fault(Severity.FALSE_INFINITY)
    miss = _miss(got, truth)
    if abs(got) < kind.smallest and abs(truth.number) < kind.smallest:
        return None
    size = max(abs(truth.number) if positive else truth.scale, mp.mpf(kind.smallest))
    negative = positive and got < 0
    # An entropy may be 0 anywhere, and is known to a few units of 1 nat at best.
    if not positive and miss <= 4 * kind.eps:
        return None
    if not negative and miss <= kind.half * size:
        return None
    error = float(miss / abs(truth.number) / kind.eps) if truth.number else None
    # Sizes of terms aside, half of the digits of 1 nat is what a clumsy rearrangement may cost.
    allowed = room()
    bound = ROUNDING * kind.eps * (mp.mpf(allowed) + abs(truth.number))
    if math.isnan(allowed):  # nobody knows the terms: they are not taken to leave less than three digits
        bound = UNKNOWN * max(1, abs(truth.number))
    if miss > max(bound, mp.mpf(kind.half)):
        return Fault(Severity.WRONG_VALUE, error)
    return Fault(Severity.WRONG_SIGN if negative else Severity.LOST_DIGITS, error)


def slope(got: float | None, truth: Truth, dtype: str, room: Room) -> Fault | None:
    """A derivative beside its truth: relative to what cancels in it, since it may cross zero anywhere.

    Where it is not known what rounding can do (NaN), nothing is said.
    """
    kind = TYPES[dtype]
    number = truth.number
    if number is None or not truth.finite or abs(number) > kind.largest / 4:
        return None
    if got is None and not number:
        return None  # what a value does not depend on needs no derivative
    if got is None or np.isnan(got):
        return Fault(Severity.MISSING_GRADIENT)
    if np.isinf(got):
        return Fault(Severity.WRONG_GRADIENT)
    miss = _miss(got, truth)
    if miss <= kind.half * max(truth.scale, abs(number), mp.mpf(kind.smallest)):
        return None
    if not miss > ROUNDING * kind.eps * (mp.mpf(room()) + abs(number)):
        return None
    return Fault(Severity.WRONG_GRADIENT, float(miss / abs(number) / kind.eps) if number else None)


def relative(got: float, truth: Truth, dtype: str) -> float:
    """The error relative to a decided truth in eps: infinite where one of the two is no number, infinite or 0."""
    number = truth.number
    assert number is not None
    if got == number or (math.isnan(got) and mp.isnan(number)):
        return 0.0
    if not (number and truth.finite and math.isfinite(got)):
        return math.inf
    return float(_miss(got, truth) / abs(number) / TYPES[dtype].eps)


def _miss(got: float, truth: Truth) -> Any:
    with mp.workprec(160):
        return abs(mp.mpf(float(got)) - truth.number)
