"""Array formulas, their steps and their code against the oracle, at random arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import mpmath as mp
import numpy as np
import sympy as sp

from . import oracles
from .arrays.conditions import holds
from .arrays.family import ArrayDistribution
from .arrays.functions import Least, LogDet
from .arrays.sampling import USUAL, draw
from .arrays.walk import walk
from .core.derivation import Expectation
from .core.errors import ParameterError
from .core.value import Value, Verdict, compare
from .oracles import arrays as oracle
from .verification import Report, Row

if TYPE_CHECKING:
    from .array_formula import ArrayFormula

TOLERANCE = 1e-9
# The rules whose steps are equalities of numbers, once their expectations are measured.
MEASURED = ("linearity", "tilt", "moment", "expansion", "partial-tilt", "potential", "mellin-barnes", "normaliser")
TRIES = 1000  # points drawn until one is found at which the first case holds


def check(formula: ArrayFormula, points: int, seed: int, draws: int, sizes: dict[str, int]) -> Report:
    """The rows of a report: the formula and its code beside the oracle's divergence, and both sides of each step."""
    rng, rows = np.random.default_rng(seed), list[Row]()
    formula = formula.sized({n: (USUAL | sizes)[str(n)] for n in formula.free_sizes})
    code = formula.compile("numpy")
    for _ in range(points):
        point = _finite(formula, rng, sizes)
        if formula.derivation.divergence.name == "kl" or formula.derivation.divergence.integral:
            row = _beside(formula, point, draws)
            number = Value(mp.mpf(float(code(*_given(formula, point)))), mp.mpf(0), "float")
            rows += [row, _row("numpy code", row.point, number, row.right)]
        shown = _shown(point)
        if formula.p.factors:
            point |= {x: v[0] for x, v in oracle.outcomes(formula.p, point, 1, rng).items()}
        for number, step in enumerate(formula.steps, 1):
            if step.rule in MEASURED and step.lhs.has(Expectation):
                left, right = (_measured(formula, side, point, draws) for side in (step.lhs, step.rhs))
                rows.append(_row(f"step {number} {step.rule}", shown, right, left))
    return Report(formula.title, tuple(rows))


def definition(formula: ArrayFormula, points: int = 3, seed: int = 0, draws: int = 100_000) -> list[Row]:
    """The rows of a divergence's formula alone, of sizes that are known: nothing is compiled."""
    rng = np.random.default_rng(seed)
    if formula.derivation.divergence.name != "kl":
        return []
    return [_beside(formula, _point(formula, rng, {}), draws) for _ in range(points)]


def _beside(formula: ArrayFormula, point: dict[Any, Any], draws: int) -> Row:
    """The formula beside the oracle's divergence."""
    divergence = formula.derivation.divergence
    if divergence.integral:
        measured = oracle.of_integral(divergence, formula.p, formula.q, point, draws=draws)
    else:
        measured = oracle.divergence(formula.p, formula.q, point, draws=draws)
    value = _scaled(measured, formula)
    given = dict(zip(formula.parameters, _given(formula, point), strict=True))
    exact = (formula.subs(given) if given else formula).evaluate().value
    radius = abs(exact) * mp.mpf(10) ** -15 if mp.isfinite(exact) else mp.mpf(0)
    return _row("formula", _shown(point), Value(exact, radius, "estimate"), value)


def _given(formula: ArrayFormula, point: dict[Any, Any]) -> list[Any]:
    return [point[s] for s in formula.parameters]


def _shown(point: dict[Any, Any]) -> dict[Any, Any]:
    return {s: sp.Symbol(np.array2string(np.asarray(v), precision=4).replace("\n", "")) for s, v in point.items()}


def _finite(formula: ArrayFormula, rng: np.random.Generator, sizes: dict[str, int]) -> dict[Any, Any]:
    """A point at which the first case holds, where that takes more than one draw."""
    point = _point(formula, rng, sizes)
    if formula.cases[0].when.has(Least):
        for _ in range(TRIES):
            if np.all(holds(formula.cases[0].when, point)):
                return point
            point = _point(formula, rng, sizes)
        raise ParameterError(f"{formula.title} was infinite at all {TRIES} points drawn; bind some parameters")
    return point


