"""The logarithm of the Gamma function, its derivatives, and their remainders, by Stirling's series (DLMF 5.11.1).

The series is taken at X = x + n >= 13, n steps of the recurrence away, as w P(w^2) in w = 1/X. What is a difference
is one of terms: of logarithms by log_ratio, of the series by divided differences from Horner's rule.
"""

# pyright: basic, reportMissingParameterType=false

from .arithmetic import (
    NOTHING,
    ONE,
    ZERO,
    horner,
    join,
    minus,
    neg,
    normal,
    over,
    plus,
    plus_double,
    scaled_by,
    sound,
    step,
    times,
    times_double,
)
from .coefficients import BERNOULLI, DIGAMMA, DIGAMMA_ROOT, DIGAMMA_ROOT_TAIL, HALF_LOG_2PI, STIRLING
from .elementary import log, log1p, log_ratio, phi

FAR, LARGEST = 13.0, 1e100
LAST, MIDDLE = 23, 9  # degrees of the series in w^2, and from where double serves


def _steps(x, far):
    """How many steps of the recurrence lead there or beyond."""
    return int(far - x[0]) + 1 if x[0] < far else 0


def _inside(x):
    return 0.0 < x[0] < LARGEST


def _divided(coefficients, u, v):
    """P(v), P[u, v] and P[u, u, v]: Horner's rule for a polynomial and its divided differences."""
    p = q = t = 0.0
    for k in range(LAST, MIDDLE - 1, -1):
        t = t * u[0] + q
        q = q * u[0] + p
        p = p * v[0] + coefficients[k, 0]
    p, q, t = (p, 0.0), (q, 0.0), (t, 0.0)
    for k in range(MIDDLE - 1, -1, -1):
        t = step(t, u, q)
        q = step(q, u, p)
        p = step(p, v, (coefficients[k, 0], coefficients[k, 1]))
    return normal(p[0], p[1]), normal(q[0], q[1]), normal(t[0], t[1])


def lgamma(x):
    """log Gamma(x) for x > 0; between 1/2 and 5/2 as its difference from a zero, 1 or 2."""
    if not _inside(x):
        return NOTHING
    if 0.5 < x[0] < 2.5:
        start = 1.0 if x[0] < 1.5 else 2.0
        return _lgamma_difference((start, 0.0), x, plus_double(x, -start))
    product, high = ONE, x
    for _ in range(_steps(x, FAR)):
        product = times(product, high)
        high = plus_double(high, 1.0)
    w = over(ONE, high)
    series = plus(plus_double(HALF_LOG_2PI, -0.5), times(w, horner(STIRLING, LAST, MIDDLE, times(w, w))))
    whole = plus(times(plus_double(high, -0.5), plus_double(log(high), -1.0)), series)
    return minus(whole, log(product)) if x[0] < FAR else whole


def _lgamma_difference(a, b, d):
    """lgamma(b) - lgamma(a): (A - 1/2) log(B/A) + d (log B - 1), less log of prod (b + k)/(a + k), and the series."""
    if d[0] < 0.0:
        return neg(_lgamma_rise(b, a, neg(d)))
    return _lgamma_rise(a, b, d)


def _lgamma_rise(a, b, d):
    """The same for d >= 0, where the product is 1 + excess/prod (a + k), and excess a sum of positive terms."""
    steps, product, excess, low, high = _steps(a, FAR), ONE, ZERO, a, b
    for _ in range(steps):
        excess = join(times(excess, high), times(product, d))
        product = times(product, low)
        low, high = plus_double(low, 1.0), plus_double(high, 1.0)
    w, x = over(ONE, low), over(ONE, high)
    p, q, _ = _divided(STIRLING, times(w, w), times(x, x))
    both = times(w, x)
    series = times(both, plus(p, times(times(w, join(w, x)), q)))
    linear = times(d, minus(plus_double(log(high), -1.0), series))
    whole = plus(times(plus_double(low, -0.5), log_ratio(low, high, d)), linear)
    return minus(whole, log1p(over(excess, product))) if steps else whole


