"""tr E - log det(I + E) for E = L^-1 gap L^-T, and |L^-1 m|^2, from symmetric matrices L L^T and gap, all in pairs.

Rows are worked out one after the other, each as a sum over the rows before it; `minus` holds the multipliers, negated.
"""

import numpy as np
from numba import njit, types


@njit(error_model="numpy")
def _load(x, x_low, source, source_low, start, here, row, group, diagonal):
    """Matrices from arrays with the batch last; what has no matrix is `diagonal` times the identity."""
    step = min(source.shape[2] - 1, 1)
    x[:], x_low[:] = 0.0, 0.0
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            at = i * row + j * group
            for lane in range(group):
                if lane < here:
                    e = (start + lane) * step
                    x[at + lane], x_low[at + lane] = source[i, j, e], source_low[i, j, e]
                elif i == j:
                    x[at + lane] = diagonal


@njit(error_model="numpy", forceinline=True)
def _quotient(high, low, divisor, divisor_low, inverse):
    quotient = high * inverse
    rest = ((_fma(-quotient, divisor, high) + low) - quotient * divisor_low) * inverse
    total = quotient + rest
    return total, rest - (total - quotient)


@njit(error_model="numpy")
def _divide(x, x_low, at, pivot, pivot_low, inverse, i, group):
    """x /= the pivot of row i."""
    x, x_low = _vector(x, at), _vector(x_low, at)
    if group == 1:
        a, b, c = pivot[i], pivot_low[i], inverse[i]
        for lane in range(WIDTH):
            x[lane], x_low[lane] = _quotient(x[lane], x_low[lane], a, b, c)
    else:
        p, p_low, q = _vector(pivot, i * group), _vector(pivot_low, i * group), _vector(inverse, i * group)
        for lane in range(WIDTH):
            x[lane], x_low[lane] = _quotient(x[lane], x_low[lane], p[lane], p_low[lane], q[lane])


@njit(error_model="numpy")
def _keep(minus, minus_low, x, x_low, i, k, row, group):
    """The multipliers of row i."""
    for place in range((i * k + i + 1) * group, (i + 1) * k * group):
        at = i * row + place - i * k * group
        minus[place], minus_low[place] = -x[at], -x_low[at]


