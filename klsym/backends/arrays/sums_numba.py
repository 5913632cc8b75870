"""Divergences that are sums over the last axis: the terms of a block of entries by vector code, then rows' sums."""

import numpy as np
from numba import njit, types

BLOCK, PART, LANES = 2048, 128, 8


@njit(error_model="numpy")
def _shares(p, q, terms):
    """Of categorical distributions."""
    _apart()
    _align_stack()
    for j in range(terms.size):
        terms[j] = __summand(p[j], q[j])


@njit(error_model="numpy")
def _components(mu_p, d_p, mu_q, d_q, terms):
    """Of normals with variances d."""
    _apart()
    _align_stack()
    for j in range(terms.size):
        gap = mu_p[j] - mu_q[j]
        term = 0.5 * (_phi(d_q[j], d_p[j], d_p[j] - d_q[j]) + gap / d_q[j] * gap)
        terms[j] = _select(d_q[j] < np.inf, term, np.nan)


@njit(error_model="numpy")
def _slopes(p, q, by_p, by_q):
    """The derivatives by p and by q."""
    _apart()
    _align_stack()
    for j in range(p.size):
        by_p[j], by_q[j] = __surprise(p[j], q[j]), _select(p[j] == q[j], 0.0, (q[j] - p[j]) / q[j])


@njit(error_model="numpy")
def _part(x):
    """The sum of at most PART numbers, in lanes."""
    lanes = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    whole = x.size // LANES * LANES
    for j in range(0, whole, LANES):
        a, b, c, d, e, f, g, h = lanes
        lanes = (
            a + x[j], b + x[j + 1], c + x[j + 2], d + x[j + 3], e + x[j + 4], f + x[j + 5], g + x[j + 6], h + x[j + 7],
        )  # fmt: skip
    a, b, c, d, e, f, g, h = lanes
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for j in range(whole, x.size):
        total += x[j]
    return total


@njit(error_model="numpy")
def _row_sums(terms, k, value):
    for i in range(value.size):
        total, low = 0.0, 0.0
        for part in range(i * k, (i + 1) * k, PART):
            addend = _part(terms[part : min(part + PART, (i + 1) * k)])
            high = total + addend
            low += addend - (high - total)
            total = high
        value[i] = total if total == np.inf else total + low


@njit(error_model="numpy")
def _rows(x, start, count):
    """Rows one after the other; one row may serve all."""
    start = start if x.shape[0] > 1 else 0
    return x[start : start + count].reshape(-1)


@njit(error_model="numpy")
def _step(arrays, k):
    """How many rows are taken at a time."""
    for x in arrays:
        if x.shape[0] == 1:
            return 1
    return max(BLOCK // k, 1)


_ROWS = types.Array(types.float64, 2, "C", readonly=True)


@njit(
    [types.void(_ROWS, _ROWS, types.float64[::1], types.float64[:, ::1], types.float64[:, ::1])],
    error_model="numpy",
    cache=True,
    nogil=True,
)
def _fill_shares(p, q, value, by_p, by_q):
    """The values, and the derivatives unless their arrays are empty."""
    k, step = p.shape[1], _step((p, q), p.shape[1])
    terms = np.empty(step * k)
    for start in range(0, value.size, step):
        here = min(step, value.size - start)
        first, second = _rows(p, start, here), _rows(q, start, here)
        _shares(first, second, terms[: here * k])
        if by_p.size > 0:
            _slopes(first, second, by_p[start : start + here].reshape(-1), by_q[start : start + here].reshape(-1))
        _row_sums(terms, k, value[start : start + here])


@njit([types.void(_ROWS, _ROWS, _ROWS, _ROWS, types.float64[::1])], error_model="numpy", cache=True, nogil=True)
def _fill_components(mu_p, d_p, mu_q, d_q, value):
    k, step = d_p.shape[1], _step((mu_p, d_p, mu_q, d_q), d_p.shape[1])
    terms = np.empty(step * k)
    for start in range(0, value.size, step):
        here = min(step, value.size - start)
        means = _rows(mu_p, start, here), _rows(mu_q, start, here)
        _components(means[0], _rows(d_p, start, here), means[1], _rows(d_q, start, here), terms[: here * k])
        _row_sums(terms, k, value[start : start + here])
