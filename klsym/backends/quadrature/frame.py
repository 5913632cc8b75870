"""Where each element's integrand lives: half lines from the places where it may have an end or a kink.

From such a place x = place +- e^t, up to half the way to the next one, or without an end: in t powers at an end and
tails of any weight are exponentials. The integers are cut where a support begins or ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.integral import IntegralProgram
from .nodes import Array, Rays


@dataclass(frozen=True)
class Frame:
    """What a frame program gives for elements, in arrays of one column an element."""

    supports: Array
    places: Array
    slopes: Array
    offsets: Array
    constants: Array
    size: Array

    def __getitem__(self, columns: NDArray[np.int64]) -> Frame:
        return Frame(*(rows[..., columns] for rows in vars(self).values()))

    @staticmethod
    def of(
        program: IntegralProgram, outputs: Sequence[Any], valid: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], Frame]:
        """Which of the valid elements need the integral, and the frame of these."""
        rows = np.array([np.broadcast_to(np.asarray(output, dtype=float), valid.shape) for output in outputs])
        needed = valid & (rows[0] == 1.0)
        rows = rows[:, needed]
        m, n = program.places, program.forms
        forms = rows[5 + m : 5 + m + n * (1 + m)].reshape(n, 1 + m, rows.shape[1])
        return needed, Frame(
            rows[1:5], rows[5 : 5 + m], forms[:, 0], forms[:, 1:], rows[5 + m + n * (1 + m) : -1], rows[-1]
        )


def rays(frame: Frame, both: bool) -> Rays:
    """The half lines of an integral where P has mass, or where either has."""
    places, size = frame.places, frame.places.shape[1]
    order = np.argsort(places, axis=0, kind="stable")
    ranked = np.take_along_axis(places, order, axis=0)
    column = np.arange(size)
    parts = []
    for rank, place in enumerate(order):
        here = ranked[rank]
        for direction in (-1.0, 1.0):
            other = rank + int(direction)
            if 0 <= other < len(order):
                ends = np.sort([here, ranked[other]], axis=0)
                length = (ends[1] - ends[0]) / 2
            else:
                ends = np.sort([here, np.full(size, direction * np.inf)], axis=0)
                length = np.full(size, np.inf)
            inside = np.array([(low <= ends[0]) & (ends[1] <= high) for low, high in frame.supports.reshape(2, 2, -1)])
            kept = (inside.any(axis=0) if both else inside[0]) & (length > 0)
            element, at = column[kept], place[kept]
            parts.append(
                Rays(
                    element,
                    frame.offsets[:, at, element],
                    direction * frame.slopes[:, element],
                    frame.constants[:, element],
                    np.full(element.size, -np.inf),
                    np.log(length[kept]),
                    inside[:, kept] * 1.0,
                    np.full(element.size, direction),
                )
            )
    return _joined(parts)


def counted(frame: Frame, both: bool) -> Rays:
    """The stretches of integers of a sum: from each the next begins where a support begins or ends, or at 0."""
    low, high = frame.supports[[0, 2]], frame.supports[[1, 3]]
    if not both:
        low, high = low[:1], high[:1]
    size = low.shape[1]
    below = np.isinf(low).any(axis=0)
    starts = np.sort([*low, *(high + 1), np.where(below, 0.0, np.inf)], axis=0)
    ends = np.concatenate([starts[1:], np.full((1, size), np.inf)])
    first = np.where(below, np.where(np.isinf(starts), np.inf, starts).min(axis=0), np.nan)
    parts = [_stretch(frame, first - 1, np.full(size, np.inf), -1.0, both)]
    parts += [_stretch(frame, start, end - start, 1.0, both) for start, end in zip(starts, ends, strict=True)]
    return _joined(parts)


def _stretch(frame: Frame, start: Array, count: Array, direction: float, both: bool) -> Rays:
    """Integers from `start` on, so many of them, where there is mass."""
    inside = np.array([(low <= start) & (start <= high) for low, high in frame.supports.reshape(2, 2, -1)])
    kept = np.isfinite(start) & (count > 0) & (inside.any(axis=0) if both else inside[0])
    element = np.arange(start.size)[kept]
    slope = frame.slopes[:, element]
    return Rays(
        element,
        frame.offsets[:, 0, element] + slope * (start[kept] - frame.places[0, element]),
        direction * slope,
        frame.constants[:, element],
        np.zeros(element.size),
        count[kept] - 1,
        inside[:, kept] * 1.0,
        np.full(element.size, direction),
    )


def _joined(parts: Sequence[Rays]) -> Rays:
    return Rays(
        np.concatenate([part.element for part in parts]),
        *(
            np.concatenate([getattr(part, name) for part in parts], axis=-1)
            for name in ("offset", "slope", "constant", "first", "end", "inside", "direction")
        ),
    )
