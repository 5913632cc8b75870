"""A divergence that is the mean of a function of the ratio of the densities: its cases, from the supports first.

With f convex and f(1) = 0 it is E_Q[f(p/q)] where both have mass, f(0) for each unit of mass that Q has alone, and the
slope of f at infinity for each that P has alone (Liese and Vajda, IEEE Trans. Inf. Theory 52, 2006, definition 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy as sp
from sympy.logic.boolalg import Boolean, to_nnf

from ..core.continuity import at
from ..core.derivation import Case, Expectation, Step
from ..core.divergence import RATIO, Divergence
from ..core.domain import Interval
from ..core.family import Distribution
from .crossings import Apart
from .crossings import apart as apart_at
from .definition import LOG_P, LOG_Q, MEASURES, P, Q

MOST_POINTS = 24
A, B = sp.symbols("a b", positive=True, cls=sp.Dummy)


@dataclass(frozen=True)
class Ratio:
    """The divergence of two distributions as outer(mean of the generator, and of what lies beyond)."""

    divergence: Divergence
    p: Distribution
    q: Distribution

    @property
    def definition(self) -> sp.Expr:
        return self.divergence.written(LOG_P, LOG_Q, P, Q)

    @property
    def generator(self) -> sp.Expr:
        assert self.divergence.generator is not None
        return self.divergence.generator

    def outer(self, total: sp.Expr) -> sp.Expr:
        """The divergence, of which the definition is a power of a sum of means, where the sum is given."""
        return total ** self.definition.as_base_exp()[1]

    @property
    def total(self) -> sp.Expr:
        return self.definition.as_base_exp()[0]

    @property
    def alone(self) -> tuple[sp.Expr, sp.Expr]:
        """What a unit of mass that P has alone counts, and one that Q has: the slope at infinity, and f(0)."""
        found = {P: sp.S.Zero, Q: sp.S.Zero}
        for term in sp.Add.make_args(self.total):
            c, call = term.as_independent(P, Q, as_Add=False)
            found[call.func] += c * beyond(call)
        return found[P], found[Q]

    @property
    def common(self) -> Interval:
        a, b = self.p.support, self.q.support
        return Interval(sp.Max(a.lower, b.lower), sp.Min(a.upper, b.upper))

    @property
    def comparable(self) -> bool:
        """Whether the supports have an end in common, so that they meet."""
        a, b = self.p.support, self.q.support
        return self.p.family.discrete == self.q.family.discrete and (a.lower == b.lower or a.upper == b.upper)

    @property
    def disjoint(self) -> Boolean:
        if self.p.family.discrete != self.q.family.discrete:
            return sp.true
        if self.comparable:
            return sp.false
        relation = sp.Lt if self.p.family.discrete else sp.Le
        a, b = self.p.support, self.q.support
        return sp.Or(relation(a.upper, b.lower), relation(b.upper, a.lower))


def by_ratio(divergence: Divergence, p: Distribution, q: Distribution) -> tuple[tuple[Case, ...], tuple[Step, ...]]:
    """The cases of the divergence, the first that holds counts, and the steps to them."""
    of = Ratio(divergence, p, q)
    cases: list[Case] = []
    for rule in RULES:
        cases += [case for case in rule(of) if case.when != sp.false]
        if cases and cases[-1].when == sp.true:
            break
    cases = usual_first(cases)
    first, name = cases[0], sp.Symbol(divergence.name)
    steps = [Step("definition", name, of.outer(_means(of)), why=divergence.notation)]
    if of.disjoint != sp.true:
        why = "the sum of the integrands is f(p/q) q, f the generator, and no term of it is negative"
        steps.append(Step("generator", _means(of), _generated(of), first.when, why))
    steps.append(Step("support" if first.kind == "infinite" else "insert", name, first.value, first.when, first.why))
    return tuple(cases), tuple(steps)


def usual_first(cases: list[Case]) -> list[Case]:
    """Two cases in the other order, where the last of them always holds."""
    if len(cases) != 2 or cases[1].when != sp.true:
        return cases
    special, usual = cases
    return [replace(usual, when=to_nnf(sp.Not(special.when), False)), replace(special, when=sp.true)]


# Rules: cases that hold under conditions of their own, if no earlier rule's do.


def equal(of: Ratio) -> list[Case]:
    """D(P, P) = 0"""
    return [Case("closed", sp.S.Zero, sp.true)] if of.p == of.q or of.generator == 0 else []


def apart(of: Ratio) -> list[Case]:
    """D(P, Q) = f(0) + f'(oo) for distributions that have no outcome in common, the largest value that it takes"""
    largest = of.outer(sp.Add(*of.alone))
    kind = "infinite" if largest.is_infinite else "closed"
    return [Case(kind, largest, of.disjoint, "P and Q have no outcome in common")]


