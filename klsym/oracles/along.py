"""The length of a curve from its speed, by Clenshaw-Curtis rules of doubled orders."""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp
import sympy as sp

from ..core.value import Value
from . import rule
from .integrand import number
from .quadrature import precision

_ORDERS = (8, 16, 32, 64)


def along(speed: Callable[[sp.Expr], Value], start: sp.Expr, end: sp.Expr, digits: int) -> Value:
    """The integral of the speed from one parameter value to the other, whichever is the greater."""
    with mp.workprec(precision(digits)):
        half, total, last = abs(number(end) - number(start)) / 2, mp.nan, None
        known: dict[sp.Rational, Value] = {}
        for n in _ORDERS:
            nodes = rule.table(n, mp.mp.prec)[0]
            for j in range(n + 1):
                place = sp.Rational(j, n)
                if place not in known:
                    step = sp.Rational(int(mp.nint(mp.ldexp((1 - nodes[j]) / 2, 80))), 2**80)
                    known[place] = speed(start + (end - start) * step)
            values = [known[sp.Rational(j, n)] for j in range(n + 1)]
            if (doubt := next((v for v in values if not v.vouched or mp.isinf(v.mid)), None)) is not None:
                return Value(mp.nan, mp.inf, "estimate", doubt.note or "the speed is infinite on the way")
            total, error = rule.integrate([value.mid for value in values], half, n, mp.mp.prec)
            rad = 2 * half * max(value.rad for value in values) + mp.ldexp(abs(total), -70)
            if last is not None and abs(total - last) + error <= mp.mpf(10) ** -digits * (1 + abs(total)):
                return Value(total, abs(total - last) + error + rad, "estimate")
            last = total
        return Value(total, mp.inf, "estimate", f"the speed is not resolved by {_ORDERS[-1]} laws")
