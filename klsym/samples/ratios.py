"""Monte Carlo from log ratios: the estimators k1, k2, k3 of the divergence, with weights and their tails."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..core.errors import ParameterError, nearest
from .data import Floats, level, weights
from .result import Estimate
from .tails import VARIANCE

NEAR = 0.5
# 2/(k + 2)!, as exp(l) - 1 - l = l^2/2 (1 + l/3 + l^2/12 + ...): what is left out is below 2^-56 for |l| <= NEAR.
SERIES = tuple(2 / math.factorial(k + 2) for k in range(14))
Terms = Callable[[NDArray[Any]], NDArray[Any]]


def k1(log_ratio: Any) -> NDArray[Any]:
    """-l, whose mean under P is KL(P || Q)."""
    return -np.asarray(log_ratio)


def k2(log_ratio: Any) -> NDArray[Any]:
    """l^2/2, whose mean is KL(P || Q) up to third order in what P and Q differ by."""
    square = np.square(np.asarray(log_ratio))
    return square / square.dtype.type(2)


def k3(log_ratio: Any) -> NDArray[Any]:
    """exp(l) - 1 - l, never negative, to a few units in the last place in float32 as in float64.

    log_ratio: log q(x) - log p(x). Its mean under P is KL(P || Q) where Q has no mass outside the support of P.

    >>> import numpy as np
    >>> k3(np.float32([1e-4, 0, -2]))
    array([5.0001665e-09, 0.0000000e+00, 1.1353352e+00], dtype=float32)
    """
    l = np.asarray(log_ratio)  # noqa: E741
    if l.dtype.kind != "f":
        l = l.astype(np.float64)  # noqa: E741
    with np.errstate(over="ignore", invalid="ignore"):
        series = np.full_like(l, SERIES[-1])
        for coefficient in SERIES[-2::-1]:
            series = series * l + l.dtype.type(coefficient)
        half = l.dtype.type(0.5)
        return np.where(np.abs(l) <= NEAR, half * l * l * series, np.expm1(l) - l)


@dataclass(frozen=True)
class Kind:
    """An estimator of the divergence that is a mean of terms, and what is known of its mean."""

    terms: Terms
    bias: str


KINDS = {
    "k1": Kind(k1, "unbiased; terms of both signs, whose variance is that of the log ratio"),
    "k2": Kind(k2, "biased at third order: its mean is E_P[(log p/q)^2]/2, which is not the divergence"),
    "k3": Kind(k3, "unbiased where Q has no mass outside the support of P; of the least variance near P = Q"),
}


def estimate_log_ratios(
    log_ratio: Any, *, method: str = "k3", weights: Any = None, level: float | None = 0.95, base: Any = None
) -> Estimate:
    """KL(P || Q) from log q(x) - log p(x) at independent draws x from P: the mean of k1, k2 or k3.

    log_ratio: (n,). method: "k1" for -l, "k2" for l^2/2, "k3" for exp(l) - 1 - l. weights: p/r up to a common factor,
    where the draws are from some R instead (self-normalised). level: of the interval, by the normal law of means. base:
    the unit, nats by default. A draw with l = -oo, outside the support of Q, makes the value +oo. Where the tail of the
    terms has no variance that is said, with what to take instead. Raises ParameterError for no draws, NaN, or weights
    that are not. (Schulman, Approximating KL divergence, 2020; Vehtari et al., arXiv 1507.02646.)

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=10_000)  # KL(Normal(0, 1) || Normal(1/10, 1)) = 1/200
    >>> print(estimate_log_ratios(x / 10 - 1 / 200))
    KL(P || Q) = 0.00497... +- 7e-05 nats; 95% in [...] (normal law of a mean); k3, n = 10000; unbiased ...
    """
    from .stream import LogRatios

    stream = LogRatios(method, level=level)
    stream.update(log_ratio, weights)
    return stream.result(base=base)


def checked(log_ratio: Any, given: Any) -> tuple[NDArray[Any], Floats | None]:
    """A chunk of log ratios and the weights of its draws."""
    l = np.asarray(log_ratio)  # noqa: E741
    if l.dtype.kind not in "fiu" or l.ndim != 1:
        raise ParameterError(f"log_ratio has type {l.dtype} and shape {l.shape}; real numbers (n,) are needed")
    if np.isnan(l).any() or (l == np.inf).any():
        raise ParameterError(
            "log_ratio has NaN or +oo: at a draw from P the density p is positive and log q - log p less than +oo; "
            "look for draws that are not P's, or log p with too few digits"
        )
    return l, None if given is None else weights(given, len(l))


def kind(name: str) -> Kind:
    """The estimator of that name."""
    if name not in KINDS:
        raise ParameterError(f"method is {name!r}; it is one of {', '.join(KINDS)}{nearest(name, KINDS)}")
    return KINDS[name]


def doubt(index: float, method: str) -> tuple[str, str]:
    """What the index of the tail says of the mean of these terms, and what to take where it says anything."""
    if math.isnan(index) or index <= VARIANCE:
        return "", ""
    gone = "the mean may not exist" if index >= 1 else "the variance may not exist"
    other = (
        "k1, whose terms grow as the logarithm" if method == "k3" else "bounds, or draws from a wider R with weights"
    )
    return f"the terms have a Pareto tail of index {index:.2f}: {gone}, and the standard error is too small", other


def normal_interval(value: float, error: float, given: float | None) -> tuple[float, float] | None:
    """The interval of nominal level of a value with a normal error."""
    if level(given) is None or not math.isfinite(value) or not math.isfinite(error):
        return None
    half = float(ndtri((1 + (given or 0)) / 2)) * error
    return value - half, value + half
