"""The sum of exp(log mass) times a factor over integers as a ball, the tail of a series included."""

from __future__ import annotations

import math
from typing import Any

import sympy as sp

from ...core.ball import flint
from .ends import End, Infinite, Integrand, Refused, signed_sum
from .walker import Point

Ball = Any
MOST_TERMS = 100_000


def total(f: Integrand, condition: Any, lower: sp.Expr, upper: sp.Expr, bits: int) -> Ball | Infinite:
    """The sum over the integers from lower to upper where the condition holds; Refused where there is no proof."""
    lower, upper, condition = _within(f.x, condition, lower, upper)
    if lower != -sp.oo and upper != sp.oo:
        first, last = int(sp.ceiling(lower)), int(sp.floor(upper))
        return _terms(f, condition, first, 1, 0, last - first)
    if condition != sp.true:
        raise Refused("where the condition holds in a series is not known")
    if lower == -sp.oo and upper == sp.oo:
        return signed_sum([_series(f, 0, 1, bits), _series(f, -1, -1, bits)])
    return _series(f, int(sp.ceiling(lower)), 1, bits) if upper == sp.oo else _series(f, int(sp.floor(upper)), -1, bits)


def _within(x: sp.Symbol, condition: Any, lower: sp.Expr, upper: sp.Expr) -> tuple[sp.Expr, sp.Expr, Any]:
    """The range without the integers that comparisons of x with numbers exclude, and what is left of the condition."""
    left = []
    for relation in sp.And.make_args(condition):
        strict = isinstance(relation, (sp.StrictGreaterThan, sp.StrictLessThan))
        if not isinstance(relation, (sp.Ge, sp.Gt, sp.Le, sp.Lt)):
            left.append(relation)
        elif relation.gts == x and relation.lts.is_number:
            lower = sp.Max(lower, sp.floor(relation.lts) + 1 if strict else sp.ceiling(relation.lts))
        elif relation.lts == x and relation.gts.is_number:
            upper = sp.Min(upper, sp.ceiling(relation.gts) - 1 if strict else sp.floor(relation.gts))
        else:
            left.append(relation)
    return lower, upper, sp.And(*left)


def _series(f: Integrand, first: int, direction: int, bits: int) -> Ball | Infinite:
    """The sum over first, first + direction, ... without end."""
    anchor = 0 if first * direction >= 0 else first
    end = End(f, sp.Integer(anchor), direction, 1, counted=True).cut(bits)
    if end.start > math.log(MOST_TERMS):
        raise Refused(f"more than {MOST_TERMS} terms of the sum are needed")
    start = abs(first - anchor)
    # What is bounded, or diverges, are the terms from the cut on.
    inside = _terms(f, sp.true, anchor, direction, start, max(start, math.ceil(math.exp(end.start))))
    return end if isinstance(end, Infinite) else inside + flint().arb(0, end.beyond)


def _terms(f: Integrand, condition: Any, anchor: int, direction: int, first: int, last: int) -> Ball:
    """The sum over x = anchor + direction k for k from first to last."""
    if last - first > MOST_TERMS:
        raise Refused(f"{last - first + 1} terms are too many")
    acb, walker = flint().acb, f.walker(sp.Integer(anchor), direction)
    log_mass, g, holds = walker.function(f.log_density), walker.function(f.factor), walker.truth(condition)
    sums = acb(0)
    for k in range(first, last + 1):
        at = Point(acb(k))
        counted = holds(at)
        if counted is None:
            raise Refused(f"whether {condition} holds at {anchor + direction * k} is not known")
        if counted:
            sums += log_mass(at).exp() * g(at)
    if not (sums.is_finite() and sums.imag.contains(0)):
        raise Refused(f"a term between {anchor + direction * first} and {anchor + direction * last} has no finite ball")
    return sums.real
