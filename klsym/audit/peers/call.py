"""What a subject is asked, and what it answers: plain data that JSON holds exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# A number, or lists of them; NaN and infinities are written by name in JSON, doubles by repr.
Numbers = Any
Quantity = Literal["kl", "entropy", "log_prob"]
# What became of a call: an answer; an exception; no such divergence; the process ended, or had to be ended.
Fate = Literal["answered", "raised", "lacking", "crashed", "hung", "memory"]


@dataclass(frozen=True)
class Made:
    """A distribution as a library is told to make it: a class, its arguments by name, and what is put around it.

    `around` lists wrappers, innermost first, each with its own arguments: ("Independent", {"reinterpreted_batch_ndims":
    1}), ("TransformedDistribution", {"transforms": ...}).
    """

    kind: str
    arguments: Mapping[str, Numbers]
    around: tuple[tuple[str, Mapping[str, Any]], ...] = ()


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


@dataclass(frozen=True)
class Outcome:
    """The answer to a call: numbers with their shape and type, or what happened instead.

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
