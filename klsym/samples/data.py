"""What may be estimated from: points, counts and weights that are what they claim to be."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ParameterError

Floats = NDArray[np.float64]
# To choose between ways, so many outcomes of a sample are asked: more would not choose otherwise.
JUDGES = 5000


def points(given: Any, name: str, least: int) -> Floats:
    """Outcomes as rows (n, d) of finite doubles, at least that many of them."""
    try:
        array = np.asarray(given)
    except ValueError:
        raise ParameterError(f"{name} is ragged; its rows must have one length") from None
    if array.dtype.kind not in "biuf":
        raise ParameterError(
            f"{name} has type {array.dtype}; numbers are needed, or method='counts' for categories, and two "
            "distributions have klsym.kl"
        )
    if array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise ParameterError(f"{name} has shape {array.shape}; (n,) or (n, d) is needed, an outcome a row")
    if len(array) < least:
        raise ParameterError(f"{name} has {len(array)} outcomes; this estimate needs at least {least}")
    array = array.reshape(len(array), -1).astype(np.float64)
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        row, column = wrong[0]
        raise ParameterError(
            f"{name} has {array[row, column]} in row {row}, column {column}, and {len(wrong)} such in all; "
            "leave these rows out, if why they are missing has nothing to do with their values"
        )
    return array


def drawn(sample: Floats, most: int) -> Floats:
    """At most so many outcomes of a sample, any of them as likely as any other."""
    n = len(sample)
    return sample if n <= most else sample[np.random.default_rng(0).permutation(n)[:most]]


def same_space(x: Floats, y: Floats) -> None:
    """Whether the outcomes of both have as many coordinates."""
    if x.shape[1] != y.shape[1]:
        raise ParameterError(f"x has {x.shape[1]} columns and y has {y.shape[1]}; outcomes of one space are needed")


def counts(given: Any, name: str, least: int = 1) -> Floats:
    """Counts as doubles: finite, not negative, whole, at least `least` in all; of any shape."""
    try:
        array = np.asarray(given)
    except ValueError:
        raise ParameterError(f"{name} is ragged; its rows must have one length") from None
    if array.dtype.kind not in "biuf" or not array.size:
        raise ParameterError(f"{name} has type {array.dtype} and {array.size} entries; counts are needed")
    array = array.astype(np.float64)
    wrong = np.argwhere(~(np.isfinite(array) & (array >= 0)) | (np.floor(array) != array))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise ParameterError(
            f"{name}[{', '.join(map(str, where))}] is {array[where]}; counts are whole numbers from 0 on, "
            "and probabilities have klsym.kl"
        )
    if array.sum() < least:
        raise ParameterError(f"{name} counts {array.sum():g} outcomes in all; this estimate needs at least {least}")
    return array


def weights(given: Any, size: int) -> Floats:
    """Importance weights up to a common factor: finite, not negative, not all of them 0."""
    array = np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise ParameterError(f"weights has type {array.dtype}; numbers are needed, one for each draw")
    array = array.astype(np.float64)
    if array.shape != (size,):
        raise ParameterError(f"weights has shape {array.shape}; ({size},) is needed, one for each draw")
    if not np.isfinite(array).all() or (array < 0).any():
        raise ParameterError("weights has a negative, infinite or missing entry; p/r at draws from R is none of these")
    if not array.any():
        raise ParameterError("weights sum to 0: no draw is an outcome of P; draw from P, or from what covers it")
    return array


def level(given: float | None) -> float | None:
    """A confidence level strictly between 0 and 1, or None for no interval."""
    if given is not None and not (isinstance(given, Real) and 0 < given < 1):
        raise ParameterError(f"level is {given!r}; it lies between 0 and 1, 0.95 say, or is None")
    return given
