"""The normal form of matrix products: sums of words in matrix symbols, and their traces.

A word is a tuple of letters, a letter a matrix with whether it is transposed and whether it is inverted: a matrix
symbol, a column of ones or of a function's values, a diagonal matrix, or a sum that stays whole.
Neighbours that are inverse to each other cancel; a trace is the same for every rotation of its word and for the
transposed word, and splits where the word passes through a 1 x 1 product.
"""

from __future__ import annotations

import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from ...arrays.family import INDEX
from ...arrays.functions import Diagonal, Symmetric, Whole
from ...core.errors import UnderivableError

Letter = tuple[sp.MatrixExpr, bool, bool]
Word = tuple[Letter, ...]
Terms = dict[Word, sp.Expr]


LETTERS = (sp.MatrixSymbol, sp.OneMatrix, ElementwiseApplyFunction, Diagonal, Whole)
SYMMETRIC = (Symmetric, Diagonal, Whole)


def letter(symbol: sp.MatrixExpr, transposed: bool = False, inverted: bool = False) -> Letter:
    return (symbol, transposed and not isinstance(symbol, SYMMETRIC), inverted)


def expand(matrix: sp.MatrixExpr) -> Terms:
    """The matrix expression as {word: coefficient}"""
    if isinstance(matrix, (sp.OneMatrix, ElementwiseApplyFunction)) and matrix.rows == 1:
        return {(letter(matrix.T, transposed=True),): sp.S.One}
    if isinstance(matrix, LETTERS):
        return {(letter(matrix),): sp.S.One}
    if isinstance(matrix, sp.Identity):
        return {(): sp.S.One}
    if isinstance(matrix, sp.ZeroMatrix):
        return {}
    if isinstance(matrix, sp.Transpose):
        return {transpose(word): c for word, c in expand(matrix.arg).items()}
    if isinstance(matrix, sp.MatPow) and matrix.exp == -1:
        inner = expand(matrix.base)
        if len(inner) == 1:
            ((word, c),) = inner.items()
            return {inverse(word): 1 / c}
    if isinstance(matrix, sp.MatAdd):
        return add(*(expand(term) for term in matrix.args))
    if isinstance(matrix, sp.MatMul):
        factor, factors = matrix.as_coeff_matrices()
        total: Terms = {(): factor}
        for f in factors:
            total = add(*({cancel(a + b): x * y} for a, x in total.items() for b, y in expand(f).items()))
        return total
    raise UnderivableError(f"no normal form is known for the matrix {matrix}")


def add(*parts: Terms) -> Terms:
    total: dict[Word, list[sp.Expr]] = {}
    for part in parts:
        for word, c in part.items():
            total.setdefault(word, []).append(c)
    sums = {word: sp.expand(sp.Add(*c)) for word, c in total.items()}
    return {word: c for word, c in sums.items() if c != 0}


def transpose(word: Word) -> Word:
    return tuple(letter(s, not t, i) for s, t, i in reversed(word))


def inverse(word: Word) -> Word:
    return cancel(tuple((s, t, not i) for s, t, i in reversed(word)))


def cancel(word: Word) -> Word:
    """A A^-1 = I"""
    kept: list[Letter] = []
    for s, t, i in word:
        if kept and kept[-1] == (s, t, not i):
            kept.pop()
        else:
            kept.append((s, t, i))
    return tuple(kept)


def rows(item: Letter) -> sp.Expr:
    return item[0].cols if item[1] else item[0].rows


def product(word: Word, size: sp.Expr) -> sp.MatrixExpr:
    """The word as a SymPy matrix; the empty one is the identity of that size."""
    if not word:
        return sp.Identity(size)
    factors = []
    for s, t, i in word:
        factor = s.T if t else s
        factors.append(sp.Inverse(factor) if i else factor)
    return factors[0] if len(factors) == 1 else sp.MatMul(*factors)


def matrix(terms: Terms, size: sp.Expr) -> sp.MatrixExpr:
    """The sum of the words, rebuilt."""
    parts = [c * product(word, size) for word, c in terms.items()]
    return parts[0] if len(parts) == 1 else sp.MatAdd(*parts)


def trace(argument: sp.MatrixExpr) -> sp.Expr:
    """tr of the expression, as a combination of traces of words in normal form"""
    return sp.Add(*(c * _trace(word, argument.rows) for word, c in expand(argument).items()))


def _trace(word: Word, size: sp.Expr) -> sp.Expr:
    while len(word) > 1 and word[0][:2] == word[-1][:2] and word[0][2] != word[-1][2]:
        size, word = rows(word[1]), word[1:-1]
    if not word:
        return size
    cuts = [n for n, item in enumerate(word) if rows(item) == 1]
    if not cuts and all(isinstance(s, Diagonal) for s, _, _ in word):
        return sp.Sum(entries(word), (INDEX, 1, size))
    if not cuts:
        turns = [turned[n:] + turned[:n] for turned in (word, transpose(word)) for n in range(len(word))]
        return sp.Trace(product(min(turns, key=_key), size))
    word, cuts = word[cuts[0] :] + word[: cuts[0]], [n - cuts[0] for n in cuts]
    pieces = [word[a:b] for a, b in zip(cuts, [*cuts[1:], len(word)], strict=True)]
    return sp.Mul(*(sp.Trace(product(min(piece, transpose(piece), key=_key), size)) for piece in pieces))


def entries(word: Word) -> sp.Expr:
    """The diagonal of a product of diagonal matrices, by its entry"""
    return sp.Mul(*(s.entry(INDEX) ** (-1 if inverted else 1) for s, _, inverted in word))


def _key(word: Word) -> list[tuple[bool, bool, str]]:
    return [(not i, not t, getattr(s, "name", str(s))) for s, t, i in word]
