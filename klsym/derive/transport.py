"""Transport costs on the line: the expectation of a convex cost under the monotone coupling.

The coupling that is increasing is optimal for every convex cost of the difference (Santambrogio, Optimal Transport for
Applied Mathematicians, theorem 2.9), so that a cost of two laws that are images of one standard law is an expectation
under that law. Where the likelihood ratio is monotone one of the two outcomes is never the greater, and the mean
distance is the distance of the means (Shaked and Shanthikumar, Stochastic Orders, theorems 1.C.1 and 1.A.8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from ..core.derivation import Case, Derivation, Expectation, Step
from ..core.divergence import Divergence
from ..core.domain import Interval
from ..core.family import Distribution
from .coupling import Coupling, coupling
from .definition import LOG_P, LOG_Q, MEASURES, P, Q
from .expand import expand
from .linear import ONE, linear
from .mean_size import crossing
from .ranking import ranking
from .shorten import positive
from .tails import Growth, converges, tail

Z = sp.Symbol("Z")


@dataclass(frozen=True)
class Cost:
    """The expectation of |X - Y|^order in a definition."""

    call: sp.Expr
    definition: sp.Expr
    order: sp.Expr

    def value(self, cost: sp.Expr) -> sp.Expr:
        """The divergence where the expectation is given."""
        return self.definition.xreplace({self.call: cost})


@dataclass(frozen=True)
class Mean:
    """An expectation, and the steps to it."""

    value: sp.Expr
    steps: tuple[Step, ...] = ()
    coordinates: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()

    def at(self, values: dict[sp.Expr, sp.Expr]) -> Mean:
        steps = (replace(s, lhs=s.lhs.xreplace(values), rhs=s.rhs.xreplace(values)) for s in self.steps)
        return replace(self, value=self.value.xreplace(values), steps=tuple(steps))


def by_transport(divergence: Divergence, p: Distribution, q: Distribution) -> Derivation:
    """The cases of the divergence, and the steps to them."""
    definition = divergence.written(LOG_P, LOG_Q, P, Q)
    (call,) = definition.atoms(AppliedUndef)
    base, order = call.args[0].as_base_exp()
    assert base in (sp.Abs(LOG_P - LOG_Q), LOG_P - LOG_Q)
    cost, name = Cost(call, definition, order), sp.Symbol(divergence.name)
    opening = Step("definition", name, cost.value(_quantiles(order)), why=divergence.notation)
    if p.support.periodic or q.support.periodic:
        circle = Case("undecided", sp.nan, sp.true, "outcomes on a circle, where the cost on the line has no meaning")
        return Derivation(divergence, p, q, (circle,), (opening,))
    moments = [moment(d, order) for d in (p, q)]
    finite = None if None in moments else sp.And(*moments)
    found = coupling(p, q)
    if found is not None and finite is not None and (known := _coupled(cost, found, finite)) is not None:
        mean, cases = known
        whole = Expectation(sp.Abs(found.first - found.second) ** order, sp.true, Z)
        pair = f"X = {found.first}, Y = {found.second}"
        why = f"{divergence.notation}: Z from {found.law}, {pair} is the optimal coupling"
        steps = [Step("coupling", name, cost.value(whole), why=why), *mean.steps]
        if cases[0].kind == "closed":
            steps.append(Step("insert", cost.value(whole), cases[0].value, cases[0].when, "the expectations"))
        cases = _apart(cases, cost, p, q)
        return Derivation(divergence, p, q, cases, tuple(steps), mean.coordinates, ((Z, found.law),))
    rest = _not_closed(cost, moments)
    if order == 1 and finite not in (None, sp.false) and (ranked := _ranked(cost, p, q, finite)) is not None:
        mean, case = ranked
        cases = (case, *rest) if case.when != sp.true else (case,)
        return Derivation(divergence, p, q, cases, (opening, *mean.steps), mean.coordinates)
    return Derivation(divergence, p, q, rest, (opening,))


def moment(d: Distribution, order: sp.Expr) -> Boolean | None:
    """Where E|X|^order is finite, from the tails; None where it is not known."""
    ends = [end for end in ("lower", "upper") if getattr(d.support, end).is_infinite]
    found = [converges(tail(d, end, True), Growth(1, order, ONE)) for end in ends]
    return None if None in found else positive(sp.And(*found))


def _expected(law: Distribution, measure: sp.Symbol, inside: sp.Expr) -> Mean | None:
    """The expectation of a function of the law's variable that has one, if a rule knows it."""
    found = expand(law, measure, ((ONE, sp.Lambda(law.family.variable, inside)),), deep=False)
    return None if found.leftover else Mean(found.closed, found.steps, found.coordinates)


