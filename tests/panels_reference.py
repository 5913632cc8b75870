"""Integrals and sums of two densities in mpmath, from the log densities alone: panels halved until they agree.

Nothing of klsym is used but the log density and the support of a member, read as SymPy expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise

import mpmath as mp
import sympy as sp
from mpmath.calculus.quadrature import GaussLegendre

WORKING = 110
SETTLED = mp.mpf(10) ** -26
DROP = (
    80  # nats, below which nothing counts to 34 digits; next to an end where a density grows as x^-1/2, twice as many
)
NODES = 3  # the degree of mpmath's rule: 24 nodes
LONG = 2000  # from so many terms on a sum is an integral with Euler and Maclaurin's corrections
CORRECTIONS = 10

Density = Callable[[mp.mpf], mp.mpf]
Generator = Callable[[mp.mpf, mp.mpf], mp.mpf]  # of p and q, homogeneous


def jensen_shannon(p: mp.mpf, q: mp.mpf) -> mp.mpf:
    mean = (p + q) / 2
    return ((p * mp.log(p / mean) if p else 0) + (q * mp.log(q / mean) if q else 0)) / 2


def total_variation(p: mp.mpf, q: mp.mpf) -> mp.mpf:
    return abs(p - q) / 2


def measured(generator: Generator, p, q) -> mp.mpf:
    """The integral, or the sum, of the generator of the densities of two members with numbers for parameters."""
    with mp.workdps(WORKING):
        densities = [_density(d) for d in (p, q)]
        supports = [[_number(end) for end in (d.support.lower, d.support.upper)] for d in (p, q)]
        if p.family.discrete:
            return _sum(generator, densities, supports)
        return _integral(generator, densities, supports, [place for d in (p, q) for place in _kinks(d)])


def _number(e: sp.Expr) -> mp.mpf:
    return mp.mpmathify(e.evalf(WORKING)) if e.is_finite else mp.inf * int(sp.sign(e))


def _density(d) -> Density:
    """The log density, its part without an outcome formed once."""
    x = sp.Symbol("x", real=True)
    constant, rest = d.log_density(x).as_independent(x, as_Add=True)
    named = [{"LogSinhc": lambda u: mp.log(mp.sinh(u) / u) if u else mp.mpf(0)}, "mpmath"]
    offset, moving = sp.lambdify((), constant, named)(), sp.lambdify(x, rest, named)
    return lambda at: moving(at) + offset


def _kinks(d) -> list[mp.mpf]:
    """Where a modulus turns or a piece ends: two such places close to each other no rule would see."""
    x = sp.Symbol("x", real=True)
    density = d.log_density(x)
    sides = [e.args[0] for e in density.atoms(sp.Abs)] + [e.lhs - e.rhs for e in density.atoms(sp.Gt, sp.Lt)]
    return [_number(place) for side in sides for place in sp.solve(side, x)]


def _sum(generator: Generator, densities: Sequence[Density], supports) -> mp.mpf:
    def term(k) -> mp.mpf:
        both = [_mass(log, *ends, k) for log, ends in zip(densities, supports, strict=True)]
        return generator(*both), max(both)

    low, high = min(a for a, _ in supports), max(b for _, b in supports)
    first = 0 if low == -mp.inf else int(low)
    total = mp.mpf(0)
    for start, way, end in ((first, 1, high), (first - 1, -1, low)):
        k, highest = start, mp.mpf(0)
        while (way > 0 and k <= end) or (way < 0 and k >= end):
            found, mass = term(k)
            highest = max(highest, mass)
            total += found
            if mass < highest * mp.exp(-DROP):
                break
            k += way
            if abs(k - start) > LONG:
                total += _remaining(lambda x: term(x)[0], mp.mpf(k))
                break
    return total


def _mass(log: Density, low: mp.mpf, high: mp.mpf, k: int) -> mp.mpf:
    return mp.exp(log(mp.mpf(k))) if low <= k <= high else mp.mpf(0)


def _remaining(g: Density, start: mp.mpf) -> mp.mpf:
    """The sum from there on (DLMF 2.10.1)."""
    slopes = mp.taylor(g, start, 2 * CORRECTIONS, singular=False)
    corrections = mp.fsum(mp.bernoulli(2 * j) / (2 * j) * slopes[2 * j - 1] for j in range(1, CORRECTIONS + 1))
    inner = _settled(lambda t: g(start + mp.exp(t) - 1) * mp.exp(t), None, mp.mpf(0), mp.mpf(DROP), mp.mpf(0))
    return inner + g(start) / 2 - corrections


def _integral(generator: Generator, densities: Sequence[Density], supports, kinks: Sequence[mp.mpf]) -> mp.mpf:
    total = mp.mpf(0)
    for low, high in pairwise(sorted({end for pair in (*supports, kinks) for end in pair})):
        here = [log if a <= low and high <= b else None for log, (a, b) in zip(densities, supports, strict=True)]
        for to_x, log_slope, way in _charts(low, high):
            total += _on_chart(generator, here, to_x, log_slope, way, total)
    return total


def _charts(low: mp.mpf, high: mp.mpf) -> Iterator[tuple[Density, Density, tuple[mp.mpf, mp.mpf]]]:
    """x of t, log |dx/dt|, and how far t goes: from a finite end e^t, on the line sinh t."""
    if mp.isinf(low) and mp.isinf(high):
        yield mp.sinh, lambda t: mp.log(mp.cosh(t)), (-mp.inf, mp.inf)
        return
    reach = mp.log((high - low) / 2) if mp.isfinite(low) and mp.isfinite(high) else mp.inf
    if mp.isfinite(low):
        yield lambda t: low + mp.exp(t), lambda t: t, (-mp.inf, reach)
    if mp.isfinite(high):
        yield lambda t: high - mp.exp(t), lambda t: t, (-mp.inf, reach)


def _on_chart(generator, logs, to_x, log_slope, ends, so_far) -> mp.mpf:
    def masses(t):
        x, scale = to_x(t), log_slope(t)
        return [mp.exp(log(x) + scale) if log else mp.mpf(0) for log in logs]

    def height(t):
        x, scale = to_x(t), log_slope(t)
        return max(mp.re(log(x)) + scale for log in logs if log)

    if not any(logs):
        return mp.mpf(0)
    first, last = _extent(height, ends)
    apart = (lambda t: logs[0](to_x(t)) - logs[1](to_x(t))) if all(logs) else None
    pieces = max(1, int((last - first) / 2))
    marks = [first + (last - first) * k / pieces for k in range(pieces + 1)]
    total = mp.mpf(0)
    for a, b in pairwise(marks):
        total += _settled(lambda t: generator(*masses(t)), apart, a, b, so_far + total)
    return total


def _extent(height: Density, ends) -> tuple[mp.mpf, mp.mpf]:
    """From where to where the higher density counts, by steps of a half."""
    start = min(mp.mpf(0), ends[1])
    top, found = height(start), []
    for way, end in ((-1, ends[0]), (1, ends[1])):
        t, low_for = start, 0
        while way * t < way * end and low_for < 4:
            t += way * mp.mpf("0.5")
            t = min(t, end) if way > 0 else t
            level = height(t)
            top, low_for = max(top, level), low_for + 1 if level < top - DROP else 0
        found.append(t)
    return found[0], found[1]


@cache
def _rule() -> list[tuple[mp.mpf, mp.mpf]]:
    return GaussLegendre(mp.mp).calc_nodes(NODES, int(WORKING * 3.4))


def _applied(g: Density, a: mp.mpf, b: mp.mpf) -> mp.mpf:
    middle, half = (a + b) / 2, (b - a) / 2
    return half * mp.fsum(weight * g(middle + half * x) for x, weight in _rule())


def _settled(g: Density, apart: Density | None, a: mp.mpf, b: mp.mpf, beside: mp.mpf) -> mp.mpf:
    """The integral from a to b, to an error beside which `beside`, or its own, is large; cut where `apart` turns."""
    total, waiting = mp.mpf(0), [(a, b, None)]
    while waiting:
        low, high, whole = waiting.pop()
        if apart is not None and (cut := _turn(apart, low, high)) is not None:
            waiting += [(low, cut, None), (cut, high, None)]
            continue
        whole = _applied(g, low, high) if whole is None else whole
        middle = (low + high) / 2
        halves = [_applied(g, low, middle), _applied(g, middle, high)]
        finer = sum(halves)
        if abs(finer - whole) <= SETTLED * max(abs(beside + total), abs(finer)) or high - low < mp.mpf(10) ** -40:
            total += finer
        else:
            waiting += [(low, middle, halves[0]), (middle, high, halves[1])]
    return total


def _turn(apart: Density, low: mp.mpf, high: mp.mpf) -> mp.mpf | None:
    """A place within where the densities cross, by bisection; None where they are seen not to."""
    # Not the ends, one of which may be a cut itself, but close to them: what lies beyond no rule would see.
    close = [mp.mpf(10) ** -k for k in (15, 12, 9, 6, 3)]
    marks = [low + (high - low) * share for share in (*close, *(mp.mpf(k) / 8 for k in range(1, 8)))]
    marks += [high - (high - low) * share for share in reversed(close)]
    signs = [mp.sign(apart(t)) for t in marks]
    for (a, left), (b, right) in pairwise(zip(marks, signs, strict=True)):
        if left * right < 0:
            while b - a > mp.mpf(10) ** -45 * max(1, abs(a)):
                middle = (a + b) / 2
                a, b = (middle, b) if mp.sign(apart(middle)) == left else (a, middle)
            return (a + b) / 2
    return None
