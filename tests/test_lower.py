"""Closed forms as programs: what the program computes is what the expression means."""

import math

import pytest
import sympy as sp

from klsym import Bernoulli, Gamma, Normal, Uniform, Weibull
from klsym.core.derivation import Case, Derivation
from klsym.core.errors import UnderivableError
from klsym.core.functions import BesselKOrder, ParabolicU, TricomiU
from klsym.core.primitive import PRIMITIVES
from klsym.core.program import Output, Program, run
from klsym.divergences import kl
from klsym.lower import lower
from klsym.lower.rewrites import head, rewrite
from klsym.lower.ssa import Builder

a, b, k, u, z, nu = sp.symbols("a b k u z nu", positive=True)
p = sp.Symbol("p", positive=True)

# The exact arithmetic: every primitive is its spec.
CONSTANTS = {"pi": sp.pi, "e": sp.E, "euler_gamma": sp.EulerGamma, "inf": sp.oo, "-inf": -sp.oo, "nan": sp.nan}
EXACT = {name: primitive.spec for name, primitive in PRIMITIVES.items()} | {
    "constant": lambda text: CONSTANTS[text] if text in CONSTANTS else sp.Rational(text)
}


def program(expression):
    builder = Builder(sorted(s.name for s in expression.free_symbols))
    result = builder.expression(expression)
    return Program("f", builder.arguments, tuple(builder.lines), (Output(result),))


@pytest.mark.parametrize(
    "expression",
    [
        sp.gamma(a + 1 / k) / sp.gamma(a) * b ** (-1 / k),
        sp.loggamma(a) - sp.loggamma(b) + (a - b) * sp.polygamma(0, a),
        sp.log(sp.besselk(nu, z)) - z * sp.besselk(nu + 1, z) / sp.besselk(nu, z),
        k * sp.besseli(1, k) / sp.besseli(0, k) + sp.log(sp.besseli(0, k)),
        sp.exp(2 * z) * sp.expint(1, 2 * z) + BesselKOrder(nu, z),
        sp.exp(z) * sp.uppergamma(-a, z) * z**a,
        sp.lowergamma(a + 1, z) / sp.gamma(a) + sp.uppergamma(a, z) / sp.gamma(a),
        sp.exp(z**2 / 2) * sp.erfc(z / sp.sqrt(2)),
        sp.log(sp.zeta(1 + a)) - sp.log(sp.exp(z) - 1) + b * sp.exp(-a / b) - b,
        sp.betainc(a, b, 0, sp.exp(-z)) / sp.beta(a, b),
        z**2 / 4 + sp.log(ParabolicU(a, z)) + sp.log(TricomiU(a, b, z)),
        sp.Piecewise((sp.Max(a, b, 2), a < b), (sp.Min(a, k) - sp.Abs(a - k), sp.Or(k > 1, a <= 1)), (-a / 3, True)),
        sp.sign(a - b) * sp.coth(k) * sp.polylog(2, -z) - sp.acos(sp.exp(-a)) / sp.sqrt(b),
        sp.polygamma(1, a) * sp.tanh(b) ** sp.Rational(3, 2) + sp.hyper([a], [a + b], -z) - sp.EulerGamma * sp.pi,
        sp.hyper([a, a], [a + 1, a + 1], -z) + sp.hyper([1, a], [1 + a], sp.exp(-b)),
    ],
)
@pytest.mark.parametrize("closed_ends", [False, True])
def test_a_program_means_its_expression(expression, closed_ends):
    values = {s: sp.Rational(7 + 4 * i, 10) for i, s in enumerate(sorted(expression.free_symbols, key=str))}
    lowered = program(rewrite(expression, closed_ends))
    got = run(lowered, {s.name: v for s, v in values.items()}, EXACT).n(20)
    assert abs(got / expression.subs(values).n(20) - 1) < 1e-18


