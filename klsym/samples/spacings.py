"""The entropy of a density on a line by spacings: the gaps between ordered outcomes m places to either side."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import digamma, polygamma

from .data import Floats
from .result import Estimate

# Below so many outcomes the standard error was found too small.
SURE = 500
# An interval is given where what twice the places give differs by no more than this share of a standard error.
LEAN = 0.5


def terms(ordered: Floats, places: int) -> Floats:
    """-log of the density at each of n ordered outcomes, from the spacing that ends `places` to either side of it.

    Vasicek's estimate (Journal of the Royal Statistical Society B 38, 1976) with Ebrahimi's ends (Statistics and
    Probability Letters 20, 1994): there a spacing has fewer gaps. The mass of g gaps has the law Beta(g, n + 1 - g),
    whose mean logarithm is digamma(g) - digamma(n + 1): with that there is no bias but that of the curvature.
    """
    n = len(ordered)
    rank = np.arange(n)
    high, low = np.minimum(rank + places, n - 1), np.maximum(rank - places, 0)
    expected = digamma(np.arange(1, 2 * places + 1)) - digamma(n + 1)
    with np.errstate(divide="ignore"):
        return np.log(ordered[high] - ordered[low]) - expected[high - low - 1]


def usual(n: int) -> int:
    """How many places to either side are taken: of error n^(-1/2) and bias m/n, the third root of n does for both."""
    return max(1, round(n ** (1 / 3)))


def error(found: Floats, gaps: int) -> float:
    """The standard error of the mean of terms: that of log of the density, and of overlapping spacings (Cressie, 1976).

    n times the variance of the mean of log spacings of g gaps is (2 g^2 - 2 g + 1) trigamma(g) - 2 g + 1 under a flat
    density, to which the variance of log of the density comes; the terms themselves vary by that and trigamma(g).
    """
    noise = float(polygamma(1, gaps))
    spread = max(float(found.var(ddof=1)) - noise, 0.0)
    return math.sqrt((spread + (2 * gaps * gaps - 2 * gaps + 1) * noise - 2 * gaps + 1) / len(found))


def entropy(x: Floats, z: float | None) -> Estimate | None:
    """The entropy of a sample (n,) with its interval of z standard errors; None where duplicates leave no spacing."""
    n, ordered = len(x), np.sort(x)
    places = min(usual(n), (n - 1) // 2)
    found = terms(ordered, places)
    value = float(found.mean())
    if not math.isfinite(value):
        return None
    sigma, ends, how = error(found, 2 * places), None, ""
    if z is None:
        said = "no interval was asked for"
    elif n < SURE:
        said = f"no interval below {SURE} outcomes, where it was found too short"
    else:
        # A bias that grows as the places do: what is left of it at none.
        step = value - float(terms(ordered, 2 * places).mean())
        said = f"twice the places differ by {abs(step) / sigma:.1f} standard errors"
        if abs(step) <= LEAN * sigma:
            ends = (min(value, value + step) - z * sigma, max(value, value + step) + z * sigma)
            how = "spacings, over what fewer places would give"
        else:
            said = f"no interval: {said}"
    return Estimate(value, sigma, ends, None, how, (n,), "entropy", f"spacings, m = {places}", said)
