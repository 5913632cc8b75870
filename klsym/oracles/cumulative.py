"""The distribution function of a density and its inverse, by quadrature: relative to the nearer of the two tails."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import accumulate, pairwise

import mpmath as mp

from .integrand import number
from .ray import Ray

# The density falls by at most this factor within a panel, so that a tail's mass keeps its digits there.
_FALL = mp.mpf(10) ** 6
_PANELS = 400


@lru_cache(maxsize=8)
def _transform(n: int, bits: int) -> tuple[list[mp.mpf], list[list[mp.mpf]]]:
    """Chebyshev points of [-1, 1], from 1 down, and the rows that take values there to coefficients."""
    with mp.workprec(bits):
        cosine = [mp.cos(mp.pi * j / n) for j in range(2 * n)]
        half = [mp.mpf(1) / 2 if j in (0, n) else mp.mpf(1) for j in range(n + 1)]
        rows = [[2 * half[j] * half[k] * cosine[j * k % (2 * n)] / n for j in range(n + 1)] for k in range(n + 1)]
        return cosine[: n + 1], rows


@dataclass(frozen=True)
class Series:
    """A Chebyshev series on the stretch from `lower` to `upper`."""

    lower: mp.mpf
    upper: mp.mpf
    coefficients: Sequence[mp.mpf]

    @cached_property
    def _fixed(self) -> tuple[int, list[int]]:
        """The power of 2 that the coefficients are multiplied by, and the integers that they are then."""
        up = mp.mp.prec - int(mp.mag(max(map(abs, self.coefficients))))
        return up, [int(mp.nint(mp.ldexp(c, up))) for c in self.coefficients]

    def __call__(self, s: mp.mpf) -> mp.mpf:
        """Clenshaw's recurrence (DLMF 3.11.15) in fixed point, which takes a tenth of the time."""
        up, fixed = self._fixed
        bits = mp.mp.prec
        x = int(mp.ldexp((2 * s - self.lower - self.upper) / (self.upper - self.lower), bits))
        b1, b2 = 0, 0
        for c in reversed(fixed[1:]):
            b1, b2 = ((x * b1) >> (bits - 1)) - b2 + c, b1
        return mp.ldexp(((x * b1) >> bits) - b2 + fixed[0], -up)

    def doubles(self, unit: mp.mpf) -> Series:
        """The same in floating point, in a unit."""
        return Doubles(float(self.lower), float(self.upper), [float(c / unit) for c in self.coefficients])

    @property
    def rest(self) -> mp.mpf:
        """How large the last coefficients are."""
        return max(map(abs, self.coefficients[-4:]))

    def integral(self) -> Series:
        """The integral from `lower` (DLMF 18.17.ii: 2 int T_k = T_(k+1)/(k + 1) - T_(k-1)/(k - 1))"""
        c, half = [*self.coefficients, mp.mpf(0), mp.mpf(0)], (self.upper - self.lower) / 2
        b = [mp.mpf(0), half * (c[0] - c[2] / 2)]
        b += [half * (c[k - 1] - c[k + 1]) / (2 * k) for k in range(2, len(self.coefficients) + 1)]
        b[0] = -mp.fsum(x if k % 2 == 0 else -x for k, x in enumerate(b))
        return Series(self.lower, self.upper, b)


def series(values: Sequence[mp.mpf], lower: mp.mpf, upper: mp.mpf, bits: int) -> Series:
    """The series through values at the points of the stretch."""
    _, rows = _transform(len(values) - 1, bits)
    return Series(lower, upper, [mp.fdot(row, values) for row in rows])


def points(lower: mp.mpf, upper: mp.mpf, n: int, bits: int) -> list[mp.mpf]:
    return [(lower + upper) / 2 + (upper - lower) / 2 * node for node in _transform(n, bits)[0]]


class Doubles(Series):
    """The same in floating point."""

    def __call__(self, s: float) -> float:
        x = (2 * s - self.lower - self.upper) / (self.upper - self.lower)
        b1 = b2 = 0.0
        for c in reversed(self.coefficients[1:]):
            b1, b2 = 2 * x * b1 - b2 + c, b1
        return x * b1 - b2 + self.coefficients[0]


