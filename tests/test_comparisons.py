"""Jensen-Shannon and total variation: known values, near P = Q, on supports that differ, axioms and inequalities."""

import math
import random

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import klsym
from klsym import (
    Bernoulli,
    Beta,
    Cauchy,
    DiscreteUniform,
    Exponential,
    Gamma,
    Geometric,
    LogNormal,
    Normal,
    ParameterError,
    Poisson,
    Uniform,
    cli,
    divergences,
    jensen_shannon,
    jensen_shannon_distance,
    oracles,
    total_variation,
)
from klsym.core.sampling import draw
from klsym.divergences import ordered

HALF = sp.Rational(1, 2)
JS = ordered(divergences.jensen_shannon, HALF)
TV = divergences.total_variation


def number(formula, digits=15):
    return formula.evaluate(digits).value


def members(family, seed, count=2):
    drawn = (draw((family.member(""),), sp.true, random.Random(f"{seed} {k}")) for k in range(count))
    return [family.member("").subs(point) for point in drawn]


def test_values_known_otherwise():
    assert number(total_variation(Normal(0, 1), Normal(1, 1))) == pytest.approx(math.erf(1 / math.sqrt(8)), rel=1e-14)
    assert number(total_variation(Beta(2, 3), Beta(3, 2))) == pytest.approx(0.375, rel=1e-14)
    assert number(total_variation(Bernoulli(0.2), Bernoulli(0.7))) == pytest.approx(0.5, rel=1e-15)
    a, b = mp.mpf(2), mp.mpf(3)
    masses = [(mp.exp(-a) * a**k / mp.factorial(k), mp.exp(-b) * b**k / mp.factorial(k)) for k in range(60)]
    textbook = mp.fsum(p * mp.log(2 * p / (p + q)) + q * mp.log(2 * q / (p + q)) for p, q in masses) / 2
    assert number(jensen_shannon(Poisson(2), Poisson(3))) == pytest.approx(textbook, rel=1e-13)


@pytest.mark.parametrize("gap", [1e-6, 1e-12])
def test_near_equality(gap):
    step = sp.Rational(1, round(1 / gap))
    near = oracles.measure(TV, Exponential(1), Exponential(1 + step), 15)
    with mp.workdps(30):
        h = mp.mpf(1) / round(1 / gap)
        crossing = mp.log1p(h) / h
        assert abs(near.mid / (mp.exp(-crossing) - mp.exp(-crossing * (1 + h))) - 1) < 1e-14
    # w (1 - w)/2 times the Fisher information, 1/2 here, times the square of the step, to its next order
    mean = oracles.measure(JS, Poisson(2), Poisson(2 + step), 15)
    assert mean.rad < 1e-14 * mean.mid
    with mp.workdps(40):
        h = mp.mpf(1) / round(1 / gap)
        assert abs(mean.mid / (h**2 / 16) - 1 + h / 4) < h**2 + mean.rad / mean.mid
    root = oracles.measure(divergences.jensen_shannon_distance, Poisson(2), Poisson(2 + step), 15)
    assert abs(root.mid**2 / mean.mid - 1) < 1e-14


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (Exponential(1), Uniform(0, 1)),  # with a part where Q has no mass, and a mean that is negative
        pytest.param(Normal(0, 1), Gamma(2, 1), marks=pytest.mark.slow),
        (Poisson(2), Geometric(0.4)),
        (Poisson(2), DiscreteUniform(-2, 7)),  # a series that P has alone
        pytest.param(Normal(0, 1), Normal(0, 2), marks=pytest.mark.slow),
    ],
)
def test_balls_and_quadrature_agree(p, q):
    pytest.importorskip("flint")
    for divergence in (JS, TV):
        ball, estimate = (oracles.measure(divergence, p, q, 15, proof) for proof in ("ball", "estimate"))
        assert ball.proof == "ball"
        assert ball.rad < 1e-15 * ball.mid
        assert abs(ball.mid - estimate.mid) <= ball.rad + estimate.rad + 1e-16


