"""Functions with a kink: what they are on either side of the place where a monotone function passes a number."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .linear import ONE, Combination, combine, linear


@dataclass(frozen=True)
class Kink:
    """A function that is one combination where u(y) < t, another where u(y) > t; `below` is that of the smaller y."""

    u: sp.Expr
    t: sp.Expr
    below: Combination
    above: Combination


def kinked(atom: sp.Expr, y: sp.Symbol) -> Kink | None:
    """|u - t|, or a function of two pieces, as what it is on either side; u is monotone"""
    if isinstance(atom, sp.Abs):
        difference = linear(atom.args[0], y)
        pieces = [combine([(difference, -ONE)]), difference]
    elif isinstance(atom, sp.Piecewise) and len(atom.args) == 2 and atom.args[0].cond.is_Relational:
        (first, relation), (second, _) = atom.args
        difference = linear(relation.gts - relation.lts, y)
        pieces = [linear(second, y), linear(first, y)]
    else:
        return None
    terms = {a: c for a, c in difference.items() if a != ONE}
    if len(terms) != 1 or not set(terms.values()) <= {ONE, -ONE}:
        return None
    ((u, slope),) = terms.items()
    if (slope == 1) != _increasing(u, y):
        pieces.reverse()
    return Kink(u, -difference.get(ONE, sp.S.Zero) / slope, *pieces)


def _increasing(u: sp.Expr, y: sp.Symbol) -> bool:
    return not (isinstance(u, sp.log) and linear(u.args[0], y).get(y) == -1)


def inverse(u: sp.Expr, y: sp.Symbol, t: sp.Expr) -> sp.Expr | None:
    """y with u(y) = t, for u = y, exp(y) or log(c + y), log(c - y)"""
    if u in (y, sp.exp(y)):
        return t if u == y else sp.log(t)
    terms = linear(u.args[0], y) if isinstance(u, sp.log) else {}
    if y not in terms or not set(terms) <= {ONE, y}:
        return None
    return (sp.exp(t) - terms.get(ONE, sp.S.Zero)) / terms[y]
