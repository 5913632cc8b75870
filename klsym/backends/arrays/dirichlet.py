"""KL of Dirichlet distributions over the last axis, batched, with derivatives by both sides.

With x the largest component of alpha, y the others, s the sum, it is the remainder of lgamma at each y and that of
lgamma(x) - lgamma(s) as of one function, so that the terms exceed their sum little (`lbetarem` is the case of two
components). The divergence: Penny, KL-divergences of Normal, Gamma, Dirichlet and Wishart densities, 2001.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.errors import ParameterError
from ..double_double.arithmetic import minus, over, plus, times
from ..kernels import dirichlet as kernel
from ..kernels import gamma
from .loops import loops
from .matrices import difference, exactly, total

Array = NDArray[np.float64]
BLOCK = 1 << 16  # components that NumPy takes at a time


def kl(alpha_p: ArrayLike, alpha_q: ArrayLike, *, check: bool = False) -> Array | np.float64:
    """KL(Dirichlet(alpha_p) || Dirichlet(alpha_q)) from concentrations (..., K), K >= 2, all positive.

    Leading dimensions broadcast. Where a concentration is not positive and finite, the value is NaN, and with `check` a
    ParameterError is raised. Shapes that do not fit raise ParameterError.

    >>> float(kl([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]))
    0.0
    >>> round(float(kl([1.0, 1.0], [2.0, 1.0])), 9)  # 1 - log 2
    0.306852819
    """
    return _divergence(alpha_p, alpha_q, check, gradient=False)[0]


def kl_and_gradient(
    alpha_p: ArrayLike, alpha_q: ArrayLike, *, check: bool = False
) -> tuple[Array | np.float64, tuple[Array, Array]]:
    """What `kl` gives, and its derivatives by alpha_p and by alpha_q, with the broadcast leading dimensions.

    They are (a_j - b_j) psi'(a_j) - (a_0 - b_0) psi'(a_0) and psi(b_j) - psi(a_j) - (psi(b_0) - psi(a_0)), as sums of
    differences that vanish where P = Q; their errors are relative to the terms where these cancel.

    >>> kl_and_gradient([1.0, 1.0], [1.0, 2.0])[1][1]
    array([-0.5,  0.5])
    """
    value, slopes = _divergence(alpha_p, alpha_q, check, gradient=True)
    return value, slopes


def _divergence(
    alpha_p: Any, alpha_q: Any, check: bool, gradient: bool
) -> tuple[Array | np.float64, tuple[Array, Array]]:
    shape, flat = _batched(alpha_p, alpha_q)
    k, count = flat[0].shape[-1], int(np.prod(shape, dtype=np.int64))
    value = np.empty(count)
    slopes = [np.empty((count if gradient else 0, k)) for _ in flat]
    compiled = loops("dirichlet")
    if compiled:
        compiled._fill(*flat, value, *slopes)
    else:
        step = max(BLOCK // k, 1)
        for start in range(0, count, step):
            here = slice(start, start + step)
            rows = [x if len(x) == 1 else x[here] for x in flat]
            with np.errstate(all="ignore"):
                value[here], parts = _rows(*rows, gradient=gradient)
            for slope, part in zip(slopes, parts, strict=False):
                slope[here] = part
    _second_pass(flat, value, slopes, shape, check)
    by_p, by_q = (x.reshape((*shape, k)) if gradient else x for x in slopes)
    return value.reshape(shape)[()], (by_p, by_q)


def _rows(p: Array, q: Array, gradient: bool) -> tuple[Array, list[Array]]:
    """What the loops compute, by NumPy."""
    a, b = (x.T for x in np.broadcast_arrays(p, q))
    largest = (np.argmax(a, axis=0), np.arange(a.shape[1]))
    x, x_end = a[largest], b[largest]
    rest, rest_end = a.copy(), b.copy()
    rest[largest], rest_end[largest] = 0.0, 0.0
    y, y_end, dy = total(exactly(rest)), total(exactly(rest_end)), total(difference(rest_end, rest))
    gap, dx = difference(b, a), difference(x_end, x)
    s, ds, end = plus(y, exactly(x)), plus(dy, dx), y_end[0] + x_end
    up, up_end = plus(s, exactly(1.0)), end + 1.0
    terms = kernel._component(a, b, gap[0], _turn(a, gap, over(ds, up)), up_end / up[0])
    fine = (np.minimum(a, b) >= gamma.LEAST) & (np.maximum(a, b) <= gamma.GREATEST)
    terms[largest] = 0.0
    spin = minus(times(dx, y), times(exactly(x), dy))[0]
    larger = gamma._beta_larger(x, y[0], x_end, y_end[0], dx[0], dy[0], spin)
    value = np.where(fine.all(0), sum(total(exactly(terms))) + larger, np.nan)
    if not gradient:
        return value, []
    curved, bent = ds[0] * gamma.reduced_trigamma(s[0]), gamma.reduced_digamma_difference(s[0], end, ds[0])
    slopes = kernel._component_slopes(a, b, gap[0], _turn(a, gap, over(ds, s)), end / s[0], curved, bent)
    return value, [slope.T for slope in slopes]


def _turn(a: Array, gap: Any, growth: Any) -> Array:
    """a (1 + growth) - b, growth and b - a in pairs: it is 0 where b grows from a as the sum does."""
    return minus(times(exactly(a), growth), gap)[0]


def _second_pass(flat: list[Array], value: Array, slopes: list[Array], shape: tuple[int, ...], check: bool) -> None:
    """Rows without a value: NaN for good where a concentration is not positive and finite, else with many digits."""
    for row in np.flatnonzero(~(value < np.inf)):
        a, b = (x[0] if len(x) == 1 else x[row] for x in flat)
        for name, x in (("alpha_p", a), ("alpha_q", b)):
            if not ((x > 0.0) & np.isfinite(x)).all():
                if check:
                    where = tuple(int(i) for i in np.unravel_index(row, shape))
                    raise ParameterError(f"{name}{f' at {where}' if where else ''} is not positive and finite")
                a = None
                break
        value[row], rest = (np.nan, (np.nan, np.nan)) if a is None else _many_digits(a, b)
        for slope, part in zip(slopes, rest, strict=True):
            if slope.size:
                slope[row] = part


def _many_digits(a: Array, b: Array) -> tuple[float, tuple[Array, Array]]:
    """The value and the derivatives by mpmath, the digits doubled until they no longer matter."""
    before = None
    for bits in (400, 800, 1600, 3200, 6400):
        with mpmath.workprec(bits):
            p, q = ([mpmath.mpf(float(x)) for x in side] for side in (a, b))
            p0, q0 = mpmath.fsum(p), mpmath.fsum(q)
            psi_0, slope_0 = mpmath.psi(0, p0), (p0 - q0) * mpmath.psi(1, p0)
            psi = [mpmath.psi(0, x) for x in p]
            terms = [mpmath.loggamma(y) - mpmath.loggamma(x) + (x - y) * d for x, y, d in zip(p, q, psi, strict=True)]
            value = mpmath.loggamma(p0) - mpmath.loggamma(q0) + mpmath.fsum(terms) - (p0 - q0) * psi_0
            by_p = [(x - y) * mpmath.psi(1, x) - slope_0 for x, y in zip(p, q, strict=True)]
            by_q = [mpmath.psi(0, y) - d - (mpmath.psi(0, q0) - psi_0) for y, d in zip(q, psi, strict=True)]
            now = np.array([float(x) for x in (value, *by_p, *by_q)])
        if before is not None and np.allclose(now, before, rtol=2.0**-50, atol=0.0, equal_nan=False):
            return now[0], (now[1 : 1 + len(a)], now[1 + len(a) :])
        before = now
    return float("nan"), (np.full(len(a), np.nan), np.full(len(a), np.nan))


def _batched(alpha_p: Any, alpha_q: Any) -> tuple[tuple[int, ...], list[Array]]:
    """The broadcast leading shape, and the arguments as rows: one, or as many as there are elements."""
    arrays: list[Array] = []
    for name, value in (("alpha_p", alpha_p), ("alpha_q", alpha_q)):
        try:
            arrays.append(np.asarray(value, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise ParameterError(f"{name} is not an array of real numbers: {error}; pass numbers or arrays") from error
        if arrays[-1].ndim == 0 or arrays[-1].shape[-1] < 2:
            raise ParameterError(f"{name} has the shape {arrays[-1].shape}; its last dimension must be 2 or more")
    p, q = arrays
    if p.shape[-1] != q.shape[-1]:
        raise ParameterError(f"alpha_p has {p.shape[-1]} components and alpha_q {q.shape[-1]}; give both as many")
    try:
        shape = np.broadcast_shapes(p.shape[:-1], q.shape[:-1])
    except ValueError as error:
        raise ParameterError(
            f"the leading dimensions do not broadcast: alpha_p {p.shape}, alpha_q {q.shape}"
        ) from error
    k = p.shape[-1]
    full = [x if x.size == k else np.broadcast_to(x, (*shape, k)) for x in arrays]
    return shape, [np.ascontiguousarray(x).reshape(-1, k) for x in full]
