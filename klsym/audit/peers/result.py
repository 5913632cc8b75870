"""What an audit found of a subject, pair by pair, as data: findings, points, times, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Self

from .finding import Finding, Severity


@dataclass(frozen=True)
class Point:
    """One number of a subject beside the truth, at scalars.

    `at` are the arguments, "p.rate" and so on. `error` is relative, in units of the type's eps: infinite where got or
    truth is no number or only one of them is infinite or 0, None where the truth is not known.
    """

    trial: str
    at: Mapping[str, float]
    got: float
    truth: float
    error: float | None
    where: str = "value"
    dtype: str = "float64"

    def to_json(self) -> dict[str, Any]:
        numbers = {name: told(getattr(self, name)) for name in ("got", "truth", "error")}
        return {**asdict(self), **numbers, "at": {name: told(value) for name, value in self.at.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The point of which `to_json` made the data."""
        error = None if data["error"] is None else float(data["error"])
        at = {name: float(value) for name, value in data["at"].items()}
        read: dict[str, Any] = {
            **data,
            "got": float(data["got"]),
            "truth": float(data["truth"]),
            "at": at,
            "error": error,
        }
        return cls(**read)


@dataclass(frozen=True)
class PairResult:
    """What was done with one pair of a subject's classes.

    `tried` counts points by trial. `seconds` is the time an element in a batch. `skipped` says what was not tried, and
    why. A pair that the subject has no divergence for does not answer, which is no fault.
    """

    pair: str
    answers: bool = True
    findings: tuple[Finding, ...] = ()
    points: tuple[Point, ...] = ()
    tried: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def worst(self) -> float | None:
        """The largest error of the values that are finite and should be, in eps."""
        errors = [p.error for p in self.points if p.error is not None and isfinite(p.error) and p.where == "value"]
        return max(errors, default=None)

    def to_json(self) -> dict[str, Any]:
        parts = {name: [part.to_json() for part in getattr(self, name)] for name in ("findings", "points")}
        plain = {name: getattr(self, name) for name in ("pair", "answers", "seconds")}
        return {**plain, "tried": dict(self.tried), "skipped": dict(self.skipped), **parts}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The result of which `to_json` made the data."""
        findings, points = map(Finding.from_json, data["findings"]), map(Point.from_json, data["points"])
        read: dict[str, Any] = {**data, "findings": tuple(findings), "points": tuple(points)}
        return cls(**read)


@dataclass(frozen=True)
class Audit:
    """An audit of one subject: what it was done with, and what it found of every pair."""

    subject: str
    seed: int
    versions: Mapping[str, str]
    pairs: tuple[PairResult, ...]

    @property
    def findings(self) -> list[Finding]:
        """All of them, the worst first."""
        found = [finding for pair in self.pairs for finding in pair.findings]
        return sorted(found, key=lambda f: (-f.severity, -(f.error or 0.0), f.pair, f.trial, f.where))

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings there are of each severity, the worst first, none left out."""
        number = Counter(finding.severity for finding in self.findings)
        return {severity: number[severity] for severity in sorted(Severity, reverse=True)}

    @property
    def tried(self) -> int:
        return sum(sum(pair.tried.values()) for pair in self.pairs)

    def skipped(self) -> Iterator[tuple[str, str, str]]:
        """(pair, what, why)."""
        for pair in self.pairs:
            for what, why in pair.skipped.items():
                yield pair.pair, what, why

    def clean(self, severity: Severity) -> bool:
        """Whether something was tried, and nothing of this severity or worse was found."""
        return self.tried > 0 and all(finding.severity < severity for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        about = {"subject": self.subject, "seed": self.seed, "versions": dict(self.versions), "points": self.tried}
        counts = {str(severity): count for severity, count in self.counts.items()}
        return {**about, "counts": counts, "pairs": [pair.to_json() for pair in self.pairs]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The audit of which `to_json` made the data."""
        pairs = tuple(map(PairResult.from_json, data["pairs"]))
        return cls(data["subject"], data["seed"], data["versions"], pairs)


def told(value: float | None) -> float | str | None:
    """The number; by name if JSON has none for it."""
    return value if value is None or isfinite(value) else str(value)
