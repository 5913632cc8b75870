"""Expectations and divergences measured from their definitions alone, at high precision."""

from __future__ import annotations

from functools import lru_cache

import mpmath as mp
import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.continuity import at
from ..core.divergence import Divergence, Operator
from ..core.domain import Interval
from ..core.family import Distribution
from ..core.value import Value
from . import quadrature, summation
from .integrand import Bindings, compiled, number
from .quadrature import Integral, precision

_LOG_P, _LOG_Q = sp.symbols("log_p log_q", real=True)
_SWAPPED = {_LOG_P: _LOG_Q, _LOG_Q: _LOG_P}
_POINTS = 1000


def expectation(p: Distribution, integrand: sp.Expr, condition: Boolean = sp.true, digits: int = 20) -> Value:
    """E[g(X); condition] for X from p, g an expression in p's variable: the integral over where the condition holds.

    p must be bound to numbers (ParameterError otherwise). The radius is an estimate; +oo, with a note, means that
    the number cannot be vouched for. An integral that diverges is +oo or -oo.

    >>> from klsym import Gamma
    >>> expectation(Gamma(5, 2), Gamma.variable**2)
    Value(mid=mpf('7.5'), ...)
    """
    spelled, bindings = _spelled(p, "p")
    part = _part(p, condition)
    if part is None:
        return _measured(p, spelled, integrand, bindings, condition, digits)
    return _partial(p, spelled, integrand, bindings, part, digits)


@lru_cache(maxsize=4096)
def mass(p: Distribution, digits: int = 20) -> Value:
    """The integral of p's density, or the sum of its mass function, over its support; 1 if all is well.

    >>> from klsym import Gamma
    >>> mass(Gamma(5, 2)).mid
    mpf('1.0')
    """
    if _masses(p) is not None:
        return Value(mp.mpf(1), mp.mpf(0), "exact")
    spelled, bindings = _spelled(p, "p")
    sums = _integral(p, spelled, sp.S.Zero, bindings, sp.true, digits)
    return _rounded(sums.mass, mp.inf if sums.doubt else sums.mass_error, digits, sums.doubt)


def measure(divergence: Divergence, p: Distribution, q: Distribution | None = None, digits: int = 20) -> Value:
    """The divergence of p and q from its definition; q is not needed if it takes one distribution.

    Both must be bound to numbers. Supports decide first: mass of one where the other has none makes the
    logarithm -oo there, and the result infinite by proof if the definition says so. Otherwise the radius is
    an estimate, and +oo, with a note, if the number cannot be vouched for: a density that does not integrate
    to 1, an integral that cannot be followed, a nonnegative divergence that comes out negative.

    >>> from klsym import Exponential, Uniform
    >>> from klsym.divergences import kl
    >>> mp.nstr(measure(kl, Exponential(2), Exponential(1)).mid, 12)
    '0.19314718056'
    >>> measure(kl, Exponential(2), Uniform(0, 1)).note
    'Exponential(2) has mass where Uniform(0, 1) has none'
    """
    other = p if q is None else q
    requests: dict[sp.Symbol, tuple[bool, sp.Expr]] = {}

    def under(first: bool) -> Operator:
        def operator(g: sp.Expr) -> sp.Expr:
            symbol = sp.Dummy()
            requests[symbol] = (first, g)
            return symbol

        return operator

    formula = divergence.written(_LOG_P, _LOG_Q, under(True), under(False))
    parts = {
        symbol: _under(p, other, g, digits) if first else _under(other, p, g.xreplace(_SWAPPED), digits)
        for symbol, (first, g) in requests.items()
    }
    result = _combined(formula, parts, digits)
    if not result.vouched or result.proof == "exact":
        return result
    if divergence.arity > 1:
        measured = {first for first, _ in requests.values()}
        for member in [p] * (True not in measured) + [other] * (False not in measured):
            whole = mass(member, digits)
            if not whole.vouched or abs(whole.mid - 1) > _slack(whole.rad, digits):
                why = whole.note or f"integrates to {mp.nstr(whole.mid, 15)}"
                return Value(result.mid, mp.inf, "estimate", f"the density of {member} cannot be relied on: {why}")
    if "nonnegative" in divergence.axioms and result.mid < -result.rad:
        return Value(result.mid, mp.inf, "estimate", f"{divergence.name} is negative, which it cannot be")
    return result


