"""KL of Dirichlet distributions: rows in blocks, short loops over contiguous arrays that become vector code.

Few components: a block is kept transposed, component j of all rows together. Many: a block is one row, LANES components
together. Either way what is together is a chunk, sums are taken over chunks, and the largest component comes last.
"""

import numpy as np
from numba import njit, types

BLOCK, ROWS, LANES, FEW = 2048, 32, 64, 512
LEAST, GREATEST = 1e-120, 1e120


@njit(error_model="numpy", forceinline=True)
def _two_sum(a, b):
    """a + b in two doubles."""
    high = a + b
    back = high - a
    return high, (a - (high - back)) + (b - back)


@njit(error_model="numpy")
def _pack(alpha, x, few):
    """A block of rows, or of one that serves all."""
    _apart()
    if not few:
        x[:] = alpha[0]
        return
    rows, k = x.size // alpha.shape[1], alpha.shape[1]
    for j in range(k):
        chunk, column = x[j * rows : (j + 1) * rows], alpha[:, j]
        if column.size == rows:
            for i in range(rows):
                chunk[i] = column[i]
        else:
            chunk[:] = column[0]


@njit(error_model="numpy")
def _top(x, top, place):
    """The largest of chunks, and where it is."""
    _apart()
    for start in range(0, x.size, top.size):
        chunk = x[start : start + top.size]
        for j in range(chunk.size):
            a, b, here = top[j], chunk[j], place[j]
            top[j], place[j] = _select(b > a, b, a), _select(b > a, float(start + j), here)


@njit(error_model="numpy")
def _higher(top, place, other, other_place):
    _apart()
    for j in range(other.size):
        a, b, here, there = top[j], other[j], place[j], other_place[j]
        top[j], place[j] = _select(b > a, b, a), _select(b > a, there, here)


@njit(error_model="numpy")
def _peak(top, place):
    """The largest of a chunk, first."""
    half = top.size // 2
    while half > 0:
        _higher(top[:half], place[:half], top[half : 2 * half], place[half : 2 * half])
        half //= 2


@njit(error_model="numpy")
def _totals(a, b, y, y_low, dy, dy_low, y_end):
    """The sums of a, of b - a and of b over chunks, the first two in two doubles."""
    _apart()
    for start in range(0, a.size, y.size):
        p, q = a[start : start + y.size], b[start : start + y.size]
        for j in range(p.size):
            gap, gap_low = _two_sum(q[j], -p[j])
            y[j], rest = _two_sum(y[j], p[j])
            y_low[j] += rest
            dy[j], rest = _two_sum(dy[j], gap)
            dy_low[j] += rest + gap_low
            y_end[j] += q[j]


@njit(error_model="numpy")
def _add(total, total_low, other, other_low):
    _apart()
    for j in range(other.size):
        total[j], rest = _two_sum(total[j], other[j])
        total_low[j] += rest + other_low[j]


@njit(error_model="numpy")
def _fold(total, total_low, few):
    """A chunk's sums as rows': as they are or, where a block is one row, their sum. Then high is rounded."""
    half = 0 if few else total.size // 2
    while half > 0:
        _add(total[:half], total_low[:half], total[half : 2 * half], total_low[half : 2 * half])
        half //= 2
    for j in range(total.size if few else 1):
        total[j], total_low[j] = _two_sum(total[j], total_low[j])


@njit(error_model="numpy")
def _growth(s, s_low, ds, ds_low, end, slope, slope_low, unit):
    """(ds/s) in two doubles and end/s."""
    _apart()
    for i in range(s.size):
        slope[i], unit[i] = ds[i] / s[i], end[i] / s[i]
        rest = _fma(-slope[i], s[i], ds[i]) + _fma(-slope[i], s_low[i], ds_low[i])
        slope_low[i] = rest / s[i]


@njit(error_model="numpy")
def _sums(x, x_end, y, y_low, dy, dy_low, y_end, s, s_low, ds, ds_low, s_end, spin):
    """The sums of all components from the largest and the sum of the others, and x_q y_p - x_p y_q."""
    _apart()
    for i in range(x.size):
        dx, dx_low = _two_sum(x_end[i], -x[i])
        s[i], rest = _two_sum(x[i], y[i])
        s_low[i] = rest + y_low[i]
        ds[i], rest = _two_sum(dx, dy[i])
        ds_low[i] = (rest + dy_low[i]) + dx_low
        s_end[i] = x_end[i] + y_end[i]
        first, second = dx * y[i], x[i] * dy[i]
        tails = _product_tail(dx, y[i]) - _product_tail(x[i], dy[i])
        spin[i] = (first - second) + (tails + (_fma(dx, y_low[i], -x[i] * dy_low[i]) + dx_low * y[i]))


@njit(error_model="numpy")
def _raised(s, s_low, s_end, up, up_low, up_end):
    """s + 1."""
    _apart()
    for i in range(s.size):
        up[i], rest = _two_sum(s[i], 1.0)
        up_low[i], up_end[i] = rest + s_low[i], s_end[i] + 1.0


@njit(error_model="numpy", forceinline=True)
def _fine(a, b):
    return (a >= LEAST) & (b >= LEAST) & (a <= GREATEST) & (b <= GREATEST)


