"""Mutual information of paired samples by nearest neighbours (Kraskov, Stogbauer, Grassberger, 2004)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma, stdtrit

from ..core.errors import ParameterError
from .data import Floats, level, points
from .result import Estimate

K = 5
BLOCKS = 10
FEWEST = 500


def mutual_information(
    x: Any, y: Any, *, k: int = K, variant: int = 1, level: float | None = 0.95, base: Any = None
) -> Estimate:
    """I(X; Y) from rows of x and y that belong together, by the first or second estimator of Kraskov et al."""
    x, y = points(x, "x", 3), points(y, "y", 3)
    if len(x) != len(y):
        raise ParameterError(f"x has {len(x)} rows and y has {len(y)}; mutual information is that of pairs")
    if not isinstance(k, (int, np.integer)) or not 1 <= k < len(x):
        raise ParameterError(f"k is {k}; it lies between 1 and {len(x) - 1}, the other outcomes")
    # In the largest of both distances it matters in what units they are: each coordinate in its own spread.
    x, y = _scaled(x, "x"), _scaled(y, "y")
    value, ties = _information(x, y, k, variant)
    said = [f"{ties} of {len(x)} outcomes by counts, for {k} duplicates or more"] if ties else []
    error, ends = None, None
    if len(x) >= FEWEST:
        # Blocks are independent samples of the same law, which a bootstrap, with its duplicates, has not.
        order = np.random.default_rng(0).permutation(len(x))
        parts = [_information(x[rows], y[rows], k, variant)[0] for rows in np.array_split(order, BLOCKS)]
        error = float(np.std(parts, ddof=1)) / math.sqrt(BLOCKS)
        ends = _interval(value, error, float(np.mean(parts)), level)
        if level is not None and ends is None:
            said.append("no interval: blocks of a tenth have another mean, so that the bias is not small")
    else:
        said.append(f"no standard error below {FEWEST} outcomes")
    other = ""
    if x.shape[1] + y.shape[1] > 10:
        said.append("in so many dimensions the estimate is known to be too small")
        other = "a lower bound: estimate(joint, shuffled, method='nwj')"
    how, given = (f"{BLOCKS} disjoint blocks", level) if ends else ("", None)
    method = f"KSG {variant}, k = {k}"
    found = Estimate(value, error, ends, given, how, (len(x),), "mutual_information", method, "; ".join(said), other)
    return found.in_base(base)


def _interval(value: float, error: float, mean: float, given: float | None) -> tuple[float, float] | None:
    if level(given) is None or abs(mean - value) > 2 * error:
        return None
    half = float(stdtrit(BLOCKS - 1, (1 + (given or 0)) / 2)) * error
    return value - half, value + half


def _scaled(z: Floats, name: str) -> Floats:
    spread = z.std(axis=0)
    if not spread.all():
        raise ParameterError(f"{name} is constant in column {int(np.argmin(spread))}; of a constant information is 0")
    return z / spread


def _information(x: Floats, y: Floats, k: int, variant: int) -> tuple[float, int]:
    """The mean of digamma(k) + digamma(n) - digamma(n_x) - digamma(n_y), and how many outcomes have k duplicates.

    First: n_x - 1 outcomes are strictly nearer in x than the k-th neighbour in the larger of both distances. Second:
    n_x are at most as far as the farthest of the k in x, with -1/k for the shape of the box. Where the k-th is a
    duplicate all of these are counted instead, as in Gao et al. (arXiv 1709.06212).
    """
    n = len(x)
    both = np.column_stack([x, y])
    tree = cKDTree(both)
    order = tree.indices
    distances, near = np.empty(n), np.empty((n, k), dtype=np.intp)
    found = tree.query(both[order], k=k + 1, p=np.inf, workers=-1)
    distances[order], near[order] = found[0][:, -1], found[1][:, 1:]
    tied = distances == 0
    if variant == 1:
        inner = np.nextafter(distances, 0.0)
        counts = [_within(z, inner) + 1 for z in (x, y)]
        terms = digamma(k) - digamma(counts[0]) - digamma(counts[1])
    else:
        boxes = [np.abs(z[near] - z[:, None, :]).max(axis=(1, 2)) for z in (x, y)]
        counts = [np.maximum(_within(z, box), 1) for z, box in zip((x, y), boxes, strict=True)]
        terms = digamma(k) - 1 / k - digamma(counts[0]) - digamma(counts[1])
    if tied.any():
        same = [_within(z, np.zeros(n))[tied] for z in (both, x, y)]
        terms[tied] = digamma(same[0]) - digamma(same[1]) - digamma(same[2])
    return float(digamma(n) + terms.mean()), int(tied.sum())


def _within(z: Floats, radii: Floats) -> Any:
    """How many other outcomes are no farther than that from each, in the largest of their coordinates."""
    if z.shape[1] > 1:
        tree = cKDTree(z)
        order = tree.indices
        found = np.empty(len(z), dtype=np.intp)
        found[order] = tree.query_ball_point(z[order], radii[order], p=np.inf, return_length=True, workers=-1)
        return found - 1
    values = z[:, 0]
    line = np.sort(values)
    first, last = _edge(line, values, -radii), len(line) - _edge(-line[::-1], -values, -radii)
    return last - first - 1


def _edge(line: Floats, values: Floats, left: Floats) -> Any:
    """The first place in the line whose value is within the radius, as the distance itself is rounded."""
    first = np.searchsorted(line, values + left)
    # The sum is rounded too: the places beside it are looked at, with all that have the same value.
    before = line[np.maximum(first - 1, 0)]
    lower = (first > 0) & (values - before <= -left)
    first = np.where(lower, np.searchsorted(line, before), first)
    at = line[np.minimum(first, len(line) - 1)]
    return np.where(values - at > -left, np.searchsorted(line, at, side="right"), first)
