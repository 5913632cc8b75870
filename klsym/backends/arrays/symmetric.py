"""Symmetric matrices next to each other: L L^T and another at a given gap, compared by the ratios of eigenvalues."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from typing import Any

import numpy as np

from .loops import loops
from .matrices import Pair, cholesky, congruent, excess, plus, solve, solve_transposed, squares, times, transposed

GROUPED = 32  # up to this k the loops take a group of matrices at a time


def compared(q: Pair, gap: Pair, mean: Pair) -> tuple[Pair, Pair]:
    """tr E - log det(I + E) for E = L^-1 gap L^-T, and |L^-1 m|^2, the batch last; NaN unless both are positive."""
    compiled = loops("vectors", "symmetric")
    if not compiled:
        factor = cholesky(q)
        return excess(congruent(factor, gap)), squares(solve(factor, tuple(x[:, None] for x in mean)))
    inputs = [np.ascontiguousarray(x) for x in (*q, *gap, *(part[:, None] for part in mean))]
    k, count = len(q[0]), max(x.shape[2] for x in inputs)
    value, square = np.empty((2, count)), np.empty((2, count))
    compiled._fill(np.ones((k, compiled.WIDTH) if k <= GROUPED and count > 1 else k), *inputs, value, square)
    return (value[0], value[1]), (square[0], square[1])


def slopes(q: Pair, p: Pair, gap: Pair, mean: Pair) -> tuple[Any, Any, Any]:
    """Q^-1 m, (Q^-1 - P^-1)/2 and (Q^-1 - Q^-1 (P + m m^T) Q^-1)/2, rounded, with `gap` P - Q; NaN as `compared`."""
    l_q, l_p, columns = cholesky(q), cholesky(p), (mean[0][:, None], mean[1][:, None])
    half = solve(l_q, gap)
    e, z = solve(l_q, transposed(half)), solve(l_q, columns)
    outer = solve_transposed(l_q, plus(e, times(z, transposed(z))))
    by_q = -0.5 * _rounded(solve_transposed(l_q, transposed(outer)))
    whole = transposed(solve_transposed(l_q, half))
    by_p = 0.5 * _rounded(solve_transposed(l_p, solve(l_p, whole)))
    by_mean = _rounded(solve_transposed(l_q, z))[:, 0]
    return by_mean, 0.5 * (by_p + by_p.swapaxes(0, 1)), 0.5 * (by_q + by_q.swapaxes(0, 1))


def _rounded(x: Pair) -> Any:
    return x[0] + x[1]
