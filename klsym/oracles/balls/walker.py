"""SymPy expressions in one variable as functions of complex balls, NaN where they are not known to be analytic.

Only the heads of the tables here are spelled, so that nothing of a caller's ever decides what is analytic. Branch cuts
lie on the negative half axis, and a real number there has no real logarithm: both are one test, `_cut`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import add, mul
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from ...core.ball import flint
from ...core.exact import Exact
from ..integrand import linear

Ball = Any
Number = Any  # an fmpq where it is known to be rational, and a ball elsewhere
Truth = bool | None


class Unspelled(Exception):
    """An expression has no spelling in balls."""


@dataclass(slots=True)
class Point:
    """The place anchor + direction y, log y where that is known apart, and whether to prove what is analytic."""

    y: Ball
    analytic: bool = False
    log_y: Ball = None

    @property
    def log(self) -> Ball:
        return _log(self.y) if self.log_y is None else self.log_y


Function = Callable[[Point], Ball]


def _cut(apply: Callable[..., Ball]) -> Callable[..., Ball]:
    """A function with its branch cut on the negative half axis, NaN for a ball that meets it."""

    def checked(*args: Ball) -> Ball:
        z = args[-1]
        return flint().acb("nan") if z.imag.contains(0) and not z.real > 0 else apply(*args)

    return checked


def _log_sinhc(u: Ball) -> Ball:
    """0 <= log(sinh(u)/u) <= u^2/6 for real u, where it is not known to differ from 0 (DLMF 4.28.1)."""
    acb, arb, size = flint().acb, flint().arb, abs(u.real)
    if not u.imag.is_zero():
        return acb("nan")
    if not size > 0:
        return acb(arb(0).union(size * size / 6))
    return acb(size + (-(-2 * size).expm1() / (2 * size)).log())


_log = _cut(lambda z: z.log())
# By the name of the SymPy class. All but those that are cut are meromorphic, and Arb's balls show their poles.
FUNCTIONS: dict[str, Callable[..., Ball]] = {
    **{name: lambda z, name=name: getattr(z, name)() for name in "exp sin cos sinh cosh tanh erf erfc gamma".split()},
    "log": _log,
    "loggamma": _cut(lambda z: z.lgamma()),
    "polygamma": _cut(lambda n, z: z.polygamma(n)),
    "zeta": lambda s: s.zeta(),
    "besseli": _cut(lambda n, z: z.bessel_i(n)),
    "besselk": _cut(lambda n, z: z.bessel_k(n)),
    "expint": _cut(lambda n, z: z.expint(n)),
    "LogSinhc": _log_sinhc,
}
CONSTANTS: dict[Any, Callable[[], Ball]] = {
    sp.pi: lambda: flint().arb.pi(),
    sp.E: lambda: flint().arb.const_e(),
    sp.EulerGamma: lambda: flint().arb.const_euler(),
    sp.Catalan: lambda: flint().arb.const_catalan(),
}


@dataclass(frozen=True)
class Walker:
    """The spelling of expressions in x = anchor + direction y, with constants at the working precision of its making.

    Each subexpression linear in x becomes offset + slope y, formed exactly: beside an anchor where it vanishes nothing
    cancels. `values` are those of symbols, numbers or balls; `functions` are further functions of real constants.
    """

    x: sp.Symbol
    values: Mapping[sp.Symbol, Any] = field(default_factory=dict)
    anchor: sp.Expr = sp.S.Zero
    direction: int = 1
    functions: Mapping[str, Callable[..., Ball]] = field(default_factory=dict)
    _known: dict[sp.Expr, Number] = field(default_factory=dict, repr=False)
    _functions: dict[sp.Expr, Function] = field(default_factory=dict, repr=False)

    def constant(self, e: sp.Expr) -> Number:
        """A real number; Unspelled where there is no spelling."""
        if e not in self._known:
            self._known[e] = self._constant(e)
        return self._known[e]

    def ball(self, e: sp.Expr) -> Ball:
        return flint().arb(self.constant(e))

    def _constant(self, e: sp.Expr) -> Number:
        if e in self.values:
            value = self.values[e]
            return self.constant(value) if isinstance(value, sp.Basic) else value
        rational = e.rational if isinstance(e, Exact) else e
        if isinstance(rational, sp.Rational):
            return flint().fmpq(int(rational.p), int(rational.q))
        if e in CONSTANTS:
            return CONSTANTS[e]()
        if isinstance(e, (sp.Add, sp.Mul)):
            join, (first, *rest) = (add if isinstance(e, sp.Add) else mul), (self.constant(a) for a in e.args)
            for part in rest:
                first = join(first, part)
            return first
        if isinstance(e, sp.Pow):
            return power(self.constant(e.base), self.constant(e.exp))
        name = e.func.__name__
        if name in FUNCTIONS:
            return self._special(e).real
        if isinstance(e, (sp.Abs, sp.Max, sp.Min, sp.Piecewise)):
            return self.function(e)(Point(flint().acb(0))).real
        if name in self.functions:
            return self.functions[name](*(self.ball(a) for a in e.args))
        raise Unspelled(f"{name} has no spelling in balls")

    def form(self, e: Any) -> tuple[Number, Number] | None:
        """(offset, slope) of an expression that is linear in x."""
        found = linear(e, self.x)
        if found is None:
            return None
        slope, offset = (part.xreplace(self.numbers) for part in found)
        return self.constant(sp.expand(slope * self.anchor + offset)), self.constant(slope) * self.direction

    @property
    def numbers(self) -> dict[sp.Symbol, sp.Expr]:
        return {symbol: value for symbol, value in self.values.items() if isinstance(value, sp.Basic)}

    def function(self, e: sp.Expr) -> Function:
        """The expression as a function of points; Unspelled where there is no spelling."""
        if e not in self._functions:
            self._functions[e] = self._function(e)
        return self._functions[e]

    def _function(self, e: sp.Expr) -> Function:
        if isinstance(e, sp.Piecewise):
            return _piecewise([(self.function(value), self.truth(condition)) for value, condition in e.args])
        if isinstance(e, (sp.Max, sp.Min)):
            return _largest([self.function(a) for a in e.args], 1 if isinstance(e, sp.Max) else -1)
        if isinstance(e, sp.Abs):
            inner = self.function(e.args[0])
            return lambda at: inner(at).real_abs(analytic=at.analytic)
        name = e.func.__name__
        if not self.varies(e):
            value = self._special(e) if name in FUNCTIONS else flint().acb(self.ball(e))
            return lambda at: value
        if (form := self.form(e)) is not None:
            offset, slope = map(flint().arb, form)
            return (lambda at: slope * at.y) if offset.is_zero() else lambda at: offset + slope * at.y
        if isinstance(e, sp.Add):
            return self.sum(e)
        if isinstance(e, sp.Mul):
            fixed, moving = e.as_independent(self.x, as_Add=False)
            parts = [self.function(a) for a in sp.Mul.make_args(moving)]
            return _folded([*parts, self.function(fixed)] if fixed != 1 else parts, mul)
        if isinstance(e, sp.Pow):
            return _once(self._power(e))
        if isinstance(e, sp.log):
            return _once(self._logarithm(e.args[0]))
        if name not in FUNCTIONS:
            raise Unspelled(f"{name} has no spelling in balls")
        apply, arguments = FUNCTIONS[name], [self.function(a) for a in e.args]
        if len(arguments) == 1:
            (inner,) = arguments
            return _once(lambda at: apply(inner(at)))
        return _once(lambda at: apply(*(a(at) for a in arguments)))

    def _special(self, e: sp.Expr) -> Ball:
        return FUNCTIONS[e.func.__name__](*(flint().acb(self.ball(a)) for a in e.args))

    def varies(self, e: sp.Basic) -> bool:
        return e.has(self.x)

    def sum(self, e: sp.Expr, logs: int = 0) -> Function:
        """A sum plus logs * log y, with one term for each function in it: balls know nothing of terms that cancel."""
        fmpq = flint().fmpq
        offset, slope, power, rest = fmpq(0), fmpq(0), fmpq(logs), {}
        for term in sp.Add.make_args(e):
            fixed, moving = term.as_independent(self.x, as_Add=False)
            factor = self.constant(fixed)
            if moving == 1:
                offset += factor
            elif (form := self.form(moving)) is not None:
                offset, slope = offset + factor * form[0], slope + factor * form[1]
            elif (scale := self._log_scale(moving)) is not None:
                offset, power = offset + factor * scale[0], power + factor * scale[1]
            else:
                rest[moving] = rest.get(moving, fmpq(0)) + factor
        arb = flint().arb
        offset, slope, power = map(arb, (offset, slope, power))
        parts: list[Function] = []
        if not power.is_zero():
            parts.append(lambda at: offset + power * at.log)
        else:
            parts.append(lambda at: offset)
        if not slope.is_zero():
            parts.append(lambda at: slope * at.y)
        for moving, factor in rest.items():
            parts.append(_scaled(self.function(moving), arb(factor)))
        return _folded(parts, add)

    def _log_scale(self, e: sp.Expr) -> tuple[Ball, Number] | None:
        """(c, n) where the expression is log of a power of x that is C y^n, and c = log C."""
        if not isinstance(e, sp.log):
            return None
        base, n = e.args[0].as_base_exp()
        form = self.form(base)
        if form is None or not flint().arb(form[0]).is_zero() or self.varies(n):
            return None
        slope, n = flint().arb(form[1]), self.constant(n)
        even = isinstance(n, flint().fmpq) and n.q == 1 and int(n.p) % 2 == 0
        return (n * abs(slope).log(), n) if slope > 0 or even else None

    def _logarithm(self, e: sp.Expr) -> Function:
        if (scale := self._log_scale(sp.log(e, evaluate=False))) is not None:
            shift, n = scale[0], flint().arb(scale[1])
            return lambda at: shift + n * at.log
        inner = self.function(e)
        return lambda at: _log(inner(at))

    def _power(self, e: sp.Pow) -> Function:
        n: Any = None if self.varies(e.exp) else self.constant(e.exp)
        if isinstance(n, flint().fmpq) and n.q == 1:
            base, whole = self.function(e.base), int(n.p)
            return lambda at: base(at) ** whole
        log_base, exponent = self._logarithm(e.base), self.function(e.exp)
        return lambda at: (exponent(at) * log_base(at)).exp()

    def truth(self, condition: Any) -> Callable[[Point], Truth]:
        """Whether a condition holds on the whole of a ball's real part: None where that is not known."""
        if condition in (sp.true, sp.false):
            return lambda at: condition == sp.true
        if isinstance(condition, (sp.And, sp.Or)):
            parts, decisive = [self.truth(c) for c in condition.args], isinstance(condition, sp.Or)

            def both(at: Point) -> Truth:
                found = [part(at) for part in parts]
                return decisive if decisive in found else None if None in found else not decisive

            return both
        if not isinstance(condition, Relational):
            raise Unspelled(f"the condition {condition} has no spelling in balls")
        if isinstance(condition, (sp.Eq, sp.Ne)):
            difference, equal = self.function(condition.lhs - condition.rhs), isinstance(condition, sp.Eq)
            return lambda at: _vanishes(difference(at).real, equal)
        gap = self.function(condition.gts - condition.lts)
        strict = isinstance(condition, (sp.StrictGreaterThan, sp.StrictLessThan))
        return lambda at: _sign(gap(at).real, strict)


