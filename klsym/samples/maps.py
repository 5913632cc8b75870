"""One invertible map for all samples, after which they are nearer to normal laws: divergences stay what they were."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtri
from scipy.stats import rankdata

from ..core.errors import ParameterError
from .data import JUDGES, Floats, drawn
from .spacings import terms
from .start import fitted


@dataclass(frozen=True)
class Mapped:
    """Samples after a map, and log of its Jacobian at each of their outcomes together; name: which map, "" for none."""

    name: str
    samples: tuple[Floats, ...]
    log_slopes: Floats


def _given(points: Floats) -> tuple[Floats, Floats]:
    return points, np.zeros(len(points))


def _scores(points: Floats) -> tuple[Floats, Floats]:
    """Each coordinate by its rank, as the quantile of a standard normal law (van der Waerden)."""
    images = np.asarray(ndtri(rankdata(points, axis=0) / (len(points) + 1)), dtype=np.float64)
    return images, sum((_slopes(*column) for column in zip(points.T, images.T, strict=True)), np.zeros(len(points)))


def _radii(points: Floats) -> tuple[Floats, Floats]:
    """The distance from the mean, as the covariance measures it, by its rank, as the quantile of a chi law."""
    law, d = fitted(points, "the samples together"), points.shape[1]
    z = law.coordinates(points)
    radius = np.sqrt(np.einsum("ij,ij->i", z, z))
    image = np.sqrt(2 * gammaincinv(d / 2, (rankdata(radius) - 0.5) / len(points)))
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = image / radius
        return z * stretch[:, None], _slopes(radius, image) + (d - 1) * np.log(stretch) - law.log_scale


def _slopes(values: Floats, images: Floats) -> Floats:
    """log of the slope of a map of numbers given by images of growing values, by the spacings of both."""
    n, order = len(values), np.argsort(values)
    places = max(1, round(math.sqrt(n) / 2))
    rank = np.arange(n)
    high, low = np.minimum(rank + places, n - 1), np.maximum(rank - places, 0)
    found, line = np.empty(n), images[order]
    with np.errstate(divide="ignore", invalid="ignore"):
        # The images are where ranks lie: log of a gap of theirs is known, that of the values' has the mean of digamma.
        found[order] = np.log(line[high] - line[low]) - np.log((high - low) / (n + 1)) - terms(values[order], places)
    return found


MAPS: dict[str, Callable[[Floats], tuple[Floats, Floats]]] = {
    "": _given,
    "normal scores": _scores,
    "normal radii": _radii,
}


def mapped(samples: tuple[Floats, ...]) -> Mapped:
    """The samples after the map under which normal laws, one for each sample, make them likeliest.

    Each outcome is judged by the normal law of the others of its sample, and by the slope of the map (as Box and Cox,
    Journal of the Royal Statistical Society B 26, 1964, do powers). A map by ranks has to win by d + sqrt(n) nats, more
    than it does by chance. Ranks of all samples together make one map of all, which no divergence sees.
    """
    judges = tuple(drawn(s, JUDGES) for s in samples)
    together = np.concatenate(judges)
    heights = {name: _height(name, together, judges) for name in MAPS}
    best = max(heights, key=heights.__getitem__)
    images, log_slopes = MAPS[best](np.concatenate(samples))
    return Mapped(best, tuple(np.split(images, np.cumsum([len(s) for s in samples])[:-1])), log_slopes)


def _height(name: str, together: Floats, samples: tuple[Floats, ...]) -> float:
    try:
        images, log_slopes = MAPS[name](together)
        parts = np.split(images, np.cumsum([len(s) for s in samples])[:-1])
        height = sum(fitted(part, "a sample").log_likelihood(part) for part in parts) + float(log_slopes.sum())
    except (ParameterError, np.linalg.LinAlgError):
        return -math.inf
    handicap = (together.shape[1] + math.sqrt(len(together))) if name else 0.0
    return height - handicap if math.isfinite(height) else -math.inf
