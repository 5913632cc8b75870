"""Exponentials, logarithms and their remainders, circular and hyperbolic functions.

Exponentials and logarithms come from tables (Tang, ACM TOMS 15 and 16, 1989 and 1990) and short series.
"""

# pyright: basic, reportMissingParameterType=false

from ..kernels.machine import exponent, rint, scaled
from .arithmetic import (
    NOTHING,
    ONE,
    ZERO,
    abs_,
    horner,
    minus,
    mul,
    neg,
    over,
    plus,
    plus_double,
    scaled_by,
    sound,
    times,
    times_double,
    two_sum,
)
from .coefficients import ATANH, COS, EXP_TABLE, EXP_TAIL, LN2, LN2_64, LN2_64_TAIL, LOG_TABLE, PI_HALF, SIN

GREATEST, STEPS = 620.0, 92.332482616893656  # |x| where e^x is not too small, and 64/log 2
SQRT_2, HALF_PI, TURNS = 1.4142135623730951, 1.5707963267948966, 2.0**20


def _exp_parts(x):
    """m, y with e^x = 2^m (1 + y), m = 0 for |x| < 0.34: 1 + y = 2^(j/64) e^r, |r| <= log(2)/128."""
    k = rint(x[0] * STEPS)
    r = minus(two_sum(x[0] - k * LN2_64, x[1]), times_double(LN2_64_TAIL, k))
    m = rint(k * 0.015625)
    j = int(k - 64.0 * m) + 32
    p = plus(r, times(times(r, r), horner(EXP_TAIL, 10, 5, r)))
    table = (EXP_TABLE[j, 0], EXP_TABLE[j, 1])
    return m, plus(plus(table, p), times(table, p))


def exp(x):
    """e^x; NaN where it would over- or underflow."""
    if not abs(x[0]) < GREATEST:
        return NOTHING
    m, y = _exp_parts(x)
    return scaled_by(plus(ONE, y), scaled(1.0, m))


def expm1(x):
    """e^x - 1."""
    if x[0] < -80.0:
        return (-1.0, 0.0)
    if not x[0] < GREATEST:
        return NOTHING
    m, y = _exp_parts(x)
    return y if m == 0.0 else plus_double(scaled_by(plus(ONE, y), scaled(1.0, m)), -1.0)


def e2(x):
    """e^x - 1 - x, near 0 by its series."""
    if abs(x[0]) >= 0.35:
        return minus(expm1(x), x)
    if x[0] == 0.0:
        return ZERO
    series = horner(EXP_TAIL, 10, 5, x) if abs(x[0]) < 0.005 else horner(EXP_TAIL, 20, 12, x)
    return sound(times(times(x, x), series))


def _log1p_near(x):
    """log(1 + x) for sqrt(1/2) <= 1 + x <= sqrt(2), from that of c (1 + x), near 1 for a c of eight bits."""
    j = rint(128.0 / (1.0 + x[0]))
    c = j * 0.0078125
    f = plus_double(times_double(x, c), c - 1.0)
    s = over(f, plus_double(f, 2.0))
    logarithm = scaled_by(plus(s, times(s, _atanh_tail(s))), 2.0)
    place = int(j) - 90
    return plus((LOG_TABLE[place, 0], LOG_TABLE[place, 1]), logarithm)


def _atanh_tail(s):
    """atanh(s)/s - 1 for |s| <= 1/8."""
    z = times(s, s)
    series = horner(ATANH, 6, 3, z) if z[0] < 8e-6 else horner(ATANH, 17, 9, z)
    return times(z, series)


def log(x):
    """log x."""
    if not 1e-300 < x[0] < 1e300:
        return NOTHING
    k = exponent(x[0])
    m = scaled_by(x, scaled(1.0, -k))
    if m[0] > SQRT_2:
        m, k = scaled_by(m, 0.5), k + 1.0
    near = _log1p_near(plus_double(m, -1.0))
    return near if k == 0.0 else plus(times_double(LN2, k), near)


def log1p(x):
    """log(1 + x)."""
    if x[0] == 0.0:
        return ZERO
    return sound(_log1p_near(x)) if -0.29 < x[0] < 0.41 else log(plus_double(x, 1.0))


def log_ratio(a, b, d):
    """log(b/a) = 2 atanh(d/(a + b)) (DLMF 4.37.24), where a and b are near each other."""
    if not (a[0] > 0.0 and b[0] > 0.0):
        return NOTHING
    if d[0] == 0.0:
        return ZERO
    s = over(d, plus(a, b))
    return sound(scaled_by(plus(s, times(s, _atanh_tail(s))), 2.0)) if abs(s[0]) < 0.125 else log(over(b, a))


