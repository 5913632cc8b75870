"""Coefficients of the kernels' polynomials, by interpolation at Chebyshev points in 60 digits.

`python -m klsym.backends.kernels.fit` writes coefficients.py anew.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mpmath as mp

Function = Callable[[Any], Any]

DIGITS = 60

SHIFT = mp.mpf(11) / 16  # of Stirling's variable, v = 1/(y + SHIFT): with it one polynomial serves all y >= 1

POINTS = 36  # on half of the circle


def interpolant(f: Function, low: Any, high: Any, terms: int) -> list[Any]:
    """The coefficients, lowest first, of the polynomial that equals f at the Chebyshev points of [low, high]."""
    centre, radius = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    points = [mp.cos(mp.pi * (2 * i + 1) / (2 * terms)) for i in range(terms)]
    powers = mp.matrix(terms, terms)
    for i, point in enumerate(points):
        for j in range(terms):
            powers[i, j] = (centre + radius * point) ** j
    return list(mp.lu_solve(powers, mp.matrix([f(centre + radius * point) for point in points])))


def atanh_tail(q: Any) -> Any:
    """T/q where log(b/a) = 2 atanh(r/2) = r (1 + T), r = (b - a)/((a + b)/2), q = r^2."""
    s = mp.sqrt(q) / 2
    return (mp.atanh(s) / s - 1) / q


def atanh_curve(q: Any) -> Any:
    """(T - q/12)/q^2 of the same T."""
    return (atanh_tail(q) - mp.mpf(1) / 12) / q


def exp_tail(x: Any) -> Any:
    """(e^x - 1 - x)/x^2."""
    return mp.hyp1f1(1, 3, x) / 2


def log_tail(z: Any) -> Any:
    """t/z where log(m) = f - s (f - t), f = m - 1, s = f/(m + 1), z = s^2."""
    s = mp.sqrt(z)
    return 2 * (mp.atanh(s) / s - 1) / z


def pow_tail(z: Any) -> Any:
    """(atanh(s)/s - 1 - z/3)/z^2, z = s^2."""
    s = mp.sqrt(z)
    return (mp.atanh(s) / s - 1 - z / 3) / z**2


def binet_curve(v: Any) -> Any:
    """S''(y)/v^3 at y = 1/v - SHIFT: S(y) is lgamma(y) less (y - 1/2) log y - y + log(2 pi)/2 (DLMF 5.11.1)."""
    y = 1 / v - SHIFT
    return (mp.psi(1, y) - 1 / y - 1 / (2 * y**2)) / v**3


def lgamma_quotient(z: Any) -> Any:
    """lgamma(t)/((t - 1)(t - 2)), t = z + 7/4."""
    t = z + mp.mpf(7) / 4
    return mp.loggamma(t) / ((t - 1) * (t - 2))


def sine_tail(z: Any) -> Any:
    """(sin(x)/x - 1)/z, z = x^2."""
    x = mp.sqrt(z)
    return (mp.sin(x) / x - 1) / z


def cosine_tail(z: Any) -> Any:
    """(cos x - 1 + z/2)/z^2, z = x^2."""
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2


def bessel_curve(v: Any) -> Any:
    """S''(x)/v^3 at x = 1/v, where S(x) = log I0(x) - x + log(2 pi x)/2, and (log I0)' = I1/I0 (DLMF 10.29.3)."""
    ratio = mp.besseli(1, 1 / v) / mp.besseli(0, 1 / v)
    return (1 - v * ratio - ratio**2 - v**2 / 2) / v**3


def antiderivative(curve: list[Any]) -> list[Any]:
    """The coefficients of S/v from those of S''/v^3, where v'(x) = -v^2."""
    return [c / ((m + 1) * (m + 2)) for m, c in enumerate(curve)]


def split(x: Any, bits: int) -> tuple[float, float]:
    """x as the sum of two doubles, the first of so many bits."""
    with mp.workprec(bits):
        head = +x
    return float(head), float(x - head)


