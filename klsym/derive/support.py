"""Absolute continuity first: where the expectation of log q under p is finite."""

from __future__ import annotations

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.family import Distribution
from .tails import End, balanced, converges, tail


def finiteness(p: Distribution, q: Distribution) -> tuple[Boolean | None, str]:
    """The condition under which E_p |log q| is finite, and the reason in words; None if it is not known."""
    if p.family.discrete != q.family.discrete:
        return sp.false, "one is discrete and the other continuous: they are mutually singular"
    conditions, reasons = [], []
    for end in ("lower", "upper"):
        condition, reason = _at_end(p, q, end)
        if condition is None:
            return None, reason
        conditions.append(condition)
        if condition != sp.true:
            reasons.append(reason)
        if condition == sp.false:
            return sp.false, reason
    return sp.And(*conditions), "; ".join(reasons)


def edges(p: Distribution, q: Distribution) -> list[tuple[Distribution, Boolean]]:
    """The members p beyond which E_p |log q| diverges, and where it is finite for themselves."""
    mine, other = p.support, q.support
    ends: dict[End, bool] = {"lower": mine.lower == other.lower, "upper": mine.upper == other.upper}
    found = []
    for end in (end for end, shared in ends.items() if shared):
        difference, when = balanced(tail(p, end, True), tail(q, end, False))
        for symbol in p.values if when != sp.false else ():
            slope = sp.diff(difference, symbol) if symbol.is_Symbol else sp.S.Zero
            if slope.is_number and slope != 0:
                place = sp.expand(symbol - difference / slope)
                found.append((p.subs({symbol: place}), sp.And(sp.Eq(place, symbol), when)))
                break
    return found


def _at_end(p: Distribution, q: Distribution, end: End) -> tuple[Boolean | None, str]:
    mine = p.support.lower if end == "lower" else p.support.upper
    other = q.support.lower if end == "lower" else q.support.upper
    room = mine - other if end == "lower" else other - mine
    outside = f"the support of Q must reach the {end} end of the support of P"
    if mine == other and (p.support.periodic and q.support.periodic):
        return sp.true, ""
    if other.is_infinite and not mine.is_infinite:
        return sp.true, ""
    if mine.is_infinite and not other.is_infinite:
        return sp.false, outside
    if mine != other and room.is_positive:
        return sp.true, ""
    if room.is_negative:
        return sp.false, outside
    touching = (
        sp.true if p.family.discrete and not mine.is_infinite else converges(tail(p, end, True), tail(q, end, False))
    )
    if touching is None:
        return None, f"the growth of the densities at the {end} end is not known"
    if mine == other or room == 0:
        return touching, f"E_P[log q] must converge at the {end} end of the support"
    within = sp.Ge(mine, other) if end == "lower" else sp.Le(mine, other)
    if touching == sp.true:
        return within, outside
    strict = sp.Gt(mine, other) if end == "lower" else sp.Lt(mine, other)
    return sp.Or(strict, sp.And(within, touching)) if touching != sp.false else strict, outside
