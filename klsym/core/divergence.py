"""A divergence as its definition over two log densities and two expectations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

Operator = Callable[[sp.Expr], sp.Expr]


@dataclass(frozen=True)
class Divergence:
    """A number that compares two distributions.

    `define(log_p, log_q, P, Q)` is an expression in which `P` and `Q` are the expectations under
    the two distributions. `axioms` names what holds for every pair, and is what the property
    tests try: "nonnegative", "zero-on-diagonal", "bijection-invariant", "jointly-convex", "symmetric".
    """

    name: str
    notation: str
    define: Callable[[sp.Expr, sp.Expr, Operator, Operator], sp.Expr]
    axioms: frozenset[str] = frozenset()
    arity: int = 2
