"""What a divergence makes of its panels: their sums, or what is known of F - G, the difference of the masses below x.

Between neighbours among the crossings of the densities F - G is monotone, and crossings are ends of panels. So it is
greatest at an end of a panel, and it vanishes once at most inside of one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .nodes import Array, Nodes, Rays
from .panels import Panels, Sums, applied

_HALVINGS = 60


class Found(NamedTuple):
    """Values of elements, what they may be off, and how large what they are sums of is in all, as rows."""

    value: Array
    doubt: Array
    size: Array


Reading = Callable[[Nodes, Rays, Sums], Found]


class _Steps:
    """The panels of elements in the order of outcomes, and F - G at both ends of each, from the nearer tail."""

    def __init__(self, rays: Rays, sums: Sums) -> None:
        panels = Panels.joined([panels for panels, _ in sums.settled])
        element, direction = rays.element[panels.ray], rays.direction[panels.ray]
        order = np.lexsort((direction * panels.first, panels.ray, element))
        self.panels, self.element, self.direction = panels[order], element[order], direction[order]
        self.found = np.concatenate([found for _, found in sums.settled], axis=1)[:, order]
        counts = np.bincount(element, minlength=sums.size)
        self._place = np.arange(element.size) - (np.cumsum(counts) - counts)[self.element]
        self._table = np.zeros((sums.size, counts.max(initial=0)))
        below, above = self._sums(self.found[0])
        near, far = self._sums(self.found[sums.count])
        self.before, self.after = (np.where(near[k] <= far[k], below[k], -above[k]) for k in (0, 1))

    def _sums(self, row: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """The sums up to the start and the end of each panel, and those from there on."""
        table, at = self._table.copy(), (self.element, self._place)
        table[at] = row
        edge = np.zeros((len(table), 1))
        up = np.concatenate([edge, np.cumsum(table, axis=1)], axis=1)
        down = np.concatenate([np.cumsum(table[:, ::-1], axis=1)[:, ::-1], edge], axis=1)
        ends = at, (at[0], at[1] + 1)
        return (up[ends[0]], up[ends[1]]), (down[ends[0]], down[ends[1]])


def added(nodes: Nodes, rays: Rays, sums: Sums) -> Found:
    """The integrals as they are."""
    return Found(sums.parts[: sums.count], sums.doubt, sums.parts[sums.count : 2 * sums.count])


def greatest(nodes: Nodes, rays: Rays, sums: Sums) -> Found:
    """max |F - G|, of the integral of p - q."""
    steps, value = _Steps(rays, sums), np.zeros((1, sums.size))
    np.maximum.at(value[0], steps.element, abs(steps.after))
    return Found(value, sums.doubt, sums.parts[1:2])


def apart(nodes: Nodes, rays: Rays, sums: Sums) -> Found:
    """The integral of |F - G|, of those of p - q and (x - c)(p - q).

    By parts that is the sum of |the integral of (x - c)(p - q)| between neighbouring zeros of F - G.
    """
    steps = _Steps(rays, sums)
    turned = np.flatnonzero(steps.before * steps.after < 0)
    part = _until_zero(nodes, rays, steps, turned)[1]
    first, second = steps.found[1].copy(), np.zeros(steps.element.size)
    first[turned], second[turned] = part, first[turned] - part
    crossed = np.zeros(steps.element.size, dtype=np.int64)
    crossed[turned] = 1
    stretch = np.cumsum(crossed + (steps.before == 0)) + steps.element  # a zero begins another one, and an element
    number = np.concatenate([stretch - crossed, stretch])
    total = np.bincount(number, np.concatenate([first, second]))
    owner = np.zeros(total.size, dtype=np.int64)
    owner[number] = np.concatenate([steps.element, steps.element])
    value = np.zeros((1, sums.size))
    np.add.at(value[0], owner, abs(total))
    return Found(value, sums.doubt[1:], sums.parts[3:4])


def _until_zero(nodes: Nodes, rays: Rays, steps: _Steps, rows: NDArray[np.int64]) -> Array:
    """The integrals from the lower end of panels to where F - G vanishes in them, by bisection."""
    panels, forward = steps.panels[rows], steps.direction[rows] > 0
    low, high, before, whole = np.zeros(rows.size), np.ones(rows.size), steps.before[rows], steps.found[:, rows]

    def until(share: Array) -> Array:
        length = panels.length * np.where(forward, share, 1 - share)
        part = applied(nodes, rays, Panels(panels.ray, panels.first, length), False)
        return np.where(forward, part, whole - part)

    for _ in range(_HALVINGS if rows.size else 0):
        middle = (low + high) / 2
        kept = (before + until(middle)[0]) * before > 0
        low, high = np.where(kept, middle, low), np.where(kept, high, middle)
    return until(high)


READINGS: dict[str, Reading] = {"densities": added, "half-lines": greatest, "couplings": apart}
