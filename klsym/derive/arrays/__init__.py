"""From two distributions of arrays to a Derivation: features of the outcome, and derivatives of log normalisers."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from ...arrays.domain import CONTAINED, simplex, unit_vector
from ...arrays.family import ArrayDistribution
from ...arrays.functions import HalfLine, SumTo
from ...core.derivation import Case, Derivation, Expectation, Step
from ...core.divergence import Divergence
from ...core.errors import NoCommonSpaceError, UnderivableError
from .. import LOG_P, LOG_Q, MEASURES, P, Q
from .collect import collect, norm_one, plain, total_one
from .expect import at_natural, expectation, parts
from .features import features
from .kernels import KERNELS, Kernel
from .powers import by_powers

Condition = tuple[sp.Basic, str]


@lru_cache(maxsize=1024)
def derive(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution) -> Derivation:
    """The divergence of p from q: its cases with their conditions, and the steps that lead to them.

    Raises NoCommonSpaceError where the outcomes of p and q are of two kinds, UnderivableError where a feature
    has no rule.
    """
    if (forward := _common_image(p, q)) and "bijection-invariant" in divergence.axioms:
        return _transported(divergence, p, q, forward)
    if divergence.integral:
        return by_powers(divergence, p, q, _kernel_in)
    definition = divergence.written(LOG_P, LOG_Q, P, Q)
    name = sp.Symbol(divergence.name)
    conditions = [_support(divergence, definition, p, q)]
    met = _at_equal_totals(p, q)
    written, value, reasons = [], [], []
    for term in sp.Add.make_args(definition) if conditions[0][0] != sp.false else ():
        c, call = term.as_independent(P, Q, as_Add=False)
        m, inside = (p if call.func == P else q), call.args[0]
        integrand = sp.Add(*(inside.coeff(log) * _log_density(d, m) for log, d in ((LOG_P, p), (LOG_Q, met))))
        written.append(c * Expectation(integrand, sp.true, MEASURES[call.func]))
        mean, because = expected(m.base, MEASURES[call.func], integrand)
        reasons += [*_carried(m), *because]
        conditions += [(step.when, step.why) for step in because]
        value.append(c * mean)
    whole = sp.Add(*value)
    total = collect(whole)
    if total != whole:
        reasons.append(Step("collect", whole, total, why="complete squares"))
    steps = [Step("definition", name, sp.Add(*written), why=divergence.notation)]
    cases, known = [], sp.And(*(when for when, _ in conditions))
    if known != sp.false:
        kind = "semi-closed" if total.has(SumTo, HalfLine) else "closed"
        cases.append(Case(kind, total, known))
    if known != sp.true:
        why = "; ".join(dict.fromkeys(why for when, why in conditions if when != sp.true))
        steps.append(Step("support", name, sp.oo, known, why))
        reasons = reasons if known != sp.false else []
        cases.append(Case("infinite", sp.oo, sp.true, why))
    return Derivation(divergence, p, q, tuple(cases), (*steps, *reasons))


def _log_density(d: ArrayDistribution, m: ArrayDistribution) -> sp.Expr:
    """The log density of d at m's outcome; where m is an image, at f(x) for x from its base."""
    image = m.family.image
    if image is None:
        return d.log_density().xreplace({d.variable: m.variable})
    if _common_image(d, m):
        return (d.base.log_density() - image.log_jacobian.xreplace(dict(m.sizes))).xreplace(
            {d.base.variable: m.base.variable}
        )
    return d.log_density().xreplace({d.variable: image.point.xreplace(dict(m.sizes))})


def _carried(m: ArrayDistribution) -> list[Step]:
    """An expectation under an image is one under its base"""
    if (image := m.family.image) is None:
        return []
    name = sp.Symbol(m.family.name)
    why = f"{m} is the law of {image.forward} for {m.base}; log |det| of its derivative is {image.log_jacobian}"
    return [Step("bijection", name, name, why=why)]


def _support(divergence: Divergence, definition: sp.Expr, p: ArrayDistribution, q: ArrayDistribution) -> Condition:
    """Where each measure's outcomes are among the other's: lists of counts are where their sums are equal"""
    if divergence.arity == 1:
        return sp.true, ""
    if p.outcome.name != q.outcome.name:
        for call, m, other, log in ((P, p, q, LOG_Q), (Q, q, p, LOG_P)):
            if not any(e.has(log) for e in definition.atoms(sp.Function) if e.func == call):
                continue
            if CONTAINED.get(other.outcome.name) == m.outcome.name:
                return sp.false, f"{other} has no mass on some of {m}'s outcomes"
            if CONTAINED.get(m.outcome.name) != other.outcome.name:
                raise NoCommonSpaceError(
                    f"{p} is of {p.outcome.name} and {q} of {q.outcome.name}: their outcomes have no common space"
                )
    if p.outcome.total is None:
        return sp.true, ""
    return sp.Eq(p.outcome.total, q.outcome.total), "counts of different sums have no outcome in common"