def _under(p: Distribution, q: Distribution, g: sp.Expr, digits: int) -> Value:
    """E_p[g(log_p, log_q)], the value of g where q has no mass taken at log_q = -oo."""
    beyond: sp.Expr = g.subs(_LOG_Q, -sp.oo)
    common = _common(p, q) if g.has(_LOG_Q) else p.support
    if p.family.discrete and not (_masses(p) is None and _masses(q) is None):
        points = _masses(p) if p.support.upper == sp.oo else _tabulated(p)
        if points is None and beyond.is_zero:
            points = {k: _log_mass(p, k) for k in _masses(q) or ()}
        if points is not None:
            return _enumerated(points, q, g, digits)
        common = None
    lost = common != p.support
    if lost and beyond.is_infinite:
        sign = mp.inf if beyond.is_extended_positive else -mp.inf
        return Value(sign, mp.mpf(0), "exact", f"{p} has mass where {q} has none")
    if lost and not beyond.is_zero:
        return Value(mp.nan, mp.inf, "estimate", f"the definition has no value where {p} has mass and {q} has none")
    if common is None:
        return Value(mp.mpf(0), mp.mpf(0), "exact", f"{p} and {q} have no mass in common")
    log_p, bindings = _spelled(p, "p")
    log_q, others = _spelled(q, "q")
    log_q = log_q.xreplace({q.family.variable: p.family.variable})
    g = g.xreplace({_LOG_P: log_p, _LOG_Q: log_q})
    if not lost:
        return _measured(p, log_p, g, bindings + others, sp.true, digits)
    return _partial(p, log_p, g, bindings + others, common, digits)


def _partial(p: Distribution, log_p: sp.Expr, g: sp.Expr, bindings: Bindings, over: Interval, digits: int) -> Value:
    """The integral over a part of the support: the factor need not be real on the rest."""
    whole = mass(p, digits)
    if not whole.vouched or abs(whole.mid - 1) > _slack(whole.rad, digits):
        return Value(whole.mid, mp.inf, "estimate", whole.note or f"the density of {p} does not integrate to 1")
    sums = _integral(p, log_p, g, bindings, sp.true, digits, over)
    if mp.isinf(sums.mid):
        return Value(sums.mid, mp.mpf(0), "estimate", sums.note)
    return _rounded(sums.mid, mp.inf if sums.doubt else sums.error, digits, sums.doubt)


def _part(p: Distribution, condition: Boolean) -> Interval | None:
    """The part of the support where the condition holds, if it is a half line or an interval of its own."""
    x, lower, upper = p.family.variable, p.support.lower, p.support.upper
    if condition == sp.true or p.family.discrete:
        return None
    for relation in sp.And.make_args(condition):
        if not isinstance(relation, (sp.Gt, sp.Lt, sp.Ge, sp.Le)):
            return None
        if relation.gts == x and relation.lts.is_number:
            lower = sp.Max(lower, relation.lts)
        elif relation.lts == x and relation.gts.is_number:
            upper = sp.Min(upper, relation.gts)
        else:
            return None
    return Interval(lower, upper) if bool(lower < upper) else None


def _common(p: Distribution, q: Distribution) -> Interval | None:
    """Where both have mass: p's support itself if q has mass on all of it, None if on nothing of it."""
    if p.family.discrete != q.family.discrete:
        return None
    ours, theirs = p.support, q.support
    if bool(ours.lower >= theirs.lower) and bool(ours.upper <= theirs.upper):
        return ours
    lower, upper = sp.Max(ours.lower, theirs.lower), sp.Min(ours.upper, theirs.upper)
    if p.family.discrete:
        lower, upper = sp.ceiling(lower), sp.floor(upper)
        return None if bool(lower > upper) else Interval(lower, upper)
    return None if bool(lower >= upper) else Interval(lower, upper)


def _spelled(p: Distribution, tag: str) -> tuple[sp.Expr, Bindings]:
    """The log density over symbols, and their values: SymPy is not left to evaluate loggamma(10**9)."""
    fresh = {
        parameter.symbol: sp.Symbol(f"{tag}{i}", **parameter.symbol.assumptions0)
        for i, parameter in enumerate(p.family.parameters)
    }
    bindings = tuple((fresh[symbol], value) for symbol, value in p.bindings.items())
    return p.family.log_density.xreplace(fresh), bindings


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
    return rule(integrand, support.lower, support.upper, condition, digits)


def _measured(
    p: Distribution, log_p: sp.Expr, g: sp.Expr, bindings: Bindings, condition: Boolean, digits: int
) -> Value:
    sums = _integral(p, log_p, g, bindings, condition, digits)
    if sums.doubt:
        return Value(sums.mid, mp.inf, "estimate", sums.doubt)
    if mp.isinf(sums.mid):
        return Value(sums.mid, mp.mpf(0), "estimate", sums.note)
    defect = abs(sums.mass - 1)
    if defect > _slack(sums.mass_error, digits):
        note = f"the density of {p} integrates to {mp.nstr(sums.mass, 15)} on the nodes used"
        return Value(sums.mid, mp.inf, "estimate", note)
    return _rounded(sums.mid, sums.error + defect * (abs(sums.mid) + sums.size), digits)


