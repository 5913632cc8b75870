"""Transport costs on the line from the definition: the cost between quantiles, integrated over the unit interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import mpmath as mp
import sympy as sp

from ..core.family import Distribution
from ..core.value import Value
from .cumulative import Cumulative, Panel, panels, points, series
from .integrand import Bindings, compiled
from .quadrature import precision, stretch, surveyed

Cost = Callable[[mp.mpf, mp.mpf], mp.mpf]
Spelled = tuple[sp.Expr, Bindings]

_TERMS = 20_000
_HALVINGS = 60


@dataclass(frozen=True)
class Law:
    """A density's distribution function, or why there is none; `infinite` where the cost of it against 0 is."""

    cumulative: Cumulative = field(default_factory=lambda: Cumulative(()))
    infinite: bool = False
    doubt: str = ""


def expected_cost(
    p: Distribution, q: Distribution, spelled: tuple[Spelled, Spelled], cost: sp.Expr, xy: tuple[sp.Symbol, sp.Symbol],
    digits: int,
) -> Value:  # fmt: skip
    """The integral of cost(F^-1(u), G^-1(u)) over 0 < u < 1."""
    if p.family.discrete != q.family.discrete:
        return Value(mp.nan, mp.inf, "estimate", "the cost between counts and a density is not measured")
    with mp.workprec(precision(digits)):
        between: Cost = sp.lambdify(xy, cost, "mpmath")
        try:
            if p.family.discrete:
                return _of_counts(p, q, spelled, between, digits)
            alone = cost.xreplace({xy[1]: sp.S.Zero})
            members = zip((p, q), spelled, strict=True)
            laws = [law(d, *own, alone.xreplace({xy[0]: d.family.variable}), digits) for d, own in members]
        except ArithmeticError as error:
            return Value(mp.nan, mp.inf, "estimate", str(error))
        if doubt := laws[0].doubt or laws[1].doubt:
            return Value(mp.nan, mp.inf, "estimate", doubt)
        if laws[0].infinite and laws[1].infinite:
            return Value(mp.nan, mp.inf, "estimate", "both laws have an infinite moment")
        if laws[0].infinite or laws[1].infinite:
            return Value(mp.inf, mp.mpf(0), "estimate", "one of the two has an infinite moment")
        first, second = (law.cumulative for law in laws)
        sides = [_side(first, second, between, from_left, digits) for from_left in (True, False)]
        total, error = (mp.fsum(column) for column in zip(*sides, strict=True))
        return Value(total, error + abs(total) * mp.mpf(10) ** -(digits + 2), "estimate")


def _nodes(digits: int) -> int:
    return digits + 10 + digits % 2


def law(d: Distribution, log_density: sp.Expr, bindings: Bindings, alone: sp.Expr, digits: int) -> Law:
    integrand = compiled(d.family.variable, (log_density, 1 + alone), bindings)
    rays, peaks, verdict = surveyed(integrand, d.support.lower, d.support.upper, sp.true, digits)
    if verdict is not None:
        return Law(infinite=bool(mp.isinf(verdict.mid)), doubt=verdict.doubt)
    found: list[Panel] = []
    for ray in rays:
        ends = stretch(ray, peaks, digits)
        found += panels(ray, ends, _nodes(digits), digits) if ends else []
    whole = Cumulative(found)
    if abs(whole.mass - 1) > mp.mpf(10) ** (2 - digits):
        return Law(doubt=f"the density of {d} integrates to {mp.nstr(whole.mass, 15)}")
    return Law(whole)


