"""Arb balls, through python-flint: a value with a proven radius.

The operations are taken from Arb's own special functions (Johansson, IEEE Transactions on Computers 66, 2017). Two have
none: BesselKOrder is a central difference whose step is far below the precision, Log1pMellin a trapezoidal sum.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import reduce
from typing import Any

import mpmath as mp
from flint import acb, arb, arb_series, ctx, fmpq, fmpz

from .reference import GOOD_BITS, INFINITE, ZERO, Truth, split

Verdict = bool | None


def less(a: Any, b: Any) -> Verdict:
    return True if a < b else False if a >= b else None


def at_most(a: Any, b: Any) -> Verdict:
    return True if a <= b else False if a > b else None


def equal(a: Any, b: Any) -> Verdict:
    return True if (a - b).is_zero() else None if a.overlaps(b) else False


def negated(a: Verdict) -> Verdict:
    return None if a is None else not a


def conjunction(*a: Verdict) -> Verdict:
    return False if False in a else None if None in a else True


def piecewise(*parts: Any) -> Any:
    """The first value whose condition holds; with undecided ones before it, the hull: the pieces join continuously."""
    hull = None
    for value, condition in zip(parts[::2], parts[1::2], strict=True):
        if condition is not False:
            hull = value if hull is None else hull.union(value)
        if condition is True:
            return hull
    return arb.nan()


def power(x: Any, exponent: int) -> Any:
    return x**exponent if exponent > 0 else 1 / x**-exponent


def general_power(x: Any, y: Any) -> Any:
    return x ** int(y.unique_fmpz()) if y.is_exact() and y.is_integer() and abs(y) < 1 << 20 else (y * x.log()).exp()


def polygamma(n: Any, x: Any) -> Any:
    return x.digamma() if n.is_zero() else acb(x).polygamma(acb(n)).real


def zeta_derivative(n: Any, s: Any) -> Any:
    order = int(n.unique_fmpz())
    return arb_series([s, 1], prec=order + 1).zeta()[order] * arb(order).fac()


def log_sinhc(u: Any) -> Any:
    """0 <= log_sinhc(u) <= u^2/6: what is left of a ball that holds the removable singularity."""
    u = abs(u)
    return arb(0, u.abs_upper() ** 2 / 6) if u.contains(0) else u + (-(-2 * u).expm1() / (2 * u)).log()


def langevin(u: Any) -> Any:
    """|langevin(u)| <= |u|/3."""
    return arb(0, u.abs_upper() / 3) if u.contains(0) else u.coth() - 1 / u


def langevin_prime(u: Any) -> Any:
    """1/3 - u^2/15 <= langevin_prime(u) <= 1/3."""
    return arb(1) / 3 + arb(0, u.abs_upper() ** 2 / 15) if u.contains(0) else 1 / u**2 - 1 / u.sinh() ** 2


def bessel_k(nu: Any, z: Any) -> Any:
    if abs(nu) > 10_000:
        raise ArithmeticError(f"K of order {nu} takes Arb for ever")
    return z.bessel_k(nu)


def bessel_k_order(nu: Any, z: Any) -> Any:
    """d/dnu log K_nu(z) by a central difference, whose relative error, of order h^2, is far below 2^-bits.

    The balls' midpoints are taken, so that h does not divide their radii; the condition in both is about 1.
    """
    bits = ctx.prec
    with ctx.workprec(4 * bits + 64):
        step, order, at = arb(2) ** -bits, nu.mid(), z.mid()
        value = (bessel_k(order + step, at) / bessel_k(order - step, at)).log() / (2 * step)
    spread = z.rad() / at + (0 if order.is_zero() else nu.rad() / abs(order))
    return value * arb(1, 4 * spread + arb(2) ** -bits)


def widened(bits: int) -> Any:
    """A ball around 1 of radius 2^-bits."""
    return arb(1, arb(2) ** -bits)


def log1p_mellin(c: Any, *rest: Any) -> Any:
    return line_integral(c, rest, lambda s: 1)


def log1p_mellin_slope(n: Any, c: Any, *rest: Any) -> Any:
    """The derivative by argument n: under the integral sign."""
    place = int(n.unique_fmpz())
    if place == 0:
        return line_integral(c, rest, lambda s: s / c)
    a, alpha, e = rest[place - 1 - (place - 1) % 3 :][:3]
    if place % 3 == 1:
        return line_integral(c, rest, lambda s: e * (acb(a + alpha * s).digamma() - a.digamma()))
    return line_integral(c, rest, lambda s: e * s * acb(a + alpha * s).digamma())


def line_integral(c: Any, rest: Any, weight: Callable[[Any], Any]) -> Any:
    """The line integral that defines core.mellin's functions, by the trapezoidal rule, halving until it settles.

    With s = sigma + i sigma sinh w the integrand decays doubly exponentially, so the rule converges exponentially.
    """
    triples = list(zip(rest[0::3], rest[1::3], rest[2::3], strict=True))
    poles = [float(-a / alpha) for a, alpha, e in triples if e > 0 and alpha < 0]
    bits = ctx.prec
    with ctx.workprec(bits + 40):
        sigma = arb(min([1.0, *poles]) / 2)
        log_c, start = c.log(), sum(e * a.lgamma() for a, _, e in triples)

        def line(w: Any) -> Any:
            s = acb(sigma, sigma * w.sinh())
            moment = sum((int(e.unique_fmpz()) * (acb(a) + alpha * s).lgamma() for a, alpha, e in triples), acb(0))
            product = (log_c * s + moment - start).exp() * weight(s) / (s * s.sin_pi())
            return product.real * sigma * w.cosh() / 2

        def tail(first: Any, stride: Any) -> Any:
            total, largest, w = arb(0), arb(0), first
            for _ in range(1500):
                term = line(w)
                total, largest, w = total + term, largest.max(abs(term).mid()), w + stride
                if not term.is_finite():
                    return arb.nan()
                if abs(term) < largest * arb(2) ** (-bits - 20) and w > 4 * stride:
                    return total
            raise ArithmeticError("the line integral decays too slowly")

        step = arb(1) / 4
        total = line(arb(0)) / 2 + tail(step, step)
        coarse = 2 * step * total
        for _ in range(6):
            total = total + tail(step / 2, step)
            step = step / 2
            fine = 2 * step * total
            if not fine.is_finite():
                return arb.nan()
            if abs(fine - coarse) < abs(fine) * arb(2) ** (-bits // 2 - 8):
                # The error of the halved step is about the square of that of the step.
                return fine * widened(bits)
            coarse = fine
        raise ArithmeticError("the line integral oscillates too fast")


OPERATIONS: dict[str, Callable[..., Any]] = {
    "Pi": arb.pi,
    "Exp1": arb.const_e,
    "EulerGamma": arb.const_euler,
    "Catalan": arb.const_catalan,
    "BooleanTrue": lambda: True,
    "BooleanFalse": lambda: False,
    "Add": lambda *a: reduce(operator.add, a),
    "Mul": lambda *a: reduce(operator.mul, a),
    "power": power,
    "Pow": general_power,
    "sqrt": arb.sqrt,
    "rsqrt": arb.rsqrt,
    "exp": arb.exp,
    "log": arb.log,
    "Abs": abs,
    "sign": arb.sgn,
    "floor": arb.floor,
    "Min": lambda *a: reduce(arb.min, a),
    "Max": lambda *a: reduce(arb.max, a),
    "sin": arb.sin,
    "cos": arb.cos,
    "tan": arb.tan,
    "asin": arb.asin,
    "atan": arb.atan,
    "sinh": arb.sinh,
    "cosh": arb.cosh,
    "tanh": arb.tanh,
    "coth": arb.coth,
    "LogSinhc": log_sinhc,
    "Langevin": langevin,
    "LangevinPrime": langevin_prime,
    "gamma": arb.gamma,
    "loggamma": arb.lgamma,
    "polygamma": polygamma,
    "beta": lambda a, b: (a.lgamma() + b.lgamma() - (a + b).lgamma()).exp(),
    "zeta": lambda s: s.zeta(),
    "ZetaDerivative": zeta_derivative,
    "lowergamma": lambda a, x: x.gamma_lower(a),
    "uppergamma": lambda a, x: x.gamma_upper(a),
    "expint": lambda s, x: x.expint(s),
    "erf": arb.erf,
    "erfc": arb.erfc,
    "polylog": lambda s, x: acb(x).polylog(acb(s)).real,
    "besseli": lambda nu, z: z.bessel_i(nu),
    "besselk": bessel_k,
    "BesselKOrder": bessel_k_order,
    "TricomiU": lambda a, b, z: z.hypgeom_u(a, b),
    "hyper": lambda a, b, z: z.hypgeom(list(a), list(b)),
    "betainc_regularized": lambda a, b, x, y: y.beta_lower(a, b, regularized=1) - x.beta_lower(a, b, regularized=1),
    "Log1pMellin": log1p_mellin,
    "Log1pMellinSlope": log1p_mellin_slope,
    "StrictLessThan": less,
    "LessThan": at_most,
    "StrictGreaterThan": lambda a, b: less(b, a),
    "GreaterThan": lambda a, b: at_most(b, a),
    "Equality": equal,
    "Unequality": lambda a, b: negated(equal(a, b)),
    "And": conjunction,
    "Or": lambda *a: negated(conjunction(*map(negated, a))),
    "Not": negated,
    "Piecewise": piecewise,
}


class Balls:
    """Arb: a result is decided when its radius is."""

    name = "Arb balls"
    operations = OPERATIONS

    def precision(self, bits: int) -> AbstractContextManager[Any]:
        return ctx.workprec(bits)

    def rational(self, numerator: int, denominator: int) -> Any:
        return arb(fmpq(numerator, denominator))

    def double(self, x: float) -> Any:
        return arb(x)

    def decided(self, value: Any, earlier: Any) -> Truth | None:
        """The truth, once GOOD_BITS of it are good, or it is sure to round to 0 or to overflow."""
        if value.is_finite():
            if value.is_zero() or value.abs_upper() < arb(2) ** -1075:
                return ZERO
            if value.rel_accuracy_bits() >= GOOD_BITS:
                mantissa, exponent = value.mid().man_exp()
                return split(int(mantissa), int(exponent))
        return INFINITE if value > arb(2) ** 1100 else None

    def scaled(self, value: Any, exponent: int) -> float:
        """value 2^-exponent, roughly."""
        return float((value * arb(2) ** -exponent).mid())

    def other(self, compute: Callable[..., Any], *arguments: Any) -> Any:
        """A function that Arb lacks, by mpmath, from the balls' midpoints: an estimate, as its radius is."""
        bits = ctx.prec
        with mp.workprec(2 * bits):
            numbers = [mp.ldexp(int(m), int(e)) for m, e in (a.mid().man_exp() for a in arguments)]
            value = compute(*numbers)
        with mp.workprec(bits + 24):
            rough = compute(*numbers)
        mantissa, exponent = int(value.man) * (-1 if value < 0 else 1), int(value.exp)
        spread = abs(rough - value) / abs(value) if value else mp.mpf(0)
        radius = max(a.rad() for a in arguments).max(arb(float(spread))).max(arb(2) ** -bits)
        return arb(fmpz(mantissa)) * arb(2) ** exponent * arb(1, radius)
