"""The C that everything stands on: the operations kernels are made of, and the functions taken from libm."""

from __future__ import annotations

import re
from typing import NamedTuple

# Compilers may not fuse a product and a sum: tails of sums and products would be those of other sums and products.
PROLOGUE = """\
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__FAST_MATH__)
#error "klsym: -ffast-math reorders the sums that accuracy rests on; use -O3 -march=native -fno-trapping-math"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "klsym: sums and products are to be rounded to double at once; on 32-bit x86 add -msse2 -mfpmath=sse"
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif
#ifndef KLSYM_INLINE
#if defined(__GNUC__)
#define KLSYM_INLINE static inline __attribute__((always_inline))
#define KLSYM_APART static __attribute__((noinline, unused))
#else
#define KLSYM_INLINE static inline
#define KLSYM_APART static inline
#endif
#endif"""

EPILOGUE = """\
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif"""

# select is a function so that both arms are computed: a loop over kernels is then turned into vector instructions.
_TEXT = """\
KLSYM_INLINE uint64_t klsym_bits(double x) { uint64_t bits; memcpy(&bits, &x, 8); return bits; }

KLSYM_INLINE double klsym_double(uint64_t bits) { double x; memcpy(&x, &bits, 8); return x; }

KLSYM_INLINE double klsym_fma(double a, double b, double c) { return fma(a, b, c); }

KLSYM_INLINE double klsym_product_tail(double a, double b) { return fma(a, b, -(a * b)); }

KLSYM_INLINE double klsym_select(bool condition, double a, double b) { return condition ? a : b; }

KLSYM_INLINE double klsym_absolute(double x) { return fabs(x); }

KLSYM_INLINE double klsym_floor(double x) { return floor(x); }

KLSYM_INLINE double klsym_rint(double x) { return rint(x); }

KLSYM_INLINE double klsym_sqrt(double x) { return sqrt(x); }

KLSYM_INLINE double klsym_minimum(double a, double b) { return ((a <= b) | (a != a)) ? a : b; }

KLSYM_INLINE double klsym_maximum(double a, double b) { return ((a >= b) | (a != a)) ? a : b; }

KLSYM_INLINE double klsym_mantissa(double x) {
    return klsym_double((klsym_bits(x) & 0x000fffffffffffff) | 0x3ff0000000000000);
}

KLSYM_INLINE double klsym_exponent(double x) {
    return klsym_double(((klsym_bits(x) >> 52) & 0x7ff) | 0x4330000000000000) - 4503599627371519.0;
}

KLSYM_INLINE klsym_ddd klsym_octaves(double x, double y) {
    const int64_t below = 0x000fffffffffffff, unit = below + 1, gap = (int64_t) (klsym_bits(y) - klsym_bits(x));
    const int64_t steps = (gap + (gap < 0 ? below : 0)) & ~below;
    const int64_t low = steps < -1023 * unit ? -1023 * unit : steps, power = low > 1024 * unit ? 1024 * unit : low;
    return klsym_ddd_of(
        klsym_double(klsym_bits(y) - (uint64_t) steps), klsym_double((uint64_t) power + 0x3ff0000000000000),
        klsym_double((uint64_t) (steps >> 52) + 0x4338000000000000) - 6755399441055744.0
    );
}

KLSYM_INLINE double klsym_power_of_two(double k) { return klsym_double(klsym_bits(k + 6755399441056767.0) << 52); }

KLSYM_INLINE double klsym_scaled(double x, double k) {
    double half = floor(0.5 * k);
    return x * klsym_power_of_two(half) * klsym_power_of_two(k - half);
}

KLSYM_INLINE int klsym_larger(int a, int b) { return a > b ? a : b; }

KLSYM_INLINE double klsym_power(double x, int n) { return pow(x, n); }

/* 0 for 2^-256 <= x < 2^256. */
KLSYM_INLINE uint64_t klsym_astray(double x) {
    return (klsym_bits(x) - ((uint64_t) 767 << 52)) & ((uint64_t) 7 << 61);
}

/* 0 for 2^-256 <= |x| < 2^256. */
KLSYM_INLINE uint64_t klsym_unusual(double x) {
    return ((klsym_bits(x) << 1) - ((uint64_t) 767 << 53)) & ((uint64_t) 3 << 62);
}

/* 0 for 2^-512 <= |x| < 2^512. */
KLSYM_INLINE uint64_t klsym_extreme(double x) {
    return ((klsym_bits(x) << 1) - ((uint64_t) 511 << 53)) & ((uint64_t) 1 << 63);
}

/* 0 for 2^-512 <= |value| and error <= limit |value|, error finite: bits are ordered as doubles. */
KLSYM_INLINE uint64_t klsym_unsure(double error, double value, double limit) {
    const uint64_t wrong = klsym_bits(fabs(error)), far = klsym_bits(limit * fabs(value)) - wrong;
    const uint64_t small = klsym_bits(fabs(value)) - 0x1ff0000000000000;
    return (small | far | (0x7fefffffffffffff - wrong)) & ((uint64_t) 1 << 63);
}
"""

# Functions of libm that are used as they are: within 2 units of 2^-52 in glibc (its manual, "Known Maximum Errors in
# Math Functions"), erfc within 5. Its lgamma and tgamma, worse near 1 and 2 or far out, are not.
LIBM = ("tan", "asin", "atan", "sinh", "cosh", "tanh", "erf", "erfc")


class Signature(NamedTuple):
    """A function of C: its text, the types of its arguments and of its result, and the functions that it calls."""

    text: str
    arguments: tuple[str, ...]
    result: str
    uses: frozenset[str]


def _signature(text: str) -> tuple[str, Signature]:
    found = re.search(r"KLSYM_INLINE (\w+) klsym_(\w+)\((.*?)\)", text)
    assert found
    result, name, arguments = found.groups()
    uses = frozenset(re.findall(r"klsym_(\w+)\(", text)) - {name, "ddd_of"}
    return name, Signature(text, tuple(a.split()[0] for a in arguments.split(", ")), result, uses)


MACHINE: dict[str, Signature] = dict(
    _signature(text.strip())
    for text in [
        *_TEXT.split("\n\n"),
        *(f"KLSYM_INLINE double klsym_{name}(double x) {{ return {name}(x); }}" for name in LIBM),
    ]
)