def _coupled(cost: Cost, found: Coupling, finite: Boolean) -> tuple[Mean, tuple[Case, ...]] | None:
    """The cost as an expectation under the standard law, with its cases."""
    z = found.variable
    y = sp.Dummy(positive=True) if found.law.support.lower == 0 else z
    parts = [linear(image.xreplace({z: y}), y) for image in (found.first, found.second)]
    atoms = [atom for atom in dict.fromkeys([*parts[0], *parts[1]]) if atom != ONE]
    scales = [[part.get(atom, sp.S.Zero) for part in parts] for atom in atoms]
    shift = parts[0].get(ONE, sp.S.Zero) - parts[1].get(ONE, sp.S.Zero)
    if len(atoms) == 1:
        return _affine(cost, found, finite, atoms[0].xreplace({y: z}), shift, *scales[0])
    if cost.order == 2:
        mean = _expected(found.law, Z, (found.first - found.second) ** 2)
        return None if mean is None else (mean, _finite_or_not(cost, mean, finite))
    if len(atoms) == 2 and shift == 0:
        return _crossed(cost, found, finite, y, atoms, [first - second for first, second in scales])
    return None


def _crossed(
    cost: Cost, found: Coupling, finite: Boolean, y: sp.Symbol, atoms: list[sp.Expr], sizes: list[sp.Expr]
) -> tuple[Mean, tuple[Case, ...]] | None:
    """The mean distance where the difference is one of two powers."""
    both = crossing(found.law, y, atoms, sizes)
    if both is None:
        return None
    first, *infinite = _finite_or_not(cost, Mean(both.value), finite)
    if first.kind == "infinite":
        return Mean(both.same), (first,)
    apart = replace(first, when=sp.And(finite, unequal(*both.rates)))
    together = unequal(*both.rates, sp.Eq)
    same = Case("closed", cost.value(both.same), sp.And(finite, together) if infinite else sp.true)
    return Mean(both.value), (apart, same, *infinite)


def _affine(
    cost: Cost, found: Coupling, finite: Boolean, u: sp.Expr, shift: sp.Expr, first: sp.Expr, second: sp.Expr
) -> tuple[Mean, tuple[Case, ...]] | None:
    """E|c + d U|^order: of order 2 the sum of the squares that its mean and its deviation are."""
    scale = quotient(first - second)
    alone = Case("closed", cost.value(sp.Abs(shift) ** cost.order), sp.true)
    if scale == 0:
        return Mean(alone.value), (alone,)
    measured = _square if cost.order == 2 else _distance
    mean = Mean(alone.value) if finite == sp.false else measured(found, u, shift, scale)
    if mean is None:
        return None
    cases = _finite_or_not(cost, mean, finite)
    same = replace(alone, when=unequal(first, second, sp.Eq))
    if cost.order == 1 and shift != 0 and finite != sp.false:
        # At equal scales the formula divides by 0.
        cases = (replace(cases[0], when=sp.And(finite, unequal(first, second))), *cases[1:])
        return mean, (cases[0], same, cases[1]) if finite != sp.true else (cases[0], alone)
    return mean, (*cases[:-1], *([same] if finite != sp.true else []), cases[-1])


def quotient(difference: sp.Expr) -> sp.Expr:
    """1/a - 1/b as (b - a)/(a b), which keeps its digits.

    >>> a, b = sp.symbols("a b", positive=True)
    >>> quotient(1 / a - 1 / b), quotient(a - b)
    ((-a + b)/(a*b), a - b)
    """
    fraction = sp.together(difference)
    rational = difference.is_rational_function(*difference.free_symbols)
    return sp.cancel(fraction) if rational and fraction.as_numer_denom()[1].free_symbols else difference


def unequal(first: sp.Expr, second: sp.Expr, relation: type = sp.Ne) -> Boolean:
    """That two expressions differ, or with `sp.Eq` that they do not, at its plainest.

    >>> a, b = sp.symbols("a b", positive=True)
    >>> unequal(1 / a, 1 / b)
    Ne(a, b)
    """
    above = sp.together(first - second).as_numer_denom()[0]
    terms = sp.Add.make_args(above)
    if len(terms) != 2:
        return relation(first, second)
    left, right = sorted(terms, key=lambda term: term.could_extract_minus_sign())
    return relation(*sorted((left, -right), key=str))


