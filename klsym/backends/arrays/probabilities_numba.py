"""KL from probabilities: the terms of a block of entries by vector code, then the sums of rows."""

import numpy as np
from numba import njit, types

BLOCK, PART, LANES = 2048, 128, 8


@njit(error_model="numpy")
def _terms(p, q, terms):
    _apart()
    _align_stack()
    for j in range(terms.size):
        terms[j] = __summand(p[j], q[j])


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


_ROWS = types.Array(types.float64, 2, "C", readonly=True)


@njit(
    [types.void(_ROWS, _ROWS, types.float64[::1], types.float64[:, ::1], types.float64[:, ::1])],
    error_model="numpy",
    cache=True,
    nogil=True,
)
def _fill(p, q, value, by_p, by_q):
    """The values, and the derivatives unless their arrays are empty; one row may serve all."""
    k = p.shape[1]
    step_p, step_q = min(p.shape[0] - 1, 1), min(q.shape[0] - 1, 1)
    whole = step_p == step_q == 1
    rows = max(BLOCK // k, 1) if whole else 1
    terms = np.empty(rows * k)
    for start in range(0, value.size, rows):
        here = min(rows, value.size - start)
        first = p[start * step_p : start * step_p + here].reshape(-1)
        second = q[start * step_q : start * step_q + here].reshape(-1)
        _terms(first, second, terms[: here * k])
        if by_p.size > 0:
            _slopes(first, second, by_p[start : start + here].reshape(-1), by_q[start : start + here].reshape(-1))
        for i in range(here):
            total, low = 0.0, 0.0
            for part in range(i * k, (i + 1) * k, PART):
                addend = _part(terms[part : min(part + PART, (i + 1) * k)])
                high = total + addend
                low += addend - (high - total)
                total = high
            value[start + i] = total if total == np.inf else total + low
