"""A scalar expression in vectors and matrices at arrays of numbers: doubles over leading axes, or mpmath numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp
from scipy import special
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagonalOf

from ..core.errors import ParameterError, UnderivableError
from .functions import (
    BesselRatio,
    BetaBinomialMass,
    BinomialMass,
    Diagonal,
    Entry,
    HalfLine,
    LogBessel,
    LogDet,
    LogMultigamma,
    Multidigamma,
    SumTo,
    Vector,
    Whole,
)

Indices = tuple[sp.Symbol, ...]
LONGEST = 690  # exp of it is a double


@dataclass(frozen=True)
class Arithmetic:
    """The functions of one kind of number; the rest is NumPy's, for objects as for doubles."""

    number: Callable[[Any], Any]
    functions: Mapping[str, Callable[..., Any]]
    inverse: Callable[[Any], Any]
    logdet: Callable[[Any], Any]
    most_terms: int
    digits: Callable[[], int]
    block: int


def _entrywise(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda a: np.frompyfunc(function, 1, 1)(a)


def _log(a: Any) -> Any:
    return -mp.inf if a == 0 else mp.log(a)


def _inverse(a: Any) -> Any:
    return np.array((mp.matrix(a.tolist()) ** -1).tolist(), dtype=object).reshape(a.shape)


def _inverse_of_doubles(a: Any) -> Any:
    """The inverses, NaN where a matrix is singular."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        regular = (np.linalg.slogdet(a)[0] != 0)[..., None, None]
        return np.where(regular, np.linalg.inv(np.where(regular, a, np.eye(a.shape[-1]))), np.nan)


# By the series in z^2 (DLMF 10.25.2) where its terms fall from the first: there the power of z would cancel.
def _log_bessel(nu: Any, z: Any) -> Any:
    scaled, square = special.ive(nu, z), np.minimum(z * z / 4, nu + 1)
    series = -nu * np.log(2) - special.gammaln(nu + 1) + np.log(special.hyp0f1(nu + 1, square))
    values = np.where(square < nu + 1, series, np.log(scaled) + z - nu * np.log(z))
    return _or_precisely(values, (square < nu + 1) | (scaled > 1e-290), LogBessel, nu, z)


def _bessel_ratio(nu: Any, z: Any) -> Any:
    scaled, square = special.ive(nu, z), np.minimum(z * z / 4, nu + 1)
    series = z / (2 * nu + 2) * special.hyp0f1(nu + 2, square) / special.hyp0f1(nu + 1, square)
    values = np.where(square < nu + 1, series, special.ive(nu + 1, z) / scaled)
    return _or_precisely(values, (square < nu + 1) | (scaled > 1e-290), BesselRatio, nu, z)


def _log_choices(n: Any, x: Any) -> Any:
    return -np.log1p(n) - special.betaln(x + 1, n - x + 1)


def _binomial_mass(x: Any, n: Any, p: Any) -> Any:
    return np.exp(_log_choices(n, x) + special.xlogy(x, p) + special.xlog1py(n - x, -p))


def _beta_binomial_mass(x: Any, n: Any, a: Any, b: Any) -> Any:
    return np.exp(_log_choices(n, x) + special.betaln(x + a, n - x + b) - special.betaln(a, b))


def _or_precisely(values: Any, known: Any, function: Any, *arguments: Any) -> Any:
    """The values where they are known, elsewhere those of mpmath, one by one."""
    if np.all(known):
        return values
    values, known, *given = np.broadcast_arrays(values, known, *arguments)
    values = np.array(values)
    values[~known] = function._imp_(*(a[~known] for a in given))
    return values


# By their numbers of arguments.
WRITTEN = {LogBessel: 2, BesselRatio: 2, BinomialMass: 3, BetaBinomialMass: 4}
doubles = Arithmetic(
    lambda number: float(number),
    {"log": np.log, "exp": np.exp, "loggamma": special.gammaln, "digamma": special.digamma,
     "LogBessel": _log_bessel, "BesselRatio": _bessel_ratio,
     "BinomialMass": _binomial_mass, "BetaBinomialMass": _beta_binomial_mass},
    _inverse_of_doubles,
    lambda a: np.linalg.slogdet(a)[1],
    1_000_000,
    lambda: 17,
    64,
)  # fmt: skip
multiprecision = Arithmetic(
    lambda number: mp.mpmathify(sp.N(number, mp.mp.dps + 5)),
    {"log": _entrywise(_log), "exp": _entrywise(mp.exp), "loggamma": _entrywise(mp.loggamma),
     "digamma": _entrywise(lambda a: mp.psi(0, a)),
     **{f.__name__: np.frompyfunc(f.compute, n, 1) for f, n in WRITTEN.items()}},
    _inverse,
    lambda a: mp.log(mp.det(mp.matrix(a.tolist()))),
    10_000,
    lambda: mp.mp.dps,
    1,
)  # fmt: skip


def walk(expr: sp.Expr, values: Mapping[Any, Any], arithmetic: Arithmetic = doubles) -> Any:
    """The expression with arrays for its symbols, their event axes last and leading axes broadcast.

    Dimensions and scalars are numbers or arrays of the leading axes. A product with a factor 0 is 0: 0 log 0 = 0.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _Walk(values, arithmetic).scalar(expr)


def walk_array(expr: Any, values: Mapping[Any, Any], index: sp.Symbol) -> Any:
    """A matrix expression, or a list by its entry in the index, as an array of doubles."""
    walker = _Walk(values, doubles)
    return walker.matrix(expr) if isinstance(expr, sp.MatrixExpr) else walker.scalar(expr, (index,))


@dataclass(frozen=True)
class _Walk:
    values: Mapping[Any, Any]
    kind: Arithmetic

    def scalar(self, e: sp.Expr, indices: Indices = ()) -> Any:
        """The value over the leading axes and, inside sums, over one more for each of their indices in turn."""
        if e.is_number and not e.has(LogMultigamma, Multidigamma):
            return self.kind.number(e)
        if isinstance(e, sp.Symbol):
            return self._along(self.values[e], e, indices) if e in indices else self._lifted(self.values[e], indices)
        if isinstance(e, sp.Indexed):
            entries, index = np.asarray(self.values[e.base]), e.indices[0]
            if index in indices:
                return self._along(entries, index, indices)
            place = np.asarray(self.values[index], dtype=int)[..., None] - 1
            shape = np.broadcast_shapes(entries.shape[:-1], place.shape[:-1])
            entries = np.broadcast_to(entries, (*shape, entries.shape[-1]))
            return self._lifted(np.take_along_axis(entries, np.broadcast_to(place, (*shape, 1)), -1)[..., 0], indices)
        if isinstance(e, Entry):
            return self._along(np.asarray(self.values[e.args[0]]), e.args[1], indices)
        if isinstance(e, sp.Sum):
            return self.scalar(e.function, (*indices, e.limits[0][0])).sum(-1)
        if isinstance(e, SumTo):
            return self._sum(e, indices)
        if isinstance(e, HalfLine):
            return self._lifted(self._integral(e), indices)
        if isinstance(e, sp.Add):
            return sum(self.scalar(a, indices) for a in e.args)
        if isinstance(e, sp.Mul):
            return self._product([self.scalar(a, indices) for a in e.args])
        if isinstance(e, sp.Pow):
            return self.scalar(e.base, indices) ** self.scalar(e.exp, indices)
        if isinstance(e, LogDet):
            return self._lifted(self.kind.logdet(self.matrix(e.args[0])), indices)
        if isinstance(e, sp.Trace):
            return self._lifted(np.trace(self.matrix(e.arg), axis1=-2, axis2=-1), indices)
        if isinstance(e, (LogMultigamma, Multidigamma)):
            return self._lifted(self._multigamma(e), indices)
        if isinstance(e, sp.log) and isinstance(e.args[0], sp.gamma):
            return self.kind.functions["loggamma"](self.scalar(e.args[0].args[0], indices))
        name, args = e.func.__name__, e.args
        if isinstance(e, sp.polygamma) and e.args[0] == 0:
            name, args = "digamma", e.args[1:]
        if name not in self.kind.functions:
            raise UnderivableError(f"{e} has no rule for numbers")
        return self.kind.functions[name](*(self.scalar(a, indices) for a in args))

    def _sum(self, e: SumTo, indices: Indices) -> Any:
        """The terms up to a last one, which may differ by element."""
        term, index, last = e.args
        high = np.asarray(self.scalar(last, indices))
        if np.max(high) > self.kind.most_terms:
            raise ParameterError(f"{last} is {np.max(high)}; the sum over {index} takes at most {self.kind.most_terms}")
        steps = np.arange(int(np.max(high)) + 1)
        numbers = np.array([self.kind.number(sp.Integer(int(n))) for n in steps])
        terms = _Walk({**self.values, index: numbers}, self.kind).scalar(term, (*indices, index))
        return np.where(steps <= high[..., None], terms, 0).sum(-1)

    def _integral(self, e: HalfLine) -> Any:
        """The trapezoidal rule in log s, its error exp(-2 pi^2/step) (Trefethen, Weideman, SIAM Review 56, 2014).

        From s = 1 outwards until the terms have fallen to rounding; NaN where they do not.
        """
        integrand, s = e.args
        steady = {a: sp.Dummy() for a in integrand.atoms(LogDet) if not a.has(s)}
        values = {**self.values, **{symbol: self.scalar(a) for a, symbol in steady.items()}}
        integrand = integrand.xreplace(steady)
        depth = float(self.kind.digits() * mp.log(10))
        step = 2 * mp.pi**2 / (depth + 5)

        def terms(exponents: Any) -> Any:
            points = np.array([self.kind.number(mp.exp(n * step)) for n in exponents])
            points = points.reshape(-1, *[1] * dimensions)
            at = points if self.kind.block > 1 else points[0]
            found = _Walk({**values, s: at}, self.kind).scalar(integrand) * at
            return np.asarray(found).reshape(len(points), *shape)

        total = _Walk({**values, s: self.kind.number(sp.S.One)}, self.kind).scalar(integrand)
        shape, dimensions = np.shape(total), np.ndim(total)
        left: Any = True
        for sign in (-1, 1):
            for block in range(1, int(LONGEST / step), self.kind.block):
                found = terms(sign * n for n in range(block, block + self.kind.block))
                total = total + found.sum(0)
                # Where nothing is seen yet, the integrand is below rounding as far as s = exp(depth).
                unseen = (total == 0) & (block * step < depth)
                left = unseen | (abs(found[-1]) > self.kind.number(mp.exp(-depth)) * abs(total))
                if not np.any(left):
                    break
            total = np.where(left | (total - total != 0), np.nan, total)
        return total * self.kind.number(step)

    def matrix(self, m: Any) -> Any:
        """The value with the two axes of a matrix last."""
        if isinstance(m, sp.MatrixSymbol):
            given = np.asarray(self.values[m])
            return given[..., None] if isinstance(m, Vector) else given
        if isinstance(m, sp.Identity):
            return np.eye(int(self.scalar(m.rows)))
        if isinstance(m, Diagonal):
            entries = np.asarray(self.values[m.args[0]])
            return entries[..., None] * np.eye(entries.shape[-1], dtype=int)
        if isinstance(m, sp.OneMatrix):
            return np.ones([int(self.scalar(n)) for n in m.shape], dtype=int)
        if isinstance(m, ElementwiseApplyFunction):
            return self.kind.functions[m.function.expr.func.__name__](self.matrix(m.expr))
        if isinstance(m, DiagonalOf):
            return np.diagonal(self.matrix(m.arg), axis1=-2, axis2=-1)[..., None]
        if isinstance(m, sp.HadamardProduct):
            return math.prod(self.matrix(a) for a in m.args)
        if isinstance(m, Whole):
            return self.matrix(m.args[0])
        if isinstance(m, sp.Transpose):
            return self.matrix(m.arg).swapaxes(-1, -2)
        if isinstance(m, sp.MatPow) and m.exp == -1:
            return self.kind.inverse(self.matrix(m.base))
        if isinstance(m, sp.MatAdd):
            return sum(self.matrix(a) for a in m.args)
        if isinstance(m, sp.MatMul):
            total: Any = None
            for a in m.args:
                value = self.matrix(a) if isinstance(a, sp.MatrixExpr) else np.asarray(self.scalar(a))[..., None, None]
                joined = isinstance(a, sp.MatrixExpr) and total is not None and total.shape[-2:] != (1, 1)
                total = value if total is None else np.matmul(total, value) if joined else total * value
            return total
        raise UnderivableError(f"{m} has no rule for numbers")

    def _multigamma(self, e: sp.Expr) -> Any:
        a, k = self.scalar(e.args[0]), int(self.scalar(e.args[1]))
        half = self.kind.number(sp.S.Half)
        name = "loggamma" if isinstance(e, LogMultigamma) else "digamma"
        total = sum(self.kind.functions[name](a - half * j) for j in range(k))
        scale = self.kind.number(sp.log(sp.pi)) * k * (k - 1) / 4
        return total + scale if name == "loggamma" else total

    @staticmethod
    def _product(factors: list[Any]) -> Any:
        total = factors[0]
        for f in factors[1:]:
            total = total * f
        zero = [np.asarray(f) == 0 for f in factors]
        if not any(z.any() for z in zero):
            return total
        return np.where(np.logical_or.reduce(np.broadcast_arrays(*zero)), 0, total)

    @staticmethod
    def _lifted(value: Any, indices: Indices) -> Any:
        return np.asarray(value)[(..., *[None] * len(indices))] if indices else value

    @staticmethod
    def _along(entries: Any, index: sp.Symbol, indices: Indices) -> Any:
        """The entries along the axis of the index, the innermost of that name."""
        place = max(n for n, symbol in enumerate(indices) if symbol == index)
        return entries[(..., *[None] * place, slice(None), *[None] * (len(indices) - place - 1))]
