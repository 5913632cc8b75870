"""mpmath's numbers: without python-flint a value counts as true when two precisions agree on it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import reduce
from typing import Any

import mpmath as mp

from .reference import GOOD_BITS, INFINITE, ZERO, Truth, split


def piecewise(*parts: Any) -> Any:
    return next((value for value, condition in zip(parts[::2], parts[1::2], strict=True) if condition), mp.nan)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "Pi": lambda: +mp.pi,
    "Exp1": lambda: +mp.e,
    "EulerGamma": lambda: +mp.euler,
    "Catalan": lambda: +mp.catalan,
    "BooleanTrue": lambda: True,
    "BooleanFalse": lambda: False,
    "Add": lambda *a: reduce(operator.add, a),
    "Mul": lambda *a: reduce(operator.mul, a),
    "power": operator.pow,
    "Pow": operator.pow,
    "sqrt": mp.sqrt,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "Abs": abs,
    "Min": min,
    "Max": max,
    "loggamma": mp.loggamma,
    "polygamma": lambda n, x: mp.psi(int(n), x),
    "lowergamma": lambda a, x: mp.gammainc(a, 0, x),
    "uppergamma": lambda a, x: mp.gammainc(a, x),
    "besseli": mp.besseli,
    "besselk": mp.besselk,
    "hyper": mp.hyper,
    "betainc_regularized": lambda a, b, x, y: mp.betainc(a, b, x, y, regularized=True),
    "StrictLessThan": operator.lt,
    "LessThan": operator.le,
    "StrictGreaterThan": operator.gt,
    "GreaterThan": operator.ge,
    "Equality": operator.eq,
    "Unequality": operator.ne,
    "And": lambda *a: all(a),
    "Or": lambda *a: any(a),
    "Not": operator.not_,
    "Piecewise": piecewise,
    **{name: getattr(mp, name) for name in ("exp", "log", "sign", "floor", "sin", "cos", "tan", "asin", "atan")},
    **{name: getattr(mp, name) for name in ("sinh", "cosh", "tanh", "coth", "gamma", "beta", "zeta", "expint")},
    **{name: getattr(mp, name) for name in ("erf", "erfc", "polylog")},
}


class Digits:
    """mpmath: a result is decided when it agrees with that at half its precision."""

    name = "mpmath at rising precision (python-flint is not installed)"
    operations = OPERATIONS

    def precision(self, bits: int) -> AbstractContextManager[Any]:
        return mp.workprec(bits)

    def rational(self, numerator: int, denominator: int) -> Any:
        return mp.mpf(numerator) / denominator

    def double(self, x: float) -> Any:
        return mp.mpf(x)

    def decided(self, value: Any, earlier: Any) -> Truth | None:
        """The truth, once two precisions agree on GOOD_BITS, or both are so small that it rounds to 0."""
        value = value.real if isinstance(value, mp.mpc) and value.imag == 0 else value
        if earlier is None or not isinstance(value, mp.mpf) or not mp.isfinite(value):
            return None
        if max(abs(value), abs(earlier)) < mp.ldexp(1, -1075):
            return ZERO
        if abs(value - earlier) > mp.ldexp(abs(value), -GOOD_BITS):
            return None
        return INFINITE if value > mp.ldexp(1, 1100) else split(int(value.man) * (-1 if value < 0 else 1), value.exp)

    def scaled(self, value: Any, exponent: int) -> float:
        """value 2^-exponent, roughly."""
        return float(mp.ldexp(value, -exponent))

    def other(self, compute: Callable[..., Any], *arguments: Any) -> Any:
        """One of core.functions' own, at the present precision."""
        return compute(*arguments)
