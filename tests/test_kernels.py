"""Every normalising integral in klsym.derive.kernels against quadrature, one row each; a kernel without a row fails."""

import mpmath as mp
import pytest
import sympy as sp

from klsym.core.domain import Interval, circle, half_line, real_line, unit_interval
from klsym.derive import kernels
from klsym.derive.linear import linear
from klsym.derive.normalisers import plain

y = sp.Symbol("y", positive=True)
z = sp.Symbol("z", real=True)
k = sp.Symbol("k", integer=True)
R = sp.Rational
above_one = Interval(sp.S.One, sp.oo)
counts = Interval(sp.S.Zero, sp.oo)
positive_counts = Interval(sp.S.One, sp.oo)

ROWS = [
    (kernels.gauss, z, real_line, R(3, 10) * z - R(7, 10) * z**2),
    (kernels.gen_gamma, y, half_line, R(13, 10) * sp.log(y) - R(6, 10) * y),
    (kernels.gen_gamma, y, half_line, R(3, 10) * sp.log(y) - R(6, 10) * y**2),
    (kernels.gen_gamma, y, half_line, -R(23, 10) * sp.log(y) - R(6, 10) / y),
    (kernels.gen_gamma, y, half_line, R(7, 10) * sp.log(y) - R(6, 10) * y ** R(3, 2)),
    (kernels.gig, y, half_line, -R(3, 10) * sp.log(y) - R(6, 10) * y - R(8, 10) / y),
    (kernels.gig, y, half_line, -R(3, 2) * sp.log(y) - R(6, 10) * y - R(8, 10) / y),
    (kernels.gig, y, half_line, -R(1, 2) * sp.log(y) - R(6, 10) * y - R(8, 10) / y),
    (kernels.gig, y, half_line, R(3, 10) * sp.log(y) - R(6, 10) * y**2 - R(8, 10) / y**2),
    (kernels.beta_prime, y, half_line, R(3, 10) * sp.log(y) - R(36, 10) * sp.log(1 + R(7, 10) * y)),
    (kernels.beta_prime, y, half_line, -R(24, 10) * sp.log(y) - R(16, 10) * sp.log(1 + R(7, 10) / y**2)),
    (kernels.beta_prime, y, half_line, -sp.log(1 + R(7, 10) * y**2)),
    (kernels.beta_prime, y, half_line, -R(2, 10) * sp.log(y) - R(26, 10) * sp.log(1 + R(7, 10) * y**2)),
    (kernels.beta, y, unit_interval, R(3, 10) * sp.log(y) + R(6, 10) * sp.log(1 - y)),
    (kernels.beta, y, unit_interval, R(3, 10) * sp.log(y) + R(6, 10) * sp.log(1 - y ** R(5, 2))),
    (kernels.beta, y, unit_interval, -R(1, 2) * sp.log(y) - R(1, 2) * sp.log(1 - y)),
    (kernels.above_one, y, above_one, R(3, 10) * sp.log(y) - R(6, 10) * y),
    (kernels.above_one, y, above_one, -R(33, 10) * sp.log(y)),
    (kernels.interval_exponential, y, unit_interval, R(13, 10) * y),
    (kernels.von_mises, z, circle, R(13, 10) * sp.cos(z)),
    (kernels.counts, k, counts, -R(4, 10) * k),
    (kernels.counts, k, counts, R(4, 10) * k - sp.loggamma(k + 1)),
    (kernels.counts, k, positive_counts, R(4, 10) * k - sp.loggamma(k + 1)),
    (kernels.counts, k, positive_counts, -R(4, 10) * k - sp.log(k)),
    (kernels.counts, k, positive_counts, -R(31, 10) * sp.log(k)),
    (kernels.counts, k, counts, -R(4, 10) * k + sp.loggamma(k + R(17, 10)) - sp.loggamma(k + 1)),
    (kernels.counts, k, Interval(sp.S.Zero, sp.Integer(7)),
     R(4, 10) * k - sp.loggamma(k + 1) - sp.loggamma(8 - k)),
]  # fmt: skip
IDS = [f"{row[0].__name__}-{i}" for i, row in enumerate(ROWS)]


def end_point(end):
    return mp.mpf(str(end).replace("oo", "inf")) if end.is_infinite else mp.mpmathify(sp.N(end, 30))


def total(exponent, variable, support, upper=None):
    """The integral, or the sum, of exp(exponent) by mpmath."""
    f = sp.lambdify(variable, exponent, "mpmath")
    low, high = (end_point(end) for end in (support.lower, support.upper if upper is None else upper))
    if variable is k:
        if mp.isinf(high):
            method = "e" if exponent.atoms(k, sp.log) == {k, sp.log(k)} and not exponent.is_Add else "d"
            return mp.nsum(lambda i: mp.exp(f(i)), [low, mp.inf], method=method)
        return mp.fsum(mp.exp(f(i)) for i in range(int(low), int(high) + 1))
    if low == 0 and mp.isinf(high):
        return mp.quad(lambda t: mp.exp(f(mp.exp(t)) + t), [-200, -40, -8, -2, 0, 1, 2, 4, 8, 40])
    if low == 0:
        return mp.quad(lambda t: mp.exp(f(high * mp.exp(-t)) - t) * high, [0, 0.01, 0.5, 2, 8, 40, 200])
    if low == 1 and mp.isinf(high):
        return mp.quad(lambda t: mp.exp(f(mp.exp(t)) + t), [0, 1, 2, 4, 8, 40])
    ends = [low, 1, high] if high > 1 else [low, high]
    if mp.isinf(high):
        ends = [-mp.inf, -4, -1, 0, 1, 4, mp.inf]
    return mp.quad(lambda t: mp.exp(f(t)), ends)


@pytest.fixture(autouse=True)
def precision():
    with mp.workdps(25):
        yield


def number(expr):
    return mp.mpmathify(plain(expr).evalf(25))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_normaliser(row):
    build, variable, support, exponent = row
    kernel = build(linear(exponent, variable), variable, support)
    reference = total(exponent, variable, support)
    assert abs(number(kernel.log_z(*kernel.eta)) - mp.log(reference)) < mp.mpf(10) ** -15


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_extensions(row):
    build, variable, support, exponent = row
    kernel = build(linear(exponent, variable), variable, support)
    for feature, log_z, *_ in kernel.extensions:
        reference = total(exponent - R(9, 10) * feature, variable, support)
        assert abs(number(log_z(*kernel.eta, -R(9, 10))) - mp.log(reference)) < mp.mpf(10) ** -14, feature


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_parts(row):
    """What is below a place by quadrature, and what is beyond it as the rest of the whole."""
    build, variable, support, exponent = row
    kernel = build(linear(exponent, variable), variable, support)
    if kernel.parts is None:
        return
    m = sp.Integer(3) if variable is k else R(7, 10) if support.upper == 1 else R(17, 10)
    f = sp.lambdify(variable, exponent, "mpmath")
    if variable is k or support.lower == 0:
        pieces = total(exponent, variable, Interval(support.lower, m), m)
    else:
        pieces = mp.quad(lambda t: mp.exp(f(t)), [max(end_point(support.lower), -9), 0, 1, mp.mpf(17) / 10])
    below, beyond = (part(m, *kernel.eta) for part in kernel.parts)
    if below is not None:
        whole = mp.exp(number(kernel.log_z(*kernel.eta)))
        assert abs(number(below) - pieces) < mp.mpf(10) ** -14
        assert abs(number(beyond) + pieces - whole) < mp.mpf(10) ** -14


def test_every_kernel_has_a_row():
    assert {row[0] for row in ROWS} == {*kernels.KERNELS, kernels.counts}
