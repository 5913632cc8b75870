"""Finite-remainder arithmetic: a divergence as the part of its closed form that is of second order at P = Q.

A closed form K is taken as a function of coordinates that move from their values at P = Q (`base`) by known
differences. For each subexpression u five columns are carried: its value at the base, its value, the difference
D = u - u_base, the linear part of D, and the remainder R = D - linear, all formed from the differences alone. K and
its linear part vanish at P = Q, so K = R(K) exactly, with nothing left that cancels to first order. It is a relative of
divided-difference arithmetic (Kahan and Fateman, Symbolic computation of divided differences, SIGSAM Bull. 33, 1999).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import sympy as sp

from .rewrites import head


class NoRule(Exception):
    """The arithmetic has no rule for a function."""


class Column(NamedTuple):
    base: sp.Expr
    value: sp.Expr
    difference: sp.Expr
    linear: sp.Expr
    remainder: sp.Expr


@dataclass(frozen=True)
class Moving:
    """A coordinate that moves: its symbol, its value at P = Q, and the symbol of how far it has moved."""

    symbol: sp.Symbol
    base: sp.Expr
    step: sp.Symbol


Rules = tuple[tuple[type, Callable[..., Column]], ...]


class Arithmetic:
    """The five columns of expressions in the moving coordinates; what it has no rule for raises NoRule.

    Other `rules` than its own are tried in their order.
    """

    def __init__(self, moving: Mapping[sp.Symbol, Moving], rules: Rules | None = None) -> None:
        self.moving, self.rules = moving, RULES if rules is None else rules
        self.start = {symbol: coordinate.base for symbol, coordinate in moving.items()}
        self.known: dict[sp.Expr, Column] = {}

    def __call__(self, expr: sp.Expr) -> Column:
        if expr not in self.known:
            self.known[expr] = self._columns(expr)
        return self.known[expr]

    def at_base(self, expr: sp.Expr) -> sp.Expr:
        return expr.xreplace(self.start)

    def _columns(self, expr: sp.Expr) -> Column:
        if not expr.free_symbols & self.moving.keys():
            return Column(expr, expr, sp.S.Zero, sp.S.Zero, sp.S.Zero)
        if expr.is_Symbol:
            step = self.moving[expr].step
            return Column(self.moving[expr].base, expr, step, step, sp.S.Zero)
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul:
            return self._product(expr)
        if expr.is_Pow and not isinstance(expr, sp.exp):
            return self._power(expr)
        for function, rule in self.rules:
            if isinstance(expr, function):
                columns = tuple(map(self, expr.args))
                return rule(self, expr, *columns)
        raise NoRule(f"{expr.func.__name__} has no remainder rule")

    def _sum(self, expr: sp.Expr) -> Column:
        parts = [self(term) for term in expr.args]
        rest = (sp.Add(*(part[k] for part in parts)) for k in (2, 3, 4))
        return Column(self.at_base(expr), expr, *rest)

    def _product(self, expr: sp.Expr) -> Column:
        c, depending = expr.as_independent(*self.moving, as_Add=False)
        factors = sorted(sp.Mul.make_args(depending), key=self._precedence)
        total = reduce(_times, map(self, factors))
        return Column(*(c * part for part in total))

    def _precedence(self, factor: sp.Expr) -> tuple[bool, bool, object]:
        """Factors without linear part last: then the product's remainder has no term D * linear."""
        column = self(factor)
        return (column.linear == 0, column.base == 0, sp.default_sort_key(factor))

    def _power(self, expr: sp.Expr) -> Column:
        base, exponent = expr.args
        u = self(base)
        if exponent.free_symbols:
            return self(sp.exp(exponent * sp.log(base), evaluate=False))
        if exponent == 2:
            return Column(
                u.base**2, expr, u.difference * (u.base + u.value),
                2 * u.base * u.linear, 2 * u.base * u.remainder + u.difference**2,
            )  # fmt: skip
        if exponent.is_Integer and exponent > 2:
            return reduce(_times, [u] * int(exponent))
        if exponent == -1:
            d = u.difference
            square = d**2 / (u.base**2 * u.value) - u.remainder / u.base**2
            return Column(1 / u.base, expr, -d / (u.base * u.value), -u.linear / u.base**2, square)
        if exponent.is_negative:
            return self(sp.Pow(sp.Pow(base, -exponent), -1, evaluate=False))
        if exponent == sp.S.Half:
            first, second, d = sp.sqrt(u.base), sp.sqrt(u.value), u.difference
            if first == 0:
                root = sp.sqrt(d)
                return Column(first, expr, root, sp.nan, sp.nan)
            remainder = u.remainder / (2 * first) - d**2 / (2 * first * (first + second) ** 2)
            return Column(first, expr, d / (first + second), u.linear / (2 * first), remainder)
        raise NoRule(f"the power {exponent} has no remainder rule")


def _times(u: Column, v: Column) -> Column:
    """(uv)_2 - (uv)_1, and that less its linear part, where v comes with a linear part of 0 if either does."""
    difference = u.value * v.difference + v.base * u.difference
    linear = u.base * v.linear + v.base * u.linear
    remainder = v.base * u.remainder + u.value * v.remainder + u.difference * v.linear
    return Column(u.base * v.base, u.value * v.value, difference, linear, remainder)


