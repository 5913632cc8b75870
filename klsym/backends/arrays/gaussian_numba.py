"""KL of multivariate normals from Cholesky factors: W = L_q^-1 (L_p - L_q) and z = L_q^-1 (mu_p - mu_q) in pairs.

A vector of WIDTH numbers is one entry of WIDTH matrices, or WIDTH columns of one matrix. z is column 0, and
column c + 1 that of W, zero above row c.
"""

import numpy as np
from numba import njit, types


@njit(error_model="numpy", forceinline=True)
def _divide(x, x_low, at, diagonal, inverse, row):
    """x /= the diagonal's entry, leaving x rounded and the rest in x_low."""
    x, x_low = _vector(x, at), _vector(x_low, at)
    if diagonal.ndim == 2:
        a, a_inverse = diagonal[row], inverse[row]
        for lane in range(WIDTH):
            x[lane], x_low[lane] = _divided(x[lane], x_low[lane], a[lane], a_inverse[lane])
    else:
        b, b_inverse = diagonal[row], inverse[row]
        for lane in range(WIDTH):
            x[lane], x_low[lane] = _divided(x[lane], x_low[lane], b, b_inverse)


@njit(error_model="numpy", forceinline=True)
def _divided(high, low, divisor, inverse):
    quotient = high * inverse
    rest = (_fma(-quotient, divisor, high) + low) * inverse
    total = quotient + rest
    return total, rest - (total - quotient)


@njit(error_model="numpy")
def _forward(minus, diagonal, inverse, x, x_low, k, blocks, span):
    """x := L^-1 x, from -L."""
    row = blocks * WIDTH
    for block in range(blocks):
        first = max(block * span - 1, 0)
        start = first * row + block * WIDTH
        for i in range(first, k):
            at, place = i * row + block * WIDTH, i * k + first
            _add_products(x, x_low, at, minus, None, place, 1, x, x_low, start, row, i - first)
            _divide(x, x_low, at, diagonal, inverse, i)


@njit(error_model="numpy")
def _backward(minus, diagonal, inverse, x, x_low, k, blocks, span):
    """The lower triangle and column 0 of L^-T x, from -L."""
    row = blocks * WIDTH
    for block in range(blocks):
        for i in range(k - 1, max(block * span - 1, 0) - 1, -1):
            at, place = i * row + block * WIDTH, (i + 1) * k + i
            _add_products(x, x_low, at, minus, None, place, k, x, x_low, at + row, row, k - 1 - i)
            _divide(x, x_low, at, diagonal, inverse, i)


@njit(error_model="numpy")
def _outer(x, x_low, w, w_low, turned, turned_low, k, columns, blocks, span):
    """x += the lower triangle of W W^T + z z^T, from [z W], by entries, and its transpose."""
    row = blocks * WIDTH
    for block in range(blocks):
        last = block * span + span
        for i in range(max(block * span - 1, 0), k):
            start, count = block * WIDTH, min(i + 2, last)
            at, place = i * row + start, i * columns
            _add_products(x, x_low, at, w, w_low, place, 1, turned, turned_low, start, row, count)


@njit(error_model="numpy", forceinline=True)
def _two_difference(a, b):
    """a - b in two doubles."""
    high = a - b
    back = high - a
    return high, (a - (high - back)) - (b + back)


@njit(error_model="numpy")
def _pack(p_mean, p, q_mean, q, lane, group, columns, minus, w, w_low, unit, diagonal, inverse, other, gap):
    """One pair of distributions into the arrays; whether it is one.

    A row of L_q and of the right side is multiplied by a power of two, so that the diagonal lies in [1, 2): W and z
    stay what they are.
    """
    k = p_mean.size
    fine = True
    for i in range(k):
        fine = fine and 0.0 < q[i, i] < np.inf and 0.0 < p[i, i] < np.inf
        for j in range(i + 1, k):
            fine = fine and q[i, j] == 0.0 and p[i, j] == 0.0
    if not fine:
        return False
    for i in range(k):
        scale = _power_of_two(-_exponent(q[i, i]))
        at, place = i * columns * group + lane, i * group + lane
        w[at], w_low[at] = _two_difference(scale * p_mean[i], scale * q_mean[i])
        for j in range(i + 1):
            at += group
            minus[(i * k + j) * group + lane] = -scale * q[i, j]
            w[at], w_low[at] = _two_difference(scale * p[i, j], scale * q[i, j])
        unit[place], gap[place], other[place] = scale, w[at], scale * p[i, i]
        diagonal[place], inverse[place] = scale * q[i, i], 1.0 / (scale * q[i, i])
    return True


@njit(error_model="numpy")
def _unpack(x, lane, group, columns, unit, sign, matrix):
    """The lower triangle of x into a matrix, zeros above."""
    k = matrix.shape[0]
    for i in range(k):
        for j in range(k):
            matrix[i, j] = sign * unit[i * group + lane] * x[(i * columns + j + 1) * group + lane] if j <= i else 0.0


@njit(error_model="numpy")
def _norms(squares, squares_low, w, w_low):
    """The sums of squares, a vector of them."""
    squares[:], squares_low[:] = 0.0, 0.0
    for at in range(0, w.size, WIDTH):
        a, a_low = _vector(w, at), _vector(w_low, at)
        for lane in range(WIDTH):
            rest = 2.0 * a[lane] * a_low[lane]
            squares[lane], squares_low[lane] = _product_added(squares[lane], squares_low[lane], a[lane], a[lane], rest)


