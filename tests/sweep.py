"""Pairs beside the oracle: what the tests of the matrix and its slow sweep have in common."""

from __future__ import annotations

import random
from dataclasses import dataclass

import mpmath as mp
import sympy as sp

from klsym import oracles
from klsym.core.continuity import at
from klsym.core.derivation import Case, Derivation
from klsym.core.sampling import Point, draw
from klsym.core.value import Verdict, compare
from klsym.evaluation import as_value, holding_case

TOLERANCE = 1e-12


@dataclass(frozen=True)
class Finding:
    """A case at a point: the formula's value, the oracle's, and the verdict."""

    pair: str
    point: Point
    formula: str
    oracle: str
    verdict: Verdict
    note: str

    def __str__(self) -> str:
        where = ", ".join(f"{k}={v}" for k, v in self.point.items())
        return f"{self.verdict.value}: {self.pair} at {where}: {self.formula} against {self.oracle} {self.note}"


def findings(derivation: Derivation, case: Case, points: int, seed: int) -> list[Finding]:
    """The case at random points where it is the one that holds."""
    rng = random.Random(f"{derivation.p} {derivation.q} {seed}")
    earlier = derivation.cases[: derivation.cases.index(case)]
    when = sp.And(case.when, *(sp.Not(c.when) for c in earlier))
    drawn = (draw((derivation.p, derivation.q), when, rng) for _ in range(points))
    return [judge(derivation, point) for point in drawn if point is not None]


def boundary(derivation: Derivation, seed: int) -> list[Finding]:
    """The pair where the condition of its first case holds with equality, one inequality after another."""
    rng = random.Random(f"{derivation.p} {derivation.q} {seed}")
    found = []
    for relation in derivation.cases[0].when.atoms(sp.core.relational._Inequality):
        for symbol in sorted(relation.free_symbols, key=str):
            difference = relation.lhs - relation.rhs
            edges = [] if difference.has(sp.Max, sp.Min) else sp.solve(difference, symbol)
            others = draw((derivation.p, derivation.q), sp.true, rng)
            if len(edges) == 1 and others is not None:
                point = others | {symbol: edges[0].xreplace(others)}
                if inside(derivation, point):
                    found.append(judge(derivation, point))
                    break
    return found


def inside(derivation: Derivation, point: Point) -> bool:
    """Whether the point is in the domains and satisfies the constraints."""
    for d in (derivation.p, derivation.q):
        for parameter, value in zip(d.family.parameters, d.values, strict=True):
            if parameter.domain.contains(value.xreplace(point)) != sp.true:
                return False
        if d.constraint.xreplace(point) != sp.true:
            return False
    return True


def judge(derivation: Derivation, point: Point) -> Finding:
    """The formula at the point beside the oracle."""
    p, q = derivation.p.subs(point), derivation.q.subs(point)
    case = holding_case(derivation.cases, point)
    formula = as_value(at(case.value, point), 18)
    truth = oracles.measure(derivation.divergence, p, q, 18)
    verdict = compare(formula, truth, TOLERANCE)
    name = f"{derivation.p.family.name} || {derivation.q.family.name}"
    return Finding(name, point, mp.nstr(formula.mid, 20), mp.nstr(truth.mid, 20), verdict, truth.note)
