"""Distributions of other libraries: each row of each table beside its library's own log density."""

from __future__ import annotations

import math
from importlib import import_module

import numpy as np
import pytest
import sympy as sp
import sympy.stats
from scipy import stats

import klsym
from klsym import Gamma, Normal, ParameterError, entropy, kl
from klsym.adapters import scipy as from_scipy
from klsym.adapters import sympy as from_sympy
from klsym.adapters.measure import bound
from klsym.arrays.walk import walk
from klsym.core.family import Distribution, exact


def log_density(reading, plain, x):
    """klsym's log density of a reading at an outcome, from the numbers that its library has."""
    law, values = reading.law, {name: plain(value) for name, value in reading.values.items()}
    if isinstance(law, Distribution):
        numbers = {s: exact(float(values[s.name]), s.name) for s in law.symbols}
        return float(law.log_density(exact(float(x), "x")).xreplace(numbers).evalf(20))
    symbols = {v: values[str(v)] for v in law.values if str(v) in values}
    outcome = np.asarray(x, dtype=float)
    sizes = {}
    for parameter in law.family.parameters:
        sizes |= dict(zip(parameter.dimensions, np.shape(values[str(law.bindings[parameter.symbol])]), strict=False))
    if law.family.outcome.name == "categories":
        outcome = int(outcome) + 1
        name = next(iter(values))
        p = values[name] if name == "probs" else np.exp(values[name]) / np.exp(values[name]).sum()
        return math.log(p[outcome - 1])
    return float(np.squeeze(walk(law.log_density().xreplace({}), {**symbols, **sizes, law.variable: outcome})))


SHAPES = {
    "erlang": (3,),
    "hypergeom": (12, 5, 4),
    "binom": (5, 0.4),
    "betabinom": (5, 0.6, 1.3),
    "randint": (2, 7),
    "zipf": (2.5,),
    "geninvgauss": (-0.4, 1.3),
    "poisson": (2.5,),
    "nbinom": (2.5, 0.4),
}
FROZEN = {
    "dirichlet_frozen": lambda: stats.dirichlet([0.6, 1.3, 2.0]),
    "invwishart_frozen": lambda: stats.invwishart(3.5, [[2, 0.5], [0.5, 1]]),
    "matrix_normal_frozen": lambda: stats.matrix_normal(
        [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[2, 0.5], [0.5, 1]], np.diag([1.0, 2.0, 3.0])
    ),
    "multinomial_frozen": lambda: stats.multinomial(5, [0.2, 0.3, 0.5]),
    "multivariate_normal_frozen": lambda: stats.multivariate_normal([0.1, 0.2], [[2, 0.5], [0.5, 1]]),
    "wishart_frozen": lambda: stats.wishart(3.5, [[2, 0.5], [0.5, 1]]),
}


def frozen(name, *moved):
    found = getattr(stats, name)
    count = found.numargs
    return found(*SHAPES.get(name, tuple(0.6 + 0.7 * k for k in range(count))), *moved)


@pytest.mark.parametrize("moved", [(), (0.7, 1.8)], ids=["standard", "moved"])
@pytest.mark.parametrize("name", from_scipy.CONTINUOUS)
def test_scipy_continuous(name, moved):
    d = frozen(name, *moved)
    (reading,) = from_scipy.LIBRARY.read(d)
    for x in d.ppf([0.1, 0.4, 0.8]):
        assert log_density(reading, np.asarray, x) == pytest.approx(d.logpdf(x), rel=1e-9, abs=1e-11)


def test_scipy_circular():
    d = stats.vonmises(2.0, loc=0.5)
    (reading,) = from_scipy.LIBRARY.read(d)
    for x in (-2.0, 0.3, 2.5):
        assert log_density(reading, np.asarray, x) == pytest.approx(d.logpdf(x), rel=1e-12)


@pytest.mark.parametrize("moved", [(), (2,)], ids=["standard", "moved"])
@pytest.mark.parametrize("name", from_scipy.DISCRETE)
def test_scipy_discrete(name, moved):
    d = frozen(name, *moved)
    (reading,) = from_scipy.LIBRARY.read(d)
    for x in d.ppf([0.3, 0.6, 0.9]):
        assert log_density(reading, np.asarray, x) == pytest.approx(d.logpmf(x), rel=1e-9)


