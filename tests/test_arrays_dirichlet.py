"""KL of Dirichlet distributions beside the textbook formula in balls, at points chosen to be hard."""

from __future__ import annotations

import numpy as np
import pytest

from klsym.backends.arrays import dirichlet
from klsym.core.errors import ParameterError

flint = pytest.importorskip("flint")
EPS = 2.0**-52
RANGES = {"everyday": (-1, 2), "wide": (-8, 8), "large": (6, 8), "small": (-8, -6), "alike": (0, 0.001)}
# Q's concentrations, from P's, a generator, the range of exponents and a relative gap.
SETS = {
    "generic": lambda a, rng, ends, g: 10 ** rng.uniform(*ends, a.shape),
    "all": lambda a, rng, ends, g: a * (1 + g * rng.uniform(-1, 1, a.shape)),
    "one": lambda a, rng, ends, g: a * np.where(np.arange(a.size) == rng.integers(a.size), 1 + g, 1.0),
    "ray": lambda a, rng, ends, g: a * (1 + g),
    "near a ray": lambda a, rng, ends, g: a * (1 + g) * (1 + 1e-3 * g * rng.uniform(-1, 1, a.shape)),
    "neighbour": lambda a, rng, ends, g: np.where(rng.random(a.shape) < 0.5, np.nextafter(a, np.inf), a),
}


@pytest.fixture(autouse=True)
def precision():
    before, flint.ctx.prec = flint.ctx.prec, 500
    yield
    flint.ctx.prec = before


@pytest.fixture(params=["loops", "numpy"])
def route(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(dirichlet, "loops", lambda name: None)
    else:
        pytest.importorskip("numba")


def exact(a, b):
    """The value, the derivatives and the sizes of these' terms, by the textbook formula."""
    p, q = ([flint.arb(float(x)) for x in side] for side in (a, b))
    p0, q0, one = sum(p, flint.arb(0)), sum(q, flint.arb(0)), flint.arb(1)
    value = p0.lgamma() - q0.lgamma()
    for x, y in zip(p, q, strict=True):
        value += y.lgamma() - x.lgamma() + (x - y) * (x.digamma() - p0.digamma())
    trigamma = lambda x: one.polygamma(x) if hasattr(one, "polygamma") else flint.arb(2).zeta(x)  # noqa: E731
    by_p = [((x - y) * trigamma(x), -(p0 - q0) * trigamma(p0)) for x, y in zip(p, q, strict=True)]
    by_q = [(y.digamma() - x.digamma(), p0.digamma() - q0.digamma()) for x, y in zip(p, q, strict=True)]
    return value, by_p, by_q


def error(value, true, scale=None):
    """The error in eps, relative to the true value or to `scale`."""
    return float((abs(flint.arb(float(value)) - true) / (scale or abs(true))).mid()) / EPS


def points(k, kind, ends, count, seed=3):
    rng = np.random.default_rng(seed)
    p = 10 ** rng.uniform(*ends, (count, k))
    return p, np.stack([SETS[kind](a, rng, ends, 10 ** rng.uniform(-15.5, -0.3)) for a in p])


@pytest.mark.parametrize("ends", RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("k", [2, 3, 10, 100, 1000])
def test_value(k, ends, route):
    for kind in SETS if k < 1000 else ("one", "neighbour"):
        p, q = points(k, kind, ends, {2: 12, 3: 12, 10: 5}.get(k, 1))
        for value, a, b in zip(dirichlet.kl(p, q), p, q, strict=True):
            if (a == b).all():
                assert value == 0
            else:
                assert value > 0
                assert error(value, exact(a, b)[0]) <= 8, (kind, a, b)


@pytest.mark.parametrize("k", [2, 5, 70])
def test_derivatives(k, route):
    for kind in SETS:
        p, q = points(k, kind, (-2, 3), 4 if k < 100 else 1)
        _, slopes = dirichlet.kl_and_gradient(p, q)
        for row, (a, b) in enumerate(zip(p, q, strict=True)):
            _, *true = exact(a, b)
            for slope, terms in zip(slopes, true, strict=True):
                for j in range(0, k, max(k // 5, 1)):
                    scale = abs(terms[j][0]) + abs(terms[j][1])
                    if scale == 0:
                        assert slope[row, j] == 0
                    else:
                        assert error(slope[row, j], sum(terms[j], flint.arb(0)), scale) <= 16, (kind, j)


@pytest.mark.parametrize("k", [2, 3, 17, 600])
def test_zero_exactly_where_equal(k, route):
    p, _ = points(k, "generic", (-8, 8), 40)
    value, slopes = dirichlet.kl_and_gradient(p, p)
    assert not value.any() and not any(slope.any() for slope in slopes)


@pytest.mark.parametrize("k", [2, 9, 513])
def test_a_row_alone_and_in_a_batch(k, route):
    p, q = points(k, "generic", (-1, 2), 70)
    value, slopes = dirichlet.kl_and_gradient(p, q[5])
    alone, _ = dirichlet.kl_and_gradient(p[33], q[5])
    assert value.shape == (70,) and slopes[0].shape == (70, k)
    assert abs(value[33] - alone) <= 4 * EPS * alone
    assert dirichlet.kl(p.reshape(7, 10, k)[:, None], q[:2, None]).shape == (7, 2, 10)
    assert dirichlet.kl(p[:0], q[0]).shape == (0,)


def test_extremes_by_more_digits(route):
    flint.ctx.prec = 3000
    p, q = np.array([1e-200, 1.0, 1e150]), np.array([1e-210, 3.0, 1e140])
    value, slopes = dirichlet.kl_and_gradient(p, q)
    true, _, by_q = exact(p, q)
    assert error(value, true) <= 4
    assert error(slopes[1][1], sum(by_q[1], flint.arb(0))) <= 4


def test_components_of_two_are_beta():
    """Beta(1, 1) from Beta(2, 1): E log(1/(2 x)) = 1 - log 2."""
    assert dirichlet.kl([1.0, 1.0], [2.0, 1.0]) == pytest.approx(1 - np.log(2), rel=4 * EPS)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize("name", ["alpha_p", "alpha_q"])
def test_invalid_is_nan_or_an_error_that_names_it(name, bad, route):
    arguments = {"alpha_p": np.ones((3, 4)), "alpha_q": np.ones((3, 4))}
    arguments[name][1, 2] = bad
    value, slopes = dirichlet.kl_and_gradient(**arguments)
    assert np.isnan(value).tolist() == [False, True, False]
    assert all(np.isnan(slope[1]).all() and not slope[[0, 2]].any() for slope in slopes)
    with pytest.raises(ParameterError, match=rf"{name} at \(1,\) is not positive and finite"):
        dirichlet.kl(**arguments, check=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [1.0]), "its last dimension must be 2 or more"),
        ((1.0, [1.0, 2.0]), "its last dimension must be 2 or more"),
        (([1.0, 2.0], [1.0, 2.0, 3.0]), "alpha_p has 2 components and alpha_q 3"),
        ((["a", "b"], [1.0, 2.0]), "alpha_p is not an array of real numbers"),
        ((np.ones((2, 2)), np.ones((3, 2))), "do not broadcast"),
    ],
)
def test_shapes_that_do_not_fit(arguments, message):
    with pytest.raises(ParameterError, match=message):
        dirichlet.kl(*arguments)
