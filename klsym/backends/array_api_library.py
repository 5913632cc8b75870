"""Array-API source of the operations that kernels are made of: what a program uses of it is copied into its module.

The standard has no bits of a number. Powers of two, octaves and tails are arithmetic here: every operation rounds to
double by itself, as those of a library do that are called one by one. Every function takes float64 arrays and numbers.
"""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj
from scipy import special

_SPLIT = 2.0**27 + 1.0


def _own(name):
    """The function of the library whose arrays are among the arguments; of constants alone a number."""

    def function(*x):
        if all(type(a) is float for a in x):
            return float(getattr(np, name)(*x))
        return getattr(array_namespace(*x), name)(*x)

    return function


_absolute, _floor, _rint, _sqrt, _trunc = map(_own, ("abs", "floor", "round", "sqrt", "trunc"))
_maximum, _minimum = map(_own, ("maximum", "minimum"))
_exp, _expm1, _log, _log1p, _log2 = map(_own, ("exp", "expm1", "log", "log1p", "log2"))
_sin, _cos, _tan, _asin, _atan = map(_own, ("sin", "cos", "tan", "asin", "atan"))
_sinh, _cosh, _tanh = map(_own, ("sinh", "cosh", "tanh"))


def _select(condition, a, b):
    if isinstance(condition, bool):
        return a if condition else b
    xp = array_namespace(condition)
    if type(a) is float and type(b) is float:
        a = xp.asarray(a, dtype=xp.float64, device=device(condition))
    return xp.where(condition, a, b)


def _fma(a, b, c):
    return a * b + c


def _rounded(x):
    """x to its nearest 26 bits (Veltkamp), scaled where the product would overflow."""
    down = _select(abs(x) > 2.0**960, 2.0**-60, 1.0)
    x = x * down
    product = _SPLIT * x
    return (product - (product - x)) / down


def _product_tail(a, b):
    """a b - fl(a b) exactly, where a b and its tail are normal numbers (Dekker, Numer. Math. 18, 1971)."""
    a_head, b_head = _rounded(a), _rounded(b)
    a_tail, b_tail = a - a_head, b - b_head
    return ((a_head * b_head - a * b) + a_head * b_tail + a_tail * b_head) + a_tail * b_tail


def _power_of_two(k):
    """2^k for an integral k in [-960, 960]: a power that is off in its last bits has none of them in its first 26."""
    product = _SPLIT * 2.0**k
    return product - (product - 2.0**k)


def _scaled(x, k):
    """x 2^k for an integral k in [-2200, 2200], rounded once where the result is subnormal."""
    third = _trunc(k / 3.0)
    half = _trunc(0.5 * (k - third))
    return x * _power_of_two(third) * _power_of_two(half) * _power_of_two(k - third - half)


def _octaves(x, y):
    """y 2^-k, 2^k and k for positive normal numbers, where k counts octaves from x to y.

    y 2^-k is within a factor of 2 of x, and on the side of it where y is.
    """
    k = _trunc(_log2(y) - _log2(x))
    near, down = _scaled(y, -k), y < x
    # The logarithms may be off where their difference is nearly integral.
    short = _select(down, 2.0 * near <= x, near >= 2.0 * x)
    long = _select(down, near > x, near < x)
    k = k + _select(down, -1.0, 1.0) * (_select(short, 1.0, 0.0) - _select(long, 1.0, 0.0))
    return _scaled(y, -k), _scaled(1.0, k), k


def _special(function, *x):
    """A function of SciPy: by SciPy's dispatch where SCIPY_ARRAY_API is set, else as NumPy reads the arrays."""
    like = next(a for a in x if is_array_api_obj(a))
    found = function(*x)
    return found if type(found) is type(like) else array_namespace(like).asarray(found, device=device(like))


def _numpy(function, *x):
    """A function of NumPy's arrays, over the memory that NumPy reads; what is lazy is computed."""
    like = next(a for a in x if is_array_api_obj(a))
    found = function(*(np.asarray(a) if is_array_api_obj(a) else a for a in x))
    return array_namespace(like).asarray(found, device=device(like))


def _polygamma(n, x):
    """The nth derivative of psi: (-1)^(n + 1) n! zeta(n + 1, x) (DLMF 25.11.12)."""
    if n < 2:
        return _trigamma(x) if n == 1 else _digamma(x)
    return (-1.0) ** (n + 1) * float(special.factorial(n)) * _special(special.zeta, n + 1.0, x)


def _apply(*arguments):
    """The outputs at numbers and arrays of one library, in the floating type of the arrays.

    They are computed in float64, which is also the type of the outputs where no array is of a floating type.
    """
    arrays = [a for a in arguments if not isinstance(a, (bool, int, float))]
    for a in arrays:
        if not is_array_api_obj(a):
            raise TypeError(f"an argument is a {type(a).__name__}; numbers and arrays of one library are taken")
    xp = array_namespace(*arrays) if arrays else array_namespace(np.empty(0))
    if any(xp.isdtype(a.dtype, "complex floating") for a in arrays):
        raise TypeError("an argument is complex; real numbers are needed")
    floats = [a.dtype for a in arrays if xp.isdtype(a.dtype, "real floating")]
    kind, place = xp.result_type(*floats) if floats else xp.float64, device(arrays[0]) if arrays else None
    doubles = [
        xp.asarray(float(a), dtype=xp.float64, device=place)
        if isinstance(a, (bool, int, float))
        else xp.astype(a, xp.float64)
        for a in arguments
    ]
    if any(a.dtype != xp.float64 for a in doubles):
        raise TypeError(f"{xp.__name__} gives no float64 here, which is computed in (in JAX set jax_enable_x64)")
    with np.errstate(all="ignore"):
        found = [xp.astype(xp.asarray(value), kind) for value in _first(*doubles)]
    return found[0] if len(found) == 1 else tuple(found)
