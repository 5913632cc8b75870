"""Every family of arrays against what shares nothing with it: SciPy's densities, enumeration, quadrature, draws."""

from __future__ import annotations

import math
import sys
import types
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy import stats

import klsym
from klsym import UnderivableError, array_code, divergences, entropy, kl
from klsym.arrays.sampling import USUAL, draw
from klsym.arrays.walk import walk
from klsym.core.derivation import Expectation
from klsym.core.domain import counting
from klsym.core.errors import ParameterError
from klsym.core.value import Verdict
from klsym.derive.arrays import _kernel, derive
from klsym.derive.arrays.expect import at_natural
from klsym.derive.arrays.features import features
from klsym.families import array_catalog
from klsym.oracles import arrays as oracle

CATALOG = {name: family for name, family in array_catalog().items() if not family.factors}
FORMED = {
    f"{family.name}({'+'.join(form.keywords)})": family.formed(form)
    for family in CATALOG.values()
    for form in family.forms
    if form.meaning != form.of
}
ALL = CATALOG | FORMED
# Dimensions at which the oracle integrates or enumerates.
SMALL = {"Wishart": {"k": 1}, "InverseWishart": {"k": 1}, "MatrixNormal": {"k": 2, "m": 1}}

# An integral to many digits takes seconds.
FEW = ("MultivariateCauchy", "MultivariateCauchy(scale_tril)")

# An outcome, and SciPy's log density there.
SCIPY = {
    "Dirichlet": (np.array([0.2, 0.5, 0.3]), lambda x, a: stats.dirichlet.logpdf(x, a)),
    "Categorical": (2, lambda x, p: math.log(p[x - 1])),
    "Multinomial": (None, lambda x, n, p: stats.multinomial.logpmf(x, n, p)),
    "DirichletMultinomial": (None, lambda x, n, a: stats.dirichlet_multinomial.logpmf(x, a, n)),
    "MultivariateNormal": (np.array([0.3, -1.0]), stats.multivariate_normal.logpdf),
    "MultivariateLogNormal": (
        np.array([0.3, 1.2]),
        lambda x, mu, S: stats.multivariate_normal.logpdf(np.log(x), mu, S) - np.log(x).sum(),
    ),
    "Wishart": (np.array([[2.0, 0.3], [0.3, 1.0]]), lambda x, nu, V: stats.wishart.logpdf(x, nu, V)),
    "InverseWishart": (np.array([[2.0, 0.3], [0.3, 1.0]]), lambda x, nu, p: stats.invwishart.logpdf(x, nu, p)),
    "MatrixNormal": (np.array([[2.0, 0.3], [-1.0, 1.0]]), stats.matrix_normal.logpdf),
    "MultivariateCauchy": (np.array([0.3, -1.0]), lambda x, mu, S: stats.multivariate_t.logpdf(x, mu, S, df=1)),
    "VonMisesFisher": (np.array([0.6, -0.8]), stats.vonmises_fisher.logpdf),
    # The correlation is 2 B - 1 for B from Beta(eta, eta).
    "LKJ": (np.array([[1.0, 0.3], [0.3, 1.0]]), lambda x, eta: stats.beta.logpdf(0.65, eta, eta) - math.log(2)),
}


def point_of(*members, seed=0, **sizes):
    """Arrays for the members' symbols and their dimensions."""
    rng, point = np.random.default_rng(seed), {}
    for member in members:
        point |= draw(member, rng, sizes)
        for parameter, symbol in zip(member.family.parameters, member.values, strict=True):
            point |= dict(zip(parameter.dimensions, np.shape(point[symbol]), strict=False))
        point |= {n: (USUAL | sizes)[str(n)] for n in member.family.dimensions if n not in point}
    return point


