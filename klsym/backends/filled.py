"""A function of arrays whose closed and infinite values one program has, and something slower the others."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UndecidedWarning
from ..core.program import Program
from .containers import container
from .function import Function, Report, kind_of, numeric

Array = NDArray[np.float64]

# Relative to the value, or to the integral of the integrand's size where the value is small beside that.
TRUSTED = 1e-10
# As many elements at a time as the arrays of all their nodes stay small.
BLOCK = 256


class Filled(Function):
    """What is closed or infinite comes from the closed program, the rest from `computed`, with estimated errors.

    There is no second pass of it: a value whose estimated relative error is above 1e-10 is NaN, with an
    UndecidedWarning, or, without `second_pass`, comes as it is.
    """

    def __init__(self, program: Program, closed: Any, second_pass: bool, report: bool) -> None:
        Function.__init__(self, program.name, program.arguments, closed.outputs, closed.__doc__, report)
        self.program, self.closed, self.second_pass, self.source = program, closed, second_pass, closed.source

    def computed(self, arguments: list[Array], valid: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Array, Array]:
        """Which of the valid elements are not closed; the outputs of these, as rows, and their relative errors."""
        raise NotImplementedError

    def __call__(self, *args: Any, out: Any = None, check: bool = False, report: Any = None, **kwargs: Any) -> Any:
        report = self.report if report is None else report
        args = self.bound(args, kwargs)
        if (call := container(args)) is not None:
            return call(self, args, {"out": out, "check": check, "report": report})
        values = [numeric(name, value) for name, value in zip(self.arguments, args, strict=True)]
        kind, shape = kind_of(values), np.broadcast_shapes(*(np.shape(value) for value in values))
        outs = None if out is None else self.outs(out, [shape] * len(self.outputs))
        flat = [np.broadcast_to(np.asarray(value, dtype=float), shape).reshape(-1) for value in values]
        outside = self.closed(*values, check=check, report=True)
        rows = (part if len(self.outputs) > 1 else (part,) for part in outside[:2])
        results, errors = (np.array(row, dtype=float).reshape(len(self.outputs), -1) for row in rows)
        for start in range(0, results.shape[1], BLOCK):
            here = slice(start, start + BLOCK)
            self._fill([value[here] for value in flat], results[:, here], errors[:, here])
        found = [result.reshape(shape).astype(kind)[()] for result in results]
        if outs is not None:
            for target, result in zip(outs, found, strict=True):
                np.copyto(target, result, casting="same_kind")
            found = outs
        if not report:
            return self.results(found)
        return Report(self.results(found), self.results([e.reshape(shape)[()] for e in errors]), outside.second)

    def _fill(self, arguments: list[Array], results: Array, errors: Array) -> None:
        """What a block of elements needs."""
        holds, shape = self.closed.conditions(**dict(zip(self.arguments, arguments, strict=True))), results[0].shape
        valid = np.logical_and.reduce([np.broadcast_to(held, shape) for held in holds.values()])
        needed, values, relative = self.computed(arguments, valid & np.ones(shape, dtype=bool))
        unsure = ~(relative <= TRUSTED)
        if self.second_pass and unsure.any():
            values = np.where(unsure, np.nan, values)
            warnings.warn(
                f"{self!r}: the estimated error of {unsure.any(axis=0).sum()} of {shape[0]} integrals is above "
                f"{TRUSTED:g}, and they are NaN; report=True shows them; second_pass=False gives a number without a "
                "guarantee",
                UndecidedWarning,
                stacklevel=4,
            )
        results[:, needed], errors[:, needed] = values, relative
