"""Wasserstein distances on the line: the least mean distance, or mean square, that two laws can be coupled at.

p and q are as for `klsym.kl`: families, distributions (of klsym or of another library), each a Formula without a unit,
or arrays of probabilities at `positions`, by default 0, 1, 2, ... Laws that are increasing images of one another, as
two of a family of location and scale are, have closed forms, and so has the first distance where the likelihood ratio
is monotone. A distance is +oo where one of the laws lacks the moment.
"""

from __future__ import annotations

from typing import Any

from . import divergences
from .api import measured
from .core.divergence import Divergence
from .core.errors import ParameterError, VectorError
from .core.family import Family


def wasserstein(p: Any, q: Any, order: int = 1, *, share: Any = (), **options: Any) -> Any:
    """Wasserstein distance of order 1 or 2: `wasserstein1` or `wasserstein2`.

    ParameterError for another order.

    >>> from klsym import Exponential, Normal, wasserstein
    >>> wasserstein(Exponential, Exponential).value
    Abs(rate_p - rate_q)/(rate_p*rate_q)
    >>> wasserstein(Normal, Normal, order=2).value
    sqrt((mu_p - mu_q)**2 + (sigma_p - sigma_q)**2)
    """
    if order not in (1, 2):
        raise ParameterError(f"order is {order!r}; Wasserstein distances of order 1 and 2 are derived")
    return (wasserstein1 if order == 1 else wasserstein2)(p, q, share=share, **options)


def wasserstein1(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Wasserstein distance of order 1, the integral of |F - G|, the earth mover's distance.

    Arrays: options `positions` (increasing, one for each entry) and `normalize`. (Villani, Topics in Optimal
    Transportation, theorem 2.18 and remark 2.19.)

    >>> from klsym import Gamma, Poisson, wasserstein1
    >>> wasserstein1(Poisson, Poisson).value
    Abs(lam_p - lam_q)
    >>> wasserstein1(Gamma, Gamma).condition
    ((alpha_p >= alpha_q) & (beta_q >= beta_p)) | ((alpha_q >= alpha_p) & (beta_p >= beta_q))
    >>> wasserstein1([0.5, 0.5, 0], [0, 0.5, 0.5], positions=[0, 1, 3])
    1.5
    """
    return _transported(divergences.wasserstein1, p, q, share, options)


def wasserstein2(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Wasserstein distance of order 2, the root of the integral of (F^-1 - G^-1)^2, with the arguments of order 1.

    Of arrays the square is right to some eps of the squared extent of the positions: it is no sum of differences.
    (Villani, Topics in Optimal Transportation, theorem 2.18; Gelbrich, Math. Nachr. 147, 1990, for location and scale.)

    >>> from klsym import Uniform, wasserstein2
    >>> wasserstein2(Uniform(0, 1), Uniform(0, 3)).value
    2*sqrt(3)/3
    >>> wasserstein2([1, 0], [0, 1], positions=[0, 5])
    5.0
    """
    return _transported(divergences.wasserstein2, p, q, share, options)


def wasserstein2_squared(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """The square of `wasserstein2`.

    >>> from klsym import Weibull, wasserstein2_squared
    >>> wasserstein2_squared(Weibull(1, 2), Weibull(2, 1)).value
    9 - 3*sqrt(pi)
    """
    return _transported(divergences.wasserstein2_squared, p, q, share, options)


def _transported(divergence: Divergence, p: Any, q: Any, share: Any, options: dict[str, Any]) -> Any:
    if all(not isinstance(d, Family) and (isinstance(d, (list, tuple)) or hasattr(d, "__array__")) for d in (p, q)):
        return _of_vectors(divergence, p, q, **options)
    return measured(divergence, p, q, None, share, False, options)


def _of_vectors(divergence: Divergence, p: Any, q: Any, positions: Any = None, normalize: bool = False) -> Any:
    """The distance of probability vectors along the last axis, from the steps of their distribution functions."""
    import numpy as np

    from .vectors import Floats, summed

    size = np.shape(p)[-1] if np.ndim(p) else 0
    places = np.arange(size, dtype=float) if positions is None else np.asarray(positions, dtype=float)
    if places.shape != (size,) or not (np.isfinite(places).all() and (np.diff(places) > 0).all()):
        raise VectorError("positions must be finite and increasing, one for each entry of p and q")
    if divergence.order == 1 and divergence is divergences.wasserstein1:
        gaps = np.diff(places, append=0.0)
        # Of the entries' differences, which are exact near p = q.
        return summed(lambda p, q: np.abs(np.cumsum(p - q, axis=-1)[..., :-1]) * gaps[:-1], (p, q), normalize=normalize)

    def squares(p: Floats, q: Floats) -> Floats:
        p, q = np.broadcast_arrays(p, q)
        return np.array([_square(places, *rows) for rows in zip(p.reshape(-1, size), q.reshape(-1, size), strict=True)])

    def shaped(p: Floats, q: Floats) -> Floats:
        return squares(p, q).reshape(*np.broadcast_shapes(p.shape, q.shape)[:-1], 1)

    root = divergence is divergences.wasserstein2
    return summed(shaped, (p, q), normalize=normalize, total=np.sqrt if root else lambda square: square)


def _square(places: Any, p: Any, q: Any) -> float:
    """The sum over the steps of both distribution functions of their length times the squared distance."""
    import numpy as np

    first, second = np.cumsum(p), np.cumsum(q)
    ends = np.union1d(first, second)
    middle = ends - np.diff(ends, prepend=0.0) / 2
    x, y = (places[np.minimum(np.searchsorted(f, middle), len(places) - 1)] for f in (first, second))
    return float(np.sum(np.diff(ends, prepend=0.0) * (x - y) ** 2))
