"""Where the likelihood ratio of two laws is monotone: then one of them is stochastically the greater."""

from __future__ import annotations

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.family import Distribution
from .linear import ONE, combine, linear


def ranking(p: Distribution, q: Distribution) -> Boolean:
    """The condition under which log p - log q is seen to be monotone on the support of both; false where it is not.

    >>> from klsym import Gamma, Poisson
    >>> ranking(Poisson.member("_p"), Poisson.member("_q"))
    True
    >>> ranking(Gamma("a", 1), Gamma("b", 1)), ranking(Gamma("a", 1), Gamma("b", "r")).func
    (True, Or)
    """
    if p.family.discrete != q.family.discrete or p.support != q.support or p.support.periodic:
        return sp.false
    y = sp.Dummy(positive=True) if p.support.lower.is_nonnegative else sp.Dummy(real=True)
    ratio = combine((linear(d.log_density(y), y), c) for d, c in ((p, sp.S.One), (q, sp.S.NegativeOne)))
    ratio.pop(ONE, None)
    signs = []
    for atom, coefficient in ratio.items():
        slope = _slope(atom, y, p.support.upper == 1)
        if slope == 0:
            return sp.false
        signs.append(slope * coefficient)
    if len(signs) == 1:
        return sp.true
    return sp.Or(sp.And(*map(_nonnegative, signs)), sp.And(*(_nonnegative(-c) for c in signs)))


def _nonnegative(difference: sp.Expr) -> Boolean:
    """a - b >= 0 as a >= b"""
    _, primitive = difference.as_content_primitive()
    terms = sp.Add.make_args(primitive)
    taken = [term for term in terms if term.could_extract_minus_sign()]
    return sp.Ge(sp.Add(*(term for term in terms if term not in taken)), -sp.Add(*taken))


def _slope(atom: sp.Expr, y: sp.Symbol, unit: bool) -> int:
    """1 or -1 where the atom rises or falls on the support, 0 where that is not certain."""
    slope = sp.diff(atom, y)
    if unit:
        odds = sp.Dummy(positive=True)
        slope = sp.cancel(slope.xreplace({y: odds / (1 + odds)}))
    return 1 if slope.is_positive else -1 if slope.is_negative else 0
