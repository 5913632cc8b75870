"""Counts as probabilities none of which is 0: Laplace, Lidstone, labels, noise, and Kneser and Ney's for words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtr

from ..core.errors import ParameterError, nearest
from .data import Floats


def smooth(counts: Any, method: str = "laplace", *, strength: float | None = None) -> Floats:
    """Probabilities from counts, or from probabilities, so that a divergence from them is finite.

    counts: finite and not negative; one table of any shape. method, and what its strength is: "laplace" adds 1;
    "lidstone" adds `strength` (1/2); "label" mixes with the uniform law by the share `strength` (1/10); "noise" moves
    an outcome of an ordered axis by normal noise of that many places (1), reflected at the ends: what two laws differ
    by after one noise is a lower bound of what they did before, and what is beyond 38 times the noise stays 0 in
    doubles; "kneser-ney" takes counts of n words, an axis each, the last the word that follows, and gives its
    probabilities for each context, discounted by `strength` (by default n_1/(n_1 + 2 n_2) at each order). Raises
    ParameterError for what are no counts. (Lidstone, 1920; Szegedy et al., arXiv 1512.00567; Cover and Thomas, 2.8;
    Kneser and Ney, ICASSP 1995; Chen and Goodman, 1999.)

    >>> smooth([3, 0, 1])
    array([0.57142857, 0.14285714, 0.28571429])
    >>> smooth([3, 0, 1], "label", strength=0.3)
    array([0.625, 0.1  , 0.275])
    """
    if method not in METHODS:
        raise ParameterError(f"method is {method!r}; it is one of {', '.join(METHODS)}{nearest(str(method), METHODS)}")
    array = np.asarray(counts)
    if array.dtype.kind not in "biuf" or not array.size:
        raise ParameterError(f"counts has type {array.dtype} and {array.size} entries; counts are needed")
    array = array.astype(np.float64)
    if not np.isfinite(array).all() or (array < 0).any():
        raise ParameterError("counts has a negative, infinite or missing entry")
    if not array.any():
        raise ParameterError("counts are 0 in all; there is nothing to smooth, and the prior alone is no data")
    call, usual, most = METHODS[method]
    if strength is not None and not (0 < strength <= most):
        raise ParameterError(f"strength is {strength}; for {method} it is positive and at most {most:g}")
    return call(array, usual if strength is None else strength)


def _lidstone(c: Floats, alpha: Any) -> Floats:
    return (c + alpha) / (c.sum() + alpha * c.size)


def _label(c: Floats, epsilon: Any) -> Floats:
    return (1 - epsilon) * c / c.sum() + epsilon / c.size


def _noise(c: Floats, width: Any) -> Floats:
    if c.ndim != 1:
        raise ParameterError(f"counts has shape {c.shape}; noise is that of one ordered axis")
    size = len(c)
    # The chance that noise moves the centre of one place into another, or into one of its mirror images.
    reach = int(np.ceil(10 * width / size)) + 1
    at, to = np.arange(size)[:, None], np.arange(size)[None, :]
    kernel = np.zeros((size, size))
    for image in range(-reach, reach + 1):
        for place in (2 * image * size + to, 2 * image * size - 1 - to):
            away = abs(place - at)  # of a side by its distance: the upper tail, 1 less 1, would be lost
            kernel += ndtr((0.5 - away) / width) - ndtr((-0.5 - away) / width)
    p = c @ kernel
    return p / p.sum()


def _kneser_ney(c: Floats, discount: Any) -> Floats:
    """(max(c - D, 0) + D N(context) p(word | shorter context))/c(context); in the shorter one, contexts are counted."""
    once, twice = (int((c == times).sum()) for times in (1, 2))
    # The usual estimate needs both; 3/4 is what Church and Gale found.
    d = discount if discount is not None else once / (once + 2 * twice) if once and twice else 0.75
    if c.ndim == 1:
        shorter = np.full(c.size, 1 / c.size)
    else:
        shorter = _kneser_ney((c > 0).sum(axis=0).astype(np.float64), discount)
    total = c.sum(axis=-1, keepdims=True)
    kept, left = np.maximum(c - d, 0), np.minimum(c, d).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, (kept + left * shorter) / total, shorter)


Method = tuple[Callable[[Floats, Any], Floats], float | None, float]
METHODS: dict[str, Method] = {
    "laplace": (lambda c, _: _lidstone(c, 1.0), 1.0, 1.0),
    "lidstone": (_lidstone, 0.5, 1e9),
    "label": (_label, 0.1, 1.0),
    "noise": (_noise, 1.0, 1e6),
    "kneser-ney": (_kneser_ney, None, 1.0),
}
