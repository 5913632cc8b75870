"""Parameters at the ends of the doubles: digits that are right, or an error that says why there are none."""

from __future__ import annotations

import mpmath as mp
import pytest
import sympy as sp
from scipy import stats

import klsym
from klsym.core.errors import UnsettledError
from klsym.core.exact import Exact, plain
from klsym.core.mellin import Log1pMellin
from klsym.core.running import running

FAR = 10**6


def value(formula, digits=15):
    return formula.evaluate(digits).value


def close(found, true, digits=13):
    return abs(found - true) <= abs(true) * mp.mpf(10) ** -digits


@pytest.mark.parametrize("a", [FAR, 10**9, 10**15, 1e300], ids=str)
def test_large_integer_parameters(a):
    """loggamma of a large integer is no exact integer's logarithm: E log x and log Gamma from Stirling's series"""
    found = value(klsym.kl(klsym.Gamma(a, 1), klsym.Gamma(2 * a, 1)))
    with mp.workdps(700):
        a = mp.mpf(a)
        true = -a * mp.digamma(a) + mp.loggamma(2 * a) - mp.loggamma(a)
    assert close(found, true)


def test_total_variation_of_large_counts():
    found = value(klsym.total_variation(klsym.Poisson(FAR), klsym.Poisson(FAR + 1)))
    assert found == pytest.approx(stats.poisson.cdf(FAR, FAR) - stats.poisson.cdf(FAR, FAR + 1), rel=1e-8)


@pytest.mark.slow
def test_sums_with_large_ends():
    """n/2 of n trials is past the first 4096 terms, and the ends of the sum are integers."""
    found = value(klsym.kl(klsym.BetaBinomial(FAR, 2, 3), klsym.BetaBinomial(FAR, 3, 2)), 8)
    of_probabilities = value(klsym.kl(klsym.Beta(2, 3), klsym.Beta(3, 2)))
    assert found == pytest.approx(float(of_probabilities), rel=1e-5)


def test_projection_of_large_samples():
    shape, _ = klsym.project([1e8, 1e8 + 1], klsym.Gamma).members[0].values
    assert float(shape) == pytest.approx(4.00000004e16, rel=1e-9)


P, Q = mp.mpf(1e-300), mp.mpf(1.5e-300)
SMALL = {
    "Bernoulli": lambda p, q: p * mp.log(p / q) + (1 - p) * mp.log((1 - p) / (1 - q)),
    "Geometric": lambda p, q: mp.log(p / q) + (1 - p) / p * mp.log((1 - p) / (1 - q)),
    "ZeroTruncatedPoisson": lambda p, q: p / (1 - mp.exp(-p)) * mp.log(p / q) + mp.log(mp.expm1(q) / mp.expm1(p)),
    "Logarithmic": lambda p, q: p / ((p - 1) * mp.log1p(-p)) * mp.log(p / q) + mp.log(mp.log1p(-q) / mp.log1p(-p)),
    "WrappedCauchy": lambda p, q: mp.log((1 - p * q) ** 2 / ((1 - p * p) * (1 - q * q))),
}


@pytest.mark.parametrize("name", SMALL)
def test_small_parameters(name):
    """1 - 1e-300 absorbs what the divergence is made of: two precisions that agree may both have lost it."""
    family = getattr(klsym, name)
    first = [0] * (len(family.parameters) - 1)
    found = value(klsym.kl(family(*first, 1e-300), family(*first, 1.5e-300)))
    with mp.workdps(2000):
        true = SMALL[name](P, Q)
    assert found > 0 and close(found, true)


def test_radii_hold():
    x = Exact(sp.Rational(1, 10**30))
    forms = [sp.log(1 + x), (1 + x) ** 7 - 1, sp.exp(x) - 1, sp.loggamma(2 + x), 1 / (1 - sp.exp(-x)), sp.sqrt(1 + x)]
    for form in forms:
        true, _ = running(form, 1000)
        for bits in (60, 120, 240):
            found, radius = running(form, bits)
            assert abs(found - true) <= radius or mp.isinf(radius)


def test_no_digit_is_said():
    """The terms of the sum are known to 80 digits after the point, and the value is 1e-300."""
    few = klsym.kl(klsym.NegativeBinomial(1e-300, 0.25), klsym.NegativeBinomial(1.5e-300, 0.85))
    with pytest.raises(UnsettledError, match="which leaves no digit"):
        few.evaluate()


@pytest.mark.slow
def test_unsettled_says_what():
    distribution = klsym.GeneralizedInverseGaussian(FAR, FAR, FAR)
    with pytest.raises(UnsettledError, match=r"GeneralizedInverseGaussian.*beyond the reach"):
        klsym.kl(distribution, klsym.Gamma(1, 2)).evaluate()


def test_mellin_integrals_that_cancel():
    """E log(1 + c Y) = c E[Y] - c^2 E[Y^2]/2 + ... where the line of the integral is a thousand times that"""
    a, c = 1000, sp.Rational(3, 5)
    found = Log1pMellin(c, 1, 1, 1, a, -1, 1).n(15)
    assert found == pytest.approx(0.6 / 999 - 0.36 / (999 * 998) + 2 * 0.216 / (999 * 998 * 997), rel=1e-8)


def test_large_integers_as_they_are():
    assert str(klsym.Gamma(FAR, 1)) == "Gamma(1000000, 1)"
    assert str(klsym.Gamma(1e300, 10**30 + 1)) == f"Gamma(1e+300, {10**30 + 1})"
    assert plain(sp.floor(Exact(sp.Integer(FAR)) / 3)) == 333333
    with pytest.raises(klsym.ParameterError, match=r"n of Binomial is 20000\.5"):
        klsym.Binomial(20000.5, 0.5)


def test_star_import_has_the_families():
    names: dict[str, object] = {}
    exec("from klsym import *", names)
    assert names["Gamma"] is klsym.Gamma and names["Dirichlet"] is klsym.Dirichlet and names["kl"] is klsym.kl
