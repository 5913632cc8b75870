"""Expectations and divergences measured from their definitions alone, at high precision."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Literal

import mpmath as mp
import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.continuity import at
from ..core.divergence import Divergence, Operator
from ..core.domain import Interval
from ..core.exact import plain
from ..core.family import Distribution
from ..core.value import Value
from . import balls, coupled, estimate, half_lines
from .along import along
from .greatest import greatest
from .integrand import Bindings
from .vouch import vouched

Proof = Literal["estimate", "ball"]
RULES = {"estimate": estimate, "ball": balls}

_LOG_P, _LOG_Q = sp.symbols("log_p log_q", real=True)
_SWAPPED = {_LOG_P: _LOG_Q, _LOG_Q: _LOG_P}
_POINTS = 1000
_MASS_DIGITS = 8
# With how many digits more than are lacking a value is measured again, and with how many at most.
_SPARE, _MOST_CANCELLED = 3, 40


def expectation(
    p: Distribution, integrand: sp.Expr, condition: Boolean = sp.true, digits: int = 20, proof: Proof = "estimate"
) -> Value:
    """E[g(X); condition] for X from p, g an expression in p's variable: the integral over where the condition holds.

    p must be bound to numbers (ParameterError otherwise). The radius is an estimate, or proven with the proof "ball",
    for which python-flint is needed; +oo, with a note, means that the number cannot be vouched for. An integral that
    diverges is +oo or -oo.

    >>> from klsym import Gamma
    >>> expectation(Gamma(5, 2), Gamma.variable**2)
    Value(mid=mpf('7.5'), ...)
    """
    spelled, bindings = _spelled(p, "p")
    return _expected(p, spelled, integrand, bindings, condition, digits, proof)


def _expected(
    p: Distribution,
    log_p: sp.Expr,
    factor: sp.Expr,
    bindings: Bindings,
    condition: Boolean,
    digits: int,
    proof: Proof,
) -> Value:
    part = _part(p, condition)
    if proof == "ball" or part is None:
        return RULES[proof].expected(p, log_p, factor, bindings, condition, digits)
    whole = mass(p, digits)
    if not whole.vouched or abs(whole.mid - 1) > estimate.slack(whole.rad, digits):
        return _unreliable(Value(whole.mid, mp.inf, proof), p, whole)
    return estimate.partial(p, log_p, factor, bindings, part, digits)


def _part(p: Distribution, condition: Boolean) -> Interval | None:
    """The part of the support where the condition holds, if an interval: the factor need not be real elsewhere."""
    x, lower, upper = p.family.variable, p.support.lower, p.support.upper
    if condition == sp.true:
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
    strict = p.family.discrete and condition.has(sp.Gt, sp.Lt)
    return Interval(lower, upper) if bool(lower < upper) and not strict else None


@lru_cache(maxsize=4096)
def mass(p: Distribution, digits: int = 20, proof: Proof = "estimate") -> Value:
    """The integral of p's density, or the sum of its mass function, over its support; 1 if all is well.

    As an estimate, or as a ball that is proven to hold it.

    >>> from klsym import Gamma
    >>> mass(Gamma(5, 2)).mid
    mpf('1.0')
    """
    if _masses(p) is not None:
        return Value(mp.mpf(1), mp.mpf(0), "exact")
    spelled, bindings = _spelled(p, "p")
    return RULES[proof].mass(p, spelled, bindings, digits)


@vouched
def measure(
    divergence: Divergence,
    p: Distribution,
    q: Distribution | None = None,
    digits: int = 20,
    proof: Proof = "estimate",
) -> Value:
    """The divergence of p and q from its definition; q is not needed if it takes one distribution.

    Both must be bound to numbers. Supports decide first: mass of one where the other has none makes the
    logarithm -oo there, and the result infinite by proof if the definition says so. Otherwise the radius is
    an estimate, and +oo, with a note, if the number cannot be vouched for: a density that does not integrate
    to 1, an integral that cannot be followed, a nonnegative divergence that comes out negative.

    With the proof "ball", for which python-flint is needed (ParameterError otherwise), the radius is proven by ball
    arithmetic (Johansson, IEEE Trans. Computers 66, 2017), and so is an infinity; what cannot be proven is not vouched
    for. That a density integrates to 1 is then proven to a few digits, or said in the note to be taken as given.
    Where terms cancel, as they do near P = Q, they are measured to more digits.

    >>> from klsym import Exponential, Uniform
    >>> from klsym.divergences import kl
    >>> mp.nstr(measure(kl, Exponential(2), Exponential(1)).mid, 12)
    '0.19314718056'
    >>> measure(kl, Exponential(2), Uniform(0, 1)).note
    'Exponential(2) has mass where Uniform(0, 1) has none'
    """
    other = p if q is None else q
    if divergence.over != "densities" and proof == "ball":
        return Value(mp.nan, mp.inf, proof, f"no ball is known of what is over {divergence.over}")
    if divergence.over == "curves":
        return length(divergence, p, other, digits)
    if divergence.over == "orders":
        return greatest(lambda order: measure(_of_order(divergence, order), p, other, digits), digits)
    if divergence.over == "couplings":
        return _coupled(divergence, p, other, digits)
    if divergence.over == "half-lines":
        return half_lines.greatest(p, other, (_spelled(p, "p"), _spelled(other, "q")), expectation, digits)
    means: dict[sp.Symbol, tuple[bool, sp.Expr, sp.Expr | None]] = {}

    def under(first: bool) -> Operator:
        def operator(g: sp.Expr, beyond: sp.Expr | None = None) -> sp.Expr:
            symbol = sp.Dummy(real=True)
            means[symbol] = (first, g, beyond)
            return symbol

        return operator

    formula = divergence.written(_LOG_P, _LOG_Q, under(True), under(False))

    def found(working: int) -> Value:
        parts = {
            symbol: _under(p, other, g, beyond, working, proof)
            if first
            else _under(other, p, g.xreplace(_SWAPPED), beyond, working, proof)
            for symbol, (first, g, beyond) in means.items()
        }
        return _combined(formula, parts, working, proof)

    result = found(digits)
    if (lost := _cancelled(result, digits)) > 0:
        result = found(digits + lost)
    if not result.vouched or mp.isinf(result.mid):
        return result
    if "nonnegative" in divergence.axioms and result.mid < -result.rad:
        return Value(result.mid, mp.inf, proof, f"{divergence.name} is negative, which it cannot be")
    if proof == "ball":
        return _with_densities(result, [p] if divergence.arity == 1 else [p, other])
    measured = {first for first, *_ in means.values()}
    for member in [p] * (True not in measured) + [other] * (False not in measured) if divergence.arity > 1 else ():
        whole = mass(member, digits)
        if not whole.vouched or abs(whole.mid - 1) > estimate.slack(whole.rad, digits):
            return _unreliable(result, member, whole)
    return result


def length(divergence: Divergence, p: Distribution, q: Distribution, digits: int) -> Value:
    """The integral of the speed along the one parameter that p and q differ by."""
    moved = [i for i, (a, b) in enumerate(zip(p.values, q.values, strict=False)) if a != b]
    if p.family != q.family or len(moved) > 1:
        return Value(mp.nan, mp.inf, "estimate", "only curves along one parameter are measured")
    if not moved:
        return Value(mp.mpf(0), mp.mpf(0), "exact")
    (i,) = moved
    theta = p.family.parameters[i].symbol

    def speed(at: sp.Expr) -> Value:
        law = Distribution(p.family, tuple(at if j == i else v for j, v in enumerate(p.values)))
        score = sp.diff(p.family.log_density, theta).xreplace(law.bindings)
        call = sp.Dummy()
        squares: list[sp.Expr] = []

        def mean(g: sp.Expr) -> sp.Expr:
            squares.append(g.xreplace({_LOG_P: score}))
            return call

        formula = divergence.written(_LOG_P, _LOG_Q, mean, mean)
        return _combined(formula, {call: expectation(law, squares[0], digits=digits)}, digits, "estimate")

    return along(speed, p.values[i], q.values[i], digits)


def _of_order(divergence: Divergence, order: sp.Expr) -> Divergence:
    """The divergence of which it is the greatest over the symbol in the definition, at one order."""
    (symbol,) = divergence.written(_LOG_P, _LOG_Q, lambda g: g, lambda g: g).free_symbols - {_LOG_P, _LOG_Q}

    def define(log_p: sp.Expr, log_q: sp.Expr, *operators: Operator) -> sp.Expr:
        P, Q = (lambda g, of=of: of(g.xreplace({symbol: order})) for of in operators)
        return divergence.define(log_p, log_q, P, Q).xreplace({symbol: order})

    return replace(divergence, define=define, over="densities")


def _coupled(divergence: Divergence, p: Distribution, q: Distribution, digits: int) -> Value:
    """A function of the least expected cost, which for a convex cost of the difference is that between quantiles."""
    call = sp.Dummy()
    costs: list[sp.Expr] = []

    def least(cost: sp.Expr) -> sp.Expr:
        costs.append(cost)
        return call

    formula = divergence.written(_LOG_P, _LOG_Q, least, least)
    (cost,) = costs
    spelled = _spelled(p, "p"), _spelled(q, "q")
    value = coupled.expected_cost(p, q, spelled, cost, (_LOG_P, _LOG_Q), digits)
    return _combined(formula, {call: value}, digits, "estimate")


def _cancelled(result: Value, digits: int) -> int:
    """How many digits more it takes for the value to lack none; 0 of what is 0 or not vouched for."""
    if not result.vouched or not result.mid or mp.isinf(result.mid) or not result.rad:
        return 0
    lost = digits + int(mp.ceil(mp.log10(result.rad / abs(result.mid))))
    return min(lost + _SPARE, _MOST_CANCELLED) if lost > 0 else 0


def _with_densities(result: Value, members: list[Distribution]) -> Value:
    """The ball, unless a density is proven not to be one; a note where that is not known."""
    given = []
    for member in members:
        whole = mass(member, _MASS_DIGITS, "ball")
        if not whole.vouched:
            given.append(str(member))
        elif abs(whole.mid - 1) > whole.rad:
            return _unreliable(result, member, whole)
    note = f"that the density of {' and of '.join(given)} integrates to 1 is taken as given" if given else ""
    return replace(result, note=note)


def _unreliable(result: Value, member: Distribution, whole: Value) -> Value:
    why = whole.note or f"integrates to {mp.nstr(whole.mid, 15)}"
    return replace(result, rad=mp.inf, note=f"the density of {member} cannot be relied on: {why}")


def _under(p: Distribution, q: Distribution, g: sp.Expr, given: sp.Expr | None, digits: int, proof: Proof) -> Value:
    """E_p[g(log_p, log_q)], the value of g where q has no mass given, or that at log_q = -oo."""
    beyond: sp.Expr = g.subs(_LOG_Q, -sp.oo) if given is None else given
    inside = _inside(p, q) if g.has(_LOG_Q) else sp.true
    if p.family.discrete and not (_masses(p) is None and _masses(q) is None):
        points = _masses(p) if p.support.upper == sp.oo else _tabulated(p)
        if points is None and beyond.is_finite:
            shared = {k: mine for k in _masses(q) or () if (mine := _log_mass(p, k)) != -sp.oo}
            common = _enumerated(shared, q, g, beyond, digits, proof)
            mass_there = RULES[proof].enumerated(shared, dict.fromkeys(shared, sp.S.One), digits)
            value, there = sp.symbols("value there")
            rest = {} if beyond.is_zero else {there: mass_there}
            return _combined(value + beyond * (1 - there), {value: common, **rest}, digits, proof)
        if points is not None:
            return _enumerated(points, q, g, beyond, digits, proof)
        inside = sp.false
    lost = inside != sp.true
    if lost and beyond.is_infinite:
        sign = mp.inf if beyond.is_extended_positive else -mp.inf
        return Value(sign, mp.mpf(0), "exact", f"{p} has mass where {q} has none")
    if lost and not beyond.is_finite:
        return Value(mp.nan, mp.inf, proof, f"the definition has no value where {p} has mass and {q} has none")
    if inside == sp.false:
        note = f"{p} and {q} have no mass in common"
        if beyond.is_zero:
            return Value(mp.mpf(0), mp.mpf(0), "exact", note)
        return replace(RULES[proof].combined(beyond, {}, digits), note=note)
    log_p, bindings = _spelled(p, "p")
    log_q, others = _spelled(q, "q")
    log_q = log_q.xreplace({q.family.variable: p.family.variable})
    factor = g.xreplace({_LOG_P: log_p, _LOG_Q: log_q})
    common = _expected(p, log_p, factor, bindings + others, inside, digits, proof)
    if not lost or beyond.is_zero or not common.vouched or mp.isinf(common.mid):
        return common
    parts = {sp.Dummy(): common}
    for side in sp.And.make_args(inside):
        parts[sp.Dummy()] = _expected(p, log_p, beyond, bindings, sp.Not(side), digits, proof)
    return _combined(sp.Add(*parts), parts, digits, proof)


def _inside(p: Distribution, q: Distribution) -> Boolean:
    """The condition on p's variable under which q has mass: true if it holds on all of p's support."""
    if p.family.discrete != q.family.discrete:
        return sp.false
    x, ours, theirs = p.family.variable, p.support, q.support
    whole = bool(ours.lower >= theirs.lower) and bool(ours.upper <= theirs.upper)
    if whole:
        return sp.true
    if p.family.discrete:
        lower, upper = sp.ceiling(sp.Max(ours.lower, theirs.lower)), sp.floor(sp.Min(ours.upper, theirs.upper))
        apart = bool(lower > upper)
    else:
        apart = bool(sp.Max(ours.lower, theirs.lower) >= sp.Min(ours.upper, theirs.upper))
    free = sp.Dummy(real=True)
    within = [free >= theirs.lower] * (theirs.lower != -sp.oo) + [free <= theirs.upper] * (theirs.upper != sp.oo)
    return sp.false if apart else sp.And(*within).xreplace({free: x})


def _spelled(p: Distribution, tag: str) -> tuple[sp.Expr, Bindings]:
    """The log density over symbols, and their values: SymPy is not left to evaluate loggamma(10**9)."""
    fresh = {
        parameter.symbol: sp.Symbol(f"{tag}{i}", **parameter.symbol.assumptions0)
        for i, parameter in enumerate(p.family.parameters)
    }
    bindings = tuple((fresh[symbol], value) for symbol, value in p.bindings.items())
    return p.family.log_density.xreplace(fresh), bindings


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
    lower, upper = plain(p.support.lower), plain(p.support.upper)
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


def _enumerated(
    points: dict[int, sp.Expr], q: Distribution, g: sp.Expr, beyond: sp.Expr, digits: int, proof: Proof
) -> Value:
    terms: dict[int, sp.Expr] = {}
    for k, log_p in points.items():
        log_q = _log_mass(q, k)
        terms[k] = (beyond if log_q == -sp.oo else g).subs({_LOG_P: log_p, _LOG_Q: log_q})
        if terms[k].is_infinite:
            sign = mp.inf if terms[k].is_extended_positive else -mp.inf
            return Value(sign, mp.mpf(0), "exact", f"there is mass at {k}, where {q} has none")
    return RULES[proof].enumerated(points, terms, digits)


def _combined(formula: sp.Expr, parts: dict[sp.Symbol, Value], digits: int, proof: Proof) -> Value:
    """The formula at the parts' values, of which some may be infinite or not known."""
    for value in parts.values():
        if not value.vouched:
            return Value(value.mid, mp.inf, proof, value.note)
    infinite = {symbol: value for symbol, value in parts.items() if mp.isinf(value.mid)}
    if infinite:
        known = "exact" if all(value.proof == "exact" for value in infinite.values()) else "estimate"
        note = "; ".join(dict.fromkeys(value.note for value in infinite.values()))
        result = formula.subs({symbol: sp.oo if value.mid > 0 else -sp.oo for symbol, value in infinite.items()})
        if result.is_infinite and not result.has(sp.nan):
            return Value(mp.inf if result.is_extended_positive else -mp.inf, mp.mpf(0), known, note)
        return Value(mp.nan, mp.inf, proof, f"infinite terms do not combine: {note}")
    nothing = [symbol for symbol, value in parts.items() if value.mid == 0 == value.rad]
    formula = formula.xreplace({sp.log(symbol): -sp.oo for symbol in nothing})
    formula = formula.xreplace(dict.fromkeys(nothing, sp.S.Zero))
    if formula.is_infinite:
        note = "; ".join(dict.fromkeys(parts[symbol].note for symbol in nothing))
        return Value(mp.inf if formula.is_extended_positive else -mp.inf, mp.mpf(0), "exact", note)
    rest = {symbol: value for symbol, value in parts.items() if symbol not in nothing}
    return RULES[proof].combined(formula, rest, digits)
