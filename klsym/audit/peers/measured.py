"""Questions put to a subject and to the truth, and the faults of the answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from ...arrays.domain import simplex
from . import judge, result
from .call import Call, Outcome
from .finding import Severity
from .job import Job
from .judge import Fault
from .pair import Pair, Point, array, whole
from .trials import ORDINARY, Question
from .truth import Truth, read, total

TRUTH = "klsym.audit.peers.truth"
ASK = "klsym.audit.peers.child:ask"
# Points a job, an eighth of that for arrays.
BLOCK = 256
UNDECIDED = Truth(None)
# What a job that came to nothing does not say of its outcome.
SILENT = Outcome("raised").to_json()
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
    """What was seen at some questions: faults, the values of pairs of numbers, how many were judged, and the times.

    `tried` is by trial and by what was judged: "generic/value", "generic/slope", "generic/whole". `seconds` are of an
    element, by trial.
    """

    seen: list[Seen] = field(default_factory=list)
    points: list[result.Point] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)


Measuring = Generator[list[Job], list[Any], Measured]


def question(call: Call, ask: str) -> Job:
    return Job(ask, call.to_json())


def measured(pair: Pair, questions: Sequence[Question], ask: str = ASK) -> Measuring:
    """The faults of a subject at some questions; the jobs asked for are its answers and their truths."""
    cells = [cell for q in questions for cell in q.cells]
    sloped = [cell for q in questions if q.call.gradient for cell in q.cells]
    about = [*_parts(pair, "values", cells), *_parts(pair, "slopes", sloped)]
    answers = yield [*(question(q.call, ask) for q in questions), *about]
    truths = _joined(about, answers[len(questions) :])
    values, slopes = iter(truths[: len(cells)]), iter(truths[len(cells) :])
    found, doubtful = Measured(), list[tuple[Seen, int]]()
    for q, answer in zip(questions, answers, strict=False):
        outcome = Outcome.from_json({**SILENT, **answer})
        known = [UNDECIDED if v is None else read(v) for v in islice(values, len(q.cells))]
        rows = list(islice(slopes, len(q.cells))) if q.call.gradient else []
        for seen in _judged(q, outcome, known, rows, found, pair):
            if seen.fault.severity in OPEN:
                doubtful.append((seen, len(found.seen)))
            found.seen.append(seen)
    return (yield from _decided(pair, found, doubtful))


def _parts(pair: Pair, function: str, points: Sequence[Point], **more: Any) -> list[Job]:
    """The truths at many points as jobs of some seconds each."""
    size = BLOCK if pair.numeric else BLOCK // 8
    blocks = [points[n : n + size] for n in range(0, len(points), size)]
    return [Job(f"{TRUTH}:{function}", {"pair": pair.named, "points": block, **more}) for block in blocks]


def _joined(jobs: Sequence[Job], answers: Sequence[Any]) -> list[Any]:
    """The answers of such jobs point by point, None where a job came to nothing."""
    found: list[Any] = []
    for job, answer in zip(jobs, answers, strict=True):
        found += answer if isinstance(answer, list) else [None] * len(job.argument["points"])
    return found


def _judged(
    q: Question, outcome: Outcome, values: list[Truth], rows: list[Any], found: Measured, pair: Pair
) -> Iterator[Seen]:
    """The faults if rounding had no part in them."""
    found.tried[f"{q.trial}/whole"] += 1
    if fault := judge.whole(q.call, outcome, q.shape):
        shown = f"{outcome.fate}: {outcome.said}" if outcome.fate != "answered" else f"{outcome.shape} {outcome.dtype}"
        # Nothing is said of an answer that would be no number anyway, nor where extreme arguments are refused;
        # what cannot be made is a fault of its class, which its pair with itself tells.
        refused = outcome.refused and (q.trial not in ORDINARY or pair.q not in (None, pair.p))
        silent = refused or q.optional or any(not v.finite for v in values)
        if outcome.fate != "raised" or not silent:
            yield Seen(q, "value", None, fault, shown, UNDECIDED, tuple(range(len(q.cells))), outcome.said)
        return
    if outcome.fate != "answered":
        return
    got = np.asarray(outcome.value, dtype=float).ravel()
    for element, (number, cells) in enumerate(zip(got.tolist(), q.sums, strict=True)):
        truth = total([values[cell] for cell in cells])
        found.tried[f"{q.trial}/value"] += truth.number is not None
        positive = q.call.q is not None
        if pair.numeric and len(cells) == 1:
            found.points.append(_point(pair, q, q.cells[cells[0]], number, truth))
        if fault := judge.value(number, truth, q.call.dtype, lambda: 0.0, positive):
            yield Seen(q, "value", element, fault, number, truth, tuple(cells))
    if got.size:
        found.seconds.setdefault(q.trial, outcome.seconds / got.size)
    for place in pair.places if q.call.gradient else ():
        slopes = [None if row is None else [read(entry) for entry in row[pair.places.index(place)]] for row in rows]
        yield from _slopes(q, outcome, place, slopes, found, pair)


def _point(pair: Pair, q: Question, cell: Point, got: float, truth: Truth) -> result.Point:
    """The number beside the truth, as it is reported."""
    at = dict(zip(pair.places, map(float, cell), strict=True))
    if truth.number is None:
        return result.Point(q.trial, at, got, math.nan, None, dtype=q.call.dtype)
    error = judge.relative(got, truth, q.call.dtype)
    return result.Point(q.trial, at, got, float(truth.number), error, dtype=q.call.dtype)


def _slopes(
    q: Question, outcome: Outcome, place: str, slopes: list[Any], found: Measured, pair: Pair
) -> Iterator[Seen]:
    """The faults of the derivatives by one argument; one that is no float has none."""
    column = pair.places.index(place)
    argument = pair.columns[column][1]
    if whole(argument):
        return
    got = outcome.gradients.get(place)
    entries = np.size(q.base[0][column]) if q.base else 0
    there = [array(point[column]) for point in q.base[: len(q.feeds[place])]]
    numbers = [None] * (entries * len(q.feeds[place])) if got is None else _free(argument.domain, got, there)
    for element, (number, (cells, entry)) in enumerate(
        zip(numbers, ((c, e) for c in q.feeds[place] for e in range(entries)), strict=True)
    ):
        known = [UNDECIDED if slopes[cell] is None else slopes[cell][entry] for cell in cells]
        truth = total(known) if known else UNDECIDED
        found.tried[f"{q.trial}/slope"] += truth.finite
        if fault := judge.slope(number, truth, q.call.dtype, lambda: 0.0):
            yield Seen(q, place, element, fault, number, truth, tuple(cells))


def _free(domain: Any, got: Any, there: list[Any]) -> list[float]:
    """The entries of a derivative; off the diagonal of a symmetric matrix the sum of both.

    On the simplex it is known up to a constant, the one with which it is that of a function of p over the sum of p.
    """
    numbers = np.asarray(got, dtype=float)
    if domain is simplex and numbers.size:
        shares = np.reshape(there, numbers.shape)
        weighed = np.multiply(shares, numbers, out=np.zeros_like(shares), where=shares != 0)
        numbers = numbers - weighed.sum(-1, keepdims=True) / shares.sum(-1, keepdims=True)
    if str(domain) == "positive definite matrices":
        diagonal = np.eye(numbers.shape[-1], dtype=bool)
        numbers = np.where(diagonal, numbers, numbers + np.swapaxes(numbers, -1, -2))
    return numbers.ravel().tolist()


def _decided(pair: Pair, found: Measured, doubtful: list[tuple[Seen, int]]) -> Measuring:
    """The same faults once it is known what rounding can do."""
    wanted: dict[str | None, dict[str, Point]] = {}
    for seen, _ in doubtful:
        for cell in seen.cells:
            point = seen.question.cells[cell]
            wanted.setdefault(_by(pair, seen), {})[repr(point)] = point
    jobs = [job for by, points in wanted.items() for job in _parts(pair, "rooms", [*points.values()], by=by)]
    keys = [(by, key) for by, points in wanted.items() for key in points]
    rooms = dict(zip(keys, _joined(jobs, (yield jobs)) if jobs else [], strict=True))
    dropped: set[int] = set()
    for seen, place in doubtful:
        mine = [rooms[_by(pair, seen), repr(seen.question.cells[cell])] for cell in seen.cells]
        room = partial(math.fsum, [math.nan if r is None else r for r in mine])
        dtype, positive = seen.question.call.dtype, seen.question.call.q is not None
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


def _by(pair: Pair, seen: Seen) -> str | None:
    """What the room of a fault is asked by: for arrays it is one of the value and its derivatives."""
    return None if seen.where == "value" or not pair.numeric else seen.where