def outside(of: Ratio) -> list[Case]:
    """D(P, Q) = +oo where one has mass alone that counts infinitely"""
    cases = []
    for limit, inner, outer, names in zip(of.alone, (of.p, of.q), (of.q, of.p), (("P", "Q"), ("Q", "P")), strict=True):
        if limit.is_infinite:
            a, b = inner.support, outer.support
            lower = sp.false if a.lower == b.lower else sp.Lt(a.lower, b.lower)
            upper = sp.false if a.upper == b.upper else sp.Gt(a.upper, b.upper)
            cases.append(Case("infinite", sp.oo, sp.Or(lower, upper), "{} has mass where {} has none".format(*names)))
    return cases


def pointwise(of: Ratio) -> list[Case]:
    """D(P, Q) = sum of q f(p/q) over the points of finite supports"""
    first, second = _points(of.p), _points(of.q)
    if first is None or second is None:
        return []
    homogeneous, total = _homogeneous(of.generator), sp.S.Zero
    for k in sorted({*first, *second}):
        a, b = (_mass(d, k) if k in own else sp.S.Zero for d, own in zip((of.p, of.q), (first, second), strict=True))
        if a == 0 or b == 0:
            total += sp.Add(*(limit * mass for limit, mass in zip(of.alone, (a, b), strict=True) if mass != 0))
        else:
            total += homogeneous.xreplace({A: a, B: b})
    return [Case("closed", of.outer(total), sp.true)]


def constant(of: Ratio) -> list[Case]:
    """D(P, Q) where densities do not depend on the outcome: each constant times the length that it holds on"""
    x = of.p.family.variable
    if of.p.log_density(x).has(x) or of.q.log_density(x).has(x):
        return []
    step = int(of.p.family.discrete)
    p, q = ((d.log_density(), d.support.upper - d.support.lower + step) for d in (of.p, of.q))
    both = of.common.upper - of.common.lower + step
    value = both * perspective(of, p[0], q[0])
    value += (p[1] - both) * perspective(of, p[0], None) + (q[1] - both) * perspective(of, None, q[0])
    return [Case("closed", of.outer(value), sp.true)]


def crossed(of: Ratio) -> list[Case]:
    """TV(P, Q) = half of what the difference of the distribution functions rises and falls, as it does at crossings"""
    if of.generator != sp.Max(0, RATIO - 1):
        return []
    return [Case("closed", found.variation, found.when, _where(found)) for found in apart_at(of.p, of.q)]


def _where(found: Apart) -> str:
    places = " and ".join(f"x = {place}" for place in found.places)
    return f"p = q at {places}" if places else "p and q cross at an end of a support alone"


def written(of: Ratio) -> list[Case]:
    """D(P, Q) as an integral, or a sum, over the outcomes that either has"""
    if any(limit.is_infinite for limit in of.alone):
        return [Case("undecided", sp.nan, sp.true, "whether the integral converges is not known")]
    x = of.p.family.variable
    a, b = of.p.support, of.q.support
    p, q = of.p.log_density(x), of.q.log_density(x)
    pieces = [
        (perspective(of, p, None), _beside(x, b, a)),
        (perspective(of, None, q), _beside(x, a, b)),
        (perspective(of, p, q), sp.true),
    ]
    integrand = sp.Piecewise(*pieces)
    limits = (x, sp.Min(a.lower, b.lower), sp.Max(a.upper, b.upper))
    value = sp.Sum(integrand, limits) if of.p.family.discrete else sp.Integral(integrand, limits)
    return [Case("numeric", of.outer(value), sp.true, "no closed form is known for the integral")]


RULES: tuple[Callable[[Ratio], list[Case]], ...] = (equal, apart, outside, pointwise, constant, crossed, written)


