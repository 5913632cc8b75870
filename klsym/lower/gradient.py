"""Derivatives of remainder forms: every term is of second order at P = Q, and its derivative of first order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp
from sympy.core.function import AppliedUndef

from ..core.primitive import PRIMITIVES
from .remainder import NoRule
from .rewrites import head

Derivatives = Mapping[sp.Symbol, sp.Expr]


def derivative(expr: sp.Expr, moves: Derivatives) -> sp.Expr:
    """The derivative of an expression of primitives, its symbols moving as given; NoRule where one is not known.

    A gap tells better than the arguments it lies between how they move apart: phi(a, b, d) is a function of a and d.

    >>> a, b, d = sp.symbols("a b d")
    >>> derivative(head("phi")(a, b, d), {d: sp.S.One})
    d/(a*b)
    """
    functions = {f: sp.Dummy() for f in sorted(expr.atoms(AppliedUndef), key=lambda f: -f.count_ops())}
    outer = {f: dummy for f, dummy in functions.items() if not any(f in g.atoms(AppliedUndef) - {g} for g in functions)}
    plain = expr.xreplace(outer)
    total = sp.Add(*(plain.diff(symbol) * move for symbol, move in moves.items() if plain.has(symbol)))
    for function, dummy in outer.items():
        if plain.has(dummy):
            total += plain.diff(dummy) * _of_function(function, moves)
    return total.xreplace({dummy: function for function, dummy in outer.items()})


def _of_function(function: sp.Expr, moves: Derivatives) -> sp.Expr:
    name = function.func.__name__
    if not function.free_symbols & moves.keys():
        return sp.S.Zero
    if name not in _PARTIAL:
        raise NoRule(f"the derivative of {name} has no rule")
    inner = [derivative(argument, moves) for argument in function.args]
    for k, (low, high) in enumerate(PRIMITIVES[name].gaps, start=len(PRIMITIVES[name].typical)):
        inner[high] = inner[low] + inner[k]
    partials = _PARTIAL[name](*function.args)
    return sp.Add(*(partial * move for partial, move in zip(partials, inner, strict=False)))


def _lbetarem(a: sp.Expr, b: sp.Expr, c: sp.Expr, d: sp.Expr, e: sp.Expr, f: sp.Expr) -> tuple[sp.Expr, ...]:
    trigamma, psi = head("trigamma"), head("digamma_difference")
    first, whole = (e + f) * trigamma(a + b), psi(a + b, c + d, e + f)
    return first - e * trigamma(a), first - f * trigamma(b), psi(a, c, e) - whole, psi(b, d, f) - whole


# Derivatives by the arguments that are not gaps.
_PARTIAL: dict[str, Callable[..., tuple[sp.Expr, ...]]] = {
    "phi": lambda a, b, d: (-d / a**2, d / (a * b)),
    "klrem": lambda p, q, d: (-head("log_ratio")(p, q, d), d / q),
    "log_ratio": lambda a, b, d: (-1 / a, 1 / b),
    "e2": lambda x: (head("expm1")(x),),
    "expm1": lambda x: (sp.exp(x),),
    "log1p": lambda x: (1 / (1 + x),),
    "abs": lambda x: (sp.sign(x),),
    "div": lambda x, y: (1 / y, -x / y**2),
    "cross": lambda a, b, c, d: (b, a, -d, -c),
    "lgamma_difference": lambda a, b, d: (-sp.polygamma(0, a), sp.polygamma(0, b)),
    "digamma_difference": lambda a, b, d: (-head("trigamma")(a), head("trigamma")(b)),
    "lgrem": lambda a, b, d: (-d * head("trigamma")(a), head("digamma_difference")(a, b, d)),
    "grem": lambda a, b, d: (-d * head("reduced_trigamma")(a), head("reduced_digamma_difference")(a, b, d)),
    "lbetarem": _lbetarem,
    "log_i0": lambda x: (head("bessel_ratio")(x),),
    "log_i0_remainder": lambda a, b, d: (
        -d * head("bessel_ratio_prime")(a),
        head("bessel_ratio_difference")(a, b, d),
    ),
    "bessel_ratio": lambda x: (head("bessel_ratio_prime")(x),),
}
