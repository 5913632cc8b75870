"""KL of Dirichlet distributions: rows in blocks, short loops over contiguous arrays that become vector code.

Few components: a block is kept transposed, component j of all rows together, and rows are summed side by side. Many:
a row stays as it is, and every LANES-th component is summed side by side.
"""

import numpy as np
from numba import njit, types

BLOCK, LANES, FEW = 2048, 64, 64
LEAST, GREATEST = 1e-120, 1e120


@njit(error_model="numpy", forceinline=True)
def _two_sum(a, b):
    """a + b in two doubles."""
    high = a + b
    back = high - a
    return high, (a - (high - back)) + (b - back)


@njit(error_model="numpy")
def _gaps(a, b, gap, gap_low):
    for j in range(gap.size):
        gap[j], gap_low[j] = _two_sum(b[j], -a[j])


@njit(error_model="numpy")
def _accumulate(x, total, total_low):
    for j in range(x.size):
        total[j], rest = _two_sum(total[j], x[j])
        total_low[j] += rest


@njit(error_model="numpy")
def _increase(x, total):
    for j in range(x.size):
        total[j] += x[j]


@njit(error_model="numpy")
def _sums(x, x_low, few, k, total, total_low, lanes, lanes_low):
    """The sum of each row of a block in two doubles; `x_low` may be empty."""
    rows = total.size
    if few:
        total[:], total_low[:] = 0.0, 0.0
        for start in range(0, x.size, rows):
            _accumulate(x[start : start + rows], total, total_low)
            if x_low.size:
                _increase(x_low[start : start + rows], total_low)
        return
    for row in range(rows):
        lanes[:], lanes_low[:] = 0.0, 0.0
        for start in range(row * k, row * k + k, LANES):
            stop = min(start + LANES, row * k + k)
            _accumulate(x[start:stop], lanes, lanes_low)
            if x_low.size:
                _increase(x_low[start:stop], lanes_low)
        high, low = 0.0, 0.0
        for j in range(LANES):
            high, rest = _two_sum(high, lanes[j])
            low += rest + lanes_low[j]
        total[row], total_low[row] = high, low


@njit(error_model="numpy")
def _spread_rows(x, few, k, spread):
    """The numbers of the rows, for every component."""
    if few:
        for start in range(0, spread.size, x.size):
            spread[start : start + x.size] = x
    else:
        for row in range(x.size):
            spread[row * k : row * k + k] = x[row]


@njit(error_model="numpy")
def _turns(a, gap, gap_low, s, s_low, ds, ds_low, turn):
    """a_j (s + ds) - b_j s = a_j ds - d_j s, in which what is close is subtracted once."""
    for j in range(turn.size):
        first, second = a[j] * ds[j], gap[j] * s[j]
        tails = _product_tail(a[j], ds[j]) - _product_tail(gap[j], s[j])
        turn[j] = (first - second) + (tails + (_fma(a[j], ds_low[j], -gap[j] * s_low[j]) - gap_low[j] * s[j]))


@njit(error_model="numpy")
def _terms(a, b, gap, s, s_end, turn, term):
    """What each component contributes unless it is the largest; NaN out of range."""
    _align_stack()
    for j in range(term.size):
        value = __beta_smaller(a[j], b[j], gap[j], s[j], s_end[j], turn[j])
        fine = (a[j] >= LEAST) & (b[j] >= LEAST) & (a[j] <= GREATEST) & (b[j] <= GREATEST)
        term[j] = _select(fine, value, np.nan)


@njit(error_model="numpy")
def _larger(row, value):
    """The sums of the terms, and the part of the largest: by rows x, y, their ends and gaps, the turn, high and low."""
    _align_stack()
    x, y, x_end, y_end, x_gap, y_gap, turn, low = row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]
    for i in range(value.size):
        part = __beta_larger(x[i], y[i], x_end[i], y_end[i], x_gap[i], y_gap[i], turn[i])
        value[i] += part + low[i]


@njit(error_model="numpy")
def _slopes(a, b, gap, s, s_end, ds, turn, by_p, by_q):
    """The derivatives by p's and by q's components."""
    _align_stack()
    for j in range(turn.size):
        curved = _fma(-gap[j], _reduced_trigamma(a[j]), ds[j] * _reduced_trigamma(s[j]))
        by_p[j] = turn[j] / a[j] / s[j] + curved
        bent = _reduced_digamma_difference(a[j], b[j], gap[j]) - _reduced_digamma_difference(s[j], s_end[j], ds[j])
        by_q[j] = bent - _log_ratio(b[j] * s[j], a[j] * s_end[j], turn[j])


