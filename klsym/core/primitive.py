"""The closed table of primitives: the operations a Program is made of, each with its exact meaning.

A backend spells every one of them, an arithmetic runs them, and one test holds each spelling to its spec.
Functions whose values leave the range of floating point come as logarithms, so that products and
quotients of them become sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import sympy as sp

from .functions import (
    BesselKOrder,
    BesselKOrderSlope,
    Langevin,
    LangevinPrime,
    LogSinhc,
    ParabolicU,
    TricomiU,
    ZetaDerivative,
)
from .mellin import Log1pMellin, Log1pMellinSlope

Range = tuple[float, float]


@dataclass(frozen=True)
class Primitive:
    """An operation on real numbers: `spec` is its exact meaning, as a function of SymPy expressions.

    `typical` holds a range of everyday values for each argument, as a family's parameters have; a range
    of integers (`(1, 4)`, ints) means that the argument is an integer, and `boolean` a truth value. A primitive
    with `variadic` takes the last of them any number of times. After these, each of `gaps` (i, j) adds an argument
    that is argument j minus argument i: near each other the two have lost it, and whoever calls has it exactly.
    `worst` is the error that no spelling exceeds, in units of 2^-52, relative to the value, at arguments taken
    as exact. The `rest_of` a primitive is what its computed value lacks.
    """

    name: str
    typical: tuple[Range, ...]
    spec: Callable[..., Any]
    variadic: bool = False
    gaps: tuple[tuple[int, int], ...] = ()
    worst: float = 1.0
    rest_of: str = ""

    @property
    def arity(self) -> int:
        return len(self.typical) + len(self.gaps)

    def takes(self, count: int) -> bool:
        """Whether it has so many arguments."""
        return count >= self.arity if self.variadic else count == self.arity


_any, _small = (-5.0, 5.0), (-0.9, 3.0)
_positive, _wide, _unit = (0.1, 10.0), (1e-3, 1e3), (0.01, 0.99)
boolean: Range = (0, 1)
_low = (-1e-13, 1e-13)  # of a sum whose other part it is small beside

# No bound of the error is known over the whole domain.
UNPROVEN = inf


def _xlog(c: sp.Expr, logarithm: sp.Expr) -> sp.Expr:
    return sp.S.Zero if c == 0 else c * logarithm


def _psi(n: int, x: sp.Expr) -> sp.Expr:
    return sp.polygamma(n, x)


def _remainder(f: Callable[[sp.Expr], sp.Expr], a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """f(b) - f(a) - (b - a) f'(a): the Bregman divergence of f (Bregman, USSR Comput. Math. Math. Phys. 7, 1967)."""
    x = sp.Dummy("x", positive=True)
    return f(b) - f(a) - (b - a) * f(x).diff(x).subs(x, a)


def _reduced_lgamma(x: sp.Expr) -> sp.Expr:
    return sp.loggamma(x) - x * sp.log(x) + x


def _log_i0(x: sp.Expr) -> sp.Expr:
    return sp.log(sp.besseli(0, x))


def _bessel_ratio(x: sp.Expr) -> sp.Expr:
    return sp.besseli(1, x) / sp.besseli(0, x)


def _bessel_ratio_prime(x: sp.Expr) -> sp.Expr:
    return (1 + sp.besseli(2, x) / sp.besseli(0, x)) / 2 - _bessel_ratio(x) ** 2


def _lbetarem(a: sp.Expr, b: sp.Expr, c: sp.Expr, d: sp.Expr) -> sp.Expr:
    """The remainder of log B at (a, b), to (c, d): B(a, b) = Gamma(a) Gamma(b)/Gamma(a + b)."""
    total = _remainder(sp.loggamma, a + b, c + d)
    return _remainder(sp.loggamma, a, c) + _remainder(sp.loggamma, b, d) - total


