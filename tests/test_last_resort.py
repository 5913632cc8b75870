"""Integration by a computer algebra system as a last resort: what it finds is checked, what is wrong is refused."""

import sympy as sp
from sweep import findings

from klsym import Exponential, Laplace, density, kl
from klsym.core.value import Verdict
from klsym.derive.integrate import _confirmed, _integral

u = sp.Symbol("u", positive=True)
c = sp.Symbol("c0", positive=True)


def test_it_closes_a_pair_that_no_rule_does():
    falling = density("exp(1 - sqrt(1 + x))/4", x="x>0")
    assert kl(Exponential, falling).kind == "undecided"
    f = kl(Exponential, falling, deep=True)
    assert f.kind == "closed"
    assert any(step.rule == "integrate" for step in f.steps)
    assert [found.verdict for found in findings(f.derivation, f.derivation.cases[0], 2, 1)] == [Verdict.AGREE] * 2


def test_it_changes_nothing_where_the_rules_suffice():
    assert kl(Laplace, Laplace, deep=True).value == kl(Laplace, Laplace).value


def test_a_wrong_branch_is_refused():
    """log|1 - c| is right below c = 1 and wrong above it, or the other way round."""
    integrand = sp.exp(-c * u)
    assert _confirmed(1 / c, integrand, u, sp.S.Zero, sp.oo)
    assert not _confirmed(sp.Piecewise((1 / c, c < 1), (1 / c + 1, True)), integrand, u, sp.S.Zero, sp.oo)
    assert not _confirmed(1 / c + sp.I, integrand, u, sp.S.Zero, sp.oo)


def test_what_takes_too_long_is_given_up():
    hard = u ** (c - 1) * sp.exp(-u) * sp.log(1 + sp.exp(-c * u)) * sp.sin(u**c)
    assert _integral(hard, sp.S.Zero, sp.oo) is None
