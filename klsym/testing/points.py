"""The parameters of a pair as hypothesis draws them: sizes, gaps and meetings, plain numbers first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from hypothesis import assume
from hypothesis import strategies as st

from ..audit.meetings import MEETINGS, Meeting
from ..core.domain import Domain, Parameter
from ..core.errors import ParameterError
from ..core.family import Distribution, Family

Point = dict[str, float]
Draw = Callable[[st.SearchStrategy[Any]], Any]
# Everyday sizes, and extreme ones, of what is above the end of its domain.
SIZES = {False: (0.01, 100.0), True: (1e-8, 1e8)}
COUNTS = {False: 100, True: 1_000_000}
# How near Q comes to P: gaps relative to the parameters, a gap in units of the last place, or none.
GAPS = st.builds(lambda k, sign: sign * 10.0**-k, st.integers(1, 16), st.sampled_from([1.0, -1.0]))
STEPS = st.integers(1, 3)


@dataclass(frozen=True)
class Members:
    """P, and Q where there is one, with symbols for what is drawn."""

    members: tuple[Distribution, ...]

    @cached_property
    def owners(self) -> dict[str, Parameter]:
        """Whose domain each name has: alpha_p, beta_p, alpha_q, ..."""
        found: dict[str, Parameter] = {}
        for member in self.members:
            for parameter, value in zip(member.family.parameters, member.values, strict=True):
                if isinstance(value, sp.Symbol):
                    found.setdefault(value.name, parameter)
        return found

    @cached_property
    def symbols(self) -> list[sp.Symbol]:
        found = {s.name: s for member in self.members for value in member.values for s in value.free_symbols}
        if stray := sorted(found.keys() - self.owners.keys()):
            raise ParameterError(f"{', '.join(stray)} is no parameter by itself, so it has no domain; bind it")
        return [found[name] for name in self.owners]

    @cached_property
    def constraint(self) -> Any:
        return sp.And(*(member.constraint for member in self.members))

    @cached_property
    def holds(self) -> Callable[..., Any]:
        return sp.lambdify(self.symbols, self.constraint, "math")

    @cached_property
    def orders(self) -> list[tuple[str, str]]:
        """(smaller, larger) of the names that the constraints order."""
        sides = [
            (e.lts, e.gts) for e in sp.And.make_args(self.constraint) if isinstance(e, (sp.Lt, sp.Le, sp.Gt, sp.Ge))
        ]
        return [(a.name, b.name) for a, b in sides if {a, b} <= set(self.symbols)]

    @cached_property
    def twins(self) -> dict[str, str]:
        """Q's names and the same of P, where the two are of one family."""
        if len(self.members) < 2 or self.members[0].family is not self.members[1].family:
            return {}
        p, q = (member.values for member in self.members)
        return {
            b.name: a.name for a, b in zip(p, q, strict=True) if isinstance(a, sp.Symbol) and isinstance(b, sp.Symbol)
        }

    @cached_property
    def meeting(self) -> Meeting:
        """Where two families meet, none of whose parameters is bound; {} where they are not known to."""
        p, q = self.members[0].family.name, self.members[-1].family.name
        found = MEETINGS.get((p, q), {})
        return found if found.keys() <= self.owners.keys() and all(v in self.owners for v in self._generic) else {}

    @property
    def _generic(self) -> list[str]:
        sides = zip(self.members, "pq", strict=False)
        return [f"{parameter.name}_{side}" for member, side in sides for parameter in member.family.parameters]

    def numbers(self, point: Point) -> tuple[tuple[float, ...], ...]:
        """The values of the members' parameters as doubles, integers where the domain has only those."""
        values = {symbol: sp.Rational(point[symbol.name]) for symbol in self.symbols}
        return tuple(
            tuple(
                int(value) if parameter.domain.integer else float(value)
                for parameter, value in zip(member.family.parameters, member.subs(values).values, strict=True)
            )
            for member in self.members
        )


def members(p: Family | Distribution, q: Family | Distribution | None = None) -> Members:
    """The generic members of families, distributions as they are; arrays and mixtures raise ParameterError."""
    given = [p] if q is None else [p, q]
    for one in given:
        if not isinstance(one, (Family, Distribution)):
            raise ParameterError(f"{one} is neither a family of numbers nor a distribution of one")
    generic = [
        one.member(suffix) if isinstance(one, Family) else one for one, suffix in zip(given, ("_p", "_q"), strict=False)
    ]
    return Members(tuple(generic))


