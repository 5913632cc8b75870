"""log density at points from the distances to the nearest of a sample, from a flat or a normal start."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma, gammaln

from . import neighbours
from .data import Floats
from .neighbours import Indices
from .start import fitted, log_lift


@dataclass(frozen=True)
class Side:
    """What one sample says of the log density at queries.

    lifted: from the k-th neighbour, with a normal start where it holds; flat: without. radii: of the k-th, in the
    coordinates that were searched; 0 where k outcomes are duplicates of the query. wide: `lifted` from a later
    neighbour, the K-th, indices: of the K (none where K is 0), and steps: by how much `wide` falls when any of them is
    taken away.
    """

    lifted: Floats
    flat: Floats
    radii: Floats
    wide: Floats
    steps: Floats
    indices: Indices

    def plus(self, log_slopes: Floats) -> Side:
        """The same with log of a Jacobian at the queries added to what is said of their density."""
        lifted, flat, wide = (part + log_slopes for part in (self.lifted, self.flat, self.wide))
        return replace(self, lifted=lifted, flat=flat, wide=wide)

    def loss(self, n: int) -> Floats:
        """What the sum of `wide` loses with each of the sample's n outcomes, but for the outcome's own term."""
        times = np.repeat(self.steps, self.indices.shape[1])
        return np.bincount(self.indices.ravel(), times, minlength=n).astype(np.float64)


def side(sample: Floats, queries: Floats, places: Indices | None, k: int, wide: int, start: str, name: str) -> Side:
    """log of the density of a sample at queries, at its own outcomes that of the others: places says which these are.

    log p(x) = digamma(k) - digamma(n) - log of the volume of the ball that ends at the k-th of n - 1 others (Kozachenko
    and Leonenko, 1987), plus the `log_lift` of the normal start (Hjort and Glad, Annals of Statistics 23, 1995), with
    which it is unbiased for a normal law, however large the ball. start: "normal"; "flat", whose balls are as round as
    those of the normal law; "raw", whose balls are round as the sample is given. wide: the later neighbour, of fewer
    than there are.
    """
    within = places is not None
    others, d = len(sample) - within, sample.shape[1]
    law = fitted(sample, name) if start != "raw" else None
    law = law.bounded(sample) if law is not None and start == "normal" else law
    z = sample if law is None else law.coordinates(sample)
    asked = z if queries is sample else queries if law is None else law.coordinates(queries)
    orders = [k, wide, wide + 1] if wide else [k]
    radii, indices = neighbours.nearest(z, asked, orders, places, wide)
    log_volume = d / 2 * math.log(math.pi) - gammaln(d / 2 + 1) + (0.0 if law is None else law.log_scale)
    # Of the K-th and the one after it the K-th in both cases: its place is what is taken.
    which = np.array([k, wide, wide] if wide else [k])
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = digamma(which) - digamma(others + 1) - log_volume - d * np.log(radii)
        lift = log_lift(law, queries, asked, radii, which, within) if law is not None and start == "normal" else 0.0
        lifted = flat + lift
        steps = np.where(radii[:, -1] > 0, lifted[:, -2] - lifted[:, -1], 0.0) if wide else np.zeros(len(queries))
        steps[np.isinf(steps)] = 0.0
    return Side(lifted[:, 0], flat[:, 0], radii[:, 0], lifted[:, -2 if wide else 0], steps, indices)
