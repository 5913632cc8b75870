"""KL of multivariate normals whose covariance is diagonal, or a product W W^T plus a diagonal, batched.

The second is a model x_i = mu_i + w_i^T f + e_i with r factors f of variance 1 and errors of variance d_i. Given the
components before it x_i has a mean mu_i + w_i^T m and a variance s_i under either distribution, m being what is known
of f: a Kalman filter of r states. By the chain rule, with e the gap of the two means where mu_p = mu_q,

    KL = sum_i [phi(s_q, s_p) + E e^2/s_q + c^2/s_q]/2,    phi(s, t) = (t - s)/s - log(t/s),

c being what the filter of Q leaves of mu_p - mu_q. No term is negative. What P's and Q's filters differ by is followed
as such, in pairs of doubles, and so are its second moments under P, so that the value is right next to P = Q, in k r^2
operations. For filters see Anderson and Moore, Optimal Filtering, 1979, chapter 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..double_double.arithmetic import minus, over, plus, times
from ..kernels.elementary import phi
from .batches import batched, finite, positive
from .loops import loops
from .matrices import Pair, added, at, difference, exactly, powers, rounded, total, transposed

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
    if compiled := loops("sums"):
        value = np.empty(batch.count)
        compiled._fill_components(*batch.flat(), value)
    else:
        value = batch.mapped(_diagonal)
    return batch.answer(value, check)


def kl_diagonal_and_gradient(
    mu_p: ArrayLike, d_p: ArrayLike, mu_q: ArrayLike, d_q: ArrayLike, *, check: bool = False
) -> tuple[Array | np.float64, tuple[Array, Array, Array, Array]]:
    """What `kl_diagonal` gives, and its derivatives by mu_p, d_p, mu_q and d_q, with the broadcast leading dimensions.

    They are z = (mu_p - mu_q)/d_q, (d_p - d_q)/(2 d_p d_q), -z and (d_q - d_p)/(2 d_q^2) - z^2/2; the last is right
    relative to its terms.

    >>> kl_diagonal_and_gradient([1.0], [1.0], [0.0], [2.0])[1][1]
    array([-0.25])
    """
    value = kl_diagonal(mu_p, d_p, mu_q, d_q, check=check)
    a, s, b, t = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (mu_p, d_p, mu_q, d_q)))
    with np.errstate(all="ignore"):
        z, w = (a - b) / t, 0.5 * ((s - t) / t)
        return value, (z, w / s, -z, -w / t - 0.5 * z * z)


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
    if compiled := loops("low_rank"):
        value, rank = np.empty(batch.count), max(batch.sizes["r"], batch.sizes["s"])
        rows = (_padded(x, rank) if x.ndim == 3 else x for x in batch.flat())
        compiled._fill(*rows, value)
    else:
        value = batch.mapped(_low_rank)
    return batch.answer(value, check)


def _diagonal(a: Array, s: Array, b: Array, t: Array) -> Array:
    gap = a - b
    terms = phi(t, s, s - t) + gap / t * gap
    valid = ((s > 0.0) & (t > 0.0) & np.isfinite(s) & np.isfinite(t)).all(0)
    return np.where(valid, 0.5 * added(terms), np.nan)


def _low_rank(*arrays: Array) -> Array:
    """What the loops compute, by NumPy."""
    count, rank = max(x.shape[-1] for x in arrays), max(arrays[1].shape[1], arrays[4].shape[1])
    mu_p, w_p, d_p, mu_q, w_q, d_q = (np.broadcast_to(x, (*x.shape[:-1], count)) for x in arrays)
    unit = powers(d_q + (w_q * w_q).sum(1))
    w_p, w_q = (np.moveaxis(_padded(np.moveaxis(w * unit[:, None], -1, 0), rank), 0, -1) for w in (w_p, w_q))
    mu_p, mu_q, d_p, d_q = mu_p * unit, mu_q * unit, d_p * unit * unit, d_q * unit * unit
    gaps, rises, means = difference(w_p, w_q), difference(d_p, d_q), difference(mu_p, mu_q)
    eye = np.broadcast_to(np.eye(rank)[:, :, None], (rank, rank, count))
    nothing = np.zeros((rank, rank, count))
    unknown_p, unknown_q, known = exactly(eye), exactly(eye), exactly(nothing)
    unlike, mixed, spread, seen = exactly(nothing), exactly(nothing), exactly(nothing), exactly(nothing[0])
    terms = []
    for i in range(len(d_q)):
        p, q, g = exactly(w_p[i]), exactly(w_q[i]), at(gaps, i)
        u_p, u_q = _applied(unknown_p, p), _applied(unknown_q, q)
        du = plus(_applied(unlike, p), _applied(unknown_q, g))
        s_p, s_q = plus(_inner(p, u_p), exactly(d_p[i])), plus(_inner(q, u_q), exactly(d_q[i]))
        ds = plus(plus(_inner(g, u_p), _inner(q, du)), at(rises, i))
        gain_p, gain_q = over(u_p, s_p), over(u_q, s_q)
        dgain = over(minus(du, times(gain_q, ds)), s_p)
        with_known = plus(_applied(known, g), _applied(transposed(mixed), q))
        with_gap = plus(_applied(mixed, g), _applied(spread, q))
        v = plus(_inner(g, with_known), _inner(q, with_gap))
        c = minus(at(means, i), _inner(q, seen))
        terms += [exactly(phi(s_q[0], s_p[0], ds[0])), over(plus(v, times(c, c)), s_q)]
        seen = plus(seen, times(gain_q, c))
        pull = _outer(gain_q, minus(with_gap, times(tuple(0.5 * x for x in gain_q), v)))
        push = times(s_p, dgain)
        spread = plus(minus(spread, plus(pull, transposed(pull))), _outer(dgain, push))
        mixed = plus(minus(mixed, _outer(gain_q, with_known)), _outer(push, gain_p))
        known = plus(known, _outer(gain_p, u_p))
        unlike = minus(unlike, plus(_outer(dgain, u_p), _outer(gain_q, du)))
        unknown_p, unknown_q = minus(unknown_p, _outer(gain_p, u_p)), minus(unknown_q, _outer(gain_q, u_q))
    high, low = (np.stack(parts) for parts in zip(*terms, strict=True))
    value = 0.5 * rounded(total((high, low)))
    return np.where(((d_p > 0.0) & (d_q > 0.0)).all(0), value, np.nan)


def _padded(w: Array, rank: int) -> Array:
    """W with columns of zeros to a rank."""
    return np.concatenate([w, np.zeros((*w.shape[:2], rank - w.shape[2]))], axis=2)


def _inner(x: Pair, y: Pair) -> Pair:
    return total(times(x, y))


def _applied(a: Pair, x: Pair) -> Pair:
    """a x"""
    return total(times(transposed(a), at(x, slice(None), None)))


def _outer(x: Pair, y: Pair) -> Pair:
    return times(at(x, slice(None), None), y)
