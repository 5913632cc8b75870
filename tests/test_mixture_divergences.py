"""Divergences of mixtures that are one integral: beside quadrature and sums of their definitions, and at limits."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import mpmath as mp
import pytest

import klsym
from klsym import (
    Binomial,
    Cauchy,
    Gamma,
    Mixture,
    MultivariateNormal,
    Normal,
    ParameterError,
    Poisson,
    UnderivableError,
    Uniform,
    jensen_shannon,
    mixture,
    total_variation,
)

HALF = [0.5, 0.5]
NORMALS = mixture([0.25, 0.75], [Normal(0, 1), Normal(3, 0.5)]), mixture(HALF, [Normal(2, 2), Normal(0, 0.75)])
COUNTS = mixture([0.25, 0.75], [Poisson(2), Poisson(50)]), mixture(HALF, [Poisson(3), Poisson(30)])
STEPS = mixture(HALF, [Uniform(0, 1), Uniform(2, 3)]), mixture(HALF, [Uniform(0, 2), Uniform(1, 4)])


def density(m: Mixture, x) -> mp.mpf:
    total = mp.mpf(0)
    for w, d in zip(m.weights, m.components, strict=True):
        a, b = (mp.mpf(float(v)) for v in (d.values if len(d.values) == 2 else (d.values[0], 1)))
        if d.family is Normal:
            total += float(w) * mp.npdf(x, a, b)
        elif d.family is Poisson:
            total += float(w) * mp.exp(x * mp.log(a) - a - mp.loggamma(x + 1))
        else:
            total += float(w) / (b - a) if a <= x <= b else 0
    return total


def power(p, q, alpha):
    return p**alpha * q ** (1 - alpha) if p and q else mp.mpf(0)


def shannon(p, q, weight=0.5):
    mean = weight * p + (1 - weight) * q
    return (weight * p * mp.log(p / mean) if p else 0) + ((1 - weight) * q * mp.log(q / mean) if q else 0)


# Each with its integrand of the two densities, and what it makes of the integral.
KNOWN = {
    "jensen_shannon": (jensen_shannon, shannon, lambda v: v),
    "weighted": (partial(jensen_shannon, weight=0.3, base=2), partial(shannon, weight=0.3), lambda v: v / mp.log(2)),
    "distance": (klsym.jensen_shannon_distance, shannon, mp.sqrt),
    "total_variation": (total_variation, lambda p, q: abs(p - q) / 2, lambda v: v),
    "hellinger": (klsym.hellinger, partial(power, alpha=0.5), lambda v: mp.sqrt(1 - v)),
    "bhattacharyya": (klsym.bhattacharyya, partial(power, alpha=0.5), lambda v: -mp.log(v)),
    "renyi": (partial(klsym.renyi, alpha=0.25), partial(power, alpha=0.25), lambda v: mp.log(v) / -0.75),
    "chi2": (klsym.chi2, lambda p, q: (p - q) ** 2 / q if q else mp.mpf(0), lambda v: v),
    "triangular": (
        partial(klsym.f_divergence, f="(t - 1)**2/(t + 1)"),
        lambda p, q: (p - q) ** 2 / (p + q),
        lambda v: v,
    ),
}


def total(term, p, q):
    """By sums, or quadrature on panels, whose edges are those of uniform components."""
    if p.discrete:
        return mp.fsum(term(density(p, k), density(q, k)) for k in range(240))
    steps = p.components[0].family is Uniform
    edges = list(range(5)) if steps else list(range(-16, 21, 2))

    def at(x):
        return term(density(p, x), density(q, x))

    return mp.fsum(mp.quad(at, [a, b]) for a, b in pairwise(edges))


CASES = [
    *(("counts", name) for name in ("total_variation", "renyi", "weighted")),
    *(("steps", name) for name in ("distance", "total_variation", "bhattacharyya")),
    ("normals", "hellinger"),
]
SLOW = [(pair, name) for pair in ("normals", "counts", "steps") for name in KNOWN if (pair, name) not in CASES]
SLOW.remove(("normals", "total_variation"))  # of which Gauss's nodes see no kink
PAIRS = {"normals": NORMALS, "counts": COUNTS, "steps": STEPS}


@pytest.mark.parametrize(("pair", "name"), [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)])
def test_values_are_those_of_the_definition(pair, name):
    (p, q), (measured, term, outer) = PAIRS[pair], KNOWN[name]
    number = measured(p, q).evaluate()
    with mp.workdps(30):
        expected = outer(total(term, p, q))
    assert abs(number.value / expected - 1) < 1e-13
    assert number.digits == 15 and abs(number.value - expected) <= number.error + 1e-14 * expected


def test_bounded_ones_are_proven_without_any_tail():
    pytest.importorskip("flint")
    for p, q in (COUNTS, STEPS):
        for measured in (jensen_shannon, total_variation, klsym.hellinger2):
            coarse, fine = (measured(p, q).evaluate(digits) for digits in (12, 30))
            assert coarse.proof == fine.proof == "ball" and fine.digits == 30
            assert abs(coarse.value - fine.value) < 1e-12


def test_one_component_is_the_single_law():
    p, q = Gamma(2, 3), Gamma(1, 1)
    for measured in (klsym.hellinger2, klsym.jeffreys):
        alone, mixed = measured(p, q).evaluate(), measured(mixture([1], [p]), q).evaluate()
        assert mixed.value == pytest.approx(alone.value, rel=1e-13)
        assert mixed.unit == alone.unit


def test_far_apart_they_are_at_their_largest_value_and_near_they_keep_their_digits():
    p, q = mixture(HALF, [Poisson(1), Poisson(2)]), mixture(HALF, [Poisson(1000), Poisson(2000)])
    js = jensen_shannon(p, q)
    assert js.evaluate().value == pytest.approx(math.log(2), rel=1e-15)
    assert js.evaluate().value <= js.bounds().upper < math.log(2) * (1 + 2**-51)
    assert abs(total_variation(p, q).evaluate(30).value - 1) < 1e-30
    assert total_variation(p, q).unit == ""
    h = 2**-20
    a, b = mixture(HALF, [Poisson(2), Poisson(4)]), mixture(HALF, [Poisson(2), Poisson(4 + h)])
    with mp.workdps(50):
        expected = total(shannon, a, b)
    near = jensen_shannon(a, b).evaluate()
    assert near.value == pytest.approx(expected, rel=1e-14) and near.value < 1e-12


def test_infinite():
    for measured in (klsym.chi2, klsym.jeffreys, partial(klsym.renyi, alpha=2)):
        number = measured(mixture(HALF, [Uniform(0, 1), Uniform(4, 5)]), Uniform(0, 2)).evaluate()
        assert number.value == math.inf and number.proof == "exact" and "no component of Q has" in number.why
    ends = mixture(HALF, [Binomial(5, 0.25), Binomial(8, 0.5)])
    assert klsym.reverse_chi2(ends, Poisson(2)).evaluate().value == math.inf
    assert math.isfinite(klsym.chi2(ends, Poisson(2)).evaluate().value)
    assert klsym.chi2(mixture(HALF, [Cauchy(0, 1), Normal(0, 1)]), Normal(0, 1)).evaluate().value == math.inf


def test_what_is_refused():
    p, q = STEPS
    for measured in (klsym.kolmogorov, klsym.chernoff_information, klsym.wasserstein1):
        with pytest.raises(UnderivableError, match="of mixtures is not known"):
            measured(p, q)
    arrays = [MultivariateNormal([m, 0], [[1, 0], [0, 1]]) for m in (0, 2)]
    with pytest.raises(UnderivableError, match="mixtures of arrays is not known"):
        total_variation(mixture(HALF, arrays), arrays[0])
    with pytest.raises(UnderivableError, match="no mean of logarithms"):
        total_variation(p, q).estimate()
    with pytest.raises(ParameterError, match="needs a number for alpha"):
        klsym.renyi(p, q, "alpha")
    with pytest.raises(ParameterError, match="without a unit"):
        total_variation(p, q).in_base(2)
