"""What each entry of two probability vectors adds to a divergence, with its digits where the two are nearly equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# (atanh(x) - x)/x**3 = 1/3 + x**2/5 + x**4/7 + ...: what is left out is below 2**-55 of it for |x| <= NEAR.
NEAR = 0.4
ATANH = tuple(1 / (2 * k + 3) for k in range(20))


def remainder(p: Floats, q: Floats) -> Floats:
    """p log(p/q) - p + q, elementwise and to a few units in the last place, for p, q >= 0: +oo where q = 0 < p.

    >>> float(remainder(np.float64(0.5), np.float64(0.5 + 1e-9))) / 1e-18
    0.99999...
    """
    return _departure(p, q, q - p)


def _departure(p: Floats, q: Floats, d: Floats) -> Floats:
    """p log(p/q) + d, where d = q - p is known better than from p and q.

    With x = d/(p + q) it is d x (1 - x(1 - x) A(x**2)), where atanh(x) = x + x**3 A(x**2) (DLMF 4.38.1).
    """
    with np.errstate(all="ignore"):
        x = d / (p + q)
        square = x * x
        series = np.full_like(square, ATANH[-1])
        for coefficient in ATANH[-2::-1]:
            series *= square
            series += coefficient
        near = d * x * (1 - x * (1 - x) * series)
        ratio = p / q
        log = np.where(np.isinf(ratio), np.log(p) - np.log(q), np.log(ratio))
        far = p * log + d
    return np.where(d == 0, 0.0, np.where(p == 0, q, np.where(np.abs(x) <= NEAR, near, far)))


def jensen(p: Floats, q: Floats, weight: float) -> Floats:
    """The mean of p log(p/m) - p + m and q log(q/m) - q + m by the weights, m = weight p + (1 - weight) q.

    >>> float(jensen(np.float64(0.5), np.float64(0.5 + 1e-9), 0.5)) / 1e-18
    0.24999...
    """
    other, gap = 1 - weight, q - p
    mean = weight * p + other * q
    return weight * _departure(p, mean, other * gap) + other * _departure(q, mean, -weight * gap)


def shortfall(p: Floats, q: Floats, alpha: float | Floats) -> Floats:
    """alpha p + (1 - alpha) q - p^alpha q^(1 - alpha), elementwise: 1 - c(alpha) is its sum, where p and q sum to 1.

    It is nonnegative for alpha < 1, by the means, and at most 0 for alpha > 1, -oo where q = 0 < p. With x = log(p/q)
    it is q (alpha e(x) - e(alpha x)), e(x) = exp(x) - 1 - x. (Cichocki and Amari, Entropy 12, 2010, equation 9.)

    >>> float(shortfall(np.float64(0.5), np.float64(0.5 + 1e-9), 0.5)) / 1e-18
    0.249999...
    """
    with np.errstate(all="ignore"):
        x = np.log1p((p - q) / q)
        near = q * (alpha * _excess(x) - _excess(alpha * x))
        product = np.exp(alpha * np.log(p) + (1 - alpha) * np.log(q))
        far = alpha * p + (1 - alpha) * q - np.where(p == 0, 0.0, product)
    return np.where(p == q, 0.0, np.where(np.abs(x) <= 2, near, far))


def greatest_shortfall(p: Floats, q: Floats) -> Floats:
    """The greatest sum of `shortfall` over 0 < alpha < 1, where the sum of p^alpha q^(1 - alpha) log(p/q) is 0."""
    p, q = np.broadcast_arrays(p, q)
    both = (p > 0) & (q > 0)
    with np.errstate(all="ignore"):
        x = np.where(both, np.log1p((p - q) / q), 0.0)
        low, high = (np.full((*p.shape[:-1], 1), end) for end in (0.0, 1.0))
        for _ in range(60):
            alpha = (low + high) / 2
            rises = np.where(both, q * np.exp(alpha * x) * x, 0.0).sum(axis=-1, keepdims=True) < 0
            low, high = np.where(rises, alpha, low), np.where(rises, high, alpha)
        return shortfall(p, q, (low + high) / 2).sum(axis=-1, keepdims=True)


def _excess(x: Floats) -> Floats:
    """exp(x) - 1 - x, by its series where |x| <= 1: what is left out is below 2**-58 of it."""
    total = np.zeros_like(x)
    for k in range(20, 1, -1):
        total = (total + 1) * x / k
    return np.where(np.abs(x) <= 1, total * x, np.expm1(x) - x)


def squares(p: Floats, q: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return np.where(p == q, 0.0, (p - q) ** 2 / q)


def surprise(p: Floats, q: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return np.where((p == 0) & ~np.isnan(q), 0.0, -p * np.log(q))


def power(p: Floats, q: Floats, alpha: float) -> Floats:
    """p^alpha q^(1 - alpha) - alpha p - (1 - alpha) q, elementwise; for 1 and 0, p log(p/q) - p + q and its mirror."""
    if alpha in (0, 1):
        return remainder(p, q) if alpha else remainder(q, p)
    return -shortfall(p, q, alpha) if alpha > 0 else -shortfall(q, p, 1 - alpha)
