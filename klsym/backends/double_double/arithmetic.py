"""Sums, products, quotients, roots and comparisons of pairs."""

# pyright: basic, reportMissingParameterType=false

from ..kernels.machine import floor, product_tail, sqrt

ZERO, ONE, NOTHING = (0.0, 0.0), (1.0, 0.0), (float("nan"), float("nan"))
LEAST = 2.0**-900  # the tail of a smaller number would be subnormal


def two_sum(a, b):
    """a + b exactly (Knuth).

    >>> two_sum(1.0, 2.0**-60) == (1.0, 2.0**-60)
    True
    """
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


def normal(a, b):
    """a + b exactly, where |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def plus(x, y):
    """x + y, off by at most 3 * 2^-106."""
    s, e = two_sum(x[0], y[0])
    t, f = two_sum(x[1], y[1])
    s, e = normal(s, e + t)
    return normal(s, e + f)


def minus(x, y):
    """x - y, off by at most 3 * 2^-106."""
    return plus(x, (-y[0], -y[1]))


def join(x, y):
    """x + y for numbers of one sign, off by at most 3 * 2^-106."""
    s, e = two_sum(x[0], y[0])
    return normal(s, e + (x[1] + y[1]))


def plus_double(x, y):
    """x + y for a double y."""
    s, e = two_sum(x[0], y)
    return normal(s, e + x[1])


def times(x, y):
    """x y, off by at most 5 * 2^-106, where nothing underflows."""
    p = x[0] * y[0]
    return normal(p, product_tail(x[0], y[0]) + (x[0] * y[1] + x[1] * y[0]))


def times_double(x, y):
    """x y for a double y."""
    p = x[0] * y
    return normal(p, product_tail(x[0], y) + x[1] * y)


def scaled_by(x, power):
    """x times a power of two."""
    return x[0] * power, x[1] * power


def over(x, y):
    """x/y, off by at most 15 * 2^-106, where nothing underflows."""
    inverse = 1.0 / y[0]
    q = x[0] * inverse
    p = q * y[0]
    rest = ((x[0] - p) - product_tail(q, y[0])) + (x[1] - q * y[1])
    return normal(q, rest * inverse)


def step(x, y, c):
    """x y + c, where |x y| < |c|; x may be, and the result is, a sum whose parts overlap."""
    p = x[0] * y[0]
    s = p + c[0]
    tail = product_tail(x[0], y[0]) + (x[0] * y[1] + x[1] * y[0])
    return s, (p - (s - c[0])) + (tail + c[1])


def horner(coefficients, top, middle, x):
    """The polynomial up to x^top, whose terms decrease; from x^middle on in double, being that much smaller."""
    upper = 0.0
    for k in range(top, middle - 1, -1):
        upper = upper * x[0] + coefficients[k, 0]
    result = (upper, 0.0)
    for k in range(middle - 1, -1, -1):
        result = step(result, x, (coefficients[k, 0], coefficients[k, 1]))
    return normal(result[0], result[1])


def sound(x):
    """x, or NaN if it is so small that its tail has lost digits, and 0 may be none."""
    return x if abs(x[0]) >= LEAST else NOTHING


def mul(x, y):
    """x y."""
    if x[0] == 0.0 or y[0] == 0.0:
        return times(x, y)
    return sound(times(x, y))


def div(x, y):
    """x/y."""
    if x[0] == 0.0:
        return over(x, y)
    return sound(over(x, y)) if y[0] != 0.0 else NOTHING


def neg(x):
    """-x."""
    return -x[0], -x[1]


def abs_(x):
    """|x|."""
    return neg(x) if x[0] < 0.0 else x


def sqrt_(x):
    """The square root, by a step of Newton's from that of a double."""
    if x[0] == 0.0:
        return x
    s = sqrt(x[0])
    return sound(normal(s, ((x[0] - s * s) - product_tail(s, s) + x[1]) / (2.0 * s)))


def floor_(x):
    """The largest integer that is not larger."""
    head = floor(x[0])
    return normal(head, floor(x[1])) if head == x[0] else (head, 0.0)


def cross(a, b, c, d):
    """a b - c d; NaN where so much cancels that the rounding of the products shows."""
    left, right = mul(a, b), mul(c, d)
    difference = minus(left, right)
    exact = a[1] == 0.0 and b[1] == 0.0 and c[1] == 0.0 and d[1] == 0.0
    return difference if exact or abs(difference[0]) >= 2.0**-8 * abs(left[0]) else NOTHING


def lt(x, y):
    """x < y."""
    return x[0] < y[0] or (x[0] == y[0] and x[1] < y[1])


def le(x, y):
    """x <= y."""
    return x[0] < y[0] or (x[0] == y[0] and x[1] <= y[1])


def eq(x, y):
    """x = y."""
    return x[0] == y[0] and x[1] == y[1]


def select(condition, x, y):
    """x if the condition holds, else y."""
    return x if condition else y


def min_(x, y):
    """The smaller one; NaN if one is NaN."""
    return x if lt(x, y) or x[0] != x[0] else y


def max_(x, y):
    """The larger one; NaN if one is NaN."""
    return x if lt(y, x) or x[0] != x[0] else y


def moderate(a):
    """Whether products of a few such doubles neither overflow nor underflow."""
    return a == 0.0 or 2.0**-255 <= abs(a) <= 2.0**255


def apart(x, y):
    """Whether x is surely not y, x being right to 2^-80 and y at least as good."""
    return abs((x[0] - y[0]) + (x[1] - y[1])) > 2.0**-80 * abs(x[0])


def decided(x, error):
    """Whether the nearest double is x[0] even if 4 errors are added or taken, and would be nearly with 64 of them."""
    if x[0] == 0.0:
        return x[1] == 0.0 and error == 0.0
    low, high = x[0] + (x[1] - 4.0 * error), x[0] + (x[1] + 4.0 * error)
    return low == x[0] and high == x[0] and error <= 2.0**-60 * abs(x[0]) and 1e-280 <= abs(x[0]) <= 1e280
