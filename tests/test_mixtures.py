"""Mixtures: proven bounds around certified values, which agree with independent quadrature, sums and draws."""

from __future__ import annotations

import itertools
import math
import random
import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest

from klsym import (
    Beta,
    Binomial,
    Categorical,
    Cauchy,
    Dirichlet,
    DiscreteUniform,
    Exponential,
    Gamma,
    Hypergeometric,
    Laplace,
    Logistic,
    Mixture,
    Multinomial,
    MultivariateLogNormal,
    MultivariateNormal,
    Normal,
    ParameterError,
    Poisson,
    Triangular,
    UnderivableError,
    Uniform,
    VonMises,
    cross_entropy,
    entropy,
    kl,
    mixture,
    reverse_kl,
)
from klsym.mixtures import upper
from klsym.mixtures.pairs import table

HALF = [0.5, 0.5]
EYE = np.eye(2)


def normals(rng: random.Random, spread: float) -> Mixture:
    count = rng.randint(1, 5)
    shares = [rng.uniform(0.1, 1) for _ in range(count)]
    parts = [Normal(round(rng.uniform(-spread, spread), 3), round(rng.uniform(0.2, 2.5), 3)) for _ in range(count)]
    return mixture([share / sum(shares) for share in shares], parts)


def by_trapezoids(p: Mixture, q: Mixture, points: int = 40_001) -> float:
    """KL of mixtures of normals on the whole line, from the definition in doubles."""
    rows = [[(float(w), *map(float, d.values)) for w, d in zip(m.weights, m.components, strict=True)] for m in (p, q)]
    reach = [mu + sign * 12 * s for _, mu, s in rows[0] for sign in (-1, 1)]
    x, step = np.linspace(min(reach), max(reach), points, retstep=True)
    logs = [np.logaddexp.reduce([np.log(w) - ((x - mu) / s) ** 2 / 2 - np.log(s) for w, mu, s in r]) for r in rows]
    return float((np.exp(logs[0]) * (logs[0] - logs[1])).sum() * step / np.sqrt(2 * np.pi))


PAIRS = {
    f"random {seed}, within {spread}": (normals(random.Random(seed), spread), normals(random.Random(seed + 50), spread))
    for seed in range(2)
    for spread in (0.5, 4.0)
} | {
    "nearly equal": (mixture(HALF, [Normal(0, 1), Normal(1, 1)]), mixture(HALF, [Normal(0, 1), Normal(1 + 2**-20, 1)])),
    "far apart": (mixture(HALF, [Normal(-40, 1), Normal(40, 0.5)]), mixture(HALF, [Normal(-41, 2), Normal(38, 1)])),
    "nine components": tuple(
        mixture([1 / 9] * 9, [Normal(k * step, 0.5 + k / 10) for k in range(9)]) for step in (0.7, 0.8)
    ),
}


@pytest.mark.parametrize("p, q", PAIRS.values(), ids=PAIRS)
def test_bounds_hold_around_a_value_that_quadrature_confirms(p, q):
    f = kl(p, q)
    number, bounds = f.evaluate(), f.bounds()
    assert number.proof == "ball" and number.digits == 15
    assert float(number.value) == pytest.approx(by_trapezoids(p, q), rel=1e-9, abs=1e-13)
    for bound in bounds.lowers:
        assert bound.value <= number.value, bound
    for bound in bounds.uppers:
        assert bound.value >= number.value, bound
    assert bounds.lower > 0.9 * number.value or number.value < 1e-6


