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
# q/p, and what it is above 1.
V, STEP = sp.Symbol("v#", positive=True), sp.Symbol("step#", real=True)

_KINKS = (sp.Abs, sp.Max, sp.Min, sp.Piecewise)


@dataclass(frozen=True)
class Integrand:
    """The integrand, and the divergence as `after` of its integral VALUE.

    `both` says that Q's mass is in it, `kinked` that it may have a kink where the densities cross. The integrand is
    f(q/p) p, or what that has `above` its tangent at 1; `f` is None where it is a function of log p too.
    """

    value: sp.Expr
    after: sp.Expr
    both: bool
    kinked: bool
    f: sp.Expr | None
    above: bool


def integrand(divergence: Divergence, meet: bool = True) -> Integrand:
    """The integrand of a definition; `meet` says that P and Q may be equal.

    >>> from klsym.divergences import kl
    >>> integrand(kl, meet=False).value
    d#*mass_p#
    """
    if divergence.over != "densities":
        return _between(divergence)
    whole, after = _written(divergence)
    kinked = whole.has(*_KINKS)
    f = None if whole.has(LOG_P) else _of_ratio(whole)
    vanishes = "zero-on-diagonal" in divergence.axioms
    above = (meet or whole.has(MASS_Q)) and vanishes and not kinked and f is not None
    if f is not None and above:
        value, slope = f.subs(V, 1), f.diff(V).subs(V, 1)
        whole = near_of(f, value, slope, far=whole - value * MASS_P - slope * (MASS_Q - MASS_P))
        after = after.xreplace({VALUE: value + VALUE})
    if divergence.integral:
        after = _of_excess(after)
    return Integrand(whole, after, whole.has(MASS_Q), kinked, f, above)


def _between(divergence: Divergence) -> Integrand:
    """p - q, of which F - G is the integral: all that is needed of distances of distribution functions."""
    x, y = sp.symbols("x y", real=True)
    mean = sp.Function("E")
    if divergence.over == "couplings" and divergence.written(x, y, mean, mean) != mean(sp.Abs(x - y)):
        raise UnderivableError(
            f"{divergence.notation} compares quantiles, which are not known at the nodes of an integral over outcomes; "
            "evaluate() computes it, and the distance of order 1 is compiled"
        )
    value = head("select")(sp.Lt(sp.Abs(D), 1), -MASS_P * head("expm1")(-D), MASS_P - MASS_Q)
    return Integrand(value, VALUE, True, True, None, False)


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


def _of_ratio(whole: sp.Expr) -> sp.Expr:
    """The integrand over p as a function of v, exp(c d) being v^-c."""
    powers = whole.replace(lambda e: isinstance(e, sp.exp), lambda e: V ** -e.args[0].diff(D))
    return sp.expand_log(powers.xreplace({MASS_P: sp.S.One, MASS_Q: V, D: -sp.log(V)}))


def near_of(
    f: sp.Expr, value: sp.Expr, slope: sp.Expr | None = None, mass: sp.Symbol = MASS_P, far: sp.Expr | None = None
) -> sp.Expr:
    """What a function of q/p has above its value at 1, or its tangent there, times a mass; near P = Q as a remainder.

    `far` is what it is elsewhere, by default what follows from f.
    """
    if far is None:
        rest = f - value if slope is None else f - value - slope * (V - 1)
        far = far_of(rest if mass == MASS_P else V * rest)
    try:
        column = Arithmetic({V: Moving(V, sp.S.One, STEP)})(f)
    except NoRule:
        return far
    near = column.difference if slope is None else column.remainder
    near = mass * near.xreplace({V: sp.exp(-D), STEP: head("expm1")(-D)})
    return head("select")(sp.Lt(sp.Abs(D), 1), near, far)


def far_of(f: sp.Expr) -> sp.Expr:
    """f(q/p) p, a term with v to the first power over the mass of Q: q/p may be beyond any double."""
    at = {V: sp.exp(-D)}
    found = []
    for term in sp.Add.make_args(expanded(f)):
        powers, others = sp.sift(sp.Mul.make_args(term), lambda factor: factor.as_base_exp()[0] == V, binary=True)
        power, rest = sp.Mul(*powers), sp.Mul(*others).xreplace(at)
        found.append(MASS_Q * rest if power == V else MASS_P * rest * power.xreplace(at))
    return sp.Add(*found).xreplace({sp.log(sp.exp(-D)): -D})


def expanded(f: sp.Expr) -> sp.Expr:
    """The sum that a product of sums is; what is inside of logarithms stays."""
    logs = {log: sp.Dummy() for log in f.atoms(sp.log)}
    return sp.expand_mul(f.xreplace(logs)).xreplace({dummy: log for log, dummy in logs.items()})


def _of_excess(after: sp.Expr) -> sp.Expr:
    """log(1 + u) as it is near u = 0"""
    return after.replace(lambda e: isinstance(e, sp.log) and e.args[0] == 1 + VALUE, lambda e: head("log1p")(VALUE))
