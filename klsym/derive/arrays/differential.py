"""The derivative of a scalar expression along a direction in one of its vectors or matrices."""

from __future__ import annotations

import sympy as sp

from ...arrays.family import INDEX
from ...arrays.functions import LogDet
from ...core.errors import UnderivableError
from .words import trace


def differential(expr: sp.Expr, symbol: sp.Basic, direction: sp.Basic) -> sp.Expr:
    """d/dt expr(symbol + t direction) at t = 0 (Magnus and Neudecker, Matrix Differential Calculus, chapter 8).

    The direction of a list is its entry, an expression in the index i.
    """
    if not expr.has(symbol):
        return sp.S.Zero
    if expr == symbol:
        return direction
    if isinstance(expr, sp.Indexed) and expr.base == symbol:
        return direction.subs(INDEX, expr.indices[0])
    if isinstance(expr, sp.Add):
        return sp.Add(*(differential(a, symbol, direction) for a in expr.args))
    if isinstance(expr, sp.Mul):
        return sp.Add(
            *(
                sp.Mul(*expr.args[:n], differential(a, symbol, direction), *expr.args[n + 1 :])
                for n, a in enumerate(expr.args)
            )
        )
    if isinstance(expr, sp.Sum):
        return sp.Sum(differential(expr.function, symbol, direction), *expr.limits)
    if isinstance(expr, sp.Trace):
        return trace(matrix_differential(expr.arg, symbol, direction))
    if isinstance(expr, LogDet):
        return trace(sp.MatMul(sp.Inverse(expr.args[0]), matrix_differential(expr.args[0], symbol, direction)))
    if isinstance(expr, sp.Pow) and not expr.exp.has(symbol):
        return expr.exp * expr.base ** (expr.exp - 1) * differential(expr.base, symbol, direction)
    if isinstance(expr, sp.Function):
        return sp.Add(
            *(expr.fdiff(n) * differential(a, symbol, direction) for n, a in enumerate(expr.args, 1) if a.has(symbol))
        )
    raise UnderivableError(f"no rule differentiates {expr}")


def matrix_differential(expr: sp.MatrixExpr, symbol: sp.Basic, direction: sp.Basic) -> sp.MatrixExpr:
    """d(A B) = dA B + A dB, d(A^-1) = -A^-1 dA A^-1"""
    if not expr.has(symbol):
        return sp.ZeroMatrix(*expr.shape)
    if expr == symbol:
        return direction
    if isinstance(expr, sp.Transpose):
        return sp.Transpose(matrix_differential(expr.arg, symbol, direction))
    if isinstance(expr, sp.MatPow) and expr.exp == -1:
        return sp.MatMul(-1, expr, matrix_differential(expr.base, symbol, direction), expr)
    if isinstance(expr, sp.MatAdd):
        return sp.MatAdd(*(matrix_differential(a, symbol, direction) for a in expr.args))
    if isinstance(expr, sp.MatMul):
        parts = []
        for n, a in enumerate(expr.args):
            if isinstance(a, sp.MatrixExpr) and a.has(symbol):
                d = matrix_differential(a, symbol, direction)
                parts.append(sp.MatMul(*expr.args[:n], d, *expr.args[n + 1 :]))
        return sp.MatAdd(*parts)
    raise UnderivableError(f"no rule differentiates {expr}")
