"""An expression in vectors and matrices at arrays of numbers: doubles over leading axes, or one element of any kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagonalOf

from ..core.errors import ParameterError, UnderivableError
from .arithmetic import Arithmetic, doubles
from .functions import (
    INDEX,
    Column,
    Diagonal,
    Entry,
    HalfLine,
    LogDet,
    LogMultigamma,
    Multidigamma,
    Multitrigamma,
    SumTo,
    Vector,
    Whole,
)

MULTIGAMMA = {LogMultigamma: None, Multidigamma: 0, Multitrigamma: 1}
LONGEST = 690  # exp of it is a double
Indices = tuple[sp.Symbol, ...]


def walk(expr: sp.Expr, values: Mapping[Any, Any], arithmetic: Arithmetic = doubles) -> Any:
    """The scalar expression with arrays for its symbols, their event axes last and leading axes broadcast.

    Dimensions and scalars are numbers or arrays of the leading axes. A product with a factor 0 is 0: 0 log 0 = 0.
    """
    return Walker(values, arithmetic).array(expr, None)


@lru_cache(maxsize=4096)
def _is_constant(e: sp.Expr) -> bool:
    return bool(e.is_number) and not e.has(*MULTIGAMMA)


@lru_cache(maxsize=4096)
def _free(e: sp.Expr) -> set[Any]:
    return e.free_symbols


@dataclass(frozen=True)
class Walker:
    """Expressions at the same arrays, what they have in common computed once."""

    values: Mapping[Any, Any]
    kind: Arithmetic = doubles
    known: dict[Any, Any] = field(default_factory=dict)

    def array(self, expr: Any, index: sp.Symbol | None) -> Any:
        """A matrix expression with its axes last; a list by its entry in the index; or a scalar."""
        with np.errstate(all="ignore"):
            if isinstance(expr, sp.MatrixExpr):
                return self.matrix(expr)
            return self.scalar(expr, () if index is None else (index,))

    def scalar(self, e: sp.Expr, indices: Indices = ()) -> Any:
        """The value over the leading axes and, inside sums, over one more for each of their indices in turn."""
        key = (e, indices)
        if key not in self.known:
            outside = indices and not _is_constant(e) and _free(e).isdisjoint(indices)
            self.known[key] = _lifted(self.scalar(e), len(indices)) if outside else self._scalar(e, indices)
        return self.known[key]

    def matrix(self, m: Any) -> Any:
        """The value with the two axes of a matrix last."""
        if m not in self.known:
            self.known[m] = self._matrix(m)
        return self.known[m]

    def _scalar(self, e: sp.Expr, indices: Indices) -> Any:
        if _is_constant(e):
            return self.kind.number(e)
        if isinstance(e, sp.Symbol):
            given = self.kind.array(self.values[e])
            return _along(given, e, indices) if e in indices else given
        if isinstance(e, sp.Indexed):
            return self._entry(e, indices)
        if isinstance(e, Entry):
            return _along(self.matrix(e.args[0])[..., 0], e.args[1], indices)
        if isinstance(e, sp.Sum):
            return self.scalar(e.function, (*indices, e.limits[0][0])).sum(-1)
        if isinstance(e, SumTo):
            return self._sum(e, indices)
        if isinstance(e, HalfLine):
            return self._integral(e)
        if isinstance(e, sp.Add):
            return sum((self.scalar(a, indices) for a in e.args[1:]), self.scalar(e.args[0], indices))
        if isinstance(e, sp.Mul):
            return self._product([self.scalar(a, indices) for a in e.args])
        if isinstance(e, sp.Pow):
            return self.scalar(e.base, indices) ** self.scalar(e.exp, indices)
        if isinstance(e, LogDet):
            return self.kind.logdet(self.matrix(e.args[0]))
        if isinstance(e, sp.Trace):
            return _diagonal(self.matrix(e.arg)).sum(-1)
        if isinstance(e, tuple(MULTIGAMMA)):
            return self._multigamma(e)
        if isinstance(e, sp.log) and isinstance(e.args[0], sp.gamma):
            return self.kind.functions["loggamma"](self.scalar(e.args[0].args[0], indices))
        if isinstance(e, sp.polygamma) and e.args[0].is_Integer:
            return self.kind.functions["polygamma"](int(e.args[0]), self.scalar(e.args[1], indices))
        return self._function(e)(*(self.scalar(a, indices) for a in e.args))

    def _function(self, e: sp.Expr) -> Any:
        name = e.func.__name__
        if name not in self.kind.functions or name == "polygamma":
            raise UnderivableError(f"{e} has no rule for numbers")
        return self.kind.functions[name]

    def _entry(self, e: sp.Indexed, indices: Indices) -> Any:
        entries, index = self.kind.array(self.values[e.base]), e.indices[0]
        if index in indices:
            return _along(entries, index, indices)
        place = np.asarray(self.values[index], dtype=int)[..., None] - 1
        shape = np.broadcast_shapes(entries.shape[:-1], place.shape[:-1])
        entries = np.broadcast_to(entries, (*shape, entries.shape[-1]))
        return np.take_along_axis(entries, np.broadcast_to(place, (*shape, 1)), -1)[..., 0]

    def _sum(self, e: SumTo, indices: Indices) -> Any:
        """The terms up to a last one, which may differ by element."""
        if (rule := self.kind.terms) is None:
            raise UnderivableError(f"{e} has no rule for numbers")
        term, index, last = e.args
        high = np.asarray(self.kind.middle(self.scalar(last, indices)))
        if np.max(high) > rule.most:
            raise ParameterError(f"{last} is {np.max(high)}; the sum over {index} takes at most {rule.most}")
        steps = np.arange(int(np.max(high)) + 1)
        terms = Walker({**self.values, index: steps.astype(float)}, self.kind).scalar(term, (*indices, index))
        return self.kind.choose(steps <= high[..., None], terms, 0).sum(-1)

    def _integral(self, e: HalfLine) -> Any:
        """The trapezoidal rule in log s, its error exp(-2 pi^2/step) (Trefethen, Weideman, SIAM Review 56, 2014).

        From s = 1 outwards until the terms have fallen to rounding; NaN where they do not.
        """
        if (rule := self.kind.terms) is None:
            raise UnderivableError(f"{e} has no rule for numbers")
        integrand, s = e.args
        steady = {a: sp.Dummy() for a in integrand.atoms(LogDet) if not a.has(s)}
        values = {**self.values, **{symbol: self.scalar(a) for a, symbol in steady.items()}}
        integrand = integrand.xreplace(steady)
        exp, number, middle = self.kind.functions["exp"], self.kind.array, self.kind.middle
        depth = rule.digits() * math.log(10)
        step = 2 * math.pi**2 / (depth + 5)

        def terms(exponents: Any) -> Any:
            points = exp(number(exponents) * number(step)).reshape(-1, *[1] * dimensions)
            at = points if rule.block > 1 else points[0]
            found = Walker({**values, s: at}, self.kind).scalar(integrand) * at
            return found if rule.block > 1 else np.asarray(found).reshape(1, *shape)

        total = Walker({**values, s: 1.0}, self.kind).scalar(integrand)
        shape, dimensions = np.shape(middle(total)), np.ndim(middle(total))
        rounding = middle(exp(number(-depth)))
        left: Any = True
        for sign in (-1, 1):
            for block in range(1, int(LONGEST / step), rule.block):
                found = terms(sign * np.arange(block, block + rule.block, dtype=float))
                total = total + found.sum(0)
                # Where nothing is seen yet, the integrand is below rounding as far as s = exp(depth).
                now = middle(total)
                unseen = (now == 0) & (block * step < depth)
                left = unseen | (abs(middle(found[-1])) > rounding * abs(now))
                if not np.any(left):
                    break
            now = middle(total)
            total = self.kind.choose(left | (now - now != 0), np.nan, total)
        return total * number(step)

    def _matrix(self, m: Any) -> Any:
        if isinstance(m, sp.MatrixSymbol):
            given = self.kind.array(self.values[m])
            return given[..., None] if isinstance(m, Vector) else given
        if isinstance(m, (sp.Identity, sp.ZeroMatrix, sp.OneMatrix)):
            rows, columns = map(self._size, m.shape)
            if isinstance(m, sp.Identity):
                return self.kind.array(np.eye(rows, columns))
            return self.kind.array(np.full((rows, columns), float(isinstance(m, sp.OneMatrix))))
        if isinstance(m, Column):
            return self.scalar(m.args[0], (INDEX,))[..., None]
        if isinstance(m, Diagonal):
            entries = self.kind.array(self.values[m.args[0]])[..., None]
            return self.kind.choose(np.eye(entries.shape[-2]) == 0, 0, entries)
        if isinstance(m, Whole):
            return self.matrix(m.args[0])
        if isinstance(m, sp.Transpose):
            return self.matrix(m.arg).swapaxes(-1, -2)
        if isinstance(m, ElementwiseApplyFunction):
            return self._function(m.function.expr)(self.matrix(m.expr))
        if isinstance(m, DiagonalOf):
            return _diagonal(self.matrix(m.arg))[..., None]
        if isinstance(m, sp.HadamardProduct):
            return math.prod((self.matrix(a) for a in m.args[1:]), start=self.matrix(m.args[0]))
        if isinstance(m, sp.MatPow) and m.exp == -1:
            return self.kind.inverse(self.matrix(m.base))
        if isinstance(m, sp.MatAdd):
            return sum((self.matrix(a) for a in m.args[1:]), self.matrix(m.args[0]))
        if isinstance(m, sp.MatMul):
            factors = [a for a in m.args if isinstance(a, sp.MatrixExpr)]
            total = self.matrix(factors[0])
            for a in factors[1:]:
                total = total @ self.matrix(a)
            for a in m.args:
                if not isinstance(a, sp.MatrixExpr):
                    total = _lifted(self.scalar(a), 2) * total
            return total
        raise UnderivableError(f"{m} has no rule for numbers")

    def _size(self, e: sp.Expr) -> int:
        return int(e.xreplace({s: sp.Integer(int(self.values[s])) for s in e.free_symbols}))

    def _multigamma(self, e: sp.Expr) -> Any:
        a, k, order = self.scalar(e.args[0]), self._size(e.args[1]), MULTIGAMMA[e.func]
        rest = [a + self.kind.number(sp.Rational(-j, 2)) for j in range(k)]
        if order is not None:
            terms = [self.kind.functions["polygamma"](order, each) for each in rest]
        else:
            scale = self.kind.number(sp.log(sp.pi)) * self.kind.number(sp.Rational(k * (k - 1), 4))
            terms = [*(self.kind.functions["loggamma"](each) for each in rest), scale]
        return sum(terms[1:], terms[0])

    def _product(self, factors: list[Any]) -> Any:
        total, zero = factors[0], factors[0] == 0
        for f in factors[1:]:
            total, zero = total * f, zero | (f == 0)
        return self.kind.choose(zero, 0, total) if (zero.any() if isinstance(zero, np.ndarray) else zero) else total


def _lifted(value: Any, axes: int) -> Any:
    """With so many more axes."""
    return (value if hasattr(value, "shape") else np.asarray(value))[(..., *[None] * axes)]


def _along(entries: Any, index: sp.Symbol, indices: Indices) -> Any:
    """The entries along the axis of the index, the innermost of that name."""
    place = max(n for n, symbol in enumerate(indices) if symbol == index)
    return entries[(..., *[None] * place, slice(None), *[None] * (len(indices) - place - 1))]


def _diagonal(matrices: Any) -> Any:
    each = range(matrices.shape[-1])
    return matrices[..., each, each]
