"""The ball oracle: right or refused, never wrong, and narrow enough to tell a formula that is off by 1e-25."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from functools import partial

import mpmath as mp
import pytest
import sympy as sp

from klsym import density, divergences, kl, oracles
from klsym.core.domain import Interval, real_line, unit_interval
from klsym.core.errors import ParameterError
from klsym.core.family import Distribution, Family
from klsym.core.value import Value, Verdict, compare
from klsym.families import catalog

pytest.importorskip("flint")

from flint import acb, arb, ctx, fmpq

from klsym.oracles.balls.ends import End, Integrand
from klsym.oracles.balls.expansion import Expansion
from klsym.oracles.balls.growth import Ray, Term, Unbounded
from klsym.oracles.balls.walker import Point, Unspelled, Walker

x = sp.Symbol("x", real=True)
R = sp.Rational
DIGITS = 31  # 103 bits


def of(text: str) -> Distribution:
    """Gamma 4.04 1.43: a name and its values, as exact decimals."""
    name, *values = text.split()
    return catalog[name](*map(R, values))


def law(log_density: sp.Expr, support: Interval = real_line, discrete: bool = False) -> Distribution:
    return Family("Law", (), support, log_density, x, discrete=discrete)()


def normal(mu: object, sigma: object) -> sp.Expr:
    return -((x - mu) ** 2) / (2 * sigma**2) - sp.log(sigma) - sp.log(2 * sp.pi) / 2


def ball(p: Distribution, q: Distribution, digits: int = DIGITS) -> Value:
    return oracles.measure(divergences.kl, p, q, digits, "ball")


def bits(value: Value) -> float:
    return float(mp.log(abs(value.mid) / value.rad, 2)) if value.rad else mp.inf


def holds(value: Value, truth: mp.mpf, known: int = 38) -> bool:
    """Whether the ball holds a number that is known to so many digits."""
    with mp.workdps(60):
        return abs(value.mid - truth) <= value.rad + abs(truth) * mp.mpf(10) ** -known


# --- everyday pairs beside their derived closed forms

SAME = """Normal 0.01 0.83|Normal 0.42 1.05
Laplace 0.8 0.7|Laplace -1 0.58
AsymmetricLaplace -1.4 1.05 1.9|AsymmetricLaplace 0.9 2.1 1.3
Logistic 1.2 0.9|Logistic -0.25 2.1
Gumbel 1.4 2.2|Gumbel 0.85 1.9
ExpGamma 0.98 2.2|ExpGamma 4.7 0.64
Moyal -0.7 1.9|Moyal -1.1 1.6
Cauchy -0.2 1.7|Cauchy 0.4 2
HyperbolicSecant 0.03 2|HyperbolicSecant -1 1.7
Exponential 1.2|Exponential 1.65
Gamma 4.04 1.43|Gamma 1.03 0.97
ChiSquared 4.8|ChiSquared 2.1
Chi 0.86|Chi 2.5
GeneralizedGamma 1.1 3.3 2.3|GeneralizedGamma 1.3 3 0.86
Weibull 1.8 2.2|Weibull 3.2 1.7
Rayleigh 2.3|Rayleigh 2
Maxwell 1.24|Maxwell 1.6
HalfNormal 1.9|HalfNormal 0.74
Nakagami 0.88 1.5|Nakagami 2.4 1.6
InverseGaussian 2.3 2.8|InverseGaussian 2.2 1.5
GeneralizedInverseGaussian 0.84 2.3 -1.4|GeneralizedInverseGaussian 1.3 1.9 1.3
Gompertz 2.4 1.1|Gompertz 1.4 0.7
Lindley 2|Lindley 1.3
InverseGamma 3.6 1.8|InverseGamma 2.7 1.4
HalfCauchy 1.4|HalfCauchy 2.2
LogNormal 1 0.75|LogNormal 0.8 0.6
Frechet 3.9 1.2|Frechet 3.9 1.15
Levy 2.4|Levy 2.2
LogLaplace 0.26 0.64|LogLaplace -0.2 0.65
Lomax 4.3 2.1|Lomax 3.7 2.3
Pareto 0.74 4.5|Pareto 0.5 2
Uniform -0.4 2.1|Uniform -2 4
Beta 4.7 1.4|Beta 2.5 2.7
Kumaraswamy 2.2 3.8|Kumaraswamy 3 2.8
ContinuousBernoulli 0.62|ContinuousBernoulli 0.3
Arcsine -0.3 2.1|Arcsine -2 4
PowerFunction 2.1|PowerFunction 3.3
LogUniform 0.45 2.1|LogUniform 0.1 5
Triangular -0.7 0.3 2.6|Triangular -2 1 4
LogitNormal -1.2 1.2|LogitNormal 1 2
VonMises -0.9 1.6|VonMises 1.1 0.7
WrappedCauchy 0.1 0.26|WrappedCauchy -0.8 0.77
Bernoulli 0.55|Bernoulli 0.29
Geometric 0.83|Geometric 0.25
Poisson 1.7|Poisson 3.5
ZeroTruncatedPoisson 3.9|ZeroTruncatedPoisson 2.9
NegativeBinomial 4 0.42|NegativeBinomial 1.5 0.56
Logarithmic 0.47|Logarithmic 0.37
Skellam 2.3 2.4|Skellam 1.7 1.1""".splitlines()

CROSS = """Gamma 4 1.5|Weibull 1.8 2.2
Gamma 2.5 1.3|LogNormal 0.5 0.8
Gamma 3 2|InverseGamma 2.5 1.2
Gamma 1.5 1|Lomax 2.5 1.5
Gamma 2.2 1.1|HalfCauchy 1.5
Weibull 1.7 1.2|Gamma 2.1 1.3
Weibull 2.5 1.4|LogNormal 0.2 0.7
Exponential 1.4|Rayleigh 1.2
Exponential 0.9|Weibull 1.5 1.4
Rayleigh 1.3|Gamma 2.3 1.4
HalfNormal 1.4|Exponential 0.8
Maxwell 0.9|LogNormal 0.4 0.6
Nakagami 1.3 1.6|Rayleigh 1.1
LogNormal 0.3 0.7|LogLogistic 1.2 2.5
LogNormal 0.4 0.6|Gamma 2.4 1.2
LogNormal 0.2 0.5|InverseGaussian 1.4 2
InverseGamma 3.1 1.4|LogNormal -0.2 0.9
Frechet 3.2 1.1|LogNormal 0.4 0.7
Pareto 1.1 3.2|LogNormal 0.5 0.8
Lindley 1.4|Exponential 0.8
Uniform -0.4 1.2|Normal 0.3 1.1
Uniform 0.2 0.9|Beta 2.2 1.4
Beta 2.3 1.6|Kumaraswamy 1.4 2.1
Kumaraswamy 1.7 2.2|Beta 2.4 1.9
Arcsine -0.3 1.4|Normal 0.2 1.3
Normal 0.3 0.9|Laplace -0.2 1.1
Normal 0.4 1.2|Gumbel 0.1 1.4
Laplace 0.2 0.7|Normal 0.5 1.3
Gumbel 0.3 0.8|Normal 0.6 1.5
Normal -0.2 0.8|Logistic 0.1 0.9
Triangular -0.3 0.4 1.5|Normal 0.4 0.8
Geometric 0.4|NegativeBinomial 2 0.5
Poisson 2.2|Geometric 0.35
Poisson 1.8|NegativeBinomial 2.5 0.6
Logarithmic 0.4|ZeroTruncatedPoisson 1.6
VonMises 0.4 1.3|WrappedCauchy 0.7 0.4""".splitlines()
EVERYDAY = (
    "Gamma 4", "Cauchy -0.2", "Laplace 0.8", "Beta 4.7", "LogLaplace", "Skellam", "VonMises -0.9", "LogNormal 0.4",
    "Poisson 1.7", "Normal 0.3", "Uniform 0.2",
)  # fmt: skip


def slice_of(pairs: list[str]) -> list[object]:
    """The pairs, all but the everyday ones marked as slow."""
    return [p if p.startswith(EVERYDAY) else pytest.param(p, marks=pytest.mark.slow) for p in pairs]


@pytest.mark.parametrize("pair", slice_of(SAME + CROSS))
def test_the_ball_holds_the_closed_form_and_not_one_that_is_off_by_1e_25(pair):
    p, q = map(of, pair.split("|"))
    value = ball(p, q)
    assert value.proof == "ball" and value.note == ""
    assert bits(value) >= 100
    with mp.workdps(60):
        truth = kl(p, q).evaluate(40).value
        assert holds(value, truth)
        assert not holds(value, truth * (1 + mp.mpf("1e-25")), 45)


@pytest.mark.slow
def test_half_of_the_everyday_balls_take_less_than_a_tenth_of_a_second():
    """Of the processor, the masses of both densities included."""
    for pairs in (SAME, CROSS):
        spent = []
        for pair in pairs:
            p, q = map(of, pair.split("|"))
            start = time.process_time()
            ball(p, q)
            spent.append(time.process_time() - start)
        assert statistics.median(spent) < 0.1


# --- integrands on which quadrature is known to be confidently wrong, and some more


def spiked(place: sp.Expr) -> Distribution:
    return law(sp.log(R(99, 100) * sp.exp(normal(0, 1)) + R(1, 100) * place))


HIDDEN = sp.exp(-(((sp.sinh(x) - 620) / R("1e-6")) ** 2)) * sp.cosh(x) / (R("1e-6") * sp.sqrt(sp.pi))
GAP = sp.And(x > R("0.3"), x < R("0.3") + R("2e-8"))
TRUE = {
    "A a spike far away": (law(normal(R("1000.37"), R("1e-3"))), law(normal(0, 1)),
        sp.log(1000) + (R("1e-6") + R("1000.37") ** 2) / 2 - R(1, 2)),
    "C piled up at 0": (of("Gamma 0.001 1"), of("Gamma 2 1"),
        -R(1999, 1000) * sp.digamma(R(1, 1000)) - sp.loggamma(R(1, 1000))),
    "H wide": (of("LogNormal 0 30"), of("LogNormal 1 10"), sp.log(R(1, 3)) + R(901, 200) - R(1, 2)),
    "both ends singular": (of("Beta 0.01 0.01"), of("Beta 1 1"),
        sp.loggamma(R(1, 50)) - 2 * sp.loggamma(R(1, 100))
        - R(99, 50) * (sp.digamma(R(1, 100)) - sp.digamma(R(1, 50)))),
    "a kink under a root": (law(-sp.sqrt(x**2) - sp.log(2)), law(-sp.sqrt((x - 1) ** 2) - sp.log(2)), sp.exp(-1)),
    "a zero inside q": (law(-sp.log(2) + 0 * x, Interval(-sp.S.One, sp.S.One)),
        law(sp.log(3 * x**2 / 2), Interval(-sp.S.One, sp.S.One)), 2 - sp.log(3)),
    "no spread": (of("Normal 0 1e-30"), of("Normal 1e-30 1e-30"), R(1, 2)),
}  # fmt: skip


@pytest.mark.parametrize("p, q, truth", TRUE.values(), ids=TRUE)
def test_integrands_that_deceive_quadrature(p, q, truth):
    value = ball(p, q)
    with mp.workdps(60):
        assert holds(value, mp.mpf(truth.evalf(45)._to_mpmath(160)))
    assert bits(value) >= 100


def test_spikes_are_seen_where_their_place_is_written_and_where_it_is_not():
    value = ball(spiked(sp.exp(normal(R("7.1234"), R("1e-6")))), law(normal(0, 2)))
    assert abs(value.mid - mp.mpf("0.462479286")) < 1e-9 and bits(value) > 90
    hidden = spiked(HIDDEN)
    assert abs(oracles.mass(hidden, 20, "ball").mid - 1) < 1e-20


@pytest.mark.slow
def test_d_beta_with_large_shapes():
    value = ball(of("Beta 1000000 2000000"), of("Beta 2 3"))
    with mp.workdps(60):
        a, b = mp.mpf(10) ** 6, mp.mpf(2) * 10**6
        log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
        change = (a - 2) * mp.psi(0, a) + (b - 3) * mp.psi(0, b) + (5 - a - b) * mp.psi(0, a + b)
        assert holds(value, -mp.log(12) - log_beta + change) and bits(value) > 90


@pytest.mark.slow
def test_i_fast_oscillation_is_a_wide_ball_or_refused():
    value = ball(law(sp.log(1 + R(9, 10) * sp.sin(8192 * sp.pi * x)), unit_interval), law(0 * x, unit_interval))
    assert not value.vouched or holds(value, mp.mpf("0.2327"), 3)


INFINITE = {
    "a gap behind a square": (
        law(normal(0, 1)),
        law(sp.Piecewise((-sp.oo, (x - R("0.3")) ** 2 < R("1e-16")), (normal(0, 1), True))),
    ),
    "E Cauchy beside Normal": (of("Cauchy 0 1"), of("Normal 0 1")),
    "G a gap in q": (law(normal(0, 1)), law(sp.Piecewise((-sp.oo, GAP), (normal(0, 1), True)))),
    "a first moment that is not there": (of("Pareto 1 1"), of("Exponential 1")),
    "an essential zero of q": (law(-sp.log(2) + 0 * x, Interval(-sp.S.One, sp.S.One)),
        law(-1 / sp.Abs(x), Interval(-sp.S.One, sp.S.One))),
    "a series": (law(-2 * sp.log(x) - sp.log(sp.zeta(2)), Interval(sp.S.One, sp.oo), True), of("Geometric 0.5")),
    "supports": (of("Normal 0 1"), of("Gamma 1 1")),
}  # fmt: skip


@pytest.mark.parametrize("p, q", INFINITE.values(), ids=INFINITE)
def test_divergent_integrals_are_proven_to_be(p, q):
    value = ball(p, q)
    assert (value.mid, value.proof) == (mp.inf, "exact") and value.note


NORMAL = law(normal(0, 1))
DIP = sp.log(1 - sp.exp(-(((x - R("0.3")) / R("1e-8")) ** 2)))
BEYOND_E = Interval(sp.E, sp.oo)
COUNTS = Interval(sp.S.Zero, sp.oo)
REFUSED = {
    "a gap behind a cube": (
        NORMAL,
        law(sp.Piecewise((-sp.oo, (x - R("0.3")) ** 3 + x < R("0.3")), (normal(0, 1), True))),
    ),
    "a gap behind a maximum": (NORMAL, law(sp.log(sp.Max(0, (x - R("0.5")) ** 2 - R("1e-14"))) + normal(0, 1))),
    "a dip to 0": (NORMAL, law(normal(0, 1) + DIP)),
    "barely a density": (law(-sp.log(x) - 2 * sp.log(sp.log(x)), BEYOND_E), law(-2 * sp.log(x) + 1, BEYOND_E)),
    "negative": (law(sp.log(1 - 2 * x), unit_interval), law(0 * x, unit_interval)),
    "not normalised": (law(normal(0, 1) - R("1e-7")), law(normal(0, 3))),
    "a gap in a series": (
        of("Geometric 0.5"),
        law(sp.Piecewise((-sp.oo, sp.Eq(x, 7)), (-x * sp.log(2) - sp.log(2), True)), COUNTS, True),
    ),
    "a series that hardly falls": (of("Zeta 3"), of("Zeta 2")),
    "no such head": (NORMAL, law(normal(0, 1) + sp.besselj(0, x))),
}


@pytest.mark.parametrize("p, q", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_proven_is_refused_with_a_reason(p, q):
    value = ball(p, q)
    assert not value.vouched and value.note


# --- the parts


@pytest.mark.parametrize(
    "e, inside, across",
    [
        (sp.log(x), 1, 0),
        (sp.log(x), 1, -1),
        (sp.log(x - 1), 2, 0),
        (sp.sqrt(x), 1, -1),
        (sp.sqrt(x**2 - 1), 2, 0),
        (x ** R(-3, 2), 1, -1),
        (sp.Abs(x - 2), 3, 2),
        (sp.Max(x, 2), 3, 2),
        (sp.Piecewise((x, x < 2), (x**2, True)), 3, 2),
        (sp.loggamma(x), 1, -1),
        (sp.sqrt((x - 2) ** 2), 3, 2),
    ],
)
def test_what_is_not_analytic_says_so(e, inside, across):
    f = Walker(x).function(e)
    box = acb(arb(0, 0.25), arb(0, 0.25))
    assert f(Point(box + inside, True)).is_finite()
    assert not f(Point(box + across, True)).is_finite()


def test_only_what_is_in_the_tables_is_spelled():
    with pytest.raises(Unspelled):
        Walker(x).function(sp.Function("log")(x, x) + sp.airyai(x))
    value = Walker(x).function(sp.log(3 * x) + 2 * sp.log(x**2 / 5) + x)(Point(acb(2))).real
    assert value.overlaps(arb(6).log() + 2 * (arb(4) / 5).log() + 2) and value.rad() < 1e-12
    assert Walker(x).ball(sp.log(2) + sp.pi).contains(arb(2).log() + arb.pi())


def ends(p: Distribution) -> list[tuple[Walker, int]]:
    """The walkers towards both ends of a support, and whether y grows there."""
    found = []
    for end, direction in ((p.support.lower, 1), (p.support.upper, -1)):
        infinite = end in (sp.oo, -sp.oo)
        anchor, way = (sp.S.Zero, -direction) if infinite else (end, direction)
        found.append(
            (Walker(p.family.variable, p.family.member("").bindings | p.bindings, anchor, way), 1 if infinite else -1)
        )
    return found


def value_of(terms: tuple[Term, ...], r: arb) -> arb:
    total = arb(0)
    for t in terms:
        total += t.coefficient * (arb(t.a) * r + value_of(t.exponent, r)).exp() * r ** arb(t.b)
    return total


@pytest.mark.parametrize("pair", [pair for pair in SAME if "VonMises" not in pair and "Wrapped" not in pair])
def test_expansions_hold_the_log_density_and_lines_lie_above_it(pair):
    """At places of the ray, beside the same expression in balls at a point."""
    p = of(pair.split("|")[0])
    with ctx.workprec(200):
        for walker, way in ends(p):
            for start in (3, 5) if way > 0 or not p.family.discrete else ():
                expand = Expansion(walker, way, fmpq(1, 2), Ray(arb(start)))
                try:
                    terms = expand(p.family.log_density)
                except Unbounded:
                    continue
                line = expand.ray.line(terms)
                for step in (0, 0.25, 1.5, 4):
                    r = arb(start) + step
                    y = (way * r).exp() / 2
                    truth = walker.function(p.family.log_density)(Point(acb(y))).real
                    assert value_of(terms, r).overlaps(truth)
                    if line is not None:
                        assert not truth > line.top - line.slope * step


def test_stirling_and_bessel_functions_of_large_order():
    with ctx.workprec(200):
        for e in (sp.loggamma(x), sp.log(sp.besseli(x, 3))):
            found = Expansion(Walker(x), 1, fmpq(1), Ray(arb(2)))(e)
            for r in (arb(2), arb(3)):
                truth = Walker(x).function(e)(Point(acb(r.exp()))).real
                assert value_of(found, r).overlaps(truth)
                assert value_of(found, r).rad() < 1


def random_sum(rng: random.Random, depth: int) -> tuple[Term, ...]:
    terms = []
    for _ in range(rng.randint(1, 4)):
        exponent = random_sum(rng, depth - 1) if depth and rng.random() < 0.4 else ()
        coefficient = arb(rng.uniform(-3, 3)) if rng.random() < 0.5 else fmpq(rng.randint(-5, 5), 2)
        terms.append(Term(coefficient, fmpq(rng.randint(-2, 2), 2), fmpq(rng.choice((0, 0, 1, 2, 5))), exponent))
    return tuple(terms)


def test_lines_lie_above_random_sums():
    """What leads has the sign of the sum, and exponentials, logarithms and powers of sums hold those of values."""
    rng, lines, powers = random.Random(5), 0, 0
    with ctx.workprec(120):
        for _ in range(150):
            ray = Ray(arb(rng.choice((0.25, 1, 3))))
            terms, log = ray.add(random_sum(rng, 1)), rng.choice((0, 1, -2))
            line = ray.line(terms, log)
            steps = [arb(rng.choice((0, 0.01, 0.3, 1, 2.5, 5))) for _ in range(3)]
            for step in steps if line is not None else ():
                lines += 1
                r = ray.start + step
                assert not value_of(terms, r) + log * r.log() > line.top - line.slope * step
            try:
                lead, _ = ray.leading(terms)
                assert all(value_of(terms, ray.start + step) * lead.coefficient > 0 for step in steps)
            except Unbounded:
                pass
            for name, of_sum, of_value in (
                ("exp", ray.exp, lambda v: v.exp()),
                ("log", ray.log, lambda v: v.log()),
                ("inverse", partial(ray.power, n=fmpq(-1)), lambda v: 1 / v),
                ("root", partial(ray.power, n=fmpq(1, 3)), lambda v: v ** arb(fmpq(1, 3))),
            ):
                try:
                    found = of_sum(terms)
                except Unbounded:
                    continue
                for step in steps:
                    powers += 1
                    r = ray.start + step
                    assert value_of(found, r).overlaps(of_value(value_of(terms, r))), name
    assert lines > 50 and powers > 200


TAILS = {
    "Normal": (of("Normal 0.3 1.7"), lambda y: mp.erfc((y - mp.mpf("0.3")) / (mp.mpf("1.7") * mp.sqrt(2))) / 2),
    "Cauchy": (of("Cauchy 0.5 2"), lambda y: mp.atan(2 / (y - mp.mpf("0.5"))) / mp.pi),
    "Gumbel": (of("Gumbel 0.2 1.5"), lambda y: -mp.expm1(-mp.exp(-(y - mp.mpf("0.2")) / mp.mpf("1.5")))),
    "Gamma": (of("Gamma 3.3 0.2"), lambda y: mp.gammainc(mp.mpf("3.3"), y / 5, regularized=True)),
    "LogNormal": (of("LogNormal 0 2"), lambda y: mp.erfc(mp.log(y) / mp.sqrt(8)) / 2),
    "Gompertz": (of("Gompertz 0.2 0.05"), lambda y: mp.exp(-mp.expm1(y / 20) / 5)),
    "Levy": (of("Levy 1.1"), lambda y: mp.erf(mp.sqrt(mp.mpf("1.1") / (2 * y)))),
}  # fmt: skip


@pytest.mark.parametrize("p, truth", TAILS.values(), ids=TAILS)
def test_bounds_of_tails_are_above_them_and_not_far(p, truth):
    f = Integrand(p.family.variable, p.family.log_density, sp.S.One, dict(p.bindings))
    for start, shift in ((3.0, 0), (4.5, 0), (8.0, 0), (6.0, -6), (1.5, 4)):
        cut = End(f, sp.S.Zero, 1, 1).bound(start, shift, arb(1))
        if cut is None:
            continue
        with mp.workdps(40):
            tail = truth(mp.ldexp(mp.exp(mp.mpf(start)), shift))
            bound = mp.mpf(cut.beyond.str(30, radius=False))
            assert tail <= bound
            assert tail < mp.mpf(10) ** -1000 or bound <= 20 * tail


@pytest.mark.parametrize("k", [32, 90])
def test_bounds_of_series_are_above_them(k):
    p = of("Poisson 7.5")
    f = Integrand(p.family.variable, p.family.log_density, p.family.variable, dict(p.bindings))
    cut = End(f, sp.S.Zero, 1, 1, counted=True).bound(float(mp.log(k)), 0, arb(1))
    with mp.workdps(60):
        tail = mp.mpf("7.5") * mp.gammainc(k - 1, 0, mp.mpf("7.5"), regularized=True)
        assert tail <= mp.mpf(cut.beyond.str(40, radius=False)) <= 5 * tail


# --- what a user sees


def test_masses_of_densities_of_ones_own():
    family = density("exp(-x**4/s)/(2*s**(1/4)*gamma(5/4))", x="x real", s="s>0")
    value = oracles.mass(family(R(3, 2)), 30, "ball")
    assert holds(value, mp.mpf(1)) and value.rad < 1e-29
    moment = oracles.expectation(family(1), family.variable**4, digits=25, proof="ball")
    assert holds(moment, mp.mpf("0.25"))


def test_the_other_divergences_and_the_second_opinion():
    p, q = of("Gamma 2.5 1.3"), of("LogNormal 0.5 0.8")
    for name in ("reverse_kl", "jeffreys", "cross_entropy"):
        proven, estimate = (
            oracles.measure(getattr(divergences, name), p, q, 20, proof) for proof in ("ball", "estimate")
        )
        assert compare(proven, estimate) is Verdict.AGREE and proven.proof == "ball"
    assert holds(oracles.measure(divergences.entropy, of("Exponential 2"), digits=30, proof="ball"), 1 - mp.log(2), 14)
    assert ball(p, p).rad < 1e-30


def test_closed_ends_of_domains():
    assert holds(ball(of("Geometric 1"), of("Geometric 0.5")), mp.log(2), 14)
    assert ball(of("Bernoulli 0.5"), of("Bernoulli 0")).mid == mp.inf


def test_names_have_to_be_bound():
    with pytest.raises(ParameterError, match="mu has no value"):
        oracles.measure(divergences.kl, catalog["Normal"]("mu", 1), of("Normal 0 1"), 20, "ball")


def test_without_python_flint_there_is_an_error_that_says_so():
    code = (
        "import sys; sys.modules['flint'] = None\n"
        "from klsym import Normal, ParameterError, oracles\nfrom klsym.divergences import kl\n"
        "try: oracles.measure(kl, Normal(0, 1), Normal(1, 1), 20, 'ball')\n"
        "except ParameterError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "needs python-flint" in ran.stdout
