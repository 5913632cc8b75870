"""Information among the coordinates of a normal vector, from its covariance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .core.errors import ParameterError
from .vectors import unit

Places = int | Sequence[int]


def mutual_information(
    covariance: ArrayLike, first: Places, second: Places, given: Places = (), *, base: Any = None
) -> Any:
    """I(X; Y) of blocks of a normal vector, or I(X; Y | Z): -sum log(1 - r_i^2)/2 over canonical correlations r_i.

    covariance: (..., k, k), positive definite; first, second, given: the coordinates of the blocks, which have none in
    common. `base`: the unit, nats by default. Near independence nothing cancels. +oo where a coordinate of one block is
    a function of the other. Raises ParameterError for coordinates that overlap or are out of range.
    (Gel'fand and Yaglom, 1959; Cover and Thomas, Elements of Information Theory, 8.5.)

    >>> mutual_information([[1.0, 0.6], [0.6, 1.0]], 0, 1)
    0.22314355131420...
    >>> mutual_information([[1.0, 1e-9], [1e-9, 1.0]], 0, 1)
    5e-19
    """
    full = np.asarray(covariance, dtype=float)
    if full.ndim < 2 or full.shape[-1] != full.shape[-2]:
        raise ParameterError(f"covariance has shape {full.shape}; a square matrix is needed")
    x, y, z = (_places(block, name, full.shape[-1]) for block, name in zip((first, second, given), NAMES, strict=True))
    if not x or not y or len({*x, *y, *z}) < len(x) + len(y) + len(z):
        raise ParameterError("the blocks need a coordinate each, and none in common")
    order = (*z, *x, *y)
    half = _factor(full[..., order, :][..., order])
    if half is None:
        raise ParameterError("covariance is not positive definite")
    # Of the Cholesky factor in the order Z, X, Y what is left for X and Y is that of their covariance given Z.
    rest = half[..., len(z) :, len(z) :]
    across, within = rest[..., len(x) :, : len(x)], rest[..., len(x) :, len(x) :]
    # r^2/(1 - r^2) are the squared singular values of within^-1 across, and -log(1 - r^2) = log1p of them.
    odds = np.linalg.svd(np.linalg.solve(within, across), compute_uv=False)
    value = np.log1p(odds * odds).sum(-1) / 2 / unit(base)
    return float(value) if np.ndim(value) == 0 else value


NAMES = ("first", "second", "given")


def _places(block: Places, name: str, size: int) -> list[int]:
    places = [block] if isinstance(block, int) else list(block)
    for place in places:
        if not isinstance(place, (int, np.integer)) or not -size <= place < size:
            raise ParameterError(f"{name} has the coordinate {place}; the vector has {size}")
    return [int(place) % size for place in places]


def _factor(matrix: Any) -> Any:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
