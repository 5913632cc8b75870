"""Generated NumPy: the numbers, and that a compiled divergence, by whatever backend, behaves as a ufunc does."""

import inspect
import math
import pickle
import pydoc
import subprocess
import sys

import numpy as np
import pytest
import sympy as sp

from klsym import Bernoulli, Exponential, Gamma, InverseGaussian, Normal, Uniform, Weibull
from klsym.backends import emit, load
from klsym.core.derivation import Case, Derivation
from klsym.core.errors import ParameterError, UnknownNameError
from klsym.divergences import kl
from klsym.lower import lower


def program(left, right, value, *, when=sp.true, otherwise=None):
    cases = [Case("closed", value, when)]
    if otherwise is not None:
        cases.append(otherwise)
    return lower(Derivation(kl, left, right, tuple(cases), ()))


def normal():
    p, q = Normal.member("_p"), Normal.member("_q")
    (m, s), (n, t) = p.values, q.values
    return program(p, q, sp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - sp.Rational(1, 2))


def gamma():
    p, q = Gamma.member("_p"), Gamma.member("_q")
    (a, b), (c, d) = p.values, q.values
    drift = (a - c) * sp.polygamma(0, a) + a * (d - b) / b
    return program(p, q, drift + sp.loggamma(c) - sp.loggamma(a) + c * sp.log(b / d))


def gamma_weibull():
    p, q = Gamma.member("_p"), Weibull.member("_q")
    (a, b), (k, lam) = p.values, q.values
    moment = sp.gamma(a + k) / sp.gamma(a) * (b * lam) ** -k
    logs = a * sp.log(b) - sp.loggamma(a) - sp.log(k) + k * sp.log(lam)
    return program(p, q, logs + (a - k) * (sp.polygamma(0, a) - sp.log(b)) - a + moment)


def inverse_gaussian_scale():
    """Not a divergence: exp(2z) E1(2z) with z = lam/mu stands for the InverseGaussian's expected logarithm."""
    p, q = InverseGaussian.member("_p"), Exponential.member("_q")
    mu, lam = p.values
    return program(p, q, sp.exp(2 * lam / mu) * sp.expint(1, 2 * lam / mu) + q.values[0])


def uniform():
    p, q = Uniform.member("_p"), Uniform.member("_q")
    (a, b), (c, d) = p.values, q.values
    inside = sp.And(c <= a, b <= d)
    return program(p, q, sp.log((d - c) / (b - a)), when=inside, otherwise=Case("infinite", sp.oo, sp.true))


def bernoulli():
    p, q = Bernoulli.member("_p"), Bernoulli.member("_q")
    (s,), (t,) = p.values, q.values
    return program(p, q, s * sp.log(s / t) + (1 - s) * sp.log((1 - s) / (1 - t)))


@pytest.fixture(scope="module", params=["numpy", "numba"])
def g(request):
    pytest.importorskip(request.param)
    return load(normal(), request.param)


def test_values_of_known_pairs(g):
    assert g(0, 1, 1, 2) == pytest.approx(math.log(2) + 0.25 - 0.5, rel=1e-15)
    exact = 2 * sp.polygamma(0, 5) - sp.log(12) + 3 * sp.log(2) - sp.Rational(5, 2)
    assert load(gamma(), "numpy")(5, 2, 3, 1) == pytest.approx(float(exact), rel=1e-13)
    assert load(gamma_weibull(), "numpy")(5.0, 2.0, 1.5, 3.0) == pytest.approx(0.191703441825788946, rel=1e-13)


def test_gamma_ratio_stays_finite_at_large_shape():
    f, p = load(gamma_weibull(), "numpy"), gamma_weibull().arguments
    values = dict(zip(p, (250, 2, sp.Rational(3, 2), 100), strict=True))
    a, b, k, lam = map(sp.sympify, values.values())
    exact = (
        a * sp.log(b) - sp.loggamma(a) - sp.log(k) + k * sp.log(lam) + (a - k) * (sp.polygamma(0, a) - sp.log(b)) - a
        + sp.exp(sp.loggamma(a + k) - sp.loggamma(a)) * (b * lam) ** -k
    ).n(20)  # fmt: skip
    assert f(250, 2, 1.5, 100) == pytest.approx(float(exact), rel=1e-12)
    assert np.isfinite(f(1e6, 2, 1.5, 1e6))


