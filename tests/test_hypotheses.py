"""Bounds on sample sizes hold the exact least number, which the law of the likelihood ratio gives."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from klsym import Bernoulli, Exponential, Normal, ParameterError, Uniform, sample_size


@pytest.mark.parametrize("alpha, beta", [(0.05, 0.01), (0.01, 0.05), (0.3, 1e-12), (1e-12, 0.3), (1e-6, 1e-6)])
def test_normals(alpha, beta):
    # Of means d apart: n = ((z_alpha + z_beta)/d)^2.
    least = math.ceil(((stats.norm.isf(alpha) + stats.norm.isf(beta)) / 0.25) ** 2)
    found = sample_size(Normal(0, 1), Normal(0.25, 1), alpha, beta)
    assert found.needed <= least <= found.enough


def test_stein():
    # Both bounds, by KL(P || Q): at beta = 1e-300 they leave 10% of it.
    found = sample_size(Exponential(1), Exponential(2), 0.05, 1e-300)
    exponent = 300 * math.log(10) / (1 - math.log(2))
    assert 0.9 * exponent < found.needed < exponent < found.enough < 1.3 * exponent


def test_counts_of_a_coin():
    p, q, alpha, beta = 0.5, 0.75, 0.05, 0.05
    found = sample_size([1 - p, p], [1 - q, q], alpha, beta)
    # The test decides for Q at k heads or more; the least n for which some k keeps both.
    least = next(
        n
        for n in range(1, 200)
        if any(stats.binom.sf(k - 1, n, p) <= alpha and stats.binom.cdf(k - 1, n, q) <= beta for k in range(n + 1))
    )
    assert found.needed <= least <= found.enough
    assert sample_size(Bernoulli(p), Bernoulli(q), alpha, beta).enough == found.enough


def test_supports():
    # Of n draws from Uniform(0, 2) all fall below 1 with the probability 2^-n: five do it, and no four.
    for pair in ((Uniform(0, 1), Uniform(0, 2)), (Uniform(0, 2), Uniform(0, 1))):
        found = sample_size(*pair, alpha=0.05, beta=0.05)
        assert found.needed <= 5 == found.enough
    assert sample_size(Uniform(0, 1), Uniform(2, 3)).enough == 1


@pytest.mark.slow
def test_distributions_of_scipy():
    assert sample_size(stats.norm(0, 1), stats.norm(1, 1)) == sample_size(Normal(0, 1), Normal(1, 1))


@pytest.mark.parametrize(
    "p, q, rates, says",
    [
        (Normal(0, 1), Normal(1, 1), (0.5, 0.5), "below 1"),
        (Normal(0, 1), Normal(1, 1), (0, 0.1), "positive"),
        (Normal, Normal(0, 1), (0.1, 0.1), "free parameters mu_p, sigma_p"),
        (Bernoulli(0.5), Bernoulli(0.5), (0.1, 0.1), "equal"),
        ([0.5, 0.5], [0.5, 0.5], (0.1, 0.1), "equal"),
    ],
)
def test_refusals(p, q, rates, says):
    with pytest.raises(ParameterError, match=says):
        sample_size(p, q, *rates)
