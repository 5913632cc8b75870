"""Scalar functions of matrices, and the symbols of vectors and matrices with what is known of them."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.precedence import PRECEDENCE

INDEX = sp.Symbol("i", integer=True, positive=True)


class Symmetric(sp.MatrixSymbol):
    """A symmetric positive definite matrix: its own transpose."""

    def _eval_transpose(self) -> Symmetric:
        return self


class Vector(sp.MatrixSymbol):
    """A column: in numbers an array with one axis of its own, where a k x 1 matrix has two."""


class Diagonal(sp.MatrixExpr):
    """The diagonal matrix of a list of positive numbers, arguments the list and its size.

    >>> Diagonal(sp.IndexedBase("d"), 3).T
    diag(d)
    """

    shape = property(lambda self: (self.args[1], self.args[1]))  # type: ignore[assignment]
    name = property(str)

    def entry(self, index: sp.Expr) -> sp.Expr:
        return self.args[0][index]

    def _eval_transpose(self) -> Diagonal:
        return self

    def _sympystr(self, printer: Any) -> str:
        return f"diag({printer.doprint(self.args[0])})"

    def _latex(self, printer: Any) -> str:
        return rf"\operatorname{{diag}}\left({printer.doprint(self.args[0])}\right)"


class Whole(sp.MatrixExpr):
    """A symmetric positive definite matrix that is written as a sum, and is one letter in products.

    >>> Whole(sp.MatrixSymbol("W", 3, 1) * sp.MatrixSymbol("W", 3, 1).T + Diagonal(sp.IndexedBase("d"), 3)).T
    W*W.T + diag(d)
    """

    shape = property(lambda self: self.args[0].shape)  # type: ignore[assignment]
    name = property(str)
    precedence = PRECEDENCE["Add"]

    def _eval_transpose(self) -> Whole:
        return self

    def _sympystr(self, printer: Any) -> str:
        return printer.doprint(self.args[0])

    def _latex(self, printer: Any) -> str:
        return printer.doprint(self.args[0])


class LogDet(sp.Expr):
    """log det X of a square matrix; d log det X = tr(X^-1 dX) (Magnus and Neudecker, 8.4).

    >>> S = Symmetric("S", 3, 3)
    >>> LogDet(S.I)
    -logdet(S)
    """

    is_commutative = True
    is_extended_real = True

    def __new__(cls, matrix: Any) -> Any:
        if isinstance(matrix, sp.Identity):
            return sp.S.Zero
        if isinstance(matrix, sp.MatPow) and matrix.exp == -1:
            return -cls(matrix.base)
        if isinstance(matrix, sp.Transpose):
            return cls(matrix.arg)
        if isinstance(matrix, Diagonal):
            return sp.Sum(sp.log(matrix.entry(INDEX)), (INDEX, 1, matrix.rows))
        if isinstance(matrix, sp.MatMul):
            factor, rest = matrix.as_coeff_matrices()
            if all(m.is_square for m in rest):
                scale = matrix.rows * sp.log(factor) if factor != 1 else sp.S.Zero
                return sp.Add(scale, *(cls(m) for m in rest))
        return sp.Expr.__new__(cls, matrix)

    def _sympystr(self, printer: Any) -> str:
        return f"logdet({printer.doprint(self.args[0])})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\log{power} \det {printer.parenthesize(self.args[0], 50)}"


class LogMultigamma(sp.Function):
    """log Gamma_k(a), arguments a and k: k(k-1)/4 log pi + sum_{j=1}^k log Gamma(a + (1-j)/2) (DLMF 35.3.4)."""

    nargs = 2
    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        if argindex != 1:
            raise sp.ArgumentIndexError(self, argindex)
        return Multidigamma(*self.args)

    def _sympystr(self, printer: Any) -> str:
        return f"logmultigamma({printer.doprint(self.args[0])}, {printer.doprint(self.args[1])})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        a, k = map(printer.doprint, self.args)
        return rf"\log \Gamma_{{{k}}}\left({a}\right)"


class Multidigamma(sp.Function):
    """The derivative of log Gamma_k(a) in a: sum_{j=1}^k digamma(a + (1-j)/2)."""

    nargs = 2
    is_extended_real = True

    def _sympystr(self, printer: Any) -> str:
        return f"multidigamma({printer.doprint(self.args[0])}, {printer.doprint(self.args[1])})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        a, k = map(printer.doprint, self.args)
        return rf"\psi_{{{k}}}\left({a}\right)"
