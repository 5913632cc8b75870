"""The report of an audit: a line a pair and a summary for a person, everything as plain data for a machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..render import aligned
from .run import Plan, Row, reference_name

# What is promised, and twice that: the two counts of the summary.
GOALS = (8, 16)
SAYS = {
    "negative": "negative",
    "missing": "nan in the domain",
    "lost": "0 while different",
    "spurious": "not 0 while equal",
    "overflow": "wrong at overflow",
    "undecided": "undecided",
}
SHOWN = 8


def eps(error: float | None) -> str:
    """An error in units of 2^-52, short."""
    return "-" if error is None else f"{error:.1f}" if error < 1000 else f"{error:.0e}"


@dataclass(frozen=True)
class Report:
    """The rows of an audit; `ok` where every pair stays within the limit and nothing is flagged."""

    plan: Plan
    rows: Sequence[Row]
    limit: float

    @property
    def audited(self) -> list[Row]:
        return [row for row in self.rows if "skipped" not in row]

    def within(self, limit: float) -> list[Row]:
        """The pairs whose worst found error is at most that, and of which nothing is flagged."""
        return [row for row in self.audited if (row["worst"] or 0) <= limit and not any(flags(row, wrong=True))]

    @property
    def ok(self) -> bool:
        return bool(self.audited) and len(self.within(self.limit)) == len(self.audited)

    def __str__(self) -> str:
        table = [("pair", "points", "sweep", "climb", "p99.9", "2nd pass", "")]
        for row in self.audited:
            second = "-" if row["second"] is None else f"{100 * row['second']:.1f}%"
            numbers = (eps(row["sweep"]), eps(row["climb"]), eps(row["p99.9"]))
            table.append((row["pair"], str(row["points"]), *numbers, second, ", ".join(flags(row))))
        parts = [aligned(table), *self.worst_points(), *self.left_out(), self.summary()]
        return "\n\n".join(parts)

    def worst_points(self) -> list[str]:
        """The worst pairs beyond the limit, each with the point that shows it."""
        beyond = [row for row in self.audited if row["worst"] is not None and row["worst"] > self.limit]
        beyond.sort(key=lambda row: -row["worst"])
        lines = [
            f"{row['pair']} {eps(row['worst'])} ({row['worst_set']}): "
            + ", ".join(f"{name}={value!r}" for name, value in row["at"]["point"].items())
            + f": {row['at']['got']!r}, true {row['at']['true']!r}"
            for row in beyond[:SHOWN]
        ]
        more = [f"and {len(beyond) - SHOWN} more; --json has them all"] if len(beyond) > SHOWN else []
        return ["\n".join(["worst points found:", *lines, *more])] if beyond else []

    def left_out(self) -> list[str]:
        lines = [f"{row['pair']}: {row['skipped'][:150]}" for row in self.rows if "skipped" in row]
        return ["\n".join(["not audited:", *lines])] if lines else []

    def summary(self) -> str:
        """What was done, and how many pairs came out well."""
        count, points = len(self.audited), sum(row["points"] for row in self.audited)
        extremes = sum(row["tiny"] + row["huge"] for row in self.audited)
        good = ", ".join(f"{len(self.within(goal))} within {goal} eps" for goal in GOALS)
        backend = self.plan.backend or "the fastest backend"
        return (
            f"{count} pairs, {points} points, seed {self.plan.seed}, {backend} beside {reference_name()}.\n"
            f"Errors are relative, in eps = 2^-52, the worst found; {extremes} points where |value| is outside "
            "1e-290..1e290 are left out of them and checked for overflow and in units of the last place.\n"
            f"{good}, of {count}, with nothing flagged."
        )

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data; an infinite error is the text "inf"."""
        counts = {f"within_{goal}": len(self.within(goal)) for goal in GOALS}
        about = {**asdict(self.plan), "reference": reference_name(), "limit": self.limit, "ok": self.ok}
        return plain({**about, "pairs": len(self.audited), **counts, "rows": list(self.rows)})


def flags(row: Row, wrong: bool = False) -> list[str]:
    """What is amiss with a pair beside its error; with `wrong`, only what the code did."""
    found = [f"{row[key]} {says}" for key, says in SAYS.items() if row[key] and not (wrong and key == "undecided")]
    if row["tiny_ulps"] is not None and row["tiny_ulps"] > 2 * GOALS[1]:
        found.append(f"{eps(row['tiny_ulps'])} ulp below 1e-290")
    if row["slow"] and not wrong:
        found.append("fewer points than asked")
    return found


def plain(value: Any) -> Any:
    """The value with its infinities and NaN as text, which JSON lacks."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
