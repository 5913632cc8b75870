"""Balls of derivatives that Arb lacks: a difference, and a proven bound of what it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.ball import flint

Ball = Any


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
