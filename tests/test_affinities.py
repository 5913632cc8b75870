"""The divergences of one integral: against the oracle, their limits and inequalities, their code and errors."""

import random
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from sweep import findings

import klsym
from klsym import (
    Bernoulli,
    Beta,
    Cauchy,
    Exponential,
    Gamma,
    InverseGamma,
    Normal,
    Pareto,
    Poisson,
    Uniform,
    cli,
    divergences,
    families,
    oracles,
    vectors,
)
from klsym.core.errors import ParameterError, UnderivableError
from klsym.core.sampling import draw
from klsym.core.value import Verdict
from klsym.derive import derive
from klsym.derive.tails import integrable
from klsym.divergences import ordered

HALF = sp.Rational(1, 2)
SEVERAL = (Normal, Gamma, Beta, Poisson, Bernoulli)
# Closed as first case at order 1/2 among the families of the catalog with themselves, and in all.
CLOSED_WITH_ITSELF = 48
CLOSED_OF_ALL = {HALF: 390, sp.Integer(2): 400}


def renyi_of(order, p, q):
    return derive(ordered(divergences.renyi, order), p.member("_p"), q.member("_q"))


def assert_agree(found):
    bad = [str(f) for f in found if f.verdict is Verdict.DISAGREE]
    assert found
    assert not bad, "\n".join(bad)


def checked(derivation, seed, points=1):
    return [
        f for c in derivation.cases if c.kind in ("closed", "infinite") for f in findings(derivation, c, points, seed)
    ]


@pytest.mark.slow
def test_closed_with_itself():
    found = [renyi_of(HALF, f, f) for f in families.catalog.values() if f.name != "Hypergeometric"]
    assert sum(d.kind == "closed" for d in found) >= CLOSED_WITH_ITSELF
    assert not [d.p for d in found if any(case.kind == "undecided" for case in d.cases)]


@pytest.mark.parametrize("name", ["Normal", "Pareto", "Geometric", "VonMises", "Uniform", "Weibull"])
def test_a_family_against_the_definition(name):
    f = families.find(name)
    assert_agree(checked(renyi_of(2, f, f), 4))
    assert_agree(checked(renyi_of(HALF, f, f), 5))


@pytest.mark.parametrize(("p", "q"), [("Gamma", "Normal"), ("Normal", "Gamma"), ("Gamma", "InverseGamma")])
def test_two_families_against_the_definition(p, q):
    assert_agree(checked(renyi_of(HALF, families.find(p), families.find(q)), 6))
    assert_agree(checked(renyi_of(2, families.find(p), families.find(q)), 6))


def test_powers_of_large_rationals():
    """At these points SymPy multiplies out integers beyond 1e308, which it cannot factor if they are python-flint's."""
    assert_agree(checked(renyi_of(HALF, families.find("Laplace"), families.find("Gamma")), 7, points=3))


def test_steps_are_measured():
    report = klsym.renyi(Gamma, Gamma, 2).check(points=1, backend="numpy")
    assert report.ok, str(report)
    assert {row.what.split()[-1] for row in report.rows} >= {"exponent", "tilt", "insert", "formula", "code"}


@pytest.mark.slow
@pytest.mark.parametrize(("order", "closed"), CLOSED_OF_ALL.items(), ids=str)
def test_counts_of_all_pairs(order, closed):
    """No pair is undecided, and so many are closed in their first case."""
    found = [renyi_of(order, p, q) for p in families.catalog.values() for q in families.catalog.values()]
    assert not [(d.p, d.q) for d in found if any(case.kind == "undecided" for case in d.cases)]
    assert sum(d.kind == "closed" for d in found) >= closed


ONE_INTEGRAL = {
    "half": ordered(divergences.renyi, HALF),
    "two": ordered(divergences.renyi, sp.Integer(2)),
    "chi2": divergences.chi2,
    "hellinger2": divergences.hellinger2,
}


@pytest.mark.slow
@pytest.mark.parametrize("divergence", ONE_INTEGRAL.values(), ids=ONE_INTEGRAL)
@pytest.mark.parametrize("name", families.catalog)
def test_every_family_as_p(name, divergence):
    for q in families.catalog.values():
        derivation = derive(divergence, families.catalog[name].member("_p"), q.member("_q"))
        if derivation.kind == "closed":
            assert_agree(checked(derivation, 7, points=3))


