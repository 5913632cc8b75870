"""Expectations estimated in mpmath: by quadrature, by summation, and term by term."""

from __future__ import annotations

from collections.abc import Mapping

import mpmath as mp
import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.domain import Interval
from ..core.exact import plain
from ..core.family import Distribution
from ..core.value import Value
from . import quadrature, summation
from .integrand import Bindings, compiled, number
from .quadrature import Integral, precision


def expected(p: Distribution, log_p: sp.Expr, g: sp.Expr, bindings: Bindings, condition: Boolean, digits: int) -> Value:
    """E[g; condition] under the density exp(log_p) on the support of p, the parameters' symbols bound."""
    sums = _integral(p, log_p, g, bindings, condition, digits)
    if sums.doubt:
        return Value(sums.mid, mp.inf, "estimate", sums.doubt)
    if mp.isinf(sums.mid):
        return Value(sums.mid, mp.mpf(0), "estimate", sums.note)
    defect = abs(sums.mass - 1)
    if defect > slack(sums.mass_error, digits):
        note = f"the density of {p} integrates to {mp.nstr(sums.mass, 15)} on the nodes used"
        return Value(sums.mid, mp.inf, "estimate", note)
    return _rounded(sums.mid, sums.error + defect * (abs(sums.mid) + sums.size), digits)


def partial(p: Distribution, log_p: sp.Expr, g: sp.Expr, bindings: Bindings, over: Interval, digits: int) -> Value:
    """The integral of exp(log_p) g over a part of the support of p."""
    sums = _integral(p, log_p, g, bindings, sp.true, digits, over)
    if mp.isinf(sums.mid):
        return Value(sums.mid, mp.mpf(0), "estimate", sums.note)
    return _rounded(sums.mid, mp.inf if sums.doubt else sums.error, digits, sums.doubt)


def mass(p: Distribution, log_p: sp.Expr, bindings: Bindings, digits: int) -> Value:
    """The integral of exp(log_p), or its sum, over the support of p."""
    sums = _integral(p, log_p, sp.S.Zero, bindings, sp.true, digits)
    return _rounded(sums.mass, mp.inf if sums.doubt else sums.mass_error, digits, sums.doubt)


def enumerated(points: Mapping[int, sp.Expr], terms: Mapping[int, sp.Expr], digits: int) -> Value:
    """The sum of exp(points[k]) * terms[k]."""
    with mp.workprec(precision(digits)):
        found = [mp.exp(number(log_p)) * number(terms[k]) for k, log_p in points.items()]
        return _rounded(mp.fsum(found), mp.fsum(map(abs, found)) * mp.mpf(10) ** -(digits + 5), digits)


def combined(formula: sp.Expr, parts: Mapping[sp.Symbol, Value], digits: int) -> Value:
    """The formula at the parts' values, its radius to first order in theirs."""
    symbols = list(parts)
    slopes = [formula.diff(symbol) for symbol in symbols]
    with mp.workprec(precision(digits)):
        evaluate = sp.lambdify(symbols, [formula, *slopes], modules="mpmath")
        try:
            mid, *slopes = evaluate(*(parts[symbol].mid for symbol in symbols))
        except ZeroDivisionError:
            return Value(mp.nan, mp.inf, "estimate", "the definition has no derivative at what was measured")
        if mp.im(mid) != 0:
            return Value(mp.nan, mp.inf, "estimate", "what was measured is out of the definition's range by its error")
        radius = mp.fsum(abs(slope) * parts[symbol].rad for slope, symbol in zip(slopes, symbols, strict=True))
        return Value(mp.mpf(mid), radius, "estimate")


def slack(error: mp.mpf, digits: int) -> mp.mpf:
    """How far a density's measured integral may be from 1."""
    return 10 * error + mp.mpf(10) ** (2 - digits)


def _integral(
    p: Distribution,
    log_p: sp.Expr,
    g: sp.Expr,
    bindings: Bindings,
    condition: Boolean,
    digits: int,
    over: Interval | None = None,
) -> Integral:
    integrand = compiled(p.family.variable, (log_p, g), bindings)
    rule = summation.total if p.family.discrete else quadrature.integral
    support = over or p.support
    return rule(integrand, plain(support.lower), plain(support.upper), condition, digits)


def _rounded(mid: mp.mpf, error: mp.mpf, digits: int, note: str = "") -> Value:
    """The value with what arithmetic in the working precision may have lost added to its radius."""
    with mp.workprec(precision(digits)):
        return Value(+mid, error + abs(mid) * mp.mpf(10) ** -(digits + 5), "estimate", note)
