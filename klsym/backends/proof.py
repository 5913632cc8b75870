"""The program in arithmetic of growing precision, element by element: slow, and every double decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import UnderivableError
from ..core.program import Program
from . import numpy
from .callable import Compiled, FirstPass
from .exact import kernel


def emit(program: Program) -> str:
    """Raises UnderivableError: there is nothing to write."""
    raise UnderivableError(f"{program.name}: the backend exact runs a program as it is and writes no source")


def load(program: Program, **options: Any) -> Compiled:
    """The program as a callable; there is nothing left for a second pass."""
    first = FirstPass("exact", "", program.doc or program.name, _filling(program), numpy.conditions(program))
    return Compiled(program, first, **options)


def _filling(program: Program) -> Callable[..., int]:
    """Every value decided, so that no error is larger than the rounding of the result, and no place is doubtful."""
    decided, arguments, outputs = kernel(program), len(program.arguments), len(program.outputs)

    def fill(limit: float, *arrays: Any) -> int:
        size = arrays[arguments].size
        rows = [np.broadcast_to(a, (size,)) for a in arrays[:arguments]]
        values, errors = arrays[arguments:][:outputs], arrays[arguments + outputs : -1]
        results = decided(*rows) if arguments else [np.full(size, value) for value in decided_once()]
        for value, result in zip(values, results, strict=True):
            value[...] = result
        for error in errors:
            error[...] = 0.0
        return 0

    def decided_once() -> list[float]:
        from .exact import evaluate

        return [evaluate(program, (), k).value for k in range(outputs)]

    return fill
