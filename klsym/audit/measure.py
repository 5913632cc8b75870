"""What a compiled function got at many points beside the truth, and the figures that say how good it is."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import arrays
from .reference import JUDGED, Judged
from .rules import DOUBLE, Rule
from .subject import Points, Subject
from .truth import Truths

# Slow code is found out on a few points.
FIRST_BLOCK = 8
# Which pass a value is of; by UNSURE neither vouches for it: NaN where both passes ran.
FIRST, SECOND, UNSURE = 1, 2, 3
# A compiled function of whole columns: its values and, where it says so, which pass each is of.
Function = Callable[[Points], tuple[NDArray[np.float64], NDArray[np.int8] | None]]


@dataclass(frozen=True)
class Measured:
    """Rows of parameters, what the function got there, the truth, and the pass that each value is of."""

    points: Points
    got: NDArray[np.float64]
    truth: NDArray[Any]
    passes: NDArray[np.int8] | None = None
    rule: Rule = DOUBLE

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows: Any) -> Measured:
        passes = None if self.passes is None else self.passes[rows]
        return Measured(self.points[rows], self.got[rows], self.truth[rows], passes, self.rule)

    @property
    def absent(self) -> NDArray[np.bool_]:
        """Where there is no value, and NaN is right."""
        return np.isnan(self.truth["high"])

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.truth["known"] & ~self.absent

    @property
    def zero(self) -> NDArray[np.bool_]:
        """Where the true value is 0, or rounds to it, and nothing cancels."""
        return self.known & (self.truth["scale"] == 0)

    @property
    def shift(self) -> NDArray[np.int32]:
        return np.clip(self.truth["exponent"], -5000, 5000).astype(np.int32)

    @cached_property
    def size(self) -> NDArray[np.float64]:
        """The true value, rounded."""
        with np.errstate(all="ignore"):
            return np.ldexp(self.truth["high"] + self.truth["low"], self.shift)

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """What an error is relative to."""
        with np.errstate(all="ignore"):
            return np.ldexp(self.truth["scale"], self.shift)

    @property
    def comparable(self) -> NDArray[np.bool_]:
        """Where the error is a fair measure."""
        return self.known & ~self.zero & (self.scale >= self.rule.smallest) & (self.scale <= self.rule.largest)

    @property
    def difference(self) -> NDArray[np.float64]:
        """The value minus the truth, times 2^-exponent."""
        with np.errstate(all="ignore"):
            return np.ldexp(self.got, -self.shift) - self.truth["high"] - self.truth["low"]

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """The error in the rule's units, infinite where there is no number, NaN where it is no measure."""
        errors = self.rule.units(self.difference, self.truth["scale"], self.truth["exponent"])
        return np.where(self.comparable, np.where(np.isfinite(self.got), errors, np.inf), np.nan)

    @property
    def tiny(self) -> NDArray[np.bool_]:
        return self.known & ~self.zero & (self.scale < self.rule.smallest)

    @property
    def ulps(self) -> NDArray[np.float64]:
        """Of tiny values, the error in units in the last place, which are those of subnormals at the bottom."""
        places = Rule("ulp", self.rule.digits, self.rule.bottom, 0.0, 0.0, 0.0, 0.0)
        return np.where(self.tiny, places.units(self.difference, self.truth["scale"], self.truth["exponent"]), np.nan)

    @property
    def negative(self) -> NDArray[np.bool_]:
        return np.zeros(len(self), bool) if self.rule.signed else self.got < 0

    @property
    def missing(self) -> NDArray[np.bool_]:
        """NaN at a point of the domain; a derivative may have no value at an end of it."""
        return np.isnan(self.got) & ~self.absent & (self.known if self.rule.signed else True)

    @property
    def phantom(self) -> NDArray[np.bool_]:
        """A number where there is none."""
        return self.absent & ~np.isnan(self.got)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """0 though the true value is not, nor rounds to it."""
        high, exponent = np.abs(self.truth["high"]), self.truth["exponent"]
        whole = self.known & (high > 0) & (high >= self.truth["scale"] / 2)
        return whole & (self.got == 0) & (exponent > self.rule.bottom)

    @property
    def spurious(self) -> NDArray[np.bool_]:
        """Not 0 though the true value is."""
        return self.zero & (self.got != 0) & ~self.missing

    @property
    def huge(self) -> NDArray[np.bool_]:
        return self.known & (self.scale > self.rule.largest)

    @property
    def overflow(self) -> NDArray[np.bool_]:
        """Finite where the true value overflows, or infinite or far off where it does not."""
        with np.errstate(all="ignore"):
            size = self.size.astype(self.rule.dtype).astype(float)
            wrong = (np.isinf(size) | np.isinf(self.got)) & (size != self.got)
            far = np.isfinite(size) & ~(np.abs(self.got - self.size) < 1e-6 * self.scale)
        return self.huge & (wrong | far) & ~self.missing


