"""A divergence that is a function of one integral of powers of the two densities: supports, tails, and the integral.

The integral of m^(1-b) o^b is at most 1 for 0 < b < 1, by Hoelder's inequality. For b < 0 it is infinite where m has
mass and o has none, and where the tails of m are too heavy for those of o (Liese and Vajda, IEEE Trans. Inf. Theory
52, 2006, II; van Erven and Harremoes, arXiv 1206.2459, theorem 7).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean, to_nnf

from ..core.derivation import Case, Expectation, Step
from ..core.divergence import Divergence
from ..core.domain import Interval
from ..core.family import Distribution
from .affinity import Affinity, affinity
from .definition import LOG_P, LOG_Q, MEASURES, P, Q
from .shorten import positive
from .shorten import powers as products
from .tails import integrable, meeting

Coordinates = tuple[tuple[sp.Symbol, sp.Expr], ...]


@dataclass(frozen=True)
class Integral:
    """The integral of m^(1-b) o^b in a definition, with the measures of the two laws."""

    call: sp.Expr
    definition: sp.Expr
    m: Distribution
    o: Distribution
    measures: tuple[sp.Symbol, sp.Symbol]
    b: sp.Expr

    @property
    def low(self) -> Boolean:
        """Whether 0 < b, and so b < 1: no definition has b at or beyond 1."""
        return sp.Lt(1 - self.b, 1)

    @property
    def above(self) -> Boolean:
        """Whether b < 0."""
        return sp.Gt(1 - self.b, 1)

    def value(self, log_value: sp.Expr) -> sp.Expr:
        """The divergence where the logarithm of the integral is given."""
        return self.definition.xreplace({sp.log(self.call): log_value, self.call: products(log_value)})

    def expectation(self, under_o: bool) -> Expectation:
        """E_m[(o/m)^b], or E_o[(m/o)^(1-b)], over the outcomes that both laws have."""
        m, o, power = (self.o, self.m, 1 - self.b) if under_o else (self.m, self.o, self.b)
        x = m.family.variable
        inside = sp.exp(power * (o.log_density(x) - m.log_density(x)))
        return Expectation(inside, _shared(m, o), self.measures[under_o])

    def found(self, under_o: bool, over: Interval | None = None) -> Affinity | None:
        """What is known of the integral as an expectation under one of the two laws, which the other one covers."""
        m, o, power = (self.o, self.m, 1 - self.b) if under_o else (self.m, self.o, self.b)
        powers = ((-power, m), (power, o))
        return affinity(m, self.measures[under_o], powers, self.expectation(under_o), over)


def by_powers(
    divergence: Divergence, p: Distribution, q: Distribution
) -> tuple[tuple[Case, ...], tuple[Step, ...], Coordinates]:
    """The cases of the divergence, the steps to them, and the coordinates of the steps."""
    of = integral(divergence, p, q)
    call, definition = of.call, of.definition
    name, whole = sp.Symbol(divergence.name), of.expectation(False)
    steps = [Step("definition", name, definition.xreplace({call: whole}), why=divergence.notation)]
    cases, found = _cases(of)
    if found is not None:
        steps += found.steps
        steps.append(Step("insert", definition.xreplace({call: whole}), cases[0].value, cases[0].when, "the integral"))
    else:
        steps.append(Step("support", name, cases[0].value, cases[0].when, cases[0].why))
    return tuple(cases), tuple(steps), found.coordinates if found else ()


def integral(divergence: Divergence, p: Distribution, q: Distribution) -> Integral:
    """The one integral in the divergence's definition."""
    definition = divergence.written(LOG_P, LOG_Q, P, Q)
    (call,) = (e for e in definition.atoms(AppliedUndef) if e.func in (P, Q))
    swapped = call.func == Q
    m, o = (q, p) if swapped else (p, q)
    measures = (MEASURES[Q], MEASURES[P]) if swapped else (MEASURES[P], MEASURES[Q])
    b = sp.expand(call.args[0].exp).coeff(LOG_P if swapped else LOG_Q)
    return Integral(call, definition, m, o, measures, b)


def _cases(of: Integral) -> tuple[list[Case], Affinity | None]:
    """The cases, and what the first of them comes from if it is closed."""
    m, o, low = of.m, of.o, of.low
    if m.family.discrete != o.family.discrete:
        return _apart(of, sp.true, "one is discrete and the other continuous: they are mutually singular"), None
    covered, covers = _within(m, o), _within(o, m)
    found = of.found(False) if covered != sp.false else None
    cases: list[Case] = []
    first = found
    if found is None and covered == covers == sp.true:
        first = found = of.found(True)
    if found is not None:
        when = covered if low == sp.true else sp.And(covered, found.when, _at_ends(of, found))
        cases.append(Case("closed", of.value(found.log_value), when))
    if low != sp.false and covered != sp.true and covers != sp.false:
        other = of.found(True)
        if other is not None:
            cases.append(Case("closed", of.value(other.log_value), sp.And(covers, low)))
            first = first if found is not None else other
    if low != sp.true:
        cases += _above(of, covered, found)
    if covered != sp.true and covers != sp.true and low != sp.false:
        if not _comparable(m.support, o.support):
            disjoint = _disjoint(m.support, o.support, m.family.discrete)
            cases += _apart(of, disjoint, "the supports of P and Q are disjoint")
            if (part := of.found(False, _common(m.support, o.support))) is not None:
                cases.append(Case("closed", of.value(part.log_value), low))
    done = _until_certain(
        [case for case in cases if case.when != sp.false], {low, of.above}, _comparable(m.support, o.support)
    )
    if not done or done[-1].when != sp.true:
        why = "no closed form is known for the integral"
        value = of.definition.xreplace({of.call: _written(of)})
        done.append(Case("numeric", value, sp.true, why))
        if [case.kind for case in done] == ["infinite", "numeric"]:
            done = [replace(done[1], when=to_nnf(sp.Not(done[0].when), False)), replace(done[0], when=sp.true)]
    return done, first if done[0].kind == "closed" else None


