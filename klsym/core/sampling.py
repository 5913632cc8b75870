"""Everyday parameter values that satisfy a condition, for tests, checks and demonstrations."""

from __future__ import annotations

import random

import sympy as sp
from sympy.logic.boolalg import Boolean

from .divergence import Divergence
from .domain import Parameter
from .family import Distribution

Point = dict[sp.Symbol, sp.Expr]


def draw(
    members: tuple[Distribution | Divergence, ...], when: Boolean, rng: random.Random, tries: int = 2000
) -> Point | None:
    """Values for the free symbols of the members, in their typical ranges, where `when` holds; or None.

    Values are rationals with denominator 1000 (integers where the domain is), so that a reference
    sees the same number. Later tries stretch the ranges, to reach conditions off the everyday track.
    """
    owners: dict[sp.Symbol, Parameter] = {}
    for member in members:
        for parameter, value in member.arguments:
            if isinstance(value, sp.Symbol):
                owners.setdefault(value, parameter)
    condition = sp.And(when, *(member.constraint for member in members))
    equalities = [e for e in sp.And.make_args(condition) if isinstance(e, sp.Eq) and isinstance(e.rhs, sp.Symbol)]
    for attempt in range(tries):
        point = {symbol: _typical(parameter, rng, attempt) for symbol, parameter in owners.items()}
        for equality in equalities:
            if equality.rhs in owners:
                point[equality.rhs] = equality.lhs.xreplace(point)
        inside = all(owners[s].domain.contains(v) == sp.true for s, v in point.items())
        if inside and condition.xreplace(point) == sp.true:
            return point
    return None


def _typical(parameter: Parameter, rng: random.Random, attempt: int) -> sp.Expr:
    low, high = parameter.typical
    stretch = 1.0 if attempt < 50 else rng.choice((0.2, 0.5, 1.0, 1.0, 2.0, 4.0))
    if parameter.domain.lower == 0 and parameter.domain.upper == 1:
        stretch = 1.0
    if parameter.domain.lower == -sp.oo and attempt >= 50:
        stretch *= rng.choice((1, -1))
    if parameter.domain.integer:
        return sp.Integer(rng.randint(*sorted((int(stretch * low), int(stretch * high)))))
    return sp.Rational(round(1000 * stretch * rng.uniform(low, high)), 1000)
