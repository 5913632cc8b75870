"""Sums of products of pairs of doubles, WIDTH at a time: an entry of WIDTH matrices, or WIDTH columns of one."""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

WIDTH = 32


@njit(error_model="numpy", forceinline=True)
def _vector(x, at):
    return x[at : at + WIDTH]


@njit(error_model="numpy", forceinline=True)
def _product_added(high, low, a, b, correction):
    """high + low + a b + a correction, to the square of the rounding error."""
    product = a * b
    total = high + product
    back = total - high
    tail = (high - (total - back)) + (product - back)
    return total, low + (tail + (correction + _fma(a, b, -product)))


@intrinsic
def _add_products(typing, x, x_low, at, a, a_low, place, step, y, y_low, start, stride, count):
    """x[at] += sum a[place + m step] y[start + m stride], m < count, of vectors y and vectors or numbers a.

    Written in LLVM's vectors, so that the sum stays in registers. The errors of sums and products and the low parts
    are added to x_low; `a_low` may be None.
    """
    index, vector = types.int64, ir.VectorType(ir.DoubleType(), WIDTH)
    wide = a.ndim == 2

    def written(context, builder, signature, values):
        kinds = dict(zip(_PRODUCT_NAMES, signature.args, strict=True))
        given = dict(zip(_PRODUCT_NAMES, values, strict=True))

        def pointer(name, place, of):
            data = context.make_array(kinds[name])(context, builder, given[name]).data
            return builder.bitcast(builder.gep(data, [place]), of.as_pointer())

        def loaded(name, place):
            return builder.load(pointer(name, place, vector), align=8)

        def multiplier(name, place):
            if wide:
                return loaded(name, builder.mul(place, ir.Constant(place.type, WIDTH)))
            number = builder.load(pointer(name, place, ir.DoubleType()), align=8)
            undefined = ir.Constant(vector, ir.Undefined)
            first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
            return builder.shuffle_vector(first, undefined, zeros)

        def fma(*terms):
            kind = ir.FunctionType(vector, [vector] * 3)
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{WIDTH}f64"), terms)

        high, low = (cgutils.alloca_once_value(builder, loaded(name, given["at"])) for name in ("x", "x_low"))
        with cgutils.for_range(builder, given["count"]) as loop:
            place = builder.add(given["place"], builder.mul(loop.index, given["step"]))
            start = builder.add(given["start"], builder.mul(loop.index, given["stride"]))
            a, b, old = multiplier("a", place), loaded("y", start), builder.load(high)
            product = builder.fmul(a, b)
            total = builder.fadd(old, product)
            back = builder.fsub(total, old)
            tail = builder.fadd(builder.fsub(old, builder.fsub(total, back)), builder.fsub(product, back))
            rest = fma(a, loaded("y_low", start), fma(a, b, builder.fneg(product)))
            if kinds["a_low"] != types.none:
                rest = fma(multiplier("a_low", place), b, rest)
            builder.store(total, high)
            builder.store(builder.fadd(builder.load(low), builder.fadd(tail, rest)), low)
        for name, sum_ in (("x", high), ("x_low", low)):
            builder.store(builder.load(sum_), pointer(name, given["at"], vector), align=8)
        return context.get_dummy_value()

    return types.void(x, x_low, index, a, a_low, index, index, y, y_low, index, index, index), written


_PRODUCT_NAMES = ("x", "x_low", "at", "a", "a_low", "place", "step", "y", "y_low", "start", "stride", "count")


@njit(error_model="numpy", forceinline=True)
def _two_sum(a, b):
    """a + b in two doubles."""
    high = a + b
    back = high - a
    return high, (a - (high - back)) + (b - back)