def test_exponential_integral_stays_finite_at_large_argument():
    f = load(inverse_gaussian_scale(), "numpy")
    assert f(1.0, 375.0, 1.0) - 1 == pytest.approx(float((sp.exp(750) * sp.expint(1, 750)).n(20)), rel=1e-12)


def test_broadcasting_and_shapes(g):
    mu, sigma = np.linspace(-1, 1, 3)[:, None], np.linspace(0.5, 2, 4)
    result = g(mu, sigma, 0, 1)
    assert result.shape == (3, 4)
    assert result[2, 1] == g(1.0, 1.0, 0, 1)
    assert g(np.empty((0, 3)), 1, 0, 1).shape == (0, 3)
    assert g([0.0, 1.0], 1, 0, 1).tolist() == [0.0, 0.5]
    assert g(0.0, 1.0, sigma_q=2.0, mu_q=0.0) == g(0.0, 1.0, 0.0, 2.0)
    with pytest.raises(ValueError, match="broadcast"):
        g(np.zeros(2), np.ones(3), 0, 1)


def test_blocks_and_strides_agree_with_one_block(g):
    generator = np.random.default_rng(1)
    mu, sigma = generator.normal(size=30_001), generator.uniform(0.5, 2, size=30_001)
    whole = g(mu, sigma, 0.0, 1.0)
    assert np.array_equal(whole[::7], g(mu[::7], sigma[::7], 0.0, 1.0))
    assert np.array_equal(whole, g(mu.astype(">f8"), sigma, 0, 1))
    square = mu[:30_000].reshape(100, 300)
    assert np.array_equal(g(square.T, 1, 0, 1), g(square, 1, 0, 1).T)


def test_out(g):
    mu = np.linspace(-1, 1, 5)
    out = np.empty(5)
    assert g(mu, 1, 0, 1, out=out) is out
    assert np.array_equal(out, g(mu, 1, 0, 1))
    expected = g(mu, 1, 0, 1)
    g(mu, 1, 0, 1, out=mu)
    assert np.array_equal(mu, expected)
    with pytest.raises(ValueError, match="broadcast"):
        g(np.zeros(4), 1, 0, 1, out=np.empty(3))
    with pytest.raises(TypeError, match="an array is needed"):
        g(np.zeros(4), 1, 0, 1, out=[0.0] * 4)
    narrow, wide = np.empty(4, np.float32), np.empty((2, 4))
    assert g(np.zeros(4), 1, 0, 2, out=narrow) is narrow and narrow[0] == np.float32(g(0, 1, 0, 2))
    assert g(np.zeros((2, 1)), [1.0, 2.0, 3.0, 4.0], 0, 1, out=wide).shape == (2, 4)
    locked = np.ones(3)
    locked.flags.writeable = False
    assert np.array_equal(g(locked, locked, 0, 1), g(np.ones(3), np.ones(3), 0, 1))


def test_types(g):
    one = np.float32(1)
    assert g(np.zeros(2, np.float32), one, 0.5, 1).dtype == np.float32
    assert g(one, one, 0.5, 1.0).dtype == np.float32
    assert g(np.zeros(2, np.float32), np.ones(2), 0, 1).dtype == np.float64
    assert g(np.arange(3), 1, 0, 1).dtype == np.float64
    assert g(np.zeros(2, np.float16), 1, 0, 1).dtype == np.float16
    assert isinstance(g(0, 1, 0, 1), np.float64)
    assert isinstance(g(np.float64(0), 1, 0, 1), np.float64)
    # Computed in double, rounded once.
    assert g(np.float32(0.1), np.float32(1), 0, 1) == np.float32(g(float(np.float32(0.1)), 1, 0, 1))
    for wrong in (1j, np.array([1 + 1j]), "1", np.array([None])):
        with pytest.raises(TypeError, match="mu_p"):
            g(wrong, 1, 0, 1)
    with pytest.raises(TypeError, match="missing"):
        g(0, 1, 0)
    with pytest.raises(TypeError, match=r"no where=; call it on x\[mask\]"):
        g(0, 1, 0, 1, where=np.array(True))
    with pytest.raises(TypeError, match="kappa"):
        g(0, 1, 0, 1, kappa=2)


