"""Array formulas as functions of NumPy arrays: a kernel of their own where one is known, else the closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import sympy as sp

from .array_formula import inside
from .arrays.domain import ArrayDomain, ArrayParameter
from .arrays.family import Numbers
from .arrays.walk import walk
from .core.derivation import Case
from .core.errors import ParameterError

# The kernel of a closed form, by its `shape`: "module.function" in klsym.backends.arrays, a function of the parameters'
# arrays in their order.
KERNELS: dict[str, str] = {
    "-k/2 - logdet(a1)/2 + logdet(a3)/2 + Trace(a3**(-1)*a1)/2 + Trace((a0 - a2).T*a3**(-1)*(a0 - a2))/2": (
        "gaussian.kl_covariance"
    ),
    "-k/2 + logdet(a1)/2 - logdet(a3)/2 + Trace(a1**(-1)*a3)/2 + Trace((a0 - a2).T*a3*(a0 - a2))/2": (
        "gaussian.kl_precision"
    ),
    "-k/2 - logdet(a1) + logdet(a3) + Trace((a0 - a2).T*(a3.T**(-1)*a3**(-1))*(a0 - a2))/2 "
    "+ Trace(a3.T**(-1)*a3**(-1)*a1*a1.T)/2": "gaussian.kl_tril",
    "-(Sum(a0[i], (i, 1, K)) - Sum(a1[i], (i, 1, K)))*polygamma(0, Sum(a0[i], (i, 1, K))) "
    "+ loggamma(Sum(a0[i], (i, 1, K))) - loggamma(Sum(a1[i], (i, 1, K))) "
    "+ Sum((a0[i] - a1[i])*polygamma(0, a0[i]), (i, 1, K)) - Sum(loggamma(a0[i]), (i, 1, K)) "
    "+ Sum(loggamma(a1[i]), (i, 1, K))": "dirichlet.kl",
    "-log(Sum(exp(a0[i]), (i, 1, K))) + log(Sum(exp(a1[i]), (i, 1, K))) "
    "+ Sum((a0[i] - a1[i])*exp(a0[i]), (i, 1, K))/Sum(exp(a0[i]), (i, 1, K))": "logits.kl",
    "Sum((log(a0[i]) - log(a1[i]))*a0[i], (i, 1, K))": "probabilities.kl",
    "a0*Sum((log(a1[i]) - log(a3[i]))*a1[i], (i, 1, K))": "probabilities.kl_multinomial",
    "-a0*k/2 + a0*multidigamma(a0/2, k)/2 + a0*Trace(a3**(-1)*a1)/2 - a2*multidigamma(a0/2, k)/2 - a2*logdet(a1)/2 "
    "+ a2*logdet(a3)/2 - logmultigamma(a0/2, k) + logmultigamma(a2/2, k)": "wishart.kl",
    "-a0*k/2 + a0*multidigamma(a0/2, k)/2 + a0*Trace(a1**(-1)*a3)/2 - a2*multidigamma(a0/2, k)/2 + a2*logdet(a1)/2 "
    "- a2*logdet(a3)/2 - logmultigamma(a0/2, k) + logmultigamma(a2/2, k)": "wishart.kl_inverse",
    "-k*m/2 - k*logdet(a2)/2 + k*logdet(a5)/2 - m*logdet(a1)/2 + m*logdet(a4)/2 "
    "+ Trace(a4**(-1)*a1)*Trace(a5**(-1)*a2)/2 + Trace(a5**(-1)*(a0 - a3).T*a4**(-1)*(a0 - a3))/2": "matrix_normal.kl",
}


def shape(value: sp.Expr, symbols: tuple[Any, ...]) -> str:
    """The closed form with its parameters numbered in their order: equal for formulas that are one function."""
    length = sp.Symbol("K", integer=True, positive=True)
    value = value.replace(sp.Sum, lambda term, limits: sp.Sum(term, (limits[0], limits[1], length)))
    numbered = {s: sp.Symbol(f"a{n}") if s.is_Symbol else s.func(f"a{n}", *s.args[1:]) for n, s in enumerate(symbols)}
    return str(value.xreplace(numbered).replace(sp.Trace, _oriented))


def _oriented(trace: sp.Expr, *_: Any) -> sp.Expr:
    """tr((b - a)' M (b - a)) -> tr((a - b)' M (a - b)): which of the two stands there follows from names."""
    trace = sp.Trace(trace)
    gaps = [e for e in sp.preorder_traversal(trace) if isinstance(e, sp.MatAdd)]
    turned = {gap: sp.MatAdd(*(-term for term in gap.args)).doit() for gap in gaps}
    named = all(str(gap).startswith("a") for gap in gaps)
    return trace if named or len(gaps) % 2 else trace.xreplace(turned)


def kernel_of(value: sp.Expr, symbols: tuple[Any, ...]) -> Callable[..., Any] | None:
    """The kernel that computes the closed form, if the table has one."""
    if (place := KERNELS.get(shape(value, symbols))) is None:
        return None
    module, function = place.split(".")
    return getattr(import_module(f"klsym.backends.arrays.{module}"), function)


@dataclass(frozen=True)
class Code:
    """A formula as a function of the arrays of its parameters, in their order or by name."""

    title: str
    parameters: tuple[tuple[Any, ArrayParameter], ...]
    cases: tuple[Case, ...]
    constraints: tuple[Any, ...]
    sizes: dict[sp.Symbol, sp.Expr]
    numbers: dict[Any, Numbers]

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(str(s) for s, _ in self.parameters if s not in self.numbers)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The values over the leading axes; shapes that do not fit raise ParameterError."""
        given = dict(zip(self.arguments, args, strict=False)) | kwargs
        if len(args) > len(self.arguments) or set(given) != set(self.arguments):
            raise ParameterError(f"{self.title} takes the arrays {', '.join(self.arguments)}")
        arrays: dict[Any, Any] = {}
        for symbol, _ in self.parameters:
            value = self.numbers[symbol].array if symbol in self.numbers else given[str(symbol)]
            arrays[symbol] = np.asarray(value, dtype=float)
        sizes = self._sizes(arrays)
        valid = np.True_
        for symbol, parameter in self.parameters:
            valid = valid & inside(parameter.domain, arrays[symbol])
        for constraint in self.constraints:
            valid = valid & _holds(constraint, arrays | sizes)
        whole = self._value(arrays, sizes, valid)
        return whole if whole.ndim else whole[()]

    def _sizes(self, arrays: dict[Any, Any]) -> dict[sp.Symbol, int]:
        sizes = {d: int(n) for d, n in self.sizes.items()}
        for symbol, parameter in self.parameters:
            axes = parameter.domain.axes if isinstance(parameter.domain, ArrayDomain) else 0
            found = arrays[symbol].shape[arrays[symbol].ndim - axes :] if axes <= arrays[symbol].ndim else ()
            if len(found) != axes:
                raise ParameterError(f"{symbol} has shape {arrays[symbol].shape}; {axes} event axes are needed")
            for dimension, size in zip(parameter.dimensions, found, strict=False):
                if sizes.setdefault(dimension, size) != size:
                    raise ParameterError(f"{symbol} has size {size} where {dimension} is {sizes[dimension]}")
        return sizes

    def _value(self, arrays: dict[Any, Any], sizes: dict[sp.Symbol, int], valid: Any) -> Any:
        safe = {}
        for symbol, parameter in self.parameters:
            axes = parameter.domain.axes if isinstance(parameter.domain, ArrayDomain) else 0
            mask = inside(parameter.domain, arrays[symbol])
            neutral = np.eye(*arrays[symbol].shape[-2:]) if axes == 2 else 1.0
            safe[symbol] = np.where(mask[(..., *[None] * axes)], arrays[symbol], neutral)
        total: Any = np.nan
        for case in reversed(self.cases):
            value = np.inf if case.kind == "infinite" else self._closed(case, safe, sizes)
            total = np.where(_holds(case.when, safe | sizes), value, total)
        return np.where(valid, total, np.nan)

    def _closed(self, case: Case, arrays: dict[Any, Any], sizes: dict[sp.Symbol, int]) -> Any:
        symbols = tuple(symbol for symbol, _ in self.parameters)
        kernel = kernel_of(case.value, symbols)
        return kernel(*(arrays[s] for s in symbols)) if kernel else walk(case.value, {**arrays, **sizes})


def _holds(when: Any, values: dict[Any, Any]) -> Any:
    if when in (sp.true, sp.false):
        return np.bool_(when == sp.true)
    gap = walk(when.lhs - when.rhs, values)
    return gap == 0 if isinstance(when, sp.Eq) else gap > 0
