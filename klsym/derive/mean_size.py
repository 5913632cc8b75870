"""The mean size of a difference of two monotone functions that changes its sign once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from ..core.family import Distribution
from .kernel import Kernel
from .linear import linear
from .views import views


@dataclass(frozen=True)
class Crossing:
    """E|D| for D = a u^j - b u^k: where j and k differ, where they are equal, and the two exponents."""

    value: sp.Expr
    same: sp.Expr
    rates: tuple[sp.Expr, sp.Expr]


def crossing(law: Distribution, y: sp.Symbol, atoms: Sequence[sp.Expr], sizes: Sequence[sp.Expr]) -> Crossing | None:
    """E|D| = sign(j - k) (E D - 2 E[D; Y < m]) for D = a u^j - b u^k, which is 0 at m alone, u = y or exp(y)

    >>> from klsym import Exponential
    >>> y, k = sp.symbols("y k", positive=True)
    >>> round(crossing(Exponential(1), y, (y, y**2), (sp.Integer(1), sp.Integer(-2))).value.n(), 6)
    3.065307
    """
    (view, *_), logs = views(law), [linear(sp.log(atom), y) for atom in atoms]
    (branch, *more), (one, *rest) = view.branches, logs[0]
    if more or rest or list(logs[1]) != [one] or not isinstance(branch.kernel, Kernel) or branch.to_x != branch.y:
        return None
    rates = (logs[0][one], logs[1][one])
    ratio = -sizes[1] / sizes[0]
    if not (ratio.is_positive and sizes[0].is_positive):
        return None
    root = sp.expand_log(sp.log(ratio), force=True) / (rates[0] - rates[1])
    place = sp.exp(root) if one == sp.log(y) else root if one == y else None
    if place is None:
        return None
    # Where the two do not cross on the support, all of it lies on one side.
    lower, upper = law.support.lower, law.support.upper
    if one == y and lower.is_finite:
        place = sp.Max(place, lower)
    if upper.is_finite:
        place = sp.Min(place, upper)
    here = [atom.xreplace({y: branch.y}) for atom in atoms]
    whole = [known for atom in here if (known := branch.kernel.expect(atom)) is not None]
    if len(whole) < 2:
        return None
    if place == upper:
        parts = [known.value for known in whole]
    else:
        parts = [branch.kernel.expect_below(atom, place) for atom in here]
    below = [part for part in parts if part is not None]
    if len(below) < 2:
        return None
    parts = zip(sizes, whole, below, strict=True)
    value = sp.sign(rates[0] - rates[1]) * sp.Add(*(size * (mean.value - 2 * part) for size, mean, part in parts))
    return Crossing(value, sp.Abs(sp.Add(*sizes)) * whole[0].value, rates)
