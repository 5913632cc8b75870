"""A divergence that is an integral or a sum as a function of arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from ...core.errors import UndecidedWarning
from ...core.integral import IntegralProgram
from .. import numba
from ..containers import container
from ..function import Function, Report, kind_of, numeric
from .frame import Frame, counted, rays
from .nodes import Array, NumbaNodes, NumpyNodes, Rays, lines, sizes
from .panels import begun, total
from .windows import Windows

# As many elements at a time as the arrays of all their nodes stay small.
BLOCK = 256
# Relative to the value, or to the integral of the integrand's size where the value is small beside that.
TRUSTED = 1e-10
# The integrand is followed until it is less than e^-DROP of its height, then farther where it still counts.
DROPS = (42.0, 100.0, 250.0)
_EPSILON = 2.0**-52
_NOTHING = 1e-17


class Integrated(Function):
    """A divergence with an integral or a sum in it as a function of arrays, as Compiled is for a closed form.

    What is closed or infinite comes from the closed program. There is no second pass of an integral: a value whose
    estimated relative error is above 1e-10 is NaN, with an UndecidedWarning, or, without `second_pass`, comes as it is.
    The errors of derivatives, which may vanish anywhere, are relative to the integrals of their integrands' sizes where
    these are larger.
    """

    def __init__(
        self,
        program: IntegralProgram,
        closed: Any,
        backend: str,
        second_pass: bool = True,
        report: bool = False,
    ) -> None:
        Function.__init__(self, program.name, program.arguments, closed.outputs, closed.__doc__, report)
        self.program, self.integral, self.closed = program.outside, program, closed
        self.backend, self.second_pass = backend, second_pass
        self.source = closed.source
        self._frame, self._after = lines(program.frame), lines(program.after)
        nodes = NumbaNodes if backend == "numba" else NumpyNodes
        self._nodes = nodes(program.nodes, program.forms, program.discrete)
        self._sizes = sizes(program.sizes, program.forms, program.discrete)

    def __reduce__(self) -> tuple[Any, ...]:
        from .. import load_integral

        options = {"second_pass": self.second_pass, "report": self.report}
        return partial(load_integral, **options), (self.integral, self.backend)

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
        """The integrals of a block of elements, where they are needed."""
        holds, shape = self.closed.conditions(**dict(zip(self.arguments, arguments, strict=True))), results[0].shape
        valid = np.logical_and.reduce([np.broadcast_to(held, shape) for held in holds.values()])
        needed, frame = Frame.of(self.integral, self._frame(*arguments), valid & np.ones(shape, dtype=bool))
        if not needed.any():
            return
        values, relative = self._valued(self._integral(frame), [argument[needed] for argument in arguments])
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

    def _valued(self, found: tuple[Array, Array, Array], arguments: list[Array]) -> tuple[Array, Array]:
        """The outputs from the integrals, and their relative errors from those of these."""
        integrals, doubts, sizes = found

        def after(integrals: Array) -> Array:
            return np.array(np.broadcast_arrays(*self._after(*integrals, *arguments), integrals[0])[:-1])

        with np.errstate(all="ignore"):
            values = after(integrals)
            moved = abs(after(integrals + doubts) - values)
            ends = (after(np.array([integrals[0], *slopes])) for slopes in (sizes[1:], 0 * sizes[1:]))
            scale = np.fmax(abs(values), abs(np.subtract(*ends)))
            return values, np.where(moved == 0.0, 0.0, moved / scale)

    def _integral(self, frame: Frame) -> tuple[Array, Array, Array]:
        """The integrals for each element, what they may be off, and how large they are: derivatives by their sizes."""
        size = frame.places.shape[1]
        value, doubt, held = np.zeros((3, self.integral.integrals, size))
        waiting = np.arange(size)
        with np.errstate(all="ignore"):
            for drop in DROPS:
                *found, beyond = self._followed(frame[waiting], drop)
                value[:, waiting], doubt[:, waiting], held[:, waiting] = found
                cut = beyond > _NOTHING * held[:, waiting].max(axis=0)
                doubt[:, waiting] += 10 * beyond
                waiting = waiting[cut]
                if not waiting.size:
                    break
        return value, doubt, held

    def _followed(self, frame: Frame, drop: float) -> tuple[Array, Array, Array, Array]:
        """The same as far as the integrand is above e^-drop of its height, and how large it is where that ends."""
        program, size = self.integral, frame.places.shape[1]
        seen = (counted if program.discrete else rays)(frame, program.both)
        windows = Windows(self._nodes, seen, program.both, program.discrete)
        spans = windows.spans(windows.cuts(size, drop))
        marks = [*(row for span in spans for row in span), *windows.graded(spans)]
        marks += windows.crossings(spans) if program.kinked else []
        sums = total(self._nodes, seen, begun(np.array(marks), program.discrete), size, program.discrete, program.both)
        n = program.integrals
        value, absolute, masses = sums.parts[:n], sums.parts[n : 2 * n], sums.parts[2 * n :]
        missing = abs((masses if program.both else masses[:1]) - 1).max(axis=0)
        beyond = np.zeros(size)
        np.maximum.at(beyond, seen.element, windows.beyond(spans))
        held = np.array([abs(value[0]), *absolute[1:]])
        rounding = self._rounding(frame, seen, windows.modes[0]) * np.array([self._slope(value[0]), *absolute[1:]])
        return value, sums.doubt + 4 * _EPSILON * absolute + missing * held + rounding, held, beyond

    def _rounding(self, frame: Frame, seen: Rays, modes: Array) -> Array:
        """What rounding leaves of the log densities where P is highest; Q's alone is in its `missing` mass."""
        size, held = frame.size.copy(), seen.inside[0] > 0
        found = frame.size[seen.element] + self._sizes(seen, modes[:, None])[:, 0]
        np.maximum.at(size, seen.element[held], found[held])
        return 2 * _EPSILON * size

    def _slope(self, value: Array) -> Array:
        """How much the integral moves with log p - log q at most.

        f(e^d) with a double zero at 0 moves by 2 sqrt(f) or less; near P = Q a precise d is off by as much as it is.
        """
        if self.integral.meets:
            return abs(value)
        return (
            np.minimum(1.0, 2 * np.sqrt(abs(value)))
            if self.integral.both and not self.integral.kinked
            else 1.0 + 0 * value
        )


def load(
    program: IntegralProgram, closed: Callable[..., Any], backend: str | None = None, **options: Any
) -> Integrated:
    """The program as a callable; `closed` is what it has outside of integrals, loaded."""
    if backend is None:
        backend = "numba" if find_spec("numba") and not numba.missing(program.nodes) else "numpy"
    return Integrated(program, closed, backend, **options)
