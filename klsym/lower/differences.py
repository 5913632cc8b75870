"""The difference of two log densities of one family, from what their parameters differ by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import sympy as sp
from sympy.integrals.quadrature import gauss_legendre
from sympy.logic.boolalg import Boolean

from ..core.family import Distribution
from ..core.functions import Langevin, LogSinhc, ZetaDerivative
from .remainder import RULES, Arithmetic, Column, Moving, NoRule
from .rewrites import bessel_zero, head

# P and Q as members of one family.
Images = tuple[Distribution, Distribution]


class Difference(NamedTuple):
    """log p - log q, the symbols of the parameters' differences in it and what they are; and what is `lost`.

    Near P = Q it is right to its last digits, but for functions that are subtracted as they stand.
    """

    value: sp.Expr
    steps: dict[sp.Symbol, sp.Expr]
    lost: tuple[sp.Expr, ...]


def difference(images: Images, x: sp.Symbol) -> Difference | None:
    """log p - log q from what the parameters differ by; None where no rule is known.

    >>> from klsym import Exponential
    >>> p, q = Exponential.member("_p"), Exponential.member("_q")
    >>> difference((p, q), Exponential.variable).value
    step_rate#*x - log_ratio(rate_p, rate_q, step_rate#)
    """
    p, q = images
    moving, known, steps = {}, {p.family.variable: x}, {}
    for parameter, a, b in zip(p.family.parameters, p.values, q.values, strict=True):
        if a == b:
            known[parameter.symbol] = a
        else:
            step = sp.Symbol(f"step_{parameter.name}#", real=True)
            moving[parameter.symbol], steps[step] = Moving(parameter.symbol, a, step), b - a
    density = _logarithms(p.family.log_density.xreplace(known))
    lost: list[sp.Expr] = []
    arithmetic = Arithmetic(moving, (*_RULES, (sp.Function, _other(lost))))
    try:
        found = (
            sp.Piecewise(*_branches(arithmetic, density))
            if density.has(sp.Piecewise)
            else arithmetic(density).difference
        )
    except NoRule:
        return None
    values = {parameter.symbol: b for parameter, b in zip(p.family.parameters, q.values, strict=True)}
    return Difference(-found.xreplace(values), steps, tuple(lost))


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


def _by_slope(u: Column, slope: Callable[[sp.Expr], sp.Expr], apart: sp.Expr, near: sp.Expr) -> sp.Expr:
    """f(u_2) - f(u_1) as the integral of f', by a Gauss rule where |D| < near (DLMF 3.5.22); else `apart`"""
    terms = (weight * slope(u.base + share * u.difference) for share, weight in _GAUSS)
    return head("select")(sp.Lt(sp.Abs(u.difference), near), u.difference * sp.Add(*terms), apart)


def _log_sinhc(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """Its derivative is the Langevin function, with poles at multiples of i pi."""
    base = LogSinhc(u.base)
    return _only(base, expr, _by_slope(u, lambda v: Langevin(v), expr - base, sp.Rational(1, 10)))


def _zeta(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """zeta has a pole at 1."""
    base = sp.zeta(u.base)
    near = (u.base - 1) / 50
    return _only(base, expr, _by_slope(u, lambda s: ZetaDerivative(1, s), expr - base, near))


def _log(arithmetic: Arithmetic, expr: sp.Expr, u: Column) -> Column:
    """log I_nu(z_2) - log I_nu(z_1) = nu log(z_2/z_1) + the integral of I_nu+1(z)/I_nu(z) (DLMF 10.29.2)"""
    inside = expr.args[0]
    if isinstance(inside, sp.gamma):  # as SymPy writes loggamma of a whole number
        return _loggamma(arithmetic, expr, arithmetic(inside.args[0]))
    if not isinstance(inside, sp.besseli):
        return _logarithm(arithmetic, expr, u)
    nu, z = inside.args[0], arithmetic(inside.args[1])
    ive, base = head("ive"), sp.log(u.base)

    def ratio(at: sp.Expr) -> sp.Expr:
        tiny = sp.Lt(ive(nu, at), sp.Rational(1, 10**250))
        far = at / (nu + 1 + sp.sqrt((nu + 1) ** 2 + at**2))  # Amos, Math. Comp. 28, 1974
        return head("select")(tiny, far, ive(nu + 1, at) / ive(nu, at))

    power = nu * head("log_ratio")(z.base, z.value, z.difference)
    return _only(base, expr, power + _by_slope(z, ratio, expr - base - power, z.base / 20))


def _inside_log(arithmetic: Arithmetic, expr: sp.Expr, *columns: Column) -> Column:
    """What counts is its logarithm, which has a rule."""
    base = expr.func(*(column.base for column in columns))
    return _only(base, expr, expr - base)


def _other(lost: list[sp.Expr]) -> Callable[..., Column]:
    """A function without a rule is subtracted as it stands."""

    def rule(arithmetic: Arithmetic, expr: sp.Expr, *columns: Column) -> Column:
        base = expr.func(*(column.base for column in columns))
        lost.append(expr)
        return _only(base, expr, expr - base)

    return rule


def _gauss(count: int) -> list[tuple[sp.Expr, sp.Expr]]:
    """Nodes in (0, 1) and weights that sum to 1, to 30 digits."""
    nodes, weights = gauss_legendre(count, 30)
    return [(sp.Rational((1 + x) / 2), sp.Rational(w / 2)) for x, w in zip(nodes, weights, strict=True)]


_GAUSS = _gauss(5)
_logarithm, _loggamma = dict(RULES)[sp.log], dict(RULES)[sp.loggamma]

# What a difference alone needs comes before the arithmetic's own rules.
_RULES = (
    (sp.Abs, _size),
    (head("log_i0"), _log_i0),
    (sp.cos, _cos),
    (sp.log, _log),
    (sp.besseli, _inside_log),
    (sp.gamma, _inside_log),
    (LogSinhc, _log_sinhc),
    (sp.zeta, _zeta),
    *RULES,
)
