"""Panels of half lines, halved until they and their halves agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .nodes import Array, Nodes, Rays
from .rules import NODES, at_sums, gauss

# In t a panel begins no longer than that: e^t changes by e^8.
_LONGEST = 8.0
_DEEPEST = 60
_MOST = 2000  # panels that one element halves at a time: rounding, not the integrand, is what does not settle
_TOLERANCE = 1e-13
_EPSILON = 2.0**-52

Panels = tuple[NDArray[np.int64], Array, Array]  # ray, first t, and length (of sums the level j of 2^j)


def begun(spans: Sequence[Array], discrete: bool) -> Panels:
    """The first panels of each ray: from one edge or mode to the next."""
    marks = np.concatenate(list(spans))
    if discrete:
        marks[2::3] += 1.0  # the last integer counts
    marks = np.sort(marks, axis=0)  # NaN last
    rays, firsts, lengths = [np.empty(0, np.int64)], [np.empty(0)], [np.empty(0)]
    for low, high in zip(marks[:-1], marks[1:], strict=True):
        kept = np.flatnonzero(high > low)
        start, length = low[kept], (high - low)[kept]
        if discrete:
            _powers(kept, start, length, rays, firsts, lengths)
            continue
        pieces = np.ceil(length / _LONGEST).astype(np.int64)
        ray, number = np.repeat(kept, pieces), np.concatenate([np.arange(n) for n in pieces] or [np.arange(0)])
        size = np.repeat(length / pieces, pieces)
        rays.append(ray)
        firsts.append(np.repeat(start, pieces) + number * size)
        lengths.append(size)
    return np.concatenate(rays), np.concatenate(firsts), np.concatenate(lengths)


def _powers(
    ray: NDArray[np.int64], start: Array, length: Array, rays: list[NDArray[np.int64]], firsts: list[Array], lengths: list[Array]
) -> None:
    """So many integers as runs of powers of two, the longest an eighth of them at most, or as many as nodes."""
    start, left = start.copy(), length.copy()
    largest = np.maximum(np.floor(np.log2(np.maximum(length, 1.0))) - 3, np.log2(NODES))
    while ray.size:
        level = np.minimum(np.floor(np.log2(left)), largest)
        rays.append(ray)
        firsts.append(start)
        lengths.append(level)
        start, left = start + np.exp2(level), left - np.exp2(level)
        kept = left >= 1.0
        ray, start, left, largest = ray[kept], start[kept], left[kept], largest[kept]


def total(at: Nodes, rays: Rays, panels: Panels, size: int, discrete: bool, both: bool) -> Array:
    """For each element: the integral, its estimated error, the integral of its size, and the masses of P and Q."""
    ray, first, length = panels
    sums = np.zeros((5, size))
    whole = _applied(at, rays, ray, first, length, discrete)
    for _ in range(_DEEPEST):
        if not ray.size:
            return sums
        if discrete:
            short = length <= np.log2(NODES)
            _add(sums, rays.element[ray[short]], whole[:, short], 0.0)
            ray, first, length, whole = (a[..., ~short] for a in (ray, first, length, whole))
            shorter, second = length - 1, first + np.exp2(length - 1)
        else:
            shorter = length / 2
            second = first + shorter
        element = rays.element[ray]
        halves = [_applied(at, rays, ray, start, shorter, discrete) for start in (first, second)]
        both_halves = halves[0] + halves[1]
        gap = abs(both_halves - whole)
        value = sums[0] + np.bincount(element, both_halves[0], size)
        sizes = sums[2] + np.bincount(element, both_halves[1], size)
        allowed = np.maximum(_TOLERANCE * abs(value), 4 * _EPSILON * sizes)[element]
        mass = _TOLERANCE * 10
        fine = (gap[0] <= allowed) & (gap[2] <= mass) & ((gap[3] <= mass) | (not both))
        fine |= ~np.isfinite(gap[0]) | (np.bincount(element[~fine], minlength=size) > _MOST)[element]
        _add(sums, element[fine], both_halves[:, fine], gap[0][fine])
        rest = ~fine
        ray, length = np.concatenate([ray[rest]] * 2), np.concatenate([shorter[rest]] * 2)
        first = np.concatenate([first[rest], second[rest]])
        whole = np.concatenate([half[:, rest] for half in halves], axis=1)
    np.add.at(sums[1], rays.element[ray], np.inf)
    return sums


def _add(sums: Array, element: NDArray[np.int64], found: Array, gap: Array | float) -> None:
    size = sums.shape[1]
    rows = (found[0], gap + np.zeros(element.size), found[1], found[2], found[3])
    for total, row in zip(sums, rows, strict=True):
        total += np.bincount(element, row, size)


def _applied(
    at: Nodes, rays: Rays, ray: NDArray[np.int64], first: Array, length: Array, discrete: bool
) -> Array:
    """The rule on each panel: of the integrand, its size, and the masses of P and Q."""
    if discrete:
        t, weights = at_sums(first, length.astype(np.int64))
    else:
        nodes, weights = gauss()
        t, weights = first[:, None] + length[:, None] * nodes, length[:, None] * weights
    return at.sums(rays[ray], t, weights)
