"""The audit of a whole subject: its pairs, found by calling, conducted over an executor in the time there is."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ... import __version__
from ...backends.store import directory
from ...core.domain import Domain
from ...core.errors import ParameterError, nearest
from ...core.family import Distribution
from . import plainly
from .call import Call, Quantity
from .case import PairCase
from .conduct import Progress, conduct
from .forms import Form, forms
from .job import Case, Steps
from .journal import Journal, dumps
from .laws import Point
from .measured import ASK, question
from .pair import Pair
from .result import Audit, PairResult
from .subjects import subject

DIVERGENCES: tuple[Quantity, ...] = ("kl", "jensenshannon")


@dataclass(frozen=True)
class Plan:
    """What is audited and how: the subject, P's class and Q's if only these, about so many points a trial."""

    subject: str
    p: str | None = None
    q: str | None = None
    only: tuple[str, ...] = ()
    points: int = 64
    seed: int = 0

    @property
    def versions(self) -> dict[str, str]:
        """Of the subject's packages, klsym and Python."""
        return {**subject(self.subject).versions, "klsym": __version__, "python": platform.python_version()}

    @property
    def about(self) -> dict[str, Any]:
        """What a journal is about: the same plan and versions go on from it."""
        return {**asdict(self), "only": list(self.only), "versions": self.versions}

    @property
    def journal(self) -> Path:
        """Where the journal is kept if none is named: found again by the same plan, in klsym's directory."""
        digest = hashlib.sha256(dumps(self.about).encode()).hexdigest()[:16]
        return (
            directory() / "audits" / f"{''.join(c if c.isalnum() else '_' for c in self.subject)[:60]}_{digest}.jsonl"
        )


class OutOfTimeError(Exception):
    """The minutes of an audit are over."""


@dataclass(frozen=True)
class Asked:
    """A pair, or one class alone for its entropy, that is audited if the subject answers for everyday members."""

    audited: PairCase

    @property
    def name(self) -> str:
        return self.audited.name

    def steps(self) -> Steps:
        pair = self.audited.pair
        p = pair.sides["p"]
        q = pair.sides.get("q")
        other = None if q is None else q.made(q.everyday(second=True))
        call = Call(pair.subject, pair.quantity, p.made(p.everyday()), other)
        (outcome,) = yield [question(call, ASK)]
        if outcome["fate"] == "lacking":
            return PairResult(pair.name, answers=False).to_json()
        return (yield from self.audited.steps())


def cases(plan: Plan) -> list[Asked]:
    """Every ordered pair of forms that the plan wants, both of numbers or both of arrays, and every entropy.

    Raises ParameterError for a class that the subject lacks, and for a function without P and Q.
    """
    of, known = subject(plan.subject), forms(plan.subject)
    kinds = {form.kind.casefold(): form.kind for form in known}
    if not of.adapter and plan.p is None:
        raise ParameterError(f"{of.name} is a function; say of which families, as in {of.name} gamma gamma")

    def wanted(name: str) -> str:
        if name.casefold() not in kinds:
            raise ParameterError(f"{of.name} has no class {name!r}{nearest(name, kinds.values())}")
        return kinds[name.casefold()]

    first, second = (None if name is None else wanted(name) for name in (plan.p, plan.q))
    only = set(map(wanted, plan.only))

    def has(quantity: Quantity, form: Form) -> bool:
        return quantity in form.quantities and quantity in of.dialect.functions.get(form.kind, of.dialect.quantities)

    # Functions of arrays take arrays alone.
    bare = set(of.dialect.functions)

    masses = {form.kind for form in known if isinstance(form.law, Point)}

    def beside(p: Form, q: Form) -> bool:
        """All mass at one outcome, beside a density: one is as good as another."""
        single = isinstance(p.law, Point) and isinstance(p.law.domain, Domain)
        return single and isinstance(q.law, Distribution) and (second or "Normal") == q.kind

    def chosen(*sides: Form) -> bool:
        return not only or bool({side.kind for side in sides} & only)

    pairs = [
        Pair(of.name, p.name, q.name)
        for p, q in product(known, repeat=2)
        if first in (None, p.kind) and second in (None, q.kind) and chosen(p, q)
        if any(has(quantity, p) and has(quantity, q) for quantity in DIVERGENCES)
        and (type(p.law) is type(q.law) or beside(p, q))
        and (p.kind == q.kind or not (bare & {p.kind, q.kind} or masses >= {p.kind, q.kind}))
    ]
    alone = [Pair(of.name, p.name) for p in known if first is None and chosen(p) and has("entropy", p)]
    # What takes floats alone has them in one type.
    how: dict[str, Any] = {} if of.adapter and of.dialect.batches != "never" else {"dtypes": ("float64",)}
    sloped = bool(of.dialect.gradient)
    return [
        Asked(
            PairCase(
                of.name,
                pair,
                plan.points,
                plan.seed,
                versions=plan.versions,
                gradients=sloped and not plainly.known(pair),
                **how,
            )
        )
        for pair in (*pairs, *alone)
    ]


def audit(
    plan: Plan,
    executor: Executor,
    flight: int,
    journal: Path | None = None,
    minutes: float | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Audit:
    """The audit of the plan; killed, or out of time, it goes on from its journal when it is asked for again.

    The journal that is not named is removed when everything is finished.
    """
    path = plan.journal if journal is None else journal
    chosen = cases(plan)
    with Journal(path, plan.about) as kept:
        found = dict(within(minutes, chosen, kept, executor, flight, progress))
    if journal is None and len(found) == len(chosen):
        path.unlink()
    return Audit(plan.subject, plan.seed, plan.versions, tuple(result(case, found, minutes) for case in chosen))


def within(
    minutes: float | None,
    chosen: Sequence[Case],
    journal: Journal,
    executor: Executor,
    flight: int,
    progress: Callable[[Progress], None],
) -> Iterator[tuple[str, Any]]:
    """What is finished in the minutes."""
    until = float("inf") if minutes is None else time.monotonic() + 60 * minutes

    def watch(done: Progress) -> None:
        progress(done)
        if time.monotonic() > until and done.done < done.total:
            raise OutOfTimeError

    try:
        yield from conduct(chosen, journal, executor, flight, progress=watch)
    except OutOfTimeError:
        return


def result(case: Asked, found: Mapping[str, Any], minutes: float | None) -> PairResult:
    """What was found of the case, or why nothing was."""
    name = case.audited.pair.name
    if case.name not in found:
        return PairResult(name, skipped={"all": f"not finished in {minutes:g} minutes; the same audit goes on"})
    data = found[case.name]
    if "fate" in data:
        return PairResult(name, skipped={"all": f"klsym failed: {data['said']}"})
    return PairResult.from_json(data)
