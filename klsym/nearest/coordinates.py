"""Parameters without constraints: the logarithm of a positive one, the log odds of a proportion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit

from ..core.domain import Domain

Array = Any


@dataclass(frozen=True)
class Coordinate:
    """A one-to-one map of the real line onto the interior of a domain."""

    lower: float
    upper: float

    def inward(self, u: Array) -> Array:
        """The parameter at u."""
        if np.isfinite(self.upper):
            return self.lower + (self.upper - self.lower) * expit(u)
        return self.lower + np.exp(u) if np.isfinite(self.lower) else u

    def outward(self, value: Array) -> Array:
        """The u of a parameter inside the domain."""
        if np.isfinite(self.upper):
            return logit((value - self.lower) / (self.upper - self.lower))
        return np.log(value - self.lower) if np.isfinite(self.lower) else value

    def slope(self, u: Array) -> Array:
        """The derivative of the parameter by u."""
        if np.isfinite(self.upper):
            return (self.upper - self.lower) * expit(u) * expit(-u)
        return np.exp(u) if np.isfinite(self.lower) else np.ones_like(u)


def coordinate(domain: Domain) -> Coordinate:
    """The coordinate of a domain.

    >>> from klsym.core.domain import positive
    >>> float(coordinate(positive).inward(0.0))
    1.0
    """
    return Coordinate(float(domain.lower), float(domain.upper))
