"""A normal law as the start of a density estimate: what the mass of a ball is under it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import chndtr, gammainccinv, gammaincinv, gammaln

from ..core.errors import ParameterError
from .data import Floats

# A start is refuted where what is seen has less than this probability under it.
DOUBT = 1e-8
# A normal law has the share FAR of its outcomes beyond the `reach`, and hardly ever ten times that.
FAR = 1e-4
HEAVY = 10 * FAR
# The least eigenvalue of correlations that is told from 0.
FLATTEST = 1e-13


@dataclass(frozen=True)
class Start:
    """The normal law of the mean and the shrunk covariance of points.

    factor: the Cholesky factor of the covariance. shrunk: how far its correlations are shrunk to 0 (Schafer and
    Strimmer, Stat. Appl. Genet. Mol. Biol. 4, 2005). reach: the squared distance beyond which nothing is said, where
    more points than a normal law has lie there (`bounded`).
    """

    mean: Floats
    factor: Floats
    scales: Floats
    shrunk: float
    n: int
    reach: float = math.inf

    def coordinates(self, points: Floats) -> Floats:
        """Points in coordinates where the law is standard."""
        return np.asarray((points - self.mean) @ np.linalg.inv(self.factor).T, dtype=np.float64)

    def bounded(self, points: Floats) -> Start:
        """The start with its reach, where too many of the points it was fitted to lie far out."""
        end = 2 * float(gammainccinv(len(self.mean) / 2, FAR))
        far, _ = self.without(points, self.coordinates(points))
        return replace(self, reach=end) if np.mean(~(far < end)) > HEAVY else self

    def without(self, points: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Each point's squared distance from the law of the others, and log of their covariance over that of all."""
        n, d = self.n, z.shape[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            far, log_det = _left_out(np.einsum("ij,ij->i", z, z), n)
            apart, log_apart = _left_out(np.square((points - self.mean) / self.scales), n)
            whole, own = 1 - self.shrunk, self.shrunk
            distance = whole * far + own * apart.sum(axis=1)
            spread = (whole * log_det + own * log_apart.sum(axis=1)) / d + math.log((n - 1) / (n - 2))
        return distance, spread

    def log_density(self, points: Floats) -> Floats:
        """log of the density of the law at points."""
        z = self.coordinates(points)
        return -0.5 * np.einsum("ij,ij->i", z, z) - z.shape[1] / 2 * math.log(2 * math.pi) - self.log_scale

    def log_likelihood(self, points: Floats) -> float:
        """The sum of log density over the points it was fitted to, each under the law of the others."""
        far, spread = self.without(points, self.coordinates(points))
        n, d = points.shape
        return -0.5 * float((far + d * spread).sum()) - n * (d / 2 * math.log(2 * math.pi) + self.log_scale)

    @property
    def log_scale(self) -> float:
        """Log of the volume of a unit of these coordinates."""
        return float(np.log(np.diag(self.factor)).sum())


def fitted(points: Floats, name: str) -> Start:
    """The start of these points; ParameterError where they lie in a plane, and so have no density."""
    n, d = points.shape
    mean, scales = points.mean(axis=0), points.std(axis=0, ddof=1)
    flat = np.flatnonzero(scales <= 1e-14 * np.abs(mean))
    if flat.size:
        raise ParameterError(
            f"{name} is constant in column {flat[0]}, so it has no density; leave the column out, "
            "or count outcomes with method='counts'"
        )
    z = (points - mean) / scales
    correlations = z.T @ z / (n - 1)
    shrunk = _intensity(z, correlations)
    matrix = (1 - shrunk) * correlations
    np.fill_diagonal(matrix, 1.0)
    if n > d and np.linalg.eigvalsh(correlations)[0] < FLATTEST:
        raise ParameterError(
            f"{name} has a column that is a linear function of others, so it has no density; leave such columns out"
        )
    factor = np.linalg.cholesky(matrix)
    return Start(mean, scales[:, None] * factor, scales, shrunk, n)


def _intensity(z: Floats, correlations: Floats) -> float:
    n, d = z.shape
    if d == 1:
        return 0.0
    square = np.square(z)
    variances = (square.T @ square / n - np.square(correlations)) / n
    off = ~np.eye(d, dtype=bool)
    total = float(np.square(correlations[off]).sum())
    return min(1.0, float(variances[off].sum()) / total) if total else 1.0


def log_lift(start: Start, points: Floats, z: Floats, radii: Floats, order: Any, within: bool) -> Floats:
    """log of the density at the centre over the mean density in the ball, under the start: 0 where it is refuted.

    z: the points in the coordinates of the start; radii: (n, j), in these, of balls that end at the neighbours of these
    orders, (j,). within: the points are those it was fitted to, and each is judged by the law of the others, whose
    covariance is taken to be a multiple of that of all. Under the start n times the mass of a ball that ends at the
    k-th neighbour has the law Gamma(k, 1): beyond DOUBT the start is refuted, and the density is taken to be flat.
    """
    d = z.shape[1]
    far, spread = start.without(points, z) if within else (np.einsum("ij,ij->i", z, z), np.zeros(len(z)))
    log_volume = d / 2 * math.log(math.pi) - gammaln(d / 2 + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.square(radii) * np.exp(-spread)[:, None]
        mass = chndtr(squares, d, far[:, None])
        lift = (log_volume - d / 2 * math.log(2 * math.pi) - far / 2)[:, None] + d / 2 * np.log(squares) - np.log(mass)
        known = (start.n - within) * mass
        held = (known > gammaincinv(order, DOUBT)) & (known < gammainccinv(order, DOUBT))
        held &= (far < start.reach)[:, None]
        # Steps from one radius to the next are those of one kind.
        held[:, 1:] = held[:, 1:].all(axis=1)[:, None]
    return np.where(held, lift, 0.0)


def _left_out(square: Floats, n: int) -> tuple[Floats, Floats]:
    """Of a squared distance by all n points: that by the other n - 1, and log of the determinants' quotient.

    (n - 2) S' = (n - 1) S - n/(n - 1) z z', by Sherman and Morrison.
    """
    c = n / (n - 1)
    left = 1 - c * square / (n - 1)
    return (n - 2) * c * c * (square / (n - 1)) / left, np.log(left)