@pytest.mark.parametrize("name", CATALOG)
def test_log_density_is_scipys(name):
    member = CATALOG[name].member("")
    point = point_of(member)
    x, logarithm = SCIPY[name]
    if x is None:
        n = int(point[counting.symbol("n")])
        x = np.array([n - 1, 1, 0])
    got = walk(member.log_density(), point | {member.variable: x})
    assert got == pytest.approx(logarithm(x, *(point[s] for s in member.values)), rel=1e-12)


@pytest.mark.parametrize("name", CATALOG)
def test_total_mass_is_one(name):
    member = CATALOG[name].member("")
    total = oracle.mass(member, point_of(member, **SMALL.get(name, {})))
    assert abs(total.mid - 1) <= 1e-9 and total.rad < 1e-8


@pytest.mark.parametrize("name", [name for name, family in CATALOG.items() if not family.image])
def test_a_kernel_is_the_normaliser_of_its_density(name):
    """The density integrates to 1, as measured above, so its constant is -log Z at its natural parameters."""
    member = CATALOG[name].member("")
    found = features(member.log_density(), member.variable)
    log_z = at_natural(_kernel(member), _kernel(member).log_z)
    assert abs(walk(found.constant + log_z, point_of(member))) < 1e-12


@pytest.mark.parametrize("name", ALL)
def test_formula_steps_and_code_agree_with_the_oracle(name):
    family = ALL[name]
    report = kl(family, family).check(1 if name in FEW else 2, seed=1, **SMALL.get(family.name, {}))
    assert report.ok, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_formula_agrees_with_a_million_draws(name):
    family, sizes = ALL[name], {"K": 5, "k": 4, "m": 3}
    p, q = (family.member(suffix) for suffix in ("_p", "_q"))
    point = point_of(q, p, seed=3, **sizes)
    shared = {b: point[a] for a, b in zip(p.values, q.values, strict=True) if str(a) == "n_p"}
    point |= shared
    drawn = oracle.divergence(p, q, point, method="monte carlo", draws=1_000_000)
    at = tuple((n, sp.Integer(sizes[str(n)])) for n in family.dimensions)
    code = kl(*(replace(d, sizes=at) for d in (p, q))).compile()
    value = code(*(point[s] for s in (*p.values, *q.values)))
    assert abs(float(drawn.mid) - value) <= float(drawn.rad)


@pytest.mark.parametrize("name", ALL)
def test_divergence_from_itself_is_zero_and_steps_chain(name):
    family = ALL[name]
    member = family.member("")
    derivation = derive(divergences.kl, member, member)
    value = sp.expand(derivation.cases[0].value)
    assert value == 0 or abs(walk(value, point_of(member))) < 1e-13
    steps = derive(divergences.kl, family.member("_p"), family.member("_q"))
    assert steps.steps[-1].rhs == steps.cases[0].value
    assert not steps.cases[0].value.has(Expectation)


@pytest.mark.parametrize("name", CATALOG)
def test_a_density_that_is_off_is_seen(name):
    member = CATALOG[name].member("")
    point = point_of(member, **SMALL.get(name, {}))
    assert abs(oracle.expectation(member, sp.Float(1.001), point).mid - 1) > 1e-4


@pytest.mark.parametrize("k", [1, 2, 5])
def test_code_broadcasts_and_equals_evaluation(k):
    rng = np.random.default_rng(k)
    mus, halves = rng.standard_normal((3, k)), rng.standard_normal((3, 4, k, k))
    covariances = halves @ halves.swapaxes(-1, -2) + np.eye(k)
    covariances = (covariances + covariances.swapaxes(-1, -2)) / 2
    f = kl(klsym.MultivariateNormal, klsym.MultivariateNormal)
    got = f.compile()(mus[0], covariances[0], mus[1], covariances[1])
    assert got.shape == (4,)
    for n in range(4):
        number = f.evaluate(30, mu_p=mus[0], Sigma_p=covariances[0, n], mu_q=mus[1], Sigma_q=covariances[1, n])
        assert got[n] == pytest.approx(float(number), rel=1e-11)