ACROSS = [("HyperbolicSecant", "AsymmetricLaplace"), ("Moyal", "Laplace"), ("Uniform", "Laplace")]


@pytest.mark.parametrize(("p", "q"), ACROSS)
def test_across_a_kink(p, q):
    for order in (HALF, sp.Integer(2)):
        derivation = renyi_of(order, families.find(p), families.find(q))
        assert derivation.kind == "closed"
        assert_agree(checked(derivation, 8))


def test_equal_rates_between_two_kinks():
    """Of two Laplace laws of one scale, at the order 1/2: nothing falls between the two locations."""
    f = klsym.bhattacharyya(families.find("Laplace")(0, 1), families.find("Laplace")(3, 1))
    assert f.evaluate().value == pytest.approx(1.5 - np.log1p(1.5), rel=1e-14)


def members(family, seed):
    p, q = family.member("_p"), family.member("_q")
    point = draw((p, q), sp.true, random.Random(f"{family.name} {seed}"))
    return p.subs(point), q.subs(point)


@pytest.mark.parametrize("family", SEVERAL, ids=lambda f: f.name)
def test_orders(family):
    """The order 1 is KL in the limit; the divergence grows with its order, and is skew symmetric."""
    p, q = members(family, 1)
    kl, step = klsym.kl(p, q).evaluate(30).value, sp.Rational(1, 10**9)
    for order in (1 - step, 1 + step):
        assert abs(klsym.renyi(p, q, order).evaluate(30).value - kl) < 1e-7
    orders = [sp.Rational(k, 10) for k in (3, 5, 9, 11, 20)]
    values = [klsym.renyi(p, q, order).evaluate(20).value for order in orders]
    assert all(a <= b for a, b in pairwise([0, *values[:3], kl, *values[3:]]))
    skew = klsym.renyi(q, p, sp.Rational(7, 10)).evaluate(25).value
    assert abs(7 * values[0] - 3 * skew) < 1e-18 * (1 + abs(skew))


@pytest.mark.parametrize("family", SEVERAL, ids=lambda f: f.name)
def test_relations(family):
    p, q = members(family, 2)

    def number(f):
        return f.evaluate(25).value

    square, half = number(klsym.hellinger2(p, q)), number(klsym.renyi(p, q, HALF))
    with mp.workdps(30):
        tiny = mp.mpf(10) ** -22
        assert abs(-2 * mp.log(1 - square) - half) < tiny
        assert abs(number(klsym.hellinger(q, p)) ** 2 - square) < tiny
        assert abs(2 * number(klsym.bhattacharyya(q, p)) - half) < tiny
        assert abs(4 * square - number(klsym.alpha_divergence(p, q, HALF))) < tiny
        assert abs(number(klsym.chernoff(p, q, 0.25)) - 0.75 * number(klsym.renyi(p, q, 0.25))) < tiny
        assert abs(number(klsym.renyi(p, q, HALF, base=2)) * mp.log(2) - half) < tiny
        assert 0 <= square <= 1
        assert number(klsym.kl(p, q)) >= half >= 2 * square
        chi2 = number(klsym.chi2(p, q))
        assert chi2 == number(klsym.reverse_chi2(q, p))
        if mp.isfinite(chi2):
            assert abs(chi2 - number(klsym.tsallis(p, q, 2))) < tiny * (1 + chi2)
            assert number(klsym.kl(p, q)) <= mp.log1p(chi2)


def test_supports():
    assert klsym.renyi(Uniform(0, 1), Uniform(2, 3), HALF).value == sp.oo
    assert klsym.hellinger2(Uniform(0, 1), Uniform(2, 3)).evaluate().value == 1
    assert klsym.hellinger2(Normal(0, 1), Poisson(1)).value == 1
    assert klsym.hellinger2(Uniform(0, 2), Uniform(1, 3)).evaluate().value == 0.5
    assert klsym.chi2(Uniform(0, 2), Uniform(1, 3)).evaluate().value == mp.inf
    assert klsym.renyi(Normal(0, 1), Gamma(2, 1), 2).kind == "infinite"
    assert klsym.renyi(Pareto(1, 2), Pareto(2, 2), HALF).evaluate().value == pytest.approx(2 * np.log(2))
    assert klsym.renyi(Pareto(1, 2), Pareto(2, 2), 2).evaluate().value == mp.inf


