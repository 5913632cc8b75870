"""Ends of the domain and of the range: the exact limit where there is one, by every backend."""

import math
import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest

from klsym import (
    Bernoulli,
    Beta,
    Binomial,
    Cauchy,
    Exponential,
    Gamma,
    Geometric,
    Laplace,
    Normal,
    Poisson,
    Weibull,
    kl,
)

inf = math.inf
LEAST = 5e-324  # the least subnormal

CASES = [
    (Bernoulli, (0, 0.5), math.log(2)),
    (Bernoulli, (1, 0.5), math.log(2)),
    (Bernoulli, (0, 0), 0.0),
    (Bernoulli, (1, 1), 0.0),
    (Bernoulli, (0.5, 0), inf),
    (Bernoulli, (0.5, 1), inf),
    (Bernoulli, (1, 0), inf),
    (Bernoulli, (1e-300, 2e-300), float(1e-300 * (1 - mp.log(2)))),
    (Bernoulli, (LEAST, 0.5), math.log(2)),
    (Binomial, (0, 0.2, 0, 0), 0.0),
    (Binomial, (3, 0, 3, 0.5), 3 * math.log(2)),
    (Poisson, (0, 2.5), 2.5),
    (Poisson, (0, 0), 0.0),
    (Poisson, (2.5, 0), inf),
    (Geometric, (1, 0.5), math.log(2)),
    (Geometric, (1, 1), 0.0),
    (Normal, (0, 1e-200, 0, 1e200), float(400 * mp.log(10) - mp.mpf(1) / 2)),
    (Normal, (0, 1e200, 0, 1e-200), inf),
    (Normal, (1e200, 1e200, 0, 1e200), 0.5),
    (Normal, (1e-200, 1e-200, 0, 1e-200), 0.5),
    (Normal, (0, LEAST, 0, LEAST), 0.0),
    (Normal, (LEAST, 1, 0, 1), 0.0),
    (Laplace, (1e-200, 1e-200, 0, 1e-200), math.exp(-1)),
    (Cauchy, (0, 1e-200, 0, 1e-200 * 4), float(mp.log(mp.mpf(25) / 16))),
    (Exponential, (1e-300, 1e300), inf),
    (Exponential, (1e300, 1e-300), float(600 * mp.log(10) - 1)),
    (Gamma, (1, 1e-200, 1, 2e-200), float(1 - mp.log(2))),
    (Beta, (1, 1, 1, 1 + 2**-52), float(mp.mpf(2) ** -105)),
]


@pytest.mark.parametrize("backend", ["numpy", "exact", None])
@pytest.mark.parametrize("family, point, expected", CASES, ids=lambda value: getattr(value, "name", None))
def test_the_exact_limit(family, point, expected, backend):
    got = kl(family, family).compile(backend)(*map(float, point))
    assert got == pytest.approx(expected, rel=4e-16, abs=0)
    assert not math.copysign(1, got) < 0


def test_members_of_two_families_that_meet_are_at_no_distance():
    f = kl(Gamma, Weibull).compile("numpy")
    assert f(1.0, 2.0, 1.0, 0.5) == 0
    above = f(1.0, 2.0, 1.0 + 2**-52, 0.5)
    assert 0 < above < 1e-30


def test_neighbouring_doubles_are_at_a_distance():
    f = kl(Gamma, Gamma).compile("numpy")
    a = np.array([0.1, 1.0, 5.0, 1e6])
    near = f(a, 2.0, np.nextafter(a, 9e9), 2.0)
    assert (near > 0).all() and (near < 1e-24).all() and not f(a, 2.0, a, 2.0).any()


def test_single_precision_is_rounded_once():
    f = kl(Beta, Beta)
    points = [np.float32(x) for x in (50.0, 20.0, 50.001, 20.0)]
    double = f.compile("numpy")(*map(float, points))
    single = f.compile("numpy")(*points)
    assert single.dtype == np.float32 and single == np.float32(double)


def test_the_core_needs_no_extras():
    """numba and python-flint absent: NumPy computes, mpmath decides what cancels."""
    code = (
        "import sys; sys.modules.update(numba=None, llvmlite=None, flint=None, torch=None, jax=None)\n"
        "import klsym; f = klsym.kl(klsym.InverseGamma, klsym.Frechet).compile()\n"
        "print(f.backend, float(f(5.0, 2.0, 1.5, 1 / 3)), float(f(1.0, 2.0, 1.0 + 2**-30, 2.0)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    backend, far, near = ran.stdout.split()
    assert backend == "numpy" and float(far) == pytest.approx(0.191703441825788946, rel=1e-15)
    with mp.workdps(60):
        k = 1 + mp.mpf(2) ** -30
        # Gamma(1, 2) is Weibull(1, 1/2): log(1/k) + (k - 1) gamma + Gamma(1 + k) - 1
        exact = -mp.log(k) + (k - 1) * mp.euler + mp.gamma(1 + k) - 1
    assert float(near) == pytest.approx(float(exact), rel=1e-15)


def test_a_long_wait_is_announced():
    code = (
        "import sys; sys.modules.update(numba=None, llvmlite=None, flint=None)\n"
        "import warnings, numpy as np, klsym, klsym.backends.function as c; c.PATIENCE = 3\n"
        "f = klsym.kl(klsym.InverseGamma, klsym.Frechet).compile()\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always'); f(1.0, 2.0, 1.0 + 2.0 ** -np.arange(20, 30), 2.0)\n"
        "print(*(w.category.__name__ for w in caught))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["SlowWarning"]
