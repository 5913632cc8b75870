"""Programs in arithmetic of growing precision, until the double nearest to the exact value is decided.

It takes the arguments as the exact doubles they are. With python-flint every step is a ball that is proven to hold
its value (balls.py); without it, or for a primitive that has no ball, mpmath makes an estimate (multiprecision.py).
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import takewhile
from types import ModuleType
from typing import Any, Literal

import numpy as np
from mpmath.libmp import NoConvergence
from numpy.typing import NDArray

from ..core.primitive import PRIMITIVES
from ..core.program import Line, Program
from . import balls, multiprecision
from .unrounded import unrounded

Proof = Literal["exact", "ball", "estimate", "undecided"]

# (function, indexes of its arguments, index of its value), or (index of a condition, steps, the truth it must have).
Step = tuple[Any, Any, Any]

# The arms of selects in which a line is needed, the outermost first: (name of the select, index of the arm).
Path = tuple[tuple[str, int], ...]

# To be held while computing: the working precision belongs to the process, not to the thread.
PRECISION = threading.RLock()

# What an arithmetic raises where it has no value, and what comes of calculating with that.
UNKNOWN = (ArithmeticError, ValueError, TypeError, AttributeError, NoConvergence)


@dataclass(frozen=True)
class Decided:
    """The double nearest to a value, how that is known, and the precision in bits that told.

    `proof` is "exact" where no step was rounded, "ball" where the value is proven to round to that double, "estimate"
    where two precisions agree, "undecided" (and the value NaN) where the highest precision did not tell.
    """

    value: float
    proof: Proof
    bits: int


class Exact:
    """One output of a program as steps: calling it with doubles gives the Decided double.

    >>> from klsym.core.program import Line, Output
    >>> sum_of_two = Program("f", ("x", "y"), (Line("z", "add", ("x", "y")),), (Output("z"),))
    >>> Exact(sum_of_two)((1.0, 2.0**-60)).value
    1.0
    """

    def __init__(self, program: Program, output: int = 0) -> None:
        result = program.outputs[output].line
        lines = unrounded(program).needed(result)
        constants = [line for line in lines if line.primitive == "constant"]
        rest = [line for line in lines if line.primitive != "constant"]
        index = {name: k for k, name in enumerate(program.arguments)}
        index.update({line.name: k for k, line in enumerate((*constants, *rest), len(index))})
        self.program = program
        self._arithmetic = arithmetic({line.primitive for line in rest})
        self._texts = [line.constant for line in constants]
        self._constants: dict[int, list[Any]] = {}
        self._unset = [None] * len(rest)
        self._steps = _nested(rest, result, index, self._arithmetic.TABLE)
        self._result = index[result]

    def __call__(self, values: Sequence[float]) -> Decided:
        doubles = [float(value) for value in values]
        if any(map(math.isnan, doubles)):
            return Decided(math.nan, "exact", 0)
        numbers = [self._arithmetic.number(double) for double in doubles]
        with PRECISION:
            return Decided(*self._arithmetic.decide(lambda bits: self._at(numbers, bits)))

    def _at(self, numbers: list[Any], bits: int) -> Any:
        """The result at that working precision; None where it is not known, and a float where the lines choose NaN."""
        constants = self._constants.get(bits)
        if constants is None:
            constants = self._constants[bits] = [self._arithmetic.constant(text) for text in self._texts]
        slots = [*numbers, *constants, *self._unset]
        _run(self._steps, slots)
        result = slots[self._result]
        # A NaN that comes of calculating is another object than the constant, and says that nothing is known.
        chosen = any(text == "nan" and result is value for text, value in zip(self._texts, constants, strict=True))
        return math.nan if chosen else result


def _nested(lines: Sequence[Line], result: str, index: Mapping[str, int], table: Mapping[str, Any]) -> list[Step]:
    """The lines as steps; those that only one arm of a select needs are a block, just before it, for that case only."""
    paths: dict[str, Path] = {result: ()}
    for line in reversed(lines):
        for k, name in enumerate(line.arguments):
            path = paths[line.name] + (((line.name, k),) if line.primitive == "select" and k > 0 else ())
            paths[name] = _common(paths.get(name, path), path)
    blocks: defaultdict[Path, list[Step]] = defaultdict(list)
    for line in lines:
        path, block = paths[line.name], blocks[paths[line.name]]
        if line.primitive == "select":
            for k in (1, 2):
                if inner := blocks.pop((*path, (line.name, k)), None):
                    block.append((index[line.arguments[0]], inner, k == 1))
        arguments = tuple(index[name] for name in line.arguments)
        block.append((_closed(line.primitive, table), arguments, index[line.name]))
    return blocks[()]


def _common(one: Path, other: Path) -> Path:
    return tuple(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _run(steps: list[Step], slots: list[Any]) -> None:
    for function, arguments, target in steps:
        if isinstance(function, int):
            if slots[function] in (None, target):
                _run(arguments, slots)
            continue
        try:
            slots[target] = function(*[slots[k] for k in arguments])
        except UNKNOWN:
            slots[target] = None


def _closed(name: str, table: Mapping[str, Any]) -> Callable[..., Any]:
    """The primitive; where it has gaps and all of them are 0 it is 0 itself, whatever has been rounded."""
    function, gaps = table[name], len(PRIMITIVES[name].gaps)

    def remainder(*arguments: Any) -> Any:
        closed = all(d == 0 for d in arguments[-gaps:])
        return arguments[-1] if closed else function(*arguments)

    return remainder if gaps else function


def arithmetic(primitives: set[str]) -> ModuleType:
    """Balls where python-flint is installed and each of the primitives has one, mpmath elsewhere."""
    return balls if primitives <= balls.TABLE.keys() and find_spec("flint") else multiprecision


_KEPT = 500
_EXACT: dict[tuple[int, int], Exact] = {}


def exact(program: Program, output: int = 0) -> Exact:
    """The program's output as steps, kept by the program's identity: to hash one walks all of its lines."""
    found = _EXACT.get((id(program), output))
    if found is None or found.program is not program:
        if len(_EXACT) > _KEPT:
            _EXACT.clear()
        found = _EXACT[id(program), output] = Exact(program, output)
    return found


def evaluate(program: Program, values: Sequence[float], output: int = 0) -> Decided:
    """The double nearest to an output of the program at these arguments, which count as the exact doubles they are.

    It is NaN where the program's own lines say so or an argument is NaN, and where `proof` is "undecided".

    >>> from klsym.core.program import Line, Output
    >>> lines = Line("a", "exp", ("x",)), Line("b", "expm1", ("x",)), Line("y", "sub", ("a", "b"))
    >>> program = Program("f", ("x",), lines, (Output("y"),))
    >>> evaluate(program, [1e-20]).value
    1.0
    """
    return exact(program, output)(values)


def kernel(program: Program) -> Callable[..., tuple[NDArray[np.float64], ...]]:
    """A function of float64 vectors of one length, which gives a vector for each output, every element decided."""
    outputs = [exact(program, k) for k in range(len(program.outputs))]

    def decided(*arguments: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        columns = [np.asarray(argument, dtype=float).tolist() for argument in arguments]
        # Without arguments there is one element.
        rows = list(zip(*columns, strict=True)) if columns else [()]
        known = {row: tuple(output(row).value for output in outputs) for row in dict.fromkeys(rows)}
        values = zip(*(known[row] for row in rows), strict=True) if rows else ([] for _ in outputs)
        return tuple(np.array(value, dtype=float) for value in values)

    return decided
