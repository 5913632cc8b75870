"""Formula, steps and generated code against the oracle, at random points inside each case."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mpmath as mp
import sympy as sp

from . import oracles
from .core.continuity import at
from .core.derivation import Case, Expectation, Step
from .core.differentiate import differentiated
from .core.errors import KlsymError
from .core.exact import atom
from .core.sampling import draw
from .core.value import Value, Verdict, compare
from .evaluation import GUARD_DIGITS, as_value, precise, real_number

if TYPE_CHECKING:
    from .api import Formula

TOLERANCE = 1e-14
# A compiled textbook form cancels near P = Q; at everyday points it keeps this much.
CODE_TOLERANCE = 1e-9
Point = dict[sp.Symbol, sp.Expr]
Known = tuple[tuple[float, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Row:
    """One comparison: what was compared, at which point, both sides and the verdict."""

    what: str
    point: Point
    left: Value
    right: Value
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "point": {str(k): str(v) for k, v in self.point.items()},
            "left": mp.nstr(self.left.mid, 17),
            "right": mp.nstr(self.right.mid, 17),
            "radius": mp.nstr(self.right.rad, 3),
            "proof": self.right.proof,
            "verdict": self.verdict.value,
            "note": self.left.note or self.right.note,
        }


@dataclass(frozen=True)
class Report:
    """What a check found; `ok` only if every comparison was decided and agreed."""

    title: str
    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        return bool(self.rows) and all(row.verdict is Verdict.AGREE for row in self.rows)

    @property
    def verdict(self) -> Verdict:
        verdicts = {row.verdict for row in self.rows}
        if Verdict.DISAGREE in verdicts:
            return Verdict.DISAGREE
        return Verdict.AGREE if verdicts == {Verdict.AGREE} else Verdict.UNDECIDED

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "verdict": self.verdict.value, "rows": [row.to_json() for row in self.rows]}

    def __str__(self) -> str:
        from .printing import report_text

        return report_text(self)


def verify(formula: Formula, *, points: int, seed: int, digits: int, backend: str | None) -> Report:
    """Every case at `points` random points: the oracle's value, the formula's, each step's two sides, the code's."""
    rows: list[Row] = []
    code = _compiled(formula, backend)
    for case in formula.cases:
        for point in sample_points(formula, case, points, seed):
            truth = _truth(formula, point, digits)
            if case.kind in ("closed", "infinite"):
                rows.append(_row("formula", point, _closed(case, point, digits), truth))
            if case == formula.cases[0]:
                rows += [row for step in _numbered(formula) for row in check_step(formula, *step, point, digits)]
            if code is not None and case.kind in ("closed", "infinite"):
                numbers = [float(point.get(s, s)) for s in formula.parameters]
                got = Value(mp.mpf(float(code(*numbers))), mp.mpf(0), "float")
                rows.append(_row(f"{backend} code", point, got, truth, CODE_TOLERANCE))
    return Report(formula.title, tuple(rows))


def sample_points(formula: Formula, case: Case, count: int, seed: int) -> list[Point]:
    """Parameter points at which the case is the one that holds."""
    rng = random.Random(seed)
    earlier = [sp.Not(c.when) for c in formula.cases[: formula.cases.index(case)]]
    members = (formula.p, formula.q, formula.derivation.divergence)
    drawn = (draw(members, sp.And(case.when, *earlier), rng) for _ in range(count))
    return [point for point in drawn if point is not None]


def known(formula: Formula, by: Sequence[str] = (), points: int = 3, digits: int = 20) -> Iterator[Known]:
    """Points of closed cases as doubles, and as decimals the value there and its derivatives by the parameters named.

    Derivatives are left out where a case takes parameters as equal, so that there are none.
    """
    for case in formula.cases:
        if case.kind == "closed":
            tied = case.when.has(sp.Eq)
            slopes = [differentiated(case.value, s) for name in by for s in formula.parameters if s.name == name]
            for point in sample_points(formula, case, points, seed=0):
                exact = {s: atom(sp.Rational(*float(value).as_integer_ratio())) for s, value in point.items()}
                wanted = [case.value] if tied else [case.value, *slopes]
                try:
                    values = [precise(at(value, exact), digits) for value in wanted]
                except (ArithmeticError, KlsymError):
                    continue
                numbers = tuple(float(point[s]) for s in formula.parameters)
                yield numbers, tuple(mp.nstr(value, digits) for value in values)


def check_step(formula: Formula, number: int, step: Step, point: Point, digits: int) -> list[Row]:
    """Both sides of a step with every expectation measured by the oracle."""
    left, right = (_measured(formula, side, point, digits) for side in (step.lhs, step.rhs))
    return [_row(f"step {number} {step.rule}", point, left, right)]


def _numbered(formula: Formula) -> list[tuple[int, Step]]:
    """The steps that claim an equality of numbers; definitions and changes of coordinate claim none."""
    return [(i, step) for i, step in enumerate(formula.steps, 1) if step.lhs.has(Expectation)]


def _row(what: str, point: Point, left: Value, right: Value, tolerance: float = TOLERANCE) -> Row:
    return Row(what, point, left, right, compare(left, right, tolerance))


def _compiled(formula: Formula, backend: str | None) -> Callable[..., Any] | None:
    closed = any(case.kind == "closed" for case in formula.cases)
    return formula.compile(backend) if backend is not None and closed and formula.parameters else None


def _truth(formula: Formula, point: Point, digits: int) -> Value:
    p, q = formula.p.subs(point), formula.q.subs(point)
    value = oracles.measure(formula.derivation.divergence.subs(point), p, q, digits)
    if formula.base is None:
        return value
    with mp.workdps(digits + GUARD_DIGITS):
        unit = mp.mpf(formula.derivation.divergence.unit(formula.base).evalf(digits + GUARD_DIGITS))
        return Value(value.mid / unit, value.rad / abs(unit), value.proof, value.note)


def _closed(case: Case, point: Point, digits: int) -> Value:
    try:
        return as_value(at(case.value, point), digits)
    except (ArithmeticError, KlsymError) as error:
        return Value(mp.nan, mp.inf, "float", str(error))


def _measured(formula: Formula, side: sp.Expr, point: Point, digits: int) -> Value:
    coordinates = {y: forward.xreplace(point) for y, forward in formula.derivation.coordinates}
    laws = {sp.Symbol("P"): formula.p, sp.Symbol("Q"): formula.q, **dict(formula.derivation.measures)}
    numbers, radii, radius = {}, {}, mp.mpf(0)
    for node in side.atoms(Expectation):
        p = laws[node.measure].subs(point)
        inside = node.integrand.xreplace(point).xreplace(coordinates)
        value = oracles.expectation(p, inside, node.condition.xreplace(point), digits)
        if not value.vouched:
            return value
        if mp.isinf(value.mid):
            return Value(mp.nan, mp.inf, "estimate", f"{node} is infinite")
        numbers[node] = sp.Float(str(mp.nstr(value.mid, digits + GUARD_DIGITS)), digits + GUARD_DIGITS)
        radii[node] = value.rad
    try:
        for node, rad in radii.items():
            free = sp.Dummy(real=True)
            slope = side.xreplace({node: free}).diff(free).xreplace({free: node}).xreplace(numbers).xreplace(point)
            radius += rad * max(abs(real_number(slope, digits)), 1)
        with mp.workdps(digits + GUARD_DIGITS):
            total = real_number(side.xreplace(numbers).xreplace(point), digits + GUARD_DIGITS)
            return Value(+total, radius + abs(total) * mp.mpf(10) ** -digits, "estimate")
    except ArithmeticError as error:
        return Value(mp.nan, mp.inf, "float", str(error))