def test_one_dimension_is_the_scalar_family():
    normal = kl(klsym.Normal(0, 1), klsym.Normal(1, 2)).evaluate(30).value
    vector = kl(klsym.MultivariateNormal([0], [[1]]), klsym.MultivariateNormal([1], [[4]])).evaluate(30).value
    assert abs(normal - vector) < mp.mpf(10) ** -28
    members = klsym.MultivariateNormal([0], diagonal=[1]), klsym.MultivariateNormal([1], factor=[[1]], diagonal=[3])
    assert abs(normal - kl(*members).evaluate(30).value) < mp.mpf(10) ** -28
    lognormal = kl(klsym.LogNormal(0, 1), klsym.Normal(1, 2)).evaluate(30).value
    vector = kl(klsym.MultivariateLogNormal([0], diagonal=[1]), klsym.MultivariateNormal([1], [[4]])).evaluate(30).value
    assert abs(lognormal - vector) < mp.mpf(10) ** -28
    cauchy = kl(klsym.Cauchy(1, 2), klsym.Cauchy(0, 1)).evaluate(20).value
    vector = kl(klsym.MultivariateCauchy([1], [[4]]), klsym.MultivariateCauchy([0], [[1]])).evaluate(20).value
    assert abs(cauchy - vector) < mp.mpf(10) ** -19
    gamma = kl(klsym.Gamma(2, 1), klsym.Gamma(3, 2)).evaluate(30).value
    wishart = kl(klsym.Wishart(4, [[0.5]]), klsym.Wishart(6, [[0.25]])).evaluate(30).value
    assert abs(gamma - wishart) < mp.mpf(10) ** -28
    counts = kl(klsym.find("betabinomial")(7, 1, 2), klsym.find("betabinomial")(7, 2, 1.5)).evaluate(15).value
    two = kl(klsym.DirichletMultinomial(7, [1, 2]), klsym.DirichletMultinomial(7, [2, 1.5])).evaluate(20).value
    assert abs(counts - two) < mp.mpf(10) ** -14
    beta = kl(klsym.Beta(2, 1), klsym.Beta(3, 2)).evaluate(30).value
    dirichlet = kl(klsym.Dirichlet([2, 1]), klsym.Dirichlet([3, 2])).evaluate(30).value
    assert abs(beta - dirichlet) < mp.mpf(10) ** -28


def test_evaluation_near_equality_is_not_zero():
    """KL of unit normals at distance d is d^2/2, however small; equal arrays are exactly at distance 0."""
    unit = klsym.MultivariateNormal([0.0, 0.0], np.eye(2))
    near = kl(unit, klsym.MultivariateNormal([1e-16, 0.0], np.eye(2))).evaluate()
    assert float(near) == pytest.approx(5e-33, rel=1e-14)
    first, second = klsym.Dirichlet([1.0, 2.0]), klsym.Dirichlet([1.0, 2.0 + 2.0**-51])
    slope = mp.psi(1, 2) - mp.psi(1, 3)
    assert float(kl(first, second).evaluate()) == pytest.approx(float(slope * mp.mpf(2) ** -103), rel=1e-13)
    assert kl(first, first).evaluate().proof == "exact"


def test_forms_are_one_distribution():
    cov = np.array([[2.0, 0.5], [0.5, 1.0]])
    q = klsym.MultivariateNormal([1, 0], [[1, 0], [0, 1]])
    members = (
        klsym.MultivariateNormal([0, 0], covariance=cov),
        klsym.MultivariateNormal([0, 0], precision=[[4, -2], [-2, 8]]),
        klsym.MultivariateNormal([0, 0], scale_tril=np.eye(2)),
        klsym.MultivariateNormal([0, 0], factor=[[0.5], [1]], diagonal=[1.75, 0.25]),
        klsym.MultivariateNormal([0, 0], diagonal=[1, 1]),
    )
    assert float(kl(members[0], q)) == pytest.approx(float(kl(klsym.MultivariateNormal([0, 0], cov), q)), rel=1e-15)
    expected = kl(klsym.MultivariateNormal([0, 0], np.linalg.inv([[4, -2], [-2, 8]])), q)
    assert float(kl(members[1], q)) == pytest.approx(float(expected), rel=1e-14)
    assert float(kl(members[2], q)) == float(kl(members[4], q)) == 0.5
    expected = kl(klsym.MultivariateNormal([0, 0], [[2, 0.5], [0.5, 1.25]]), q)
    assert float(kl(members[3], q)) == pytest.approx(float(expected), rel=1e-14)


