"""The oracles against integrals that deceive quadrature, closed forms, and the edge of convergence."""

from __future__ import annotations

import mpmath as mp
import pytest
import sympy as sp

from klsym import divergences, oracles
from klsym.backends.multiprecision import nearest
from klsym.core.divergence import Divergence
from klsym.core.domain import Interval, half_line, real_line, unit_interval
from klsym.core.errors import ParameterError
from klsym.core.family import Distribution, Family
from klsym.core.value import Value
from klsym.divergences import kl
from klsym.families import catalog
from klsym.oracles import anchors, half_lines

x = sp.Symbol("x", real=True)
R = sp.Rational


def law(log_density: sp.Expr, support: Interval = real_line, discrete: bool = False) -> Distribution:
    """A distribution without parameters, from its log density alone."""
    return Family("Law", (), support, log_density, x, discrete=discrete)()


def normal(mu: object, sigma: object) -> sp.Expr:
    return -((x - mu) ** 2) / (2 * sigma**2) - sp.log(sigma) - sp.log(2 * sp.pi) / 2


def exact(expression: sp.Expr) -> mp.mpf:
    return mp.mpf(sp.sympify(expression).evalf(40)._to_mpmath(140))


def right(value: Value, truth: object, tolerance: float = 1e-16) -> bool:
    """Vouched for, within its own radius, and with a radius that is worth having."""
    with mp.workdps(40):
        if not value.vouched:
            return False
        wanted = exact(truth) if isinstance(truth, sp.Basic) else mp.mpf(truth)
        if mp.isinf(wanted):
            return value.mid == wanted
        return abs(value.mid - wanted) <= value.rad + mp.mpf(10) ** -36 and value.rad <= tolerance * (1 + abs(wanted))


def of(name: str, *values: object) -> Distribution:
    return catalog[name](*values)


# --- integrands on which quadrature is known to be confidently wrong


def test_a_narrow_spike_far_away():
    value = oracles.measure(kl, law(normal(R("1000.37"), R("1e-3"))), law(normal(0, 1)))
    truth = sp.log(1000) + (R("1e-6") + R("1000.37") ** 2) / 2 - R(1, 2)
    assert right(value, truth)


def test_b_spike_in_a_mixture():
    p = sp.log(R(99, 100) * sp.exp(normal(0, 1)) + R(1, 100) * sp.exp(normal(R("7.1234"), R("1e-6"))))
    value = oracles.measure(kl, law(p), law(normal(0, 2)))
    assert value.vouched
    assert abs(value.mid - mp.mpf("0.462479286")) < 1e-9


def test_b_spike_whose_place_is_not_written_down_is_refused():
    spike = sp.exp(-(((sp.sinh(x) - 620) / R("1e-6")) ** 2)) * sp.cosh(x) / (R("1e-6") * sp.sqrt(sp.pi))
    p = law(sp.log(R(99, 100) * sp.exp(normal(0, 1)) + R(1, 100) * spike))
    value = oracles.measure(kl, p, law(normal(0, 2)))
    assert not value.vouched
    assert "integrates to 0.99" in value.note


def test_d_beta_with_large_shapes():
    value = oracles.measure(kl, of("Beta", 10**6, 2 * 10**6), of("Beta", 2, 3))
    with mp.workdps(50):
        assert right(value, _beta(mp.mpf(10) ** 6, mp.mpf(2) * 10**6, mp.mpf(2), mp.mpf(3)))


@pytest.mark.parametrize("normalised", [True, False])
def test_g_gap_of_zero_density_is_infinite(normalised):
    a, b = R("0.3"), R("0.3") + R("2e-8")
    lost = sp.log(1 - (sp.erf(b / sp.sqrt(2)) - sp.erf(a / sp.sqrt(2))) / 2) if normalised else 0
    q = law(sp.Piecewise((-sp.oo, sp.And(x > a, x < b)), (normal(0, 1) - lost, True)))
    value = oracles.measure(kl, law(normal(0, 1)), q)
    assert value.mid == mp.inf


def test_g_density_that_dips_smoothly_and_is_not_normalised_is_refused():
    q = law(normal(0, 1) + sp.log(1 - sp.exp(-(((x - R("0.3")) / R("1e-8")) ** 2))))
    value = oracles.measure(kl, law(normal(0, 1)), q)
    assert not value.vouched
    assert "cannot be relied on" in value.note