def _at_equal_totals(p: ArrayDistribution, q: ArrayDistribution) -> ArrayDistribution:
    if p.outcome.total is None:
        return q
    values = tuple(p.outcome.total if v == q.outcome.total else v for v in q.values)
    return ArrayDistribution(q.family, values, q.sizes)


def expected(m: ArrayDistribution, measure: sp.Symbol, integrand: sp.Expr) -> tuple[sp.Expr, list[Step]]:
    """E[integrand] by linearity in the features of the outcome, and the steps; where they hold the value is finite."""
    x, size = m.variable, m.outcome.size
    found = features(integrand, x)
    kernel = _kernel(m)
    lists, vectors = (
        {v for v, a in zip(m.values, m.family.parameters, strict=True) if a.domain is domain}
        for domain in (simplex, unit_vector)
    )
    linear, inserted, tilts = [], [], []
    for name, direction, scalar, feature in parts(found, x, size):
        if name not in (*kernel.symbols, *kernel.moments, "quadratic"):
            raise UnderivableError(f"no rule knows E_{measure}[{feature}] of {m}")
        mean = Expectation(feature, sp.true, measure)
        value = norm_one(total_one(expectation(kernel, name, direction), lists), vectors)
        linear.append(scalar * mean)
        inserted.append(scalar * value)
        tilts.append(_reason(kernel, name, mean, value, m))
    constant = plain(found.constant)
    whole, split = Expectation(integrand, sp.true, measure), sp.Add(constant, *linear)
    result = plain(sp.Add(constant, *inserted))
    why = "the log densities are linear in features of the outcome"
    steps = [Step("linearity", whole, split, why=why), *tilts, Step("insert", split, result, why="the expectations")]
    return result, steps


def _reason(kernel: Kernel, name: str, expected: sp.Expr, value: sp.Expr, m: ArrayDistribution) -> Step:
    if (moment := kernel.moments.get(name)) is None:
        return Step("tilt", expected, value, why=f"derivative of log Z, {kernel.name} kernel; {kernel.citation}")
    if value.has(SumTo, HalfLine):
        return Step("expansion", expected, value, why=moment.citation)
    when = _above_zero(at_natural(kernel, moment.positive), m)
    why = moment.citation if when == sp.true else f"finite where {moment.of} has a mean; {moment.citation}"
    return Step("moment", expected, value, when, why)


def _above_zero(expr: sp.Expr, m: ArrayDistribution) -> sp.Basic:
    """expr > 0, cleared of its denominator, with the parameters on the left"""
    if expr.is_number:
        return sp.true if expr.is_positive else sp.false
    whole = sp.expand(expr * sp.ilcm(*(c.q for c in expr.expand().as_coefficients_dict().values())))
    left, right = whole.as_independent(*(v for v in m.values if isinstance(v, sp.Symbol)), as_Add=True)[::-1]
    return sp.Gt(left, -right)


def _kernel(m: ArrayDistribution) -> Kernel:
    """The kernel that the distribution's log density is."""
    return _kernel_in(m.log_density(), m)


def _kernel_in(log_density: sp.Expr, m: ArrayDistribution) -> Kernel:
    """The kernel that an unnormalised log density over m's outcomes is."""
    found = features(log_density, m.variable)
    for rule in KERNELS:
        if (kernel := rule(found, m.variable, m.outcome)) is not None:
            return kernel
    raise UnderivableError(f"no normalising integral is known for {m}")


def _common_image(p: ArrayDistribution, q: ArrayDistribution) -> str:
    """The name of the bijection whose images p and q both are, if there is one."""
    names = [d.family.image.forward if d.family.image else "" for d in (p, q)]
    return names[0] if names[0] == names[1] else ""


def _transported(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution, forward: str) -> Derivation:
    """D(f(X) || f(Y)) = D(X || Y) for a bijection f"""
    name = sp.Symbol(divergence.name)
    inner = derive(divergence, p.base, q.base)
    why = f"both are the law of {forward}, a bijection: {p.base} and {q.base}"
    return Derivation(divergence, p, q, inner.cases, (Step("bijection", name, name, why=why), *inner.steps))
