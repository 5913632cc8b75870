"""Hill-climbing from the worst points of a sweep: random points understate the worst case by a factor of 2 to 3."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .measure import Measured, join
from .points import Rng
from .subject import Points, Subject

SURVIVORS, CHILDREN = 32, 6
# Above this a sweep has found a form that cancels: there is no hill to climb.
HOPELESS = 1e6


def climb(
    subject: Subject, measure: Callable[[Points], Measured], sweep: Measured, budget: int, rng: Rng, until: float
) -> Measured:
    """What was found at about `budget` points around the worst of the sweep, around the worst of those, and so on."""
    best = fittest(sweep)
    visited = [sweep[:0]]
    while sum(map(len, visited)) < budget and time.monotonic() < until and len(best):
        if not best.errors.max() < HOPELESS:
            break
        children = mutated(subject, np.repeat(best.points, CHILDREN, axis=0), rng)
        if not len(children):
            break
        found = measure(children)
        visited.append(found)
        best = fittest(join([best, found]))
    return join(visited)


def fittest(found: Measured) -> Measured:
    """The distinct points with the largest errors."""
    errors = found.errors
    order = np.argsort(-np.nan_to_num(errors, nan=-1.0), kind="stable")
    order = order[~np.isnan(errors[order])][: 4 * SURVIVORS]
    _, first = np.unique(found.points[order], axis=0, return_index=True)
    return found[order[np.sort(first)][:SURVIVORS]]


def mutated(subject: Subject, points: Points, rng: Rng) -> Points:
    """Each point changed in one way: P and Q together, the gap between them, a few ulps, the scale."""
    n, width = points.shape
    way, column = rng.integers(0, 4, n), rng.integers(0, width, n)
    factor = 10.0 ** (rng.normal(0, 0.3, n) * 10.0 ** rng.integers(-4, 1, n))
    sign = np.where(rng.random(n) < 0.1, -1.0, 1.0)
    changed = points.copy()
    for index, parameter in enumerate(subject.parameters):
        x = changed[:, index]
        member = subject.same and index < subject.of_both
        twin = (index + subject.of_p) % subject.of_both if member else index
        x[(way == 0) & ((column == index) | (column == twin))] *= factor[
            (way == 0) & ((column == index) | (column == twin))
        ]
        if member and index >= subject.of_p:
            p = changed[:, index - subject.of_p]
            x[:] = np.where(
                (way == 1) & (column % subject.of_p == index % subject.of_p), p + (x - p) * factor * sign, x
            )
        few = rng.integers(-8, 9, n) * np.spacing(np.abs(x).astype(subject.rule.dtype))
        x += np.where((way == 2) & (column == index), few, 0.0)
        if parameter.domain.lower >= 0 and parameter.domain.upper != 1 and index < subject.of_both:
            x *= np.where(way == 3, factor, 1.0)
        if parameter.domain.integer:
            x[:] = np.rint(x)
    subject.impose(changed)
    changed = subject.rule.rounded(changed)
    return changed[subject.valid(changed) & bounded(subject, changed)]


def bounded(subject: Subject, points: Points) -> NDArray[np.bool_]:
    """The rows that stay in the ranges that the sets are drawn from."""
    inside = np.ones(len(points), bool)
    for x, parameter in zip(points.T, subject.parameters, strict=True):
        if parameter.domain.upper != 1:
            inside &= np.abs(x) <= 1e8
            inside &= (x == 0) | (np.abs(x) >= 1e-8)
    return inside
