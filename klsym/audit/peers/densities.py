"""Forms prove themselves: the log density of a class beside that of the klsym law it is taken for."""

from __future__ import annotations

import zlib
from collections.abc import Generator
from typing import Any

import mpmath as mp
import numpy as np

from ...arrays.domain import simplex
from ...core.errors import KlsymError
from ...oracles.arrays import outcomes
from . import array_points, judge
from .array_truth import arguments
from .call import Call, Outcome
from .job import Job
from .laws import Point as Mass
from .measured import TRUTH, question
from .pair import Pair, Point, everyday, spelled, subjects, whole
from .truth import DOUBLE, exactly, read

POINTS = 6
Doubts = Generator[list[Job], list[Any], list[str]]


def doubts(subject: str, pair: Pair, side: str, seed: int, ask: str) -> Doubts:
    """What speaks against a side's form: log densities that are not its law's at everyday points.

    A class without log densities, or one that does not answer there, is taken at its word.
    """
    form = pair.p if side == "p" else pair.q
    assert form is not None
    alone = Pair(pair.subject, form)
    if "log_prob" not in alone.sides["p"].quantities or isinstance(alone.law("p"), Mass):
        return []
    rng = np.random.default_rng([seed, zlib.crc32(f"{subject} {form}".encode())])
    asked = list(_asked(subject, alone, rng))
    if not asked:
        return []
    jobs = [question(call, ask) for _, _, call in asked]
    named = {"pair": alone.named, "points": [p for p, _, _ in asked], "outcomes": [x for _, x, _ in asked]}
    *answers, truths = yield [*jobs, Job(f"{TRUTH}:log_densities", named)]
    found = []
    for (point, outcome, _), answer, truth in zip(
        asked, map(Outcome.from_json, answers), map(read, truths), strict=True
    ):
        if answer.fate != "answered" or np.shape(answer.value):
            continue
        if judge.value(float(answer.value), truth, "float64", lambda: 1.0, positive=False):
            told = mp.nstr(truth.number, 17)
            found.append(f"log density of {form} at {point}, {outcome}: {answer.value!r}, of the klsym law {told}")
    return found[:1]


def _asked(subject: str, alone: Pair, rng: np.random.Generator) -> Any:
    for point in _points(alone, rng):
        outcome = _outcome(alone, point, rng)
        if outcome is None:
            continue
        columns = [int(x) if whole(argument) else x for (_, argument), x in zip(alone.columns, point, strict=True)]
        made = alone.made(columns)["p"]
        yield point, outcome, Call(subject, "log_prob", made, at=_spelled(alone, outcome))


def _spelled(alone: Pair, outcome: Any) -> Any:
    """The outcome as libraries have it: of K categories the first is 0, or they are places of a 1 among zeros."""
    form = alone.sides["p"]
    if alone.numeric or alone.law("p").family.outcome.name != "categories":
        return outcome
    place = int(outcome) - 1
    return [float(k == place) for k in range(array_points.USUAL)] if form.kind.startswith("OneHot") else place


def _points(alone: Pair, rng: np.random.Generator) -> list[Point]:
    if alone.numeric:
        return everyday(subjects(alone, DOUBLE)[0], POINTS, rng).tolist()
    return array_points.draw(alone, "everyday", POINTS, rng, "float64")


def _outcome(alone: Pair, point: Point, rng: np.random.Generator) -> Any:
    """An outcome that the law can have, somewhere in its support; None if none is known."""
    if not alone.numeric:
        return _drawn(alone, point, rng)
    law, new = spelled(alone.law("p"), "p")
    names = {f"p.{symbol.name}": renamed for symbol, renamed in new.items()}
    values = {names[place]: exactly(x) for place, x in zip(alone.places, point, strict=True) if place in names}
    support = law.subs(values).support
    low, high = float(support.lower), float(support.upper)
    if law.family.discrete:
        low = low if np.isfinite(low) else -3.0
        high = high if np.isfinite(high) else low + 6
        return int(rng.integers(int(low), int(high) + 1))
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * round(rng.uniform(0.1, 0.9), 2)
    away = round(10.0 ** rng.uniform(-0.7, 0.7), 2)
    return low + away if np.isfinite(low) else high - away if np.isfinite(high) else away * rng.choice([-1.0, 1.0])


def _drawn(alone: Pair, point: Point, rng: np.random.Generator) -> Any:
    """A draw of the law, by the oracle's own samplers."""
    form, law = alone.sides["p"], alone.law("p")
    try:
        numbers = form.numbers(arguments(alone, point)["p"])
        known: dict[Any, Any] = {}
        for value, parameter in zip(law.values, law.family.parameters, strict=True):
            array = np.asarray(numbers.get(str(value), value), dtype=float)
            known[value] = array / array.sum() if parameter.domain is simplex else array[()]
            known |= dict(zip(parameter.dimensions, array.shape, strict=False))
        (drawn,) = outcomes(law, known, 1, rng).values()
    except (KlsymError, ArithmeticError, ValueError, KeyError, TypeError, np.linalg.LinAlgError):
        return None
    return np.asarray(drawn)[0].tolist()
