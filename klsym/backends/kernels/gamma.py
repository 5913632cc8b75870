"""The logarithm of the Gamma function, its derivatives, and their remainders.

lgamma(x) = lgamma(X) - log x with X = x + 1, and lgamma(X) by Stirling's formula, whose last term, Binet's function S,
is a polynomial in v = 1/(X + 11/16) for all X >= 1: S = sum c_m v^(m + 1). Its divided differences come from Horner's
rule for those of a polynomial: with p over one point, q = q w + p over two, and so on.
"""

# pyright: basic, reportMissingParameterType=false

from .coefficients import (
    BINET,
    BINET_CURVE,
    BINET_SLOPE,
    DIGAMMA_ROOT,
    DIGAMMA_ROOT_TAIL,
    HALF_LOG_2PI,
    LGAMMA,
)
from .elementary import NAN, _backward, _cross, _forward, _ratio, log, log_ratio, phi
from .machine import fma, select

SHIFT, SHIFT_1 = 0.6875, 1.6875
LEAST, GREATEST = 1e-120, 1e120


def lgamma(x):
    """log Gamma(x) for x > 0: below 13/4 by recurrence from 5/4 <= t <= 9/4, above by Stirling's formula (DLMF 5.11.1).

    Between 5/4 and 9/4 it is (t - 1)(t - 2) times a polynomial, and t - 2 is exact.
    """
    first, second, third, small = x < 0.25, x < 1.25, x < 2.25, x < 3.25
    from_two = select(first, x, select(second, x - 1.0, select(third, x - 2.0, x - 3.0)))  # t - 2, exactly
    factor = select(first, x * (x + 1.0), select(second, x, select(third, 1.0, select(small, x - 1.0, x))))
    logarithm = log(factor)
    z = from_two + 0.25
    series = LGAMMA[0]
    for c in LGAMMA[1:]:
        series = fma(series, z, c)
    recurrence = fma(from_two * (from_two + 1.0), series, select(third, -logarithm, logarithm))
    v = 1.0 / (x + SHIFT)
    stirling = BINET[0]
    for c in BINET[1:]:
        stirling = fma(stirling, v, c)
    return select(small, recurrence, fma(x - 0.5, logarithm - 1.0, fma(v, stirling, HALF_LOG_2PI) - 0.5))


def _reciprocals(a, b):
    """1/a and 1/b with one division; zeros where the product overflows, which no sum here notices."""
    both = 1.0 / (a * b)
    return b * both, a * both


def _binet_remainder(a, b, d):
    """S(b + 1) - S(a + 1) - d S'(a + 1) = d^2 w^2 x (S[w, x] + w S[w, w, x]) >= 0 at w, x, the v of a + 1 and b + 1."""
    w, x = _reciprocals(a + SHIFT_1, b + SHIFT_1)
    p = BINET[0]
    q, t = p, 0.0
    for c in BINET[1:]:
        t = fma(t, w, q)
        p = fma(p, x, c)
        q = fma(q, w, p)
    scale = d * w
    return scale * scale * x * fma(w, t, q)


def grem(a, b, d):
    """The remainder of lgamma(x) - x log x + x at a, to b: three terms, none negative."""
    a_up, b_up = a + 1.0, b + 1.0
    return fma(b_up, phi(a * b_up, b * a_up, d), fma(0.5, phi(a_up, b_up, d), _binet_remainder(a, b, d)))


def lgrem(a, b, d):
    """The remainder of lgamma at a, to b; that of (X - 1/2) log X - X is (B log(B/A) - d) + (d/A - log(B/A))/2."""
    a_up, b_up = a + 1.0, b + 1.0
    r, t, k, rise, e, c = _ratio(a_up, b_up, d)
    large = fma(0.5, _forward(r, t, k, rise, e / a_up), _backward(r, t, k, rise, e, c))
    return phi(a, b, d) + (large + _binet_remainder(a, b, d))


