"""Joint distributions: the chain rule beside direct integration, Bayes' rule, mutual information and chains."""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy import integrate, stats

import klsym
from klsym import (
    Beta,
    Binomial,
    Exponential,
    Gamma,
    Laplace,
    MultivariateNormal,
    Normal,
    ParameterError,
    Pareto,
    Poisson,
    UnderivableError,
    condition,
    cross_entropy,
    entropy,
    independent,
    jeffreys,
    joint,
    kl,
    kl_rate,
    marginal,
    markov_chain,
    mutual_information,
    reverse_kl,
)
from klsym.chains import path_kl, stationary
from klsym.families import array_catalog
from klsym.gaussian import mutual_information as of_covariance
from klsym.oracles import arrays as oracle

JOINTS = {name: family for name, family in array_catalog().items() if family.factors}
a, b, c, d, s, t = sp.symbols("a b c d s t", positive=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
k, m = sp.symbols("k m", integer=True, positive=True)


def linear(suffix, rows=k):
    """x normal, y = A x + noise."""
    matrix = sp.MatrixSymbol(f"A{suffix}", rows, k)
    return joint(MultivariateNormal(f"m{suffix}", f"V{suffix}"), lambda x: MultivariateNormal(matrix * x, f"R{suffix}"))


# Pairs of joint distributions that a user might write.
WRITTEN = {
    "counts": (joint(Gamma(a, b), lambda x: Poisson(x)), joint(Gamma(c, d), lambda x: Poisson(2 * x))),
    "trials": (joint(Beta(a, b), lambda x: Binomial(4, x)), joint(Beta(c, d), lambda x: Binomial(4, x))),
    "scales": (joint(Gamma(a, b), lambda x: Exponential(x)), joint(Gamma(c, d), lambda x: Exponential(s * x))),
    "regression": (
        joint(Normal("u", s), lambda x: Normal(x / 2, 1)),
        joint(Normal("v", t), lambda x: Normal(1 - x, 2)),
    ),
    "three": (
        joint(Normal(0, s), lambda x: Normal(x, 1), lambda x, y: Normal(x + y, 1)),
        joint(Normal(0, t), lambda x: Normal(x / 2, 1), lambda x, y: Normal(y, 2)),
    ),
    "apart": (independent(Normal("u", s), Gamma(a, 1)), independent(Normal("v", t), Gamma(b, 2))),
    "vectors": (linear("_p"), linear("_q")),
}


@pytest.mark.parametrize("name", [*JOINTS, *WRITTEN])
def test_formula_steps_and_code_agree_with_direct_integration(name):
    p, q = (JOINTS[name],) * 2 if name in JOINTS else WRITTEN[name]
    report = kl(p, q).check(1, seed=2, k=1)
    assert report.ok, str(report)
    assert any("tilt" in row.what for row in report.rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["NormalWishart", "NormalInverseWishart", "vectors"])
def test_formula_agrees_with_a_million_draws(name):
    p, q = (JOINTS[name],) * 2 if name in JOINTS else WRITTEN[name]
    report = kl(p, q).check(1, seed=3, draws=1_000_000, k=3)
    assert report.ok, str(report)


@pytest.mark.parametrize("family", JOINTS.values(), ids=str)
def test_divergence_from_itself_is_zero(family):
    member = family.member("")
    value = sp.expand(kl(member, member).value)
    assert value == 0 or (value.is_number and abs(sp.N(value)) < 1e-30)


def test_a_kink_is_in_the_error_of_the_oracle():
    p, q = (independent(Normal(0, 1), Laplace(0, scale)) for scale in (1, 2))
    found = oracle.divergence(p, q, {})
    exact = float(kl(Laplace(0, 1), Laplace(0, 2)).evaluate(20))
    assert 1e-12 < abs(found.mid - exact) <= found.rad < 1e-3


def test_a_linear_model_is_the_normal_vector_of_both_its_parts():
    rng, values, whole = np.random.default_rng(0), {}, []
    for suffix in ("_p", "_q"):
        mean, matrix = rng.standard_normal(2), rng.standard_normal((3, 2))
        v, r = (h @ h.T + np.eye(len(h)) for h in (rng.standard_normal((2, 2)), rng.standard_normal((3, 3))))
        v, r = (v + v.T) / 2, (r + r.T) / 2
        values |= {f"m{suffix}": mean, f"A{suffix}": matrix, f"V{suffix}": v, f"R{suffix}": r}
        across = matrix @ v
        below = r + matrix @ v @ matrix.T
        spread = np.block([[v, across.T], [across, (below + below.T) / 2]])
        whole.append(MultivariateNormal(np.concatenate([mean, matrix @ mean]), spread))
    f = kl(linear("_p", m), linear("_q", m))
    by_parts = f.evaluate(20, **values).value
    at_once = kl(*whole).evaluate(20).value
    assert abs(by_parts / at_once - 1) < 1e-13  # the block matrices were rounded
    assert f.compile()(**values) == pytest.approx(float(by_parts), rel=1e-12)


def test_one_dimension_of_the_matrix_families_is_the_scalar_family():
    gamma = kl(klsym.NormalGamma(0, 2, 3, 1), klsym.NormalGamma(1, 1, 2, 2)).evaluate(30).value
    wishart = [klsym.NormalWishart([0], 2, 6, [[0.5]]), klsym.NormalWishart([1], 1, 4, [[0.25]])]
    assert abs(kl(*wishart).evaluate(30).value - gamma) < mp.mpf(10) ** -28


def test_code_of_a_joint_of_numbers_is_right_near_equality():
    f = kl(klsym.NormalGamma, klsym.NormalGamma)
    p, q = (0.5, 1.0, 2.0, 3.0), (0.5 + 1e-9, 1.0 + 1e-9, 2.0, 3.0)
    exact = kl(klsym.NormalGamma(*p), klsym.NormalGamma(*q)).evaluate(20)
    assert f.compile()(*p, *q) == pytest.approx(float(exact), rel=1e-14)
    assert f.compile()(*p, *p) == 0


@pytest.mark.parametrize("measure", [reverse_kl, jeffreys, cross_entropy])
def test_other_divergences_follow_the_chain_rule(measure):
    p, q = (law.family.member("") for law in WRITTEN["regression"])
    parts = {"u": 0.3, "s": 1.5, "v": -0.2, "t": 0.7}
    value = float(measure(p, q).evaluate(20, **parts))
    point = {symbol: np.float64(parts[str(symbol)]) for symbol in (*p.values, *q.values)}
    other = q.log_density().xreplace(dict(zip(q.variable, p.variable, strict=True)))
    under_p = {
        reverse_kl: lambda: oracle.divergence(q, p, point).mid,
        jeffreys: lambda: oracle.divergence(q, p, point).mid + oracle.divergence(p, q, point).mid,
        cross_entropy: lambda: -oracle.expectation(p, other, point).mid,
    }
    assert value == pytest.approx(float(under_p[measure]()), rel=1e-9)


def test_entropy_of_a_joint_is_that_of_its_parts():
    law = joint(Normal(0, 1), lambda x: Normal(x, s))
    assert sp.expand(entropy(law).value - entropy(Normal(0, 1)).value - entropy(Normal(0, s)).value) == 0


def test_a_law_without_mass_where_p_has_some_is_infinite():
    f = kl(joint(Normal(0, 1), Exponential(1)), joint(Normal(0, 1), Pareto(1, 1)))
    assert f.kind == "infinite" and f.evaluate().value == mp.inf


def test_an_expectation_that_diverges_is_infinite():
    f = kl(joint(Normal(0, 1), lambda x: Normal(0, sp.exp(x**2))), joint(Normal(0, 1), lambda x: Normal(0, 1)))
    assert f.kind == "infinite"
    # E[1/x] of a Gamma(a) is finite for a > 1 alone, and has a factor that is not 0.
    f = kl(joint(Gamma(a, b), lambda x: Exponential(1)), joint(Gamma(a, b), lambda x: Exponential(1 / x)))
    assert [case.kind for case in f.cases] == ["closed", "infinite"] and str(f.cases[0].when) == "a - 1 > 0"


def test_an_expectation_that_no_rule_knows_is_refused_by_name():
    with pytest.raises(UnderivableError, match="no rule knows E_P"):
        kl(joint(Normal(0, 1), lambda x: Normal(sp.cos(x**2), 1)), joint(Normal(0, 1), lambda x: Normal(0, 1)))


def test_joints_of_other_kinds_have_no_divergence():
    with pytest.raises(ParameterError, match="same kinds"):
        kl(joint(Normal(0, 1), lambda x: Normal(x, 1)), joint(Gamma(1, 1), lambda x: Poisson(x)))
    with pytest.raises(ParameterError, match="joint"):
        kl(joint(Normal(0, 1), lambda x: Normal(x, 1)), MultivariateNormal([0, 0], np.eye(2)))


@pytest.mark.parametrize(
    "laws", [(Normal(0, 1),), (Normal(0, 1), 3), (Normal(0, 1), lambda x, y: Normal(x + y, 1)), (Normal(0, 1), abs)]
)
def test_what_is_no_joint_says_so(laws):
    with pytest.raises(ParameterError):
        joint(*laws)


HOSTILE = "a); import os #"


@pytest.mark.parametrize(
    "make",
    [
        lambda: joint(**{HOSTILE: Normal(0, 1), "y": Normal(0, 1)}),
        lambda: joint(
            MultivariateNormal("m", "V"), lambda x: MultivariateNormal(sp.MatrixSymbol(HOSTILE, k, k) * x, "R")
        ),
        lambda: joint(MultivariateNormal("m", "V"), lambda x: MultivariateNormal(sp.Symbol(HOSTILE) * x, "R")),
        lambda: joint(Normal("mean", 1), lambda mean: Normal(mean, 1)),
    ],
)
def test_names_are_those_of_symbols_and_mean_one_thing(make):
    with pytest.raises(ParameterError, match=r"not a name|outcome and a parameter"):
        make()


# The integral over the earlier outcome, by quadrature of the two densities.
MARGINALS = {
    "NegativeBinomial": (joint(Gamma(2, 3), lambda x: Poisson(x)), stats.gamma(2, scale=1 / 3), stats.poisson, 2),
    "Lomax": (
        joint(Gamma(2, 3), lambda x: Exponential(x)), stats.gamma(2, scale=1 / 3),
        lambda rate: stats.expon(scale=1 / rate), 1.5,
    ),
    "BetaBinomial": (joint(Beta(2, 3), lambda x: Binomial(5, x)), stats.beta(2, 3), lambda p: stats.binom(5, p), 2),
    "Normal": (joint(Normal(1, 2), lambda x: Normal(x, 3)), stats.norm(1, 2), lambda m: stats.norm(m, 3), 0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", MARGINALS)
def test_marginal_and_conditional_are_bayes_rule(name):
    law, prior, likelihood, y = MARGINALS[name]
    last = law.factors[1].outcome
    alone, posterior = marginal(law, str(last)), condition(law, **{str(last): y})
    assert alone.family.name == name and posterior.family == law.factors[0].law.family

    def density(x):
        return getattr(likelihood(x), "pmf" if alone.family.discrete else "pdf")(y) * prior.pdf(x)

    evidence = integrate.quad(density, *prior.support(), epsabs=0, epsrel=1e-12, limit=200)[0]
    assert float(sp.exp(alone.log_density(sp.Rational(y)))) == pytest.approx(evidence, rel=1e-9)
    x = float(prior.median())
    assert float(sp.exp(posterior.log_density(sp.Rational(x)))) == pytest.approx(density(x) / evidence, rel=1e-9)


def test_conditioning_passes_back_along_a_chain():
    chain = joint(Normal(0, 1), lambda x: Normal(x, 1), lambda y: Normal(y, 1))
    given = condition(chain, z=3)
    # z = x + two unit noises: x | z has mean z/3 and variance 2/3.
    assert [str(f.outcome) for f in given.factors] == ["x", "y"]
    assert sp.simplify(given.factors[0].law.values[0] - 1) == 0
    assert sp.simplify(given.factors[0].law.values[1] - sp.sqrt(sp.Rational(2, 3))) == 0


def test_linear_normal_vectors_condition_as_their_block_matrix_does():
    law = linear("", m)
    rng = np.random.default_rng(4)
    mean, matrix, seen = rng.standard_normal(2), rng.standard_normal((3, 2)), rng.standard_normal(3)
    v, r = np.eye(2) * 2, np.eye(3) / 2
    values = {law.factors[1].outcome: seen, k: 2, m: 3}
    for f in law.factors:
        for value in f.law.values:
            for symbol in value.atoms(sp.MatrixSymbol):
                values[symbol] = {"m": mean, "A": matrix, "V": v, "R": r, "d": seen}.get(symbol.name)
    got = condition(law, y="d")
    values[next(x for x in got.values[0].atoms(sp.MatrixSymbol) if x.name == "d")] = seen
    from klsym.arrays.family import INDEX
    from klsym.arrays.walk import Walker

    centre, spread = (Walker(values).array(value, INDEX) for value in got.values)
    gain = v @ matrix.T @ np.linalg.inv(matrix @ v @ matrix.T + r)
    assert centre[..., 0] == pytest.approx(mean + gain @ (seen - matrix @ mean))
    assert spread == pytest.approx(v - gain @ matrix @ v)


def test_mutual_information_is_the_divergence_from_the_product():
    law = joint(Gamma(2, 3), lambda x: Exponential(x))
    product = independent(Gamma(2, 3), marginal(law, "y"))
    by_quadrature = oracle.divergence(law, product, {}).mid
    assert float(mutual_information(law).evaluate(20)) == pytest.approx(float(by_quadrature), rel=1e-9)


def test_mutual_information_of_normals():
    law = joint(Normal("u", s), lambda x: Normal(x, t))
    value = mutual_information(law).value
    assert sp.expand_log(value - sp.log((s**2 + t**2) / t**2) / 2, force=True) == 0
    numbers = float(value.subs({s: 2, t: 1}))
    assert of_covariance([[4.0, 4.0], [4.0, 5.0]], 0, 1) == pytest.approx(numbers, rel=1e-14)
    # The identity I(X; Y) = h(Y) - h(Y | X).
    given = entropy(law).value - entropy(law.factors[0].law).value
    assert sp.expand_log(entropy(marginal(law, "y")).value - given - value, force=True).equals(0)


def test_conditional_mutual_information_by_reversed_arcs():
    law = joint(Normal(0, 1), lambda x: Normal(2 * x, 1), lambda x, y: Normal(x + y, 1))
    spread = np.array([[1, 2, 3], [2, 5, 7], [3, 7, 11]])
    for first, second, given in (("x", "z", "y"), ("x", "y", "z"), ("y", "z", "x")):
        places = ["xyz".index(name) for name in (first, second, given)]
        value = float(mutual_information(law, first, second, given=given).evaluate(17))
        assert value == pytest.approx(of_covariance(spread, *places), rel=1e-12)
    parts = [mutual_information(law, "x", "y"), mutual_information(law, "x", "z", given="y")]
    assert sum(float(p.evaluate(17)) for p in parts) == pytest.approx(of_covariance(spread, 0, [1, 2]), rel=1e-12)


def test_mutual_information_of_a_linear_model_of_vectors():
    f = mutual_information(linear("", m))
    assert str(f).splitlines()[1].strip() == "= logdet(A*V*A.T + R)/2 - logdet(R)/2"
    v, r, matrix = np.diag([1.0, 2.0]), np.diag([1.0, 0.5, 2.0]), np.arange(6.0).reshape(3, 2)
    value = f.evaluate(17, m=[0, 0], A=matrix, V=v, R=r)
    spread = np.block([[v, v @ matrix.T], [matrix @ v, r + matrix @ v @ matrix.T]])
    assert float(value) == pytest.approx(of_covariance(spread, [0, 1], [2, 3, 4]), rel=1e-12)


@pytest.mark.parametrize("gap", [1.0, 1e-4, 1e-8])
def test_information_in_a_covariance_keeps_its_digits_near_independence(gap):
    rng = np.random.default_rng(7)
    half = rng.standard_normal((6, 6))
    spread = half @ half.T + np.eye(6)
    spread[:3, 3:] *= gap / 4
    spread[3:, :3] = spread[:3, 3:].T
    x, y, z = [0, 2], [4, 5], [1]
    with mp.workdps(50):
        det = lambda places: mp.det(mp.matrix(spread[np.ix_(places, places)].tolist()))  # noqa: E731
        exact = mp.log(det(x + z) * det(y + z) / det(z) / det(x + y + z)) / 2
    assert of_covariance(spread, x, y, z) == pytest.approx(float(exact), rel=1e-12)
    batch = of_covariance(np.stack([spread, np.eye(6)]), x, y, z)
    assert batch.shape == (2,) and batch[1] == 0


def test_conditional_mutual_information_of_a_table():
    rng = np.random.default_rng(1)
    table = rng.dirichlet(np.ones(24)).reshape(2, 3, 4)
    for given in range(3):
        p = np.moveaxis(table, given, 0)
        direct = sum(
            p[z, x, y] * math.log(p[z, x, y] * p[z].sum() / p[z, x].sum() / p[z, :, y].sum())
            for z, x, y in np.ndindex(p.shape)
        )
        assert mutual_information(table, given=given) == pytest.approx(direct, rel=1e-12)


def test_paths_of_a_finite_chain_by_enumeration():
    rng = np.random.default_rng(2)
    (p0, q0), (p, q) = rng.dirichlet(np.ones(3), 2), rng.dirichlet(np.ones(3), (2, 3))
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        steps = list(itertools.pairwise(path))
        mine, theirs = (
            start[path[0]] * math.prod(chain[i, j] for i, j in steps) for start, chain in ((p0, p), (q0, q))
        )
        total += mine * math.log(mine / theirs)
    assert path_kl(p0, p, q0, q, 3) == pytest.approx(total, rel=1e-13)
    law = stationary(p)
    assert law @ p == pytest.approx(law, rel=1e-14)
    far = [path_kl(p0, p, q0, q, steps) for steps in (60, 61)]
    assert far[1] - far[0] == pytest.approx(kl_rate(p, q), rel=1e-9)
    assert path_kl(p0, p, q0, np.eye(3), 1) == math.inf


def test_paths_and_rate_of_a_chain_of_numbers():
    def chain(slope):
        return lambda x: Normal(slope * x, 1)

    start = Normal(0, 2 / sp.sqrt(3))
    half, none = chain(sp.Rational(1, 2)), chain(0)
    rate = kl_rate(half, none, start).value
    path = kl(markov_chain(start, half, 3), markov_chain(start, none, 3)).value
    assert sp.simplify(path - 3 * rate) == 0 and rate == sp.Rational(1, 6)
    with pytest.raises(ParameterError, match="not stationary"):
        kl_rate(half, none, Normal(0, 1))


def test_a_discrete_joint_is_enumerated():
    p, q = (klsym.Categorical(w) for w in ([0.25, 0.75], [0.5, 0.5]))
    with mp.workdps(30):
        value = kl(independent(p, p), independent(q, q)).evaluate(20).value
        assert abs(value - 2 * kl(p, q).evaluate(20).value) < mp.mpf(10) ** -19