def _point(formula: ArrayFormula, rng: np.random.Generator, sizes: dict[str, int]) -> dict[Any, Any]:
    """Arrays for all symbols, at which the first case holds, and every dimension with its size."""
    point = draw(formula.q, rng, sizes) | draw(formula.p, rng, sizes)
    when = formula.cases[0].when
    if isinstance(when, sp.Eq) and when.rhs in point:
        point[when.rhs] = point.get(when.lhs, when.lhs)
    point |= {s: n.array.astype(float) for s, n in formula.numbers.items()}
    for d in (formula.p, formula.q):
        for parameter, symbol in zip(d.family.parameters, d.values, strict=True):
            if symbol in point:
                point |= dict(zip(parameter.dimensions, np.shape(point[symbol]), strict=False))
    if isinstance(when, sp.StrictGreaterThan) and when.lhs in point:
        point[when.lhs] = point[when.lhs] + max(0.0, float(walk(when.rhs, point)))
    return point


def _row(what: str, point: dict[Any, Any], left: Value, right: Value) -> Row:
    """Agreement to a tolerance, or within five standard errors where one side is a mean of draws.

    That an integral is infinite is undecided by a number no larger than a few of its errors.
    """
    if mp.isinf(left.mid) and mp.isfinite(right.mid) and 10 * right.rad >= abs(right.mid):
        return Row(what, point, left, right, Verdict.UNDECIDED)
    if oracle.STATISTICAL not in (left.note, right.note):
        return Row(what, point, left, right, compare(left, right, TOLERANCE))
    gap, allowed = abs(left.mid - right.mid), left.rad + right.rad + TOLERANCE * (1 + abs(right.mid))
    return Row(what, point, left, right, Verdict.AGREE if gap <= allowed else Verdict.DISAGREE)


def _scaled(value: Value, formula: ArrayFormula) -> Value:
    if formula.base is None:
        return value
    unit = mp.log(mp.mpmathify(formula.base))
    return Value(value.mid / unit, value.rad / abs(unit), value.proof, value.note)


def _measured(formula: ArrayFormula, side: sp.Expr, point: dict[Any, Any], draws: int) -> Value:
    """The side of a step with each expectation measured."""
    numbers, radius, note = dict(point), mp.mpf(0), ""
    for node in side.atoms(Expectation):
        value = _expectation(formula, node, point, draws)
        weight = side.coeff(node) if side.is_Add else sp.S.One
        symbol = sp.Dummy()
        side, numbers[symbol] = side.xreplace({node: symbol}), np.float64(value.mid)
        radius += value.rad * abs(float(walk(weight, point))) if weight != 0 else value.rad
        note = value.note or note
    return Value(mp.mpf(float(walk(side, numbers))), radius, "estimate", note)


def _expectation(formula: ArrayFormula, node: Expectation, point: dict[Any, Any], draws: int) -> Value:
    """The expectation under P, under Q, or under a factor of a joint distribution given earlier outcomes."""
    seen = dict(formula.derivation.measures).get(node.measure)
    if seen is None:
        p = (formula.p if node.measure.name == "P" else formula.q).base
        return oracle.expectation(p, node.integrand, point, draws=draws)
    if isinstance(seen.law, ArrayDistribution):
        moved = {seen.outcome: seen.law.variable}
        return oracle.expectation(seen.law, node.integrand.xreplace(moved), point, draws=draws)
    law = replace(seen.law, values=tuple(_number(v, point) for v in seen.law.values))
    own = {seen.outcome: law.family.variable}

    def at(expr: Any) -> Any:
        expr = expr.xreplace(dict(formula.derivation.coordinates))
        known = {e: _number(e, point) for e in expr.atoms(sp.Trace, LogDet, sp.Sum)}
        known |= {s: _number(s, point) for s in (expr.free_symbols & point.keys()) - own.keys()}
        return expr.xreplace(known).xreplace(own)

    return oracles.expectation(law, at(node.integrand), at(node.condition), 15)


def _number(expr: sp.Expr, point: dict[Any, Any]) -> sp.Expr:
    return sp.Rational(float(walk(expr, point)))
