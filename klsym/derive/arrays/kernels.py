"""The normalising integrals and sums over vectors and matrices, each cited.

A kernel is log Z as an expression in its natural parameters. Along any direction c in them the derivative of
log Z is E[<c, T>], T the features: nothing else is needed for the expectation of a feature that its density has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy import Inverse, MatMul, Rational, Sum, Trace, log, loggamma, pi
from sympy.matrices.expressions.diagonal import DiagonalOf

from ...arrays.domain import Outcome
from ...arrays.family import INDEX as i
from ...arrays.functions import (
    BetaBinomialMass,
    BinomialMass,
    HalfLine,
    LogBessel,
    LogDet,
    LogMultigamma,
    SumTo,
    Symmetric,
    Whole,
)
from . import words
from .features import Features

HALF = Rational(1, 2)
j = sp.Symbol("j", nonnegative=True)
s = sp.Symbol("s", positive=True)


@dataclass(frozen=True)
class Moment:
    """E[<c, T>] for a feature T by a rule of its own, as a function of c, where `positive` is; infinite elsewhere.

    Both are in the symbols of the kernel's natural parameters. `of` says what has no mean there.
    """

    of: str
    value: Callable[[Any], sp.Expr]
    citation: str
    positive: sp.Expr = sp.S.One


@dataclass(frozen=True)
class Kernel:
    """log Z in the symbols of its natural parameters, by the name of the feature that each belongs to.

    Their names begin with #, which no name of a user does. A natural parameter is `units` times the coefficient of its
    feature, 1 where nothing is said.
    """

    name: str
    log_z: sp.Expr
    symbols: dict[str, sp.Basic]
    natural: dict[str, sp.Basic]
    citation: str
    units: dict[str, int] = field(default_factory=dict)
    moments: dict[str, Moment] = field(default_factory=dict)


def gauss(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """int exp(-tr(B x^T A x)/2 + tr(C^T x)) dx = (2 pi)^(nm/2) det A^(-m/2) det B^(-n/2) exp(tr(B^-1 C^T A^-1 C)/2)"""
    if outcome.name not in ("vectors", "matrices") or len(f.quadratic) != 1 or f.logdet != 0 or f.tails:
        return None
    (((left, right), weight),) = f.quadratic.items()
    n, m = x.shape
    a, b, c = Symmetric("#A", n, n), Symmetric("#B", m, m), sp.MatrixSymbol("#C", n, m)
    vector = m == 1 and not right
    columns = sp.Identity(m) if vector else b
    log_z = (
        n * m * log(2 * pi) / 2 - m * LogDet(a) / 2 - n * LogDet(columns) / 2
        + Trace(MatMul(Inverse(columns), c.T, Inverse(a), c)) / 2
    )  # fmt: skip
    natural = {
        "quadratic": -2 * weight * words.product(left, n), "right": words.product(right, m),
        "linear": words.matrix(f.linear, n) if f.linear else sp.ZeroMatrix(n, m),
    }  # fmt: skip
    symbols = {"quadratic": a, "linear": c} | ({} if vector else {"right": b})
    citation = "Gupta, Nagar, Matrix Variate Distributions, theorem 2.2.1"
    moments = _normal_moments(natural["linear"], natural["quadratic"]) if vector else {}
    return Kernel("Gauss", log_z, symbols, natural, citation, {"quadratic": -2}, moments)


FRULLANI = "log y = integral((exp(-t) - exp(-t*y))/t, t=0..oo); Gradshteyn, Ryzhik 3.434.2"


def _normal_moments(linear: sp.MatrixExpr, precision: sp.MatrixExpr) -> dict[str, Moment]:
    """Of a normal vector x: E log(1 + (x - m)^T A (x - m)), by E exp(-s/2 (...)), and the means of e_i = exp(x_i) and
    of e_i e_j, which are quotients of normalisers: Z at the linear parameter plus 1 in the places i, and j, over Z."""
    covariance = _inverted(precision)
    mean = words.matrix(words.expand(MatMul(covariance, linear)), linear.rows)
    growth = sp.MatAdd(mean, DiagonalOf(covariance) / 2).applyfunc(sp.exp)
    growths = Whole(sp.HadamardProduct(growth * growth.T, covariance.applyfunc(sp.exp)))

    def tails(direction: sp.Tuple) -> sp.Expr:
        centre, a = direction
        scatter, gap = Whole(_inverted(a)), sp.MatAdd(mean, -centre).doit()
        whole = Whole(sp.MatAdd(scatter, s * covariance))
        square = sp.S.Zero if isinstance(gap, sp.ZeroMatrix) else Trace(MatMul(gap.T, Inverse(whole), gap))
        exponent = LogDet(scatter) / 2 - LogDet(whole) / 2 - s * square / 2
        return HalfLine(sp.exp(-s / 2) * (1 - sp.exp(exponent)) / s, s)

    shifted = "log Z at shifted parameters, Gauss kernel"
    return {
        "tails": Moment("log(1 + |x|^2)", tails, FRULLANI),
        "growth": Moment("exp(x)", lambda c: Trace(c.T * growth), shifted),
        "growths": Moment("exp(x)", lambda c: Trace(c * growths), shifted),
    }


def cauchy(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """int (1 + (x - m)^T A (x - m))^(-(k+1)/2) dx = pi^((k+1)/2) / Gamma((k+1)/2) det A^(-1/2)

    (Kotz, Nadarajah, Multivariate t Distributions and Their Applications, section 1.1). x - m is a normal vector z of
    covariance A^-1 over an independent standard normal w: 1 + (x - c)^T B (x - c) is a quadratic form of (w, z) over
    w^2, and with G = m - c the integral of exp(-s/2 (...)) over (w, z) has the determinant
    (1 + s) det(I + s B A^-1 + s/(1 + s) B G G^T). The scatter stays whole: its determinant is the one at s = 0, digit
    for digit.
    """
    if outcome.name != "vectors" or len(f.tails) != 1 or f.quadratic or f.linear:
        return None
    half = (x.rows + 1) * HALF
    citation = "Kotz, Nadarajah, Multivariate t Distributions and Their Applications, section 1.1"
    infinite = Moment("x x^T", lambda _: sp.oo, "the density falls like |x|^(-k-1)", sp.S.NegativeOne)
    (((centre, a), _),) = f.tails.items()

    def value(direction: sp.Tuple) -> sp.Expr:
        other, b = direction
        if (other, b) == (centre, a):
            return sp.digamma(half) - sp.digamma(HALF)
        scatter, gap = Whole(_inverted(b)), sp.MatAdd(centre, -other).doit()
        outer = [] if isinstance(gap, sp.ZeroMatrix) else [s / (1 + s) * gap * gap.T]
        whole = Whole(sp.MatAdd(scatter, s * _inverted(a), *outer))
        return HalfLine((1 - sp.exp(LogDet(scatter) / 2 - LogDet(whole) / 2)) / (s * sp.sqrt(1 + s)), s)

    log_z = half * log(pi) - loggamma(half, evaluate=False) - LogDet(a) / 2
    tails = Moment("log(1 + |x|^2)", value, FRULLANI)
    return Kernel("Cauchy", log_z, {}, {}, citation, {}, {"tails": tails, "linear": infinite, "quadratic": infinite})


def _inverted(matrix: sp.MatrixExpr) -> sp.MatrixExpr:
    return words.matrix(words.expand(Inverse(matrix)), matrix.rows)


def wishart(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """int_{x > 0} det x^a exp(-tr(R x)) dx = Gamma_k(a + (k+1)/2) det R^-(a + (k+1)/2) (DLMF 35.3.2)

    The integral of the derivative of the density is 0 for a > 0: a E[x^-1] = R.
    """
    if outcome.name != "positive definite" or f.quadratic or not f.linear:
        return None
    k = x.rows
    a, r = sp.Symbol("#a", real=True), Symmetric("#R", k, k)
    order = a + (k + 1) * HALF
    haff = Moment("X^-1", lambda c: Trace(c.T * r) / a, "Haff, J. Multivariate Analysis 9, 1979", a)
    return Kernel(
        "multivariate gamma", LogMultigamma(order, k) - order * LogDet(r),
        {"logdet": a, "linear": r}, {"logdet": f.logdet, "linear": -words.matrix(f.linear, k)}, "DLMF 35.3.2",
        {"linear": -1}, {"inverse": haff},
    )  # fmt: skip


def sphere(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """int_{|x| = 1} exp(c^T x) = (2 pi)^(k/2) |c|^(1 - k/2) I_{k/2 - 1}(|c|) (DLMF 10.32.2)"""
    if outcome.name != "sphere" or f.quadratic:
        return None
    k = x.rows
    c = sp.MatrixSymbol("#c", k, 1)
    return Kernel(
        "sphere", k * log(2 * pi) / 2 + LogBessel(k * HALF - 1, sp.sqrt(Trace(c.T * c))),
        {"linear": c}, {"linear": words.matrix(f.linear, k)},
        "Mardia, Jupp, Directional Statistics, section 9.3; DLMF 10.32.2",
    )  # fmt: skip


def correlation(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """int det x^a over correlation matrices = Gamma_k(b) / Gamma(b)^k, b = a + (k+1)/2

    Joe, J. Multivariate Analysis 97, 2006, theorem 1, in this form: S = D^(1/2) x D^(1/2), D the diagonal of S, has
    dS = prod_i D_ii^((k-1)/2) dD dx, which splits DLMF 35.3.2 at R = I into this integral and k Gamma functions.
    """
    if outcome.name != "correlation matrices" or f.quadratic or f.linear:
        return None
    k, a = x.rows, sp.Symbol("#a", real=True)
    order = a + (k + 1) * HALF
    return Kernel(
        "correlation", LogMultigamma(order, k) - k * loggamma(order), {"logdet": a}, {"logdet": f.logdet},
        "Lewandowski, Kurowicka, Joe, J. Multivariate Analysis 100, 2009, equation 16",
    )  # fmt: skip


def dirichlet(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """int prod_i x_i^{c_i} over the simplex = prod_i Gamma(c_i + 1) / Gamma(sum_i (c_i + 1)) (DLMF 5.14.2)"""
    if outcome.name != "simplex" or f.counts != 0 or f.each != 0:
        return None
    c = sp.IndexedBase("#c", real=True)
    limits = (i, 1, outcome.size)
    return Kernel(
        "Dirichlet", Sum(loggamma(c[i] + 1), limits) - loggamma(Sum(c[i] + 1, limits)),
        {"logs": c}, {"logs": f.logs}, "DLMF 5.14.2",
    )  # fmt: skip


def finite_sum(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """sum_{x=1}^K exp(t_x) (the sum itself)"""
    if outcome.name != "categories":
        return None
    t = sp.IndexedBase("#t", real=True)
    log_z = log(Sum(sp.exp(t[i]), (i, 1, outcome.size)))
    return Kernel("finite sum", log_z, {"table": t}, {"table": f.table}, "Cover, Thomas, section 11.1")


def multinomial(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """sum over x_1 + ... + x_K = n of exp(sum_i t_i x_i) / prod_i x_i! = (sum_i exp t_i)^n / n! (DLMF 26.4.9)"""
    if outcome.name != "counts" or f.each != -loggamma(x[i] + 1):
        return None
    n, t = outcome.total, sp.IndexedBase("#t", real=True)
    whole = Sum(sp.exp(t[i]), (i, 1, outcome.size))
    mass = BinomialMass(j, n, sp.exp(t[i]) / whole)
    return Kernel(
        "multinomial theorem", n * log(whole) - loggamma(n + 1), {"counts": t}, {"counts": f.counts}, "DLMF 26.4.9",
        moments={"each": _marginal(mass, x, outcome, "each count is of a binomial law")},
    )  # fmt: skip


def dirichlet_multinomial(f: Features, x: sp.Basic, outcome: Outcome) -> Kernel | None:
    """sum over x_1 + ... + x_K = n of prod_i Gamma(x_i + a_i)/(x_i! Gamma(a_i)) = Gamma(n + A)/(n! Gamma(A)), A the sum
    of the a_i

    (Johnson, Kotz, Balakrishnan, Discrete Multivariate Distributions, section 35.13.1).
    """
    shape = f.each + loggamma(x[i] + 1) if outcome.name == "counts" else sp.S.Zero
    if not isinstance(shape, loggamma) or f.counts != 0:
        return None
    n, a, limits = outcome.total, sp.IndexedBase("#a", positive=True), (i, 1, outcome.size)
    whole = Sum(a[i], limits)
    mass = BetaBinomialMass(j, n, a[i], whole - a[i])
    citation = "Johnson, Kotz, Balakrishnan, Discrete Multivariate Distributions, section 35.13.1"
    return Kernel(
        "Dirichlet-multinomial", Sum(loggamma(a[i]), limits) + loggamma(n + whole) - loggamma(whole) - loggamma(n + 1),
        {"shape": a}, {"shape": shape.args[0] - x[i]}, citation,
        moments={
            "counts": Moment("x", lambda c: n * Sum(c * a[i], limits) / whole, citation),
            "each": _marginal(mass, x, outcome, "each count is of a beta-binomial law"),
        },
    )  # fmt: skip


def _marginal(mass: sp.Expr, x: sp.IndexedBase, outcome: Outcome, why: str) -> Moment:
    """sum_i E[g_i(x_i)], each expectation over the masses of x_i at 0, ..., n"""

    def value(g: sp.Expr) -> sp.Expr:
        return Sum(SumTo(mass * g.xreplace({x[i]: j}), j, outcome.total), (i, 1, outcome.size))

    return Moment("x_i", value, why)


KERNELS: tuple[Callable[[Features, sp.Basic, Outcome], Kernel | None], ...] = (
    gauss,
    cauchy,
    wishart,
    sphere,
    correlation,
    dirichlet,
    finite_sum,
    multinomial,
    dirichlet_multinomial,
)
