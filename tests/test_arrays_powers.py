"""Renyi and its kin for families of arrays: textbook forms, one coordinate, and where the integral diverges."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import klsym
from klsym import (
    Beta,
    Dirichlet,
    Gamma,
    MultivariateLogNormal,
    MultivariateNormal,
    Normal,
    UnderivableError,
    Wishart,
    bhattacharyya,
    chi2,
    cli,
    hellinger,
    hellinger2,
    renyi,
    reverse_chi2,
    tsallis,
)

RNG = np.random.default_rng(5)
KINDS = [
    (klsym.bhattacharyya, ()), (klsym.hellinger, ()), (klsym.hellinger2, ()), (klsym.chi2, ()),
    (klsym.reverse_chi2, ()), (klsym.renyi, (1.5,)), (klsym.renyi, (5,)), (klsym.tsallis, (0.25,)),
    (klsym.alpha_divergence, (2,)), (klsym.chernoff, (0.75,)),
]  # fmt: skip


def covariance(k=3):
    a = RNG.normal(size=(k, k))
    s = a @ a.T + np.eye(k)
    return (s + s.T) / 2


def textbook(alpha, mu_p, p, mu_q, q):
    """a/2 d' S^-1 d - log(det S/(det p^(1-a) det q^a))/(2(a-1)), S = a q + (1-a) p (Gil, Alajaji, Linder 2013)"""
    s, gap = alpha * q + (1 - alpha) * p, mu_p - mu_q
    dets = [np.linalg.slogdet(m)[1] for m in (s, p, q)]
    logs = dets[0] - (1 - alpha) * dets[1] - alpha * dets[2]
    return alpha / 2 * gap @ np.linalg.solve(s, gap) - logs / (2 * (alpha - 1))


@pytest.mark.parametrize("alpha", [0.25, 0.5, 1.25, 3])
def test_normal_vectors_are_as_in_the_textbook_in_every_form(alpha):
    mu_p, mu_q, p = RNG.normal(size=3), RNG.normal(size=3), covariance()
    q = p + covariance()
    true = textbook(alpha, mu_p, p, mu_q, q)
    forms = [("covariance", lambda s: s), ("precision", np.linalg.inv), ("scale_tril", np.linalg.cholesky)]
    for name, form in forms:
        a, b = (form(s) for s in (p, q))
        a, b = ((x + x.T) / 2 if name == "precision" else x for x in (a, b))
        f = renyi(MultivariateNormal(mu_p, **{name: a}), MultivariateNormal(mu_q, **{name: b}), alpha)
        assert float(f.evaluate().value) == pytest.approx(true, rel=1e-12)
        assert f.compile()() == pytest.approx(true, rel=1e-12)
    d, e = np.diag(p), np.diag(p) + np.diag(q)
    f = renyi(MultivariateNormal(mu_p, diagonal=d), MultivariateNormal(mu_q, diagonal=e), alpha)
    assert f.compile()() == pytest.approx(textbook(alpha, mu_p, np.diag(d), mu_q, np.diag(e)), rel=1e-12)
    mixed = renyi(MultivariateNormal(mu_p, p), MultivariateNormal(mu_q, precision=np.diag(1 / e)), alpha)
    if alpha < 1:
        true = textbook(alpha, mu_p, p, mu_q, np.diag(e))
        assert float(mixed.evaluate().value) == pytest.approx(true, rel=1e-12)


def test_bhattacharyya_is_an_eighth_of_the_square_and_half_the_logarithm():
    mu_p, mu_q, p, q = RNG.normal(size=3), RNG.normal(size=3), covariance(), covariance()
    mean, gap = (p + q) / 2, mu_p - mu_q
    dets = np.linalg.det(mean) / np.sqrt(np.linalg.det(p) * np.linalg.det(q))
    true = gap @ np.linalg.solve(mean, gap) / 8 + np.log(dets) / 2
    for family in (MultivariateNormal, MultivariateLogNormal):
        assert bhattacharyya(family, family).compile()(mu_p, p, mu_q, q) == pytest.approx(true, rel=1e-13)