@pytest.mark.parametrize(
    "expression, safe",
    [
        (sp.gamma(a + k) / sp.gamma(a), "exp(log_rising(a, k))"),
        (sp.gamma(a + 2) / sp.gamma(a), "a*(a + 1)"),
        (sp.exp(z) * sp.expint(1, z), "exp_e1(z)"),
        (sp.log(sp.besselk(nu, z)), "-z + log_kve(nu, z)"),
        (sp.besselk(nu + 1, z) / sp.besselk(nu, z), "exp(-log_kve(nu, z) + log_kve(nu + 1, z))"),
        (sp.besseli(1, k) / sp.besseli(0, k), "bessel_ratio(k)"),
        (sp.log(sp.besseli(0, k)), "log_i0(k)"),
        (sp.log(1 - sp.exp(-z)), "log(-expm1(-z))"),
        (sp.log(1 + a), "log1p(a)"),
        (a * sp.exp(z) / (sp.exp(z) - 1), "-a/expm1(-z)"),
        (sp.exp(z**2) * sp.erfc(z), "erfcx(z)"),
        (sp.uppergamma(a, z) / sp.gamma(a), "gamma_q(a, z)"),
        (z**2 / 4 + sp.log(ParabolicU(a, z)), "log_parabolic_u(a, z)"),
        (sp.log(sp.zeta(a)), "log1p(zetam1(a))"),
        (p * sp.loggamma(a) + sp.loggamma(b) - p * sp.loggamma(a + 1), "-p*log(a) + lgamma(b)"),
    ],
)
def test_targeted_rewrites(expression, safe):
    assert str(rewrite(expression)) == safe


def test_zero_times_logarithm_only_where_zero_can_be():
    real = sp.Symbol("r", real=True)
    assert rewrite(a * sp.log(b)) == a * sp.log(b)
    assert rewrite(a * sp.log(b), closed_ends=True) == head("xlogy")(a, b)
    assert rewrite(real * sp.log(real)) == head("xlogy")(real, real)
    assert rewrite((1 - p) * sp.log(1 - p)) == -head("xlog1py")(p - 1, -p)


def derivation(left, right, *cases):
    return Derivation(kl, left, right, cases, ())


def test_arguments_are_p_then_q_each_once():
    left, right = Gamma("a", "b"), Weibull("k", "b")
    lowered = lower(derivation(left, right, Case("closed", sum(left.symbols | right.symbols), sp.true)))
    assert lowered.arguments == ("a", "b", "k")
    assert lowered.name == "kl_gamma_weibull"
    assert [c.text for c in lowered.conditions][:2] == ["a must lie in (0, oo)", "b must lie in (0, oo)"]


def test_common_subexpressions_are_one_line():
    lines = program(sp.log(a + b) * sp.exp(sp.log(a + b) * k) / (a + b)).lines
    assert [line.primitive for line in lines].count("log") <= 2
    assert [line.primitive for line in lines].count("add") == 1
    assert len({(line.primitive, line.arguments, line.constant) for line in lines}) == len(lines)


def test_line_names_avoid_argument_names():
    builder = Builder(["x1", "x2"])
    builder.expression(sp.exp(sp.Symbol("x1")) + sp.Symbol("x2"))
    assert not {line.name for line in builder.lines} & {"x1", "x2"}


def test_nothing_closed_is_an_error_that_names_the_pair():
    left, right = Normal.member("_p"), Gamma.member("_q")
    with pytest.raises(UnderivableError, match=r"Normal\(mu_p, sigma_p\) and Gamma.*evaluate\(\)"):
        lower(derivation(left, right, Case("numeric", sp.Symbol("E"), sp.true)))


def test_a_function_without_primitive_is_an_error():
    with pytest.raises(UnderivableError, match=r"airyai.*cannot be compiled"):
        program(sp.airyai(a))


def test_unit_divides_the_value():
    left, right = Normal(0, 1), Normal("mu", 1)
    mu = right.values[0]
    lowered = lower(derivation(left, right, Case("closed", mu**2 / 2, sp.true)), sp.Integer(2))
    got = run(lowered, {"mu": sp.Integer(3)}, EXACT)
    assert math.isclose(float(got), 4.5 / math.log(2))
    assert "in bits" in lowered.doc


def test_closed_ends_and_constraints_are_conditions():
    texts = [c.text for c in lower(_simple(Uniform)).conditions]
    assert "a_p < b_p must hold" in texts
    assert "p_p must lie in [0, 1]" in [c.text for c in lower(_simple(Bernoulli)).conditions]


def _simple(family):
    return derivation(family.member("_p"), family.member("_q"), Case("infinite", sp.oo, sp.true))
