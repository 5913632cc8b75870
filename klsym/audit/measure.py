"""What a compiled function got at many points beside the truth, and the figures that say how good it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from ..core.continuity import at
from .reference import INFINITE, TRUTH, UNKNOWN, ZERO, Reference, Truth
from .subject import Points, Subject

EPS = 2.0**-52
# Outside these a relative error would judge the format, not the formula.
SMALLEST, LARGEST = 1e-290, 1e290
# Slow code is found out on a few points.
FIRST_BLOCK = 8
# A compiled function of whole columns: its values and, where it says so, which elements went to the second pass.
Function = Callable[[Points], tuple[NDArray[np.float64], NDArray[np.bool_] | None]]


@dataclass(frozen=True)
class Measured:
    """Rows of parameters, what the function got there, the truth, and which rows took the second pass."""

    points: Points
    got: NDArray[np.float64]
    truth: NDArray[Any]
    second: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.points)

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.truth["known"]

    @property
    def zero(self) -> NDArray[np.bool_]:
        """Where the true value is 0, or rounds to it."""
        return self.known & (self.truth["high"] == 0)

    @property
    def size(self) -> NDArray[np.float64]:
        """The true value, rounded."""
        with np.errstate(over="ignore"):
            return np.ldexp(
                self.truth["high"] + self.truth["low"], np.clip(self.truth["exponent"], -5000, 5000).astype(np.int32)
            )

    @property
    def comparable(self) -> NDArray[np.bool_]:
        """Where the relative error is a fair measure."""
        return self.known & (self.size >= SMALLEST) & (self.size <= LARGEST)

    @property
    def errors(self) -> NDArray[np.float64]:
        """The relative error in units of 2^-52, infinite where there is no number, NaN where it is no measure."""
        shift = np.clip(self.truth["exponent"], -5000, 5000).astype(np.int32)
        with np.errstate(all="ignore"):
            difference = np.ldexp(self.got, -shift) - self.truth["high"] - self.truth["low"]
            relative = np.abs(difference / self.truth["high"]) / EPS
        return np.where(self.comparable, np.where(np.isfinite(self.got), relative, np.inf), np.nan)

    @property
    def tiny(self) -> NDArray[np.bool_]:
        return self.known & ~self.zero & (self.size < SMALLEST)

    @property
    def ulps(self) -> NDArray[np.float64]:
        """Below SMALLEST, the error in units in the last place, which are those of subnormals at the bottom."""
        exponent = np.clip(self.truth["exponent"], -5000, 5000)
        unit = np.maximum(exponent - 53, -1074)
        with np.errstate(all="ignore"):
            difference = np.ldexp(self.got, -exponent.astype(np.int32)) - self.truth["high"] - self.truth["low"]
            return np.where(self.tiny, np.abs(np.ldexp(difference, (exponent - unit).astype(np.int32))), np.nan)

    @property
    def negative(self) -> NDArray[np.bool_]:
        return self.got < 0

    @property
    def missing(self) -> NDArray[np.bool_]:
        """NaN at a point of the domain."""
        return np.isnan(self.got)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """0 though the true value is not, nor rounds to it."""
        return self.known & ~self.zero & (self.got == 0) & (self.truth["exponent"] > -1074)

    @property
    def spurious(self) -> NDArray[np.bool_]:
        """Not 0 though the true value is."""
        return self.zero & (self.got != 0) & ~self.missing

    @property
    def huge(self) -> NDArray[np.bool_]:
        return self.known & (self.size > LARGEST)

    @property
    def overflow(self) -> NDArray[np.bool_]:
        """Above LARGEST, finite where the true value overflows, or infinite or far off where it does not."""
        wrong = np.isinf(self.size) != np.isinf(self.got)
        with np.errstate(all="ignore"):
            far = np.isfinite(self.size) & ~(np.abs(self.got / self.size - 1) < 1e-9)
        return self.huge & (wrong | far) & ~self.missing


def join(parts: Sequence[Measured]) -> Measured:
    """The rows of all parts."""
    seconds = [part.second for part in parts if part.second is not None]
    return Measured(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.got for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate(seconds) if len(seconds) == len(parts) else None,
    )


class Truths:
    """The truth of a subject at rows of parameters: at a closed end of a domain (p = 0) by continuity."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        ends = [(parameter.domain, i) for i, parameter in enumerate(subject.parameters)]
        lower = {i: float(domain.lower) for domain, i in ends if domain.left_closed}
        upper = {i: float(domain.upper) for domain, i in ends if domain.right_closed}
        self.ends = lower, upper
        self.references: dict[tuple[tuple[int, float], ...], Reference | Truth] = {}

    def __call__(self, row: list[float]) -> Truth:
        met = tuple((i, end) for ends in self.ends for i, end in ends.items() if row[i] == end)
        if met not in self.references:
            self.references[met] = self.reference(met)
        found = self.references[met]
        return found.safely(row) if isinstance(found, Reference) else found

    def reference(self, met: tuple[tuple[int, float], ...]) -> Reference | Truth:
        """The reference where these columns are at their domains' ends, or the one value that holds there."""
        symbols = self.subject.symbols
        value = at(self.subject.case.value, {symbols[i]: sp.Integer(int(end)) for i, end in met})
        if value.has(sp.nan, sp.zoo):
            return UNKNOWN
        # A divergence is infinite where one of its terms is: the others are finite, and none can be -oo in sum.
        return INFINITE if value.has(sp.oo, -sp.oo) else Reference(value, symbols)