def test_counts_of_different_sums_are_infinitely_far():
    p, q = klsym.Multinomial(3, [0.5, 0.5]), klsym.Multinomial(4, [0.5, 0.5])
    assert kl(p, q).evaluate().value == mp.inf
    code = kl(klsym.Multinomial, klsym.Multinomial).compile()
    assert code([3, 3], [0.5, 0.5], [3, 4], [0.25, 0.75])[1] == np.inf


def test_zero_probabilities():
    p = klsym.Categorical([0.5, 0.5, 0])
    assert float(kl(p, klsym.Categorical([0.25, 0.75, 0]))) == pytest.approx(0.5 * math.log(4 / 3), rel=1e-15)
    assert float(kl(p, klsym.Categorical([0.5, 0, 0.5]))) == math.inf


def test_outside_the_domain_is_nan_and_never_a_number():
    code = kl(klsym.Wishart, klsym.Wishart).compile()
    assert np.isnan(code([1.0, 3.0], np.eye(2), 3.0, np.eye(2))).tolist() == [True, False]
    assert np.isnan(code(3.0, [[1, 2], [2, 1]], 3.0, np.eye(2)))


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: klsym.MultivariateNormal([0, 0], [[1, 2], [2, 1]]), "positive definite"),
        (lambda: klsym.MultivariateNormal([0, 0, 0], [[1, 0], [0, 1]]), "size"),
        (lambda: klsym.VonMisesFisher([1, 1], 1), "unit vectors"),
        (lambda: klsym.VonMisesFisher([1], 1), "constraint"),
        (lambda: kl(klsym.LKJ, klsym.LKJ).compile(), "k=3"),
        (lambda: entropy(klsym.Multinomial(10**8, [0.5, 0.5])).evaluate(), "at most"),
        (lambda: kl(klsym.LKJ(1), klsym.LKJ(2)).evaluate(), "k=3"),
        (lambda: klsym.MultivariateNormal([0, 0]), "Sigma"),
        (lambda: klsym.MultivariateNormal([0], precision="A", scale_tril="L"), "two forms"),
        (lambda: klsym.MultivariateNormal([0], precision="A", diagonal="d"), "two forms"),
        (lambda: klsym.MultivariateNormal([0], factor="W"), "diagonal belongs"),
        (lambda: klsym.MultivariateNormal([0, 0], diagonal=[1, 0]), "positive vectors"),
        (lambda: klsym.MultivariateNormal([0, 0], factor=[[1], [1], [1]], diagonal=[1, 1]), "size"),
        (lambda: klsym.Dirichlet([1, -1]), "positive vectors"),
        (lambda: klsym.Dirichlet([1, math.nan]), "finite"),
        (lambda: klsym.Categorical([0.5, 0.6]), "probability vectors"),
        (lambda: klsym.Wishart(0.5, [[1, 0], [0, 1]]), "constraint"),
        (lambda: klsym.Dirichlet(alfa=[1, 2]), "alpha"),
        (lambda: kl(klsym.Dirichlet([1, 2]), klsym.Dirichlet([1, 2, 3])), "one size"),
        (lambda: kl(klsym.Dirichlet, klsym.Categorical), "no common space"),
        (lambda: kl(klsym.Dirichlet, klsym.Dirichlet).evaluate(), "alpha_p"),
        (lambda: klsym.Dirichlet("x"), "outcome"),
        (lambda: klsym.MultivariateNormal("k", "S"), "size"),
        (lambda: kl(klsym.Dirichlet, klsym.Gamma), "no common space"),
    ],
)
def test_misuse_is_said(make, says):
    with pytest.raises(ParameterError, match=says):
        make()


