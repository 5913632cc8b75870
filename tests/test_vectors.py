"""Probability vectors: the axioms, the accuracy against mpmath, and what is refused."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from klsym import vectors
from klsym.core.errors import ParameterError, VectorError
from klsym.vectors import cross_entropy, entropy, jeffreys, kl, mutual_information, remainder, reverse_kl

EPS = 2.0**-52

weights = st.one_of(st.just(0.0), st.floats(1e-12, 1.0))


def simplex(size):
    """Vectors of that many probabilities, some of them zero."""
    drawn = st.lists(weights, min_size=size, max_size=size).filter(lambda w: sum(w) > 0)
    return drawn.map(lambda w: np.array(w) / np.sum(w))


sizes = st.integers(1, 7)
pairs = sizes.flatmap(lambda n: st.tuples(simplex(n), simplex(n)))
quick = settings(max_examples=60, deadline=None)


@quick
@given(pairs)
def test_never_negative_and_infinite_off_the_support(pair):
    p, q = pair
    value = kl(p, q)
    assert value >= 0
    assert (value == np.inf) == bool(np.any((q == 0) & (p > 0)))


@quick
@given(sizes.flatmap(simplex))
def test_zero_exactly_where_they_are_equal(p):
    assert kl(p, p) == reverse_kl(p, p) == jeffreys(p, p) == 0.0


@quick
@given(pairs)
def test_cross_entropy_is_entropy_and_divergence(pair):
    p, q = pair
    total = cross_entropy(p, q)
    assert total == pytest.approx(entropy(p) + kl(p, q), rel=1e-12, abs=1e-14)


@quick
@given(pairs)
def test_jeffreys_is_symmetric_and_the_sum_of_both_directions(pair):
    p, q = pair
    assert jeffreys(p, q) == pytest.approx(jeffreys(q, p), rel=1e-14)
    assert jeffreys(p, q) == pytest.approx(kl(p, q) + reverse_kl(p, q), rel=1e-14)
    assert reverse_kl(p, q) == kl(q, p)


@quick
@given(st.integers(2, 6).flatmap(lambda n: st.tuples(*[simplex(n)] * 4)), st.floats(0, 1))
def test_jointly_convex(four, t):
    p, q, r, s = four
    mixed = kl(t * p + (1 - t) * r, t * q + (1 - t) * s, normalize=True)
    sides = sum(weight * kl(*pair) for weight, pair in ((t, (p, q)), (1 - t, (r, s))) if weight)
    assert mixed <= sides * (1 + 1e-12) + 1e-14


@quick
@given(pairs, st.floats(1.5, 100))
def test_a_base_is_a_unit(pair, base):
    p, q = pair
    assert kl(p, q, base=base) == pytest.approx(kl(p, q) / np.log(base), rel=1e-14)


@quick
@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(pair, chance):
    p, q = pair
    order = chance.sample(range(len(p)), len(p))
    assert kl(p[order], q[order]) == pytest.approx(kl(p, q), rel=1e-14)


@quick
@given(pairs)
def test_merging_entries_loses_information(pair):
    p, q = (np.append(v, 0.0) for v in pair)
    merged = kl(np.append(p[:-2], p[-2:].sum()), np.append(q[:-2], q[-2:].sum()))
    assert merged <= kl(p, q) * (1 + 1e-13)


@quick
@given(st.tuples(simplex(3), simplex(4)), st.floats(0, 1))
def test_mutual_information_is_what_the_entropies_leave(marginals, t):
    rows, columns = marginals
    table = (1 - t) * np.outer(rows, columns)
    table[0, 0] += t
    assume(table.sum() > 0)
    value = mutual_information(table, normalize=True)
    table /= table.sum()
    assert value >= 0
    assert value == pytest.approx(entropy(table.sum(0)) + entropy(table.sum(1)) - entropy(table, axis=None), abs=1e-13)


def test_mutual_information_is_finite_where_a_product_of_marginals_underflows():
    assert 0 < mutual_information([[1e-300, 0.0], [0.0, 1.0]]) < 1e-296
    assert mutual_information([[0.0, 0.0], [0.5, 0.5]]) == 0.0


def test_it_is_neither_symmetric_nor_does_it_obey_the_triangle_inequality():
    p, q, r = [0.5, 0.5], [0.25, 0.75], [0.1, 0.9]
    assert kl(p, q) != kl(q, p)
    assert kl(p, r) > kl(p, q) + kl(q, r)


def exact(p, q):
    """The sum of p log(p/q) - p + q, from its definition, at 80 digits."""
    with mp.workdps(80):
        numbers = [(mp.mpf(a), mp.mpf(b)) for a, b in zip(np.ravel(p).tolist(), np.ravel(q).tolist(), strict=True)]
        return mp.fsum((a * mp.log(a / b) if a else 0) - a + b for a, b in numbers)


def worst(cases):
    """The largest relative error, in units of eps, of pairs (value, exact value)."""
    return max(float(abs(mp.mpf(float(value)) / right - 1)) / EPS for value, right in cases if right)


@pytest.mark.parametrize("size", [2, 3, 10, 200])
@pytest.mark.parametrize("how", ["near", "middle", "far"])
def test_a_few_units_in_the_last_place_near_and_far(size, how):
    chance = np.random.default_rng(size)
    cases = []
    for _ in range(2000 // size + 20):
        p = chance.dirichlet(np.full(size, 0.5))
        factor = {
            "near": 1 + 10.0 ** chance.uniform(-15, -1) * chance.standard_normal(size),
            "middle": np.exp(chance.uniform(-2, 2, size)),
            "far": np.exp(chance.uniform(-300, 0, size)),
        }[how]
        q = np.abs(p * factor)
        q = q / q.sum()
        if p.min() > 1e-290 and q.min() > 1e-290:
            cases.append((kl(p, q), exact(p, q)))
    assert worst(cases) <= 8


def test_each_term_to_a_few_units_in_the_last_place():
    chance = np.random.default_rng(0)
    p = 10.0 ** chance.uniform(-280, 0, 3000)
    q = p * np.exp(np.where(chance.random(3000) < 0.7, chance.uniform(-2, 2, 3000), chance.uniform(-600, 600, 3000)))
    q = np.clip(q, 1e-290, 1.0)
    cases = [(value, exact([a], [b])) for value, a, b in zip(remainder(p, q), p, q, strict=True)]
    assert worst((value, right) for value, right in cases if right > 1e-290) <= 8


def test_the_edge_between_the_series_and_the_logarithm_is_smooth():
    q = (1 + vectors.terms.NEAR) / (1 - vectors.terms.NEAR) * (1 + np.arange(-40, 41) * EPS)
    cases = [(value, exact([1.0], [b])) for value, b in zip(remainder(np.ones_like(q), q), q, strict=True)]
    assert worst(cases) <= 8


def test_ends_of_the_range():
    tiny = 5e-324
    assert kl([1.0, 0.0], [tiny, 1.0]) == pytest.approx(744.4400719213812, rel=1e-15)
    assert kl([tiny, 1.0], [1.0, 0.0]) == np.inf
    assert entropy([0.0, 1.0]) == 0.0 and np.copysign(1, entropy([1.0])) == 1
    assert kl([1e308, 1e308], [1e308, 1e308], normalize=True) == 0.0


def test_axes_and_broadcasting():
    chance = np.random.default_rng(3)
    p, q = chance.dirichlet(np.ones(4), (5, 3)), chance.dirichlet(np.ones(4), 3)
    by_hand = [[kl(p[i, j], q[j]) for j in range(3)] for i in range(5)]
    assert_allclose(kl(p, q), by_hand, rtol=0)
    assert_allclose(kl(np.moveaxis(p, -1, 0), q.T, axis=0), by_hand, rtol=0)
    joint = p / 15
    assert kl(joint, np.full((5, 3, 4), 1 / 60), axis=None) == kl(joint.ravel(), np.full(60, 1 / 60))
    assert kl(joint[:, 0], joint[:, 1], axis=(0, 1), normalize=True) > 0
    assert kl(p, q[0]).shape == (5, 3)


def test_types():
    single, double = np.float32([0.5, 0.5]), np.float64([0.25, 0.75])
    assert type(kl(single, single)) is type(kl(single, single[::-1])) is np.float32
    assert type(kl(single, double)) is type(kl(double, [1, 0])) is float
    assert kl(np.tile(single, (3, 1)), single).dtype == np.float32
    assert type(entropy(np.longdouble([0.5, 0.5]))) is float
    assert kl([1, 3], [2, 2], normalize=True) == kl([0.25, 0.75], [0.5, 0.5])
    assert kl([Fraction(1, 4), Fraction(3, 4)], double) == 0.0
    third = np.full(3, 1 / 3, np.float32)
    assert kl(third, third) == 0.0, "the sum is 1 to within the rounding of float32"


def test_nan_stays_in_its_own_slice():
    values = kl([[np.nan, 1.0], [0.5, 0.5]], [0.5, 0.5])
    assert np.isnan(values[0]) and values[1] == 0.0
    assert np.isnan(mutual_information([[np.nan, 0.5], [0.25, 0.25]]))
    assert np.isnan(kl([0.0, 1.0], [np.nan, 1.0])) and np.isnan(cross_entropy([0.0, 1.0], [np.nan, 1.0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl([0.5, 0.5], [0.5, 0.6]), r"^q sums to 1\.1\d*, not to 1; normalize=True divides it by that"),
        (lambda: kl([[0.5, 0.5], [0.2, 0.7]], [0.5, 0.5]), r"^p\[1\] sums to 0\.8999"),
        (lambda: kl([1.5, -0.5], [0.5, 0.5]), r"^p\[1\] is -0.5; probabilities are finite and nonnegative"),
        (lambda: kl([1.5, -0.5], [0.5, 0.5], normalize=True), r"^p\[1\] is -0.5"),
        (lambda: kl([0.5, 0.5], [np.inf, 0.5]), r"^q\[0\] is inf"),
        (lambda: kl([0.5, 0.5], [0.2, 0.3, 0.5]), r"^p has \(2,\) and q has \(3,\), which differ along axis -1"),
        (lambda: kl(np.ones((3, 4)) / 4, np.ones((2, 4)) / 4), "do not broadcast"),
        (lambda: kl([], []), "is empty"),
        (lambda: kl(np.zeros((2, 0)), np.zeros((2, 0))), "is empty"),
        (lambda: kl(1.0, 1.0), "^p has 0 axes, so axis=-1"),
        (lambda: kl([1.0], [1.0], axis=1), "^p has 1 axes, so axis=1"),
        (lambda: kl(np.ones((1, 1)), np.ones((1, 1)), axis=(0, 0)), "axis="),
        (lambda: kl([[0.5, 0.5], [1.0]], [1.0]), "^p is ragged"),
        (lambda: kl([0, 0], [1, 2], normalize=True), "^p sums to 0, not to 1; no multiple of it"),
        (lambda: kl([[1, 1], [0, 0]], [1, 2], normalize=True), r"^p\[1\] sums to 0, not to 1; no multiple of it"),
        (lambda: mutual_information([0.5, 0.5]), "^table has 1 axes"),
        (lambda: mutual_information([[0.5, 0.4]]), r"^table sums to 0\.9"),
        (lambda: entropy(np.full(10**5, 1.1e-5, np.float32)), r"^p sums to 1\.1"),
    ],
)
def test_what_is_not_a_probability_vector_is_told_so(call, message):
    with pytest.raises(VectorError, match=message):
        call()


@pytest.mark.parametrize("wrong", [[0.5j, 0.5], ["0.5", "0.5"], np.ma.masked_array([0.5, 0.5], [True, False]), [b"1"]])
def test_numbers_that_are_not_real_are_a_type_error(wrong):
    with pytest.raises(TypeError, match=r"^p "):
        entropy(wrong)


@pytest.mark.parametrize("base", [0, 1, -2, np.nan, np.inf, True, "2"])
def test_a_base_is_positive_and_not_one(base):
    with pytest.raises(ParameterError, match="it must be a positive number other than 1"):
        entropy([0.5, 0.5], base=base)
