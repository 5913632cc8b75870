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
            root = np.sqrt(_select(high > 0.0, high, np.nan))
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
def _solve_symmetric(x, x_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group):
    """x := L^-1 x where that is symmetric: what is above a block of columns is known from those before."""
    row, span = blocks * WIDTH, WIDTH // group
    for block in range(blocks):
        start, first = block * WIDTH, block * span
        for i in range(first):
            for j in range(first, min(first + span, k)):
                for lane in range(group):
                    at, other = i * row + j * group + lane, j * row + i * group + lane
                    x[at], x_low[at] = x[other], x_low[other]
        for i in range(first, k):
            _add_products(x, x_low, i * row + start, minus, minus_low, i, k, x, x_low, start, row, i)
            _divide(x, x_low, i * row + start, pivot, pivot_low, inverse, i, group)


@njit(error_model="numpy")
def _solve_back(x, x_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group, lower):
    """x := L^-T x, or its lower triangle alone."""
    row, span = blocks * WIDTH, WIDTH // group
    for block in range(blocks):
        start, last = block * WIDTH, block * span if lower else 0
        for i in range(k - 1, last - 1, -1):
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
def _phis(terms, pivots, gaps):
    """phi(1, pivot); NaN unless that is positive."""
    _apart()
    _align_stack()
    for lane in range(terms.size):
        terms[lane] = _select(pivots[lane] > 0.0, _phi(1.0, pivots[lane], gaps[lane]), np.nan)


@njit(error_model="numpy")
def _excess(x, x_low, y, y_low, minus, minus_low, minuses, minuses_low, pivot, pivot_low, inverse, sums, blocks, group):
    """The sum of phi(1, pivot) and of what columns leave, by I + E = U^T D U; rows of `sums` are pairs of a vector."""
    k, row, span = pivot.size // group, blocks * WIDTH, WIDTH // group
    gaps, terms = np.empty(group), np.empty(group)
    for i in range(k):
        first = i // span
        for block in range(first, blocks):
            start = block * WIDTH
            _add_products(x, x_low, i * row + start, minus, minus_low, i, k, x, x_low, start, row, i)
        for lane in range(group):
            at, place = i * row + i * group + lane, i * group + lane
            gaps[lane], gap_low = _two_sum(x[at], x_low[at])
            high, low = _two_sum(1.0, gaps[lane])
            pivot[place], pivot_low[place] = _two_sum(high, low + gap_low)
            inverse[place] = 1.0 / pivot[place]
        _phis(terms, pivot[i * group : (i + 1) * group], gaps)
        for lane in range(group):
            sums[0, lane], rest = _two_sum(sums[0, lane], terms[lane])
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


@njit(error_model="numpy")
def _totals(sums, lane, span):
    """The value and the square of a matrix, in pairs."""
    high, low = _two_sum(sums[0, lane], sums[1, lane])
    total, total_low = 0.0, 0.0
    for part in range(lane, lane + span):
        high, rest = _two_sum(high, sums[2, part])
        low += rest + sums[3, part]
        total, rest = _two_sum(total, sums[4, part])
        total_low += rest + sums[5, part]
    return (*_two_sum(high, low), *_two_sum(total, total_low))


@njit(error_model="numpy")
def _halves(value, sums, start, here, span):
    """Half of value and square, rounded."""
    for lane in range(here):
        high, low, square, square_low = _totals(sums, lane, span)
        total, rest = _two_sum(high, square)
        value[start + lane] = 0.5 * (total + (rest + (low + square_low)))


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
            high, low, total, total_low = _totals(sums, lane, span)
            value[0, start + lane], value[1, start + lane] = high, low
            square[0, start + lane], square[1, start + lane] = total, total_low


@njit(error_model="numpy")
def _outer_added(x, x_low, z, z_low, k, row, group):
    """x += z z^T, of columns."""
    for i in range(k):
        for j in range(k):
            for lane in range(group):
                at, a, b = i * row + j * group + lane, i * WIDTH + lane, j * WIDTH + lane
                rest = _fma(z[a], z_low[b], z_low[a] * z[b])
                x[at], x_low[at] = _product_added(x[at], x_low[at], z[a], z[b], rest)


@njit(error_model="numpy", forceinline=True)
def _place(x, at, other, lane, entry):
    x[at + lane] = entry
    x[other + lane] = entry


@njit(error_model="numpy")
def _gather(x, x_low, source, step, unit, start, here, row, group):
    """Symmetric matrices from their lower triangles, in units; what has no matrix is the identity."""
    x[:], x_low[:] = 0.0, 0.0
    for i in range(source.shape[1]):
        for j in range(i + 1):
            at, other = i * row + j * group, j * row + i * group
            for lane in range(here):
                both = unit[i * group + lane] * unit[j * group + lane]
                _place(x, at, other, lane, source[(start + lane) * step, i, j] * both)
        for lane in range(here, group):
            x[i * row + i * group + lane] = 1.0


@njit(error_model="numpy")
def _differences(x, x_low, p, p_step, q, q_step, unit, start, here, row, group):
    """P - Q likewise, exactly."""
    x[:], x_low[:] = 0.0, 0.0
    for i in range(p.shape[1]):
        for j in range(i + 1):
            at, other = i * row + j * group, j * row + i * group
            for lane in range(here):
                both, e = unit[i * group + lane] * unit[j * group + lane], start + lane
                high, low = _two_sum(p[e * p_step, i, j] * both, -q[e * q_step, i, j] * both)
                _place(x, at, other, lane, high)
                _place(x_low, at, other, lane, low)


