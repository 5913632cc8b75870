"""The worst points of a pair, and the plainest numbers that still show a fault."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..climb import mutated
from .finding import Severity
from .measured import ASK, Measured, Measuring, Seen, measured
from .pair import Point as Row
from .pair import array
from .result import Point
from .trials import Bench, Question

SURVIVORS, CHILDREN, GENERATIONS = 8, 6, 3
# Rounds of a shrink, and how many plainer points a round tries.
ROUNDS, TRIES = 8, 96
# So many questions are asked before others: the plainest one that may show a fault nearly always does.
AHEAD = 4
# Batches are filled up to a multiple of this: JAX compiles everything anew for a size that it has not seen.
FULL = SURVIVORS * CHILDREN


def climbed(bench: Bench, trial: str, found: Measured, ask: str = ASK) -> Measuring:
    """What is found around the worst points of a trial, around the worst of those, and so on."""
    best, all_found = worst([point for point in found.points if point.trial == trial]), Measured()
    if bench.pair.dear or not bench.pair.columns:
        return all_found
    for _ in range(GENERATIONS):
        if not best:
            break
        points = np.array([[*best[n % len(best)].at.values()] for n in range(FULL)], dtype=float)
        children = mutated(bench.audited[0], points, bench.rng).tolist()
        more = yield from measured(bench.pair, bench.flat(trial, children), ask)
        best = worst([*best, *more.points])
        all_found = joined(all_found, more)
    return all_found


def worst(points: Sequence[Point]) -> list[Point]:
    """Those with the largest errors that are numbers: there is no hill to climb from others."""
    known = [point for point in points if point.error is not None and math.isfinite(point.error)]
    return sorted(known, key=lambda point: -(point.error or 0.0))[:SURVIVORS]


def joined(one: Measured, other: Measured) -> Measured:
    seconds = {**other.seconds, **one.seconds}
    return Measured(one.seen + other.seen, one.points + other.points, one.tried + other.tried, seconds)


def shrunk(bench: Bench, examples: Sequence[Seen], ask: str = ASK) -> Any:
    """The fault of one of the examples at plainer numbers, in smaller shapes; a generator that returns it."""
    seen = yield from _alone(bench, examples, ask)
    # To wait for an answer that does not come, again and again, tells nothing more.
    for _ in range(ROUNDS if seen.fault.severity != Severity.DIES else 0):
        plainer = list(_plainer(bench, seen.question))[: TRIES // 4 if bench.pair.dear else TRIES]
        if bench.batches and not seen.question.batched:
            rows = [q.base[0] for q in plainer]
            rows += rows[-1:] * (-len(rows) % FULL)
            asked = bench.flat(seen.question.trial, rows, seen.question.call.gradient)
            some = yield from measured(bench.pair, asked, ask)
            kept = {cell for other in some.seen if alike(other, seen) for cell in other.cells}
            plainer = [q for place, q in enumerate(plainer) if place in kept]
        better = yield from _first(bench, seen, plainer, ask)
        if better is None:
            return seen
        seen = better
    return seen


def _alone(bench: Bench, examples: Sequence[Seen], ask: str) -> Any:
    """The fault of an example at a single point in numbers, or in a batch of one, or of two, if it is there."""
    width = len(bench.pair.columns)
    for shape, order in (((), 0), ((1,), 0), ((2,), 1), ((2,), -1)) if bench.batches else ():
        smaller: list[Question] = []
        for seen in examples:
            q = seen.question
            # Of a sum over coordinates each may be at fault.
            for place in seen.cells if q.rank and not order else seen.cells[: not q.rank]:
                beside = [cell for n, cell in enumerate(q.cells) if n != place][:1]
                points = [q.cells[place], *beside][:: order or 1][: None if order else 1]
                if len(points) == max(1, int(np.prod(shape))):
                    gradient = q.call.gradient and (seen.where != "value" or seen.element is None)
                    smaller.append(bench.laid(q.trial, points, [shape] * width, gradient))
        found = yield from _first(bench, examples[0], smaller, ask)
        if found is not None:
            return found
    return examples[0]


def _first(bench: Bench, seen: Seen, questions: Sequence[Question], ask: str) -> Any:
    """The fault at the first of some questions that shows it."""
    for start in range(0, len(questions), AHEAD):
        some = questions[start : start + AHEAD]
        found = yield from measured(bench.pair, some, ask)
        for question in some:
            for other in found.seen:
                if other.question is question and alike(other, seen):
                    return other
    return None


def alike(one: Seen, other: Seen) -> bool:
    """Whether it is the same fault at other numbers; a false infinity is none in place of another."""
    first, second = (
        (seen.fault.severity, seen.where, seen.element is None, seen.truth.number == math.inf) for seen in (one, other)
    )
    return first == second


def _plainer(bench: Bench, q: Question) -> Iterator[Question]:
    """The same question at plainer points, the plainest first."""
    tried: list[tuple[int, list[Row]]] = []
    now = sum(weight(bench, point) for point in q.base)
    for base in _changed(bench, q.base):
        cost = sum(weight(bench, point) for point in base)
        if cost < now and base not in [b for _, b in tried]:
            tried.append((cost, base))
    for _, base in sorted(tried, key=lambda pair: pair[0]):
        laid = bench.laid(q.trial, base, q.shapes, q.call.gradient)
        if all(map(bench.inside, laid.cells)) and ends(bench, base) <= ends(bench, q.base):
            yield _around(laid, q)


def ends(bench: Bench, base: list[Row]) -> int:
    """How many arguments are at a closed end of their domain, which is a fault of another kind."""
    if not bench.pair.numeric:
        return 0
    closed: list[set[float]] = []
    for _, argument in bench.pair.columns:
        domain: Any = argument.domain
        closed.append({float(domain.lower)} if domain.left_closed else set())
        closed[-1] |= {float(domain.upper)} if domain.right_closed else set()
    return sum(entry in end for point in base for entry, end in zip(point, closed, strict=True))


def _around(laid: Question, like: Question) -> Question:
    """The laid question with the wrappers of another."""
    q = laid.call.q
    if q is not None and like.call.q is not None:
        q = replace(q, around=like.call.q.around)
    call = replace(laid.call, p=replace(laid.call.p, around=like.call.p.around), q=q)
    return replace(laid, call=call, shape=like.shape, sums=like.sums, rank=like.rank)


def _changed(bench: Bench, base: list[Row]) -> Iterator[list[Row]]:
    """The points with one argument made plainer, or all arguments."""
    width = len(bench.pair.columns)
    if len(base) != 1:
        for digits in (1, 2, 3):
            yield [[_rounded(x, digits) for x in point] for point in base]
        return
    (point,) = base
    for digits in (1, 2, 3, 5):
        yield [[_rounded(x, digits) for x in point]]
    for place in range(width):
        twin = _twin(bench, place)
        for new in _candidates(point[place], None if twin is None else point[twin]):
            yield [[*point[:place], new, *point[place + 1 :]]]
            if twin is not None and _same(point[place], point[twin]):
                both = [new if k in (place, twin) else x for k, x in enumerate(point)]
                yield [both]
        if twin is not None and not _same(point[place], point[twin]) and np.ndim(point[place]) == 0:
            yield from ([p] for p in _moved(point, place, twin))


def _twin(bench: Bench, place: int) -> int | None:
    """The same argument of the other side."""
    side, argument = bench.pair.columns[place]
    other = "q." if side == "p" else "p."
    name = other + argument.name
    return bench.pair.places.index(name) if name in bench.pair.places else None


def _moved(point: Row, place: int, twin: int) -> Iterator[Row]:
    """Both arguments plainer, and the gap between them a power of ten relative to them."""
    x, y = float(point[place]), float(point[twin])
    gap = abs(x - y) / max(abs(y), 1e-300)
    if not 0 < gap < 0.1:
        return
    power = 10.0 ** round(float(np.log10(gap)))
    for size in (1.0, 2.0, 3.0, 5.0, 0.5, 0.1, float(_rounded(y, 1)), float(_rounded(y, 2))):
        for factor in (power, 10 * power, power / 10, 2 * power, 5 * power):
            new = list(point)
            new[twin], new[place] = size, size * (1 + factor)
            yield new


def _candidates(entry: Any, twin: Any) -> Iterator[Any]:
    x = array(entry)
    if twin is not None:
        yield array(twin).tolist()
    if x.ndim:
        square = x.ndim == 2 and x.shape[0] == x.shape[1]
        yield (np.eye(x.shape[0]) if square else np.ones_like(x)).tolist()
        yield np.zeros_like(x).tolist()
        yield (np.full_like(x, 1 / x.size)).tolist()
    else:
        yield from (0.0, 1.0, 2.0, 3.0, 0.5, 0.25, 10.0, -1.0)
        if x and np.isfinite(x):
            yield float(10.0 ** np.round(np.log10(abs(x))) * np.sign(x))
    for digits in (1, 2, 3, 5):
        yield _rounded(entry, digits)


def _rounded(entry: Any, digits: int) -> Any:
    """To so many significant digits, entry by entry."""
    x = array(entry)
    return np.array([float(f"{v:.{digits}g}") for v in x.ravel()]).reshape(x.shape).tolist()


def _same(one: Any, other: Any) -> bool:
    return np.array_equal(array(one), array(other))


def weight(bench: Bench, point: Row) -> int:
    """How much there is to read: characters, and each argument in which P and Q differ as many more."""
    written = sum(len(f"{x!r}") - 2 * float(x).is_integer() for entry in point for x in array(entry).ravel().tolist())
    twins = [(place, _twin(bench, place)) for place in range(len(point) // 2)]
    apart = sum(twin is not None and not _same(point[place], point[twin]) for place, twin in twins)
    return written + 12 * apart
