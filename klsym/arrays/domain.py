"""Where vectors and matrices live: the domains of array parameters and of array outcomes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
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

    def __reduce__(self) -> str:
        """A domain is pickled as its name in this module: it stays the one that it is."""
        return next(name for name, value in globals().items() if value is self)


def _finite(axes: int) -> Check:
    return lambda a: np.isfinite(a).all(axis=tuple(range(-axes, 0)))


def _simplex(a: Any) -> Any:
    """A sum counts as 1 within 4 n eps, of the array's own type, and never when it misses by more than 1e-3."""
    eps = np.finfo(a.dtype if a.dtype.kind == "f" else float).eps
    return (a >= 0).all(-1) & (np.abs(a.sum(-1, dtype=float) - 1) <= min(4 * a.shape[-1] * float(eps), 1e-3))


def _weights(a: Any) -> Any:
    return _finite(1)(a) & (a >= 0).all(-1) & (a > 0).any(-1)


def _logits(a: Any) -> Any:
    return (a < np.inf).all(-1) & (a > -np.inf).any(-1)


def _unit(a: Any) -> Any:
    return np.abs((a * a).sum(-1) - 1) <= 2**-50 * a.shape[-1]


def symmetric(a: Any) -> Any:
    """Which of the matrices are symmetric."""
    return (a == a.swapaxes(-1, -2)).all((-2, -1))


def _positive_definite(a: Any) -> Any:
    """By the eigenvalues, and exactly where the least of them is rounding beside the largest."""
    finite = np.isfinite(a).all((-2, -1))
    safe = np.where(finite[..., None, None], a, 0)
    values = np.linalg.eigvalsh(safe)
    found = np.asarray(finite & symmetric(safe) & (values[..., 0] > 0))
    noise = 8 * a.shape[-1] * 2.0**-52 * np.abs(values).max(-1)
    for place in map(tuple, np.argwhere(finite & symmetric(safe) & (np.abs(values[..., 0]) <= noise))):
        found[place] = minors_positive(safe[place])
    return found[()]


def minors_positive(a: Any) -> bool:
    """Whether all leading minors are positive (Sylvester), which elimination in integers gives one by one (Bareiss)."""
    exact = [[Fraction(x) for x in row] for row in a.tolist()]
    scale = math.lcm(*(x.denominator for row in exact for x in row))
    rows, before = [[int(x * scale) for x in row] for row in exact], 1
    for n, pivots in enumerate(rows):
        pivot = pivots[n]
        if pivot <= 0:
            return False
        for row in rows[n + 1 :]:
            row[n + 1 :] = [
                (pivot * x - row[n] * y) // before for x, y in zip(row[n + 1 :], pivots[n + 1 :], strict=True)
            ]
        before = pivot
    return True


def _triangular(a: Any) -> Any:
    diagonal = np.diagonal(a, axis1=-2, axis2=-1)
    return _finite(2)(a) & (np.triu(a, 1) == 0).all((-2, -1)) & (diagonal > 0).all(-1)


def _column(name: str, k: Any) -> Any:
    return Vector(name, k, 1)


def _columns(name: str, k: Any, count: Any = None) -> Any:
    return sp.MatrixSymbol(name, k, count or sp.Symbol(f"r_{name}", integer=True, positive=True))


def _list(**facts: bool) -> Callable[..., Any]:
    return lambda name, _=None: sp.IndexedBase(name, **facts)


real_list = ArrayDomain("real vectors", 1, _list(real=True), _finite(1))
logits_list = ArrayDomain("real vectors, or -inf where there is no mass", 1, _list(real=True), _logits)
positive_list = ArrayDomain("positive vectors", 1, _list(positive=True), lambda a: _finite(1)(a) & (a > 0).all(-1))
simplex = ArrayDomain("probability vectors", 1, _list(positive=True), _simplex)
weights = ArrayDomain("vectors of weights, not all of them 0", 1, _list(positive=True), _weights)
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

    @property
    def axes(self) -> int:
        """How many event axes it has, none if it is a number."""
        return self.domain.axes if isinstance(self.domain, ArrayDomain) else 0

    def named(self, name: str) -> Any:
        return self.domain.symbol(name, *self.dimensions)

    def event(self, array: Any) -> tuple[int, ...]:
        """The lengths of the array's event axes, fewer than there should be if it has not as many."""
        return array.shape[max(array.ndim - self.axes, 0) :]

    def inside(self, array: Any) -> Any:
        """Which of the arrays, over the leading axes, lie in the domain."""
        domain = self.domain
        if isinstance(domain, ArrayDomain):
            return np.asarray(domain.inside(array))
        low, high = float(domain.lower), float(domain.upper)
        above = array >= low if domain.left_closed else array > low
        below = array <= high if domain.right_closed else array < high
        return np.asarray(above & below & np.isfinite(array) & ((array == np.floor(array)) if domain.integer else True))

    def __str__(self) -> str:
        """positive vectors (..., K)"""
        dimensions = ", ".join(map(str, ("...", *self.dimensions)))
        return f"{self.domain} ({dimensions})" if self.axes else str(self.domain)


__all__ = [
    "CONTAINED",
    "ArrayDomain",
    "ArrayParameter",
    "Outcome",
    "columns",
    "logits_list",
    "lower_triangular",
    "minors_positive",
    "positive_definite",
    "positive_list",
    "real_list",
    "real_matrix",
    "real_vector",
    "simplex",
    "symmetric",
    "unit_vector",
    "weights",
]