def number(domain: Domain, extreme: bool, ends: bool, width: int) -> st.SearchStrategy[float]:
    """A number of the domain, plain ones first, in doubles or in floats of 32 bits."""
    low, high = float(domain.lower), float(domain.upper)
    closed = [end for end, there in ((low, domain.left_closed), (high, domain.right_closed)) if there]
    if domain.integer:
        first = COUNTS[extreme] * -1 if low == -math.inf else int(low) + (0 if domain.left_closed and ends else 1)
        return st.integers(first, COUNTS[extreme])
    small, large = SIZES[extreme]
    if low == -math.inf:
        span = (-large, large)
    elif high == math.inf:
        span = (low + small, low + large)
    else:
        span = (low + small * (high - low), high - small * (high - low))
    inner = st.floats(*map(near_single, span) if width == 32 else span, allow_subnormal=False, width=width)  # type: ignore[arg-type]
    return inner | st.sampled_from(closed) if ends and closed else inner


def near_single(x: float) -> float:
    """The float of 32 bits nearest to the number."""
    import numpy as np

    return float(np.float32(x))


@dataclass(frozen=True)
class Drawing:
    """How points of some members are drawn."""

    of: Members
    near: bool
    ends: bool
    extreme: bool
    width: int = 64

    @property
    def points(self) -> st.SearchStrategy[Point]:
        return st.composite(lambda draw: self.point(draw))()

    def point(self, draw: Draw) -> Point:
        """A point in every domain that satisfies the constraints; near ones are apart, near in one or in all, equal."""
        point: Point = {}
        for name, parameter in self.of.owners.items():
            point[name] = draw(number(parameter.domain, self.extreme, self.ends, self.width))
        self.order(point)
        if self.near and (self.of.twins or self.of.meeting):
            self.approach(draw, point)
            self.order(point)
        if self.width == 32:
            point = {name: near_single(value) for name, value in point.items()}
        assume(all(inside(self.of.owners[name].domain, value) for name, value in point.items()))
        assume(self.of.constraint == sp.true or self.of.holds(*(point[symbol.name] for symbol in self.of.symbols)))
        return point

    def approach(self, draw: Draw, point: Point) -> None:
        """Move Q near to P, in one of its parameters or in all, by gaps or by single units of the last place."""
        how = draw(st.sampled_from(["apart", "one", "all", "neighbours", "equal"]))
        if how == "apart":
            return
        for name, twin in self.of.twins.items():
            point[name] = point[twin]
        for name, value in self.of.meeting.items():
            point[name] = float(value(point)) if callable(value) else value
        movable = [*(self.of.twins or self.of.meeting)]
        chosen = [] if how == "equal" else movable if how == "all" else [draw(st.sampled_from(movable))]
        for name in chosen:
            domain = self.of.owners[name].domain
            point[name] = (
                stepped(point[name], draw(STEPS), domain, self.width)
                if how == "neighbours"
                else moved(point[name], draw(GAPS), domain)
            )

    def order(self, point: Point) -> None:
        """Swap what the constraints order the other way round."""
        for _ in self.of.orders:
            for low, high in self.of.orders:
                point[low], point[high] = sorted((point[low], point[high]))


def moved(x: float, gap: float, domain: Domain) -> float:
    """The number moved by a gap relative to it, or by the gap itself at 0; an integer by 1."""
    if domain.integer:
        return x + math.copysign(1, gap)
    return x * (1 + gap) if x else gap


def stepped(x: float, steps: int, domain: Domain, width: int) -> float:
    """The number so many units of its last place further on."""
    if domain.integer:
        return x
    return x + steps * (math.ulp(x) if width == 64 else max(abs(x), 1.0) * 2.0**-23)


def inside(domain: Domain, x: float) -> bool:
    """Whether the number lies in the domain."""
    low, high = float(domain.lower), float(domain.upper)
    above = x >= low if domain.left_closed else x > low
    below = x <= high if domain.right_closed else x < high
    return above and below and math.isfinite(x)
