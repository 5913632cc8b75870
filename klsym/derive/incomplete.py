"""Incomplete normalising integrals and sums, each from both ends: what is below a place, and what is beyond it.

Each is a function of the place and the natural parameters; None where no closed form is known.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from sympy import erfc, exp, pi, sqrt
from sympy import gamma as gamma_function

from ..core.functions import LogSinhc

Incomplete = Callable[..., sp.Expr | None]
Both = tuple[Incomplete, Incomplete]

HALF = sp.Rational(1, 2)


def gauss() -> Both:
    """int exp(e0 y + e1 y^2) dy (DLMF 7.2.2)"""

    def part(sign: int) -> Incomplete:
        return lambda m, e0, e1: (
            sqrt(pi / -e1) / 2 * exp(-(e0**2) / (4 * e1)) * erfc(-sign * sqrt(-e1) * (m + e0 / (2 * e1)))
        )

    return part(1), part(-1)


def gamma(c: sp.Expr) -> Both:
    """int y^e0 exp(e1 y^c) dy (DLMF 8.2.1, 8.2.2)"""
    size = -c if c.is_negative else c

    def part(function: type[sp.Function]) -> Incomplete:
        return lambda m, e0, e1: function((e0 + 1) / c, -e1 * m**c) / (size * (-e1) ** ((e0 + 1) / c))

    if c.is_negative:
        return part(sp.uppergamma), part(sp.lowergamma)

    def below(m: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
        """Also for a power of e that rises, or does not change (DLMF 8.5.1)"""
        if c != 1 or (-e1).is_positive:
            return part(sp.lowergamma)(m, e0, e1)
        if e0 == 0:
            return m * exp(e1 * m / 2 + LogSinhc(e1 * m / 2))
        return m ** (e0 + 1) / (e0 + 1) * sp.hyper([e0 + 1], [e0 + 2], e1 * m)

    return below, part(sp.uppergamma)


def inverse_gauss(c: sp.Expr) -> Both:
    """int y^e0 exp(e1 y^c + e2 y^-c) dy where (e0 + 1)/c is 1/2 or -1/2 (Jorgensen 1982, 2.2; DLMF 7.7.6)"""

    def part(sign: int) -> Incomplete:
        def integral(m: sp.Expr, e0: sp.Expr, e1: sp.Expr, e2: sp.Expr) -> sp.Expr | None:
            order, a, b = (e0 + 1) / c, sqrt(-e1), sqrt(-e2)
            if order not in (HALF, -HALF):
                return None
            u, v = a * m ** (c / 2), b * m ** (-c / 2)
            falling, rising = exp(-2 * a * b) * erfc(sign * (v - u)), exp(2 * a * b) * erfc(v + u)
            inside = (falling - sign * rising) / a if order == HALF else (falling + sign * rising) / b
            return sqrt(pi) / (2 * c) * inside

        return integral

    return part(1), part(-1)


def beta_prime(c: sp.Expr, d: sp.Expr) -> Both:
    """int y^e0 (1 + d y^c)^e1 dy (DLMF 8.17.1 after x = d y^c/(1 + d y^c))"""
    size = -c if c.is_negative else c

    def part(below: bool) -> Incomplete:
        def integral(m: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
            u, v, power = (e0 + 1) / c, -e1 - (e0 + 1) / c, d * m**c
            if u == v == HALF:
                return 2 * sp.atan(sqrt(power if below else 1 / power)) / (size * d**u)
            ends = (power / (1 + power), 1 / (1 + power))
            return (_beta(u, v, *ends) if below else _beta(v, u, *ends[::-1])) / (size * d**u)

        return integral

    return part(not c.is_negative), part(bool(c.is_negative))


def beta(c: sp.Expr) -> Both:
    """int y^e0 (1 - y^c)^e1 dy (DLMF 8.17.1)"""

    def part(below: bool) -> Incomplete:
        def integral(m: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
            u, v = (e0 + 1) / c, e1 + 1
            return (_beta(u, v, m**c, 1 - m**c) if below else _beta(v, u, 1 - m**c, m**c)) / c

        return integral

    return part(True), part(False)


def _beta(a: sp.Expr, b: sp.Expr, x: sp.Expr, rest: sp.Expr) -> sp.Expr:
    """B_x(a, b), where rest = 1 - x (DLMF 8.17.1; 8.17.7 for a or b = 1)"""
    if b == 1:
        return x**a / a
    if a == 1:
        return (1 - rest**b) / b
    return 2 * sp.asin(sqrt(x)) if a == b == HALF else sp.betainc(a, b, 0, x)


def _regular_beta(a: sp.Expr, b: sp.Expr, x: sp.Expr) -> sp.Expr:
    """I_x(a, b) (DLMF 8.17.2)"""
    return sp.betainc(a, b, 0, x) * gamma_function(sp.expand(a + b)) / (gamma_function(a) * gamma_function(b))


def upper_gamma() -> Both:
    """int y^e0 exp(e1 y) dy from y = 1 (DLMF 8.2.2)"""

    def beyond(m: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
        return sp.uppergamma(e0 + 1, -e1 * m) / (-e1) ** (e0 + 1)

    return lambda m, e0, e1: beyond(sp.S.One, e0, e1) - beyond(m, e0, e1), beyond


def power_tail() -> Both:
    """int y^e0 dy from y = 1 (DLMF 4.10.2)"""
    return lambda m, e0: (m ** (e0 + 1) - 1) / (e0 + 1), lambda m, e0: -(m ** (e0 + 1)) / (e0 + 1)


def interval_exponential() -> Both:
    """int exp(e0 y) dy from y = 0 and to y = 1 (DLMF 4.10.18)"""

    def over(length: sp.Expr, e0: sp.Expr) -> sp.Expr:
        return length * exp(e0 * length / 2 + LogSinhc(e0 * length / 2))

    return over, lambda m, e0: exp(e0) * over(1 - m, -e0)


def geometric() -> Both:
    """sum exp(e0 k) from k = 0"""

    def beyond(m: sp.Expr, e0: sp.Expr) -> sp.Expr:
        return exp(e0 * (sp.floor(m) + 1)) / (1 - exp(e0))

    return lambda m, e0: (1 - exp(e0 * (sp.floor(m) + 1))) / (1 - exp(e0)), beyond


def poisson(lower: sp.Expr) -> Both:
    """sum exp(e0 k)/k! from k = 0 or 1 (DLMF 8.4.10)"""

    def part(function: type[sp.Function]) -> Incomplete:
        return lambda m, e0: exp(exp(e0)) * function(sp.floor(m) + 1, exp(e0)) / gamma_function(sp.floor(m) + 1)

    below = part(sp.uppergamma)
    return lambda m, e0: below(m, e0) - lower, part(sp.lowergamma)


def negative_binomial(r: sp.Expr) -> Both:
    """sum Gamma(k + r) exp(e0 k)/k! from k = 0 (DLMF 8.17.24)"""

    def scale(e0: sp.Expr) -> sp.Expr:
        return gamma_function(r) / (1 - exp(e0)) ** r

    return (
        lambda m, e0: scale(e0) * _regular_beta(r, sp.floor(m) + 1, 1 - exp(e0)),
        lambda m, e0: scale(e0) * _regular_beta(sp.floor(m) + 1, r, exp(e0)),
    )


def binomial(n: sp.Expr) -> Both:
    """sum exp(e0 k)/(k! (n - k)!) from k = 0 to n (DLMF 8.17.5)"""

    def scale(e0: sp.Expr) -> sp.Expr:
        return (1 + exp(e0)) ** n / gamma_function(n + 1)

    return (
        lambda m, e0: scale(e0) * _regular_beta(n - sp.floor(m), sp.floor(m) + 1, 1 / (1 + exp(e0))),
        lambda m, e0: scale(e0) * _regular_beta(sp.floor(m) + 1, n - sp.floor(m), exp(e0) / (1 + exp(e0))),
    )


def zeta() -> Both:
    """sum k^e0 from k = 1 (DLMF 25.11.1)"""
    return lambda m, e0: sp.zeta(-e0) - sp.zeta(-e0, sp.floor(m) + 1), lambda m, e0: sp.zeta(-e0, sp.floor(m) + 1)
