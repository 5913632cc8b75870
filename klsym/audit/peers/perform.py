"""One job, done in a process of its own: whatever becomes of it, there is a result."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any

from ...core import worker
from .journal import dumps

# What a stopped process says of itself, where that is more than that it ended.
FATES = {"time": "hung", "SIGALRM": "hung", "SIGPROF": "hung", "memory": "memory"}
# Tried so many times before it is held to be the job's own doing.
TRIES = 2


@dataclass(frozen=True)
class Limits:
    """What one job may use: seconds of processor time, twice that and one on the clock, and megabytes of addresses."""

    seconds: float = 60.0
    megabytes: int = 8192


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
    cause = ""
    for _ in range(TRIES):
        how, content = worker.attempt(_answered, function, argument, seconds=limits.seconds, megabytes=limits.megabytes)
        if how == "value":
            return content
        if how == "error":
            raise content
        cause = content
    return failed(FATES.get(cause, "crashed"), f"ended {TRIES} times by {cause}")


def failed(fate: str, said: str) -> str:
    return dumps({"fate": fate, "said": said})


def told(error: BaseException) -> str:
    """An exception in one line, the same in every process: without addresses."""
    line = " ".join(str(error).split())
    return re.sub(r" at 0x[0-9a-f]+", "", f"{type(error).__name__}: {line}" if line else type(error).__name__)


def _answered(function: str, argument: Any) -> str:
    """The job itself, in the process that may die of it. Only text leaves it: its result may not even be picklable."""
    module, _, name = function.partition(":")
    called = getattr(importlib.import_module(module), name)
    try:
        return dumps(called(argument))
    except MemoryError:
        raise
    except BaseException as error:
        return failed("raised", told(error))
