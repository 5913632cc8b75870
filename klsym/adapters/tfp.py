"""Distributions of TensorFlow Probability, on JAX."""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..core.domain import above_one, counting, positive, probability, real
from ..families import circle, counts, half_line, heavy_tail, interval, matrices, real_line, simplex, vectors
from .bijections import negated
from .callback import diagonal, divergence, fit, product, two
from .example import FACTOR
from .reading import Library, Row, Standard, independent, refused, shifted

loc, low, high, peak, logits = real.symbols("loc low high peak logits")
log_rate, log_rate1, log_rate2, log_scale = real.symbols("log_rate log_rate1 log_rate2 log_scale")
scale, rate, concentration, concentration1, concentration0, df, rate1, rate2, shape = positive.symbols(
    "scale rate concentration concentration1 concentration0 df rate1 rate2 power"
)
mean, failures, power = positive.symbol("loc"), positive.symbol("total_count"), above_one.symbol("power")
count, probs = counting.symbol("total_count"), probability.symbol("probs")
expit = 1 / (1 + sp.exp(-logits))
categorical = (simplex.Categorical("probs"), simplex.Categorical(logits="logits"))

ROWS: dict[str, Row] = {
    "Bernoulli": (counts.Bernoulli(probs), simplex.Categorical(logits="two"), counts.Bernoulli(expit)),
    "Beta": interval.Beta(concentration1, concentration0),
    "BetaBinomial": counts.BetaBinomial(count, concentration1, concentration0),
    "Binomial": (
        counts.Binomial(count, probs),
        simplex.Multinomial("total_count", logits="two"),
        counts.Binomial(count, expit),
    ),
    "Categorical": categorical,
    "Cauchy": real_line.Cauchy(loc, scale),
    "Chi": half_line.Chi(df),
    "Chi2": half_line.ChiSquared(df),
    "ContinuousBernoulli": (interval.ContinuousBernoulli(probs), interval.ContinuousBernoulli(expit)),
    "Dirichlet": simplex.Dirichlet("concentration"),
    "DirichletMultinomial": simplex.DirichletMultinomial("total_count", "concentration"),
    "ExpGamma": (real_line.ExpGamma(concentration, rate), real_line.ExpGamma(concentration, sp.exp(log_rate))),
    "ExpInverseGamma": (
        negated(real_line.ExpGamma(concentration, scale)),
        negated(real_line.ExpGamma(concentration, sp.exp(log_scale))),
    ),
    "Exponential": half_line.Exponential(rate),
    "Gamma": (half_line.Gamma(concentration, rate), half_line.Gamma(concentration, sp.exp(log_rate))),
    "GeneralizedNormal": real_line.GeneralizedNormal(loc, scale, shape),
    "Geometric": (counts.Geometric(probs), counts.Geometric(expit)),
    "Gumbel": real_line.Gumbel(loc, scale),
    "HalfCauchy": heavy_tail.HalfCauchy(scale),
    "HalfNormal": half_line.HalfNormal(scale),
    "InverseGamma": heavy_tail.InverseGamma(concentration, scale),
    "InverseGaussian": half_line.InverseGaussian(mean, concentration),
    "Kumaraswamy": interval.Kumaraswamy(concentration1, concentration0),
    "Laplace": real_line.Laplace(loc, scale),
    "LogLogistic": heavy_tail.LogLogistic(sp.exp(loc), 1 / scale),
    "LogNormal": heavy_tail.LogNormal(loc, scale),
    "Logistic": real_line.Logistic(loc, scale),
    "LogitNormal": interval.LogitNormal(loc, scale),
    "Moyal": real_line.Moyal(loc, scale),
    "Multinomial": (simplex.Multinomial("total_count", "probs"), simplex.Multinomial("total_count", logits="logits")),
    "MultivariateNormalDiag": vectors.MultivariateNormal("loc", scale_tril="diagonal"),
    "MultivariateNormalDiagPlusLowRankCovariance": vectors.MultivariateNormal("loc", "whole_covariance"),
    "MultivariateNormalFullCovariance": vectors.MultivariateNormal("loc", "covariance_matrix"),
    "MultivariateNormalLinearOperator": vectors.MultivariateNormal("loc", "whole_covariance"),
    "MultivariateNormalTriL": vectors.MultivariateNormal("loc", scale_tril="scale_tril"),
    # The probability is that of a success, and the failures are counted.
    "NegativeBinomial": (
        counts.NegativeBinomial(failures, 1 - probs),
        counts.NegativeBinomial(failures, 1 / (1 + sp.exp(logits))),
    ),
    "Normal": real_line.Normal(loc, scale),
    "OneHotCategorical": categorical,
    "Pareto": heavy_tail.Pareto(scale, concentration),
    "Poisson": (counts.Poisson(rate), counts.Poisson(sp.exp(log_rate))),
    "Skellam": (counts.Skellam(rate1, rate2), counts.Skellam(sp.exp(log_rate1), sp.exp(log_rate2))),
    "StudentT": real_line.StudentT(df, loc, scale),
    "Triangular": interval.Triangular(low, peak, high),
    "Uniform": interval.Uniform(low, high),
    "VonMises": circle.VonMises(loc, concentration),
    "Weibull": half_line.Weibull(concentration, scale),
    "WishartTriL": matrices.Wishart("df", "scale_matrix"),
    "Zipf": counts.Zeta(power),
}


def attribute(d: Any, name: str) -> Any:
    """What the object was made with, or an attribute of it."""
    found = d.parameters.get(name)
    return getattr(d, name) if found is None else found


LIBRARY = Library(
    "tensorflow_probability",
    ROWS,
    divergence,
    fit,
    attribute=attribute,
    given=lambda d: [name for name, value in d.parameters.items() if value is not None],
    derived={
        "two": ("logits", two),
        "diagonal": ("scale_diag", diagonal),
        "whole_covariance": ("covariance", lambda compute: compute()),
        "scale_matrix": ("scale_tril", product),
    },
    examples={
        "MultivariateNormalDiag": {"loc": [0.4, 0.6], "scale_diag": [1.0, 2.0]},
        "MultivariateNormalDiagPlusLowRankCovariance": {
            "loc": [0.4, 0.6],
            "cov_diag_factor": [1.0, 2.0],
            "cov_perturb_factor": [[0.5], [1.0]],
        },
        "WishartTriL": {"df": 3.5, "scale_tril": FACTOR},
    },
    structures={
        "Independent": independent("distribution"),
        "TransformedDistribution": refused("transforms are known by their families alone: LogNormal, LogitNormal"),
        "MixtureSameFamily": refused("a divergence of mixtures has no closed form"),
    },
    standard={"loc": Standard(0, shifted)},
)
