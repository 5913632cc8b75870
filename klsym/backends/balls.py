"""The primitives in Arb's ball arithmetic: intervals that are proven to hold the exact value.

Arb is Johansson's (IEEE Trans. Computers 66, 2017), reached through python-flint. Every function takes and gives
balls at the working precision flint.ctx.prec; each remainder is its own definition, because a higher precision
makes up for what cancels. What the precision does not tell is a ball without bounds, or None. A ball carries its
arithmetic in its methods, so python-flint is asked for only where a number is made from nothing.
"""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable
from operator import methodcaller
from typing import Any

from ..core.ball import flint
from .ball_analysis import gamma_log_moment, hyp2f1
from .ball_bessel import bessel_k_order, bessel_k_order_slope, log_kve
from .ball_mellin import log1p_mellin, log1p_mellin_slope
from .kleene import LOGIC, Truth

Ball = Any

FIRST, LAST = 128, 4096
_WANTED = 70  # bits of a value that nearly always tell its double
_PATIENCE = 1.0  # seconds of a processor, after which no higher precision is tried: hypergeometric series can be huge


def number(value: float) -> Ball:
    """The double, exactly."""
    return flint().arb(value)


def constant(text: str) -> Any:
    """The ball of a program's constant, at the working precision."""
    arb, fmpq = flint().arb, flint().fmpq
    named: dict[str, Callable[[], Any]] = {
        "pi": arb.pi, "e": arb.const_e, "euler_gamma": arb.const_euler, "catalan": arb.const_catalan,
        "inf": arb.pos_inf, "-inf": arb.neg_inf, "nan": arb.nan, "true": lambda: True, "false": lambda: False,
    }  # fmt: skip
    if text in named:
        return named[text]()
    numerator, _, denominator = text.partition("/")
    return arb(fmpq(int(numerator), int(denominator or 1)))


