"""Coefficients of the kernels' polynomials, by interpolation at Chebyshev points in 60 digits.

`python -m klsym.backends.kernels.fit` writes coefficients.py anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mpmath as mp

Function = Callable[[Any], Any]

DIGITS = 60


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


def exp_tail(x: Any) -> Any:
    """(e^x - 1 - x)/x^2."""
    return mp.hyp1f1(1, 3, x) / 2


def log_tail(z: Any) -> Any:
    """t/z where log(m) = f - s (f - t), f = m - 1, s = f/(m + 1), z = s^2."""
    s = mp.sqrt(z)
    return 2 * (mp.atanh(s) / s - 1) / z


def split(x: Any, bits: int) -> tuple[float, float]:
    """x as the sum of two doubles, the first of so many bits."""
    with mp.workprec(bits):
        head = +x
    return float(head), float(x - head)


def tables() -> Iterator[tuple[str, str, list[float]]]:
    """Name, meaning, and coefficients, highest first."""

    def row(name: str, meaning: str, coefficients: list[Any]) -> tuple[str, str, list[float]]:
        return name, meaning, [float(c) for c in reversed(coefficients)]

    yield row(
        "ATANH", "(log(b/a)/r - 1)/q, q = r^2 <= 36/25, r = 2 (b - a)/(a + b)", interpolant(atanh_tail, 0, 1.44, 16)
    )
    yield row("EXP", "(e^x - 1 - x)/x^2, |x| <= 21/20", interpolant(exp_tail, -1.05, 1.05, 16))
    yield row(
        "LOG", "2 (atanh(s)/s - 1)/z, z = s^2 <= 0.0295, |s| <= 3 - 2 sqrt(2)", interpolant(log_tail, 0, 0.0295, 8)
    )


def pairs() -> Iterator[tuple[str, str, tuple[float, float]]]:
    """Name, meaning, and a constant in two doubles."""
    yield "LN2", "log 2; the first has 40 bits, so that its product with an exponent is exact", split(mp.log(2), 40)


def text() -> str:
    """The source of coefficients.py."""
    lines = [
        '"""Written by `python -m klsym.backends.kernels.fit`; polynomials have the highest coefficient first."""',
        "",
    ]
    with mp.workdps(DIGITS):
        for name, meaning, (head, tail) in pairs():
            lines += [f"# {meaning}", f"{name}, {name}_TAIL = {head!r}, {tail!r}", ""]
        for name, meaning, coefficients in tables():
            lines += [f"# {meaning}", f"{name} = (", *(f"    {c!r}," for c in coefficients), ")", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    Path(__file__).with_name("coefficients.py").write_text(text(), encoding="utf-8")
