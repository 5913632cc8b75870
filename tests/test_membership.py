"""Families that hold others: each embedding is an identity, and a pair computed by one is the pair."""

import random

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from klsym import kl
from klsym.audit.meetings import MEETINGS
from klsym.backends.exact import evaluate
from klsym.common import common, generals
from klsym.core.family import Distribution
from klsym.core.sampling import draw
from klsym.derive.membership import member
from klsym.families import catalog
from klsym.lower import lower

KNOWN = """Normal<GeneralizedNormal Laplace<AsymmetricLaplace Laplace<GeneralizedNormal Cauchy<StudentT
Exponential<Gamma Exponential<Weibull Exponential<GeneralizedGamma Gamma<GeneralizedGamma ChiSquared<Gamma
ChiSquared<GeneralizedGamma Chi<GeneralizedGamma Chi<Nakagami Weibull<GeneralizedGamma Rayleigh<Weibull
Rayleigh<Nakagami Rayleigh<GeneralizedGamma Maxwell<Nakagami Maxwell<GeneralizedGamma HalfNormal<Nakagami
HalfNormal<GeneralizedGamma Nakagami<GeneralizedGamma InverseGaussian<GeneralizedInverseGaussian
InverseGamma<ScaledInverseChiSquared ScaledInverseChiSquared<InverseGamma Levy<InverseGamma
Levy<ScaledInverseChiSquared PowerFunction<Beta PowerFunction<Kumaraswamy CircularUniform<VonMises
CircularUniform<WrappedCauchy Bernoulli<Binomial Geometric<NegativeBinomial""".split()

# Exact doubles at which formulas of each pair are compared, near to where they meet.
GAPS = (0.3, 1e-5, 1e-11)


def points(family, seed):
    """Outcomes of the support of a drawn member, and the member."""
    own, rng = family.member(""), random.Random(f"{family.name} {seed}")
    p = own.subs(draw((own,), sp.true, rng) or {})
    low, high = p.support.lower, p.support.upper
    if family.discrete:
        first = low if low.is_finite else sp.Integer(-2)
        return p, [first + k for k in range(5) if high.is_infinite or first + k <= high]
    part = [sp.Rational(k, 7) for k in range(1, 7)]
    if low.is_finite and high.is_finite:
        return p, [low + (high - low) * t for t in part]
    return p, [low + t / (1 - t) for t in part] if low.is_finite else [t / (1 - t) - (1 - t) / t for t in part]


@pytest.mark.parametrize("family", catalog.values(), ids=lambda family: family.name)
def test_every_embedding_is_an_identity(family):
    found = {of.name: member(family, of) for of in catalog.values()}
    assert found.pop(family.name) == tuple(p.symbol for p in family.parameters)
    held = {f"{family.name}<{name}" for name, values in found.items() if values is not None}
    assert held == {row for row in KNOWN if row.startswith(f"{family.name}<")}
    for name, values in found.items():
        for seed in range(3 if values is not None else 0):
            p, outcomes = points(family, seed)
            image = Distribution(catalog[name], tuple(value.xreplace(p.bindings) for value in values))
            assert image.support == p.support and outcomes
            for x in outcomes:
                mine, theirs = (sp.N(law.log_density(x), 40) for law in (p, image))
                assert abs(mine - theirs) < 1e-28 * (1 + abs(mine))


@pytest.mark.parametrize(
    "p, q, least",
    [
        ("Gamma", "Weibull", "GeneralizedGamma"),
        ("Gamma", "Exponential", "Gamma"),
        ("Exponential", "Rayleigh", "Weibull"),
        ("Chi", "Rayleigh", "Nakagami"),
        ("Levy", "ScaledInverseChiSquared", "InverseGamma"),
        ("Beta", "PowerFunction", "Beta"),
        ("CircularUniform", "VonMises", "VonMises"),
    ],
)
def test_the_least_family_comes_first(p, q, least):
    f = kl(catalog[p], catalog[q])
    assert next(common(f.p, f.q))[0].family.name == least
    assert generals(f.derivation)[0][0].p.family.name == least


def meeting(p, q, gap):
    """Doubles for the parameters of a pair that meets, each that is bound there off by about `gap`."""
    formula, rng = kl(catalog[p], catalog[q]), random.Random(f"{p} {q} {gap}")
    values = {s.name: float(v) for s, v in (draw((formula.p, formula.q), sp.true, rng) or {}).items()}
    for name, value in MEETINGS[p, q].items():
        values[name] = float(value(values) if callable(value) else value)
    domains = {f"{a.name}{end}": a.domain for f, end in ((p, "_p"), (q, "_q")) for a in catalog[f].parameters}
    for name in MEETINGS[p, q]:
        if not domains[name].integer:
            step = gap * rng.uniform(0.3, 1)
            values[name] = values[name] * (1 + step) if values[name] else step
    return formula, values


MEET = [
    pair for pair, meets in MEETINGS.items() if meets and generals(kl(*(catalog[name] for name in pair)).derivation)
]


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("p, q", MEET)
def test_a_pair_near_its_meeting_is_its_closed_form(p, q, gap):
    formula, values = meeting(p, q, gap)
    arguments = [values[s.name] for s in formula.parameters]
    textbook = evaluate(lower(formula.derivation), arguments)
    assert formula.compile("exact")(*arguments) == textbook.value >= 0
    assert formula.compile("numpy")(*arguments) == pytest.approx(textbook.value, rel=8 * 2**-52, abs=0)


@pytest.mark.parametrize("p, q", MEET)
def test_derivatives_go_through_the_embedding(p, q):
    formula, values = meeting(p, q, 1e-3)
    point = {s: sp.Float(values[s.name], 60) for s in formula.parameters}
    got = formula.compile("exact", gradient=True)(*(values[s.name] for s in formula.parameters))
    for name, slope in formula.gradient().items():
        with mp.workdps(60):
            expected = float(sp.N(slope.xreplace(point), 40))
        actual = float(getattr(got, name))
        if not np.isnan(actual):
            assert actual == pytest.approx(expected, rel=1e-14, abs=1e-300), name


def test_the_derivation_stays_what_it_is():
    f = kl(catalog["Gamma"], catalog["Weibull"])
    assert f.steps[-1].rhs == f.value and {s.name for s in f.parameters} == {"alpha_p", "beta_p", "k_q", "lam_q"}


def test_a_support_of_one_point_is_a_condition():
    f = kl(catalog["Bernoulli"], catalog["Binomial"])
    assert str(f.condition) == "1 <= n_q" and f.cases[-1].value == sp.oo
    assert f.subs(n_q=0).value == sp.oo