@njit(error_model="numpy")
def _terms(a, b, slope, slope_low, unit, total, total_low):
    """What components contribute unless they are the largest, summed over chunks; NaN out of range."""
    _apart()
    _align_stack()
    for start in range(0, a.size, total.size):
        p, q = a[start : start + total.size], b[start : start + total.size]
        for j in range(p.size):
            gap, gap_low = _two_sum(q[j], -p[j])
            turn = _fma(p[j], slope[j], -gap) + _fma(p[j], slope_low[j], -gap_low)
            term = _select(_fine(p[j], q[j]), __component(p[j], q[j], gap, turn, unit[j]), np.nan)
            total[j], rest = _two_sum(total[j], term)
            total_low[j] += rest


@njit(error_model="numpy")
def _larger(x, y, x_end, y_end, dy, spin, terms, value):
    """The value: the sum of the terms, and the part of the largest."""
    _apart()
    _align_stack()
    for i in range(value.size):
        larger = __beta_larger(x[i], y[i], x_end[i], y_end[i], x_end[i] - x[i], dy[i], spin[i])
        value[i] = _select(_fine(x[i], x_end[i]), terms[i] + larger, np.nan)


@njit(error_model="numpy")
def _whole_slopes(s, s_end, ds, curved, bent):
    """What the sums contribute to the derivatives."""
    _apart()
    _align_stack()
    for i in range(s.size):
        curved[i] = ds[i] * _reduced_trigamma(s[i])
        bent[i] = _reduced_digamma_difference(s[i], s_end[i], ds[i])


@njit(error_model="numpy")
def _slopes(a, b, slope, slope_low, unit, curved, bent, by_p, by_q):
    """The derivatives by p's and by q's components."""
    _apart()
    _align_stack()
    for start in range(0, a.size, slope.size):
        c = slice(start, start + slope.size)
        p, q, first, second = a[c], b[c], by_p[c], by_q[c]
        for j in range(p.size):
            gap, gap_low = _two_sum(q[j], -p[j])
            turn = _fma(p[j], slope[j], -gap) + _fma(p[j], slope_low[j], -gap_low)
            slopes = __component_slopes(p[j], q[j], gap, turn, unit[j], curved[j], bent[j])
            first[j], second[j] = slopes


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
    few, gradient = k <= FEW, by_p.size > 0
    group = max(min(max(BLOCK // k // ROWS, 1) * ROWS, count), 1) if few else 1
    components, sums = np.empty((4, group * k)), np.empty((24, group if few else LANES))
    largest = np.empty(group, np.int64)
    for start in range(0, count, group):
        rows = min(group, count - start)
        size, rest, width = rows * k, rows * (k - 1), rows if few else LANES
        along, across = (1, rows) if few else (k, 1)
        a, b, slope_p, slope_q = (
            components[0, :size],
            components[1, :size],
            components[2, :size],
            components[3, :size],
        )
        y, y_low, dy, dy_low, y_end = (
            sums[0, :width],
            sums[1, :width],
            sums[2, :width],
            sums[3, :width],
            sums[4, :width],
        )
        slope, slope_low, unit = sums[5, :width], sums[6, :width], sums[7, :width]
        high, low, top, place = sums[8, :width], sums[9, :width], sums[10, :width], sums[11, :width]
        curved, bent = sums[12, :width], sums[13, :width]
        s, s_low, ds, ds_low, s_end = (
            sums[14, :rows],
            sums[15, :rows],
            sums[16, :rows],
            sums[17, :rows],
            sums[18, :rows],
        )
        up, up_low, up_end, spin = sums[19, :rows], sums[20, :rows], sums[21, :rows], sums[22, :rows]
        sums[:5], sums[8:12] = 0.0, 0.0
        _pack(alpha_p[start * step_p : start * step_p + rows], a, few)
        _pack(alpha_q[start * step_q : start * step_q + rows], b, few)
        _top(a, top, place)
        if not few:
            _peak(top, place)
        for i in range(rows):
            at, last = int(place[i]), rest + i
            largest[i] = at
            a[at], a[last], b[at], b[last] = a[last], a[at], b[last], b[at]
        _totals(a[:rest], b[:rest], y, y_low, dy, dy_low, y_end)
        _fold(y, y_low, few)
        _fold(dy, dy_low, few)
        _fold(y_end, low, few)
        x, x_end = a[rest:], b[rest:]
        _sums(x, x_end, y, y_low, dy, dy_low, y_end, s, s_low, ds, ds_low, s_end, spin)
        _raised(s, s_low, s_end, up, up_low, up_end)
        _growth(up, up_low, ds, ds_low, up_end, slope, slope_low, unit)
        if not few:
            slope[:], slope_low[:], unit[:] = slope[0], slope_low[0], unit[0]
        low[:] = 0.0
        _terms(a[:rest], b[:rest], slope, slope_low, unit, high, low)
        _fold(high, low, few)
        _larger(x, y, x_end, y_end, dy, spin, high, value[start : start + rows])
        if gradient:
            _growth(s, s_low, ds, ds_low, s_end, slope, slope_low, unit)
            _whole_slopes(s, s_end, ds, curved, bent)
            if not few:
                slope[:], slope_low[:], unit[:] = slope[0], slope_low[0], unit[0]
                curved[:], bent[:] = curved[0], bent[0]
            _slopes(a, b, slope, slope_low, unit, curved, bent, slope_p, slope_q)
            for i in range(rows):
                at, last = largest[i], rest + i
                slope_p[at], slope_p[last] = slope_p[last], slope_p[at]
                slope_q[at], slope_q[last] = slope_q[last], slope_q[at]
                for j in range(k):
                    by_p[start + i, j], by_q[start + i, j] = (
                        slope_p[i * along + j * across],
                        slope_q[i * along + j * across],
                    )
