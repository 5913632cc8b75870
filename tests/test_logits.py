"""The divergence of distributions given by logits: against mpmath at hard points, its axioms, and what is refused."""

from importlib.util import find_spec

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import klsym
from klsym.backends.arrays import logits
from klsym.core.errors import ParameterError, VectorError

EPS = 2.0**-52
ENGINES = ["numpy", *(["numba"] if find_spec("numba") else [])]


@pytest.fixture(params=ENGINES)
def engine(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(logits, "loops", lambda name: None)
    return request.param


def reference(a, b, digits=60):
    """The definition, and its derivatives: p (log(p/q) - KL) and q - p."""
    with mp.workdps(digits):
        a, b = ([mp.mpf(float(x)) for x in each] for each in (a, b))
        p, q = ([mp.exp(x - top) for x in each] for each, top in ((a, max(a)), (b, max(b))))
        mass_p, mass_q = mp.fsum(p), mp.fsum(q)
        shift = mp.log(mass_q) + max(b) - mp.log(mass_p) - max(a)
        p, q = [x / mass_p for x in p], [x / mass_q for x in q]
        logs = [x - y + shift for x, y in zip(a, b, strict=True)]
        value = mp.fsum(x * g for x, g in zip(p, logs, strict=True))
        by_p = [x * (g - value) for x, g in zip(p, logs, strict=True)]
        return value, by_p, [y - x for x, y in zip(p, q, strict=True)], p, q, logs


def off(got, exact, dtype=np.float64):
    """In units of the last place of the type; of what is subnormal in it, in units of the least normal number's."""
    kind = np.finfo(dtype)
    return float(abs(mp.mpf(float(got)) - exact) / max(exact, float(kind.tiny))) / float(kind.eps)


MOVES = {
    "near": lambda a, rng: a + 1e-8 * rng.normal(size=a.size),
    "nearer": lambda a, rng: a + 1e-14 * rng.normal(size=a.size),
    "near and shifted": lambda a, rng: a + 1000 + 1e-6 * rng.normal(size=a.size),
    "one class": lambda a, rng: a + np.where(np.arange(a.size) == a.size - 1, rng.choice([1e-9, 0.5, 300]), 0),
    "far": lambda a, rng: 2 * rng.normal(size=a.size),
    "very far": lambda a, rng: 100 * rng.normal(size=a.size),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("size", [2, 10, 1000])
def test_accuracy(size, move, dtype, engine):
    rng = np.random.default_rng(size)
    eps, least = np.finfo(dtype).eps, 1e-300 if dtype == np.float64 else 1e-31
    for spread in (0.0, 1.0, 30.0):
        for _ in range(8 if size < 1000 else 1):
            a = (spread * rng.normal(size=size)).astype(dtype)
            b = MOVES[move](a, rng).astype(dtype)
            value, by_p, by_q, p, q, logs = reference(a, b, 150)
            got, got_p, got_q = logits.kl_and_gradient(a, b)
            assert got == logits.kl(a, b)
            assert got_p.dtype == got_q.dtype == dtype
            assert off(got, value, dtype) <= 4

            def worst(found, exact, scales, least=least):
                return max(
                    (abs(x - y) / s for x, y, s in zip(found.tolist(), exact, scales, strict=True) if s > least),
                    default=0,
                )

            # p (log p/q - KL) is p times the gap of two logits less the mean gap, a sum of terms of both signs.
            gaps = [abs(g - value) for g in logs] if dtype == np.float64 else [abs(g) for g in logs]
            terms = mp.fsum(x * g for x, g in zip(p, gaps, strict=True))
            assert worst(got_p, by_p, [x * (g + terms) for x, g in zip(p, gaps, strict=True)]) <= 4 * eps
            assert worst(got_q, by_q, [x + y for x, y in zip(p, q, strict=True)]) <= 4 * eps


def longer(a, b):
    """The definition in the longest floating-point numbers of the machine: no less than nine digits if KL > 1e-7."""
    a, b = a.astype(np.longdouble), b.astype(np.longdouble)
    p, q = (np.exp(x - x.max(-1, keepdims=True)) for x in (a, b))
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    ratio = np.log(p) - np.log(q)
    value = (p * ratio).sum(-1)
    scale = p * (abs(ratio) + (p * abs(ratio)).sum(-1, keepdims=True))
    return value, p * (ratio - value[:, None]), q - p, scale, p + q


@pytest.mark.parametrize("size", [10, 128_000])
@pytest.mark.parametrize("move", [1e-3, 0.1, 2.0, 20.0])
def test_a_vocabulary_in_single_precision(size, move):
    rng = np.random.default_rng(2)
    a = (np.array([[0.5], [6.0]]) * rng.normal(size=(2, size))).astype(np.float32)
    b = (a + move * rng.normal(size=a.shape) + 3).astype(np.float32)
    eps = np.finfo(np.float32).eps
    value, by_p, by_q, scale_p, scale_q = longer(a, b)
    found, found_p, found_q = logits.kl_and_gradient(a, b)
    assert (abs(found / value - 1) <= 4 * eps).all()
    assert (abs(found_p - by_p) <= 4 * eps * scale_p + 1e-31).all()
    assert (abs(found_q - by_q) <= 4 * eps * scale_q + 1e-31).all()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("move", MOVES)
def test_a_vocabulary(move, dtype, engine):
    rng = np.random.default_rng(5)
    a = (3 * rng.normal(size=128_000)).astype(dtype)
    b = MOVES[move](a, rng).astype(dtype)
    assert off(logits.kl(a, b), reference(a, b, 50)[0], dtype) <= 4


def test_rows_that_single_precision_does_not_vouch_for():
    """Beside those that it does: the digits are those of the same rows in double precision."""
    rng = np.random.default_rng(6)
    a = (5 * rng.normal(size=(40, 300))).astype(np.float32)
    b = (a + 0.1 * rng.normal(size=a.shape)).astype(np.float32)
    lowest, inf, nan = np.finfo(np.float32).min, np.inf, np.float32(np.nan)
    a[1:3, 7], b[1, 7], b[2, 9] = nan, nan, -nan
    a[3, 5:90] = b[3, 5:90] = -inf  # masked in both, in three ways
    a[4, 5:90] = b[4, 5:90] = lowest
    a[5, 5:90], b[5, 5:90] = lowest, -1e9
    a[6, 5:90], b[7, 9], b[8, 9] = -inf, -inf, lowest
    a[9], b[10], a[11, 2], b[12, 2] = -inf, -inf, inf, inf
    b[13], b[14] = a[13], a[14] + 512
    b[15] = a[15]
    b[15, a[15].argmin()] -= 1
    a[16], b[16] = 0, 1000 + np.arange(300) // 299 * 1e-4
    b[17], a[18], b[19] = b[17] + 1e6, a[18] + 1e8, -300 * b[19]
    a[20, 3], b[21, 3], b[22, 3], a[22, 3] = 60, 90, 300, 300
    a[23, 0], b[23, 0] = 0, -86.5 + a[23].max()
    found, by_p, by_q = logits.kl_and_gradient(a, b)
    exact, exact_p, exact_q = logits.kl_and_gradient(a.astype(np.float64), b.astype(np.float64))
    np.testing.assert_allclose(found, exact, rtol=4 * 2.0**-23, atol=2.0**-149)
    assert ((found > 0) | (exact < 2.0**-149) | np.isnan(exact)).all()
    terms = abs(exact_p).sum(-1, keepdims=True) + exact[:, None]
    fine = np.isfinite(exact)
    assert (np.isnan(by_p) == ~fine[:, None]).all() and (np.isnan(by_q) == ~fine[:, None]).all()
    assert (abs(by_p - exact_p)[fine] <= 1e-6 * terms[fine] + 2.0**-149).all()
    assert (abs(by_q - exact_q)[fine] <= 1e-6).all()


def test_rows_of_many_tiles_of_single_precision():
    """Logits that rise from tile to tile, and whole tiles without mass: the frame of the weights moves."""
    rng = np.random.default_rng(9)
    a = np.sort((30 * rng.normal(size=(7, 20_000))).astype(np.float32), axis=-1)
    b = (a + 0.1 * rng.normal(size=a.shape)).astype(np.float32)
    a[1, :9000] = b[1, :9000] = -np.inf
    a[2, :9000] = -np.inf
    a[3], b[3] = a[3, ::-1], b[3, ::-1]
    b[4, -100:], b[5, -1], b[6, 9000] = b[4, -100:] + 300, np.nan, -np.inf
    found, by_p, by_q = logits.kl_and_gradient(a, b)
    exact, exact_p, exact_q = logits.kl_and_gradient(a.astype(np.float64), b.astype(np.float64))
    np.testing.assert_allclose(found, exact, rtol=4 * 2.0**-23)
    np.testing.assert_allclose(by_p[:5], exact_p[:5], atol=1e-6 * abs(exact_p[:5]).max())
    np.testing.assert_allclose(by_q[:5], exact_q[:5], atol=1e-6)


def test_the_exponential_of_single_precision():
    pytest.importorskip("numba")
    power = vars(logits.loops("logits_single"))["__power_single"]
    for x in np.linspace(-80, 80, 4001, dtype=np.float32):
        assert power(x, np.float32(-127)) == pytest.approx(np.exp(float(x)), rel=1.5 * 2.0**-24)


@pytest.mark.parametrize("size", [300, 5000])
def test_blocks_of_one_row_that_are_far_apart(size, engine, monkeypatch):
    monkeypatch.setattr(logits, "BLOCK", 256)
    rng = np.random.default_rng(8)
    for p_spread, q_spread in ((5, 1500), (300, 300), (200, 5), (0, 1e4)):
        a, b = p_spread * rng.normal(size=size), q_spread * rng.normal(size=size)
        value, _by_p, by_q, p, q, _ = reference(a, b, 60)
        found, _, found_q = logits.kl_and_gradient(a, b)
        assert off(found, value) <= 4
        assert (
            max(abs(x - y) / (u + v) for x, y, u, v in zip(found_q.tolist(), by_q, p, q, strict=True) if u + v > 1e-290)
            <= 4 * EPS
        )


@pytest.mark.parametrize("size", [10, 3000])
def test_half_precision(size, engine):
    rng = np.random.default_rng(1)
    a = (3 * rng.normal(size=size)).astype(np.float16)
    b = (a + 30 * rng.normal(size=size)).astype(np.float16)
    assert logits.kl(a, b).dtype == np.float16
    assert off(logits.kl(a, b), reference(a, b)[0], np.float16) <= 0.51
    assert isinstance(logits.kl(a, b.astype(np.float64)), float)


vectors = st.integers(1, 80).flatmap(lambda n: st.tuples(*[hnp.arrays(float, n, elements=st.floats(-50, 50))] * 2))


@settings(max_examples=60, deadline=None)
@given(vectors, st.integers(-(2**20), 2**20))
def test_never_negative_zero_on_equality_and_blind_to_shifts(pair, shift):
    a, b = (np.round(x * 2**20) / 2**20 for x in pair)  # so that a shift is exact
    value = logits.kl(a, b)
    assert value >= 0
    assert logits.kl(a, a) == logits.kl(a, a + shift) == 0
    assert logits.kl(a + shift, b) == pytest.approx(value, rel=32 * EPS, abs=1e-300)
    assert logits.kl(a, b + shift) == pytest.approx(value, rel=32 * EPS, abs=1e-300)


@settings(max_examples=40, deadline=None)
@given(vectors)
def test_derivatives_sum_to_zero(pair):
    _, by_p, by_q = logits.kl_and_gradient(*pair)
    assert abs(by_p.sum()) <= 100 * EPS * (np.abs(by_p).sum() + np.abs(pair).max()) + 1e-300
    assert abs(by_q.sum()) <= 100 * EPS


def test_infinities(engine):
    inf, nan = np.inf, np.nan
    cases = [
        ([0, -inf], [0, 0], np.log(2)),
        ([0, 0, -inf], [0, 0, -inf], 0),
        ([0, 0], [0, -inf], inf),
        ([0, nan], [0, -inf], nan),
        ([0, 0], [nan, 0], nan),
        ([-inf, 0], [nan, 0], nan),
        ([inf, 0], [0, 0], nan),
        ([0, 0], [inf, 0], nan),
        ([-inf, -inf], [0, 0], nan),
        ([0, 0], [-inf, -inf], nan),
        ([0, -800], [0, -inf], inf),
        ([0, -1.7e308], [0, -1.7e308], 0),
        ([0, -1.7e308], [0, 0], np.log(2)),
        ([0, 0], [0, -1e9], 5e8 - np.log(2)),
        ([1e6, 0], [0, 1e6], 1e6),
    ]
    for a, b, expected in cases:
        found, by_p, by_q = logits.kl_and_gradient(np.array(a, float), np.array(b, float))
        assert found == pytest.approx(expected, rel=1e-15, nan_ok=True), (a, b)
        assert np.isfinite([by_p, by_q]).all() == np.isfinite(expected)
    a, b = np.full((2, 3000), -inf), np.zeros((2, 3000))  # whole blocks without mass
    a[0, 2999] = a[1, 0] = 0
    assert logits.kl(a, b) == pytest.approx(np.log(3000), rel=1e-15)


@pytest.mark.parametrize("shape", [(3, 5, 7), (70, 3, 90), (2, 1100, 3)])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8"])
def test_axes_views_and_broadcasting(shape, axis, dtype, engine):
    rng = np.random.default_rng(3)
    a, b = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    moved = [np.ascontiguousarray(np.moveaxis(x, axis, -1)) for x in (a, b)]
    expected = logits.kl_and_gradient(*moved)
    got = logits.kl_and_gradient(a, b, axis=axis)
    tight = dict(rtol=1e-14 if a.itemsize == 8 else 1e-6, atol=1e-15 if a.itemsize == 8 else 1e-8)
    np.testing.assert_allclose(got[0], expected[0], **tight)
    for x, y in zip(got[1:], expected[1:], strict=True):
        np.testing.assert_allclose(np.moveaxis(x, axis, -1), y, **tight)
    np.testing.assert_allclose(
        logits.kl(a[::-1, ::-1], b[::-1, ::-1], axis)[..., 0],
        np.flip(logits.kl(a, b, axis), (0, 1) if axis in (2, -1) else 0)[..., 0],
        **tight,
    )
    one = a[:1, :1] if axis in (2, -1) else a[:, :1] if axis == 0 else a[:1]
    np.testing.assert_allclose(logits.kl(one, b, axis), logits.kl(np.broadcast_to(one, shape), b.copy(), axis), **tight)


def test_out_and_no_rows(engine):
    a = np.zeros((4, 3), np.float32)
    out = np.ones(4)
    assert logits.kl(a, a, out=out) is out
    assert (out == 0).all()
    assert logits.kl(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0,)
    with pytest.raises(VectorError, match=r"out has shape \(4,\)"):
        logits.kl(a[:3], a[:3], out=out)


def test_what_is_refused(engine):
    with pytest.raises(VectorError, match="empty along axis -1"):
        logits.kl(np.zeros((2, 0)), np.zeros((2, 0)))
    with pytest.raises(VectorError, match="do not broadcast"):
        logits.kl([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(VectorError, match="axis=3"):
        logits.kl([1.0, 2.0], [1.0, 2.0], axis=3)
    with pytest.raises(VectorError, match="0 axes"):
        logits.kl(1.0, 2.0)
    with pytest.raises(TypeError, match="q_logits has type complex128"):
        logits.kl([1.0, 2.0], [1j, 2.0])


def test_the_public_face():
    a, b = [0.0, 1.0], [1.0, 0.0]
    assert klsym.kl(a, b, logits=True, base=2) == pytest.approx(logits.kl(a, b) / np.log(2), rel=1e-15)
    _value, _by_p, by_q = klsym.kl(a, b, logits=True, gradient=True, base=2)
    assert by_q == pytest.approx(logits.kl_and_gradient(a, b)[2] / np.log(2), rel=1e-15)
    p, q = (np.exp(x) / np.exp(x).sum() for x in (a, b))
    assert klsym.kl(a, b, logits=True) == pytest.approx(klsym.kl(p, q), rel=1e-14)
    with pytest.raises(TypeError, match="takes no normalize"):
        klsym.kl(a, b, logits=True, normalize=True)
    with pytest.raises(TypeError, match="two arrays"):
        klsym.kl(klsym.Normal, b, logits=True)
    with pytest.raises(ParameterError, match="base is 1"):
        klsym.kl(a, b, logits=True, base=1)
