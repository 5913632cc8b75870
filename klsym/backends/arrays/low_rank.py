"""KL of multivariate normals whose covariance is diagonal, or a product W W^T plus a diagonal, batched.

S_p - S_q is (G H^T + H G^T)/2 + diag(d_p - d_q) with G = W_p - W_q and H = W_p + W_q, so that it is known right where W
and d are next to each other; the rest is as for covariances, in pairs of doubles and k^3 operations: the identities of
Woodbury and of the determinant would take k r^2, but their terms cancel next to P = Q.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..double_double.arithmetic import plus
from ..kernels.elementary import phi
from .batches import batched, finite, positive
from .matrices import (
    Pair,
    added,
    at,
    cholesky,
    congruent,
    difference,
    exactly,
    excess,
    powers,
    product,
    put,
    rounded,
    solve,
    squares,
    transposed,
)

Array = NDArray[np.float64]


def kl_diagonal(
    mu_p: ArrayLike, d_p: ArrayLike, mu_q: ArrayLike, d_q: ArrayLike, *, check: bool = False
) -> Array | np.float64:
    """KL of normals with independent components, from means and variances (..., k).

    Leading dimensions broadcast. Where a variance is not positive or a number not finite, the value is NaN, and with
    `check` a ParameterError is raised. Shapes that do not fit raise ParameterError.

    >>> float(kl_diagonal([0.0, 0.0], [1.0, 1.0], [3.0, 4.0], [1.0, 1.0]))
    12.5
    """
    mean, variance = finite("k"), positive("k")
    arguments = {"mu_p": (mu_p, mean), "d_p": (d_p, variance), "mu_q": (mu_q, mean), "d_q": (d_q, variance)}
    batch = batched(arguments)
    return batch.answer(batch.mapped(_diagonal), check)


def kl(
    mu_p: ArrayLike,
    w_p: ArrayLike,
    d_p: ArrayLike,
    mu_q: ArrayLike,
    w_q: ArrayLike,
    d_q: ArrayLike,
    *,
    check: bool = False,
) -> Array | np.float64:
    """KL of normals with covariances W W^T + diag(d), from means (..., k), W (..., k, r) and d (..., k).

    The ranks r of P and Q may differ. Leading dimensions broadcast. Where an entry of d is not positive or a number not
    finite, the value is NaN, and with `check` a ParameterError is raised. Shapes that do not fit raise ParameterError.
    Errors are a few units of the last place for covariances of a condition number up to about 1e12.

    >>> float(kl([0.0, 0.0], [[0.0], [0.0]], [1.0, 1.0], [3.0, 4.0], [[0.0], [0.0]], [1.0, 1.0]))
    12.5
    """
    mean, variance = finite("k"), positive("k")
    arguments = {
        "mu_p": (mu_p, mean), "w_p": (w_p, finite("kr")), "d_p": (d_p, variance),
        "mu_q": (mu_q, mean), "w_q": (w_q, finite("ks")), "d_q": (d_q, variance),
    }  # fmt: skip
    batch = batched(arguments)
    return batch.answer(batch.mapped(_low_rank), check)


def _diagonal(a: Array, s: Array, b: Array, t: Array) -> Array:
    gap = a - b
    terms = phi(t, s, s - t) + gap / t * gap
    valid = ((s > 0.0) & (t > 0.0) & np.isfinite(s) & np.isfinite(t)).all(0)
    return np.where(valid, 0.5 * added(terms), np.nan)


def _low_rank(mu_p: Array, w_p: Array, d_p: Array, mu_q: Array, w_q: Array, d_q: Array) -> Array:
    rank = max(w_p.shape[1], w_q.shape[1])
    unit = powers(d_q + (w_q * w_q).sum(1))
    w_p, w_q = (_padded(w * unit[:, None], rank) for w in (w_p, w_q))
    d_p, d_q, mu_p, mu_q = d_p * unit * unit, d_q * unit * unit, mu_p * unit, mu_q * unit
    one, two = difference(w_p, w_q), difference(w_p, -w_q)
    half = tuple(0.5 * x for x in product(one, transposed(two)))
    gap = _raised(plus(half, transposed(half)), difference(d_p, d_q))
    factor = cholesky(_raised(product(exactly(w_q), transposed(exactly(w_q))), exactly(d_q)))
    z = squares(solve(factor, tuple(x[:, None] for x in difference(mu_p, mu_q))))
    value = 0.5 * rounded(plus(excess(congruent(factor, gap)), z))
    return np.where(((d_p > 0.0) & (d_q > 0.0)).all(0), value, np.nan)


def _raised(x: Pair, diagonal: Pair) -> Pair:
    """x with a diagonal added, in place."""
    places = np.arange(len(x[0]))
    put(x, plus(at(x, places, places), diagonal), places, places)
    return x


def _padded(w: Array, rank: int) -> Array:
    return np.concatenate([w, np.zeros((len(w), rank - w.shape[1], *w.shape[2:]))], axis=1)
