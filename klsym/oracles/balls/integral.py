"""The integral of exp(log density) times a factor as a ball, all that lies beyond the cuts included.

Arb integrates what is analytic on finite ranges (Johansson, Numerical integration in arbitrary-precision ball
arithmetic, ICMS 2018). Towards an infinite end, or one where something is singular, a piece is seen in y, the distance
from its finite end, and what lies beyond a cut in log y is bounded by `growth`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp

from ...core.ball import flint
from .ends import COARSE, Cut, End, Infinite, Integrand, Refused, signed_sum
from .pieces import Piece, pieces
from .walker import Point

Ball = Any
EVALUATIONS = 60_000
# From this share of the slope of an exponential on, an end is light enough for y itself as the coordinate.
LIGHT = 0.7


def integral(f: Integrand, condition: Any, lower: sp.Expr, upper: sp.Expr, bits: int) -> Ball | Infinite:
    """The integral over where the condition holds; Refused where there is no proof."""
    with flint().ctx.workprec(COARSE):
        found = pieces(f.walker(), (f.log_density, f.factor, condition), lower, upper)
    return signed_sum([_over(f, piece, bits) for piece in found])


def _over(f: Integrand, piece: Piece, bits: int) -> Ball | Infinite:
    log_density, factor, holds = piece.expressions
    if log_density == -sp.oo or holds == sp.false or factor == 0:
        return flint().arb(0)
    if holds != sp.true:
        raise Refused("where the condition holds is not known")
    f = replace(f, log_density=log_density, factor=factor)
    if factor.has(sp.oo, -sp.oo, sp.zoo, sp.nan):
        return _infinite(f, piece)
    lower, upper = piece.lower, piece.upper
    sides = [(end, way) for end, way in ((lower, 1), (upper, -1)) if end.is_finite is not False]
    if len(sides) == 1:
        return _from(f, *sides[0], None, _singular(f, *sides[0]), bits)
    singular = [side for side in sides if _singular(f, *side)]
    if len(singular) == 2:
        return signed_sum([_from(f, *side, (upper - lower) / 2, True, bits) for side in singular])
    return _from(f, *(singular or sides)[0], upper - lower, bool(singular), bits)


def _infinite(f: Integrand, piece: Piece) -> Infinite:
    """A factor that is infinite on a whole piece, where there is mass."""
    terms = set(sp.Add.make_args(f.factor))
    density = f.walker().ball(f.log_density.xreplace({f.x: piece.inside}))
    if not density.is_finite() or (sp.oo in terms) == (-sp.oo in terms) or f.factor.has(sp.nan, sp.zoo):
        raise Refused(f"the factor has no value between {piece.lower} and {piece.upper}")
    return Infinite(1 if sp.oo in terms else -1, f"the factor is infinite between {piece.lower} and {piece.upper}")


def _singular(f: Integrand, anchor: sp.Expr, direction: int) -> bool:
    """Whether density and factor are not known to be analytic about the anchor."""
    acb, arb = flint().acb, flint().arb
    with flint().ctx.workprec(COARSE):
        walker, tiny = f.walker(anchor, direction), arb(0, 2.0**-20)
        at = Point(acb(tiny, tiny), analytic=True)
        return not all(walker.function(e)(at).is_finite() for e in (f.log_density, f.factor))


def _from(
    f: Integrand, anchor: sp.Expr, direction: int, width: sp.Expr | None, singular: bool, bits: int
) -> Ball | Infinite:
    """The integral over x = anchor + direction y, 0 < y < width, in y or in log y."""
    arb, walker = flint().arb, f.walker(anchor, direction)
    outer = End(f, anchor, direction, 1).cut(bits) if width is None else None
    if isinstance(outer, Infinite):
        return outer
    far = outer.log if outer is not None else walker.ball(width).log()
    if not singular and (outer is None or outer.slope > LIGHT * 0.69 * bits):
        return _inside(f, walker, arb(0), far.exp(), False, bits) + _within(outer)
    inner = End(f, anchor, direction, -1).cut(bits)
    if isinstance(inner, Infinite):
        return inner
    if not inner.log < far:
        raise Refused(f"what is near {anchor} and what is far from it overlap")
    return _inside(f, walker, inner.log, far, True, bits) + _within(outer) + _within(inner)


def _within(cut: Cut | None) -> Ball:
    return flint().arb(0, cut.beyond) if cut is not None else flint().arb(0)


def _inside(f: Integrand, walker: Any, first: Ball, last: Ball, logarithmic: bool, bits: int) -> Ball:
    acb, tolerance = flint().acb, flint().arb(2) ** -bits
    log_density, factor = walker.function(f.log_density), walker.function(f.factor)

    def in_y(y: Ball, analytic: bool) -> Ball:
        at = Point(y, analytic)
        return log_density(at).exp() * factor(at)

    def in_log_y(s: Ball, analytic: bool) -> Ball:
        at = Point(s.exp(), analytic, s)
        return (log_density(at) + s).exp() * factor(at)

    value = acb.integral(
        in_log_y if logarithmic else in_y,
        acb(first),
        acb(last),
        abs_tol=tolerance,
        rel_tol=tolerance,
        eval_limit=EVALUATIONS,
    )
    if not (value.is_finite() and value.imag.contains(0)):
        raise Refused(f"the integral from {walker.anchor} on has no finite ball")
    return value.real
