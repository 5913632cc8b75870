"""Balls of functions that Arb lacks: a sum or a difference, and a proven bound of what it leaves out."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

Ball = Any

_NODES = 12_000  # of a trapezoidal sum: about a second


@cache
def flint() -> Any:
    """python-flint, which is optional: imported when it is first needed."""
    return import_module("flint")


def _slope(f: Callable[[Ball], Ball], x: Ball, radius: Ball | int, bound: Ball) -> Ball:
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


def bessel_k_order(nu: Ball, z: Ball) -> Ball:
    """d/dnu log K_nu(z): on the unit disc about nu, |K| <= K_{|nu| + 1}(z) by DLMF 10.32.9."""
    if nu.is_zero():
        return nu
    norm = z.bessel_k(nu, scaled=True)
    return _slope(lambda x: z.bessel_k(x, scaled=True), nu, 1, z.bessel_k(abs(nu) + 1, scaled=True)) / norm


def gamma_log_moment(a: Ball, x: Ball) -> Ball:
    """-a^2 f'(a), where f(a) = int_0^1 t^(a - 1) exp(-x t) dt = M(a, a + 1, -x)/a (DLMF 13.4.1).

    On the disc of radius a/2 about a, |f| <= f(a/2).
    """

    def f(y: Ball) -> Ball:
        return (-x).hypgeom_1f1(y, y + 1) / y

    return -(a**2) * _slope(f, a, a / 2, f(a / 2))


def log1p_mellin(c: Ball, *triples: Ball) -> Ball:
    """E log(1 + c Y) by the trapezoidal rule on a line Re s = sigma of core.functions.Log1pMellin's integral.

    The line goes left of 0, where the residue log c + E log Y comes out, if that is the larger part. m(s) = E[(c Y)^s]
    is at most m(Re s), which is log-convex, and |sin(pi (x + iy))| >= |sin(pi x)| cosh(pi y). So on the lines from
    sigma - a to sigma + a the integral of |m(s)/(s sin(pi s))| is at most what m(x)/(x sin(pi x)) is at one of the
    ends, M, and a step of h leaves M/(exp(2 pi a/h) - 1) (Trefethen and Weideman, SIAM Review 56, 2014, theorem 5.1).
    From s on, 1/|s sin(pi s)| falls as 2 exp(-pi Im s) at least, and m does where every e is 1 (DLMF 5.8.3).
    """
    acb, arb, ctx = flint().acb, flint().arb, flint().ctx
    if c.is_zero():
        return c
    rows = list(zip(triples[0::3], triples[1::3], triples[2::3], strict=True))
    numerators = [(first, alpha) for first, alpha, e in rows if e > 0]
    log_c, bits, falling = c.log(), ctx.prec, len(numerators) == len(rows)
    residue = log_c + sum(e * alpha * first.digamma() for first, alpha, e in rows)
    way = -1 if residue > 0 else 1
    poles = (-way * float(first / alpha) for first, alpha in numerators)
    sigma = way * arb(min([1.0, *(pole for pole in poles if pole > 0)])) / 2
    a = 0.9 * abs(sigma)
    h = arb(float(9 * a) / (bits + 8))  # 2 pi/log 2 = 9.06
    decay = 4 + (2 * sum(abs(float(alpha)) for _, alpha, _ in rows) if falling else 0)  # DLMF 5.11.9; pi/log 2 = 4.53
    count = bits / (decay * float(h)) + 100
    if count > _NODES or not all(first > 0 and first + alpha * (sigma + way * a) > 0 for first, alpha in numerators):
        raise ArithmeticError("no strip is known to be free of poles, or it is too narrow")
    scale = math.prod((first.rgamma() if e > 0 else first.gamma() for first, _, e in rows), start=arb(1))

    def moment(s: Ball) -> Ball:
        product = (s * log_c).exp() * scale
        for first, alpha, e in rows:
            y = first + alpha * s
            product *= y.gamma() if e > 0 else y.rgamma()
        return product

    def bound(x: Ball) -> Ball:
        return moment(x) / (x * x.sin_pi())

    error = bound(sigma - a).max(bound(sigma + a)) / ((2 * arb.pi() * a / h).exp() - 1)
    top, rest = moment(sigma), arb.pos_inf()
    total = (residue if way < 0 else 0) + h * bound(sigma) / 2
    for k in range(1, math.ceil(count)):
        s = acb(sigma, k * h)
        m, divisor = moment(s), s * s.sin_pi()
        total += h * (m / divisor).real
        rest = (m.abs_upper() if falling else top) / divisor.abs_lower()
        if rest * 2**bits < total:
            break
    return total + arb(0, (error + 2 * rest / arb.pi()).abs_upper())