def phi(a, b, d):
    """d/a - log(b/a); with s = d/(a + b) it is s (d/a - 2 (atanh(s)/s - 1))."""
    if not (a[0] > 0.0 and b[0] > 0.0):
        return NOTHING
    if d[0] == 0.0:
        return ZERO
    s, quotient = over(d, plus(a, b)), over(d, a)
    if abs(s[0]) < 0.125:
        return sound(times(s, minus(quotient, scaled_by(_atanh_tail(s), 2.0))))
    return minus(quotient, log(over(b, a)))


def klrem(p, q, d):
    """p log(p/q) - p + q."""
    return q if p[0] == 0.0 and q[0] >= 0.0 else mul(p, phi(p, q, d))


def xlogy(c, x):
    """c log x, and 0 for c = 0."""
    return ZERO if c[0] == 0.0 and x[0] >= 0.0 else mul(c, log(x))


def xlog1py(c, x):
    """c log(1 + x), and 0 for c = 0."""
    return ZERO if c[0] == 0.0 and x[0] >= -1.0 else mul(c, log1p(x))


def pow_(x, y):
    """x^y for x > 0 = e^(y log x); NaN where so large a power magnifies the logarithm's error."""
    power = times(y, log(x))
    return exp(power) if abs(power[0]) < 128.0 else NOTHING


def softplus(x):
    """log(1 + e^x)."""
    if abs(x[0]) > 500.0:
        return NOTHING
    smaller = log1p(exp(neg(abs_(x))))
    return plus(x, smaller) if x[0] > 0.0 else smaller


def log_cosh(x):
    """log cosh x = log(1 + 2 sinh(x/2)^2), and |x| - log 2 + log(1 + e^(-2 |x|)) away from zero."""
    size = abs_(x)
    if size[0] == 0.0 or size[0] > 300.0:
        return ZERO if size[0] == 0.0 else NOTHING
    if size[0] < 1.0:
        half = sinh(scaled_by(size, 0.5))
        return sound(log1p(scaled_by(times(half, half), 2.0)))
    return plus(minus(size, LN2), log1p(exp(scaled_by(size, -2.0))))


def sinh(x):
    """sinh x = (y + y/(1 + y))/2, y = e^x - 1."""
    if x[0] == 0.0:
        return ZERO
    y = expm1(abs_(x))
    half = scaled_by(plus(y, over(y, plus_double(y, 1.0))), 0.5)
    return sound(neg(half) if x[0] < 0.0 else half)


def cosh(x):
    """cosh x."""
    larger = exp(abs_(x))
    return scaled_by(plus(larger, over(ONE, larger)), 0.5)


def tanh(x):
    """tanh x = y/(y + 2), y = e^(2 x) - 1."""
    if x[0] == 0.0:
        return ZERO
    y = expm1(scaled_by(abs_(x), 2.0)) if abs(x[0]) < 40.0 else (2.0**120, 0.0)
    ratio = over(y, plus_double(y, 2.0))
    return sound(neg(ratio) if x[0] < 0.0 else ratio)


def _turned(x):
    """x less the nearest multiple of pi/2, whose product with each part is exact, and that multiple mod 4."""
    k = rint(x[0] / HALF_PI)
    rest = x
    for part in PI_HALF:
        rest = plus_double(rest, -k * part)
    return rest, int(k) & 3


def _sine(x, quarter):
    """sin(x + quarter pi/2) for |x| <= pi/4 (DLMF 4.19.1, 4.19.2)."""
    z = times(x, x)
    if quarter & 1:
        value = plus(ONE, times(z, horner(COS, 14, 8, z)))
    else:
        value = plus(x, times(x, times(z, horner(SIN, 13, 8, z))))
    return neg(value) if quarter & 2 else value


def sin(x):
    """sin x for |x| < 2^20."""
    if not abs(x[0]) < TURNS:
        return NOTHING
    rest, quarter = _turned(x)
    return _sine(rest, quarter)


def cos(x):
    """cos x for |x| < 2^20."""
    if not abs(x[0]) < TURNS:
        return NOTHING
    rest, quarter = _turned(x)
    return _sine(rest, (quarter + 1) & 3)


def tan(x):
    """tan x for |x| < 2^20."""
    return over(sin(x), cos(x))
