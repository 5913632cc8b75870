"""The greatest value of a divergence over its order: where the derivative vanishes, if that is solved in closed form.

-log of the integral of p^alpha q^(1 - alpha) is concave in alpha, so that one root of its derivative is the maximum
(Nielsen, arXiv 2207.03745, proposition 3); of exponential families it is that of one number (arXiv 1102.2684).
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.derivation import Case, Derivation, Step
from ..core.divergence import Divergence
from ..core.family import Distribution
from .definition import LOG_P, LOG_Q, P, Q
from .linear import ONE, Combination, linear
from .powers import by_powers


def by_order(divergence: Divergence, p: Distribution, q: Distribution) -> Derivation:
    """The cases of the divergence, and the steps to them, at the order that is the best."""
    (order,) = divergence.written(LOG_P, LOG_Q, P, Q).free_symbols - {LOG_P, LOG_Q}
    cases, steps, coordinates = by_powers(replace(divergence, over="densities"), p, q)
    first, name = cases[0], sp.Symbol(divergence.name)
    if first.kind == "infinite" and first.when == sp.true:
        return Derivation(divergence, p, q, cases, steps, coordinates)
    if first.value == sp.oo:
        why = f"{p} and {q} have no mass in common"
        return Derivation(divergence, p, q, (Case("infinite", sp.oo, sp.true, why),), steps[:1], ())
    best = None
    if first.kind == "closed" and p.support == q.support:
        when = _beside(first.when, order)
        best = sp.S.Half if first.value.is_zero else stationary(first.value, order)
        if best is not None:
            value = sp.expand_log(first.value.xreplace({order: best}))
            found = Case("closed", value, when)
            at = [_at(step, order, best) for step in steps]
            why = "the derivative by the order vanishes there, and the function is concave"
            at.append(Step("maximum", sp.Symbol(str(order)), best, why=why))
            at.append(Step("insert", name, value, when, why=f"the value at that {order}"))
            return Derivation(divergence, p, q, (found,), tuple(at), coordinates)
    numeric = Case("numeric", sp.Function("sup")(first.value), sp.true, f"no closed form is known for the best {order}")
    return Derivation(divergence, p, q, (numeric,), steps[:1], ())


def stationary(value: sp.Expr, order: sp.Symbol) -> sp.Expr | None:
    """The root between 0 and 1 of the derivative of a concave function that rises at 0 and falls at 1, if solved.

    >>> a = sp.Symbol("a", positive=True)
    >>> stationary(a * (1 - a), a), stationary(3 * a - 2**a, a)
    (1/2, log(3/log(2))/log(2))
    """
    slope = sp.together(sp.diff(value, order))
    above, _ = (sp.cancel(slope) if slope.is_rational_function(order) else slope).as_numer_denom()
    terms = linear(sp.expand(above), order)
    if set(terms) <= {ONE, order, order**2}:
        return _polynomial(terms, order)
    rates = [rate for atom in terms if (rate := _rate(atom, order)) is not None]
    if not len(terms) == len(rates) == 2:
        return None
    b, c = terms.values()
    return sp.log(-b / c) / (rates[1] - rates[0])


def _polynomial(terms: Combination, order: sp.Symbol) -> sp.Expr | None:
    """The root of c + b x + a x^2 between 0 and 1, where the signs differ: 2 c/(-b + sqrt(b^2 - 4 a c)) if c > 0"""
    a, b, c = (terms.get(power, sp.S.Zero) for power in (order**2, order, ONE))
    if a != 0:
        # At 0 the derivative rises, so that its sign there is that of c/e for the denominator e; both may be turned.
        turned = sp.sign(c)
        return 2 * c / (-b + turned * sp.sqrt(b**2 - 4 * a * c))
    if b == 0:
        return None
    return sp.cancel(-c / b) if _rational(c / b) else -c / b


def _rational(e: sp.Expr) -> bool:
    return bool(e.is_rational_function(*e.free_symbols))


def _rate(atom: sp.Expr, order: sp.Symbol) -> sp.Expr | None:
    """k of exp(k x)"""
    total: sp.Expr = sp.S.Zero
    for factor in sp.Mul.make_args(atom):
        if factor == 1:
            continue
        base, exponent = factor.as_base_exp()
        slope = sp.diff(exponent, order)
        if order in base.free_symbols or order in slope.free_symbols or sp.expand(exponent - slope * order) != 0:
            return None
        total += slope * sp.log(base)
    return sp.expand_log(total)


def _beside(condition: Boolean, order: sp.Symbol) -> Boolean:
    """The part of a condition that is not about the order: from 0 to 1 the integral is finite."""
    return sp.And(*(part for part in sp.And.make_args(condition) if order not in part.free_symbols))


def _at(step: Step, order: sp.Symbol, best: sp.Expr) -> Step:
    values = {order: best}
    return replace(step, lhs=step.lhs.xreplace(values), rhs=step.rhs.xreplace(values), when=step.when.xreplace(values))
