"""Truths that need no formula: those of the Jensen-Shannon distance, and of what has all its mass at one outcome."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np

from ...core.family import Distribution
from . import array_truth
from .array_truth import Plain, arguments
from .laws import Point as Mass
from .pair import Pair, Point

# The square of a distance is told from 0 for relative gaps from 1e-16 on by many fewer.
DIGITS = 120
SAID = {"jensenshannon": "the definition at 120 digits", "kl": "absolute continuity, and the definition at one outcome"}


def known(pair: Pair) -> bool:
    return pair.quantity == "jensenshannon" or isinstance(pair.law("p"), Mass)


def value(pair: Pair, point: Point) -> Plain:
    with mp.workdps(DIGITS):
        found = _distance(point) if pair.quantity == "jensenshannon" else _at_one_outcome(pair, point)
        return array_truth.plain(found, abs(found))


def room(pair: Pair, point: Point) -> float:
    """What an error of an eps in the square does to the distance."""
    if pair.quantity != "jensenshannon":
        return 0.0
    with mp.workdps(DIGITS):
        distance = _distance(point)
        return float(min(1 / distance, mp.mpf(10) ** 300)) if distance else math.inf


def _distance(point: Point) -> mp.mpf:
    """The root of the mean divergence from the mean, of weights over their sums.

    >>> float(_distance([[0.0, 1.0], [5e-324, 1.0]])), round(float(_distance([[0.0, 1.0], [1.0, 0.0]])) ** 2, 15)
    (1.3085492146388467e-162, 0.693147180559945)
    """
    p, q = ([Fraction(x) / sum(map(Fraction, side)) for x in side] for side in point)
    terms = [x * _log(2 * x / (x + y)) for pair in zip(p, q, strict=True) for x, y in (pair, pair[::-1]) if x]
    return mp.sqrt(mp.fsum(terms) / 2)


def _log(x: Fraction) -> Any:
    return mp.log(mp.mpf(x.numerator) / x.denominator)


def _at_one_outcome(pair: Pair, point: Point) -> mp.mpf:
    """Infinite unless Q has mass there too: then minus the logarithm of it."""
    given = arguments(pair, point)
    p, q = (form.exact(given[side]) for side, form in pair.sides.items())
    assert isinstance(p, Mass)
    if isinstance(q, Mass):
        return mp.mpf(0) if np.array_equal(p.at, q.at) else mp.inf
    assert isinstance(q, Distribution)
    if not q.family.discrete:
        return mp.inf
    mass = q.log_density().subs(q.family.variable, p.at)
    return -mp.mpf(mass.evalf(DIGITS))