def test_c_gamma_piled_up_at_zero():
    value = oracles.measure(kl, of("Gamma", R(1, 1000), 1), of("Gamma", 2, 1))
    with mp.workdps(50):
        a, c = mp.mpf(1) / 1000, mp.mpf(2)
        assert right(value, (a - c) * mp.psi(0, a) - mp.loggamma(a) + mp.loggamma(c))
    assert mp.nstr(value.mid, 6) == "1993.24"


def test_near_equal_gammas_with_a_large_shape():
    """log(a) - digamma(a), from its asymptotic series (DLMF 5.11.2)."""
    a = sp.Integer(10**6)
    value = oracles.measure(kl, of("Gamma", a, 1), of("Gamma", a + 1, 1))
    assert right(value, 1 / (2 * a) + 1 / (12 * a**2) - 1 / (120 * a**4))


def test_h_wide_lognormals():
    value = oracles.measure(kl, of("LogNormal", 0, 30), of("LogNormal", 1, 10))
    assert right(value, sp.log(R(1, 3)) + R(901, 200) - R(1, 2))


def test_i_fast_oscillation_is_right_or_refused():
    p = law(sp.log(1 + R(9, 10) * sp.sin(8192 * sp.pi * x)), unit_interval)
    value = oracles.measure(kl, p, law(sp.S.Zero * x, unit_interval))
    assert not value.vouched or right(value, "0.2327", 1e-3)


def test_e_cauchy_beside_normal_is_infinite():
    cauchy = law(-sp.log(1 + x**2) - sp.log(sp.pi))
    assert oracles.measure(kl, cauchy, law(normal(0, 1))).mid == mp.inf


# --- closed forms


def _gaussian(m: sp.Expr, s: sp.Expr, n: sp.Expr, t: sp.Expr) -> sp.Expr:
    return sp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - R(1, 2)


def _beta(a: mp.mpf, b: mp.mpf, c: mp.mpf, d: mp.mpf) -> mp.mpf:
    def log_beta(s: mp.mpf, t: mp.mpf) -> mp.mpf:
        return mp.loggamma(s) + mp.loggamma(t) - mp.loggamma(s + t)

    change = (a - c) * mp.psi(0, a) + (b - d) * mp.psi(0, b) + (c - a + d - b) * mp.psi(0, a + b)
    return log_beta(c, d) - log_beta(a, b) + change


