"""Entropy and Fisher information of every family that has them, against quadrature."""

import random

import pytest
import sympy as sp

from klsym import divergences, entropy, families, fisher, oracles
from klsym.core.differentiate import differentiated
from klsym.core.errors import UnderivableError
from klsym.core.sampling import draw
from klsym.core.value import Value, Verdict, compare
from klsym.evaluation import as_value
from klsym.information import irregular


def regular(name):
    try:
        return fisher(families.catalog[name])
    except UnderivableError:
        return None


ENTROPIES = [name for name, f in families.catalog.items() if entropy(f).kind == "closed"]
INFORMATION = [name for name in families.catalog if regular(name) is not None]


def test_counts():
    assert len(ENTROPIES) >= 50
    assert len(INFORMATION) >= 35


@pytest.mark.parametrize("name", ENTROPIES)
def test_entropy(name):
    f = entropy(families.catalog[name])
    point = draw((f.p,), sp.true, random.Random(name))
    truth = oracles.measure(divergences.entropy, f.p.subs(point), None, 18)
    assert compare(as_value(f.value.xreplace(point), 18), truth) is Verdict.AGREE


@pytest.mark.parametrize("name", INFORMATION)
def test_fisher_is_the_variance_of_the_score(name):
    """E[(d log p/d theta)^2], entry by entry on the diagonal."""
    family = families.catalog[name]
    matrix, p = fisher(family), family.member("")
    point = draw((p,), sp.true, random.Random(name))
    for i, symbol in enumerate(p.values):
        score = differentiated(p.log_density(), symbol).xreplace(point)
        truth = oracles.expectation(p.subs(point), score**2, sp.true, 16)
        assert compare(as_value(matrix[i, i].xreplace(point), 16), truth) is Verdict.AGREE, symbol


@pytest.mark.parametrize("name", ["Laplace", "Uniform", "Pareto", "Binomial"])
def test_no_information_where_the_model_is_not_regular(name):
    assert irregular(families.catalog[name])
    with pytest.raises(UnderivableError, match="no Fisher information"):
        fisher(families.catalog[name])


def test_values_substituted():
    from klsym import Normal

    assert fisher(Normal(0, 2))[0, 0] == sp.Rational(1, 4)
    assert isinstance(as_value(fisher(Normal(0, 2))[1, 1], 10), Value)
