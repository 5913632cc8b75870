"""The least KL(Q || P), which has no general closed form and often several minima."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ParameterError, UnderivableError
from ..core.family import Distribution
from ..core.mixture import as_mixture
from ..mixtures.draws import log_density
from .equations import moving_ends
from .forward import forward, forward_of
from .modes import compilable, descended, scattered
from .objective import Compiled, Objective, Reverse
from .problem import Problem
from .result import Projection

Array = Any


def reverse(problem: Problem, starts: int) -> Projection:
    """Every member found where KL(Q || P) has a local minimum, and the other stationary points between them."""
    law, name = problem.law, problem.family.name
    if problem.sampled:
        raise UnderivableError(
            "KL(Q || samples) is infinite for every density Q, and needs a density of P: project one that is "
            "estimated from the samples, as mixture(...) of kernels, or take direction='forward'"
        )
    if law.symbols:
        raise UnderivableError(f"the reverse projection has no general closed form; bind {problem.unbound} to numbers")
    bound, _ = moving_ends(problem.of, law.lower, law.upper)
    if bound:
        raise UnderivableError(f"the support of {name} moves; bind {', '.join(map(str, bound))} to numbers")
    objective = _objective(problem)
    places = _matched(problem, objective) or objective.starts()[:1]
    return descended(problem, objective, [*places, *scattered(places[0], objective, max(starts - len(places), 0))])


def _objective(problem: Problem) -> Objective:
    """Compiled code where KL(Q || P) is closed, else nodes that follow Q."""
    of, law, p = problem.of, problem.law, problem.p
    if isinstance(p, Distribution):
        formula = problem.kl(of.member, p)
        if all(case.kind == "infinite" for case in formula.cases):
            why = formula.cases[0].why
            raise ParameterError(f"every member of {problem.family.name} has KL(Q || P) = oo: {why}")
        if compilable(formula):
            return Compiled(of, law, formula)
    return Reverse(of, law, log_density(as_mixture(p)))


def _matched(problem: Problem, objective: Objective) -> list[Array]:
    """Where the forward projections of P and of its components are, and halfway between them."""
    places = []
    for one in forward_of(problem):
        try:
            own = forward(one).member
        except (UnderivableError, ParameterError):
            continue
        given = dict(zip(problem.of.member.values, own.values, strict=True))
        u = objective.outward(np.array([float(given[s]) for s in problem.of.free]))
        if np.isfinite(u).all():
            places.append(u)
    return [*places, *((a + b) / 2 for i, a in enumerate(places) for b in places[i + 1 :])]
