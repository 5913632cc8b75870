"""Where on the line the mass of a mixture lies: stretches of it, each in a coordinate in which densities are smooth.

A stretch from a finite end a is x = a + e^t or a - e^t, the whole line x = c + sinh(t), the integers x = t. In t, a
power singularity at an end and a power tail are exponentials, and a component has one peak.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import minimize_scalar

from ..core.family import Distribution
from ..core.mixture import Mixture
from ..oracles.integrand import compiled
from .law import atom_of

# How far t goes: e^t and e^-t are then still doubles.
REACH = 690.0
FAR = 1e15
STEPS = np.concatenate([[0.0], np.geomspace(1e-9, 2 * REACH, 400)])
LOWEST = -1e100
COUNTS = np.unique(np.concatenate([np.arange(256.0), np.floor(np.geomspace(256, 2 * FAR, 600))]))


@dataclass(frozen=True)
class Stretch:
    """x = anchor + direction * e^t for direction 1 or -1, anchor + sinh(t) for 0; t itself where it counts integers.

    `first` and `last` bound t; the components with mass there are given by their places. `inside` is one of its points,
    and `top` the exact t at which it meets its neighbour, if it does.
    """

    anchor: sp.Expr
    direction: int
    counted: bool
    first: float
    last: float
    ours: tuple[int, ...]
    inside: sp.Expr
    top: sp.Expr = sp.oo

    def x(self, t: Any) -> Any:
        """x in doubles."""
        if self.counted:
            return t
        return float(self.anchor) + (self.direction * np.exp(t) if self.direction else np.sinh(t))

    def log_slope(self, t: Any) -> Any:
        """log |dx/dt| in doubles."""
        if self.counted:
            return 0.0 * t
        return t if self.direction else np.logaddexp(t, -t) - np.log(2)


@lru_cache(maxsize=1024)
def log_density(d: Distribution) -> Callable[[Any], Any]:
    """The log density as a function of arrays of doubles; -inf where there is none."""
    place, low, high = atom_of(d), float(d.support.lower), float(d.support.upper)
    if place is not None:
        return lambda x: np.where(x == float(place), 0.0, -np.inf)
    body = sp.lambdify(d.family.variable, d.log_density().evalf(25), modules=["scipy", "numpy"])

    def at(x: Any) -> Any:
        with np.errstate(all="ignore"):
            inside = (x >= low) & (x <= high)
            value = np.asarray(body(np.where(inside, x, np.nan)), dtype=float) + 0 * x
            return np.where(inside & ~np.isnan(value), value, -np.inf)

    return at


def stretches(p: Mixture, q: Mixture, drop: float) -> list[Stretch]:
    """The support of P cut where a component of P or Q begins or ends, each with the range of t that matters.

    What is left out is where each component of P, in t, is less than exp(-drop) of its peak.
    """
    members = (*p.components, *q.components)
    ends = sorted({e for d in members for e in (d.support.lower, d.support.upper)}, key=float)
    if p.discrete:
        ends = [sp.Min(*(d.support.lower for d in p.components)), sp.Max(*(d.support.upper for d in p.components))]
    found = []
    for low, high in pairwise(ends):
        ours = tuple(i for i, d in enumerate(p.components) if d.support.lower < high and d.support.upper > low)
        if p.discrete:
            ours = tuple(range(len(p.components)))
        for stretch in _cut(low, high, ours, p) if ours else ():
            spans = [extent(stretch, p.components[i], drop) for i in ours]
            first, last = min(a for a, _ in spans), max(b for _, b in spans)
            found.append(replace(stretch, first=first, last=last))
    return found


def own(stretch: Stretch, d: Distribution) -> Stretch:
    """The whole line seen from the component's own centre, where doubles resolve it; another stretch as it is."""
    if stretch.direction or stretch.counted:
        return stretch
    places = sorted(landmarks(d), key=float)
    return replace(stretch, anchor=places[len(places) // 2] if places else sp.S.Zero)


def extent(stretch: Stretch, d: Distribution, drop: float) -> tuple[float, float]:
    """The range of the stretch's own t in which the component matters."""
    seen = own(stretch, d)
    ends = span(seen, d, drop)
    if seen == stretch:
        return ends
    first, last = (float(np.arcsinh(seen.x(t) - float(stretch.anchor))) for t in ends)
    return first, last


def _cut(low: sp.Expr, high: sp.Expr, ours: tuple[int, ...], p: Mixture) -> list[Stretch]:
    if p.discrete:
        return [Stretch(sp.S.Zero, 0, True, max(float(low), -FAR), min(float(high), FAR), ours, sp.S.Zero)]
    if low.is_finite and high.is_finite:
        top, inside = sp.log((high - low) / 2), (low + high) / 2
        return [Stretch(end, way, False, -REACH, float(top), ours, inside, top) for end, way in ((low, 1), (high, -1))]
    if low.is_finite or high.is_finite:
        end, way = (low, 1) if low.is_finite else (high, -1)
        return [Stretch(end, way, False, -REACH, REACH, ours, end + way)]
    places = sorted((z for i in ours for z in landmarks(p.components[i])), key=float)
    centre = places[len(places) // 2] if places else sp.S.Zero
    return [Stretch(centre, 0, False, -REACH, REACH, ours, centre)]


def landmarks(d: Distribution) -> tuple[sp.Expr, ...]:
    """Where an expression in the log density that is linear in the outcome vanishes: a mode, a kink or an end."""
    return compiled(d.family.variable, (d.log_density(),)).zeros


def peak(stretch: Stretch, d: Distribution) -> tuple[float, float]:
    """The t and the height of the component's highest point on the stretch, the Jacobian counted."""
    at, steps = height(stretch, d), COUNTS if stretch.counted else STEPS
    grid = np.concatenate([-steps[:0:-1], steps]) + np.clip(0.0, stretch.first, stretch.last)
    grid = np.unique(np.clip(grid, stretch.first, stretch.last))
    values = at(grid)
    best = int(np.argmax(values))
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    if around[0] < around[1]:
        finer = minimize_scalar(
            lambda t: -max(float(at(np.float64(t))), LOWEST),
            bounds=around,
            method="bounded",
            options={"xatol": 1e-12 * (1 + abs(around[1]))},
        )
        if -finer.fun > values[best]:
            return float(finer.x), float(-finer.fun)
    return float(grid[best]), float(values[best])


def height(stretch: Stretch, d: Distribution) -> Callable[[Any], Any]:
    """The log density in t; next to an end other than 0, which doubles do not resolve, by its slope before."""
    level, anchor = log_density(d), abs(float(stretch.anchor))

    def seen(t: Any) -> Any:
        with np.errstate(all="ignore"):
            return level(stretch.x(t)) + stretch.log_slope(t)

    if not stretch.direction or not anchor:
        return seen
    edge = np.float64(min(np.log(anchor) - 20, stretch.last - 4))
    low, high = seen(edge), seen(edge + 4)
    slope = (high - low) / 4 if np.isfinite(low) else 0.0

    def extended(t: Any) -> Any:
        return np.where(t < edge, seen(edge) + slope * (t - edge), seen(np.maximum(t, edge)))

    return extended


def span(stretch: Stretch, d: Distribution, drop: float) -> tuple[float, float]:
    """The first and last t at which the component is within exp(-drop) of its peak, a little beyond."""
    centre, top = peak(stretch, d)
    at, found = height(stretch, d), []
    steps = COUNTS if stretch.counted else STEPS
    for way, end in ((-1, stretch.first), (1, stretch.last)):
        walked = np.unique(np.clip(centre + way * steps, min(centre, end), max(centre, end)))[::way]
        matters = np.flatnonzero(at(walked) > top - drop)
        found.append(float(walked[min(matters[-1] + 1, len(walked) - 1)]) if matters.size else centre)
    return (float(np.floor(found[0])), float(np.ceil(found[1]))) if stretch.counted else (found[0], found[1])
