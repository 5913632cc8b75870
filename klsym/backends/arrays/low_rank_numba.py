"""KL of normals with covariances W W^T + diag(d): the filters of `low_rank` in pairs of doubles, a row of heads and one
of rests to every vector.
"""

import numpy as np
from numba import njit, types


@njit(error_model="numpy", forceinline=True)
def _two_sum(a, b):
    """a + b in two doubles."""
    high = a + b
    back = high - a
    return high, (a - (high - back)) + (b - back)


@njit(error_model="numpy", forceinline=True)
def _added(high, low, a, a_low, b, b_low):
    """high + low + (a + a_low) (b + b_low), to the square of the rounding error."""
    product = a * b
    total, rest = _two_sum(high, product)
    return total, low + (rest + (_fma(a, b, -product) + _fma(a, b_low, a_low * b)))


@njit(error_model="numpy", forceinline=True)
def _quotient(a, a_low, b, b_low):
    quotient = a / b
    return _two_sum(quotient, (_fma(-quotient, b, a) + _fma(-quotient, b_low, a_low)) / b)


@njit(error_model="numpy")
def _inner(x, y, high, low):
    """high + low + x y"""
    for i in range(x.shape[1]):
        high, low = _added(high, low, x[0, i], x[1, i], y[0, i], y[1, i])
    return _two_sum(high, low)


@njit(error_model="numpy")
def _apply(a, x, y):
    """y += a^T x"""
    for i in range(x.shape[1]):
        head, rest, row, row_low, total, total_low = x[0, i], x[1, i], a[0, i], a[1, i], y[0], y[1]
        for j in range(row.size):
            total[j], total_low[j] = _added(total[j], total_low[j], head, rest, row[j], row_low[j])
    _settle(y)


@njit(error_model="numpy")
def _settle(y):
    """Heads are rounded sums again."""
    head, rest = y[0], y[1]
    for j in range(head.size):
        head[j], rest[j] = _two_sum(head[j], rest[j])


@njit(error_model="numpy")
def _grow(a, x, y, sign):
    """a += sign x y^T"""
    for i in range(x.shape[1]):
        head, rest, row, row_low, other, other_low = sign * x[0, i], sign * x[1, i], a[0, i], a[1, i], y[0], y[1]
        for j in range(row.size):
            high, low = _added(row[j], row_low[j], head, rest, other[j], other_low[j])
            row[j], row_low[j] = _two_sum(high, low)


@njit(error_model="numpy")
def _shift(x, y, a, a_low, sign, z):
    """z = x + sign a y"""
    for j in range(x.shape[1]):
        high, low = _added(x[0, j], x[1, j], sign * a, sign * a_low, y[0, j], y[1, j])
        z[0, j], z[1, j] = _two_sum(high, low)


@njit(error_model="numpy")
def _divide(x, a, a_low, z):
    """z = x/a"""
    for j in range(x.shape[1]):
        z[0, j], z[1, j] = _quotient(x[0, j], x[1, j], a, a_low)