def join(parts: Sequence[Measured]) -> Measured:
    """The rows of all parts."""
    passes = [part.passes for part in parts if part.passes is not None]
    return Measured(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.got for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate(passes) if len(passes) == len(parts) else None,
        parts[0].rule,
    )


def measured(subject: Subject, function: Function, truths: Truths, points: Points, until: float = math.inf) -> Measured:
    """The function beside the truth, at as many of the points as the clock (time.monotonic) allows."""
    parts: list[Measured] = []
    done, block, started = 0, FIRST_BLOCK, time.monotonic()
    while done < len(points) and (done == 0 or time.monotonic() < until):
        rows = points[done : done + block]
        got, passes = function(rows)
        truth = np.zeros(len(rows), JUDGED)
        judged = 0
        for row, known in zip(rows.tolist(), truths.evident(rows), strict=True):
            if judged and time.monotonic() > until:
                break
            truth[judged] = truths(row) if known is None else known
            judged += 1
        parts.append(Measured(rows, got, truth, passes, subject.rule)[:judged])
        done += len(rows)
        left, each = until - time.monotonic(), (time.monotonic() - started) / done
        block = max(1, int(min(2 * block, left / each)))
    empty = np.empty(0)
    return join(parts) if parts else Measured(points, empty, np.empty(0, JUDGED), empty.astype(np.int8), subject.rule)


def compiled(subject: Subject, backend: str | None, gradient: bool = False) -> list[Function]:
    """The formula's compiled function as functions of columns: its value and, with `gradient`, each derivative."""
    from ..backends.watch import FINE, FINE_NARROW

    if backend in arrays.LIBRARIES:
        return arrays.compiled(subject, backend, gradient)
    call = subject.formula.compile(backend, gradient=gradient, report=True)
    dtype, count = subject.rule.dtype, len(call.program.outputs)
    limit = 2.0**-52 * (FINE if dtype is np.float64 else FINE_NARROW)

    def function(points: Points, output: int) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        values, errors, second = call(*(np.ascontiguousarray(column, dtype=dtype) for column in points.T))
        value, error = (values, errors) if count == 1 else (values[output], errors[output])
        if not isinstance(value, np.ndarray) or value.dtype != dtype:
            value = np.broadcast_to(np.asarray(value, dtype), len(points))
        unsure = np.where(np.asarray(error) > limit, UNSURE, FIRST)
        passes = np.broadcast_to(np.where(second, SECOND, unsure), len(points))
        return value.astype(float), passes.astype(np.int8)

    return [lambda points, k=k: function(points, k) for k in range(count)]


FLAGS = ("negative", "missing", "phantom", "lost", "spurious", "overflow")


def tally(name: str, asked: int, found: Measured, names: Sequence[str]) -> dict[str, Any]:
    """The figures of one set, as plain data."""
    errors = found.errors
    row: dict[str, Any] = {"set": name, "asked": asked, "points": len(found), "compared": int(found.comparable.sum())}
    compared = errors[found.comparable]
    row["off"] = int((compared > found.rule.sweep).sum())
    row["worst"] = float(compared.max()) if len(compared) else None
    row["p99.9"] = float(np.quantile(compared, 0.999, method="higher")) if len(compared) else None
    row |= {flag: int(getattr(found, flag).sum()) for flag in FLAGS}
    row |= {"zero": int(found.zero.sum()), "tiny": int(found.tiny.sum()), "huge": int(found.huge.sum())}
    row["undecided"] = int((~found.truth["known"]).sum())
    row["tiny_ulps"] = float(np.nan_to_num(found.ulps[found.tiny], nan=math.inf).max()) if row["tiny"] else None
    passes = found.passes
    row["second"] = None if passes is None else float((passes == SECOND).mean()) if len(found) else 0.0
    row["unsure"] = 0 if passes is None else int((passes == UNSURE).sum())
    if len(compared):
        row["at"] = place(found, int(np.nanargmax(errors)), names)
    row["flagged"] = {
        flag: place(found, int(np.flatnonzero(getattr(found, flag))[0]), names) for flag in FLAGS if row[flag]
    }
    return row


def place(found: Measured, index: int, names: Sequence[str]) -> dict[str, Any]:
    """One row: its parameters as the doubles they are, what the function got and of which pass, and the truth."""
    return {
        "point": dict(zip(names, found.points[index].tolist(), strict=True)),
        "got": float(found.got[index]),
        "true": float(found.size[index]),
        "scale": float(found.scale[index]),
        "pass": None if found.passes is None else int(found.passes[index]),
    }


__all__ = ["FLAGS", "Function", "Judged", "Measured", "compiled", "join", "measured", "tally"]
