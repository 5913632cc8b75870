"""Remainder forms: that they are the closed form, that their signs and errors are as said, and their derivatives."""

import random

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from klsym import kl
from klsym.backends.exact import evaluate
from klsym.core.sampling import draw
from klsym.families import catalog
from klsym.lower import lower

CLOSED = [f for f in catalog.values() if f.parameters and kl(f, f).kind == "closed"]
SLOW = {"Logistic", "HyperbolicSecant", "LogLogistic", "StudentT", "FisherF", "Lomax", "HalfCauchy"}
QUICK = [f for f in CLOSED if f.name not in SLOW]

# A sum of terms that are never negative, with an error that is bounded for all arguments at once.
PROVEN = {
    "Normal", "Laplace", "Cauchy", "Exponential", "Gamma", "ExpGamma", "InverseGamma", "ChiSquared", "Chi", "Rayleigh",
    "Maxwell", "HalfNormal", "Nakagami", "InverseGaussian", "ScaledInverseChiSquared", "LogNormal", "LogitNormal",
    "Levy", "LogLaplace", "Beta", "BetaPrime", "Kumaraswamy", "PowerFunction", "Bernoulli", "Binomial", "Geometric",
    "Poisson", "NegativeBinomial",
}  # fmt: skip
NONNEGATIVE = PROVEN | {"Weibull", "Frechet", "Gumbel", "Moyal", "VonMises", "WrappedCauchy"}

# Functions whose derivative has no name that can be computed: in a shape, of zeta, in the order of Bessel's K.
NO_GRADIENT = {"Gompertz", "Zeta", "GeneralizedInverseGaussian"}


def near(formula, seed, gap):
    """Doubles for the parameters: Q at a relative distance of about `gap` from P, in the case that is closed."""
    rng = random.Random(seed)
    case = next(case for case in formula.cases if case.kind == "closed")
    point = draw((formula.p, formula.q), case.when, rng)
    values = {}
    for p, q, parameter in zip(formula.p.values, formula.q.values, formula.p.family.parameters, strict=True):
        x = float(point[p])
        tied = any({p, q} == set(equation.args) for equation in case.when.atoms(sp.Eq))
        step = 0.0 if tied or parameter.domain.integer else gap * rng.uniform(0.3, 1)
        down = parameter.domain.upper.is_finite or any(c.args == (p, q) for c in case.when.atoms(sp.Ge))
        values[p], values[q] = x, x + (-0.9 if down else 1.0) * step * abs(x)
    return case, values


def truth(expr, values, digits=60):
    exact = {
        symbol: sp.Integer(value) if symbol.is_integer else sp.Float(value, digits) for symbol, value in values.items()
    }
    with mp.workdps(digits):
        return sp.N(expr.xreplace(exact), digits)


@pytest.mark.parametrize("gap", [0.5, 1e-4, 1e-9, 1e-14])
@pytest.mark.parametrize("family", QUICK, ids=lambda family: family.name)
def test_the_form_is_the_closed_form(family, gap):
    formula = kl(family, family)
    case, values = near(formula, f"{family.name} {gap}", gap)
    got = evaluate(lower(formula.derivation), [values[s] for s in formula.parameters])
    expected = truth(case.value, values)
    assert got.value == pytest.approx(float(expected), rel=1e-15, abs=0)
    assert got.value >= 0


def test_signs_and_bounds_are_proven_where_they_can_be():
    programs = {family.name: lower(kl(family, family).derivation) for family in CLOSED}
    bounded = {name for name, program in programs.items() if program.nonnegative and not program.outputs[0].error}
    assert bounded == PROVEN
    assert {name for name, program in programs.items() if program.nonnegative} == NONNEGATIVE


@pytest.mark.parametrize("family", QUICK, ids=lambda family: family.name)
def test_no_error_exceeds_its_estimate(family):
    """Without a second pass the value is as far off as is said, or less; with it, it is right."""
    formula = kl(family, family)
    first, both = formula.compile("numpy", second_pass=False), formula.compile("numpy")
    for k, gap in enumerate((1.0, 0.1, 1e-3, 1e-6, 1e-10, 1e-15)):
        _, values = near(formula, f"{family.name} {k} error", gap)
        arguments = [np.float64(values[s]) for s in formula.parameters]
        exact = evaluate(first.program, arguments).value
        value, error, _ = first(*arguments, report=True)
        assert np.isfinite(value)
        if np.isfinite(error):
            assert abs(value - exact) <= (1.01 * error + 2**-53) * abs(value)
        assert abs(both(*arguments) - exact) <= 8 * 2**-52 * exact


@pytest.mark.parametrize("family", [f for f in QUICK if f.name not in NO_GRADIENT], ids=lambda f: f.name)
def test_derivatives_of_the_form_are_those_of_the_closed_form(family):
    formula = kl(family, family)
    program = lower(formula.derivation, gradient=True)
    case, values = near(formula, f"{family.name} gradient", 1e-3)
    tied = {s for equation in case.when.atoms(sp.Eq) for s in equation.free_symbols}
    symbols = {s.name: s for s in formula.parameters}
    for k, output in enumerate(program.outputs[1:], 1):
        got = evaluate(program, [values[s] for s in formula.parameters], k)
        if symbols[output.name] in tied:
            assert np.isnan(got.value)
            continue
        with mp.workdps(60):
            exact = truth(case.value.diff(symbols[output.name]), values)
        assert got.value == pytest.approx(float(exact), rel=1e-15, abs=1e-300)


def test_bound_parameters_take_the_form_of_generic_ones():
    f = kl(catalog["Normal"](0, 1), catalog["Normal"]("m", "s")).compile("numpy")
    assert f.program.nonnegative and f(1e-9, 1.0) == pytest.approx(5e-19, rel=1e-15)
    g = kl(catalog["Gamma"], catalog["Gamma"], share=["beta"]).compile("numpy", gradient=True)
    value, _, beta, _ = g(3.0, 2.0, 3.0 + 1e-9)
    d = (3.0 + 1e-9) - 3.0
    assert value == pytest.approx(float(d**2 / 2 * sp.polygamma(1, 3)), rel=1e-8) and beta == 0
