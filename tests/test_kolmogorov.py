"""The Kolmogorov distance: at crossings where these are known, else measured; beside other distances."""

import math

import pytest
import scipy.stats as stats
import sympy as sp
from scipy.optimize import brentq

from klsym import (
    Bernoulli,
    Beta,
    Cauchy,
    Exponential,
    Gamma,
    Geometric,
    Laplace,
    Normal,
    Pareto,
    Poisson,
    Uniform,
    VonMises,
    cli,
    divergences,
    kolmogorov,
    oracles,
    total_variation,
)

EPS = 2.0**-52
PAIRS = [
    (Normal(0, 1), Normal(1, 1)),
    (Normal(0, 1), Normal(1, 2)),
    (Exponential(1), Exponential(3)),
    (Laplace(0, 1), Laplace(0, 2)),
    (Pareto(1, 2), Pareto(1.5, 3)),
    (Poisson(2), Poisson(4)),
]


@pytest.mark.parametrize(("p", "q"), PAIRS, ids=str)
def test_closed_against_the_definition(p, q):
    found = kolmogorov(p, q)
    assert found.kind == "closed"
    truth = oracles.measure(divergences.kolmogorov, p, q, 15)
    assert abs(found.evaluate(20).value - truth.mid) <= truth.rad + 1e-14
    assert found.evaluate(20).value == kolmogorov(q, p).evaluate(20).value
    assert found.evaluate().value <= total_variation(p, q).evaluate().value + 1e-15


def test_values_known_otherwise():
    assert kolmogorov(Exponential(1), Exponential(2)).value == sp.Rational(1, 4)
    assert kolmogorov(Normal(0, 1), Normal(1, 1)).evaluate().value == pytest.approx(math.erf(8**-0.5), rel=1e-14)
    assert kolmogorov(Uniform(0, 1), Uniform(2, 3)).evaluate().value == 1
    assert kolmogorov(Uniform(0, 2), Uniform(1, 3)).evaluate().value == 0.5
    assert kolmogorov(Bernoulli(0.25), Bernoulli(0.75)).evaluate().value == 0.5
    assert kolmogorov(Gamma(2, 1), Gamma(2, 1)).value == 0
    assert kolmogorov([0.5, 0.25, 0.25], [0.25, 0.25, 0.5]) == 0.25


def test_measured_where_no_crossing_is_known():
    found = kolmogorov(Gamma(2, 1), Gamma(3, 2))
    number = found.evaluate(12)
    assert (found.kind, number.proof) == ("numeric", "estimate")
    first, second = stats.gamma(2), stats.gamma(3, scale=0.5)
    grid = [k / 1000 for k in range(1, 20_000)]
    seen = max(abs(first.cdf(x) - second.cdf(x)) for x in grid[::10])
    assert seen <= float(number) <= seen + 1e-5
    assert number.error < 1e-10


def test_code():
    code = kolmogorov(Normal, Normal).compile("numpy")
    assert code(0, 1, 1e-9, 1) == pytest.approx(1e-9 / math.sqrt(2 * math.pi), rel=2 * EPS)
    assert code(0, 1, 0, 1) == 0
    report = kolmogorov(Exponential, Exponential).check(points=1)
    assert report.ok, str(report)


def test_code_where_no_crossing_is_known():
    """Beside SciPy's distribution functions at the crossings that its densities have."""
    code = kolmogorov(Gamma, Gamma).compile("numpy", report=True)
    first, second = stats.gamma(2), stats.gamma(3, scale=0.25)
    turns = [brentq(lambda x: first.logpdf(x) - second.logpdf(x), *ends) for ends in ((0.01, 0.2), (0.2, 9))]
    want = max(abs(first.cdf(x) - second.cdf(x)) for x in turns)
    found = code(2, 1, [3, 2, 2], [4, 1, 1 + 1e-9])
    assert found.value[0] == pytest.approx(want, rel=1e-13)
    assert found.value[1] == 0
    assert found.value[2] == pytest.approx(1e-9 * 4 * math.exp(-2), rel=1e-8)  # x f(x) at its greatest, x = 2
    assert (found.error < 1e-11).all()
    lam, k = 2.5, [*range(60)]
    want = max(abs(stats.poisson(lam).cdf(k) - stats.geom(0.3, loc=-1).cdf(k)))
    assert kolmogorov(Poisson, Geometric).compile("numpy")(lam, 0.3) == pytest.approx(want, rel=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("family", [Normal, Cauchy, Gamma, Beta, Geometric, Poisson])
def test_every_case_agrees_with_the_oracle(family):
    report = kolmogorov(family, family).check(points=2)
    assert report.ok, str(report)


def test_what_has_no_meaning_is_said():
    assert kolmogorov(VonMises, VonMises).kind == "undecided"
    assert not oracles.measure(divergences.kolmogorov, Normal(0, 1), Poisson(1)).vouched


def test_command_line(capsys):
    assert cli.main("evaluate exponential rate=1 exponential rate=2 --divergence kolmogorov".split()) == 0
    assert capsys.readouterr().out.startswith("0.25")
