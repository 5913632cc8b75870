"""Divergences of one integral by the member between P and Q: near P = Q, near order 1 and at it, their derivatives."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from klsym import alpha_divergence, hellinger2, kl, renyi, tsallis
from klsym.derive.between import between
from klsym.families import catalog

EPS = 2.0**-52
ONE_PASS = ("Gamma", "InverseGamma", "ChiSquared", "Poisson", "Exponential")
GAPS = (1e-2, 1e-8, 1e-13)


def members(family, gap, draw):
    """Parameters of P, and those of Q at relative distances of the size of `gap`."""
    p = [draw.uniform(*map(float, a.typical)) for a in family.parameters]
    return [*p, *(x * (1 + gap * draw.uniform(-1, 1)) for x in p)]


def true(formula, row, x=None):
    """The closed form, or its derivative, in 200 digits."""
    value = formula.value if x is None else formula.value.diff(x)
    with mp.workdps(200):
        return mp.re(sp.lambdify(formula.parameters, value, "mpmath")(*map(mp.mpf, row)))


def off(value, exact):
    return float(abs(mp.mpf(float(value)) - exact) / abs(exact)) / EPS


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("Gamma", sp.S.Half),
        ("Gamma", 2),
        *(slow(name, order) for name in catalog if name in ONE_PASS for order in (sp.S.Half, 2)),
    ],
)
def test_at_a_fixed_order_one_pass_is_enough(name, order):
    family, draw = catalog[name], np.random.default_rng(0)
    formula = renyi(family, family, order)
    code = formula.compile("numpy", second_pass=False)
    for gap in GAPS * 2:
        row = members(family, gap, draw)
        value, error, _ = code(*row, report=True)
        assert value > 0
        assert error < 15 * EPS
        assert off(value, true(formula, row)) < 15


@pytest.mark.parametrize(
    ("name", "divergence"),
    [
        ("Exponential", renyi),
        *(slow(name, found) for name in ("Gamma", "Normal", "Pareto") for found in (renyi, tsallis, alpha_divergence)),
    ],
)
def test_at_order_one_it_is_the_limit(name, divergence):
    family, draw = catalog[name], np.random.default_rng(1)
    formula, limit = divergence(family, family, "alpha"), kl(family, family)
    code = formula.compile("numpy")
    for gap in (0.1, 1e-8):
        row = members(family, gap, draw)
        if name == "Pareto":
            row[2] = row[0]
        exact = true(limit, row)
        assert off(code(*row, 1.0), exact) < 16
        assert code(*row, 1.0, check=True) == code(*row, 1.0)
        for step in (1e-16, 1e-12, 1e-8, 1e-4, 1e-1):
            for order in (1 - step, 1 + step):
                expected = exact if order == 1 else true(formula, [*row, order])
                assert off(code(*row, order), expected) < 16


@pytest.mark.parametrize("name", ["Exponential", slow("Gamma")])
def test_derivatives_are_those_of_the_closed_form(name):
    family, draw = catalog[name], np.random.default_rng(2)
    formula = renyi(family, family, "alpha")
    code = formula.compile("numpy", gradient=True)
    for gap, order in ((0.3, 0.25), (1e-8, 0.75), (0.1, 1.5)):
        row = [*members(family, gap, draw), order]
        for x, slope in zip(formula.parameters, code(*row)[1:], strict=True):
            assert off(slope, true(formula, row, x)) < 16


def test_the_member_between():
    p, q = (catalog["Normal"].member(suffix) for suffix in ("_p", "_q"))
    mean, scale = between(p, q, sp.Symbol("a", positive=True))
    values = dict(zip((*p.values, *q.values, sp.Symbol("a", positive=True)), (0, 1, 4, 2, sp.S.Half), strict=True))
    # Precisions 1 and 1/4, and these times the means.
    assert mean.xreplace(values) == sp.Rational(4, 5)
    assert scale.xreplace(values) == sp.sqrt(sp.Rational(8, 5))
    assert between(*(catalog["Uniform"].member(suffix) for suffix in ("_p", "_q")), sp.Symbol("a")) is None


@pytest.mark.parametrize(
    "row",
    [
        (2.4830201522293844, 4.707856652437527, 2.483020162714825, 4.707856674000934),
        (94385239.28810646, 2701028.7683292637, 2.6201963232276916e-07, 7.39686759919346e-08),
        (33859293.381108336, 75776855.08388922, 33859293.38110308, 75776855.08387746),
        (3614815.5292132883, 418475.62240045174, 1274157.5086378048, 148085.23097926352),
    ],
    ids=["near", "far", "nearly one mean", "one mean"],
)
def test_beta(row):
    """The mean of two Beta distributions is rounded by more than a share of what it is off them."""
    family = catalog["Beta"]
    with mp.workdps(60):
        a, b, c, d = map(mp.mpf, row)
        mean = mp.loggamma((a + c) / 2) + mp.loggamma((b + d) / 2) - mp.loggamma((a + b + c + d) / 2)
        ends = (mp.loggamma(x) + mp.loggamma(y) - mp.loggamma(x + y) for x, y in ((a, b), (c, d)))
        exact = -mp.expm1(mean - sum(ends) / 2)
    assert off(hellinger2(family, family).compile("numpy")(*row), exact) < 15
