"""Where a parameter is at a closed end of its domain: a divergence of one integral as the formula that it is there.

Powers of 0 are all that happens at an end: 0^e is 0 where e > 0, and where e < 0 the integral is infinite.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.derivation import General
from ..core.family import Distribution
from .shapes import logarithms


class Face(NamedTuple):
    """Where it holds, the parameter that is at an end, and the value, which is oo where the integral is infinite."""

    when: Boolean
    symbol: sp.Symbol
    value: sp.Expr


def faces(general: General) -> Iterator[Face]:
    """The values where a parameter is at an end, those of the first of the two laws first: what holds first counts.

    >>> from klsym import Poisson, renyi
    >>> from klsym.common import generals
    >>> ((general,),) = generals(renyi(Poisson, Poisson, "a").derivation)
    >>> [(str(face.when), face.value) for face in faces(general)]
    [('Eq(lam_p, 0)', lam_q), ('Eq(lam_q, 0) & (1 - a > 0)', -a*lam_p/(a - 1)), ('Eq(lam_q, 0)', oo)]
    """
    whole, actual = general.derivation, dict[sp.Symbol, sp.Expr]()
    for generic, meant in ((whole.p.values, general.p.values), (whole.q.values, general.q.values)):
        actual |= dict(zip(generic, meant, strict=True))
    actual |= dict(zip(whole.divergence.values, general.values, strict=True))
    ends = list(_ends((general.p, general.q)))
    if ends:
        (order,) = whole.divergence.values
        log_value = _one_logarithm(whole.cases[0].value * (order - 1)).xreplace(actual)
        for symbol, end in ends:
            yield from _at(log_value, order.xreplace(actual), symbol, end)


def _ends(members: Sequence[Distribution]) -> Iterator[tuple[sp.Symbol, sp.Expr]]:
    for member in members:
        for parameter, value in zip(member.family.parameters, member.values, strict=True):
            domain = parameter.domain
            ends = ((domain.lower, domain.left_closed), (domain.upper, domain.right_closed))
            if value.is_Symbol:
                yield from ((value, end) for end, there in ends if there and end.is_finite)


def _one_logarithm(value: sp.Expr) -> sp.Expr:
    """n log(u + v) + m log(w) -> n log(u w^(m/n) + v w^(m/n)), where 0 and infinity meet in one power."""
    logs, rest = [], []
    for term in sp.Add.make_args(sp.expand(value, deep=False)):
        c, own = term.as_independent(sp.log, as_Add=False)
        (logs if isinstance(own, sp.log) else rest).append((c, own))
    sums = [(c, own.args[0]) for c, own in logs if own.args[0].is_Add and len(own.args[0].atoms(sp.Pow))]
    if len(sums) == 1:
        ((n, total),) = sums
        factor = sp.Mul(*(own.args[0] ** sp.cancel(c / n) for c, own in logs if own.args[0] != total))
        total = sp.Add(*(term * factor for term in total.args))
        value = sp.Add(*(c * own for c, own in rest), n * sp.log(total))
    return value.replace(lambda e: e.is_Mul, _merged)


def _merged(product: sp.Expr) -> sp.Expr:
    """x x^(-a) -> x^(1 - a)"""
    return sp.Mul(*(base ** sp.expand(power) for base, power in product.as_powers_dict().items()))


def _at(log_value: sp.Expr, order: sp.Expr, symbol: sp.Symbol, end: sp.Expr) -> Iterator[Face]:
    # A plain symbol: what is positive in SymPy's eyes is never equal to 0.
    there, found = sp.Eq(sp.Symbol(symbol.name, real=True), end), log_value.xreplace({symbol: end})
    undecided = [power for power in found.atoms(sp.Pow) if power.base == 0]
    exponents = {power.exp for power in undecided}
    finite = found.xreplace(dict.fromkeys(undecided, sp.S.Zero))
    if finite.has(sp.nan):
        return
    yield Face(sp.And(there, *(sp.Gt(e, 0) for e in exponents)), symbol, _short(finite, order))
    if exponents:
        yield Face(there, symbol, sp.oo)


def _short(log_value: sp.Expr, order: sp.Expr) -> sp.Expr:
    """The value, which is infinite where its logarithm is: the divergence cannot be that with the other sign."""
    if log_value.has(sp.zoo, sp.oo):
        return sp.oo
    return sp.cancel(sp.together(logarithms(log_value)) / (order - 1))
