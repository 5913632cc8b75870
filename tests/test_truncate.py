"""Truncated laws: their densities, divergences of them against the definition, their code, and what is refused."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy import stats
from test_families import log_density, mass

from klsym import (
    Beta,
    Exponential,
    Gamma,
    Geometric,
    LogNormal,
    Normal,
    Pareto,
    Poisson,
    Skellam,
    Uniform,
    VonMises,
    Weibull,
    ZeroTruncatedPoisson,
    chi2,
    kl,
    oracles,
    renyi,
    truncate,
)
from klsym.core.errors import ParameterError, UnderivableError
from klsym.divergences import kl as definition

EPS = 2.0**-52


@pytest.mark.parametrize(
    "member",
    [
        truncate(Normal(0, 1), -1, 2),
        truncate(Normal, "a", "b")(0, 1, 3, 4),
        truncate(Gamma(2, 3), 1),
        truncate(Gamma(2, 3), None, 1),
        truncate(Beta(2, 3), 0, 0.5),
        truncate(LogNormal, 1, 2)(0, 1),
        truncate(Poisson(2), 3),
        truncate(Geometric(0.5), 2, 5),
        truncate(Pareto(1, 3), 2, 4),
    ],
    ids=str,
)
def test_mass_is_one(member):
    assert mass(member) == pytest.approx(1, abs=1e-12)


def test_density_is_that_of_scipy():
    ours = log_density(truncate(Normal(1, 2), -1, 4))
    theirs = stats.truncnorm(-1, 1.5, 1, 2)
    for x in (-0.9, 0.5, 3.9):
        assert float(ours(mp.mpf(x))) == pytest.approx(theirs.logpdf(x), rel=1e-13)


def test_names_and_ends():
    assert str(truncate(Normal, "a", "b")) == "TruncatedNormal(mu, sigma, a, b)"
    assert str(truncate(Gamma, 1)) == "LeftTruncatedGamma[1](alpha, beta)"
    assert str(truncate(Gamma(2, 3), -np.inf, 1)) == "RightTruncatedGamma(2, 3, 1)"
    assert truncate(Normal) is Normal
    assert [v.name for v in truncate(Normal("m", "s"), "low", "high").values] == ["m", "s", "low", "high"]
    assert truncate(Poisson, 1).log_density.equals(ZeroTruncatedPoisson.log_density)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (truncate(Normal(0, 1), 0, 1), truncate(Normal(1, 2), 0, 1)),
        (truncate(Normal(0, 1), 0, 1), truncate(Normal(1, 2), -1)),
        (truncate(Normal(0, 1), 2), Normal(1, 1)),
        (truncate(Gamma(2, 1), 1, 3), Gamma(2, 2)),
        (truncate(Exponential(2), 1, 4), truncate(Gamma(2, 2), 0.5)),
        (truncate(Weibull(2, 3), 1), truncate(Weibull(2, 2), 1)),
        (truncate(Poisson(2), 2, 5), Poisson(1)),
        (truncate(Geometric(0.5), 3), truncate(Geometric(0.25), 2)),
    ],
    ids=str,
)
def test_closed_against_the_definition(p, q):
    found = kl(p, q)
    assert found.evaluate(20).value == pytest.approx(oracles.measure(definition, p, q).mid, rel=1e-14)


def test_closed_kinds():
    assert kl(truncate(Normal, "a", "b"), truncate(Normal, "a", "b")).kind == "closed"
    assert kl(truncate(Gamma(2, "b"), 1), truncate(Gamma(2, "c"), 1)).kind == "closed"
    # A derivative of an incomplete gamma function by its order is no known function.
    assert kl(truncate(Gamma, 1), truncate(Gamma, 1)).condition == sp.Eq(*sp.symbols("alpha_p alpha_q", positive=True))


def test_supports_that_are_not_nested():
    assert kl(Normal(0, 1), truncate(Normal(0, 1), 0, 1)).value == sp.oo
    assert kl(truncate(Normal(0, 1), 0, 2), truncate(Normal(0, 1), 0, 1)).value == sp.oo
    f = kl(truncate(Exponential, "a", "b"), truncate(Exponential, "a", "b"))
    assert f.evaluate(rate_p=1, a_p=1, b_p=2, rate_q=1, a_q=2, b_q=3).value == mp.inf
    assert f.cases[-1].kind == "infinite"


@pytest.mark.parametrize(
    "formula",
    [
        kl(truncate(Normal, 0, 1), truncate(Normal, 0, 1)),
        pytest.param(renyi(truncate(Normal, 0, 1), truncate(Normal, 0, 1), 2), marks=pytest.mark.slow),
        chi2(truncate(Exponential, "a", "b"), truncate(Exponential, "a", "b")),
        kl(truncate(Poisson, 1), Poisson),
    ],
    ids=lambda formula: formula.title,
)
def test_steps_and_code_agree_with_the_oracle(formula):
    report = formula.check(points=1)
    assert report.ok, str(report)


def test_code_near_equality_and_far_in_the_tails():
    law = truncate(Normal, 0, 1)
    formula = kl(law, law)
    code = formula.compile("numpy")
    value = sp.lambdify(formula.parameters, formula.value, "mpmath")
    for point in [(0.3, 1.2, 0.3 + 1e-9, 1.2 + 1e-9), (-50.0, 1.0, -51.0, 1.1)]:
        with mp.workdps(800):
            exact = value(*map(mp.mpf, point))
        assert abs(code(*point) - exact) <= 4 * EPS * exact
    assert code(0.3, 1.2, 0.3, 1.2) == 0


@pytest.mark.parametrize(
    ("base", "ends", "why"),
    [
        (Gamma, (2, 1), "reversed"),
        (Gamma, (1, 1), "empty"),
        (Gamma, (-2, 1), "no mass outside"),
        (Gamma(2, 3), (2, 1), "lower < upper"),
        (Poisson, (1.5,), "integers"),
        (VonMises, (0, 1), "circle"),
        (truncate(Normal, 0, 1), (0, 0.5), "truncated already"),
        (Normal, ("mu", 1), "twice"),
        (Uniform(0, 1), (2, 3), "constraint"),
    ],
)
def test_refused(base, ends, why):
    with pytest.raises(ParameterError, match=why):
        truncate(base, *ends)


def test_unknown_mass():
    with pytest.raises(UnderivableError, match="mass of Skellam"):
        truncate(Skellam, 1, 2)
