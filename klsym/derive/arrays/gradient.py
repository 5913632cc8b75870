"""The derivatives of a scalar expression by each of its vectors and matrices, as expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions.diagonal import DiagonalOf

from ...arrays.family import INDEX
from ...arrays.functions import Column, Diagonal, Entry, LogDet, Symmetric, Whole
from ...core.errors import UnderivableError


def gradient(expr: sp.Expr, symbols: Sequence[Any]) -> tuple[Any, ...]:
    """G with d expr = tr(G' dX) for each symbol: a matrix, the entry in the index i for a list, or a number.

    The entries count as free; for a symmetric matrix G is symmetrised, (G + G')/2, so that d expr = tr(G dX) for a
    symmetric dX. The derivative of every operation is that of the whole by its value, handed down to its operands
    (Giles, Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation, 2008).
    """
    found = _Gradient({s: [] for s in symbols})
    found.scalar(expr, sp.S.One, None)
    return tuple(found.total(s) for s in symbols)


@dataclass
class _Gradient:
    parts: dict[Any, list[Any]]
    sums: dict[sp.Symbol, tuple[Any, ...]] = field(default_factory=dict)

    def total(self, symbol: Any) -> Any:
        parts = self.parts[symbol]
        if not isinstance(symbol, sp.MatrixSymbol):
            return sp.Add(*parts)
        if not parts:
            return sp.ZeroMatrix(*symbol.shape)
        whole = parts[0] if len(parts) == 1 else sp.MatAdd(*parts)
        return sp.MatMul(sp.S.Half, sp.MatAdd(whole, _turned(whole))) if isinstance(symbol, Symmetric) else whole

    def scalar(self, e: sp.Expr, slope: sp.Expr, index: sp.Symbol | None) -> None:
        """Hand down the derivative of the whole by e, which within a sum are those by its terms."""
        if not e.has(*self.parts):
            return
        if isinstance(e, sp.Symbol):
            self.parts[e].append(self._summed(slope, index))
        elif isinstance(e, sp.Indexed):
            if e.indices[0] != index:
                raise UnderivableError(f"no rule differentiates by {e.base} in {e}")
            self.parts[e.base].append(slope.xreplace({index: INDEX}))
        elif isinstance(e, Entry):
            if e.args[1] != index:
                raise UnderivableError(f"no rule differentiates by {e.args[0]} in {e}")
            self.matrix(e.args[0], Column(slope.xreplace({index: INDEX}), e.args[0].rows))
        elif isinstance(e, sp.Add):
            for a in e.args:
                self.scalar(a, slope, index)
        elif isinstance(e, sp.Mul):
            for n, a in enumerate(e.args):
                self.scalar(a, sp.Mul(slope, *e.args[:n], *e.args[n + 1 :]), index)
        elif isinstance(e, sp.Sum):
            inner = e.limits[0][0]
            outside = self._summed(slope, index)
            self.sums[inner] = e.limits[0]
            self.scalar(e.function, outside, inner)
        elif isinstance(e, sp.Trace):
            self.matrix(e.arg, sp.MatMul(self._summed(slope, index), sp.Identity(e.arg.rows)))
        elif isinstance(e, LogDet):
            turned = sp.Inverse(_turned(e.args[0]))
            self.matrix(e.args[0], sp.MatMul(self._summed(slope, index), turned))
        elif isinstance(e, sp.Pow) and not e.exp.has(*self.parts):
            self.scalar(e.base, slope * e.exp * e.base ** (e.exp - 1), index)
        elif isinstance(e, sp.Function):
            for n, a in enumerate(e.args, 1):
                if a.has(*self.parts):
                    self.scalar(a, slope * e.fdiff(n), index)
        else:
            raise UnderivableError(f"no rule differentiates {e}")

    def matrix(self, m: Any, slope: Any) -> None:
        """d tr(G'(A B C)): A'G C' for B; d tr(G' M^-1): -M^-T G M^-T for M."""
        if not m.has(*self.parts):
            return
        if isinstance(m, sp.MatrixSymbol):
            self.parts[m].append(slope)
        elif isinstance(m, sp.Transpose):
            self.matrix(m.arg, _turned(slope))
        elif isinstance(m, Whole):
            self.matrix(m.args[0], slope)
        elif isinstance(m, Diagonal):
            self.parts[m.args[0]].append(Entry(DiagonalOf(slope), INDEX))
        elif isinstance(m, sp.MatAdd):
            for a in m.args:
                self.matrix(a, slope)
        elif isinstance(m, sp.MatPow) and m.exp == -1:
            turned = _turned(m)
            self.matrix(m.base, sp.MatMul(-1, turned, slope, turned))
        elif isinstance(m, sp.MatMul):
            factor, factors = m.as_coeff_matrices()
            if factor.has(*self.parts):
                raise UnderivableError(f"no rule differentiates the factor {factor} of a matrix")
            for n, a in enumerate(factors):
                left = [_turned(b) for b in reversed(factors[:n])]
                right = [_turned(b) for b in reversed(factors[n + 1 :])]
                self.matrix(a, sp.MatMul(factor, *left, slope, *right))
        else:
            raise UnderivableError(f"no rule differentiates {m}")

    def _summed(self, slope: sp.Expr, index: sp.Symbol | None) -> sp.Expr:
        """What does not depend on the index gets the derivatives by all terms together."""
        return slope if index is None else sp.Sum(slope, self.sums[index])


def _turned(m: Any) -> Any:
    return sp.Transpose(m).doit()
