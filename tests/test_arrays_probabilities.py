"""KL of categorical and multinomial distributions from probabilities, beside the sum of its terms in 60 digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from klsym.backends.arrays import probabilities
from klsym.core.errors import ParameterError

EPS, BOUND = 2.0**-52, 8.0


@pytest.fixture(params=["loops", "numpy"])
def route(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(probabilities, "loops", lambda name: None)
    else:
        pytest.importorskip("numba")


def shares(rng, k):
    x = 10 ** rng.uniform(-8, 0, k)
    return x / x.sum()


def pair(rng, kind, k):
    p, g = shares(rng, k), 10 ** rng.uniform(-16, 0)
    return p, {
        "far": lambda: shares(rng, k),
        "near": lambda: p * (1 + g * rng.uniform(-1, 1, k)),
        "neighbour": lambda: np.where(rng.random(k) < 0.5, np.nextafter(p, 1.0), p),
    }[kind]()


def terms(p, q):
    for x, y in zip(map(mp.mpf, p.tolist()), map(mp.mpf, q.tolist()), strict=True):
        yield (x * mp.log(x / y) if x else 0) - x + y


@pytest.mark.parametrize("kind", ["far", "near", "neighbour"])
def test_value_and_derivatives(kind, route):
    rng, worst = np.random.default_rng(2), 0.0
    with mp.workdps(60):
        for k in (1, 2, 3, 8, 17, 300, 3000):
            p, q = pair(rng, kind, k)
            value, (by_p, by_q) = probabilities.kl_and_gradient(p, q)
            if not (p == q).all():
                true = mp.fsum(terms(p, q))
                worst = max(worst, float(abs(mp.mpf(float(value)) - true) / true) / EPS)
            for j in range(0, k, max(k // 5, 1)):
                x, y = mp.mpf(float(p[j])), mp.mpf(float(q[j]))
                for got, true in ((by_p[j], mp.log(x / y)), (by_q[j], (y - x) / y)):
                    gap = abs(mp.mpf(float(got)) - true)
                    worst = max(worst, float(gap / abs(true)) / EPS if true else float(got != 0) * np.inf if got else 0)
    assert worst <= BOUND, worst


def test_batches_and_equality(route):
    rng = np.random.default_rng(3)
    p = np.stack([shares(rng, 5) for _ in range(700)])
    assert not probabilities.kl(p, p).any()
    value, slopes = probabilities.kl_and_gradient(p.reshape(7, 100, 5), p[3])
    assert value.shape == (7, 100) and slopes[0].shape == (7, 100, 5)
    assert value[2, 9] == probabilities.kl(p[209], p[3]) and value.reshape(-1)[3] == 0
    assert probabilities.kl(p[:0], p[0]).shape == (0,)


def test_zeros_and_the_least_numbers(route):
    assert probabilities.kl([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]) == np.log(2.0)
    assert probabilities.kl([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert probabilities.kl([1.0, 0.0], [1.0, 0.0]) == 0
    least = 2.0**-1070
    value = probabilities.kl([least, 1.0], [4.0 * least, 1.0])
    assert value == pytest.approx(least * (3.0 - 2.0 * np.log(2.0)), rel=0.1) and value > 0
    _, (by_p, by_q) = probabilities.kl_and_gradient([0.0, 1.0, 0.0], [0.5, 0.5, 0.0])
    assert by_p.tolist() == [-np.inf, np.log(2.0), 0.0] and by_q.tolist() == [1.0, -1.0, 0.0]


def test_trials_multiply():
    p, q = [0.25, 0.75], [0.5, 0.5]
    values = probabilities.kl_multinomial([1, 6, 6], p, [1, 6, 5], q)
    assert values[0] == probabilities.kl(p, q) and values.tolist() == [values[0], 6 * values[0], np.inf]


@pytest.mark.parametrize("bad", [-0.5, np.nan, np.inf])
def test_invalid_is_nan_or_an_error_that_names_it(bad, route):
    p = np.array([[0.5, 0.5], [0.5, bad]])
    assert np.isnan(probabilities.kl(p, [0.5, 0.5])).tolist() == [False, True]
    assert np.isnan(probabilities.kl([0.5, 0.5], p)).tolist() == [False, True]
    with pytest.raises(ParameterError, match=r"q at \(1,\) has an entry that is not a probability"):
        probabilities.kl([0.5, 0.5], p, check=True)
    with pytest.raises(ParameterError, match="n_q is not positive and finite"):
        probabilities.kl_multinomial(1, [1.0], -1, [1.0], check=True)