def _above(of: Integral, covered: Boolean, found: Affinity | None) -> list[Case]:
    """The cases for b < 0 that are not closed."""
    above = of.above
    if found is not None and found.open:
        failing, why = (
            sp.Not(sp.And(found.when, _at_ends(of, found))),
            "the tails of {} are too heavy for those of {}: the integral diverges".format(*of.measures),
        )
    elif found is not None and of.m.family.whole is None:
        failing, why = _beyond(found.when), "the integral diverges"
    else:
        finite = integrable(of.m, of.o, of.b)
        if finite is None:
            why = "no closed form is known, nor whether the integral is finite"
            outside = sp.And(above, sp.Not(covered))
            return [Case("infinite", sp.oo, outside, _outside(of)), Case("undecided", sp.nan, above, why)]
        failing, why = _beyond(finite), "the integral diverges"
    when = sp.And(above, sp.Or(sp.Not(covered), failing))
    if found is not None and found.open:
        # The case that is closed comes first.
        when = above if covered != sp.true else sp.true
    reasons = ([_outside(of)] if covered != sp.true else []) + ([why] if failing != sp.false else [])
    if not reasons:
        return []
    return [Case("infinite", sp.oo, when, " or ".join(reasons))]


def _at_ends(of: Integral, found: Affinity) -> Boolean:
    """Where the integral converges at ends for which the rule that found it does not say so."""
    finite = integrable(of.m, of.o, of.b) if any(step.rule == "partial-tilt" for step in found.steps) else None
    return positive(meeting(of.m, of.o, of.b) if finite is None else finite)


def _outside(of: Integral) -> str:
    return "{} has mass where {} has none".format(*of.measures)


def _apart(of: Integral, disjoint: Boolean, why: str) -> list[Case]:
    """The cases of laws without a common outcome: the integral is 0 for b > 0, else infinite."""
    if of.definition.has(sp.log):
        return [Case("infinite", sp.oo, sp.And(disjoint, of.low) if disjoint != sp.true else sp.true, why)]
    value = of.definition.xreplace({of.call: sp.S.Zero})
    cases = [Case("closed", value, sp.And(disjoint, of.low))]
    if disjoint == sp.true and of.low != sp.true:
        cases.append(Case("infinite", sp.oo, sp.true, why))
    return [case for case in cases if case.when != sp.false]


def _until_certain(cases: list[Case], either: set[Boolean], comparable: bool) -> list[Case]:
    """The cases up to the first that always holds; where one support lies in the other, the last one does.

    One of `either` always holds.
    """
    for place, case in enumerate(cases):
        held = {c.when for c in cases[: place + 1]}
        if sp.true in (case.when, sp.Or(*held)) or either <= held:
            return [*cases[:place], replace(case, when=sp.true)]
    if comparable and cases and all(case.kind != "undecided" for case in cases) and _exhaust(cases):
        return [*cases[:-1], replace(cases[-1], when=sp.true)]
    return cases


def _exhaust(cases: list[Case]) -> bool:
    """Whether the cases are those of either support in the other one."""
    return sum(case.kind == "closed" for case in cases) == 2


def _comparable(a: Interval, b: Interval) -> bool:
    """Whether the supports differ at one end only, so that one of them lies in the other."""
    return (a.lower == b.lower) != (a.upper == b.upper)


def _within(inner: Distribution, outer: Distribution) -> Boolean:
    """The condition that the support of one law lies in that of the other."""
    a, b = inner.support, outer.support
    lower = sp.true if a.lower == b.lower else sp.Ge(a.lower, b.lower)
    upper = sp.true if a.upper == b.upper else sp.Le(a.upper, b.upper)
    return sp.And(lower, upper)


def _disjoint(a: Interval, b: Interval, discrete: bool) -> Boolean:
    relation = sp.Lt if discrete else sp.Le
    return sp.Or(relation(a.upper, b.lower), relation(b.upper, a.lower))


def _common(a: Interval, b: Interval) -> Interval:
    return Interval(sp.Max(a.lower, b.lower), sp.Min(a.upper, b.upper))


def _shared(m: Distribution, o: Distribution) -> Boolean:
    """The condition on the outcome of m that o has mass there; true where that is certain."""
    if m.family.discrete != o.family.discrete or _within(m, o) == sp.true:
        return sp.true
    x, support = sp.Dummy(real=True), o.support
    ends = [x >= support.lower] * (support.lower != -sp.oo) + [x <= support.upper] * (support.upper != sp.oo)
    return sp.And(*ends).xreplace({x: m.family.variable})


def _beyond(condition: Boolean) -> Boolean:
    """That one of the inequalities fails strictly: on the boundary itself the integral may be either."""
    parts = sp.And.make_args(condition)
    return sp.Or(
        *(positive(sp.Lt(part.gts, part.lts)) if isinstance(part, (sp.Gt, sp.Lt)) else sp.Not(part) for part in parts)
    )


def _written(of: Integral) -> sp.Expr:
    """The of, or the sum, over the common part of the supports."""
    m, o, b = of.m, of.o, of.b
    x = m.family.variable
    common = _common(m.support, o.support)
    limits = (x, common.lower, common.upper)
    inside = sp.exp((1 - b) * m.log_density(x) + b * o.log_density(x))
    return sp.Sum(inside, limits) if m.family.discrete else sp.Integral(inside, limits)
