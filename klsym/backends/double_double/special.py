"""Error functions, the exponential integral, the Bessel function I0 and what comes of coth, by series."""

# pyright: basic, reportMissingParameterType=false

from .arithmetic import (
    NOTHING,
    ONE,
    ZERO,
    abs_,
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
)
from .coefficients import EULER_GAMMA, INVERSE_SQRT_PI, LOG_2PI
from .elementary import exp, expm1, log, log1p

NEGLIGIBLE = 2.0**-108


def _upper(a, x):
    """e^x x^(-a) Gamma(a, x) for x >= 2, by the even part of its continued fraction (DLMF 8.9.2)."""
    fraction = ZERO
    for k in range(int(340.0 / x[0]) + 25, 0, -1):
        fraction = over((k * (k - a), 0.0), minus(plus_double(x, 2.0 * k + 1.0 - a), fraction))
    return over(ONE, minus(plus_double(x, 1.0 - a), fraction))


def exp_e1(z):
    """e^z E1(z) for z > 0: DLMF 6.6.2 near 0."""
    if not 0.0 < z[0] < 1e100:
        return NOTHING
    if z[0] >= 2.0:
        return _upper(0.0, z)
    term, series, k = ONE, ZERO, 1.0
    while abs(term[0]) > NEGLIGIBLE * abs(z[0]) or k < 3.0:
        term = over(times(term, neg(z)), (k, 0.0))
        series = plus(series, over(term, (k, 0.0)))
        k += 1.0
    return neg(times(exp(z), plus(plus(EULER_GAMMA, log(z)), series)))


def erf(x):
    """erf x."""
    if abs(x[0]) < 1.0:
        return sound(_erf_near(x)) if x[0] != 0.0 else ZERO
    value = minus(ONE, erfc(abs_(x))) if abs(x[0]) < 9.0 else ONE
    return neg(value) if x[0] < 0.0 else value


def _erf_near(x):
    """2 x e^(-x^2)/sqrt(pi) (1 + 2 x^2/3 + (2 x^2)^2/15 + ...): DLMF 7.6.2."""
    square = times(x, x)
    double, term, series, k = scaled_by(square, 2.0), ONE, ONE, 3.0
    while term[0] > NEGLIGIBLE:
        term = over(times(term, double), (k, 0.0))
        series = plus(series, term)
        k += 2.0
    slope = scaled_by(times(INVERSE_SQRT_PI, exp(neg(square))), 2.0)
    return times(times(x, slope), series)


def erfc(x):
    """1 - erf x."""
    if abs(x[0]) < 2.0:
        return minus(ONE, _erf_near(x))
    size = abs_(x)
    if size[0] > 20.0:
        return NOTHING
    tail = times(exp(neg(times(x, x))), _erfcx_far(size))
    return minus((2.0, 0.0), tail) if x[0] < 0.0 else tail


def erfcx(x):
    """e^(x^2) erfc x."""
    if not -20.0 < x[0] < 1e100:
        return NOTHING
    return _erfcx_far(x) if x[0] >= 2.0 else times(exp(times(x, x)), erfc(x))


def _erfcx_far(x):
    return times(times(x, INVERSE_SQRT_PI), _upper(0.5, times(x, x)))


def log_i0(x):
    """log I0(x): DLMF 10.25.2 and, far out, 10.40.1."""
    size = abs_(x)
    if size[0] == 0.0 or not size[0] < 1e100:
        return ZERO if size[0] == 0.0 else NOTHING
    near = size[0] < 40.0
    step = scaled_by(times(size, size), 0.25) if near else over((0.125, 0.0), size)
    term, series, k = ONE, ZERO, 1.0
    while term[0] > NEGLIGIBLE * (series[0] if near else 1.0):
        factor = over(step, (k * k, 0.0)) if near else over(times_double(step, (2.0 * k - 1.0) ** 2), (k, 0.0))
        term = times(term, factor)
        series = plus(series, term)
        k += 1.0
    logarithm = log1p(series) if series[0] != 0.0 else NOTHING
    if near:
        return logarithm
    return plus(size, minus(logarithm, scaled_by(plus(LOG_2PI, log(size)), 0.5)))


def log_sinhc(u):
    """log(sinh(u)/u)."""
    size = abs_(u)
    if size[0] >= 1.0:
        half = neg(expm1(scaled_by(size, -2.0)))
        return plus(size, log(over(half, scaled_by(size, 2.0))))
    square = times(u, u)
    return log1p(times(_sinhc(square)[1], square)) if u[0] == 0.0 or square[0] != 0.0 else NOTHING


def langevin(u):
    """coth u - 1/u."""
    size = abs_(u)
    if size[0] >= 1.0:
        growth = expm1(scaled_by(size, 2.0)) if size[0] < 300.0 else (2.0**600, 0.0)
        value = plus(minus(ONE, over(ONE, size)), over((2.0, 0.0), growth))
        return neg(value) if u[0] < 0.0 else value
    square = times(u, u)
    slope, rest = _sinhc(square)
    return mul(u, over(slope, plus(ONE, times(square, rest))))


def _sinhc(z):
    """(cosh u - sinh(u)/u)/z and (sinh(u)/u - 1)/z in z = u^2 < 1."""
    slope, rest, term, k = ZERO, ZERO, ONE, 2.0
    while term[0] > NEGLIGIBLE:
        term = over(term, (k * (k + 1.0), 0.0)) if k == 2.0 else over(times(term, z), (k * (k + 1.0), 0.0))
        rest = plus(rest, term)
        slope = plus(slope, times_double(term, k))
        k += 2.0
    return slope, rest
