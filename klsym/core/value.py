"""Numbers that say how far they can be trusted, and the three-way comparison of two of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import mpmath as mp

Proof = Literal["exact", "ball", "estimate", "float"]


@dataclass(frozen=True)
class Value:
    """The number `mid`, within `rad`, and how that is known.

    `exact`: by a theorem (a support rule); `ball`: by interval arithmetic; `estimate`: by two
    computations that agree; `float`: by nothing but rounding.
    A `rad` of +oo says that the number could not be vouched for, and `note` says why.
    """

    mid: mp.mpf
    rad: mp.mpf
    proof: Proof
    note: str = ""

    @property
    def vouched(self) -> bool:
        return bool(mp.isfinite(self.rad)) and not mp.isnan(self.mid)


class Verdict(Enum):
    AGREE = "agree"
    DISAGREE = "disagree"
    UNDECIDED = "undecided"


def compare(left: Value, right: Value, tolerance: float = 1e-12) -> Verdict:
    """Whether two values are equal to within `tolerance * (1 + |right|)`, as far as their radii allow.

    >>> one = Value(mp.mpf(1), mp.mpf("1e-20"), "estimate")
    >>> compare(one, Value(mp.mpf("1.1"), mp.mpf("1e-20"), "estimate"))
    <Verdict.DISAGREE: 'disagree'>
    >>> compare(one, Value(mp.mpf(1), mp.inf, "estimate"))
    <Verdict.UNDECIDED: 'undecided'>
    """
    if not (left.vouched and right.vouched):
        return Verdict.UNDECIDED
    if mp.isinf(left.mid) or mp.isinf(right.mid):
        return Verdict.AGREE if left.mid == right.mid else Verdict.DISAGREE
    with mp.workprec(max(mp.mp.prec, 120)):
        gap, slack = abs(left.mid - right.mid), left.rad + right.rad
        allowed = tolerance * (1 + abs(right.mid))
        if gap + slack <= allowed:
            return Verdict.AGREE
        return Verdict.DISAGREE if gap - slack > allowed else Verdict.UNDECIDED