@dataclass(frozen=True)
class Panel:
    """A stretch of a ray: the density by the ray's coordinate s, and its integral from the left end of the outcomes."""

    ray: Ray
    density: Series
    integral: Series

    @cached_property
    def mass(self) -> mp.mpf:
        return self.integral(self.density.upper)

    @cached_property
    def _anchor(self) -> mp.mpf:
        return number(self.ray.anchor)

    def outcome(self, s: mp.mpf) -> mp.mpf:
        return self._anchor + self.ray.direction * mp.exp(s)

    def below(self, s: mp.mpf) -> mp.mpf:
        """The mass of the panel at smaller outcomes."""
        return self.integral(s) if self.ray.direction > 0 else self.mass - self.integral(s)

    def solve(self, mass: mp.mpf) -> mp.mpf:
        """s with that mass at smaller outcomes: in doubles first, and from there at full precision."""
        goal = mass if self.ray.direction > 0 else self.mass - mass
        low, high = self.density.lower, self.density.upper
        rough = _root(*self._doubles, float(goal / self.mass), float(low), float(high), 1e-13)
        # A third of the bits is left to noise where the density is a small part of its greatest.
        close = mp.ldexp(1, -2 * mp.mp.prec // 3)
        return _root(self.integral, self.density, goal, low, high, close, mp.mpf(rough))

    @cached_property
    def _doubles(self) -> tuple[Series, Series]:
        """The integral and the density in units of the panel's mass, in floating point."""
        return self.integral.doubles(self.mass), self.density.doubles(self.mass)


def _root(rising, slope, goal, low, high, close, start=None):
    """Where an increasing function has a value, by Newton's method kept within a bracket."""
    s = (low + high) / 2 if start is None or not low < start < high else start
    for _ in range(200):
        gap, rate = rising(s) - goal, slope(s)
        step = gap / rate if rate else high - low
        if abs(step) <= close * (1 + abs(s)):
            return s - step
        low, high = (low, s) if gap > 0 else (s, high)
        s = s - step if low < s - step < high else (low + high) / 2
    return s


def panels(ray: Ray, ends: Sequence[mp.mpf], n: int, digits: int) -> list[Panel]:
    """The density on a ray between the ends, halved until every panel is resolved; ArithmeticError if it is not."""

    @cache
    def height(s: mp.mpf) -> mp.mpf:
        return mp.exp(ray(s)[0])

    todo, found = list(reversed(list(pairwise(ends)))), []
    while todo:
        lower, upper = todo.pop()
        panel = None
        if _FALL * min(height(lower), height(upper)) >= max(height(lower), height(upper)):
            values = [height(s) for s in points(lower, upper, n, ray.bits)]
            density, largest = series(values, lower, upper, ray.bits), max(values)
            if density.rest <= largest * mp.mpf(10) ** -digits and largest <= _FALL * min(values):
                panel = Panel(ray, density, density.integral())
        if panel is None and upper - lower > mp.mpf(10) ** -6:
            middle = lower + (upper - lower) * mp.mpf("0.4921")
            todo += [(middle, upper), (lower, middle)]
        elif panel is not None:
            found.append(panel)
        else:
            raise ArithmeticError(f"the density is not resolved near {ray.anchor}")
        if len(todo) + len(found) > _PANELS:
            raise ArithmeticError(f"the density is not resolved by {_PANELS} panels")
    return found if ray.direction > 0 else found[::-1]


class Cumulative:
    """A law by its panels in the order of their outcomes, with the mass to the left and to the right of each."""

    def __init__(self, found: Sequence[Panel]) -> None:
        self.panels = list(found)
        masses = [panel.mass for panel in self.panels]
        self.left = [mp.mpf(0), *accumulate(masses)]
        self.right = [*reversed(list(accumulate(reversed(masses)))), mp.mpf(0)]

    @property
    def mass(self) -> mp.mpf:
        return self.left[-1]

    def place(self, mass: mp.mpf, from_left: bool) -> tuple[int, mp.mpf]:
        """The panel, and s on it, where that much mass lies to the left, or to the right."""
        if from_left:
            i = min(max(bisect_left(self.left, mass) - 1, 0), len(self.panels) - 1)
            inner = mass - self.left[i]
        else:
            i = len(self.panels) - min(max(bisect_left(self.right[::-1], mass), 1), len(self.panels))
            inner = self.panels[i].mass - (mass - self.right[i + 1])
        return i, self.panels[i].solve(inner)

    def quantile(self, mass: mp.mpf, from_left: bool) -> mp.mpf:
        """The outcome with that much mass on its left, or on its right."""
        i, s = self.place(mass, from_left)
        return self.panels[i].outcome(s)
