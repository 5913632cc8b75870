"""Divergences from their generators: the known ones again, any other measured, supports, and what is refused."""

import math

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import klsym
from klsym import (
    Bernoulli,
    Exponential,
    Gamma,
    Normal,
    ParameterError,
    Poisson,
    Uniform,
    cli,
    divergences,
    f_divergence,
    oracles,
)
from klsym.generators import generated

T = sp.Symbol("x")
N, M = Normal(0, 1), Normal(1, 1)
LE_CAM = "(t - 1)**2/(t + 1)"


@pytest.mark.parametrize(
    ("f", "known"),
    [
        ("t*log(t)", klsym.kl),
        (-sp.log(T), klsym.reverse_kl),
        (lambda t: (t - 1) * sp.log(t), klsym.jeffreys),
        (sp.Lambda(T, (T - 1) ** 2), klsym.chi2),
        ("1/t - 1", klsym.reverse_chi2),
        (0.5 * (sp.sqrt(T) - 1) ** 2, klsym.hellinger2),
    ],
    ids=["kl", "reverse_kl", "jeffreys", "chi2", "reverse_chi2", "hellinger2"],
)
def test_known_divergences_are_closed(f, known):
    for p, q in ((Exponential, Exponential), (N, M)):
        found, wanted = f_divergence(p, q, f), known(p, q)
        assert found.kind == "closed"
        assert sp.expand(found.value - wanted.value) == 0
        assert found.condition == wanted.condition
    assert found.unit == ""
    p, q = np.array([0.2, 0.8, 0.0]), np.array([0.3, 0.3, 0.4])
    assert f_divergence(p, q, f) == pytest.approx(known(p, q), rel=1e-15)


def test_sums_of_known_divergences():
    f = f_divergence(Exponential, Exponential, "t**3 - 1 + t*log(t)")
    assert [case.kind for case in f.cases] == ["closed", "infinite"]
    report = f.check(points=1, backend=None)
    assert report.ok, str(report)
    near = f_divergence([0.5, 0.5], [0.5 + 1e-7, 0.5 - 1e-7], "t**3 - 1 + t*log(t)")
    assert near == pytest.approx(7 / 2 * 4e-14, rel=1e-6)  # f''(1)/2 times chi2
    assert f_divergence(N, Gamma(2, 1), "t**2 - t + t*log(t)").value == sp.oo


def test_others_are_measured():
    f = f_divergence(Poisson, Poisson, LE_CAM)
    assert f.kind == "numeric"
    a, b = mp.mpf(2), mp.mpf(3)
    masses = [(mp.exp(-a) * a**k / mp.factorial(k), mp.exp(-b) * b**k / mp.factorial(k)) for k in range(60)]
    textbook = mp.fsum((p - q) ** 2 / (p + q) for p, q in masses)
    assert f.evaluate(15, lam_p=2, lam_q=3).value == pytest.approx(textbook, rel=1e-13)
    half = generated("abs(t - 1)/2")
    for p, q in ((Exponential(1), Uniform(0, 1)), (Poisson(2), Bernoulli(0.3))):
        there, again = (oracles.measure(d, p, q, 15) for d in (half, divergences.total_variation))
        assert abs(there.mid - again.mid) <= there.rad + again.rad + 1e-15


@pytest.mark.parametrize("gap", [6, 12])
def test_near_equality(gap):
    step = sp.Rational(1, 10**gap)
    found = oracles.measure(generated(LE_CAM), Poisson(2), Poisson(2 + step), 15)
    assert found.rad < 1e-14 * found.mid
    assert found.mid / (mp.mpf(10) ** (-2 * gap) / 4) == pytest.approx(1, abs=2 * 10.0**-gap)


def test_supports():
    assert f_divergence(Uniform(0, 1), Uniform(2, 3), LE_CAM).value == 2
    assert f_divergence(Uniform(0, 2), Uniform(1, 3), LE_CAM).value == 1
    assert f_divergence(Normal(0, 1), Poisson(1), "max(0, t - 1)").value == 1
    assert f_divergence(Normal(0, 1), Gamma(2, 1), "t*log(t)").value == sp.oo
    assert f_divergence(Gamma(2, 1), Normal(0, 1), "t*log(t)").kind == "closed"
    squares = oracles.measure(generated("(t - 1)**2"), Uniform(0, 1), Uniform(0, 2), 15)
    assert squares.mid == pytest.approx(1)
    assert oracles.measure(generated("t*log(t)*exp(t - 1)"), Uniform(0, 2), Uniform(0, 1), 15).mid == mp.inf
    assert f_divergence(N, M, "t - 1").value == 0


def test_a_generator_touches_zero():
    for f in ("t*log(t)", "t**2 - 1", "max(t - 1, 3*t - 3)", LE_CAM, "log(2/(1 + t)) + (t - 1)/2"):
        generator = generated(f).generator
        assert generator.subs(divergences.RATIO, 1) == 0
        assert min(generator.subs(divergences.RATIO, t) for t in (0.1, 0.9, 1.1, 7.0)) >= 0


@pytest.mark.parametrize(
    ("f", "says"),
    [
        ("t**2", r"f\(1\) is 1 .* subtract 1"),
        ("1 - t**2", "not convex"),
        ("log(t)", "not convex"),
        ("t*log(t) + x", "its one name is t"),
        ("__import__('os')", "which is not read"),
        ("sqrt(t - 1)", "no finite real number at t"),
        (sp.Function("g")(T), "outside the grammar"),
        (T * sp.Symbol("y") - sp.Symbol("y"), "2 symbols"),
        (3.0, "is a float"),
        (lambda t: "t", "gives a str"),
    ],
)
def test_what_is_refused(f, says):
    with pytest.raises(ParameterError, match=says):
        f_divergence(N, M, f)


def test_arrays_of_other_generators():
    with pytest.raises(ParameterError, match="of arrays is known where"):
        f_divergence([0.5, 0.5], [0.25, 0.75], LE_CAM)


def test_command_line(capsys):
    words = "evaluate normal mu=0 sigma=1 normal mu=1 sigma=1 --divergence f_divergence".split()
    assert cli.main([*words, "--generator", "t*log(t)"]) == 0
    assert math.isclose(float(capsys.readouterr().out.split()[0]), 0.5)
    assert cli.main(words) == 2
    assert "--generator" in capsys.readouterr().err
