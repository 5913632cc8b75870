"""One expectation of a combination of log densities: atoms, their expectations, and what is left over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sympy as sp

from ..core.derivation import Expectation, Step
from ..core.family import Distribution
from .finish import finish
from .integrate import by_integration
from .linear import ONE, combine, linear
from .normalisers import plain
from .rules import expect
from .views import Branch, View, views


@dataclass(frozen=True)
class Expansion:
    """E_m[a log p + b log q] = closed + sum of leftover expectations, in one view of m."""

    closed: sp.Expr
    leftover: tuple[tuple[sp.Expr, Expectation], ...]
    steps: tuple[Step, ...]
    coordinates: tuple[tuple[sp.Symbol, sp.Expr], ...]


Function = Any  # of the outcome: a distribution, which stands for its log density, or a SymPy Lambda
Terms = tuple[tuple[sp.Expr, Function], ...]


def expand(m: Distribution, measure: sp.Symbol, terms: Terms, deep: bool) -> Expansion:
    """The expansion with the fewest leftovers over the views of m.

    Terms are (coefficient, function of the outcome).
    """
    best: Expansion | None = None
    for view in views(m):
        expansion = _in_view(m, measure, terms, view, deep=False)
        if best is None or len(expansion.leftover) < len(best.leftover):
            best = expansion
        if not best.leftover:
            return best
    if deep:
        for view in views(m):
            expansion = _in_view(m, measure, terms, view, deep=True)
            if not expansion.leftover:
                return expansion
    if best is None:
        whole = _whole(m, measure, terms)
        best = Expansion(sp.S.Zero, ((ONE, whole),), (), ())
    return best


def _whole(m: Distribution, measure: sp.Symbol, terms: Terms) -> Expectation:
    return Expectation(sp.Add(*(c * _at(d, m.family.variable) for c, d in terms)), sp.true, measure)


def _at(function: Function, x: sp.Expr) -> sp.Expr:
    return function(x) if isinstance(function, sp.Lambda) else function.log_density(x)


def _in_view(m: Distribution, measure: sp.Symbol, terms: Terms, view: View, deep: bool) -> Expansion:
    whole = _whole(m, measure, terms)
    constant, linearised, inserted, steps, leftover, coordinates = [], [], [], [], [], []
    for branch, own in zip(view.branches, view.log_density, strict=True):
        parts = [(own if d == m else linear(_at(d, branch.to_x), branch.y), c) for c, d in terms]
        combination = combine(parts)
        label = branch.label(len(coordinates) + 1, {str(s) for s in whole.free_symbols})
        coordinates.append((label, branch.from_x))
        rename = {branch.y: label}
        constant.append(combination.pop(ONE, sp.S.Zero) * branch.weight)
        for atom, coefficient in combination.items():
            term = Expectation(atom.xreplace(rename), branch.where, measure)
            linearised.append(coefficient * term)
            known = expect(branch, atom) or (by_integration(branch.kernel, atom) if deep else None)
            value = None if known is None else plain(known.value) * branch.weight
            if known is None or value is None:
                value = _elsewhere(m, view, branch, atom)
                if value is None:
                    leftover.append((coefficient, _in_outcome(term, label, branch.from_x)))
                    inserted.append(coefficient * term)
                    continue
                steps.append(Step("coordinate", term, value, why="the same expectation in another coordinate"))
            else:
                why = re.sub(rf"(?<!\w){branch.y}(?!\w)", str(label), known.why)
                steps.append(Step(known.rule, term, value, known.when, why))
            inserted.append(coefficient * value)
    sum_ = sp.Add(*constant, *linearised)
    opening = [Step("coordinate", label, forward, why="a bijection: the expectation is invariant")
               for label, forward in coordinates if label != forward]  # fmt: skip
    opening.append(Step("linearity", whole, sum_, why="the log densities are finite combinations of atoms"))
    final = finish(sp.Add(*constant, *inserted), (d for _, d in terms if isinstance(d, Distribution)))
    closed = final.xreplace({e: sp.S.Zero for e in final.atoms(Expectation)}) if leftover else final
    steps = _unique(steps)
    if steps:
        steps.append(Step("collect", sum_, final, why="insert the expectations"))
    return Expansion(closed, tuple(leftover), (*opening, *steps), tuple(coordinates))


def _unique(steps: list[Step]) -> list[Step]:
    return list({(step.lhs, step.rhs): step for step in steps}.values())


def _elsewhere(m: Distribution, view: View, branch: Branch, atom: sp.Expr) -> sp.Expr | None:
    """The expectation of an atom of one view through another view of the same law."""
    if branch.where != sp.true:
        return None
    in_x = atom.xreplace({branch.y: branch.from_x})
    for other in views(m):
        if other is view:
            continue
        total = []
        for piece in other.branches:
            for a, c in linear(in_x.xreplace({m.family.variable: piece.to_x}), piece.y).items():
                known = expect(piece, a) if a != ONE else None
                if known is None and a != ONE:
                    break
                total.append(c * (ONE if known is None else plain(known.value)) * piece.weight)
            else:
                continue
            break
        else:
            return sp.Add(*total)
    return None


def _in_outcome(term: sp.Expr, label: sp.Symbol, from_x: sp.Expr) -> sp.Expr:
    """A term in the coordinate as one in the outcome, with sums of quotients as one quotient."""
    outcome = from_x.free_symbols
    term = term.xreplace({label: from_x})
    if from_x.is_rational_function(*outcome) or label == from_x:
        return term
    term = term.replace(lambda e: e.is_Add and _has_quotient(e, outcome), sp.cancel)
    term = term.replace(lambda e: e.is_Pow and _is_reciprocal(e.base), lambda e: e.base.base**-e.exp)
    return term.replace(
        lambda e: isinstance(e, sp.log) and _is_reciprocal(e.args[0]), lambda e: -sp.log(e.args[0].base)
    )


def _has_quotient(total: sp.Expr, outcome: set[sp.Basic]) -> bool:
    quotients = (f for f in total.atoms(sp.Pow) if f.exp.is_negative and f.base in outcome)
    return any(quotients) and bool(total.is_rational_function(*outcome))


def _is_reciprocal(e: sp.Expr) -> bool:
    return e.is_Pow and e.exp == -1


def leftover_integral(m: Distribution, expectation: Expectation) -> sp.Expr:
    """The expectation written out as an Integral, or a Sum."""
    x = m.family.variable
    integrand = expectation.integrand * sp.exp(m.log_density(x))
    if expectation.condition != sp.true:
        integrand = sp.Piecewise((integrand, expectation.condition), (0, True))
    limits = (x, m.support.lower, m.support.upper)
    return sp.Sum(integrand, limits) if m.family.discrete else sp.Integral(integrand, limits)
