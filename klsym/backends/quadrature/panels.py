"""Panels of half lines, halved until each and its halves agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .nodes import Array, Nodes, Rays
from .rules import NODES, at_sums, gauss

# In t a panel begins no longer than that: y changes by e^8.
_LONGEST = 8.0
_DEEPEST = 60
# Panels that one element halves at a time: beyond that rounding, not the integrand, is what does not settle.
_MOST = 2000
_TOLERANCE = 1e-13
_MASS = 2e-13
_EPSILON = 2.0**-52


@dataclass(frozen=True)
class Panels:
    """Each on a ray, from `first` on; `length` is that in t, and of sums the j of 2^j integers."""

    ray: NDArray[np.int64]
    first: Array
    length: Array

    def __getitem__(self, rows: Any) -> Panels:
        return Panels(self.ray[rows], self.first[rows], self.length[rows])

    def halves(self, discrete: bool) -> tuple[Panels, Panels]:
        """Both halves of each."""
        shorter = self.length - 1 if discrete else self.length / 2
        second = self.first + (np.exp2(shorter) if discrete else shorter)
        return Panels(self.ray, self.first, shorter), Panels(self.ray, second, shorter)

    @staticmethod
    def joined(parts: list[Panels]) -> Panels:
        return Panels(
            np.concatenate([part.ray for part in parts]),
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.length for part in parts]),
        )


def begun(marks: Array, discrete: bool) -> Panels:
    """The first panels of each ray: from one mark to the next, as rows; NaN is no mark."""
    marks = np.sort(marks, axis=0)  # NaN last
    parts = [Panels(np.empty(0, np.int64), np.empty(0), np.empty(0))]
    for low, high in pairwise(marks):
        ray = np.flatnonzero(high > low)
        parts += (_powers if discrete else _pieces)(ray, low[ray], (high - low)[ray])
    return Panels.joined(parts)


def _pieces(ray: NDArray[np.int64], start: Array, length: Array) -> Iterator[Panels]:
    """Equal panels, none too long."""
    count = np.ceil(length / _LONGEST).astype(np.int64)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    size = np.repeat(length / count, count)
    yield Panels(np.repeat(ray, count), np.repeat(start, count) + number * size, size)


def _powers(ray: NDArray[np.int64], start: Array, length: Array) -> Iterator[Panels]:
    """So many integers as runs of powers of two, the longest an eighth of them at most, or as many as nodes."""
    largest = np.maximum(np.floor(np.log2(np.maximum(length, 1.0))) - 3, np.log2(NODES))
    while ray.size:
        level = np.minimum(np.floor(np.log2(length)), largest)
        yield Panels(ray, start, level)
        start, length = start + np.exp2(level), length - np.exp2(level)
        kept = length >= 1.0
        ray, start, length, largest = ray[kept], start[kept], length[kept], largest[kept]


class Sums:
    """For each element the integrals, those of their sizes, the masses of P and Q, and how far integrals are in doubt.

    Each a row of `parts`: so many integrals, as many sizes, and two masses; and `doubt` has a row for each integral.
    `settled` are the panels, with the parts of each. The first integral may be `signed`: 0 where nothing else is.
    """

    def __init__(self, rows: int, size: int, signed: bool) -> None:
        self.count, self.size, self.signed = rows // 2 - 1, size, signed
        self.settled: list[tuple[Panels, Array]] = []
        self.parts, self.doubt = np.zeros((rows, size)), np.zeros((self.count, size))

    def add(self, panels: Panels, element: NDArray[np.int64], found: Array, doubt: Array) -> None:
        """Panels that are settled."""
        self.settled.append((panels, found))
        self.parts += self.by_element(element, found)
        self.doubt += self.by_element(element, doubt)

    def fine(self, element: NDArray[np.int64], finer: Array, gap: Array) -> NDArray[np.bool_]:
        """Whether the gaps are nothing beside the integrals so far: of the first its value, of derivatives their size.

        A derivative may be 0 where nothing else is.
        """
        n = self.count
        known = (self.parts + self.by_element(element, finer))[: 2 * n]
        allowed = _TOLERANCE * known[n:]
        if not self.signed:
            allowed[0] = np.maximum(_TOLERANCE * abs(known[0]), 4 * _EPSILON * known[n])
        return np.logical_and.reduce(gap[:n] <= allowed[:, element])

    def by_element(self, element: NDArray[np.int64], found: Array) -> Array:
        return np.array([np.bincount(element, row, self.size) for row in found], dtype=float)


def total(
    nodes: Nodes, rays: Rays, panels: Panels, size: int, discrete: bool, both: bool, signed: bool = False
) -> Sums:
    """The integral for each of so many elements.

    A panel counts as its halves do once these and it agree; the difference is then what they may be off. Sums over no
    more integers than nodes are exact.
    """
    whole = applied(nodes, rays, panels, discrete)
    sums = Sums(len(whole), size, signed)
    n = sums.count
    for _ in range(_DEEPEST):
        if discrete:
            short = panels.length <= np.log2(NODES)
            sums.add(panels[short], rays.element[panels.ray[short]], whole[:, short], np.zeros((n, int(short.sum()))))
            panels, whole = panels[~short], whole[:, ~short]
        if not panels.ray.size:
            return sums
        element, halves = rays.element[panels.ray], panels.halves(discrete)
        parts = [applied(nodes, rays, half, discrete) for half in halves]
        finer = parts[0] + parts[1]
        gap = abs(finer - whole)
        fine = sums.fine(element, finer, gap)
        fine &= (gap[-2] <= _MASS) & ((gap[-1] <= _MASS) | (not both))
        fine |= ~np.isfinite(gap[:n]).all(axis=0) | (np.bincount(element[~fine], minlength=size) > _MOST)[element]
        sums.add(panels[fine], element[fine], finer[:, fine], gap[:n, fine])
        panels = Panels.joined([half[~fine] for half in halves])
        whole = np.concatenate([part[:, ~fine] for part in parts], axis=1)
    sums.doubt[:, rays.element[panels.ray]] = np.inf
    return sums


def applied(nodes: Nodes, rays: Rays, panels: Panels, discrete: bool) -> Array:
    """The rule on each panel: the sums of Nodes."""
    if discrete:
        t, weights = at_sums(panels.first, panels.length.astype(np.int64))
    else:
        places, shares = gauss()
        t, weights = panels.first[:, None] + panels.length[:, None] * places, panels.length[:, None] * shares
    return nodes.sums(rays[panels.ray], t, weights)
