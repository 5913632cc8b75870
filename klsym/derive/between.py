"""The member of a family between two: its density is in proportion to p^a q^(1 - a)."""

from __future__ import annotations

import random
from itertools import islice

import sympy as sp

from ..core.family import Distribution
from ..core.sampling import draw
from .membership import CLOSE, TRIED, matches, places


def between(p: Distribution, q: Distribution, order: sp.Symbol) -> tuple[sp.Expr, ...] | None:
    """The parameters of the member of the family of both with density in proportion to p^order q^(1 - order).

    An exponential family has one for each order from 0 to 1; None where none is known, and on a circle. What is found
    holds at random members and points to 30 digits.

    >>> from klsym import Exponential, Laplace
    >>> a = sp.Symbol("a", positive=True)
    >>> between(Exponential.member("_p"), Exponential.member("_q"), a)
    (a*rate_p - a*rate_q + rate_q,)
    >>> between(Laplace.member("_p"), Laplace.member("_q"), a) is None
    True
    """
    family, x = p.family, p.family.variable
    known = zip(family.parameters, p.values, q.values, strict=True)
    values = [a if a == b else sp.Dummy(parameter.name, **parameter.domain.assumptions) for parameter, a, b in known]
    unknowns = {value for value in values if isinstance(value, sp.Dummy)}
    mixed = order * p.log_density(x) + (1 - order) * q.log_density(x)
    general = Distribution(family, tuple(values))
    if p.support != q.support or p.support.periodic:
        return None
    for found in islice(matches(general.log_density(x), mixed, x, unknowns), TRIED):
        member = general.subs(found)
        if not member.symbols & unknowns and _in_proportion(member, p, q, order):
            return member.values
    return None


def _in_proportion(member: Distribution, p: Distribution, q: Distribution, order: sp.Symbol) -> bool:
    """Whether the log density is that of p^a q^(1 - a) up to a constant, at random members and points."""
    rng = random.Random(f"{p} {q}")
    for _ in range(2):
        point = draw((p, q), sp.true, rng)
        if point is None:
            return False
        point |= {order: sp.Rational(rng.randint(11, 89), 97)}
        m, first, second = member.subs(point), p.subs(point), q.subs(point)
        if any(a.domain.contains(sp.N(v, 40)) is sp.false for a, v in zip(m.family.parameters, m.values, strict=True)):
            return False
        share = point[order]
        rest = [
            sp.N(m.log_density(x) - share * first.log_density(x) - (1 - share) * second.log_density(x), 40)
            for x in places(first, rng)
        ]
        if not all(value.is_comparable and abs(value - rest[0]) <= CLOSE * (1 + abs(value)) for value in rest):
            return False
    return True
