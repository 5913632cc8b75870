"""One pair of a library's classes, audited: every trial, the worst points, the plainest numbers, the findings."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import mpmath as mp
import numpy as np

from . import densities
from .call import Call
from .finding import Finding, Severity
from .job import Job, Steps
from .judge import TYPES
from .laws import Point, Unknown
from .measured import ASK, TRUTH, Measured, Seen, measured, question
from .pair import Pair
from .reproducer import Expectation, Fault, reproducer
from .result import PairResult
from .search import climbed, joined, shrunk, weight
from .trials import TRIALS, Bench, Dtype, Question

DTYPES: tuple[Dtype, ...] = ("float64", "float32")
# Faults of these severities have one cause, terms that cancel, whatever the trial.
ROUNDED = (Severity.LOST_DIGITS, Severity.WRONG_SIGN)
# Faults of the whole answer are the same in every trial.
WHOLE = (Severity.DIES, Severity.WRONG_SHAPE)
# That there is a number, and that it is finite, is true or not.
BINARY = (Severity.NAN, Severity.FALSE_INFINITY, Severity.MISSING_GRADIENT)
# The kinds of trials of which the numbers are everyday ones.
BATCHED = ("shape", "independent", "composites", "in a batch")
FAULTS: dict[Severity, Fault] = {
    Severity.LOST_DIGITS: "value",
    Severity.MISSING_GRADIENT: "gradient",
    Severity.NAN: "nan",
    Severity.FALSE_INFINITY: "infinity",
    Severity.WRONG_SIGN: "sign",
    Severity.WRONG_GRADIENT: "value",
    Severity.WRONG_VALUE: "value",
    Severity.DIES: "exception",
}


@dataclass(frozen=True)
class PairCase:
    """A pair of forms of a subject, of about `points` points a trial; the same seed does the same again.

    Without `gradients` the subject has no derivatives.
    `ask` is the function that answers calls, "package.module:function", and `script` makes a finding's reproducer.
    """

    subject: str
    pair: Pair
    points: int = 64
    seed: int = 0
    dtypes: tuple[Dtype, ...] = DTYPES
    ask: str = ASK
    versions: Mapping[str, str] = field(default_factory=dict)
    gradients: bool = True
    script: Callable[[Call, Expectation], str] = reproducer

    @property
    def name(self) -> str:
        return f"{self.subject} {self.pair.name}"

    def steps(self) -> Steps:
        """A PairResult as plain data; what klsym itself has doubts about is not judged, and says so in `skipped`."""
        strange = [form.name for form in self.pair.sides.values() if isinstance(form.law, Unknown)]
        if strange or (self.pair.q is None and isinstance(self.pair.law("p"), Point)):
            strange.append(self.pair.p)
            return PairResult(
                self.pair.name, skipped={"all": f"{strange[0]} has no law whose divergence is known"}
            ).to_json()
        (proof,) = yield [Job(f"{TRUTH}:proof", {"pair": self.pair.named})]
        doubts = [] if proof.get("sound") else [proof["said"]]
        for side in ("p", "q") if self.pair.q not in (None, self.pair.p) else ("p",):
            doubts += yield from densities.doubts(self.subject, self.pair, side, self.seed, self.ask)
        if doubts:
            return PairResult(self.pair.name, skipped={"all": "; ".join(doubts)}).to_json()
        groups: dict[Any, Group] = {}
        whole = Measured()
        for dtype in self.dtypes:
            bench = self.bench(dtype)
            if not whole.points and not (yield from self._answers(bench)):
                return PairResult(self.pair.name, answers=False).to_json()
            found = yield from self._swept(bench)
            collect(groups, bench, found)
            whole = joined(whole, found)
        findings: list[Finding] = []
        for group in merged(groups):
            seen = yield from shrunk(group.bench, group.plainest, self.ask)
            found = self._finding(group, seen, proof["said"])
            if not any(same(found, other) for other in findings):
                findings.append(found)
        tried = {name: sum(whole.tried[f"{name}/{of}"] for of in ("value", "slope")) for name in KINDS}
        return PairResult(
            self.pair.name,
            findings=tuple(findings),
            points=tuple(whole.points),
            tried={name: count for name, count in tried.items() if count},
            seconds=whole.seconds.get("generic"),
        ).to_json()

    def _answers(self, bench: Bench) -> Generator[list[Job], list[Any], bool]:
        """Whether the library has this divergence at all."""
        calls = [q.call for point in bench.points("everyday", 2) for q in bench.flat("everyday", [point])]
        outcomes = yield [question(call, self.ask) for call in calls]
        return not calls or any(outcome["fate"] != "lacking" for outcome in outcomes)

    def bench(self, dtype: Dtype) -> Bench:
        """What the trials draw from: the generator depends on nothing but the seed, the pair and the type."""
        rng = np.random.default_rng([self.seed, zlib.crc32(f"{self.pair.name} {dtype}".encode())])
        budget = self.points // 4 if self.pair.dear else self.points
        return Bench(self.subject, self.pair, dtype, rng, budget, self.gradients)

    def _swept(self, bench: Bench) -> Generator[list[Job], list[Any], Measured]:
        """All trials, and the neighbourhood of the worst points of some; no more than one of what dies at once."""
        questions = [q for trial in TRIALS for q in trial.ask(bench, trial.name)]
        found = yield from measured(self.pair, questions[:1], self.ask)
        if any(seen.fault.severity == Severity.DIES for seen in found.seen):
            return found
        found = joined(found, (yield from measured(self.pair, questions[1:], self.ask)))
        for trial in TRIALS:
            if trial.climbs:
                found = joined(found, (yield from climbed(bench, trial.name, found, self.ask)))
        return found

    def _finding(self, group: Group, seen: Seen, proof: str) -> Finding:
        q, truth = seen.question, seen.truth
        element = _place(seen)
        return Finding(
            subject=self.subject,
            pair=self.pair.name,
            trial=q.trial,
            severity=seen.fault.severity,
            call=q.call,
            element=element,
            got=f"{seen.got!r}" if isinstance(seen.got, float) else str(seen.got),
            truth=_shown(seen),
            proof=proof if truth.number is not None else "the broadcast batch shape and type of the arguments",
            error=seen.fault.error,
            seen=group.seen,
            tried=group.tried,
            script=self.script(q.call, _expectation(seen, element)),
            seed=self.seed,
            versions=self.versions,
            where=seen.where,
        )


@dataclass
class Group:
    """Faults that are one finding: a few of the plainest of them, and how often they were seen."""

    bench: Bench
    kind: str
    severity: Severity
    plainest: list[Seen]
    seen: int
    tried: int

    @property
    def systematic(self) -> bool:
        return 2 * self.seen >= self.tried


EXAMPLES = 6
KINDS = {trial.name: trial.kind for trial in TRIALS}
ORDER = list(dict.fromkeys(trial.kind for trial in TRIALS))


def kind(seen: Seen) -> str:
    """What a fault is grouped by, beside its severity."""
    severity = seen.fault.severity
    if severity in ROUNDED:
        return "near"
    return "shape" if severity in WHOLE else _kind(KINDS[seen.question.trial], seen.where)


def _kind(of: str, where: str) -> str:
    """The kind of a trial; what is asked for derivatives has a value as other questions have."""
    return of if where != "value" else of.removeprefix("derivatives").removeprefix(", ") or "value"


def collect(groups: dict[Any, Group], bench: Bench, found: Measured) -> None:
    """Add what was seen in one type of floats to the groups; the first type that shows a fault keeps it."""
    for seen in found.seen:
        key = kind(seen), seen.fault.severity
        if key not in groups:
            of = "whole" if seen.element is None else "value" if seen.where == "value" else "slope"
            anywhere = key[1] in (*ROUNDED, *WHOLE)
            alike = [name for name, each in KINDS.items() if anywhere or _kind(each, seen.where) == key[0]]
            tried = sum(found.tried[f"{name}/{of}"] for name in alike)
            groups[key] = Group(bench, *key, [], 0, tried)
        group = groups[key]
        if group.bench is not bench:
            continue
        group.seen += 1
        group.plainest = sorted([*group.plainest, seen], key=lambda each: _weight(bench, each))[:EXAMPLES]


def _weight(bench: Bench, seen: Seen) -> tuple[int, int]:
    cells = [seen.question.cells[cell] for cell in seen.cells]
    return len(seen.question.shape), sum(weight(bench, point) for point in cells)


def merged(groups: Mapping[Any, Group]) -> Iterator[Group]:
    """The groups that are faults of their own, the everyday ones first.

    What most everyday points show is seen elsewhere too, and a formula that is wrong there has wrong signs,
    infinities and derivatives. Digits are lost where signs are wrong.
    """
    kept: list[Group] = []
    for group in sorted(groups.values(), key=lambda g: (ORDER.index(g.kind), -g.severity)):
        if not any(_explains(other, group) for other in kept):
            kept.append(group)
            yield group


def _explains(one: Group, other: Group) -> bool:
    if one.severity in ROUNDED and other.severity in ROUNDED:
        return True
    if not one.systematic or other.severity in WHOLE:
        return False
    broken = one.kind == "value" and one.severity == Severity.WRONG_VALUE
    return one.severity == other.severity or broken


def same(found: Finding, other: Finding) -> bool:
    """Whether a finding is a fault that another one shows: at the same numbers, or a like one at single numbers.

    That there is no number, or an infinite one, is one fault all over the inside of the domains; so is what was seen in
    a batch and is there without it. A fault in doubles is also one in single precision.
    """
    if (found.severity, found.where == "value") != (other.severity, other.where == "value"):
        return False
    if (found.where, found.call.p, found.call.q) == (other.where, other.call.p, other.call.q):
        return True
    kind, inside = KINDS[found.trial], {"ends" in KINDS[each.trial] for each in (found, other)}
    covered = other.call.dtype in ("float64", found.call.dtype) and _single(found) and _single(other)
    alike = kind in BATCHED or (found.severity in BINARY and len(inside) == 1)
    return covered and alike and ("inf" in found.truth) == ("inf" in other.truth)


def _single(found: Finding) -> bool:
    """Whether it is one member beside one other, in numbers."""
    sides = [side for side in (found.call.p, found.call.q) if side is not None]
    return found.element == () and found.truth != "an answer" and not any(side.around for side in sides)


def _place(seen: Seen) -> tuple[int, ...]:
    """The indices of the element in the answer, or in the argument of the derivative."""
    if seen.element is None:
        return ()
    shape = seen.question.shape
    if seen.where != "value":
        side, _, name = seen.where.partition(".")
        made = seen.question.call.p if side == "p" else seen.question.call.q
        assert made is not None
        shape = np.shape(made.arguments[name])
    return tuple(map(int, np.unravel_index(seen.element, shape))) if shape else ()


def _shown(seen: Seen) -> str:
    if seen.truth.number is not None:
        return mp.nstr(seen.truth.number, 20)
    q: Question = seen.question
    return f"{q.shape} {q.call.dtype}" if seen.fault.severity == Severity.WRONG_SHAPE else "an answer"


def _expectation(seen: Seen, element: tuple[int, ...]) -> Expectation:
    """What a script is to find wrong."""
    q, severity = seen.question, seen.fault.severity
    if severity == Severity.WRONG_SHAPE:
        got_shape = str(seen.got).rpartition(" ")[0]
        if got_shape != str(q.shape):
            return Expectation("shape", str(q.shape))
        return Expectation("dtype", q.call.dtype)
    if seen.element is None:
        return Expectation("exception")
    bound = TYPES[q.call.dtype].half
    if severity == Severity.WRONG_GRADIENT and seen.fault.error is not None:
        bound = min(bound, 0.5 * seen.fault.error * TYPES[q.call.dtype].eps)
    return Expectation(FAULTS[severity], mp.nstr(seen.truth.number, 20), bound, seen.where, element)
