"""Points at which a program has values, with the values: what a generated module checks itself with."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UndecidedWarning
from ..core.program import Program
from . import numpy, proof
from .source import indented

# Drawn, measured in the exact backend, and written into the module.
_DRAWN, _MEASURED, _SHOWN = 20_000, 24, 4
_SMALL, _FINE = 2.0**-80, 8.0


class Specimens(NamedTuple):
    """Points that float32 holds exactly, their correctly rounded values, and NumPy's errors in units of 2^-52."""

    points: NDArray[np.float64]
    values: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def accuracy(self) -> list[str]:
        """Sentences for a docstring."""
        if not len(self.points):
            return ["Its accuracy has not been measured: no point with a value was found."]
        return [
            f"At {len(self.points)} points, P far from Q and near it, the same arithmetic in NumPy was off by",
            f"at most {self.errors.max():.2g} units of 2^-52.",
        ]

    def check(self, name: str) -> list[str]:
        """The function `self_check` of a module whose function has that name."""
        best = np.argsort(self.errors > _FINE, kind="stable")[:_SHOWN]
        rows = [(*self.points[k].tolist(), float(self.values[k])) for k in best]
        tolerance = 2.0**-52 * max([32.0, *(4.0 * self.errors[best])])
        return [
            "",
            "def self_check() -> None:",
            '    """Raise AssertionError unless the function has the right values at a few points."""',
            "    rows = (",
            *indented([f"{row!r}," for row in rows], 2),
            "    )",
            "    for *point, value in rows:",
            f"        found = {name}(*point)",
            f"        tolerance = max({tolerance!r}, float(2 * jnp.finfo(found.dtype).eps)) * abs(value)",
            "        if not abs(float(found) - value) <= tolerance:",
            f'            raise AssertionError(f"{name}{{tuple(point)}} is {{found!r}}; the value is {{value!r}}")',
            "",
        ]


def specimens(program: Program) -> Specimens:
    """Points drawn until enough have a finite value that is not 0, some of them with P near Q; always the same ones."""
    value = replace(program, outputs=program.outputs[:1])
    value = replace(value, lines=value.needed(*value.outputs[0].lines), conditions=())
    first = numpy.load(value, second_pass=False)
    points = _drawn(program)
    size = abs(np.broadcast_to(first(*points.T), len(points)))
    points = points[(size > _SMALL) & (size < 1.0 / _SMALL)][:_MEASURED]
    if not len(points):
        return Specimens(points, np.empty(0), np.empty(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndecidedWarning)
        true = np.broadcast_to(proof.load(value)(*points.T), len(points))
    errors = abs(np.broadcast_to(first(*points.T), len(points)) - true) / abs(true) * 2.0**52
    known = np.isfinite(errors)
    return Specimens(points[known], true[known], errors[known])


def _drawn(program: Program) -> NDArray[np.float64]:
    """Points of everyday numbers, in turn far and near: each of Q's parameters is then P's or differs by a little."""
    rng = np.random.default_rng(zlib.crc32(program.name.encode()))
    kinds = (rng.uniform(0.0, 1.0, _DRAWN), rng.integers(1, 9, _DRAWN), 10.0 ** rng.uniform(-1, 1, _DRAWN))
    found = {name: rng.permutation(np.choose(rng.integers(0, 3, _DRAWN), kinds)) for name in program.arguments}
    near, gap = np.arange(_DRAWN) % 2 == 1, 2.0 ** -rng.integers(4, 12, _DRAWN)
    for name in program.arguments:
        if name.endswith("_q") and f"{name[:-2]}_p" in found:
            moved = found[f"{name[:-2]}_p"] * (1.0 + gap * rng.integers(-1, 2, _DRAWN))
            found[name] = np.where(near, moved, found[name])
    return np.array([*found.values()]).reshape(len(found), _DRAWN).T.astype(np.float32).astype(float)
