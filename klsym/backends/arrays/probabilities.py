"""KL of categorical and of multinomial distributions from their probabilities, batched, with derivatives.

It is the sum of p log(p/q) - p + q over the last axis: the divergence where both sum to 1, right next to p = q, and not
moved by what sums miss 1 by (Csiszar, Annals of Statistics 19, 1991). 0 log 0 is 0, and it is infinite where q = 0 < p.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels import probabilities as kernel
from .batches import Batch, Kind, batched, positive
from .loops import loops
from .matrices import added

Array = NDArray[np.float64]
SHARES = Kind("k", lambda x: (np.isfinite(x) & (x >= 0.0)).all(), "has an entry that is not a probability")


def kl(p: ArrayLike, q: ArrayLike, *, check: bool = False) -> Array | np.float64:
    """KL of categorical distributions from probabilities (..., K); leading dimensions broadcast.

    Probabilities are not normalised. Where one is negative or not finite, the value is NaN, and with `check` a
    ParameterError is raised. Shapes that do not fit raise ParameterError.

    >>> round(float(kl([0.5, 0.5, 0.0], [0.25, 0.25, 0.5])), 9)  # log 2
    0.693147181
    """
    batch = batched({"p": (p, SHARES), "q": (q, SHARES)})
    return batch.answer(_values(batch), check)


def kl_multinomial(
    n_p: ArrayLike, p: ArrayLike, n_q: ArrayLike, q: ArrayLike, *, check: bool = False
) -> Array | np.float64:
    """KL of multinomials of n trials, n times that of `kl`; infinite where they differ in n.

    >>> float(kl_multinomial(10, [0.5, 0.5], 10, [0.5, 0.5]))
    0.0
    """
    trials = positive("")
    batch = batched({"n_p": (n_p, trials), "p": (p, SHARES), "n_q": (n_q, trials), "q": (q, SHARES)})
    first, second = batch.arrays["n_p"], batch.arrays["n_q"]
    shares = batched({name: (batch.arrays[name], SHARES) for name in ("p", "q")})
    one = _values(shares).reshape(shares.shape)
    valid = (first > 0.0) & (first < np.inf) & (second > 0.0) & (second < np.inf)
    value = np.where(valid, np.where(first == second, first * one, np.where(np.isnan(one), one, np.inf)), np.nan)
    return batch.answer(value, check)


def kl_and_gradient(
    p: ArrayLike, q: ArrayLike, *, check: bool = False
) -> tuple[Array | np.float64, tuple[Array, Array]]:
    """What `kl` gives, and its derivatives by p and by q, log(p/q) and (q - p)/q.

    Along vectors whose entries sum to 0 they are those of the sum of p log(p/q).

    >>> kl_and_gradient([0.5, 0.5], [0.25, 0.75])[1][1]
    array([-1.        ,  0.33333333])
    """
    batch = batched({"p": (p, SHARES), "q": (q, SHARES)})
    slopes = np.empty((2, batch.count, batch.sizes["k"]))
    value = batch.answer(_values(batch, *slopes), check)
    by_p, by_q = slopes.reshape((2, *batch.shape, batch.sizes["k"]))
    return value, (by_p, by_q)


def _values(batch: Batch, *slopes: Array) -> Array:
    p, q = batch.flat()
    compiled, value = loops("sums"), np.empty(batch.count)
    by_p, by_q = slopes or np.empty((2, 0, p.shape[-1]))
    if compiled:
        compiled._fill_shares(p, q, value, by_p, by_q)
        return value
    with np.errstate(all="ignore"):
        for here in batch.blocks():
            a, b = (x if len(x) == 1 else x[here] for x in (p, q))
            value[here] = added(kernel._summand(a, b).T)
            if len(by_p):
                by_p[here], by_q[here] = kernel._surprise(a, b), np.where(a == b, 0.0, (b - a) / b)
    return value
