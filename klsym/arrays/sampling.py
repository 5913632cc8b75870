"""Everyday arrays for the parameters of families, for tests, checks and demonstrations."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from .domain import ArrayDomain, ArrayParameter, columns
from .family import ArrayDistribution

USUAL = {"K": 3, "k": 2, "m": 2}


def draw(d: ArrayDistribution, rng: np.random.Generator, sizes: dict[str, int] | None = None) -> dict[Any, Any]:
    """Arrays of doubles for the symbols of the distribution, of the usual sizes or of those given.

    A number that a constraint bounds from below by a size, as the degrees of freedom of a Wishart, is drawn above it.
    """
    size = USUAL | (sizes or {}) | {str(n): int(v) for n, v in d.sizes}
    point: dict[Any, Any] = {}
    for parameter, symbol in zip(d.family.parameters, d.values, strict=True):
        if isinstance(symbol, (sp.Symbol, sp.MatrixSymbol, sp.IndexedBase)):
            shape = tuple(size[str(n)] for n in parameter.dimensions)
            if parameter.domain is columns:
                shape = (*shape, int(rng.integers(1, 3)))
            above = max(size.values()) - 1 if d.family.constraint.has(parameter.symbol) else 0
            point[symbol] = _entries(parameter, shape, above, rng)
    return point


def _entries(parameter: ArrayParameter, shape: tuple[int, ...], above: int, rng: np.random.Generator) -> Any:
    domain = parameter.domain
    if not isinstance(domain, ArrayDomain):
        low, high = domain.typical
        return np.float64(rng.integers(int(low), int(high) + 1)) if domain.integer else above + rng.uniform(1.2, 5)
    name = domain.name
    if name == "positive vectors":
        return rng.uniform(0.7, 4, shape)
    if name == "probability vectors":
        # Multiples of 2^-20, so that they sum to 1 exactly.
        shares = np.floor(rng.dirichlet(np.full(shape, 2.0)) * 2**20) + 1
        return np.append(shares[:-1], 2**20 - shares[:-1].sum()) / 2**20
    if name == "positive definite matrices":
        half = rng.standard_normal(shape)
        whole = half @ half.T + np.eye(shape[0]) / 2
        return (whole + whole.T) / 2
    free = rng.standard_normal(shape)
    if name == "unit vectors":
        return free / np.linalg.norm(free)
    if name.startswith("lower"):
        return np.tril(free, -1) + np.diag(rng.uniform(0.5, 2, shape[0]))
    return free
