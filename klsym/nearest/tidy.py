"""Values as one would write them, without search: quotients cancelled, sums expanded where that is shorter."""

from __future__ import annotations

import sympy as sp

MOST = 60  # operations: cancelling what is larger takes long


def tidy(value: sp.Expr) -> sp.Expr:
    """The value with each rational part cancelled.

    >>> a, b = sp.symbols("a b", positive=True)
    >>> tidy(sp.sqrt((a**2 + a) / b**2 - a**2 / b**2))
    sqrt(a)/b
    """
    if value.is_Atom or value.is_number:
        return value
    inner = value.func(*map(tidy, value.args))
    if not inner.is_Add:
        return inner
    if inner.count_ops() <= MOST and inner.is_rational_function():
        inner = min(inner, sp.cancel(inner), key=sp.count_ops)
    expanded = sp.expand(inner)
    return expanded if sp.count_ops(expanded) < sp.count_ops(inner) else inner