@njit(error_model="numpy")
def _factor(x, x_low, minus, minus_low, minuses, minuses_low, pivot, pivot_low, inverse, k, blocks, group):
    """The rows of L^T in place of those of L L^T, as multipliers, and the diagonal; NaN where there is none."""
    row, span = blocks * WIDTH, WIDTH // group
    for i in range(k):
        for block in range(i // span, blocks):
            start = block * WIDTH
            _add_products(x, x_low, i * row + start, minus, minus_low, i, k, x, x_low, start, row, i)
        for lane in range(group):
            at, place = i * row + i * group + lane, i * group + lane
            high, low = _two_sum(x[at], x_low[at])
            root = np.sqrt(high) if high > 0.0 else np.nan
            pivot[place], pivot_low[place] = _two_sum(root, (_fma(-root, root, high) + low) / (2.0 * root))
            inverse[place] = 1.0 / pivot[place]
        for block in range(i // span, blocks):
            _divide(x, x_low, i * row + block * WIDTH, pivot, pivot_low, inverse, i, group)
        _keep(minuses, minuses_low, x, x_low, i, k, row, group)


@njit(error_model="numpy")
def _solve(x, x_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group):
    """x := L^-1 x"""
    row = blocks * WIDTH
    for block in range(blocks):
        start = block * WIDTH
        for i in range(k):
            _add_products(x, x_low, i * row + start, minus, minus_low, i, k, x, x_low, start, row, i)
            _divide(x, x_low, i * row + start, pivot, pivot_low, inverse, i, group)


@njit(error_model="numpy")
def _solve_back(x, x_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group):
    """x := L^-T x"""
    row = blocks * WIDTH
    for block in range(blocks):
        start = block * WIDTH
        for i in range(k - 1, -1, -1):
            at, place, below = i * row + start, i * k + i + 1, min(i + 1, k - 1) * row + start
            _add_products(x, x_low, at, minus, minus_low, place, 1, x, x_low, below, row, k - 1 - i)
            _divide(x, x_low, at, pivot, pivot_low, inverse, i, group)


@njit(error_model="numpy")
def _transpose(x, y, k, row, group):
    for i in range(k):
        for j in range(k):
            for lane in range(group):
                y[j * row + i * group + lane] = x[i * row + j * group + lane]


@njit(error_model="numpy")
def _squares(total, total_low, x, x_low, y, y_low):
    """total += x y, a vector of them."""
    for at in range(0, x.size, WIDTH):
        a, a_low, b, b_low = _vector(x, at), _vector(x_low, at), _vector(y, at), _vector(y_low, at)
        for lane in range(WIDTH):
            rest = _fma(a[lane], b_low[lane], a_low[lane] * b[lane])
            total[lane], total_low[lane] = _product_added(total[lane], total_low[lane], a[lane], b[lane], rest)


@njit(error_model="numpy")
def _excess(x, x_low, y, y_low, minus, minus_low, minuses, minuses_low, pivot, pivot_low, inverse, sums, blocks, group):
    """The sum of phi(1, pivot) and of what columns leave, by I + E = U^T D U; rows of `sums` are pairs of a vector."""
    k, row, span = pivot.size // group, blocks * WIDTH, WIDTH // group
    for i in range(k):
        first = i // span
        for block in range(first, blocks):
            start = block * WIDTH
            _add_products(x, x_low, i * row + start, minus, minus_low, i, k, x, x_low, start, row, i)
        for lane in range(group):
            at, place = i * row + i * group + lane, i * group + lane
            gap, gap_low = _two_sum(x[at], x_low[at])
            high, low = _two_sum(1.0, gap)
            pivot[place], pivot_low[place] = _two_sum(high, low + gap_low)
            inverse[place] = 1.0 / pivot[place]
            term = _phi(1.0, pivot[place], gap) if pivot[place] > 0.0 else np.nan
            sums[0, lane], rest = _two_sum(sums[0, lane], term)
            sums[1, lane] += rest
        for at in range(i * row + first * WIDTH, i * row + (i + 1) * group):
            x[at], x_low[at] = 0.0, 0.0
        part = slice(i * row + first * WIDTH, (i + 1) * row)
        y[part], y_low[part] = x[part], x_low[part]
        for block in range(first, blocks):
            _divide(x, x_low, i * row + block * WIDTH, pivot, pivot_low, inverse, i, group)
        _squares(sums[2], sums[3], x[part], x_low[part], y[part], y_low[part])
        _keep(minuses, minuses_low, x, x_low, i, k, row, group)
        x[part], x_low[part] = y[part], y_low[part]


_INPUT = types.Array(types.float64, 3, "C", readonly=True)


@njit(
    [
        types.void(kind, *[_INPUT] * 6, *[types.float64[:, ::1]] * 2)
        for kind in (types.float64[:, ::1], types.float64[::1])
    ],
    error_model="numpy",
    cache=True,
    nogil=True,
)
def _fill(ones, q, q_low, gap, gap_low, mean, mean_low, value, square):
    """Pairs of values and of squares; `ones` is (k, WIDTH) for WIDTH matrices at a time, (k,) for one."""
    count, k, group = value.shape[1], ones.shape[0], ones.size // ones.shape[0]
    span = WIDTH // group
    blocks = (k + span - 1) // span
    row, size = blocks * WIDTH, k * blocks * WIDTH
    minus, minus_low = np.empty((k * k, *ones.shape[1:])), np.empty((k * k, *ones.shape[1:]))
    minuses, minuses_low = minus.reshape(-1), minus_low.reshape(-1)
    pivot, pivot_low, inverse = np.empty(ones.size), np.empty(ones.size), np.empty(ones.size)
    x, x_low, y, y_low = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    z, z_low, sums = np.empty(k * WIDTH), np.empty(k * WIDTH), np.empty((6, WIDTH))
    for start in range(0, count, group):
        here = min(group, count - start)
        _load(x, x_low, q, q_low, start, here, row, group, 1.0)
        _load(y, y_low, gap, gap_low, start, here, row, group, 0.0)
        _load(z, z_low, mean, mean_low, start, here, WIDTH, group, 0.0)
        _factor(x, x_low, minus, minus_low, minuses, minuses_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve(y, y_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _transpose(y, x, k, row, group)
        _transpose(y_low, x_low, k, row, group)
        _solve(x, x_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve(z, z_low, minus, minus_low, pivot, pivot_low, inverse, k, 1, group)
        sums[:] = 0.0
        _squares(sums[4], sums[5], z, z_low, z, z_low)
        _excess(
            x, x_low, y, y_low, minus, minus_low, minuses, minuses_low, pivot, pivot_low, inverse, sums, blocks, group
        )
        for lane in range(here):
            high, low = _two_sum(sums[0, lane], sums[1, lane])
            total, total_low = 0.0, 0.0
            for part in range(lane, lane + span):
                high, rest = _two_sum(high, sums[2, part])
                low += rest + sums[3, part]
                total, rest = _two_sum(total, sums[4, part])
                total_low += rest + sums[5, part]
            value[0, start + lane], value[1, start + lane] = _two_sum(high, low)
            square[0, start + lane], square[1, start + lane] = _two_sum(total, total_low)


@njit(error_model="numpy")
def _outer_added(x, x_low, z, z_low, k, row, group):
    """x += z z^T, of columns."""
    for i in range(k):
        for j in range(k):
            for lane in range(group):
                at, a, b = i * row + j * group + lane, i * WIDTH + lane, j * WIDTH + lane
                rest = _fma(z[a], z_low[b], z_low[a] * z[b])
                x[at], x_low[at] = _product_added(x[at], x_low[at], z[a], z[b], rest)


@njit(error_model="numpy")
def _store(target, x, x_low, start, here, row, group, factor):
    """Matrices, rounded, into an array with the batch last."""
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            for lane in range(here):
                at = i * row + j * group + lane
                target[i, j, start + lane] = factor * (x[at] + x_low[at])


@njit(error_model="numpy", cache=True, nogil=True)
def _fill_slopes(ones, q, q_low, p, p_low, gap, gap_low, mean, mean_low, by_mean, by_p, by_q):
    """Q^-1 m, (Q^-1 - P^-1)/2 and (Q^-1 - Q^-1 (P + m m^T) Q^-1)/2 with P - Q given, as doubles."""
    count, k, group = by_p.shape[2], ones.shape[0], ones.size // ones.shape[0]
    span = WIDTH // group
    blocks = (k + span - 1) // span
    row, size = blocks * WIDTH, k * blocks * WIDTH
    minus, minus_low = np.empty((k * k, *ones.shape[1:])), np.empty((k * k, *ones.shape[1:]))
    minuses, minuses_low = minus.reshape(-1), minus_low.reshape(-1)
    pivot, pivot_low, inverse = np.empty(ones.size), np.empty(ones.size), np.empty(ones.size)
    x, x_low, y, y_low = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    z, z_low = np.empty(k * WIDTH), np.empty(k * WIDTH)
    for start in range(0, count, group):
        here = min(group, count - start)
        _load(x, x_low, q, q_low, start, here, row, group, 1.0)
        _load(y, y_low, gap, gap_low, start, here, row, group, 0.0)
        _load(z, z_low, mean, mean_low, start, here, WIDTH, group, 0.0)
        _factor(x, x_low, minus, minus_low, minuses, minuses_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve(y, y_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _transpose(y, x, k, row, group)
        _transpose(y_low, x_low, k, row, group)
        _solve_back(y, y_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve(x, x_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve(z, z_low, minus, minus_low, pivot, pivot_low, inverse, k, 1, group)
        _outer_added(x, x_low, z, z_low, k, row, group)
        _solve_back(z, z_low, minus, minus_low, pivot, pivot_low, inverse, k, 1, group)
        _solve_back(x, x_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        for i in range(k):
            for lane in range(here):
                by_mean[i, start + lane] = z[i * WIDTH + lane] + z_low[i * WIDTH + lane]
        turned, turned_low = x.copy(), x_low.copy()
        _transpose(x, turned, k, row, group)
        _transpose(x_low, turned_low, k, row, group)
        _solve_back(turned, turned_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _store(by_q, turned, turned_low, start, here, row, group, -0.5)
        turned[:], turned_low[:] = 0.0, 0.0
        _transpose(y, turned, k, row, group)
        _transpose(y_low, turned_low, k, row, group)
        _load(x, x_low, p, p_low, start, here, row, group, 1.0)
        _factor(x, x_low, minus, minus_low, minuses, minuses_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve(turned, turned_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve_back(turned, turned_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _store(by_p, turned, turned_low, start, here, row, group, 0.5)
