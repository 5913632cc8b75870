"""Closed forms at arrays: in doubles with estimates of their errors, and one element decided at rising precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from ...arrays.arithmetic import Arithmetic
from ...arrays.arithmetic import balls as ball_arithmetic
from ...arrays.arithmetic import multiprecision as long_arithmetic
from ...arrays.bounded import bounded
from ...arrays.family import INDEX
from ...arrays.walk import Walker
from ...core.errors import UnderivableError
from .. import balls, multiprecision
from ..exact import PRECISION

Array = NDArray[np.float64]
MARGIN = 2.0  # errors were found up to twice the estimates of `bounded`


@dataclass(frozen=True)
class Output:
    """A result as an expression: a number, a matrix, or with one axis a column or a list by its entry in the index.

    Of a `lower` matrix the lower triangle counts, the rest is 0.
    """

    name: str
    expr: Any
    axes: int = 0
    lower: bool = False

    def at(self, walker: Walker) -> Any:
        """Its value, the event axes last."""
        if isinstance(self.expr, sp.MatrixExpr):
            whole = walker.array(self.expr, None)
            if self.lower:
                return walker.kind.choose(np.tri(whole.shape[-1]) == 0, 0, whole)
            return whole[..., 0] if self.axes == 1 else whole
        return walker.array(self.expr, INDEX if self.axes else None)


def estimated(outputs: tuple[Output, ...], values: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """Each output over the leading axes of the values, and its absolute error, estimated, from one walk in doubles.

    Where `bounded` lacks a rule no error is known: inf.
    """
    walker = Walker(values, bounded)
    try:
        found = [bounded.array(0.0) + output.at(walker) for output in outputs]
    except UnderivableError:
        plain = Walker(values)
        return [(output.at(plain), np.inf) for output in outputs]
    return [(each.value, MARGIN * each.error) for each in found]


def relative(value: Any, error: Any, axes: int) -> Any:
    """The error over the value; for an array with so many event axes the largest over the largest entry."""
    last = tuple(range(-axes, 0))
    error, size = np.broadcast_to(error, np.shape(value)).max(last), np.abs(value).max(last)
    with np.errstate(all="ignore"):
        return np.where((error == 0) & ~np.isnan(size), 0.0, error / size)


def decided(outputs: tuple[Output, ...], values: Mapping[Any, Any], shapes: list[tuple[int, ...]]) -> list[Array]:
    """The outputs at one element, which its doubles are exactly; NaN where no precision decides a double.

    In ball arithmetic where python-flint is installed and has all rules, in mpmath's elsewhere: see `backends.exact`.
    An entry of an array that is nothing beside the largest, to three quarters of the bits, is 0.
    """
    if find_spec("flint"):
        try:
            return _decided(outputs, values, shapes, ball_arithmetic(), balls.decide)
        except UnderivableError:
            pass
    return _decided(outputs, values, shapes, long_arithmetic, multiprecision.decide)


def _decided(
    outputs: tuple[Output, ...],
    values: Mapping[Any, Any],
    shapes: list[tuple[int, ...]],
    kind: Arithmetic,
    decide: Callable[[Any], tuple[float, str, int]],
) -> list[Array]:
    known: dict[int, list[Any]] = {}

    def run(bits: int) -> list[Any]:
        if bits not in known:
            walker = Walker(values, kind)
            try:
                each = [kind.array(output.at(walker)) for output in outputs]
                known[bits] = [x for a, s in zip(each, shapes, strict=True) for x in _entries(a, s, bits)]
            except (ArithmeticError, ValueError):  # a matrix that is not known to be regular
                known[bits] = [None] * sum(sizes)
        return known[bits]

    sizes = [int(np.prod(shape)) for shape in shapes]
    with PRECISION:
        flat = np.array([decide(partial(_entry, run, k))[0] for k in range(sum(sizes))])
    return [part.reshape(s) for part, s in zip(np.split(flat, np.cumsum(sizes)[:-1]), shapes, strict=True)]


def _entry(run: Callable[[int], list[Any]], k: int, bits: int) -> Any:
    return run(bits)[k]


def _entries(array: Any, shape: tuple[int, ...], bits: int) -> list[Any]:
    entries = list(np.broadcast_to(array, shape).flat)
    sizes = [float(abs(x)) for x in entries]
    largest = max((size for size in sizes if size < np.inf), default=0.0)
    return [0.0 if size < largest * 2.0 ** -(3 * bits // 4) else x for size, x in zip(sizes, entries, strict=True)]
