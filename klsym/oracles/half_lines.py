"""The greatest difference of the masses below one place, at the sign changes of the difference of the densities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import mpmath as mp
import sympy as sp

from ..core.family import Distribution
from ..core.value import Value
from .coupled import Spelled, law
from .cumulative import Cumulative
from .quadrature import precision

# Masses below and above the places looked at, from either end; and how many outcomes are added up at most.
_INSIDE, _TAIL, _TERMS = 40, 24, 20_000
Density = Callable[[mp.mpf], mp.mpf]
# E[g; condition] under a law, of (law, g, condition, digits).
Expectation = Callable[..., Value]


def greatest(
    p: Distribution, q: Distribution, spelled: tuple[Spelled, Spelled], expectation: Expectation, digits: int
) -> Value:
    """sup |F - G|; the error is that of the two masses at the place where it was found.

    The places looked at are quantiles of both laws, the ends of their supports, and between neighbours where the
    greater density changes the place where it does: two changes between the same neighbours go unseen.
    """
    if p.family.discrete != q.family.discrete:
        return Value(mp.nan, mp.inf, "estimate", "the difference between counts and a density is not measured")
    with mp.workprec(precision(digits)):
        densities = [_log_density(d, *own) for d, own in zip((p, q), spelled, strict=True)]
        if p.family.discrete:
            return _of_counts(p, q, densities, digits)
        try:
            laws = [law(d, *own, sp.S.Zero, digits) for d, own in zip((p, q), spelled, strict=True)]
        except ArithmeticError as error:
            return Value(mp.nan, mp.inf, "estimate", str(error))
        if doubt := laws[0].doubt or laws[1].doubt:
            return Value(mp.nan, mp.inf, "estimate", doubt)
        ends = [end for d in (p, q) for end in (d.support.lower, d.support.upper) if end.is_finite]
        places = sorted({*(place for own in laws for place in _quantiles(own.cumulative)), *map(_number, ends)})
        turns = [_turn(densities, a, b) for a, b in pairwise(places) if _sign(densities, a) * _sign(densities, b) < 0]
        best = Value(mp.mpf(0), mp.mpf(0), "estimate")
        for place in [*map(_number, ends), *turns]:
            mine, theirs = (_below(d, _rational(place), expectation, digits) for d in (p, q))
            if not (mine.vouched and theirs.vouched):
                return Value(mp.nan, mp.inf, "estimate", mine.note or theirs.note)
            gap = abs(mine.mid - theirs.mid)
            if gap > best.mid:
                best = Value(gap, mine.rad + theirs.rad + gap * mp.mpf(10) ** -digits, "estimate")
        return best


def _below(d: Distribution, place: sp.Expr, expectation: Expectation, digits: int) -> Value:
    """The mass up to a place."""
    if bool(place <= d.support.lower) or bool(place >= d.support.upper):
        return Value(mp.mpf(int(bool(place > d.support.lower))), mp.mpf(0), "exact")
    return expectation(d, sp.S.One, d.family.variable <= place, digits)


def _log_density(d: Distribution, log_density: sp.Expr, bindings: tuple) -> Density:
    """The log density as a function of a number, -oo outside the support."""
    symbols, values = [symbol for symbol, _ in bindings], [_number(value) for _, value in bindings]
    inside = sp.lambdify([d.family.variable, *symbols], log_density, "mpmath")
    lower, upper = _number(d.support.lower), _number(d.support.upper)
    return lambda x: mp.re(inside(x, *values)) if lower <= x <= upper else mp.ninf


def _quantiles(own: Cumulative) -> Iterator[mp.mpf]:
    masses = [mp.mpf(k) / _INSIDE / 2 for k in range(1, _INSIDE + 1)] + [mp.ldexp(1, -8 - 2 * k) for k in range(_TAIL)]
    for mass in masses:
        yield own.quantile(mass, True)
        yield own.quantile(mass, False)


def _sign(densities: list[Density], x: mp.mpf) -> int:
    first, second = (density(x) for density in densities)
    return 0 if first == second else 1 if first > second else -1


def _turn(densities: list[Density], low: mp.mpf, high: mp.mpf) -> mp.mpf:
    """Where the greater density changes, by bisection: F - G has no slope there, so half of the digits do."""
    start = _sign(densities, low)
    for _ in range(mp.mp.prec):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _sign(densities, middle) == start else (low, middle)
    return (low + high) / 2


def _of_counts(p: Distribution, q: Distribution, densities: list[Density], digits: int) -> Value:
    """The greatest difference of the partial sums."""
    starts = [d.support.lower for d in (p, q)]
    if not all(start.is_finite for start in starts):
        return Value(mp.nan, mp.inf, "estimate", "there is no least outcome to add up from")
    k, sums, best, goal = int(min(starts)), [mp.mpf(0)] * 2, mp.mpf(0), mp.mpf(10) ** -(digits + 2)
    for _ in range(_TERMS):
        sums = [total + mp.exp(density(mp.mpf(k))) for total, density in zip(sums, densities, strict=True)]
        best, k = max(best, abs(sums[0] - sums[1])), k + 1
        if max(abs(1 - total) for total in sums) < goal + mp.ldexp(k, 4 - mp.mp.prec):
            return Value(best, goal + mp.ldexp(k, 4 - mp.mp.prec), "estimate")
    return Value(best, mp.inf, "estimate", f"{_TERMS} outcomes have less than all of the mass")


def _number(e: sp.Expr) -> mp.mpf:
    return mp.mpf(e._to_mpmath(mp.mp.prec + 20)) if e.is_finite else (mp.inf if e.is_extended_positive else mp.ninf)


def _rational(x: mp.mpf) -> sp.Rational:
    sign, mantissa, exponent, _ = x._mpf_
    return (-1) ** sign * sp.Integer(int(mantissa)) * sp.Rational(2) ** exponent
