"""Questions put to a subject and to the truth, and the faults of the answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np

from . import judge
from .call import Call, Outcome
from .finding import Severity
from .job import Job
from .judge import Fault
from .pair import Pair, Point
from .trials import Question
from .truth import Truth, read, total

TRUTH = "klsym.audit.peers.truth"
ASK = "klsym.audit.peers.child:ask"
# Of these rounding of the textbook form decides whether they are as bad as they look.
OPEN = (Severity.WRONG_VALUE, Severity.WRONG_GRADIENT)


@dataclass(frozen=True)
class Seen:
    """A fault in an answer: of the element of the value or of the entry of an argument's derivative, if of one."""

    question: Question
    where: str
    element: int | None
    fault: Fault
    got: Any
    truth: Truth
    cells: tuple[int, ...] = ()
    said: str = ""


@dataclass
class Measured:
    """What was seen at some questions: faults, errors of numbers with trial and point, and how many were judged."""

    seen: list[Seen] = field(default_factory=list)
    errors: list[tuple[float, str, Point]] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    answered: int = 0


Measuring = Generator[list[Job], list[Any], Measured]


def question(call: Call, ask: str) -> Job:
    return Job(ask, call.to_json())


def measured(pair: Pair, questions: Sequence[Question], ask: str = ASK) -> Measuring:
    """The faults of a subject at some questions; the jobs asked for are its answers and their truths."""
    jobs: list[Job] = []
    for q in questions:
        asked = {"pair": pair.named, "points": q.cells}
        jobs += [question(q.call, ask), Job(f"{TRUTH}:values", asked)]
        jobs += [Job(f"{TRUTH}:slopes", asked)] if q.call.gradient else []
    answers, found = iter((yield jobs)), Measured()
    doubtful: list[tuple[Seen, int]] = []
    for q in questions:
        outcome, values = Outcome.from_json(next(answers)), list(map(read, next(answers)))
        slopes = [[[read(e) for e in entries] for entries in row] for row in next(answers)] if q.call.gradient else []
        for seen in _judged(q, outcome, values, slopes, found, pair):
            if seen.fault.severity in OPEN:
                doubtful.append((seen, len(found.seen)))
            found.seen.append(seen)
        found.answered += outcome.fate == "answered"
    return (yield from _decided(pair, found, doubtful))


def _judged(
    q: Question, outcome: Outcome, values: list[Truth], slopes: list[Any], found: Measured, pair: Pair
) -> Iterator[Seen]:
    """The faults if rounding had no part in them."""
    found.tried[f"{q.trial}/whole"] += 1
    if fault := judge.whole(q.call, outcome, q.shape):
        shown = f"{outcome.fate}: {outcome.said}" if outcome.fate != "answered" else f"{outcome.shape} {outcome.dtype}"
        wanted = Truth(None)
        # Nothing is said of an answer that would be no number anyway.
        if outcome.fate != "raised" or all(v.finite for v in values):
            yield Seen(q, "value", None, fault, shown, wanted, tuple(range(len(q.cells))), outcome.said)
        return
    got = np.asarray(outcome.value, dtype=float).ravel()
    for element, (number, cells) in enumerate(zip(got.tolist(), q.sums, strict=True)):
        truth = total([values[cell] for cell in cells])
        found.tried[f"{q.trial}/value"] += truth.number is not None
        positive = q.call.quantity == "kl"
        if fault := judge.value(number, truth, q.call.dtype, lambda: 0.0, positive):
            yield Seen(q, "value", element, fault, number, truth, tuple(cells))
        elif truth.finite and truth.number and math.isfinite(number) and len(cells) == 1:
            with mp.workprec(160):
                found.errors.append((float(abs(mp.mpf(number) / truth.number - 1)), q.trial, q.cells[cells[0]]))
    for place in pair.places if q.call.gradient else ():
        yield from _slopes(q, outcome, place, slopes, found, pair)


def _slopes(
    q: Question, outcome: Outcome, place: str, slopes: list[Any], found: Measured, pair: Pair
) -> Iterator[Seen]:
    """The faults of the derivatives by one argument; one that is no float has none."""
    column = pair.places.index(place)
    domain = pair.columns[column][1].domain
    if getattr(domain, "integer", False):
        return
    got = outcome.gradients.get(place)
    entries = np.size(q.base[0][column]) if q.base else 0
    numbers = [None] * (entries * len(q.feeds[place])) if got is None else _free(domain, got)
    for element, (number, (cells, entry)) in enumerate(
        zip(numbers, ((c, e) for c in q.feeds[place] for e in range(entries)), strict=True)
    ):
        truth = total([slopes[cell][column][entry] for cell in cells]) if cells else Truth(None)
        found.tried[f"{q.trial}/slope"] += truth.finite
        if fault := judge.slope(number, truth, q.call.dtype, lambda: 0.0):
            yield Seen(q, place, element, fault, number, truth, tuple(cells))


def _free(domain: Any, got: Any) -> list[float]:
    """The entries of a derivative; off the diagonal of a symmetric matrix the sum of both."""
    numbers = np.asarray(got, dtype=float)
    if str(domain) == "positive definite matrices":
        diagonal = np.eye(numbers.shape[-1], dtype=bool)
        numbers = np.where(diagonal, numbers, numbers + np.swapaxes(numbers, -1, -2))
    return numbers.ravel().tolist()


def _decided(pair: Pair, found: Measured, doubtful: list[tuple[Seen, int]]) -> Measuring:
    """The same faults once it is known what rounding can do."""
    jobs = []
    for seen, _ in doubtful:
        by = None if seen.where == "value" else seen.where
        points = [seen.question.cells[cell] for cell in seen.cells]
        asked = {"pair": pair.named, "points": points, "by": by}
        jobs.append(Job(f"{TRUTH}:rooms", asked))
    answers = yield jobs if jobs else []
    dropped: set[int] = set()
    for (seen, place), rooms in zip(doubtful, answers, strict=True):
        room = partial(math.fsum, rooms)
        dtype, positive = seen.question.call.dtype, seen.question.call.quantity == "kl"
        if seen.where == "value":
            fault = judge.value(seen.got, seen.truth, dtype, room, positive)
        else:
            fault = judge.slope(seen.got, seen.truth, dtype, room)
        if fault is None:
            dropped.add(place)
        else:
            found.seen[place] = Seen(
                seen.question, seen.where, seen.element, fault, seen.got, seen.truth, seen.cells, seen.said
            )
    found.seen = [seen for place, seen in enumerate(found.seen) if place not in dropped]
    return found
