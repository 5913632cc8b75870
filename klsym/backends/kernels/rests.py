"""What values lack: the difference of an operation on pairs (head and rest) and its head as rounded.

An exponential of a large number turns the number's absolute error into a relative one, so exponents come as pairs.
Sums and products leave nothing (Dekker, Numer. Math. 18, 1971; Knuth, The Art of Computer Programming 2, 4.2.2).
"""

# pyright: basic, reportMissingParameterType=false

from .coefficients import ATANH_CURVE, BINET, LN2, LN2_TAIL, THIRD, THIRD_TAIL
from .elementary import SQRT_2
from .gamma import SHIFT_1, _reciprocals
from .machine import fma, octaves, product_tail, scaled, select


def _sum_tail(x, y, s):
    """x + y - s exactly, s = fl(x + y)."""
    back = s - x
    return (x - (s - back)) + (y - back)


def add_rest(x, x_rest, y, y_rest, v):
    """x + x' + y + y' - v."""
    return _sum_tail(x, y, v) + (x_rest + y_rest)


def sub_rest(x, x_rest, y, y_rest, v):
    """x + x' - y - y' - v."""
    return _sum_tail(x, -y, v) + (x_rest - y_rest)


def mul_rest(x, x_rest, y, y_rest, v):
    """(x + x') (y + y') - v, v = fl(x y)."""
    return product_tail(x, y) + fma(x, y_rest, x_rest * y)


def div_rest(x, x_rest, y, y_rest, v):
    """(x + x')/(y + y') - v."""
    return (((x - v * y) - product_tail(v, y)) + fma(-v, y_rest, x_rest)) / y


def _log_pair(a, a_rest, b, b_rest, d, d_rest):
    """log((b + b')/(a + a')) in two doubles, d + d' the gap: r + r^3/12 + r^5 P(r^2) + k log 2, the first two in two.

    b is c octaves k away, c within a factor of sqrt(2) of a; r is (c - a)/((a + c)/2), and where k is 0 c - a is d.
    """
    c, _power, octave = octaves(a, b)
    above, below = c > SQRT_2 * a, a > SQRT_2 * c
    c = select(above, 0.5 * c, select(below, 2.0 * c, c))
    k = octave + select(above, 1.0, select(below, -1.0, 0.0))
    near, c_rest = k == 0.0, scaled(b_rest, -k)
    numerator = select(near, d, c - a)
    denominator = 0.5 * a + 0.5 * c
    inverse = 1.0 / denominator
    r = numerator * inverse
    lost = ((numerator - r * denominator) - product_tail(r, denominator)) + select(near, d_rest, c_rest - a_rest)
    halves = fma(0.5, a_rest + c_rest, _sum_tail(0.5 * a, 0.5 * c, denominator))
    r_tail = fma(-r, halves, lost) * inverse
    q = r * r
    series = ATANH_CURVE[0]
    for x in ATANH_CURVE[1:]:
        series = fma(series, q, x)
    u = 0.25 * (q * THIRD)
    q_tail = fma(2.0 * r, r_tail, product_tail(r, r))
    u_tail = fma(q * q, series, 0.25 * (product_tail(q, THIRD) + fma(q, THIRD_TAIL, q_tail * THIRD)))
    cube = r * u
    cube_tail = product_tail(r, u) + fma(r, u_tail, r_tail * u)
    inner = r + cube
    inner_tail = (cube - (inner - r)) + (cube_tail + r_tail)
    whole = k * LN2
    head = whole + inner
    tail = _sum_tail(whole, inner, head) + fma(k, LN2_TAIL, inner_tail)
    both = head + tail
    return both, tail - (both - head)


def log_ratio_head(a, b, d):
    """log(b/a), as the pair begins."""
    head, _tail = _log_pair(a, 0.0, b, 0.0, d, 0.0)
    return head


def log_ratio_rest(a, a_rest, b, b_rest, d, d_rest, v):
    """log((b + b')/(a + a')) - v."""
    head, tail = _log_pair(a, a_rest, b, b_rest, d, d_rest)
    return (head - v) + tail


def _stirling_pair(a, a_rest, b, b_rest, d, d_rest):
    """lgamma(b + b') - lgamma(a + a') in two doubles, but for the difference of S: at A = a + 1 and B = b + 1

    (B - 1/2) log(B/A) + d (log A - 1) - log(b/a), all of the size of d where d is small.
    """
    a_up, b_up = a + 1.0, b + 1.0
    a_up_rest, b_up_rest = _sum_tail(a, 1.0, a_up) + a_rest, _sum_tail(b, 1.0, b_up) + b_rest
    slope, slope_tail = _log_pair(a_up, a_up_rest, b_up, b_up_rest, d, d_rest)
    pole, pole_tail = _log_pair(a, a_rest, b, b_rest, d, d_rest)
    level, level_tail = _log_pair(1.0, 0.0, a_up, a_up_rest, a, a_rest)
    half, fall = b_up - 0.5, level - 1.0
    fall_tail = _sum_tail(level, -1.0, fall) + level_tail
    first, second = half * slope, d * fall
    first_tail = product_tail(half, slope) + fma(half, slope_tail, b_up_rest * slope)
    second_tail = product_tail(d, fall) + fma(d, fall_tail, d_rest * fall)
    both = first + second
    total = both - pole
    tails = _sum_tail(first, second, both) + _sum_tail(both, -pole, total)
    return total, tails + ((first_tail + second_tail) - pole_tail)


def _binet_difference(a, b, d):
    """S(b + 1) - S(a + 1) = -d w x S[w, x] at w, x, the v of a + 1 and b + 1."""
    w, x = _reciprocals(a + SHIFT_1, b + SHIFT_1)
    p = BINET[0]
    q = p
    for c in BINET[1:]:
        p = fma(p, x, c)
        q = fma(q, w, p)
    return -d * w * x * q


def lgamma_difference_head(a, b, d):
    """lgamma(b) - lgamma(a), as the pair begins: off by units of d."""
    total, tail = _stirling_pair(a, 0.0, b, 0.0, d, 0.0)
    return total + (_binet_difference(a, b, d) + tail)


def lgamma_difference_rest(a, a_rest, b, b_rest, d, d_rest, v):
    """lgamma(b + b') - lgamma(a + a') - v."""
    total, tail = _stirling_pair(a, a_rest, b, b_rest, d, d_rest)
    return (total - v) + (_binet_difference(a, b, d + d_rest) + tail)
