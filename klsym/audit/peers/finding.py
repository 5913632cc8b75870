"""Findings: what is wrong with a subject, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from math import isfinite
from typing import Any, Self

from ...core.errors import UnknownNameError, nearest
from .call import Call


class Severity(IntEnum):
    """How bad it is, the worst last; `--fail-on` takes one of the names.

    >>> print(Severity.FALSE_INFINITY), Severity.named("false-infinity") is Severity.FALSE_INFINITY
    false infinity
    (None, True)
    """

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

    @classmethod
    def named(cls, text: str) -> Severity:
        """The severity of that name, with spaces, hyphens or underscores; an unknown one raises UnknownNameError."""
        known = {str(severity): severity for severity in cls}
        name = text.casefold().replace("-", " ").replace("_", " ")
        if name not in known:
            listed = ", ".join(known)
            raise UnknownNameError(f"no severity is named {text!r}{nearest(name, known)}; there are {listed}")
        return known[name]


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
        """Plain data that JSON holds exactly; an error without bound is the text "inf"."""
        error = self.error if self.error is None or isfinite(self.error) else str(self.error)
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        replaced = {"severity": str(self.severity), "call": self.call.to_json(), "element": list(self.element)}
        return {**plain, **replaced, "error": error, "versions": dict(self.versions)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The finding of which `to_json` made the data."""
        error = None if data["error"] is None else float(data["error"])
        read: dict[str, Any] = {**data, "severity": Severity.named(data["severity"]), "error": error}
        read |= {"call": Call.from_json(data["call"]), "element": tuple(data["element"])}
        return cls(**read)
