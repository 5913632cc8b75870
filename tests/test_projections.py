"""Projections: moments matched in closed form and beside an optimiser, maximum likelihood, and the modes in reverse."""

from __future__ import annotations

import json
import pickle

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy import optimize, stats

import klsym
from klsym import (
    Beta,
    Categorical,
    Cauchy,
    Dirichlet,
    Exponential,
    Gamma,
    InverseGaussian,
    Laplace,
    LogNormal,
    MultivariateNormal,
    Normal,
    ParameterError,
    Pareto,
    Poisson,
    StudentT,
    UnderivableError,
    Uniform,
    VonMisesFisher,
    catalog,
    cross_entropy,
    kl,
    mixture,
    project,
)
from klsym.cli import main

CLOSED = {
    "Gamma Normal": "Normal(alpha_p/beta_p, sqrt(alpha_p)/beta_p)",
    "Laplace Normal": "Normal(mu_p, sqrt(2)*b_p)",
    "Gamma LogNormal": "LogNormal(-log(beta_p) + polygamma(0, alpha_p), sqrt(polygamma(1, alpha_p)))",
    "Weibull Exponential": "Exponential(1/(lam_p*gamma(1 + 1/k_p)))",
    "Binomial Poisson": "Poisson(n_p*p_p)",
    "Beta Uniform": "Uniform(0, 1)",
    "Pareto Exponential": "Exponential((alpha_p - 1)/(alpha_p*xm_p))",
    "Exponential Gamma": "Gamma(1, rate_p)",
}
# The nearest member in closed form and by an optimiser that knows the cross-entropy alone.
CHECKED = """Gamma-Normal Laplace-Normal Weibull-Exponential HalfNormal-Maxwell Poisson-Geometric Gamma-Levy Beta-Normal
Gamma-LogNormal Gumbel-Normal Logistic-Normal Moyal-Normal Exponential-Normal Exponential-LogNormal Exponential-Rayleigh
Gamma-Rayleigh Gamma-InverseGaussian Gamma-Lindley HalfNormal-Exponential HalfNormal-Normal HalfNormal-LogNormal
InverseGamma-InverseGaussian InverseGaussian-Normal LogNormal-Exponential LogNormal-InverseGaussian LogNormal-Normal
Maxwell-Exponential Maxwell-LogNormal Nakagami-Normal Pareto-Exponential Pareto-LogNormal Rayleigh-Exponential
Rayleigh-Normal Uniform-Normal Weibull-LogNormal Weibull-Normal Lomax-Exponential Binomial-Poisson
Bernoulli-Geometric ZeroTruncatedPoisson-Geometric Arcsine-Normal Triangular-Normal""".split()
QUICK = 3
TWO = mixture([0.5, 0.5], [Normal(-4, 1), Normal(4, 1)])


@pytest.mark.parametrize("pair", CLOSED)
def test_closed_forms(pair):
    p, q = (catalog[name] for name in pair.split())
    assert str(project(p, q).member) == CLOSED[pair]


def test_conditions_are_those_of_the_moments():
    assert str(project(Pareto, Exponential).condition) == "1 < alpha_p"
    assert str(project(Gamma("a", "b"), Gamma).member) == "Gamma(a, b)"


def optimised(p, family, start):
    """Where the cross-entropy is least, by the simplex method on its compiled code, from a place beside the start."""
    code = cross_entropy(p, family).compile("numpy")
    beside = np.array(start) * 1.1 + 0.05
    found = optimize.minimize(lambda t: np.nan_to_num(code(*t), nan=np.inf), beside, method="Nelder-Mead",
                              options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 4000, "maxfev": 4000})  # fmt: skip
    return found.x, found.fun, float(code(*start))


