"""Pairs beside the oracle: what the tests of the matrix and its slow sweep have in common."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import mpmath as mp
import sympy as sp

from klsym import oracles
from klsym.core.continuity import at
from klsym.core.derivation import Case, Derivation
from klsym.core.sampling import Point, draw
from klsym.core.value import Value, Verdict, compare
from klsym.evaluation import as_value, holding_case

TOLERANCE = 1e-12
# In log|x|: beyond it nothing is left of a power that has an integral, or of its end.
FAR = 14_000


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


def split(derivation: Derivation, points: int, seed: int) -> list[Finding]:
    """A semi-closed case at random points: its closed part and mpmath's named integrals beside the definition."""
    rng, case = random.Random(f"{derivation.p} {derivation.q} {seed}"), derivation.cases[0]
    found = []
    for point in (draw((derivation.p, derivation.q), case.when, rng) for _ in range(points)):
        if point is None:
            continue
        with mp.workdps(25):
            value = at(case.value, point).replace(lambda e: isinstance(e, (sp.Integral, sp.Sum)), named)
            formula = Value(mp.mpmathify(sp.N(value, 25)), mp.mpf(0), "estimate")
        truth = oracles.measure(derivation.divergence, derivation.p.subs(point), derivation.q.subs(point), 15)
        verdict = compare(formula, truth, 1e-10)
        name = f"{derivation.p.family.name} || {derivation.q.family.name}"
        found.append(Finding(name, point, mp.nstr(formula.mid, 20), mp.nstr(truth.mid, 20), verdict, truth.note))
    return found


def named(integral: sp.Expr) -> sp.Float:
    """A named integral by mpmath's tanh-sinh rule between its kinks, or a named sum term by term."""
    x, low, high = integral.limits[0]
    modules = [{"exp": exponential}, "mpmath"]
    if isinstance(integral, sp.Sum):
        return sp.Float(summed(sp.lambdify(x, integral.function, modules), low, high), 25)
    inside = [a.args[0] for a in integral.function.atoms(sp.Abs)]
    inside += [c.gts - c.lts for c in integral.function.atoms(sp.core.relational._Inequality)]
    kinks = {root for u in inside if u.has(x) for root in sp.solve(u, x) if root.is_real and low < root < high}
    grid = {s * sp.Integer(k) for k in (0, 1, 4, 20) for s in (1, -1)} | {(low + high) / 2}
    total = mp.mpf(0)
    for a, b in pairwise(sorted({low, high, *kinks, *(end for end in grid if end.is_finite and low < end < high)})):
        # By the distance from a finite end, which has fewer digits than x.
        end, way = (low, 1) if a == low > -sp.oo else (high, -1) if b == high < sp.oo else (sp.S.Zero, 1)
        f = sp.lambdify(x, integral.function.xreplace({x: end + way * x}), modules)
        total += stretch(f, *sorted(number(way * (place - end)) for place in (a, b)))
    return sp.Float(total, 25)


def stretch(f: Callable[[mp.mpf], mp.mpf], a: mp.mpf, b: mp.mpf) -> mp.mpf:
    """The integral from a to b, next to 0 and infinity in s = log|x|, where powers close to 1/x are exponentials."""
    if a and b and mp.isfinite(a) and mp.isfinite(b):
        return adapted(f, a, b)
    sign = -1 if a < 0 else 1

    def rising(s: mp.mpf) -> mp.mpf:
        return f(sign * mp.exp(s)) * mp.exp(s)

    def far(way: int) -> int:
        return next(way * 2**k for k in range(11, 18) if abs(rising(way * 2**k)) * 2**k < mp.mpf(10) ** -20)

    low, high = (mp.log(abs(end)) if end and mp.isfinite(end) else far(1 if end else -1) for end in (a, b)[::sign])
    inside = sorted(s * 2**k for k in range(17) for s in (1, -1) if low < s * 2**k < high)
    return mp.fsum(adapted(rising, s, t) for s, t in pairwise([low, *inside, high]))


def adapted(f: Callable[[mp.mpf], mp.mpf], a: mp.mpf, b: mp.mpf, depth: int = 0) -> mp.mpf:
    """The integral from a to b, halved until mpmath's estimate of its error is small."""
    value, error = mp.quad(f, [a, b], error=True)
    if error < mp.mpf(10) ** -17 * (1 + abs(value)):
        return value
    assert depth < 12, f"not resolved between {a} and {b}"
    return adapted(f, a, (a + b) / 2, depth + 1) + adapted(f, (a + b) / 2, b, depth + 1)


def exponential(t: mp.mpf) -> mp.mpf:
    """exp(t); mpmath needs all bits of t before the point, so that exp(-exp(x)) far out is said to be 0."""
    return mp.mpf(0) if mp.mag(t) > 20_000 and t < 0 else mp.exp(t)


def number(e: sp.Expr) -> mp.mpf:
    return mp.sign(int(sp.sign(e))) * mp.inf if e.is_infinite else mp.mpmathify(sp.N(e, 30))


def summed(f: Callable[[int], mp.mpf], low: sp.Expr, high: sp.Expr) -> mp.mpf:
    """The sum over a finite range, or outwards until twenty terms in a row are below 1e-25 of it, the rest of 2,000
    terms by Euler and Maclaurin's formula with the integral in log k.
    """
    if low.is_finite and high.is_finite:
        return mp.fsum(f(k) for k in range(int(low), int(high) + 1))
    total, small, k = mp.mpf(0), 0, int(low) if low.is_finite else 0
    while small < 20:
        if k == 2000:
            return total + mp.sumem(f, [k, mp.inf], integral=stretch(f, mp.mpf(k), mp.inf))
        term = f(k) + (f(-k) if low.is_infinite and k else 0)
        total, k = total + term, k + 1
        small = small + 1 if abs(term) < mp.mpf(10) ** -25 * (1 + abs(total)) else 0
    return total
