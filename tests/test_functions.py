"""Functions that SymPy lacks: against their defining integrals, at several precisions, and through lambdify."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from klsym.core.differentiate import differentiated
from klsym.core.functions import (
    BesselKOrder,
    Langevin,
    LangevinPrime,
    LogSinhc,
    ParabolicU,
    TricomiU,
    ZetaDerivative,
)
from klsym.core.mellin import Log1pMellin

x, y = sp.symbols("x y", positive=True)
half, third = sp.Rational(1, 2), sp.Rational(1, 3)


def number(value):
    return mp.mpf(value.p) / value.q if isinstance(value, sp.Rational) else mp.mpf(value)


def test_order_derivative_is_the_derivative_of_log_k():
    for nu, z in ((2, 1), (third, sp.Rational(1, 100)), (5, 200), (sp.Rational(1, 10**6), 3), (third, 10**5)):
        with mp.workdps(70):
            expected = mp.diff(lambda order, z=z: mp.log(mp.besselk(order, number(z))), number(sp.S(nu)))
            assert abs(mp.mpf(BesselKOrder(nu, z).n(30)) / expected - 1) < mp.mpf(10) ** -29


def test_parabolic_u_is_its_integral():
    for a, z in ((1, 2), (third + 3, -4), (30, -10), (3, 30)):
        with mp.workdps(30):
            s = number(sp.S(a)) + mp.mpf(1) / 2
            integral = mp.quad(lambda t, s=s, z=z: t ** (s - 1) * mp.exp(-t * t / 2 - z * t), [0, 1, 2, 4, 8, 16, 40])
            expected = mp.exp(-(mp.mpf(z) ** 2) / 4) / mp.gamma(s) * integral
            assert abs(mp.mpf(ParabolicU(a, z).n(25)) / expected - 1) < mp.mpf(10) ** -24


def test_tricomi_u_is_its_integral():
    cuts = [0, 0.01, 0.1, 1, 2, 4, 8, 16, 40, 100, 1000]
    for a, b, z in ((1, 1, 2), (2, third, 7), (40, -3, sp.Rational(1, 10)), (3, 2, 500)):
        with mp.workdps(30):
            u, v, w = number(sp.S(a)), number(sp.S(b)), number(sp.S(z))
            integral = mp.quad(lambda t, u=u, v=v, w=w: mp.exp(-w * t) * t ** (u - 1) * (1 + t) ** (v - u - 1), cuts)
            assert abs(mp.mpf(TricomiU(a, b, z).n(25)) * mp.gamma(u) / integral - 1) < mp.mpf(10) ** -24


@pytest.mark.parametrize("c", [sp.Rational(1, 100), 1, 1000])
def test_log1p_mellin_of_gamma_and_beta_laws(c):
    """Y as Gamma(a), its powers, BetaPrime(a, b) and Beta(a, b)."""
    a, b = 2, sp.Rational(5, 2)
    size, u, v = number(c), mp.mpf(a), number(b)
    cuts = [0, 0.001, 0.01, 0.1, 0.5, 1, 2, 4, 8, 16, 40, 100, 300]
    inner = [0, 1e-5, 0.001, 0.1, 0.5, 0.9, 0.99, 1]
    gamma_density = lambda t: t ** (u - 1) * mp.exp(-t) / mp.gamma(u)  # noqa: E731
    beta_density = lambda t: t ** (u - 1) * (1 - t) ** (v - 1) / mp.beta(u, v)  # noqa: E731
    cases = [
        ((a, k, 1), lambda t, k=k: mp.log1p(size * t ** number(k)), gamma_density, cuts) for k in (1, third, 3, -2)
    ]
    cases += [
        ((a, 1, 1, b, -1, 1), lambda t: mp.log1p(size * t / (1 - t)), beta_density, inner),
        ((a, 1, 1, a + b, 1, -1), lambda t: mp.log1p(size * t), beta_density, inner),
    ]
    for triples, logarithm, density, points in cases:
        with mp.workdps(22):
            expected = mp.quad(lambda t, f=logarithm, p=density: f(t) * p(t), points)
            assert abs(mp.mpf(Log1pMellin(c, *triples).n(18)) / expected - 1) < 1e-15, triples


def test_digits_asked_for_are_digits_given():
    for expression in (
        LogSinhc(sp.Rational(1, 10**20)),
        Langevin(sp.Rational(1, 10**12)),
        LangevinPrime(sp.Rational(1, 10**9)),
    ):
        assert abs(expression.n(15) / expression.n(60) - 1) < sp.Float("1e-14")
    for function in (BesselKOrder(third, 2), TricomiU(third, 5, 7), Log1pMellin(2, third, 1, 1), ZetaDerivative(2, 3)):
        assert abs(function.n(15) / function.n(40) - 1) < sp.Float("1e-14")
    assert LogSinhc(sp.Rational(1, 10**30)).n(20) == sp.Rational(1, 6 * 10**60).n(20)


def test_special_values_and_symmetry():
    assert BesselKOrder(half, x) == sp.exp(2 * x) * sp.expint(1, 2 * x)
    assert BesselKOrder(-y, x) == -BesselKOrder(y, x)
    assert (LogSinhc(0), Langevin(0), LangevinPrime(0)) == (0, 0, third)
    assert TricomiU(x, x + 1, y) == y**-x
    assert ParabolicU(-half, x) == sp.exp(-(x**2) / 4)
    assert ZetaDerivative(0, x) == sp.zeta(x)


@pytest.mark.parametrize(
    "expression",
    [
        LogSinhc(x), Langevin(x), LangevinPrime(x), ZetaDerivative(1, 1 + x), BesselKOrder(third, x),
        TricomiU(half, third, x), ParabolicU(third, x),
    ],
)  # fmt: skip
def test_derivative_is_the_slope(expression):
    at = sp.Rational(7, 5)
    slope = mp.diff(lambda t: mp.mpf(expression.subs(x, sp.Float(str(t), 40)).n(40)), mp.mpf(7) / 5, h=mp.mpf("1e-6"))
    assert abs(expression.diff(x).subs(x, at).n(20) / slope - 1) < 1e-9


@pytest.mark.parametrize(
    "expression",
    [
        Log1pMellin(x, half, third, 1, 2, -third, 1), Log1pMellin(2, x, half, 1), Log1pMellin(half, 2, x, 1),
        Log1pMellin(3, half, 1, 1, x, -1, 1), Log1pMellin(2, 1, x, 1, 3, x, -1), BesselKOrder(x, 2), sp.zeta(x),
        sp.log(sp.besselk(x - 3, 2)), sp.besselk(x, x**2), sp.uppergamma(1 + x, x), sp.lowergamma(x, half),
    ],
)  # fmt: skip
def test_derivative_by_orders_and_shapes_to_40_digits(expression):
    at = sp.Rational(7, 5)
    with mp.workdps(66):
        slope = mp.diff(
            lambda t: mp.mpf(expression.subs(x, sp.Float(str(t), 66)).n(66)), mp.mpf(7) / 5, h=mp.mpf("1e-21")
        )
    assert abs(sp.Float(differentiated(expression, x).subs(x, at).n(45)) / sp.Float(slope, 45) - 1) < sp.Float("1e-40")


def test_lambdify_reaches_them_under_mpmath_and_scipy():
    expression = LogSinhc(x) + BesselKOrder(y, x) + TricomiU(x, y, 2) + ParabolicU(x, -y) + Log1pMellin(x, y, 1, 1)
    exact = expression.subs({x: half, y: third}).n(30)
    with mp.workdps(30):
        assert abs(sp.lambdify([x, y], expression, "mpmath")(mp.mpf(1) / 2, mp.mpf(1) / 3) - exact) < mp.mpf(10) ** -28
    f = sp.lambdify([x, y], expression, "scipy")
    assert abs(f(0.5, 1 / 3) / float(exact) - 1) < 1e-14
    assert np.allclose(f(np.array([0.5, 0.5]), 1 / 3), float(exact), rtol=1e-14)
