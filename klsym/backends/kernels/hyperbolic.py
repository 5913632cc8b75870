"""Functions of hyperbolic ones whose terms cancel at 0: log(sinh(u)/u) and its derivatives."""

# pyright: basic, reportMissingParameterType=false

from .elementary import exp, expm1, log, log1p
from .machine import absolute, select

FACTORS = (420.0, 342.0, 272.0, 210.0, 156.0, 110.0, 72.0, 42.0, 20.0, 6.0)  # 2 k (2 k + 1), k = 10, ..., 1
ODD = (25.0, 23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0)
LEAST = 1e-150  # whose square is a normal number


def log_sinhc(u):
    """log(sinh(u)/u): below 1 by the Maclaurin series of sinh(u)/u - 1."""
    size = absolute(u)
    near = size < 1.0
    square = select(near, u * u, 1.0)
    series = 0.0
    for c in FACTORS:
        series = square / c * (1.0 + series)
    return select(near, log1p(series), size + log(-expm1(-2.0 * size) / (2.0 * size)))


def langevin(u):
    """coth(u) - 1/u: below 2 by the continued fraction u/(3 + u^2/(5 + u^2/(7 + ...))) (DLMF 4.39.1)."""
    size = absolute(u)
    near = size < 2.0
    square = select(near, u * u, 4.0)
    fraction = ODD[0]
    for c in ODD[1:]:
        fraction = c + square / fraction
    far = (1.0 - 1.0 / size) + 2.0 / expm1(2.0 * size)
    return select(near, u / fraction, select(u < 0.0, -far, far))


def langevin_prime(u):
    """1/u^2 - 1/sinh(u)^2: below 2 as 1 - L^2 - 2 L/u, L the Langevin function."""
    size = select(absolute(u) < LEAST, LEAST, absolute(u))
    near = langevin(size)
    fall = expm1(-2.0 * size)
    far = (1.0 / size) * (1.0 / size) - 4.0 * exp(-2.0 * size) / (fall * fall)
    return select(size < 2.0, 1.0 - near * near - 2.0 * near / size, far)