def decide(run: Callable[[int], Any]) -> tuple[float, str, int]:
    """The double nearest to what `run` encloses, how it is known, and the precision that told.

    Rounding is monotone, so the double is known when both ends of the ball round to it. Where they do not, the
    precision grows by the bits that are missing, until it is high or has taken long. A float is what `run` gives where
    nothing is to be rounded.
    """
    ctx = flint().ctx
    before, bits, start = ctx.prec, FIRST, time.thread_time()
    try:
        while True:
            ctx.prec = bits
            ball = run(bits)
            if isinstance(ball, float):
                return ball, "exact", bits
            accuracy = -1
            if ball is not None:
                low, high = float(ball.lower()), float(ball.upper())
                if low == high:
                    return low + 0.0, "exact" if ball.is_exact() else "ball", bits
                accuracy = ball.rel_accuracy_bits()
            if bits >= LAST or time.thread_time() > start + _PATIENCE:
                return math.nan, "undecided", bits
            more = bits if accuracy <= 0 else max(_WANTED - accuracy, bits // 4)
            bits = min(bits + more, LAST)
    finally:
        ctx.prec = before


# Truth values


def _tie(x: Ball, y: Ball, truth: bool) -> Truth:
    """The truth of a comparison of equals, where two balls cannot be told apart.

    Equal numbers that rounding has touched overlap at any precision. So at the last one they count as equal, if
    they are proven to lie closer than 2^-1075, half of the least double.
    """
    return truth if flint().ctx.prec >= LAST and abs((x - y) * 2**1075) < 1 else None


def _lt(x: Ball, y: Ball) -> Truth:
    return True if x < y else False if x >= y else _tie(x, y, False)


def _le(x: Ball, y: Ball) -> Truth:
    return True if x <= y else False if x > y else _tie(x, y, True)


def _eq(x: Ball, y: Ball) -> Truth:
    return True if x == y else False if x != y else _tie(x, y, True)


def _select(condition: Truth, x: Ball, y: Ball) -> Ball:
    """One of the two; where the condition is not known, a ball that holds both."""
    return x.union(y) if condition is None else x if condition else y


# Elementary functions


def _log(x: Ball) -> Ball:
    return constant("-inf") if x.is_zero() else x.log()


def _log1p(x: Ball) -> Ball:
    return _log(x + 1) if (x + 1).is_zero() else x.log1p()


def _xlogy(c: Ball, x: Ball) -> Ball:
    return c if c.is_zero() else c * _log(x)


def _xlog1py(c: Ball, x: Ball) -> Ball:
    return c if c.is_zero() else c * _log1p(x)


def _square(x: Ball) -> Ball:
    """x x, also of a ball that holds 0, whose power would be indeterminate."""
    return x * x


def _log_sinhc(u: Ball) -> Ball:
    """Between 0 and u^2/6 where u is not known to differ from 0 (DLMF 4.28.1)."""
    u = abs(u)
    return u + (-(-2 * u).expm1() / (2 * u)).log() if u > 0 else number(0).union(u * u / 6)


def _langevin(u: Ball) -> Ball:
    """Between 0 and u/3 where u is not known to differ from 0."""
    return u.coth() - 1 / u if u != 0 else number(0).union(u / 3)


def _langevin_prime(u: Ball) -> Ball:
    """Between 1/3 - u^2/15 and 1/3 where u is not known to differ from 0."""
    third = constant("1/3")
    return 1 / u**2 - u.csch() ** 2 if u != 0 else third.union(third - u * u / 15)


def _gap(a: Ball, b: Ball, d: Ball) -> Ball:
    """b - a: of exact numbers as it is; of rounded ones by the line that has it from its own origin."""
    return b - a if a.is_exact() and b.is_exact() else d


def _log_ratio(a: Ball, b: Ball, d: Ball) -> Ball:
    x = _gap(a, b, d) / a
    return x.log1p() if abs(x) < 0.5 else (b / a).log()


def _phi(a: Ball, b: Ball, d: Ball) -> Ball:
    return _gap(a, b, d) / a - _log_ratio(a, b, d)


def _klrem(p: Ball, q: Ball, d: Ball) -> Ball:
    """p phi(p, q), continued to p = 0 and to q = 0."""
    if p.is_zero():
        return q
    return constant("inf") if q.is_zero() else p * _phi(p, q, d)


def _softplus(x: Ball) -> Ball:
    return x + (-x).exp().log1p() if x > 0 else x.exp().log1p()


def _log_cosh(x: Ball) -> Ball:
    x = abs(x)
    return x + (-2 * x).exp().log1p() - number(2).log() if x > 1 else (2 * _square((x / 2).sinh())).log1p()


# Gamma and zeta functions


def _log_rising(a: Ball, x: Ball) -> Ball:
    return (a + x).lgamma() - a.lgamma()


def _polygamma(n: Ball, x: Ball) -> Ball:
    """(-1)^(n + 1) n! zeta(n + 1, x) (DLMF 25.11.12)."""
    size = (n + 1).gamma() * (n + 1).zeta(x)
    return size if _order(n) % 2 else -size


def _order(n: Ball) -> int:
    return int(n.unique_fmpz())


def _trigamma(x: Ball) -> Ball:
    return number(2).zeta(x)


def _lgrem(a: Ball, b: Ball, d: Ball) -> Ball:
    return b.lgamma() - a.lgamma() - _gap(a, b, d) * a.digamma()


def _grem(a: Ball, b: Ball, d: Ball) -> Ball:
    """The remainder of log Gamma less that of x log x - x, which is klrem(b, a)."""
    return _lgrem(a, b, d) - _klrem(b, a, -d)


def _lbetarem(a: Ball, b: Ball, c: Ball, d: Ball, e: Ball, f: Ball) -> Ball:
    e, f, total = _gap(a, c, e), _gap(b, d, f), a + b
    rest = (c + d).lgamma() - total.lgamma() - (e + f) * total.digamma()
    return _lgrem(a, c, e) + _lgrem(b, d, f) - rest


def _zeta_derivative(n: Ball, s: Ball) -> Ball:
    """The nth derivative; far out by sum (log k)^n k^-s <= zeta(s - n) - 1 <= 2^(1 + n - s), because log k < k."""
    arb, arb_series = flint().arb, flint().arb_series
    if s > LAST:
        return arb(0, (number(2) ** (1 + n - s)).abs_upper())
    order = _order(n)
    return arb_series([s, 1], prec=order + 1).zeta()[order] * math.factorial(order)


# Error functions, exponential integrals and Bessel functions


def _erfcx(x: Ball) -> Ball:
    """By DLMF 7.11.5 far out, where the exponential needs as many bits as x^2 has."""
    return (x * x).hypgeom_u(0.5, 0.5) / constant("pi").sqrt() if x > 8 else (x * x).exp() * x.erfc()


def _exp_e1(z: Ball) -> Ball:
    """By DLMF 6.11.2 far out."""
    return z.hypgeom_u(1, 1) if z > 8 else z.exp() * z.expint(1)


def _log_i0(z: Ball) -> Ball:
    return z.bessel_i(0, scaled=True).log() + z


def _bessel_ratio(z: Ball, order: int = 1) -> Ball:
    return z.bessel_i(order, scaled=True) / z.bessel_i(0, scaled=True)


def _log_i0_remainder(a: Ball, b: Ball, d: Ball) -> Ball:
    return _log_i0(b) - _log_i0(a) - _gap(a, b, d) * _bessel_ratio(a)


def _log_parabolic_u(a: Ball, z: Ball) -> Ball:
    """By DLMF 12.7.14 at the right, and by 12.4.1 with 12.2.6 and 12.2.7 at the left, where nothing cancels."""
    b, y = a / 2 + 0.25, z * z / 2
    if z > 1:
        return y.hypgeom_u(b, 0.5).log() - b * number(2).log()
    even = y.hypgeom_1f1(b, 0.5) * (b + 0.5).rgamma()
    odd = z * number(2).sqrt() * y.hypgeom_1f1(b + 0.5, 1.5) * b.rgamma()
    return (even - odd).log() + constant("pi").log() / 2 - b * number(2).log()


TABLE: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "pow": operator.pow,
    "abs": abs,
    **{name: methodcaller(name) for name in "sqrt floor exp expm1 sin cos tan asin atan sinh cosh tanh".split()},
    **{name: methodcaller(name) for name in "lgamma digamma zeta erf erfc".split()},
    "min": lambda x, y: x.min(y),
    "max": lambda x, y: x.max(y),
    "log": _log,
    "log1p": _log1p,
    "xlogy": _xlogy,
    "xlog1py": _xlog1py,
    "log_sinhc": _log_sinhc,
    "langevin": _langevin,
    "langevin_prime": _langevin_prime,
    "cross": lambda a, b, c, d: a * b - c * d,
    "log_ratio": _log_ratio,
    "phi": _phi,
    "klrem": _klrem,
    "e2": lambda x: x.expm1() - x,
    "softplus": _softplus,
    "log_cosh": _log_cosh,
    "log_rising": _log_rising,
    "trigamma": _trigamma,
    "polygamma": _polygamma,
    "lgamma_difference": lambda a, b, d: b.lgamma() - a.lgamma(),
    "digamma_difference": lambda a, b, d: b.digamma() - a.digamma(),
    "trigamma_difference": lambda a, b, d: _trigamma(b) - _trigamma(a),
    "reduced_trigamma": lambda x: _trigamma(x) - 1 / x,
    "reduced_digamma_difference": lambda a, b, d: b.digamma() - a.digamma() - _log_ratio(a, b, d),
    "lgrem": _lgrem,
    "grem": _grem,
    "lbetarem": _lbetarem,
    "zetam1": lambda s: s.zeta() - 1,
    "zeta_derivative": _zeta_derivative,
    "gamma_p": lambda a, x: x.gamma_lower(a, regularized=1),
    "gamma_q": lambda a, x: x.gamma_upper(a, regularized=1),
    "betainc": lambda a, b, x: x.beta_lower(a, b, regularized=1),
    "erfcx": _erfcx,
    "exp_e1": _exp_e1,
    "dilog": lambda x: x.polylog(2),
    "ive": lambda nu, z: z.bessel_i(nu, scaled=True),
    "log_i0": _log_i0,
    "log_i0_remainder": _log_i0_remainder,
    "bessel_ratio": _bessel_ratio,
    "bessel_ratio_prime": lambda z: (1 + _bessel_ratio(z, 2)) / 2 - _bessel_ratio(z) ** 2,
    "bessel_ratio_difference": lambda a, b, d: _bessel_ratio(b) - _bessel_ratio(a),
    "log_kve": log_kve,
    "bessel_k_order": bessel_k_order,
    "bessel_k_order_slope": bessel_k_order_slope,
    "log_tricomi_u": lambda a, b, z: z.hypgeom_u(a, b).log(),
    "log_parabolic_u": _log_parabolic_u,
    "kummer": lambda a, b, z: z.hypgeom_1f1(a, b),
    "hyp2f1": hyp2f1,
    "gamma_log_moment": gamma_log_moment,
    "log1p_mellin": log1p_mellin,
    "log1p_mellin_slope": log1p_mellin_slope,
    "lt": _lt,
    "le": _le,
    "eq": _eq,
    "select": _select,
    **LOGIC,
}
