"""Wasserstein distances: against quantiles of the densities, where they are infinite, their code, and arrays."""

import random

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy import stats
from scipy.integrate import quad

import klsym
from klsym import (
    Bernoulli,
    Cauchy,
    Exponential,
    Gamma,
    Geometric,
    Laplace,
    Logistic,
    LogNormal,
    Normal,
    Pareto,
    Poisson,
    StudentT,
    Uniform,
    VonMises,
    Weibull,
    cli,
    families,
    oracles,
    wasserstein1,
    wasserstein2,
)
from klsym.core.continuity import at
from klsym.core.errors import ParameterError, UnderivableError, VectorError
from klsym.core.sampling import draw
from klsym.evaluation import precise

R = sp.Rational


def against_quantiles(f, digits=14):
    truth = oracles.measure(f.derivation.divergence, f.p, f.q, digits)
    assert truth.vouched, truth.note
    value = f.evaluate(digits).value
    assert abs(value - truth.mid) <= mp.mpf(10) ** (2 - digits) * (1 + abs(truth.mid)), f"{f}: {truth.mid}"


def test_location_and_scale():
    against_quantiles(klsym.wasserstein1(Laplace(0, 1), Laplace(1, 2)), 12)
    against_quantiles(klsym.wasserstein2(Uniform(0, 1), Uniform(R(1, 2), 3)), 12)


def test_ranked_laws():
    """Of ranked laws the distance is that of the means; of others it is more."""
    assert klsym.wasserstein1(Gamma(2, 1), Gamma(3, 1)).value == 1
    against_quantiles(klsym.wasserstein1(Gamma(2, 2), Gamma(3, 1)), 12)
    against_quantiles(klsym.wasserstein1(Poisson(2), Poisson(5)))
    crossing = klsym.wasserstein1(Gamma(2, 1), Gamma(4, 3))
    assert crossing.kind == "numeric"
    assert crossing.evaluate(8).value > mp.mpf(2) / 3


@pytest.mark.slow
@pytest.mark.parametrize("name", families.catalog)
@pytest.mark.parametrize("order", [1, 2])
def test_every_family_against_quantiles(name, order):
    family = families.catalog[name]
    f = klsym.wasserstein(family, family, order)
    for case in f.cases:
        earlier = [sp.Not(c.when) for c in f.cases[: f.cases.index(case)]]
        point = draw((f.p, f.q), sp.And(case.when, *earlier), random.Random(name))
        if case.kind != "closed" or point is None:
            continue
        truth = oracles.measure(f.derivation.divergence, f.p.subs(point), f.q.subs(point), 14)
        value = precise(at(case.value, point), 16)
        if truth.vouched:
            assert abs(value - truth.mid) <= 1e-11 * (1 + abs(value)), f"{f.title} {point}"


@pytest.mark.slow
@pytest.mark.parametrize("family", [Weibull, LogNormal, Pareto, StudentT], ids=lambda f: f.name)
def test_steps_and_code(family):
    report = klsym.wasserstein1(family, family).check(points=1)
    assert not [row for row in report.rows if row.verdict.value == "disagree"], str(report)


def test_where_it_is_infinite():
    assert klsym.wasserstein(Cauchy(0, 1), Cauchy(0, 2)).evaluate().value == mp.inf
    assert klsym.wasserstein(Cauchy(0, 1), Cauchy(3, 1), 2).evaluate().value == 3
    assert klsym.wasserstein(Normal(0, 1), Cauchy(0, 1)).evaluate().value == mp.inf
    assert klsym.wasserstein(StudentT(R(3, 2), 0, 1), Normal(0, 1), 2).kind == "infinite"
    assert klsym.wasserstein2_squared(StudentT(3, 0, 1), StudentT(3, 1, 2)).value == 4
    f = klsym.wasserstein2(Pareto, Pareto)
    assert f.evaluate(xm_p=1, alpha_p=R(3, 2), xm_q=1, alpha_q=2).value == mp.inf
    assert f.evaluate(xm_p=1, alpha_p=R(3, 2), xm_q=1, alpha_q=R(3, 2)).value == 0


