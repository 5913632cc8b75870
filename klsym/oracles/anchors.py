"""Where to look from: the anchors that cut an interval into rays, found exactly or by a search."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import mpmath as mp
import sympy as sp
from mpmath.libmp import NoConvergence
from sympy.logic.boolalg import Boolean

from .integrand import Integrand, compiled, number
from .ray import Ray


def cut(integrand: Integrand, condition: Boolean, anchors: list[sp.Expr], bits: int) -> list[Ray]:
    """The surveyed rays between neighbouring anchors."""
    rays = [ray for left, right in pairwise(anchors) for ray in _pair(integrand, left, right, condition, bits)]
    for ray in rays:
        ray.survey()
    return rays


def exact(integrand: Integrand, condition: Boolean, lower: sp.Expr, upper: sp.Expr) -> list[sp.Expr]:
    """The ends of the interval and the zeros of linear subexpressions."""
    return ordered([lower, upper, *integrand.zeros, *_bounds(integrand, condition).zeros], lower, upper)


def searched(integrand: Integrand, condition: Boolean, rays: list[Ray], turns: bool) -> list[sp.Expr]:
    """Narrow peaks and, on the first round, sign changes of nonlinear arguments."""
    found = [point for ray in rays for point in _narrow(ray, rays)]
    if turns:
        for turn in dict.fromkeys([*integrand.turns, *_bounds(integrand, condition).turns]):
            found += _crossings(compiled(integrand.variable, (turn,), integrand.bindings), rays)
    return found


def _bounds(integrand: Integrand, condition: Boolean) -> Integrand:
    return compiled(integrand.variable, (sp.Piecewise((1, condition), (0, True)),))


def ordered(points: list[sp.Expr], lower: sp.Expr, upper: sp.Expr) -> list[sp.Expr]:
    """The distinct points of the closed interval, in order; two ends at infinity get a point between them."""
    low, high = number(lower), number(upper)
    known = {number(p): p for p in points if low <= number(p) <= high}
    if len(known) == 2 and mp.isinf(low) and mp.isinf(high):
        known[mp.mpf(0)] = sp.S.Zero
    return [known[value] for value in sorted(known)]


def _pair(integrand: Integrand, left: sp.Expr, right: sp.Expr, condition: Boolean, bits: int) -> list[Ray]:
    """The rays that cover the interval between two neighbouring anchors."""
    middle = (left + right) / 2 if left != -sp.oo and right != sp.oo else right - 1 if right != sp.oo else left + 1
    holds = condition.xreplace({integrand.variable: middle}) == sp.true
    top = mp.inf if middle != (left + right) / 2 else mp.log(number((right - left) / 2))
    sides = [(left, 1)] * (left != -sp.oo) + [(right, -1)] * (right != sp.oo)
    return [Ray(integrand, anchor, direction, top, holds, bits) for anchor, direction in sides]


def _narrow(ray: Ray, rays: list[Ray]) -> list[sp.Expr]:
    """Peaks of the ray that are narrow in s: a ray from there would see them at their own width."""
    found = []
    for index in (1, 2):
        highest = max((level for r in rays for _, level in _levels(r, index)), default=mp.ninf)
        levels = _levels(ray, index)
        edge = [] if ray.top == mp.inf else [(ray.top, mp.ninf)]
        for before, here, after in zip(levels, levels[1:], [*levels[2:], *edge], strict=False):
            if not before[1] <= here[1] > after[1] or mp.isinf(here[1]) or abs(here[0]) > 10**6:
                continue
            height = partial(_height, ray, index)
            s, level = _climb(height, before[0], after[0])
            if level < highest - 200:
                continue
            sides = [height(s + d) for d in (-0.2, 0.2)]
            if all(side is not None and side < level - 2 for side in sides):
                with mp.workprec(ray.precision(s)):
                    found.append(ray.anchor + ray.direction * _rational(mp.exp(s)))
    return found


def _levels(ray: Ray, index: int) -> list[tuple[mp.mpf, mp.mpf]]:
    return [(sample[0], level) for sample in ray.samples if (level := sample[index]) is not None]


def _height(ray: Ray, index: int, s: mp.mpf) -> mp.mpf | None:
    return ray.sample(s)[index]


def _climb(height: Callable[[mp.mpf], mp.mpf | None], low: mp.mpf, high: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
    """The place and height of a maximum between two points, by golden section."""
    golden = (mp.sqrt(5) - 1) / 2
    a, b = high - golden * (high - low), low + golden * (high - low)
    fa, fb = height(a), height(b)
    for _ in range(120):
        if fa is None or fb is None or (abs(fa - fb) < 0.01 and high - low < 0.2):
            break
        if fa >= fb:
            high, b, fb = b, a, fa
            a = high - golden * (high - low)
            fa = height(a)
        else:
            low, a, fa = a, b, fb
            b = low + golden * (high - low)
            fb = height(b)
    if fa is None or fb is None:
        return low, mp.ninf
    return (a, fa) if fa >= fb else (b, fb)


def _crossings(turn: Integrand, rays: list[Ray]) -> list[sp.Expr]:
    """Where an argument of Abs, Max or a condition changes sign, between samples of the rays."""
    found = []
    for ray in rays:
        point = turn.at(ray.anchor, ray.direction)
        for (low, *_), (high, *_) in pairwise(ray.samples):
            if max(abs(low), abs(high)) < 1000 and _sign(point, low) * _sign(point, high) < 0:
                for _ in range(ray.bits):
                    middle = (low + high) / 2
                    low, high = (middle, high) if _sign(point, middle) == _sign(point, low) else (low, middle)
                found.append(ray.anchor + ray.direction * _rational(mp.exp(low)))
    return found


def _sign(point: Callable[[mp.mpf], list], s: mp.mpf) -> int:
    try:
        value = point(mp.exp(s))[0]
    except (OverflowError, ValueError, ZeroDivisionError, NoConvergence):
        return 0
    return 0 if isinstance(value, mp.mpc) or mp.isnan(value) else int(mp.sign(value))


def _rational(value: mp.mpf) -> sp.Rational:
    sign, mantissa, exponent, _ = value._mpf_
    return sp.Integer(int(-mantissa if sign else mantissa)) * sp.S(2) ** exponent