@pytest.mark.parametrize(
    "pair", [p if n < QUICK else pytest.param(p, marks=pytest.mark.slow) for n, p in enumerate(CHECKED)]
)
def test_closed_projections_are_where_an_optimiser_ends(pair, typical):
    p, q = (catalog[name] for name in pair.split("-"))
    member = typical(p)
    found = project(member, q)
    assert found.how in ("derived", "member")
    at, least, ours = optimised(member, q, [float(v) for v in found.member.values])
    assert ours <= least + 1e-12 * (1 + abs(least))
    assert np.allclose(at, [float(v) for v in found.member.values], rtol=2e-6, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", catalog)
def test_the_whole_catalog_is_derived_at_a_minimum(name, typical):
    """Every closed projection of a family, moved to either side along each parameter, is farther."""
    p, closed = typical(catalog[name]), 0
    for q in catalog.values():
        try:
            found = project(catalog[name], q)
            if found.how != "derived" or found.condition.subs(p_values(found, p)) == sp.false:
                continue
            found = project(p, q)
        except (ParameterError, UnderivableError):
            continue
        closed += 1
        formula = kl(p, q)
        values = [float(v) for v in found.member.values]
        if formula.kind != "closed" or any(f.func.__name__ == "MellinBarnes" for f in formula.value.atoms(sp.Function)):
            continue
        code, here = formula.compile("numpy"), found.divergence
        for place, parameter in enumerate(q.parameters):
            for move in (0.99, 1.01):
                moved = list(values)
                moved[place] = values[place] * move + (move - 1)
                there = code(*moved) if not parameter.domain.integer else np.nan
                assert not there < here - 1e-12, f"{name} onto {q.name}: {moved} is nearer than {values}"


def p_values(found, p):
    return dict(zip(catalog[p.family.name].member("_p").values, p.values, strict=True))


def test_one_equation_is_left_and_solved_to_any_digits():
    found = project(LogNormal("m", "s"), Gamma)
    assert (found.how, [str(s) for s, _ in found.equations]) == ("implicit", ["alpha"])
    found = project(LogNormal(0, 1), Gamma)
    alpha = found.evaluate(digits=40)["alpha"].value
    with mp.workdps(45):
        assert abs(mp.log(alpha) - mp.digamma(alpha) - mp.mpf(1) / 2) < mp.mpf(10) ** -39
    assert found.how == "solved"


def test_the_divergence_that_remains_is_a_formula():
    found = project(Gamma(2, 1), Normal)
    assert found.divergence == pytest.approx(float(kl(Gamma(2, 1), Normal(2, sp.sqrt(2)))), rel=1e-15)
    assert found.remaining.kind == "closed"
    assert {"cross-entropy", "stationarity", "solve", "expectation"} <= {step.rule for step in found.steps}


def test_reverse_finds_both_modes_the_middle_and_the_saddles_between():
    found = project(TWO, Normal, "reverse")
    means = [float(q.values[0]) for q in found.members]
    assert sorted(means) == pytest.approx([-3.9996, 0, 3.9996], abs=1e-4)
    assert [point.divergence for point in found.points[:2]] == pytest.approx([np.log(2)] * 2, abs=2e-4)
    assert sorted(float(s.member.values[0]) for s in found.saddles) == pytest.approx([-1.7779, 1.7779], abs=1e-4)
    for point in found.points[1:4]:
        assert point.divergence == pytest.approx(float(kl(point.member, TWO)), rel=1e-12)
        assert point.slope < 1e-8 and (min(point.curvatures) > 0) == (point.kind == "minimum")


@pytest.mark.slow
def test_close_modes_merge():
    found = project(mixture([0.5, 0.5], [Normal(-1, 1), Normal(1, 1)]), Normal, "reverse")
    assert len(found.points) == 1
    assert float(project(TWO, Normal).values["sigma"]) == pytest.approx(np.sqrt(17), rel=1e-15)


@pytest.mark.slow
def test_reverse_of_counts_and_of_a_closed_divergence():
    found = project(mixture([0.5, 0.5], [Poisson(2), Poisson(20)]), Poisson, "reverse")
    assert [round(float(q.values[0]), 2) for q in found.members] == [19.96, 2.01]
    assert [point.kind for point in found.saddles] == ["maximum"]
    # KL(Exponential(r) || Gamma(a, b)) = log r + psi-terms + b/r: least at r = b/a.
    assert float(project(Gamma(3, 2), Exponential, "reverse").values["rate"]) == pytest.approx(2 / 3, rel=1e-8)


def test_descent_where_there_is_no_equation():
    found = project(Normal(0, 1), Laplace)
    assert (found.how, float(found.values["b"])) == ("optimised", pytest.approx(np.sqrt(2 / np.pi), rel=1e-9))
    with pytest.raises(UnderivableError, match="StudentT was found at a minimum"):
        project(Normal(0, 1), StudentT)  # it is the limit of nu, not a member


FITS = {
    "Normal": (stats.norm(3, 2), lambda x: stats.norm.fit(x), stats.norm),
    "Gamma": (stats.gamma(3, scale=2), lambda x: _rate(stats.gamma.fit(x, floc=0)), None),
    "Weibull": (stats.weibull_min(1.7, scale=3), lambda x: _drop(stats.weibull_min.fit(x, floc=0)), None),
    "Beta": (stats.beta(2, 3), lambda x: stats.beta.fit(x, floc=0, fscale=1)[:2], None),
    "Gumbel": (stats.gumbel_r(1, 2), lambda x: stats.gumbel_r.fit(x), None),
    "Laplace": (stats.laplace(1, 2), lambda x: stats.laplace.fit(x), None),
    "Exponential": (stats.expon(scale=2), lambda x: (1 / stats.expon.fit(x, floc=0)[1],), None),
    "VonMises": (stats.vonmises(2, 0.5), lambda x: stats.vonmises.fit(x)[1::-1], None),
    "InverseGamma": (stats.invgamma(3, scale=2), lambda x: _drop(stats.invgamma.fit(x, floc=0)), None),
    "Cauchy": (stats.cauchy(1, 2), lambda x: stats.cauchy.fit(x), None),
    "Logistic": (stats.logistic(1, 2), lambda x: stats.logistic.fit(x), None),
}


LONGER = ("Laplace", "InverseGamma", "Cauchy", "Logistic")


def _rate(fit):
    return fit[0], 1 / fit[2]


def _drop(fit):
    return fit[0], fit[2]


@pytest.mark.parametrize("name", [n if n not in LONGER else pytest.param(n, marks=pytest.mark.slow) for n in FITS])
def test_maximum_likelihood_beside_scipy(name):
    law, fit, _ = FITS[name]
    x = law.rvs(size=300, random_state=1)
    found, theirs = project(x, catalog[name]), [float(v) for v in fit(x)]
    assert [float(v) for v in found.member.values] == pytest.approx(theirs, rel=2e-4, abs=2e-4)
    at = sp.lambdify(catalog[name].variable, catalog[name](*theirs).log_density(), ["scipy", "numpy"])
    assert -found.cross_entropy >= np.mean(at(x)) - 1e-14
    assert found.divergence is None


def test_other_likelihoods():
    x = np.array([0.5, 1.0, 2.0, 4.5])
    assert [float(v) for v in project(x, InverseGaussian).member.values] == pytest.approx(
        [2.0, 1 / (np.mean(1 / x) - 0.5)], rel=1e-14
    )
    assert [float(v) for v in project(x, Uniform).member.values] == [0.5, 4.5]
    assert float(project(x, Pareto).values["alpha"]) == pytest.approx(1 / np.mean(np.log(x / 0.5)), rel=1e-14)
    assert float(project(x, Pareto(0.25, "alpha")).values["alpha"]) == pytest.approx(1 / np.mean(np.log(x * 4)))
    counts = project([0, 0, 1, 3], Poisson)
    shares = np.array([0.5, 0.25, 0.25])
    assert counts.divergence == pytest.approx(np.sum(shares * np.log(shares / stats.poisson(1).pmf([0, 1, 3]))))


@pytest.mark.slow
def test_a_mixture_is_descended_by_its_components():
    p = mixture([0.5, 0.5], [Normal(-1, 1), Normal(2, 1)])
    found = project(p, Laplace)  # the centre is the median, and the scale the mean distance from it
    folded = 1.5 * (2 * stats.norm.cdf(1.5) - 1) + 2 * stats.norm.pdf(1.5)
    assert [float(v) for v in found.member.values] == pytest.approx([0.5, folded], rel=1e-8)


def test_a_distribution_of_another_library():
    assert str(project(stats.gamma(3, scale=0.5), Normal).member) == "Normal(3/2, sqrt(3)/2)"
    with pytest.raises(ParameterError, match="batch"):
        project(stats.norm([0, 1], 1), Laplace)


def test_a_projection_is_pickled():
    found = pickle.loads(pickle.dumps(project(LogNormal(0, 1), Gamma)))
    assert found.evaluate(20) == project(LogNormal(0, 1), Gamma).evaluate(20)


def test_weights_are_repetitions():
    assert project([1.0, 2.0], Gamma, weights=[1, 3]).values == project([1.0, 2.0, 2.0, 2.0], Gamma).values


def test_a_spread_far_from_zero_keeps_its_digits():
    x = 1e8 + np.array([-1.0, 0.5, 2.0, 0.25])
    assert float(project(x, Normal).values["sigma"]) == pytest.approx(np.std(x - 1e8), rel=1e-15)
    gap = project(1 + 1e-6 * np.arange(5.0), Gamma)  # log of the mean less the mean of logs: 1e-12
    assert float(gap.values["alpha"]) == pytest.approx(1 / 2e-12, rel=1e-5)


BAD = {
    "no samples": (lambda: project([], Normal), "no samples"),
    "nan": (lambda: project([1.0, np.nan], Normal), "sample 1 is nan"),
    "outside": (lambda: project([1.0, 2.0, -3.0], Gamma), "sample 2 is -3"),
    "end": (lambda: project([0.5, 1.0], Beta), "sample 1 is 1"),
    "fraction": (lambda: project([1.0, 0.5], Poisson), "sample 1 is 0.5"),
    "constant": (lambda: project([2.0, 2.0], Normal), "degenerate"),
    "one sample": (lambda: project([2.0], Gamma), "degenerate"),
    "direction": (lambda: project([1.0], Normal, "sideways"), "'sideways'"),
    "reverse of samples": (lambda: project([1.0, 2.0], Normal, "reverse"), "needs a density"),
    "weights": (lambda: project([1.0, 2.0], Normal, weights=[1, -1]), "weight 1 is -1"),
    "zero weights": (lambda: project([1.0, 2.0], Normal, weights=[0, 0]), "all 0"),
    "moments": (lambda: project(Cauchy(0, 1), Normal), "infinitely far"),
    "support": (lambda: project(Normal(0, 1), Gamma), "infinitely far"),
    "reverse support": (lambda: project(Gamma(2, 1), Normal, "reverse"), "= oo"),
    "whole number": (lambda: project([1, 2], klsym.Binomial), "n of Binomial is a whole number"),
    "nothing free": (lambda: project([1.0], Normal(0, 1)), "no free parameter"),
    "kinds": (lambda: project(Poisson(2), Normal), "integers"),
    "symbols": (lambda: project(Gamma, LogNormal, "reverse"), "bind alpha_p, beta_p"),
    "no space": (lambda: project(np.zeros((3, 2)), Normal), "array \\(n,\\)"),
    "few vectors": (lambda: project(np.eye(2), MultivariateNormal), "degenerate"),
    "many coordinates": (
        lambda: project(
            mixture([0.5, 0.5], [MultivariateNormal(m * np.ones(3), np.eye(3)) for m in (0, 1)]),
            MultivariateNormal,
            "reverse",
        ),
        "up to 2 coordinates, and these have 3",
    ),
    "mixtures of lists": (
        lambda: project(mixture([0.5, 0.5], [Dirichlet([1, 2]), Dirichlet([3, 1])]), Dirichlet, "reverse"),
        "of numbers and of normal vectors",
    ),
    "underdispersed": (lambda: project([1, 2, 2, 3], klsym.NegativeBinomial), "no member is nearest"),
    "base": (lambda: project(Gamma(2, 1), Normal, base=1), "base is 1"),
    "categories": (lambda: project([0, 1], Categorical), "counted from 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, says = BAD[case]
    with pytest.raises((ParameterError, UnderivableError), match=says):
        call()


def test_vectors():
    x = np.random.default_rng(0).multivariate_normal([1e6, 2], [[2, 0.5], [0.5, 1]], 200)
    found = project(x, MultivariateNormal)
    assert np.allclose(found.values["Sigma"].array.astype(float), np.cov(x.T, bias=True), rtol=1e-13)
    p = MultivariateNormal([0, 0], [[2, 1], [1, 1]])
    parts = mixture([0.5, 0.5], [p, MultivariateNormal([3, 0], [[2, 1], [1, 1]])])
    assert project(parts, MultivariateNormal).values["Sigma"].array.tolist() == [[4.25, 1], [1, 1]]
    independent = MultivariateNormal("mu", diagonal="d")
    for direction, expected in (("forward", [2, 1]), ("reverse", [1, 0.5])):
        assert project(p, independent, direction).values["d"].array.astype(float) == pytest.approx(expected)


ON_A_LINE = mixture([0.4, 0.6], [Normal(-3, 1), Normal(3, 0.5)])


def test_reverse_of_mixtures_of_vectors():
    """Independent coordinates are projected each by itself."""
    line = project(ON_A_LINE, Normal, "reverse")
    parts = [([-3.0, 1e6], [1.0, 4e4]), ([3.0, 1e6], [0.25, 4e4])]
    plane = mixture([0.4, 0.6], [MultivariateNormal(m, np.diag(v)) for m, v in parts])
    found = project(plane, MultivariateNormal("mu", diagonal="d"), "reverse", starts=1)
    assert [point.kind for point in found.points] == [point.kind for point in line.points]
    for ours, known in zip(found.points, line.points, strict=True):
        mu, d = (v.array.astype(float) for v in ours.member.values)
        expected = [float(v) for v in known.member.values]
        # What lies across both modes meets the bend of log P between them, where a grid is coarse.
        near = 1e-7 if ours.kind == "minimum" else 1e-4
        assert [mu.ravel()[0], d.ravel()[0] ** 0.5] == pytest.approx(expected, rel=near)
        assert [mu.ravel()[1], d.ravel()[1]] == pytest.approx([1e6, 4e4], rel=1e-9)
        assert ours.divergence == pytest.approx(known.divergence, rel=1e-9)


@pytest.mark.slow
def test_reverse_of_vectors_turns_with_them():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = mixture([0.4, 0.6], [MultivariateNormal(turn @ m, turn @ np.diag(v) @ turn.T)
                                  for m, v in (([-3, 0], [1, 2]), ([3, 0], [0.25, 2]))])  # fmt: skip
    found = project(turned, MultivariateNormal, "reverse", starts=1)
    for ours, known in zip(found.members, project(ON_A_LINE, Normal, "reverse").members, strict=True):
        mu, sigma = (v.array.astype(float) for v in ours.values)
        m, s = (float(v) for v in known.values)
        assert np.allclose(mu.ravel(), turn @ [m, 0], atol=1e-6)
        assert np.allclose(sigma, turn @ np.diag([s * s, 2]) @ turn.T, atol=1e-6)


def test_lists_and_directions():
    rng = np.random.default_rng(0)
    x = rng.dirichlet([1, 2, 3], 200)
    alpha = project(x, Dirichlet).values["alpha"].array.astype(float)
    for move in (0.99, 1.01):
        for place in np.eye(3):
            moved = np.where(place, alpha * move, alpha)
            assert stats.dirichlet(alpha).logpdf(x.T).mean() > stats.dirichlet(moved).logpdf(x.T).mean()
    assert project([1, 2, 3, 3], Categorical).values["p"].array.tolist() == [0.25, 0.25, 0.5]
    v = stats.vonmises_fisher([1, 0, 0], 5).rvs(200, random_state=rng)
    mu, kappa = stats.vonmises_fisher.fit(v)
    found = project(v, VonMisesFisher)
    assert float(found.values["kappa"]) == pytest.approx(kappa, rel=1e-8)
    assert np.allclose(found.values["mu"].array.astype(float).ravel(), mu)


def test_units():
    nats, bits = (project(Gamma(2, 1), Normal, base=base) for base in (None, 2))
    assert bits.divergence * np.log(2) == pytest.approx(nats.divergence, rel=1e-15) and " bits" in str(bits)
    assert float(bits.remaining) == pytest.approx(bits.divergence, rel=1e-15)
    nats, bits = (project([1, 2, 4], Poisson, base=base) for base in (None, 2))
    assert bits.cross_entropy * np.log(2) == pytest.approx(nats.cross_entropy)
    assert bits.divergence * np.log(2) == pytest.approx(nats.divergence)
    assert project(Gamma("a", "b"), Normal, base=2).remaining.unit == "bits"


def test_command(capsys):
    assert main(["project", "gamma", "alpha=2", "beta=1", "normal", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["how"] == "derived"
    assert document["points"][0]["parameters"] == {"mu": 2.0, "sigma": pytest.approx(np.sqrt(2))}
    assert main(["project", "gamma", "alpha=2", "beta=1", "normal", "--direction", "reverse"]) == 2


def test_picture(tmp_path):
    pytest.importorskip("matplotlib")
    figure = project(mixture([0.5, 0.5], [Normal(-3, 1), Normal(3, 1)]), Normal).plot(tmp_path / "two.png")
    assert (tmp_path / "two.png").stat().st_size > 10_000
    upper, lower = figure.axes
    assert (lower.get_xlabel(), upper.get_ylabel()) == ("outcome x (in its own unit)", "density (1 / unit of x)")
    assert lower.get_ylabel() == "integrand (nats / unit of x)"
    styles = [line.get_linestyle() for line in upper.get_lines()[1:]]
    assert len(set(styles)) == len(styles) >= 3
    assert len(project([1.0, 2.0, 4.0], Exponential).plot().axes) == 1
