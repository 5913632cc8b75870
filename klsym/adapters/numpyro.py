"""Distributions of numpyro."""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..core.domain import counting, integer, positive, probability, real
from ..families import circle, counts, half_line, heavy_tail, interval, matrices, real_line, simplex, vectors
from .bijections import transformed
from .callback import divergence, fit, product, two
from .example import FACTOR, LOW_RANK
from .reading import Library, Reading, Row, Standard, independent, refused, shifted

loc, low, high, logits = real.symbols("loc low high logits")
scale, rate, concentration, concentration1, concentration0, df, alpha = positive.symbols(
    "scale rate concentration concentration1 concentration0 df alpha"
)
asymmetry, least, greatest, failures = positive.symbols("asymmetry low high total_count")
first, last = integer.symbols("low high")
count, probs = counting.symbol("total_count"), probability.symbol("probs")
expit = 1 / (1 + sp.exp(-logits))

ROWS: dict[str, Row] = {
    "AsymmetricLaplace": real_line.AsymmetricLaplace(loc, 1 / scale, asymmetry),
    "BernoulliLogits": (simplex.Categorical(logits="two"), counts.Bernoulli(expit)),
    "BernoulliProbs": counts.Bernoulli(probs),
    "Beta": interval.Beta(concentration1, concentration0),
    "BetaBinomial": counts.BetaBinomial(count, concentration1, concentration0),
    "BinomialLogits": (simplex.Multinomial("total_count", logits="two"), counts.Binomial(count, expit)),
    "BinomialProbs": counts.Binomial(count, probs),
    "CategoricalLogits": simplex.Categorical(logits="logits"),
    "CategoricalProbs": simplex.Categorical("probs"),
    "Cauchy": real_line.Cauchy(loc, scale),
    "Chi2": half_line.ChiSquared(df),
    "Dirichlet": simplex.Dirichlet("concentration"),
    "DirichletMultinomial": simplex.DirichletMultinomial("total_count", "concentration"),
    "DiscreteUniform": counts.DiscreteUniform(first, last),
    "Exponential": half_line.Exponential(rate),
    "Gamma": half_line.Gamma(concentration, rate),
    "GammaPoisson": counts.NegativeBinomial(concentration, rate / (1 + rate)),
    "GeometricLogits": counts.Geometric(expit),
    "GeometricProbs": counts.Geometric(probs),
    "Gompertz": half_line.Gompertz(concentration, rate),
    "Gumbel": real_line.Gumbel(loc, scale),
    "HalfCauchy": heavy_tail.HalfCauchy(scale),
    "HalfNormal": half_line.HalfNormal(scale),
    "InverseGamma": heavy_tail.InverseGamma(concentration, rate),
    "InverseWishart": matrices.InverseWishart("concentration", "scale_matrix"),
    "Kumaraswamy": interval.Kumaraswamy(concentration1, concentration0),
    "Laplace": real_line.Laplace(loc, scale),
    "Levy": heavy_tail.Levy(scale),
    "LogNormal": heavy_tail.LogNormal(loc, scale),
    "LogUniform": interval.LogUniform(least, greatest),
    "Logistic": real_line.Logistic(loc, scale),
    "LowRankMultivariateNormal": vectors.MultivariateNormal("loc", "covariance_matrix"),
    "MatrixNormal": matrices.MatrixNormal("loc", "row_covariance", "column_covariance"),
    "MultinomialLogits": simplex.Multinomial("total_count", logits="logits"),
    "MultinomialProbs": simplex.Multinomial("total_count", "probs"),
    "MultivariateNormal": (
        vectors.MultivariateNormal("loc", "covariance_matrix"),
        vectors.MultivariateNormal("loc", precision="precision_matrix"),
        vectors.MultivariateNormal("loc", scale_tril="scale_tril"),
    ),
    # The probability is that of a success, and the failures are counted.
    "NegativeBinomialLogits": counts.NegativeBinomial(failures, 1 / (1 + sp.exp(logits))),
    "NegativeBinomialProbs": counts.NegativeBinomial(failures, 1 - probs),
    "Normal": real_line.Normal(loc, scale),
    "Pareto": heavy_tail.Pareto(scale, alpha),
    "Poisson": counts.Poisson(rate),
    "SoftLaplace": real_line.HyperbolicSecant(loc, sp.pi * scale / 2),
    "StudentT": real_line.StudentT(df, loc, scale),
    "Uniform": interval.Uniform(low, high),
    "VonMises": circle.VonMises(loc, concentration),
    "Weibull": half_line.Weibull(concentration, scale),
    "Wishart": matrices.Wishart("concentration", "scale_matrix"),
}


def expanded(library: Library, d: Any) -> tuple[Reading, ...]:
    """A distribution repeated over more batch axes: as itself, in a larger batch shape."""
    return tuple(Reading(r.law, r.values, tuple(d.batch_shape), r.events) for r in library.read(d.base_dist))


LIBRARY = Library(
    "numpyro",
    ROWS,
    divergence,
    fit,
    derived={
        "two": ("logits", two),
        "row_covariance": ("scale_tril_row", product),
        "column_covariance": ("scale_tril_column", product),
    },
    examples={
        "LowRankMultivariateNormal": LOW_RANK,
        "MatrixNormal": {"loc": [[0.1, 0.2], [0.3, 0.4]], "scale_tril_row": FACTOR, "scale_tril_column": FACTOR},
    },
    structures={
        "ExpandedDistribution": expanded,
        "Independent": independent("base_dist"),
        "TransformedDistribution": transformed("base_dist"),
        "_MixtureBase": refused("a divergence of mixtures has no closed form"),
        "ZeroInflatedProbs": refused("a divergence of mixtures has no closed form"),
        "MaskedDistribution": refused("a mask belongs to the data; take the distribution under it"),
    },
    standard={"loc": Standard(0, shifted)},
)
