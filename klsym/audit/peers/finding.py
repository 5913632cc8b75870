"""Findings: what is wrong with a subject, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from .call import Call


class Severity(IntEnum):
    """How bad it is, the worst last; `--fail-on` takes one of the names."""

    LOST_DIGITS = 1  # right to less than half of the digits that its type has, within what rounding can do
    MISSING_GRADIENT = 2  # no derivative, or NaN, where there is one
    WRONG_SHAPE = 3  # not the broadcast batch shape, or not the type that the arguments have
    NAN = 4  # no number where there is one, or an exception in place of an answer
    FALSE_INFINITY = 5  # infinite where the truth is finite, or the other way round
    WRONG_SIGN = 6  # a negative divergence
    WRONG_GRADIENT = 7
    WRONG_VALUE = 8  # further off than any rounding of its formula
    DIES = 9  # the process ends, hangs or eats the memory

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class Finding:
    """One fault of a subject at its plainest: the call that shows it, the answer, the truth and its proof.

    `error` is the relative error in units of the type's eps. `seen` of `tried` points of the trial showed the fault.
    `script` runs with the library alone and ends with status 1 where the fault is there, 0 where it is not.
    """

    subject: str
    pair: str  # "Gamma(concentration, rate) || Gamma(concentration, rate)"
    trial: str
    severity: Severity
    call: Call
    element: tuple[int, ...]
    got: str
    truth: str
    proof: str
    error: float | None
    seen: int
    tried: int
    script: str
    seed: int
    versions: Mapping[str, str] = field(default_factory=dict)
    where: str = ""  # "value", or the argument by which the derivative is: "p.rate"

    def to_json(self) -> dict[str, Any]:
        """Plain data; `Finding` can be made of it again."""
        raise NotImplementedError
