"""Clenshaw-Curtis quadrature on a panel, with the last Chebyshev coefficients as its own error estimate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import mpmath as mp

Table = tuple[list[mp.mpf], list[mp.mpf], list[list[mp.mpf]]]


@lru_cache(maxsize=32)
def table(n: int, bits: int) -> Table:
    """Nodes and weights on [-1, 1] (n even), and the rows that give the last four Chebyshev coefficients.

    L. N. Trefethen, Is Gauss quadrature better than Clenshaw-Curtis?, SIAM Review 50 (2008).
    """
    with mp.workprec(bits):
        cosine = [mp.cos(mp.pi * j / n) for j in range(2 * n)]
        half = [mp.mpf(1) / 2 if j in (0, n) else mp.mpf(1) for j in range(n + 1)]
        rows = [[2 * half[j] * half[k] * cosine[j * k % (2 * n)] / n for j in range(n + 1)] for k in range(n + 1)]
        weights = [mp.fsum(2 * rows[k][j] / (1 - k * k) for k in range(0, n + 1, 2)) for j in range(n + 1)]
        return cosine[: n + 1], weights, rows[-4:]


def integrate(values: Sequence[mp.mpf], half: mp.mpf, n: int, bits: int) -> tuple[mp.mpf, mp.mpf]:
    """The integral over a panel of half width `half` from the values at the n + 1 nodes, and an error estimate."""
    _, weights, last = table(n, bits)
    tail = max(abs(mp.fdot(row, values)) for row in last)
    return half * mp.fdot(weights, values), 2 * half * tail