OTHERS = {
    "Gamma": ([Gamma(2, 1), Exponential(3)], [Gamma(0.5, 2), Gamma(3, 2)]),
    "Beta": ([Beta(0.5, 1), Beta(5, 2)], [Beta(1, 1), Beta(3, 0.3)]),
    "Cauchy": ([Cauchy(0, 1), Cauchy(5, 2)], [Cauchy(1, 1), Cauchy(3, 2)]),
    "Laplace": ([Laplace(0, 1), Laplace(5, 2)], [Laplace(1, 1), Laplace(3, 4)]),
    "steps": ([Uniform(0, 1), Uniform(1, 3)], [Uniform(0, 2), Uniform(1, 4)]),
    "circle": ([VonMises(0, 1), VonMises(1, 1)], [VonMises(2, 1), VonMises(1, 3)]),
    "counts": ([Poisson(2), Poisson(50)], [Poisson(3), Poisson(30)]),
    "counts to an end": ([Binomial(5, 0.25), Hypergeometric(12, 5, 4)], [Binomial(5, 0.5), Poisson(2)]),
    "an atom": ([Poisson(0), Poisson(3)], [Poisson(0), Poisson(2)]),
    "no closed pairs": ([Triangular(0, 0.5, 1), Beta(2, 2)], [Uniform(0, 1), Beta(1, 2)]),
}


@pytest.mark.parametrize("first, second", OTHERS.values(), ids=OTHERS)
def test_the_oracle_agrees(first, second):
    """The ball (or estimate) beside quadrature or sums of the definition, and both between the bounds."""
    from klsym.divergences import kl as definition
    from klsym.mixtures.law import law
    from klsym.oracles import measure

    f = kl(mixture([0.25, 0.75], first), mixture(HALF, second))
    number, bounds = f.evaluate(), f.bounds()
    assert bounds.lower <= number.value <= bounds.upper
    if any(d.family.name == "Hypergeometric" for d in first):
        masses = [[sum(float(w) * mass(d, k) for w, d in zip(m.weights, m.components, strict=True)) for k in range(6)]
                  for m in (f.p, f.q)]  # fmt: skip
        expected = sum(a * math.log(a / b) for a, b in zip(*masses, strict=True))
    else:
        expected = measure(definition, law(f.p), law(f.q), 15).mid
    assert float(number.value) == pytest.approx(float(expected), rel=1e-12)


def mass(d, k: int) -> float:
    within = d.support.lower <= k <= d.support.upper
    return float(mp.exp(d.log_density(k).evalf())) if within else 0.0


def test_a_ball_is_a_proof_to_many_digits():
    p, q = mixture([0.3, 0.7], [Normal(0, 1), Normal(3, 0.5)]), mixture(HALF, [Normal(0, 1), Normal(2, 1)])
    fine, coarse = kl(p, q).evaluate(digits=40), kl(p, q).evaluate(digits=12)
    assert fine.proof == coarse.proof == "ball" and fine.digits == 40
    assert abs(fine.value - coarse.value) < mp.mpf(10) ** -12
    assert str(fine).startswith("0.578404319168819523")


@pytest.mark.parametrize(
    "p, q",
    [(Normal(0, 1), Normal(1, 2)), (Gamma(2, 3), Gamma(1, 1)), (Poisson(2), Poisson(5)), (Beta(2, 3), Beta(1, 1))],
    ids=str,
)
def test_one_component_is_the_closed_form(p, q):
    f = kl(mixture([1], [p]), mixture([1], [q]))
    closed = kl(p, q).evaluate(digits=15).value
    assert abs(f.evaluate().value - closed) <= 1e-14 * closed
    assert f.bounds().upper == pytest.approx(float(closed), rel=1e-13)
    assert abs(entropy(mixture([1], [p])).evaluate().value - entropy(p).evaluate().value) < 1e-13


def test_equal_mixtures_are_at_no_distance():
    p = mixture([0.25, 0.75], [Normal(0, 1), Normal(3, 1)])
    q = mixture([0.75, 0.125, 0.125], [Normal(3, 1), Normal(0, 1), Normal(0, 1)])
    f = kl(p, q)
    assert f.evaluate().value == 0 and f.evaluate().proof == "exact"
    assert f.bounds().lower <= 0 == f.bounds().upper
    disguised = kl(mixture(HALF, [Gamma(1, 2), Gamma(3, 1)]), mixture(HALF, [Exponential(2), Gamma(3, 1)])).evaluate()
    assert disguised.value == 0 and "not known from 0" in disguised.why


