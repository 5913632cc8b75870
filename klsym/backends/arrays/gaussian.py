"""KL of multivariate normals, batched: from Cholesky factors, covariances, precisions or standard deviations.

With W = L_q^-1 (L_p - L_q), which is lower triangular, w its diagonal and z = L_q^-1 (mu_p - mu_q), KL is

    sum_i phi(1, 1 + w_i, w_i) + |W|^2/2 + |z|^2/2,    phi(1, 1 + w, w) = w - log(1 + w)

(from tr(A A^T) - k - 2 log det A with A = I + W; Kullback, Information Theory and Statistics, 1959, section 9.1).
No term is negative and all vanish where P = Q. W and z are computed in pairs of doubles, so that the value is right to
a few units whatever the condition of L_q, up to about 1e12.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..double_double.arithmetic import plus, times
from ..kernels.elementary import phi
from ..kernels.machine import exponent, scaled
from .batches import Batch, Kind, batched, finite, positive, positive_definite, triangular
from .loops import loops
from .matrices import (
    added,
    at,
    difference,
    exactly,
    mirrored,
    product,
    put,
    rounded,
    solve,
    solve_transposed,
    squares,
    total,
    transposed,
    unit_of,
)
from .symmetric import compared, slopes

Array = NDArray[np.float64]
Gradient = tuple[Array, Array, Array, Array]
GROUPED = 32  # up to this k, and from GROUP matrices on, the loops take a group of matrices at a time
GROUP = 4


def kl_tril(
    mu_p: ArrayLike, scale_tril_p: ArrayLike, mu_q: ArrayLike, scale_tril_q: ArrayLike, *, check: bool = False
) -> Array | np.float64:
    """KL(N(mu_p, L_p L_p^T) || N(mu_q, L_q L_q^T)) from means (..., k) and lower Cholesky factors (..., k, k).

    Leading dimensions broadcast. Where a factor is not lower triangular with a positive diagonal or a number is not
    finite, the value is NaN, and with `check` a ParameterError is raised. Shapes that do not fit raise ParameterError.

    >>> float(kl_tril([0.0, 0.0], np.eye(2), [3.0, 4.0], np.eye(2)))
    12.5
    """
    return _from_factors(mu_p, scale_tril_p, mu_q, scale_tril_q, check, gradient=False)[0]


def kl_and_gradient(
    mu_p: ArrayLike, scale_tril_p: ArrayLike, mu_q: ArrayLike, scale_tril_q: ArrayLike, *, check: bool = False
) -> tuple[Array | np.float64, Gradient]:
    """What `kl_tril` gives, and its derivatives by mu_p, L_p, mu_q and L_q; those by factors are lower triangular.

    With S = W + W^T + W W^T + z z^T they are L_q^-T z, tril(L_q^-T (W + diag(w/(1 + w)))), -L_q^-T z and
    -tril(L_q^-T S). Each has the broadcast leading dimensions. Errors are those of `kl_tril`.

    >>> value, (d_mu_p, *_) = kl_and_gradient([1.0], [[1.0]], [0.0], [[1.0]])
    >>> d_mu_p
    array([1.])
    """
    value, gradient = _from_factors(mu_p, scale_tril_p, mu_q, scale_tril_q, check, gradient=True)
    assert gradient is not None
    return value, gradient


def kl_covariance(
    mu_p: ArrayLike,
    covariance_p: ArrayLike,
    mu_q: ArrayLike,
    covariance_q: ArrayLike,
    *,
    check: bool = False,
    condition: bool = False,
) -> Any:
    """KL(N(mu_p, S_p) || N(mu_q, S_q)) from means (..., k) and covariances (..., k, k), whose lower triangles are read.

    It is (tr E - log det(I + E) + |z|^2)/2 with E = L_q^-1 (S_p - S_q) L_q^-T, all in pairs of doubles: the value of
    the given doubles. How much it varies with what they were rounded from is about `condition` times that rounding,
    and near P = Q also as the rounding over the difference; with `condition` the result is (value, condition), the
    condition number |S| |S^-1| in the norm of column sums of S_q scaled to a diagonal between 1 and 4.

    NaN where a matrix is not positive definite or a number not finite, with `check` a ParameterError. Shapes that do
    not fit raise ParameterError. See Higham, Accuracy and Stability of Numerical Algorithms, ch. 10.

    >>> float(kl_covariance([0.0], [[1.0]], [1.0], [[1.0]]))
    0.5
    """
    batch = _arguments("covariance", positive_definite("kk"), mu_p, covariance_p, mu_q, covariance_q)
    result = batch.answer(_from_covariances(batch, gradient=False)[0], check)
    return (result, _conditions(batch, 3)) if condition else result


def kl_covariance_and_gradient(
    mu_p: ArrayLike, covariance_p: ArrayLike, mu_q: ArrayLike, covariance_q: ArrayLike, *, check: bool = False
) -> tuple[Array | np.float64, Gradient]:
    """What `kl_covariance` gives, and its derivatives by mu_p, S_p, mu_q and S_q; those by covariances are symmetric.

    With d = mu_p - mu_q they are S_q^-1 d, (S_q^-1 - S_p^-1)/2, -S_q^-1 d and (S_q^-1 - S_q^-1 (S_p + d d^T) S_q^-1)/2,
    from S_p - S_q in pairs of doubles, each with the broadcast leading dimensions. Errors are those of `kl_covariance`.

    >>> kl_covariance_and_gradient([0.0], [[1.0]], [1.0], [[1.0]])[1][3]
    array([[-0.5]])
    """
    batch = _arguments("covariance", positive_definite("kk"), mu_p, covariance_p, mu_q, covariance_q)
    value, (mean, first, second) = _from_covariances(batch, gradient=True)
    return batch.answer(value, check), (mean, first, -mean, second)


def kl_precision(
    mu_p: ArrayLike,
    precision_p: ArrayLike,
    mu_q: ArrayLike,
    precision_q: ArrayLike,
    *,
    check: bool = False,
    condition: bool = False,
) -> Any:
    """KL of normals from means (..., k) and precision matrices (..., k, k), whose lower triangles are read.

    As `kl_covariance`, with E = L_p^-1 (T_q - T_p) L_p^-T for precisions T = L L^T; the condition is that of T_p.

    >>> float(kl_precision([0.0], [[1.0]], [1.0], [[1.0]]))
    0.5
    """
    batch = _arguments("precision", positive_definite("kk"), mu_p, precision_p, mu_q, precision_q)
    result = batch.answer(batch.mapped(lambda a, p, b, q: _precision(a, mirrored(p), b, mirrored(q))), check)
    return (result, _conditions(batch, 1)) if condition else result


def kl_diagonal(
    mu_p: ArrayLike, sigma_p: ArrayLike, mu_q: ArrayLike, sigma_q: ArrayLike, *, check: bool = False
) -> Array | np.float64:
    """KL of normals with independent components, from means and standard deviations (..., k).

    NaN where a standard deviation is not positive or a number not finite, with `check` a ParameterError.

    >>> float(kl_diagonal([0.0, 0.0], [1.0, 1.0], [3.0, 4.0], [1.0, 1.0]))
    12.5
    """
    batch = _arguments("sigma", positive("k"), mu_p, sigma_p, mu_q, sigma_q)
    return batch.answer(batch.mapped(_diagonal), check)


def _arguments(name: str, kind: Kind, mu_p: Any, p: Any, mu_q: Any, q: Any) -> Batch:
    mean = finite("k")
    return batched({"mu_p": (mu_p, mean), f"{name}_p": (p, kind), "mu_q": (mu_q, mean), f"{name}_q": (q, kind)})


def _diagonal(a: Array, s: Array, b: Array, t: Array) -> Array:
    unit = scaled(np.ones_like(t), -exponent(t))
    w, z = ((x * unit - y * unit) / (t * unit) for x, y in ((s, t), (a, b)))
    terms = phi(t * unit, s * unit, s * unit - t * unit) + 0.5 * (w * w + z * z)
    valid = ((s > 0.0) & (t > 0.0) & np.isfinite(s) & np.isfinite(t)).all(0)
    return np.where(valid, added(terms), np.nan)


def _from_factors(
    mu_p: Any, scale_tril_p: Any, mu_q: Any, scale_tril_q: Any, check: bool, gradient: bool
) -> tuple[Array | np.float64, Gradient | None]:
    batch = _arguments("scale_tril", triangular("kk"), mu_p, scale_tril_p, mu_q, scale_tril_q)
    shape, flat, count = batch.shape, batch.flat(), batch.count
    k = flat[0].shape[-1]
    value = np.empty(count)
    sizes = [(count if gradient else 0, *([k] * (x.ndim - 1))) for x in flat]
    slopes = [np.empty(size) for size in sizes]
    compiled = loops("vectors", "gaussian")
    if compiled:
        ones = np.ones((k, compiled.WIDTH) if k <= GROUPED and count >= GROUP else k)
        compiled._fill(ones, *flat, value, *slopes)
    else:
        for here in batch.blocks():
            value[here], parts = _factors(*(x if len(x) == 1 else x[here] for x in flat), gradient=gradient)
            for slope, part in zip(slopes, parts, strict=False):
                slope[here] = part
    result = batch.answer(value, check)
    if not gradient:
        return result, None
    d_mu_p, d_l_p, d_mu_q, d_l_q = (x.reshape((*shape, *x.shape[1:])) for x in slopes)
    return result, (d_mu_p, d_l_p, d_mu_q, d_l_q)


def _factors(mu_p: Array, l_p: Array, mu_q: Array, l_q: Array, gradient: bool) -> tuple[Array, list[Array]]:
    """What the loops compute, by NumPy."""
    with np.errstate(all="ignore"):
        n = max(len(x) for x in (mu_p, l_p, mu_q, l_q))
        p, q = (np.moveaxis(np.broadcast_to(x, (n, *x.shape[1:])), 0, -1) for x in (l_p, l_q))
        a, b = (np.moveaxis(np.broadcast_to(x, (n, *x.shape[1:])), 0, -1) for x in (mu_p, mu_q))
        k, diagonal = len(p), np.arange(len(p))
        valid: Any = np.ones(n, dtype=bool)
        for x in (p, q):
            pivots = x[diagonal, diagonal]
            valid = valid & ((pivots > 0.0) & np.isfinite(pivots)).all(0) & (x[np.triu_indices(k, 1)] == 0.0).all(0)
        pivots = q[diagonal, diagonal]
        unit = scaled(np.ones_like(pivots), -exponent(pivots))
        p, q, a, b = p * unit[:, None], q * unit[:, None], a * unit, b * unit
        gap, factor = p[diagonal, diagonal] - q[diagonal, diagonal], exactly(q)
        w = solve(factor, difference(p, q))
        z = solve(factor, tuple(x[:, None] for x in difference(a, b)))
        phis = phi(q[diagonal, diagonal], p[diagonal, diagonal], gap)
        halves = tuple(0.5 * x for x in plus(squares(w), squares(z)))
        value = rounded(plus(halves, total(exactly(phis))))
        value = np.where(np.isinf((w[0] ** 2).sum((0, 1)) + (z[0] ** 2).sum((0, 1))), np.inf, value)
        value = np.where(valid, value, np.nan)
        if not gradient:
            return value, []
        turned = transposed(w)
        outer = plus(plus(w, turned), plus(product(w, turned), times(z, transposed(z))))
        put(w, plus(at(w, diagonal, diagonal), exactly(gap / p[diagonal, diagonal])), diagonal, diagonal)
        lower = np.tri(k)[:, :, None] * unit[:, None]
        d_mu = solve_transposed(factor, z)[0][:, 0] * unit
        d_p, d_q = (lower * solve_transposed(factor, x)[0] for x in (w, outer))
        slopes = [np.where(valid, x, np.nan) for x in (d_mu, d_p, -d_mu, -d_q)]
        return value, [np.moveaxis(x, -1, 0) for x in slopes]


def _from_covariances(batch: Batch, gradient: bool) -> tuple[Array, tuple[Array, Array, Array]]:
    """Values, and the derivatives by mu_p, S_p and S_q, over the broadcast leading dimensions; empty if not wanted."""
    flat, k, count = batch.flat(), batch.sizes["k"], batch.count
    value, slopes = np.empty(count), [np.empty((count if gradient else 0, *(k,) * n)) for n in (1, 2, 2)]
    compiled = loops("vectors", "symmetric")
    if compiled:
        shape = (k, compiled.WIDTH) if k <= GROUPED and count > 1 else k
        compiled._fill_covariances(np.ones(shape), *flat, value, *slopes)
    else:
        with np.errstate(all="ignore"):
            for here in batch.blocks():
                given = (np.moveaxis(x if len(x) == 1 else x[here], 0, -1) for x in flat)
                value[here], parts = _covariances(*given, gradient=gradient)
                for slope, part in zip(slopes, parts, strict=False):
                    slope[here] = np.moveaxis(part, -1, 0)
    mean, first, second = (x.reshape((*batch.shape, *x.shape[1:])) if gradient else x for x in slopes)
    return value, (mean, first, second)


def _covariances(a: Array, p: Array, b: Array, q: Array, gradient: bool) -> tuple[Array, list[Array]]:
    """What the loops compute, by NumPy."""
    p, q = mirrored(p), mirrored(q)
    unit = unit_of(q)
    both = unit[:, None] * unit
    p, q = p * both, q * both
    gap, mean = difference(p, q), difference(a * unit, b * unit)
    excess, square = compared(exactly(q), gap, mean)
    value = 0.5 * rounded(plus(excess, square))
    if not gradient:
        return value, []
    missing = np.where(np.isnan(value), np.nan, 0.0)
    parts = zip((unit, both, both), slopes(exactly(q), exactly(p), gap, mean), strict=True)
    return value, [scale * part + missing for scale, part in parts]


def _conditions(batch: Batch, base: int) -> Any:
    return batch.mapped(lambda *arrays: _condition(mirrored(arrays[base]))).reshape(batch.shape)[()]


def _precision(a: Array, p: Array, b: Array, q: Array) -> Array:
    unit = unit_of(p)
    p, q = (x * unit[:, None] * unit for x in (p, q))
    mean = tuple(x[:, None] for x in difference(a / unit, b / unit))
    bent = product(exactly(q), mean)
    z = total(tuple(x[:, 0] for x in times(mean, bent)))
    value, _ = compared(exactly(p), difference(q, p), exactly(np.zeros_like(p[0])))
    return 0.5 * rounded(plus(value, z))


def _condition(a: Array) -> Array:
    unit = unit_of(a)
    matrices = np.moveaxis(a * unit[:, None] * unit, -1, 0)
    matrices = np.where(np.isfinite(matrices).all((1, 2), keepdims=True), matrices, 0.0)
    return np.linalg.cond(matrices, 1)
