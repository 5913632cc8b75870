"""Closed forms of numbers as balls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from ..backends.balls import TABLE
from ..core.primitive import PRIMITIVES
from ..oracles.balls.walker import Walker

Ball = Any

# Functions of real constants, as compiled code has them: the primitives that are a SymPy function by themselves.
REAL: dict[str, Callable[..., Ball]] = {
    primitive.spec.__name__: TABLE[name]
    for name, primitive in PRIMITIVES.items()
    if isinstance(primitive.spec, type) and name in TABLE
}


def constant(e: sp.Expr) -> Ball:
    """A real number as a ball, at the working precision; Unspelled where there is no spelling."""
    return Walker(sp.Dummy("x", real=True), functions=REAL).ball(e)
