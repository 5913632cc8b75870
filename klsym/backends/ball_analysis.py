"""Balls of derivatives that Arb lacks: a difference, and a proven bound of what it leaves out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.ball import flint

Ball = Any

# So many terms of a series take about half a second.
SERIES = 200_000


def central_difference(f: Callable[[Ball], Ball], x: Ball, radius: Ball | int, bound: Ball) -> Ball:
    """f'(x) by a central difference, for a function with |f| <= bound on the disc of that radius about x.

    By Cauchy's estimates, |f^(k)(x)/k!| <= bound/radius^k, what is left out at a step of radius t is at most
    bound t^2/(radius (1 - t^2)).
    """
    arb, ctx = flint().arb, flint().ctx
    bits = ctx.prec
    try:
        ctx.prec = 2 * bits + 32  # the difference costs the bits of t, and so does an order this near an integer
        t = arb(2) ** -(bits // 2 + 8)
        step = radius * t
        error = (bound * t**2 / (radius * (1 - t**2))).abs_upper()
        return (f(x + step) - f(x - step)) / (2 * step) + arb(0, error)
    finally:
        ctx.prec = bits


def gamma_log_moment(a: Ball, x: Ball) -> Ball:
    """-a^2 f'(a), where f(a) = int_0^1 t^(a - 1) exp(-x t) dt = M(a, a + 1, -x)/a (DLMF 13.4.1).

    On the disc of radius a/2 about a, |f| <= f(a/2).
    """

    def f(y: Ball) -> Ball:
        return (-x).hypgeom_1f1(y, y + 1) / y

    return -(a**2) * central_difference(f, a, a / 2, f(a / 2))


def hyp2f1(a: Ball, b: Ball, c: Ball, z: Ball) -> Ball:
    """2F1(a, b; c; z), by its power series where Arb's transformation to 1 - z finds c - a - b too near an integer.

    Where a, b and c are positive and 0 < z < 1, the quotient of two terms is at most that of the factors
    1 + (a - 1)/(k + 1) and 1 + (b - c)/(k + c), taken as 1 where they are less, times z; they fall with k
    (DLMF 15.2.1).
    """
    value = z.hypgeom_2f1(a, b, c)
    if value.is_finite() or not (a > 0 and b > 0 and c > 0 and 0 < z < 1):
        return value
    arb, bits = flint().arb, flint().ctx.prec
    total = term = arb(1)
    for k in range(SERIES):
        term = term * (a + k) * (b + k) / ((c + k) * (1 + k)) * z
        total += term
        if k % 16 == 15:
            factors = (1 + (u / v).max(0) for u, v in ((a - 1, arb(k + 2)), (b - c, c + k + 1)))
            quotient = math.prod(factors, start=z)
            if quotient < 1 and (rest := term * quotient / (1 - quotient)) < total * arb(2) ** -bits:
                return total + rest.union(arb(0))
    return value
