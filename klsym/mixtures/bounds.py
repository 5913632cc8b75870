"""Proven bounds, each with its name and its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

EPS = 2.0**-52
INTERVALS = "data processing: Kullback, Information Theory and Statistics, 2.4"


@dataclass(frozen=True)
class Bound:
    """A number that the divergence or entropy is not beyond, the name of the bound and who proved it."""

    name: str
    value: float
    source: str

    def __float__(self) -> float:
        return self.value

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "source": self.source}


@dataclass(frozen=True)
class Bounds:
    """Lower and upper bounds, the tightest first, in doubles and moved outward by what rounding can have done."""

    lowers: tuple[Bound, ...]
    uppers: tuple[Bound, ...]
    unit: str

    @property
    def lower(self) -> float:
        """The tightest lower bound."""
        return self.lowers[0].value

    @property
    def upper(self) -> float:
        """The tightest upper bound."""
        return self.uppers[0].value

    def to_json(self) -> dict[str, Any]:
        sides = {"lower": self.lowers, "upper": self.uppers}
        return {"unit": self.unit} | {side: [b.to_json() for b in found] for side, found in sides.items()}

    def __str__(self) -> str:
        rows = [("<=", b) for b in reversed(self.uppers)] + [(">=", b) for b in self.lowers]
        return "\n".join(f"  {sign} {b.value:<12.6g} {b.name} ({b.source})" for sign, b in rows)


def ordered(lowers: list[Bound], uppers: list[Bound], unit: str) -> Bounds:
    """The bounds of each side, the tightest first."""
    return Bounds(tuple(sorted(lowers, key=lambda b: -b.value)), tuple(sorted(uppers, key=lambda b: b.value)), unit)


def outward(terms: Any, way: int, condition: float = 1.0) -> float:
    """The sum of the terms, moved up (way 1) or down (-1) by more than the rounding of them and of their sum.

    A term comes from a few dozen roundings, in logarithms, none larger than eps times the size of a term; `condition`
    is how much matrices in them magnify what is rounded.
    """
    flat = np.asarray(terms, dtype=float).ravel()
    if not np.isfinite(flat).all():
        return float(flat.sum())
    return float(flat.sum() + way * (64 + 2 * flat.size) * condition * EPS * np.abs(flat).sum())
