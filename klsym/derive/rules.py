"""The rules for one expectation, tried in order; a rule's docstring is its identity."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from ..core.mellin import Log1pMellin
from .kernel import Kernel, Known, Weighted
from .linear import ONE, linear
from .views import Branch

Rule = Callable[[Branch, sp.Expr], Known | None]


def by_kernel(branch: Branch, atom: sp.Expr) -> Known | None:
    """E[exp(s.g) prod g^n] = d^n Z(eta + s) / Z(eta), or the kernel's own rule"""
    return branch.kernel.expect(atom)


def by_splitting(branch: Branch, atom: sp.Expr) -> Known | None:
    """E|u - t| = E u - t + 2 E[t - u; u < t], the last by the incomplete normalising integral"""
    if not isinstance(atom, sp.Abs) or not isinstance(branch.kernel, Kernel | Weighted):
        return None
    terms = linear(atom.args[0], branch.y)
    offset = terms.pop(ONE, sp.S.Zero)
    if len(terms) != 1 or not set(terms.values()) <= {ONE, -ONE}:
        return None
    ((u, slope),) = terms.items()
    threshold = -offset / slope
    mean = branch.kernel.expect(u)
    place = _place(u, branch.y, threshold)
    if mean is None or place is None:
        return None
    m, increasing = place
    low, high = _range(u, branch.kernel, branch.y, increasing)
    shortfall = _shortfall(branch.kernel, u, threshold, m, increasing, mean.value)
    if shortfall is None:
        return None
    pieces = []
    if low != -sp.oo and not (threshold - low).is_positive:
        pieces.append((mean.value - threshold, threshold <= low))
    if high != sp.oo and not (high - threshold).is_positive:
        pieces.append((threshold - mean.value, threshold >= high))
    inside = mean.value - threshold + 2 * shortfall
    value = sp.Piecewise(*pieces, (inside, True)) if pieces else inside
    return Known(value, mean.when, "partial-tilt", f"split at y = {m}: E|u - t| = E u - t + 2 E[t - u; u < t]")


def _place(u: sp.Expr, y: sp.Symbol, t: sp.Expr) -> tuple[sp.Expr, bool] | None:
    """(m, increasing) with u(m) = t for the monotone atoms y^k, log y, exp(k y)."""
    if u == sp.log(y):
        return sp.exp(t), True
    if isinstance(u, sp.exp) and set(linear(u.exp, y)) == {y}:
        k = linear(u.exp, y)[y]
        return sp.log(t) / k, bool(k.is_positive)
    base, k = u.as_base_exp()
    if base == y and (k.is_positive or k.is_negative):
        return t ** (1 / k), bool(k.is_positive)
    return None


def _range(u: sp.Expr, kernel: Kernel | Weighted, y: sp.Symbol, increasing: bool) -> tuple[sp.Expr, sp.Expr]:
    alone = u.subs({s: 1 for s in u.free_symbols - {y}})
    ends = [sp.limit(alone, y, end, direction) for end, direction in ((kernel.lower, "+"), (kernel.upper, "-"))]
    return (ends[0], ends[1]) if increasing else (ends[1], ends[0])


def _shortfall(
    kernel: Kernel | Weighted, u: sp.Expr, t: sp.Expr, m: sp.Expr, increasing: bool, mean: sp.Expr
) -> sp.Expr | None:
    """E[t - u; u < t]"""
    if isinstance(u, sp.log):
        parts = [(c, k.log_shortfall and k.log_shortfall(m, *k.eta)) for c, k in kernel.tilts]
        return sp.Add(*(c * part for c, part in parts)) if parts and all(part for _, part in parts) else None
    mass, part = kernel.expect_below(ONE, m), kernel.expect_below(u, m)
    if mass is None or part is None:
        return None
    return t * mass - part if increasing else t * (1 - mass) - (mean - part)


def by_potential(branch: Branch, atom: sp.Expr) -> Known | None:
    """E[log(c + d Y)] = 2 log((sqrt(c) + sqrt(c + d))/2) under the arcsine law"""
    half, kernel = -sp.Rational(1, 2), branch.kernel
    if not isinstance(atom, sp.log) or not isinstance(kernel, Kernel) or (*kernel.eta, kernel.upper) != (half, half, 1):
        return None
    terms = linear(atom.args[0], branch.y)
    if set(terms) != {ONE, branch.y}:
        return None
    c, d = terms[ONE], terms[branch.y]
    value = 2 * sp.log((sp.sqrt(c) + sp.sqrt(sp.expand(c + d))) / 2)
    why = "the equilibrium potential of an interval (Saff, Totik, Logarithmic Potentials, I.1)"
    return Known(value, sp.true, "potential", why)


def by_mellin_barnes(branch: Branch, atom: sp.Expr) -> Known | None:
    """E[log(1 + c Y^k)] = (1/2 pi i) int pi/(s sin pi s) c^s E[Y^(ks)] ds, a Meijer G for rational k"""
    if not isinstance(atom, sp.log) or not isinstance(branch.kernel, Kernel | Weighted):
        return None
    terms = linear(atom.args[0], branch.y)
    if terms.pop(ONE, sp.S.Zero) != 1 or len(terms) != 1:
        return None
    ((power, c),) = terms.items()
    parts = [(weight, _log1p_mellin(kernel, power, c)) for weight, kernel in branch.kernel.tilts]
    if not parts or not c.is_positive or any(part is None for _, part in parts):
        return None
    value = sp.Add(*(weight * part for weight, part in parts))
    return Known(value, sp.true, "mellin-barnes", "Mathai, Saxena, Haubold, The H-Function, 1.2 and 2.9")


def _log1p_mellin(kernel: Kernel, power: sp.Expr, c: sp.Expr) -> sp.Expr | None:
    moments = kernel.mellin(power, *kernel.eta) if kernel.mellin else None
    if moments is None:
        return None
    coefficient, triples = c * moments[0], moments[1]
    if triples == ((ONE, ONE, ONE),):
        return sp.exp(1 / coefficient) * sp.expint(1, 1 / coefficient)
    return Log1pMellin(coefficient, *(part for triple in triples for part in triple))


RULES: tuple[Rule, ...] = (by_kernel, by_splitting, by_potential, by_mellin_barnes)


def expect(branch: Branch, atom: sp.Expr) -> Known | None:
    """E[atom] by the first rule that knows it."""
    for rule in RULES:
        if (known := rule(branch, atom)) is not None:
            return known
    return None
