"""Expressions as linear combinations of atoms in one coordinate: {atom: coefficient}.

The coordinate is positive or real as its symbol says; logarithms and powers of products are split,
since every factor that meets the coordinate in a log density is positive on the support.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

Combination = dict[sp.Expr, sp.Expr]
ONE = sp.S.One


def linear(expr: sp.Expr, y: sp.Symbol) -> Combination:
    """The combination that equals expr, coefficients free of y.

    >>> a, y = sp.symbols("a y", positive=True)
    >>> linear(sp.log(3 * y**a) + (y - a) ** 2, y) == {1: a**2 + sp.log(3), sp.log(y): a, y: -2 * a, y**2: 1}
    True
    """
    if y not in expr.free_symbols:
        return {ONE: expr}
    if expr.is_Add:
        return combine((linear(term, y), ONE) for term in expr.args)
    if expr.is_Mul:
        product: Combination = {ONE: ONE}
        for factor in expr.args:
            product = multiply(product, linear(factor, y))
        return product
    if isinstance(expr, sp.exp):
        return exponential(linear(expr.exp, y))
    if expr.is_Pow:
        return _power(expr, y)
    if isinstance(expr, sp.log):
        return _logarithm(linear(expr.args[0], y), y)
    if isinstance(expr, sp.Abs):
        return _modulus(linear(expr.args[0], y))
    if isinstance(expr, (sp.cos, sp.sin)):
        return _trigonometric(expr, y)
    if isinstance(expr, sp.loggamma):
        return {sp.loggamma(rebuild(linear(expr.args[0], y))): ONE}
    return {expr: ONE}


def combine(parts: Iterable[tuple[Combination, sp.Expr]]) -> Combination:
    """sum of factor * combination, atoms with coefficient 0 dropped."""
    gathered: dict[sp.Expr, list[sp.Expr]] = {}
    for combination, factor in parts:
        for atom, coefficient in combination.items():
            gathered.setdefault(atom, []).append(coefficient * factor)
    total = {}
    for atom, coefficients in gathered.items():
        coefficient = sp.Add(*coefficients)
        if len(coefficients) > 1 and coefficient.is_Add:
            coefficient = cancelled(coefficient)
        if coefficient != 0:
            total[atom] = coefficient
    return total


def cancelled(total: sp.Expr) -> sp.Expr:
    """The sum itself, or its expanded form if that is shorter (terms that cancel after expansion)."""
    expanded = sp.expand_log(sp.expand(total))
    count = len(sp.Add.make_args(total))
    return expanded if len(sp.Add.make_args(expanded)) < count else total


def multiply(left: Combination, right: Combination) -> Combination:
    return combine(({a * b: c * d}, ONE) for a, c in left.items() for b, d in right.items())


def rebuild(combination: Combination) -> sp.Expr:
    return sp.Add(*(coefficient * atom for atom, coefficient in combination.items()))


def exponential(exponent: Combination) -> Combination:
    """exp(c0 + sum c_i a_i) = exp(c0) prod exp(c_i a_i), with exp(c log u) = u^c."""
    exponent = dict(exponent)
    factor = sp.exp(exponent.pop(ONE, sp.S.Zero))
    atom = sp.Mul(*(a.args[0] ** c if isinstance(a, sp.log) else sp.exp(c * a) for a, c in exponent.items()))
    return {atom: factor}


def _power(expr: sp.Expr, y: sp.Symbol) -> Combination:
    base, exponent = expr.base, expr.exp
    if y in exponent.free_symbols:
        return exponential(linear(exponent * sp.log(base), y))
    terms = linear(base, y)
    if len(terms) == 1:
        ((atom, coefficient),) = terms.items()
        return {_monomial_power(atom, exponent): coefficient**exponent}
    if exponent.is_Integer and exponent.is_positive and exponent <= 12:
        product = terms
        for _ in range(int(exponent) - 1):
            product = multiply(product, terms)
        return product
    pivot, factor, rest = _normalised(terms)
    return {_monomial_power(pivot, exponent) * rest**exponent: factor**exponent}


def _monomial_power(atom: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    return sp.Mul(
        *(
            sp.exp(f.exp * exponent)
            if isinstance(f, sp.exp)
            else f.base ** (f.exp * exponent)
            if f.is_Pow
            else f**exponent
            for f in sp.Mul.make_args(atom)
        )
    )


def _logarithm(inside: Combination, y: sp.Symbol) -> Combination:
    """log(c a) = log c + log a, log(c0 + c1 a) = log c0 + log(1 + (c1/c0) a) where c0 > 0, log(a/b) = log a - log b."""
    if len(inside) == 1:
        ((atom, coefficient),) = inside.items()
        return combine([({ONE: _log_constant(coefficient)}, ONE), (_log_monomial(atom, y), ONE)])
    if (denominator := _denominator(inside)) is not None:
        above = combine((linear(sp.expand_mul(atom * denominator), y), c) for atom, c in inside.items())
        return combine([(_logarithm(above, y), ONE), (linear(sp.log(denominator), y), -ONE)])
    pivot, factor, rest = _normalised(inside)
    return combine([({ONE: _log_constant(factor), sp.log(rest): ONE}, ONE), (_log_monomial(pivot, y), ONE)])


def _bases(atom: sp.Expr) -> list[sp.Expr]:
    """The sums that a product is divided by."""
    return [f.base for f in sp.Mul.make_args(atom) if f.is_Pow and f.base.is_Add and f.exp.is_Integer and f.exp < 0]


def _denominator(inside: Combination) -> sp.Expr | None:
    """The sum that some of the terms are divided by, if it is one."""
    found = {base for atom in inside for base in _bases(atom)}
    return found.pop() if len(found) == 1 else None


def _log_constant(constant: sp.Expr) -> sp.Expr:
    return sp.expand_log(sp.log(constant))


def _log_monomial(atom: sp.Expr, y: sp.Symbol) -> Combination:
    logs: Combination = {}
    for factor in sp.Mul.make_args(atom):
        if factor == 1:
            continue
        if isinstance(factor, sp.exp):
            part = linear(factor.exp, y)
        elif factor.is_Pow:
            part = {sp.log(factor.base): factor.exp}
        else:
            part = {sp.log(factor): ONE}
        logs = combine([(logs, ONE), (part, ONE)])
    return logs


def _normalised(terms: Combination) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """(pivot, factor, rest) with sum = factor * pivot * rest and rest = 1 + ... where that is certain."""
    pivot = ONE if ONE in terms else min(terms, key=sp.default_sort_key)
    factor = terms[pivot]
    if len(terms) > 2 or not factor.is_positive or any(a.has(sp.cos, sp.sin) for a in terms):
        return ONE, ONE, rebuild(terms)
    return pivot, factor, sp.Add(ONE, *(c / factor * (a / pivot) for a, c in terms.items() if a != pivot))


def _modulus(inside: Combination) -> Combination:
    """|c0 + c1 a| = |c1| |a + c0/c1|; the bars go where every term has one sign."""
    signs = {(c * a).is_nonnegative for a, c in inside.items()}, {(c * a).is_nonpositive for a, c in inside.items()}
    if signs[0] == {True}:
        return inside
    if signs[1] == {True}:
        return combine([(inside, sp.S.NegativeOne)])
    rest = {a: c for a, c in inside.items() if a != ONE}
    if len(rest) != 1:
        return {sp.Abs(rebuild(inside)): ONE}
    ((atom, slope),) = rest.items()
    offset = inside.get(ONE, sp.S.Zero) / slope
    return {sp.Abs(atom + offset): sp.Abs(slope)}


def _trigonometric(expr: sp.Expr, y: sp.Symbol) -> Combination:
    """cos(c +- y) and sin(c +- y) by the addition theorems."""
    inside = dict(linear(expr.args[0], y))
    phase = inside.pop(ONE, sp.S.Zero)
    angle = rebuild(inside)
    if phase == 0 or angle not in (y, -y):
        return {expr: ONE}
    sign = 1 if angle == y else -1
    if isinstance(expr, sp.cos):
        return {sp.cos(y): sp.cos(phase), sp.sin(y): -sign * sp.sin(phase)}
    return {sp.cos(y): sp.sin(phase), sp.sin(y): sign * sp.cos(phase)}