_TABLE = (
    # Arithmetic
    Primitive("add", (_any, _any), lambda x, y: x + y, worst=0.5),
    Primitive("sub", (_any, _any), lambda x, y: x - y, worst=0.5),
    Primitive("mul", (_any, _any), lambda x, y: x * y, worst=0.5),
    Primitive("div", (_any, _positive), lambda x, y: x / y, worst=0.5),
    Primitive("neg", (_any,), lambda x: -x),
    Primitive("pow", (_positive, _any), lambda x, y: x**y, worst=1.5),
    Primitive("sqrt", (_wide,), sp.sqrt, worst=0.5),
    Primitive("abs", (_any,), sp.Abs),
    Primitive("floor", (_any,), sp.floor),
    Primitive("min", (_any, _any), sp.Min),
    Primitive("max", (_any, _any), sp.Max),
    # Elementary functions
    Primitive("exp", (_any,), sp.exp, worst=1.5),
    Primitive("expm1", (_any,), lambda x: sp.exp(x) - 1, worst=2),
    Primitive("log", (_wide,), sp.log, worst=1.5),
    Primitive("log1p", (_small,), lambda x: sp.log(1 + x), worst=1.5),
    Primitive("xlogy", (_any, _wide), lambda c, x: _xlog(c, sp.log(x)), worst=1.5),
    Primitive("xlog1py", (_any, _small), lambda c, x: _xlog(c, sp.log(1 + x)), worst=1.5),
    Primitive("sin", (_any,), sp.sin, worst=1),
    Primitive("cos", (_any,), sp.cos, worst=1),
    Primitive("tan", (_small,), sp.tan, worst=1),
    Primitive("asin", (_unit,), sp.asin, worst=1.5),
    Primitive("atan", (_any,), sp.atan, worst=1.5),
    Primitive("sinh", (_any,), sp.sinh, worst=1.5),
    Primitive("cosh", (_any,), sp.cosh, worst=1.5),
    Primitive("tanh", (_any,), sp.tanh, worst=1.5),
    Primitive("log_sinhc", (_any,), LogSinhc, worst=5),
    Primitive("langevin", (_any,), Langevin, worst=4),
    Primitive("langevin_prime", (_any,), LangevinPrime, worst=10),
    # Logarithms and exponentials without cancellation
    Primitive("cross", (_any, _any, _any, _any), lambda a, b, c, d: a * b - c * d, worst=1.5),
    Primitive("log_ratio", (_wide, _wide), lambda a, b, d: sp.log(b / a), gaps=((0, 1),), worst=3),
    Primitive("phi", (_wide, _wide), lambda a, b, d: d / a - sp.log(b / a), gaps=((0, 1),), worst=4),
    Primitive("klrem", (_wide, _wide), lambda p, q, d: _xlog(p, sp.log(p / q)) - p + q, gaps=((0, 1),), worst=4),
    Primitive("e2", (_any,), lambda x: sp.exp(x) - 1 - x, worst=2.5),
    Primitive("exp_sum", (_any, _low), lambda x, y: sp.exp(x + y), worst=1.5),
    Primitive("expm1_sum", (_any, _low), lambda x, y: sp.exp(x + y) - 1, worst=2.5),
    Primitive("e2_sum", (_any, _low), lambda x, y: sp.exp(x + y) - 1 - (x + y), worst=3),
    Primitive("softplus", (_any,), lambda x: sp.log(1 + sp.exp(x)), worst=2),
    Primitive("log_cosh", (_any,), lambda x: sp.log(sp.cosh(x)), worst=3.5),
    # Gamma and zeta functions
    Primitive("lgamma", (_wide,), sp.loggamma, worst=3.5),
    Primitive("log_rising", (_wide, (1e-3, 10.0)), lambda a, x: sp.loggamma(a + x) - sp.loggamma(a), worst=4),
    Primitive("digamma", (_wide,), lambda x: sp.polygamma(0, x), worst=3),
    Primitive("trigamma", (_wide,), lambda x: sp.polygamma(1, x), worst=3),
    Primitive(
        "lgamma_difference", (_wide, _wide), lambda a, b, d: sp.loggamma(b) - sp.loggamma(a), gaps=((0, 1),), worst=4
    ),
    Primitive("digamma_difference", (_wide, _wide), lambda a, b, d: _psi(0, b) - _psi(0, a), gaps=((0, 1),), worst=3.5),
    Primitive("trigamma_difference", (_wide, _wide), lambda a, b, d: _psi(1, b) - _psi(1, a), gaps=((0, 1),), worst=4),
    Primitive("reduced_trigamma", (_wide,), lambda x: _psi(1, x) - 1 / x, worst=2.5),
    Primitive(
        "reduced_digamma_difference",
        (_wide, _wide),
        lambda a, b, d: _psi(0, b) - _psi(0, a) - sp.log(b / a),
        gaps=((0, 1),),
        worst=3,
    ),
    Primitive("lgrem", (_wide, _wide), lambda a, b, d: _remainder(sp.loggamma, a, b), gaps=((0, 1),), worst=4.5),
    Primitive("grem", (_wide, _wide), lambda a, b, d: _remainder(_reduced_lgamma, a, b), gaps=((0, 1),), worst=5.5),
    Primitive("lbetarem", (_wide,) * 4, lambda a, b, c, d, e, f: _lbetarem(a, b, c, d), gaps=((0, 2), (1, 3)), worst=7),
    Primitive("polygamma", ((1, 3), _positive), sp.polygamma, worst=5),
    Primitive("zeta", ((1.1, 30.0),), sp.zeta, worst=4),
    Primitive("zetam1", ((1.1, 30.0),), lambda s: sp.zeta(s) - 1, worst=UNPROVEN),
    Primitive("zeta_derivative", ((1, 3), (1.1, 30.0)), ZetaDerivative, worst=UNPROVEN),
    Primitive("gamma_p", (_positive, _positive), lambda a, x: sp.lowergamma(a, x) / sp.gamma(a), worst=UNPROVEN),
    Primitive("gamma_q", (_positive, _positive), lambda a, x: sp.uppergamma(a, x) / sp.gamma(a), worst=UNPROVEN),
    Primitive(
        "betainc", (_positive, _positive, _unit), lambda a, b, x: sp.betainc_regularized(a, b, 0, x), worst=UNPROVEN
    ),
    # Error functions and exponential integrals
    Primitive("erf", (_any,), sp.erf, worst=2),
    Primitive("erfc", (_any,), sp.erfc, worst=300),
    Primitive("erfcx", (_any,), lambda x: sp.exp(x**2) * sp.erfc(x), worst=300),
    Primitive("exp_e1", (_wide,), lambda z: sp.exp(z) * sp.expint(1, z), worst=10),
    Primitive("dilog", ((-10.0, 1.0),), lambda x: sp.polylog(2, x), worst=25),
    # Bessel functions
    Primitive("ive", ((0, 3), _wide), lambda nu, z: sp.exp(-z) * sp.besseli(nu, z), worst=30),
    Primitive("log_i0", (_wide,), lambda z: sp.log(sp.besseli(0, z)), worst=3),
    Primitive("log_i0_remainder", (_wide, _wide), lambda a, b, d: _remainder(_log_i0, a, b), gaps=((0, 1),), worst=8),
    Primitive("bessel_ratio", (_wide,), _bessel_ratio, worst=2.5),
    Primitive("bessel_ratio_prime", (_wide,), _bessel_ratio_prime, worst=4),
    Primitive(
        "bessel_ratio_difference",
        (_wide, _wide),
        lambda a, b, d: _bessel_ratio(b) - _bessel_ratio(a),
        gaps=((0, 1),),
        worst=5,
    ),
    Primitive("log_kve", (_any, _wide), lambda nu, z: sp.log(sp.besselk(nu, z)) + z, worst=UNPROVEN),
    Primitive("bessel_k_order", (_any, _wide), BesselKOrder, worst=10),
    Primitive("bessel_k_order_slope", (_any, _wide), BesselKOrderSlope, worst=UNPROVEN),
    # Confluent hypergeometric functions, and a Fox H-function
    Primitive("log_tricomi_u", (_positive, _any, _wide), lambda a, b, z: sp.log(TricomiU(a, b, z)), worst=UNPROVEN),
    Primitive(
        "log_parabolic_u", ((-0.4, 10.0), (-10.0, 10.0)), lambda a, z: sp.log(ParabolicU(a, z)) + z**2 / 4, worst=300
    ),
    Primitive(
        "kummer", ((0.1, 3.0), (3.1, 10.0), (-20.0, 20.0)), lambda a, b, z: sp.hyper([a], [b], z), worst=UNPROVEN
    ),
    Primitive(
        "hyp2f1",
        ((0.5, 2.0), (0.1, 3.0), (3.1, 6.0), _unit),
        lambda a, b, c, z: sp.hyper([a, b], [c], z),
        worst=UNPROVEN,
    ),
    Primitive(
        "gamma_log_moment", (_positive, _wide), lambda a, x: sp.hyper([a, a], [a + 1, a + 1], -x), worst=UNPROVEN
    ),
    Primitive("log1p_mellin", (_wide, _positive, (0.3, 3.0), (1, 1)), Log1pMellin, variadic=True, worst=UNPROVEN),
    Primitive(
        "log1p_mellin_slope",
        ((0, 2), _wide, _positive, (0.3, 3.0), (1, 1)),
        Log1pMellinSlope,
        variadic=True,
        worst=UNPROVEN,
    ),
    # Truth values
    Primitive("lt", (_any, _any), sp.Lt),
    Primitive("le", (_any, _any), sp.Le),
    Primitive("eq", (_any, _any), sp.Eq),
    Primitive("and", (boolean, boolean), sp.And),
    Primitive("or", (boolean, boolean), sp.Or),
    Primitive("not", (boolean,), sp.Not),
    Primitive("select", (boolean, _any, _any), lambda condition, x, y: sp.Piecewise((x, condition), (y, True))),
)


