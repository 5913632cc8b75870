"""KL of Dirichlet distributions: rows in blocks, short loops over contiguous arrays that become vector code.

Few components: a block is kept transposed, component j of all rows together. Many: a block is one row, LANES components
together. Either way what is together is a chunk, and sums are taken over chunks.
"""

import numpy as np
from numba import njit, types

BLOCK, ROWS, LANES, FEW = 2048, 32, 128, 512
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
def _top(x, number, top, place):
    """The largest of chunks so far, and the number of its chunk."""
    for j in range(x.size):
        place[j] = number if x[j] > top[j] else place[j]
        top[j] = x[j] if x[j] > top[j] else top[j]


@njit(error_model="numpy")
def _sums(x, x_low, width, total, total_low):
    """The sum of the chunks, in two doubles; `x_low` may be empty. A last chunk may be shorter."""
    total[:], total_low[:] = 0.0, 0.0
    for start in range(0, x.size, width):
        stop = min(start + width, x.size)
        _accumulate(x[start:stop], total, total_low)
        if x_low.size:
            _increase(x_low[start:stop], total_low)


@njit(error_model="numpy")
def _fold(total, total_low, few, rows):
    """A chunk's sums as rows': as they are or, where a block is one row, their sum. Then high is rounded."""
    if not few:
        high, low = 0.0, 0.0
        for j in range(total.size):
            high, rest = _two_sum(high, total[j])
            low += rest + total_low[j]
        total[0], total_low[0] = high, low
    for j in range(rows):
        total[j], total_low[j] = _two_sum(total[j], total_low[j])


@njit(error_model="numpy")
def _wholes(x, y, y_low, x_gap, x_gap_low, y_gap, y_gap_low, x_end, y_end, s, s_low, ds, ds_low, s_end):
    """The sums of all components from the largest and the sum of the others."""
    for i in range(x.size):
        s[i], rest = _two_sum(x[i], y[i])
        s_low[i] = rest + y_low[i]
        ds[i], rest = _two_sum(x_gap[i], y_gap[i])
        ds_low[i] = (rest + y_gap_low[i]) + x_gap_low[i]
        s_end[i] = x_end[i] + y_end[i]


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
def _larger(x, y, x_end, y_end, x_gap, y_gap, turn, terms, value):
    """The value: the sum of the terms, and the part of the largest."""
    _align_stack()
    for i in range(value.size):
        value[i] = terms[i] + __beta_larger(x[i], y[i], x_end[i], y_end[i], x_gap[i], y_gap[i], turn[i])


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
    count, k = value.size, alpha_p.shape[1]
    step_p, step_q = min(alpha_p.shape[0] - 1, 1), min(alpha_q.shape[0] - 1, 1)
    group = max(min(max(BLOCK // k, ROWS), count), 1) if k <= FEW else 1
    widest = group if k <= FEW else LANES
    components, sums, largest = np.empty((8, group * k)), np.empty((20, widest)), np.empty(group, np.int64)
    nothing = np.empty(0)
    for start in range(0, count, group):
        rows = min(group, count - start)
        size, width, along, across = (
            rows * k,
            rows if k <= FEW else LANES,
            1 if k <= FEW else k,
            rows if k <= FEW else 1,
        )
        a, b, gap, gap_low = components[0, :size], components[1, :size], components[2, :size], components[3, :size]
        turn, term, slope_p, slope_q = (
            components[4, :size], components[5, :size], components[6, :size], components[7, :size],
        )  # fmt: skip
        y, y_low, y_end, y_gap, y_gap_low = (
            sums[0, :width],
            sums[1, :width],
            sums[2, :width],
            sums[3, :width],
            sums[4, :width],
        )
        x, x_end, x_gap, x_gap_low, spin = (
            sums[5, :rows],
            sums[6, :rows],
            sums[7, :rows],
            sums[8, :rows],
            sums[9, :rows],
        )
        s, s_low, ds, ds_low, s_end = (
            sums[10, :width],
            sums[11, :width],
            sums[12, :width],
            sums[13, :width],
            sums[14, :width],
        )
        high, low, top, place = sums[15, :width], sums[16, :width], sums[17, :width], sums[18, :width]
        for i in range(rows):
            p, q = alpha_p[(start + i) * step_p], alpha_q[(start + i) * step_q]
            for j in range(k):
                a[i * along + j * across], b[i * along + j * across] = p[j], q[j]
        top[:], place[:] = 0.0, 0.0
        for chunk in range(0, size, width):
            _top(a[chunk : chunk + width], float(chunk), top, place)
        _gaps(a, b, gap, gap_low)
        for i in range(rows):
            best = i
            if k > FEW:
                for j in range(width):
                    best = j if top[j] > top[best] else best
            at = int(place[best]) + best
            largest[i], x[i], x_end[i], x_gap[i], x_gap_low[i] = at, a[at], b[at], gap[at], gap_low[at]
            a[at], b[at], gap[at], gap_low[at] = 0.0, 0.0, 0.0, 0.0
        _sums(a, nothing, width, y, y_low)
        _sums(gap, gap_low, width, y_gap, y_gap_low)
        y_end[:], low[:] = 0.0, 0.0
        for chunk in range(0, size, width):
            _increase(b[chunk : chunk + width], y_end)
        _fold(y, y_low, k <= FEW, rows)
        _fold(y_gap, y_gap_low, k <= FEW, rows)
        _fold(y_end, low, k <= FEW, rows)
        for i in range(rows):
            at = largest[i]
            a[at], b[at], gap[at], gap_low[at] = x[i], x_end[i], x_gap[i], x_gap_low[i]
        _wholes(x, y, y_low, x_gap, x_gap_low, y_gap, y_gap_low, x_end, y_end, s, s_low, ds, ds_low, s_end)
        if k > FEW:
            s[:], s_low[:], ds[:], ds_low[:], s_end[:] = s[0], s_low[0], ds[0], ds_low[0], s_end[0]
        for chunk in range(0, size, width):
            c = slice(chunk, min(chunk + width, size))
            _turns(a[c], gap[c], gap_low[c], s, s_low, ds, ds_low, turn[c])
            _terms(a[c], b[c], gap[c], s, s_end, turn[c], term[c])
            if by_p.size > 0:
                _slopes(a[c], b[c], gap[c], s, s_end, ds, turn[c], slope_p[c], slope_q[c])
        for i in range(rows):
            # Out of range it stays NaN.
            spin[i], term[largest[i]] = -turn[largest[i]], 0.0 * term[largest[i]]
        _sums(term, nothing, width, high, low)
        _fold(high, low, k <= FEW, rows)
        _larger(x, y, x_end, y_end, x_gap, y_gap, spin, high, value[start : start + rows])
        if by_p.size > 0:
            for i in range(rows):
                for j in range(k):
                    at = i * along + j * across
                    by_p[start + i, j], by_q[start + i, j] = slope_p[at], slope_q[at]
