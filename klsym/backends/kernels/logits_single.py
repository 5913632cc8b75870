"""One class of two categorical distributions given by logits, in single precision: `logits` says what is summed.

A weight e^a is 2^k e^z, z = a - k log 2, relative to a power of two: no logit is shifted, so nothing is lost of it. The
gap x = b - a - c, which cancels, is that of the exact difference of two logits.
"""

# pyright: basic, reportMissingParameterType=false

from .coefficients import EXP_NARROW, EXP_SINGLE, LN2_SINGLE, LN2_SINGLE_TAIL
from .elementary import INVERSE_LN2
from .machine import absolute, fma, select, single_power_of_two

INTEGER = 1.5 * 2.0**23  # added to a number below 2^22, it leaves an integer
LOWEST = -1048576.0  # -2^20: a logit of Q below it counts as this
CLOSE = 1.6  # from there on e^x is taken from Q's logit


def _octaves_single(a):
    """y, z with a = k log 2 + z, y = k + INTEGER."""
    y = fma(a, INVERSE_LN2, INTEGER)
    k = y - INTEGER
    return y, fma(-k, LN2_SINGLE_TAIL, fma(-k, LN2_SINGLE, a))


def _series_single(z):
    """e^z - 1 - z for |z| <= CLOSE."""
    series = EXP_SINGLE[0]
    for c in EXP_SINGLE[1:]:
        series = fma(series, z, c)
    return z * z * series


def _power_single(a, origin):
    """e^a 2^-(origin + 127)."""
    y, z = _octaves_single(a)
    series = EXP_NARROW[0]
    for c in EXP_NARROW[1:]:
        series = fma(series, z, c)
    return single_power_of_two(y - origin) * (1.0 + fma(z * z, series, z))


def _weighed_single(a, b, least, origin, centre):
    """e^a 2^-(origin + 127), of a no less than `least`, and b - a - centre."""
    a = select(a < least, least, a)
    b = select(b < LOWEST, LOWEST, b)
    d = b - a
    back = d - b
    tail = (b - (d - back)) - (a + back)
    return _power_single(a, origin), (d - centre) + tail


def _parts_single(b, x, y, least, origin):
    """Whether x is close, e^y - 1 - y then, and else e^b 2^-(origin + 127), of b no less than `least`."""
    k, z = _octaves_single(select(b < least, least, b))
    close = absolute(x) <= CLOSE
    q = _series_single(select(close, y, z))
    return close, q, single_power_of_two(k - origin) * (1.0 + (z + q))


def _term_single(b, weight, x, least, origin):
    """weight (e^x - 1 - x) = near + far: of a class that is not close, far is e^b, in units of its own."""
    close, q, other = _parts_single(b, x, x, least, origin)
    return weight * select(close, q, -1.0 - x), select(close, 0.0, other)


def _slopes_single(b, weight, x, least, origin, kl, unit_p, unit_q):
    """The derivatives by the class's logits, -p x and q - p = p (e^(x - KL) - 1)."""
    p, gap = weight * unit_p, x - kl
    close, q, other = _parts_single(b, select(absolute(gap) <= CLOSE, x, 2.0), gap, least, origin)
    return -p * x, select(close, p * (gap + q), select(b < least, 0.0, other * unit_q) - p)
