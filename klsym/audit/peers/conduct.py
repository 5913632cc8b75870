"""Many cases at once over an executor: their jobs are computed, kept and handed back until every case is finished."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

from ...core.errors import KlsymError, ParameterError
from ...render import lasting, pace
from .job import Case, Job, Steps
from .journal import Journal, dumps
from .perform import Limits, failed, perform, told

# Progress is told about so many times a second, and whenever a case is finished.
_TELL = 4.0


@dataclass(frozen=True)
class Progress:
    """How far an audit is: cases, those of them that were finished before it began, jobs computed since, seconds."""

    done: int
    total: int
    before: int
    jobs: int
    seconds: float

    @property
    def rate(self) -> float:
        """Jobs a second, those not counted that the journal had."""
        return self.jobs / self.seconds if self.seconds else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds to go if the other cases take as long as those finished now; None while there are none."""
        now = self.done - self.before
        return self.seconds * (self.total - self.done) / now if now else None

    def __str__(self) -> str:
        left = f", {lasting(self.remaining)} left" if self.remaining else ""
        return f"pairs, {pace(self.rate)} jobs/s{left}"


@dataclass(eq=False)
class _Open:
    """A case under way: its generator, the keys of the jobs that it asked for last, and how many are not known yet."""

    number: int
    name: str
    steps: Steps
    keys: list[str] | None = None
    missing: int = 0


def conduct(
    cases: Sequence[Case],
    journal: Journal,
    executor: Executor,
    flight: int,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    progress: Callable[[Progress], None] = lambda _: None,
) -> Iterator[tuple[str, Any]]:
    """The name and the findings of each case as soon as it is finished, in whatever order that is.

    Jobs go to the executor, at most `flight` at a time, unless the journal has them, and what becomes of them is kept
    there: it holds all but the jobs in flight when this is stopped, and the same call goes on from it. What is found
    depends on neither executor nor `flight`. A job that raises, dies, hangs or eats memory has the result that
    `perform` gives it; a case that raises has the findings {"fate": "raised", "said": ...}, which are not kept.
    `progress` is called several times a second, whatever happens, and may end it all by raising.
    Raises ParameterError where two cases have one name, and KlsymError where the executor itself fails.
    """
    for name, times in Counter(case.name for case in cases).items():
        if times > 1:
            raise ParameterError(f"{times} cases are called {name!r}; give each its own name")
    return _Conductor(cases, journal, executor, flight, limits, progress).run()


class _Conductor:
    """The state of `conduct`, all of it in one thread; only the queue of finished futures is shared with others."""

    def __init__(
        self,
        cases: Sequence[Case],
        journal: Journal,
        executor: Executor,
        flight: int,
        limits: Limits,
        progress: Callable[[Progress], None],
    ) -> None:
        self.cases, self.journal, self.executor = cases, journal, executor
        self.flight, self.limits, self.progress = flight, limits, progress
        # Jobs of cases that were begun before others go first, so that these are finished before others.
        self.queued: list[tuple[int, int, str, Job]] = []
        self.order = count()
        self.flying: dict[Future[str], str] = {}
        self.landed: SimpleQueue[Future[str]] = SimpleQueue()
        # The cases that wait for a job, by its key: two may ask the same, and one of them the same twice.
        self.waiting: dict[str, list[_Open]] = {}
        self.jobs = self.done = self.before = 0
        self.started = self.told = time.monotonic()

    def run(self) -> Iterator[tuple[str, Any]]:
        ahead = deque(self.cases)
        try:
            # A case is begun where there is room in flight and nothing has landed: few are open at a time.
            while ahead or self.flying:
                if self.landed.empty() and ahead and len(self.flying) < self.flight:
                    yield from self._begin(ahead.popleft())
                else:
                    yield from self._land(self._next())
                self._submit()
        finally:
            for future in self.flying:
                future.cancel()

    def _begin(self, case: Case) -> Iterator[tuple[str, Any]]:
        if self.journal.has("case", case.name):
            self.before += 1
            yield self._finished(case.name, self.journal.get("case", case.name))
        else:
            yield from self._resume(_Open(next(self.order), case.name, case.steps()))

    def _resume(self, opened: _Open) -> Iterator[tuple[str, Any]]:
        """Take the case on to the first jobs that are not known yet, or to its end."""
        while not opened.missing:
            try:
                jobs = opened.steps.send(self._results(opened.keys))
                opened.keys = [job.key for job in jobs]
            except StopIteration as stop:
                yield self._finish(opened.name, stop.value)
                return
            except Exception as error:
                yield self._finished(opened.name, json.loads(failed("raised", told(error))))
                return
            for key, job in zip(opened.keys, jobs, strict=True):
                if not self.journal.has("key", key):
                    opened.missing += 1
                    others = self.waiting.setdefault(key, [])
                    if not others:
                        heappush(self.queued, (opened.number, next(self.order), key, job))
                    others.append(opened)

    def _results(self, keys: list[str] | None) -> Any:
        return None if keys is None else [self.journal.get("key", key) for key in keys]

    def _submit(self) -> None:
        while self.queued and len(self.flying) < self.flight:
            *_, key, job = heappop(self.queued)
            future = self.executor.submit(perform, job.function, job.argument, self.limits)
            self.flying[future] = key
            future.add_done_callback(self.landed.put)

    def _next(self) -> Future[str]:
        """What lands next; how far it is is told meanwhile too, so that whoever listens can end the wait."""
        while True:
            with suppress(Empty):
                return self.landed.get(timeout=1 / _TELL)
            self._tell()

    def _land(self, future: Future[str]) -> Iterator[tuple[str, Any]]:
        """Keep the result of a job, and take on the cases that waited for it."""
        key = self.flying.pop(future)
        self.journal.put("key", key, self._text(future))
        self.jobs += 1
        self._tell()
        for opened in self.waiting.pop(key):
            opened.missing -= 1
            if not opened.missing:
                yield from self._resume(opened)

    def _text(self, future: Future[str]) -> str:
        try:
            return future.result()
        except KlsymError:
            raise
        except Exception as error:
            raise KlsymError(
                f"the executor failed with {told(error)}; {self.journal.path} holds {self.journal.counts['key']} "
                "results, and the same audit goes on from there"
            ) from error

    def _finish(self, name: str, findings: Any) -> tuple[str, Any]:
        try:
            self.journal.put("case", name, dumps(findings))
        except (TypeError, ValueError) as error:
            return self._finished(name, json.loads(failed("raised", told(error))))
        return self._finished(name, self.journal.get("case", name))

    def _finished(self, name: str, findings: Any) -> tuple[str, Any]:
        self.done += 1
        self._tell(now=True)
        return name, findings

    def _tell(self, now: bool = False) -> None:
        if now or time.monotonic() > self.told + 1 / _TELL:
            self.told = time.monotonic()
            seconds = self.told - self.started
            self.progress(Progress(self.done, len(self.cases), self.before, self.jobs, seconds))
