"""Expressions in an outcome x over what a node has of it: linear forms in x, their logarithms, and constants.

A form is a x + b; seen from a place c it is (a c + b) + a (x - c), with the bracket formed exactly, so that no digit is
lost next to a place where it vanishes. Its logarithm is an argument of its own: x - c may be less than any double.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from .rewrites import head

# What is short enough to be written at each node again.
_INLINE = (sp.pi, sp.S.Half)

Form = tuple[sp.Expr, sp.Expr]


class Forms:
    """Collects the forms and constants of expressions; `write` answers with an expression over symbols for them."""

    def __init__(self, x: sp.Symbol, nodes: Iterable[sp.Symbol]) -> None:
        self.x, self.nodes = x, {x, *nodes}
        self.forms: dict[Form, tuple[sp.Symbol, sp.Symbol]] = {}
        self.constants: dict[sp.Expr, sp.Symbol] = {}

    def form(self, form: Form) -> tuple[sp.Symbol, sp.Symbol]:
        """The symbols of a form's value and of the logarithm of its size."""
        if form not in self.forms:
            names = (f"{kind}{len(self.forms)}" for kind in ("u", "l"))
            first, second = (sp.Symbol(name, real=True) for name in names)
            self.forms[form] = first, second
        return self.forms[form]

    def constant(self, expr: sp.Expr) -> sp.Expr:
        """The symbol of an expression without x."""
        if expr.is_Rational or expr in _INLINE:
            return expr
        if expr not in self.constants:
            sign = {"positive": True} if expr.is_positive else {"real": True}
            self.constants[expr] = sp.Symbol(f"k{len(self.constants)}", **sign)
        return self.constants[expr]

    def write(self, expr: Any) -> Any:
        """The expression over symbols."""
        if isinstance(expr, sp.Expr) and not expr.free_symbols & self.nodes:
            return self.constant(expr)
        if (form := linear(expr, self.x)) is not None:
            return self.form(form)[0]
        if isinstance(expr, sp.Symbol):
            return expr
        if isinstance(expr, (sp.Add, sp.Mul)):
            return self._collected(expr)
        if isinstance(expr, Relational):
            return expr.func(self.write(expr.lhs - expr.rhs), 0)
        if isinstance(expr, sp.log):
            return self._log(expr)
        if isinstance(expr, sp.Pow) and not isinstance(expr, sp.exp):
            return self._power(expr)
        return expr.func(*(self.write(argument) for argument in expr.args))

    def _collected(self, expr: sp.Expr) -> sp.Expr:
        """A sum or a product, what is constant of it as one."""
        constant, rest = expr.as_independent(*self.nodes, as_Add=isinstance(expr, sp.Add))
        parts = [self.write(part) for part in expr.func.make_args(rest)]
        found = expr.func(self.constant(constant), *parts)
        if found.is_Add and found.as_coeff_Add()[0] == 1 and isinstance(rest := 1 - found, sp.exp):
            return -head("expm1")(rest.args[0])
        return found

    def _size(self, expr: sp.Expr) -> sp.Expr | None:
        """The logarithm of |expr|, where it is a form."""
        inner = expr.args[0] if isinstance(expr, sp.Abs) else expr
        form = linear(inner, self.x)
        return None if form is None else self.form(form)[1]

    def _log(self, expr: sp.log) -> sp.Expr:
        (inside,) = expr.args
        if (size := self._size(inside)) is not None:
            return size
        constant, rest = inside.as_independent(*self.nodes, as_Add=False)
        if constant != 1 and (size := self._size(rest)) is not None:
            return size + self.constant(sp.log(constant))
        if (found := self._softplus(inside)) is not None:
            return found
        return sp.log(self.write(inside))

    def _softplus(self, inside: sp.Expr) -> sp.Expr | None:
        """log(a + b u^n) = log a + softplus(n log u + log(b/a)), for positive a and b; u^n may be beyond any double"""
        if not inside.is_Add:
            return None
        first, rest = inside.as_independent(*self.nodes, as_Add=True)
        factor, power = rest.as_independent(*self.nodes, as_Add=False)
        if power.is_Add or not (_positive(first) and _positive(factor)):
            return None
        base, exponent = power.as_base_exp()
        if isinstance(power, sp.exp):
            logarithm = self.write(power.args[0])
        elif self._size(base) is not None and (exponent.is_even or not exponent.is_Integer):
            logarithm = self.write(exponent) * self._size(base)
        else:
            return None
        # exp(-u) exp(c) with c constant is one exponential to SymPy.
        shift = self.constant(sp.log(factor) - sp.log(first))
        return self.constant(sp.log(first)) + head("softplus")(logarithm + shift)

    def _power(self, expr: sp.Pow) -> sp.Expr:
        base, exponent = expr.args
        if exponent.is_Rational:
            return self.write(base) ** exponent
        return sp.exp(self.write(exponent) * self.write(sp.log(base)))


def _positive(expr: sp.Expr) -> bool:
    """Whether a factor is positive; 1 - w is where w is a share, of which SymPy knows the sign alone."""
    return bool(expr.is_positive) or (expr.is_Add and all(a == 1 or (-a).is_Symbol for a in expr.args))


def linear(expr: Any, x: sp.Symbol) -> Form | None:
    """(a, b) if the expression is x or a sum written as a*x + b, else None."""
    if expr == x:
        return sp.S.One, sp.S.Zero
    if not isinstance(expr, sp.Add):
        return None
    offset, rest = expr.as_independent(x, as_Add=True)
    slopes = [term.as_independent(x, as_Add=False) for term in sp.Add.make_args(rest)]
    if any(factor != x for _, factor in slopes):
        return None
    return sp.Add(*(slope for slope, _ in slopes)), offset


def places(expr: sp.Expr, x: sp.Symbol) -> list[sp.Expr]:
    """Where the linear forms in an expression vanish: its kinks, its ends, and often its modes."""
    found: dict[sp.Expr, None] = {}
    waiting: list[Any] = [expr]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, Relational):
            inner = inner.lhs - inner.rhs
        if (form := linear(inner, x)) is not None:
            found[-form[1] / form[0]] = None
        else:
            waiting += inner.args
    return list(found)
