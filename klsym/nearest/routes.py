"""The nearest members: by membership, by algebra, by an equation's root, or by descent, whichever comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import sympy as sp

from ..core.derivation import Expectation, Step
from ..core.errors import ParameterError, UnderivableError
from ..core.family import Distribution
from ..core.mixture import Mixture
from ..derive.membership import member
from .descend import Stationary, distinct, minimise, stationary
from .eliminate import Solution, eliminate
from .equations import Median, System, Target, moving_ends, system
from .law import Closed, Known, Law, Mixed, Sampled, function
from .objective import Compiled, Forward, Objective, Reverse, spread_of
from .result import Point, Projection
from .rule import log_density
from .solve import Numbers

Array = Any
Measure = Callable[..., Any]
SEED = 0


def within(p: Any, of: Target, direction: str, kl: Measure) -> Projection | None:
    """P itself, where its family is one whose members all belong to the target's."""
    if not isinstance(p, Distribution) or set(of.free) != set(of.member.values):
        return None
    images = member(p.family, of.member.family)
    if images is None:
        return None
    own = of.member.family(*(v.xreplace(p.bindings) for v in images))
    steps = [Step("member", s, v, why=f"{p} is {own}") for s, v in zip(of.free, own.values, strict=True)]
    return Projection(p, of.member.family, direction, "member", (Point(own, 0.0),), tuple(steps), measure=_of(p, kl, direction))


def forward(p: Any, law: Law, of: Target, kl: Measure) -> Projection:
    """The member with the least KL(P || Q): the equations first, descent where they are of no use."""
    _finite_somewhere(p, of, kl)
    if isinstance(law, Sampled) and not law.discrete and len(of.free) > 1 and law.lower == law.upper:
        raise ParameterError(
            f"the samples are degenerate for {of.member.family.name}: all are {law.lower}, and the narrower a density is "
            "about it the nearer; bind a parameter"
        )
    bound, opening = moving_ends(of, law.lower, law.upper)
    whole = system(of, bound)
    solution = eliminate(whole.equations)
    solution = Solution(bound | solution.solved, solution.left, (*opening, *whole.steps, *solution.steps))
    if not _smooth(solution, law):
        return _descended(p, law, of, kl, "forward", _cross(p, law, of, kl), 1)
    closed = _closed(solution, law, of, whole)
    if law.symbols or closed is not None:
        if closed is None:
            raise UnderivableError(f"an expectation that the projection needs has no rule; bind {_names(law)} to numbers")
        values, equations, steps = closed
        if not equations:
            return _finished(p, law, of, kl, "derived", _member(of, values), steps, whole)
        if law.symbols:
            found = _finished(p, law, of, kl, "implicit", of.member.subs(values), steps, whole, equations)
            return found
    else:
        steps, equations = solution.steps, {}
    numbers = Numbers(of, law, solution)
    if numbers.opaque and (len(solution.left) > 1 or not isinstance(law, Sampled)):
        return _descended(p, law, of, kl, "forward", _cross(p, law, of, kl), 1)
    values = {s: sp.Rational(float(v)) for s, v in numbers.at(15).items()}
    how = "solved" if solution.left else "derived"
    left = equations or solution.left
    return _finished(p, law, of, kl, how, _member(of, values), steps, whole, left, numbers)


def reverse(p: Any, law: Law, of: Target, kl: Measure, starts: int) -> Projection:
    """Every member found where KL(Q || P) has a local minimum, and the other stationary points between them."""
    if isinstance(law, Sampled):
        raise UnderivableError(
            "KL(Q || samples) is infinite for every density Q, and needs a density of P: project a density that is "
            "estimated from the samples, as mixture(...) of kernels, or take direction='forward'"
        )
    if law.symbols:
        raise UnderivableError(f"the reverse projection has no general closed form; bind {_names(law)} to numbers")
    bound, _ = moving_ends(of, law.lower, law.upper)
    if bound:
        raise UnderivableError(f"the ends of {of.member.family.name}'s support move; bind {', '.join(map(str, bound))}")
    return _descended(p, law, of, kl, "reverse", _reverse_objective(p, law, of, kl), starts)


def _reverse_objective(p: Any, law: Law, of: Target, kl: Measure) -> Objective:
    if isinstance(p, Distribution):
        formula = kl(of.member, p)
        if formula.kind == "infinite" and len(formula.cases) == 1:
            raise ParameterError(f"every member of {of.member.family.name} has KL(Q || P) = oo: {formula.cases[0].why}")
        if formula.kind == "closed" and not _outside(formula):
            return Compiled(of, law, formula)
        return Reverse(of, law, log_density(Mixture((sp.S.One,), (p,))))
    return Reverse(of, law, log_density(p))