@njit(error_model="numpy")
def _phis(phis, a, b, d):
    for place in range(phis.size):
        phis[place] = _phi(a[place], b[place], d[place])


@njit(error_model="numpy")
def _turn(w, w_low, turned, turned_low, x, x_low, k, group, columns):
    """The transpose of [z W], by tiles of rows, and the lower triangle of W + W^T."""
    for first in range(0, k, 8):
        last = min(first + 8, k)
        for c in range(last + 1):
            for i in range(max(first, c - 1), last):
                at, to = (i * columns + c) * group, (c * columns + i + 1) * group
                if group == 1:
                    turned[to], turned_low[to] = w[at], w_low[at]
                else:
                    turned[to : to + group], turned_low[to : to + group] = w[at : at + group], w_low[at : at + group]
    x[:], x_low[:] = w, w_low
    for i in range(k):
        for at in range((i * columns + i + 1) * group, (i * columns + i + 2) * group):
            x[at], x_low[at] = 2.0 * w[at], 2.0 * w_low[at]


_VECTORS = types.Array(types.float64, 2, "C", readonly=True)
_MATRICES = types.Array(types.float64, 3, "C", readonly=True)
_RESULTS = (types.float64[:, ::1], types.float64[:, :, ::1])


@njit(
    [
        types.void(kind, _VECTORS, _MATRICES, _VECTORS, _MATRICES, types.float64[::1], *_RESULTS, *_RESULTS)
        for kind in (types.float64[:, ::1], types.float64[::1])
    ],
    error_model="numpy",
    cache=True,
    nogil=True,
)
def _fill(ones, mu_p, l_p, mu_q, l_q, value, d_mu_p, d_l_p, d_mu_q, d_l_q):
    """The values, and the derivatives unless their arrays are empty; an input of one row serves all.

    The shape of `ones` is (k, WIDTH) for a group of matrices at a time, (k,) for one.
    """
    count, k, group = value.size, mu_p.shape[1], ones.size // ones.shape[0]
    steps = [min(a - 1, 1) for a in (mu_p.shape[0], l_p.shape[0], mu_q.shape[0], l_q.shape[0])]
    gradient, span = d_mu_p.size > 0, WIDTH // group
    blocks = k // span + 1
    columns, size = blocks * span, (k + 1) * blocks * WIDTH
    extra = size if gradient else 0
    minus = np.ones((k * k, *ones.shape[1:]))
    unit, diagonal, inverse, other, gap = ones.copy(), ones.copy(), ones.copy(), ones.copy(), ones.copy()
    w, w_low, phis = np.empty(size), np.empty(size), np.empty(ones.size)
    entries, entries_low = w.reshape((-1, *ones.shape[1:])), w_low.reshape((-1, *ones.shape[1:]))
    x, x_low, turned, turned_low = np.zeros(extra), np.zeros(extra), np.zeros(extra), np.zeros(extra)
    valid, squares, squares_low = np.empty(group, np.bool_), np.empty(WIDTH), np.empty(WIDTH)
    minuses, units, diagonals = minus.reshape(-1), unit.reshape(-1), diagonal.reshape(-1)
    inverses, others, gaps = inverse.reshape(-1), other.reshape(-1), gap.reshape(-1)
    for start in range(0, count, group):
        here = min(group, count - start)
        w[:], w_low[:] = 0.0, 0.0
        for lane in range(here):
            e = start + lane
            valid[lane] = _pack(
                mu_p[e * steps[0]], l_p[e * steps[1]], mu_q[e * steps[2]], l_q[e * steps[3]], lane, group, columns,
                minuses, w, w_low, units, diagonals, inverses, others, gaps,
            )  # fmt: skip
        _forward(minus, diagonal, inverse, w, w_low, k, blocks, span)
        _norms(squares, squares_low, w, w_low)
        _phis(phis, diagonals, others, gaps)
        for lane in range(here):
            total, total_low = 0.0, 0.0
            for i in range(k):
                total, rest = _two_sum(total, phis[i * group + lane])
                total_low += rest
            for part in range(lane, lane + span):
                total, rest = _two_sum(total, 0.5 * squares[part])
                total_low += rest + 0.5 * squares_low[part]
            value[start + lane] = (total if total == np.inf else total + total_low) if valid[lane] else np.nan
        if not gradient:
            continue
        _turn(w, w_low, turned, turned_low, x, x_low, k, group, columns)
        _outer(x, x_low, entries, entries_low, turned, turned_low, k, columns, blocks, span)
        _backward(minus, diagonal, inverse, x, x_low, k, blocks, span)
        for i in range(k):
            for lane in range(group):
                at, place = (i * columns + i + 1) * group + lane, i * group + lane
                w[at], rest = _two_sum(w[at], gaps[place] / others[place])
                w_low[at] += rest
        _backward(minus, diagonal, inverse, w, w_low, k, blocks, span)
        for lane in range(here):
            e = start + lane
            if valid[lane]:
                for i in range(k):
                    d_mu_p[e, i] = units[i * group + lane] * w[i * columns * group + lane]
                    d_mu_q[e, i] = -d_mu_p[e, i]
                _unpack(w, lane, group, columns, units, 1.0, d_l_p[e])
                _unpack(x, lane, group, columns, units, -1.0, d_l_q[e])
            else:
                d_mu_p[e], d_l_p[e], d_mu_q[e], d_l_q[e] = np.nan, np.nan, np.nan, np.nan
