"""Derivatives of closed forms, also by the orders of special functions, where SymPy leaves a Derivative."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from .functions import BesselKOrder, ZetaDerivative


def differentiated(expr: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """The derivative of an expression by a symbol; where none is known it has a Derivative or a Subs in it.

    >>> s = sp.Symbol("s", positive=True)
    >>> differentiated(sp.log(sp.zeta(s)), s)
    ZetaDerivative(1, s)/zeta(s)
    """
    found = sorted((f for f in expr.atoms(*_PARTIALS) if f.has(x)), key=lambda f: (f.count_ops(), str(f)), reverse=True)
    outer = {f: sp.Dummy(positive=f.is_positive) for f in found if not any(g.has(f) for g in found if g != f)}
    if not outer:
        return expr.diff(x)
    plain = expr.xreplace(outer)
    total = plain.diff(x)
    for function, dummy in outer.items():
        partials = _PARTIALS[function.func](*function.args)
        moves = (differentiated(argument, x) for argument in function.args)
        total += plain.diff(dummy) * sp.Add(*(p() * move for p, move in zip(partials, moves, strict=True) if move != 0))
    return total.xreplace({dummy: function for function, dummy in outer.items()})


Partial = Callable[[], sp.Expr]


def _gamma_slope(s: sp.Expr, x: sp.Expr) -> sp.Expr:
    """d/ds of the lower incomplete gamma function, by its series (DLMF 8.7.1)."""
    return sp.log(x) * sp.lowergamma(s, x) - x**s / s**2 * sp.hyper([s, s], [s + 1, s + 1], -x)


def _extreme(arguments: tuple[sp.Expr, ...], before: type, after: type) -> tuple[Partial, ...]:
    """The derivatives of a maximum or minimum, where SymPy has Heaviside functions: 1 by the first that it is."""

    def partial(k: int) -> sp.Expr:
        mine = arguments[k]
        least = [(before if j < k else after)(mine, other) for j, other in enumerate(arguments) if j != k]
        return sp.Piecewise((1, sp.And(*least)), (0, True))

    return tuple((lambda k=k: partial(k)) for k in range(len(arguments)))


# By each argument, the derivative when it is asked for.
_PARTIALS: dict[type, Callable[..., tuple[Partial, ...]]] = {
    sp.zeta: lambda s: (lambda: ZetaDerivative(1, s),),
    sp.besselk: lambda nu, z: (
        lambda: sp.besselk(nu, z) * BesselKOrder(nu, z),
        lambda: sp.besselk(nu, z).fdiff(2),
    ),
    sp.lowergamma: lambda s, x: (lambda: _gamma_slope(s, x), lambda: sp.lowergamma(s, x).fdiff(2)),
    sp.uppergamma: lambda s, x: (
        lambda: sp.gamma(s) * sp.polygamma(0, s) - _gamma_slope(s, x),
        lambda: sp.uppergamma(s, x).fdiff(2),
    ),
    sp.Max: lambda *arguments: _extreme(arguments, sp.Gt, sp.Ge),
    sp.Min: lambda *arguments: _extreme(arguments, sp.Lt, sp.Le),
}
