"""One job, done in a process of its own: whatever becomes of it, there is a result."""

from __future__ import annotations

import importlib
import json
import os
import re
import threading
from dataclasses import dataclass
from typing import Any

from ...core.errors import KlsymError
from ...core.worker import Pool, Worker, converse
from .call import Fate
from .journal import dumps


@dataclass(frozen=True)
class Limits:
    """What one job may use: seconds, less what it waits for a processor, and megabytes that its process holds.

    They are for what got out of hand: a job that asks a subject, or an oracle, knows narrower ones.
    """

    seconds: float = 600.0
    megabytes: float = 4096.0


@dataclass(eq=False)
class Desk:
    """Where a thread has its jobs done."""

    worker: Worker | None = None
    closed: bool = False

    def leave(self) -> None:
        """End the job that is under way; there is no other one after it."""
        self.closed = True
        if worker := self.worker:
            worker.process.kill()


def sit() -> Desk:
    """The desk of this thread from now on, for another thread to close."""
    _here.desk = Desk()
    return _here.desk


def perform(function: str, argument: Any, limits: Limits) -> str:
    """The result of a job as JSON, wherever this is called.

    What ended otherwise than with plain data has the result {"fate": ..., "said": ...}, with the fates of an Outcome:
    raised (or returned what JSON cannot hold), crashed, hung, memory. Raises KlsymError where no process can be started
    or there is no such function.

    >>> perform("math:sqrt", 2, Limits())
    '1.4142135623730951'
    >>> perform("math:sqrt", -1, Limits())
    '{"fate":"raised","said":"ValueError: math domain error"}'
    """
    message, fate, said = dumps([function, argument]).encode(), "", ""
    desk: Desk = getattr(_here, "desk", None) or Desk()
    # It is the job's own doing if it happens again in a process that has done nothing before.
    for fresh in (False, True):
        worker = desk.worker = _processes.take(fresh)
        try:
            answer = None if desk.closed else worker.exchange(message, limits.seconds, limits.megabytes)
        except BaseException:
            worker.stop()
            raise
        finally:
            desk.worker = None
        if answer is not None:
            _processes.give(worker)
            trouble, _, result = answer.decode().partition("\n")
            if trouble:
                raise KlsymError(f"there is no job {function}; {trouble}")
            return result
        fate, said = _ended(worker, limits)
        worker.stop()
        if desk.closed:
            raise KlsymError(f"the job {function} was given up, as its audit was")
    return failed(fate, said)


_here = threading.local()
# As many wait as may be at work at once, each with what its jobs have imported.
_processes = Pool(__name__, dumps(["builtins:len", ""]).encode(), keep=2 * (os.cpu_count() or 1))


def _ended(worker: Worker, limits: Limits) -> tuple[Fate, str]:
    """What it means that there was no answer."""
    cause = worker.cause()
    if worker.full:
        return "memory", f"held more than {limits.megabytes:g} megabytes"
    if cause == "time":
        return "hung", f"no result in {limits.seconds:g} seconds"
    return "crashed", f"the process ended with {cause}"


def failed(fate: Fate, said: str) -> str:
    """The result of what did not end with one."""
    return dumps({"fate": fate, "said": said})


def told(error: BaseException) -> str:
    """An exception in one line, the same in every process: without addresses."""
    line = " ".join(str(error).split())
    return re.sub(r" at 0x[0-9a-f]+", "", f"{type(error).__name__}: {line}" if line else type(error).__name__)


def serve() -> None:
    """The life of the other process."""
    converse(lambda message: _answered(*json.loads(message)).encode())


def _answered(function: str, argument: Any) -> str:
    """Why there is no such job, or nothing; and on a second line its result."""
    module, _, name = function.partition(":")
    try:
        called = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        return f"{told(error)}\n"
    try:
        return "\n" + dumps(called(argument))
    except MemoryError as error:
        return "\n" + failed("memory", told(error))
    except BaseException as error:
        return "\n" + failed("raised", told(error))
