"""Fisher-Rao distances: lengths from the definition, the eikonal equation, the diagonal, and normal vectors."""

import random

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy.linalg import sqrtm

import klsym
from klsym import Bernoulli, ChiSquared, Gamma, Laplace, Normal, Poisson, StudentT, cli, divergences, families, oracles
from klsym.core.errors import ParameterError
from klsym.core.sampling import draw
from klsym.gaussian import fisher_rao, wasserstein2

R = sp.Rational
PLANES = ("Normal", "Gumbel", "Weibull", "Cauchy")


@pytest.mark.parametrize(
    "name",
    ["Bernoulli", pytest.param("Poisson", marks=pytest.mark.slow), pytest.param("Geometric", marks=pytest.mark.slow)],
)
def test_along_one_parameter(name):
    family = families.find(name)
    f = klsym.fisher_rao(family, family)
    point = draw((f.p, f.q), sp.true, random.Random(name))
    truth = oracles.measure(divergences.fisher_rao, f.p.subs(point), f.q.subs(point), 12)
    assert truth.vouched
    assert abs(f.value.xreplace(point).n(20) - truth.mid) <= 1e-13


@pytest.mark.parametrize("name", PLANES)
def test_the_gradient_has_length_one(name):
    """A distance from P solves the eikonal equation, and near P it is the root of the Fisher information."""
    family = families.find(name)
    f = klsym.fisher_rao(family, family)
    assert f.kind == "closed"
    point = draw((f.p, f.q), sp.true, random.Random(name))
    metric = klsym.fisher(family).xreplace({s: q for s, q in zip(family.member("").values, f.q.values, strict=True)})
    slopes = sp.Matrix([f.value.diff(q) for q in f.q.values])
    with mp.workdps(30):
        g, d = (mp.matrix([[mp.mpf(str(e.xreplace(point).n(25))) for e in m.row(i)] for i in range(m.rows)])
                for m in (metric, slopes))  # fmt: skip
        assert abs((d.T * mp.inverse(g) * d)[0] - 1) < 1e-18
    near = {q: p * (1 + R(1, 10**9)) for p, q in zip(f.p.values, f.q.values, strict=True)}
    step = sp.Matrix([near[q] - p for p, q in zip(f.p.values, f.q.values, strict=True)])
    at_p = klsym.fisher(family).xreplace(dict(zip(family.member("").values, f.p.values, strict=True)))
    length = sp.sqrt((step.T * at_p * step)[0]).xreplace(point).n(20)
    assert abs(f.value.xreplace(near).xreplace(point).n(20) / length - 1) < 1e-7


def test_shared_parameters_and_what_is_not_known():
    assert klsym.fisher_rao(Normal(0, 2), Normal(3, 2)).value == R(3, 2)
    assert klsym.fisher_rao(Normal(0, 2), Normal(0, 2)).value == 0
    assert float(klsym.fisher_rao(Normal(0, 1), Normal(0, sp.E))) == pytest.approx(np.sqrt(2))
    assert klsym.fisher_rao(StudentT, StudentT, share=["nu"]).kind == "closed"
    assert klsym.fisher_rao(Gamma, Gamma).kind == klsym.fisher_rao(Laplace, Laplace).kind == "undecided"
    assert klsym.fisher_rao(Normal(0, 1), Gamma(1, 1)).kind == "undecided"
    assert klsym.fisher_rao(ChiSquared, ChiSquared).kind == "numeric"


@pytest.mark.parametrize("family", [Normal, Poisson, Bernoulli], ids=lambda f: f.name)
def test_code_beside_its_diagonal(family):
    f = klsym.fisher_rao(family, family)
    code, p = f.compile("numpy"), [0.3, 0.7][: len(f.parameters) // 2]
    assert code(*p, *p) == 0
    for gap in (1e-12, 1e-3):
        numbers = [*p, *(v * (1 + gap) for v in p)]
        want = f.evaluate(20, **dict(zip(map(str, f.parameters), numbers, strict=True))).value
        assert abs(code(*numbers) - want) <= 16 * np.finfo(float).eps * want


def test_arrays():
    assert klsym.fisher_rao([0.25, 0.75], [0.5, 0.5]) == pytest.approx(
        float(klsym.fisher_rao(Bernoulli(R(3, 4)), Bernoulli(R(1, 2)))), rel=1e-14
    )


def test_normal_vectors():
    rng = np.random.default_rng(1)
    a, b = (m @ m.T + np.eye(3) for m in rng.normal(size=(2, 3, 3)))
    mean = rng.normal(size=3)
    root = sqrtm(a)
    square = mean @ mean + np.trace(a + b - 2 * sqrtm(root @ b @ root).real)
    assert wasserstein2(mean, a, 0 * mean, b) == pytest.approx(np.sqrt(square), rel=1e-12)
    diagonal = wasserstein2([0, 1], np.diag([1.0, 4.0]), [1, 1], np.diag([1.0 + 1e-10, 4.0]))
    assert diagonal == pytest.approx(1)
    assert wasserstein2([0], [[1.0]], [0], [[1 + 2e-12]]) == pytest.approx(1e-12, rel=1e-4)
    assert fisher_rao(a, b) == pytest.approx(fisher_rao(np.linalg.inv(a), np.linalg.inv(b)), rel=1e-10)
    assert fisher_rao([[4.0]], [[9.0]]) == pytest.approx(float(klsym.fisher_rao(Normal(0, 2), Normal(0, 3))))
    with pytest.raises(ParameterError, match="positive definite"):
        fisher_rao([[1.0, 2.0], [2.0, 1.0]], np.eye(2))


def test_command_line(capsys):
    assert cli.main(["derive", "--divergence", "fisher_rao", "exponential", "exponential"]) == 0
    assert "log(rate_p)" in capsys.readouterr().out