@pytest.mark.parametrize(("divergence", "order"), KINDS)
def test_one_coordinate_is_the_divergence_of_numbers(divergence, order):
    pairs = [
        ((MultivariateNormal([0.25], [[4.0]]), MultivariateNormal([-1], [[6.25]])), (Normal(0.25, 2), Normal(-1, 2.5))),
        ((Dirichlet([2, 3]), Dirichlet([1.5, 5])), (Beta(2, 3), Beta(1.5, 5))),
    ]
    for arrays, numbers in pairs:
        found, true = (divergence(*pair, *order).evaluate(20).value for pair in (arrays, numbers))
        assert found == true or abs(found - true) < 1e-18 * abs(true)
        assert divergence(*arrays, *order).compile()() == pytest.approx(float(true), rel=4e-15)


def test_wishart_of_one_coordinate_is_gamma():
    found = bhattacharyya(Wishart(3, [[2.0]]), Wishart(5, [[0.5]])).evaluate(20).value
    true = bhattacharyya(Gamma(1.5, 0.25), Gamma(2.5, 1)).evaluate(20).value
    assert abs(found - true) < 1e-18
    with pytest.raises(UnderivableError, match="between 0 and 1"):
        chi2(Wishart, Wishart)


def test_beyond_the_condition_the_integral_is_infinite_and_at_its_edge_too():
    s = covariance()
    f = chi2(MultivariateNormal, MultivariateNormal).compile()
    inside = np.where(np.eye(3) == 1, np.nextafter(2 * s, 0), 2 * s)
    batch = np.stack([s, 2 * s, inside, 3 * s])
    found = f(np.zeros(3), batch, np.zeros(3), s)
    assert found[0] == 0
    assert np.isinf(found[[1, 3]]).all()
    assert 1e6 < found[2] < np.inf
    edge = chi2(MultivariateNormal([0, 0, 0], 2 * s), MultivariateNormal([0, 0, 0], s)).evaluate()
    assert edge.value == mp.inf
    assert "diverges" in str(chi2(MultivariateNormal, MultivariateNormal))
    assert renyi(Dirichlet([1, 1]), Dirichlet([2, 1]), 2).evaluate().value == mp.inf
    g = renyi(Dirichlet, Dirichlet, 2).compile()
    assert list(np.isinf(g([[1.0, 1.0], [1.0, 1.5]], [[1.0, 2.0], [1.0, 2.0]]))) == [True, False]
    assert np.isnan(f(np.zeros(3), -s, np.zeros(3), s))


def test_near_the_diagonal_the_digits_stay():
    p, near = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0 + 2.0**-30])
    for d in (bhattacharyya, hellinger2, chi2):
        true = d(Dirichlet(p), Dirichlet(near)).evaluate(20).value
        assert d(Dirichlet, Dirichlet).compile()(p, near) == pytest.approx(float(true), rel=1e-15)
        assert d(Dirichlet(p), Dirichlet(p)).evaluate().value == 0
        assert d(Dirichlet, Dirichlet).compile()(p, p) == 0


def test_slopes_are_those_of_the_textbook_form():
    mu_p, mu_q, p, q = RNG.normal(size=2), RNG.normal(size=2), covariance(2), covariance(2)
    found = renyi(MultivariateNormal, MultivariateNormal, 0.5).compile(gradient=True)(mu_p, p, mu_q, q)
    step = 1e-6 * np.array([1.0, 0.0])
    slope = (textbook(0.5, mu_p + step, p, mu_q, q) - textbook(0.5, mu_p - step, p, mu_q, q)) / 2e-6
    assert found.mu_p[0] == pytest.approx(slope, rel=1e-7)


def test_the_definition_agrees():
    for f in (
        renyi(MultivariateNormal, MultivariateNormal, 1.5).in_base(2),
        reverse_chi2(MultivariateLogNormal, MultivariateLogNormal),
        hellinger(Dirichlet, Dirichlet),
        tsallis(Dirichlet, Dirichlet, 0.25),
    ):
        report = f.check(1)
        assert report.ok, report
        assert len(report.rows) == 3


def test_what_is_not_derived_says_so():
    normal = MultivariateNormal
    with pytest.raises(UnderivableError, match="rational number for its order"):
        renyi(normal, normal, "alpha")
    with pytest.raises(UnderivableError, match="of one kind"):
        bhattacharyya(normal, Dirichlet)
    with pytest.raises(UnderivableError, match="not derived"):
        bhattacharyya(klsym.MatrixNormal, klsym.MatrixNormal)


def test_command_line(capsys):
    words = "derive multivariatenormal multivariatenormal --divergence bhattacharyya"
    assert cli.main(words.split()) == 0
    assert "logdet(Sigma_p)/4" in capsys.readouterr().out
