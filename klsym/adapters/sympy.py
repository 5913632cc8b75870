"""Random variables of sympy.stats."""

from __future__ import annotations

from typing import Any

from sympy import S

from ..core.domain import above_one, counting, positive, probability, real, unit
from ..families import circle, counts, half_line, heavy_tail, interval, matrices, real_line, simplex, vectors
from .reading import Library, Row, Standard, shifted

mu, x0, mean, left, right, low, high, mode = real.symbols("mu x0 mean left right a b c")
sigma, std, a, b, c, k, s, theta, nu, xm, eta, r, rate, omega = positive.symbols(
    "sigma std a b c k s theta nu xm eta r rate omega"
)
alpha, beta, gamma, lamda, shape, d1, d2, mu1, mu2 = positive.symbols("alpha beta gamma lamda shape d1 d2 mu1 mu2")
n, m, total, sides = counting.symbols("n m total sides")
p, share, exponent = probability.symbol("p"), unit.symbol("p"), above_one.symbol("s")

ROWS: dict[str, Row] = {
    "Arcsin": interval.Arcsine(low, high),
    "Bernoulli": counts.Bernoulli(p),
    "Beta": interval.Beta(alpha, beta),
    "BetaBinomial": counts.BetaBinomial(n, alpha, beta),
    "BetaPrime": heavy_tail.BetaPrime(alpha, beta),
    "Binomial": counts.Binomial(n, p),
    "Cauchy": real_line.Cauchy(x0, gamma),
    "Chi": half_line.Chi(k),
    "ChiSquared": half_line.ChiSquared(k),
    "Die": counts.DiscreteUniform(1, sides),
    "Exponential": half_line.Exponential(rate),
    "ExponentialPower": real_line.GeneralizedNormal(mu, alpha, beta),
    "FDistribution": heavy_tail.FisherF(d1, d2),
    "Frechet": heavy_tail.Frechet(a, s),
    "Gamma": half_line.Gamma(k, 1 / theta),
    "GammaInverse": heavy_tail.InverseGamma(a, b),
    "GaussianInverse": half_line.InverseGaussian(positive.symbol("mean"), shape),
    "Geometric": shifted(counts.Geometric(p), S.One),
    "Gompertz": half_line.Gompertz(eta, b),
    "Gumbel": real_line.Gumbel(mu, beta),
    "Hypergeometric": counts.Hypergeometric(total, m, n),
    "Kumaraswamy": interval.Kumaraswamy(a, b),
    "Laplace": real_line.Laplace(mu, b),
    "Levy": heavy_tail.Levy(c),
    "LogLogistic": heavy_tail.LogLogistic(alpha, beta),
    "LogNormal": heavy_tail.LogNormal(mean, std),
    "Logarithmic": counts.Logarithmic(share),
    "Logistic": real_line.Logistic(mu, s),
    "LogitNormal": interval.LogitNormal(mu, s),
    "Lomax": heavy_tail.Lomax(alpha, lamda),
    "MatrixNormal": matrices.MatrixNormal("location_matrix", "scale_matrix_1", "scale_matrix_2"),
    "Maxwell": half_line.Maxwell(a),
    "Moyal": real_line.Moyal(mu, sigma),
    "Multinomial": simplex.Multinomial("n", "p"),
    "MultivariateBeta": simplex.Dirichlet("alpha"),
    "MultivariateNormal": vectors.MultivariateNormal("mu", "sigma"),
    "Nakagami": half_line.Nakagami(positive.symbol("mu"), omega),
    "NegativeBinomial": counts.NegativeBinomial(r, p),
    "Normal": real_line.Normal(mean, std),
    "Pareto": heavy_tail.Pareto(xm, alpha),
    "Poisson": counts.Poisson(lamda),
    "PowerFunction": interval.PowerFunction(alpha),
    "Rayleigh": half_line.Rayleigh(sigma),
    "Reciprocal": interval.LogUniform(a, b),
    "Skellam": counts.Skellam(mu1, mu2),
    "StudentT": real_line.StudentT(nu, 0, 1),
    "Triangular": interval.Triangular(low, mode, high),
    "Uniform": interval.Uniform(left, right),
    "VonMises": circle.VonMises(mu, k),
    "Weibull": half_line.Weibull(beta, alpha),
    "Wishart": matrices.Wishart("n", "scale_matrix"),
    "Zeta": counts.Zeta(exponent),
}


def law(d: Any) -> Any:
    """The distribution of a random variable."""
    return getattr(d.pspace, "distribution", None) or d.pspace.model


def attribute(d: Any, name: str) -> Any:
    """The argument of that name."""
    found = dict(zip(law(d)._argnames, law(d).args, strict=False))
    if name not in found:
        raise AttributeError(name)
    return found[name]


def unused(*arguments: Any) -> Any:
    """A symbolic library has no arrays."""
    raise TypeError(f"{arguments}: formulas of SymPy's random variables have no arrays")


LIBRARY = Library(
    "sympy.stats",
    ROWS,
    unused,
    unused,
    names=lambda d: [type(law(d)).__name__.removesuffix("Distribution")],
    attribute=attribute,
    given=lambda d: list(law(d)._argnames),
    batch=lambda d: None,
    derived={"total": ("N", lambda x: x)},  # N is a function of SymPy's
    # What an argument is where the law leaves it out: a place, a label, an end.
    standard={
        "m": Standard(0, shifted),
        "mu": Standard(0, shifted),
        "succ": Standard(1),
        "fail": Standard(0),
        "minimum": Standard(S.false),
        "a": Standard(0),
        "b": Standard(1),
    },
    symbolic=True,
)
