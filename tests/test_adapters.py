"""Distributions of other libraries in klsym's functions: values, shapes, formulas and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
import sympy.stats
from scipy import stats

import klsym
from klsym import Gamma, Normal, ParameterError, entropy, kl


def test_values_and_shapes_of_scipy():
    assert kl(stats.gamma(5, scale=0.5), stats.weibull_min(1.5, scale=3)) == pytest.approx(
        0.19170344182578894, rel=1e-14
    )
    found = kl(stats.norm([0, 1], 1), stats.norm(0, [[1], [2]]))
    assert found.shape == (2, 2) and found[1, 0] == pytest.approx(math.log(2) - 3 / 8, rel=1e-14)
    assert isinstance(kl(stats.norm(), stats.norm(1)), float)
    assert kl(stats.norm(), Normal(1, 1)) == kl(Normal(1, 1), stats.norm()) == 0.5
    assert kl(stats.norm(), stats.norm(1), base=2) == pytest.approx(0.5 / math.log(2), rel=1e-15)
    assert entropy(stats.gamma(2, scale=3)) == pytest.approx(stats.gamma(2, scale=3).entropy(), rel=1e-14)
    assert klsym.jeffreys(stats.norm(), stats.norm(1)) == 1 == 2 * klsym.reverse_kl(stats.norm(), stats.norm(1))
    assert klsym.cross_entropy(stats.expon(), stats.expon(scale=2)) == pytest.approx(0.5 + math.log(2))


def test_near_values_are_those_of_the_parameters_as_given():
    """A rate that is rounded before the difference would be wrong in the seventh digit."""
    gap = (1 + 1e-10) - 1
    assert kl(stats.expon(scale=1), stats.expon(scale=1 + gap)) == pytest.approx(
        gap**2 / 2 * (1 - gap * 4 / 3), rel=1e-15
    )


def test_a_place_of_both_cancels_and_one_of_one_is_integrated():
    moved, other = stats.gamma(2, 1, scale=3), stats.gamma(2.5, 1)
    assert kl(moved, other) == pytest.approx(kl(stats.gamma(2, scale=3), stats.gamma(2.5)), rel=2**-51)
    assert kl(stats.gamma(2.5), moved) == math.inf
    found = kl(moved, stats.gamma(2.5))
    expected = stats.gamma(2).expect(
        lambda x: moved.logpdf(3 * x + 1) - stats.gamma(2.5).logpdf(3 * x + 1), epsabs=1e-12
    )
    assert found == pytest.approx(expected, rel=1e-9)


def test_multivariate_of_scipy():
    p, q = (stats.multivariate_normal([0, k], [[2, 0.5], [0.5, 1 + k]]) for k in (0, 1))
    inverse = np.linalg.inv(q.cov)
    expected = (
        np.trace(inverse @ p.cov) - 2 + inverse[1, 1] + np.linalg.slogdet(q.cov)[1] - np.linalg.slogdet(p.cov)[1]
    ) / 2
    assert kl(p, q) == pytest.approx(expected, rel=1e-13)


def test_formulas_of_sympy():
    mu, s = sp.Symbol("mu", real=True), sp.Symbol("s", positive=True)
    f = kl(sympy.stats.Normal("X", mu, s), sympy.stats.Normal("Y", 0, 1))
    assert f.value.equals((mu**2 + s**2 - 1) / 2 - sp.log(s))
    assert kl(sympy.stats.Gamma("X", 2, s), Gamma(2, 1)).value.equals(2 * (s - 1) - 2 * sp.log(s))
    with pytest.raises(ParameterError, match="succ"):
        kl(sympy.stats.Bernoulli("X", s, 2, 1), sympy.stats.Bernoulli("Y", s))


@pytest.mark.parametrize(
    "name, theirs, arguments",
    [
        ("MatrixNormal", "matrix_normal", (([[0, 1]], [[3]], [[2, 1], [1, 2]]), ([[1, 1]], [[2]], [[2, 0], [0, 1]]))),
        ("MultivariateBeta", "dirichlet", (([2, 3],), ([4, 1],))),
        ("MultivariateNormal", "multivariate_normal", (([0, 1], [[2, 1], [1, 2]]), ([1, 1], [[2, 0], [0, 1]]))),
        ("Wishart", "wishart", ((3, [[2, 1], [1, 2]]), (4, [[2, 0], [0, 1]]))),
    ],
)
def test_arrays_of_sympy_have_the_divergences_of_scipys(name, theirs, arguments):
    random = [getattr(sympy.stats, name)("X", *values) for values in arguments]
    frozen = [getattr(stats, theirs)(*values) for values in arguments]
    assert float(kl(*random)) == pytest.approx(kl(*frozen), rel=1e-13) != 0


@pytest.mark.parametrize(
    "p, q, says",
    [
        (stats.exponweib(1, 2), stats.norm(), "did you mean 'expon'"),
        (stats.norm(), Normal("mu", 1), "needs numbers"),
        (stats.norm(), Normal, "needs values"),
        (stats.norm(), [0.5, 0.5], "is no distribution"),
        (stats.norm(), stats.dirichlet([1.0, 2.0]), "no common space"),
        (stats.norm(), sympy.stats.Normal("X", 0, 1), "two distributions of one library"),
    ],
)
def test_refusals(p, q, says):
    with pytest.raises(ParameterError, match=says):
        kl(p, q)


def test_options_that_mean_nothing():
    with pytest.raises(TypeError, match="share"):
        kl(stats.norm(), stats.norm(), share=["mu"])