@pytest.mark.parametrize("name", ["Normal", "Gamma", "Beta", "Exponential", "Zeta", "LogNormal", "InverseGamma"])
def test_tails_say_what_the_kernel_says(name):
    """The domain of the tilted kernel is where the tails make the integral converge."""
    f = families.find(name)
    derivation = renyi_of(2, f, f)
    by_tails, rng = integrable(derivation.p, derivation.q, sp.Integer(-1)), random.Random(name)
    for _ in range(20):
        point = draw((derivation.p, derivation.q), sp.true, rng)
        assert derivation.cases[0].when.xreplace(point) == by_tails.xreplace(point)


@pytest.mark.parametrize(("p", "q"), [("Uniform", "LogLogistic"), ("Pareto", "Weibull"), ("Beta", "InverseGamma")])
def test_where_supports_touch(p, q):
    """An end of P's support inside Q's asks nothing of Q there; where they meet, Q must not vanish too fast."""
    for order in (2, sp.Rational(3, 2)):
        derivation = renyi_of(order, families.find(p), families.find(q))
        assert "undecided" not in {case.kind for case in derivation.cases}
    found = renyi_of(2, Uniform, families.find("LogLogistic"))
    assert found.cases[-1].kind == "infinite"
    ends = {found.p.values[0]: sp.S.Zero}
    for shape, finite in ((1, True), (3, False)):
        assert bool(found.cases[0].when.xreplace(ends | {found.q.values[1]: sp.Integer(shape)})) == finite


def test_outside_the_domain_it_is_infinite():
    f = klsym.chi2(Exponential, Exponential)
    assert f.condition == (2 * f.parameters[0] > f.parameters[1])
    assert f.evaluate(rate_p=1, rate_q=2).value == mp.inf
    assert klsym.renyi(InverseGamma(1, 1), InverseGamma(3, 1), 2).evaluate().value == mp.inf


@pytest.mark.parametrize("family", [Normal, Poisson], ids=lambda f: f.name)
def test_code_beside_its_diagonal(family):
    p = [float(v) for v in members(family, 3)[0].values]
    for f in (klsym.renyi(family, family, HALF), klsym.chi2(family, family), klsym.hellinger(family, family)):
        code = f.compile("numpy")
        assert code(*p, *p) == 0
        for gap in (1e-12, 1e-6, 1e-2):
            numbers = [*p, *(v * (1 - gap) for v in p)]
            want = f.evaluate(20, **dict(zip(map(str, f.parameters), numbers, strict=True))).value
            assert abs(code(*numbers) - want) <= 4 * np.finfo(float).eps * want


def test_the_order_is_an_argument():
    f = klsym.renyi(Normal, Normal, "alpha")
    code = f.compile("numpy")
    assert list(map(str, f.parameters))[-1] == "alpha"
    assert np.allclose(code(0, 1, [1, 1e-9], 1, [0.5, 2]), [0.25, 1e-18], rtol=1e-14)
    assert np.allclose(code(0, 2, 0, 1, [2, -1, 1]), [np.inf, np.nan, 1.5 - np.log(2)], rtol=1e-14, equal_nan=True)
    assert f.subs(alpha=2).value == klsym.renyi(Normal, Normal, 2).value
    value, *slopes = klsym.renyi(Exponential, Exponential, "alpha").compile("numpy", gradient=True)(1, 2, 0.5)
    exact = klsym.renyi(Exponential, Exponential, "alpha")
    point = dict(zip(exact.parameters, (1, 2, HALF), strict=True))
    assert value == pytest.approx(float(exact.value.xreplace(point)), rel=1e-14)
    assert np.allclose(slopes, [float(exact.value.diff(s).xreplace(point)) for s in exact.parameters], rtol=1e-13)


def test_vectors():
    p, q = [0.2, 0.8], [0.3, 0.7]
    for order in (0.25, 2.0):
        law = [float(g(Bernoulli(0.8), Bernoulli(0.7), order)) for g in (klsym.renyi, klsym.tsallis)]
        assert [g(p, q, order) for g in (vectors.renyi, vectors.tsallis)] == pytest.approx(law, rel=1e-13)
    assert klsym.hellinger(p, q) == pytest.approx(float(klsym.hellinger(Bernoulli(0.2), Bernoulli(0.3))), rel=1e-13)
    assert klsym.chi2([0.5, 0.5], [1.0, 0.0]) == klsym.renyi([1.0, 0.0], [0.0, 1.0], 0.5) == np.inf
    assert klsym.renyi([0.5, 0.5], [1.0, 0.0], 0.5, base=2) == pytest.approx(1)
    near = [0.2 + 1e-9, 0.8 - 1e-9]
    assert vectors.renyi(p, near, 0.5) == pytest.approx(0.5 * vectors.renyi(p, near, 1.0001), rel=1e-3)


