"""A stretch of the line seen from one of its ends, in a logarithmic coordinate, and where on it the mass lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import mpmath as mp
import sympy as sp
from mpmath.libmp import NoConvergence

from .integrand import CONSTANT, Integrand

End = Literal["decays", "diverges", "unseen"]
Sample = tuple[mp.mpf, mp.mpf | None, mp.mpf | None]

FAR = mp.ldexp(1, 80)
_FAR_LOSSY = 8000
_NEAR = 64
_NOTHING = -(10**6)


@dataclass
class Ray:
    """The points anchor + direction * e^s, s < top; `counted` says whether they lie in the range of the factor.

    In s, a spike of any width at the anchor is a bump of width about 1, a power singularity or a power
    tail is an exponential, and a kink at the anchor is at infinity.
    """

    integrand: Integrand
    anchor: sp.Expr
    direction: int
    top: mp.mpf
    counted: bool
    bits: int
    loss: dict[int, int] = field(default_factory=lambda: {-1: 0, 1: 0})
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._point = self.integrand.at(self.anchor, self.direction)

    def precision(self, s: mp.mpf, loss: int | None = None) -> int:
        """The working precision at s: digits lost to e^s against 1, and to the size of s, are added."""
        factor = self.loss[1 if s > 0 else -1] if loss is None else loss
        needed = 2 * max(0, mp.mag(s) - 8) + 1.45 * factor * abs(s)
        return self.bits + 256 * int(mp.ceil(needed / 256))

    def at(self, s: mp.mpf, bits: int) -> tuple[mp.mpf, mp.mpf]:
        """Log of the weight, the Jacobian e^s included, and the factor; (nan, nan) where they cannot be had."""
        with mp.workprec(bits):
            try:
                weight, factor = self._point(mp.exp(s))
            except (OverflowError, ValueError, NoConvergence):
                return mp.nan, mp.nan
            except ZeroDivisionError:
                return mp.nan, mp.inf
            if weight == -mp.inf:
                return weight, mp.mpf(0)
            if isinstance(weight, mp.mpc) or (self.counted and isinstance(factor, mp.mpc)):
                return mp.nan, mp.nan
            return weight + s, factor if self.counted else mp.mpf(0)

    def __call__(self, s: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        return self.at(s, self.precision(s))

    def survey(self) -> None:
        """Sample the logarithms of the weight and of the whole integrand, near and very far."""
        self._measure_loss()
        start = mp.mpf(0) if self.top == mp.inf else self.top
        down = [start - j for j in range(0, _NEAR, 2)] + self._far(-1, start)
        up = [mp.mpf(j) for j in range(2, _NEAR, 2)] + self._far(1, start) if self.top == mp.inf else []
        self.samples = [self.sample(s) for s in [*reversed(down), *up]]

    def sample(self, s: mp.mpf) -> Sample:
        """The logarithms of the weight and of |weight * factor| at s; None where they cannot be had."""
        weight, factor = self(s)
        if mp.isnan(weight):
            return s, None, None
        if mp.isnan(factor) or (mp.isinf(factor) and abs(s) > _NEAR):
            return s, weight, None
        if mp.isinf(factor):
            return s, weight, mp.inf
        if abs(factor) < mp.ldexp(1, int(-0.85 * self.bits)):
            return s, weight, mp.ninf
        size = weight + mp.log(abs(factor))
        cancelled = mp.mag(weight) - mp.mag(size) if mp.isfinite(weight) and size else 0
        if self.bits / 3 < cancelled < 50000:
            bits = self.precision(s) + mp.mag(weight)
            weight, factor = self.at(s, bits)
            with mp.workprec(bits):
                size = weight + mp.log(abs(factor)) if mp.isfinite(factor) else None
                # Constants have no more bits than that: what is left of two large terms may be their rounding.
                if size and abs(mp.mag(weight) - CONSTANT - mp.mag(size)) < _NEAR:
                    return s, weight, None
        return s, weight, size

    def _far(self, way: int, start: mp.mpf) -> list[mp.mpf]:
        limit = FAR if not self.loss[way] else mp.mpf(_FAR_LOSSY) / self.loss[way]
        steps = []
        step = mp.mpf(_NEAR)
        while step <= limit:
            steps.append(start + way * step)
            step *= 2 if step < 100_000 else 4
        return steps

    def _measure_loss(self) -> None:
        """How many bits per bit of e^s cancel on the way to either end, as in log(1 - cos(e^s))."""
        for way in (-1, 1) if self.top == mp.inf else (-1,):
            start = mp.mpf(0) if way == 1 else min(mp.mpf(0), self.top)
            for s in (start + way * 40, start + way * 150):
                reference = self.at(s, self.precision(s, 4))
                while self.loss[way] < 4 and not self._agrees(self.at(s, self.precision(s)), reference):
                    self.loss[way] = 2 * self.loss[way] or 1

    def _agrees(self, rough: tuple[mp.mpf, mp.mpf], fine: tuple[mp.mpf, mp.mpf]) -> bool:
        if rough[0] < _NOTHING and fine[0] < _NOTHING:
            return True
        close = mp.ldexp(1, -self.bits // 2)
        return all(
            a == b or (mp.isnan(a) and mp.isnan(b)) or abs(a - b) <= close * (1 + abs(b)) < mp.inf
            for a, b in zip(rough, fine, strict=True)
        )


def end(samples: list[tuple[mp.mpf, mp.mpf | None]], floor: mp.mpf) -> End:
    """What the integral of exp(L(s)) does at the end that the samples (s, L) lead to.

    It decays if L is seen to fall below the floor and to stay there. It diverges if L does not fall at all, or
    falls no faster than -log|s| out to |s| = 2^80, where any exponential e^(-c|s|), c > 2^-75, would have shown.
    """
    seen = [(s, level) for s, level in samples if level is not None]
    below = [level == mp.ninf or level + mp.log(1 + abs(s)) < floor for s, level in seen]
    if len(seen) >= 2 and below[-1] and below[-2]:
        return "decays"
    tail = [(mp.log(abs(s)), level) for s, level in seen[-6:] if abs(s) > 1]
    if len(tail) < 6 or mp.inf in [level for _, level in tail]:
        return "unseen"
    fall = [(a[1] - b[1]) / (b[0] - a[0]) for a, b in pairwise(tail)]
    if all(rate <= mp.ldexp(1, -100) for rate in fall):
        return "diverges"
    far = abs(seen[-1][0]) >= FAR / 16
    return "diverges" if far and all(rate <= 0.95 for rate in fall) else "unseen"
