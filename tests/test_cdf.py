"""Distribution functions and quantiles of the catalog: beside SciPy and the density, and each other's inverse."""

import mpmath as mp
import pytest
import sympy as sp
from scipy import integrate
from test_families import SCIPY, log_density

from klsym import Gamma, LogNormal, Normal, Poisson, Uniform, half_line, scale, shift, transform
from klsym.derive.cdf import cdf, cumulative, quantile
from klsym.families import catalog

# No closed form is known: sums of terms without one, and laws on the circle that begin where they have mass.
UNKNOWN = {
    "GeneralizedInverseGaussian", "VonMises", "WrappedCauchy", "Logarithmic", "BetaBinomial", "Hypergeometric",
    "Skellam",
}  # fmt: skip
INVERTED = {
    "Normal", "Laplace", "AsymmetricLaplace", "Logistic", "Gumbel", "Moyal", "Cauchy", "HyperbolicSecant",
    "Exponential", "Weibull", "Rayleigh", "HalfNormal", "Gompertz", "HalfCauchy", "LogNormal", "Frechet", "Levy",
    "LogLogistic", "LogLaplace", "Lomax", "Pareto", "Uniform", "Kumaraswamy", "Arcsine", "PowerFunction", "LogUniform",
    "Triangular", "LogitNormal", "CircularUniform", "Geometric", "DiscreteUniform",
    "Bernoulli", "Binomial",
}  # fmt: skip
KNOWN = [name for name in catalog if name not in UNKNOWN]


def number(expression):
    return float(sp.N(expression, 20))


@pytest.mark.parametrize("name", KNOWN)
def test_both_sides_are_those_of_scipy(name, typical):
    member = typical(catalog[name], 3)
    if name not in SCIPY:
        return against_the_density(member)
    theirs = SCIPY[name](*map(float, member.values))
    for x in theirs.ppf([0.03, 0.4, 0.6, 0.97]):
        at = sp.Integer(int(x)) if member.family.discrete else sp.Rational(float(x))
        found = cumulative(member, at)
        assert number(found.below) == pytest.approx(theirs.cdf(x), rel=1e-10, abs=1e-14)
        assert number(found.above) == pytest.approx(theirs.sf(x), rel=1e-10, abs=1e-14)


def against_the_density(member):
    density = log_density(member)
    lower, upper = member.support.lower, member.support.upper
    for x in (1, 3) if member.family.discrete else (0.2, 0.7):
        found = cumulative(member, sp.Rational(x))
        if member.family.discrete:
            below = sum(mp.exp(density(k)) for k in range(int(lower), x + 1))
        else:
            below = integrate.quad(lambda t: float(mp.exp(density(mp.mpf(t)))), float(lower), x, epsabs=1e-12)[0]
        assert number(found.below) == pytest.approx(float(below), rel=1e-9)
        assert number(found.below + found.above) == pytest.approx(1, rel=1e-14)
    assert upper != lower


@pytest.mark.parametrize("name", sorted(UNKNOWN))
def test_unknown_is_said(name):
    member = catalog[name].member("")
    assert cumulative(member, sp.Symbol("t", real=True)) is cdf(member, sp.Integer(1)) is quantile(member, sp.S.Half)


@pytest.mark.parametrize("name", KNOWN)
def test_quantiles_invert(name, typical):
    member = typical(catalog[name], 4)
    for u in (sp.Rational(1, 7), sp.Rational(6, 7)):
        x = quantile(member, u)
        assert (x is not None) == (name in INVERTED)
        if x is None:
            continue
        if member.family.discrete:
            assert bool(cdf(member, x) >= u) and bool(cdf(member, x - 1) < u)
        else:
            assert number(cdf(member, sp.Rational(number(x)))) == pytest.approx(float(u), rel=1e-12)


def test_outside_the_support():
    assert [cdf(Uniform(1, 3), sp.Rational(x)) for x in (0, 2, 5)] == [0, sp.S.Half, 1]
    assert cdf(Poisson(2), sp.Integer(-1)) == 0


def test_constructions():
    assert number(cdf(shift(Gamma(2, 3), 5), sp.Integer(6))) == pytest.approx(number(cdf(Gamma(2, 3), sp.Integer(1))))
    assert number(cdf(scale(Normal(0, 1), 2), sp.Integer(2))) == pytest.approx(number(cdf(Normal(0, 1), sp.Integer(1))))
    x = LogNormal.variable
    falling = transform(LogNormal, "Reciprocal", forward=1 / x, inverse=1 / x, support=half_line)(0, 1)
    assert number(cdf(falling, sp.Integer(2))) == pytest.approx(number(cdf(LogNormal(0, 1), sp.Integer(2))))
    assert number(quantile(falling, sp.S.Half / 2)) == pytest.approx(number(quantile(LogNormal(0, 1), sp.S.Half / 2)))


def test_far_tails_keep_their_digits():
    found = cumulative(Normal(0, 1), sp.Integer(40))
    assert mp.nstr(sp.N(found.above, 20)._to_mpmath(80), 10) == mp.nstr(mp.ncdf(-40), 10)
