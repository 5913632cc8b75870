"""Scalar functions of matrices, and the symbols of vectors and matrices with what is known of them."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp
from sympy.core.function import ArgumentIndexError
from sympy.printing.precedence import PRECEDENCE

from ..core.functions import SpecialFunction

INDEX = sp.Symbol("i", integer=True, positive=True)


class Symmetric(sp.MatrixSymbol):
    """A symmetric positive definite matrix: its own transpose."""

    def _eval_transpose(self) -> Symmetric:
        return self


class Vector(sp.MatrixSymbol):
    """A column: in numbers an array with one axis of its own, where a k x 1 matrix has two."""


class Entry(sp.Expr):
    """An entry of a column, arguments the column and an index from 1 on.

    >>> Entry(Vector("x", 3, 1), INDEX)
    x[i]
    """

    is_commutative = True
    is_extended_real = True

    def _sympystr(self, printer: Any) -> str:
        return f"{printer.doprint(self.args[0])}[{printer.doprint(self.args[1])}]"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return printer._print_Indexed(sp.IndexedBase(self.args[0].name)[self.args[1]], exp)


class Column(sp.MatrixExpr):
    """The column of what an expression in the index i is from 1 on, arguments the expression and the size.

    >>> Column(INDEX**2, 3).shape
    (3, 1)
    """

    shape = property(lambda self: (self.args[1], sp.S.One))  # type: ignore[assignment]


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
    diag(d) + W*W.T
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


class DrawnVector(Vector):
    """A vector that is the outcome of a law, as `Drawn` is a number."""


class DrawnMatrix(sp.MatrixSymbol):
    """A matrix that is the outcome of a law."""


class DrawnSymmetric(Symmetric):
    """A symmetric matrix that is the outcome of a law."""


class DrawnList(sp.IndexedBase):
    """A list that is the outcome of a law."""


DRAWN = {Vector: DrawnVector, sp.MatrixSymbol: DrawnMatrix, Symmetric: DrawnSymmetric, sp.IndexedBase: DrawnList}


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
                scale = matrix.rows * sp.expand_log(sp.log(factor)) if factor != 1 else sp.S.Zero
                return sp.Add(scale, *(cls(m) for m in rest))
        return sp.Expr.__new__(cls, matrix)

    def _sympystr(self, printer: Any) -> str:
        return f"logdet({printer.doprint(self.args[0])})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\log{power} \det {printer.parenthesize(self.args[0], 50)}"


class Least(sp.Expr):
    """The least entry of a column, or the least eigenvalue of a symmetric matrix.

    >>> Least(Symmetric("S", 3, 3))
    least(S)
    >>> Least(Column(INDEX**2, 3))
    least(i**2)
    """

    is_commutative = True
    is_extended_real = True

    @property
    def _inside(self) -> Any:
        return self.args[0].args[0] if isinstance(self.args[0], Column) else self.args[0]

    def _sympystr(self, printer: Any) -> str:
        return f"least({printer.doprint(self._inside)})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\operatorname{{least}}{power}\left({printer.doprint(self._inside)}\right)"


class SumTo(sp.Expr):
    """The sum of an expression over a whole number from 0 to a last one, arguments the term, the index and the last.

    >>> j, n = sp.symbols("j n"); SumTo(j**2, j, n)
    sum(j**2, j=0..n)
    """

    is_commutative = True
    is_extended_real = True

    def _sympystr(self, printer: Any) -> str:
        term, index, last = map(printer.doprint, self.args)
        return f"sum({term}, {index}=0..{last})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        term, index, last = self.args
        power = "" if exp is None else f"^{{{exp}}}"
        inner = printer.parenthesize(term, PRECEDENCE["Mul"])
        return rf"\left(\sum_{{{index}=0}}^{{{printer.doprint(last)}}} {inner}\right){power}"


class HalfLine(sp.Expr):
    """The integral of an expression over s from 0 to infinity, arguments the integrand and s.

    In log s the integrand is to be analytic in the strip of half width pi, and to fall exponentially at both ends.

    >>> s = sp.Symbol("s", positive=True); HalfLine(1 / (1 + s) ** 2, s)
    integral((s + 1)**(-2), s=0..oo)
    """

    is_commutative = True
    is_extended_real = True

    def _sympystr(self, printer: Any) -> str:
        integrand, s = map(printer.doprint, self.args)
        return f"integral({integrand}, {s}=0..oo)"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        integrand, s = map(printer.doprint, self.args)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left(\int_0^\infty {integrand}\, d{s}\right){power}"


class LogMultigamma(sp.Function):
    """log Gamma_k(a), arguments a and k: k(k-1)/4 log pi + sum_{j=1}^k log Gamma(a + (1-j)/2) (DLMF 35.3.4)."""

    nargs = 2
    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
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

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        return Multitrigamma(*self.args)

    def _sympystr(self, printer: Any) -> str:
        return f"multidigamma({printer.doprint(self.args[0])}, {printer.doprint(self.args[1])})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        a, k = map(printer.doprint, self.args)
        return rf"\psi_{{{k}}}\left({a}\right)"


class Multitrigamma(sp.Function):
    """The second derivative of log Gamma_k(a) in a: sum_{j=1}^k trigamma(a + (1-j)/2)."""

    nargs = 2
    is_extended_real = True


class _Written(SpecialFunction):
    """A function that prints as the expression it stands for."""

    def written(self) -> sp.Expr:
        raise NotImplementedError

    def _sympystr(self, printer: Any) -> str:
        return printer.doprint(self.written())

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inner = printer.doprint(self.written())
        return inner if exp is None else rf"\left({inner}\right)^{{{exp}}}"


class LogBessel(_Written):
    """log(z^-nu I_nu(z)) for z >= 0, even in z and finite at 0 (DLMF 10.25.2); its derivative is by DLMF 10.29.4.

    >>> LogBessel(sp.S.Half, 1).n()
    -0.0643519910735318
    >>> nu, z = sp.symbols("nu z", positive=True); LogBessel(nu, z).diff(z)
    besseli(nu + 1, z)/besseli(nu, z)
    """

    nargs = 2

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        return BesselRatio(*self.args)

    @staticmethod
    def compute(nu: Any, z: Any) -> Any:
        if z == 0:
            return -nu * mp.log(2) - mp.loggamma(nu + 1)
        return mp.log(mp.besseli(nu, z)) - nu * mp.log(z)

    def written(self) -> sp.Expr:
        nu, z = self.args
        return sp.log(z**-nu * sp.besseli(nu, z))


class BesselRatio(_Written):
    """I_{nu+1}(z) / I_nu(z) for z >= 0, 0 at 0 (DLMF 10.25.2).

    >>> BesselRatio(sp.S.Half, 1).n()  # coth(1) - 1
    0.313035285499331
    """

    nargs = 2
    precedence = PRECEDENCE["Mul"]

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        """R_nu' = 1 - R_nu^2 - (2 nu + 1) R_nu/z, where R_nu/z = (1 - R_nu R_{nu+1})/(2 nu + 2) (DLMF 10.29)."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        nu, z = self.args
        over_z = (1 - self * BesselRatio(nu + 1, z)) / (2 * nu + 2)
        return 1 - self**2 - (2 * nu + 1) * over_z

    @staticmethod
    def compute(nu: Any, z: Any) -> Any:
        return mp.mpf(0) if z == 0 else mp.besseli(nu + 1, z) / mp.besseli(nu, z)

    def written(self) -> sp.Expr:
        nu, z = self.args
        return sp.besseli(nu + 1, z) / sp.besseli(nu, z)


class BinomialMass(_Written):
    """The probability of x successes among n, arguments x, n and p.

    >>> BinomialMass(1, 3, sp.Rational(1, 4)).n()
    0.421875000000000
    """

    nargs = 3
    precedence = PRECEDENCE["Mul"]

    @staticmethod
    def compute(x: Any, n: Any, p: Any) -> Any:
        return mp.binomial(n, x) * p**x * (1 - p) ** (n - x)

    def written(self) -> sp.Expr:
        x, n, p = self.args
        return sp.binomial(n, x) * p**x * (1 - p) ** (n - x)


class BetaBinomialMass(_Written):
    """The mean of the binomial probability over p of Beta(a, b), arguments x, n, a and b.

    >>> BetaBinomialMass(1, 3, 1, 1).n()
    0.250000000000000
    """

    nargs = 4
    precedence = PRECEDENCE["Mul"]

    @staticmethod
    def compute(x: Any, n: Any, a: Any, b: Any) -> Any:
        return mp.binomial(n, x) * mp.beta(x + a, n - x + b) / mp.beta(a, b)

    def written(self) -> sp.Expr:
        x, n, a, b = self.args
        return sp.binomial(n, x) * sp.beta(x + a, n - x + b) / sp.beta(a, b)
