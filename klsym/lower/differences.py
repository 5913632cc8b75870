"""The difference of two log densities of one family, from what their parameters differ by."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.family import Distribution
from .remainder import RULES, Arithmetic, Column, Moving, NoRule
from .rewrites import bessel_zero, head

# P and Q as members of one family.
Images = tuple[Distribution, Distribution]


def difference(images: Images, x: sp.Symbol, steps: dict[sp.Symbol, sp.Expr]) -> sp.Expr | None:
    """log p - log q, near P = Q right to its last digits; None where no rule is known.

    `steps` receives the symbols of the differences of the parameters in it, and what they are.

    >>> from klsym import Exponential
    >>> p, q = Exponential.member("_p"), Exponential.member("_q")
    >>> difference((p, q), Exponential.variable, steps := {})
    step_rate#*x - log_ratio(rate_p, rate_q, step_rate#)
    """
    p, q = images
    moving, known = {}, {p.family.variable: x}
    for parameter, a, b in zip(p.family.parameters, p.values, q.values, strict=True):
        if a == b:
            known[parameter.symbol] = a
        else:
            step = sp.Symbol(f"step_{parameter.name}#", real=True)
            moving[parameter.symbol], steps[step] = Moving(parameter.symbol, a, step), b - a
    density = _logarithms(p.family.log_density.xreplace(known))
    arithmetic = Arithmetic(moving, _RULES)
    try:
        found = (
            sp.Piecewise(*_branches(arithmetic, density))
            if density.has(sp.Piecewise)
            else arithmetic(density).difference
        )
    except NoRule:
        steps.clear()
        return None
    values = {parameter.symbol: b for parameter, b in zip(p.family.parameters, q.values, strict=True)}
    return -found.xreplace(values)


def _logarithms(density: sp.Expr) -> sp.Expr:
    """log(c I_0(z)) -> log(c) + log_i0(z)"""
    return bessel_zero(density.replace(lambda e: isinstance(e, sp.log) and e.has(sp.besseli), sp.expand_log))


def _branches(arithmetic: Arithmetic, density: sp.Expr) -> Iterator[tuple[sp.Expr, Boolean]]:
    """The difference where P and Q are on the same of two branches, and that of the values elsewhere."""
    (choice,) = density.atoms(sp.Piecewise)
    if len(choice.args) != 2:
        raise NoRule("only two branches have a rule")
    after = choice.args[0].cond
    before = after.xreplace(arithmetic.start)
    for branch, here in zip(choice.args, (sp.And(after, before), sp.Not(sp.Or(after, before))), strict=True):
        yield arithmetic(density.xreplace({choice: branch.expr})).difference, here
    yield density - arithmetic.at_base(density), sp.true


def _only(base: sp.Expr, value: sp.Expr, found: sp.Expr) -> Column:
    """A column of which nobody asks more than the difference."""
    return Column(base, value, found, sp.nan, sp.nan)


def _size(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """|u_2| - |u_1| = D (u_1 + u_2)/(|u_1| + |u_2|)"""
    found = u.difference * (u.base + u.value) / (sp.Abs(u.base) + sp.Abs(u.value))
    return _only(sp.Abs(u.base), expr, found)


def _log_i0(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """log I_0(u_2) - log I_0(u_1) by its remainder"""
    slope = head("bessel_ratio")(u.base)
    found = head("log_i0_remainder")(u.base, u.value, u.difference) + slope * u.difference
    return _only(head("log_i0")(u.base), expr, found)


def _cos(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """cos u_2 - cos u_1 = -2 sin((u_1 + u_2)/2) sin(D/2)"""
    found = -2 * sp.sin((u.base + u.value) / 2) * sp.sin(u.difference / 2)
    return _only(sp.cos(u.base), expr, found)


def _other(arithmetic: Arithmetic, expr: sp.Expr, *columns: Column) -> Column:
    """A function without a rule, subtracted as it stands: it is one of the parameters."""
    base = expr.func(*(column.base for column in columns))
    return _only(base, expr, expr - base)


# What a difference alone needs comes before the arithmetic's own rules; a function that none knows is subtracted.
_RULES = ((sp.Abs, _size), (head("log_i0"), _log_i0), (sp.cos, _cos), *RULES, (sp.Function, _other))
