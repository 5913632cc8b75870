"""The true value at exact doubles: a walker from SymPy to numbers that shares nothing with lower or backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import sympy as sp

from ..core.exact import Exact

GOOD_BITS = 80
START, LIMIT = 128, 1 << 14
# Their cost grows so fast with the precision that such a point is given up early.
COSTLY, COSTLY_LIMIT = (
    {
        "Log1pMellin",
        "Log1pMellinSlope",
        "BesselKOrder",
        "BesselKOrderSlope",
        "besselk",
        "TricomiU",
        "ParabolicU",
        "hyper",
    },
    512,
)
# value = (high + low) 2^exponent, 1/2 <= |high| < 1: a double would lose the digits that an error is measured with.
Truth = tuple[float, float, int, bool]
UNKNOWN: Truth = (0.0, 0.0, 0, False)
ZERO: Truth = (0.0, 0.0, 0, True)
INFINITE: Truth = (0.5, 0.0, 1 << 40, True)
ABSENT: Truth = (float("nan"), 0.0, 0, True)
# A truth and, last, the size times 2^-exponent that an error is relative to.
JUDGED = np.dtype([("high", float), ("low", float), ("exponent", np.int64), ("known", bool), ("scale", float)])
Judged = tuple[float, float, int, bool, float]


def absolute(truth: Truth) -> Judged:
    """The truth with errors relative to itself."""
    return (*truth, abs(truth[0]))


class Arithmetic(Protocol):
    """Numbers of some precision: `operations` by SymPy's name of the head, and what is known of a result."""

    name: str
    operations: dict[str, Callable[..., Any]]

    def precision(self, bits: int) -> AbstractContextManager[Any]: ...
    def rational(self, numerator: int, denominator: int) -> Any: ...
    def double(self, x: float) -> Any: ...
    def decided(self, value: Any, earlier: Any) -> Truth | None: ...
    def scaled(self, value: Any, exponent: int) -> float: ...
    def other(self, compute: Callable[..., Any], *arguments: Any) -> Any: ...


def best() -> Arithmetic:
    """Balls with python-flint, without it mpmath's numbers at rising precision."""
    if find_spec("flint") is None:
        from .digits import Digits

        return Digits()
    from .balls import Balls

    return Balls()


@dataclass(frozen=True)
class Step:
    """One subexpression: its head applied to earlier steps, or a constant (`arguments` empty)."""

    head: str
    arguments: tuple[int, ...]
    node: Any

    @property
    def dyadic(self) -> bool:
        """Whether it is a constant that a double holds exactly."""
        return isinstance(self.node, sp.Rational) and int(self.node.q).bit_count() == 1


def tape(expression: Any, symbols: Sequence[sp.Symbol]) -> list[Step]:
    """The subexpressions in order, each once; the symbols come first."""
    place: dict[Any, int] = {symbol: index for index, symbol in enumerate(symbols)}
    steps = [Step("Symbol", (), symbol) for symbol in symbols]

    def visit(node: Any) -> int:
        if node not in place:
            arguments = tuple(visit(child) for child in children(node))
            place[node] = len(steps)
            steps.append(Step(head(node), arguments, node))
        return place[node]

    last = visit(expression)
    return steps if last >= len(symbols) else [*steps, Step("Add", (last,), expression)]


def children(node: Any) -> Iterator[Any]:
    """A Piecewise as value, condition, value, condition …; a whole power keeps its exponent to itself."""
    if isinstance(node, sp.Piecewise):
        return (part for branch in node.args for part in branch.args)
    if isinstance(node, sp.hyper):
        return iter((*node.args[0], *node.args[1], node.args[2]))
    return iter(node.args[:1] if whole_power(node) or root(node) else node.args)


def whole_power(node: Any) -> bool:
    return isinstance(node, sp.Pow) and node.exp.is_Integer


def root(node: Any) -> bool:
    return isinstance(node, sp.Pow) and node.exp in (sp.S.Half, -sp.S.Half)


def head(node: Any) -> str:
    if whole_power(node):
        return "power"
    if root(node):
        return "sqrt" if node.exp > 0 else "rsqrt"
    return type(node).__name__


