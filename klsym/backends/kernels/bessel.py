"""The logarithm of the Bessel function I0, its derivatives and their remainders."""

# pyright: basic, reportMissingParameterType=false

from .coefficients import (
    BESSEL,
    BESSEL_CURVE,
    BESSEL_SLOPE,
    CIRCLE,
    CIRCLE_SCALE,
    HALF_LOG_2PI,
    I0_SERIES,
    I1_SERIES,
    VARIANCE_SERIES,
)
from .elementary import e2, exp, expm1, log, log1p, phi
from .gamma import _reciprocals
from .machine import absolute, fma, select, sqrt

LOW, HIGH = 12.0, 48.0


def log_i0(x):
    """log I0(x): by the power series below 12, above by Hankel's expansion (DLMF 10.40.1) as a polynomial in 1/x."""
    size = absolute(x)
    small = size < LOW
    y = select(small, 0.25 * size * size, 0.0)
    series = I0_SERIES[0]
    for c in I0_SERIES[1:]:
        series = fma(series, y, c)
    s, _slope = _hankel(size)
    return select(small, log1p(y * series), size - (HALF_LOG_2PI + fma(0.5, log(size), -s)))


def _hankel(x):
    """S(x) = log I0(x) - x + log(2 pi x)/2, and the derivative of log I0(x) - x, for x >= 12."""
    v = 1.0 / x
    p = BESSEL[0]
    q = p
    for c in BESSEL[1:]:
        p = fma(p, v, c)
        q = fma(q, v, p)
    return v * p, -v * fma(v, q, 0.5)


def _hankel_remainder(a, b, d):
    """The remainder of log(2 pi x)/(-2) + S(x), both terms not negative, for a, b >= 12."""
    w, x = _reciprocals(a, b)
    p = BESSEL[0]
    q, t = p, 0.0
    for c in BESSEL[1:]:
        t = fma(t, w, q)
        p = fma(p, x, c)
        q = fma(q, w, p)
    scale = d * w
    return fma(0.5, phi(a, b, d), scale * scale * x * fma(w, t, q))


def log_i0_remainder(a, b, d):
    """The remainder of log I0 at a, to b, for a, b >= 0.

    From 12 on both, log I0 is a logarithm and a polynomial in 1/x. Else, up to 48, it is log(1 + E(e2(d (c - A)))),
    with c the cosine of an angle of a von Mises law of concentration a, and A its mean: a sum over equal parts of the
    circle is exact to rounding (Trefethen and Weideman, SIAM Review 56, 2014). Of a pair with one below 12 and one
    above 48, or a above 12 and 5 b, the values and the slope of log I0(x) - x do.
    """
    large = (a >= LOW) & (b >= LOW)
    a_apart, b_apart = (b < LOW) & (a >= LOW) & ((a > HIGH) | (a > 5.0 * b)), (a < LOW) & (b > HIGH)
    apart = a_apart | b_apart
    at = select(large, LOW, select(a_apart, b, a))
    total, moment = 0.0, 0.0
    for c in CIRCLE:
        weight = exp(-at * c)
        total = total + weight
        moment = fma(weight, c, moment)
    mean = moment / total
    step = select(large | apart, 0.0, d)
    spread, drift = 0.0, 0.0
    for c in CIRCLE:
        weight = exp(-at * c)
        spread = fma(weight, e2(step * (mean - c)), spread)
        drift = fma(weight, mean - c, drift)  # what rounding took from the mean, to first order
    variation = spread / total
    close = log1p(variation) - step * (drift / total) * (variation / (1.0 + variation))
    # log I0(x) - x is the logarithm of the mean of e^(-x c), where x is below 12, and else -log(2 pi x)/2 + S(x).
    end = select(a_apart, a, select(b_apart, b, HIGH))
    s, slope = _hankel(end)
    fall = log(total * sqrt(CIRCLE_SCALE * end)) - s
    far = select(a_apart, fma(-d, slope, fall), fma(d, mean, -fall))
    return select(large, _hankel_remainder(a, b, d), select(apart, far, close))


def _slope(x):
    """1 - I1(x)/I0(x) for x >= 12, by Hankel's expansion."""
    v = 1.0 / x
    p = BESSEL_SLOPE[0]
    for c in BESSEL_SLOPE[1:]:
        p = fma(p, v, c)
    return v * fma(v, p, 0.5)


def bessel_ratio(x):
    """I1(x)/I0(x) for x >= 0: by two power series of positive terms below 12."""
    small = x < LOW
    y = select(small, 0.25 * x * x, 0.0)
    below, above = I0_SERIES[0], I1_SERIES[0]
    for c in I0_SERIES[1:]:
        below = fma(below, y, c)
    for c in I1_SERIES[1:]:
        above = fma(above, y, c)
    return select(small, 0.5 * x * (above / fma(below, y, 1.0)), 1.0 - _slope(x))


def bessel_ratio_prime(x):
    """The derivative of I1(x)/I0(x) for x >= 0, 1 - r/x - r^2 with r = I1/I0, by series of positive terms below 12."""
    small = x < LOW
    y = select(small, 0.25 * x * x, 0.0)
    below, above = I0_SERIES[0], VARIANCE_SERIES[0]
    for c in I0_SERIES[1:]:
        below = fma(below, y, c)
    for c in VARIANCE_SERIES[1:]:
        above = fma(above, y, c)
    below = fma(below, y, 1.0)
    v = 1.0 / x
    series = BESSEL_CURVE[0]
    for c in BESSEL_CURVE[1:]:
        series = fma(series, v, c)
    return select(small, above / below / below, v * v * fma(v, series, 0.5))


def bessel_ratio_difference(a, b, d):
    """I1(b)/I0(b) - I1(a)/I0(a) for a, b >= 0.

    From 12 on both by divided differences, and where one is below 12 and the other above 48 by the values. Else, with
    c the cosine of an angle of a von Mises law of concentration a < b and A its mean, the mean of (c - A) e^(d (c - A))
    over that of e^(d (c - A)); with expm1 for the first exponential, the same, every term has the sign of d.
    """
    swap = d < 0.0
    start, end, gap = select(swap, b, a), select(swap, a, b), select(swap, -d, d)
    large, apart = start >= LOW, (start < LOW) & (end > HIGH)
    at, step = select(large, LOW, start), select(large | apart, 0.0, gap)
    total, moment = 0.0, 0.0
    for c in CIRCLE:
        weight = exp(-at * c)
        total = total + weight
        moment = fma(weight, c, moment)
    mean = moment / total
    whole, drawn = 0.0, 0.0
    for c in CIRCLE:
        growth = exp(-at * c) * expm1(step * (mean - c))
        whole = whole + growth
        drawn = fma(mean - c, growth, drawn)
    close = drawn / (total + whole)
    w, x = _reciprocals(start, end)
    p = BESSEL_SLOPE[0]
    q = p
    for c in BESSEL_SLOPE[1:]:
        p = fma(p, x, c)
        q = fma(q, w, p)
    smooth = gap * w * x * (0.5 + fma(x, p, w * q))
    total = select(large, smooth, select(apart, mean - _slope(end), close))
    return select(swap, -total, total)
