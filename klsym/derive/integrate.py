"""The last resort: SymPy's integrate in a killable process, its answer accepted only where quadrature confirms it."""

from __future__ import annotations

import itertools
import random
from functools import lru_cache

import mpmath as mp
import sympy as sp

from ..core.errors import KlsymError
from ..core.worker import call
from .kernel import Kernel, Known, ratio

SECONDS = 12.0
DIGITS = 12


def by_integration(kernel: object, atom: sp.Expr) -> Known | None:
    """E[a(Y)] = (1/Z) int a(y) exp(eta . g(y)) dy, by a computer algebra system"""
    if not isinstance(kernel, Kernel) or kernel.y.is_integer:
        return None
    weight = sp.Mul(*(_power(g, e) for g, e in zip(kernel.features, kernel.eta, strict=True)))
    constants, integrand = _with_fresh_symbols(weight * atom, kernel.y)
    found = _integral(integrand, kernel.lower, kernel.upper)
    if found is None:
        return None
    value = found.xreplace(constants) * ratio(-kernel.log_z(*kernel.eta))
    return Known(value, sp.true, "integrate", "found by SymPy's integrate, confirmed by quadrature on both sides of 1")


def _power(feature: sp.Expr, e: sp.Expr) -> sp.Expr:
    return feature.args[0] ** e if isinstance(feature, sp.log) else sp.exp(e * feature)


def _with_fresh_symbols(integrand: sp.Expr, y: sp.Symbol) -> tuple[dict[sp.Symbol, sp.Expr], sp.Expr]:
    """The integrand in y = u with every coefficient a plain symbol: equal shapes then share one integration."""
    names: dict[sp.Expr, sp.Symbol] = {}

    def fresh(e: sp.Expr) -> sp.Expr:
        if e == y:
            return e
        if y in e.free_symbols:
            if e.is_Mul or e.is_Add:
                constant, rest = e.as_independent(y, as_Add=bool(e.is_Add))
                return e.func(fresh(constant), *(fresh(f) for f in e.func.make_args(rest)))
            return e.func(*(fresh(a) for a in e.args))
        if e.is_number:
            return e
        if e.is_Mul and e.args[0].is_number:
            return e.args[0] * fresh(sp.Mul(*e.args[1:]))
        facts = {"positive": True} if e.is_positive else {"real": True}
        return names.setdefault(e, sp.Symbol(f"c{len(names)}", **facts))

    shape = fresh(integrand).xreplace({y: sp.Symbol("u", **y.assumptions0)})
    return {symbol: value for value, symbol in names.items()}, shape


@lru_cache(maxsize=1024)
def _integral(integrand: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr | None:
    (u,) = (s for s in integrand.free_symbols if s.name == "u")
    try:
        found = call(_integrate, integrand, u, lower, upper, seconds=SECONDS)
    except KlsymError:
        return None
    return found if found is not None and _confirmed(found, integrand, u, lower, upper) else None


def _integrate(integrand: sp.Expr, u: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> sp.Expr | None:
    found = sp.unpolarify(sp.integrate(integrand, (u, lower, upper), conds="none"))
    return None if found.has(sp.Integral, sp.Sum, sp.nan, sp.zoo, sp.oo, u) else found


def _confirmed(found: sp.Expr, integrand: sp.Expr, u: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> bool:
    """Agreement with quadrature where each constant is below and above 1, and each condition true and false."""
    constants = sorted(found.free_symbols | integrand.free_symbols - {u}, key=str)
    draw = random.Random(3)
    sides = itertools.product((0, 1), repeat=min(len(constants), 3))
    conditions = {
        condition for piece in found.atoms(sp.Piecewise) for _, condition in piece.args if condition != sp.true
    }
    seen: set[tuple[object, object]] = set()
    for side in sides:
        point = {}
        for i, constant in enumerate(constants):
            above = side[i] if i < len(side) else draw.randint(0, 1)
            point[constant] = sp.Rational(draw.randint(1050, 2900) if above else draw.randint(300, 950), 1000)
        seen |= {(condition, condition.xreplace(point)) for condition in conditions}
        if not _agree(found.xreplace(point), integrand.xreplace(point), u, lower, upper):
            return False
    return all({(condition, sp.true), (condition, sp.false)} <= seen for condition in conditions)


def _agree(candidate: sp.Expr, integrand: sp.Expr, u: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> bool:
    f = sp.lambdify(u, integrand, "mpmath")
    with mp.workdps(20):
        try:
            value = candidate.evalf(20)
            if not value.is_real:
                return False
            if (lower, upper) == (-sp.oo, sp.oo):
                reference = mp.quad(lambda t: f(mp.sinh(t)) * mp.cosh(t), [-6, -3, -1, 0, 1, 3, 6])
            elif upper == sp.oo:
                ends = [-60, -20, -6, -2, 0, 1, 2, 3, 5]
                reference = mp.quad(lambda t: f(lower + mp.exp(t)) * mp.exp(t), ends)
            else:
                reference = mp.quad(f, [lower, (lower + upper) / 2, upper])
            return bool(abs(mp.mpmathify(value) - reference) <= mp.mpf(10) ** -DIGITS * (1 + abs(reference)))
        except (ArithmeticError, ValueError, TypeError, RecursionError, NotImplementedError):
            return False