def lgamma_difference(a, b, d):
    """lgamma(b) - lgamma(a); NaN where the two nearly meet on either side of the minimum, unless they are near 0."""
    if not (_inside(a) and _inside(b)):
        return NOTHING
    difference = _lgamma_difference(a, b, d)
    if abs(difference[0]) >= 2.0**-6 * abs(d[0]):
        return difference
    end = lgamma(b)
    difference = minus(end, lgamma(a))
    return difference if abs(difference[0]) >= 2.0**-4 * abs(end[0]) > 0.0 else NOTHING


def log_rising(a, x):
    """log(Gamma(a + x)/Gamma(a))."""
    return lgamma_difference(a, plus(a, x), x)


def digamma(x):
    """psi(x) for x > 0; near its positive root as the difference from it."""
    if not _inside(x):
        return NOTHING
    if 1.0 < x[0] < 2.0:
        return digamma_difference(DIGAMMA_ROOT, x, plus_double(minus(x, DIGAMMA_ROOT), -DIGAMMA_ROOT_TAIL))
    poles, high = ZERO, x
    for _ in range(_steps(x, FAR)):
        poles = join(poles, over(ONE, high))
        high = plus_double(high, 1.0)
    w = over(ONE, high)
    z = times(w, w)
    series = plus(scaled_by(w, 0.5), times(z, horner(DIGAMMA, LAST, MIDDLE, z)))
    return minus(log(high), plus(series, poles))


def digamma_difference(a, b, d):
    """psi(b) - psi(a): the difference of the logarithms, and d times terms of one sign."""
    if not (_inside(a) and _inside(b)):
        return NOTHING
    slope, low, high = ZERO, a, b
    for _ in range(max(_steps(a, FAR), _steps(b, FAR))):
        slope = join(slope, over(ONE, times(low, high)))
        low, high = plus_double(low, 1.0), plus_double(high, 1.0)
    w, x = over(ONE, low), over(ONE, high)
    product, z = times(w, x), times(w, w)
    p, q, _ = _divided(DIGAMMA, z, times(x, x))
    series = times(plus(w, x), plus(p, times(z, q)))
    slope = plus(slope, times(product, plus_double(series, 0.5)))
    return join(log_ratio(low, high, d), times(d, slope))


def polygamma(n, x):
    """The n-th derivative of psi at x > 0, 1 <= n <= 6: DLMF 5.15.1 and 5.15.8."""
    order = int(n[0])
    if not (_inside(x) and 1 <= order <= 6):
        return NOTHING
    poles, high = ZERO, x
    for _ in range(_steps(x, FAR + 3.0 * order)):
        poles = join(poles, _power(over(ONE, high), order + 1))
        high = plus_double(high, 1.0)
    w = over(ONE, high)
    z = times(w, w)
    series, factorial = ZERO, 1.0
    for k in range(2, order):
        factorial *= k
    for k in range(LAST, -1, -1):
        rising = 1.0
        for j in range(2 * k + 3, 2 * k + 2 + order):
            rising *= j
        if k < MIDDLE:
            series = step(series, z, times_double((BERNOULLI[k, 0], BERNOULLI[k, 1]), rising))
        else:
            series = (series[0] * z[0] + BERNOULLI[k, 0] * rising, 0.0)
    series = normal(series[0], series[1])
    leading = plus_double(scaled_by(times_double(w, float(order)), 0.5), 1.0)
    smooth = plus(times_double(leading, factorial), times(z, series))
    total = plus(times_double(poles, factorial * order), times(_power(w, order), smooth))
    return total if order % 2 else neg(total)


def _power(x, n):
    result = x
    for _ in range(n - 1):
        result = times(result, x)
    return result


def trigamma(x):
    """psi'(x) for x > 0."""
    return polygamma(ONE, x)


def reduced_trigamma(x):
    """psi'(x) - 1/x for x > 0, of positive terms: a step of the recurrence leaves 1/(x^2 (x + 1))."""
    if not _inside(x):
        return NOTHING
    poles, high = ZERO, x
    for _ in range(_steps(x, FAR)):
        after = plus_double(high, 1.0)
        poles = join(poles, over(ONE, times(times(high, high), after)))
        high = after
    w = over(ONE, high)
    z = times(w, w)
    return plus(poles, times(w, plus(scaled_by(w, 0.5), times(z, horner(BERNOULLI, LAST, MIDDLE, z)))))


