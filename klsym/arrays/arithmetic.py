"""The kinds of number that an expression in arrays can be computed in: doubles, mpmath's numbers, and Arb's balls."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp
from scipy import special

from .special import DOUBLES, SPECIAL


@dataclass(frozen=True)
class Terms:
    """How sums and integrals term by term go in one kind of number.

    At most how many terms a sum has, to how many digits an integral goes, and how many of its terms at once.
    """

    most: int
    digits: Callable[[], int]
    block: int


@dataclass(frozen=True)
class Arithmetic:
    """What the walk needs of one kind of number; the rest are the operators and methods of NumPy's arrays.

    `array` makes an array of such numbers from one of doubles, `number` a number from a SymPy constant. `choose` is
    np.where, `terms` is None where sums and integrals have no rule, and `middle` is the number without what is known
    of its error. What only doubles and mpmath's numbers have a
    rule for raises UnderivableError in the other two: code then goes without an estimate of the error, and is decided
    by mpmath.
    """

    array: Callable[[Any], Any]
    number: Callable[[Any], Any]
    functions: Mapping[str, Callable[..., Any]]
    inverse: Callable[[Any], Any]
    logdet: Callable[[Any], Any]
    choose: Callable[..., Any] = np.where
    terms: Terms | None = None
    middle: Callable[[Any], Any] = lambda a: a


def inverse_of_doubles(a: Any) -> Any:
    """The inverses, NaN where a matrix is singular."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        regular = (np.linalg.slogdet(a)[0] != 0)[..., None, None]
        return np.where(regular, np.linalg.inv(np.where(regular, a, np.eye(a.shape[-1]))), np.nan)


@lru_cache(maxsize=4096)
def double(number: sp.Expr) -> float:
    """A SymPy constant as the double next to it."""
    return float(number)


doubles = Arithmetic(
    np.asarray,
    double,
    {
        "log": np.log,
        "exp": np.exp,
        "Abs": np.abs,
        "cos": np.cos,
        "sin": np.sin,
        "loggamma": special.gammaln,
        "polygamma": special.polygamma,
        **DOUBLES,
    },
    inverse_of_doubles,
    lambda a: np.linalg.slogdet(a)[1],
    terms=Terms(1_000_000, lambda: 17, 64),
)


def _entrywise(function: Callable[..., Any], count: int = 1) -> Callable[..., Any]:
    return np.frompyfunc(function, count, 1)


@lru_cache(maxsize=4096)
def _rounded(number: sp.Expr, digits: int) -> Any:
    return mp.mpmathify(sp.N(number, digits))


def _inverse(a: Any) -> Any:
    return np.array((mp.matrix(a.tolist()) ** -1).tolist(), dtype=object).reshape(a.shape)


# At mpmath's working precision; exact rationals are taken as they are.
multiprecision = Arithmetic(
    lambda a: np.asarray(_entrywise(mp.mpmathify)(a), dtype=object),
    lambda number: +_rounded(number, mp.mp.dps + 5),
    {
        "log": _entrywise(lambda a: mp.ninf if a == 0 else mp.log(a)),
        "exp": _entrywise(mp.exp),
        "loggamma": _entrywise(mp.loggamma),
        "polygamma": _entrywise(mp.psi, 2),
        **{f.__name__: _entrywise(f.compute, count) for f, count in SPECIAL.items()},
    },
    _inverse,
    lambda a: mp.log(mp.det(mp.matrix(a.tolist()))),
    terms=Terms(10_000, lambda: mp.mp.dps, 1),
)


@cache
def balls() -> Arithmetic:
    """Arb's balls, at python-flint's working precision: each is proven to hold the exact value."""
    flint = import_module("flint")
    arb, matrix = flint.arb, flint.arb_mat

    def constant(number: sp.Expr) -> Any:
        if number.is_Rational:
            return arb(flint.fmpq(int(number.p), int(number.q)))
        return _enclosed(number, flint.ctx.prec)

    @lru_cache(maxsize=4096)
    def _enclosed(number: sp.Expr, bits: int) -> Any:
        # evalf vouches for all of its digits (Fredrik Johansson's algorithm, which raises the precision as needed).
        sign, mantissa, exponent, _ = _rounded(number, math.ceil(bits * math.log10(2)) + 5)._mpf_
        middle = arb(flint.fmpz(int(-mantissa if sign else mantissa))) * arb(2) ** exponent
        return arb(middle, abs(middle) * arb(2) ** -bits)

    def filled(a: Any) -> Any:
        return matrix(len(a), len(a), a.ravel().tolist())

    return Arithmetic(
        lambda a: np.asarray(_entrywise(arb)(a), dtype=object),
        constant,
        {
            "log": _entrywise(lambda a: arb.neg_inf() if a.is_zero() else a.log()),
            "exp": _entrywise(arb.exp),
            "loggamma": _entrywise(arb.lgamma),
            "polygamma": _entrywise(lambda n, a: a.digamma() if n == 0 else _polygamma(arb, n, a), 2),
        },
        lambda a: np.array(filled(a).inv().entries(), dtype=object).reshape(a.shape),
        lambda a: filled(a).det().log(),
    )


def _polygamma(arb: Any, n: int, a: Any) -> Any:
    """(-1)^(n+1) n! zeta(n + 1, a) (DLMF 25.11.12)."""
    return (-1) ** (n + 1) * math.factorial(n) * arb(n + 1).zeta(a)
