"""The integral of exp(log density) times a factor as a ball, all that lies beyond the cuts included.

Arb integrates what is analytic on finite ranges (Johansson, Numerical integration in arbitrary-precision ball
arithmetic, ICMS 2018). Towards an infinite end, or one where something is singular, a piece is seen in y, the distance
from its finite end, and what lies beyond a cut in log y is bounded by `growth`.
"""

from __future__ import annotations

from collections.abc import Callable
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
    far = outer.log if outer is not None else walker.ball(width).log()
    if not singular:
        light = outer is None or (isinstance(outer, Cut) and outer.slope > LIGHT * 0.69 * bits)
        y = far.exp()
        inside = (
            _inside(f, walker, _plain, arb(0), y, bits) if light else _inside(f, walker, _sinh, arb(0), y.asinh(), bits)
        )
        return signed_sum([inside, *_beyond(outer)])
    inner = End(f, anchor, direction, -1).cut(bits, far)
    if not inner.log < far:
        raise Refused(f"what is near {anchor} and what is far from it overlap")
    return signed_sum([_inside(f, walker, _exp, inner.log, far, bits), *_beyond(outer), *_beyond(inner)])


def _beyond(cut: Cut | Infinite | None) -> list[Ball | Infinite]:
    return [flint().arb(0, cut.beyond) if isinstance(cut, Cut) else cut] if cut is not None else []


# Of t: y, log y where it is known apart, and dy/dt where it is neither 1 nor y.
Coordinate = Callable[[Ball], tuple[Ball, Ball | None, Ball | None]]


def _plain(t: Ball) -> tuple[Ball, Ball | None, Ball | None]:
    return t, None, None


def _sinh(t: Ball) -> tuple[Ball, Ball | None, Ball | None]:
    return t.sinh(), None, t.cosh()


def _exp(t: Ball) -> tuple[Ball, Ball | None, Ball | None]:
    return t.exp(), t, None


def _inside(f: Integrand, walker: Any, coordinate: Coordinate, first: Ball, last: Ball, bits: int) -> Ball:
    acb, tolerance = flint().acb, flint().arb(2) ** -bits
    log_weight, g = walker.sum(f.log_density, coordinate is _exp), walker.function(f.factor)

    def integrand(t: Ball, analytic: bool) -> Ball:
        y, log_y, slope = coordinate(t)
        at = Point(y, analytic, log_y)
        weight = log_weight(at).exp() * g(at)
        return weight if slope is None else weight * slope

    value = acb.integral(integrand, acb(first), acb(last), abs_tol=tolerance, rel_tol=tolerance, eval_limit=EVALUATIONS)
    if not (value.is_finite() and value.imag.contains(0)):
        raise Refused(f"the integral from {walker.anchor} on has no finite ball")
    return value.real