def reduced_digamma_difference(a, b, d):
    """psi(x) - log x at b, less that at a: of one sign, as it rises."""
    if not (_inside(a) and _inside(b)):
        return NOTHING
    return neg(_reduced_rise(b, a, neg(d))) if d[0] < 0.0 else _reduced_rise(a, b, d)


def _reduced_rise(a, b, d):
    """The same for d >= 0: a step leaves d/(a b (b + 1)) + phi(a (b + 1), b (a + 1), d), none of it negative."""
    if d[0] == 0.0:
        return ZERO
    total, low, high = ZERO, a, b
    for _ in range(_steps(a, FAR)):
        next_low, next_high = plus_double(low, 1.0), plus_double(high, 1.0)
        one, other = times(low, next_high), times(high, next_low)
        total = plus(total, plus(over(d, times(high, one)), phi(one, other, d)))
        low, high = next_low, next_high
    w, x = over(ONE, low), over(ONE, high)
    z = times(w, w)
    p, q, _ = _divided(DIGAMMA, z, times(x, x))
    series = times(plus(w, x), plus(p, times(z, q)))
    return sound(plus(total, times(times(d, times(w, x)), plus_double(series, 0.5))))


def trigamma_difference(a, b, d):
    """psi'(b) - psi'(a): -d times terms of one sign."""
    if not (_inside(a) and _inside(b)):
        return NOTHING
    slope, low, high = ZERO, a, b
    for _ in range(max(_steps(a, FAR), _steps(b, FAR))):
        w, x = over(ONE, low), over(ONE, high)
        slope = join(slope, times(times(w, x), join(w, x)))
        low, high = plus_double(low, 1.0), plus_double(high, 1.0)
    w, x = over(ONE, low), over(ONE, high)
    both, u, v = plus(w, x), times(w, w), times(x, x)
    p, q, _ = _divided(BERNOULLI, u, v)
    inner = plus(times(v, p), times(times(w, both), plus(p, times(u, q))))
    smooth = times(times(w, x), plus(plus(ONE, scaled_by(both, 0.5)), inner))
    return neg(times(d, plus(slope, smooth)))


def grem(a, b, d):
    """The remainder of lgamma(x) - x log x + x at a, to b: terms of which none is negative.

    Those of the steps are (b + 1) phi(a (b + 1), b (a + 1), d), the difference of two remainders.
    """
    if not (_inside(a) and _inside(b)):
        return NOTHING
    if d[0] == 0.0:
        return ZERO
    total, low, high = ZERO, a, b
    for _ in range(max(_steps(a, FAR), _steps(b, FAR))):
        next_low, next_high = plus_double(low, 1.0), plus_double(high, 1.0)
        total = join(total, times(next_high, phi(times(low, next_high), times(high, next_low), d)))
        low, high = next_low, next_high
    w, x = over(ONE, low), over(ONE, high)
    p, q, t = _divided(STIRLING, times(w, w), times(x, x))
    both = times(w, plus(w, x))
    first = plus(p, times(both, q))
    second = plus(times(plus(scaled_by(w, 2.0), x), q), scaled_by(times(times(w, both), t), 2.0))
    move = times(d, w)
    series = times(times(times(move, move), x), plus(first, times(w, second)))
    return sound(plus(total, plus(scaled_by(phi(low, high, d), 0.5), series)))


def lgrem(a, b, d):
    """The remainder of lgamma at a, to b."""
    return ZERO if d[0] == 0.0 else plus(grem(a, b, d), times(b, phi(b, a, neg(d))))


def lbetarem(a, b, c, d, e, f):
    """The remainder of log B at (a, b), to (c, d); NaN where the remainders of lgamma cancel."""
    if e[0] == 0.0 and f[0] == 0.0:
        return ZERO
    first = plus(lgrem(a, c, e), lgrem(b, d, f))
    total = minus(first, lgrem(plus(a, b), plus(c, d), plus(e, f)))
    return sound(total) if total[0] >= 2.0**-6 * first[0] else NOTHING
