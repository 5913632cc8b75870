"""SymPy expressions in one variable as functions of complex balls, which say where they are analytic."""

from __future__ import annotations

from collections.abc import Callable
from operator import add, mul
from typing import Any

import sympy as sp

from ..backends.ball_analysis import flint
from ..backends.balls import TABLE
from ..core.exact import Exact
from ..core.primitive import PRIMITIVES

Ball = Any
Function = Callable[[Ball, bool], Ball]  # of a ball, and whether the answer has to be NaN where it is not analytic


class Unspelled(Exception):
    """An expression has no spelling in balls."""


def _nowhere(apply: Callable[..., Ball]) -> Callable[..., Ball]:
    """A function whose branch cuts are not looked for: NaN where it has to be known to be analytic."""
    return lambda analytic, *args: flint().acb("nan") if analytic else apply(*args)


# By the name of the SymPy class; the first argument asks for a proof that the function is analytic.
FUNCTIONS: dict[str, Callable[..., Ball]] = {
    "exp": lambda analytic, z: z.exp(),
    "cos": lambda analytic, z: z.cos(),
    "sin": lambda analytic, z: z.sin(),
    "cosh": lambda analytic, z: z.cosh(),
    "erf": lambda analytic, z: z.erf(),
    "log": lambda analytic, z: z.log(analytic=analytic),
    "Abs": lambda analytic, z: z.real_abs(analytic=analytic),
    "loggamma": _nowhere(lambda z: z.lgamma()),
    "gamma": _nowhere(lambda z: z.gamma()),
    "polygamma": _nowhere(lambda n, z: z.polygamma(n)),
    "besseli": _nowhere(lambda n, z: z.bessel_i(n)),
    "besselk": _nowhere(lambda n, z: z.bessel_k(n)),
    "expint": _nowhere(lambda n, z: z.expint(n)),
}
# Functions of real constants, as compiled code has them: the primitives that are a SymPy function by themselves.
REAL: dict[str, Callable[..., Ball]] = {
    primitive.spec.__name__: TABLE[name]
    for name, primitive in PRIMITIVES.items()
    if isinstance(primitive.spec, type) and name in TABLE
}
CONSTANTS: dict[Any, Callable[[], Ball]] = {
    sp.pi: lambda: flint().arb.pi(),
    sp.E: lambda: flint().arb.const_e(),
    sp.EulerGamma: lambda: flint().arb.const_euler(),
    sp.Catalan: lambda: flint().arb.const_catalan(),
}


def constant(e: sp.Expr) -> Ball:
    """A real number as a ball, at the working precision; Unspelled where there is no spelling."""
    value = function(e, sp.Dummy())(flint().acb(0), False)
    if not value.imag.contains(0):
        raise Unspelled(str(e))
    return value.real


def function(e: sp.Expr, x: sp.Symbol) -> Function:
    """The function of x, its constants at the working precision of now; Unspelled where there is no spelling."""
    if e == x:
        return lambda z, analytic: z
    if not e.has(x):
        value = _constant(e, x)
        return lambda z, analytic: value
    if isinstance(e, (sp.Add, sp.Mul)):
        fixed, rest = e.as_independent(x, as_Add=isinstance(e, sp.Add))
        parts = [function(a, x) for a in type(e).make_args(rest)]
        if fixed != type(e).identity:
            parts.append(function(fixed, x))
        return _folded(parts, add if isinstance(e, sp.Add) else mul)
    if isinstance(e, sp.Pow):
        return _power(e, x)
    name, arguments = e.func.__name__, [function(a, x) for a in e.args]
    if name not in FUNCTIONS:
        raise Unspelled(f"{name} has no spelling in balls")
    apply = FUNCTIONS[name]
    return lambda z, analytic: apply(analytic, *(a(z, analytic) for a in arguments))


def _constant(e: sp.Expr, x: sp.Symbol) -> Ball:
    rational = e.rational if isinstance(e, Exact) else e
    if isinstance(rational, sp.Rational):
        return flint().acb(flint().arb(flint().fmpq(int(rational.p), int(rational.q))))
    if e in CONSTANTS:
        return flint().acb(CONSTANTS[e]())
    if isinstance(e, (sp.Add, sp.Mul)):
        parts = [_constant(a, x) for a in e.args]
        total = parts[0]
        for part in parts[1:]:
            total = total + part if isinstance(e, sp.Add) else total * part
        return total
    if isinstance(e, sp.Pow):
        base = _constant(e.base, x)
        return base ** int(e.exp) if e.exp.is_Integer else base ** _constant(e.exp, x)
    values, name = [_constant(a, x) for a in e.args], e.func.__name__
    if name in FUNCTIONS:
        return FUNCTIONS[name](False, *values)
    if name in REAL:
        return flint().acb(REAL[name](*(value.real for value in values)))
    raise Unspelled(f"{name} has no spelling in balls")


def _folded(parts: list[Function], join: Callable[[Ball, Ball], Ball]) -> Function:
    if len(parts) == 2:
        first, second = parts
        return lambda z, analytic: join(first(z, analytic), second(z, analytic))

    def value(z: Ball, analytic: bool) -> Ball:
        total = parts[0](z, analytic)
        for part in parts[1:]:
            total = join(total, part(z, analytic))
        return total

    return value


def _power(e: sp.Pow, x: sp.Symbol) -> Function:
    if e.exp.is_Integer:
        base, n = function(e.base, x), int(e.exp)
        return lambda z, analytic: base(z, analytic) ** n
    log_base, exponent = function(sp.log(e.base), x), function(e.exp, x)
    return lambda z, analytic: (exponent(z, analytic) * log_base(z, analytic)).exp()
