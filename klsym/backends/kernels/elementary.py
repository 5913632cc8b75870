"""Elementary functions: logarithms of ratios and their remainders, exponentials, and the forms of them that cancel."""

# pyright: basic, reportMissingParameterType=false

from .coefficients import (
    ATANH_EVEN,
    ATANH_ODD,
    COS,
    EXP,
    LN2,
    LN2_TAIL,
    LOG,
    POW,
    RIGHT,
    RIGHT_MIDDLE,
    RIGHT_TAIL,
    SIN,
    THIRD,
    THIRD_TAIL,
)
from .machine import absolute, exponent, floor, fma, mantissa, octaves, product_tail, rint, scaled, select

TINY, INF, NAN = 2.2250738585072014e-308, float("inf"), float("nan")  # the least normal number, 2^-1022
GREATEST = 1.7976931348623157e308  # LLVM makes a dozen instructions of two comparisons with 0 and infinity
SQRT_2, INVERSE_LN2, INVERSE_RIGHT = 1.4142135623730951, 1.4426950408889634, 0.6366197723675814
FAR = 1000.0  # octaves from where on one of two numbers is lost beside the other
TURNED = 1e5  # the largest angle
UP, DOWN, SMALL_PRODUCT, SCALE = 2.0**600, 2.0**-600, 2.0**-960, 2.0**54


def cross(a, b, c, d):
    """a b - c d. Products whose tails would be subnormal are scaled."""
    small = absolute(a * b) + absolute(c * d) < SMALL_PRODUCT
    up = select(small, UP, 1.0)
    return _cross(a * up, b, c * up, d) * select(small, DOWN, 1.0)


def _cross(a, b, c, d):
    """Kahan's algorithm (Jeannerod, Louvet and Muller, Math. Comp. 82, 2013) with both products' tails."""
    return (a * b - c * d) + (product_tail(a, b) - product_tail(c, d))


def _ratio(a, b, d):
    """r, T, k, 2^k - 1, e, c with b = 2^k c, e = c - a, log(c/a) = r + r T, r = e/(a + e/2).

    k counts the octaves from a to b, toward 0, so that k, e, r and r T are of one sign, or 0. It is NaN unless both are
    positive normal numbers.
    """
    c, power, k = octaves(a, b)
    e = select(k == 0.0, d, c - a)
    r = e / fma(0.5, e, a)
    q = r * r
    z = q * q
    even, odd = ATANH_EVEN[0], ATANH_ODD[0]
    for x in ATANH_EVEN[1:]:
        even = fma(even, z, x)
    for x in ATANH_ODD[1:]:
        odd = fma(odd, z, x)
    t = q * fma(odd, q, even)
    normal = (a >= TINY) & (b >= TINY) & (b <= GREATEST)
    return r, t, select(normal, k, NAN), power - 1.0, e, c


def _logarithm(r, t, k):
    """k log 2 + r + r T"""
    return fma(k, LN2, fma(r, t, fma(k, LN2_TAIL, r)))


def log_ratio(a, b, d):
    """log(b/a) = 2 atanh((b - a)/(a + b)): DLMF 4.6.4, 4.37.24."""
    r, t, k, _rise, _e, _c = _ratio(a, b, d)
    return _logarithm(r, t, k)


def _forward(r, t, k, rise, quotient):
    """b/a - 1 - log(b/a) = [2^k - 1 - k log 2] + (2^k - 1) e/a + r (e/(2 a) - T), none of the three negative."""
    whole = fma(-k, LN2_TAIL, fma(-k, LN2, rise))
    return fma(r, fma(0.5, quotient, -t), fma(rise, quotient, whole))


def _backward(r, t, k, rise, e, c):
    """b log(b/a) - b + a = c [k 2^k log 2 - 2^k + 1] + (2^k - 1) c log(c/a) + r (e/2 + c T), none negative."""
    steps = fma(rise, k, k)
    whole = fma(steps, LN2_TAIL, fma(steps, LN2, -rise))
    return fma(r, fma(c, t, 0.5 * e), c * fma(rise, fma(r, t, r), whole))


def phi(a, b, d):
    """d/a - log(b/a)."""
    r, t, k, rise, e, _c = _ratio(a, b, d)
    return _forward(r, t, k, rise, e / a)


