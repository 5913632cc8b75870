"""Doubles that carry a bound of their error: what rounding adds, and what comes from the operands, to first order.

This is running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.3). Sums
count as added up in halves, as NumPy does. What comes through an inverse is bounded by its residual (section 14.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
from scipy import special

from .arithmetic import Arithmetic, double, inverse_of_doubles

UNIT = 2.0**-53


class Bounded:
    """An array of doubles and an array of bounds of their absolute errors, with the operators of an array."""

    __array_ufunc__ = None  # an array beside one leaves the operator to it

    def __init__(self, value: Any, error: Any = 0.0) -> None:
        self.value = np.asarray(value, dtype=float)
        self.error = np.broadcast_to(error, self.value.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def __add__(self, other: Any) -> Bounded:
        other = _bounded(other)
        value = self.value + other.value
        return Bounded(value, self.error + other.error + UNIT * np.abs(value))

    def __mul__(self, other: Any) -> Bounded:
        other = _bounded(other)
        value = self.value * other.value
        carried = np.abs(self.value) * other.error + self.error * (np.abs(other.value) + other.error)
        return Bounded(value, carried + UNIT * np.abs(value))

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: Bounded) -> Bounded:
        sizes, others = np.abs(self.value), np.abs(other.value)
        length = self.value.shape[-1]
        carried = sizes @ other.error + self.error @ (others + other.error)
        return Bounded(self.value @ other.value, carried + length * UNIT * (sizes @ others))

    def __pow__(self, power: Bounded) -> Bounded:
        value = self.value**power.value
        slope = np.abs(power.value * self.value ** (power.value - 1))
        return Bounded(value, slope * self.error + 2 * UNIT * np.abs(value))

    def __getitem__(self, index: Any) -> Bounded:
        return Bounded(self.value[index], self.error[index])

    def __eq__(self, other: object) -> Any:
        return self.value == other

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def swapaxes(self, a: int, b: int) -> Bounded:
        return Bounded(self.value.swapaxes(a, b), self.error.swapaxes(a, b))

    def sum(self, axis: int) -> Bounded:
        depth = math.log2(self.value.shape[axis]) + 1
        rounding = depth * UNIT * np.abs(self.value).sum(axis)
        return Bounded(self.value.sum(axis), self.error.sum(axis) + rounding)


def _bounded(other: Any) -> Bounded:
    return other if isinstance(other, Bounded) else Bounded(other)


def _constant(number: sp.Expr) -> Bounded:
    value = double(number)
    return Bounded(value, 0.0 if number.is_Integer else UNIT * abs(value))


def _function(
    function: Callable[[Any], Any], slope: Callable[[Any], Any], least: float
) -> Callable[[Bounded], Bounded]:
    """The function; its own error is 2 units of 2^-53 of its value, or of `least` if that is larger."""

    def bounded(a: Bounded) -> Bounded:
        value = function(a.value)
        own = 2 * UNIT * np.maximum(np.abs(value), least)
        return Bounded(value, np.where(a.error == 0, 0.0, np.abs(slope(a.value)) * a.error) + own)

    return bounded


def _polygamma(n: int, a: Bounded) -> Bounded:
    """SciPy's errors are those of zeta(n + 1, a), or of a sum for digamma."""
    return _function(lambda x: special.polygamma(n, x), lambda x: special.polygamma(n + 1, x), n == 0)(a)


def _inverted(a: Bounded) -> tuple[Any, Any, Any]:
    """X = A^-1 as computed, |X| and a bound of |A X - I|, of the exact A: inf where it is no help."""
    x = inverse_of_doubles(a.value)
    size, length = np.abs(x), a.value.shape[-1]
    residual = np.abs(np.eye(length) - a.value @ x)
    spread = residual + ((length + 1) * UNIT * np.abs(a.value) + a.error) @ size
    near = spread.sum(-1).max(-1) < 0.25
    return x, size, np.where(near[..., None, None], spread, np.inf)


def _inverse(a: Bounded) -> Bounded:
    """|X - A^-1| <= |X| |A X - I| to first order, and a third more where that residual is below 1/4."""
    x, size, spread = _inverted(a)
    return Bounded(x, np.where(np.isfinite(spread), 4 / 3 * (size @ np.nan_to_num(spread)), np.inf))


def _logdet(a: Bounded) -> Bounded:
    """d log det A = tr(A^-1 dA), dA that of the factors, and logarithms of pivots between |A| and 1/|A^-1|."""
    _, size, spread = _inverted(a)
    value = np.linalg.slogdet(a.value)[1]
    diagonal = np.sqrt(np.abs(np.diagonal(a.value, axis1=-2, axis2=-1)))
    length = diagonal.shape[-1]
    factors = np.abs(a.value) + diagonal[..., :, None] * diagonal[..., None, :]
    moved = (size.swapaxes(-1, -2) * (a.error + length * UNIT * factors)).sum((-2, -1))
    norms = [np.abs(np.log(np.abs(m).sum(-1).max(-1))) for m in (a.value, size)]
    error = 4 / 3 * moved + length * UNIT * (1 + np.maximum(*norms))
    return Bounded(value, np.where(np.isfinite(spread).all((-2, -1)), error, np.inf))


def _choose(condition: Any, a: Any, b: Any) -> Bounded:
    a, b = _bounded(a), _bounded(b)
    return Bounded(np.where(condition, a.value, b.value), np.where(condition, a.error, b.error))


bounded = Arithmetic(
    Bounded,
    _constant,
    {
        "log": _function(np.log, lambda x: 1 / x, 0.0),
        "exp": _function(np.exp, np.exp, 0.0),
        "loggamma": _function(special.gammaln, special.digamma, 2.0),
        "polygamma": _polygamma,
    },
    _inverse,
    _logdet,
    _choose,
)
