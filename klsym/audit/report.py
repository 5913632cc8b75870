"""The report of an audit: a line a pair and a summary for a person, everything as plain data for a machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..render import aligned
from .run import Plan, Row, reference_name

SAYS = {
    "negative": "negative",
    "missing": "nan in the domain",
    "phantom": "numbers where there are none",
    "lost": "0 while different",
    "spurious": "not 0 while equal",
    "overflow": "wrong at overflow",
    "unsure": "of neither pass",
    "undecided": "without reference",
}
# What the code does not answer for.
HARMLESS = ("unsure", "undecided")
SHOWN = 8


def units(error: float | None) -> str:
    """An error, short."""
    return "-" if error is None else f"{error:.3g}" if error < 1000 else f"{error:.0e}"


@dataclass(frozen=True)
class Report:
    """The rows of an audit; `ok` where everything stays within the limits and nothing is flagged.

    The limits are those that the rule of each row promises, or `limit` in their place.
    """

    plan: Plan
    rows: Sequence[Row]
    limit: float | None = None

    @property
    def audited(self) -> list[Row]:
        return [row for row in self.rows if "skipped" not in row]

    def drawn_within(self) -> list[Row]:
        """The rows whose worst error at the points drawn is within the limit, and of which nothing is flagged."""
        return [row for row in self.audited if within(row["sweep"], self.limit or row["goals"][0]) and clean(row)]

    def found_within(self) -> list[Row]:
        """The rows whose worst error of all, climbing too, is within the limit, and of which nothing is flagged."""
        return [row for row in self.audited if within(row["worst"], self.limit or row["goals"][1]) and clean(row)]

    @property
    def ok(self) -> bool:
        return bool(self.audited) and len(self.found_within()) == len(self.audited)

    def __str__(self) -> str:
        table = [("pair", "points", "sweep", "climb", "p99.9", "beyond", "2nd pass", "")]
        for row in self.audited:
            second = "-" if row["second"] is None else f"{100 * row['second']:.1f}%"
            beyond = f"{100 * row['off']:.2g}%"
            numbers = (units(row["sweep"]), units(row["climb"]), units(row["p99.9"]), beyond)
            table.append((row["pair"], str(row["points"]), *numbers, second, ", ".join(flags(row))))
        parts = [aligned(table), *self.worst_points(), *self.left_out(), self.summary()]
        return "\n\n".join(parts)

    def worst_points(self) -> list[str]:
        """The worst rows beyond the limit, each with the point that shows it."""
        beyond = [row for row in self.audited if not within(row["worst"], self.limit or row["goals"][1])]
        beyond.sort(key=lambda row: -row["worst"])
        lines = [
            f"{row['pair']} {units(row['worst'])} ({row['worst_set']}): "
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
        """What was done, and how many came out well."""
        count, points, rule = len(self.audited), sum(row["points"] for row in self.audited), self.plan.rule
        goals = [self.limit or goal for goal in (rule.sweep, rule.climb)]
        what = "values and derivatives" if self.plan.gradient else "pairs"
        return (
            f"{self.of}{count} {what}, {points} points, seed {self.plan.seed}, "
            f"{self.plan.backend or 'the fastest backend'} in {self.plan.dtype} beside {reference_name()}.\n"
            f"{self.measure()}\n"
            f"{len(self.drawn_within())} of {count} are within {goals[0]:g} {rule.unit} at the points drawn, "
            f"{len(self.found_within())} within {goals[1]:g} {rule.unit} under climbing, with nothing flagged."
        )

    @property
    def of(self) -> str:
        """Which divergence, if it is not the usual one."""
        return "" if self.plan.divergence.name == "kl" else f"{self.plan.divergence.notation}: "

    def measure(self) -> str:
        """What the errors are."""
        rule, extremes = self.plan.rule, sum(row["tiny"] + row["huge"] for row in self.audited)
        if rule.unit == "ulp":
            return "Errors are in units of the last place of the true value, the worst found."
        of = (
            " A derivative's are relative to what cancels in it, and a value's limits are 8 and 16."
            * self.plan.gradient
        )
        of += " A value's are relative to the sum of its terms' sizes." * (self.plan.divergence.order == 0)
        return (
            f"Errors are relative, in eps = 2^-52, the worst found; {extremes} points where |value| is outside "
            f"1e-290..1e290 are left out of them and checked for overflow and in units of the last place.{of}"
        )

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data; an infinite error is the text "inf"."""
        rule = self.plan.rule
        about = {
            **vars(self.plan),
            "divergence": self.plan.divergence.notation,
            "unit": rule.unit,
            "reference": reference_name(),
            "limit": self.limit,
        }
        about |= {"functions": len(self.audited), "ok": self.ok, "goals": [rule.sweep, rule.climb]}
        about |= {"within_in_sweeps": len(self.drawn_within()), "within_under_climbing": len(self.found_within())}
        return plain({**about, "rows": list(self.rows)})


def within(error: float | None, limit: float) -> bool:
    return error is None or error <= limit


def clean(row: Row) -> bool:
    """Whether the code did nothing wrong beside its error."""
    return not any(row[key] for key in SAYS if key not in HARMLESS) and not badly_tiny(row)


def badly_tiny(row: Row) -> bool:
    """Whether values too small for a relative error are off by more units of the last place than a bit costs."""
    return row["tiny_ulps"] is not None and row["tiny_ulps"] > 2 * row["goals"][1]


def flags(row: Row) -> list[str]:
    """What is amiss with a row beside its error."""
    found = [f"{row[key]} {says}" for key, says in SAYS.items() if row[key]]
    if badly_tiny(row):
        found.append(f"{units(row['tiny_ulps'])} ulp below 1e-290")
    if row["drawn"] < row["asked"]:
        found.append(f"fewer points than asked: {row['drawn']} of {row['asked']}")
    return found


def plain(value: Any) -> Any:
    """The value with its infinities and NaN as text, which JSON lacks."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
