"""A divergence that is an integral or a sum as a function of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.integral import IntegralProgram
from .. import numba
from ..filled import Filled
from .frame import Frame, counted, rays
from .nodes import Array, NumbaNodes, NumpyNodes, Rays, lines, sizes
from .panels import begun, total
from .running import READINGS
from .windows import Windows

# The integrand is followed until it is less than e^-DROP of its height, then farther where it still counts.
DROPS = (42.0, 100.0, 250.0)
_EPSILON = 2.0**-52
_NOTHING = 1e-17


class Integrated(Filled):
    """A divergence with an integral or a sum in it as a function of arrays, as Compiled is for a closed form.

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
        Filled.__init__(self, program.outside, closed, second_pass, report)
        self.integral, self.backend = program, backend
        self._signed = program.over != "densities"
        self._frame, self._after = lines(program.frame), lines(program.after)
        nodes = NumbaNodes if backend == "numba" else NumpyNodes
        self._nodes = nodes(program.nodes, program.forms, program.discrete)
        self._sizes = sizes(program.sizes, program.forms, program.discrete)

    def __reduce__(self) -> tuple[Any, ...]:
        from .. import load_integral

        options = {"second_pass": self.second_pass, "report": self.report}
        return partial(load_integral, **options), (self.integral, self.backend)

    def computed(self, arguments: list[Array], valid: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Array, Array]:
        needed, frame = Frame.of(self.integral, self._frame(*arguments), valid)
        if not needed.any():
            return needed, np.zeros((len(self.outputs), 0)), np.zeros((len(self.outputs), 0))
        values, relative = self._valued(self._integral(frame), [argument[needed] for argument in arguments])
        return needed, values, relative

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
        value, doubt, held = np.zeros((3, len(self.outputs), size))
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
        windows = Windows(self._nodes, seen, program.both, program.discrete, self._signed)
        spans = windows.spans(windows.cuts(size, drop))
        marks = [*(row for span in spans for row in span), *windows.graded(spans)]
        marks += windows.crossings(spans) if program.kinked else []
        panels = begun(np.array(marks), program.discrete)
        sums = total(self._nodes, seen, panels, size, program.discrete, program.both, self._signed)
        value, doubt, absolute = READINGS[program.over](self._nodes, seen, sums)
        masses = sums.parts[-2:] if program.both else sums.parts[-2:-1]
        missing = abs(masses - 1).max(axis=0)
        beyond = np.zeros(size)
        np.maximum.at(beyond, seen.element, windows.beyond(spans))
        held, moved = absolute.copy(), absolute.copy()
        if not self._signed:
            held[0], moved[0] = abs(value[0]), self._slope(value[0])
        rounding = self._rounding(frame, seen, windows.modes[0]) * moved
        return value, doubt + 4 * _EPSILON * absolute + missing * held + rounding, held, beyond

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
