"""Values at the closed ends of a domain, by continuity: 0 log 0 = 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from .exact import Exact


def at(expr: Any, values: Mapping[sp.Symbol, sp.Expr]) -> Any:
    """The expression with the values put in, where a product of 0 and a logarithm of 0 is 0.

    >>> p, q = sp.symbols("p q", positive=True)
    >>> at(p * sp.log(p / q) - sp.log(q), {p: sp.S.Zero, q: sp.S.Half})
    log(2)
    """
    values = dict(values)
    try:
        direct = expr.xreplace(values)
    except OverflowError:
        # SymPy factors the integers of a rational in a power; those of python-flint it cannot beyond 1e308.
        values = {old: Exact(new) if new.is_Rational and not new.is_Integer else new for old, new in values.items()}
        direct = expr.xreplace(values)
    return _at(expr, values) if direct.has(sp.nan, sp.zoo) else direct


def _at(expr: Any, values: dict[sp.Symbol, sp.Expr]) -> Any:
    if not expr.args:
        return expr.xreplace(values)
    arguments = [_at(argument, values) for argument in expr.args]
    if isinstance(expr, sp.log) and arguments[0] == 0:
        return -sp.oo
    if expr.is_Mul and sp.S.Zero in arguments:
        unbounded = [old for old, new in zip(expr.args, arguments, strict=True) if new.is_finite is not True]
        if all(_logarithmic(factor) for factor in unbounded):
            return sp.S.Zero
    return expr.func(*arguments)


def _logarithmic(factor: Any) -> bool:
    """Whether the factor can be infinite only as a power of a logarithm, or a sum of such, is."""
    if factor.is_Add:
        return all(_logarithmic(term) for term in factor.args)
    return all(isinstance(f.as_base_exp()[0], sp.log) or not f.has(sp.log) for f in sp.Mul.make_args(factor))
