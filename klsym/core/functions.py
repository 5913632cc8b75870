"""Special functions that expectations of log densities need and SymPy lacks.

Each is real for real arguments, evaluates to any number of digits, and is a plain SymPy function:
it differentiates where the derivative is known, and `sympy.lambdify` reaches it under "mpmath" and "scipy".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.core.function import ArgumentIndexError

from .errors import UnsettledError


def _settled(compute: Callable[..., Any], numbers: Callable[[int], list[Any]], precision: int) -> Any:
    """compute(*numbers) to `precision` bits: the working precision grows until two of them agree.

    `numbers(bits)` are the arguments at that working precision.
    """
    bits, previous = precision + 24, None
    while bits < 40 * (precision + 24):
        with mp.workprec(bits):
            current = compute(*numbers(bits))
            if isinstance(current, mp.mpc) and current.imag == 0:
                current = current.real
            if previous is not None and not mp.isfinite(current):
                return current
            if previous is not None and abs(current - previous) <= mp.ldexp(abs(current), -precision - 4):
                return current
        previous, bits = current, bits + bits // 2
    raise UnsettledError(f"{compute.__qualname__} did not settle to {precision} bits")


def _number(compute: Callable[..., Any], *arguments: Any) -> Any:
    """The value at mpmath numbers as an mpmath number, at floats as a float, at arrays element by element."""
    if any(isinstance(a, (mp.mpf, mp.mpc)) for a in arguments):
        return +_settled(compute, lambda bits: [mp.mpmathify(a) for a in arguments], mp.mp.prec)
    if any(getattr(a, "shape", ()) for a in arguments):
        import numpy as np

        return np.vectorize(partial(_number, compute), otypes=[float])(*arguments)
    return float(_settled(compute, lambda bits: [mp.mpf(a) for a in arguments], 53))


# Beyond so many nodes an integrand oscillates, or its scales lie apart, by more than halving steps can follow.
_NODES = 12_000


def trapezoid(integrand: Callable[[Any], tuple[Any, ...]], step: Any) -> list[Any]:
    """The integrals over the whole line of even functions that decay doubly exponentially.

    The step is halved until the trapezoidal sums are stable: they converge exponentially in 1/step
    (Trefethen and Weideman, SIAM Review 56, 2014, theorem 5.1). Stable is what moves by no more than rounding of the
    terms can, which may be more than the digits of a sum in which they cancel. What takes too many nodes is NaN.
    """
    nodes = 0

    def tail(start: Any, stride: Any) -> list[tuple[Any, Any]]:
        nonlocal nodes
        rows, largest, t = [integrand(start)], mp.mpf(0), start
        while nodes <= _NODES:
            size = max(map(abs, rows[-1]))
            largest = max(largest, size)
            if size <= mp.ldexp(largest, -mp.mp.prec - 10) and len(rows) > 4:
                break
            t += stride
            nodes += 1
            rows.append(integrand(t))
        return [(mp.fsum(column), mp.fsum(column, absolute=True)) for column in zip(*rows, strict=True)]

    def scaled() -> list[Any]:
        return [2 * step * total for total, _ in sums]

    centres = integrand(mp.mpf(0))
    sums = [(c / 2 + rest, abs(c) / 2 + size) for c, (rest, size) in zip(centres, tail(step, step), strict=True)]
    coarse = scaled()
    while True:
        rests = tail(step / 2, step)
        sums = [(total + rest, size + more) for (total, size), (rest, more) in zip(sums, rests, strict=True)]
        step /= 2
        fine = scaled()
        if nodes > _NODES:
            return [mp.nan for _ in fine]
        noise = [mp.ldexp(2 * step * size, 10 - mp.mp.prec) for _, size in sums]
        if all(abs(b - a) <= n for a, b, n in zip(coarse, fine, noise, strict=True)):
            return fine
        coarse = fine


class SpecialFunction(sp.Function):
    """A function of real numbers whose `compute` returns its value at mpmath's working precision.

    `compute` may lose digits: the callers repeat it at higher precision until the digits asked for are settled.
    """

    symbol = ""

    def __init_subclass__(cls) -> None:
        cls._imp_ = staticmethod(partial(_number, cls.compute))

    @staticmethod
    def compute(*arguments: Any) -> Any:
        raise NotImplementedError

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        if not all(a.is_number for a in self.args):
            return None
        value = _settled(self.compute, lambda bits: [a._to_mpmath(bits) for a in self.args], prec)
        if mp.isnan(value):
            raise UnsettledError(f"{type(self).__name__} does not settle at {', '.join(map(str, self.args))}")
        return sp.Expr._from_mpmath(value, prec)

    def _eval_is_extended_real(self) -> bool | None:
        return True if all(a.is_extended_real for a in self.args) else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{self.symbol}{power}\left({', '.join(map(printer.doprint, self.args))}\right)"


class ZetaDerivative(SpecialFunction):
    """The nth derivative of the Riemann zeta function at s (DLMF 25.2.1).

    >>> ZetaDerivative(1, 2).n()
    -0.937548254315844
    >>> ZetaDerivative(0, 2)
    pi**2/6
    """

    @classmethod
    def eval(cls, n: sp.Expr, s: sp.Expr) -> sp.Expr | None:
        return sp.zeta(s) if n == 0 else None

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        if argindex == 2:
            return ZetaDerivative(self.args[0] + 1, self.args[1])
        raise ArgumentIndexError(self, argindex)

    @staticmethod
    def compute(n: Any, s: Any) -> Any:
        n = int(n)
        if s < mp.mp.prec or n == 0:
            return mp.zeta(s, 1, n)
        terms = ((-mp.log(k)) ** n * mp.exp(-s * mp.log(k)) for k in range(2, 4))  # 4^-s is below the last bit
        return mp.fsum(terms)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        n, s = map(printer.doprint, self.args)
        inner = rf"\zeta^{{({n})}}\left({s}\right)"
        return inner if exp is None else rf"\left({inner}\right)^{{{exp}}}"


class LogSinhc(SpecialFunction):
    """log(sinh(u)/u), even in u, and 0 at 0 (DLMF 4.28.1).

    >>> LogSinhc(sp.Rational(1, 10**8)).n(5)
    1.6667e-17
    >>> u = sp.Symbol("u", real=True); LogSinhc(-u).diff(u)
    Langevin(u)
    """

    symbol = r"\operatorname{log\,sinhc}"

    @classmethod
    def eval(cls, u: sp.Expr) -> sp.Expr | None:
        if u.is_zero:
            return sp.S.Zero
        return cls(-u) if u.could_extract_minus_sign() else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return Langevin(self.args[0])

    @staticmethod
    def compute(u: Any) -> Any:
        u = abs(u)
        return mp.mpf(0) if u == 0 else u + mp.log(-mp.expm1(-2 * u) / (2 * u))


class Langevin(SpecialFunction):
    """coth(u) - 1/u, odd in u, and 0 at 0 (Langevin 1905; DLMF 4.28.6).

    >>> Langevin(1).n()
    0.313035285499331
    >>> u = sp.Symbol("u", real=True); Langevin(-u)
    -Langevin(u)
    """

    symbol = r"\mathcal{L}"

    @classmethod
    def eval(cls, u: sp.Expr) -> sp.Expr | None:
        if u.is_zero:
            return sp.S.Zero
        return -cls(-u) if u.could_extract_minus_sign() else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return LangevinPrime(self.args[0])

    @staticmethod
    def compute(u: Any) -> Any:
        return mp.mpf(0) if u == 0 else mp.coth(u) - 1 / u


class LangevinPrime(SpecialFunction):
    """1/u^2 - 1/sinh(u)^2, the derivative of the Langevin function: even in u, and 1/3 at 0.

    >>> LangevinPrime(0)
    1/3
    >>> LangevinPrime(1).n()
    0.275938339033690
    """

    symbol = r"\mathcal{L}^{\prime}"

    @classmethod
    def eval(cls, u: sp.Expr) -> sp.Expr | None:
        if u.is_zero:
            return sp.Rational(1, 3)
        return cls(-u) if u.could_extract_minus_sign() else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        u = self.args[0]
        return 2 * sp.cosh(u) / sp.sinh(u) ** 3 - 2 / u**3

    @staticmethod
    def compute(u: Any) -> Any:
        return mp.mpf(1) / 3 if u == 0 else 1 / u**2 - mp.csch(u) ** 2


class BesselKOrder(SpecialFunction):
    """d/dnu log K_nu(z) for z > 0, odd in nu, by DLMF 10.32.9; elementary at 1/2 by DLMF 10.38.7.

    >>> BesselKOrder(sp.Rational(1, 2), 1)
    exp(2)*expint(1, 2)
    >>> BesselKOrder(2, 1).n()
    1.25911765073716
    """

    @classmethod
    def eval(cls, nu: sp.Expr, z: sp.Expr) -> sp.Expr | None:
        if nu.is_zero:
            return sp.S.Zero
        if nu == sp.S.Half:
            return sp.exp(2 * z) * sp.expint(1, 2 * z)
        return -cls(-nu, z) if nu.could_extract_minus_sign() else None

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        """d/dz d/dnu log K_nu = d/dnu (-K_{nu-1}/K_nu - nu/z), by DLMF 10.29.2."""
        nu, z = self.args
        if argindex == 1:
            return BesselKOrderSlope(nu, z)
        ratio = sp.besselk(nu - 1, z) / sp.besselk(nu, z)
        return ratio * (BesselKOrder(nu, z) - BesselKOrder(nu - 1, z)) - 1 / z

    @staticmethod
    def compute(nu: Any, z: Any) -> Any:
        def both(t: Any) -> tuple[Any, Any]:
            weight = mp.exp(-2 * z * mp.sinh(t / 2) ** 2)
            return weight * mp.cosh(nu * t), weight * t * mp.sinh(nu * t)

        norm, moment = trapezoid(both, 1 / (2 * mp.sqrt(1 + z)))
        return moment / norm

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        nu, z = map(printer.doprint, self.args)
        inner = rf"\left[\partial_\nu \log K_\nu\left({z}\right)\right]_{{\nu={nu}}}"
        return inner if exp is None else rf"\left({inner}\right)^{{{exp}}}"


class BesselKOrderSlope(SpecialFunction):
    """d^2/dnu^2 log K_nu(z) for z > 0, even in nu: the variance of t in DLMF 10.32.9, with t in the whole line.

    >>> BesselKOrderSlope(0, 1).n()
    0.731100181211169
    """

    symbol = r"\partial^2_\nu \log K"

    @classmethod
    def eval(cls, nu: sp.Expr, z: sp.Expr) -> sp.Expr | None:
        return cls(-nu, z) if nu.could_extract_minus_sign() else None

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        raise ArgumentIndexError(self, argindex)

    @staticmethod
    def compute(nu: Any, z: Any) -> Any:
        def moments(t: Any) -> tuple[Any, Any, Any]:
            weight = mp.exp(-2 * z * mp.sinh(t / 2) ** 2)
            return weight * mp.cosh(nu * t), weight * t * mp.sinh(nu * t), weight * t**2 * mp.cosh(nu * t)

        norm, first, second = trapezoid(moments, 1 / (2 * mp.sqrt(1 + z)))
        return second / norm - (first / norm) ** 2 if nu else second / norm


class TricomiU(SpecialFunction):
    """Tricomi's confluent hypergeometric function U(a, b, z) for a > 0 and z > 0 (DLMF 13.4.4).

    >>> TricomiU(1, 1, 2).n()
    0.361328616888223
    >>> a, b, z = sp.symbols("a b z", positive=True); TricomiU(a, b, z).diff(z)
    -a*TricomiU(a + 1, b + 1, z)
    """

    symbol = "U"

    @classmethod
    def eval(cls, a: sp.Expr, b: sp.Expr, z: sp.Expr) -> sp.Expr | None:
        if a.is_zero:
            return sp.S.One
        return z**-a if b - a == 1 else None  # DLMF 13.6.4

    def fdiff(self, argindex: int = 3) -> sp.Expr:
        if argindex != 3:
            raise ArgumentIndexError(self, argindex)
        a, b, z = self.args
        return -a * TricomiU(a + 1, b + 1, z)  # DLMF 13.3.22

    @staticmethod
    def compute(a: Any, b: Any, z: Any) -> Any:
        return mp.hyperu(a, b, z)


class ParabolicU(SpecialFunction):
    """The parabolic cylinder function U(a, z) for a > -1/2 and real z (DLMF 12.5.1).

    >>> ParabolicU(1, 2).n()
    0.0959523162804943
    >>> a, z = sp.symbols("a z", positive=True); ParabolicU(a, z).diff(z)
    -z*ParabolicU(a, z)/2 - (a + 1/2)*ParabolicU(a + 1, z)
    """

    symbol = "U"

    @classmethod
    def eval(cls, a: sp.Expr, z: sp.Expr) -> sp.Expr | None:
        if a == sp.Rational(-1, 2):
            return sp.exp(-(z**2) / 4)  # DLMF 12.7.1
        if a == sp.S.Half:
            return sp.sqrt(sp.pi / 2) * sp.exp(z**2 / 4) * sp.erfc(z / sp.sqrt(2))  # DLMF 12.7.5
        return None

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        a, z = self.args
        return -z * ParabolicU(a, z) / 2 - (a + sp.S.Half) * ParabolicU(a + 1, z)  # DLMF 12.8.2

    @staticmethod
    def compute(a: Any, z: Any) -> Any:
        return mp.pcfu(a, z)