def lbetarem(a1, b1, a2, b2, da, db):
    """The remainder of log B at (a1, b1), to (a2, b2): KL of two Beta distributions.

    With x >= y the larger and the smaller, s = x + y: the remainder of lgamma(y), and that of lgamma(x) - lgamma(s)
    as of one function, x log(s/x) - y log s and smaller terms, so that the terms exceed their sum little.
    """
    swap = a1 < b1
    x1, y1 = select(swap, b1, a1), select(swap, a1, b1)
    x2, y2 = select(swap, b2, a2), select(swap, a2, b2)
    dx, dy = select(swap, db, da), select(swap, da, db)
    turn = _cross(x2, y1, x1, y2)
    total = _beta_smaller(y1, y2, dy, x1 + y1, x2 + y2, turn) + _beta_larger(x1, y1, x2, y2, dx, dy, turn)
    normal = (y1 >= LEAST) & (x2 >= LEAST) & (y2 >= LEAST)
    normal = normal & (x1 <= GREATEST) & (x2 <= GREATEST) & (y2 <= GREATEST)
    return select(normal, total, NAN)


def _beta_smaller(y1, y2, dy, s1, s2, turn):
    """The part of a component that is not the largest, y1 s2 - y2 s1 being `turn`; two terms, none negative."""
    s1_up, s2_up = s1 + 1.0, s2 + 1.0
    return fma(y2, phi(y2 * s1_up, y1 * s2_up, turn - dy), grem(y1, y2, dy))


def _beta_larger(x1, y1, x2, y2, dx, dy, turn):
    """The part of the largest component x, y being the sum of the others and `turn` x2 y1 - x1 y2."""
    s1, s2, ds = x1 + y1, x2 + y2, dx + dy
    x1_up, x2_up, s1_up, s2_up = x1 + 1.0, x2 + 1.0, s1 + 1.0, s2 + 1.0
    turn_up = turn - dy
    # X2 phi(X2 S1, X1 S2, -D) and phi(X1 S2, X2 S1, D) share their logarithm, as d/A - log and B log - d.
    product = x1_up * s2_up
    r, t, k, rise, e, c = _ratio(product, x2_up * s1_up, turn_up)
    forward, backward = _forward(r, t, k, rise, e / product), _backward(r, t, k, rise, e, c) / s1_up
    shifts = phi(x1 * s2, x2 * s1, turn) + 0.5 * forward
    ends = turn / (x1 * s1) * (ds / s2) + 0.5 * (turn_up / s1_up) * (ds / product)
    return (backward + shifts) + (ends + _binet_beta(x1, y1, x2, y2, dx, dy))


def _binet_beta(x1, y1, x2, y2, dx, dy):
    """The remainder of S(x + 1) - S(x + y + 1), from third divided differences of S over its four points."""
    s1, s2 = x1 + y1, x2 + y2
    w1, w2 = _reciprocals(x1 + SHIFT_1, x2 + SHIFT_1)
    v1, v2 = _reciprocals(s1 + SHIFT_1, s2 + SHIFT_1)
    p = BINET[0]
    p_w, p_ww, p_www, p_wwv, p_v, p_vv, p_vvw = p, p, p, p, p, p, p
    for c in BINET[1:]:
        p = fma(p, v1, c)
        p_w = fma(p_w, w2, p)
        p_ww = fma(p_ww, w1, p_w)
        p_www = fma(p_www, w1, p_ww)
        p_wwv = fma(p_wwv, v1, p_ww)
        p_v = fma(p_v, v1, p)
        p_vv = fma(p_vv, v2, p_v)
        p_vvw = fma(p_vvw, w2, p_vv)
    bend = fma(y1 * w1, fma(w1, p_www, v1 * p_wwv), y2 * v1 * v2 * p_vvw)
    return dx * dx * w2 * v1 * bend - dy * fma(2.0, dx, dy) * (v1 * v1) * v2 * p_vv


