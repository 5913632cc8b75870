"""The operations that kernels are made of, on float64 arrays and scalars; compiled, each is an instruction or two."""

# pyright: basic, reportMissingParameterType=false

import numpy as np

absolute, floor, maximum, minimum, rint, sqrt = np.absolute, np.floor, np.maximum, np.minimum, np.rint, np.sqrt
select = np.where

_FRACTION, _ONE = np.int64(0x000FFFFFFFFFFFFF), np.int64(0x3FF0000000000000)
_BITS, _FIELD, _BIAS, _SIGN = np.int64(52), np.int64(0x7FF), np.int64(1023), np.int64(63)
_LOWEST, _HIGHEST = np.int64(-1023 << 52), np.int64(1024 << 52)  # of 2^-1023, which is 0 here, and of infinity
_HALF_OCTAVE = np.int64(1 << 51)
_HALF, _UPPER = np.int64(1 << 26), np.int64(-1 << 27)
_INTEGER = 1.5 * 2.0**52 + 1023.0  # added to an integral k, it leaves k + 1023 in the low bits


def fma(a, b, c):
    """a b + c, in one rounding or in two.

    >>> fma(2.0, 3.0, 1.0)
    7.0
    """
    return a * b + c


def product_tail(a, b):
    """a b - fl(a b) exactly, where a b and its tail are normal numbers (Dekker, Numer. Math. 18, 1971).

    >>> product_tail(1.0 + 2.0**-30, 1.0 + 2.0**-30) == 2.0**-60
    np.True_
    """
    a_head, b_head = _rounded(a), _rounded(b)
    a_tail, b_tail = a - a_head, b - b_head
    return ((a_head * b_head - a * b) + a_head * b_tail + a_tail * b_head) + a_tail * b_tail


def mantissa(x):
    """The significand of |x|, in [1, 2); of zero, 1.

    >>> mantissa(np.float64(12.0))
    np.float64(1.5)
    """
    return ((_bits(x) & _FRACTION) | _ONE).view(np.float64)


def exponent(x):
    """floor(log2 |x|) of a normal number, as a float; -1023 below those, 1024 of infinity and NaN.

    >>> exponent(np.float64(12.0))
    np.float64(3.0)
    """
    return (((_bits(x) >> _BITS) & _FIELD) - _BIAS).astype(np.float64)


def octaves(x, y):
    """y 2^-k, 2^k and k for positive normal numbers, where k is a whole number and counts octaves from x to y.

    y 2^-k is within a factor of 2 of x, and on the side of it where y is. 2^k may be 0 or infinite.

    >>> octaves(np.float64(5.0), np.float64(12.0))
    (np.float64(6.0), np.float64(2.0), np.float64(1.0))
    >>> octaves(np.float64(12.0), np.float64(5.0))
    (np.float64(10.0), np.float64(0.5), np.float64(-1.0))
    """
    gap = _bits(y) - _bits(x)  # doubles from 0 on are ordered as their bits are
    steps = (gap + ((gap >> _SIGN) & _FRACTION)) & ~_FRACTION
    power = np.clip(steps, _LOWEST, _HIGHEST) + _ONE
    return (_bits(y) - steps).view(np.float64), power.view(np.float64), (steps >> _BITS).astype(np.float64)


def nearest_octaves(x, y):
    """The same with y 2^-k within a factor of 3/2 of x, on either side, where 2^k is a normal number.

    >>> nearest_octaves(np.float64(5.0), np.float64(8.0))
    (np.float64(4.0), np.float64(2.0), np.float64(1.0))
    """
    steps = (_bits(y) - _bits(x) + _HALF_OCTAVE) & ~_FRACTION
    return (_bits(y) - steps).view(np.float64), (steps + _ONE).view(np.float64), (steps >> _BITS).astype(np.float64)


def scaled(x, k):
    """x 2^k for an integral k in [-2000, 2000], rounded once where the result is subnormal.

    >>> scaled(np.float64(1.5), np.float64(-1074.0))
    np.float64(1e-323)
    """
    half = np.floor(0.5 * k)
    return x * _power_of_two(half) * _power_of_two(k - half)


def power_of_two(k):
    """2^k for an integral k in [-1022, 1023]; for others nothing of use.

    >>> power_of_two(np.float64(-2.0))
    np.float64(0.25)
    """
    return _power_of_two(k)


def single_power_of_two(k):
    """2^k for k + 3 2^22 + 127 in single precision, k integral in [-126, 127]; for others nothing of use.

    >>> single_power_of_two(np.float32(3 * 2**22 + 127 - 2))
    np.float32(0.25)
    """
    return (np.asarray(k, dtype=np.float32)[()].view(np.int32) << np.int32(23)).view(np.float32)


def _bits(x):
    return np.asarray(x, dtype=np.float64)[()].view(np.int64)


def _rounded(x):
    """x to its nearest 26 bits, without the overflow of Veltkamp's product."""
    return ((_bits(x) + _HALF) & _UPPER).view(np.float64)


def _power_of_two(k):
    return (_bits(k + _INTEGER) << _BITS).view(np.float64)