INFINITE = [
    (mixture(HALF, [Uniform(0, 1), Uniform(2, 3)]), Uniform(0, 2), "mass above 2"),
    (Uniform(0, 2), mixture(HALF, [Uniform(0, 0.5), Uniform(1, 2)]), "mass above 1/2"),
    (mixture(HALF, [Cauchy(0, 1), Normal(0, 1)]), Normal(0, 1), "diverges at -oo"),
    (mixture(HALF, [Poisson(1), Binomial(5, 0.2)]), Binomial(5, 0.5), "mass above 5"),
    (mixture(HALF, [Categorical([0, 1]), Categorical([0.5, 0.5])]), Categorical([1, 0]), "no component of Q"),
]


@pytest.mark.parametrize("p, q, why", INFINITE, ids=[why for *_, why in INFINITE])
def test_infinite(p, q, why):
    f = kl(p, q)
    number = f.evaluate()
    assert number.value == math.inf and number.proof == "exact" and why in number.why
    assert f.bounds().upper == f.estimate(draws=1000).value == math.inf


@pytest.mark.parametrize(
    "p, q",
    [
        (Uniform(0, 2), mixture(HALF, [Uniform(0, 1), Uniform(1, 2)])),
        (mixture(HALF, [Cauchy(0, 1), Normal(0, 1)]), mixture([0.99, 0.01], [Normal(0, 1), Cauchy(0, 2)])),
    ],
    ids=["support is a union", "one heavy tail is enough"],
)
def test_finite_where_no_single_component_would_do(p, q):
    assert math.isfinite(kl(p, q).evaluate().value)


def test_integers_without_a_gap_between():
    q = mixture([0.25, 0.75], [DiscreteUniform(0, 2), DiscreteUniform(3, 5)])
    number = kl(DiscreteUniform(0, 5), q).evaluate()
    assert float(number.value) == pytest.approx(math.log(4 / 3) / 2, rel=1e-14) and number.proof == "ball"


def test_the_variational_bound_never_rises_and_every_iterate_is_a_bound():
    rng = random.Random(3)
    p, q = normals(rng, 3.0), normals(rng, 3.0)
    pi, omega = (np.array([float(w) for w in m.weights]) for m in (p, q))
    pairs = table(kl, p.components, q.components)
    start = pi[:, None] * omega[None]
    values = [upper.log_sum(plan, pairs) for plan in upper.steps((start, start), pi, omega, pairs)]
    assert len(values) > 5 and values[-1] < 0.99 * values[0]
    assert all(after <= before * (1 + 1e-13) for before, after in itertools.pairwise(values))
    assert values[-1] >= float(kl(p, q))


def test_two_dimensions_by_trapezoids_and_by_draws():
    rng = np.random.default_rng(5)

    def component():
        scale, slant = rng.uniform(0.5, 2, 2)
        return MultivariateNormal(rng.normal(0, 2, 2), scale_tril=[[scale, 0], [slant, 1]])

    p, q = (mixture(HALF, [component(), component()]) for _ in range(2))
    f = kl(p, q)
    number, drawn, bounds = f.evaluate(), f.estimate(draws=50_000), f.bounds()
    assert number.digits >= 11 and "trapezoids" in number.why
    assert abs(drawn.value - float(number.value)) < 5 * drawn.standard_error
    assert bounds.lower <= number.value <= bounds.upper


def test_a_product_of_lines_is_the_sum_of_them():
    """With the second coordinate common, the divergence in the plane is that on the line."""
    p, q = mixture(HALF, [Normal(0, 1), Normal(4, 0.5)]), mixture(HALF, [Normal(1, 1), Normal(3, 2)])

    def lifted(m: Mixture) -> Mixture:
        parts = [MultivariateNormal([d.values[0], 0], [[d.values[1] ** 2, 0], [0, 1]]) for d in m.components]
        return mixture(m.weights, parts)

    assert float(kl(lifted(p), lifted(q))) == pytest.approx(float(kl(p, q)), rel=1e-12)