CLOSED = [
    (("Normal", 0, 1), ("Normal", 1, 2), _gaussian(sp.S(0), sp.S(1), sp.S(1), sp.S(2))),
    (("Normal", 10**6, R("1e-9")), ("Normal", 0, 10**5), _gaussian(sp.S(10**6), R("1e-9"), sp.S(0), sp.S(10**5))),
    (("Normal", 0, 1), ("Normal", R("1e-9"), 1), R("1e-18") / 2),
    (
        ("Gamma", 5, 2),
        ("Gamma", 2, 3),
        3 * sp.digamma(5) - sp.loggamma(5) + sp.loggamma(2) + 2 * sp.log(R(2, 3)) + R(5, 2),
    ),
    (("Exponential", 2), ("Exponential", 1), sp.log(2) - R(1, 2)),
    (("Exponential", 3), ("Pareto", 1, 2), sp.oo),
    # E|X - n| = |m - n| + b exp(-|m - n|/b) for X from Laplace(m, b).
    (
        ("Laplace", R(3, 10), 1),
        ("Laplace", -1, R(1, 2)),
        sp.log(R(1, 2)) - 1 + 2 * (R(13, 10) + sp.exp(-R(13, 10))),
    ),
    (("Laplace", R(1, 3), 2), ("Normal", 0, 1), -sp.log(4) - 1 + sp.log(2 * sp.pi) / 2 + (8 + R(1, 9)) / 2),
    (("Uniform", -1, 3), ("Normal", 0, 1), -sp.log(4) + sp.log(2 * sp.pi) / 2 + R(28, 24)),
    (("Uniform", 0, 1), ("Uniform", -1, 3), sp.log(4)),
    (("Pareto", 1, 3), ("Pareto", R(1, 2), 2), sp.log(R(3, 2)) + 2 * sp.log(2) - R(1, 3)),
    (("Cauchy", 0, 1), ("Cauchy", 1, 3), sp.log(R(17, 12))),
    (
        ("VonMises", 1, 2),
        ("VonMises", 0, R(1, 2)),
        sp.log(sp.besseli(0, R(1, 2)) / sp.besseli(0, 2)) + sp.besseli(1, 2) / sp.besseli(0, 2) * (2 - sp.cos(1) / 2),
    ),
    (("Poisson", 3), ("Poisson", 2), 3 * sp.log(R(3, 2)) - 1),
    (("Poisson", 5000), ("Poisson", 4900), 5000 * sp.log(R(50, 49)) - 100),
    (("Geometric", R(3, 10)), ("Geometric", R(1, 2)), sp.log(R(3, 5)) + R(7, 3) * sp.log(R(7, 5))),
    (("Geometric", 1), ("Geometric", R(1, 2)), sp.log(2)),
    (("Geometric", R(1, 10**6)), ("Geometric", R(1, 2)), sp.log(R(2, 10**6)) + 999999 * sp.log(R(999999, 500000))),
    (("Bernoulli", R(3, 10)), ("Bernoulli", R(1, 2)), R(3, 10) * sp.log(R(3, 5)) + R(7, 10) * sp.log(R(7, 5))),
    (("Bernoulli", 0), ("Bernoulli", R(3, 10)), sp.log(R(10, 7))),
    (("Bernoulli", 1), ("Bernoulli", 1), sp.S.Zero),
    (
        ("Binomial", 20, R(3, 10)),
        ("Binomial", 20, R(1, 4)),
        20 * (R(3, 10) * sp.log(R(6, 5)) + R(7, 10) * sp.log(R(14, 15))),
    ),
    (("DiscreteUniform", -3, 6), ("DiscreteUniform", -5, 9), sp.log(R(3, 2))),
    (("DiscreteUniform", 0, 10**6), ("DiscreteUniform", -1, 10**6), sp.log(R(10**6 + 2, 10**6 + 1))),
]


@pytest.mark.parametrize(("p", "q", "truth"), CLOSED, ids=lambda part: str(part)[:40])
def test_closed_form(p, q, truth):
    assert right(oracles.measure(kl, of(*p), of(*q)), truth)


@pytest.mark.parametrize("s", [R(3, 2), R(11, 10)])
def test_zeta_sums_slowly(s):
    with mp.workdps(45):
        a = mp.mpf(s.p) / s.q
        truth = (a - 3) * mp.zeta(a, 1, 1) / mp.zeta(a) + mp.log(mp.zeta(3) / mp.zeta(a))
    assert right(oracles.measure(kl, of("Zeta", s), of("Zeta", 3)), truth)


@pytest.mark.parametrize("digits", [12, 20, 30])
def test_digits_asked_for_are_digits_given(digits):
    value = oracles.measure(kl, of("Gamma", R(5, 2), 2), of("Gamma", 2, 3), digits)
    truth = R(1, 2) * sp.digamma(R(5, 2)) - sp.loggamma(R(5, 2)) + 2 * sp.log(R(2, 3)) + R(5, 4)
    assert right(value, truth, 10.0 ** (1 - digits))


# --- the edge of convergence


@pytest.mark.parametrize(
    ("alpha", "infinite"), [(R(3, 2), True), (2, True), (2 + R("1e-9"), False), (R("2.05"), False)]
)
def test_pareto_beside_normal(alpha, infinite):
    """E X^2 = alpha/(alpha - 2) is finite for alpha > 2 only, and E log X = 1/alpha."""
    alpha = sp.sympify(alpha)
    truth = sp.oo
    if not infinite:
        truth = sp.log(alpha) - (alpha + 1) / alpha + sp.log(2 * sp.pi) / 2 + alpha / (2 * (alpha - 2))
    assert right(oracles.measure(kl, of("Pareto", 1, alpha), of("Normal", 0, 1)), truth)


