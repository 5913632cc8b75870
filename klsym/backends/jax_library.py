"""JAX source of the operations that kernels are made of, and of what makes a program differentiable.

What a program uses of it is copied into the generated module. Inside, every number is a float64, of an array or of
Python. XLA contracts a b + c to one rounding and adds constants up; `_sealed` and `_product` are what it leaves alone.
"""

import functools
import math

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jax.scipy import special
from jax.typing import ArrayLike

_FRACTION, _ONE = 0x000FFFFFFFFFFFFF, 0x3FF0000000000000
_LOWEST, _HIGHEST = -1023 << 52, 1024 << 52  # of 2^-1023, which is 0 here, and of infinity
_HALF_OCTAVE = 1 << 51
_INTEGER = 1.5 * 2.0**52 + 1023.0  # added to an integral k, it leaves k + 1023 in the low bits

_absolute, _floor, _maximum, _minimum, _rint, _sqrt = jnp.abs, jnp.floor, jnp.maximum, jnp.minimum, jnp.rint, jnp.sqrt
_select = jnp.where


def _sealed(x):
    """x, as rounded: sums and quotients of it are not merged with those that made it."""
    return lax.reduce_precision(jnp.asarray(x, jnp.float64), 11, 52)


def _product(a, b):
    """a b, as rounded: no sum takes it unrounded."""
    product = a * b
    return jnp.where(product == product, product, math.nan)


def _fma(a, b, c):
    return a * b + c


def _xlogy(c, x):
    """c log x, and 0 for c = 0: as rounded, so that the difference of two is 0 where their arguments are equal."""
    return jnp.where((c == 0.0) & (x >= 0.0), 0.0, _product(c, _log(x)))


def _xlog1py(c, x):
    """c log(1 + x), and 0 for c = 0, likewise."""
    return jnp.where((c == 0.0) & (x >= -1.0), 0.0, _product(c, _log1p(x)))


def _product_tail(a, b):
    """a b - fl(a b) exactly, where a b and its tail are normal numbers (Dekker, Numer. Math. 18, 1971)."""
    a_head, b_head = _rounded(a), _rounded(b)
    a_tail, b_tail = a - a_head, b - b_head
    return ((a_head * b_head - _product(a, b)) + a_head * b_tail + a_tail * b_head) + a_tail * b_tail


def _mantissa(x):
    """The significand of |x|, in [1, 2); of zero, 1."""
    return _double((_bits(x) & _FRACTION) | _ONE)


def _exponent(x):
    """floor(log2 |x|) of a normal number, as a float; -1023 below those, 1024 of infinity and NaN."""
    return (((_bits(x) >> 52) & 0x7FF) - 1023).astype(jnp.float64)


def _octaves(x, y):
    """y 2^-k, 2^k and k for positive normal numbers, where k counts octaves from x to y."""
    gap = _bits(y) - _bits(x)
    steps = (gap + ((gap >> 63) & _FRACTION)) & ~_FRACTION
    power = jnp.clip(steps, _LOWEST, _HIGHEST) + _ONE
    return _double(_bits(y) - steps), _double(power), (steps >> 52).astype(jnp.float64)


def _nearest_octaves(x, y):
    """The same with y 2^-k within a factor of 3/2 of x, on either side, where 2^k is a normal number."""
    steps = (_bits(y) - _bits(x) + _HALF_OCTAVE) & ~_FRACTION
    return _double(_bits(y) - steps), _double(steps + _ONE), (steps >> 52).astype(jnp.float64)


def _scaled(x, k):
    """x 2^k for an integral k in [-2000, 2000]."""
    half = jnp.floor(0.5 * k)
    return x * _power_of_two(half) * _power_of_two(k - half)


def _power_of_two(k):
    return _double(_bits(k + _INTEGER) << 52)


def _bits(x):
    return lax.bitcast_convert_type(jnp.asarray(x, jnp.float64), jnp.int64)


def _double(bits):
    return lax.bitcast_convert_type(bits, jnp.float64)


def _rounded(x):
    """x to its nearest 26 bits, without the overflow of Veltkamp's product."""
    return _double((_bits(x) + (1 << 26)) & (-1 << 27))


def _polygamma(n, x):
    return special.polygamma(n, jnp.asarray(x, jnp.float64))


def _zeta(s):
    return special.zeta(s, 1.0)


def _zetam1(s):
    return special.zeta(s, 2.0)


def _ive(n, z):
    """exp(-z) I_n(z), n = 0 or 1; I_2 = I_0 - 2 I_1/z (DLMF 10.29.1), below 8 by the power series (DLMF 10.25.2)."""
    if n < 2:
        return special.i0e(z) if n == 0 else special.i1e(z)
    if n > 2:
        raise NotImplementedError(f"JAX has no Bessel function I of order {n}")
    y = 0.25 * jnp.minimum(abs(z), 8.0) ** 2
    series = 1.0
    for k in range(30, 0, -1):
        series = 1.0 + y * series / (k * (k + 2.0))
    near = jnp.exp(-abs(z)) * 0.5 * y * series
    return jnp.where(abs(z) < 8.0, near, special.i0e(z) - 2.0 * special.i1e(z) / jnp.where(z == 0.0, 1.0, z))


def _exp_e1(z):
    """exp(z) E_1(z) for z > 0, from 50 on by its asymptotic series, DLMF 6.12.1."""
    near, series = jnp.minimum(z, 50.0), 1.0
    for k in range(22, 0, -1):
        series = 1.0 - k / z * series
    return jnp.where(z < 50.0, jnp.exp(near) * special.exp1(near), series / z)


