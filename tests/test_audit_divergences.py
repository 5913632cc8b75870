"""The audit of divergences other than KL: their own parameters among the points, and what an error is relative to."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
import sympy as sp

import klsym
from klsym import divergences
from klsym.api import measured
from klsym.audit import report, run, truth
from klsym.audit.points import draw
from klsym.audit.subject import subject
from klsym.cli import main
from klsym.core.divergence import Divergence
from klsym.core.errors import ParameterError
from klsym.divergences import ordered
from klsym.families import find

SECONDS = 10
ALL = {name: found for name, found in vars(divergences).items() if isinstance(found, Divergence)}
SLICE = """renyi a Exponential; renyi a Poisson; renyi 1/2 Gamma; tsallis a Geometric; chi2 - Normal;
hellinger - Bernoulli; jeffreys - Laplace; reverse_kl - Gamma; entropy - Normal; cross_entropy - Gamma""".split(";")


def named(name, order):
    found = ALL[name]
    return found if order == "-" else ordered(found, order if order.isidentifier() else sp.Rational(order))


@pytest.mark.parametrize("text", SLICE)
def test_values_are_right_at_points_of_all_sets(text):
    name, order, family = text.split()
    plan = run.Plan(points=40, seed=2, backend="numpy", divergence=named(name, order))
    rows = run.audit_pair(family, family, plan, SECONDS)
    assert report.Report(plan, rows).ok, report.Report(plan, rows)
    assert rows[0]["compared"] > 40


def test_orders_are_drawn_everywhere():
    audited = subject("Exponential", "Exponential", divergence=ordered(divergences.renyi, "a"))
    points = draw(audited, "extreme", 4000, np.random.default_rng(1))
    p, q, order = points.T
    assert audited.names == ["rate_p", "rate_q", "a"] and (audited.of_p, audited.of_both) == (1, 2)
    assert (order != 1).all() and (order > 0).all()
    assert min(np.abs(order - 1)) < 1e-14 and min(order) < 1e-14 and max(order) > 100
    room = (order * p + (1 - order) * q) / q
    assert (room > 0).all() and min(room[order > 1.1]) < 1e-8, "the border of where it is finite"
    same = draw(audited, "equal", 100, np.random.default_rng(1))
    assert audited.equal(same).all() and len(set(same[:, 2])) == 100


@pytest.mark.parametrize("name", ALL)
def test_the_order_at_the_diagonal(name):
    """The value is as this power of the gap, at two members that a small gap parts."""
    found = ALL[name]
    assert (found.order == 0) == ("zero-on-diagonal" not in found.axioms)
    if found.parameters:
        found = ordered(found, sp.Rational(1, 3))
    p, q = find("Exponential").member("_p"), find("Exponential").member("_q")
    f = measured(found, p, q, None, (), False, {})
    if found.arity == 2:
        near = [f.evaluate(15, rate_p=2, rate_q=2 + sp.Rational(1, 10**k)).value for k in (6, 7)]
        assert float(near[0] / near[1]) == pytest.approx(10**found.order, rel=1e-4)


def test_an_entropy_is_judged_by_its_terms():
    audited = subject("Normal", "Normal", divergence=divergences.entropy)
    sigma = float(np.exp(-0.5) / np.sqrt(2 * np.pi))
    high, _, exponent, known, scale = truth.truths(audited)([0.0, sigma])
    assert known and abs(high) < 1e-10 * scale and np.ldexp(scale, exponent) == pytest.approx(2 * 1.4189385332)


def test_an_exponent_that_is_off_is_noticed():
    """exp(l) - 1 is -1 where l is off by far more than 1, and looks exact."""
    point = (-177434.20087846182, 0.0026106681307756065, 0.027159831673956962, 14568528.683084242)
    value, _, second = klsym.chi2(klsym.Normal, klsym.Normal).compile("numpy", report=True)(*point)
    assert second and value == pytest.approx(3946219500.10125, rel=1e-14)


ENDS = [
    ("Bernoulli", (0, 0.25), -np.log(0.75)),
    ("Bernoulli", (1, 0.25), -np.log(0.25)),
    ("Bernoulli", (0.25, 0), {0.5: -np.log(0.75), 2: np.inf}),
    ("Bernoulli", (1, 0), np.inf),
    ("Bernoulli", (1, 1), 0),
    ("Poisson", (0, 3), 3),
    ("Poisson", (3, 0), {0.5: 3, 2: np.inf}),
    ("Poisson", (0, 0), 0),
    ("Geometric", (1, 0.25), -np.log(0.25)),
    ("NegativeBinomial", (2, 0.25, 2, 1), {0.5: -2 * np.log(0.25), 2: np.inf}),
    ("Binomial", (3, 0.25, 3, 0), {0.5: -3 * np.log(0.75), 2: np.inf}),
    ("Binomial", (0, 0.25, 0, 0), 0),
]


@cache
def of_orders(name):
    family = find(name)
    bound = {order: klsym.renyi(family, family, order).compile("numpy") for order in (0.5, 2)}
    return klsym.renyi(family, family, "a").compile("numpy"), bound, klsym.hellinger2(family, family).compile("numpy")


@pytest.mark.parametrize(("name", "point", "value"), ENDS)
def test_values_at_ends_of_domains(name, point, value):
    generic, bound, square = of_orders(name)
    for order in (0.5, 2):
        wanted = value[order] if isinstance(value, dict) else value
        assert generic(*point, order) == pytest.approx(wanted, rel=1e-14, abs=0)
        assert bound[order](*point) == pytest.approx(wanted, rel=1e-14, abs=0)
    half = value[0.5] if isinstance(value, dict) else value
    assert square(*point) == pytest.approx(-np.expm1(-half / 2), rel=1e-14, abs=0)


def test_at_order_one_it_is_kl():
    f = klsym.renyi(klsym.Poisson, klsym.Poisson, "a").compile("numpy")
    assert f(0, 1, 1, check=True) == 1
    assert f(2, 1, 1, check=True) == pytest.approx(2 * np.log(2) - 1, rel=1e-15)


def test_an_order_that_is_excluded_is_named():
    f = klsym.tsallis_entropy(klsym.Exponential, "a").compile("numpy")
    assert np.isnan(f(2, 1))
    with pytest.raises(ParameterError, match="Ne\\(a, 1\\) must hold"):
        f(2, 1, check=True)


def test_command(capsys):
    words = (
        "audit self --divergence renyi --alpha 1/2 --only exponential --pairs same --points 60 --jobs 1 --backend numpy"
    )
    assert main([*words.split(), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["divergence"] == "Renyi[1/2](P || Q)" and document["functions"] == 1
    assert main("audit self --divergence renyi".split()) == 2
    assert "--alpha" in capsys.readouterr().err
    assert main("audit torch --divergence chi2".split()) == 2
    assert "is for an audit of klsym itself" in capsys.readouterr().err