@pytest.mark.parametrize("b", [2, 1, R("0.999999"), R("0.9")])
def test_laplace_beside_gumbel(b):
    """E exp(-X) = 1/(1 - b^2) is finite for b < 1 only."""
    b = sp.sympify(b)
    truth = sp.oo if b >= 1 else -1 - sp.log(2 * b) + 1 / (1 - b**2)
    assert right(oracles.measure(kl, of("Laplace", 0, b), of("Gumbel", 0, 1)), truth)


@pytest.mark.parametrize("nu", [R(1), R("1.01"), R(3, 10)])
def test_student_tails(nu):
    p = of("StudentT", nu, 0, 1)
    assert right(oracles.measure(kl, p, of("Laplace", 0, 1)), sp.oo) == (nu <= 1)
    value = oracles.measure(kl, p, of("Cauchy", 0, 1))
    assert value.vouched
    assert right(value, 0) == (nu == 1)


def test_infinite_at_the_lower_end():
    for name, values in {"InverseGamma": (1, 1), "InverseGaussian": (1, 1)}.items():
        value = oracles.measure(kl, of("Uniform", 0, 1), of(name, *values))
        assert value.mid == mp.inf
        assert "does not decay near 0" in value.note


@pytest.mark.parametrize(("s", "infinite"), [(R(3, 2), True), (2, True), (R("2.1"), False)])
def test_zeta_beside_logarithmic(s, infinite):
    value = oracles.measure(kl, of("Zeta", s), of("Logarithmic", R(1, 2)))
    assert value.vouched
    assert mp.isinf(value.mid) == infinite


# --- supports


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (("Normal", 0, 1), ("Exponential", 1)),
        (("Uniform", 1, 3), ("Uniform", 2, 10)),
        (("Uniform", 0, 1), ("Uniform", 1, 2)),
        (("Poisson", 2), ("Binomial", 9, R(1, 2))),
        (("Normal", 0, 1), ("Poisson", 2)),
        (("Poisson", 2), ("Normal", 0, 1)),
        (("Bernoulli", R(3, 10)), ("Bernoulli", 0)),
        (("Geometric", R(1, 2)), ("Geometric", 1)),
    ],
)
def test_mass_outside_the_other_support_is_infinite_by_proof(p, q):
    value = oracles.measure(kl, of(*p), of(*q))
    assert (value.mid, value.rad, value.proof) == (mp.inf, 0, "exact")
    assert "has" in value.note


def test_hellinger_needs_only_the_common_support():
    affinity = Divergence("affinity", "A", lambda log_p, log_q, P, Q: P(sp.exp((log_q - log_p) / 2)))
    assert right(oracles.measure(affinity, of("Uniform", 0, 2), of("Uniform", 1, 3)), R(1, 2))
    assert right(oracles.measure(affinity, of("Uniform", 0, 1), of("Uniform", 1, 2)), 0)
    assert right(oracles.measure(affinity, of("Poisson", 1), of("Poisson", 4)), sp.exp(-R(1, 2)))


# --- other divergences, expectations, masses


def test_other_divergences():
    p, q = of("Exponential", 2), of("Exponential", 1)
    assert right(oracles.measure(divergences.jeffreys, p, q), R(1, 2))
    assert right(oracles.measure(divergences.reverse_kl, p, q), 1 - sp.log(2))
    assert right(oracles.measure(divergences.cross_entropy, p, q), R(1, 2))
    assert right(oracles.measure(divergences.entropy, p), 1 - sp.log(2))


def test_renyi_is_a_function_of_an_expectation():
    third = Divergence("renyi", "D", lambda log_p, log_q, P, Q: sp.log(P(exp_of(log_p, log_q))) / (R(1, 3) - 1))
    value = oracles.measure(third, of("Normal", 0, 1), of("Normal", 3, 1))
    assert right(value, R(3, 2))


def exp_of(log_p: sp.Expr, log_q: sp.Expr) -> sp.Expr:
    return sp.exp((R(1, 3) - 1) * (log_p - log_q))