@pytest.mark.parametrize("step", [sp.Rational(1, 10**6), sp.Rational(1, 10**12)], ids=["1e-6", "1e-12"])
@pytest.mark.parametrize(
    ("p", "q"),
    [
        (Normal(0, 1), lambda h: Normal(h, 1 + h)),
        (Cauchy(0, 1), lambda h: Cauchy(0, 1 + h)),
        (LogNormal(0, 1), lambda h: LogNormal(h, 1)),
    ],
    ids=lambda p: getattr(p, "family", p).name if hasattr(p, "family") else "",
)
def test_balls_where_the_densities_cross_nearly_everywhere(p, q, step):
    pytest.importorskip("flint")
    ball = oracles.measure(TV, p, q(step), 15, "ball")
    assert ball.proof == "ball"
    assert ball.rad < 1e-15 * ball.mid
    with mp.workdps(30):
        h = mp.mpf(1) / int(1 / step)
        # The derivative of the density by the parameters, integrated over where it is positive.
        slope = {"Normal": 0.5998716718869682934, "Cauchy": 1 / mp.pi, "LogNormal": 1 / mp.sqrt(2 * mp.pi)}
        assert abs(ball.mid / (h * slope[p.family.name]) - 1) < 2 * h


def test_supports():
    assert jensen_shannon(Uniform(0, 1), Uniform(2, 3)).value == sp.log(2)
    assert jensen_shannon(Normal(0, 1), Poisson(1), 0.3, base=2).evaluate().value == pytest.approx(
        -(0.3 * math.log2(0.3) + 0.7 * math.log2(0.7)), rel=1e-14
    )
    assert total_variation(Normal(0, 1), Poisson(1)).value == 1
    assert total_variation(Uniform(0, 2), Uniform(1, 3)).value == HALF
    assert number(total_variation(Exponential(1), Uniform(0, 1))) == pytest.approx(math.exp(-1), rel=1e-14)
    assert number(total_variation(Poisson(1), Bernoulli(0))) == pytest.approx(1 - math.exp(-1), rel=1e-14)
    assert number(total_variation(Geometric(1), Poisson(1))) == pytest.approx(1 - math.exp(-1), rel=1e-14)
    shapes = total_variation(Uniform, Uniform)
    assert [case.kind for case in shapes.cases] == ["closed", "closed"]
    assert shapes.subs(a_p=0, b_p=1, a_q=1, b_q=2).evaluate().value == 1
    assert total_variation(Gamma, Uniform).kind == "numeric"
    assert jensen_shannon(Gamma(2, 1), Gamma(2, 1)).value == 0


@pytest.mark.parametrize("family", [Bernoulli, pytest.param(Poisson, marks=pytest.mark.slow)], ids=lambda f: f.name)
def test_axioms_and_inequalities(family):
    p, q, r = members(family, 3, 3)
    kl, tv, js = (number(f(p, q)) for f in (klsym.kl, total_variation, jensen_shannon))
    square = number(klsym.hellinger2(p, q))
    tiny = 1e-13
    for divergence in (JS, TV, divergences.jensen_shannon_distance):
        there, back = (oracles.measure(divergence, *pair, 15).mid for pair in ((p, q), (q, p)))
        assert 0 <= there <= divergence.bound.evalf()
        assert abs(there - back) < tiny
        if "triangle" in divergence.axioms:
            assert there <= sum(oracles.measure(divergence, *pair, 15).mid for pair in ((p, r), (r, q)))
    assert tv <= math.sqrt(kl / 2)  # Pinsker
    assert tv <= math.sqrt(1 - math.exp(-kl))  # Bretagnolle and Huber
    assert square <= tv <= math.sqrt(2 * square)  # Le Cam
    assert js <= math.log(2) * tv
    assert number(jensen_shannon_distance(p, q)) ** 2 == pytest.approx(js, rel=1e-13)
    mirrored = jensen_shannon(q, p, 0.7)
    assert number(jensen_shannon(p, q, 0.3)) == pytest.approx(number(mirrored), rel=1e-13)


def test_what_a_check_measures():
    report = jensen_shannon(Poisson, Poisson, 0.3, base=2).check(points=1)
    assert report.ok, str(report)
    assert {row.what for row in report.rows} == {"step 2 generator"}
    closed = total_variation(Bernoulli, Bernoulli).check(points=1, backend="numpy")
    assert closed.ok, str(closed)
    assert {row.what for row in closed.rows} >= {"formula", "numpy code"}


@pytest.mark.slow
def test_closed_forms_of_entropies_compile():
    report = jensen_shannon_distance(Bernoulli, Bernoulli, base=2).check(points=2)
    assert report.ok, str(report)


