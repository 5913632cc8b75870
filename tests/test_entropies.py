"""Renyi and Tsallis entropies: against the definition, their limit and order, of laws and of arrays."""

import math
import random
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import klsym
from klsym import Bernoulli, Beta, Binomial, Cauchy, Gamma, Geometric, Normal, Pareto, cli, families, oracles
from klsym.core.errors import ParameterError
from klsym.core.sampling import draw

HALF = sp.Rational(1, 2)


def member(family, seed):
    own = family.member("")
    point = draw((own,), sp.true, random.Random(f"{family.name} {seed}"))
    return own.subs(point)


@pytest.mark.parametrize("name", ["Normal", "Weibull", "StudentT", "Zeta", "Triangular", "AsymmetricLaplace"])
@pytest.mark.parametrize("order", [HALF, sp.Integer(2)])
def test_against_the_definition(name, order):
    f = klsym.renyi_entropy(member(families.find(name), 1), order)
    truth = oracles.measure(f.derivation.divergence, f.p, digits=18)
    assert f.kind == "closed" and truth.vouched
    assert abs(f.evaluate(20).value - truth.mid) <= 1e-15 * (1 + abs(truth.mid))


@pytest.mark.slow
@pytest.mark.parametrize("name", families.catalog)
def test_every_family_against_the_definition(name):
    for order in (HALF, sp.Integer(2)):
        f = klsym.renyi_entropy(member(families.catalog[name], 2), order)
        if f.kind in ("closed", "infinite"):
            truth = oracles.measure(f.derivation.divergence, f.p, digits=18)
            value = f.evaluate(20).value
            assert not truth.vouched or value == truth.mid or abs(value - truth.mid) <= 1e-13 * (1 + abs(value))


@pytest.mark.parametrize("family", [Normal, Gamma, Beta, Geometric, Bernoulli], ids=lambda f: f.name)
def test_orders(family):
    """At order 1 both are the entropy, in the limit; the Renyi entropy falls as its order grows."""
    p = member(family, 3)
    limit, step = klsym.entropy(p).evaluate(25).value, sp.Rational(1, 10**9)
    for entropy in (klsym.renyi_entropy, klsym.tsallis_entropy):
        for order in (1 - step, 1 + step):
            assert abs(entropy(p, order).evaluate(25).value - limit) < 1e-7
    values = [klsym.renyi_entropy(p, sp.Rational(k, 10)).evaluate().value for k in (3, 9, 11, 20)]
    assert all(a >= b for a, b in pairwise([*values[:2], limit, *values[2:]]))
    square = klsym.tsallis_entropy(p, 2).evaluate(25).value
    assert abs(-mp.log(1 - square) - klsym.renyi_entropy(p, 2).evaluate(25).value) < 1e-14


def test_where_the_integral_diverges():
    assert klsym.renyi_entropy(Cauchy(0, 1), HALF).evaluate().value == mp.inf
    assert klsym.renyi_entropy(Beta(HALF, 2), 2).evaluate().value == -mp.inf
    assert klsym.tsallis_entropy(Beta(HALF, 2), 2).evaluate().value == -mp.inf
    f = klsym.renyi_entropy(Pareto, "a")
    assert [str(case.value) for case in f.cases[1:]] == ["oo", "-oo"]
    code = klsym.renyi_entropy(Beta, 2).compile("numpy")
    assert np.array_equal(code([0.5, 2.0], 2.0) == -np.inf, [True, False])


def test_steps_code_and_numeric_value():
    report = klsym.renyi_entropy(Gamma, "a").check(points=1)
    assert report.ok, str(report)
    assert {"formula", "numpy code"} < {row.what for row in report.rows}
    assert klsym.renyi_entropy(Binomial, 2).kind == "numeric"
    masses = [0.125, 0.375, 0.375, 0.125]
    assert klsym.renyi_entropy(Binomial(3, HALF), HALF).evaluate().value == pytest.approx(
        klsym.renyi_entropy(masses, 0.5), rel=1e-14
    )


def test_arrays():
    p = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    for order in (0.5, 2.0, 1 + 2**-40):
        with mp.workdps(40):
            exact = [mp.log(mp.fsum(mp.mpf(x) ** order for x in row if x)) / (1 - mp.mpf(order)) for row in p]
        assert np.allclose(klsym.renyi_entropy(p, order), np.array(exact, float), rtol=1e-14, atol=0)
    assert np.allclose(klsym.renyi_entropy(p, 0, base=2), np.log2([2, 3]))
    assert np.allclose(klsym.renyi_entropy(p, math.inf), -np.log([0.5, 0.5]))
    assert klsym.renyi_entropy([1, 1, 2], 1e6, normalize=True) == pytest.approx(math.log(2) * 1e6 / (1e6 - 1))
    assert np.allclose(klsym.tsallis_entropy(p, 2), 1 - (p**2).sum(-1))
    with pytest.raises(ParameterError, match="the limit is the entropy"):
        klsym.renyi_entropy([0.5, 0.5], 1)


def test_command_line(capsys):
    words = ["--divergence", "renyi_entropy", "--alpha", "2", "exponential", "rate=1"]
    assert cli.main(["evaluate", *words]) == 0
    assert capsys.readouterr().out.startswith("0.6931471805599")
    with pytest.raises(ParameterError, match="a limit, the entropy"):
        klsym.renyi_entropy(Normal, 1)
