"""The divergence of two mixtures of scalar distributions as a ball: nothing in it is left to an estimate.

Over a range that holds nearly all of P the integral (or sum) of p log(p/q) is Arb's (Johansson, Numerical integration
in arbitrary-precision ball arithmetic, ICMS 2018). What lies beyond needs no tail of any family. Let A be the rest:

- P(A) = 1 - P(range), since densities integrate to 1;
- the integral over A is at least P(A) log(P(A)/Q(A)) >= P(A) log P(A), by the log-sum inequality;
- it is at most that of sum_i w_i f_i log(w_i f_i/(u_i g_i)), by the same inequality pointwise, g_i a component of Q
  with share u_i. The integral of this over everything is sum_i w_i (KL(f_i || g_i) + log(w_i/u_i)), which closed forms
  give, and what the range has of it is Arb's as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import mpmath as mp
import sympy as sp

from ..core.ball import flint, to_mpmath
from ..core.exact import atom
from ..core.mixture import Mixture
from ..oracles.balls.walker import Point, Unspelled, Walker
from .ball_function import constant
from .stretches import Stretch, stretches

Ball = Any
Density = Callable[[Ball, bool], Ball]
MOST_TERMS = 200_000
# Of the lower bound by cells: how many to a stretch, and their accuracy.
CELLS = 48
MOST_COUNTED = 10_000
CELL_BITS = 30


@dataclass(frozen=True)
class Match:
    """For each component of P, the place of one of Q, and the closed form of the divergence from it."""

    places: tuple[int, ...]
    closed: tuple[sp.Expr, ...]

    def shares(self, p: Mixture, q: Mixture) -> list[sp.Rational]:
        """The weight of each chosen component of Q, divided among those that chose it by their own weights."""
        totals = {
            j: sum((w for w, k in zip(p.weights, self.places, strict=True) if k == j), sp.S.Zero) for j in self.places
        }
        return [q.weights[j] * w / totals[j] for w, j in zip(p.weights, self.places, strict=True)]


def divergence(p: Mixture, q: Mixture, match: Match | None, digits: int) -> tuple[mp.mpf, mp.mpf]:
    """The midpoint and the radius; Unspelled or ArithmeticError where there is no such proof.

    Without a match P must have finitely many outcomes.

    The precision rises until the radius is small beside the value, three times at most.
    """
    bits = int(3.33 * digits) + 22
    value = flint().arb(0)
    for _ in range(3):
        value = with_precision(lambda bits=bits: _divergence(p, q, match, bits), bits)
        lacking = digits * 3.33 + 4 - value.rel_accuracy_bits()
        if lacking <= 0 or not value.is_finite():
            break
        bits += max(16, min(int(lacking), 4 * bits)) + 8
    if not value.is_finite():
        raise ArithmeticError("the integral has no finite ball")
    return to_mpmath(value.mid()), to_mpmath(value.rad())


def entropy(p: Mixture, closed: Sequence[sp.Expr], digits: int) -> tuple[mp.mpf, mp.mpf]:
    """The entropy, given those of the components as closed forms.

    Beyond the range -p log p lies between sum_i -w_i f_i log f_i and sum_i -w_i f_i log(w_i f_i): p log p is convex,
    and p is at least each of its terms.
    """
    bits = int(3.33 * digits) + 40
    value = with_precision(lambda: _entropy(p, closed, bits), bits)
    if not value.is_finite():
        raise ArithmeticError("the integral has no finite ball")
    return to_mpmath(value.mid()), to_mpmath(value.rad())


def intervals(p: Mixture, q: Mixture) -> float:
    """A lower bound: the divergence of the probabilities of cells and of what is outside them all."""
    return with_precision(lambda: _intervals(p, q), CELL_BITS)


def with_precision(compute: Callable[[], Any], bits: int) -> Any:
    """What is computed at enough bits for an accuracy of 2^-bits: x next to an end needs as many again."""
    with flint().ctx.workprec(2 * bits + 40):
        return compute()


def _intervals(p: Mixture, q: Mixture) -> float:
    arb, ours, theirs, range_of = flint().arb, Components(p), Components(q), Range(p, q, CELL_BITS)
    total, rest = arb(0), arb(1)
    for cell in range_of.cells():
        mine = range_of.over(lambda z, analytic, at: ours.mass(z, analytic, at.ours), cell)
        other = range_of.over(lambda z, analytic, at: theirs.mass(z, analytic, at.theirs), cell)
        # A cell that may have no mass stays with the rest, whose share of Q is at most 1.
        if mine > 0 and other > 0:
            total, rest = total + mine * (mine / other).log(), rest - mine
    least = (total + _least(rest)).lower()
    return math.nextafter(float(least), -math.inf)


def _divergence(p: Mixture, q: Mixture, match: Match | None, bits: int) -> Ball:
    ours, theirs, range_of = Components(p), Components(q), Range(p, q, bits)
    with flint().ctx.workprec(bits + 32):
        closed = [constant(value) for value in match.closed] if match is not None else []

    def integrand(z: Ball, analytic: bool, at: Any) -> Ball:
        log_p = ours.log_density(z, analytic, at.ours)
        return log_p.exp() * (log_p - theirs.log_density(z, analytic, at.theirs))

    inner = range_of.total(integrand)
    if range_of.whole:
        return inner
    if match is None:
        raise ArithmeticError("nothing is known of what the range leaves out")
    beyond = 1 - range_of.total(lambda z, analytic, at: ours.mass(z, analytic, at.ours))
    return inner + _least(beyond).union(_most(p, q, match, closed, ours, theirs, range_of))


def _most(
    p: Mixture, q: Mixture, match: Match, closed: list[Ball], ours: Components, theirs: Components, range_of: Range
) -> Ball:
    """What the matched components have beyond the range of sum_i w_i f_i log(w_i f_i/(u_i g_i))."""
    shares = match.shares(p, q)
    offsets = [constant(sp.log(atom(w)) - sp.log(atom(u))) for w, u in zip(p.weights, shares, strict=True)]

    def matched(z: Ball, analytic: bool, at: Any) -> Ball:
        total = flint().acb(0)
        for i in at.ours:
            level = ours.level(i, z, analytic)
            gap = level - theirs.level(match.places[i], z, analytic) + offsets[i]
            total += ours.weights[i] * level.exp() * gap
        return total

    terms = zip(ours.weights, closed, offsets, strict=True)
    return sum((w * (kl + c) for w, kl, c in terms), flint().arb(0)) - range_of.total(matched)


def _entropy(p: Mixture, closed: Sequence[sp.Expr], bits: int) -> Ball:
    arb, ours, range_of = flint().arb, Components(p), Range(p, p, bits)

    def integrand(z: Ball, analytic: bool, at: Any) -> Ball:
        log_p = ours.log_density(z, analytic, at.ours)
        return -log_p.exp() * log_p

    def apart(z: Ball, analytic: bool, at: Any) -> Ball:
        total = flint().acb(0)
        for i in at.ours:
            level = ours.level(i, z, analytic)
            total -= ours.weights[i] * level.exp() * level
        return total

    beyond = 1 - range_of.total(lambda z, analytic, at: ours.mass(z, analytic, at.ours))
    whole = sum((w * constant(h) for w, h in zip(ours.weights, closed, strict=True)), arb(0))
    low = whole - range_of.total(apart)
    largest = constant(sp.Max(*(-sp.log(atom(w)) for w in p.weights))) if len(p.weights) > 1 else arb(0)
    return range_of.total(integrand) + low.union(low + arb(beyond.abs_upper()) * largest)


def _least(mass: Ball) -> Ball:
    """A lower bound of x log x for 0 <= x <= the upper end of the ball; its least value is -1/e, at 1/e."""
    top = flint().arb(mass.abs_upper())
    return top * top.log() if top < flint().arb("0.36") else flint().arb(-1)


class Components:
    """The log densities of a mixture's components in balls, at the working precision of now."""

    def __init__(self, m: Mixture) -> None:
        x = sp.Dummy("x", real=True)
        self.weights = [constant(atom(w)) for w in m.weights]
        walker = Walker(x)
        self._levels = [walker.function(d.log_density(x)) for d in m.components]

    def level(self, i: int, z: Ball, analytic: bool) -> Ball:
        return self._levels[i](Point(z, analytic))

    def log_density(self, z: Ball, analytic: bool, places: tuple[int, ...]) -> Ball:
        """l + log(sum of w exp(l_i - l)), l the largest at the middle: a wide ball keeps what it knows of the size."""
        at = Point(z, analytic)
        levels = [(self.weights[i], self._levels[i](at)) for i in places]
        if len(levels) == 1:
            return levels[0][1] + levels[0][0].log()
        top = max((level for _, level in levels), key=lambda level: float(level.real.mid()))
        total = flint().acb(0)
        for weight, level in levels:
            total += weight if level is top else weight * (level - top).exp()
        return top + total.log(analytic=analytic)

    def mass(self, z: Ball, analytic: bool, places: tuple[int, ...]) -> Ball:
        total, at = flint().acb(0), Point(z, analytic)
        for i in places:
            total += self.weights[i] * self._levels[i](at).exp()
        return total


