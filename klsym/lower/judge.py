"""How far off a line is as a rule: its estimated error at random arguments, by its own lines in many digits."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import mpmath as mp
import sympy as sp

from ..core.primitive import PRIMITIVES
from ..core.program import Line, needed
from .errors import INFINITE, Errors

# Digits to compute in, and random points, every other one with Q this near to P.
DIGITS, POINTS, NEAR = 60, 40, mp.mpf(10) ** -9


def typical_error(errors: Errors, result: str, pairs: Mapping[sp.Symbol, sp.Expr]) -> float:
    """The median of a line's estimated relative error, in eps, to two digits: it is the same on every machine.

    `pairs` has what each argument that moves is at P = Q.
    """
    error, draw, found = errors.error(result), random.Random(0), []
    lines = needed(errors.build.lines, (result, error))
    with mp.workdps(DIGITS):
        for k in range(POINTS):
            values = {name: _number(draw) for name in errors.build.arguments}
            for q, p in pairs.items():
                base = values[p.name] if isinstance(p, sp.Symbol) else mp.mpf(int(p))
                step = _number(draw) * (1 if p == 0 else draw.choice((-1, 1)))
                values[q.name] = base + step * NEAR if k % 2 else values[q.name]
            try:
                _run(lines, values)
                found.append(values[error] / abs(values[result]))
            except (ZeroDivisionError, ValueError, ArithmeticError):
                found.append(mp.inf)
        sizes = [size if mp.im(size) == 0 and not mp.isnan(size) else mp.inf for size in found]
        median = sorted(sizes)[POINTS // 2]
        return float(mp.nstr(median, 2)) if mp.isfinite(median) else INFINITE


def _number(draw: random.Random) -> Any:
    """A number in the unit interval, where every domain has some of its numbers, that no formula is special at."""
    return mp.mpf(draw.randint(11, 89)) / 97


def _run(lines: Sequence[Line], values: dict[str, Any]) -> None:
    for line in lines:
        if line.primitive == "constant":
            values[line.name] = _constant(line.constant)
        else:
            function = _function(line.primitive, len(line.arguments))
            values[line.name] = function(*(values[name] for name in line.arguments))


@cache
def _function(primitive: str, arity: int) -> Callable[..., Any]:
    names = sp.symbols(f"v:{arity}", real=True)
    return sp.lambdify(names, PRIMITIVES[primitive].spec(*names), "mpmath")


def _constant(text: str) -> Any:
    named = {"inf": mp.inf, "-inf": mp.ninf, "nan": mp.nan, "true": True, "false": False, "pi": +mp.pi, "e": +mp.e}
    named |= {"euler_gamma": +mp.euler, "catalan": +mp.catalan}
    above, _, below = text.partition("/")
    return named[text] if text in named else mp.mpf(above) / mp.mpf(below or 1)
