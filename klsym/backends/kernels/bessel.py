"""The logarithm of the Bessel function I0 and its remainder."""

# pyright: basic, reportMissingParameterType=false

from .coefficients import BESSEL, CIRCLE, CIRCLE_SCALE, HALF_LOG_2PI, I0_SERIES
from .elementary import e2, exp, log, log1p, phi
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
