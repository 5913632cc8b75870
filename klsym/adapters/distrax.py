"""Distributions of distrax: those that differ from TensorFlow Probability's by name, and the others as they are."""

from __future__ import annotations

from typing import Any

from ..core.domain import positive
from ..families import interval, simplex, vectors
from . import tfp
from .callback import divergence, fit, two
from .reading import Library, Row, independent, refused

alpha, beta = positive.symbols("alpha beta")
names = (
    "Bernoulli", "Dirichlet", "Gumbel", "Laplace", "Logistic", "Multinomial", "Normal", "Uniform", "VonMises",
)  # fmt: skip

ROWS: dict[str, Row] = {
    **{name: tfp.ROWS[name] for name in names},
    "Beta": interval.Beta(alpha, beta),
    "Categorical": (simplex.Categorical("probs"), simplex.Categorical(logits="logits")),
    "Gamma": tfp.half_line.Gamma(tfp.concentration, tfp.rate),
    "MultivariateNormalFromBijector": vectors.MultivariateNormal("loc", "whole_covariance"),
    "MultivariateNormalFullCovariance": vectors.MultivariateNormal("loc", "covariance_matrix"),
    "OneHotCategorical": (simplex.Categorical("probs"), simplex.Categorical(logits="logits")),
}


def given(d: Any) -> list[str]:
    """What the object was made with."""
    return [name.lstrip("_") for name, value in vars(d).items() if value is not None]


LIBRARY = Library(
    "distrax",
    ROWS,
    divergence,
    fit,
    given=given,
    derived={"two": ("logits", two), "whole_covariance": ("covariance", lambda compute: compute())},
    structures={
        "Independent": independent("distribution"),
        "Transformed": refused("bijectors are not known; take the distribution under them where both have the same"),
        "MixtureSameFamily": refused("a divergence of mixtures has no closed form"),
    },
)
