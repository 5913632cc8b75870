"""The verifier finds what is wrong: in a formula, in a step, in somebody's function; and passes what is right."""

import random
from dataclasses import replace

import pytest
import sympy as sp

from klsym import Gamma, Laplace, Normal, Uniform, Weibull, divergences, families, kl
from klsym.api import Formula
from klsym.core.value import Verdict
from klsym.derive import derive
from klsym.verification import known

NAMES = """Normal Laplace Gumbel Cauchy Exponential Gamma ChiSquared InverseGamma Weibull Rayleigh HalfNormal LogNormal
Frechet Pareto Lomax Beta Uniform VonMises Bernoulli Geometric Poisson Zeta""".split()


def closed_formulas():
    members = [families.catalog[name] for name in NAMES]
    pairs = [(a, b) for a in members for b in members if a.discrete == b.discrete]
    random.Random(40).shuffle(pairs)
    for a, b in pairs:
        derivation = derive(divergences.kl, a.member("_p"), b.member("_q"))
        if derivation.kind == "closed" and derivation.cases[0].value != 0:
            yield replace(derivation, steps=())


def relative(value: sp.Expr, draw: random.Random) -> sp.Expr:
    return value * (1 + sp.Rational(1, 10**9))


def sign(value: sp.Expr, draw: random.Random) -> sp.Expr:
    term = draw.choice(sp.Add.make_args(value))
    return value - 2 * term


CONTROLS = [(i, d, (relative, sign)[i % 2]) for i, d in zip(range(40), closed_formulas(), strict=False)]


@pytest.mark.parametrize(
    ("seed", "derivation", "corrupt"),
    CONTROLS,
    ids=[f"{d.p.family.name}-{d.q.family.name}-{c.__name__}" for _, d, c in CONTROLS],
)
def test_corrupted_formula_is_flagged(seed, derivation, corrupt):
    case = derivation.cases[0]
    wrong = replace(case, value=corrupt(case.value, random.Random(seed)))
    report = Formula(replace(derivation, cases=(wrong,))).check(points=1, seed=seed, backend=None)
    assert report.verdict is Verdict.DISAGREE


def test_there_are_forty_controls():
    assert len(CONTROLS) == 40


@pytest.mark.parametrize(("p", "q"), [(Gamma, Weibull), (Laplace, Normal), (Normal, Laplace)], ids=lambda f: f.name)
def test_every_step_agrees(p, q):
    report = kl(p, q).check(points=1)
    assert report.ok, str(report)
    assert {row.what.split()[0] for row in report.rows} == {"formula", "step", "numpy"}


@pytest.mark.parametrize("number", [3, 4, 5, 6, 7])
def test_a_corrupted_step_is_named(number):
    f = kl(Gamma, Weibull)
    steps = list(f.steps)
    step = steps[number - 1]
    steps[number - 1] = replace(step, rhs=step.rhs * (1 + sp.Rational(1, 10**9)))
    report = Formula(replace(f.derivation, steps=tuple(steps))).check(points=1, backend=None)
    assert {row.what for row in report.rows if row.verdict is not Verdict.AGREE} == {f"step {number} {step.rule}"}


def test_the_last_step_is_the_value():
    """The derivation ends in the formula, for every closed pair of a slice."""
    for derivation in list(closed_formulas())[:40]:
        whole = derive(divergences.kl, derivation.p, derivation.q)
        assert whole.steps[-1].rhs == whole.cases[0].value


def test_known_values_have_powers_of_doubles_in_them():
    """k_p**x with doubles for both: as rationals, SymPy would factor their integers for hours."""
    formula = kl(families.catalog["ExpGamma"], families.catalog["Gumbel"])
    rows = list(known(formula))
    exact = formula.compile("exact")
    assert [float(values[0]) for _, values in rows] == [exact(*point) for point, _ in rows] and len(rows) == 3


def test_a_file_checks_itself_where_a_derivative_is_zero():
    names = {}
    source = kl(families.catalog["WrappedCauchy"], Uniform).generate(gradient=True)
    exec(compile(source, "generated", "exec"), names)
    assert "'0.0'" in source and names["self_check"]() < 100
    exec(compile(source.replace("'0.0'", "'1e-5'"), "generated", "exec"), names)
    with pytest.raises(AssertionError, match="units of 2"):
        names["self_check"]()


def test_report_prints_the_worst_difference():
    text = str(kl(Normal, Normal).check(points=1))
    assert "verdict: agree" in text and "worst difference" in text
