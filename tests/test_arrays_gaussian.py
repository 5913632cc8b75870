"""KL of multivariate normals from factors, covariances and precisions, beside the definition in balls."""

from __future__ import annotations

import numpy as np
import pytest

from klsym.backends.arrays import gaussian, symmetric
from klsym.core.errors import ParameterError

flint = pytest.importorskip("flint")
EPS = 2.0**-52
# What P and Q differ by, from the relative gap g.
SETS = ("generic", "all", "ray", "one", "mean", "neighbour")


def factor(rng, k, condition):
    """A lower Cholesky factor of a covariance with that condition number."""
    q, _ = np.linalg.qr(rng.normal(size=(k, k)))
    r = np.linalg.qr(np.sqrt(condition ** rng.permutation(np.linspace(0.0, 1.0, k)))[:, None] * q.T)[1]
    return np.tril(r.T * np.sign(np.diag(r)))


def pair(rng, kind, k, condition):
    """mu_p, L_p, mu_q, L_q"""
    mu, lower, g = rng.normal(size=k), factor(rng, k, condition), 10 ** rng.uniform(-14, -1)
    near = lambda x: x * (1 + g * rng.uniform(-1, 1, x.shape))  # noqa: E731
    last = np.where(np.arange(k * k).reshape(k, k) == k * k - 1, 1 + g, 1.0)
    other = {
        "generic": lambda: (rng.normal(size=k), factor(rng, k, condition)),
        "all": lambda: (near(mu), near(lower)),
        "ray": lambda: (mu * (1 + g), lower * (1 + g)),
        "one": lambda: (mu, lower * last),
        "mean": lambda: (near(mu), lower),
        "neighbour": lambda: (
            mu,
            np.where(rng.random((k, k)) < 0.5, np.nextafter(lower, np.inf), lower) * (lower != 0),
        ),
    }[kind]()
    return mu, lower, *other


def balls(x):
    return flint.arb_mat([[flint.arb(float(v)) for v in row] for row in np.atleast_2d(x)])


def exact(mu_p, p, mu_q, q):
    """The definition from covariances in balls, without a remainder: (tr(S_q^-1 S_p) - k + log det S_q/S_p + ...)/2."""
    gap = balls(mu_p).transpose() - balls(mu_q).transpose()
    ratio, z = q.solve(p), gap.transpose() * q.solve(gap)
    trace = sum((ratio[i, i] for i in range(p.nrows())), flint.arb(-p.nrows()))
    return (trace + (q.det() / p.det()).log() + z[0, 0]) / 2


def error(value, true):
    """The relative error in eps."""
    return float(abs((flint.arb(float(value)) - true) / true).mid()) / EPS


@pytest.fixture(autouse=True)
def precision():
    before, flint.ctx.prec = flint.ctx.prec, 900
    yield
    flint.ctx.prec = before


def by_numpy(monkeypatch):
    for module in (gaussian, symmetric):
        monkeypatch.setattr(module, "loops", lambda *names: None)


@pytest.fixture(params=["loops", "numpy"])
def route(request, monkeypatch):
    if request.param == "numpy":
        by_numpy(monkeypatch)
    else:
        pytest.importorskip("numba")


@pytest.mark.parametrize("condition", [10.0, 1e4, 1e8])
@pytest.mark.parametrize("k", [2, 5, 20, 100])
def test_factors(k, condition, route):
    rng = np.random.default_rng(k)
    for kind in SETS if k < 100 else ("generic", "all"):
        pairs = [pair(rng, kind, k, condition) for _ in range(5 if k < 20 else 1)]
        batched = gaussian.kl_tril(*(np.stack(x) for x in zip(*pairs, strict=True)))
        for mine, (mu_p, p, mu_q, q) in zip(batched, pairs, strict=True):
            if (mu_p == mu_q).all() and (p == q).all():
                assert mine == 0
                continue
            a, b = balls(p), balls(q)
            assert error(mine, exact(mu_p, a * a.transpose(), mu_q, b * b.transpose())) <= 4, kind


