"""What a divergence integrates, from its definition: a function of both masses at a place and of d = log p - log q.

A mean of f(q/p) under P, with f convex, is f(1) plus the mean of what f has above its tangent at 1, over where either
has mass: the tangent's mean is f(1). That rest is of one sign and has a double zero at d = 0, so nothing cancels near
P = Q (Csiszar, Studia Sci. Math. Hungar. 2, 1967; DLMF 1.7(iv)).
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from ..core.divergence import Divergence, Operator
from ..core.errors import UnderivableError
from .remainder import Arithmetic, Moving, NoRule
from .rewrites import head

# Log density of P, d, and the masses of P and Q at a node; symbols that no parameter has.
LOG_P, D = (sp.Symbol(f"{name}#", real=True) for name in ("log_p", "d"))
MASS_P, MASS_Q = (sp.Symbol(f"{name}#", positive=True) for name in ("mass_p", "mass_q"))
VALUE = sp.Symbol("integral#", real=True)

_KINKS = (sp.Abs, sp.Max, sp.Min, sp.Piecewise)


@dataclass(frozen=True)
class Integrand:
    """The integrand, and the divergence as `after` of its integral VALUE.

    `both` says that Q's mass is in it, `kinked` that it may have a kink where the densities cross.
    """

    value: sp.Expr
    after: sp.Expr
    both: bool
    kinked: bool


def integrand(divergence: Divergence, meet: bool = True) -> Integrand:
    """The integrand of a definition; `meet` says that P and Q may be equal.

    >>> from klsym.divergences import kl
    >>> integrand(kl, meet=False).value
    d#*mass_p#
    """
    whole, after = _written(divergence)
    kinked = whole.has(*_KINKS)
    if (meet or whole.has(MASS_Q)) and "zero-on-diagonal" in divergence.axioms and not kinked and not whole.has(LOG_P):
        constant, whole = _tangent_taken(whole)
        after = after.xreplace({VALUE: constant + VALUE})
    if divergence.integral:
        after = _of_excess(after)
    return Integrand(whole, after, whole.has(MASS_Q), kinked)


def _written(divergence: Divergence) -> tuple[sp.Expr, sp.Expr]:
    """What is integrated, over masses and d, and the divergence as a function of the integral."""
    log_p, log_q = sp.symbols("log_p log_q", real=True)
    terms: dict[sp.Symbol, sp.Expr] = {}

    # What g is where the other has no mass follows from d, which is infinite there.
    def under(mass: sp.Symbol) -> Operator:
        def operator(g: sp.Expr, beyond: sp.Expr | None = None) -> sp.Expr:
            symbol = sp.Dummy(positive=True)
            terms[symbol] = mass * _in_d(g, log_p, log_q)
            return symbol

        return operator

    formula = divergence.written(log_p, log_q, under(MASS_P), under(MASS_Q))
    if divergence.integral:
        ((symbol, whole),) = terms.items()
        return whole, formula.xreplace({symbol: VALUE})
    inner, power = formula.as_base_exp()
    if any(inner.diff(symbol).free_symbols & terms.keys() for symbol in terms):
        raise UnderivableError(f"{divergence.name} is no function of one integral; evaluate() computes it")
    return inner.xreplace(terms), VALUE**power


def _in_d(g: sp.Expr, log_p: sp.Symbol, log_q: sp.Symbol) -> sp.Expr:
    """A function of two log densities over d, and over that of P where they come apart."""
    found = g.xreplace({log_q: LOG_P - D, log_p: LOG_P})
    return (
        found.replace(lambda e: isinstance(e, sp.Add), lambda e: sp.expand(e, deep=False))
        if found.has(LOG_P)
        else found
    )


def _tangent_taken(whole: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """phi(1), and the integrand less its tangent at P = Q; near it as a remainder."""
    v, step = sp.Symbol("v#", positive=True), sp.Symbol("step#", real=True)
    scaled = sp.expand_log(whole.xreplace({MASS_P: sp.S.One, MASS_Q: v, D: -sp.log(v)}))
    value, slope = scaled.subs(v, 1), scaled.diff(v).subs(v, 1)
    far = whole - value * MASS_P - slope * (MASS_Q - MASS_P)
    try:
        near = Arithmetic({v: Moving(v, sp.S.One, step)})(scaled).remainder
    except NoRule:
        return value, far
    near = MASS_P * near.xreplace({v: sp.exp(-D), step: head("expm1")(-D)})
    return value, head("select")(sp.Lt(sp.Abs(D), 1), near, far)


def _of_excess(after: sp.Expr) -> sp.Expr:
    """log(1 + u) as it is near u = 0"""
    return after.replace(lambda e: isinstance(e, sp.log) and e.args[0] == 1 + VALUE, lambda e: head("log1p")(VALUE))
