"""From two distributions of arrays to a Derivation: features of the outcome, and derivatives of log normalisers."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from ...arrays.domain import simplex, unit_vector
from ...arrays.family import ArrayDistribution
from ...core.derivation import Case, Derivation, Expectation, Step
from ...core.divergence import Divergence
from ...core.errors import ParameterError, UnderivableError
from .. import LOG_P, LOG_Q, MEASURES, P, Q
from .collect import collect, norm_one, plain, total_one
from .expect import expectation, parts
from .features import features
from .kernels import KERNELS, Kernel


@lru_cache(maxsize=1024)
def derive(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution) -> Derivation:
    """The divergence of p from q: its cases with their conditions, and the steps that lead to them.

    Raises ParameterError where the outcomes of p and q are not of one kind, UnderivableError where a feature
    has no rule.
    """
    if p.family.image is not None or q.family.image is not None:
        return _transported(divergence, p, q)
    if p.outcome.name != q.outcome.name:
        raise ParameterError(
            f"{p} is of {p.outcome.name} and {q} of {q.outcome.name}: their outcomes have no common space"
        )
    definition = divergence.define(LOG_P, LOG_Q, P, Q)
    name = sp.Symbol(divergence.name)
    steps = [Step("definition", name, sp.S.Zero, why=divergence.notation)]
    when, why = _support(divergence, p, q)
    met = q if when == sp.true else _at_equal_totals(p, q)
    written, value = [], []
    if when == sp.false:
        steps.append(Step("support", name, sp.oo, when, why))
        return Derivation(divergence, p, q, (Case("infinite", sp.oo, sp.true, why),), tuple(steps))
    if when != sp.true:
        steps.append(Step("support", name, sp.oo, when, why))
    for term in sp.Add.make_args(definition):
        c, call = term.as_independent(P, Q, as_Add=False)
        measure, inside = (p if call.func == P else q), call.args[0]
        x = measure.variable
        integrand = sp.Add(*(inside.coeff(log) * _log_density(d, x) for log, d in ((LOG_P, p), (LOG_Q, met))))
        written.append(c * Expectation(integrand, sp.true, MEASURES[call.func]))
        expected, reasons = _expected(measure, MEASURES[call.func], integrand)
        steps += reasons
        value.append(c * expected)
    steps[0] = Step("definition", name, sp.Add(*written), why=divergence.notation)
    whole = sp.Add(*value)
    total = collect(whole)
    if total != whole:
        steps.append(Step("collect", whole, total, why="complete squares"))
    cases = [Case("closed", total, when)]
    if when != sp.true:
        cases.append(Case("infinite", sp.oo, sp.true, why))
    return Derivation(divergence, p, q, tuple(cases), tuple(steps))


def _log_density(d: ArrayDistribution, x: sp.Basic) -> sp.Expr:
    return d.log_density().xreplace({d.variable: x})


def _support(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution) -> tuple[sp.Basic, str]:
    """Lists of counts have one sum: where P's and Q's differ no outcome is in both supports"""
    if p.outcome.total is None or divergence.arity == 1:
        return sp.true, ""
    return sp.Eq(p.outcome.total, q.outcome.total), "counts of different sums have no outcome in common"


def _at_equal_totals(p: ArrayDistribution, q: ArrayDistribution) -> ArrayDistribution:
    values = tuple(p.outcome.total if v == q.outcome.total else v for v in q.values)
    return ArrayDistribution(q.family, values, q.sizes)


def _expected(m: ArrayDistribution, measure: sp.Symbol, integrand: sp.Expr) -> tuple[sp.Expr, list[Step]]:
    """E[integrand] by linearity in the features of the outcome, and the steps."""
    x, size = m.variable, m.outcome.size
    found = features(integrand, x)
    if plain(found.rest) != 0:
        raise UnderivableError(f"no rule knows E_{measure}[{found.rest}] of {m}")
    kernel = _kernel(m)
    lists, vectors = (
        {v for v, a in zip(m.values, m.family.parameters, strict=True) if a.domain is domain}
        for domain in (simplex, unit_vector)
    )
    linear, inserted, tilts = [], [], []
    for name, direction, scalar, feature in parts(found, x, size):
        if name not in (*kernel.symbols, "quadratic"):
            raise UnderivableError(f"no rule knows E_{measure}[{feature}] of {m}")
        expected = Expectation(feature, sp.true, measure)
        value = norm_one(total_one(expectation(kernel, name, direction), lists), vectors)
        linear.append(scalar * expected)
        inserted.append(scalar * value)
        tilts.append(Step("tilt", expected, value, why=f"derivative of log Z, {kernel.name} kernel; {kernel.citation}"))
    constant = plain(found.constant)
    whole, split = Expectation(integrand, sp.true, measure), sp.Add(constant, *linear)
    result = plain(sp.Add(constant, *inserted))
    why = "the log densities are linear in features of the outcome"
    steps = [Step("linearity", whole, split, why=why), *tilts, Step("insert", split, result, why="the expectations")]
    return result, steps


def _kernel(m: ArrayDistribution) -> Kernel:
    """The kernel that the distribution's log density is."""
    found = features(m.log_density(), m.variable)
    for rule in KERNELS:
        if (kernel := rule(found, m.variable, m.outcome)) is not None:
            return kernel
    raise UnderivableError(f"no normalising integral is known for {m}")


def _transported(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution) -> Derivation:
    """D(f(X) || f(Y)) = D(X || Y) for a bijection f"""
    first, second = p.family.image, q.family.image
    name = sp.Symbol(divergence.name)
    if first is None or second is None or first.forward != second.forward:
        inside = {d.outcome.name for d in (p, q)}
        raise UnderivableError(f"no rule is known for {p} beside {q}, of {' and '.join(sorted(inside))}")
    if "bijection-invariant" not in divergence.axioms:
        raise UnderivableError(f"{divergence.name} is not invariant under {first.forward}, and {p} has no other rule")
    inner = derive(divergence, p.base, q.base)
    why = f"both are the law of {first.forward}, a bijection: {p.base} and {q.base}"
    return Derivation(divergence, p, q, inner.cases, (Step("bijection", name, name, why=why), *inner.steps))