@pytest.mark.parametrize("name", ["A", "B", "C", "R", "a", "c", "f", "d", "t"])
def test_a_name_of_the_users_meets_no_name_of_the_derivation(name):
    """The kernels' symbols have names that no user can give."""
    normal = klsym.MultivariateNormal
    for family in (normal, klsym.MatrixNormal, klsym.Wishart, klsym.Dirichlet, klsym.Multinomial):
        for place in range(len(family.parameters)):
            values = [name if n == place else p.name + "_q" for n, p in enumerate(family.parameters)]
            assert kl(family, family(*values)).check(1, **SMALL.get(family.name, {})).ok
    mixed = kl(normal("mu", scale_tril="L"), normal("nu", precision=name))
    assert "-k/2" in str(mixed) and mixed.check(1).ok


def test_what_is_not_known_is_said():
    with pytest.raises(UnderivableError, match="Fisher"):
        klsym.fisher(klsym.Dirichlet)
    with pytest.raises(UnderivableError, match="no feature is known for the logarithm"):
        kl(klsym.MultivariateLogNormal, klsym.MultivariateCauchy)


def test_entropy_of_a_normal_vector_is_scipys():
    cov = np.array([[2.0, 0.5], [0.5, 1.0]])
    expected = stats.multivariate_normal([0, 0], cov).entropy()
    assert float(entropy(klsym.MultivariateNormal([0, 0], cov))) == pytest.approx(expected, rel=1e-14)


def test_prints_as_on_a_board():
    f = kl(klsym.MultivariateNormal, klsym.MultivariateNormal)
    assert "tr(Sigma_q**(-1)*Sigma_p)/2 + (mu_p -" in str(f)
    assert r"\operatorname{tr}\left(\Sigma_{q}^{-1} \Sigma_{p}\right)" in f.latex()
    assert r"\sum_{i=1}^{K}" in kl(klsym.Dirichlet, klsym.Dirichlet).latex()
    assert "i=1..3" in str(kl(klsym.Dirichlet("a", K=3), klsym.Dirichlet("b")))
    assert f.to_json()["kind"] == "closed" and "\\\\" in f.latex(steps=True)


def test_a_kernel_of_its_own_is_found_by_the_form(monkeypatch):
    """Two names of one function have one shape: the log-normal's divergence is the normal's."""
    normal, lognormal = (kl(family, family) for family in (klsym.MultivariateNormal, klsym.MultivariateLogNormal))
    key = array_code.shape(normal.value, normal.parameters)
    assert key == array_code.shape(lognormal.value, lognormal.parameters)
    assert key != array_code.shape(*(lambda f: (f.value, f.parameters))(kl(klsym.Wishart, klsym.Wishart)))
    backend = types.ModuleType("klsym.backends.arrays.constant")
    backend.seven = lambda mu_p, Sigma_p, mu_q, Sigma_q: np.full(mu_p.shape[:-1], 7.0)
    monkeypatch.setitem(sys.modules, "klsym.backends.arrays.constant", backend)
    monkeypatch.setitem(array_code.KERNELS, key, "constant.seven")
    assert lognormal.compile()(np.zeros((3, 2)), np.eye(2), np.ones(2), np.eye(2)).tolist() == [7.0] * 3


def test_a_step_that_is_off_is_seen():
    f = kl(klsym.Dirichlet, klsym.Dirichlet)
    steps = tuple(replace(s, rhs=s.rhs + sp.Rational(1, 1000)) if s.rule == "tilt" else s for s in f.steps)
    report = replace(f, derivation=replace(f.derivation, steps=steps)).check(1)
    assert report.verdict is Verdict.DISAGREE