def test_what_trapezoids_would_miss_is_refused():
    p = MultivariateNormal([0, 0], EYE)
    with pytest.raises(UnderivableError, match="estimate"):
        kl(p, mixture(HALF, [p, MultivariateNormal([1, 0], 1e-8 * EYE)])).evaluate()
    high = [MultivariateNormal(np.full(4, m), np.eye(4)) for m in (0.0, 1.0)]
    f = kl(mixture(HALF, high), high[0])
    with pytest.raises(UnderivableError, match="too many coordinates"):
        f.evaluate()
    bounds, drawn = f.bounds(), f.estimate(draws=20_000)
    assert bounds.lower - 5 * drawn.standard_error < drawn.value < bounds.upper + 5 * drawn.standard_error
    assert "estimate() takes draws" in str(f)


def test_finite_sets_are_summed():
    shares = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]])
    p, q = mixture([0.25, 0.75], [Categorical(row) for row in shares]), Categorical([0.25, 0.25, 0.5])
    mixed = np.array([0.25, 0.75]) @ shares
    assert float(kl(p, q)) == pytest.approx(kl(mixed, [0.25, 0.25, 0.5], normalize=True), rel=1e-13)
    counts = kl(mixture(HALF, [Multinomial(3, row) for row in ([0.1, 0.9], [0.5, 0.5])]), Multinomial(3, [0.25, 0.75]))
    line = kl(mixture(HALF, [Binomial(3, 0.1), Binomial(3, 0.5)]), Binomial(3, 0.25))
    assert float(counts) == pytest.approx(float(line), rel=1e-13)
    simplex = kl(mixture(HALF, [Dirichlet([1, 2]), Dirichlet([3, 1])]), Dirichlet([2, 2]))
    unit = kl(mixture(HALF, [Beta(1, 2), Beta(3, 1)]), Beta(2, 2))
    assert float(simplex) == pytest.approx(float(unit), rel=1e-12)


def test_entropy():
    apart = entropy(mixture(HALF, [Normal(-50, 1), Normal(50, 1)]), base=2)
    expected = float(entropy(Normal(0, 1), base=2).evaluate().value) + 1
    assert float(apart.evaluate().value) == pytest.approx(expected, rel=1e-14) and apart.unit == "bits"
    for m in (mixture(HALF, [Gamma(2, 1), Gamma(5, 1)]), PAIRS["nine components"][0]):
        bounds, number = entropy(m).bounds(), entropy(m).evaluate()
        assert number.proof == "ball"
        assert all(low.value <= number.value for low in bounds.lowers)
        assert all(high.value >= number.value for high in bounds.uppers)


@pytest.mark.parametrize("d", [Normal(3, 1e-3), Gamma(0.5, 1), Cauchy(1, 2), VonMises(1, 2), Poisson(3)], ids=str)
def test_draws_have_the_entropy_of_their_law(d):
    drawn = entropy(mixture([1], [d])).estimate(draws=50_000)
    assert abs(drawn.value - float(entropy(d).evaluate().value)) < 5 * drawn.standard_error


def test_what_it_says_of_itself():
    f = kl(mixture([0.3, 0.7], [Normal(0, 1), Normal(3, 0.5)]), Normal(2, 2))
    shown, data = str(f), f.to_json()
    assert shown.startswith("KL(0.3*Normal(0, 1) + 0.7*Normal(3, 1/2) || Normal(2, 2)), in nats\n  = 0.4150415539\n")
    assert "(numeric, ball: " in shown and "Hershey and Olsen" in shown
    assert data["kind"] == "numeric" and data["value"]["proof"] == "ball"
    assert data["bounds"]["lower"][0]["value"] <= 0.4150415539 <= data["bounds"]["upper"][0]["value"]
    assert float(f.in_base(2)) == pytest.approx(float(f) / math.log(2))
    assert f.in_base(2).bounds().upper == pytest.approx(f.bounds().upper / math.log(2))
    assert float(reverse_kl(f.q, f.p)) == pytest.approx(float(f))
    assert str(f.estimate(draws=5000)) == str(f.estimate(draws=5000, seed=0)) != str(f.estimate(draws=5000, seed=1))


