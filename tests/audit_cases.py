"""Toy cases of an audit, and the jobs that they ask for: some good, some that do all that a job should not."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from klsym.audit.peers.conduct import conduct
from klsym.audit.peers.executors import local
from klsym.audit.peers.job import Job
from klsym.audit.peers.journal import Journal


def job(name, argument):
    return Job(f"audit_cases:{name}", argument)


def root(argument):
    """A number that depends on nothing but the argument; each run of it is noted where the argument says."""
    time.sleep(argument.get("seconds", 0.0))
    if "log" in argument:
        with Path(argument["log"]).open("a") as log:
            log.write(f"{argument['x']}\n")
    return {"value": argument["x"] ** 0.5, "beyond": float("inf"), "seconds": 0.0}


def die(argument):
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(path):
    """Ends its process unless it did so before."""
    if not Path(path).exists():
        Path(path).touch()
        os._exit(3)
    return "alive"


def sleep_for_ever(path):
    """Says in a file, if it is given one, which process it is that sleeps."""
    if path:
        Path(path).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def eat(argument):
    return len(bytearray(1 << 40))


def fill(argument):
    held = []
    while True:
        held.append(b"x" * (1 << 24))


def fail(argument):
    raise ValueError(f"no\ngood: {object()!r}")


def leave(argument):
    raise SystemExit(3)


def unsayable(argument):
    return {1j: object()}


def unpicklable(argument):
    class Bomb(Exception):
        def __reduce__(self):
            return os._exit, (7,)

    raise Bomb("tick")


@dataclass(frozen=True)
class Climb:
    """Asks for a few roots, and for more where the best of them is, as a search does."""

    name: str
    start: float
    rounds: int = 4
    seconds: float = 0.0
    log: str = ""

    def steps(self):
        best, places = self.start, []
        for around in range(self.rounds):
            asked = [best + step * 0.5**around for step in (0.25, 0.5, 1.0)]
            extra = {"seconds": self.seconds, "log": self.log} if self.log else {"seconds": self.seconds}
            results = yield [job("root", {"x": x, **extra}) for x in asked]
            best = max(result["value"] for result in results)
            places.append((best, results[0]["beyond"]))
        return {"places": places}


@dataclass(frozen=True)
class Asks:
    """Asks for the jobs once, and finds their results."""

    name: str
    jobs: tuple[Job, ...]

    def steps(self):
        return (yield list(self.jobs))


def climbs(count, **more):
    return [Climb(f"climb {i}", 1.0 + i, **more) for i in range(count)]


def main(path, log, jobs=2):
    """An audit to be killed: what it found, in the order of the cases, once it gets to its end."""
    cases = climbs(20, seconds=0.004, log=log)
    with Journal(Path(path), {"seed": 0}) as journal, local(jobs) as (executor, flight):
        found = dict(conduct(cases, journal, executor, flight))
    print(json.dumps([[case.name, found[case.name]] for case in cases]))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a parent in the background ignores
    main(*sys.argv[1:])