def test_invalid_and_missing_numbers_are_nan_elementwise(g):
    got = g([0, 0, np.nan, np.inf, 0], [1, -1, 1, 1, 0], 1, 1)
    assert np.isnan(got).tolist() == [False, True, True, True, True]
    f = load(uniform(), "numpy")
    assert np.isnan(f([1.0, 2.0], [2.0, 1.0], 0.0, 3.0)).tolist() == [False, True]


def test_check_names_the_argument_its_domain_and_the_place(g):
    with pytest.raises(ParameterError, match=r"sigma_p must lie in \(0, oo\); sigma_p = -1.0 at index \(1, 0\)"):
        g([[0.0], [0.0]], [[1.0, 2.0], [-1.0, 0.0]], 0, 1, check=True)
    with pytest.raises(ValueError, match=r"a_p < b_p must hold; a_p = 2.0, b_p = 1.0$"):
        load(uniform(), "numpy")(2.0, 1.0, 0.0, 3.0, check=True)
    assert g(0, 1, 0, 1, check=True) == 0


def test_infinite_case_and_closed_ends():
    f = load(uniform(), "numpy")
    assert f([0.0, -1.0], [1.0, 1.0], 0.0, 2.0).tolist() == [math.log(2), math.inf]
    h = load(bernoulli(), "numpy")
    assert h(0.0, 0.5) == h(1.0, 0.5) == pytest.approx(math.log(2))
    assert h([0.5, 0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0]).tolist() == [math.inf, 0, 0, math.inf, math.inf]
    assert np.isnan(h(1.5, 0.5))


def test_zero_exactly_on_the_diagonal():
    f = load(gamma(), "numpy")
    a = np.random.default_rng(2).uniform(0.1, 50, size=(2, 200))
    assert not f(*a, *a).any()
    assert load(normal(), "numpy")(0.1, 0.3, 0.1, 0.3) == 0


def test_pickle_signature_and_help(g):
    again = pickle.loads(pickle.dumps(g))
    assert again(0.3, 1.1, 0.2, 1.7) == g(0.3, 1.1, 0.2, 1.7)
    assert list(inspect.signature(g).parameters) == [
        *["mu_p", "sigma_p", "mu_q", "sigma_q"],
        *["out", "check", "report"],
    ]
    assert "KL(P || Q)" in pydoc.render_doc(g) and "sigma_p must lie in (0, oo)" in g.__doc__
    assert repr(g) == "kl_normal_normal(mu_p, sigma_p, mu_q, sigma_q)"


def test_source_stands_alone(tmp_path):
    lowered = gamma_weibull()
    source = emit(lowered, "numpy")
    (tmp_path / "generated.py").write_text(source, encoding="utf-8")
    code = (
        "import sys, generated; v = generated.kl_gamma_weibull([5.0, -1.0], 2.0, 1.5, 3.0);"
        "assert not any('klsym' in m or m == 'sympy' for m in sys.modules); print(repr(float(v[0])), v[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    first_pass = load(lowered, "numpy", second_pass=False)
    assert done.stdout.split() == [repr(float(first_pass(5.0, 2.0, 1.5, 3.0))), "nan"]
    assert max(map(len, source.splitlines())) <= 120


def test_bound_numbers_are_constants():
    p, q = Normal(0, 1), Normal("mu", "sigma")
    mu, sigma = q.values
    f = load(program(p, q, sp.log(sigma) + (1 + mu**2) / (2 * sigma**2) - sp.Rational(1, 2)))
    assert f.program.arguments == ("mu", "sigma")
    assert f([0.0, 1.0], [1.0, 2.0]).tolist() == [0.0, math.log(2) + 0.25 - 0.5]
    constant = load(program(Exponential(1), Exponential(2), 1 - sp.log(2)))
    assert constant() == pytest.approx(1 - math.log(2))


def test_backend_names():
    with pytest.raises(UnknownNameError, match=r"no backend 'nunpy'; did you mean 'numpy'\?"):
        load(normal(), "nunpy")
