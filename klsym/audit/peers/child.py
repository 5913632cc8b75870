"""Calls answered by subjects in processes of their own, where they may crash, hang or eat memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from ...core.worker import Pool, Worker
from . import running
from .call import Call, Fate, Outcome
from .script import prelude, script

# Without the start of the process, which may take IMPORT; megabytes are what the whole process holds.
SECONDS, MEGABYTES, IMPORT = 60.0, 4096.0, 180.0


def ask(argument: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome of a call, both as `to_json` has them; the call may be given other `limits`: seconds, megabytes.

    >>> from klsym.audit.peers.call import Made
    >>> call = Call("math:hypot", "entropy", Made("Normal", {"mu": 3.0, "sigma": 4.0}))
    >>> ask(call.to_json())["value"]
    5.0
    """
    return answer(Call.from_json(argument), **argument.get("limits", {})).to_json()


def answer(call: Call, seconds: float = SECONDS, megabytes: float = MEGABYTES) -> Outcome:
    """What the subject makes of the call, in a process that it shares with other calls of its type of numbers.

    A process that ended, or was ended, says nothing until a second one, which has answered nothing before, has ended
    the same way: what a call does depends on no other one.
    """
    text, pool = script(call), _pool(call.subject, call.dtype, prelude(call))
    outcome, used = _asked(pool, text, seconds, megabytes, fresh=False)
    if used and outcome.fate in ("crashed", "memory"):
        outcome, _ = _asked(pool, text, seconds, megabytes, fresh=True)
    return outcome


@cache
def _pool(subject: str, dtype: str, start: str) -> Pool:
    """Types of numbers have processes apart: in JAX doubles are a matter of the whole process."""
    return Pool(running.__name__, _message(start), keep=1, patience=IMPORT)


def _message(text: str) -> bytes:
    return json.dumps(text).encode()


def _asked(pool: Pool, text: str, seconds: float, megabytes: float, fresh: bool) -> tuple[Outcome, bool]:
    """The outcome, and whether the process had done something before."""
    worker = pool.take(fresh)
    used, worker.used = worker.used, True
    try:
        reply = worker.exchange(_message(text), seconds, megabytes)
    except BaseException:
        worker.stop()
        raise
    if reply is None:
        outcome = _ended(worker, seconds, megabytes)
        worker.stop()
        return outcome, used
    pool.give(worker)
    return Outcome.from_json(json.loads(reply)), used


def _ended(worker: Worker, seconds: float, megabytes: float) -> Outcome:
    """What it means that there was no answer."""
    cause = worker.cause()
    fate: Fate = "memory" if worker.full or cause == "SIGKILL" else "hung" if cause == "time" else "crashed"
    said = {
        "memory": f"held more than {megabytes:g} megabytes" if worker.full else "was killed by the system",
        "hung": f"no answer in {seconds:g} seconds",
        "crashed": f"the process ended with {cause}",
    }
    return Outcome(fate, said=said[fate])
