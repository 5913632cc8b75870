"""The audit of klsym itself: every pair's compiled code beside the truth, in parallel, as plain data."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from .climb import HOPELESS, climb
from .measure import FLAGS, Function, Measured, Truths, compiled, join, measured, tally
from .points import SETS, draw
from .reference import best
from .subject import Points, Subject, subject

Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How an audit is done: points a pair in the sweep and again in the climb, and seconds a pair at most."""

    points: int = 10_000
    seed: int = 0
    backend: str | None = None
    seconds: float = 120.0


def examine(audited: Subject, function: Function, plan: Plan) -> Row:
    """One function beside the truth: the figures of every set, of the climb, and of them all, as plain data."""
    rng = np.random.default_rng([plan.seed, *audited.name.encode()])
    truths = Truths(audited)
    started = time.monotonic()
    sets = {name: draw(audited, name, plan.points, rng) for name in SETS}
    sets = {name: points for name, points in sets.items() if len(points)}
    each = -(-plan.points // max(len(sets), 1))
    found: dict[str, Measured] = {}
    for place, (name, points) in enumerate(sets.items()):
        left = 0.7 * plan.seconds - (time.monotonic() - started)
        until = time.monotonic() + left / (len(sets) - place)
        found[name] = measured(audited, function, truths, points[:each], until)
    rows = [tally(name, each, part, audited.names) for name, part in found.items()]
    sweep = join(list(found.values()))

    def measure(points: Points) -> Measured:
        return measured(audited, function, truths, points)

    climbed = climb(audited, measure, sweep, plan.points, rng, started + plan.seconds)
    rows.append(tally("climb", plan.points, climbed, audited.names))
    if not (rows[-1]["points"] or sweep.errors[sweep.comparable].max(initial=0) < HOPELESS):
        rows[-1]["why"] = f"the sweep was over {HOPELESS:g} eps already"
    return summed(audited, rows, tally("sweep", plan.points, sweep, audited.names)) | {
        "seconds": round(time.monotonic() - started, 1)
    }


def summed(audited: Subject, rows: list[Row], sweep: Row) -> Row:
    """The row of a pair: what its sets say together."""
    worst = max(rows, key=lambda row: -1.0 if row["worst"] is None else row["worst"])
    total: Row = {"pair": audited.name, "kind": "closed", "when": str(audited.when)}
    total |= {key: sum(row[key] for row in rows) for key in ("points", "compared", "undecided", "tiny", "huge", *FLAGS)}
    total |= {"sweep": sweep["worst"], "p99.9": sweep["p99.9"], "second": sweep["second"], "climb": rows[-1]["worst"]}
    total["worst"], total["worst_set"], total["at"] = worst["worst"], worst["set"], worst.get("at")
    total["tiny_ulps"] = max((row["tiny_ulps"] for row in rows if row["tiny"]), default=None)
    total["slow"] = any(row["points"] < row["asked"] for row in rows[:-1])
    return total | {"sets": rows}


def audit_pair(p: str, q: str, plan: Plan) -> Row:
    """The audit of one pair; what went wrong, if the pair has no closed case or no code."""
    try:
        audited = subject(p, q)
        return examine(audited, compiled(audited.formula, plan.backend), plan)
    except Exception as error:
        return {"pair": f"{p} || {q}", "skipped": f"{type(error).__name__}: {' '.join(str(error).split())}"}


def audit(pairs: Sequence[tuple[str, str]], plan: Plan, jobs: int = 1) -> Iterator[Row]:
    """A row for each pair as soon as it is there, `jobs` of them at a time."""
    if jobs == 1:
        yield from (audit_pair(p, q, plan) for p, q in pairs)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(audit_pair, p, q, plan) for p, q in pairs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def reference_name() -> str:
    return best().name