def klrem(p, q, d):
    """p log(p/q) - p + q = p phi(p, q, d), without the quotient."""
    r, t, k, rise, e, _c = _ratio(p, q, d)
    whole = fma(-k, LN2_TAIL, fma(-k, LN2, rise))
    remainder = fma(r, fma(-p, t, 0.5 * e), fma(rise, e, p * whole))
    remainder = select((q == 0.0) & (p > 0.0), INF, remainder)
    return select((p == 0.0) & (q >= 0.0), q, select(k > FAR, d, remainder))


def _log_reduced(f, k, low):
    """k log 2 + log(1 + f) + low, for f in [sqrt(1/2) - 1, sqrt(2) - 1]: log(1 + f) = f - s (f - t), s = f/(2 + f)."""
    s = f / (2.0 + f)
    z = s * s
    series = LOG[0]
    for c in LOG[1:]:
        series = fma(series, z, c)
    return fma(k, LN2, f - (s * (f - z * series) - fma(k, LN2_TAIL, low)))


def _log_limits(x, logarithm):
    """The logarithm of x where x is positive and finite, and its limits elsewhere."""
    limit = select(x == 0.0, -INF, select(x == INF, INF, NAN))
    return select((x > 0.0) & (x <= GREATEST), logarithm, limit)


def _parts(x):
    """f, k with x = 2^k (1 + f), sqrt(1/2) <= 1 + f <= sqrt(2), of a positive normal x."""
    significand = mantissa(x)
    large = significand > SQRT_2
    return select(large, 0.5 * significand, significand) - 1.0, exponent(x) + select(large, 1.0, 0.0)


def log(x):
    """log x."""
    subnormal = x < TINY
    f, k = _parts(select(subnormal, SCALE * x, x))
    return _log_limits(x, _log_reduced(f, k - select(subnormal, 54.0, 0.0), 0.0))


def log1p(x):
    """log(1 + x): what rounds off in 1 + x enters as its derivative times it."""
    y = 1.0 + x
    lost = select(x > 1.0, 1.0 - (y - x), x - (y - 1.0)) / y
    f, k = _parts(y)
    unit = k == 0.0
    return _log_limits(y, _log_reduced(select(unit, x, f), k, select(unit, 0.0, lost)))


def _exp_reduced(x, low, direct):
    """k, p, q with x + low = k log 2 + r, |r| <= log(2)/2, q = e^r - 1 - r, p = r + q; if `direct`, q is that of x."""
    y = select(x > 800.0, 800.0, select(x < -800.0, -800.0, x))
    k = rint(INVERSE_LN2 * y)
    r = fma(-k, LN2, y) - fma(k, LN2_TAIL, -low)
    variable = select(direct, y, r)
    series = EXP[0]
    for c in EXP[1:]:
        series = fma(series, variable, c)
    q = variable * variable * series
    return k, r + q, q


def exp(x):
    """e^x."""
    k, p, _q = _exp_reduced(x, 0.0, x != x)
    return scaled(1.0 + p, k)


def expm1(x):
    """e^x - 1 = 2^k ((1 - 2^-k) + p)."""
    k, p, _q = _exp_reduced(select(x < -50.0, -50.0, x), 0.0, x != x)
    return scaled((1.0 - scaled(1.0, -k)) + p, k)


def e2(x):
    """e^x - 1 - x."""
    small = absolute(x) <= 1.0
    k, p, q = _exp_reduced(x, 0.0, small)
    moderate = scaled(p, k) + ((scaled(1.0, k) - 1.0) - x)
    return select(small, q, select(x > 60.0, scaled(1.0 + p, k), moderate))


def _exp_sum_reduced(x, y, direct):
    """The same of x + y; far out of x + y rounded. A y that is not small, as where x has cancelled, is added first."""
    large = absolute(y) > 0.5
    total = select(large, x + y, x)
    low = select(large, (x - total) + y, y)
    k, p, q = _exp_reduced(total, select(absolute(total) < 800.0, low, 0.0), direct)
    return k, p, q


def exp_sum(x, y):
    """e^(x + y), y small beside x."""
    k, p, _q = _exp_sum_reduced(x, y, x != x)
    return scaled(1.0 + p, k)


def expm1_sum(x, y):
    """e^(x + y) - 1."""
    k, p, _q = _exp_sum_reduced(x, y, x != x)
    value = scaled((1.0 - scaled(1.0, -k)) + p, k)
    return select(x + select(absolute(y) > 0.5, y, 0.0) < -50.0, -1.0, value)


