"""Whether the divergence of two mixtures of scalar distributions is finite, from supports and tails."""

from __future__ import annotations

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.family import Distribution
from ..core.mixture import Mixture
from ..derive.linear import ONE
from ..derive.tails import End, Growth, converges, tail

Outcome = tuple[Boolean | None, str]
# A density that is positive at a point, in e^-t, the distance from it.
INSIDE = Growth(0, ONE, -sp.S.One)


def finiteness(p: Mixture, q: Mixture) -> Outcome:
    """true, false or None (not known), and the reason in words.

    log q is at least the logarithm of each component's share, so that one component of Q that reaches a place of P
    is enough there. Places are the ends of the support of a component of P, and the ends of Q's within it.
    """
    results = [_component(d, q.components) for d in p.components]
    for wanted in (sp.false, None):
        for verdict, why in results:
            if verdict == wanted:
                return verdict, why
    return sp.true, ""


def _component(d: Distribution, others: tuple[Distribution, ...]) -> Outcome:
    if gap := _gap(d, others):
        return sp.false, gap
    for place in dict.fromkeys(x for e in (d, *others) for x in (e.support.lower, e.support.upper)):
        for end in ("lower", "upper"):
            verdict = _at(d, others, place, end)
            if verdict == sp.false:
                return sp.false, f"E[log q] under {d} diverges at {place}"
            if verdict is None:
                return None, f"the growth of the densities at {place} is not known"
    return sp.true, ""


def _gap(d: Distribution, others: tuple[Distribution, ...]) -> str:
    """Where d has mass and none of the others has."""
    reached, upper = d.support.lower, d.support.upper
    step = 1 if d.family.discrete else 0
    for other in sorted(others, key=lambda o: float(o.support.lower)):
        if _less(reached, other.support.lower):
            break
        beyond = other.support.upper + step
        reached = beyond if _less(reached, beyond) else reached
    if not _less(reached, upper + step):
        return ""
    where = f"at {reached}" if step and reached == d.support.lower else f"above {reached - step}"
    return f"{d} has mass {where}, where no component of Q has"


def _at(d: Distribution, others: tuple[Distribution, ...], place: sp.Expr, end: End) -> Boolean | None:
    """Whether E_d |log q| converges on the side of the place that the end of a support there would have."""
    lower, upper = d.support.lower, d.support.upper
    inner = not (_less(place, lower) or _less(upper, place)) and place != (upper if end == "lower" else lower)
    if not inner or (d.family.discrete and place.is_finite):
        return sp.true
    verdicts = [_reaches(d, other, place, end) for other in others if _covers(other, place, end)]
    return sp.true if sp.true in verdicts else None if None in verdicts else sp.false


def _covers(other: Distribution, place: sp.Expr, end: End) -> bool:
    low, high = other.support.lower, other.support.upper
    if end == "lower":
        return not _less(place, low) and _less(place, high)
    return _less(low, place) and not _less(high, place)


def _reaches(d: Distribution, other: Distribution, place: sp.Expr, end: End) -> Boolean | None:
    own = other.support.lower if end == "lower" else other.support.upper
    if own != place or (d.support.periodic and other.support.periodic):
        return sp.true
    mine = d.support.lower if end == "lower" else d.support.upper
    verdict = converges(tail(d, end, True) if mine == place else INSIDE, tail(other, end, False))
    return verdict if verdict in (sp.true, sp.false, None) else None


def _less(a: sp.Expr, b: sp.Expr) -> bool:
    return bool((a < b) == sp.true)