def measured(subject: Subject, function: Function, truths: Truths, points: Points, until: float = math.inf) -> Measured:
    """The function beside the truth, at as many of the points as the clock (time.monotonic) allows."""
    parts: list[Measured] = []
    done, block = 0, FIRST_BLOCK
    while done < len(points) and (done == 0 or time.monotonic() < until):
        rows = points[done : done + block]
        got, second = function(rows)
        truth = np.zeros(len(rows), TRUTH)
        judged = 0
        for row, equal in zip(rows.tolist(), subject.equal(rows), strict=True):
            if judged and time.monotonic() > until:
                break
            truth[judged] = ZERO if equal else truths(row)
            judged += 1
        parts.append(Measured(rows[:judged], got[:judged], truth[:judged], None if second is None else second[:judged]))
        done, block = done + len(rows), 2 * block
    return join(parts) if parts else Measured(points, np.empty(0), np.empty(0, TRUTH))


def compiled(formula: Any, backend: str | None) -> Function:
    """The formula's compiled function, as one of columns."""
    import inspect

    call = formula.compile(backend)
    reports = "report" in inspect.signature(type(call).__call__).parameters

    def function(points: Points) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
        columns = [np.ascontiguousarray(column) for column in points.T]
        if reports:
            value, _, second = call(*columns, report=True)
            return np.asarray(value), np.broadcast_to(np.asarray(second, bool), len(points))
        return np.broadcast_to(call(*columns), len(points)), None

    return function


FLAGS = ("negative", "missing", "lost", "spurious", "overflow")


def tally(name: str, asked: int, found: Measured, names: Sequence[str]) -> dict[str, Any]:
    """The figures of one set, as plain data."""
    errors = found.errors
    row: dict[str, Any] = {"set": name, "asked": asked, "points": len(found), "compared": int(found.comparable.sum())}
    compared = errors[found.comparable]
    row["worst"] = float(compared.max()) if len(compared) else None
    row["p99.9"] = float(np.quantile(compared, 0.999, method="higher")) if len(compared) else None
    row |= {flag: int(getattr(found, flag).sum()) for flag in FLAGS}
    row |= {"zero": int(found.zero.sum()), "tiny": int(found.tiny.sum()), "huge": int(found.huge.sum())}
    row["undecided"] = int((~found.known).sum())
    row["tiny_ulps"] = float(np.nan_to_num(found.ulps[found.tiny], nan=math.inf).max()) if row["tiny"] else None
    row["second"] = None if found.second is None else float(found.second.mean()) if len(found) else 0.0
    if len(compared):
        row["at"] = place(found, int(np.nanargmax(errors)), names)
    row["flagged"] = {
        flag: place(found, int(np.flatnonzero(getattr(found, flag))[0]), names) for flag in FLAGS if row[flag]
    }
    return row


def place(found: Measured, index: int, names: Sequence[str]) -> dict[str, Any]:
    """One row: its parameters as the doubles they are, what the function got and the truth."""
    return {
        "point": dict(zip(names, found.points[index].tolist(), strict=True)),
        "got": float(found.got[index]),
        "true": float(found.size[index]),
    }
