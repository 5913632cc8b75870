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


def affine_parts(vector: sp.MatrixExpr, x: sp.MatrixSymbol) -> tuple[sp.MatrixExpr | None, sp.MatrixExpr]:
    """A and b with vector = A x + b, neither with x in it; (None, vector) where it is not of that form."""
    inside: words.Terms = {}
    rest: words.Terms = {}
    for word, c in words.expand(vector).items():
        if word[-1][0] == x:
            inside[word[:-1]] = c
        else:
            rest[word] = c
    if any(letter[0] == x for word in (*inside, *rest) for letter in word):
        return None, vector
    b = words.matrix(rest, vector.rows) if rest else sp.ZeroMatrix(*vector.shape)
    return words.matrix(inside, vector.rows) if inside else None, b
