"""Constants in double-double: `python -m klsym.backends.double_double.fit` writes coefficients.py anew."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpmath as mp

DIGITS = 60


def pair(x: Any) -> tuple[float, float]:
    """The two doubles nearest to a number.

    >>> with mp.workprec(120):
    ...     pair(1 + mp.mpf(2) ** -80) == (1.0, 2.0**-80)
    True
    """
    return float(x), float(x - float(x))


def cut(x: Any, bits: int) -> list[float]:
    """The number as a sum of doubles of so many bits, so that their products with small integers are exact."""
    parts: list[float] = []
    for _ in range(6):
        _, exponent = mp.frexp(x)
        part = mp.ldexp(mp.floor(mp.ldexp(x, bits - exponent)), exponent - bits)
        parts.append(float(part))
        x -= part
    return parts


def constants() -> Iterator[tuple[str, str, Any]]:
    """Name, meaning and value of each pair, and of the doubles that make up a third part."""
    log_2 = cut(mp.log(2) / 64, 36)[0]
    root = mp.findroot(mp.digamma, 1.46)
    yield "LN2", "log 2", pair(mp.log(2))
    yield "LN2_64", "log(2)/64 to 36 bits, and the rest", log_2
    yield "LN2_64_TAIL", "", pair(mp.log(2) / 64 - log_2)
    yield "LOG_2PI", "log(2 pi)", pair(mp.log(2 * mp.pi))
    yield "HALF_LOG_2PI", "log(2 pi)/2", pair(mp.log(2 * mp.pi) / 2)
    yield "EULER_GAMMA", "Euler's constant", pair(+mp.euler)
    yield "INVERSE_SQRT_PI", "1/sqrt(pi)", pair(1 / mp.sqrt(mp.pi))
    yield "DIGAMMA_ROOT", "the positive root of digamma (DLMF 5.4.19), and the rest", pair(root)
    yield "DIGAMMA_ROOT_TAIL", "", float(root - sum(mp.mpf(part) for part in pair(root)))


def tables() -> Iterator[tuple[str, str, list[Any]]]:
    """Name, meaning and entries of each table of pairs; coefficients begin with the lowest."""
    bernoulli = [mp.bernoulli(2 * k + 2) for k in range(24)]
    yield "EXP_TABLE", "2^(j/64) - 1, j = -32 ... 32", [mp.expm1(mp.log(2) * j / 64) for j in range(-32, 33)]
    yield "LOG_TABLE", "-log(j/128), j = 90 ... 182", [-mp.log(mp.mpf(j) / 128) for j in range(90, 183)]
    yield "EXP_TAIL", "(e^x - 1 - x)/x^2", [1 / mp.factorial(k + 2) for k in range(21)]
    yield "ATANH", "(atanh(s)/s - 1)/z, z = s^2", [mp.mpf(1) / (2 * k + 3) for k in range(18)]
    yield "SIN", "(sin(x)/x - 1)/z, z = x^2", [(-1) ** (k + 1) / mp.factorial(2 * k + 3) for k in range(14)]
    yield "COS", "(cos(x) - 1)/z, z = x^2", [(-1) ** (k + 1) / mp.factorial(2 * k + 2) for k in range(15)]
    yield "STIRLING", "of lgamma: DLMF 5.11.1", [b / ((2 * k + 2) * (2 * k + 1)) for k, b in enumerate(bernoulli)]
    yield "DIGAMMA", "of log - digamma: DLMF 5.11.2", [b / (2 * k + 2) for k, b in enumerate(bernoulli)]
    yield "BERNOULLI", "B_(2 k + 2)", bernoulli


def text() -> str:
    """The source of coefficients.py."""
    lines = ['"""Written by `python -m klsym.backends.double_double.fit`; a row is the two doubles of a number."""', ""]
    lines += ["# fmt: off", "", "import numpy as np", ""]
    with mp.workdps(DIGITS):
        parts = ", ".join(map(repr, cut(mp.pi / 2, 32)))
        lines += ["# pi/2 in parts of 32 bits", "PI_HALF = np.array((", *_rows(parts), "))", ""]
        for name, meaning, value in constants():
            lines += [f"# {meaning}"] if meaning else []
            lines += [f"{name} = {value!r}", ""]
        for name, meaning, entries in tables():
            pairs = ", ".join(str(pair(entry)) for entry in entries)
            lines += [f"# {meaning}", f"{name} = np.array((", *_rows(pairs), "))", ""]
    return "\n".join(lines)


def _rows(numbers: str) -> list[str]:
    return textwrap.wrap(numbers, 112, initial_indent="    ", subsequent_indent="    ")


if __name__ == "__main__":
    Path(__file__).with_name("coefficients.py").write_text(text(), encoding="utf-8")
