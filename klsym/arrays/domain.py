"""Where vectors and matrices live: the domains of array parameters and of array outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

from ..core.domain import Domain, Outcome
from .functions import Symmetric, Vector

Check = Callable[[Any], Any]


@dataclass(frozen=True)
class ArrayDomain:
    """A set of arrays: how many event axes they have, what their symbols know, and which numbers are inside.

    `inside` maps an array of doubles with the event axes last to the truth of membership over the leading axes.
    """

    name: str
    axes: int
    make: Callable[..., Any] = field(repr=False)
    inside: Check = field(repr=False)
    square: bool = False

    def symbol(self, name: str, *dimensions: Any) -> Any:
        """The symbol of that name: an IndexedBase for lists over an index, a MatrixSymbol otherwise."""
        return self.make(name, *dimensions)

    def __str__(self) -> str:
        return self.name


def _finite(axes: int) -> Check:
    return lambda a: np.isfinite(a).all(axis=tuple(range(-axes, 0)))


def _simplex(a: Any) -> Any:
    return (a >= 0).all(-1) & (np.abs(a.sum(-1) - 1) <= 2**-50 * a.shape[-1])


def _unit(a: Any) -> Any:
    return np.abs((a * a).sum(-1) - 1) <= 2**-50 * a.shape[-1]


def _positive_definite(a: Any) -> Any:
    finite = np.isfinite(a).all((-2, -1))
    safe = np.where(finite[..., None, None], a, 0)
    return finite & (safe == safe.swapaxes(-1, -2)).all((-2, -1)) & (np.linalg.eigvalsh(safe) > 0).all(-1)


def _triangular(a: Any) -> Any:
    diagonal = np.diagonal(a, axis1=-2, axis2=-1)
    return _finite(2)(a) & (np.triu(a, 1) == 0).all((-2, -1)) & (diagonal > 0).all(-1)


def _column(name: str, k: Any) -> Any:
    return Vector(name, k, 1)


def _columns(name: str, k: Any) -> Any:
    return sp.MatrixSymbol(name, k, sp.Symbol(f"r_{name}", integer=True, positive=True))


def _list(**facts: bool) -> Callable[..., Any]:
    return lambda name, _=None: sp.IndexedBase(name, **facts)


real_list = ArrayDomain("real vectors", 1, _list(real=True), _finite(1))
positive_list = ArrayDomain("positive vectors", 1, _list(positive=True), lambda a: _finite(1)(a) & (a > 0).all(-1))
simplex = ArrayDomain("probability vectors", 1, _list(positive=True), _simplex)
real_vector = ArrayDomain("real vectors", 1, _column, _finite(1))
unit_vector = ArrayDomain("unit vectors", 1, _column, _unit)
# Of a size by any number of columns, each symbol with a number of its own.
columns = ArrayDomain("lists of columns", 2, _columns, _finite(2))
real_matrix = ArrayDomain("real matrices", 2, sp.MatrixSymbol, _finite(2))
positive_definite = ArrayDomain("positive definite matrices", 2, Symmetric, _positive_definite, square=True)
lower_triangular = ArrayDomain(
    "lower triangular matrices with positive diagonal", 2, sp.MatrixSymbol, _triangular, square=True
)


# The sets of outcomes that are part of another, of the same dimension.
CONTAINED = {"positive vectors": "vectors"}


@dataclass(frozen=True)
class ArrayParameter:
    """A parameter of a family of arrays: its symbol, its domain and its dimensions, none for a number.

    `keyword` is the name under which it is given where it is another form of a parameter.
    """

    symbol: Any
    domain: ArrayDomain | Domain
    dimensions: tuple[Any, ...] = ()
    keyword: str = ""

    @property
    def name(self) -> str:
        return str(getattr(self.symbol, "name", self.symbol))

    def named(self, name: str) -> Any:
        return self.domain.symbol(name, *self.dimensions)


__all__ = [
    "CONTAINED",
    "ArrayDomain",
    "ArrayParameter",
    "Outcome",
    "columns",
    "lower_triangular",
    "positive_definite",
    "positive_list",
    "real_list",
    "real_matrix",
    "real_vector",
    "simplex",
    "unit_vector",
]
