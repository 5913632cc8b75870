"""The k nearest of points, exactly: by sorting in one dimension, by a tree in few, by products of matrices in many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .data import Floats

Indices = NDArray[np.intp]
# From so many dimensions on a tree looks at nearly every point, and of many points products of matrices do it faster.
MANY = 8
LARGE = 5000
BLOCK = 1 << 22
SHARE = 8
CACHED = 1 << 12


def nearest(
    points: Floats, queries: Floats, orders: list[int], places: Indices | None, named: int = 0
) -> tuple[Floats, Indices]:
    """Distances (Euclid) from each query to its neighbours of these orders, and which are its first `named`.

    orders: j of them; (n, j) distances and (n, named) indices. places: which of the points each query is, where they
    are some of these (on a line: all), none a neighbour of itself; a duplicate is.
    """
    if points.shape[1] == 1:
        return _sorted(points[:, 0], queries[:, 0], orders, places is not None, named)
    search = _tree if points.shape[1] < MANY or len(points) < LARGE else _products
    if places is None and not named and search is _tree:
        return search(points, queries, orders)
    # A point is the nearest of itself, and is taken out again.
    distances, indices = search(points, queries, list(range(1, max(orders) + (places is not None) + 1)))
    if places is not None:
        own = indices == places[:, None]
        # Among many duplicates the point itself may not be found: then any of them is left out.
        own[~own.any(axis=1), -1] = True
        kept = (len(queries), max(orders))
        distances, indices = distances[~own].reshape(kept), indices[~own].reshape(kept)
    return distances[:, [k - 1 for k in orders]], indices[:, :named]


def within(points: Floats, centres: Floats, radii: Floats) -> Indices:
    """How many points lie in the closed ball (Euclid) about each centre."""
    if not len(centres):
        return np.empty(0, dtype=np.intp)
    return np.asarray(cKDTree(points).query_ball_point(centres, radii, return_length=True))


def _sorted(line: Floats, queries: Floats, orders: list[int], within: bool, named: int) -> tuple[Floats, Indices]:
    order = np.argsort(line, kind="stable")
    asked = order if within else np.argsort(queries, kind="stable")
    ends = np.full(max(orders), np.inf)
    padded = np.concatenate([-ends, line[order], ends])
    q = queries[asked]
    place = len(ends) + (np.arange(len(q)) if within else np.searchsorted(line[order], q))
    distances, indices = np.empty((len(q), len(orders))), np.empty((len(q), named), dtype=np.intp)
    # So few at a time that what is computed of them stays in the cache.
    for part in (slice(i, i + CACHED) for i in range(0, len(q), CACHED)):
        found, first = _beside(padded, q[part], place[part], orders, within, named)
        distances[asked[part]] = found
        if named:
            step = np.arange(named) - first[:, None]
            indices[asked[part]] = order[place[part][:, None] - len(ends) + step + ((step >= 0) & within)]
    return distances, indices


def _beside(
    padded: Floats, q: Floats, place: Indices, orders: list[int], within: bool, named: int
) -> tuple[Floats, Any]:
    """The k nearest are j on the left and k - j on the right, for the j whose farther end is least far.

    The j-th on the left is among them where only k - j on the right are nearer; how many are, of the first `named`.
    """
    most = max(orders)
    left = [q - padded[place - j] for j in range(1, most + 1)]
    right = [padded[place + j - (not within)] - q for j in range(1, most + 1)]
    distances = np.empty((len(q), len(orders)))
    for column, k in enumerate(orders):
        least = np.minimum(left[k - 1], right[k - 1])
        for j in range(1, k):
            np.minimum(least, np.maximum(left[j - 1], right[k - j - 1]), out=least)
        distances[:, column] = least
    first = np.zeros(len(q), dtype=np.intp)
    for j in range(1, named + 1):
        first += left[j - 1] <= right[named - j]
    return distances, first


def _tree(points: Floats, queries: Floats, orders: list[int]) -> tuple[Floats, Indices]:
    tree = cKDTree(points)
    # In the order of the leaves of a tree queries find what they need in the cache.
    order = tree.indices if queries is points else cKDTree(queries, leafsize=64).indices
    found = tree.query(queries[order], k=orders, workers=-1)
    distances, indices = np.empty_like(found[0]), np.empty_like(found[1])
    distances[order], indices[order] = found
    return distances, indices


def _products(points: Floats, queries: Floats, orders: list[int]) -> tuple[Floats, Indices]:
    """All of |z|^2 - 2 q z as one product of matrices: what cannot be among the k is left out, the rest is exact."""
    n, k = len(points), max(orders)
    centre = points.mean(axis=0)
    z, q = points - centre, queries - centre
    square = np.einsum("ij,ij->i", z, z)
    table = np.column_stack([z, square]).T.copy()
    asked = np.column_stack([-2 * q, np.ones(len(q))])
    # What rounding can move an entry by: the terms of a sum of d + 1 products.
    reach = np.sqrt(square.max()) + np.sqrt(np.einsum("ij,ij->i", q, q))
    slack = 4 * (points.shape[1] + 4) * np.finfo(np.float64).eps * np.square(reach)
    step = max(1, BLOCK // n)
    parts = [
        _block(asked[i : i + step] @ table, slack[i : i + step], z, q[i : i + step], k) for i in range(0, len(q), step)
    ]
    distances, indices = (np.concatenate(side) for side in zip(*parts, strict=True))
    return distances, indices


def _block(heights: Floats, slack: Floats, z: Floats, q: Floats, k: int) -> tuple[Any, Any]:
    few = heights[:, ::SHARE] if heights.shape[1] >= SHARE * k else heights
    # The k-th among a share of the points is at least the k-th of all.
    bound = np.partition(few, k - 1, axis=1)[:, k - 1] + 2 * slack
    rows, columns = np.nonzero(heights <= bound[:, None])
    gaps = q[rows] - z[columns]
    distances = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
    order = np.lexsort((distances, rows))
    first = np.searchsorted(rows, np.arange(len(q)))
    best = order[first[:, None] + np.arange(k)]
    return distances[best], columns[best]