@pytest.mark.parametrize("condition", [10.0, 1e8])
@pytest.mark.parametrize("k", [2, 5, 20, 40])
@pytest.mark.parametrize("function", ["kl_covariance", "kl_precision"])
def test_symmetric_matrices(function, k, condition, route):
    rng = np.random.default_rng(k)
    for kind in ("generic", "all", "ray") if k < 40 else ("all",):
        mu_p, p, mu_q, q = pair(rng, kind, k, condition)
        p, q = p @ p.T, q @ q.T
        mine, number = getattr(gaussian, function)(mu_p, p, mu_q, q, condition=True)
        several = getattr(gaussian, function)(np.tile(mu_p, (3, 1)), p, mu_q, q)
        assert (abs(several - mine) <= EPS * mine).all()
        a, b = balls(p), balls(q)
        if function == "kl_precision":
            a, b = a.inv(), b.inv()
        assert error(mine, exact(mu_p, a, mu_q, b)) <= 4, kind
        assert 1 <= number <= 100 * k * condition


@pytest.mark.parametrize("k", [1, 3, 40])
def test_derivatives_against_differences_of_the_definition(k, route):
    """Central differences in balls, with steps of 2^-200."""
    rng = np.random.default_rng(k)
    mu_p, p, mu_q, q = pair(rng, "all", k, 100.0)
    count = 5 if k == 3 else 1
    _, slopes = gaussian.kl_and_gradient(np.tile(mu_p, (count, 1)), p, mu_q, q)
    step = flint.arb(2) ** -200
    arguments = [balls(mu_p), balls(p), balls(mu_q), balls(q)]

    def value(changed):
        m, a, n, b = changed
        gap = m.transpose() - n.transpose()
        s, t = a * a.transpose(), b * b.transpose()
        ratio, z = t.solve(s), gap.transpose() * t.solve(gap)
        trace = sum((ratio[i, i] for i in range(k)), flint.arb(-k))
        return (trace + (t.det() / s.det()).log() + z[0, 0]) / 2

    for number, slope in enumerate(slopes):
        array = slope[-1]
        matrix = array if array.ndim == 2 else array[None]
        assert not np.triu(array, 1).any() or array.ndim == 1
        places = [(i, j) for i in range(len(matrix)) for j in range(k) if matrix.shape[0] == 1 or j <= i]
        for place in [places[0], places[-1], places[len(places) // 2]]:
            ends = []
            for sign in (1, -1):
                changed = [flint.arb_mat(x) for x in arguments]
                changed[number][place] += sign * step
                ends.append(value(changed))
            assert error(matrix[place], (ends[0] - ends[1]) / (2 * step)) <= 4, (number, place)


@pytest.mark.parametrize("k", [1, 2, 8, 33])
def test_zero_exactly_where_equal_and_never_negative(k, route):
    rng = np.random.default_rng(k)
    mu_p, p, mu_q, q = (np.stack(x) for x in zip(*(pair(rng, "neighbour", k, 1e6) for _ in range(9)), strict=True))
    value, slopes = gaussian.kl_and_gradient(mu_p, p, mu_p, p)
    assert not value.any() and not any(slope.any() for slope in slopes)
    assert (gaussian.kl_tril(mu_p, p, mu_q, q)[(p != q).any((1, 2))] > 0).all()


def test_leading_dimensions_broadcast_and_strides_do_not_matter(route):
    rng = np.random.default_rng(0)
    p = np.stack([[factor(rng, 3, 10.0) for _ in range(4)] for _ in range(2)])
    q, mu = factor(rng, 3, 10.0), rng.normal(size=(2, 1, 3))
    value, slopes = gaussian.kl_and_gradient(mu, p[:, ::2], np.zeros(3), np.asfortranarray(q))
    assert value.shape == (2, 2) and [slope.shape for slope in slopes] == [(2, 2, 3), (2, 2, 3, 3)] * 2
    assert value[1, 1] == gaussian.kl_tril(mu[1, 0], p[1, 2], np.zeros(3), q)
    assert gaussian.kl_tril(np.zeros((0, 3)), q, mu[0, 0], q).shape == (0,)


def test_scales_far_from_one(route):
    """Rows in units of their diagonal: nothing overflows on the way."""
    lower = np.array([[1.0, 0.0], [0.5, 2.0]])
    expected = gaussian.kl_tril([1.0, 2.0], lower, [0.0, 0.0], np.eye(2))
    for scale in (2.0**900, 2.0**-900):
        got = gaussian.kl_tril(np.array([1.0, 2.0]) * scale, lower * scale, [0.0, 0.0], np.eye(2) * scale)
        assert got == expected
    assert gaussian.kl_tril([1e200], [[1.0]], [0.0], [[1.0]]) == np.inf


BAD = {
    "scale_tril_q at (1,) is not lower triangular": lambda mu, p, q: (mu, p, mu, q * [[[1]], [[-1]], [[1]]]),
    "scale_tril_p at (0,) is not lower triangular": lambda mu, p, q: (mu, p + np.eye(2)[::-1], mu, q),
    "mu_q at (0,) is not finite": lambda mu, p, q: (mu, p, mu * np.nan, q),
}


@pytest.mark.parametrize("message", BAD)
def test_invalid_is_nan_or_an_error_that_names_it(message, route):
    mu, p = np.zeros(2), np.stack([np.eye(2)] * 3)
    arguments = BAD[message](mu, p, p)
    value, slopes = gaussian.kl_and_gradient(*arguments)
    bad = np.isnan(value)
    assert bad[int(message[message.index("(") + 1])]
    if "_q at (1,)" in message:
        assert value[[0, 2]].tolist() == [0.0, 0.0] and np.isnan(slopes[1][1]).all() and not slopes[1][[0, 2]].any()
    with pytest.raises(ParameterError, match=message.replace("(", r"\(").replace(")", r"\)")):
        gaussian.kl_tril(*arguments, check=True)


def test_matrices_that_are_not_positive_definite():
    bad = np.array([[1.0, 2.0], [2.0, 1.0]])
    for function, name in ((gaussian.kl_covariance, "covariance"), (gaussian.kl_precision, "precision")):
        for side, (p, q) in {"p": (bad, np.eye(2)), "q": (np.eye(2), bad)}.items():
            assert np.isnan(function(np.zeros(2), p, np.zeros(2), q))
            with pytest.raises(ParameterError, match=f"{name}_{side} is not positive definite"):
                function(np.zeros(2), p, np.zeros(2), q, check=True)


def test_diagonal_is_the_case_of_diagonal_factors():
    rng = np.random.default_rng(0)
    mu_p, mu_q = rng.normal(size=(2, 6, 3))
    p, q = rng.uniform(0.1, 3.0, (2, 6, 3))
    expected = gaussian.kl_tril(mu_p, p[..., None] * np.eye(3), mu_q, q[..., None] * np.eye(3))
    np.testing.assert_allclose(gaussian.kl_diagonal(mu_p, p, mu_q, q), expected, rtol=4 * EPS)
    with pytest.raises(ParameterError, match="sigma_q is not positive"):
        gaussian.kl_diagonal([0.0], [1.0], [0.0], [0.0], check=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(2), np.eye(3), np.zeros(2), np.eye(2)), r"scale_tril_p has the shape \(3, 3\)"),
        ((np.zeros(2), np.ones(2), np.zeros(2), np.eye(2)), "scale_tril_p has 1 dimensions"),
        ((0.0, np.eye(1), np.zeros(1), np.eye(1)), "mu_p has 0 dimensions"),
        ((["a"], np.eye(1), np.zeros(1), np.eye(1)), "mu_p is not an array of real numbers"),
        ((np.zeros((2, 1)), np.eye(1), np.zeros((3, 1)), np.eye(1)), "do not broadcast"),
    ],
)
def test_shapes_that_do_not_fit(arguments, message):
    with pytest.raises(ParameterError, match=message):
        gaussian.kl_tril(*arguments)
