"""Where on each half line the integrand matters: the modes of P and Q on it, and how far from them to go."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .nodes import Array, Nodes, Rays

# Steps from an end or from t = 0: close, then farther and farther.
_STEPS = 0.5 * np.sinh(0.35 * np.arange(33))
_FARTHEST = 1e4
_LOWEST = 150.0  # an integrand that is less than e^-150 of P's peak is none
_COUNTS = np.unique(
    np.floor(np.concatenate([np.arange(9.0), 2.0 ** np.arange(3.5, 50.0, 0.5), 2.0 ** np.arange(50.0, 1000.0, 5.0)]))
)
_INNER = np.linspace(0.0, 1.0, 9)
_SEEN = np.linspace(0.0, 1.0, 25)
_BISECTIONS = 52
_ROUNDS = 16
_HALVINGS, _MOST_HALVINGS = 6, 40
_FALL = 12.0  # between two points that close the logarithm of a smooth integrand falls by less


class Windows:
    """For each half line and each of P and Q: mode, height, and the points tried, with their heights."""

    def __init__(self, nodes: Nodes, rays: Rays, both: bool, discrete: bool, signed: bool = False) -> None:
        self.nodes, self.rays, self.discrete, self.signed = nodes, rays, discrete, signed
        self.grid = self._grid()
        log_p, log_q, value = self._heights(rays, self.grid)
        size = _size(value)
        masses = [log_p, log_q] if both else [log_p]
        self.heights = [_known(np.maximum(_known(mass), size)) for mass in masses]
        self.size = size.max(axis=1)
        self.modes, self.tops, self.broken = [], [], np.zeros(len(rays))
        for which, mass in enumerate(map(_known, masses)):
            mode, top = self._mode(which, mass)
            self.modes.append(mode)
            self.tops.append(top)

    def cuts(self, elements: int, drop: float) -> Array:
        """For each half line the height below which nothing counts: neither of the masses nor of the integrand.

        Each element's masses and integrand are followed until e^-drop of the lowest of their peaks.
        """
        tops = np.full((len(self.tops) + 1, elements), -np.inf)
        for peak, heights in zip(tops, [*self.tops, self.size], strict=True):
            np.maximum.at(peak, self.rays.element, heights)
        return (np.maximum(tops, tops[0] - _LOWEST).min(axis=0) - drop)[self.rays.element]

    def _grid(self) -> Array:
        rays = self.rays
        if self.discrete:
            return np.minimum(_COUNTS[None, :], rays.end[:, None])
        steps = np.concatenate([-_STEPS[:0:-1], _STEPS])[None, :]
        centre = np.where(np.isfinite(rays.end), rays.end, 0.0)[:, None]
        upper = np.minimum(rays.end, _FARTHEST)[:, None]
        return np.minimum(centre + steps, upper)

    def _heights(self, rays: Rays, t: Array) -> Array:
        """Those of the nodes, of a sum in the logarithm of y too: as much as lies between y and 2 y counts."""
        found = self.nodes.heights(rays, t)
        if self.discrete:
            found[:2] += np.log1p(t)
            found[2] *= 1.0 + t
        return found

    def _snapped(self, t: Array) -> Array:
        return np.floor(t) if self.discrete else t

    def _mode(self, which: int, mass: Array) -> tuple[Array, Array]:
        """The place of the highest point of a density, found by finer and finer grids around the highest seen."""
        best = mass.argmax(axis=1)
        row, last = np.arange(best.size), self.grid.shape[1] - 1
        low, high = self.grid[row, np.maximum(best - 1, 0)], self.grid[row, np.minimum(best + 1, last)]
        mode, top = self.grid[row, best], mass[row, best]
        waiting = np.flatnonzero(np.isfinite(top))
        for _ in range(_ROUNDS):
            waiting = waiting[high[waiting] - low[waiting] > (2.0 if self.discrete else 1e-7)]
            if not waiting.size:
                break
            t = self._snapped(low[waiting, None] + (high - low)[waiting, None] * _INNER)
            found = _known(self._heights(self.rays[waiting], t)[which])
            best, row = found.argmax(axis=1), np.arange(waiting.size)
            height = found[row, best]
            better = height > top[waiting]
            mode[waiting[better]], top[waiting[better]] = t[row, best][better], height[better]
            before, after = np.maximum(best - 1, 0), np.minimum(best + 1, _INNER.size - 1)
            low[waiting], high[waiting] = t[row, before], t[row, after]
            # Within a nat of its neighbours the peak is resolved by what comes next.
            sides = np.maximum(height - found[row, before], height - found[row, after])
            waiting = waiting[~(sides < 1.0)]
        return mode, top

    def spans(self, cut: Array) -> list[Array]:
        """For each density the first t, the mode and the last t where it or the integrand is above the cut.

        Where none is, all three are NaN.
        """
        return [self._span(which, cut) for which in range(len(self.modes))]

    def _span(self, which: int, cut: Array) -> Array:
        mode, heights = self.modes[which], self.heights[which]
        above = heights > cut[:, None]
        seen = (self.tops[which] > cut) | above.any(axis=1)
        row, last = np.arange(mode.size), self.grid.shape[1] - 1
        first_above = np.where(above.any(axis=1), above.argmax(axis=1), last + 1)
        last_above = np.where(above.any(axis=1), last - above[:, ::-1].argmax(axis=1), -1)
        around = [(self.grid < mode[:, None]).sum(axis=1) - 1, (self.grid <= mode[:, None]).sum(axis=1)]
        low_out = np.minimum(first_above - 1, around[0])
        high_out = np.maximum(last_above + 1, around[1])
        inner_low = np.minimum(mode, self.grid[row, np.minimum(first_above, last)])
        inner_high = np.maximum(mode, self.grid[row, np.maximum(last_above, 0)])
        edges = []
        for outer, inner in (
            (self.grid[row, np.maximum(low_out, 0)], inner_low),
            (self.grid[row, np.minimum(high_out, last)], inner_high),
        ):
            edges.append(self._edge(which, outer, inner, cut, seen))
        # Of integers the first that no longer counts.
        found = np.array([edges[0], mode, edges[1] + self.discrete])
        found[:, ~seen] = np.nan
        return found

    def graded(self, spans: list[Array]) -> list[Array]:
        """Powers of 8 between the edges of long sums, as rows: heavy tails are smooth in the logarithm of y."""
        low, high = np.fmin.reduce([span[0] for span in spans]), np.fmax.reduce([span[2] for span in spans])
        longest = np.nanmax(high - low, initial=0.0) if self.discrete else 0.0
        powers = 8.0 ** np.arange(2, np.log2(longest) / 3) if longest > 512.0 else ()
        return [np.where((low < power) & (power < high), power, np.nan) for power in powers]

    def crossings(self, spans: list[Array]) -> list[Array]:
        """Where on each half line the two densities cross, of sums the first integer beyond, as rows; NaN for none."""
        found = []
        for span in spans:
            for low, high in pairwise(span):
                rows = np.flatnonzero(high > low)
                t = self._snapped(low[rows, None] + (high - low)[rows, None] * _SEEN)
                side = self._sides(rows, t)
                for k in range(_SEEN.size - 1):
                    turned = side[:, k] != side[:, k + 1]
                    if turned.any():
                        mark = np.full(low.size, np.nan)
                        here = rows[turned]
                        mark[here] = self._crossing(here, t[turned, k], t[turned, k + 1], side[turned, k])
                        found.append(mark)
        return found

    def _crossing(self, rows: NDArray[np.int64], low: Array, high: Array, side: NDArray[np.int64]) -> Array:
        low, high = low.copy(), high.copy()
        for _ in range(_BISECTIONS):
            middle = self._snapped((low + high) / 2)
            before = self._sides(rows, middle[:, None])[:, 0] == side
            before &= middle > low if self.discrete else True
            low, high = np.where(before, middle, low), np.where(before | (middle == low), high, middle)
        return high

    def _sides(self, rows: NDArray[np.int64], t: Array) -> NDArray[np.int64]:
        """Which density is above, and whether the integrand is 0: that knows it better near P = Q, and so its sign."""
        log_p, log_q, value = self.nodes.heights(self.rays[rows], t)
        if self.signed:
            return np.sign(value).astype(np.int64)
        return 2 * (log_p > log_q) + (value == 0.0)

    def beyond(self, spans: list[Array]) -> Array:
        """How large the integrand is at the outermost edges of each half line where the line goes on, or breaks off."""
        edges = np.array([span[[0, 2]] for span in spans])
        low, high = np.fmin.reduce(edges[:, 0]), np.fmax.reduce(edges[:, 1])
        t = np.nan_to_num(np.array([low, high]).T, nan=0.0)
        size = abs(self._heights(self.rays, t)[2])
        goes_on = np.array([low > (0.0 if self.discrete else -np.inf), high < self.rays.end]).T
        return np.maximum(np.where(goes_on & np.isfinite(size), size, 0.0).max(axis=1, initial=0.0), self.broken)

    def _edge(self, which: int, outer: Array, inner: Array, cut: Array, seen: NDArray[np.bool_]) -> Array:
        """Between a point below the cut and one above it, the outermost that halving leaves.

        Where the integrand does not fall but breaks off, as it does where doubles end, `broken` has a hundred times
        what it is there: that much may lie beyond of what falls as x^-0.01.
        """
        outer, inner, heights = outer.copy(), inner.copy(), np.full((2, outer.size), np.nan)
        rows = np.flatnonzero(seen & (abs(outer - inner) > (1.0 if self.discrete else 0.5)))
        for k in range(_MOST_HALVINGS):
            if not rows.size:
                break
            middle = self._snapped((outer[rows] + inner[rows]) / 2)
            log_p, log_q, value = (found[:, 0] for found in self._heights(self.rays[rows], middle[:, None]))
            height = np.maximum(_known(log_q if which else log_p), _size(value))
            inside = height > cut[rows]
            inner[rows[inside]], outer[rows[~inside]] = middle[inside], middle[~inside]
            heights[0, rows[inside]], heights[1, rows[~inside]] = height[inside], height[~inside]
            if k >= _HALVINGS:
                rows = rows[heights[0, rows] - heights[1, rows] > _FALL]
        self.broken[rows] = np.maximum(self.broken[rows], 100 * np.exp(heights[0, rows]))
        return outer


def _known(heights: Any) -> Array:
    return np.where(np.isnan(heights), -np.inf, heights)


def _size(value: Array) -> Array:
    """log |value|; where a double has no room for it nothing is seen of it."""
    return np.where(np.isfinite(value), np.log(abs(value)), -np.inf)