@njit(error_model="numpy")
def _divergence(mu_p, w_p, d_p, mu_q, w_q, d_q, vectors, matrices):
    k, rank = w_p.shape
    unknown_p, unknown_q, unlike = matrices[0], matrices[1], matrices[2]
    known, mixed, turned, spread = matrices[3], matrices[4], matrices[5], matrices[6]
    p, q, gap, u_p, u_q, du = vectors[0], vectors[1], vectors[2], vectors[3], vectors[4], vectors[5]
    gain_p, gain_q, dgain, push = vectors[6], vectors[7], vectors[8], vectors[9]
    with_known, with_gap, pull, seen = vectors[10], vectors[11], vectors[12], vectors[13]
    matrices[:], vectors[:] = 0.0, 0.0
    for j in range(rank):
        unknown_p[0, j, j], unknown_q[0, j, j] = 1.0, 1.0
    total, total_low = 0.0, 0.0
    for i in range(k):
        size = d_q[i]
        for j in range(rank):
            size += w_q[i, j] * w_q[i, j]
        unit = _power_of_two(-np.floor(0.5 * _exponent(size)))
        for j in range(rank):
            p[0, j], q[0, j] = unit * w_p[i, j], unit * w_q[i, j]
            gap[0, j], gap[1, j] = _two_sum(p[0, j], -q[0, j])
        one, other = d_p[i] * unit * unit, d_q[i] * unit * unit
        u_p[:], u_q[:], du[:], with_known[:], with_gap[:] = 0.0, 0.0, 0.0, 0.0, 0.0
        _apply(unknown_p, p, u_p)
        _apply(unknown_q, q, u_q)
        _apply(unlike, p, du)
        _apply(unknown_q, gap, du)
        s_p, s_p_low = _inner(p, u_p, one, 0.0)
        s_q, s_q_low = _inner(q, u_q, other, 0.0)
        ds, ds_low = _two_sum(one, -other)
        ds, ds_low = _inner(gap, u_p, ds, ds_low)
        ds, ds_low = _inner(q, du, ds, ds_low)
        _divide(u_p, s_p, s_p_low, gain_p)
        _divide(u_q, s_q, s_q_low, gain_q)
        _shift(du, gain_q, ds, ds_low, -1.0, pull)
        _divide(pull, s_p, s_p_low, dgain)
        _apply(known, gap, with_known)
        _apply(mixed, q, with_known)
        _apply(turned, gap, with_gap)
        _apply(spread, q, with_gap)
        v, v_low = _inner(gap, with_known, 0.0, 0.0)
        v, v_low = _inner(q, with_gap, v, v_low)
        c, c_low = _two_sum(unit * mu_p[i], -unit * mu_q[i])
        pull[:] = -seen
        c, c_low = _inner(q, pull, c, c_low)
        square, square_low = _added(v, v_low, c, c_low, c, c_low)
        term, term_low = _quotient(square, square_low, s_q, s_q_low)
        remainder = _phi(s_q, s_p, ds)
        total, rest = _two_sum(total, remainder)
        total_low += rest
        total, rest = _two_sum(total, term)
        total_low += rest + term_low
        _shift(seen, gain_q, c, c_low, 1.0, seen)
        _shift(with_gap, gain_q, 0.5 * v, 0.5 * v_low, -1.0, pull)
        _grow(spread, gain_q, pull, -1.0)
        _grow(spread, pull, gain_q, -1.0)
        push[:] = 0.0
        _shift(push, dgain, s_p, s_p_low, 1.0, push)
        _grow(spread, dgain, push, 1.0)
        _grow(mixed, gain_q, with_known, -1.0)
        _grow(mixed, push, gain_p, 1.0)
        _grow(turned, with_known, gain_q, -1.0)
        _grow(turned, gain_p, push, 1.0)
        _grow(known, gain_p, u_p, 1.0)
        _grow(unlike, dgain, u_p, -1.0)
        _grow(unlike, gain_q, du, -1.0)
        _grow(unknown_p, gain_p, u_p, -1.0)
        _grow(unknown_q, gain_q, u_q, -1.0)
    return 0.5 * (total if total == np.inf else total + total_low)


_ROWS, _MATRICES = (types.Array(types.float64, n, "C", readonly=True) for n in (2, 3))


@njit(
    [types.void(_ROWS, _MATRICES, _ROWS, _ROWS, _MATRICES, _ROWS, types.float64[::1])],
    error_model="numpy",
    cache=True,
    nogil=True,
)
def _fill(mu_p, w_p, d_p, mu_q, w_q, d_q, value):
    """The values, NaN where an entry of d is not positive; one row may serve all."""
    rank = w_p.shape[2]
    vectors, matrices = np.empty((14, 2, rank)), np.empty((7, 2, rank, rank))
    one, two, three = min(mu_p.shape[0] - 1, 1), min(w_p.shape[0] - 1, 1), min(d_p.shape[0] - 1, 1)
    four, five, six = min(mu_q.shape[0] - 1, 1), min(w_q.shape[0] - 1, 1), min(d_q.shape[0] - 1, 1)
    for e in range(value.size):
        variances_p, variances_q, fine = d_p[e * three], d_q[e * six], True
        for i in range(variances_p.size):
            fine = fine and variances_p[i] > 0.0 and variances_q[i] > 0.0
        value[e] = np.nan
        if fine:
            value[e] = _divergence(
                mu_p[e * one], w_p[e * two], variances_p, mu_q[e * four], w_q[e * five], variances_q, vectors, matrices
            )
