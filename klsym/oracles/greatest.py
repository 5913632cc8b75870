"""The greatest value of a concave function on the unit interval, from values alone."""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp
import sympy as sp

from ..core.value import Value
from .quadrature import precision

_ROUNDS = 60


def greatest(function: Callable[[sp.Expr], Value], digits: int) -> Value:
    """The supremum over 0 < order < 1 of a concave function of the order, each value with its own radius.

    By parabolas through three points around the greatest value, and halving where they do not help (Brent, Algorithms
    for Minimization without Derivatives, chapter 5). What the last parabola says is missing is added to the radius.
    """
    known: dict[sp.Rational, Value] = {}

    def at(order: sp.Rational) -> mp.mpf:
        known[order] = function(order)
        return known[order].mid

    with mp.workprec(precision(digits)):
        left, middle, right = (sp.Rational(k, 4) for k in (1, 2, 3))
        heights = {order: at(order) for order in (left, middle, right)}
        if (doubt := next((v for v in known.values() if not v.vouched or mp.isinf(v.mid)), None)) is not None:
            return doubt
        for _ in range(_ROUNDS):
            if heights[middle] < max(heights[left], heights[right]):
                # The greatest lies beyond: halve the way to that end.
                outer = left if heights[left] > heights[right] else right
                following = outer / 2 if outer == left else (outer + 1) / 2
                left, middle, right = (following, left, middle) if outer == left else (middle, right, following)
                heights[following] = at(following)
                continue
            following, gain = _vertex(left, middle, right, heights)
            best = known[middle]
            if gain <= mp.mpf(10) ** -(digits + 2) * abs(best.mid) or heights[middle] == 0:
                note = f"the greatest is at {mp.nstr(mp.mpf(middle.p) / middle.q, 10)}"
                return Value(best.mid, best.rad + gain, best.proof, note)
            heights[following] = at(following)
            inside = sorted((left, middle, right, following))
            top = max(range(1, 3), key=lambda i: heights[inside[i]])
            left, middle, right = inside[top - 1 : top + 2]
    return Value(heights[middle], mp.inf, "estimate", f"not the greatest value for certain after {_ROUNDS} orders")


def _vertex(
    left: sp.Rational, middle: sp.Rational, right: sp.Rational, heights: dict[sp.Rational, mp.mpf]
) -> tuple[sp.Rational, mp.mpf]:
    """The vertex of the parabola through three points, or the middle of the longer side, and what it gains."""
    a, b, c = (mp.mpf(x.p) / x.q for x in (left, middle, right))
    fa, fb, fc = (heights[x] for x in (left, middle, right))
    first, second = (fb - fa) / (b - a), (fc - fb) / (c - b)
    bend = (second - first) / (c - a)
    longer = (left + middle) / 2 if middle - left > right - middle else (middle + right) / 2
    if bend >= 0:
        return longer, abs(fb)
    vertex = (a + b) / 2 - first / (2 * bend)
    slope = first + bend * (b - a)
    gain = slope**2 / (-4 * bend)
    exact = sp.Rational(int(mp.nint(mp.ldexp(vertex, 60))), 2**60)
    return (exact, gain) if left < exact < right and exact != middle else (longer, gain)
