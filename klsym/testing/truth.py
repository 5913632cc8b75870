"""The true divergence at exact doubles: fast while points are tried, and twice over where one of them fails."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import mpmath as mp
import sympy as sp

from .. import divergences, oracles
from ..api import Formula, kl
from ..core.errors import KlsymError, UnderivableError
from ..core.value import Value
from .points import Members, Point

DIGITS = 25


@dataclass(frozen=True)
class Evidence:
    """The truth at one point for a person: the number to many digits, how it is known, and whether that is certain."""

    text: str
    proof: str
    certain: bool


class Truth:
    """KL(P || Q) of the members: by the formula, rounded right, where it has one, else by quadrature."""

    def __init__(self, of: Members) -> None:
        self.of = of
        self.measured = cache(self._measured)

    @cached_property
    def formula(self) -> Formula:
        return kl(*self.of.members)

    @cached_property
    def compiled(self) -> Any:
        """The formula in arithmetic of growing precision, None where it has none."""
        try:
            return self.formula.compile("exact")
        except UnderivableError:
            return None

    def __call__(self, point: Point) -> float:
        """The double nearest to the truth; NaN where it is not known."""
        value = math.nan
        if self.compiled is not None:
            value = float(self.compiled(*(point[s.name] for s in self.formula.parameters)))
        if math.isnan(value):
            found = self.measured(tuple(point.items()))
            value = float(found.mid) if found.vouched else math.nan
        return value

    def _measured(self, point: tuple[tuple[str, float], ...]) -> Value:
        """The integral or the sum of the definition."""
        values = {symbol: sp.Rational(dict(point)[symbol.name]) for symbol in self.of.symbols}
        p, q = (member.subs(values) for member in self.of.members)
        return oracles.measure(divergences.kl, p, q, DIGITS)

    def evidence(self, point: Point) -> Evidence:
        """The formula's value and the definition's, which share nothing but the densities."""
        second = self.measured(tuple(point.items()))
        try:
            first = self.formula.subs({name: sp.Rational(value) for name, value in point.items()}).evaluate(DIGITS)
        except KlsymError as error:
            return Evidence(
                mp.nstr(second.mid, 20), f"quadrature of the definition; no formula: {error}", second.vouched
            )
        text = mp.nstr(first.value, 20)
        if first.proof == "exact":
            return Evidence(text, first.why, True)
        if not second.vouched:
            return Evidence(text, f"the formula alone; quadrature could not follow: {second.note}", True)
        if first.value == second.mid:
            return Evidence(text, "the formula, and quadrature of the definition", True)
        gap = abs(first.value - second.mid)
        if gap > second.rad + abs(first.value) * mp.mpf(10) ** (3 - DIGITS):
            return Evidence(text, f"quadrature of the definition has {mp.nstr(second.mid, 20)}", False)
        return Evidence(
            text, f"the formula, and quadrature of the definition to {mp.nstr(max(gap, second.rad), 2)}", True
        )