def _square(found: Coupling, u: sp.Expr, shift: sp.Expr, scale: sp.Expr) -> Mean | None:
    """E(c + d U)^2 = (c + d E U)^2 + d^2 var U"""
    second = _expected(found.law, Z, u**2)
    if second is None or shift == 0:
        return None if second is None else replace(second, value=scale**2 * second.value)
    first = _expected(found.law, Z, u)
    if first is None:
        return None
    variance = second.value - first.value**2
    rational = variance.is_rational_function(*variance.free_symbols)
    variance = sp.cancel(sp.together(variance)) if rational else sp.expand(variance)
    steps = tuple(dict.fromkeys((*first.steps, *second.steps)))
    return Mean((shift + scale * first.value) ** 2 + scale**2 * variance, steps, second.coordinates)


def _distance(found: Coupling, u: sp.Expr, shift: sp.Expr, scale: sp.Expr) -> Mean | None:
    """E|c + d U| = |d| E|U + c/d|, which is |d| E|U - m + |m + c/d|| where U is symmetric about m"""
    if shift == 0:
        mean = _expected(found.law, Z, sp.Abs(u))
        return None if mean is None else replace(mean, value=sp.Abs(scale) * mean.value)
    centre = _centre(found.law) if u == found.variable else None
    offset = sp.Dummy("t", real=True) if centre is None else sp.Dummy("t", positive=True)
    mean = _expected(found.law, Z, sp.Abs(u - (centre or 0) + offset))
    if mean is None:
        return None
    actual = shift / scale if centre is None else sp.Abs(sp.expand(shift + scale * centre)) / sp.Abs(scale)
    return replace(mean, value=sp.Abs(scale) * mean.value).at({offset: actual})


def _centre(law: Distribution) -> sp.Expr | None:
    """The point that the density is seen to be symmetric about, 0 or the middle of its support; None without one."""
    z, support = law.family.variable, law.support
    ends = support.lower + support.upper if support.lower.is_finite else sp.S.Zero
    mirrored = Interval(ends - support.upper, ends - support.lower)
    same = mirrored == support and law.log_density(ends - z) == law.log_density(z)
    return ends / 2 if same else None


def _finite_or_not(cost: Cost, mean: Mean, finite: Boolean) -> tuple[Case, ...]:
    closed = Case("closed", cost.value(mean.value), finite)
    infinite = Case("infinite", sp.oo, sp.true, "a moment of that order does not exist")
    return (closed,) if finite == sp.true else (infinite,) if finite == sp.false else (closed, infinite)


def _apart(cases: tuple[Case, ...], cost: Cost, p: Distribution, q: Distribution) -> tuple[Case, ...]:
    """The cases with that of equal laws before the infinite one."""
    if cases[-1].kind != "infinite" or p.family != q.family or any(case.when.has(sp.Eq) for case in cases):
        return cases
    equal = sp.And(*(sp.Eq(a, b) for a, b in zip(p.values, q.values, strict=True)))
    same = Case("closed", cost.value(sp.S.Zero), equal)
    return cases if equal == sp.false else (*cases[:-1], same, cases[-1])


def _ranked(cost: Cost, p: Distribution, q: Distribution, finite: Boolean) -> tuple[Mean, Case] | None:
    """E|X - Y| = |E X - E Y| where the likelihood ratio is monotone"""
    when = ranking(p, q)
    if when == sp.false:
        return None
    first, second = (_expected(d, MEASURES[f], d.family.variable) for d, f in ((p, P), (q, Q)))
    if first is None or second is None:
        return None
    value = cost.value(sp.Abs(quotient(first.value - second.value)))
    steps, coordinates = (*first.steps, *second.steps), (*first.coordinates, *second.coordinates)
    return Mean(value, steps, coordinates), Case("closed", value, sp.And(finite, when))


def _not_closed(cost: Cost, moments: list[Boolean | None]) -> tuple[Case, ...]:
    """Finite where both laws have the moment, infinite where one of them has."""
    undecided = Case("undecided", sp.nan, sp.true, "whether the cost is finite is not known")
    if None in moments:
        return (undecided,)
    why = "no closed form is known for the integral"
    numeric = Case("numeric", cost.value(_quantiles(cost.order)), sp.And(*moments), why)
    one = Case("infinite", sp.oo, sp.Or(*moments), "one of the two lacks a moment of that order")
    cases = [case for case in (numeric, one, undecided) if case.when != sp.false]
    certain = next(i for i, case in enumerate(cases) if case.when == sp.true)
    return tuple(cases[: certain + 1])


def _quantiles(order: sp.Expr) -> sp.Expr:
    """The integral of |F^-1 - G^-1|^order over the unit interval."""
    u = sp.Symbol("u", positive=True)
    return sp.Integral(sp.Abs(sp.Function("quantile_P")(u) - sp.Function("quantile_Q")(u)) ** order, (u, 0, 1))
