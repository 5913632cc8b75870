"""The Fisher-Rao distance: the least length of a curve of laws whose speed is the root of the Fisher information.

Parameters that P and Q share stay what they are along the curve. Of one parameter the length is an integral; of two,
in which the information is that of a location and a scale, the laws are a hyperbolic half plane (Atkinson and
Mitchell, Sankhya A 43, 1981; Miyamoto et al., arXiv 2304.14885).
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import product

import sympy as sp

from ..core.derivation import Case, Derivation, Expectation, Step
from ..core.divergence import Divergence
from ..core.family import Distribution, Family
from .definition import MEASURES, P
from .expand import expand
from .linear import ONE


def by_curve(divergence: Divergence, p: Distribution, q: Distribution) -> Derivation:
    """The distance of two members of one family, and the information that it comes from."""
    name = sp.Symbol(divergence.name)
    opening = Step("definition", name, sp.Function("length")(name), why=divergence.notation)
    moved = [i for i, (a, b) in enumerate(zip(p.values, q.values, strict=False)) if a != b]
    moving = {p.family.parameters[i].symbol for i in moved}
    why = "laws of two families" if p.family != q.family else irregular(p.family, moving)
    if why or len(moved) > 2:
        reason = why or "no distance is known where more than two parameters differ"
        return Derivation(divergence, p, q, (Case("undecided", sp.nan, sp.true, reason),), (opening,))
    if not moved:
        return Derivation(divergence, p, q, (Case("closed", sp.S.Zero, sp.true),), (opening,))
    symbols = [p.family.parameters[i].symbol for i in moved]
    shared = {s: v for i, (s, v) in enumerate(p.bindings.items()) if i not in moved}
    generic = Distribution(p.family, tuple(shared.get(s, s) for s in p.bindings))
    found = _information(generic, symbols)
    known = None
    if found is not None:
        ends = [[d.values[i] for i in moved] for d in (p, q)]
        known = (_line if len(moved) == 1 else _half_plane)(found[0], symbols, *ends)
    if found is None or known is None:
        # Along one parameter there is one curve, whose length is an integral.
        kind, value = ("numeric", _integral(symbols, p, q)) if len(moved) == 1 else ("undecided", sp.nan)
        case = Case(kind, value, sp.true, "no closed form of the distance is known")
        return Derivation(divergence, p, q, (case,), (opening,))
    value, why = known
    at = {s: d for s, d in zip(symbols, (p.values[i] for i in moved), strict=True)}
    steps = (_at(step, at) for step in found[1])
    insert = Step("length", name, value, why=why)
    return Derivation(divergence, p, q, (Case("closed", value, sp.true),), (opening, *steps, insert), found[2])


def irregular(family: Family, moving: Set[sp.Symbol] | None = None) -> str:
    """Why the mean curvature of the log density by these parameters, or all, is not the Fisher information, or ""."""
    moving = {p.symbol for p in family.parameters} if moving is None else moving
    ends = (family.support.lower.free_symbols | family.support.upper.free_symbols) & moving
    if ends:
        return f"its support depends on {', '.join(sorted(map(str, ends)))}"
    if any(p.domain.integer for p in family.parameters if p.symbol in moving):
        return "a parameter is an integer"
    kinks = family.log_density.atoms(sp.Abs, sp.Piecewise)
    if any(kink.free_symbols & moving for kink in kinks):
        return "its log density has a kink that moves with a parameter"
    return ""


def _at(step: Step, values: dict[sp.Symbol, sp.Expr]) -> Step:
    return Step(step.rule, step.lhs.xreplace(values), step.rhs.xreplace(values), step.when, step.why)


def _information(p: Distribution, symbols: list[sp.Symbol]):
    """The matrix of -E[d^2 log p], the steps and their coordinates; None where an expectation is not known."""
    x, entries, steps, coordinates = p.family.variable, {}, [], ()
    for i, a in enumerate(symbols):
        for b in symbols[i:]:
            inside = -sp.diff(p.log_density(x), a, b)
            if x not in inside.free_symbols:
                entries[a, b] = entries[b, a] = inside
                continue
            found = expand(p, MEASURES[P], ((ONE, sp.Lambda(x, inside)),), deep=False)
            if found.leftover or found.closed.has(sp.Derivative, sp.Subs, sp.nan, sp.zoo):
                return None
            entries[a, b] = entries[b, a] = found.closed
            steps += [step for step in found.steps if step.lhs.has(Expectation)]
            coordinates = found.coordinates
    return {key: _plain(entry) for key, entry in entries.items()}, steps, coordinates


def _plain(entry: sp.Expr) -> sp.Expr:
    free = entry.free_symbols
    return sp.cancel(sp.together(entry)) if entry.is_rational_function(*free) else sp.expand(entry)


def _line(information, symbols: list[sp.Symbol], first: list[sp.Expr], second: list[sp.Expr]):
    """The integral of the root of the information of one parameter"""
    (theta,), (a,), (b,) = symbols, first, second
    metric = information[theta, theta]
    for shape, length in LINES:
        size = _plain(metric / shape(theta))
        if theta not in size.free_symbols:
            return sp.sqrt(size) * length(a, b), length.__doc__ or ""
    k = _plain(theta * sp.diff(metric, theta) / metric)
    if theta in k.free_symbols or k == -2:
        return None
    size, power = sp.sqrt(_plain(metric / theta**k)), k / 2 + 1
    return size * sp.Abs(a**power - b**power) / sp.Abs(power), "int x^(k/2) dx = x^(k/2 + 1)/(k/2 + 1)"


def _integral(symbols: list[sp.Symbol], p: Distribution, q: Distribution) -> sp.Expr:
    (theta,) = symbols
    return sp.Integral(sp.sqrt(sp.Function("Fisher")(theta)), (theta, p.bindings[theta], q.bindings[theta]))


def _logarithm(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """int dx/x = log(b/a)"""
    return sp.Abs(sp.log(a) - sp.log(b))


def _angle(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """int dx/sqrt(x (1 - x)) = 2 (arcsin sqrt b - arcsin sqrt a), twice the angle of two unit vectors"""
    sine = sp.Abs(a - b) / (sp.sqrt(a * (1 - b)) + sp.sqrt(b * (1 - a)))
    return 4 * sp.atan(sine / (1 + sp.sqrt(a * b) + sp.sqrt((1 - a) * (1 - b))))


def _rapidity(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """int dx/(x sqrt(1 - x)) = 2 (artanh sqrt(1 - a) - artanh sqrt(1 - b))"""
    u, v = sp.sqrt(1 - a), sp.sqrt(1 - b)
    return 2 * sp.asinh(sp.Abs(a - b) / ((u + v) * sp.sqrt(a * b)))


LINES = (
    (lambda x: x**-2, _logarithm),
    (lambda x: 1 / (x * (1 - x)), _angle),
    (lambda x: 1 / (x**2 * (1 - x)), _rapidity),
)


def _half_plane(information, symbols: list[sp.Symbol], first: list[sp.Expr], second: list[sp.Expr]):
    """Of the metric (a dx^2 + 2 c dx ds + b ds^2)/s^2: 2 sqrt(h) arsinh of what a chord is, h = b - c^2/a

    With y = x + (c/a) s it is h (a dy^2/h + ds^2)/s^2 (Pinele, Strapasson, Costa, Entropy 22, 2020, equation 9).
    """
    for (x, of_x, slope_x), (s, of_s, slope_s) in _coordinates(symbols):
        scale = of_s(s)
        entries = ((x, x, slope_x**2), (x, s, slope_x * slope_s), (s, s, slope_s**2))
        a, c, b = (_plain(information[i, j] * scale**2 / slope) for i, j, slope in entries)
        if (a.free_symbols | b.free_symbols | c.free_symbols) & set(symbols):
            continue
        h = _plain(b - c**2 / a)
        place = dict(zip(symbols, zip(first, second, strict=True), strict=True))
        (x1, x2), (s1, s2) = ([of(end) for end in place[i]] for of, i in ((of_x, x), (of_s, s)))
        chord = sp.sqrt((a / h * (x1 - x2 + c / a * (s1 - s2)) ** 2 + (s1 - s2) ** 2) / (4 * s1 * s2))
        return 2 * sp.sqrt(h) * sp.asinh(chord), "a hyperbolic half plane"
    return None


def _coordinates(symbols: list[sp.Symbol]) -> Iterator:
    """Both parameters in either part, each as it is, its logarithm or its inverse, with the slope of that."""
    for x, s in (symbols, symbols[::-1]):
        charts = []
        for theta in (x, s):
            plain = [(theta, lambda t: t, ONE)]
            if theta.is_positive:
                plain += [(theta, sp.log, 1 / theta), (theta, lambda t: 1 / t, -1 / theta**2)]
            charts.append(plain)
        yield from product(*charts)