def power(base: Number, exponent: Number) -> Number:
    """A power, exactly where the base is rational and the exponent an integer."""
    fmpq, arb = flint().fmpq, flint().arb
    if isinstance(exponent, fmpq) and exponent.q == 1 and abs(exponent) < 10_000:
        return base ** int(exponent.p)
    return arb(base) ** arb(exponent)


def _sign(gap: Ball, strict: bool) -> Truth:
    """Whether the gap is positive; zero counts unless strict."""
    if gap > 0 or (gap >= 0 and not strict):
        return True
    return False if gap < 0 or (gap <= 0 and strict) else None


def _vanishes(gap: Ball, equal: bool) -> Truth:
    return equal if gap.is_zero() else None if gap.contains(0) else not equal


def _once(f: Function) -> Function:
    """The function, evaluated once at a point however often it occurs in what is evaluated there."""
    last: list[Any] = [None, None]

    def value(at: Point) -> Ball:
        if last[0] is not at:
            last[1], last[0] = f(at), at
        return last[1]

    return value


def _scaled(f: Function, factor: Ball) -> Function:
    return f if factor == 1 else lambda at: factor * f(at)


def _folded(parts: list[Function], join: Callable[[Ball, Ball], Ball]) -> Function:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda at: join(first(at), second(at))

    def value(at: Point) -> Ball:
        total = parts[0](at)
        for part in parts[1:]:
            total = join(total, part(at))
        return total

    return value


def _piecewise(parts: list[tuple[Function, Callable[[Point], Truth]]]) -> Function:
    def value(at: Point) -> Ball:
        hull = None
        for part, truth in parts:
            holds = truth(at)
            if holds is not False:
                hull = part(at) if hull is None else hull.union(part(at))
            if holds:
                return hull
            if holds is None and at.analytic:
                break
        return flint().acb("nan")

    return value


def _largest(parts: list[Function], way: int) -> Function:
    def value(at: Point) -> Ball:
        best, *rest = (part(at) for part in parts)
        for other in rest:
            above = _sign(way * (other - best).real, True)
            if above is None:
                hull = flint().acb(best.real.max(other.real) if way > 0 else best.real.min(other.real))
                best = flint().acb("nan") if at.analytic or not (best.imag + other.imag).is_zero() else hull
            elif above:
                best = other
        return best

    return value
