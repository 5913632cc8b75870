"""K_nu(z) and its derivatives by nu in balls: at large orders by a sum with a proven remainder, else by Arb's own."""

from __future__ import annotations

import math
from typing import Any

from ..core.ball import flint

Ball = Any

LARGE = 0.5  # from this order on K_{nu - 1} <= K_nu


def log_kve(nu: Ball, z: Ball) -> Ball:
    """log(e^z K_nu(z))"""
    return _moments(abs(nu), z)[0] if _is_large(nu, z) else z.bessel_k(nu, scaled=True).log()


def bessel_k_order(nu: Ball, z: Ball) -> Ball:
    """d/dnu log K_nu(z): the mean of t, odd in nu."""
    if nu.is_zero():
        return nu
    mean = _moments(abs(nu), z)[1]
    return mean if nu > 0 else -mean


def bessel_k_order_slope(nu: Ball, z: Ball) -> Ball:
    """d^2/dnu^2 log K_nu(z)"""
    return _moments(abs(nu), z)[2]


def _is_large(nu: Ball, z: Ball) -> bool:
    return bool(abs(nu) > LARGE and z > 0 and min(nu.rel_accuracy_bits(), z.rel_accuracy_bits()) > 60)


def _moments(nu: Ball, z: Ball) -> tuple[Ball, Ball, Ball]:
    """log(e^z K_nu(z)), and mean and variance of t under exp(g(t)), g = nu t - z cosh t, whose integral is 2 K_nu(z).

    On the line Im t = y the size of exp(g) has the integral 2 K_nu(z cos y), at most A times that on the real line with
    log A = z (1 - cos y) - nu log(cos y), because -K'/K = K_{nu - 1}/K_nu + nu/z <= 1 + nu/z (DLMF 10.29.2, 10.37.1)
    for nu > 1/2; below that Arb has both, and K_{nu + 1}/K_nu. Both powers of t, and 1, are at most
    1 + 2 y^2 + 4 cosh(Re t) there, whose mean is at most B = 1 + 2 y^2 + 4 (1 + 2 nu/(z cos y)). A trapezoidal sum of
    step h leaves 2 A B/(exp(2 pi y/h) - 1) of the integral (Trefethen and Weideman, SIAM Review 56, 2014, theorem 5.1).
    g is concave: its tangents bound what is cut off.
    """
    arb, bits = flint().arb, flint().ctx.prec
    size, order = float(nu) + float(z), float(nu)
    start = math.asinh(order / float(z))
    needed = bits * math.log(2) + math.log(16 * (1 + size / float(z)))
    y = arb(min(1.0, math.sqrt(2 * needed / size)))
    a = z * y.cos()
    if nu > LARGE:
        log_a, mean_cosh = z - a - nu * y.cos().log(), 1 + 2 * nu / a
    else:
        inner = a.bessel_k(nu, scaled=True)
        log_a = (inner / z.bessel_k(nu, scaled=True)).log() + z - a
        mean_cosh = a.bessel_k(nu + 1, scaled=True) / inner
    h = arb(2 * math.pi * float(y) / (needed + float(log_a)))
    b = 1 + 2 * y**2 + 4 * mean_cosh
    share = 2 * log_a.exp() * b / ((2 * arb.pi() * y / h).exp() - 1)
    t0, ratio = arb(start), h.exp()
    top, peak = t0.exp(), z * t0.cosh()
    sums, cut, enough = [arb(0)] * 3, arb(0), arb(2) ** -bits
    for sign, step in ((1, ratio), (-1, 1 / ratio)):
        growth, k = (top if sign > 0 else top * step), (0 if sign > 0 else 1)
        while True:
            t, cosh = t0 + sign * k * h, (growth + 1 / growth) / 2
            term = (nu * (sign * k * h) - (z * cosh - peak)).exp()
            sums = [sums[0] + term, sums[1] + term * t, sums[2] + term * t * t]
            growth, k = growth * step, k + 1
            fall = sign * (z * (growth / step - step / growth) / 2 - nu) - 1
            if k % 4 == 0 and fall > 0:
                rest = (1 + 4 * cosh) * term / fall
                if rest < enough * sums[0] * h:
                    cut += rest
                    break
            if k > 100_000:
                raise ArithmeticError("the sum is too long")
    whole = h * sums[0]
    error = arb(0, (cut + share * (whole + cut) / (1 - share)).abs_upper())
    norm, first, second = (h * total + error for total in sums)
    mean = first / norm
    return (norm / 2).log() + nu * t0 - peak + z, mean, second / norm - mean * mean