def test_numbers_say_their_error():
    found = total_variation(Normal(0, 1), Cauchy(0, 1)).evaluate(15)
    assert found.proof in ("ball", "estimate")
    assert 0 < found.error < 1e-14
    root = jensen_shannon_distance(Uniform(0, 1), Uniform(2, 3), base=2)
    assert (root.evaluate().value, root.unit) == (1, "roots of bits")


def exactly(p, q, weight):
    """The divergence of two vectors of doubles from its generator, at 60 digits."""
    with mp.workdps(60):
        w, p, q = mp.mpf(weight), [*map(mp.mpf, p)], [*map(mp.mpf, q)]
        total = mp.mpf(0)
        for a, b in zip(p, q, strict=True):
            mean = w * a + (1 - w) * b
            total += w * a * mp.log(a / mean) if a else 0
            total += (1 - w) * b * mp.log(b / mean) if b else 0
        return total


@pytest.mark.parametrize("weight", [0.5, 0.3, 0.01])
@pytest.mark.parametrize("gap", [1e-12, 1e-6, 1e-3, 0.3, 1.0])
def test_vectors_keep_their_digits(gap, weight):
    random_ = np.random.default_rng(1)
    p, noise = random_.dirichlet(np.ones(9)), random_.uniform(-1, 1, 9)
    q = p * (1 + gap * noise)
    if gap == 1.0:
        p[0] = q[1] = 0.0
    p, q = p / p.sum(), q / q.sum()
    true = exactly(p, q, weight)
    assert abs(jensen_shannon(p, q, weight) / true - 1) < 16 * 2.0**-52
    root = jensen_shannon_distance(p, q, base=2)
    assert root == pytest.approx(float(mp.sqrt(exactly(p, q, 0.5) / mp.log(2))), rel=16 * 2.0**-52)
    assert total_variation(p, q) == pytest.approx(
        float(mp.fsum(abs(mp.mpf(a) - b) for a, b in zip(p, q, strict=True))) / 2, rel=1e-15
    )


def test_vectors_are_arrays():
    p, q = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])
    assert jensen_shannon(p, q, base=2).tolist() == [1.0, 0.0]
    assert total_variation(p, q).tolist() == [1.0, 0.0]
    assert jensen_shannon(p.T, q.T, axis=0, base=2).tolist() == [1.0, 0.0]
    assert total_variation([2, 2], [1, 3], normalize=True) == 0.25
    assert jensen_shannon(np.float32([0.5, 0.5]), np.float32([0.25, 0.75])).dtype == np.float32
    with pytest.raises(ParameterError, match="weight"):
        jensen_shannon([0.5, 0.5], [0.25, 0.75], 1.5)
    with pytest.raises(TypeError, match="base"):
        total_variation([0.5, 0.5], [0.25, 0.75], base=2)


def test_errors():
    for weight in (0, 1, -0.5, 2):
        with pytest.raises(ParameterError, match="weight of jensen_shannon is"):
            jensen_shannon(Normal(0, 1), Normal(1, 1), weight)
    with pytest.raises(ParameterError, match="number without a unit"):
        total_variation(Normal(0, 1), Normal(1, 1)).in_base(2)
    with pytest.raises(klsym.UnderivableError, match="derived for distributions of numbers"):
        total_variation(klsym.Dirichlet([1, 2]), klsym.Dirichlet([2, 1]))


def test_command_line(capsys):
    words = "evaluate bernoulli p=0.2 bernoulli p=0.7 --divergence"
    assert cli.main([*words.split(), "total_variation"]) == 0
    assert capsys.readouterr().out.startswith("0.5")
    assert cli.main([*words.split(), "jensen_shannon", "--weight", "0.3"]) == 0
    weighted = float(capsys.readouterr().out.split()[0])
    assert weighted == pytest.approx(float(jensen_shannon(Bernoulli(0.2), Bernoulli(0.7), 0.3)), rel=1e-14)
    assert cli.main([*words.split(), "kl", "--weight", "0.3"]) == 2
    rows = "families --matrix --divergence total_variation --only Normal,Bernoulli"
    assert cli.main(rows.split()) == 0
    assert "closed 4, S semi-closed 0, N numeric 0" in capsys.readouterr().out
