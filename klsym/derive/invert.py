"""Equations f(y) = v in which y stands once, solved from the outside in."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

# f(y) = v  ->  y: on the branch that a monotone f on the support has.
INVERSES: dict[type, Callable[[sp.Expr], sp.Expr]] = {
    sp.log: sp.exp,
    sp.atan: sp.tan,
    sp.asin: sp.sin,
    sp.erf: sp.erfinv,
    sp.erfc: lambda v: sp.erfinv(1 - v),
}


def invert(f: sp.Expr, y: sp.Symbol, v: sp.Expr) -> sp.Expr | None:
    """The y with f(y) = v, or None where y stands in more than one place, or in a function without such an inverse.

    A floor is left out: then the least integer that is enough is the y found, rounded up.

    >>> y, v = sp.symbols("y v", positive=True)
    >>> invert(1 - sp.exp(-3 * y**2), y, v)
    sqrt(3)*sqrt(-log(1 - v))/3
    """
    f = f.replace(sp.floor, lambda n: n)
    while f != y:
        inside = [argument for argument in f.args if argument.has(y)]
        if len(inside) != 1:
            return None
        (g,) = inside
        if f.is_Add:
            v -= f - g
        elif f.is_Mul:
            v = v / (f / g)
        elif isinstance(f, sp.exp):
            v = sp.log(v)
        elif f.is_Pow and g == f.base:
            v = v ** (1 / f.exp)
        elif f.is_Pow:
            v = sp.log(v) / sp.log(f.base)
        elif type(f) in INVERSES:
            v = INVERSES[type(f)](v)
        else:
            return None
        f = g
    return v
