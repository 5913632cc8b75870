"""The primitives in mpmath, at its working precision: what decides a double where python-flint is missing.

Nothing is proven: two precisions, the second twice the first, that agree far beyond a double are an estimate.
A comparison of two numbers that agree to nearly the whole precision is None, not known, unless they are equal.
"""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable
from typing import Any

import mpmath as mp

from ..core import functions, mellin
from .kleene import LOGIC, Truth

Number = Any

FIRST, LAST = 128, 4096
_PATIENCE = 10.0  # seconds of a processor, after which no higher precision is tried
_AGREE = 73  # the bits of a double, and twenty more
_NOTHING = 1400  # at this precision what is under 2^-1080 rounds to 0

number = mp.mpf

_CONSTANTS: dict[str, Callable[[], Any]] = {
    "pi": lambda: +mp.pi, "e": lambda: +mp.e, "euler_gamma": lambda: +mp.euler, "catalan": lambda: +mp.catalan,
    "inf": lambda: mp.inf, "-inf": lambda: mp.ninf, "nan": lambda: mp.mpf("nan"),
    "true": lambda: True, "false": lambda: False,
}  # fmt: skip


def constant(text: str) -> Number | bool:
    """A program's constant at the working precision."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]()
    numerator, _, denominator = text.partition("/")
    return mp.mpf(int(numerator)) / int(denominator or 1)


def decide(run: Callable[[int], Number | float | None]) -> tuple[float, str, int]:
    """The double nearest to what `run` tends to, how it is known, and the last precision.

    A float is what `run` gives where nothing is to be rounded.
    """
    previous, bits, start = None, FIRST, time.thread_time()
    while bits <= LAST and time.thread_time() < start + _PATIENCE:
        with mp.workprec(bits):
            current = run(bits)
            if isinstance(current, float):
                return current, "exact", bits
            if isinstance(current, mp.mpc):
                current = None
            if current is not None and previous is not None:
                double = nearest(current)
                if double == nearest(previous) and _agree(current, previous, bits):
                    return double, "estimate", bits
        previous, bits = current, 2 * bits
    return math.nan, "undecided", bits // 2


def _agree(x: Number, y: Number, bits: int) -> bool:
    if x == y and x != 0:
        return True
    nothing = mp.ldexp(1, -1080)
    if abs(x) < nothing and abs(y) < nothing:
        return bits > 2 * _NOTHING
    return bool(abs(x - y) < mp.ldexp(abs(x), -_AGREE))


def nearest(x: Number) -> float:
    """The double nearest to a number of any precision, ties to even, subnormal and infinite ones too.

    >>> nearest(mp.ldexp(3, -1075)) / 2**-1074, nearest(mp.ldexp(1, 1024))
    (2.0, inf)
    """
    sign, mantissa, exponent, length = x._mpf_
    if not mantissa or not -1100 < exponent + length < 1100:
        return float(x) if not mantissa or exponent > 0 else 0.0
    mantissa = int(mantissa)  # mpmath takes gmpy2's integers where it finds gmpy2, whose quotients are no doubles
    try:
        size = mantissa * 2**exponent if exponent > 0 else mantissa / 2**-exponent  # of integers: rounded once
        return float(-size if sign else size) + 0.0
    except OverflowError:
        return -math.inf if sign else math.inf


# Truth values


def _tie(x: Number, y: Number, truth: bool) -> Truth:
    """The truth of a comparison of equals, for two that rounding may have moved apart: see balls._tie.

    The two last precisions can tell, because it takes two that agree.
    """
    return truth if x == y or (mp.mp.prec >= LAST // 2 and abs(x - y) < mp.ldexp(1, -1075)) else None


def _apart(x: Number, y: Number) -> bool:
    return mp.isinf(x) or mp.isinf(y) or abs(x - y) > mp.ldexp(max(abs(x), abs(y)), 24 - mp.mp.prec)


def _lt(x: Number, y: Number) -> Truth:
    return bool(x < y) if x != y and _apart(x, y) else _tie(x, y, False)


def _le(x: Number, y: Number) -> Truth:
    return bool(x < y) if x != y and _apart(x, y) else _tie(x, y, True)


def _eq(x: Number, y: Number) -> Truth:
    return False if x != y and _apart(x, y) else _tie(x, y, True)


def _select(condition: Truth, x: Number, y: Number) -> Number | None:
    return None if condition is None else x if condition else y


# Functions


def _xlogy(c: Number, x: Number) -> Number:
    return c if c == 0 else c * mp.log(x)


def _xlog1py(c: Number, x: Number) -> Number:
    return c if c == 0 else c * mp.log1p(x)


def _gap(a: Number, b: Number, d: Number) -> Number:
    """b - a: of doubles as it is; of rounded numbers by the line that has it from its own origin."""
    return b - a if max(a.man.bit_length(), b.man.bit_length()) <= 53 else d


def _phi(a: Number, b: Number, d: Number) -> Number:
    return _gap(a, b, d) / a - mp.log(b / a)


def _klrem(p: Number, q: Number, d: Number) -> Number:
    """p phi(p, q), continued to p = 0 and to q = 0."""
    if p == 0:
        return q
    return mp.inf if q == 0 else p * _phi(p, q, d)


def _softplus(x: Number) -> Number:
    return x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x))


def _log_cosh(x: Number) -> Number:
    x = abs(x)
    return x + mp.log1p(mp.exp(-2 * x)) - mp.log(2) if x > 1 else mp.log1p(2 * mp.sinh(x / 2) ** 2)


def _lgrem(a: Number, b: Number, d: Number) -> Number:
    return mp.loggamma(b) - mp.loggamma(a) - _gap(a, b, d) * mp.digamma(a)


def _grem(a: Number, b: Number, d: Number) -> Number:
    return _lgrem(a, b, d) - _klrem(b, a, -d)


def _lbetarem(a: Number, b: Number, c: Number, d: Number, e: Number, f: Number) -> Number:
    e, f, total = _gap(a, c, e), _gap(b, d, f), a + b
    rest = mp.loggamma(c + d) - mp.loggamma(total) - (e + f) * mp.digamma(total)
    return _lgrem(a, c, e) + _lgrem(b, d, f) - rest


def _log_i0(z: Number) -> Number:
    return mp.log(mp.besseli(0, z))


def _bessel_ratio(z: Number, order: int = 1) -> Number:
    return mp.besseli(order, z) / mp.besseli(0, z)


def _log_i0_remainder(a: Number, b: Number, d: Number) -> Number:
    return _log_i0(b) - _log_i0(a) - _gap(a, b, d) * _bessel_ratio(a)


TABLE: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "pow": operator.pow,
    "abs": abs,
    "min": lambda x, y: _select(_lt(x, y), x, y),
    "max": lambda x, y: _select(_lt(x, y), y, x),
    **{
        name: getattr(mp, name)
        for name in "sqrt floor exp expm1 log log1p sin cos tan asin atan sinh cosh tanh".split()
    },
    "xlogy": _xlogy,
    "xlog1py": _xlog1py,
    "log_sinhc": functions.LogSinhc.compute,
    "langevin": functions.Langevin.compute,
    "langevin_prime": functions.LangevinPrime.compute,
    "cross": lambda a, b, c, d: a * b - c * d,
    "log_ratio": lambda a, b, d: mp.log(b / a),
    "phi": _phi,
    "klrem": _klrem,
    "e2": lambda x: mp.expm1(x) - x,
    "softplus": _softplus,
    "log_cosh": _log_cosh,
    "lgamma": mp.loggamma,
    "log_rising": lambda a, x: mp.loggamma(a + x) - mp.loggamma(a),
    "digamma": mp.digamma,
    "trigamma": lambda x: mp.psi(1, x),
    "polygamma": lambda n, x: mp.psi(int(n), x),
    "lgamma_difference": lambda a, b, d: mp.loggamma(b) - mp.loggamma(a),
    "digamma_difference": lambda a, b, d: mp.digamma(b) - mp.digamma(a),
    "trigamma_difference": lambda a, b, d: mp.psi(1, b) - mp.psi(1, a),
    "reduced_trigamma": lambda x: mp.psi(1, x) - 1 / x,
    "reduced_digamma_difference": lambda a, b, d: mp.digamma(b) - mp.digamma(a) - mp.log(b / a),
    "lgrem": _lgrem,
    "grem": _grem,
    "lbetarem": _lbetarem,
    "zeta": mp.zeta,
    "zetam1": lambda s: mp.zeta(s) - 1,
    "zeta_derivative": functions.ZetaDerivative.compute,
    "gamma_p": lambda a, x: mp.gammainc(a, 0, x, regularized=True),
    "gamma_q": lambda a, x: mp.gammainc(a, x, regularized=True),
    "betainc": lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfcx": lambda x: mp.exp(x**2) * mp.erfc(x),
    "exp_e1": lambda z: mp.exp(z) * mp.e1(z),
    "dilog": lambda x: mp.re(mp.polylog(2, x)),
    "ive": lambda nu, z: mp.exp(-z) * mp.besseli(nu, z),
    "log_i0": _log_i0,
    "log_i0_remainder": _log_i0_remainder,
    "bessel_ratio": _bessel_ratio,
    "bessel_ratio_prime": lambda z: (1 + _bessel_ratio(z, 2)) / 2 - _bessel_ratio(z) ** 2,
    "bessel_ratio_difference": lambda a, b, d: _bessel_ratio(b) - _bessel_ratio(a),
    "log_kve": lambda nu, z: mp.log(mp.besselk(nu, z)) + z,
    "bessel_k_order": lambda nu, z: nu if nu == 0 else functions.BesselKOrder.compute(nu, z),
    "bessel_k_order_slope": functions.BesselKOrderSlope.compute,
    "log_tricomi_u": lambda a, b, z: mp.log(mp.hyperu(a, b, z)),
    "log_parabolic_u": lambda a, z: mp.log(mp.pcfu(a, z)) + z**2 / 4,
    "kummer": mp.hyp1f1,
    "hyp2f1": mp.hyp2f1,
    "gamma_log_moment": lambda a, x: mp.hyper([a, a], [a + 1, a + 1], -x),
    "log1p_mellin": lambda c, *rest: c if c == 0 else mellin.Log1pMellin.compute(c, *rest),
    "log1p_mellin_slope": mellin.Log1pMellinSlope.compute,
    "lt": _lt,
    "le": _le,
    "eq": _eq,
    "select": _select,
    **LOGIC,
}
