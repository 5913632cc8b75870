"""A sample's own map of those coordinates that are far from normal: its log density there is that of the margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, ndtri

from .data import JUDGES, Floats, drawn


@dataclass(frozen=True)
class Margin:
    """A map of a line from order statistics to normal scores, linear between knots and beyond the last ones.

    column: the coordinate. knots, scores: (j,), growing. log_slopes: of the j - 1 pieces, each less what the logarithm
    of a spacing of so many gaps is too small by on average.
    """

    column: int
    knots: Floats
    scores: Floats
    log_slopes: Floats

    def of(self, values: Floats) -> tuple[Floats, Floats]:
        """The images of values, and log of the slope there."""
        piece = np.clip(np.searchsorted(self.knots, values) - 1, 0, len(self.knots) - 2)
        rise = np.diff(self.scores) / np.diff(self.knots)
        return self.scores[piece] + (values - self.knots[piece]) * rise[piece], self.log_slopes[piece]


def margins(sample: Floats) -> tuple[Margin, ...]:
    """The maps of those coordinates in which they make the sample likelier by sqrt(n) nats than a normal law does."""
    judges = drawn(sample, JUDGES)
    maps = ((c, _margin(c, column), column) for c, column in enumerate(judges.T))
    chosen = [c for c, m, column in maps if m is not None and _gain(m, column) > math.sqrt(len(judges))]
    return tuple(m for c in chosen if (m := _margin(c, sample[:, c])) is not None)


def applied(maps: tuple[Margin, ...], points: Floats) -> tuple[Floats, Floats]:
    """The images of points, and log of the Jacobian at each."""
    images, log_slopes = points.copy() if maps else points, np.zeros(len(points))
    for margin in maps:
        images[:, margin.column], slopes = margin.of(points[:, margin.column])
        log_slopes += slopes
    return images, log_slopes


def _margin(column: int, values: Floats) -> Margin | None:
    n, line = len(values), np.sort(values)
    inner = np.round(np.linspace(0, n - 1, round(math.sqrt(n)) + 1)).astype(int)[1:-1]
    if len(inner) < 2:
        return None
    places = np.unique(np.r_[inner[0] // 2, inner, n - 1 - inner[0] // 2])
    knots, gaps = line[places], np.diff(places)
    if not np.diff(knots).all():
        return None
    scores = np.asarray(ndtri((places + 1) / (n + 1)), dtype=np.float64)
    return Margin(column, knots, scores, np.log(np.diff(scores) / np.diff(knots)) + digamma(gaps) - np.log(gaps))


def _gain(margin: Margin, values: Floats) -> float:
    images, log_slopes = margin.of(values)
    return float(log_slopes.sum()) - len(values) / 2 * math.log(float(images.var() / values.var()))
