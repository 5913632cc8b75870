"""KL(P || Q) by a classifier: the log odds of P's outcomes against Q's are the log ratio of their densities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .data import Floats, points, same_space
from .data import level as checked
from .features import Odds, fitted
from .result import Estimate
from .tails import VARIANCE, tail_index

FEWEST = 40
FOLDS = 5
# Scores that tell the samples apart would have an infinite slope.
CALM = 1e-6


def kl(x: Any, y: Any, *, seed: int = 0, level: float | None = 0.95, base: Any = None) -> Estimate:
    """The mean of the log odds over x, each by a fit that has not seen it, calibrated by a line (Platt, 1999)."""
    checked(level)
    x, y = points(x, "x", FEWEST), points(y, "y", FEWEST)
    same_space(x, y)
    rng = np.random.default_rng(seed)
    scores = [np.empty(len(x)), np.empty(len(y))]
    places = [np.array_split(rng.permutation(len(side)), FOLDS) for side in (x, y)]
    for held in zip(*places, strict=True):
        first, second = (np.delete(side, rows, axis=0) for side, rows in zip((x, y), held, strict=True))
        ratio = fitted(first, second, rng)
        for score, side, rows in zip(scores, (x, y), held, strict=True):
            score[rows] = ratio(side[rows])
    line = Odds.of(scores[0][:, None], scores[1][:, None]).fit(CALM)
    first, second = (line[0] + line[1] * score for score in scores)
    odds: Floats = np.exp(second)
    error = math.sqrt(float(first.var(ddof=1)) / len(x) + float(odds.var(ddof=1)) / len(y))
    said = f"cross-fitted, calibrated by slope {line[1]:.2f}; no interval: how far the features are off is not known"
    other, index = "", tail_index(odds)
    if index > VARIANCE:
        said += f"; the odds have a Pareto tail of index {index:.2f}: the variance may not exist"
        other = "method='nearest'"
    value, n = float(first.mean()), (len(x), len(y))
    return Estimate(value, error, None, None, "", n, "kl", "classifier, random features", said, other).in_base(base)