def test_expectation_with_conditions():
    p = of("Exponential", 2)
    y = p.family.variable
    assert right(oracles.expectation(p, y**2), R(1, 2))
    assert right(oracles.expectation(p, sp.S.One, y > R(3, 10)), sp.exp(-R(3, 5)))
    within = sp.And(y > R(3, 10), y < 1)
    assert right(oracles.expectation(p, sp.S.One, within), sp.exp(-R(3, 5)) - sp.exp(-2))
    assert right(oracles.expectation(p, sp.log(y - 1), y > 1), sp.exp(-2) * (-sp.EulerGamma - sp.log(2)))
    assert right(oracles.expectation(p, sp.S.One, y**2 > 3), sp.exp(-2 * sp.sqrt(3)))


def test_expectation_of_kinks():
    p = of("Uniform", 0, 1)
    y = p.family.variable
    assert right(oracles.expectation(p, sp.Abs(y - R(1, 3))), R(5, 18))
    assert right(oracles.expectation(p, sp.Max(y, R(1, 2))), R(5, 8))
    assert right(oracles.expectation(p, sp.Abs(sp.exp(y) - 2)), 4 * sp.log(2) + sp.E - 5)
    assert right(oracles.expectation(p, sp.Piecewise((y, y < R(1, 3)), (1, True))), R(1, 18) + R(2, 3))
    assert right(oracles.expectation(p, y ** (-R(99, 100))), 100)
    assert right(oracles.expectation(p, (1 - y) ** (-R(99, 100))), 100)
    assert oracles.expectation(p, -1 / y).mid == -mp.inf


def test_expectation_over_counts():
    p = of("Poisson", 3)
    k = p.family.variable
    assert right(oracles.expectation(p, k * (k - 1)), 9)
    assert right(oracles.expectation(p, sp.S.One, k > R(3, 2)), 1 - 4 * sp.exp(-3))


def test_two_sided_sum():
    ratio = sp.exp(-1)
    p = law(-sp.Abs(x) + sp.log((1 - ratio) / (1 + ratio)), discrete=True)
    assert right(oracles.expectation(p, x**2), 2 * ratio / (1 - ratio) ** 2)
    assert right(oracles.expectation(p, sp.S.One, x > 0), ratio / (1 + ratio))


def test_signs_of_infinity_do_not_cancel():
    value = oracles.expectation(of("Cauchy", 0, 1), catalog["Cauchy"].variable)
    assert not value.vouched
    assert "both signs" in value.note


def test_mass():
    assert right(oracles.mass(of("Gamma", R(1, 100), 3)), 1)
    assert right(oracles.mass(of("Poisson", 3)), 1)
    assert right(oracles.mass(law(-x, half_line)), 1)
    assert right(oracles.mass(law(-2 * x, half_line)), R(1, 2))


def test_density_that_does_not_integrate_to_one_is_refused():
    good, half = law(-x, half_line), law(-2 * x, half_line)
    for p, q in ((good, half), (half, good)):
        value = oracles.measure(kl, p, q)
        assert not value.vouched
        assert "0.5" in value.note


def test_symbols_need_values():
    with pytest.raises(ParameterError, match="bind it first"):
        oracles.expectation(of("Exponential", "lam"), catalog["Exponential"].variable)
    with pytest.raises(ParameterError, match="bind it first"):
        oracles.expectation(of("Exponential", 1), sp.Symbol("other"))


def test_a_mass_that_the_digits_do_not_hold_is_no_infinite_sum():
    """At p = 1e-75 the entropy of Logarithmic is about p (1 - log(p/2))/2; 1 - p is 1 in the working precision."""
    measured = oracles.measure(divergences.entropy, catalog["Logarithmic"](sp.Rational(1, 10**75)))
    assert not measured.vouched and "the mass is infinite" in measured.note


def test_terms_beyond_reach_are_a_doubt():
    found = oracles.measure(divergences.entropy, catalog["Skellam"](sp.Integer(10) ** 300, 1))
    assert not found.vouched
    assert "besseli out of reach" in found.note


class Whole:
    """An integer that is not Python's, as are those of gmpy2, which mpmath takes where it finds it."""

    def __init__(self, value):
        self.value = value

    def __neg__(self):
        return Whole(-self.value)

    def __index__(self):
        return self.value


@pytest.mark.parametrize("exact", [anchors._rational, half_lines._rational, nearest], ids=lambda f: f.__module__)
def test_mantissas_of_another_kind(exact):
    assert float(exact(mp.mp.make_mpf((1, Whole(5), -1, 3)))) == -2.5
