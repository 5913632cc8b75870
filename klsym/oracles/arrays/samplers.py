"""Independent draws from families, from NumPy's generators alone, by the family's name; parameters may be drawn too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Draw = Callable[..., Any]


def _transposed(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


def _gauss(rng: np.random.Generator, count: int, mu: Any, Sigma: Any) -> Any:
    z = rng.standard_normal((count, mu.shape[-1], 1))
    return mu + (np.linalg.cholesky(Sigma) @ z)[..., 0]


def _matrix_gauss(rng: np.random.Generator, count: int, M: Any, U: Any, V: Any) -> Any:
    z = rng.standard_normal((count, *M.shape[-2:]))
    return M + np.linalg.cholesky(U) @ z @ _transposed(np.linalg.cholesky(V))


def _wishart(rng: np.random.Generator, count: int, nu: Any, V: Any) -> Any:
    """Bartlett: V = L L^T, X = L A A^T L^T, A lower triangular, A_ii^2 of chi squared, the rest normal"""
    k = V.shape[-1]
    a = np.tril(rng.standard_normal((count, k, k)), -1)
    for i in range(k):
        a[:, i, i] = np.sqrt(rng.chisquare(nu - i, count))
    half = np.linalg.cholesky(V) @ a
    return half @ _transposed(half)


def _inverse_wishart(rng: np.random.Generator, count: int, nu: Any, psi: Any) -> Any:
    x = np.linalg.inv(_wishart(rng, count, nu, np.linalg.inv(psi)))
    return (x + _transposed(x)) / 2


SAMPLERS: dict[str, Draw] = {
    "Dirichlet": lambda rng, count, alpha: rng.dirichlet(alpha, count),
    "Categorical": lambda rng, count, p: 1 + rng.choice(len(p), count, p=p),
    "Multinomial": lambda rng, count, n, p: rng.multinomial(int(n), p, count),
    "MultivariateNormal": _gauss,
    "MatrixNormal": _matrix_gauss,
    "Wishart": _wishart,
    "InverseWishart": _inverse_wishart,
    "Normal": lambda rng, count, mu, sigma: rng.normal(mu, sigma, count),
    "Gamma": lambda rng, count, alpha, beta: rng.gamma(alpha, 1 / beta, count),
    "InverseGamma": lambda rng, count, alpha, beta: beta / rng.gamma(alpha, size=count),
    "Exponential": lambda rng, count, rate: rng.exponential(1 / rate, count),
    "Beta": lambda rng, count, alpha, beta: rng.beta(alpha, beta, count),
    "LogNormal": lambda rng, count, mu, sigma: rng.lognormal(mu, sigma, count),
    "Uniform": lambda rng, count, a, b: rng.uniform(a, b, count),
    "Laplace": lambda rng, count, mu, b: rng.laplace(mu, b, count),
    "Poisson": lambda rng, count, lam: rng.poisson(lam, count),
    "Bernoulli": lambda rng, count, p: rng.binomial(1, p, count),
    "Binomial": lambda rng, count, n, p: rng.binomial(int(n), p, count),
}
