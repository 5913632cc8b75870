"""Families of arrays: entropies, pairs of two families, and what is special to one of them."""

from __future__ import annotations

import math
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from test_array_families import ALL, CATALOG, FEW, SMALL, point_of

import klsym
from klsym import UnderivableError, entropy, kl
from klsym.arrays.functions import BesselRatio, LogBessel
from klsym.arrays.walk import walk
from klsym.core.value import Verdict
from klsym.derive.arrays import _kernel
from klsym.derive.arrays.expect import at_natural
from klsym.oracles import arrays as oracle

# Finite, and no rule is known.
UNKNOWN = {("MultivariateLogNormal", "MultivariateCauchy")}

CROSS = [
    (p, q)
    for p in CATALOG.values()
    for q in CATALOG.values()
    if p is not q and {p.outcome.name, q.outcome.name} in ({p.outcome.name}, {"vectors", "positive vectors"})
]


@pytest.mark.parametrize("name", ALL)
def test_entropy_is_the_oracles(name):
    family, sizes = ALL[name], SMALL.get(ALL[name].name, {})
    member = family.member("")
    point = point_of(member, **sizes)
    at = {n: sp.Integer(int(point[n])) for n in family.dimensions}
    value = entropy(replace(member, sizes=tuple(at.items()))).compile()(*(point[s] for s in member.values))
    measured = oracle.expectation(member, -member.log_density(), point)
    assert abs(value - float(measured.mid)) <= 1e-9 * (1 + abs(value))


@pytest.mark.parametrize("p, q", CROSS, ids=lambda family: family.name)
def test_pairs_of_two_families_agree_with_the_oracle(p, q):
    try:
        f = kl(p, q)
    except UnderivableError:
        assert (p.name, q.name) in UNKNOWN
        return
    report = f.check(1 if q.name in FEW else 2, seed=1, **SMALL.get(p.name, {}))
    # No number shows that a mean is infinite.
    assert report.ok or (f.kind == "infinite" and report.verdict is Verdict.UNDECIDED), str(report)


def test_the_circle_is_the_scalar_family_and_the_uniform_a_limit():
    scalar = kl(klsym.VonMises(0, 2), klsym.VonMises(0, 0.5)).evaluate(30).value
    family, north = klsym.VonMisesFisher, [1, 0]
    assert abs(kl(family(north, 2), family(north, 0.5)).evaluate(30).value - scalar) < mp.mpf(10) ** -28
    uniform = kl(family(north, 2), family(north, 0))
    assert uniform.check(1).ok and float(kl(family(north, 0), family([0, -1], 0))) == 0
    assert float(uniform) == pytest.approx(float(kl(family, family).compile()(north, 2, north, 0)), rel=1e-15)


def test_an_integral_of_a_cholesky_factor_is_that_of_the_matrix():
    rng, family = np.random.default_rng(0), klsym.MultivariateCauchy
    factors = np.tril(rng.standard_normal((2, 200, 4, 4)), -1) + np.eye(4) * rng.uniform(0.3, 2, (2, 200, 1, 4))
    means = rng.standard_normal((2, 200, 4))
    whole = kl(family, family).compile(second_pass=False)(
        *(a for m, f in zip(means, factors, strict=True) for a in (m, symmetric(f)))
    )
    formed = kl(*(family(f"m{s}", scale_tril=f"L{s}") for s in "pq")).compile(second_pass=False)
    assert formed(means[0], factors[0], means[1], factors[1]) == pytest.approx(whole, rel=1e-11)


def symmetric(factor):
    whole = factor @ factor.swapaxes(-1, -2)
    return (whole + whole.swapaxes(-1, -2)) / 2


