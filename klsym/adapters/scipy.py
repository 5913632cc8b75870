"""Frozen distributions of scipy.stats, of the old and of the new infrastructure."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
from sympy import exp, log, pi, sqrt

from ..core.domain import above_one, counting, integer, positive, probability, real, unit
from ..families import circle, counts, half_line, heavy_tail, interval, matrices, real_line, simplex, vectors
from .bijections import negated
from .plan import Plan
from .reading import Library, Reading, Row, Standard, scaled, shifted

loc, mu_real = real.symbols("loc mu")
low, high = real.symbols("a b")
scale, a, b, c, s, df, dfn, dfd, kappa, mu, nu, sigma = positive.symbols("scale a b c s df dfn dfd kappa mu nu sigma")
mu1, mu2, lambda_, beta = positive.symbols("mu1 mu2 lambda_ beta")
order = real.symbol("p")
n, M, draws = counting.symbols("n M draws")
first, last = integer.symbols("low high")
p, share, exponent = probability.symbol("p"), unit.symbol("p"), above_one.symbol("a")
cauchy, laplace, normal = real_line.Cauchy, real_line.Laplace, real_line.Normal

CONTINUOUS: dict[str, Row] = {
    "arcsine": interval.Arcsine(loc, loc + scale),
    "beta": interval.Beta(a, b),
    "betaprime": heavy_tail.BetaPrime(a, b),
    "cauchy": cauchy(loc, scale),
    "chi": half_line.GeneralizedGamma(sqrt(2) * scale, df, 2),
    "chi2": half_line.Gamma(df / 2, 1 / (2 * scale)),
    "erlang": half_line.Gamma(a, 1 / scale),
    "expon": half_line.Exponential(1 / scale),
    "f": heavy_tail.FisherF(dfn, dfd),
    "fisk": heavy_tail.LogLogistic(scale, c),
    "gamma": half_line.Gamma(a, 1 / scale),
    "gengamma": half_line.GeneralizedGamma(scale, a * c, c),
    "geninvgauss": half_line.GeneralizedInverseGaussian(b / scale, b * scale, order),
    "gennorm": real_line.GeneralizedNormal(loc, scale, beta),
    "gibrat": heavy_tail.LogNormal(log(scale), 1),
    "gompertz": half_line.Gompertz(c, 1 / scale),
    "gumbel_l": negated(real_line.Gumbel(-loc, scale)),
    "gumbel_r": real_line.Gumbel(loc, scale),
    "halfcauchy": heavy_tail.HalfCauchy(scale),
    "halfnorm": half_line.HalfNormal(scale),
    "hypsecant": real_line.HyperbolicSecant(loc, pi * scale / 2),
    "invgamma": heavy_tail.InverseGamma(a, scale),
    "invgauss": half_line.InverseGaussian(mu * scale, scale),
    "invweibull": heavy_tail.Frechet(c, scale),
    "laplace": laplace(loc, scale),
    "laplace_asymmetric": real_line.AsymmetricLaplace(loc, 1 / scale, kappa),
    "levy": heavy_tail.Levy(scale),
    "loggamma": real_line.ExpGamma(c, 1),
    "logistic": real_line.Logistic(loc, scale),
    "loglaplace": heavy_tail.LogLaplace(log(scale), 1 / c),
    "lognorm": heavy_tail.LogNormal(log(scale), s),
    "lomax": heavy_tail.Lomax(c, scale),
    "maxwell": half_line.Maxwell(scale),
    "moyal": real_line.Moyal(loc, scale),
    "nakagami": half_line.Nakagami(nu, scale**2),
    "norm": normal(loc, scale),
    "pareto": heavy_tail.Pareto(scale, b),
    "powerlaw": interval.PowerFunction(a),
    "rayleigh": half_line.Rayleigh(scale),
    "reciprocal": interval.LogUniform(a * scale, b * scale),
    "t": real_line.StudentT(df, loc, scale),
    "triang": interval.Triangular(loc, loc + c * scale, loc + scale),
    "uniform": interval.Uniform(loc, loc + scale),
    "wald": half_line.InverseGaussian(scale, scale),
    "weibull_max": negated(half_line.Weibull(c, scale)),
    "weibull_min": half_line.Weibull(c, scale),
}
CONTINUOUS["loguniform"] = CONTINUOUS["reciprocal"]
# On the circle, which has no scale.
CIRCULAR: dict[str, Row] = {"vonmises": circle.VonMises(loc, kappa)}

DISCRETE: dict[str, Row] = {
    "bernoulli": counts.Bernoulli(p),
    "betabinom": counts.BetaBinomial(n, a, b),
    "binom": counts.Binomial(n, p),
    "geom": shifted(counts.Geometric(p), sp.Integer(1)),
    "hypergeom": counts.Hypergeometric(M, n, draws),
    "logser": counts.Logarithmic(share),
    "nbinom": counts.NegativeBinomial(sp.Symbol("n", positive=True), p),
    "planck": counts.Geometric(1 - exp(-lambda_)),
    "poisson": counts.Poisson(mu),
    "randint": counts.DiscreteUniform(first, last - 1),
    "skellam": counts.Skellam(mu1, mu2),
    "zipf": counts.Zeta(exponent),
}

MULTIVARIATE: dict[str, Row] = {
    "dirichlet_frozen": simplex.Dirichlet("alpha"),
    "invwishart_frozen": matrices.InverseWishart("df", "scale"),
    "matrix_normal_frozen": matrices.MatrixNormal("mean", "rowcov", "colcov"),
    "multinomial_frozen": simplex.Multinomial("n", "p"),
    "multivariate_normal_frozen": vectors.MultivariateNormal("mean", "cov"),
    "wishart_frozen": matrices.Wishart("df", "scale"),
}

NEW: dict[str, Row] = {
    "Binomial": counts.Binomial(n, p),
    "Logistic": real_line.Logistic(0, 1),
    "Normal": normal(mu_real, sigma),
    "Uniform": interval.Uniform(low, high),
}


PLACE = {"loc": 0.0, "scale": 1.0}


def names(d: Any) -> list[str]:
    """The name of what was frozen, or the names of its classes."""
    # A class that make_distribution makes calls the methods of the distribution that it was made of.
    methods = (getattr(type(d), f"_{kind}_formula", None) for kind in ("logpdf", "pdf", "logpmf", "pmf"))
    made = [owner.name for method in methods if (owner := getattr(method, "__self__", None)) is not None]
    return [d.dist.name] if hasattr(d, "dist") else [*made, *(kind.__name__ for kind in type(d).__mro__)]


def attribute(d: Any, name: str) -> Any:
    """A shape, loc or scale of a frozen distribution, an attribute of any other."""
    if not hasattr(d, "dist"):
        # One that make_distribution makes is standard; what moves it is a distribution of its own.
        return np.asarray(getattr(d, name, *[PLACE[name]] if name in PLACE else ()))
    shapes, location, spread = d.dist._parse_args(*d.args, **d.kwds)
    given = dict(zip((d.dist.shapes or "").replace(" ", "").split(","), shapes, strict=False))
    given |= {"loc": location, "scale": spread}
    if name not in given:
        raise AttributeError(name)
    return np.asarray(given[name])


def moved(library: Library, d: Any) -> tuple[Reading, ...]:
    """loc + scale X, as arithmetic with a distribution of the new infrastructure makes it."""
    found = []
    for reading in library.read(d._dist):
        law: Any = reading.law
        values = {"outer_scale": np.abs(d.scale), "outer_loc": np.asarray(d.loc)}
        if np.all(np.asarray(d.scale) < 0):
            law = negated(law)
        elif not np.all(np.asarray(d.scale) > 0):
            raise ValueError("scales of both signs")
        law = shifted(scaled(law, sp.Symbol("outer_scale")), sp.Symbol("outer_loc"))
        found.append(Reading(law, {**reading.values, **values}, None))
    return tuple(found)


def divergence(plan: Plan, values: dict[str, Any]) -> Any:
    """The divergence as a NumPy array, or a number."""
    return plan.value(*(values[name] for name in plan.arguments))


def fit(value: Any, batch: Any, events: int) -> Any:
    """The array as it is: its arguments broadcast."""
    return value


LIBRARY = Library(
    "scipy.stats",
    {**CONTINUOUS, **CIRCULAR, **DISCRETE, **MULTIVARIATE, **NEW},
    divergence,
    fit,
    names=names,
    attribute=attribute,
    batch=lambda d: None,
    derived={"draws": ("N", np.asarray)},  # N is a function of SymPy's
    structures={"ShiftedScaledDistribution": moved},
    standard={"scale": Standard(1, scaled), "loc": Standard(0, shifted)},
)
