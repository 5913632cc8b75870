"""Where parameters and outcomes live: intervals of the real line and of the integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean


@dataclass(frozen=True)
class Interval:
    """The support of a distribution; its ends may be expressions in the parameters."""

    lower: sp.Expr
    upper: sp.Expr
    periodic: bool = False

    def subs(self, values: dict[sp.Symbol, sp.Expr]) -> Interval:
        return Interval(self.lower.xreplace(values), self.upper.xreplace(values), self.periodic)


@dataclass(frozen=True)
class Domain:
    """The interval of real numbers, or of integers, that a parameter ranges over.

    Formulas are derived in the interior. A closed end belongs to the domain of the numbers:
    there the formula holds by continuity (0 log 0 = 0).
    """

    name: str
    lower: sp.Expr
    upper: sp.Expr
    left_closed: bool = False
    right_closed: bool = False
    integer: bool = False
    typical: tuple[float, float] = (0.6, 2.5)

    @property
    def assumptions(self) -> dict[str, bool]:
        """What SymPy may assume of a symbol in the interior; an integer at a closed end is no limit of others."""
        facts = {"real": True} if not self.integer else {"integer": True}
        if self.lower.is_nonnegative:
            reached = self.integer and self.left_closed and self.lower == 0
            facts["nonnegative" if reached else "positive"] = True
        return facts

    def symbol(self, name: str) -> sp.Symbol:
        return sp.Symbol(name, **self.assumptions)

    def symbols(self, names: str) -> Any:
        """Symbols of this domain, by names separated by spaces, as `sympy.symbols` gives them."""
        return sp.symbols(names, **self.assumptions)

    def __call__(self, symbol: sp.Symbol, low: float | None = None, high: float | None = None) -> Parameter:
        first, last = self.typical
        return Parameter(symbol, self, (first if low is None else low, last if high is None else high))

    def contains(self, value: sp.Expr) -> Boolean:
        """The condition under which the value lies in the domain: true or false for a number."""
        left = sp.Ge(value, self.lower) if self.left_closed else sp.Gt(value, self.lower)
        right = sp.Le(value, self.upper) if self.right_closed else sp.Lt(value, self.upper)
        whole = sp.Eq(value, sp.floor(value)) if self.integer else sp.true
        if self.lower == -sp.oo:
            left = sp.Gt(value, -sp.oo) if value.is_number else sp.true
        if self.upper == sp.oo:
            right = sp.Lt(value, sp.oo) if value.is_number else sp.true
        return sp.And(left, right, whole)

    def __str__(self) -> str:
        left, right = "[" if self.left_closed else "(", "]" if self.right_closed else ")"
        span = f"{left}{self.lower}, {self.upper}{right}"
        return f"integers in {span}" if self.integer else span


@dataclass(frozen=True)
class Outcome:
    """The set that the outcomes of a family of arrays fill: its name, its dimensions, and the sum of counts."""

    name: str
    size: Any = sp.S.Zero
    total: Any = None
    columns: Any = sp.S.One
    discrete: bool = False


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family: its symbol, its domain and a range of everyday values."""

    symbol: sp.Symbol
    domain: Domain
    typical: tuple[float, float]

    @property
    def name(self) -> str:
        return str(self.symbol.name)


real = Domain("real", -sp.oo, sp.oo, typical=(-1.5, 1.5))
positive = Domain("positive", sp.S.Zero, sp.oo)
nonnegative = Domain("nonnegative", sp.S.Zero, sp.oo, left_closed=True)
above_one = Domain("greater than 1", sp.S.One, sp.oo, typical=(2.0, 4.5))
unit = Domain("open unit interval", sp.S.Zero, sp.S.One, typical=(0.15, 0.85))
probability = Domain("probability", sp.S.Zero, sp.S.One, True, True, typical=(0.15, 0.85))
positive_probability = Domain("positive probability", sp.S.Zero, sp.S.One, False, True, typical=(0.15, 0.85))
below_one = Domain("half-open unit interval", sp.S.Zero, sp.S.One, True, False, typical=(0.15, 0.85))
counting = Domain("counting number", sp.S.Zero, sp.oo, True, integer=True, typical=(2, 6))
integer = Domain("integer", -sp.oo, sp.oo, integer=True, typical=(-3, 5))

real_line = Interval(-sp.oo, sp.oo)
half_line = Interval(sp.S.Zero, sp.oo)
unit_interval = Interval(sp.S.Zero, sp.S.One)
circle = Interval(-sp.pi, sp.pi, periodic=True)
