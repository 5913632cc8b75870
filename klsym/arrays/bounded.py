"""Doubles that carry an estimate of their error: what rounding adds, and what comes from the operands, to first order.

This is running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.3), with
roundings as if they were independent, so that squares of errors add (Higham and Mary, SIAM J. Sci. Comput. 41, 2019);
for a single rounding its bound is taken. What comes through an inverse is seen in its residual (section 14.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp
from scipy import special

from .arithmetic import Arithmetic, Terms, double, inverse_of_doubles

UNIT = 2.0**-53
HUGE = 2.0**100


class Bounded:
    """An array of doubles and an array of estimates of their absolute errors, with the operators of an array."""

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
        return Bounded(value, _joined(self.error, other.error, UNIT * value))

    def __mul__(self, other: Any) -> Bounded:
        other = _bounded(other)
        value = self.value * other.value
        return Bounded(value, _joined(self.value * other.error, self.error * other.value, UNIT * value))

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: Bounded) -> Bounded:
        mine, others, length = self.value**2, other.value**2, self.value.shape[-1]
        square = mine @ other.error**2 + self.error**2 @ others + length * UNIT**2 * (mine @ others)
        return Bounded(self.value @ other.value, np.sqrt(square))

    def __pow__(self, power: Bounded) -> Bounded:
        value = self.value**power.value
        slope = np.abs(power.value * self.value ** (power.value - 1))
        return Bounded(value, _joined(slope * self.error, 2 * UNIT * value))

    def __getitem__(self, index: Any) -> Bounded:
        return Bounded(self.value[index], self.error[index])

    def __eq__(self, other: object) -> Any:
        """Where it is certain to be that number."""
        return (self.value == other) & (self.error == 0)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def swapaxes(self, a: int, b: int) -> Bounded:
        return Bounded(self.value.swapaxes(a, b), self.error.swapaxes(a, b))

    def reshape(self, *shape: int) -> Bounded:
        return Bounded(self.value.reshape(shape), self.error.reshape(shape))

    def sum(self, axis: int) -> Bounded:
        depth = math.log2(self.value.shape[axis]) + 1
        rounding = math.sqrt(depth) * UNIT * np.abs(self.value).sum(axis)
        return Bounded(self.value.sum(axis), _joined(np.sqrt((self.error**2).sum(axis)), rounding))


def _joined(*errors: Any) -> Any:
    """The root of the sum of squares."""
    return reduce(np.hypot, errors)


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
        return Bounded(value, _joined(np.where(a.error == 0, 0.0, slope(a.value) * a.error), own))

    return bounded


def _polygamma(n: int, a: Bounded) -> Bounded:
    """SciPy's errors are those of zeta(n + 1, a), or of a sum for digamma."""
    return _function(lambda x: special.polygamma(n, x), lambda x: special.polygamma(n + 1, x), n == 0)(a)


def _inverted(a: Bounded) -> tuple[Any, Any]:
    """X = A^-1 as computed, and the squares of the entries of A X - I, of the exact A: inf where that is no help."""
    x, length = inverse_of_doubles(a.value), a.value.shape[-1]
    residual = (np.eye(length) - a.value @ x) ** 2
    square = residual + (length * UNIT**2 * a.value**2 + a.error**2) @ x**2
    near = np.sqrt(square).sum(-1).max(-1) < 0.25
    return x, np.where(near[..., None, None], square, np.inf)


def _inverse(a: Bounded) -> Bounded:
    """X - A^-1 = X (A X - I) to first order, and at most a third more where that residual is below 1/4."""
    x, square = _inverted(a)
    known = np.isfinite(square)
    return Bounded(x, np.where(known, 4 / 3 * np.sqrt(x**2 @ np.where(known, square, 0)), np.inf))


def _logdet(a: Bounded) -> Bounded:
    """d log det A = tr(A^-1 dA), where the factors of A add to dA; and logarithms of pivots, from 1/|A^-1| to |A|."""
    x, square = _inverted(a)
    diagonal = np.abs(np.diagonal(a.value, axis1=-2, axis2=-1))
    factors = np.maximum(a.value**2, diagonal[..., :, None] * diagonal[..., None, :])
    moved = (x.swapaxes(-1, -2) ** 2 * (a.error**2 + 2 * UNIT**2 * factors)).sum((-2, -1))
    norms = [np.abs(np.log(np.abs(m).sum(-1).max(-1))) for m in (a.value, x)]
    error = _joined(4 / 3 * np.sqrt(moved), math.sqrt(diagonal.shape[-1]) * UNIT * (1 + np.maximum(*norms)))
    return Bounded(np.linalg.slogdet(a.value)[1], np.where(np.isfinite(square).all((-2, -1)), error, np.inf))


def _choose(condition: Any, a: Any, b: Any) -> Bounded:
    a, b = _bounded(a), _bounded(b)
    return Bounded(np.where(condition, a.value, b.value), np.where(condition, a.error, b.error))


def _given(array: Any) -> Bounded:
    """Doubles, exactly, if they carry no error yet; that of huge or tiny ones is unknown: they may leave the range."""
    if isinstance(array, Bounded):
        return array
    size = np.abs(np.asarray(array, dtype=float))
    return Bounded(array, np.where((size == 0) | ((size >= 1 / HUGE) & (size <= HUGE)), 0.0, np.inf))


bounded = Arithmetic(
    _given,
    _constant,
    {
        "log": _function(np.log, lambda x: 1 / x, 0.0),
        "exp": _function(np.exp, np.exp, HUGE**-9),
        "loggamma": _function(special.gammaln, special.digamma, 2.0),
        "polygamma": _polygamma,
    },
    _inverse,
    _logdet,
    _choose,
    Terms(1_000_000, lambda: 20, 64),
    lambda a: a.value,
)