def e2_sum(x, y):
    """e^(x + y) - 1 - (x + y); near 0 e2(x) + y (e^x - 1)."""
    small = absolute(x) <= 1.0
    k, p, q = _exp_sum_reduced(x, y, small)
    moderate = scaled(p, k) + (((scaled(1.0, k) - 1.0) - x) - y)
    return select(small, fma(y, x + q, q), select(x > 60.0, scaled(1.0 + p, k), moderate))


def _log_in_two(x):
    """log x for x > 0 in two doubles, to about 2^-65: of the series 2 s (1 + z/3 + ...), two terms in two doubles."""
    f, k = _parts(select(x < TINY, SCALE * x, x))
    k = k - select(x < TINY, 54.0, 0.0)
    lower = 2.0 + f
    s = f / lower
    lost = f - (lower - 2.0)
    s_tail = (((f - s * lower) - product_tail(s, lower)) - s * lost) / lower
    z = s * s
    z_tail = fma(2.0 * s, s_tail, product_tail(s, s))
    series = POW[0]
    for c in POW[1:]:
        series = fma(series, z, c)
    third = z * THIRD
    u_tail = fma(z * z, series, product_tail(z, THIRD) + fma(z, THIRD_TAIL, z_tail * THIRD))
    first, second = 2.0 * s, 2.0 * s * third
    second_tail = product_tail(first, third) + fma(first, u_tail, 2.0 * s_tail * (1.0 + third))
    inner = first + second
    inner_tail = (second - (inner - first)) + second_tail
    whole = k * LN2
    head = whole + inner
    back = head - whole
    return head, ((whole - (head - back)) + (inner - back)) + fma(k, LN2_TAIL, inner_tail)


def pow(x, y):
    """x^y for x > 0 = e^(y log x), the logarithm in two doubles; NaN for x < 0."""
    head, tail = _log_in_two(x)
    logarithm = _log_limits(x, head)
    power = y * logarithm
    low = select(absolute(power) < 800.0, product_tail(y, logarithm) + y * tail, 0.0)
    k, p, _q = _exp_reduced(power, low, x != x)
    return select(y == 0.0, 1.0, scaled(1.0 + p, k))


def softplus(x):
    """log(1 + e^x)."""
    return select(x > 0.0, x, 0.0) + log1p(exp(-absolute(x)))


def log_cosh(x):
    """log cosh x = log(1 + 2 sinh(x/2)^2), and |x| - log 2 + log(1 + e^(-2 |x|)) away from zero."""
    size = absolute(x)
    small = size < 1.0
    t = expm1(-size)
    logarithm = log1p(select(small, 0.5 * t * t / (1.0 + t), (1.0 + t) * (1.0 + t)))
    return select(small, logarithm, (size - LN2) + (logarithm - LN2_TAIL))


def xlogy(c, x):
    """c log x, and 0 for c = 0."""
    return select((c == 0.0) & (x >= 0.0), 0.0, c * log(x))


def xlog1py(c, x):
    """c log(1 + x), and 0 for c = 0."""
    return select((c == 0.0) & (x >= -1.0), 0.0, c * log1p(x))


def _turned(x, turn):
    """sin(x + turn pi/2): of x = y + k pi/2, with y in two doubles, by the polynomials for |y| <= pi/4. NaN far out."""
    k = rint(INVERSE_RIGHT * select(absolute(x) <= TURNED, x, NAN))
    first, step = x - k * RIGHT, k * RIGHT_MIDDLE
    head = first - step
    back = head - first
    low = ((first - (head - back)) - (step + back)) - k * RIGHT_TAIL
    y = head + low
    low = (head - y) + low
    z = y * y
    sine = SIN[0]
    for c in SIN[1:]:
        sine = fma(sine, z, c)
    cosine = COS[0]
    for c in COS[1:]:
        cosine = fma(cosine, z, c)
    half = 0.5 * z
    near = 1.0 - half
    sine = y + fma(y * z, sine, low * near)
    cosine = near + (((1.0 - near) - half) + fma(z * z, cosine, -y * low))
    k = k + turn
    quarter = k - 4.0 * floor(0.25 * k)
    value = select((quarter == 1.0) | (quarter == 3.0), cosine, sine)
    return select(quarter >= 2.0, -value, value)


def sin(x):
    """sin x for |x| <= 10^5."""
    return _turned(x, 0.0)


def cos(x):
    """cos x for |x| <= 10^5."""
    return _turned(x, 1.0)
