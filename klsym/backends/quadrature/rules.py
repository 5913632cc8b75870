"""Rules of a panel: Gauss-Legendre for an integral, and Gauss for sums over 2^j integers.

The second are those of the discrete Chebyshev polynomials, with the recurrence of DLMF 18.22 (Hahn, alpha = beta = 0);
their nodes need not be integers, and as many integers as nodes or fewer are summed as they are.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES = 16
# Of longer panels the rule is no other than Gauss-Legendre's, stretched.
_LONGEST = 40


@cache
def gauss() -> tuple[Array, Array]:
    """Nodes in (0, 1) and weights that sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2


@cache
def sums() -> tuple[Array, Array]:
    """For each j, nodes from the first of 2^j integers on and weights that sum to 2^j, as rows."""
    rows = [_discrete(2**j) for j in range(_LONGEST)]
    return np.array([nodes for nodes, _ in rows]), np.array([weights for _, weights in rows])


def _discrete(count: int) -> tuple[Any, Any]:
    if count <= NODES:
        return np.minimum(np.arange(NODES), count - 1.0), (np.arange(NODES) < count) * 1.0
    k = np.arange(1.0, NODES)
    off = np.sqrt(k**2 * (float(count) ** 2 - k**2) / (4 * (4 * k**2 - 1)))
    places, vectors = np.linalg.eigh(np.diag(off, 1) + np.diag(off, -1))
    return places + (count - 1.0) / 2, count * vectors[0] ** 2


def at_sums(first: Array, level: NDArray[np.int64]) -> tuple[Array, Array]:
    """Nodes and weights of panels of 2^level integers from `first` on."""
    nodes, weights = sums()
    known = np.minimum(level, _LONGEST - 1)
    stretch = np.exp2(level - known)[:, None]
    return first[:, None] + nodes[known] * stretch, weights[known] * stretch