def test_misuse_says_what_to_do():
    with pytest.raises(ParameterError, match="the Kullback-Leibler divergence"):
        klsym.renyi(Normal, Normal, 1)
    with pytest.raises(ParameterError, match="must lie in"):
        klsym.chernoff(Normal, Normal, 2)
    with pytest.raises(ParameterError, match="a number, a name, or a positive SymPy symbol"):
        klsym.renyi(Normal, Normal, sp.Symbol("a"))
    with pytest.raises(ParameterError, match="without a unit"):
        klsym.hellinger(Normal, Normal).in_base(2)
    with pytest.raises(UnderivableError, match="distributions of numbers"):
        klsym.chernoff_information(klsym.MultivariateNormal, klsym.MultivariateNormal)
    assert klsym.renyi(Cauchy, Cauchy, HALF).kind == "numeric"


def test_command_line(capsys):
    words = ["--divergence", "renyi", "--alpha", "2", "normal", "mu=0", "sigma=1", "normal", "mu=1", "sigma=1"]
    assert cli.main(["evaluate", *words]) == 0
    assert capsys.readouterr().out.startswith("1.00000")
    assert cli.main(["derive", "--divergence", "renyi", "gamma", "gamma"]) == 2
    assert "--alpha" in capsys.readouterr().err
    assert cli.main(["families", "--matrix", "--divergence", "chi2", "--only", "exponential,uniform"]) == 0
    assert "C closed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("divergence", "family", "point"),
    [
        # Powers that underflow where their product does not.
        (klsym.chi2, "Binomial", (93.0, 0.99, 93.0, 0.98)),
        # A quotient of two negative numbers, to a power.
        (klsym.chi2, "NegativeBinomial", (3.0, 0.75, 3.0, 0.5)),
        (klsym.hellinger2, "NegativeBinomial", (3.0, 0.75, 3.0, 0.5)),
        (klsym.reverse_chi2, "Geometric", (0.75, 0.5)),
    ],
)
def test_code_of_powers_beside_the_definition(divergence, family, point):
    family = families.find(family)
    size = len(family.parameters)
    p, q = family(*point[:size]), family(*point[size:])
    expected = oracles.measure(divergence(p, q).derivation.divergence, p, q, 20)
    assert expected.vouched
    assert divergence(family, family).compile("numpy")(*point) == pytest.approx(float(expected.mid), rel=1e-14)


@pytest.mark.parametrize(
    ("divergence", "family", "p", "q", "expected"),
    [
        (klsym.chi2, "Binomial", (93.0, 0.9967812565291285), (93.0, 0.9967812565291286), 3.572869714290878e-28),
        # An exponent that cancels, so that what rounding left of it is the larger part.
        (
            klsym.reverse_chi2,
            "AsymmetricLaplace",
            (-14462812.535775397, 5910385.135193914, 131819.57527588532),
            (-14462812.535775397, 5904326.882835292, 131684.45781153053),
            4.862081264696127e-16,
        ),
        # An estimate of the error that has lost its sign.
        (
            klsym.hellinger2,
            "AsymmetricLaplace",
            (5151393.662250459, 38125.09379394158, 82364979.1625342),
            (5151393.662250459, 75824.88703375211, 82364979.1625342),
            0.05631492686207992,
        ),
        # Rests that cancel too: in double-double what is left of them has to be counted.
        (
            klsym.hellinger2,
            "AsymmetricLaplace",
            (-4243158.438902157, 43655.104825036404, 115684.585132343),
            (-4243158.438902166, 43655.104825036404, 115684.585132343),
            1.5067887950614947e-09,
        ),
    ],
)
def test_code_far_from_the_size_of_its_factors(divergence, family, p, q, expected):
    """The expected values are balls of the formula at these doubles."""
    family = families.find(family)
    assert divergence(family, family).compile("numpy")(*p, *q) == pytest.approx(expected, rel=1e-14)