class Reference:
    """The value of an expression where its symbols are doubles, each taken exactly.

    >>> x = sp.Symbol("x", positive=True)
    >>> truth = Reference(x - 1 - sp.log(x), (x,))([1 + 2.0**-52])
    >>> truth[0] * 2.0 ** truth[2] == 2.0**-105
    False
    >>> abs(truth[0] * 2.0 ** truth[2] / 2.0**-105 - 1) < 1e-15
    True
    """

    def __init__(self, expression: Any, symbols: Sequence[sp.Symbol], arithmetic: Arithmetic | None = None) -> None:
        self.arithmetic = best() if arithmetic is None else arithmetic
        self.steps = tape(expression, symbols)
        self.count = len(symbols)
        self.limit = COSTLY_LIMIT if COSTLY & {step.head for step in self.steps} else LIMIT
        self._bits = START
        self._program = [self._prepared(step) for step in self.steps[self.count :]]

    def _prepared(self, step: Step) -> tuple[Callable[..., Any] | None, tuple[int, ...], Any]:
        """What to do for a step: a function of earlier results, or a constant to make at each precision."""
        node, operations, arithmetic = step.node, self.arithmetic.operations, self.arithmetic
        if isinstance(node, (sp.Rational, Exact)):
            ratio = node.rational if isinstance(node, Exact) else node
            return None, (), lambda: arithmetic.rational(int(ratio.p), int(ratio.q))
        if not step.arguments:
            return None, (), operations[step.head]
        if step.head == "power":
            exponent = int(node.exp)
            return (lambda x: operations["power"](x, exponent)), step.arguments, None
        if step.head == "hyper":
            count = len(node.args[0])
            return (lambda *a: operations["hyper"](a[:count], a[count:-1], a[-1])), step.arguments, None
        if step.head not in operations and hasattr(node.func, "compute"):
            return (lambda *a: arithmetic.other(node.func.compute, *a)), step.arguments, None
        return operations[step.head], step.arguments, None

    def steps_at(self, point: Sequence[float]) -> list[Any]:
        """The value of every step at the arithmetic's present precision."""
        known = [self.arithmetic.double(x) for x in point]
        for function, arguments, constant in self._program:
            known.append(constant() if function is None else function(*[known[i] for i in arguments]))
        return known

    def value(self, point: Sequence[float]) -> Any:
        """The value at the arithmetic's present precision."""
        return self.steps_at(point)[-1]

    def sizes(self, point: Sequence[float], exponent: int) -> float:
        """The sum of the sizes of the expression's terms, times 2^-exponent, at the precision that decided last."""
        last = self.steps[-1]
        with self.arithmetic.precision(self._bits):
            known = self.steps_at(point)
            terms = [known[i] for i in last.arguments] if last.head == "Add" else known[-1:]
            return self.arithmetic.scaled(sum(map(abs, terms)), exponent)

    def room(self, point: Sequence[float]) -> float:
        """What an error of each step relative to itself does to the value, summed, per error.

        To first order this bounds what rounding can do to the expression as it is written (Higham, Accuracy and
        Stability of Numerical Algorithms, 3.3); the point's doubles are exact, as are constants that doubles hold.
        """
        nudge = 2.0**-40
        with self.arithmetic.precision(max(self._bits, 256)):
            factor, known = self.arithmetic.double(1 + nudge), self.steps_at(point)
            total = abs(known[-1])
            for index in range(self.count, len(known) - 1):
                if not (isinstance(known[index], bool) or known[index] is None or self.steps[index].dyadic):
                    total += abs(self._beyond(known, index, factor) - known[-1]) / self.arithmetic.double(nudge)
            return self.arithmetic.scaled(total, 0)

    def _beyond(self, known: Sequence[Any], index: int, factor: Any) -> Any:
        """The value with one step off by a factor."""
        changed = [*known[: index + 1]]
        changed[index] *= factor
        for function, arguments, constant in self._program[index + 1 - self.count :]:
            changed.append(constant() if function is None else function(*[changed[i] for i in arguments]))
        return changed[-1]

    def variation(self, path: Sequence[Sequence[float]], exponent: int) -> float:
        """The sum of the sizes of the changes along a path that starts from 0, times 2^-exponent, likewise."""
        with self.arithmetic.precision(self._bits):
            values = [0, *map(self.value, path)]
            changes = (abs(b - a) for a, b in pairwise(values))
            return self.arithmetic.scaled(sum(changes), exponent)

    def __call__(self, point: Sequence[float]) -> Truth:
        """The true value; `known` is False where even the last precision does not decide it."""
        bits, earlier = max(START, self._bits // 2), None
        while bits <= self.limit:
            with self.arithmetic.precision(bits):
                value = self.value(point)
                found = self.arithmetic.decided(value, earlier)
            if found is not None:
                self._bits = bits
                return found
            bits, earlier = 2 * bits, value
        return UNKNOWN

    def safely(self, point: Sequence[float]) -> Truth:
        """The true value, or unknown where the arithmetic gives up."""
        try:
            return self(point)
        except (ArithmeticError, ValueError):
            return UNKNOWN


def split(mantissa: int, exponent: int) -> Truth:
    """mantissa 2^exponent as a truth: the leading 53 bits, and what follows them."""
    if mantissa == 0:
        return ZERO
    sign, size = (1 if mantissa > 0 else -1), abs(mantissa)
    length = size.bit_length()
    size = size << (120 - length) if length < 120 else size >> (length - 120)
    high = size >> 67
    return sign * high * 2.0**-53, sign * float(size - (high << 67)) * 2.0**-120, exponent + length, True