def test_order_and_symmetry():
    p, q = Normal(0, 1), Normal(1, 3)
    first, second = (klsym.wasserstein(p, q, order).evaluate().value for order in (1, 2))
    assert 1 <= first <= second == pytest.approx(np.sqrt(5))
    assert klsym.wasserstein(q, p).evaluate().value == pytest.approx(first, rel=1e-15)
    with pytest.raises(ParameterError, match="order 1 and 2"):
        klsym.wasserstein(p, q, 3)
    with pytest.raises(UnderivableError):
        klsym.wasserstein(klsym.MultivariateNormal, klsym.MultivariateNormal)
    assert klsym.wasserstein(VonMises, VonMises).kind == "undecided"


@pytest.mark.parametrize("family", [Normal, Exponential, Bernoulli], ids=lambda f: f.name)
def test_code_beside_its_diagonal(family):
    for f in (klsym.wasserstein1(family, family), klsym.wasserstein2(family, family)):
        if f.kind != "closed" or f.condition.has(sp.Eq):
            continue
        code = f.compile("numpy")
        p = [0.3, 0.7][: len(f.parameters) // 2]
        assert code(*p, *p) == 0
        for gap in (1e-12, 1e-3):
            numbers = [*p, p[0] * (1 + gap), *(v * (1 - gap / 4) for v in p[1:])]
            want = f.evaluate(20, **dict(zip(map(str, f.parameters), numbers, strict=True))).value
            assert abs(code(*numbers) - want) <= 16 * np.finfo(float).eps * want


def test_code_takes_arrays():
    code = klsym.wasserstein1(Normal, Normal).compile("numpy")
    assert np.allclose(code(0, 1, [1, 1, 0], [1, 2, -1]), [1, 1.1666309, np.nan], equal_nan=True)
    value, *slopes = klsym.wasserstein1(Exponential, Exponential).compile("numpy", gradient=True)(1.0, 2.0)
    assert (value, *slopes) == pytest.approx((0.5, -1, 0.25))


def test_arrays():
    rng = np.random.default_rng(3)
    positions = np.sort(rng.uniform(0, 5, 6))
    p, q = rng.dirichlet(np.ones(6), 4), rng.dirichlet(np.ones(6), 4)
    found = klsym.wasserstein(p, q, positions=positions)
    wanted = [stats.wasserstein_distance(positions, positions, *rows) for rows in zip(p, q, strict=True)]
    assert np.allclose(found, wanted, rtol=1e-13)
    assert np.all(klsym.wasserstein(p, q, 2, positions=positions) >= found)
    assert klsym.wasserstein([0.5, 0, 0.5], [0.25, 0.5, 0.25], 2) == pytest.approx(np.sqrt(0.5))
    near = p[0] + np.array([1e-13, 0, 0, 0, 0, -1e-13])
    assert klsym.wasserstein(p[0], near, positions=positions) == pytest.approx(
        1e-13 * (positions[-1] - positions[0]), rel=1e-2
    )
    with pytest.raises(VectorError, match="positions"):
        klsym.wasserstein([0.5, 0.5], [1, 0], positions=[1, 0])


def test_command_line(capsys):
    words = ["normal", "mu=0", "sigma=1", "normal", "mu=3", "sigma=5"]
    assert cli.main(["evaluate", "--divergence", "wasserstein2", *words]) == 0
    assert capsys.readouterr().out.startswith("5.00000000000000")


def test_code_of_distribution_functions_that_cross():
    """Beside SciPy's integral of |F - G|; the two functions cross where the code has to find it."""
    first, second = stats.norm(0.3, 1.1), stats.logistic(-0.2, 0.7)
    want, _ = quad(lambda x: abs(first.cdf(x) - second.cdf(x)), -60, 60, limit=500, epsabs=1e-13)
    found = wasserstein1(Normal, Logistic).compile("numpy", report=True)(0.3, 1.1, [-0.2, -100], 0.7)
    assert found.value[0] == pytest.approx(want, rel=1e-9)
    assert found.value[1] == pytest.approx(100.3, rel=1e-13)  # one lies below the other: their means differ
    assert (found.error < 1e-9).all()
    scaled = wasserstein1(Normal, Laplace).compile("numpy")([0, 7], [1, 3], [0, 7], [1, 3])
    assert scaled[1] == pytest.approx(3 * scaled[0], rel=1e-13)


def test_code_of_what_needs_quantiles_is_refused():
    with pytest.raises(UnderivableError, match="compares quantiles"):
        wasserstein2(Gamma, Weibull).compile("numpy")
    with pytest.raises(UnderivableError, match="of counts"):
        wasserstein1(Poisson, Geometric).compile("numpy")