def _side(p: Cumulative, q: Cumulative, cost: Cost, from_left: bool, digits: int) -> tuple[mp.mpf, mp.mpf]:
    """The integral over u < 1/2, or u > 1/2, by the law that is seen farther out."""
    tails = [(law.panels[0] if from_left else law.panels[-1]).mass for law in (p, q)]
    swapped = tails[1] < tails[0]
    own, other = (q, p) if swapped else (p, q)

    def at(i: int, s: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        """Both outcomes at a place of the own law."""
        panel = own.panels[i]
        below = panel.below(s)
        left = own.left[i] + below
        mass = left if from_left else own.right[i + 1] + panel.mass - below
        x, y = panel.outcome(s), other.quantile(mass, from_left)
        return (y, x) if swapped else (x, y)

    parts = [_part(own, at, cost, *stretch, digits) for stretch in _stretches(own, other, from_left)]
    goal = mp.mpf(10) ** -digits
    for _ in range(_HALVINGS):
        scale = mp.fsum(part.value for part in parts) / len(parts)
        coarse = [part for part in parts if part.error > goal * scale]
        if not coarse:
            break
        parts = [part for part in parts if part.error <= goal * scale]
        for part in coarse:
            middle = part.crossing or (part.lower + part.upper) / 2
            for ends in ((part.lower, middle), (middle, part.upper)):
                parts.append(_part(own, at, cost, part.panel, *ends, digits))
    return mp.fsum(part.value for part in parts), mp.fsum(part.error for part in parts)


def _stretches(own: Cumulative, other: Cumulative, from_left: bool) -> Iterator[tuple[int, mp.mpf, mp.mpf]]:
    """The parts of the own panels on that side of the median, cut also where the other law's rays meet."""
    half, turns = mp.mpf(1) / 2, [i for i, (a, b) in enumerate(pairwise(other.panels), 1) if a.ray is not b.ray]
    masses = ((other.left if from_left else other.right)[i] for i in turns)
    cuts = [own.place(mass, from_left) for mass in (half, *(m for m in masses if 0 < m < half))]
    middle, edge = cuts[0]
    for i, panel in enumerate(own.panels):
        if (i > middle) if from_left else (i < middle):
            continue
        low, high = panel.density.lower, panel.density.upper
        if i == middle:
            # The side of the median is that of small s if the ray and the side agree.
            low, high = (low, edge) if (panel.ray.direction > 0) == from_left else (edge, high)
        inner = sorted({s for place, s in cuts if place == i and low < s < high})
        ends = [low, *inner, high]
        yield from ((i, a, b) for a, b in pairwise(ends) if b > a)


@dataclass(frozen=True)
class Part:
    """The integral of the cost on a stretch of a panel, an estimate of its error, and where the outcomes cross."""

    panel: int
    lower: mp.mpf
    upper: mp.mpf
    value: mp.mpf
    error: mp.mpf
    crossing: mp.mpf | None = None


def _part(
    law: Cumulative, at: Callable[[int, mp.mpf], tuple[mp.mpf, mp.mpf]], cost: Cost, i: int, lower: mp.mpf,
    upper: mp.mpf, digits: int,
) -> Part:  # fmt: skip
    nodes = points(lower, upper, _nodes(digits), mp.mp.prec)
    pairs = [at(i, s) for s in nodes]
    values = [law.panels[i].density(s) * cost(x, y) for s, (x, y) in zip(nodes, pairs, strict=True)]
    found = series(values, lower, upper, mp.mp.prec)
    gaps = [x - y for x, y in pairs]
    for j in range(1, len(nodes) - 2):
        if gaps[j] * gaps[j + 1] < 0:
            crossing = _crossing(lambda s: at(i, s), nodes[j + 1], nodes[j])
            return Part(i, lower, upper, found.integral()(upper), max(values) * (upper - lower), crossing)
    return Part(i, lower, upper, found.integral()(upper), found.rest * (upper - lower))


def _crossing(at: Callable[[mp.mpf], tuple[mp.mpf, mp.mpf]], low: mp.mpf, high: mp.mpf) -> mp.mpf:
    """Where the two outcomes are equal."""

    def gap(s: mp.mpf) -> mp.mpf:
        x, y = at(s)
        return x - y

    rises = gap(high) > 0
    for _ in range(mp.mp.prec):
        middle = (low + high) / 2
        low, high = (low, middle) if (gap(middle) > 0) == rises else (middle, high)
    return (low + high) / 2


def _of_counts(
    p: Distribution, q: Distribution, spelled: tuple[Spelled, Spelled], cost: Cost, digits: int
) -> Value:  # fmt: skip
    """The sum over the steps of both distribution functions, from the lower end until nothing is left."""
    least = mp.mpf(10) ** -(digits + 5)
    laws = [_masses(d, *own) for d, own in zip((p, q), spelled, strict=True)]
    (x, mine), (y, theirs) = (next(law) for law in laws)
    total, left = mp.mpf(0), mp.mpf(1)
    last = mp.mpf(0)
    for _ in range(_TERMS):
        step = min(mine, theirs)
        last = cost(x, y)
        total, left, mine, theirs = total + step * last, left - step, mine - step, theirs - step
        if left * (1 + abs(x) + abs(y)) ** 4 < least:
            return Value(total, least + abs(total) * mp.mpf(10) ** -(digits + 2), "estimate")
        if mine <= theirs:
            following = next(laws[0], None)
            if following is None:
                break
            x, mine = following[0], mine + following[1]
        else:
            following = next(laws[1], None)
            if following is None:
                break
            y, theirs = following[0], theirs + following[1]
    if abs(left) < least * 1000:
        return Value(total, least * 1000 * (1 + last), "estimate")
    return Value(total, mp.inf, "estimate", f"{mp.nstr(left, 3)} of the mass is left after {_TERMS} steps")


def _masses(d: Distribution, log_mass: sp.Expr, bindings: Bindings) -> Iterator[tuple[mp.mpf, Any]]:
    """The masses from the lower end up; of a law without one from where nothing is seen below."""
    integrand = compiled(d.family.variable, (log_mass, sp.S.Zero), bindings)
    lower = d.support.lower
    if lower == -sp.oo:
        raise ArithmeticError("counts without a least one are not measured")
    point = integrand.at(lower, 1)
    size = d.support.upper - lower
    k = 0
    while size == sp.oo or k <= size:
        yield mp.mpf(int(lower) + k), mp.exp(point(mp.mpf(k))[0])
        k += 1
