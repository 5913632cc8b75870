"""How fast a log density falls at an end of its support, and whether an expectation converges there.

Near an end, t -> oo, where x = e^t at +oo, x = -e^t at -oo, and x = end +- e^-t at a finite end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.family import Distribution
from .linear import ONE, cancelled, linear

T = sp.Dummy("t", positive=True)
End = Literal["lower", "upper"]


@dataclass(frozen=True)
class Growth:
    """coefficient * t^rate (level 0), t^power e^(rate t) (level 1) or exp(inner e^(rate t)) (level 2).

    `drift` is the coefficient of t in the tail of which this is the leading term.
    """

    level: int
    rate: sp.Expr
    coefficient: sp.Expr
    inner: sp.Expr = sp.S.Zero
    power: sp.Expr = sp.S.Zero
    drift: sp.Expr = sp.S.Zero


class Unknown(Exception):
    """The leading term could not be found."""


NOTHING = Growth(0, sp.S.Zero, sp.S.Zero)


@cache
def tail(p: Distribution, end: End, measure: bool) -> Growth | None:
    """The leading term of the log density at an end, with the Jacobian dx/dt if it is to be integrated."""
    try:
        density, jacobian = _near(p, p, end)
        whole = density + (jacobian if measure else 0)
        return replace(_leading(whole), drift=_drift(whole))
    except Unknown:
        return None


def _drift(expr: sp.Expr) -> sp.Expr:
    """The coefficient of t among the terms that grow."""
    terms = [g for atom, c in linear(expr, T).items() for g in _growths(atom, c)]
    return cancelled(sp.Add(*(g.coefficient for g in terms if (g.level, g.rate) == (0, 1))))


def _near(of: Distribution, p: Distribution, end: End) -> tuple[sp.Expr, sp.Expr]:
    """The log density of a law near an end of p's support as a function of t, and log |dx/dt|."""
    place = p.support.lower if end == "lower" else p.support.upper
    sign = -1 if end == "lower" else 1
    if place.is_infinite:
        x, jacobian = sign * sp.exp(T), T
    else:
        x, jacobian = place - sign * sp.exp(-T), -T
    place_of_piece = 0 if end == "lower" else -1
    if _bounded_at(of, place, end):
        return sp.S.Zero, jacobian
    density = _stirling(of.log_density(), of.family.variable)
    density = density.replace(sp.Piecewise, lambda *pieces: pieces[place_of_piece][0])
    return density.xreplace({of.family.variable: x}), jacobian


def _bounded_at(of: Distribution, place: sp.Expr, end: End) -> bool:
    """Whether the place is certain to be inside the support of the law that this one is, or is a part of."""
    lower = end == "lower"
    mine, whole = (law.support.lower if lower else law.support.upper for law in (of, of.whole))
    room = place - mine if lower else mine - place
    return (mine == place != whole) or (place.is_infinite is not True and bool(room.is_positive))


def converges(p: Growth | None, q: Growth | None) -> Boolean | None:
    """Whether the integral of e^p |q| converges as t -> oo; None where a leading term is unknown."""
    if q is None or p is None:
        return None
    if q.level == 0:
        return sp.true
    if p.level == 2:
        return sp.true
    decay = -p.coefficient
    if p.level == 0 and p.rate != 1:
        return sp.true if q.level == 1 else sp.false
    if p.level == 0:
        return below(q.rate, decay) if q.level == 1 else sp.false
    if q.level == 1:
        return sp.true
    # Where the leading terms are equal the drift decides.
    if q.inner == decay:
        slower = sp.Lt(p.drift, 0)
    else:
        slower = below(q.inner, decay, sp.Le if p.drift.is_negative else sp.Lt)
    return sp.Or(below(q.rate, p.rate), sp.And(sp.Eq(p.rate, q.rate), slower))


def balanced(p: Growth | None, q: Growth | None) -> tuple[sp.Expr, Boolean]:
    """What is 0 where the leading terms of p and log|q| cancel, and where the integral of e^p |q| then converges.

    Only where neither is so for all parameters.
    """
    if p is None or q is None or (p.level, q.level) != (1, 2) or p.rate != q.rate or p.drift.is_real is not True:
        return sp.S.Zero, sp.false
    converging = sp.Lt(p.drift, 0)
    return (-p.coefficient - q.inner, converging) if converging not in (sp.true, sp.false) else (sp.S.Zero, sp.false)


