"""Distribution functions, from the incomplete normalising integral of the coordinate in which a law is a kernel."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from ..core.family import Distribution
from ..core.sampling import draw
from .flat import Finite
from .invert import invert
from .linear import ONE
from .membership import places
from .normalisers import plain
from .views import Branch, View, views


@dataclass(frozen=True)
class Cumulative:
    """P(X <= x) and P(X > x) for x inside the support, each without the cancellation that the other one has."""

    below: sp.Expr
    above: sp.Expr
    why: str


@lru_cache(maxsize=4096)
def cumulative(p: Distribution, x: sp.Expr) -> Cumulative | None:
    """The masses on both sides of x, an expression for a point inside the support; None where no closed form is known.

    >>> from klsym import Exponential
    >>> cumulative(Exponential.member(""), sp.Symbol("x", positive=True)).below
    1 - exp(-rate*x)
    """
    if p.support.periodic and len(p.values):
        return None
    origin = p.family.origin
    if origin is not None:
        inverse = origin.inverse.xreplace(p.bindings)
        inner = cumulative(p.base, inverse.xreplace({p.family.variable: x}))
        if inner is None or increasing(p, inverse):
            return inner
        return Cumulative(inner.above, inner.below, inner.why)
    for view in views(p):
        if (found := _in_view(p, view, x)) is not None:
            return found
    return None


def between(p: Distribution, lower: sp.Expr | None, upper: sp.Expr | None) -> sp.Expr | None:
    """P(lower < X <= upper), None an end of the support; None where no closed form is known.

    >>> from klsym import Exponential
    >>> between(Exponential(1), sp.Integer(1), sp.Integer(2))
    -exp(-2) + exp(-1)
    """
    found = [None if end is None else cumulative(p, end) for end in (lower, upper)]
    if lower is None or upper is None:
        return getattr(found[0], "above", None) if upper is None else getattr(found[1], "below", None)
    return None if found[0] is None or found[1] is None else found[1].below - found[0].below


def cdf(p: Distribution, x: sp.Expr) -> sp.Expr | None:
    """P(X <= x) for any real x, or None where no closed form is known.

    >>> from klsym import Uniform
    >>> cdf(Uniform(0, 2), sp.Symbol("x", real=True))
    Piecewise((0, x < 0), (x/2, x < 2), (1, True))
    """
    found = cumulative(p, x)
    if found is None:
        return None
    outside = [(sp.S.Zero, x < p.support.lower)] if p.support.lower != -sp.oo else []
    inside = [(found.below, x < p.support.upper)] if p.support.upper != sp.oo else [(found.below, True)]
    return sp.Piecewise(*outside, *inside, *([(ONE, True)] if p.support.upper != sp.oo else []))


@lru_cache(maxsize=4096)
def quantile(p: Distribution, u: sp.Expr) -> sp.Expr | None:
    """The least x with P(X <= x) >= u, 0 < u < 1, where elementary functions and the inverse of erf have it, or None.

    >>> from klsym import Logistic
    >>> quantile(Logistic.member(""), sp.Symbol("u", positive=True))
    mu - s*log(-1 + 1/u)
    """
    if p.support.periodic and len(p.values):
        return None
    origin, x = p.family.origin, p.family.variable
    if origin is not None:
        forward, inverse = (e.xreplace(p.bindings) for e in (origin.forward, origin.inverse))
        inner = quantile(p.base, u if increasing(p, inverse) else 1 - u)
        return None if inner is None else forward.xreplace({x: inner})
    for view in views(p):
        pieces = [_inverse(branch, start, u) for branch, start, _ in _masses(view)]
        if all(piece is not None for piece in pieces):
            *first, last = zip(pieces, _masses(view), strict=True)
            return sp.Piecewise(*((x, u < to) for x, (_, _, to) in first), (last[0], True)) if first else last[0]
    return None


def increasing(p: Distribution, inverse: sp.Expr) -> bool:
    """Whether a monotone function on the support of p grows."""
    rng = random.Random(0)
    values = draw((p,), sp.true, rng) or {}
    place = places(p.subs(values), rng)[0]
    return bool(inverse.xreplace(values).diff(p.family.variable).xreplace({p.family.variable: place}) > 0)


def _in_view(p: Distribution, view: View, x: sp.Expr) -> Cumulative | None:
    """The masses of a view of one branch, or of a left and a right one"""
    pieces = []
    for branch, start, end in _masses(view):
        y = branch.from_x.xreplace({p.family.variable: x})
        sides = [branch.kernel.expect_below(ONE, y), branch.kernel.expect_above(ONE, y)]
        if None in sides:
            return None
        less, more = (known(side * branch.weight) for side in (sides if branch.rising else sides[::-1]))
        where = branch.where.xreplace({p.family.variable: x}) if branch.where != sp.true else sp.true
        pieces.append((start + less, more + (1 - end), where))
    below, above = (
        sp.Piecewise(*((piece[side], piece[2]) for piece in pieces[:-1]), (pieces[-1][side], True)) for side in (0, 1)
    )
    return Cumulative(below, above, f"the incomplete integral of the {view.branches[0].kernel.name} kernel")


def _masses(view: View) -> Iterator[tuple[Branch, sp.Expr, sp.Expr]]:
    """The branches from left to right, each with the masses that lie left of its beginning and of its end."""
    if len(view.branches) == 1:
        yield view.branches[0], sp.S.Zero, ONE
        return
    left, right = sorted(view.branches, key=lambda branch: not isinstance(branch.where, sp.StrictLessThan))
    yield left, sp.S.Zero, left.weight
    yield right, left.weight, ONE


def _inverse(branch: Branch, start: sp.Expr, u: sp.Expr) -> sp.Expr | None:
    """The outcome x of a branch with P(X <= x) = u, the least of an integer one with at least that"""
    y, kernel = branch.y, branch.kernel
    m = sp.Dummy("m", real=True) if y.is_integer else y
    if isinstance(kernel, Finite):
        *first, last = kernel.points
        return sp.Piecewise(*((k, u <= kernel.expect_below(ONE, k)) for k, _ in first), (last[0], True))
    below, above = kernel.expect_below(ONE, y), kernel.expect_above(ONE, y)
    if below is None or above is None:
        return None
    forms = (below, 1 - above) if branch.rising else (above, 1 - below)
    for form in forms:
        found = invert(known(form).xreplace({y: m}), m, (u - start) / branch.weight)
        if found is not None:
            return branch.to_x.xreplace({y: sp.ceiling(found) if y.is_integer else found})
    return None


def known(mass: sp.Expr) -> sp.Expr:
    """The mass in functions a user knows, the arguments of incomplete beta functions as reduced quotients"""
    return plain(mass).replace(sp.betainc, lambda *args: sp.betainc(*map(_quotient, args)))


def _quotient(e: sp.Expr) -> sp.Expr:
    return sp.cancel(sp.together(e)) if e.is_rational_function(*e.free_symbols) else e
