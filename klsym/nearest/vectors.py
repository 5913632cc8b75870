"""The least KL(Q || P) of normal vectors Q from a mixture P of them: each local minimum, and what lies between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.errors import UnderivableError
from .descend import Stationary, between, minima
from .modes import BETWEEN, SEED

Array = Any
# By the number of coordinates: points a side, for the descent and for what it ends in.
POINTS = {1: (512, 2048), 2: (112, 224)}
REACH = 8.0  # standard deviations; beyond, a normal law has 1e-15 of its mass


@dataclass(frozen=True, eq=False)
class Normals:
    """A mixture of normal laws: weights (n,), means (n, k), covariances (n, k, k)."""

    weights: Array
    means: Array
    covariances: Array

    @property
    def scales(self) -> tuple[Array, Array]:
        """The mean, and the standard deviation of each coordinate."""
        centre = self.weights @ self.means
        within = np.einsum("nii->ni", self.covariances)
        return centre, np.sqrt(self.weights @ (within + (self.means - centre) ** 2))

    def scaled(self, centre: Array, scale: Array) -> Normals:
        return Normals(self.weights, (self.means - centre) / scale, self.covariances / np.outer(scale, scale))


class Carried:
    """KL(Q || P) over a grid of z that Q carries along, x = m + L z; coordinates m, log L_ii, and L_ij below."""

    def __init__(self, p: Normals, points: int, whole: bool) -> None:
        self.size = k = p.means.shape[1]
        self._below = np.tril_indices(k, -1) if whole else (np.array([], int),) * 2
        self._means, self._roots = p.means, np.linalg.inv(np.linalg.cholesky(p.covariances))
        self._heights = np.log(p.weights) - np.linalg.slogdet(p.covariances)[1] / 2
        line = np.linspace(-REACH, REACH, points + 1)
        mass = np.exp(-line * line / 2)
        grid = np.stack(np.meshgrid(*[line] * k, indexing="ij"), -1).reshape(-1, k)
        mass = np.prod(np.stack(np.meshgrid(*[mass] * k, indexing="ij"), -1), -1).ravel()
        seen = mass > np.exp(-REACH * REACH / 2)
        self._z, self._w = np.ascontiguousarray(grid[seen].T), mass[seen] / mass[seen].sum()

    def inward(self, u: Array) -> tuple[Array, Array]:
        """The mean and the Cholesky factor."""
        k = self.size
        factor = np.diag(np.exp(u[k : 2 * k]))
        factor[self._below] = u[2 * k :]
        return u[:k], factor

    def outward(self, mean: Array, covariance: Array) -> Array:
        factor = np.linalg.cholesky(covariance)
        if not len(self._below[0]):
            factor = np.diag(1 / np.sqrt(np.diag(np.linalg.inv(covariance))))
        return np.concatenate([mean, np.log(np.diag(factor)), factor[self._below]])

    def canonical(self, u: Array) -> Array:
        return u

    def __call__(self, u: Array) -> tuple[float, Array]:
        """The value, and its gradient: the derivatives of log p at the points, which are those of m and L."""
        mean, factor = self.inward(u)
        # R (x - mean) of each component, R'R its precision: its log density is that of half their squared length. Sums
        # over the points are einsum's, of one thread: as products of small matrices they wait for each other.
        away = [
            np.einsum("ij,jx->ix", root @ factor, self._z) + (root @ (mean - at))[:, None]
            for root, at in zip(self._roots, self._means, strict=True)
        ]
        logs = np.stack([height - (y * y).sum(0) / 2 for height, y in zip(self._heights, away, strict=True)])
        most = logs.max(0)
        parts = np.exp(logs - most)
        total = parts.sum(0)
        share = parts * (self._w / total)
        by_mean, by_factor = np.zeros(self.size), np.zeros((self.size, self.size))
        for root, y, w in zip(self._roots, away, share, strict=True):
            pull = y * w
            by_mean += root.T @ pull.sum(1)
            by_factor += root.T @ np.einsum("ix,jx->ij", pull, self._z)
        diagonal = np.diag(factor)
        value = -np.log(diagonal).sum() - self.size / 2 - np.sum(self._w * (most + np.log(total)))
        return float(value), np.concatenate([by_mean, np.diag(by_factor) * diagonal - 1, by_factor[self._below]])


def modes(p: Normals, whole: bool, starts: int) -> tuple[list[tuple[Array, Array, Stationary]], int]:
    """Mean and covariance at each stationary point found, local minima first, and from how many places.

    Descent starts at P's mean and covariance, at the components, halfway between two, and at random about these. What
    it ends in is settled on a finer grid. UnderivableError in more coordinates than a grid is for.
    """
    k = p.means.shape[1]
    if k not in POINTS:
        raise UnderivableError(
            f"KL(Q || P) of mixtures of vectors is integrated in up to {max(POINTS)} coordinates, and these have {k}; "
            "project blocks of coordinates, or take direction='forward'"
        )
    centre, scale = p.scales
    near = p.scaled(centre, scale)
    coarse, fine = (Carried(near, points, whole) for points in POINTS[k])
    places = _places(near, coarse.outward, starts)
    found = minima(fine, [point.u for point in minima(coarse, places)])
    ends = [*(point.u for point in found), places[0]]
    paths = [a + share * (b - a) for i, a in enumerate(ends) for b in ends[i + 1 :] for share in BETWEEN]
    saddles = between(coarse, [*places, *paths])
    found += between(fine, [point.u for point in saddles])
    # What is left of the gradient between the points of the grid says how good it is: on the same points it is 0.
    other = Carried(near, POINTS[k][1] + 1, whole)
    laws = []
    for point in found:
        mean, half = fine.inward(point.u)
        slope = float(np.linalg.norm(other(point.u)[1]))
        laws.append((centre + scale * mean, _square(scale[:, None] * half), replace(point, slope=slope)))
    return laws, len(places)


def _places(p: Normals, outward: Callable[[Array, Array], Array], starts: int) -> Sequence[Array]:
    gaps = p.means - p.weights @ p.means
    whole = np.einsum("n,nij->ij", p.weights, p.covariances) + np.einsum("n,ni,nj->ij", p.weights, gaps, gaps)
    own = [outward(m, c) for m, c in zip(p.means, p.covariances, strict=True)]
    places = [outward(p.weights @ p.means, whole), *own]
    places += [(a + b) / 2 for i, a in enumerate(own) for b in own[i + 1 :]]
    rng = np.random.default_rng(SEED)
    count = max(starts - len(places), 0)
    return [*places, *(places[0] + rng.standard_normal(len(places[0])) for _ in range(count))]


def _square(half: Array) -> Array:
    return half @ half.T
