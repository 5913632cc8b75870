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
    """E[log(c + b Y + a Y^2)] = 2 log((s + t + sqrt(b + 2 c + 2 s t))/4) under the arcsine law,

    s = sqrt(c), t = sqrt(a + b + c); 2 log((s + t)/2) where a = 0; and E[1/(c + b Y)] = 1/(s t)
    """
    y, half, kernel = branch.y, -sp.Rational(1, 2), branch.kernel
    if not isinstance(kernel, Kernel) or (*kernel.eta, kernel.upper) != (half, half, 1):
        return None
    base = atom.args[0] if isinstance(atom, sp.log) else _divisor(atom, y)
    terms = linear(base, y) if base is not None else {}
    if not {ONE, y} <= set(terms) <= {ONE, y, y**2}:
        return None
    c, d = terms[ONE], terms[y]
    s, t = sp.sqrt(c), sp.sqrt(sp.expand(sp.Add(*terms.values())))
    if not isinstance(atom, sp.log):
        quotients = {ONE: 1 / (s * t), y: (1 - s / t) / d, y**2: (half + 1 - (s - c / t) * s / d) / d}
        value = quotients.get(atom * base) if y**2 not in terms else None
    elif y**2 in terms:
        value = 2 * sp.log((s + t + sp.sqrt(d + 2 * c + 2 * s * t)) / 4)
    else:
        value = 2 * sp.log((s + t) / 2)
    why = "the equilibrium potential of an interval (Saff, Totik, Logarithmic Potentials, I.1)"
    return None if value is None else Known(value, sp.true, "potential", why)


def _divisor(atom: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """The sum that the atom is divided by."""
    bases = [f.base for f in sp.Mul.make_args(atom) if f.is_Pow and f.exp == -1 and f.base.is_Add]
    return bases[0] if len(bases) == 1 else None


def by_euler(branch: Branch, atom: sp.Expr) -> Known | None:
    """E[(c + d Y)^k] = (c + d)^k 2F1(-k, b; a + b; d/(c + d)) under a beta law (DLMF 15.6.1, 15.8.1)"""
    y, kernel = branch.y, branch.kernel
    if not isinstance(kernel, Kernel) or kernel.features != (sp.log(y), sp.log(1 - y)) or not atom.is_Pow:
        return None
    terms, k = linear(atom.base, y), atom.exp
    if set(terms) != {ONE, y} or y in k.free_symbols:
        return None
    a, b = (e + 1 for e in kernel.eta)
    end = sp.expand(terms[ONE] + terms[y])
    value = end**k * sp.hyper([-k, b], [a + b], sp.cancel(terms[y] / end))
    return Known(value, sp.true, "tilt", "Euler's integral; DLMF 15.6.1 and 15.8.1")


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


RULES: tuple[Rule, ...] = (by_kernel, by_splitting, by_potential, by_euler, by_mellin_barnes)


def expect(branch: Branch, atom: sp.Expr) -> Known | None:
    """E[atom] by the first rule that knows it."""
    for rule in RULES:
        if (known := rule(branch, atom)) is not None:
            return known
    return None
