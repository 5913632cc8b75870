"""Location and scale, found: x = loc + scale * z with a law of z free of two parameters."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

import sympy as sp

from ..core.domain import Interval
from ..core.family import Family


@dataclass(frozen=True)
class Standard:
    """x = loc + scale * z, and what the absorbed parameters are in the law of z."""

    loc: sp.Expr
    scale: sp.Expr
    absorbed: tuple[tuple[sp.Symbol, sp.Expr], ...]
    support: Interval


@cache
def standardise(family: Family) -> Standard:
    """The location and the scale that take the most parameters out of the family's log density.

    A candidate passes if the density of z does not change when the absorbed parameters do, at random
    points: an identity of analytic functions that holds at random points holds everywhere.
    """
    best = Standard(sp.S.Zero, sp.S.One, (), family.support)
    if family.discrete or family.origin is not None:
        return best
    lower, upper = family.support.lower, family.support.upper
    plain = [p.symbol for p in family.parameters]
    reals = [s for s in plain if not s.is_positive]
    positives = [
        p.symbol for p in family.parameters if p.domain.lower == 0 and p.domain.upper == sp.oo and not p.domain.integer
    ]
    if family.support.periodic:
        candidates = [(m, sp.S.One, {m: sp.S.Zero}) for m in reals]
    elif lower.free_symbols and upper.free_symbols:
        candidates = [(lower, upper - lower, {lower: sp.S.Zero, upper: sp.S.One})]
    else:
        powers = (1, -1, sp.Rational(1, 2), -sp.Rational(1, 2))
        scales = [(sp.S.One, {})] + [(s**e, {s: sp.S.One}) for e in powers for s in positives]
        locations = [(m, {m: sp.S.Zero}) for m in reals] if lower == -sp.oo else []
        locations.append((sp.S.Zero, {}))
        candidates = [(m, s, a | b) for s, b in scales for m, a in locations]
    for loc, scale, absorbed in candidates:
        if len(absorbed) > len(best.absorbed) and all(s.is_Symbol for s in absorbed):
            ends = Interval((lower - loc) / scale, (upper - loc) / scale, family.support.periodic).subs(absorbed)
            if _invariant(family, loc, scale, absorbed, ends):
                best = Standard(loc, scale, tuple(absorbed.items()), ends)
    return best


def _invariant(family: Family, loc: sp.Expr, scale: sp.Expr, absorbed: dict, support: Interval) -> bool:
    """log p(loc + scale z) + log scale is the same with the parameters as with their absorbed values."""
    draw = random.Random(7)
    low = support.lower if support.lower.is_finite else -sp.oo
    if low.free_symbols or support.upper.free_symbols:
        return False
    for _ in range(3):
        values = {
            p.symbol: sp.Rational(draw.randint(5, 95), 97) + (1 if p.domain.lower == 1 else 0)
            for p in family.parameters
        }
        if family.constraint.xreplace(values) == sp.false:
            values = dict(zip(values, sorted(values.values()), strict=True))
        z = sp.Rational(draw.randint(20, 90), 101) + (1 if low == 1 else 0)
        general = (family.log_density.xreplace({family.variable: loc + scale * z}) + sp.log(scale)).xreplace(values)
        special = family.log_density.xreplace({family.variable: z} | absorbed).xreplace(values)
        if not abs(sp.N(general - special, 20)) < 1e-15:
            return False
    return True
