"""Independent draws from families, from NumPy's generators alone, by the family's name; parameters may be drawn too.

A dimension that is no parameter's follows the parameters.
"""

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


def _cauchy(rng: np.random.Generator, count: int, mu: Any, Sigma: Any) -> Any:
    """A normal vector over an independent standard normal"""
    return mu + _gauss(rng, count, np.zeros(len(mu)), Sigma) / rng.standard_normal((count, 1))


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


def _von_mises_fisher(rng: np.random.Generator, count: int, mu: Any, kappa: Any) -> Any:
    """Wood, Communications in Statistics 23, 1994: the cosine w with mu by rejection, the rest uniform"""
    k = len(mu)
    b = (k - 1) / (2 * kappa + np.hypot(2 * kappa, k - 1))
    centre = (1 - b) / (1 + b)
    most = kappa * centre + (k - 1) * np.log(1 - centre**2)
    cosines = np.empty(0)
    while len(cosines) < count:
        z = rng.beta((k - 1) / 2, (k - 1) / 2, count)
        w = (1 - (1 + b) * z) / (1 - (1 - b) * z)
        kept = kappa * w + (k - 1) * np.log(1 - centre * w) - most >= np.log(rng.uniform(size=count))
        cosines = np.append(cosines, w[kept])
    w = cosines[:count, None]
    across = rng.standard_normal((count, k))
    across -= (across @ mu)[:, None] * mu
    return w * mu + np.sqrt(1 - w**2) * across / np.linalg.norm(across, axis=-1, keepdims=True)


def _lkj(rng: np.random.Generator, count: int, eta: Any, k: int) -> Any:
    """The onion method of Lewandowski, Kurowicka and Joe, 2009, section 3.2, row by row of the Cholesky factor"""
    factor = np.zeros((count, k, k))
    factor[:, 0, 0] = 1.0
    for m in range(1, k):
        y = rng.beta(m / 2, eta + (k - 1 - m) / 2, count)
        across = rng.standard_normal((count, m))
        across /= np.linalg.norm(across, axis=-1, keepdims=True)
        factor[:, m, :m] = np.sqrt(y)[:, None] * across
        factor[:, m, m] = np.sqrt(1 - y)
    return factor @ factor.swapaxes(-1, -2)


SAMPLERS: dict[str, Draw] = {
    "Dirichlet": lambda rng, count, alpha: rng.dirichlet(alpha, count),
    "Categorical": lambda rng, count, p: 1 + rng.choice(len(p), count, p=p),
    "Multinomial": lambda rng, count, n, p: rng.multinomial(int(n), p, count),
    "DirichletMultinomial": lambda rng, count, n, alpha: rng.multinomial(int(n), rng.dirichlet(alpha, count)),
    "MultivariateNormal": _gauss,
    "MultivariateLogNormal": lambda *given: np.exp(_gauss(*given)),
    "MultivariateCauchy": _cauchy,
    "MatrixNormal": _matrix_gauss,
    "VonMisesFisher": _von_mises_fisher,
    "LKJ": _lkj,
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
