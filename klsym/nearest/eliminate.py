"""Targeted algebra: a stationarity equation solved for one parameter, where it has a shape that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from ..core.derivation import Expectation, Step
from .equations import Median

Terms = dict[sp.Expr, sp.Expr]
Rule = Callable[[sp.Expr, sp.Symbol], "sp.Expr | None"]


@dataclass(frozen=True)
class Solution:
    """Parameters in terms of expectations and of those parameters whose equations are left."""

    solved: dict[sp.Symbol, sp.Expr]
    left: dict[sp.Symbol, sp.Expr]
    steps: tuple[Step, ...]


def eliminate(equations: dict[sp.Symbol, sp.Expr]) -> Solution:
    """The equations solved one parameter at a time, each by the first rule that knows its shape."""
    left, solved, steps = dict(equations), {}, []
    while found := _next(left):
        place, symbol, value, why = found
        del left[place]
        if place != symbol:
            left[place] = left.pop(symbol)
        left = {s: e.xreplace({symbol: value}) for s, e in left.items() if s != symbol}
        solved = {s: e.xreplace({symbol: value}) for s, e in solved.items()} | {symbol: value}
        steps.append(Step("solve", symbol, value, why=why))
    return Solution(solved, left, tuple(steps))


def _next(left: dict[sp.Symbol, sp.Expr]) -> tuple[sp.Symbol, sp.Symbol, sp.Expr, str] | None:
    """The plainest root of any of the equations: its own parameter's first."""
    for pairs in ([(s, s) for s in left], [(a, b) for a in left for b in left if a != b]):
        roots = [(place, symbol, *found) for place, symbol in pairs if (found := root(left[place], symbol))]
        if roots:
            return min(roots, key=lambda r: r[2].count_ops())
    return None


def root(equation: sp.Expr, symbol: sp.Symbol) -> tuple[sp.Expr, str] | None:
    """The root of the equation in the symbol, and the rule that found it; None where its shape is not known."""
    if (value := _median(equation, symbol)) is not None:
        return value, str(_median.__doc__)
    atoms = sorted(equation.atoms(Expectation, Median), key=str)
    if symbol not in equation.free_symbols or any(symbol in a.free_symbols for a in atoms):
        return None
    stand_ins = {a: sp.Dummy("m", positive=True) if positive(a) else sp.Dummy("m", real=True) for a in atoms}
    plain = equation.xreplace(stand_ins)
    for rule in RULES:
        value = rule(plain, symbol)
        if value is not None:
            return value.xreplace({d: a for a, d in stand_ins.items()}), str(rule.__doc__)
    return None


def positive(atom: sp.Expr) -> bool:
    """Whether an expectation is known to be positive: its integrand is, wherever the outcome may be."""
    return isinstance(atom, Expectation) and bool(atom.integrand.is_positive)


def _power(equation: sp.Expr, symbol: sp.Symbol) -> sp.Expr | None:
    """two powers of the parameter: a t^m + b t^n = 0"""
    terms = _by_power(sp.expand(equation), symbol) or _by_power(_numerator(equation), symbol)
    if terms is None or len(terms) != 2:
        return None
    (m, a), (n, b) = sorted(terms.items(), key=lambda pair: sp.default_sort_key(pair[0]))
    gap = sp.expand(n - m)
    if gap.could_extract_minus_sign():
        (m, a), (n, b), gap = (n, b), (m, a), -gap
    ratio = sp.cancel(-a / b) if (a / b).is_rational_function() else -a / b
    if gap == 1:
        return ratio
    return ratio ** (1 / gap) if symbol.is_positive else None


def _quadratic(equation: sp.Expr, symbol: sp.Symbol) -> sp.Expr | None:
    """a t^2 + b t + c = 0 with one positive root, as a and c have opposite signs"""
    terms = _by_power(_numerator(equation), symbol)
    if terms is None or not symbol.is_positive or len(terms) != 3:
        return None
    low = min(terms, key=lambda e: (not e.is_number, e if e.is_number else 0))
    if {e - low for e in terms} != {0, 1, 2}:
        return None
    c, b, a = (terms[low + k] for k in range(3))
    if not (sp.expand(a * c)).is_negative:
        return None
    return (-b / a + sp.sqrt((b / a) ** 2 - 4 * c / a)) / 2


def _exponential(equation: sp.Expr, symbol: sp.Symbol) -> sp.Expr | None:
    """a + b exp(c t) = 0"""
    constant, rate, factor = [], None, []
    for term in sp.Add.make_args(sp.expand(equation)):
        outside, inside = term.as_independent(symbol, as_Add=False)
        if inside == 1:
            constant.append(outside)
            continue
        slope = sp.expand(inside.exp / symbol) if isinstance(inside, sp.exp) else None
        if slope is None or symbol in slope.free_symbols or rate not in (None, slope):
            return None
        rate = slope
        factor.append(outside)
    if rate is None or not constant:
        return None
    return sp.log(sp.cancel(-sp.Add(*constant) / sp.Add(*factor))) / rate


def _angle(equation: sp.Expr, symbol: sp.Symbol) -> sp.Expr | None:
    """a cos(t) - b sin(t) = 0, at the maximum of a sin(t) + b cos(t)"""
    expanded = sp.expand(equation)
    a, b = expanded.coeff(sp.cos(symbol)), -expanded.coeff(sp.sin(symbol))
    if a == 0 or b == 0 or sp.expand(expanded - a * sp.cos(symbol) + b * sp.sin(symbol)) != 0:
        return None
    common = [f for f in sp.Mul.make_args(a) if f in sp.Mul.make_args(b) and (f.is_nonnegative or f.is_positive)]
    return sp.atan2(a / sp.Mul(*common), b / sp.Mul(*common))


def _median(equation: sp.Expr, symbol: sp.Symbol) -> sp.Expr | None:
    """c E[sign(g - t)] = 0 at the median of g"""
    outside, inside = equation.as_independent(*equation.atoms(Expectation), as_Add=False)
    if outside == 0 or not isinstance(inside, Expectation) or not isinstance(inside.integrand, sp.sign):
        return None
    argument = inside.integrand.args[0]
    slope = argument.coeff(symbol)
    rest = sp.expand(argument - slope * symbol)
    return Median(-rest / slope) if slope in (1, -1) and symbol not in rest.free_symbols else None


def _numerator(equation: sp.Expr) -> sp.Expr:
    return sp.expand(sp.fraction(sp.together(equation))[0])


def _by_power(expanded: sp.Expr, symbol: sp.Symbol) -> Terms | None:
    """{exponent: coefficient} of a sum of powers of the symbol; None where it is no such sum."""
    terms: Terms = {}
    for term in sp.Add.make_args(expanded):
        outside, inside = term.as_independent(symbol, as_Add=False)
        exponent = sp.S.Zero
        for factor in sp.Mul.make_args(inside):
            base, power = factor.as_base_exp()
            if inside != 1 and (base != symbol or symbol in power.free_symbols):
                return None
            exponent += power if inside != 1 else 0
        terms[exponent] = terms.get(exponent, sp.S.Zero) + outside
    return {e: c for e, c in terms.items() if c != 0}


RULES: tuple[Rule, ...] = (_power, _quadratic, _exponential, _angle)
