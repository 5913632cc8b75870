"""What an integral or a sum has towards an end of the line, or of a piece: a bound, or a proof that it diverges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from ...core.ball import flint
from .expansion import Expansion
from .growth import Line, Ray, Sum, Unbounded
from .walker import Walker

Ball = Any
# Bits at which cuts are told apart and ends are bounded: half of them cancel where P and Q are nearly equal.
COARSE = 160
FARTHEST = 2.0**22
# How the place for a cut is searched: in powers of 2, and then until its bound is within this exponent of the goal.
STEP, MOST_STEPS, HALVINGS, CLOSE = 16, 40, 48, 4.0
# Where on a ray a divergence is looked for.
FAR = (4.0, 32.0, 512.0, 2.0**14)


class Refused(Exception):
    """No ball can be proven."""


@dataclass(frozen=True)
class Infinite:
    """A value that is proven to be infinite, its sign, and why; at an end, y = e^(way start) from where on it is."""

    sign: int
    why: str
    way: int = 1
    start: float = 0.0

    @property
    def log(self) -> Ball:
        return flint().arb(self.way * self.start)


@dataclass(frozen=True)
class Integrand:
    """exp(log_density) * factor in x, with the values of their symbols."""

    x: sp.Symbol
    log_density: sp.Expr
    factor: sp.Expr
    values: dict[sp.Symbol, Any]

    def walker(self, anchor: sp.Expr = sp.S.Zero, direction: int = 1) -> Walker:
        return Walker(self.x, self.values, anchor, direction)


@dataclass(frozen=True)
class Cut:
    """The place y = unit e^(way start), a bound of what lies beyond, and how steeply its logarithm falls there."""

    way: int
    unit: Any
    start: float
    beyond: Ball
    slope: Ball

    @property
    def log(self) -> Ball:
        """log y, at the working precision."""
        return flint().arb(self.unit).log() + self.way * flint().arb(self.start)


@dataclass(frozen=True)
class End:
    """Of x = anchor + direction y, where y goes to infinity (way 1) or to 0 (way -1); `counted` if y is an integer."""

    f: Integrand
    anchor: sp.Expr
    direction: int
    way: int
    counted: bool = False

    @cached_property
    def walker(self) -> Walker:
        return self.f.walker(self.anchor, self.direction)

    def cut(self, bits: int, farthest: Ball = None) -> Cut | Infinite:
        """A place with less than 2^-bits beyond it; Refused where neither that nor a divergence is proven.

        Of an end at y = 0 it lies below y = e^farthest.
        """
        goal = flint().arb(2) ** -bits
        with flint().ctx.workprec(COARSE):
            found = self._search(0, goal)
            for shift in range(STEP, MOST_STEPS * STEP, STEP):  # of a scale that is far from 1
                if self.counted or found is None or found.start > 1:
                    break
                nearer = self._search(-self.way * shift, goal)
                if farthest is not None and not (nearer is not None and nearer.log < farthest):
                    break
                found = nearer
            return found or self.divergence()

    def _search(self, shift: int, goal: Ball) -> Cut | None:
        """Nearly the nearest such place: what lies beyond it is nearly the goal."""
        low, high, found = 0.0, 1.0, None
        while high <= FARTHEST and (found := self.bound(high, shift, goal)) is None:
            low, high = high, 2 * high
        for _ in range(HALVINGS):
            if found is None or not (high - low) * found.slope > CLOSE:
                break
            middle = (low + high) / 2
            nearer = self.bound(middle, shift, goal)
            low, high, found = (middle, high, found) if nearer is None else (low, middle, nearer)
        return found

    def bound(self, start: float, shift: int, goal: Ball) -> Cut | None:
        """The cut there, if what is beyond is proven to be below the goal.

        A sum over the integers k >= K of what falls is at most its first term more than the integral.
        """
        total, least, unit = flint().arb(0), flint().arb("inf"), flint().fmpq(2) ** shift
        try:
            first = (-flint().arb(start)).exp() if self.counted else 0
            for line, size in self._lines(self._expansion(start, unit)):
                total += size * line.top.exp() * (1 / line.slope + first)
                least = least.min(line.slope)
        except Unbounded:
            return None
        return Cut(self.way, unit, start, flint().arb(total.upper()), least) if total < goal else None

    def _expansion(self, start: float, unit: Any) -> Expansion:
        return Expansion(self.walker, self.way, unit, Ray(flint().arb(start)))

    def _weight(self, expand: Expansion) -> Sum:
        return expand.ray.add(expand(self.f.log_density), expand.jacobian)

    def _lines(self, expand: Expansion) -> Iterator[tuple[Line, Ball]]:
        return expand.ray.lines(self._weight(expand), expand(self.f.factor))

    def divergence(self) -> Infinite:
        """The proof that the integral or sum diverges here; Refused where there is none."""
        where = f"near {self.anchor}" if self.way < 0 else f"far {'above' if self.direction > 0 else 'below'}"
        why = ""
        for start in FAR:
            expand = self._expansion(start, flint().fmpq(1))
            try:
                sign = expand.ray.diverges(self._weight(expand), expand(self.f.factor))
            except Unbounded as error:
                why = f": {error}"
                continue
            if sign:
                kind = "sum" if self.counted else "integral"
                return Infinite(sign, f"the {kind} diverges {where}", self.way, start)
        raise Refused(f"no bound is known of what lies {where}{why}")


def signed_sum(parts: list[Any]) -> Any:
    """The sum of balls and of what is infinite with one sign."""
    infinite = [part for part in parts if isinstance(part, Infinite)]
    if len({part.sign for part in infinite}) > 1:
        raise Refused("the value would be infinite with both signs")
    return infinite[0] if infinite else sum(parts, flint().arb(0))
