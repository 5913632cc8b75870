"""torch source of the operations that kernels are made of, and of what makes a program differentiable.

What a program uses of it is copied into the generated module. Every function takes float64 tensors or Python numbers.
"""

import math

import torch
from torch import Tensor

_FRACTION, _ONE = 0x000FFFFFFFFFFFFF, 0x3FF0000000000000
_LOWEST, _HIGHEST = -1023 << 52, 1024 << 52  # of 2^-1023, which is 0 here, and of infinity
_HALF_OCTAVE = 1 << 51
_INTEGER = 1.5 * 2.0**52 + 1023.0  # added to an integral k, it leaves k + 1023 in the low bits


def _tensor(x):
    return x if isinstance(x, Tensor) else torch.full((), x, dtype=torch.float64)


def _select(condition, a, b):
    if isinstance(condition, bool):
        return a if condition else b
    return torch.where(condition, a if isinstance(a, Tensor) or isinstance(b, Tensor) else _tensor(a), b)


def _minimum(a, b):
    return torch.minimum(_tensor(a), _tensor(b))


def _maximum(a, b):
    return torch.maximum(_tensor(a), _tensor(b))


def _absolute(x):
    return abs(x)


def _floor(x):
    return torch.floor(_tensor(x))


def _rint(x):
    return torch.round(_tensor(x))


def _sqrt(x):
    return torch.sqrt(_tensor(x))


def _fma(a, b, c):
    return a * b + c


def _product_tail(a, b):
    """a b - fl(a b) exactly, where a b and its tail are normal numbers (Dekker, Numer. Math. 18, 1971)."""
    a_head, b_head = _rounded(a), _rounded(b)
    a_tail, b_tail = a - a_head, b - b_head
    return ((a_head * b_head - a * b) + a_head * b_tail + a_tail * b_head) + a_tail * b_tail


def _mantissa(x):
    """The significand of |x|, in [1, 2); of zero, 1."""
    return _double((_bits(x) & _FRACTION) | _ONE)


def _exponent(x):
    """floor(log2 |x|) of a normal number, as a float; -1023 below those, 1024 of infinity and NaN."""
    return (((_bits(x) >> 52) & 0x7FF) - 1023).to(torch.float64)


def _octaves(x, y):
    """y 2^-k, 2^k and k for positive normal numbers, where k counts octaves from x to y."""
    gap = _bits(y) - _bits(x)
    steps = (gap + ((gap >> 63) & _FRACTION)) & ~_FRACTION
    power = torch.clamp(steps, _LOWEST, _HIGHEST) + _ONE
    return _double(_bits(y) - steps), _double(power), (steps >> 52).to(torch.float64)


def _nearest_octaves(x, y):
    """The same with y 2^-k within a factor of 3/2 of x, on either side, where 2^k is a normal number."""
    steps = (_bits(y) - _bits(x) + _HALF_OCTAVE) & ~_FRACTION
    return _double(_bits(y) - steps), _double(steps + _ONE), (steps >> 52).to(torch.float64)


def _scaled(x, k):
    """x 2^k for an integral k in [-2000, 2000], rounded once where the result is subnormal."""
    half = _floor(0.5 * k)
    return x * _power_of_two(half) * _power_of_two(k - half)


def _power_of_two(k):
    return _double(_bits(k + _INTEGER) << 52)


def _bits(x):
    return _tensor(x).view(torch.int64)


def _double(bits):
    return bits.view(torch.float64)


def _rounded(x):
    """x to its nearest 26 bits, without the overflow of Veltkamp's product."""
    return _double((_bits(x) + (1 << 26)) & (-1 << 27))


def _polygamma(n, x):
    """The derivatives of psi; torch's first one is off by 1e-10 in places."""
    if n < 2:
        return _trigamma(x) if n == 1 else _digamma(x)
    return torch.special.polygamma(int(n), _tensor(x))


def _zeta(s):
    return torch.special.zeta(_tensor(s), 1.0)


def _zetam1(s):
    return torch.special.zeta(_tensor(s), 2.0)


