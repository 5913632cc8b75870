"""Elementary functions: logarithms of ratios and their remainders, exponentials, and the forms of them that cancel."""

from .coefficients import ATANH, LN2, LN2_TAIL
from .machine import absolute, exponent, fma, mantissa, product_tail, select

TINY, INF, NAN = 2.2250738585072014e-308, float("inf"), float("nan")  # the least normal number, 2^-1022
SQRT_2, INVERSE_LN2 = 1.4142135623730951, 1.4426950408889634
UP, DOWN, SMALL_PRODUCT = 2.0**600, 2.0**-600, 2.0**-960


def cross(a, b, c, d):
    """a b - c d. Products whose tails would be subnormal are scaled."""
    small = absolute(a * b) + absolute(c * d) < SMALL_PRODUCT
    up = select(small, UP, 1.0)
    return _cross(a * up, b, c * up, d) * select(small, DOWN, 1.0)


def _cross(a, b, c, d):
    """Kahan's algorithm (Jeannerod, Louvet and Muller, Math. Comp. 82, 2013) with both products' tails."""
    return (a * b - c * d) + (product_tail(a, b) - product_tail(c, d))


def _ratio(a, b, d):
    """r, T, L, near with L = log(b/a), and L = r + r T, r = d/((a + b)/2) where a and b are near each other.

    Far from each other the same polynomial serves their mantissas. NaN unless both are positive normal numbers.
    """
    middle = 0.5 * a + 0.5 * b
    normal = (a >= TINY) & (b >= TINY)
    near = normal & (b < 4.0 * a) & (a < 4.0 * b)
    a_mantissa, b_mantissa = mantissa(a), mantissa(b)
    numerator = select(near, d, b_mantissa - a_mantissa)
    r = numerator / select(near, middle, 0.5 * a_mantissa + 0.5 * b_mantissa)
    q = r * r
    series = ATANH[0]
    for c in ATANH[1:]:
        series = fma(series, q, c)
    t = q * series
    k = select(normal, fma(0.0, middle, exponent(b) - exponent(a)), NAN)
    k = select(near, 0.0, k)
    return r, t, fma(k, LN2, r + fma(r, t, k * LN2_TAIL)), near


def log_ratio(a, b, d):
    """log(b/a) = 2 atanh((b - a)/(a + b)): DLMF 4.6.4, 4.37.24."""
    _r, _t, logarithm, _near = _ratio(a, b, d)
    return logarithm


def phi(a, b, d):
    """d/a - log(b/a); near a it is r (d/(2 a) - T), both of one sign for d < 0, the second small for d > 0."""
    r, t, logarithm, near = _ratio(a, b, d)
    quotient = d / a
    return select(near, r * (0.5 * quotient - t), quotient - logarithm)


def klrem(p, q, d):
    """p log(p/q) - p + q = p phi(p, q, d), without the quotient."""
    r, t, logarithm, near = _ratio(p, q, d)
    remainder = select(near, r * fma(-p, t, 0.5 * d), fma(-p, logarithm, d))
    remainder = select((q == 0.0) & (p > 0.0), INF, remainder)
    return select((p == 0.0) & (q >= 0.0), q, remainder)
