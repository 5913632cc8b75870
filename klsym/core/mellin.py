"""Log1pMellin, the expectation of log(1 + c Y) by a Mellin-Barnes integral, and its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.core.function import ArgumentIndexError

from .functions import SpecialFunction, trapezoid


class Log1pMellin(SpecialFunction):
    """E log(1 + c Y) for c > 0, where E[Y^s] = prod_i (Gamma(a_i + alpha_i s)/Gamma(a_i))^e_i.

    The arguments after c come in threes: a_i > 0, alpha_i real and not 0, e_i = 1 or -1. It is a Fox
    H-function (Mathai, Saxena and Haubold, The H-Function, 2010), Meijer's G when every alpha_i is rational:

        Log1pMellin = 1/(2 pi i) int_{sigma - i oo}^{sigma + i oo} pi/(s sin(pi s)) c^s E[Y^s] ds

    on a line 0 < sigma < 1 on which every a_i + alpha_i sigma with e_i = 1 is positive. With Y exponential
    it is exp(1/c) E_1(1/c):

    >>> Log1pMellin(2, 1, 1, 1).n(), (sp.exp(sp.S.Half) * sp.expint(1, sp.S.Half)).n()
    (0.922910632483731, 0.922910632483731)
    """

    symbol = r"\operatorname{H}_{\log(1+x)}"

    @classmethod
    def eval(cls, c: sp.Expr, *triples: sp.Expr) -> sp.Expr | None:
        if len(triples) % 3:
            raise TypeError(f"Log1pMellin takes c and triples (a, alpha, e); {len(triples)} arguments follow c")
        if c.is_zero:
            return sp.S.Zero
        return sp.log(1 + c) if not triples else None

    @property
    def triples(self) -> tuple[tuple[sp.Expr, sp.Expr, sp.Expr], ...]:
        rest = self.args[1:]
        return tuple(zip(rest[0::3], rest[1::3], rest[2::3], strict=True))

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        if argindex % 3 == 1 and argindex > 1:
            raise ArgumentIndexError(self, argindex)
        return Log1pMellinSlope(argindex - 1, *self.args)

    @staticmethod
    def compute(c: Any, *rest: Any) -> Any:
        return _line(c, rest, lambda s: 1)


class Log1pMellinSlope(SpecialFunction):
    """The derivative of Log1pMellin by its argument n, counted from 0, at the arguments that follow n.

    The integrand gets the factor s/c for n = 0, e_i (psi(a_i + alpha_i s) - psi(a_i)) for a_i, and
    e_i s psi(a_i + alpha_i s) for alpha_i. With Y exponential the derivative by c is (1 - exp(1/c) E_1(1/c)/c)/c:

    >>> Log1pMellinSlope(0, 2, 1, 1, 1).n(), ((1 - sp.exp(sp.S.Half) * sp.expint(1, sp.S.Half) / 2) / 2).n()
    (0.269272341879067, 0.269272341879067)
    >>> c = sp.Symbol("c", positive=True); Log1pMellin(c, 1, 1, 1).diff(c)
    Log1pMellinSlope(0, c, 1, 1, 1)
    """

    symbol = r"\partial\operatorname{H}_{\log(1+x)}"

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        raise ArgumentIndexError(self, argindex)

    @staticmethod
    def compute(n: Any, c: Any, *rest: Any) -> Any:
        n = int(n)
        if n == 0:
            return _line(c, rest, lambda s: s / c)
        a, alpha, e = rest[3 * ((n - 1) // 3) :][:3]
        if n % 3 == 1:
            return _line(c, rest, lambda s: e * (mp.digamma(a + alpha * s) - mp.digamma(a)))
        return _line(c, rest, lambda s: e * s * mp.digamma(a + alpha * s))


def _line(c: Any, rest: Any, weight: Callable[[Any], Any]) -> Any:
    """The integral with a factor; with t = sigma sinh(w) along the line the poles at distance sigma stay at pi/2."""
    triples = list(zip(rest[0::3], rest[1::3], rest[2::3], strict=True))
    sigma = min([mp.mpf(1)] + [-a / alpha for a, alpha, e in triples if e > 0 and alpha < 0]) / 2

    def line(w: Any) -> tuple[Any]:
        s = mp.mpc(sigma, sigma * mp.sinh(w))
        moment = mp.exp(sum(e * (mp.loggamma(a + alpha * s) - mp.loggamma(a)) for a, alpha, e in triples))
        product = mp.power(c, s) * moment * weight(s) / (s * mp.sin(mp.pi * s))
        return (product.real * sigma * mp.cosh(w) / 2,)

    return trapezoid(line, mp.mpf(1) / 4)[0]