@pytest.mark.parametrize("name", from_scipy.MULTIVARIATE)
def test_scipy_multivariate(name):
    d = FROZEN[name]()
    (reading,) = from_scipy.LIBRARY.read(d)
    for seed in range(2):
        x = np.squeeze(d.rvs(1, random_state=seed))
        expected = (d.logpmf if hasattr(d, "logpmf") else d.logpdf)(x)
        assert log_density(reading, np.asarray, x) == pytest.approx(float(np.squeeze(expected)), rel=1e-9)


@pytest.mark.skipif(not hasattr(stats, "make_distribution"), reason="SciPy's new infrastructure is not there")
def test_scipy_new_infrastructure():
    made = stats.make_distribution(stats.gamma)(a=2.0)
    cases = [
        stats.Normal(mu=1.0, sigma=2.0),
        stats.Normal(),
        stats.Uniform(a=1.0, b=3.0),
        made,
        3 * made + 1,
        1 - stats.Normal(mu=1.0, sigma=2.0) * 2,
    ]
    for d in cases:
        (reading,) = from_scipy.LIBRARY.read(d)
        for x in (d.icdf(0.2), d.icdf(0.7)):
            assert log_density(reading, np.asarray, x) == pytest.approx(float(d.logpdf(x)), rel=1e-12)


# What a random variable of SymPy is made with, where rationals below 1 for its parameters are not enough.
VARIABLES = {
    "Arcsin": (-1, 2),
    "Chi": (3,),
    "ChiSquared": (3,),
    "Die": (6,),
    "FDistribution": (3, 5),
    "Hypergeometric": (12, 5, 4),
    "MatrixNormal": ([[0, 1]], [[1]], [[2, 1], [1, 2]]),
    "Multinomial": (3, sp.Rational(1, 4), sp.Rational(3, 4)),
    "MultivariateBeta": (sp.Rational(3, 2), 2),
    "MultivariateNormal": ([0, 1], [[2, 1], [1, 2]]),
    "Triangular": (0, 3, 1),
    "Wishart": (3, [[2, 1], [1, 2]]),
    "Zeta": (sp.Rational(5, 2),),
}
REST = {"m": 0, "mu": 0, "minimum": False, "a": 0, "b": 1, "succ": 1, "fail": 0}


def variable(name):
    """A random variable of SymPy of that distribution."""
    if name in VARIABLES:
        return getattr(sympy.stats, name)("X", *VARIABLES[name])
    modules = [import_module(f"sympy.stats.{kind}_types") for kind in ("crv", "drv", "frv")]
    (kind,) = (vars(m)[f"{name}Distribution"] for m in modules if f"{name}Distribution" in vars(m))
    integers = {s.name: s.is_integer for s in from_sympy.ROWS[name].symbols}
    arguments = [
        (4 if integers[n] else sp.Rational(12 + 3 * k, 20)) if n in integers else REST[n]
        for k, n in enumerate(kind._argnames)
    ]
    return getattr(sympy.stats, name)("X", *arguments)


@pytest.mark.parametrize("name", [n for n, law in from_sympy.ROWS.items() if isinstance(law, Distribution)])
def test_sympy(name):
    X = variable(name)
    (reading,) = from_sympy.LIBRARY.read(X)
    law, density = bound(reading), sympy.stats.density(X)
    low, high = (float(end) if end.is_finite else math.inf for end in (law.support.lower, law.support.upper))
    low = -1.0 if low == math.inf else low
    for part in (0.3, 0.6):
        x = (
            sp.Integer(round(low + 3 * part - 0.6))
            if law.family.discrete
            else exact(low + min(high - low, 3) * part, "x")
        )
        expected = density[x] if isinstance(density, dict) else density(x)
        assert float(law.log_density(x).evalf(20)) == pytest.approx(math.log(sp.N(expected)), rel=1e-9)


@pytest.mark.parametrize("name", [n for n, law in from_sympy.ROWS.items() if not isinstance(law, Distribution)])
def test_sympy_arrays(name):
    X = variable(name)
    assert kl(X, X).evaluate().value == 0
    assert float(kl(X, variable(name))) == 0


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
    assert kl(moved, other) == kl(stats.gamma(2, scale=3), stats.gamma(2.5))
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
