"""Two classes of a library, each in one parametrisation, as something that has a truth and hard points.

A point is a list with an entry an argument, P's and then Q's: a number, or nested lists of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
import sympy as sp

from ...api import Formula, entropy, kl
from ...arrays.family import ArrayDistribution
from ...core.continuity import at
from ...core.domain import Domain, Parameter
from ...core.family import Distribution
from ..rules import DOUBLE, Rule
from ..subject import Points, Subject
from .call import Made, Quantity
from .forms import Argument, Form, forms

Point = list[Any]
# The kinds of cases that are audited, the first of which there are any.
KINDS = (("closed",), ("semi-closed", "numeric"), ("infinite",))


@cache
def named(subject: str) -> dict[str, Form]:
    """The forms of a subject by their names."""
    return {form.name: form for form in forms(subject)}


@dataclass(frozen=True)
class Pair:
    """P's form and Q's, by their names among those of a subject; of an entropy or a log density there is no Q."""

    subject: str
    p: str
    q: str | None = None

    @property
    def name(self) -> str:
        return self.p if self.q is None else f"{self.p} || {self.q}"

    @property
    def named(self) -> dict[str, Any]:
        """Plain data, of which `Pair` can be made again."""
        return {"subject": self.subject, "p": self.p, "q": self.q}

    @cached_property
    def sides(self) -> dict[str, Form]:
        """The forms by "p" and "q"."""
        known = named(self.subject)
        return {side: known[key] for side, key in (("p", self.p), ("q", self.q)) if key is not None}

    @cached_property
    def columns(self) -> list[tuple[str, Argument]]:
        """The side and the argument of each entry of a point."""
        return [(side, argument) for side, form in self.sides.items() for argument in form.arguments]

    @cached_property
    def places(self) -> list[str]:
        """The name of each entry of a point: "p.rate"."""
        return [f"{side}.{argument.name}" for side, argument in self.columns]

    def law(self, side: str) -> Any:
        """The klsym law of a side, in symbols that have the names of its arguments."""
        return self.sides[side].law

    @property
    def quantity(self) -> Quantity:
        """What is asked of it."""
        return "entropy" if self.q is None else "kl" if "kl" in self.sides["p"].quantities else "jensenshannon"

    @property
    def numeric(self) -> bool:
        """Whether all arguments are numbers, of laws that have densities."""
        return isinstance(self.law("p"), Distribution)

    @property
    def dear(self) -> bool:
        """Whether each of its truths costs as much as hundreds of a closed form's: of arrays, and by quadrature."""
        return not self.numeric or any(s.case.kind in KINDS[1] for s in subjects(self, DOUBLE))

    def made(self, columns: Sequence[Any]) -> dict[str, Made]:
        """The distributions with these nested lists for the columns."""
        given: dict[str, dict[str, Any]] = {side: {} for side in self.sides}
        for (side, argument), column in zip(self.columns, columns, strict=True):
            given[side][argument.name] = column
        return {side: form.made(given[side]) for side, form in self.sides.items()}


def spelled(law: Any, side: str) -> tuple[Any, dict[Any, Any]]:
    """The law with its symbols named after the side, and the new symbols by the old."""
    new = {s: _renamed(s, side) for value in law.values for s in symbols(value)}
    if isinstance(law, Distribution):
        return law.subs(new), new
    values = tuple(new.get(v, v) for v in law.values)
    return ArrayDistribution(law.family, values, law.sizes), new


def symbols(value: Any) -> set[Any]:
    if isinstance(value, (sp.IndexedBase, sp.MatrixSymbol)):
        return {value}
    return value.free_symbols if isinstance(value, sp.Basic) else set()


def _renamed(symbol: Any, side: str) -> Any:
    if isinstance(symbol, sp.Symbol):
        return sp.Symbol(f"{symbol.name}_{side}", **symbol.assumptions0)
    if isinstance(symbol, sp.IndexedBase):
        return sp.IndexedBase(f"{symbol}_{side}", **symbol.assumptions0)
    return symbol.func(f"{symbol.name}_{side}", *symbol.args[1:])


@cache
def subjects(pair: Pair, rule: Rule) -> tuple[Subject, ...]:
    """A pair of numbers as subjects, one for each of its closed cases; without any, for each of the others."""
    families = [pair.law(side).family for side in pair.sides]
    generic = kl(*families) if pair.q else entropy(*families)
    laws = [spelled(pair.law(side), side) for side in pair.sides]
    formula = composed(generic, [law for law, _ in laws])
    arguments = [
        tuple(_parameter(argument, new) for argument in form.arguments)
        for form, (_, new) in zip(pair.sides.values(), laws, strict=True)
    ]
    sides = (arguments[0], arguments[1] if pair.q else ())
    cases = next(found for kinds in KINDS if (found := [case for case in formula.cases if case.kind in kinds]))
    return tuple(Subject(formula, case, {}, rule, sides) for case in cases)


def _parameter(argument: Argument, new: Mapping[Any, Any]) -> Parameter:
    """The argument under the name that its symbol has on this side."""
    domain: Any = argument.domain
    symbol = next((b for a, b in new.items() if a.name == argument.name), None)
    return domain(sp.Symbol(f"{argument.name}_unused") if symbol is None else symbol)


def composed(generic: Formula, laws: Sequence[Distribution]) -> Formula:
    """The generic formula of two families at laws of expressions; nothing is derived anew."""
    d = generic.derivation
    members = (d.p, d.q)[: len(laws)]
    values = {
        symbol: value
        for member, law in zip(members, laws, strict=True)
        for symbol, value in zip(member.values, law.values, strict=True)
    }
    cases = tuple(replace(c, value=at(c.value, values), when=c.when.xreplace(values)) for c in d.cases)
    return replace(generic, derivation=replace(d, p=laws[0], q=laws[-1], cases=cases))


def everyday(subject: Subject, n: int, rng: np.random.Generator) -> Points:
    """At most n points of three decimals in the typical ranges of the parameters."""
    found = np.empty((0, len(subject.symbols)))
    for _ in range(50):
        typical = [rng.uniform(*parameter.typical, 8 * n) for parameter in subject.parameters]
        columns = [
            np.rint(x) if a.domain.integer else np.round(x, 3) for x, a in zip(typical, subject.parameters, strict=True)
        ]
        points = np.reshape(columns, (len(columns), 8 * n)).T.copy()
        subject.impose(points)
        points = subject.rule.rounded(points)
        found = np.concatenate([found, points[subject.valid(points)]])[:n]
        if len(found) == n:
            break
    return found


def exactly(numbers: Any) -> Any:
    """Doubles as exact rationals."""
    return sp.Rational(*float(numbers).as_integer_ratio())


def whole(argument: Argument) -> bool:
    """Whether an argument is an integer."""
    return isinstance(argument.domain, Domain) and argument.domain.integer


def array(entry: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(entry, dtype=float)
