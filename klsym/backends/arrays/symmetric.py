"""Symmetric matrices next to each other: L L^T and another at a given gap, compared by the ratios of eigenvalues."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import numpy as np

from .loops import loops
from .matrices import Pair, cholesky, congruent, excess, solve, squares

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
