"""What a newcomer gets wrong is refused in a sentence, and laws at the edge of a function have a value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from klsym import (
    Bernoulli,
    Dirichlet,
    DiscreteUniform,
    LogRatios,
    MultivariateNormal,
    Normal,
    Tally,
    Uniform,
    chernoff,
    chernoff_information,
    estimate,
    estimate_log_ratios,
    f_divergence,
    hellinger,
    jensen_shannon,
    kl,
    project,
    renyi,
    renyi_entropy,
    sample_size,
    smooth,
    truncate,
    wasserstein,
)
from klsym.core.errors import KlsymError

P, Q = Normal(0, 1), Normal(1, 1)

REFUSED = {
    "truncate a name": (lambda: truncate("Normal", 0, 1), "'Normal' is no law"),
    "truncate arrays": (lambda: truncate(MultivariateNormal, 0, 1), "is no law of numbers"),
    "truncate from infinity": (lambda: truncate(P, math.inf, -math.inf), "leaves no outcome"),
    "truncate to -infinity": (lambda: truncate(Normal, None, -math.inf), "leaves no outcome"),
    "a generator of floats": (lambda: f_divergence(P, Q, math.log), "functions of SymPy"),
    "a generator that fails": (lambda: f_divergence(P, Q, lambda t: t / 0 + 1 // 0), "ZeroDivisionError"),
    "an order in quotes": (lambda: wasserstein(P, Q, "2"), "order is '2'"),
    "an order without a value": (lambda: renyi_entropy([0.5, 0.5], "alpha"), "alpha is 'alpha'"),
    "a weight without a value": (lambda: jensen_shannon([0.5, 0.5], [0.1, 0.9], "w"), "a number for w"),
    "a rate in quotes": (lambda: sample_size(P, Q, "0.1"), "alpha is '0.1'"),
    "NaN among probabilities": (lambda: sample_size([math.nan, 0.5], [0.5, 0.5]), "is NaN"),
    "two pairs of vectors": (lambda: sample_size([[0.5, 0.5]] * 2, [[0.2, 0.8]] * 2), "2 pairs"),
    "weights that are words": (lambda: project([1.0, 2.0], Normal, weights=["a", "b"]), "weights are numbers"),
    "one vector of samples": (lambda: project([0.5, 0.5], Dirichlet), r"\(n, k\)"),
    "weights of draws": (lambda: estimate_log_ratios([1, 2], weights=["a", "b"]), "weights has type"),
    "a level in quotes": (lambda: estimate_log_ratios([1, 2], level="95%"), "level is '95%'"),
    "a strength as method": (lambda: smooth([1, 2], 0.5), "method is 0.5"),
    "a word of outcomes": (lambda: estimate("abc", "abd"), "no array of outcomes"),
    "nothing": (lambda: Tally().update(None, 3), "no array of outcomes|3 is"),
    "a law as samples": (lambda: estimate(np.arange(9.0), P), "klsym.kl"),
}


@pytest.mark.parametrize("call, said", REFUSED.values(), ids=REFUSED)
def test_refused(call, said):
    with pytest.raises(KlsymError, match=said):
        call()


@pytest.mark.parametrize(
    "call",
    [lambda: LogRatios().merge(3), lambda: Tally().merge(None), lambda: renyi_entropy("Normal", 2)],
    ids=["log ratios", "tally", "entropy"],
)
def test_of_another_type(call):
    with pytest.raises(TypeError, match=r"LogRatios|Tally|renyi_entropy is of"):
        call()


def test_orders_are_numbers_of_any_library():
    assert renyi_entropy([0.5, 0.5], np.int64(2)) == renyi_entropy([0.5, 0.5], np.float32(2)) == math.log(2)


def test_equal_laws_with_a_free_order_compile_to_zero():
    found = chernoff(Bernoulli(0.3), Bernoulli(0.3), "alpha").compile("numpy")
    assert found(0.5) == 0
    assert np.isnan(renyi(P, P, "alpha").compile("numpy")([-1.0, 0.5])).tolist() == [True, False]


def test_sums_over_what_supports_share_compile():
    distance = hellinger(DiscreteUniform, DiscreteUniform).compile("numpy")
    # c(1/2) = n/sqrt(4 b), n of the outcomes 0..3 among the b of Q.
    shared = np.sqrt([0, 1 - 2 / math.sqrt(24), 1])
    np.testing.assert_allclose(distance(0, 3, [0, 2, 5], [3, 7, 9]), shared, rtol=1e-15)
    assert renyi(DiscreteUniform, DiscreteUniform, 0.5).compile("numpy")(0, 3, 5, 7) == math.inf


def test_a_second_pass_without_arguments():
    formula = kl(truncate(P, 50, 60), truncate(Q, 50, 60))
    assert formula.compile("numpy")() == pytest.approx(float(formula.evaluate()), rel=1e-15)


def test_constants_beyond_a_double():
    assert sample_size(P, Normal(1e170, 1)).enough == 1


def test_the_chernoff_information_of_laws_apart():
    found = chernoff_information(Uniform(0, 1), Uniform(2, 3))
    assert found.value == math.inf and found.kind == "infinite"