def _ive(n, z):
    """exp(-z) I_n(z), n = 0 or 1; I_2 = I_0 - 2 I_1/z (DLMF 10.29.1), below 1 by the power series (DLMF 10.25.2)."""
    if n < 2:
        return torch.special.i0e(z) if n == 0 else torch.special.i1e(z)
    if n > 2:
        raise NotImplementedError(f"torch has no Bessel function I of order {n}")
    y = 0.25 * torch.clamp(abs(z), max=8.0) ** 2
    series = 1.0
    for k in range(30, 0, -1):
        series = 1.0 + y * series / (k * (k + 2.0))
    near = torch.exp(-abs(z)) * 0.5 * y * series
    far = torch.special.i0e(z) - 2.0 * torch.special.i1e(z) / torch.where(z == 0.0, 1.0, z)
    return torch.where(abs(z) < 8.0, near, far)


class _Value(torch.autograd.Function):
    """The value, and the slopes if they came with it; its derivative is `_Pull`: none is taken of what cancels."""

    @staticmethod
    def forward(kind, *x):
        return _values(kind, x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.kind, *x = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*x, *output[1:])

    @staticmethod
    def backward(ctx, grad, *_):
        if grad is None:
            return (None,) * (1 + _COUNT)
        x, slopes = ctx.saved_tensors[:_COUNT], ctx.saved_tensors[_COUNT:]
        pulled = _pulled(grad, slopes) if slopes and not torch.is_grad_enabled() else _run(_Pull, ctx.kind, grad, *x)
        return (None, *_fitted(x, _placed(len(x), pulled)))

    @staticmethod
    def vmap(info, in_dims, kind, *x):
        found = _run(_Value, kind, *_aligned(in_dims[1:], x, _AXES))
        return found, (0,) * len(found)


class _Pull(torch.autograd.Function):
    """g times the slopes, not yet summed over the axes that broadcast."""

    @staticmethod
    def forward(kind, g, *x):
        return _pulled(g, _slopes(kind, x))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.kind, *inputs = inputs
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, *w):
        g, *x = ctx.saved_tensors
        push, *bent = _run(_Bend, ctx.kind, g, *x, *w)
        return (None, *_fitted([g, *x], [push, *_placed(len(x), bent)]))

    @staticmethod
    def vmap(info, in_dims, kind, *inputs):
        found = _run(_Pull, kind, *_aligned(in_dims[1:], inputs, (0, *_AXES)))
        return found, (0,) * len(found)


class _Bend(torch.autograd.Function):
    """How the value moves when the arguments move by w, and g times how the slopes do: the Hessian times w."""

    @staticmethod
    def forward(kind, g, *inputs):
        x, w = inputs[:_COUNT], inputs[_COUNT:]
        push = 0.0
        for move, slope, n in zip(w, _slopes(kind, x), _events(), strict=True):
            push = push + _folded(_weighted(move, slope), n)
        return (push, *_pulled(g, _bends(kind, x, w)))

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, *grads):
        raise NotImplementedError("the divergence has no third derivatives here")

    @staticmethod
    def vmap(info, in_dims, kind, *inputs):
        found = _run(_Bend, kind, *_aligned(in_dims[1:], inputs, (0, *_AXES, *_events())))
        return found, (0,) * len(found)


def _run(function, *inputs):
    """The function's result; what torch.compile traces without a derivative needs no more than its `forward`."""
    differentiated = torch.is_grad_enabled() and any(x.requires_grad for x in inputs[1:])
    traced = torch.compiler.is_compiling() and not differentiated
    return function.forward(*inputs) if traced else function.apply(*inputs)


def _events():
    """How many event axes each slope has."""
    return [_AXES[k] for k in _SLOPED]


def _folded(x, n):
    """The sum over the last n axes."""
    return x.sum(tuple(range(-n, 0))) if n else x


def _pulled(g, slopes):
    """g, which has no event axes, times each of the slopes."""
    return tuple(_weighted(g[(..., *[None] * n)] if n else g, s) for s, n in zip(slopes, _events(), strict=True))