def _rest(base: Primitive) -> Primitive:
    """f(x + x', y + y', ...) - v, where v is f(x, y, ...) as computed, and each argument comes with its own rest."""

    def spec(*x: sp.Expr) -> sp.Expr:
        return base.spec(*(head + tail for head, tail in zip(x[:-1:2], x[1::2], strict=True))) - x[-1]

    heads = (*base.typical, *(_any for _ in base.gaps))
    typical = tuple(interval for head in heads for interval in (head, _tiny))
    return Primitive(f"{base.name}_rest", (*typical, _any), spec, worst=UNPROVEN, rest_of=base.name)


_tiny = (-1e-17, 1e-17)

# The constants of a program that are not rational.
IRRATIONAL: dict[str, sp.Basic] = {
    "pi": sp.pi, "e": sp.E, "euler_gamma": sp.EulerGamma, "catalan": sp.Catalan, "inf": sp.oo, "-inf": -sp.oo,
    "nan": sp.nan, "true": sp.true, "false": sp.false,
}  # fmt: skip

# What a rounding of a value with its rest is, in roundings of one without: 1 in an arithmetic that needs no rests.
REST_ROUNDING = "rest_rounding"
CONSTANTS = IRRATIONAL | {REST_ROUNDING: sp.Rational(1, 2**52)}

# What is left of the error once a value has its rest, beside the primitive's own error: of arithmetic's nothing.
RESTS: dict[str, float] = {
    "add": 0.0, "sub": 0.0, "mul": 0.0, "div": 0.0, "log_ratio": 2.0**-10, "lgamma_difference": 2.0**-10,
}  # fmt: skip

# What stands for a primitive whose value comes with its rest: coarser and cheaper, or of a number with its rest.
PAIRED: dict[str, str] = {
    "log_ratio": "log_ratio_head", "lgamma_difference": "lgamma_difference_head", "exp": "exp_sum",
    "expm1": "expm1_sum", "e2": "e2_sum",
}  # fmt: skip

PLAIN: dict[str, str] = {paired: plain for plain, paired in PAIRED.items()}

_named = {primitive.name: primitive for primitive in _TABLE}
_heads = tuple(replace(_named[name], name=PAIRED[name], worst=UNPROVEN) for name in RESTS if name in PAIRED)
_rests = tuple(_rest(_named[name]) for name in RESTS)

PRIMITIVES: dict[str, Primitive] = _named | {primitive.name: primitive for primitive in (*_heads, *_rests)}