def _cross(p: Any, law: Law, of: Target, kl: Measure) -> Objective:
    """KL(P || Q) as compiled code where it is closed, else -E_P[log q] over nodes."""
    if law.symbols:
        raise UnderivableError(f"no closed form of the projection is known; bind {_names(law)} to numbers")
    if isinstance(p, Distribution):
        formula = kl(p, of.member)
        if formula.kind == "closed" and not _outside(formula):
            return Compiled(of, law, formula)
    return Forward(of, law)


def _outside(formula: Any) -> bool:
    """Whether code for the formula would need what balls alone can compute, element by element."""
    return formula.value.has(sp.Integral, sp.Sum) or any(str(f.func) == "MellinBarnes" for f in formula.value.atoms(sp.Function))


def _descended(p: Any, law: Law, of: Target, kl: Measure, direction: str, objective: Objective, starts: int) -> Projection:
    places = objective.starts()
    if direction == "reverse":
        places = [*_matched(p, law, of, kl, objective), *places]
        places = [*places, *_scattered(places[0], objective, max(starts - len(places), 0))]
    minima = distinct(minimise(objective, u) for u in places)
    minima = [m for m in minima if m.kind == "minimum"]
    if not minima and isinstance(law, Sampled) and any(a.free_symbols & set(of.free) for a in of.log_density.atoms(sp.Abs)):
        raise UnderivableError(
            f"the likelihood of {of.member.family.name} has a kink at every sample, where no gradient vanishes; bind the "
            "parameter that moves it"
        )
    if not minima:
        raise UnderivableError(
            f"no member of {of.member.family.name} was found at a minimum: from {len(places)} places the divergence "
            "falls towards an end of the parameters' domains; bind a parameter, or take a smaller family"
        )
    others: list[Stationary] = []
    if direction == "reverse":
        between = [a.u + s * (b.u - a.u) for i, a in enumerate(minima) for b in minima[i + 1 :] for s in (0.3, 0.5, 0.7)]
        found = distinct([*minima, *(stationary(objective, u) for u in [*places, *between])])
        others = [f for f in found if f.kind != "minimum"]
    points = tuple(_point(of, objective, found, p, law, kl, direction) for found in [*minima, *others])
    why = f"{type(objective).__name__.lower()} gradient, from {len(places)} places; {len(minima)} local minima"
    steps = tuple(Step("descent", s, v, why=why) for s, v in zip(of.free, points[0].member.values, strict=False))
    sampled = isinstance(law, Sampled)
    cross = -_likelihood(law, points[0].member) if sampled else None
    measure = None if sampled else _of(p, kl, direction)
    return Projection(p, of.member.family, direction, "optimised", points, steps, measure=measure, cross_entropy=cross)


def _point(of: Target, objective: Objective, found: Stationary, p: Any, law: Law, kl: Measure, direction: str) -> Point:
    values = {s: sp.Rational(float(v)) for s, v in zip(of.free, objective.inward(found.u), strict=True)}
    own = _member(of, values)
    remaining = _number(own, law) if isinstance(law, Sampled) else _remaining(p, own, kl, direction, found.value)
    return Point(own, remaining, found.kind, found.slope, tuple(map(float, found.curvatures)))


def _remaining(p: Any, own: Any, kl: Measure, direction: str, seen: float) -> float:
    """The divergence by klsym's own formula; what was descended is that already, where it is reverse."""
    if direction == "reverse":
        return seen
    return float(kl(p, own))


def _matched(p: Any, law: Law, of: Target, kl: Measure, objective: Objective) -> Iterable[Array]:
    """Where the forward projections of P and of its components are, and halfway between them."""
    places = []
    parts = [(part.p, part) for _, part in law.parts] if isinstance(law, Mixed) else []
    for own, its_law in [(p, law), *parts]:
        try:
            found = forward(own, its_law, of, kl).member
        except (UnderivableError, ParameterError):
            continue
        given = dict(zip(of.member.values, found.values, strict=True))
        u = objective.outward(np.array([float(given[s]) for s in of.free]))
        if np.isfinite(u).all():
            places.append(u)
    return [*places, *((a + b) / 2 for i, a in enumerate(places) for b in places[i + 1 :])]


