"""The integral of an exponential of |u(y) - t| under a law: the incomplete integrals on either side of the kink."""

from __future__ import annotations

import sympy as sp

from .flat import Flat
from .kernel import Kernel, Known
from .kinks import inverse, kinked
from .linear import ONE, Combination, combine, exponential

Pieces = list[tuple[sp.Expr, sp.Basic]]


def across(law: Kernel | Flat, y: sp.Symbol, exponent: Combination) -> Known | None:
    """E[exp(h)] = E[exp(h); Y < m] + E[exp(h); Y > m], where h is one combination on either side of m"""
    kinks = [atom for atom in exponent if isinstance(atom, sp.Abs)]
    kink = kinked(kinks[0], y) if len(kinks) == 1 else None
    place = None if kink is None else inverse(kink.u, y, kink.t)
    if kink is None or place is None:
        return None
    slope, rest = exponent[kinks[0]], {atom: c for atom, c in exponent.items() if atom != kinks[0]}
    below, above = (_product(combine([(rest, ONE), (side, slope)])) for side in (kink.below, kink.above))
    parts = law.expect_below(below[0], place), law.expect_above(above[0], place)
    wholes = [law.expect(atom) for atom, _ in (below, above)]
    needed = [(below, wholes[0], law.upper), (above, wholes[1], law.lower)]
    if None in parts or any(whole is None for _, whole, end in needed if end.is_finite):
        return None
    outside: Pieces = []
    for (_, factor), whole, end in needed:
        if end.is_finite and whole is not None:
            beyond = place >= end if end is law.upper else place <= end
            outside.append((whole.value * factor, beyond))
    inside = below[1] * parts[0] + above[1] * parts[1]
    value = sp.Piecewise(*outside, (inside, True)) if outside else inside
    tails = [whole.when for whole, end in zip(wholes, (law.lower, law.upper), strict=True) if whole and end.is_infinite]
    return Known(value, sp.And(*tails), "partial-tilt", f"split at y = {place}", open=True)


def _product(exponent: Combination) -> tuple[sp.Expr, sp.Expr]:
    ((atom, factor),) = exponential(exponent).items()
    return atom, factor
