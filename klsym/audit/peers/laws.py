"""Laws of the classes and parametrisations that the adapters' tables lack, and how what they are made with enters."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from ...adapters.reading import shifted
from ...arrays import domain as arrays
from ...arrays.domain import ArrayDomain
from ...core.domain import Domain, Interval, positive, probability, real, unit
from ...core.family import Family
from ...families import counts, heavy_tail, interval, matrices, real_line, simplex, vectors

# Functions without rational values are computed to so many digits.
DIGITS = 100


@dataclass(frozen=True)
class Point:
    """All mass at one outcome, the argument of this name."""

    at: Any
    domain: Domain | ArrayDomain = real


@dataclass(frozen=True)
class Unknown:
    """A class that klsym has no law for, by its arguments: what it answers can be held against itself alone."""

    arguments: Mapping[str, Domain | ArrayDomain]


@dataclass(frozen=True)
class Computed:
    """How a symbol of a law comes from arguments, by name and domain: exactly, in arrays of rationals.

    "scale=LinearOperatorDiag.diag" is the argument `diag` of an object of that class, which is the argument `scale`.
    """

    arguments: Mapping[str, Domain | ArrayDomain]
    compute: Callable[..., Any]


def product(factor: Any) -> Any:
    """L L^T"""
    return factor @ factor.T


def diagonal(entries: Any) -> Any:
    """diag(d)"""
    return np.diag(entries)


def inverse(matrix: Any) -> Any:
    """A^-1, by the adjugate over the rationals."""
    found = sp.Matrix(matrix.shape[0], matrix.shape[0], [sp.Rational(x.numerator, x.denominator) for x in matrix.flat])
    return np.array([Fraction(int(x.p), int(x.q)) for x in found.inv()], dtype=object).reshape(matrix.shape)


def widened(entries: Any, factor: Any) -> Any:
    """(diag(d) + U U^T)^2"""
    scale = np.diag(entries) + factor @ factor.T
    return scale @ scale.T


def circulant(row: Any) -> Any:
    """The matrix whose entries depend on the difference of their places alone."""
    places = np.arange(len(row))
    return row[(places[:, None] - places[None, :]) % len(row)]


def greedy(preferences: Any, epsilon: Any = Fraction(0)) -> Any:
    """epsilon spread over all, the rest over the largest."""
    best = np.array([Fraction(int(x == max(preferences))) for x in preferences], dtype=object)
    return epsilon / len(preferences) + (1 - epsilon) * best / best.sum()


def ordered(cutpoints: Any, loc: Any) -> Any:
    """The probabilities that a logistic variable about loc falls between cutpoints."""
    with mp.workdps(DIGITS):
        below = [mp.mpf(0), *(_expit(_real(c - loc)) for c in cutpoints), mp.mpf(1)]
        return np.array([_rational(b - a) for a, b in itertools.pairwise(below)], dtype=object)


def stopping(cutpoints: Any, loc: Any) -> Any:
    """The probabilities of stopping at each of the cutpoints, passed in order."""
    with mp.workdps(DIGITS):
        stops, left, found = [_expit(_real(c - loc)) for c in cutpoints], mp.mpf(1), []
        for stop in stops:
            found.append(left * stop)
            left *= 1 - stop
        return np.array([_rational(x) for x in (*found, left)], dtype=object)


def shares(logits: Any) -> Any:
    """exp(l) / sum exp(l), also where some are -inf."""
    with mp.workdps(DIGITS):
        parts = [mp.exp(_real(x)) if x > -np.inf else mp.mpf(0) for x in logits]
        return np.array([_rational(x / mp.fsum(parts)) for x in parts], dtype=object)


def _expit(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _real(x: Fraction) -> Any:
    return mp.mpf(x.numerator) / x.denominator


def _rational(x: Any) -> Fraction:
    return Fraction(int(mp.nint(mp.ldexp(x, 4 * DIGITS))), 2 ** (4 * DIGITS))


FACTOR, VECTOR, COLUMNS, DEVIATIONS = arrays.lower_triangular, arrays.real_vector, arrays.columns, arrays.positive_list
CUTS = {"cutpoints": arrays.real_list, "loc": real}

COMPUTED: dict[str, Computed] = {
    "scale_matrix": Computed({"scale_tril": FACTOR}, product),
    "row_covariance": Computed({"scale_tril_row": FACTOR}, product),
    "column_covariance": Computed({"scale_tril_column": FACTOR}, product),
    "diagonal": Computed({"scale_diag": DEVIATIONS}, diagonal),
    "diagonal_of_scale": Computed({"scale": DEVIATIONS}, diagonal),
    "inverse_of_precision": Computed({"precision_matrix": arrays.positive_definite}, inverse),
    "inverse_of_rate": Computed({"rate_matrix": arrays.positive_definite}, inverse),
    "rate_itself": Computed({"rate_matrix": arrays.positive_definite}, lambda matrix: matrix),
    "matrix_itself": Computed({"scale_matrix": arrays.positive_definite}, lambda matrix: matrix),
    "widened": Computed({"scale_diag": DEVIATIONS, "scale_perturb_factor": COLUMNS}, widened),
    "widened_u": Computed({"scale_diag": DEVIATIONS, "scale_u_matrix": COLUMNS}, widened),
    "operator": Computed({"scale=LinearOperatorLowerTriangular.tril": FACTOR}, product),
    "operator_of_rows": Computed({"scale_row=LinearOperatorLowerTriangular.tril": FACTOR}, product),
    "operator_of_columns": Computed({"scale_column=LinearOperatorLowerTriangular.tril": FACTOR}, product),
    "circulant": Computed({"covariance_row": arrays.real_list}, circulant),
    "uniform_direction": Computed({}, lambda: np.array([Fraction(1), Fraction(0)], dtype=object)),
    "tempered": Computed({"logits": arrays.logits_list, "temperature": positive}, lambda logits, t: logits / t),
    "greedy": Computed({"preferences": arrays.real_list}, greedy),
    "epsilon_greedy": Computed({"preferences": arrays.real_list, "epsilon": probability}, greedy),
    "ordered": Computed(CUTS, ordered),
    "stopping": Computed(CUTS, stopping),
    "between": Computed({"predictor": real, "cutpoints": arrays.real_list}, lambda loc, cuts: ordered(cuts, loc)),
}

loc, low, high, log_scale, probits = real.symbols("loc low high log_scale probits")
scale, mean, concentration = positive.symbols("scale mean concentration")


def below(z: sp.Expr) -> sp.Expr:
    """The probability that a standard normal variable is below z."""
    return sp.erfc(-z / sp.sqrt(2)) / 2


x = sp.Symbol("x", real=True)
TruncatedNormal = Family(
    name="TruncatedNormal",
    parameters=(real(loc), positive(scale), real(low), real(high)),
    support=Interval(low, high),
    log_density=-((x - loc) ** 2) / (2 * scale**2)
    - sp.log(scale)
    - sp.log(2 * sp.pi) / 2
    - sp.log(below((high - loc) / scale) - below((low - loc) / scale)),
    variable=x,
    constraint=sp.Lt(low, high),
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, section 13.10.1",),
)

pareto = shifted(heavy_tail.Lomax(1 / concentration, scale / concentration), loc)
normal, wishart = vectors.MultivariateNormal, matrices.Wishart
share = unit.symbol("mean")
LKJ = matrices.LKJ("concentration", k=3)
LOW_RANK = normal("loc", factor="cov_factor", diagonal="cov_diag")
WISHARTS = tuple(wishart("concentration", name) for name in ("matrix_itself", "inverse_of_rate", "scale_matrix"))
INVERSE_WISHARTS = tuple(
    matrices.InverseWishart("concentration", name) for name in ("matrix_itself", "scale_matrix", "rate_itself")
)

# By subject and class: instead of the adapter's row, which reads attributes of an object that has been made.
LAWS: dict[str, dict[str, tuple[Any, ...]]] = {
    "torch": {
        "GeneralizedPareto": (pareto,),
        "LKJCholesky": (LKJ,),
        "LogisticNormal": (normal("loc", scale_tril="diagonal_of_scale"),),
        "LowRankMultivariateNormal": (LOW_RANK,),
        "OneHotCategoricalStraightThrough": (simplex.Categorical("probs"), simplex.Categorical(logits="logits")),
        "Wishart": (
            wishart("df", "covariance_matrix"),
            wishart("df", "inverse_of_precision"),
            wishart("df", "scale_matrix"),
        ),
    },
    "numpyro": {
        "BetaProportion": (interval.Beta(share * concentration, (1 - share) * concentration),),
        "CirculantNormal": (normal("loc", "circulant"),),
        "Delta": (Point("v"),),
        "InverseWishart": INVERSE_WISHARTS,
        "InverseWishartCholesky": INVERSE_WISHARTS,
        "Levy": (heavy_tail.Levy(scale), shifted(heavy_tail.Levy(scale), loc)),
        "LKJ": (LKJ,),
        "LKJCholesky": (LKJ,),
        "LowRankMultivariateNormal": (LOW_RANK,),
        "NegativeBinomial2": (counts.NegativeBinomial(concentration, concentration / (concentration + mean)),),
        "OrderedLogistic": (simplex.Categorical("between"),),
        "Wishart": WISHARTS,
        "WishartCholesky": WISHARTS,
    },
    "tfp": {
        "CholeskyLKJ": (LKJ,),
        "Deterministic": (Point("loc"),),
        "GeneralizedPareto": (pareto,),
        "HalfCauchy": (heavy_tail.HalfCauchy(scale), shifted(heavy_tail.HalfCauchy(scale), loc)),
        "LKJ": (LKJ,),
        "MatrixNormalLinearOperator": (matrices.MatrixNormal("loc", "operator_of_rows", "operator_of_columns"),),
        "MultivariateNormalDiagPlusLowRank": (normal("loc", "widened"),),
        "MultivariateNormalDiagPlusLowRankCovariance": (
            normal("loc", factor="cov_perturb_factor", diagonal="cov_diag_factor"),
        ),
        "MultivariateNormalLinearOperator": (normal("loc", "operator"),),
        "OrderedLogistic": (simplex.Categorical("ordered"),),
        "PowerSpherical": (Unknown({"mean_direction": arrays.unit_vector, "concentration": positive}),),
        "ProbitBernoulli": (counts.Bernoulli(probability.symbol("probs")), counts.Bernoulli(below(probits))),
        "SphericalUniform": (vectors.VonMisesFisher("uniform_direction", 0),),
        "StoppingRatioLogistic": (simplex.Categorical("stopping"),),
        "TruncatedNormal": (TruncatedNormal(loc, scale, low, high),),
        "VectorDeterministic": (Point("loc", arrays.real_vector),),
        "VonMisesFisher": (vectors.VonMisesFisher("mean_direction", "concentration"),),
        "WishartLinearOperator": (wishart("df", "operator"),),
    },
    "distrax": {
        "Deterministic": (Point("loc"),),
        "EpsilonGreedy": (simplex.Categorical("epsilon_greedy"),),
        "Greedy": (simplex.Categorical("greedy"),),
        "LogStddevNormal": (real_line.Normal(loc, sp.exp(log_scale)),),
        "MultivariateNormalDiag": (normal("loc", scale_tril="diagonal"),),
        "MultivariateNormalDiagPlusLowRank": (normal("loc", "widened_u"),),
        "MultivariateNormalTri": (normal("loc", scale_tril="scale_tri"),),
        "Softmax": (simplex.Categorical(logits="tempered"),),
    },
}

# Arguments of classes that no law names: a size, a place.
CONSTANTS: dict[str, dict[str, dict[str, Any]]] = {
    "torch": {"LKJCholesky": {"dim": 3}},
    "numpyro": {"Levy": {"loc": 0.0}, "LKJ": {"dimension": 3}, "LKJCholesky": {"dimension": 3}},
    "tfp": {
        "CholeskyLKJ": {"dimension": 3},
        "HalfCauchy": {"loc": 0.0},
        "LKJ": {"dimension": 3},
        "SphericalUniform": {"dimension": 2},
    },
    "sympy": {"Levy": {"mu": 0}},
}

# Classes that take a number, by the annotation of an argument, where others take arrays: they are asked one by one.
UNBATCHED: dict[str, frozenset[str]] = {"distrax": frozenset({"EpsilonGreedy", "Softmax"})}

# Classes whose outcomes are images of their law's under a bijection: the divergence is the law's, the density is not.
IMAGES: dict[str, frozenset[str]] = {
    "torch": frozenset({"LKJCholesky", "LogisticNormal"}),
    "numpyro": frozenset({"InverseWishartCholesky", "LKJCholesky", "WishartCholesky"}),
    "tfp": frozenset({"CholeskyLKJ"}),
}
