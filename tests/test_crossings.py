"""Where densities cross, and total variation by distribution functions there: against the definition, and in code."""

import math

import mpmath as mp
import pytest
import sympy as sp

from klsym import (
    Beta,
    Binomial,
    Cauchy,
    Exponential,
    Gamma,
    Geometric,
    HalfNormal,
    InverseGaussian,
    Laplace,
    Logistic,
    LogNormal,
    Maxwell,
    NegativeBinomial,
    Normal,
    Pareto,
    Poisson,
    StudentT,
    Uniform,
    Weibull,
    ZeroTruncatedPoisson,
    divergences,
    oracles,
    total_variation,
    truncate,
)
from klsym.derive.crossings import crossings

EPS = 2.0**-52


PAIRS = [
    (Normal(0, 1), Normal(1, 1)),
    (Normal(0, 1), Normal(1, 2)),
    (Normal(0, 1), Normal(0, 2)),
    (Exponential(1), Exponential(3)),
    (Laplace(0, 1), Laplace(2, 1)),
    (Laplace(0, 1), Laplace(0, 2)),
    (Gamma(2, 1), Gamma(3, 1)),
    (Beta(2, 3), Beta(3, 2)),
    (Pareto(1, 2), Pareto(1.5, 3)),
    (Pareto(1, 2), Pareto(1.5, 2)),
    (Exponential(1), Uniform(0, 2)),
    (Poisson(2), Poisson(4)),
    (Poisson(2), ZeroTruncatedPoisson(2)),
    (Geometric(0.5), Geometric(0.25)),
    # Simple rationals, of which powers with large exponents come about.
    (Maxwell(sp.Rational(459, 200)), Maxwell(sp.Rational(877, 500))),
]
MORE = [
    (Gamma(2, 1), Gamma(2, 3)),
    (Beta(2, 3), Beta(2, 4)),
    (Cauchy(0, 1), Cauchy(1, 2)),
    (Logistic(0, 1), Logistic(1, 1)),
    (StudentT(3, 0, 1), StudentT(3, 1, 1)),
    (LogNormal(0, 1), LogNormal(1, 2)),
    (Weibull(2, 1), Weibull(2, 3)),
    (InverseGaussian(1, 2), InverseGaussian(2, 3)),
    (Exponential(1), HalfNormal(1)),
    (truncate(Normal(0, 1), 0, 1), truncate(Normal(1, 2), 0, 1)),
    (Binomial(40, 0.5), Binomial(40, 0.25)),
    (NegativeBinomial(2.5, 0.5), NegativeBinomial(2.5, 0.25)),
]


@pytest.mark.parametrize(("p", "q"), [*PAIRS, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in MORE)], ids=str)
def test_total_variation_against_the_definition(p, q):
    found, back = total_variation(p, q), total_variation(q, p)
    assert found.kind == back.kind == "closed"
    truth = oracles.measure(divergences.total_variation, p, q, 15)
    value = found.evaluate(20).value
    assert abs(value - truth.mid) <= truth.rad + 1e-14
    assert abs(value - back.evaluate(20).value) < 1e-18


def test_places():
    assert crossings(Normal("a", "s"), Normal("b", "s")).places[0].equals(sum(sp.symbols("a b", real=True)) / 2)
    assert crossings(Exponential(1), Exponential(2)).places == (sp.log(2),)
    # None where the equation is transcendental: log x and x both.
    assert crossings(Gamma(2, 1), Gamma(3, 2)) is None
    assert total_variation(Gamma(2, 1), Gamma(3, 2)).kind == "numeric"


def test_cases():
    normal = total_variation(Normal, Normal)
    assert [(c.kind, c.when.func) for c in normal.cases] == [("closed", sp.Ne), ("closed", type(sp.true))]
    assert normal.subs(sigma_p=1, sigma_q=1, mu_p=0, mu_q=1).evaluate().value == pytest.approx(math.erf(8**-0.5))
    gamma = total_variation(Gamma, Gamma)
    assert (gamma.kind, gamma.cases[-1].kind) == ("closed", "numeric")
    assert total_variation(Geometric(0.5), Geometric(0.25)).evaluate().value == 0.3125


@pytest.mark.parametrize(
    "formula",
    [total_variation(f, f) for f in (Exponential, Poisson)],
    ids=lambda formula: formula.title,
)
def test_cases_and_code_agree_with_the_oracle(formula):
    report = formula.check(points=1)
    assert report.ok, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("family", [Pareto, Normal, Cauchy, Gamma, Beta, Weibull, Logistic, Geometric, LogNormal])
def test_every_case_agrees_with_the_oracle(family):
    report = total_variation(family, family).check(points=3)
    assert report.ok, str(report)


@pytest.mark.parametrize(
    ("formula", "points"),
    [
        (total_variation(Normal, Normal), [(0, 1, 1e-6, 1), (0, 1, 0, 1 + 1e-6), (0, 1, 1e-9, 1)]),
        (total_variation(Exponential, Exponential), [(1, 1 + 1e-6), (1, 1 + 1e-12), (1, 2)]),
        (total_variation(Geometric, Geometric), [(0.5, 0.5 + 1e-6), (1 / 3, 2 / 3)]),
        (total_variation(Pareto, Pareto), [(1, 2, 1 + 1e-6, 2), (1, 2, 1, 2 + 1e-6)]),
    ],
    ids=["Normal", "Exponential", "Geometric", "Pareto"],
)
def test_code_near_equality(formula, points):
    code = formula.compile("numpy")
    for point in points:
        bound = dict(zip((s.name for s in formula.parameters), map(sp.Rational, map(float, point)), strict=True))
        exact = formula.evaluate(20, **bound).value
        assert abs(code(*point) - exact) <= 2 * EPS * exact
        assert not mp.isnan(exact)
    same = (*points[0][: len(points[0]) // 2],) * 2
    assert code(*same) == 0
