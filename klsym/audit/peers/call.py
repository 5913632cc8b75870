"""What a subject is asked, and what it answers: plain data that JSON holds exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# A number, or lists of them; NaN and infinities are written by name in JSON, doubles by repr.
# Floats are of the type that a call names; integers and truth values are what they are, alone and in lists.
Numbers = Any
Quantity = Literal["kl", "entropy", "log_prob", "jensenshannon"]  # the last is the root of the divergence
# What became of a call: an answer; an exception; no such divergence; the process ended, or had to be ended.
Fate = Literal["answered", "raised", "lacking", "crashed", "hung", "memory"]

# Before what was raised while P and Q were made.
MAKING = "making it:"
SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@dataclass(frozen=True)
class Made:
    """A distribution as a library is told to make it: a class, its arguments by name, and what is put around it.

    `around` lists wrappers, innermost first, each with its own arguments: ("Independent", {"reinterpreted_batch_ndims":
    1}), ("TransformedDistribution", {"transforms": ...}). An argument is numbers, or another object that is made, or a
    list of them. In Q, the string "p" in place of a wrapper's argument is the very object that P has there.
    """

    kind: str
    arguments: Mapping[str, Any]
    around: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` makes it again.

        >>> Made("Normal", {"loc": 0.1, "scale": float("inf")}).to_json()
        {'kind': 'Normal', 'arguments': {'loc': 0.1, 'scale': 'inf'}, 'around': []}
        """
        around = [[name, _plain(arguments)] for name, arguments in self.around]
        return {"kind": self.kind, "arguments": _plain(self.arguments), "around": around}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Made:
        around = tuple((name, _read(arguments)) for name, arguments in data["around"])
        return Made(data["kind"], _read(data["arguments"]), around)


@dataclass(frozen=True)
class Call:
    """One question to a subject: a quantity of P, or of P and Q, at arrays of numbers of one type.

    `gradient` asks for the derivatives of the sum by every argument that has any. `at` are outcomes for log densities.
    """

    subject: str
    quantity: Quantity
    p: Made
    q: Made | None = None
    dtype: Literal["float64", "float32"] = "float64"
    gradient: bool = False
    at: Numbers = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` makes it again."""
        return {
            "subject": self.subject,
            "quantity": self.quantity,
            "p": self.p.to_json(),
            "q": self.q and self.q.to_json(),
            "dtype": self.dtype,
            "gradient": self.gradient,
            "at": _plain(self.at),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Call:
        q = data["q"] and Made.from_json(data["q"])
        return Call(
            data["subject"],
            data["quantity"],
            Made.from_json(data["p"]),
            q,
            data["dtype"],
            data["gradient"],
            _read(data["at"]),
        )


@dataclass(frozen=True)
class Outcome:
    """The answer to a call: numbers with their shape and type, or what happened instead.

    What was raised while P and Q were made has MAKING before it in `said`: these are refused, not the question.
    An answer that is no array of real numbers has the name of its type for `dtype`, no value, and `said` shows it.
    `gradients` are by "p.rate", "q.scale", ...; None where the library says that there is none. `seconds` is how long
    it took, and differs from one run to the next; all else is the same.
    """

    fate: Fate
    value: Numbers = None
    shape: tuple[int, ...] = ()
    dtype: str = ""
    gradients: Mapping[str, Numbers] = field(default_factory=dict)
    said: str = ""
    seconds: float = 0.0

    @property
    def refused(self) -> bool:
        """Whether P or Q could not be made."""
        return self.said.startswith(MAKING)

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` makes it again.

        >>> Outcome.from_json(Outcome("answered", float("inf"), (), "float64").to_json()).value
        inf
        """
        return {
            "fate": self.fate,
            "value": _plain(self.value),
            "shape": list(self.shape),
            "dtype": self.dtype,
            "gradients": _plain(self.gradients),
            "said": self.said,
            "seconds": self.seconds,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Outcome:
        """The outcome; of a job that did not end with one there are `fate` and `said` alone."""
        read: dict[str, Any] = {**data, "value": _read(data.get("value")), "shape": tuple(data.get("shape", ()))}
        return Outcome(**{**read, "gradients": _read(data.get("gradients", {}))})


def _plain(value: Any) -> Any:
    """Numbers, and what is made of them, as JSON has them."""
    if isinstance(value, Made):
        return {"made": value.to_json()}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _read(value: Any) -> Any:
    if isinstance(value, Mapping):
        return (
            Made.from_json(value["made"])
            if set(value) == {"made"}
            else {name: _read(each) for name, each in value.items()}
        )
    if isinstance(value, list):
        return [_read(each) for each in value]
    return SPECIAL.get(value, value) if isinstance(value, str) else value