@njit(error_model="numpy")
def _units(unit, z, z_low, mu_p, p_step, mu_q, q_step, q, step, start, here, group):
    """Powers of two that take the diagonals of Q into [1, 4), and the means' differences in these units."""
    unit[:], z[:], z_low[:] = 1.0, 0.0, 0.0
    for i in range(q.shape[1]):
        for lane in range(here):
            e = start + lane
            scale = _power_of_two(-np.floor(0.5 * _exponent(q[e * step, i, i])))
            unit[i * group + lane], at = scale, i * WIDTH + lane
            z[at], z_low[at] = _two_sum(mu_p[e * p_step, i] * scale, -mu_q[e * q_step, i] * scale)


@njit(error_model="numpy")
def _scatter(target, x, x_low, unit, start, here, row, group, factor, value):
    """Symmetric matrices from their lower triangles, rounded; NaN where the value is."""
    for lane in range(here):
        e = start + lane
        missing = 0.0 if value[e] == value[e] else np.nan
        for i in range(target.shape[1]):
            for j in range(i + 1):
                at, both = i * row + j * group + lane, unit[i * group + lane] * unit[j * group + lane]
                entry = factor * both * (x[at] + x_low[at]) + missing
                target[e, i, j] = entry
                target[e, j, i] = entry


_VECTORS = types.Array(types.float64, 2, "C", readonly=True)


@njit(
    [
        types.void(
            kind, _VECTORS, _INPUT, _VECTORS, _INPUT, types.float64[::1], types.float64[:, ::1],
            types.float64[:, :, ::1], types.float64[:, :, ::1],
        )
        for kind in (types.float64[:, ::1], types.float64[::1])
    ],
    error_model="numpy",
    cache=True,
    nogil=True,
)  # fmt: skip
def _fill_covariances(ones, mu_p, p, mu_q, q, value, by_mean, by_p, by_q):
    """Half of value and square, Q^-1 m, (Q^-1 - P^-1)/2 and (Q^-1 - Q^-1 (P + m m^T) Q^-1)/2, the last unless empty.

    Arrays have the batch first; an input of one matrix serves all.
    """
    count, k, group = value.size, ones.shape[0], ones.size // ones.shape[0]
    steps = [min(a - 1, 1) for a in (mu_p.shape[0], p.shape[0], mu_q.shape[0], q.shape[0])]
    span = WIDTH // group
    blocks = (k + span - 1) // span
    row, size = blocks * WIDTH, k * blocks * WIDTH
    minus, minus_low = np.empty((k * k, *ones.shape[1:])), np.empty((k * k, *ones.shape[1:]))
    other, other_low = np.empty((k * k, *ones.shape[1:])), np.empty((k * k, *ones.shape[1:]))
    minuses, minuses_low, others, others_low = (
        minus.reshape(-1),
        minus_low.reshape(-1),
        other.reshape(-1),
        other_low.reshape(-1),
    )
    pivot, pivot_low, inverse = np.empty(ones.size), np.empty(ones.size), np.empty(ones.size)
    pivots, pivots_low, inverses, unit = (
        np.empty(ones.size),
        np.empty(ones.size),
        np.empty(ones.size),
        np.empty(ones.size),
    )
    x, x_low, y, y_low = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    e, e_low, t, t_low = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    z, z_low, sums = np.empty(k * WIDTH), np.empty(k * WIDTH), np.empty((6, WIDTH))
    for start in range(0, count, group):
        here = min(group, count - start)
        _units(unit, z, z_low, mu_p, steps[0], mu_q, steps[2], q, steps[3], start, here, group)
        _gather(x, x_low, q, steps[3], unit, start, here, row, group)
        _differences(y, y_low, p, steps[1], q, steps[3], unit, start, here, row, group)
        _factor(x, x_low, minus, minus_low, minuses, minuses_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve(y, y_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _transpose(y, e, k, row, group)
        _transpose(y_low, e_low, k, row, group)
        _solve_symmetric(e, e_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group)
        _solve(z, z_low, minus, minus_low, pivot, pivot_low, inverse, k, 1, group)
        x[:], x_low[:] = e, e_low
        sums[:] = 0.0
        _squares(sums[4], sums[5], z, z_low, z, z_low)
        _excess(
            x, x_low, t, t_low, other, other_low, others, others_low, pivots, pivots_low, inverses, sums, blocks, group
        )
        _halves(value, sums, start, here, span)
        if by_mean.size == 0:
            continue
        _outer_added(e, e_low, z, z_low, k, row, group)
        _solve_back(z, z_low, minus, minus_low, pivot, pivot_low, inverse, k, 1, group, False)
        for i in range(k):
            for lane in range(here):
                at, missing = i * WIDTH + lane, 0.0 if value[start + lane] == value[start + lane] else np.nan
                by_mean[start + lane, i] = unit[i * group + lane] * (z[at] + z_low[at]) + missing
        _solve_back(e, e_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group, False)
        _transpose(e, t, k, row, group)
        _transpose(e_low, t_low, k, row, group)
        _solve_back(t, t_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group, True)
        _scatter(by_q, t, t_low, unit, start, here, row, group, -0.5, value)
        _solve_back(y, y_low, minus, minus_low, pivot, pivot_low, inverse, k, blocks, group, False)
        _transpose(y, t, k, row, group)
        _transpose(y_low, t_low, k, row, group)
        _gather(x, x_low, p, steps[1], unit, start, here, row, group)
        _factor(x, x_low, other, other_low, others, others_low, pivots, pivots_low, inverses, k, blocks, group)
        _solve(t, t_low, other, other_low, pivots, pivots_low, inverses, k, blocks, group)
        _solve_back(t, t_low, other, other_low, pivots, pivots_low, inverses, k, blocks, group, True)
        _scatter(by_p, t, t_low, unit, start, here, row, group, 0.5, value)
