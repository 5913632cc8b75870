"""E[log(m/Y); Y < m] of the laws of kernels, of the place and the natural parameters; None where it is not known.

It is the integral of F(u)/u below m, F the distribution function: DLMF 8.5.1, 6.2.3, 8.17.7 and 15.6.1.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from sympy import EulerGamma, digamma, exp, expint, log

Shortfall = Callable[..., sp.Expr | None]


def gamma(c: sp.Expr) -> Shortfall | None:
    """For v = -e1 m^c and the gamma law W of shape a, (log v - log W)+, or (log W - log v)+ where c < 0"""
    if not (c.is_positive or c.is_negative):
        return None

    def shortfall(m: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
        a, v = (e0 + 1) / c, -e1 * m**c
        if a == 1:
            return (expint(1, v) + (log(v) + EulerGamma if c.is_positive else 0)) / abs(c)
        below = v**a / (a**2 * sp.gamma(a)) * sp.hyper([a, a], [a + 1, a + 1], -v)
        return (below if c.is_positive else below + digamma(a) - log(v)) / abs(c)

    return shortfall


def beta_prime(c: sp.Expr, d: sp.Expr) -> Shortfall | None:
    """For t = d m^c and the law V of d Y^c, where its distribution function is (V/(1+V))^u or 1 - (1+V)^-w"""

    def shortfall(m: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> sp.Expr | None:
        u, w, t = (e0 + 1) / c, -e1 - (e0 + 1) / c, d * m**c
        if w == 1:
            return log(1 + t) / c if u == 1 else _lerch(u, t / (1 + t)) / c
        return (log(t) + EulerGamma + digamma(w) + _lerch(w, 1 / (1 + t))) / c if u == 1 else None

    return shortfall if c.is_positive else None


def beta(c: sp.Expr) -> Shortfall:
    """For t = m^c and the law V of Y^c, where its distribution function is V^u or 1 - (1-V)^b"""

    def shortfall(m: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> sp.Expr | None:
        u, b, t = (e0 + 1) / c, e1 + 1, m**c
        if b == 1:
            return t**u / (u * c)
        return (log(t) + EulerGamma + digamma(b + 1) + _lerch(b + 1, 1 - t)) / c if u == 1 else None

    return shortfall


def truncated_exponential(m: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> sp.Expr | None:
    """For the exponential law beyond 1"""
    return log(m) - exp(-e1) * (expint(1, -e1) - expint(1, -e1 * m)) if e0 == 0 else None


def _lerch(a: sp.Expr, x: sp.Expr) -> sp.Expr:
    """int_0^x r^(a-1)/(1-r) dr (DLMF 8.17.7)"""
    return -log(1 - x) if a == 1 else x**a / a * sp.hyper([1, a], [a + 1], x)
