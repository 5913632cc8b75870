"""Logarithms of normalisers whose order derivatives SymPy leaves undone; `plain` puts them back."""

from __future__ import annotations

import sympy as sp

from ..core.functions import BesselKOrder, ZetaDerivative


class LogBesselK(sp.Function):
    """log K_nu(z); its derivative in nu is BesselKOrder (DLMF 10.38)."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        nu, z = self.args
        if argindex == 1:
            return BesselKOrder(nu, z)
        return -sp.besselk(nu + 1, z) / sp.besselk(nu, z) + nu / z


class LogZeta(sp.Function):
    """log zeta(s)"""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        (s,) = self.args
        return ZetaDerivative(1, s) / sp.zeta(s)


class LogUpperGamma(sp.Function):
    """log Gamma(s, z); its derivative in s is UpperGammaOrder / Gamma(s, z)."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        s, z = self.args
        if argindex == 1:
            return UpperGammaOrder(s, z) / sp.uppergamma(s, z)
        return -sp.exp(-z) * z ** (s - 1) / sp.uppergamma(s, z)


class UpperGammaOrder(sp.Function):
    """d/ds Gamma(s, z), known at s = 1, 2, ...: Gamma(s+1, z) = s Gamma(s, z) + z^s e^-z (DLMF 8.8.2)."""

    nargs = 2

    @classmethod
    def eval(cls, s: sp.Expr, z: sp.Expr) -> sp.Expr | None:
        if not (s.is_Integer and 1 <= s <= 6):
            return None
        if s == 1:
            return sp.exp(-z) * sp.log(z) + sp.expint(1, z)
        return (s - 1) * cls(s - 1, z) + sp.uppergamma(s - 1, z) + z ** (s - 1) * sp.exp(-z) * sp.log(z)


def plain(expr: sp.Expr) -> sp.Expr:
    """The expression in the functions a user knows, Bessel functions of half-integer order elementary."""
    if expr.has(LogBesselK, LogZeta, LogUpperGamma):
        expr = expr.replace(LogBesselK, lambda nu, z: sp.log(sp.besselk(nu, z)))
        expr = expr.replace(LogZeta, lambda s: sp.log(sp.zeta(s)))
        expr = expr.replace(LogUpperGamma, lambda s, z: sp.log(sp.uppergamma(s, z)))
    if expr.has(sp.besselk):
        expr = expr.replace(sp.besselk, _half_integer)
    return expr


def _half_integer(nu: sp.Expr, z: sp.Expr) -> sp.Expr:
    """K_{n+1/2}(z) = sqrt(pi/(2z)) e^-z sum_k (n+k)!/(k!(n-k)!) (2z)^-k (DLMF 10.49.12)."""
    order = (nu if nu.could_extract_minus_sign() is False else -nu) - sp.Rational(1, 2)
    if not (order.is_Integer and 0 <= order <= 6):
        return sp.besselk(nu, z)
    n = int(order)
    series = sp.Add(*(sp.factorial(n + k) / sp.factorial(k) / sp.factorial(n - k) / (2 * z) ** k for k in range(n + 1)))
    return sp.sqrt(sp.pi / (2 * z)) * sp.exp(-z) * series