_ROWS = types.Array(types.float64, 2, "C", readonly=True)


@njit(
    [types.void(_ROWS, _ROWS, types.float64[::1], types.float64[:, ::1], types.float64[:, ::1])],
    error_model="numpy",
    cache=True,
    nogil=True,
)
def _fill(alpha_p, alpha_q, value, by_p, by_q):
    """The values, NaN out of range, and the derivatives unless their arrays are empty; one row may serve all."""
    count, k, few = value.size, alpha_p.shape[1], alpha_p.shape[1] <= FEW
    step_p, step_q = min(alpha_p.shape[0] - 1, 1), min(alpha_q.shape[0] - 1, 1)
    group = max(min(BLOCK // k, count), 1)
    a, b, gap, gap_low = np.empty(group * k), np.empty(group * k), np.empty(group * k), np.empty(group * k)
    s, s_low, ds, ds_low = np.empty(group * k), np.empty(group * k), np.empty(group * k), np.empty(group * k)
    s_end, turn, term, slope_p, slope_q = (
        np.empty(group * k), np.empty(group * k), np.empty(group * k), np.empty(group * k), np.empty(group * k),
    )  # fmt: skip
    lanes, lanes_low, nothing = np.empty(LANES), np.empty(LANES), np.empty(0)
    largest, row, more = np.empty(group, np.int64), np.empty((8, group)), np.empty((7, group))
    for start in range(0, count, group):
        rows = min(group, count - start)
        size, across, along = rows * k, rows if few else 1, 1 if few else k
        a, b, gap, gap_low = a[:size], b[:size], gap[:size], gap_low[:size]
        s, s_low, ds, ds_low, turn, term = s[:size], s_low[:size], ds[:size], ds_low[:size], turn[:size], term[:size]
        s_end = s_end[:size]
        row, more = row[:, :rows], more[:, :rows]
        for i in range(rows):
            p, q, place = alpha_p[(start + i) * step_p], alpha_q[(start + i) * step_q], 0
            for j in range(k):
                at = i * along + j * across
                a[at], b[at] = p[j], q[j]
                place = j if p[j] > p[place] else place
            at = i * along + place * across
            largest[i], row[0, i], row[2, i] = at, a[at], b[at]
            a[at], b[at] = 0.0, 0.0
        _gaps(a, b, gap, gap_low)
        _sums(a, nothing, few, k, row[1], more[0], lanes, lanes_low)
        _sums(b, nothing, few, k, row[3], more[1], lanes, lanes_low)
        _sums(gap, gap_low, few, k, row[5], more[2], lanes, lanes_low)
        for i in range(rows):
            at = largest[i]
            a[at], b[at] = row[0, i], row[2, i]
            gap[at], gap_low[at] = _two_sum(b[at], -a[at])
            row[4, i] = gap[at]
            row[1, i], low = _two_sum(row[1, i], more[0, i])
            row[3, i] += more[1, i]
            row[5, i], change_low = _two_sum(row[5, i], more[2, i])
            more[2, i], rest = _two_sum(a[at], row[1, i])
            more[3, i] = rest + low
            more[4, i], rest = _two_sum(gap[at], row[5, i])
            more[5, i] = (rest + change_low) + gap_low[at]
            more[6, i] = b[at] + row[3, i]
        _spread_rows(more[2], few, k, s)
        _spread_rows(more[3], few, k, s_low)
        _spread_rows(more[4], few, k, ds)
        _spread_rows(more[5], few, k, ds_low)
        _spread_rows(more[6], few, k, s_end)
        _turns(a, gap, gap_low, s, s_low, ds, ds_low, turn)
        _terms(a, b, gap, s, s_end, turn, term)
        for i in range(rows):
            # Out of range it stays NaN.
            row[6, i], term[largest[i]] = -turn[largest[i]], 0.0 * term[largest[i]]
        values = value[start : start + rows]
        _sums(term, nothing, few, k, values, row[7], lanes, lanes_low)
        _larger(row, values)
        if by_p.size > 0:
            _slopes(a, b, gap, s, s_end, ds, turn, slope_p, slope_q)
            for i in range(rows):
                for j in range(k):
                    at = i * along + j * across
                    by_p[start + i, j], by_q[start + i, j] = slope_p[at], slope_q[at]
