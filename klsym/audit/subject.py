"""One pair of families as something to be audited: its closed case, its columns of parameters, its conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from .. import divergences
from ..api import Formula, measured
from ..core.derivation import Case
from ..core.divergence import Divergence
from ..core.domain import Parameter
from ..core.errors import UnderivableError
from ..core.family import Distribution
from ..families import catalog
from .meetings import MEETINGS, Meeting
from .rules import DOUBLE, Rule

Points = NDArray[np.float64]
ORDERS: dict[Any, bool] = {sp.Lt: True, sp.Le: True, sp.Gt: False, sp.Ge: False}


@dataclass(frozen=True)
class Subject:
    """A pair with a closed form, the case that is audited, and where P and Q meet; a point is a row of parameters.

    The parameters are P's, Q's and the divergence's own. Those of P and Q are their families', or
    `arguments` where they are expressions in others: a rate 1/scale.
    """

    formula: Formula
    case: Case
    meeting: Meeting
    rule: Rule = DOUBLE
    arguments: tuple[tuple[Parameter, ...], tuple[Parameter, ...]] | None = None

    @property
    def name(self) -> str:
        return " || ".join(member.family.name for member in self.members)

    @property
    def divergence(self) -> Divergence:
        return self.formula.derivation.divergence

    @property
    def members(self) -> tuple[Distribution, ...]:
        """P and Q, those of them that the divergence is of."""
        return (self.formula.p, self.formula.q)[: self.divergence.arity]

    @cached_property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        if self.arguments is not None:
            return tuple(argument.symbol for side in self.arguments for argument in side)
        return self.formula.parameters

    @cached_property
    def names(self) -> list[str]:
        return [symbol.name for symbol in self.symbols]

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The parameter, with its domain, of each column."""
        if self.arguments is not None:
            return [argument for side in self.arguments for argument in side]
        own = [parameter for parameter, value in self.divergence.arguments if value.is_Symbol]
        return [*(a for d in self.members for a in d.family.parameters), *own]

    @cached_property
    def of_p(self) -> int:
        """How many of the columns are P's; those of Q come next."""
        return len(self.formula.p.values if self.arguments is None else self.arguments[0])

    @cached_property
    def of_both(self) -> int:
        """How many of the columns are P's or Q's; the rest are the divergence's own."""
        if self.arguments is not None:
            return len(self.symbols)
        return sum(len(member.values) for member in self.members)

    @cached_property
    def when(self) -> Any:
        """Where the case is the one that holds, and both distributions exist."""
        return self._where(self.case)

    def _where(self, case: Case) -> Any:
        earlier = self.formula.cases[: self.formula.cases.index(case)]
        constraints = (*(member.constraint for member in self.members), self.divergence.constraint)
        return sp.And(case.when, *(sp.Not(case.when) for case in earlier), *constraints)

    @cached_property
    def ties(self) -> list[tuple[int, int]]:
        """Columns (source, target) that the condition wants equal."""
        found = [e for e in sp.And.make_args(self.when) if isinstance(e, sp.Eq) and {e.lhs, e.rhs} <= set(self.symbols)]
        return [tuple(sorted((self.symbols.index(e.lhs), self.symbols.index(e.rhs)))) for e in found]  # type: ignore[misc]

    @cached_property
    def orders(self) -> list[tuple[int, int]]:
        """Columns (smaller, larger) that the condition wants in this order."""
        found = [e for e in sp.And.make_args(self.when) if type(e) in ORDERS and {e.lhs, e.rhs} <= set(self.symbols)]
        sides = [(e.lhs, e.rhs) if ORDERS[type(e)] else (e.rhs, e.lhs) for e in found]
        return [(self.symbols.index(a), self.symbols.index(b)) for a, b in sides]

    @cached_property
    def borders(self) -> list[tuple[int, list[Callable[[Points], Any]]]]:
        """For each of the divergence's own columns, the values at which an inequality of the condition turns."""
        found: list[tuple[int, list[Callable[[Points], Any]]]] = []
        for column, symbol in enumerate(self.symbols[self.of_both :], self.of_both):
            inequalities = [e.lhs - e.rhs for e in sp.And.make_args(self.when) if type(e) in ORDERS]
            linear = [(e, sp.expand(e).coeff(symbol)) for e in inequalities]
            turns = [
                -(sp.expand(e - c * symbol)) / c
                for e, c in linear
                if c != 0 and not (e - c * symbol).expand().has(symbol)
            ]
            found.append((column, [self._function(turn) for turn in turns if turn.free_symbols]))
        return found

    def _function(self, value: sp.Expr) -> Callable[[Points], Any]:
        function = sp.lambdify(self.symbols, value, "numpy")
        return lambda points: function(*points.T)

    @cached_property
    def _holds(self) -> Callable[..., Any]:
        return sp.lambdify(self.symbols, self.when, "numpy")

    @cached_property
    def _infinite(self) -> Callable[..., Any] | None:
        cases = [case for case in self.formula.cases if case.kind == "infinite"]
        return sp.lambdify(self.symbols, sp.Or(*map(self._where, cases)), "numpy") if cases else None

    @cached_property
    def movable(self) -> list[int]:
        """The columns whose change takes Q away from P: Q's, and those of P that the meeting fixes."""
        fixed = {self.names.index(name) for name in self.meeting}
        tied = {column for tie in self.ties for column in tie}
        return sorted((fixed | set(range(self.of_p, self.of_both))) - tied)

    @property
    def meets(self) -> bool:
        """Whether P and Q can be the same distribution."""
        return self.same or bool(self.meeting)

    @cached_property
    def same(self) -> bool:
        """Whether equal columns are equal distributions: one family, given in one way."""
        if self.formula.p.family is not self.formula.q.family or self.of_p == self.of_both:
            return False
        names = zip(self.symbols[: self.of_p], self.symbols[self.of_p : self.of_both], strict=False)
        return self.formula.p.subs(dict(names)) == self.formula.q

    def join(self, points: Points) -> None:
        """Move the points to where P and Q are equal, or in a meeting equal to rounding."""
        if self.same:
            points[:, self.of_p : self.of_both] = points[:, : self.of_p]
        columns: Mapping[str, Any] = {name: points[:, i] for i, name in enumerate(self.names)}
        for name, value in self.meeting.items():
            columns[name][:] = value(columns) if callable(value) else value

    def impose(self, points: Points) -> None:
        """Set equal what the condition wants equal, and order what it wants ordered."""
        for source, target in self.ties:
            points[:, target] = points[:, source]
        for _ in self.orders:
            for low, high in self.orders:
                pair = points[:, [low, high]]
                points[:, low], points[:, high] = pair.min(axis=1), pair.max(axis=1)

    def valid(self, points: Points) -> NDArray[np.bool_]:
        """The rows that lie in every domain and satisfy the condition."""
        return self._inside(points) & self._true(self._holds, points)

    def infinite(self, points: Points) -> NDArray[np.bool_]:
        """The rows that lie in every domain, and where a case says that the divergence is infinite."""
        if self._infinite is None:
            return np.zeros(len(points), bool)
        return self._inside(points) & self._true(self._infinite, points)

    @property
    def somewhere_infinite(self) -> bool:
        return self._infinite is not None

    def _true(self, condition: Callable[..., Any], points: Points) -> NDArray[np.bool_]:
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(condition(*points.T)), (len(points),))

    def _inside(self, points: Points) -> NDArray[np.bool_]:
        inside = np.ones(len(points), bool)
        for column, parameter in zip(points.T, self.parameters, strict=True):
            domain = parameter.domain
            low, high = float(domain.lower), float(domain.upper)
            inside &= (column >= low) if domain.left_closed else (column > low)
            inside &= (column <= high) if domain.right_closed else (column < high)
            inside &= (column == np.rint(column)) if domain.integer else True
        return inside

    def equal(self, points: Points) -> NDArray[np.bool_]:
        """The rows where P and Q are the same member of one family, so that the divergence is 0."""
        if not (self.same and self.divergence.order):
            return np.zeros(len(points), bool)
        return (points[:, : self.of_p] == points[:, self.of_p : self.of_both]).all(axis=1)


def subject(p: str, q: str, rule: Rule = DOUBLE, divergence: Divergence = divergences.kl) -> Subject:
    """The pair by the families' names; raises UnderivableError where no case of it is closed."""
    formula = measured(divergence, catalog[p], catalog[q], None, (), False, {})
    closed = [case for case in formula.cases if case.kind == "closed"]
    if not closed:
        raise UnderivableError(f"{formula.title} has no closed case to audit; `klsym derive` says what is known")
    return Subject(formula, closed[0], MEETINGS.get((p, q), {}), rule)


def same_family() -> list[tuple[str, str]]:
    """Every family with parameters, beside itself."""
    return [(name, name) for name, family in catalog.items() if family.parameters]


def selected(which: str = "all", only: list[str] | None = None) -> list[tuple[str, str]]:
    """The pairs of the audit: `which` is same, cross or all; with `only`, those with one of these families."""
    found = [*(same_family() if which != "cross" else []), *(MEETINGS if which != "same" else [])]
    return [pair for pair in found if not only or set(pair) & set(only)]