def _slack(error: mp.mpf, digits: int) -> mp.mpf:
    return 10 * error + mp.mpf(10) ** (2 - digits)


def _rounded(mid: mp.mpf, error: mp.mpf, digits: int, note: str = "") -> Value:
    """The value with what arithmetic in the working precision may have lost added to its radius."""
    with mp.workprec(precision(digits)):
        return Value(+mid, error + abs(mid) * mp.mpf(10) ** -(digits + 5), "estimate", note)


def _masses(p: Distribution) -> dict[int, sp.Expr] | None:
    """The atoms of a member at a closed end of a parameter's domain, as Geometric(1) is; None for any other."""
    ends = [
        v
        for parameter, v in zip(p.family.parameters, p.values, strict=True)
        if v in (parameter.domain.lower, parameter.domain.upper)
    ]
    if not (p.family.discrete and ends and p.log_density().has(sp.zoo, sp.nan, sp.oo, -sp.oo)):
        return None
    return _tabulated(p)


def _tabulated(p: Distribution) -> dict[int, sp.Expr] | None:
    """The log mass at every integer of positive mass, if they are few; on an infinite support, only a single atom."""
    lower, upper = p.support.lower, p.support.upper
    if lower == -sp.oo or (upper != sp.oo and upper - lower > _POINTS):
        return None
    table: dict[int, sp.Expr] = {}
    for k in range(int(lower), int(lower) + _POINTS if upper == sp.oo else int(upper) + 1):
        value = _log_mass(p, k)
        if value == 0:
            return {k: value}
        if value != -sp.oo:
            table[k] = value
    return table if upper != sp.oo else None


def _log_mass(p: Distribution, k: int) -> sp.Expr:
    """The log density formed at k first and the parameters put in after, so that 0 log 0 = 0."""
    if not (p.family.discrete and bool(p.support.lower <= k) and bool(k <= p.support.upper)):
        return -sp.oo
    value = at(p.family.log_density.xreplace({p.family.variable: sp.Integer(k)}), p.bindings)
    return -sp.oo if value == sp.zoo else value


def _enumerated(points: dict[int, sp.Expr], q: Distribution, g: sp.Expr, digits: int) -> Value:
    terms = []
    with mp.workprec(precision(digits)):
        for k, log_p in points.items():
            value = g.subs({_LOG_P: log_p, _LOG_Q: _log_mass(q, k)})
            if value.is_infinite:
                sign = mp.inf if value.is_extended_positive else -mp.inf
                return Value(sign, mp.mpf(0), "exact", f"there is mass at {k}, where {q} has none")
            terms.append(mp.exp(number(log_p)) * number(value))
        return _rounded(mp.fsum(terms), mp.fsum(map(abs, terms)) * mp.mpf(10) ** -(digits + 5), digits)


def _combined(formula: sp.Expr, parts: dict[sp.Symbol, Value], digits: int) -> Value:
    """The formula at the parts' values, its radius to first order in theirs."""
    for value in parts.values():
        if not value.vouched:
            return Value(value.mid, mp.inf, "estimate", value.note)
    infinite = {symbol: value for symbol, value in parts.items() if mp.isinf(value.mid)}
    if infinite:
        proof = "exact" if all(value.proof == "exact" for value in infinite.values()) else "estimate"
        note = "; ".join(dict.fromkeys(value.note for value in infinite.values()))
        result = formula.subs({symbol: sp.oo if value.mid > 0 else -sp.oo for symbol, value in infinite.items()})
        if result.is_infinite and not result.has(sp.nan):
            return Value(mp.inf if result.is_extended_positive else -mp.inf, mp.mpf(0), proof, note)
        return Value(mp.nan, mp.inf, "estimate", f"infinite terms do not combine: {note}")
    nothing = [symbol for symbol, value in parts.items() if value.mid == 0 == value.rad]
    formula = formula.xreplace({sp.log(symbol): -sp.oo for symbol in nothing}).xreplace(
        dict.fromkeys(nothing, sp.S.Zero)
    )
    if formula.is_infinite:
        note = "; ".join(dict.fromkeys(parts[symbol].note for symbol in nothing))
        return Value(mp.inf if formula.is_extended_positive else -mp.inf, mp.mpf(0), "exact", note)
    symbols = [symbol for symbol in parts if symbol not in nothing]
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
