"""An expression in vectors and matrices at arrays of numbers: doubles over leading axes, or one element of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from ..core.errors import UnderivableError
from .arithmetic import Arithmetic, doubles
from .functions import LogDet, LogMultigamma, Multidigamma, Multitrigamma, Vector

MULTIGAMMA = {LogMultigamma: None, Multidigamma: 0, Multitrigamma: 1}


def walk(expr: sp.Expr, values: Mapping[Any, Any], arithmetic: Arithmetic = doubles) -> Any:
    """The scalar expression with arrays for its symbols, their event axes last and leading axes broadcast.

    Dimensions and scalars are numbers or arrays of the leading axes. A product with a factor 0 is 0: 0 log 0 = 0.
    """
    return Walker(values, arithmetic).array(expr, None)


@lru_cache(maxsize=4096)
def _is_constant(e: sp.Expr) -> bool:
    return bool(e.is_number) and not e.has(*MULTIGAMMA)


@dataclass(frozen=True)
class Walker:
    """Expressions at the same arrays, what they have in common computed once."""

    values: Mapping[Any, Any]
    kind: Arithmetic = doubles
    known: dict[Any, Any] = field(default_factory=dict)

    def array(self, expr: Any, index: sp.Symbol | None) -> Any:
        """A matrix expression with its axes last; a list by its entry in the index; or a scalar."""
        with np.errstate(all="ignore"):
            return self.matrix(expr) if isinstance(expr, sp.MatrixExpr) else self.scalar(expr, index)

    def scalar(self, e: sp.Expr, index: sp.Symbol | None) -> Any:
        """The value over the leading axes, and over one more, the index's, inside a sum."""
        key = (e, index)
        if key not in self.known:
            self.known[key] = self._scalar(e, index)
        return self.known[key]

    def matrix(self, m: Any) -> Any:
        """The value with the two axes of a matrix last."""
        if m not in self.known:
            self.known[m] = self._matrix(m)
        return self.known[m]

    def _scalar(self, e: sp.Expr, index: sp.Symbol | None) -> Any:
        if _is_constant(e):
            return self.kind.number(e)
        if isinstance(e, sp.Symbol):
            return self._lifted(self.kind.array(self.values[e]), index)
        if isinstance(e, sp.Indexed):
            return self._entry(e, index)
        if isinstance(e, sp.Sum):
            return self._lifted(self.scalar(e.function, e.limits[0][0]).sum(-1), index)
        if isinstance(e, sp.Add):
            return sum((self.scalar(a, index) for a in e.args[1:]), self.scalar(e.args[0], index))
        if isinstance(e, sp.Mul):
            return self._product([self.scalar(a, index) for a in e.args])
        if isinstance(e, sp.Pow):
            return self.scalar(e.base, index) ** self.scalar(e.exp, index)
        if isinstance(e, LogDet):
            return self._lifted(self.kind.logdet(self.matrix(e.args[0])), index)
        if isinstance(e, sp.Trace):
            whole = self.matrix(e.arg)
            each = range(whole.shape[-1])
            return self._lifted(whole[..., each, each].sum(-1), index)
        if isinstance(e, tuple(MULTIGAMMA)):
            return self._lifted(self._multigamma(e), index)
        if isinstance(e, sp.log) and isinstance(e.args[0], sp.gamma):
            return self.kind.functions["loggamma"](self.scalar(e.args[0].args[0], index))
        name = e.func.__name__
        if name not in self.kind.functions or (name == "polygamma" and not e.args[0].is_Integer):
            raise UnderivableError(f"{e} has no rule for numbers")
        order = [int(n) for n in e.args[:-1]]
        return self.kind.functions[name](*order, self.scalar(e.args[-1], index))

    def _entry(self, e: sp.Indexed, index: sp.Symbol | None) -> Any:
        entries = self.kind.array(self.values[e.base])
        if e.indices[0] == index:
            return entries
        place = np.asarray(self.values[e.indices[0]], dtype=int)[..., None] - 1
        shape = np.broadcast_shapes(entries.shape[:-1], place.shape[:-1])
        entries = np.broadcast_to(entries, (*shape, entries.shape[-1]))
        return self._lifted(np.take_along_axis(entries, np.broadcast_to(place, (*shape, 1)), -1)[..., 0], index)

    def _matrix(self, m: Any) -> Any:
        if isinstance(m, sp.MatrixSymbol):
            given = self.kind.array(self.values[m])
            return given[..., None] if isinstance(m, Vector) else given
        if isinstance(m, sp.Identity):
            return self.kind.array(np.eye(self._size(m.rows)))
        if isinstance(m, sp.ZeroMatrix):
            return self.kind.array(np.zeros(tuple(map(self._size, m.shape))))
        if isinstance(m, sp.Transpose):
            return self.matrix(m.arg).swapaxes(-1, -2)
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
                    total = self._lifted(self._lifted(self.scalar(a, None), m), m) * total
            return total
        raise UnderivableError(f"{m} has no rule for numbers")

    def _size(self, e: sp.Expr) -> int:
        return int(e.xreplace({s: sp.Integer(int(self.values[s])) for s in e.free_symbols}))

    def _multigamma(self, e: sp.Expr) -> Any:
        a, k, order = self.scalar(e.args[0], None), self._size(e.args[1]), MULTIGAMMA[e.func]
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

    @staticmethod
    def _lifted(value: Any, index: Any) -> Any:
        """With one more axis where there is an index."""
        return value if index is None else (value if hasattr(value, "shape") else np.asarray(value))[..., None]
