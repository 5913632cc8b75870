"""Matrices of pairs of doubles for NumPy: axes (row, column, batch), so that one operation serves a batch.

Pairs and their sums, products and quotients are those of `double_double`: an error of about 2^-104 of the terms.
"""

# pyright: basic, reportMissingParameterType=false

from __future__ import annotations

from typing import Any

import numpy as np

from ..double_double.arithmetic import minus, normal, over, plus, times, two_sum
from ..kernels.elementary import phi
from ..kernels.machine import exponent, product_tail, scaled, sqrt

Pair = tuple[Any, Any]


def at(x: Pair, *index: Any) -> Pair:
    """An element or a part of a pair of arrays."""
    return x[0][index], x[1][index]


def put(x: Pair, value: Pair, *index: Any) -> None:
    """x[index] = value, in place."""
    x[0][index], x[1][index] = value


def exactly(x: Any) -> Pair:
    """Doubles as pairs."""
    return x, np.zeros_like(x)


def difference(a, b) -> Pair:
    """a - b exactly, of doubles."""
    return two_sum(a, -b)


def root(x: Pair) -> Pair:
    """The square root, by a step of Newton's from that of a double."""
    s = sqrt(x[0])
    return normal(s, ((x[0] - s * s) - product_tail(s, s) + x[1]) / (2.0 * s))


def total(x: Pair) -> Pair:
    """The sum over the first axis, in halves, so that the error grows with the logarithm of their number."""
    while len(x[0]) > 1:
        half = len(x[0]) // 2
        odd = at(x, slice(2 * half, None))
        x = plus(at(x, slice(half)), at(x, slice(half, 2 * half)))
        x = np.concatenate([x[0], odd[0]]), np.concatenate([x[1], odd[1]])
    return at(x, 0)


def added(terms):
    """The sum of doubles that are not negative over the first axis, rounded about once; infinite where one is."""
    return np.where(np.isinf(terms).any(0), np.inf, rounded(total(exactly(terms))))


def trace(x: Pair) -> Pair:
    """The sum over the diagonal."""
    return total(at(x, np.arange(len(x[0])), np.arange(len(x[0]))))


def squares(x: Pair) -> Pair:
    """The sum of squares over all but the last axis."""
    return total(tuple(part.reshape(-1, part.shape[-1]) for part in times(x, x)))


def solve(l: Pair, x: Pair) -> Pair:  # noqa: E741
    """L^-1 x by substitution, for lower triangular L."""
    x = x[0].copy(), x[1].copy()
    for m in range(len(x[0])):
        put(x, over(at(x, m), at(l, m, m)), m)
        rest = slice(m + 1, None)
        put(x, minus(at(x, rest), times(at(l, rest, m, None), at(x, m))), rest)
    return x


def solve_transposed(l: Pair, x: Pair) -> Pair:  # noqa: E741
    """L^-T x by substitution, for lower triangular L."""
    x = x[0].copy(), x[1].copy()
    for m in reversed(range(len(x[0]))):
        put(x, over(at(x, m), at(l, m, m)), m)
        rest = slice(m)
        put(x, minus(at(x, rest), times(at(l, m, rest, None), at(x, m))), rest)
    return x


def product(a: Pair, b: Pair) -> Pair:
    """The matrix product, as a sum of outer products."""
    result = exactly(np.zeros((a[0].shape[0], *b[0].shape[1:])))
    for m in range(len(b[0])):
        result = plus(result, times(at(a, slice(None), m, None), at(b, m)))
    return result


def powers(pivots):
    """Powers of two whose squares take positive numbers into [1, 4)."""
    return scaled(np.ones_like(pivots), -np.floor(0.5 * exponent(pivots)))


def unit_of(a):
    """The powers that take the diagonal into [1, 4)."""
    return powers(a[np.arange(len(a)), np.arange(len(a))])


def transposed(x: Pair) -> Pair:
    """The transposes."""
    return np.swapaxes(x[0], 0, 1), np.swapaxes(x[1], 0, 1)


def rounded(x: Pair):
    """The nearest doubles, infinite ones as they are."""
    return np.where(np.isinf(x[0]), x[0], x[0] + x[1])


def mirrored(a):
    """The symmetric matrix with the same lower triangle."""
    lower = np.tri(len(a), dtype=bool)[:, :, None]
    return np.where(lower, a, np.swapaxes(a, 0, 1))


def congruent(l: Pair, e: Pair) -> Pair:  # noqa: E741
    """L^-1 E L^-T for symmetric E."""
    half = solve(l, e)
    return solve(l, transposed(half))


def cholesky(a: Pair) -> Pair:
    """The lower Cholesky factor, from the lower triangle; NaN in it where a matrix is not positive definite."""
    rest = a[0].copy(), a[1].copy()
    factor = exactly(np.zeros_like(a[0]))
    for m in range(len(a[0])):
        below = slice(m + 1, None)
        pivot = root(at(rest, m, m))
        column = over(at(rest, below, m), pivot)
        put(factor, pivot, m, m)
        put(factor, column, below, m)
        put(rest, minus(at(rest, below, below), times(at(column, slice(None), None), column)), below, below)
    return factor


def excess(e: Pair) -> Pair:
    """tr E - log det(I + E) for symmetric E, as a sum of terms that are not negative; NaN unless I + E is positive.

    I + E = L D L^T, a column at a time: a pivot 1 + e leaves phi(1, 1 + e), its column c |c|^2/(1 + e), and of the rest
    of E c c^T/(1 + e) is taken away.
    """
    e, terms = (e[0].copy(), e[1].copy()), []
    for m in range(len(e[0])):
        below = slice(m + 1, None)
        pivot = plus(exactly(np.ones_like(e[0][m, m])), at(e, m, m))
        terms.append(exactly(np.where(pivot[0] > 0.0, phi(np.ones_like(pivot[0]), pivot[0], e[0][m, m]), np.nan)))
        if m + 1 < len(e[0]):
            column = at(e, below, m)
            shrunk = over(column, pivot)
            terms.append(total(times(column, shrunk)))
            put(e, minus(at(e, below, below), times(at(shrunk, slice(None), None), column)), below, below)
    high, low = (np.stack(parts) for parts in zip(*terms, strict=True))
    return total((high, low))