@dataclass(frozen=True)
class _Part:
    """A stretch, the components of P and Q that have mass on it, and its anchor as a ball."""

    stretch: Stretch
    ours: tuple[int, ...]
    theirs: tuple[int, ...]
    anchor: Ball


class Range:
    """The range of x over which is integrated or summed, and the accuracy that is asked of it."""

    def __init__(self, p: Mixture, q: Mixture, bits: int) -> None:
        self.bits, self.discrete = bits, p.discrete
        self.p, self.q = p, q
        cut = stretches(p, q, 0.7 * bits + 20)
        self.parts = [_Part(s, s.ours, _holding(q, s.inside), constant(s.anchor)) for s in cut]

    @property
    def whole(self) -> bool:
        """Whether nothing of P is left out."""
        ends = [float(e) for d in self.p.components for e in (d.support.lower, d.support.upper)]
        return self.discrete and [min(ends), max(ends)] == [self.parts[0].stretch.first, self.parts[0].stretch.last]

    def total(self, f: Callable[[Ball, bool, Any], Ball]) -> Ball:
        return sum((self.over(f, part) for part in self.parts), flint().arb(0))

    def over(self, f: Callable[[Ball, bool, Any], Ball], part: _Part) -> Ball:
        return self._sum(f, part) if self.discrete else self._integral(f, part)

    def cells(self) -> list[_Part]:
        """The parts cut in pieces of equal length in t, or of as many integers."""
        found = []
        for part in self.parts:
            first, last = part.stretch.first, part.stretch.last
            if self.discrete:
                last = min(last, first + MOST_COUNTED)
                width = max(1, int(last - first) // CELLS)
                starts = range(int(first), int(last) + 1, width)
                spans = [(float(k), float(min(k + width - 1, last))) for k in starts]
            else:
                ends = [first + (last - first) * k / CELLS for k in range(CELLS)]
                spans = list(pairwise([*ends, last]))
            found += [replace(part, stretch=replace(part.stretch, first=a, last=b)) for a, b in spans]
        return found

    def _integral(self, f: Callable[[Ball, bool, Any], Ball], part: _Part) -> Ball:
        acb, arb = flint().acb, flint().arb
        anchor, way = part.anchor, part.stretch.direction

        def in_t(t: Ball, analytic: bool) -> Ball:
            if way:
                step = t.exp()
                return f(anchor + way * step, analytic, part) * step
            return f(anchor + t.sinh(), analytic, part) * t.cosh()

        stretch, tolerance = part.stretch, arb(2) ** -self.bits
        last = (
            constant(stretch.top) if stretch.top.is_finite and float(stretch.top) == stretch.last else arb(stretch.last)
        )
        return acb.integral(in_t, acb(stretch.first), acb(last), abs_tol=tolerance, rel_tol=tolerance).real

    def _sum(self, f: Callable[[Ball, bool, Any], Ball], part: _Part) -> Ball:
        first, last = int(part.stretch.first), int(part.stretch.last)
        if last - first > MOST_TERMS:
            raise ArithmeticError(f"{last - first} terms are too many")
        ends = [float(e) for m in (self.p, self.q) for d in m.components for e in (d.support.lower, d.support.upper)]
        total, at = flint().acb(0), part
        for k in range(first, last + 1):
            if k == first or k in ends or k - 1 in ends:
                at = replace(part, ours=_holding(self.p, sp.Integer(k)), theirs=_holding(self.q, sp.Integer(k)))
            if at.ours:
                total += f(flint().acb(k), False, at)
        return total.real


def _holding(m: Mixture, x: Any) -> tuple[int, ...]:
    return tuple(i for i, d in enumerate(m.components) if d.support.lower <= x and x <= d.support.upper)


__all__ = ["Match", "Unspelled", "divergence", "entropy"]