def digamma_difference(a, b, d):
    """psi(b) - psi(a), from psi(x) = log X - 1/(2 X) - 1/x + S'(X): four terms of the sign of d."""
    a_up, b_up = a + 1.0, b + 1.0
    w, x = _reciprocals(a + SHIFT_1, b + SHIFT_1)
    p = BINET_SLOPE[0]
    q = p
    for c in BINET_SLOPE[1:]:
        p = fma(p, x, c)
        q = fma(q, w, p)
    return log_ratio(a_up, b_up, d) + (d / a / b + (0.5 * d / a_up / b_up + d * w * x * fma(x, p, w * q)))


def digamma(x):
    """psi(x) for x > 0: the difference from its positive root, so right there too."""
    return digamma_difference(DIGAMMA_ROOT, x, (x - DIGAMMA_ROOT) - DIGAMMA_ROOT_TAIL)


def reduced_digamma_difference(a, b, d):
    """[psi(b) - log b] - [psi(a) - log a]: for d > 0 four terms that are not negative, and for d < 0 its opposite.

    psi(x) - log x is log(X/x) - 1/x - 1/(2 X) + S'(X), and d/(a b) - log(a B + d) + log(a B) the phi of a B, b A and a
    quotient.
    """
    swap = d < 0.0
    low, high, gap = select(swap, b, a), select(swap, a, b), select(swap, -d, d)
    low_up, high_up = low + 1.0, high + 1.0
    w, x = _reciprocals(low + SHIFT_1, high + SHIFT_1)
    p = BINET_SLOPE[0]
    q = p
    for c in BINET_SLOPE[1:]:
        p = fma(p, x, c)
        q = fma(q, w, p)
    poles = gap / low / high / high_up + 0.5 * gap / low_up / high_up
    total = phi(low * high_up, high * low_up, gap) + (poles + gap * w * x * fma(x, p, w * q))
    return select(swap, -total, total)


def trigamma(x):
    """psi'(x) for x > 0 = 1/x^2 + 1/X + 1/(2 X^2) + S''(X)."""
    v, up = 1.0 / (x + SHIFT_1), 1.0 / (x + 1.0)
    series = BINET_CURVE[0]
    for c in BINET_CURVE[1:]:
        series = fma(series, v, c)
    return 1.0 / x / x + (fma(0.5 * up, up, up) + v * v * v * series)


def reduced_trigamma(x):
    """psi'(x) - 1/x = 1/(x^2 X) + 1/(2 X^2) + S''(X) for x > 0."""
    v, up = 1.0 / (x + SHIFT_1), 1.0 / (x + 1.0)
    series = BINET_CURVE[0]
    for c in BINET_CURVE[1:]:
        series = fma(series, v, c)
    return 1.0 / x / x * up + fma(0.5 * up, up, v * v * v * series)


def trigamma_difference(a, b, d):
    """psi'(b) - psi'(a): four terms of the sign of -d."""
    a_up, b_up = 1.0 / (a + 1.0), 1.0 / (b + 1.0)
    w, x = _reciprocals(a + SHIFT_1, b + SHIFT_1)
    p = BINET_CURVE[0]
    q = p
    for c in BINET_CURVE[1:]:
        p = fma(p, x, c)
        q = fma(q, w, p)
    poles = d / a / b * (1.0 / a + 1.0 / b)
    smooth = d * a_up * b_up * fma(0.5, a_up + b_up, 1.0) + d * w * x * fma(x * x, p, w * fma(x, p, w * q))
    return -(poles + smooth)


def lgamma_difference(a, b, d):
    """lgamma(b) - lgamma(a) = psi(a) d + lgrem(a, b, d), from the other end where b > 2 a: there the sum would cancel.

    Where the two values meet, on either side of the minimum, the error is relative to the terms.
    """
    swap = d > a
    start, end, step = select(swap, b, a), select(swap, a, b), select(swap, -d, d)
    difference = fma(digamma(start), step, lgrem(start, end, step))
    return select(swap, -difference, difference)


def log_rising(a, x):
    """log(Gamma(a + x)/Gamma(a)) for a > 0, a + x > 0."""
    return lgamma_difference(a, a + x, x)
