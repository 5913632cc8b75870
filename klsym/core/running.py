"""An expression of numbers at a working precision, with an estimate of what rounding has done to it.

This is running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.3): every
value carries a radius; a sum and a product pass it on by rule, any other function by its value at a moved argument.
What is absorbed, as 1e-300 in log(1 - 1e-300), is in the radius, where two precisions that both absorb it would agree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.core.function import AppliedUndef

from .exact import Exact

Number = Any
# A number and what it may be off.
Ball = tuple[Number, Number]
# Integer powers up to this one are products.
_SMALL_POWER = 1024
_LOST = (mp.mpf(0), mp.inf)
_JUMPS = (sp.floor, sp.ceiling, sp.sign, sp.Heaviside)


def running(expr: sp.Expr, bits: int) -> Ball:
    """The value and its radius, infinite where too few bits are left; ArithmeticError where it is no real number.

    >>> value, radius = running(sp.log(1 - Exact(sp.Rational(1, 10**300))), 100)
    >>> bool(abs(value + mp.mpf("1e-300")) <= radius)
    True
    """
    with mp.workprec(bits):
        value, radius = _Walk(bits)(expr)
    if not mp.isfinite(radius):
        return _LOST
    if isinstance(value, mp.mpc):
        if abs(value.imag) > radius:
            raise ArithmeticError(f"it evaluates to {mp.nstr(value, 8)}, which is not real")
        value = value.real
    if mp.isnan(value):
        raise ArithmeticError("it evaluates to NaN")
    return value, radius


class _Walk:
    def __init__(self, bits: int) -> None:
        self.bits, self.unit = bits, mp.ldexp(1, 1 - bits)
        self.known: dict[sp.Basic, Ball] = {}

    def __call__(self, e: sp.Basic) -> Ball:
        if e not in self.known:
            self.known[e] = self._found(e)
        return self.known[e]

    def _found(self, e: Any) -> Ball:
        if isinstance(e, Exact):
            e = e.rational
        if e.is_Rational:
            value = mp.mpf(e.p) / e.q
            exact = not e.q & (e.q - 1) and abs(e.p).bit_length() < self.bits
            return value, mp.mpf(0) if exact else self._rounding(value)
        if e == sp.I:
            return mp.mpc(0, 1), mp.mpf(0)
        if e in (sp.oo, -sp.oo):
            return (mp.inf if e == sp.oo else mp.ninf), mp.mpf(0)
        if e.is_Add:
            parts = [self(a) for a in e.args]
            value = mp.fsum(v for v, _ in parts)
            return value, mp.fsum(r for _, r in parts) + self._rounding(value)
        if e.is_Mul:
            return reduce(self._product, (self(a) for a in e.args))
        if e.is_Pow or isinstance(e, sp.exp):
            base, exponent = e.as_base_exp()
            return self._moved(mp.exp if base == sp.E else _power, [exponent] if base == sp.E else [base, exponent])
        if isinstance(e, AppliedUndef):  # whose name would be written into code
            raise ArithmeticError("it has a function that nobody has defined")
        if isinstance(e, sp.Function) and all(isinstance(a, sp.Expr) for a in e.args):
            if isinstance(e, (sp.Max, sp.Min)):
                best = (max if isinstance(e, sp.Max) else min)((self(a) for a in e.args), key=lambda ball: ball[0])
                return best[0], max(r for _, r in map(self, e.args))
            return self._moved(_compiled(e.func, len(e.args)), e.args, isinstance(e, _JUMPS))
        return self._evaluated(e)

    def _rounding(self, value: Number) -> Number:
        return abs(value) * self.unit if mp.isfinite(value) else mp.mpf(0)

    def _product(self, a: Ball, b: Ball) -> Ball:
        (v, r), (w, s) = a, b
        if not (mp.isfinite(r) and mp.isfinite(s)):
            return _LOST
        value = v * w
        return value, (abs(v) * s if s else 0) + (abs(w) * r if r else 0) + r * s + self._rounding(value)

    def _moved(self, function: Callable[..., Number], arguments: Any, jumps: bool = False) -> Ball:
        """The function, its radius by what its value moves when an argument moves by its own, away from 0.

        An argument that may be 0 or of either sign leaves no digits, but in an exponent.
        """
        balls = [self(a) for a in arguments]
        if any(not mp.isfinite(r) or (r and function is not mp.exp and not r < abs(v) / 2) for v, r in balls):
            return _LOST
        values = [v for v, _ in balls]
        value = function(*values)
        radius = 4 * self._rounding(value)
        for i, (v, r) in enumerate(balls):
            if not r:
                continue
            for step in (r, -r) if jumps else (r,):
                moved = function(*values[:i], v + (mp.sign(v) or 1) * step, *values[i + 1 :])
                radius += abs(moved - value) if mp.isfinite(value) or moved != value else 0
        return value, radius

    def _evaluated(self, e: sp.Expr) -> Ball:
        """What SymPy makes of a constant or a thing of its own, such as a hypergeometric function."""
        digits = int(self.bits / 3.32) + 5
        number = e.evalf(digits, maxn=3 * digits)
        if not (number.is_Float or number.is_Rational):
            raise ArithmeticError(f"it evaluates to {number}")
        value = number._to_mpmath(self.bits)
        return value, self._rounding(value)


def _power(base: Number, exponent: Number) -> Number:
    """With as many more bits as the exponent of the result has."""
    if base == 0 or (mp.isint(exponent) and abs(exponent) <= _SMALL_POWER) or base < 0 or not mp.isfinite(exponent):
        return base**exponent
    with mp.extraprec(max(0, mp.mag(exponent)) + max(0, mp.mag(mp.log(base)))):
        result = mp.exp(exponent * mp.log(base))
    return +result


@lru_cache(maxsize=256)
def _compiled(function: type, arity: int) -> Callable[..., Number]:
    symbols = sp.symbols(f"x:{arity}", real=True)
    return sp.lambdify(symbols, function(*symbols, evaluate=False), modules="mpmath")