def test_without_arb_numbers_are_estimates():
    code = (
        "import sys; sys.modules['flint'] = None\n"
        "import klsym as k\n"
        "f = k.kl(k.mixture([.25, .75], [k.Gamma(2, 1), k.Gamma(5, 2)]), k.Gamma(1, 1))\n"
        "g = k.kl(k.mixture([.5, .5], [k.Hypergeometric(12, 5, 4), k.Binomial(4, .5)]), k.Poisson(2))\n"
        "print(*(x.evaluate().proof for x in (f, g)), f.bounds().lower <= float(f) <= f.bounds().upper)"
    )  # fmt: skip
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.split() == ["estimate", "estimate", "True"], ran.stderr


WRONG = [
    (lambda: mixture([0.5, 0.4], [Normal(0, 1), Normal(1, 1)]), "sum to 0.9"),
    (lambda: mixture([1.5, -0.5], [Normal(0, 1), Normal(1, 1)]), "weight 1 is -0.5"),
    (lambda: mixture([1], [Normal(0, 1), Normal(1, 1)]), "1 weights were given for 2"),
    (lambda: mixture([], []), "0 weights"),
    (lambda: mixture(["a", 0.5], [Normal(0, 1), Normal(1, 1)]), "weight 0 is a str"),
    (lambda: mixture(HALF, [Normal(0, 1), Poisson(1)]), "one space"),
    (lambda: mixture(HALF, [MultivariateNormal([0, 0], EYE), MultivariateNormal([0], [[1]])]), "one space"),
    (lambda: mixture(HALF, [Normal(0, 1), Normal("mu", 1)]), "no number for mu"),
    (lambda: mixture(HALF, [Normal, Normal(0, 1)]), "give its parameters values"),
    (lambda: kl(mixture([1], [Normal(0, 1)]), VonMises(0, 1)), "one space"),
    (lambda: kl(mixture([1], [Normal(0, 1)]), [0.5, 0.5]), "not a distribution"),
    (lambda: kl(mixture([1], [Normal(0, 1)]), Normal(0, 1), share=["mu"]), "takes no share"),
    (lambda: kl(mixture([1], [Normal(0, 1)]), Normal(0, 2)).evaluate(digits=0), "digits is 0"),
    (lambda: kl(mixture([1], [Normal(0, 1)]), Normal(0, 2)).estimate(draws=1), "draws is 1"),
]


@pytest.mark.parametrize("call, says", WRONG, ids=[says for _, says in WRONG])
def test_misuse(call, says):
    with pytest.raises(ParameterError, match=says):
        call()


def test_what_is_not_known_says_so():
    with pytest.raises(UnderivableError, match=r"cross_entropy of mixtures is not known.*0 at P = Q"):
        cross_entropy(mixture([1], [Normal(0, 1)]), Normal(0, 2))


def test_images_are_mixed():
    image = MultivariateLogNormal([0, 0], EYE)
    assert kl(mixture([1], [image]), image).evaluate(5).value == 0


def test_weights_that_miss_one_by_rounding_are_divided_by_their_sum():
    m = mixture([0.1] * 10, [Normal(k, 1) for k in range(10)])
    assert sum(m.weights) == 1 and len(set(m.weights)) == 1
    nested = mixture([0.5, 0.5, 0], [m, Logistic(0, 1), Logistic(1, 1)])
    assert len(nested.components) == 11
