"""KL of Wishart, matrix normal and low-rank normal distributions beside the derived formulas in 120 digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from klsym import InverseWishart, MatrixNormal, MultivariateNormal, Wishart, kl
from klsym.arrays.walk import multiprecision, walk
from klsym.backends.arrays import low_rank, matrix_normal, symmetric, wishart
from klsym.core.errors import ParameterError

EPS, BOUND = 2.0**-52, 8.0
GAPS = ("far", "all", "one", "ray", "neighbour")


def reference(family, arrays, sizes):
    """The derived formula at exact inputs."""
    compiled = kl(family, family).compile()
    symbols = [symbol for symbol, _ in compiled.parameters]
    values = {d: mp.mpf(sizes[str(d)]) for d in compiled.cases[0].value.free_symbols if str(d) in sizes}
    for symbol, array in zip(symbols, arrays, strict=True):
        array = np.asarray(array)
        values[symbol] = np.vectorize(mp.mpf, otypes=[object])(array) if array.ndim else mp.mpf(float(array))
    return walk(compiled.cases[0].value, values, multiprecision)


def error(got, true):
    """In units of 2^-52, relative; a true 0 must be 0."""
    true = mp.mpf(np.asarray(true, dtype=object).item())
    if abs(true) < mp.mpf(10) ** -100:
        return 0.0 if got == 0 else np.inf
    return float(abs(mp.mpf(float(got)) - true) / true) / EPS


def covariance(rng, k, condition):
    q, _ = np.linalg.qr(rng.normal(size=(k, k)))
    s = (q * condition ** rng.uniform(-0.5, 0.5, k)) @ q.T
    return np.tril(s) + np.tril(s, -1).T


def moved(rng, kind, x, g, symmetric=False):
    """An array next to x."""
    if kind == "ray":
        return x * (1 + g)
    noise = rng.uniform(-1, 1, x.shape)
    if kind == "one":
        noise = np.zeros(x.shape)
        noise.flat[-1] = 1.0
    if kind == "neighbour":
        noise = np.sign(noise) * (rng.random(x.shape) < 0.5)
        g = EPS
    moved = x * (1 + g * noise)
    return np.tril(moved) + np.tril(moved, -1).T if symmetric else moved


def wishart_pair(rng, kind, k):
    condition = 10 ** rng.uniform(0, 6)
    nu, v, g = k - 1 + 10 ** rng.uniform(-2, 3), covariance(rng, k, condition), 10 ** rng.uniform(-16, 0)
    if kind == "far":
        return nu, v, k - 1 + 10 ** rng.uniform(-2, 3), covariance(rng, k, condition)
    nu_q = nu if kind == "one" else k - 1 + (nu - k + 1) * (1 + (EPS if kind == "neighbour" else g))
    return nu, v, nu_q, moved(rng, kind, v, 0.1 * g / condition if kind == "all" else g, symmetric=True)


def matrix_normal_pair(rng, kind, k):
    m = int(rng.integers(1, 6))
    condition = 10 ** rng.uniform(0, 4)
    p = rng.normal(size=(k, m)), covariance(rng, k, condition), covariance(rng, m, condition)
    g = 10 ** rng.uniform(-16, 0)
    if kind == "far":
        return *p, rng.normal(size=(k, m)), covariance(rng, k, condition), covariance(rng, m, condition)
    gaps = (g, 0.1 * g / condition, 0.1 * g / condition) if kind == "all" else (g, g, g)
    shared = 2.0 ** rng.integers(-3, 3) * 3.0 if kind == "all" else 1.0
    mean, u, v = (moved(rng, kind, x, gap, n > 0) for n, (x, gap) in enumerate(zip(p, gaps, strict=True)))
    return *p, p[0] if kind == "ray" else mean, u * shared, v / shared


def low_rank_pair(rng, kind, k):
    r = int(rng.integers(1, 5))
    p = rng.normal(size=k), rng.normal(size=(k, r)) * 10 ** rng.uniform(-1, 2), 10 ** rng.uniform(-1, 1, k)
    g = 10 ** rng.uniform(-16, 0)
    if kind == "far":
        return *p, rng.normal(size=k), rng.normal(size=(k, r + 1)), 10 ** rng.uniform(-1, 1, k)
    return *p, *(moved(rng, kind, x, g) for x in p)


def dense(arrays):
    """The covariances W W^T + diag(d) exactly."""
    mu_p, w_p, d_p, mu_q, w_q, d_q = (np.vectorize(mp.mpf, otypes=[object])(x) for x in arrays)
    return mu_p, w_p @ w_p.T + np.diag(d_p), mu_q, w_q @ w_q.T + np.diag(d_q)


CASES = {
    "wishart": (wishart.kl, wishart_pair, lambda x: reference(Wishart, x, {"k": len(x[1])})),
    "inverse wishart": (wishart.kl_inverse, wishart_pair, lambda x: reference(InverseWishart, x, {"k": len(x[1])})),
    "matrix normal": (
        matrix_normal.kl,
        matrix_normal_pair,
        lambda x: reference(MatrixNormal, x, {"k": x[0].shape[0], "m": x[0].shape[1]}),
    ),
    "low rank": (low_rank.kl, low_rank_pair, lambda x: reference(MultivariateNormal, dense(x), {"k": len(x[0])})),
}


@pytest.fixture(params=["loops", "numpy"])
def route(request, monkeypatch):
    if request.param == "numpy":
        for module in (low_rank, symmetric):
            monkeypatch.setattr(module, "loops", lambda *names: None)
    else:
        pytest.importorskip("numba")


@pytest.mark.parametrize("kind", GAPS)
@pytest.mark.parametrize("name", CASES)
def test_value(name, kind, route):
    function, pair, true = CASES[name]
    rng, worst = np.random.default_rng([5, GAPS.index(kind)]), 0.0
    with mp.workdps(120):
        for k in (1, 2, 3, 5, 8, 1, 2, 4):
            arrays = pair(rng, kind, k)
            got = function(*arrays)
            assert got >= 0
            worst = max(worst, error(got, true(arrays)))
    assert worst <= BOUND, worst


@pytest.mark.parametrize("name", CASES)
def test_twenty_dimensions(name):
    function, pair, true = CASES[name]
    rng = np.random.default_rng(6)
    with mp.workdps(80):
        arrays = pair(rng, "all", 20)
        assert error(function(*arrays), true(arrays)) <= BOUND


@pytest.mark.parametrize("name", CASES)
def test_zero_exactly_where_equal_and_batches(name):
    function, pair, _ = CASES[name]
    rng = np.random.default_rng(7)
    arrays = [np.asarray(x) for x in pair(rng, "far", 3)]
    half = len(arrays) // 2
    assert function(*arrays[:half], *arrays[:half]) == 0
    stacked = [np.stack([x, y]) for x, y in zip(arrays, [*arrays[:half], *arrays[:half]], strict=True)] if (
        arrays[1].shape == arrays[half + 1].shape
    ) else [x[None] for x in arrays]  # fmt: skip
    values = function(*stacked)
    assert values[0] == function(*arrays) and not values[1:].any()
    assert function(*(x[:0] for x in stacked)).shape == (0,)
    assert function(*stacked[:half], *arrays[half:])[0] == values[0]


BAD = {
    r"nu_p at \(0,\) is not above 1": lambda: wishart.kl([0.5, 3.0], np.eye(2), 3.0, np.eye(2), check=True),
    "v_q is not positive definite": lambda: wishart.kl(3.0, np.eye(2), 3.0, -np.eye(2), check=True),
    "psi_p is not positive definite": lambda: wishart.kl_inverse(3.0, -np.eye(2), 3.0, np.eye(2), check=True),
    "m_q is not finite": lambda: matrix_normal.kl([[0.0]], [[1.0]], [[1.0]], [[np.nan]], [[1.0]], [[1.0]], check=True),
    "u_p is not positive definite": lambda: matrix_normal.kl(
        [[0.0]], [[-1.0]], [[1.0]], [[0.0]], [[1.0]], [[1.0]], check=True
    ),
    "d_q is not positive and finite": lambda: low_rank.kl([0.0], [[1.0]], [1.0], [0.0], [[1.0]], [0.0], check=True),
    "d_p is not positive and finite": lambda: low_rank.kl_diagonal([0.0], [-1.0], [0.0], [1.0], check=True),
    "v_q has the shape": lambda: wishart.kl(3.0, np.eye(2), 3.0, np.eye(3)),
    "u_q has the shape": lambda: matrix_normal.kl([[0.0]], [[1.0]], [[1.0]], [[0.0]], np.eye(2), [[1.0]]),
    "w_p has 1 dimensions": lambda: low_rank.kl([0.0], [1.0], [1.0], [0.0], [[1.0]], [0.0]),
}


@pytest.mark.parametrize("message", BAD)
def test_invalid_arguments_are_named(message):
    with pytest.raises(ParameterError, match=message):
        BAD[message]()


def test_variances(route):
    rng, worst = np.random.default_rng(8), 0.0
    with mp.workdps(120):
        for _ in range(40):
            k, g = int(rng.integers(1, 21)), 10 ** rng.uniform(-16, 0)
            mu, d = rng.normal(size=k), 10 ** rng.uniform(-8, 8, k)
            nu, e = moved(rng, "all", mu, g * rng.integers(0, 2)), moved(rng, "all", d, g)
            p, q, a, b = (np.vectorize(mp.mpf, otypes=[object])(x) for x in (d, e, mu, nu))
            true = sum(x / y - 1 - mp.log(x / y) + (m - n) ** 2 / y for x, y, m, n in zip(p, q, a, b, strict=True)) / 2
            worst = max(worst, error(low_rank.kl_diagonal(mu, d, nu, e), true))
    assert worst <= BOUND, worst


def test_derivatives_of_diagonal_normals():
    """Central differences of the definition in 120 digits."""
    rng = np.random.default_rng(10)
    mu, d = rng.normal(size=3), rng.uniform(0.5, 2.0, 3)
    arrays = [mu, d, mu * (1 + 1e-9), d * (1 + 1e-7 * rng.uniform(-1, 1, 3))]
    _, slopes = low_rank.kl_diagonal_and_gradient(*arrays)
    with mp.workdps(120):
        step = mp.mpf(10) ** -50

        def value(changed):
            a, s, b, t = changed
            return sum(x / y - 1 - mp.log(x / y) + (m - n) ** 2 / y for x, y, m, n in zip(s, t, a, b, strict=True)) / 2

        for number, slope in enumerate(slopes):
            for j in range(3):
                ends = []
                for sign in (1, -1):
                    changed = [[mp.mpf(float(x)) for x in array] for array in arrays]
                    changed[number][j] += sign * step
                    ends.append(value(changed))
                assert error(slope[j], (ends[0] - ends[1]) / (2 * step)) <= BOUND, (number, j)
