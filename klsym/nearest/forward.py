"""The least KL(P || Q): by membership, by algebra, by an equation's root, or by descent, whichever comes first."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from ..core.derivation import Expectation, Step
from ..core.errors import ParameterError, UnderivableError
from ..core.family import Distribution
from ..derive.membership import member
from .eliminate import Solution, eliminate
from .equations import Median, moving_ends, system
from .law import Sampled
from .modes import compilable, descended
from .objective import Compiled, Forward, Objective, Weighted
from .problem import Problem, Values
from .result import Point, Projection
from .solve import Numbers
from .tidy import tidy

Inserted = tuple[Values, Values, tuple[Step, ...]]


def within(problem: Problem) -> Projection | None:
    """P itself, where its family is one whose members all belong to the target's: in either direction."""
    p, of = problem.p, problem.of
    if not isinstance(p, Distribution) or set(of.free) != set(of.member.values):
        return None
    images = member(p.family, problem.family)
    if images is None:
        return None
    own = problem.family(*(v.xreplace(p.bindings) for v in images))
    steps = (Step("member", s, v, why=f"{p} is {own}") for s, v in zip(of.free, own.values, strict=True))
    return problem.projection("member", (Point(own, 0.0),), tuple(steps))


def forward(problem: Problem) -> Projection:
    """The member with the least KL(P || Q): the equations first, descent where they are of no use."""
    law, of = problem.law, problem.of
    _reachable(problem)
    bound, opening = moving_ends(of, law.lower, law.upper)
    whole = system(of, bound)
    solution = eliminate(whole.equations)
    solution = Solution(bound | solution.solved, solution.left, (*opening, *whole.steps, *solution.steps))
    if not _smooth(solution, problem.sampled):
        return descended(problem, _cross_entropy(problem))
    inserted = _inserted(problem, solution)
    values, equations, steps = inserted or (solution.solved, solution.left, solution.steps)
    steps = (*steps, *(Step("left", e, sp.S.Zero, why=f"no algebra solves this for {s}") for s, e in equations.items()))
    fields = {"equations": tuple(equations.items())}
    if inserted and not equations:
        return problem.projection("derived", (problem.point(problem.member(values)),), steps)
    if inserted and law.symbols:
        return problem.projection("implicit", (problem.point(of.member.subs(values)),), steps, **fields)
    if law.symbols:
        raise UnderivableError(
            f"a mean that the projection needs has no closed form; bind {problem.unbound} to numbers"
        )
    numbers = Numbers(of, law, solution)
    if numbers.opaque and (len(solution.left) > 1 or not problem.sampled):
        return descended(problem, _cross_entropy(problem))
    own = problem.member({s: sp.Rational(float(v)) for s, v in numbers.at(15).items()})
    how = "solved" if solution.left else "derived" if problem.sampled else "matched"
    return problem.projection(how, (problem.point(own),), steps, numbers=numbers, **fields)


def _reachable(problem: Problem) -> None:
    """ParameterError where every member of the family is infinitely far from P, or is nearer than another one."""
    law, name = problem.law, problem.family.name
    for part in problem.parts():
        cases = problem.kl(part, problem.of.member).cases
        if all(case.kind == "infinite" for case in cases):
            raise ParameterError(f"every member of {name} is infinitely far from {part}: {cases[0].why}")
    if isinstance(law, Sampled) and not law.discrete and len(problem.of.free) > 1 and law.lower == law.upper:
        raise ParameterError(
            f"the samples are degenerate for {name}: all are {law.lower}, and the narrower a density is about it the "
            "nearer; bind a parameter"
        )


def _smooth(solution: Solution, sampled: bool) -> bool:
    """Whether the equations left are ones for Newton's method, and every median is known."""
    left = [e for e in solution.left.values() if any(a.integrand.has(sp.sign) for a in e.atoms(Expectation))]
    return not left and (sampled or not any(e.has(Median) for e in solution.solved.values()))


def _inserted(problem: Problem, solution: Solution) -> Inserted | None:
    """Solution, equations and steps with every expectation in closed form; None where one has none."""
    whole = (*solution.solved.values(), *solution.left.values())
    atoms = sorted({a for e in whole for a in e.atoms(Expectation)}, key=str)
    found = {a: problem.law.closed(a.integrand, problem.of.x) for a in atoms}
    known = {a: c for a, c in found.items() if c is not None}
    if len(known) < len(found) or problem.sampled:
        return None
    by = {a: c.value for a, c in known.items()}
    values, equations = ({s: tidy(e.xreplace(by)) for s, e in es.items()} for es in (solution.solved, solution.left))
    inner = dict.fromkeys(step for c in known.values() for step in c.steps)
    ends = (Step("insert", s, v, why="with the expectations inserted") for s, v in values.items() if by)
    return values, equations, (*solution.steps, *inner, *ends)


def _cross_entropy(problem: Problem) -> Objective:
    """KL(P || Q), or that of each component, as compiled code where it is closed, else -E_P[log q] over nodes."""
    if problem.law.symbols:
        raise UnderivableError(f"no closed form of the projection is known; bind {problem.unbound} to numbers")
    of, law = problem.of, problem.law
    formulas = [problem.kl(part, of.member) for part in problem.parts()]
    if not formulas or not all(map(compilable, formulas)):
        return Forward(of, law)
    codes = [Compiled(of, law, formula) for formula in formulas]
    weights = [float(w) for w in getattr(problem.p, "weights", (1,))]
    return codes[0] if len(codes) == 1 else Weighted(of, law, list(zip(weights, codes, strict=True)))


def forward_of(problem: Problem) -> list[Problem]:
    """The forward problems of P and of each of its components."""
    whole = replace(problem, direction="forward")
    parts = getattr(problem.law, "parts", [])
    return [whole, *(replace(whole, p=law.p, law=law) for _, law in parts)]