def tables() -> Iterator[tuple[str, str, list[float]]]:
    """Name, meaning, and coefficients, highest first."""

    def row(name: str, meaning: str, coefficients: list[Any]) -> tuple[str, str, list[float]]:
        return name, meaning, [float(c) for c in reversed(coefficients)]

    atanh, meaning = (
        interpolant(atanh_tail, 0, mp.mpf(4) / 9, 10),
        "(log(b/a)/r - 1)/q, q = r^2 <= 4/9, r = 2 (b - a)/(a + b)",
    )
    yield row("ATANH_EVEN", f"{meaning}: the even powers of q", atanh[::2])
    yield row("ATANH_ODD", "the odd powers, over q", atanh[1::2])
    near = interpolant(atanh_tail, 0, mp.mpf(4) / 25, 7)
    yield row("ATANH_NEAREST", "the same for q <= 4/25, where a and b are within a factor of 3/2", near)
    meaning = "(log(b/a)/r - 1 - q/12)/q^2, q = r^2 <= 3/25"
    yield row("ATANH_CURVE", meaning, interpolant(atanh_curve, 0, 0.12, 8))
    yield row("EXP", "(e^x - 1 - x)/x^2, |x| <= 21/20", interpolant(exp_tail, -1.05, 1.05, 16))
    yield row("EXP_SINGLE", "the same for single precision, |x| <= 8/5", interpolant(exp_tail, -1.6, 1.6, 9))
    yield row("EXP_NARROW", "the same for |x| <= 7/20, to 2^-27", interpolant(exp_tail, -0.35, 0.35, 5))
    yield row(
        "LOG", "2 (atanh(s)/s - 1)/z, z = s^2 <= 0.0295, |s| <= 3 - 2 sqrt(2)", interpolant(log_tail, 0, 0.0295, 8)
    )
    yield row("POW", "(atanh(s)/s - 1 - z/3)/z^2, z = s^2 <= 0.0295", interpolant(pow_tail, 0, 0.0295, 8))
    curve = interpolant(binet_curve, 0, 1 / (1 + SHIFT), 18)  # of S''/v^3, whose error is that of every remainder
    binet = antiderivative(curve)
    yield row("BINET", "S/v, with S(y) = lgamma(y) - (y - 1/2) log y + y - log(2 pi)/2, v = 1/(y + 11/16)", binet)
    yield row("BINET_SLOPE", "-S'/v^2", [(m + 1) * c for m, c in enumerate(binet)])
    yield row("BINET_CURVE", "S''/v^3", curve)
    quotient = interpolant(lgamma_quotient, -0.5, 0.5, 21)
    yield row("LGAMMA", "lgamma(t)/((t - 1)(t - 2)), in t - 7/4, 5/4 <= t <= 9/4", quotient)
    reach = (mp.pi / 4) ** 2 * mp.mpf(1001) / 1000
    yield row("SIN", "(sin(x)/x - 1)/z, z = x^2, |x| <= pi/4", interpolant(sine_tail, 0, reach, 7))
    yield row("COS", "(cos x - 1 + z/2)/z^2, z = x^2, |x| <= pi/4", interpolant(cosine_tail, 0, reach, 7))
    curve = interpolant(bessel_curve, 0, mp.mpf(1) / 12, 22)
    bessel = antiderivative(curve)
    yield row("BESSEL", "S/v, with S(x) = log I0(x) - x + log(2 pi x)/2, v = 1/x, x >= 12", bessel)
    yield row("BESSEL_SLOPE", "-S'/v^2", [(m + 1) * c for m, c in enumerate(bessel)])
    yield row("BESSEL_CURVE", "S''/v^3", curve)
    taylor = [1 / mp.factorial(k) ** 2 for k in range(1, 28)]
    yield row("I0_SERIES", "(I0(x) - 1)/y, y = x^2/4 <= 36: DLMF 10.25.2", taylor)
    taylor = [1 / (mp.factorial(k) * mp.factorial(k + 1)) for k in range(28)]
    yield row("I1_SERIES", "2 I1(x)/x, y = x^2/4 <= 36: DLMF 10.25.2", taylor)
    taylor = [mp.binomial(2 * k, k) / (2 * mp.factorial(k + 1) ** 2) for k in range(40)]
    yield row("VARIANCE_SERIES", "I0(x)^2 (I1/I0)'(x) = I0 (I0 + I2)/2 - I1^2, by DLMF 10.31.3", taylor)
    points = [2 * mp.sin((2 * j + 1) * mp.pi / (4 * POINTS)) ** 2 for j in range(POINTS)]
    yield row("CIRCLE", f"1 - cos at the midpoints of {2 * POINTS} parts of the circle; each occurs twice", points)


def constants() -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Names, meaning, and values."""
    log_2 = split(mp.log(2), 40)
    yield "LN2, LN2_TAIL", "log 2; the first has 40 bits, so that its product with an exponent is exact", log_2
    meaning = "the same for single precision"
    yield "LN2_SINGLE, LN2_SINGLE_TAIL", meaning, split(mp.log(2), 24)
    yield "THIRD, THIRD_TAIL", "1/3", split(mp.mpf(1) / 3, 53)
    head, _rest = split(mp.pi / 2, 37)
    middle, tail = split(mp.pi / 2 - head, 37)
    meaning = "pi/2; products of the first two, of 37 bits, with integers up to 2^16 are exact"
    yield "RIGHT, RIGHT_MIDDLE, RIGHT_TAIL", meaning, (head, middle, tail)
    root = mp.findroot(mp.digamma, 1.46)
    yield "DIGAMMA_ROOT, DIGAMMA_ROOT_TAIL", "the positive root of digamma: DLMF 5.4.19", split(root, 53)
    yield "HALF_LOG_2PI", "log(2 pi)/2", (float(mp.log(2 * mp.pi) / 2),)
    yield "CIRCLE_SCALE", f"2 pi/{POINTS}^2", (float(2 * mp.pi / POINTS**2),)


def text() -> str:
    """The source of coefficients.py."""
    lines = [
        '"""Written by `python -m klsym.backends.kernels.fit`; polynomials have the highest coefficient first."""',
        "",
    ]
    with mp.workdps(DIGITS):
        for names, meaning, values in constants():
            lines += [f"# {meaning}", f"{names} = {', '.join(map(repr, values))}", ""]
        for name, meaning, coefficients in tables():
            numbers = textwrap.wrap(", ".join(map(repr, coefficients)).replace("e+", "e") + ",", 112)
            lines += [f"# {meaning}", f"{name} = (", *(f"    {line}" for line in numbers), ")  # fmt: skip", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    Path(__file__).with_name("coefficients.py").write_text(text(), encoding="utf-8")
