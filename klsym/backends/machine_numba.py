"""The operations that kernels are made of, and the functions that have none, for numba: what is needed is copied.

Each is an instruction or a few, without a branch, so that a loop over them is vectorised.
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_FRACTION, _ONE = np.uint64(0x000FFFFFFFFFFFFF), np.uint64(0x3FF0000000000000)
_BITS, _FIELD = np.uint64(52), np.uint64(0x7FF)
_HALF_OCTAVE = np.int64(1 << 51)
_BELOW, _ABOVE, _SHIFT, _SIGN = np.int64((1 << 52) - 1), np.int64(-1 << 52), np.int64(52), np.int64(63)
_LOWEST, _HIGHEST = np.int64(-1023 << 52), np.int64(1024 << 52)
_BINADE = np.uint64(0x4330000000000000)  # the bits of 2^52: those of an integer below 2^52 make 2^52 plus it
_INTEGERS = np.uint64(0x4338000000000000)  # the bits of 1.5 2^52: so those of an integer, of either sign
_HALF, _UPPER = np.uint64(1 << 26), np.uint64((1 << 64) - (1 << 27))
_INTEGER = 1.5 * 2.0**52 + 1023.0  # added to an integral k, it leaves k + 1023 in the low bits
_INPUT = types.Array(types.float64, 1, "C", readonly=True)
_OUTPUT, _PLACES = types.float64[::1], types.int64[::1]


_SMALL_BITS, _LAST_BITS = (
    np.uint64(0x1FF0000000000000),
    np.uint64(0x7FEFFFFFFFFFFFFF),
)  # the bits of 2^-512 and of the greatest
_USUAL, _UPRIGHT, _ODD = np.int64(-1 << 62), np.int64(-1 << 61), np.int64(-1 << 63)


@njit
def _spread(array, size, width):
    """The array, or a block of its only element."""
    if array.size == size:
        return array
    block = np.empty(width)
    block[:] = array[0]
    return block


@njit(error_model="numpy")
def _watched(array, size):
    """Which bits of `_unusual` count: none for a number that is 0 or usual."""
    usual = array.size < size and (array[0] == 0.0 or _unusual(array[0], 767) & _USUAL == 0)
    return np.int64(0) if usual else _USUAL


@njit(error_model="numpy")
def _watched_sign(array, size, zero):
    """Which bits of `_astray` count: none for a number that is usual and positive, or 0 if that is allowed."""
    usual = array.size < size and ((zero and array[0] == 0.0) or _astray(array[0]) & _UPRIGHT == 0)
    return np.int64(0) if usual else _UPRIGHT


@njit(error_model="numpy", forceinline=True)
def _astray(x):
    """The three highest bits are 0 for 2^-256 <= x < 2^256."""
    return np.int64(_bits(x) - (np.uint64(767) << _BITS))


@njit(error_model="numpy", forceinline=True)
def _unusual(x, least):
    """The highest bit is 0 for 2^(least - 1023) <= |x| < 2^(least + 1), and the next too for |x| < 2^(least - 511)."""
    return np.int64((_bits(x) << np.uint64(1)) - (np.uint64(least) << np.uint64(53)))


@njit(error_model="numpy", forceinline=True)
def _unsure(error, value, limit):
    """The highest bit is 0 for 2^-512 <= |value| and error <= limit |value|, error finite: bits are ordered as doubles.

    Of an infinite value the error is 0 or infinite.
    """
    size, wrong = _bits(abs(value)), _bits(abs(error))
    large, far = np.int64(size - _SMALL_BITS), np.int64(_bits(limit * abs(value)) - wrong)
    return (large | far | np.int64(_LAST_BITS - wrong)) & _ODD


@intrinsic
def _align_stack(typing):
    """The stack begins at a multiple of 64: vectors that are kept there are else split over two cache lines."""

    def written(context, builder, signature, values):
        block = builder.alloca(ir.ArrayType(ir.DoubleType(), 8))
        block.align = 64
        builder.asm(ir.FunctionType(ir.VoidType(), [block.type]), "", "r", [block], True)
        return context.get_dummy_value()

    return types.void(), written


@intrinsic
def _apart(typing):
    """The function stays one of its own: a loop that is inlined among others may not be vectorised."""

    def written(context, builder, signature, values):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), written


@intrinsic
def _fma(typing, a, b, c):
    """a b + c, rounded once, in single precision where all three are."""
    kind = types.float32 if a == b == c == types.float32 else types.float64
    return kind(kind, kind, kind), lambda context, b, s, values: b.fma(*values)


@intrinsic
def _bits(typing, x):
    return types.uint64(types.float64), lambda context, b, s, values: b.bitcast(values[0], ir.IntType(64))


@intrinsic
def _double(typing, x):
    return types.float64(types.uint64), lambda context, b, s, values: b.bitcast(values[0], ir.DoubleType())


@njit(error_model="numpy", forceinline=True)
def _select(condition, a, b):
    return a if condition else b


@njit(error_model="numpy", forceinline=True)
def _product_tail(a, b):
    """a b - fl(a b), exactly."""
    return _fma(a, b, -(a * b))


@njit(error_model="numpy", forceinline=True)
def _mantissa(x):
    return _double((_bits(x) & _FRACTION) | _ONE)


@njit(error_model="numpy", forceinline=True)
def _exponent(x):
    return _double(((_bits(x) >> _BITS) & _FIELD) | _BINADE) - (2.0**52 + 1023.0)


@njit(error_model="numpy", forceinline=True)
def _octaves(x, y):
    gap = np.int64(_bits(y) - _bits(x))
    steps = (gap + ((gap >> _SIGN) & _BELOW)) & _ABOVE
    power = min(max(steps, _LOWEST), _HIGHEST)
    k = _double(np.uint64(steps >> _SHIFT) + _INTEGERS) - 1.5 * 2.0**52
    return _double(_bits(y) - np.uint64(steps)), _double(np.uint64(power) + _ONE), k


@njit(error_model="numpy", forceinline=True)
def _nearest_octaves(x, y):
    steps = (np.int64(_bits(y) - _bits(x)) + _HALF_OCTAVE) & _ABOVE
    k = _double(np.uint64(steps >> _SHIFT) + _INTEGERS) - 1.5 * 2.0**52
    return _double(_bits(y) - np.uint64(steps)), _double(np.uint64(steps) + _ONE), k


@njit(error_model="numpy", forceinline=True)
def _scaled(x, k):
    half = np.floor(0.5 * k)
    return x * _power_of_two(half) * _power_of_two(k - half)


@njit(error_model="numpy", forceinline=True)
def _power_of_two(k):
    return _double(_bits(k + _INTEGER) << _BITS)


@intrinsic
def _single_power_of_two(typing, k):
    """2^k for k + 3 2^22 + 127 in single precision."""

    def written(context, builder, signature, values):
        bits = builder.bitcast(values[0], ir.IntType(32))
        return builder.bitcast(builder.shl(bits, ir.Constant(ir.IntType(32), 23)), ir.FloatType())

    return types.float32(types.float32), written


@njit(error_model="numpy", forceinline=True)
def _minimum(a, b):
    return a if (a <= b) | (a != a) else b


@njit(error_model="numpy", forceinline=True)
def _maximum(a, b):
    return a if (a >= b) | (a != a) else b


@njit(error_model="numpy", forceinline=True)
def _absolute(x):
    return abs(x)


@njit(error_model="numpy", forceinline=True)
def _sqrt(x):
    return math.sqrt(x)


@intrinsic
def _floor(typing, x):
    return types.float64(types.float64), lambda context, b, s, values: _rounding(b, "llvm.floor", values)


@intrinsic
def _rint(typing, x):
    return types.float64(types.float64), lambda context, b, s, values: _rounding(b, "llvm.rint", values)


def _rounding(builder, name, values):
    return builder.call(builder.module.declare_intrinsic(name, [ir.DoubleType()]), values)


@njit(error_model="numpy", forceinline=True)
def _exp(x):
    return math.exp(x)


@njit(error_model="numpy", forceinline=True)
def _expm1(x):
    return math.expm1(x)


@njit(error_model="numpy", forceinline=True)
def _log(x):
    return math.log(x)


@njit(error_model="numpy", forceinline=True)
def _log1p(x):
    return math.log1p(x)


@njit(error_model="numpy", forceinline=True)
def _xlogy(c, x):
    return _select((c == 0.0) & (x == x), 0.0, c * _log(x))


@njit(error_model="numpy", forceinline=True)
def _xlog1py(c, x):
    return _select((c == 0.0) & (x == x), 0.0, c * _log1p(x))


@njit(error_model="numpy", forceinline=True)
def _tan(x):
    return math.tan(x)


@njit(error_model="numpy", forceinline=True)
def _asin(x):
    return math.asin(x)


@njit(error_model="numpy", forceinline=True)
def _atan(x):
    return math.atan(x)


@njit(error_model="numpy", forceinline=True)
def _sinh(x):
    return math.sinh(x)


@njit(error_model="numpy", forceinline=True)
def _cosh(x):
    return math.cosh(x)


@njit(error_model="numpy", forceinline=True)
def _tanh(x):
    return math.tanh(x)


@njit(error_model="numpy", forceinline=True)
def _erf(x):
    return math.erf(x)


@njit(error_model="numpy", forceinline=True)
def _erfc(x):
    return math.erfc(x)