def _scattered(around: Array, objective: Objective, count: int) -> list[Array]:
    """Places at random about one: as far as P is wide for a real parameter, a factor e for a positive one."""
    spread = spread_of(objective.law.nodes)[1]
    scales = np.array([1.0 if np.isfinite(line.lower) else 2 * spread for line in objective.lines])
    return list(around + scales * np.random.default_rng(SEED).standard_normal((count, len(around))))


def _finite_somewhere(p: Any, of: Target, kl: Measure) -> None:
    """ParameterError where every member of the family is infinitely far from P."""
    for part in p.components if isinstance(p, Mixture) else [p] if isinstance(p, Distribution) else []:
        cases = kl(part, of.member).cases
        if all(case.kind == "infinite" for case in cases):
            raise ParameterError(f"every member of {of.member.family.name} is infinitely far from {part}: {cases[0].why}")


def _smooth(solution: Solution, law: Law) -> bool:
    """Whether the equations left are ones for Newton's method, and every median is known."""
    left = [e for e in solution.left.values() if any(a.integrand.has(sp.sign) for a in e.atoms(Expectation))]
    medians = any(e.has(Median) for e in solution.solved.values())
    return not left and not (medians and not isinstance(law, Sampled))


def _closed(
    solution: Solution, law: Law, of: Target, whole: System
) -> tuple[dict[sp.Symbol, sp.Expr], dict[sp.Symbol, sp.Expr], tuple[Step, ...]] | None:
    """Solution and equations with every expectation in closed form; None where one has none."""
    from .tidy import tidy

    atoms = sorted({a for e in (*solution.solved.values(), *solution.left.values()) for a in e.atoms(Expectation)}, key=str)
    known: dict[sp.Expr, Closed] = {}
    for a in atoms:
        found = law.closed(a.integrand, of.x)
        if found is None:
            return None
        known[a] = found
    inserted = {a: c.value for a, c in known.items()}
    values = {s: tidy(e.xreplace(inserted)) for s, e in solution.solved.items()}
    equations = {s: tidy(e.xreplace(inserted)) for s, e in solution.left.items()}
    inner = tuple(dict.fromkeys(step for c in known.values() for step in c.steps))
    ends = tuple(Step("insert", s, v, why="with the expectations inserted") for s, v in values.items() if inserted)
    return values, equations, (*solution.steps, *inner, *ends)


def _finished(
    p: Any,
    law: Law,
    of: Target,
    kl: Measure,
    how: str,
    own: Distribution,
    steps: tuple[Step, ...],
    whole: System,
    equations: dict[sp.Symbol, sp.Expr] | None = None,
    numbers: Numbers | None = None,
) -> Projection:
    left = tuple((equations or {}).items())
    steps = (*steps, *(Step("left", e, sp.S.Zero, why=f"no algebra solves this for {s}") for s, e in left))
    if isinstance(law, Sampled):
        cross = -_likelihood(law, own)
        point = Point(own, _number(own, law))
        return Projection(p, of.member.family, "forward", how, (point,), steps, left, None, numbers, cross)
    measure = _of(p, kl, "forward")
    found = Projection(p, of.member.family, "forward", how, (Point(own, None),), steps, left, measure, numbers)
    if law.symbols:
        return found
    remaining = found.remaining
    return Projection(
        p, of.member.family, "forward", how, (Point(own, float(remaining)),), steps, left, measure, numbers
    )


def _of(p: Any, kl: Measure, direction: str) -> Measure:
    return (lambda q: kl(p, q)) if direction == "forward" else (lambda q: kl(q, p))


def _member(of: Target, values: dict[sp.Symbol, sp.Expr]) -> Distribution:
    try:
        return of.at(values)
    except ParameterError as error:
        raise ParameterError(f"P is degenerate for {of.member.family.name}, no member is the nearest: {error}") from error


def _likelihood(law: Law, own: Distribution) -> float:
    """E_P[log q], the mean log likelihood of samples."""
    x, w = law.nodes
    return float(np.sum(w * log_density(Mixture((sp.S.One,), (own,)))(x)))


def _number(own: Distribution, law: Law) -> float | None:
    """The divergence of the empirical distribution of counts; None for a density, which has none."""
    if not law.discrete:
        return None
    x, w = law.nodes
    outcomes, places = np.unique(x, return_inverse=True)
    shares = np.bincount(places, weights=w)
    shares = shares[shares > 0]
    return float(np.sum(shares * np.log(shares))) - _likelihood(law, own)


def _names(law: Law) -> str:
    return ", ".join(sorted(map(str, law.symbols)))


__all__ = ["forward", "function", "reverse", "within"]
