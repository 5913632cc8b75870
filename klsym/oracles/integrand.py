"""An integrand compiled for mpmath, in coordinates that start at an anchor."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

from ..core.errors import ParameterError
from ..core.exact import plain

# Beyond these an evaluation takes seconds and more: reduction of the argument, powers with the order as exponent.
_LARGEST = mp.ldexp(1, 40000)
_LARGEST_ORDER = mp.ldexp(1, 64)
CONSTANT = 1024


def _exp(t: Any) -> Any:
    if mp.im(t) == 0 and abs(t) > _LARGEST:
        if t > 0:
            raise OverflowError("exponential out of reach")
        return mp.mpf(0)
    return mp.exp(t)


def _guarded(function: Callable[..., Any], limit: mp.mpf) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        if any(limit < abs(argument) < mp.inf for argument in arguments):
            raise OverflowError(f"{function.__name__} out of reach")
        return function(*arguments)

    return call


Bindings = tuple[tuple[sp.Symbol, sp.Expr], ...]

_INLINE = {sp.S.Half, -sp.S.Half, sp.oo, -sp.oo, sp.nan}
_power = sp.Function("exponential")
_LIMITED = {
    _LARGEST: "sin cos tan sinh cosh tanh gamma factorial erf erfc",
    _LARGEST_ORDER: "besseli besselj besselk bessely beta binomial gammainc expint zeta hyp1f1 hyp2f1",
}
_NAMESPACE = {"exp": _exp, "exponential": _exp} | {
    name: _guarded(getattr(mp, name), limit) for limit, names in _LIMITED.items() for name in names.split()
}


class Integrand:
    """Expressions in one variable, evaluated together at x = anchor + direction * y.

    Every subexpression linear in the variable, a*x + b, becomes (a*anchor + b) + a*direction*y with the
    bracket formed exactly: close to an anchor where it vanishes no digit is lost, however small y is.
    """

    def __init__(self, variable: sp.Symbol, expressions: tuple[sp.Expr, ...], bindings: Bindings = ()) -> None:
        self.variable, self.expressions = variable, expressions
        self._values = dict(bindings)
        demand_numbers(variable, expressions, bindings)
        self._forms: dict[tuple[sp.Expr, sp.Expr], sp.Symbol] = {}
        self._constants: dict[sp.Expr, sp.Symbol] = {}
        self._zeros: dict[sp.Expr, None] = {}
        self._turns: dict[sp.Expr, None] = {}
        long = {r for e in expressions for r in e.atoms(sp.Rational) if max(abs(r.p), r.q) > 2**50}
        named = {r: sp.Symbol(f"r{i}", real=True) for i, r in enumerate(sorted(long))}
        self._values |= {symbol: r for r, symbol in named.items()}
        self.bindings = tuple(self._values.items())
        weight, *rest = (e.xreplace(named | {sp.zoo: -sp.oo}) for e in expressions)
        bodies = [self._abstract(weight, "centre"), *(self._abstract(e, "smooth") for e in rest)]
        modules = [_NAMESPACE, "mpmath"]
        symbols = [*self._forms.values(), *self._constants.values()]
        self._function = sp.lambdify(symbols, bodies, modules=modules, cse=True)
        self._constant = sp.lambdify(list(self._values), list(self._constants), modules=modules)
        self._constant_values: dict[int, list[Any]] = {}

    @property
    def zeros(self) -> tuple[sp.Expr, ...]:
        """Where a subexpression that is linear in the variable vanishes."""
        return tuple(self._zeros)

    @property
    def turns(self) -> tuple[sp.Expr, ...]:
        """The nonlinear expressions at whose sign changes the integrand may have a kink or a jump."""
        return tuple(self._turns)

    def at(self, anchor: sp.Expr, direction: int) -> Callable[[mp.mpf], list[Any]]:
        """The function of y > 0 whose values are the expressions at anchor + direction * y."""
        exact = [tuple(plain(e.xreplace(self._values)) for e in form) for form in self._forms]
        offsets = [sp.expand(a * anchor + b) for a, b in exact]
        slopes = [a * direction for a, _ in exact]
        lines: dict[int, list[tuple[Any, Any]]] = {}

        def point(y: mp.mpf) -> list[Any]:
            bits = mp.mp.prec
            if bits not in lines:
                lines[bits] = [(number(o), number(s)) for o, s in zip(offsets, slopes, strict=True)]
            return self._function(*(o + s * y for o, s in lines[bits]), *self._known(bits))

        return point

    def _known(self, bits: int) -> list[Any]:
        """The constants; to more bits than `CONSTANT` a loggamma takes minutes, and what cancels is linear forms."""
        bits = min(bits, CONSTANT)
        if bits not in self._constant_values:
            with mp.workprec(bits):
                self._constant_values[bits] = self._constant(*map(number, self._values.values()))
        return self._constant_values[bits]

    def _abstract(self, e: Any, context: str = "") -> Any:
        """The expression over one symbol for each linear form and one for each constant.

        The zero of a linear form is an anchor, but not where the form is a term or ("smooth") a base of a polynomial.
        """
        if not e.has(self.variable):
            if not isinstance(e, sp.Expr) or e.is_Integer or e in _INLINE:
                return e
            return self._constants.setdefault(e, sp.Symbol(f"k{len(self._constants)}", real=True))
        form = linear(e, self.variable)
        if form is not None:
            if not context:
                self._turn(e)
            return self._forms.setdefault(form, sp.Symbol(f"u{len(self._forms)}", real=True))
        if isinstance(e, Relational):
            self._turn(e.lhs - e.rhs)
            return e.func(self._abstract(e.lhs - e.rhs), 0)
        if isinstance(e, (sp.Abs, sp.sign, sp.Heaviside)):
            self._turn(e.args[0])
        if isinstance(e, (sp.Max, sp.Min)):
            for left, right in combinations(e.args, 2):
                self._turn(left - right)
        if isinstance(e, sp.Pow) and e.exp.has(self.variable):
            return _power(self._abstract(e.exp * sp.log(e.base), context))
        polynomial = isinstance(e, sp.Pow) and e.exp.is_integer and e.exp.is_positive
        below = context if isinstance(e, (sp.Add, sp.Mul)) or (polynomial and context == "smooth") else ""
        return e.func(*(self._abstract(argument, below) for argument in e.args))

    def _turn(self, e: sp.Expr) -> None:
        """Note where the expression changes sign: exactly if it is linear, else it is left to a search."""
        form = linear(e, self.variable)
        if form is None:
            self._turns.setdefault(e)
        else:
            zero = plain((-form[1] / form[0]).xreplace(self._values))
            if zero.is_finite:  # else the slope of the form is 0 at these numbers
                self._zeros.setdefault(zero)


def demand_numbers(variable: sp.Symbol, expressions: tuple[sp.Expr, ...], bindings: Bindings) -> None:
    """Raises ParameterError unless the expressions have no symbol without a value but the variable."""
    values = dict(bindings)
    foreign = set().union(*(e.free_symbols for e in expressions)) - {variable} - set(values)
    foreign |= set().union(*(value.free_symbols for value in values.values()))
    unknown = set().union(*(e.atoms(AppliedUndef) for e in expressions))
    if foreign or unknown:
        names = ", ".join(sorted(map(str, foreign | unknown)))
        raise ParameterError(f"the oracle needs numbers, but {names} has no value; bind it first")


@lru_cache(maxsize=1024)
def compiled(variable: sp.Symbol, expressions: tuple[sp.Expr, ...], bindings: Bindings = ()) -> Integrand:
    return Integrand(variable, expressions, bindings)


def linear(e: Any, x: sp.Symbol) -> tuple[sp.Expr, sp.Expr] | None:
    """(a, b) if the expression is written as a*x + b with a != 0, else None."""
    if e == x:
        return sp.S.One, sp.S.Zero
    if isinstance(e, sp.Add):
        parts = [linear(term, x) for term in e.args if term.has(x)]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        slope = sp.Add(*(a for a, _ in known))
        offset = sp.Add(*(b for _, b in known), *(term for term in e.args if not term.has(x)))
        return None if slope == 0 else (slope, offset)
    if isinstance(e, sp.Mul):
        inner = [factor for factor in e.args if factor.has(x)]
        form = linear(inner[0], x) if len(inner) == 1 else None
        if form is None:
            return None
        rest = sp.Mul(*(factor for factor in e.args if factor is not inner[0]))
        return rest * form[0], rest * form[1]
    return None


def number(e: sp.Expr) -> mp.mpf:
    """A real SymPy number in the working precision."""
    if e.is_Rational:
        return mp.mpf(e.p) / e.q
    if e.is_infinite:
        return mp.inf if e.is_extended_positive else -mp.inf
    return mp.mpf(e._to_mpmath(mp.mp.prec + 20))
