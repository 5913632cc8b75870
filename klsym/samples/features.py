"""log p/q from samples as a linear function of features, fitted by logistic regression."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from .data import Floats

LogRatio = Callable[[Floats], Floats]
# Random waves, and a feature for so many outcomes at most.
WAVES = 200
SHARE = 20
# Of the outcomes that a fit looks at, on either side.
ENOUGH = 5_000
# From the largest on, each fit from where the last one ended.
PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4)
STEPS = 25
CLOSE = 1e-8


@dataclass(frozen=True)
class Features:
    """Coordinates, their products where outcomes are many beside them, and cosines of random waves.

    The waves are those whose mean is a Gaussian kernel as wide as a typical distance (Rahimi and Recht, NIPS 2007).
    """

    mean: Floats
    spread: Floats
    pairs: Any
    waves: Floats
    phases: Floats

    def __call__(self, points: Floats) -> Floats:
        z = (points - self.mean) / self.spread
        products = z[:, self.pairs[0]] * z[:, self.pairs[1]]
        cosines = math.sqrt(2) * np.cos(z @ self.waves + self.phases)
        return np.concatenate([z, products, cosines], axis=1)


def features(x: Floats, y: Floats, rng: np.random.Generator) -> Features:
    """Features in the units of both samples together."""
    both = np.concatenate([x, y])
    n, d = both.shape
    spread = both.std(axis=0)
    pairs = np.triu_indices(d)
    if len(pairs[0]) * SHARE > n:
        pairs = np.diag_indices(d) if d * SHARE <= n else (np.empty(0, dtype=np.intp),) * 2
    count = min(WAVES, n // SHARE)
    # Two normal outcomes are sqrt(2 d) apart, in the middle.
    waves = rng.normal(size=(d, count)) / math.sqrt(2 * d)
    return Features(
        both.mean(axis=0), np.where(spread > 0, spread, 1.0), pairs, waves, rng.uniform(0, 2 * math.pi, count)
    )


def fitted(x: Floats, y: Floats, rng: np.random.Generator) -> LogRatio:
    """log p/q as the fit of P's outcomes against Q's, with the penalty that a quarter of them, left out, likes best."""
    x, y = (side[rng.permutation(len(side))[:ENOUGH]] for side in (x, y))
    of = features(x, y, rng)
    tables = [of(side) for side in (x, y)]
    kept, left = (
        Odds.of(*(t[part(len(t))] for t in tables))
        for part in (lambda n: slice(3 * n // 4), lambda n: slice(3 * n // 4, None))
    )
    weights, losses = None, []
    for penalty in PENALTIES:
        weights = kept.fit(penalty, weights)
        losses.append(left.loss(weights))
    weights = Odds.of(*tables).fit(PENALTIES[int(np.argmin(losses))], weights)
    return lambda points: of(points) @ weights[1:] + weights[0]


@dataclass(frozen=True)
class Odds:
    """Logistic regression: rows with a one before them, the side of each, and its share, a half in all of a side."""

    table: Floats
    side: Floats
    share: Floats

    @classmethod
    def of(cls, first: Floats, second: Floats) -> Odds:
        """The log odds of the rows of the first against those of the second."""
        sizes = [len(first), len(second)]
        table = np.column_stack([np.ones(sum(sizes)), np.concatenate([first, second])])
        side = np.repeat([1.0, -1.0], sizes)
        return cls(table, side, np.repeat([0.5 / size for size in sizes], sizes))

    def loss(self, weights: Floats) -> float:
        """The mean of -log of the odds' probability of the true side."""
        return float(self.share @ np.logaddexp(0, -self.side * (self.table @ weights)))

    def fit(self, penalty: float, start: Floats | None = None) -> Floats:
        """Intercept and slopes by Newton's method, with half the penalty on the square of the slopes."""
        ridge = np.full(self.table.shape[1], penalty)
        ridge[0] = 0.0
        weights = np.zeros(len(ridge)) if start is None else start
        height = self.loss(weights) + ridge @ np.square(weights) / 2
        for _ in range(STEPS):
            wrong = expit(-self.side * (self.table @ weights))
            slope = ridge * weights - self.table.T @ (self.share * self.side * wrong)
            scaled = self.table * np.sqrt(self.share * wrong * (1 - wrong))[:, None]
            step = np.linalg.solve(scaled.T @ scaled + np.diag(ridge + 1e-12), slope)
            fall = float(slope @ step)
            for length in np.exp2(-np.arange(20.0)):
                there = weights - length * step
                lower = self.loss(there) + ridge @ np.square(there) / 2
                if lower <= height - 1e-4 * length * fall:
                    weights, height = there, lower
                    break
            else:
                break
            if fall < CLOSE:
                break
        return weights
