"""Local minima by descent from many places, and the stationary points between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp

from ..core.derivation import Step
from ..core.errors import UnderivableError
from .descend import between, minima
from .objective import Objective, spread_of
from .problem import Problem
from .result import Projection

Array = Any
SEED = 0
BETWEEN = (0.3, 0.5, 0.7)


def descended(problem: Problem, objective: Objective, places: Sequence[Array] = ()) -> Projection:
    """The local minima that descent ends in, from these places and everyday ones; in reverse, saddles too."""
    places = [*places, *objective.starts()]
    found = minima(objective, places)
    if not found:
        raise UnderivableError(_why_not(problem, len(places)))
    if problem.direction == "reverse":
        pairs = [(a.u, b.u) for i, a in enumerate(found) for b in found[i + 1 :]]
        found += between(objective, [*places, *(a + share * (b - a) for a, b in pairs for share in BETWEEN)])
    else:
        found = found[:1]
    points = tuple(problem.found(objective, at) for at in found)
    how = f"{objective.name}, from {len(places)} places"
    steps = (Step("descent", s, v, why=how) for s, v in zip(problem.of.free, objective.inward(found[0].u), strict=True))
    return problem.projection("optimised", points, tuple(steps))


def scattered(around: Array, objective: Objective, count: int) -> list[Array]:
    """Places at random about one: as far as P is wide for a real parameter, a factor e for a positive one."""
    spread = spread_of(objective.law.nodes)[1]
    scales = np.array([1.0 if np.isfinite(line.lower) else 2 * spread for line in objective.lines])
    return list(around + scales * np.random.default_rng(SEED).standard_normal((count, len(around))))


def compilable(formula: Any) -> bool:
    """Whether compiled code of the formula is quick: no integral that balls alone compute, element by element."""
    slow = formula.value.atoms(sp.Function)
    return formula.kind == "closed" and not any(f.func.__name__ == "MellinBarnes" for f in slow)


def _why_not(problem: Problem, places: int) -> str:
    free = set(problem.of.free)
    moving = sorted(str(s) for a in problem.of.log_density.atoms(sp.Abs) for s in a.free_symbols & free)
    if moving:
        return (
            f"the log density of {problem.family.name} has a kink that moves with {', '.join(moving)}, so that no "
            "gradient vanishes; bind it to a number"
        )
    return (
        f"no member of {problem.family.name} was found at a minimum: from {places} places the divergence falls towards "
        "an end of the parameters' domains; bind a parameter, or take a smaller family"
    )
