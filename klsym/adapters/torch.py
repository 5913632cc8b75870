"""Distributions of torch."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from typing import Any

import sympy as sp

from ..core.domain import counting, positive, probability, real
from ..families import circle, counts, half_line, heavy_tail, interval, matrices, real_line, simplex, vectors
from .autograd import array, divergence, fit
from .bijections import transformed
from .example import LOW_RANK
from .reading import Library, Row, independent, refused

loc, low, high, logits = real.symbols("loc low high logits")
scale, rate, concentration, concentration1, concentration0, df, df1, df2, alpha = positive.symbols(
    "scale rate concentration concentration1 concentration0 df df1 df2 alpha"
)
count, probs = counting.symbol("total_count"), probability.symbol("probs")
failures = positive.symbol("total_count")
expit = 1 / (1 + sp.exp(-logits))
categorical = (simplex.Categorical("probs"), simplex.Categorical(logits="logits"))

ROWS: dict[str, Row] = {
    # Two categories from the logits (0, l) keep the digits of both probabilities.
    "Bernoulli": (counts.Bernoulli(probs), simplex.Categorical(logits="two"), counts.Bernoulli(expit)),
    "Beta": interval.Beta(concentration1, concentration0),
    "Binomial": (
        counts.Binomial(count, probs),
        simplex.Multinomial("total_count", logits="two"),
        counts.Binomial(count, expit),
    ),
    "Categorical": categorical,
    "Cauchy": real_line.Cauchy(loc, scale),
    "Chi2": half_line.ChiSquared(df),
    "ContinuousBernoulli": (interval.ContinuousBernoulli(probs), interval.ContinuousBernoulli(expit)),
    "Dirichlet": simplex.Dirichlet("concentration"),
    "Exponential": half_line.Exponential(rate),
    "FisherSnedecor": heavy_tail.FisherF(df1, df2),
    "Gamma": half_line.Gamma(concentration, rate),
    "Geometric": (counts.Geometric(probs), counts.Geometric(expit)),
    "Gumbel": real_line.Gumbel(loc, scale),
    "HalfCauchy": heavy_tail.HalfCauchy(scale),
    "HalfNormal": half_line.HalfNormal(scale),
    "InverseGamma": heavy_tail.InverseGamma(concentration, rate),
    "Kumaraswamy": interval.Kumaraswamy(concentration1, concentration0),
    "Laplace": real_line.Laplace(loc, scale),
    "LogNormal": heavy_tail.LogNormal(loc, scale),
    "LowRankMultivariateNormal": vectors.MultivariateNormal("loc", "covariance_matrix"),
    "Multinomial": (simplex.Multinomial("total_count", "probs"), simplex.Multinomial("total_count", logits="logits")),
    "MultivariateNormal": (
        vectors.MultivariateNormal("loc", "covariance_matrix"),
        vectors.MultivariateNormal("loc", precision="precision_matrix"),
        vectors.MultivariateNormal("loc", scale_tril="scale_tril"),
    ),
    # The probability is that of a success, and the failures are counted.
    "NegativeBinomial": (
        counts.NegativeBinomial(failures, 1 - probs),
        counts.NegativeBinomial(failures, 1 / (1 + sp.exp(logits))),
    ),
    "Normal": real_line.Normal(loc, scale),
    "OneHotCategorical": categorical,
    "Pareto": heavy_tail.Pareto(scale, alpha),
    "Poisson": counts.Poisson(rate),
    "StudentT": real_line.StudentT(df, loc, scale),
    "Uniform": interval.Uniform(low, high),
    "VonMises": circle.VonMises(loc, concentration),
    "Weibull": half_line.Weibull(concentration, scale),
    "Wishart": matrices.Wishart("df", "covariance_matrix"),
}


def given(d: Any) -> list[str]:
    """What the object was made with, first what it was given."""
    return [*vars(d), *vars(getattr(d, "_categorical", object))]


def two(logits: Any) -> Any:
    """The logits of two categories, of which the second is a success."""
    import torch

    return torch.stack((torch.zeros_like(logits), logits), -1)


LIBRARY = Library(
    "torch",
    ROWS,
    divergence,
    fit,
    given=given,
    plain=array,
    derived={"two": ("logits", two)},
    examples={"LowRankMultivariateNormal": LOW_RANK},
    structures={
        "Independent": independent("base_dist"),
        "TransformedDistribution": transformed("base_dist"),
        "MixtureSameFamily": refused("a divergence of mixtures has no closed form"),
        "RelaxedBernoulli": refused("a divergence of relaxed distributions is that of none of klsym's families"),
    },
)