def below(small: sp.Expr, large: sp.Expr, relation: type = sp.Lt) -> Boolean:
    """small < large (or <=), both positive, written by reciprocals where that is shorter.

    >>> b, beta = sp.symbols("b beta", positive=True)
    >>> below(1 / beta, 1 / b)
    b < beta
    """
    if sp.count_ops(1 / small) + sp.count_ops(1 / large) < sp.count_ops(small) + sp.count_ops(large):
        return relation(1 / large, 1 / small)
    return relation(small, large)


def _stirling(density: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """log Gamma(x + a) ~ (x + a - 1/2) log x - x, log I_x(z) ~ -log Gamma(x + 1) + x log(z/2) (DLMF 5.11.1, 10.41.1)"""
    size = sp.Abs(x)

    def gamma(inside: sp.Expr) -> sp.Expr:
        if inside.coeff(x) != 1:
            raise Unknown
        return (inside - sp.S.Half) * sp.log(x) - x

    if density.has(sp.besseli):
        density = density.replace(
            lambda e: isinstance(e, sp.log) and isinstance(e.args[0], sp.besseli) and e.has(x),
            lambda e: size * sp.log(e.args[0].args[1] / 2) - (size + sp.S.Half) * sp.log(size) + size,
        )
    return density.replace(lambda e: isinstance(e, sp.loggamma) and e.has(x), lambda e: gamma(e.args[0]))


def _leading(expr: sp.Expr) -> Growth:
    """The fastest growing term; terms of equal growth are added, and must not cancel."""
    terms = [g for atom, c in linear(expr, T).items() for g in _growths(atom, c)]
    for leader in terms:
        if all(g is leader or _slower(g, leader) for g in terms):
            equal = [g for g in terms if _same(g, leader)]
            total = cancelled(sp.Add(*(g.coefficient for g in equal)))
            if total != 0:
                return Growth(leader.level, leader.rate, total, leader.inner, leader.power)
            rest = [g for g in terms if not _same(g, leader)]
            return max(rest, key=lambda g: (g.level, sp.default_sort_key(g.rate))) if rest else NOTHING
    if terms:
        raise Unknown
    return NOTHING


def _same(a: Growth, b: Growth) -> bool:
    return (a.level, a.rate, a.inner, a.power) == (b.level, b.rate, b.inner, b.power)


def _slower(a: Growth, b: Growth) -> bool:
    if a.level != b.level:
        return a.level < b.level
    if a.rate == b.rate and a.inner == b.inner:
        return bool((b.power - a.power).is_nonnegative)
    return bool((b.rate - a.rate).is_positive)


def _lighter(a: Growth, b: Growth) -> bool:
    """Whether of two equal growths the first has the smaller coefficient."""
    return bool((b.coefficient - a.coefficient).is_nonnegative)


def _growths(atom: sp.Expr, c: sp.Expr) -> list[Growth]:
    """The growth of c * atom, [] where it stays bounded."""
    if atom == ONE or isinstance(atom, (sp.cos, sp.sin)):
        return []
    if isinstance(atom, sp.Mul) and all(_bounded(f) for f in atom.args):
        return []
    if isinstance(atom, sp.Abs):
        return _growths_modulus(atom.args[0], ONE, c)
    if atom.is_Pow and isinstance(atom.base, sp.Abs):
        return _growths_modulus(atom.base.args[0], atom.exp, c)
    if isinstance(atom, sp.log):
        return _growths_log(atom.args[0], c)
    rate, power = sp.S.Zero, sp.S.Zero
    for factor in sp.Mul.make_args(atom):
        if isinstance(factor, sp.exp):
            inside = linear(factor.exp, T)
            if set(inside) == {T}:
                rate += inside[T]
                continue
            lead = _leading(factor.exp)
            if lead.rate == 0:
                continue
            if lead.level != 1 or lead.coefficient.is_positive is None:
                raise Unknown
            return [Growth(2, lead.rate, c, lead.coefficient)] if lead.coefficient.is_positive else []
        base, exponent = factor.as_base_exp()
        if base == T:
            power += exponent
        elif not _bounded(base):
            raise Unknown
    if rate.is_positive:
        return [Growth(1, rate, c, power=power)]
    if rate.is_negative:
        return []
    if rate != 0:
        raise Unknown
    return [Growth(0, power, c)]


def _bounded(atom: sp.Expr) -> bool:
    return isinstance(atom, (sp.cos, sp.sin)) or (isinstance(atom, sp.log) and not _growths_log(atom.args[0], ONE))


def _growths_modulus(inside: sp.Expr, power: sp.Expr, c: sp.Expr) -> list[Growth]:
    lead = _leading(inside)
    size = sp.Abs(lead.coefficient) ** power
    if lead.level == 1:
        return [Growth(1, lead.rate * power, c * size)]
    return [Growth(0, lead.rate * power, c * size)] if lead.rate != 0 else []


def _growths_log(inside: sp.Expr, c: sp.Expr) -> list[Growth]:
    """log of a sum grows as the log of its largest term."""
    u = sp.Dummy("u", positive=True)
    small = inside.xreplace({sp.exp(-T): u})
    if T not in small.free_symbols and sp.cancel(small.subs(u, 0)) == 0:
        slope = sp.diff(small, u).subs(u, 0)
        if slope.is_finite and slope != 0:
            return [Growth(0, ONE, -c)]
        raise Unknown
    sizes = []
    for atom in linear(inside, T):
        if atom != ONE and not isinstance(atom, (sp.cos, sp.sin)):
            if not atom.has(sp.exp) and atom.as_base_exp()[0] != T:
                raise Unknown
            lead = _leading(sp.expand_log(sp.log(atom), force=True))
            if lead.coefficient.is_positive is None:
                raise Unknown
            if lead.coefficient.is_positive:
                sizes.append(lead)
    for leader in sizes:
        if all(_lighter(g, leader) if _same(g, leader) else _slower(g, leader) for g in sizes):
            return (
                [Growth(leader.level, leader.rate, c * leader.coefficient, power=leader.power)]
                if leader.rate != 0
                else []
            )
    if sizes:
        raise Unknown
    return []


@cache
def integrable(p: Distribution, q: Distribution, b: sp.Expr) -> Boolean | None:
    """Where the integral of p^(1-b) q^b converges, q's support having p's inside; None where it is not known.

    Where the leading terms cancel, so that equality holds in the condition, it may converge too.
    """
    conditions = [_integrable_at(p, q, b, end) for end in ("lower", "upper")]
    return None if None in conditions else sp.And(*conditions)


def meeting(p: Distribution, q: Distribution, b: sp.Expr) -> Boolean:
    """As `integrable`, only where it depends on the parameters whether q's support ends where p's does."""
    ends: tuple[End, End] = ("lower", "upper")
    differ = {end: _room(p, q, end) for end in ends}
    conditions = (_integrable_at(p, q, b, end) for end in ends if differ[end].is_finite and not differ[end].is_positive)
    return sp.And(*(c for c in conditions if c is not None))


def _room(p: Distribution, q: Distribution, end: End) -> sp.Expr:
    """How far q's support reaches beyond p's."""
    return p.support.lower - q.support.lower if end == "lower" else q.support.upper - p.support.upper


def _integrable_at(p: Distribution, q: Distribution, b: sp.Expr, end: End) -> Boolean | None:
    mine, other = (d.support.lower if end == "lower" else d.support.upper for d in (p, q))
    if p.support.periodic or (p.family.discrete and mine.is_finite):
        return sp.true
    room = _room(p, q, end)
    if mine == other or room.is_nonpositive:
        return _both_fall(p, q, b, end)
    # Inside its support q is positive.
    alone = _both_fall(p, None, b, end)
    if room.is_positive or (other.is_infinite and mine.is_finite is not False):
        return alone
    touching = _both_fall(p, q, b, end)
    if alone is None or touching is None:
        return None
    return sp.And(sp.Or(sp.Eq(mine, other), alone), sp.Or(sp.Ne(mine, other), touching))


def _both_fall(p: Distribution, q: Distribution | None, b: sp.Expr, end: End) -> Boolean | None:
    """Whether the integral of p^(1-b) q^b converges at the end of both supports, or of p^(1-b) at that of p's."""
    try:
        (first, jacobian), second = _near(p, p, end), _near(q, q, end)[0] if q else sp.S.Zero
        return sp.Lt(_leading((1 - b) * first + b * second + jacobian).coefficient, 0)
    except Unknown:
        return _falls(tail(p, end, True), tail(q, end, False), b) if q else None


def _falls(p: Growth | None, q: Growth | None, b: sp.Expr) -> Boolean | None:
    """Whether p^(1-b) q^b falls, b < 0, where it is not known which of the two logarithms is the greater."""
    if p is None or q is None or p.level != q.level or p.level == 0 or p.power != q.power:
        return None
    faster = sp.Lt((1 - b) * p.coefficient + b * q.coefficient, 0)
    for mine, theirs in ((p.inner, q.inner), (p.rate, q.rate)):
        if mine != theirs:
            faster = sp.Or(below(theirs, mine), sp.And(sp.Eq(mine, theirs), faster))
    return faster