def _weighted(g, slope):
    """g times the slope, and 0 where g is 0 though the slope is no number: there `torch.where` hides the element."""
    if not torch.compiler.is_compiling() and type(slope) is Tensor and slope.device.type == "cpu":
        product = g * slope
        if math.isfinite(product.sum()):
            return product
    return g * torch.where((g == 0.0) & ~torch.isfinite(slope), 0.0, slope)


def _placed(count, slopes):
    """The slopes at the places of their arguments, None at the others."""
    found = dict(zip(_SLOPED, slopes, strict=True))
    return [found.get(k) for k in range(count)]


def _fitted(x, grads):
    """Each gradient summed over the axes along which its argument was broadcast, in the argument's type."""
    return [None if g is None else g.sum_to_size(a.shape).to(a.dtype) for a, g in zip(x, grads, strict=True)]


def _aligned(in_dims, inputs, axes):
    """The inputs with the axis that is mapped over first, and ones after it so that the others broadcast."""
    rank = max(a.ndim - n - (d is not None) for a, n, d in zip(inputs, axes, in_dims, strict=True))
    found = []
    for a, n, d in zip(inputs, axes, in_dims, strict=True):
        if d is not None:
            a = a.movedim(d, 0)
            a = a.reshape(a.shape[0], *[1] * (rank - a.ndim + n + 1), *a.shape[1:])
        found.append(a)
    return found


def _values(kind, x):
    return _full(kind, x, _AXES, (0,), [_first(*_doubles(x))[0]])


def _slopes(kind, x):
    return _full(kind, x, _AXES, _events(), _gradient(*_doubles(x)))


def _bends(kind, x, w):
    return _full(kind, [*x, *w], (*_AXES, *_events()), _events(), _curvature(*_doubles(x), *_doubles(w)))


def _full(kind, x, axes, events, results):
    """The results as tensors of the type, in the shape that the batches broadcast to."""
    shape = torch.broadcast_shapes(*(a.shape[: a.ndim - n] for a, n in zip(x, axes, strict=True)))
    found = zip(map(_tensor, results), events, strict=True)
    return tuple(r.to(x[0].device, kind).expand(shape + r.shape[r.ndim - n :]) for r, n in found)


def _doubles(x):
    return [a.to(torch.float64) for a in x]


def _apply(*arguments):
    """The value at numbers and tensors: computed in float64, in the type that torch gives their sum."""
    tensors = {k: torch.as_tensor(a) for k, a in enumerate(arguments) if not isinstance(a, (bool, int, float))}
    device = next((a.device for a in tensors.values() if a.device.type != "cpu"), None)
    whole = [tensors.get(k, a) for k, a in enumerate(arguments)]
    whole = [
        a if isinstance(a, Tensor) else torch.full((), float(a), dtype=torch.float64, device=device) for a in whole
    ]
    return _run(_Value, _kind(tensors.values()), *whole)[0]


def _curved(textbook, x, w):
    """How the derivatives of the textbook form change in a direction: reverse twice, where nothing cancels."""
    whole, every = [*x, *w], tuple(range(len(x)))
    shape = torch.broadcast_shapes(*(a.shape[: a.ndim - n] for a, n in zip(whole, 2 * _AXES, strict=True)))
    x = [a.expand(shape + a.shape[a.ndim - n :]) for a, n in zip(x, _AXES, strict=True)]

    def moved(*x):
        slopes = torch.func.grad(lambda *x: textbook(*x).sum(), argnums=every)(*x)
        return sum((slope * move).sum() for slope, move in zip(slopes, w, strict=True))

    return torch.func.grad(moved, argnums=every)(*x)


def _kind(tensors):
    """The floating type of tensors with axes among the arguments, else that of those without, else the default."""
    floats = [a for a in tensors if a.is_floating_point()]
    kinds = {a.dtype for a in floats if a.ndim} or {a.dtype for a in floats} or {torch.get_default_dtype()}
    kind = kinds.pop()
    for other in kinds:
        kind = torch.promote_types(kind, other)
    return kind
