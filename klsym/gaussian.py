"""Normal vectors from arrays: information among coordinates, and the distances of two."""

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


def wasserstein2(mean_p: ArrayLike, covariance_p: ArrayLike, mean_q: ArrayLike, covariance_q: ArrayLike) -> float:
    """Wasserstein distance of order 2 of two normal vectors: of the means, and of Bures of the covariances.

    mean: (k,); covariance: (k, k), positive definite, else ParameterError. It keeps its digits where the two are near
    each other: with Y = R - A, A = covariance_p and R^2 = A^(1/2) covariance_q A^(1/2), the Sylvester equation
    Y R + A Y = A^(1/2) (covariance_q - covariance_p) A^(1/2) has Y, and the square is the trace of A^-1 Y^2.
    (Gelbrich, Math. Nachr. 147, 1990; Bhatia, Jain, Lim, Expositiones Mathematicae 37, 2019.)

    >>> wasserstein2([0, 0], [[1, 0], [0, 1]], [3, 0], [[1, 0], [0, 25]])
    5.0
    >>> wasserstein2([0, 0], [[2, 1], [1, 2]], [0, 0], [[2, 1 + 1e-9], [1 + 1e-9, 2]])
    5.77350...e-10
    """
    from scipy.linalg import solve_sylvester

    values, vectors = _spectral(covariance_p, "covariance_p")
    _spectral(covariance_q, "covariance_q")
    first, second = (np.asarray(c, dtype=float) for c in (covariance_p, covariance_q))
    root, inverse = ((vectors * values**power) @ vectors.T for power in (0.5, -0.5))
    values, vectors = np.linalg.eigh(root @ second @ root)
    middle = (vectors * np.sqrt(values)) @ vectors.T
    step = inverse @ solve_sylvester(first, middle, root @ (second - first) @ root)
    gap = np.asarray(mean_p, dtype=float) - np.asarray(mean_q, dtype=float)
    return float(np.hypot(np.linalg.norm(gap), np.linalg.norm(step)))


def fisher_rao(covariance_p: ArrayLike, covariance_q: ArrayLike) -> float:
    """Fisher-Rao distance of two normal vectors of one mean: the root of half the sum of log(l)^2, l those of q to p.

    covariance: (k, k), positive definite, else ParameterError; l are the eigenvalues of covariance_p^-1 covariance_q.
    Of normal vectors of different means no closed form is known. (Atkinson and Mitchell, Sankhya A 43, 1981.)

    >>> fisher_rao([[1.0]], [[np.e**2]])
    1.41421356...
    """
    _spectral(covariance_p, "covariance_p")
    _spectral(covariance_q, "covariance_q")
    first, second = (np.asarray(c, dtype=float) for c in (covariance_p, covariance_q))
    half = np.linalg.inv(np.linalg.cholesky(first))
    moved = np.linalg.eigvalsh(half @ (second - first) @ half.T)
    return float(np.sqrt(np.sum(np.log1p(moved) ** 2) / 2))


def _spectral(covariance: ArrayLike, name: str) -> tuple[Any, Any]:
    """The eigenvalues and eigenvectors of a covariance."""
    matrix = np.asarray(covariance, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T, rtol=1e-12):
        raise ParameterError(f"{name} must be a symmetric matrix; it has shape {matrix.shape}")
    values, vectors = np.linalg.eigh(matrix)
    if not values[0] > 0:
        raise ParameterError(f"{name} is not positive definite")
    return values, vectors


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
