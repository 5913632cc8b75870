"""Chernoff information: the best order in closed form, beside the greatest measured coefficient, and of arrays."""

import pickle

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import minimize_scalar

import klsym
from klsym import Bernoulli, Cauchy, Exponential, Gamma, Normal, Poisson, Uniform, families, oracles

R = sp.Rational


@pytest.mark.parametrize(
    ("p", "q"),
    [(Exponential(2), Exponential(3)), (Poisson(2), Poisson(5)), (Bernoulli(R(1, 4)), Bernoulli(R(2, 3)))],
    ids=str,
)
def test_against_the_definition(p, q):
    f = klsym.chernoff_information(p, q)
    truth = oracles.measure(f.derivation.divergence, p, q, 12)
    assert f.kind == "closed"
    assert abs(f.evaluate(15).value - truth.mid) <= 1e-12
    orders = [float(klsym.chernoff(p, q, R(k, 10))) for k in range(1, 10)]
    assert max(orders) <= float(f)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Normal", "Geometric", "Rayleigh", "Levy", "HalfNormal", "Maxwell"])
def test_closed_families(name):
    family = families.find(name)
    report = klsym.chernoff_information(family, family).check(points=1)
    assert report.ok, str(report)


def test_normals():
    assert klsym.chernoff_information(Normal(0, 1), Normal(2, 1)).value == R(1, 2)
    f = klsym.chernoff_information(Normal(0, 1), Normal(1, 2))
    best = minimize_scalar(
        lambda alpha: -float(klsym.chernoff(Normal(0, 1), Normal(1, 2), alpha)), bounds=(0, 1), method="bounded"
    )
    assert float(f) == pytest.approx(-best.fun, rel=1e-9)
    assert float(klsym.chernoff_information(Normal(1, 2), Normal(0, 1))) == pytest.approx(float(f), rel=1e-14)
    assert klsym.chernoff_information(Normal(1, 2), Normal(1, 2)).value == 0


def test_not_closed():
    f = klsym.chernoff_information(Gamma(2, 1), Gamma(3, 2))
    assert f.kind == "numeric" and klsym.chernoff_information(Cauchy, Cauchy).kind == "numeric"
    number = f.evaluate(8)
    assert "the greatest is at" in number.why
    assert number.value >= klsym.bhattacharyya(Gamma(2, 1), Gamma(3, 2)).evaluate().value
    assert klsym.chernoff_information(Uniform(0, 1), Uniform(2, 3)).evaluate().value == float("inf")


def test_code_beside_its_diagonal():
    f = klsym.chernoff_information(Exponential, Exponential)
    code = f.compile("numpy")
    assert code(0.7, 0.7) == 0
    for gap in (1e-9, 1e-3):
        want = f.evaluate(20, rate_p=0.7, rate_q=0.7 * (1 + gap)).value
        assert abs(code(0.7, 0.7 * (1 + gap)) - want) <= 16 * np.finfo(float).eps * want


def test_arrays():
    p, q = [[0.25, 0.75], [0.1, 0.9]], [2 / 3, 1 / 3]
    found = klsym.chernoff_information(p, q)
    laws = [float(klsym.chernoff_information(Bernoulli(1 - a), Bernoulli(R(1, 3)))) for (a, _) in p]
    assert np.allclose(found, laws, rtol=1e-13)
    assert klsym.chernoff_information([1.0, 0.0], [0.0, 1.0]) == np.inf
    assert klsym.chernoff_information([0.5, 0.5], [0.5, 0.5], base=2) == 0
    near = klsym.chernoff_information([0.5, 0.5], [0.5 + 1e-9, 0.5 - 1e-9])
    assert near == pytest.approx(klsym.bhattacharyya([0.5, 0.5], [0.5 + 1e-9, 0.5 - 1e-9]), rel=1e-8)


def test_code_at_the_best_order():
    code = klsym.chernoff_information(Gamma, Gamma).compile("numpy", report=True)
    coefficient = klsym.chernoff(Gamma(2, 1), Gamma(3, 2), "s").compile("numpy")
    best = minimize_scalar(lambda s: -coefficient(s), bounds=(0, 1), method="bounded", options={"xatol": 1e-9})
    found = code(2, 1, [3, 2, 2.0001], [2, 1, 1.00001])
    assert found.value[0] == pytest.approx(-best.fun, rel=1e-14)
    assert found.value[1] == 0
    middle = klsym.bhattacharyya(Gamma(2, 1), Gamma(2.0001, 1.00001)).compile("numpy")()
    assert found.value[2] == pytest.approx(middle, rel=1e-8)  # there it is a parabola in the order
    assert (found.error < 1e-12).all()
    assert pickle.loads(pickle.dumps(code))(2, 1, 3, 2).value == found.value[0]
    with pytest.raises(klsym.UnderivableError, match="its order moves too"):
        klsym.chernoff_information(Gamma, Gamma).compile("numpy", gradient=True)


def test_code_where_the_coefficient_is_an_integral():
    """That of Cauchy laws is symmetric in the two (Nielsen and Okamura), so that 1/2 is the best."""
    found = klsym.chernoff_information(Cauchy, Cauchy).compile("numpy")(0, 1, 1, [2, 1])
    middle = klsym.bhattacharyya(Cauchy, Cauchy).compile("numpy")(0, 1, 1, [2, 1])
    np.testing.assert_allclose(found, middle, rtol=1e-13)
