"""Sums of vectors as affine functions of outcomes: A x - B x + a - b = (A - B) x + (a - b), each bracket by a name."""

from __future__ import annotations

from collections.abc import Collection

import sympy as sp

from ...arrays.functions import Vector
from . import words

Names = dict[sp.MatrixExpr, sp.MatrixSymbol]


def bracketed(expr: sp.Expr, outcomes: Collection[sp.MatrixSymbol], names: Names) -> sp.Expr:
    """The expression with every sum of vectors in that form; a bracket of several terms gets a symbol in `names`.

    Squares of such sums then keep their brackets when they are expanded.
    """
    sums = {m for m in expr.atoms(sp.MatAdd) if m.cols == 1 and m.has(*outcomes)} if outcomes else set()
    return expr.xreplace({m: _affine(m, outcomes, names) for m in sums})


def _affine(total: sp.MatAdd, outcomes: Collection[sp.MatrixSymbol], names: Names) -> sp.MatrixExpr:
    parts: dict[sp.MatrixSymbol | None, words.Terms] = {}
    for word, c in words.expand(total).items():
        x = word[-1][0] if word[-1][0] in outcomes else None
        parts.setdefault(x, {})[word[:-1] if x is not None else word] = c
    terms = []
    for x, inside in parts.items():
        bracket = words.matrix(inside, total.rows)
        if len(inside) > 1:
            kind = Vector if x is None else sp.MatrixSymbol
            bracket = names.setdefault(bracket, kind(f"#{len(names)}", *bracket.shape))
        terms.append(bracket if x is None else sp.MatMul(bracket, x))
    return sp.MatAdd(*terms)