def _dilog(x):
    """Li_2(x) for x <= 1: sum x^k/k^2 near 0 (DLMF 25.12.1), Spence's function elsewhere."""
    small, series = abs(x) < 0.1, 0.0
    for k in range(15, 0, -1):
        series = x * (1.0 / k**2 + series)
    return jnp.where(small, series, special.spence(1.0 - x))


def _product_or_zero(slope, move):
    """slope times move, and 0 where the move is 0 though the slope is no number: there a `where` hides the element."""
    return jnp.where((move == 0.0) & ~jnp.isfinite(slope), 0.0, slope * move)


def _batched(product, operands, dims):
    (size,) = {a.shape[d] for a, d in zip(operands, dims, strict=True) if d is not None}
    return product.bind(*(batching.bdim_at_front(a, d, size) for a, d in zip(operands, dims, strict=True))), 0


def _bilinear(name, function):
    """A primitive of JAX that is linear in either of its operands, as the function says, and so is its transpose."""
    product = Primitive(name)
    product.def_impl(jax.jit(function))
    product.def_abstract_eval(lambda slope, move: slope)
    mlir.register_lowering(product, mlir.lower_fun(function, multiple_results=False))
    batching.primitive_batchers[product] = functools.partial(_batched, product)
    ad.defbilinear(
        product, lambda ct, slope, move: product.bind(move, ct), lambda ct, slope, move: product.bind(slope, ct)
    )
    return product


_weighted = _bilinear("klsym_weighted", _product_or_zero)


def _in_doubles(function):
    """The function of arrays of one type, computed in float64 whatever jax_enable_x64 says, and rounded once."""

    @functools.wraps(function)
    def run(*x):
        with jax.enable_x64(True):
            like = x[0] if x else jnp.zeros(())
            found = function(*(a.astype(jnp.float64) for a in x))
            return tuple(_wide(jnp.asarray(f, like.dtype), like) for f in found)

    return jax.jit(run)


def _batches_in_doubles(function):
    """The same of arrays: vmap puts its axis before the batch, as its own rules would trace in single precision."""
    run = jax.custom_batching.custom_vmap(_in_doubles(function))

    @run.def_vmap
    def mapped(size, batched, *x):
        whole = [a if known else jnp.broadcast_to(a, (size, *a.shape)) for a, known in zip(x, batched, strict=True)]
        found = run(*whole)
        return found, (True,) * len(found)

    return run


def _batch(like):
    """The shape of the batch that the first argument is of."""
    return like.shape[: like.ndim - sum(_AXES[:1])]


def _wide(x, like):
    """A number in the shape of the batch; an array is in it."""
    return x if x.ndim else jnp.broadcast_to(x, _batch(like))


@jax.custom_jvp
def _value(*x):
    return _first(*x)[0]


@jax.custom_jvp
def _slopes(*x):
    return _gradient(*x)


@jax.custom_jvp
def _bends(*x):
    return _curvature(*x)


@functools.partial(_value.defjvp, symbolic_zeros=True)
def _value_jvp(x, moves):
    return _value(*x), _moved(x[0], _slopes(*x), [(moves[k], _AXES[k]) for k in _SLOPED])


@functools.partial(_slopes.defjvp, symbolic_zeros=True)
def _slopes_jvp(x, moves):
    bends, count = _bends(*x), len(_SLOPED)
    # The second derivatives by arguments i <= j, in order.
    rows = [
        [min(i, j) * count - min(i, j) * (min(i, j) + 1) // 2 + max(i, j) for j in range(count)] for i in range(count)
    ]
    moves = [(moves[k], 0) for k in _SLOPED]
    return _slopes(*x), tuple(_moved(x[0], [bends[k] for k in row], moves) for row in rows)


@_slopes.defjvp
def _curved_jvp(x, moves):
    """By the textbook form, differentiated twice, where nothing cancels; in the type of the arguments."""
    slopes = jax.grad(lambda *x: _curvature(*x).sum(), argnums=tuple(range(len(x))))
    return _slopes(*x), jax.jvp(slopes, x, moves)[1]


@_bends.defjvp
def _bends_jvp(x, moves):
    raise NotImplementedError("the divergence has no third derivatives")


def _moved(like, slopes, moves):
    """The sum of slopes times moves over their event axes, in the type and batch of `like`."""
    total = jnp.zeros(_batch(like), like.dtype)
    for slope, (move, events) in zip(slopes, moves, strict=True):
        if not isinstance(move, jax.custom_derivatives.SymbolicZero):
            total = total + _weighted.bind(slope, move).sum(tuple(range(-events, 0)))
    return total


@jax.jit
def _apply(*arguments):
    """The value at numbers and arrays, in the floating type that JAX gives their sum."""
    kind = jnp.result_type(*arguments, float)
    if jnp.issubdtype(kind, jnp.complexfloating):
        raise TypeError("an argument is complex; real numbers are needed")
    x = [jnp.asarray(a).astype(kind) for a in arguments]
    events = [a.shape[a.ndim - n :] for a, n in zip(x, _AXES, strict=True)]
    batch = jnp.broadcast_shapes(*(a.shape[: a.ndim - n] for a, n in zip(x, _AXES, strict=True)))
    return _value(*(jnp.broadcast_to(a, batch + e) for a, e in zip(x, events, strict=True)))