def _log(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """R(log u) = R(u)/u_1 - phi(u_1, u_2, D)"""
    ratio = head("log_ratio")(u.base, u.value, u.difference)
    if u.linear == 0 or (not u.linear.has(sp.Function) and sp.cancel(sp.together(u.linear)) == 0):
        return Column(sp.log(u.base), expr, ratio, sp.S.Zero, ratio)
    remainder = u.remainder / u.base - head("phi")(u.base, u.value, u.difference)
    return Column(sp.log(u.base), expr, ratio, u.linear / u.base, remainder)


def _exp(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """R(exp u) = exp(u_1) (e2(D) + R(u))"""
    factor = sp.exp(u.base)
    e2, expm1 = head("e2")(u.difference), head("expm1")(u.difference)
    return Column(factor, expr, factor * expm1, factor * u.linear, factor * (e2 + u.remainder))


def _entropic(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """R(u log u) = (1 + log u_1) R(u) + klrem(u_2, u_1, -D)"""
    slope = sp.log(u.base) + 1
    excess = head("klrem")(u.value, u.base, -u.difference)
    return Column(
        u.base * sp.log(u.base), expr, slope * u.difference + excess, slope * u.linear, slope * u.remainder + excess
    )


def _loggamma(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """R(lgamma u) = lgrem(u_1, u_2, D) + psi(u_1) R(u)"""
    arguments, slope = (u.base, u.value, u.difference), sp.polygamma(0, u.base)
    remainder = head("lgrem")(*arguments) + slope * u.remainder
    difference = head("lgamma_difference")(*arguments)
    return Column(sp.loggamma(u.base), expr, difference, slope * u.linear, remainder)


def _reduced(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """The same for G(x) = lgamma x - x log x + x, whose derivative is psi(x) - log x."""
    arguments, slope = (u.base, u.value, u.difference), sp.polygamma(0, u.base) - sp.log(u.base)
    difference = (
        head("lgamma_difference")(*arguments)
        - sp.log(u.base) * u.difference
        - head("klrem")(u.value, u.base, -u.difference)
    )
    base = sp.loggamma(u.base) - u.base * sp.log(u.base) + u.base
    return Column(base, expr, difference, slope * u.linear, head("grem")(*arguments) + slope * u.remainder)


def _log_beta(arithmetic: Arithmetic, expr: sp.Expr, a: Column, b: Column) -> Column:
    """R(log B(a, b)) = lbetarem(...) + (psi(a_1) - psi(s_1)) R(a) + (psi(b_1) - psi(s_1)) R(b), s = a + b"""
    s = Column(*(x + y for x, y in zip(a, b, strict=True)))
    psi = [sp.polygamma(0, x.base) for x in (a, b, s)]
    own = head("lbetarem")(a.base, b.base, a.value, b.value, a.difference, b.difference)
    parts = [_loggamma(arithmetic, expr, x) for x in (a, b, s)]
    linear = (psi[0] - psi[2]) * a.linear + (psi[1] - psi[2]) * b.linear
    remainder = own + (psi[0] - psi[2]) * a.remainder + (psi[1] - psi[2]) * b.remainder
    total = [parts[0][k] + parts[1][k] - parts[2][k] for k in range(3)]
    return Column(total[0], expr, total[2], linear, remainder)


def _polygamma(arithmetic: Arithmetic, expr: sp.Expr, n: Column, u: Column) -> Column:
    """Differences of psi and psi' alone: a derivative has no use for their remainders."""
    names = {0: "digamma_difference", 1: "trigamma_difference"}
    if n.value not in names:
        raise NoRule(f"polygamma of order {n.value} has no rule")
    slope = sp.polygamma(n.value + 1, u.base)
    difference = head(names[n.value])(u.base, u.value, u.difference)
    linear = slope * u.linear
    return Column(sp.polygamma(n.value, u.base), expr, difference, linear, difference - linear)


def _cos(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """cos u - 1 = -2 sin(u/2)^2, from u_1 = 0"""
    if u.base != 0:
        raise NoRule("cos has a rule at 0 only")
    remainder = -2 * sp.sin(u.difference / 2) ** 2
    return Column(sp.S.One, expr, remainder, sp.S.Zero, remainder)


def _sin(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    if u.base != 0:
        raise NoRule("sin has a rule at 0 only")
    return Column(sp.S.Zero, expr, sp.sin(u.difference), u.linear, sp.sin(u.difference) - u.linear)


def _log_i0(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """R(log I0(u)) = log_i0_remainder(u_1, u_2, D) + I1(u_1)/I0(u_1) R(u)"""
    slope = head("bessel_ratio")(u.base)
    remainder = head("log_i0_remainder")(u.base, u.value, u.difference) + slope * u.remainder
    base = head("log_i0")(u.base)
    return Column(base, expr, head("log_i0")(u.value) - base, slope * u.linear, remainder)


entropic, reduced_lgamma, log_beta = head("entropic"), head("reduced_lgamma"), head("log_beta")

RULES: Rules = (
    (sp.log, _log),
    (sp.exp, _exp),
    (entropic, _entropic),
    (sp.loggamma, _loggamma),
    (reduced_lgamma, _reduced),
    (log_beta, _log_beta),
    (sp.polygamma, _polygamma),
    (sp.cos, _cos),
    (sp.sin, _sin),
    (head("log_i0"), _log_i0),
)
