"""Whether the terms of a mean have a variance: the Pareto index of their tail."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .data import Floats

# Beyond a half the variance does not exist; a tail index from fewer terms says nothing.
VARIANCE = 0.5
FEWEST = 25
# Of a stream, at each end.
KEPT = 3000


def tail_size(n: int) -> int:
    """How many of the largest of n terms are taken for the tail (Vehtari et al., arXiv 1507.02646, section 3)."""
    return min(n // 5, math.ceil(3 * math.sqrt(n)))


def pareto_index(tail: Any) -> float:
    """The shape k of a generalised Pareto law fitted to exceedances, the index of PSIS: moments below 1/k exist.

    tail: what the largest terms exceed the threshold by. The posterior mean under the prior of Zhang and Stephens
    (Technometrics 51, 2009), with that of Vehtari et al. (arXiv 1507.02646, appendix C) of ten terms at 1/2. NaN for
    fewer than 5 positive ones.

    >>> import numpy as np
    >>> u = (np.arange(2000) + 0.5) / 2000
    >>> [round(pareto_index((u**-k - 1) / k), 2) for k in (0.3, 1.0)]
    [0.3, 1.0]
    """
    x: Floats = np.sort(np.asarray(tail, dtype=np.float64))
    x = x[x > 0]
    n = len(x)
    if n < 5:
        return math.nan
    if not np.isfinite(x[-1]):
        return math.inf
    x = x / x[-1]
    grid = 30 + int(math.sqrt(n))
    quartile = x[int(n / 4 + 0.5) - 1]
    b = 1 / x[-1] + (1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3 * quartile)
    k = np.log1p(-b[:, None] * x).mean(axis=1)
    height = n * (np.log(-b / k) - k - 1)
    weight = np.exp(height - height.max())
    best = float((b * weight).sum() / weight.sum())
    index = float(np.log1p(-best * x).mean())
    return (n * index + 10 * 0.5) / (n + 10)


def tail_index(terms: Floats, n: int | None = None) -> float:
    """The Pareto index of the heavier tail of the terms of a mean, NaN where they are too few to say.

    n: how many terms there were, where only the `extremes` of them are given.

    >>> import numpy as np
    >>> tail_index(np.random.default_rng(0).standard_cauchy(4000)) > 0.7
    True
    """
    size = min(tail_size(n or len(terms)), KEPT)
    if size < FEWEST:
        return math.nan
    ordered = np.sort(terms)
    sides = (ordered[-size:] - ordered[-size - 1], ordered[size] - ordered[:size])
    found = [pareto_index(side) for side in sides if np.unique(side).size >= FEWEST]
    return max(found, default=math.nan)


def extremes(terms: Floats) -> Floats:
    """The KEPT least and the KEPT largest of the terms, and one beyond each; all of them while they are few."""
    few = KEPT + 1
    if len(terms) <= 2 * few:
        return terms
    return np.partition(terms, (few, len(terms) - few))[np.r_[:few, -few:0]]