def test_an_integral_in_doubles_keeps_its_digits_at_extremes():
    """Scatters a I and I about one centre, k = 2: the radius is tan u, u of density sin u."""
    code, scales = (
        kl(klsym.MultivariateCauchy, klsym.MultivariateCauchy).compile(second_pass=False),
        10.0 ** np.arange(-40, 41, 20),
    )
    got = code(np.zeros(2), scales[:, None, None] * np.eye(2), np.zeros(2), np.eye(2))
    for scale, value in zip(scales, got, strict=True):
        with mp.workdps(30):
            a = mp.mpf(scale)
            ratio = lambda u, a=a: mp.log((1 + a * mp.tan(u) ** 2) / (1 + mp.tan(u) ** 2))  # noqa: E731
            mean = mp.quad(lambda u, f=ratio: f(u) * mp.sin(u), [0, mp.pi / 4, mp.pi / 2])
        assert value == pytest.approx(float(3 * mean / 2 - mp.log(a)), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("nu", [0, 0.5, 3, 499])
def test_bessel_functions_in_doubles(nu):
    """Small, large and beyond SciPy's range."""
    z = np.array([0, 1e-300, 1e-5, 0.3, 7, 300, 1e5, 1e10])
    order, point = sp.Symbol("nu"), sp.Symbol("z")
    for function in (LogBessel, BesselRatio):
        got = walk(function(order, point), {order: np.float64(nu), point: z})
        with mp.workdps(40):
            expected = [float(function.compute(mp.mpf(nu), mp.mpf(x))) for x in z]
        assert got == pytest.approx(expected, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("k", [2, 3, 6])
def test_correlation_kernel_is_the_product_of_beta_functions(k):
    """Lewandowski, Kurowicka, Joe, 2009, equation 16."""
    eta, log_beta = 1.7, lambda a: 2 * math.lgamma(a) - math.lgamma(2 * a)
    expected = sum(
        (k - m) * ((2 * eta - 2 + k - m) * math.log(2) + log_beta(eta + (k - m - 1) / 2)) for m in range(1, k)
    )
    member = klsym.LKJ.member("")
    got = walk(at_natural(_kernel(member), _kernel(member).log_z), {member.values[0]: eta, klsym.LKJ.dimensions[0]: k})
    assert got == pytest.approx(expected, rel=1e-13)


def test_factors_of_different_ranks_are_compared():
    p = klsym.MultivariateNormal([0, 0], factor=[[1], [2]], diagonal=[1, 3])
    q = klsym.MultivariateNormal([1, 0], factor=[[1, 2], [0, 1]], diagonal=[1, 1])
    full = [klsym.MultivariateNormal([0, 0], [[2, 2], [2, 7]]), klsym.MultivariateNormal([1, 0], [[6, 2], [2, 2]])]
    assert float(kl(p, q)) == pytest.approx(float(kl(*full)), rel=1e-14)


def test_diagonal_covariances_print_as_sums():
    f = kl(*(klsym.MultivariateNormal(f"m{s}", diagonal=f"d{s}") for s in "pq"))
    assert "sum(dp[i]/dq[i], i=1..k)/2" in str(f).replace("\n      ", " ")
    assert "sum((mp[i] - mq[i])**2/dq[i], i=1..k)/2" in str(f)


def test_an_inverse_without_a_mean_is_infinitely_far():
    one = np.eye(2)
    p, q = klsym.Wishart(3, one), klsym.InverseWishart(4, one)
    assert kl(p, q).evaluate().value == mp.inf and "X^-1 has a mean" in str(kl(p, q))
    assert kl(p, q).kind == "infinite"
    code = kl(klsym.Wishart, klsym.InverseWishart).compile(second_pass=False)
    assert np.isinf(code([3, 3.5], one, 4, one)).tolist() == [True, False]
    inverses = kl(klsym.InverseWishart(3.5, one / 2), klsym.Wishart(4, 2 * one))
    expected = kl(klsym.Wishart(3.5, 2 * one), klsym.InverseWishart(4, one / 2))
    assert float(inverses) == pytest.approx(float(expected), rel=1e-14)
