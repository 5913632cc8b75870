"""The audit of klsym itself: every pair's compiled code beside the truth, in parallel, as plain data."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from ..core.divergence import Divergence
from ..core.errors import UndecidedWarning
from ..divergences import kl
from .climb import HOPELESS, climb
from .measure import FLAGS, Function, Measured, compiled, join, measured, tally
from .points import SETS, draw
from .reference import COSTLY, best, tape
from .rules import Rule, rule
from .subject import Points, Subject, subject
from .truth import Truths, truths

Row = dict[str, Any]
# Whole sums of series: pairs with these come last, when the time that the others left is known.
SLOW = {*COSTLY, "zeta", "ZetaDerivative"}


@dataclass(frozen=True)
class Plan:
    """How an audit is done: points a function in the sweep and again in the climb, and minutes in all, about."""

    points: int = 10_000
    seed: int = 0
    backend: str | None = None
    minutes: float = 15.0
    dtype: str = "float64"
    gradient: bool = False
    divergence: Divergence = kl

    @property
    def rule(self) -> Rule:
        """What is promised of the derivatives, if they are audited, else of the values."""
        return rule(self.backend, self.dtype, self.gradient, self.divergence.order == 0)

    @property
    def value_rule(self) -> Rule:
        return rule(self.backend, self.dtype, False, self.divergence.order == 0)


def examine(
    audited: Subject, function: Function, plan: Plan, seconds: float, known: Truths | None = None, name: str = ""
) -> Row:
    """One function beside the truth: the figures of every set, of the climb, and of them all, as plain data."""
    name, known = name or audited.name, known or truths(audited)
    rng = np.random.default_rng([plan.seed, *name.encode()])
    started = time.monotonic()
    sets = {kind: draw(audited, kind, plan.points, rng) for kind in SETS}
    sets = {kind: points for kind, points in sets.items() if len(points)}
    each = -(-plan.points // max(len(sets), 1))
    parts: dict[str, list[Measured]] = {kind: [] for kind in sets}
    for _ in range(2):
        # What one set left of its time is for those that it was too short for.
        short = {kind: points[sum(map(len, parts[kind])) : each] for kind, points in sets.items()}
        short = {kind: points for kind, points in short.items() if len(points)}
        for place, (kind, points) in enumerate(short.items()):
            left = 0.7 * seconds - (time.monotonic() - started)
            if left > 0 or not parts[kind]:
                until = time.monotonic() + left / (len(short) - place)
                parts[kind].append(measured(audited, function, known, points, until))
    found = {kind: join(several) for kind, several in parts.items()}
    rows = [tally(kind, min(each, len(sets[kind])), part, audited.names) for kind, part in found.items()]
    sweep = join(list(found.values()))
    until = started + seconds

    def measure(points: Points) -> Measured:
        return measured(audited, function, known, points, until)

    climbed = climb(audited, measure, sweep, plan.points, rng, until)
    rows.append(tally("climb", plan.points, climbed, audited.names))
    if not (rows[-1]["points"] or sweep.errors[sweep.comparable].max(initial=0) < HOPELESS):
        rows[-1]["why"] = f"the sweep was over {HOPELESS:g} {audited.rule.unit} already"
    return summed(name, audited, rows, tally("sweep", plan.points, sweep, audited.names)) | {
        "seconds": round(time.monotonic() - started, 1)
    }


def summed(name: str, audited: Subject, rows: list[Row], sweep: Row) -> Row:
    """The row of a function: what its sets say together, and how many of each its rule promises."""
    worst = max(rows, key=lambda row: -1.0 if row["worst"] is None else row["worst"])
    total: Row = {"pair": name, "kind": "closed", "when": str(audited.when)}
    added = ("points", "compared", "undecided", "unsure", "tiny", "huge", *FLAGS)
    total |= {key: sum(row[key] for row in rows) for key in added}
    total |= {"sweep": sweep["worst"], "p99.9": sweep["p99.9"], "second": sweep["second"], "climb": rows[-1]["worst"]}
    total["off"] = sweep["off"] / max(sweep["compared"], 1)
    total["worst"], total["worst_set"], total["at"] = worst["worst"], worst["set"], worst.get("at")
    total["tiny_ulps"] = max((row["tiny_ulps"] for row in rows if row["tiny"]), default=None)
    total["drawn"], total["asked"] = sweep["points"], sum(row["asked"] for row in rows[:-1])
    total["goals"] = [audited.rule.sweep, audited.rule.climb]
    return total | {"sets": rows}


def audit_pair(p: str, q: str, plan: Plan, seconds: float) -> list[Row]:
    """The audit of one pair, a row a function; what went wrong, if the pair has no closed case or no code."""
    name, until = f"{p} || {q}", time.monotonic() + seconds
    try:
        audited = subject(p, q, plan.rule, plan.divergence)
        functions = compiled(audited, plan.backend, plan.gradient)
    except Exception as error:
        return [skipped(name, error)]
    by = [None, *(symbol for symbol in audited.symbols if not symbol.is_integer)] if plan.gradient else [None]
    rows: list[Row] = []
    with warnings.catch_warnings():
        # Counted by the report, as unsure.
        warnings.simplefilter("ignore", UndecidedWarning)
        for place, (function, symbol) in enumerate(zip(functions, by, strict=True)):
            label = name if symbol is None else f"{name} d/d{symbol}"
            share = (until - time.monotonic()) / (len(by) - place)
            try:
                judged = replace(audited, rule=plan.value_rule) if symbol is None else audited
                known = truths(judged, symbol)
                rows.append(examine(judged, function, plan, share, known, label))
            except Exception as error:
                rows.append(skipped(label, error))
    return rows


def skipped(name: str, error: Exception) -> Row:
    return {"pair": name, "skipped": f"{type(error).__name__}: {' '.join(str(error).split())}"}


def slow(plan: Plan, pair: tuple[str, str]) -> bool:
    """Whether the divergence is made of functions that take milliseconds."""
    try:
        return bool(SLOW & {step.head for step in tape(subject(*pair, divergence=plan.divergence).case.value, ())})
    except Exception:
        return False


def within_share(p: str, q: str, plan: Plan, deadline: float, ahead: int, jobs: int) -> list[Row]:
    """The audit of one pair in its share of the time left, when `ahead` pairs are still to begin after it."""
    return audit_pair(p, q, plan, (deadline - time.time()) * jobs / (ahead + jobs))


def audit(pairs: Sequence[tuple[str, str]], plan: Plan, jobs: int = 1) -> Iterator[list[Row]]:
    """The rows of each pair as soon as they are there, `jobs` pairs at a time, in about the minutes of the plan."""
    deadline = time.time() + 60 * plan.minutes
    if jobs == 1:
        ordered = sorted(pairs, key=partial(slow, plan))
        for ahead, (p, q) in zip(range(len(pairs) - 1, -1, -1), ordered, strict=True):
            yield within_share(p, q, plan, deadline, ahead, 1)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        last = dict(zip(pairs, pool.map(partial(slow, plan), pairs), strict=True))
        ordered = sorted(pairs, key=last.__getitem__)
        aheads = range(len(pairs) - 1, -1, -1)
        futures = [
            pool.submit(within_share, p, q, plan, deadline, ahead, jobs)
            for ahead, (p, q) in zip(aheads, ordered, strict=True)
        ]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def reference_name() -> str:
    return best().name
