"""The table of trials: what a subject is asked, and where the truth of each element of its answer is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..points import draw
from ..rules import DOUBLE, SINGLE
from ..subject import Subject
from . import array_points
from .call import Call
from .composites import COMPOSITES, Composite
from .judge import TYPES
from .laws import UNBATCHED
from .pair import Pair, Point, array, everyday, subjects, whole
from .subjects import subject

Shape = tuple[int, ...]
Dtype = Literal["float64", "float32"]
RULES = {"float64": DOUBLE, "float32": SINGLE}


@dataclass(frozen=True)
class Question:
    """A call, the shape that its answer has to have, and the points of its cells.

    Element i of the answer is the sum of the truths at the cells `sums[i]`; entry j of the batch of an argument goes
    into the cells `feeds[place][j]`. It was laid from the points `base` in the batch shapes `shapes`, and its
    last `rank` axes are coordinates of one outcome.
    """

    trial: str
    call: Call
    shape: Shape
    cells: list[Point]
    sums: list[list[int]]
    feeds: dict[str, list[list[int]]]
    base: list[Point]
    shapes: list[Shape]
    rank: int = 0
    # Whether an exception in place of an answer says no more than that there is none.
    optional: bool = False

    @property
    def batched(self) -> bool:
        """Whether it is more than one point in numbers."""
        return any(self.shapes)


@dataclass
class Bench:
    """What trials draw from: a pair of a library's classes at one type of floats, and a generator of random numbers."""

    subject: str
    pair: Pair
    dtype: Dtype
    rng: np.random.Generator
    budget: int
    gradients: bool = True

    @property
    def batches(self) -> bool:
        dialect = subject(self.pair.subject).dialect
        if UNBATCHED.get(self.pair.subject, frozenset()) & {form.kind for form in self.pair.sides.values()}:
            return False
        single = self.pair.numeric or self.pair.sides["p"].kind in dialect.functions
        return dialect.batches == "always" or (dialect.batches == "numbers" and single)

    @cached_property
    def audited(self) -> tuple[Subject, ...]:
        return subjects(self.pair, RULES[self.dtype])

    def points(self, name: str, n: int) -> list[Point]:
        """At most n points of a set of audit.points, or of everyday ones; none where the pair has none."""
        if not self.pair.numeric:
            return array_points.draw(self.pair, name, n, self.rng, self.dtype)
        if name == "least":
            return []
        found: list[Point] = []
        for one in self.audited:
            each = -(-n // len(self.audited))
            rows = everyday(one, each, self.rng) if name == "everyday" else draw(one, name, each, self.rng)
            # Subnormal numbers are no fault of a formula.
            normal = ((rows == 0) | (np.abs(rows) >= TYPES[self.dtype].smallest)).all(axis=1)
            found += rows[normal].tolist()
        return found[:n]

    def inside(self, point: Point) -> bool:
        """Whether the law has a divergence there, infinite or not."""
        if not self.pair.numeric:
            return array_points.inside(self.pair, point)
        row = np.array([point], dtype=float)
        return any(bool(s.valid(row)[0] or s.infinite(row)[0]) for s in self.audited)

    def laid(self, trial: str, points: Sequence[Point], shapes: Sequence[Shape], gradient: bool = False) -> Question:
        """The question whose argument k has batch shape shapes[k], filled from the points in order."""
        places = [np.arange(int(np.prod(shape))).reshape(shape) for shape in shapes]
        full = np.broadcast_shapes(*shapes)
        spread = [np.broadcast_to(place, full).ravel() for place in places]
        count = int(np.prod(full))
        held = [[self._held(entry) for entry in point] for point in points]
        cells = [[held[where[cell]][k] for k, where in enumerate(spread)] for cell in range(count)]
        columns = [
            self._column(k, [points[i][k] for i in place.ravel().tolist()], shape)
            for k, (place, shape) in enumerate(zip(places, shapes, strict=True))
        ]
        feeds = {
            name: [np.flatnonzero(where == j).tolist() for j in range(int(np.prod(shape)))]
            for name, where, shape in zip(self.pair.places, spread, shapes, strict=True)
        }
        made = self.pair.made(columns)
        # The derivatives' truths cost hundreds of values of arrays: one type of floats is asked for them.
        asked = gradient and self.gradients and (self.pair.numeric or self.dtype == "float64")
        call = Call(self.subject, self.pair.quantity, made["p"], made.get("q"), self.dtype, asked)
        return Question(trial, call, full, cells, [[i] for i in range(count)], feeds, list(points), list(shapes))

    def _held(self, entry: Any) -> Any:
        """The numbers that an array of this type holds for them: plain decimals are no floats of single precision."""
        return entry if self.dtype == "float64" else array(entry).astype(self.dtype).astype(float).tolist()

    def _column(self, k: int, entries: list[Any], shape: Shape) -> Any:
        """Entries as nested lists of that batch shape, of integers where the argument is one."""
        argument = self.pair.columns[k][1]
        event = np.shape(entries[0]) if entries else (2,) * argument.axes
        numbers = array(entries).reshape((*shape, *event))
        return (numbers.astype(int) if whole(argument) else numbers).tolist()

    def flat(self, trial: str, points: Sequence[Point], gradient: bool = False) -> list[Question]:
        """The points as one batch, or one by one."""
        if not points:
            return []
        if not self.batches:
            return [self.laid(trial, [point], [()] * len(self.pair.columns), gradient) for point in points]
        return [self.laid(trial, points, [(len(points),)] * len(self.pair.columns), gradient)]

    def shaped(self, trial: str, shapes: Sequence[Shape], gradient: bool = False) -> list[Question]:
        """Everyday points in these batch shapes, chosen so that every cell is one where there is a divergence."""
        if not self.batches or not shapes:
            return []
        needed = max(int(np.prod(shape)) for shape in shapes)
        if not needed and not self.pair.numeric:
            return []  # nested lists do not tell the size of an outcome then
        for _ in range(40):
            points = self.points("everyday", needed)
            if len(points) < needed:
                return []
            question = self.laid(trial, points, shapes, gradient)
            if all(map(self.inside, question.cells)):
                return [question]
        return []


WIDE: Shape = (3, 2)


def wrapped(question: Question, composite: Composite) -> Question:
    """The question with something around P and Q: whose last axis is summed, which is widened, or neither."""
    call = question.call
    assert call.q is not None
    call = replace(call, p=replace(call.p, around=composite.p), q=replace(call.q, around=composite.q))
    wide = any(list(WIDE) in arguments.values() for _, arguments in (*composite.p, *composite.q))
    full = WIDE if wide else question.shape
    cells = np.broadcast_to(np.arange(len(question.cells)).reshape(question.shape), full)
    rank = 1 if composite.meaning == "sum" else 0
    kept = full[: len(full) - rank]
    sums = [own * composite.times for own in cells.reshape((int(np.prod(kept)), -1)).tolist()]
    return replace(question, call=call, shape=kept, sums=sums, rank=max(rank, int(wide)), optional=True)


def summed(question: Question, rank: int) -> Question:
    """The question with the last axes of its batch made coordinates of one outcome, independent of each other."""
    around = (("Independent", {"reinterpreted_batch_ndims": rank}),)
    kept = question.shape[: len(question.shape) - rank]
    sums = np.arange(len(question.cells)).reshape((int(np.prod(kept)), -1)).tolist()
    call, q = question.call, question.call.q
    call = replace(call, p=replace(call.p, around=around), q=None if q is None else replace(q, around=around))
    return replace(question, call=call, shape=kept, sums=sums, rank=rank, optional=True)


@dataclass(frozen=True)
class Trial:
    """One kind of question: faults of one `kind` and severity are one finding."""

    name: str
    kind: str
    ask: Callable[[Bench, str], list[Question]]
    # Whether the worst points are climbed from.
    climbs: bool = False


def at(points: str, share: float, gradient: bool = False) -> Callable[[Bench, str], list[Question]]:
    """A batch from a set of points, of a share of the budget."""

    def ask(bench: Bench, trial: str) -> list[Question]:
        return bench.flat(trial, bench.points(points, max(4, int(bench.budget * share))), gradient)

    return ask


def scalars(bench: Bench, trial: str) -> list[Question]:
    """Numbers, not batches of them, with derivatives and without."""
    rank0: list[Shape] = [()] * len(bench.pair.columns)
    points = bench.points("everyday", 2)
    return [bench.laid(trial, [point], rank0, gradient) for point, gradient in zip(points, (False, True), strict=False)]


def sides(p: Shape, q: Shape, gradient: bool = False) -> Callable[[Bench, str], list[Question]]:
    """P in one batch shape and Q in another."""

    def ask(bench: Bench, trial: str) -> list[Question]:
        return bench.shaped(trial, [p if side == "p" else q for side, _ in bench.pair.columns], gradient)

    return ask


def unequal(bench: Bench, trial: str) -> list[Question]:
    """The arguments of one distribution in unequal shapes."""
    shapes: list[Shape] = [((3, 1), (2,), ())[k % 3] for k in range(len(bench.pair.columns))]
    return bench.shaped(trial, shapes, gradient=True)


def alone(bench: Bench, trial: str) -> list[Question]:
    """One argument in a batch, the others numbers."""
    count = len(bench.pair.columns)
    return [
        question
        for k in range(count)
        for question in bench.shaped(trial, [(2,) if k == j else () for j in range(count)])
    ]


def mixed(*others: str) -> Callable[[Bench, str], list[Question]]:
    """Everyday points beside one of another kind, which is to leave the rest as they are, derivatives too."""

    def ask(bench: Bench, trial: str) -> list[Question]:
        found: list[Question] = []
        for name in others:
            if strange := bench.points(name, 1):
                found += bench.flat(trial, [*bench.points("everyday", 2), *strange], gradient=True)
        return found

    return ask


def independent(shape: Shape, rank: int, gradient: bool = False) -> Callable[[Bench, str], list[Question]]:
    def ask(bench: Bench, trial: str) -> list[Question]:
        shapes = [shape] * len(bench.pair.columns)
        return [summed(question, rank) for question in bench.shaped(trial, shapes, gradient)]

    return ask


def coincident(bench: Bench, trial: str) -> list[Question]:
    """Everyday points in which arguments are 0, 1, or those of the other side, so that supports touch, or are one."""
    if not (bench.pair.numeric and bench.pair.columns):
        return []
    found: list[Point] = []
    for point in bench.points("everyday", max(8, bench.budget // 2)):
        new, marks = list(point), [0.0, 1.0, *point]
        for place in bench.rng.integers(0, len(point), 2).tolist():
            new[place] = marks[int(bench.rng.integers(len(marks)))]
        if bench.inside(new):
            found.append(new)
    return bench.flat(trial, found)


def composites(bench: Bench, trial: str) -> list[Question]:
    """What the library puts around batches of two, where the truth follows from what is inside."""
    if bench.pair.q is None:
        return []
    known = [c for c in COMPOSITES.get(bench.subject, ()) if c.meaning != "none"]
    if not bench.pair.numeric:
        known = [c for c in known if not c.name.endswith("objects") and "object" not in c.name]
    shapes: list[Shape] = [(2,)] * len(bench.pair.columns)
    return [wrapped(question, c) for c in known for question in bench.shaped(trial, shapes)]


def sizes(bench: Bench, trial: str) -> Iterator[Question]:
    """Outcomes of two coordinates and of five, and of one where that is no single class or share."""
    if not bench.pair.numeric:
        listed = any(argument.domain in array_points.LISTS for _, argument in bench.pair.columns)
        for size in (2, 5) if listed else (1, 2, 5):
            points = array_points.draw(bench.pair, "everyday", 2, bench.rng, bench.dtype, size)
            yield from bench.flat(trial, points, gradient=size < 3)


TRIALS = (
    Trial("everyday", "value", at("everyday", 0.1)),
    Trial("scalars", "value", scalars),
    Trial("generic", "value", at("generic", 1), climbs=True),
    Trial("sizes", "value", lambda bench, trial: list(sizes(bench, trial))),
    Trial("equal", "equal", at("equal", 0.3)),
    Trial("one parameter near", "near", at("near-one", 1), climbs=True),
    Trial("all parameters near", "near", at("near-all", 0.7), climbs=True),
    Trial("near along a ray", "near", at("ray", 0.4)),
    Trial("neighbouring floats", "near", at("neighbours", 0.4)),
    Trial("extreme", "extreme", at("extreme", 1), climbs=True),
    Trial("extreme, one parameter near", "extreme", at("extreme near-one", 0.4)),
    Trial("extreme, all parameters near", "extreme", at("extreme near-all", 0.4)),
    Trial("extreme along a ray", "extreme", at("extreme ray", 0.3)),
    Trial("ends of domains", "ends", at("ends", 0.6)),
    Trial("subnormal shares", "ends", at("least", 1)),
    Trial("arguments that coincide", "ends", coincident),
    Trial("infinite", "infinite", at("infinite", 0.4)),
    Trial("P (3, 1), Q (2,)", "shape", sides((3, 1), (2,), gradient=True)),
    Trial("P a number, Q (2,)", "shape", sides((), (2,), gradient=True)),
    Trial("P (2,), Q a number", "shape", sides((2,), (), gradient=True)),
    Trial("P (1,), Q (3,)", "shape", sides((1,), (3,))),
    Trial("P (2, 3), Q (2, 3)", "shape", sides((2, 3), (2, 3))),
    Trial("P (0,), Q (0,)", "shape", sides((0,), (0,))),
    Trial("arguments (3, 1) and (2,)", "shape", unequal),
    Trial("one argument in a batch", "shape", alone),
    Trial("Independent of rank 1", "independent", independent((2, 3), 1)),
    Trial("Independent of rank 2", "independent", independent((2, 3), 2, gradient=True)),
    Trial("composites", "composites", composites),
    Trial("derivatives, everyday", "derivatives", at("everyday", 0.05, gradient=True)),
    Trial("derivatives, generic", "derivatives", at("generic", 0.2, gradient=True)),
    Trial("derivatives, equal", "derivatives, equal", at("equal", 0.1, gradient=True)),
    Trial("derivatives, near", "derivatives, near", at("near-all", 0.1, gradient=True)),
    Trial("derivatives, ends", "derivatives, ends", at("ends", 0.2, gradient=True)),
    Trial("an end in a batch", "in a batch", mixed("ends", "infinite")),
)
# Trials at everyday arguments, which nobody should refuse.
ORDINARY = {t.name for t in TRIALS if t.kind in ("value", "shape", "independent", "composites", "derivatives")}
