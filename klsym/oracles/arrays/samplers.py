"""Independent draws from the families of arrays, from NumPy's generators alone, by the family's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Draw = Callable[..., Any]


def _gauss(rng: np.random.Generator, count: int, mu: Any, Sigma: Any) -> Any:
    return mu + rng.standard_normal((count, len(mu))) @ np.linalg.cholesky(Sigma).T


def _matrix_gauss(rng: np.random.Generator, count: int, M: Any, U: Any, V: Any) -> Any:
    z = rng.standard_normal((count, *M.shape))
    return M + np.linalg.cholesky(U) @ z @ np.linalg.cholesky(V).T


def _wishart(rng: np.random.Generator, count: int, nu: Any, V: Any) -> Any:
    """Bartlett: V = L L^T, X = L A A^T L^T, A lower triangular, A_ii^2 of chi squared, the rest normal"""
    k = len(V)
    a = np.tril(rng.standard_normal((count, k, k)), -1)
    for i in range(k):
        a[:, i, i] = np.sqrt(rng.chisquare(nu - i, count))
    half = np.linalg.cholesky(V) @ a
    return half @ half.swapaxes(-1, -2)


def _inverse_wishart(rng: np.random.Generator, count: int, nu: Any, psi: Any) -> Any:
    x = np.linalg.inv(_wishart(rng, count, nu, np.linalg.inv(psi)))
    return (x + x.swapaxes(-1, -2)) / 2


SAMPLERS: dict[str, Draw] = {
    "Dirichlet": lambda rng, count, alpha: rng.dirichlet(alpha, count),
    "Categorical": lambda rng, count, p: 1 + rng.choice(len(p), count, p=p),
    "Multinomial": lambda rng, count, n, p: rng.multinomial(int(n), p, count),
    "MultivariateNormal": _gauss,
    "MatrixNormal": _matrix_gauss,
    "Wishart": _wishart,
    "InverseWishart": _inverse_wishart,
}