def perspective(of: Ratio, log_p: sp.Expr | None, log_q: sp.Expr | None) -> sp.Expr:
    """q f(p/q) from the logarithms of the densities, None where there is no mass."""
    if log_p is None or log_q is None:
        alone = zip(of.alone, (log_p, log_q), strict=True)
        return sp.Add(*(limit * sp.exp(density) for limit, density in alone if density is not None))
    return sp.exp(log_q) * generated(of.generator, log_p - log_q)


def _homogeneous(generator: sp.Expr) -> sp.Expr:
    """b f(a/b) without the quotient, where f consists of logarithms, powers and extremes"""
    inside = generator.xreplace({RATIO: A / B}).replace(sp.log, _split)
    scaled = inside.replace(sp.Max, lambda *each: sp.Max(*(sp.expand(B * e) for e in each)) / B)
    return sp.collect(sp.expand(B * scaled), list(scaled.atoms(sp.log)))


def _split(inside: sp.Expr) -> sp.Expr:
    top, bottom = sp.fraction(sp.together(inside))
    return sp.log(top) - sp.log(bottom)


def _mass(d: Distribution, k: int) -> sp.Expr:
    """The mass at k, formed there first, so that 0 log 0 = 0."""
    return sp.exp(at(d.family.log_density.xreplace({d.family.variable: sp.Integer(k)}), d.bindings))


def generated(generator: sp.Expr, log_ratio: sp.Expr) -> sp.Expr:
    """f(t) where log t is given"""
    return generator.xreplace({sp.log(RATIO): log_ratio}).xreplace({RATIO: sp.exp(log_ratio)})


def _beside(x: sp.Symbol, a: Interval, b: Interval) -> Boolean:
    """The condition that an outcome that one of two supports holds is not in the first."""
    lower = sp.false if a.lower == b.lower else sp.Lt(x, a.lower)
    upper = sp.false if a.upper == b.upper else sp.Gt(x, a.upper)
    return sp.Or(lower, upper)


def _points(d: Distribution) -> range | None:
    lower, upper = d.support.lower, d.support.upper
    finite = d.family.discrete and lower.is_Integer and upper.is_Integer and upper - lower < MOST_POINTS
    return range(int(lower), int(upper) + 1) if finite else None


def beyond(call: sp.Expr) -> sp.Expr:
    """What a mean's integrand is where the other distribution has no mass."""
    return call.args[1] if len(call.args) > 1 else call.args[0].subs(LOG_Q if call.func == P else LOG_P, -sp.oo)


def _within(of: Ratio, m: Distribution) -> Boolean:
    """The condition on an outcome that both have it."""
    if of.p.family.discrete != of.q.family.discrete:
        return sp.false
    x, mine, common = sp.Dummy(real=True), m.support, of.common
    ends = [x >= common.lower] * (mine.lower != common.lower) + [x <= common.upper] * (mine.upper != common.upper)
    return sp.And(*ends).xreplace({x: m.family.variable})


def _alone(of: Ratio, m: Distribution, limit: sp.Expr, measure: sp.Symbol) -> sp.Expr:
    """The mass that one distribution has alone, times what a unit of it counts."""
    inside = _within(of, m)
    if inside == sp.true or limit == 0:
        return sp.S.Zero
    return limit * Expectation(sp.S.One, sp.Not(inside), measure)


def _means(of: Ratio) -> sp.Expr:
    """The sum of means in the definition, over what both have and what one has alone."""
    total = []
    for term in sp.Add.make_args(of.total):
        c, call = term.as_independent(P, Q, as_Add=False)
        m, measure = (of.p if call.func == P else of.q), MEASURES[call.func]
        x, inside = m.family.variable, _within(of, m)
        shared = call.args[0].xreplace({LOG_P: of.p.log_density(x), LOG_Q: of.q.log_density(x)})
        common = Expectation(shared, inside, measure) if inside != sp.false else sp.S.Zero
        total.append(c * (common + _alone(of, m, beyond(call), measure)))
    return sp.Add(*total)


def _generated(of: Ratio) -> sp.Expr:
    """The same as one mean of the generator under Q, and what one has alone."""
    x = of.q.family.variable
    inside = generated(of.generator, of.p.log_density(x) - of.q.log_density(x))
    ends = zip((of.p, of.q), of.alone, (MEASURES[P], MEASURES[Q]), strict=True)
    return Expectation(inside, _within(of, of.q), MEASURES[Q]) + sp.Add(*(_alone(of, *end) for end in ends))
