"""A distribution object of another library as a klsym law in symbols, and the arrays that the symbols stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

from ..arrays.domain import ArrayDomain, positive_definite
from ..arrays.family import ArrayDistribution
from ..core.construct import scale, shift
from ..core.domain import positive
from ..core.errors import ParameterError, UnderivableError, nearest
from ..core.family import Distribution, Family

Law = Distribution | ArrayDistribution
Row = Law | tuple[Law, ...]


@dataclass(frozen=True)
class Reading:
    """A law whose symbols are named after attributes of an object, and their values, arrays of its library.

    `batch` is the object's batch shape where its library has one; its last `events` axes are coordinates of one
    outcome, independent of each other.
    """

    law: Law
    values: Mapping[str, Any]
    batch: tuple[int, ...] | None = None
    events: int = 0


@dataclass(frozen=True)
class Standard:
    """The value of an attribute that a law does not depend on, and the construction that takes another one."""

    value: Any
    construct: Callable[[Distribution, sp.Symbol], Distribution] | None = None


def shifted(law: Distribution, by: sp.Expr) -> Distribution:
    """The law of X + by, a number or a symbol of any kind."""
    family = _fresh(shift, law.family, "loc")
    domain = family.parameters[-1].domain
    return family(*law.values, domain.symbol(by.name) if isinstance(by, sp.Symbol) else by)


def scaled(law: Distribution, by: sp.Symbol) -> Distribution:
    """The law of by * X."""
    family = _fresh(scale, law.family, "scale")
    return family(*law.values, positive.symbol(by.name))


def _fresh(construct: Callable[..., Family], family: Family, name: str) -> Family:
    """The construction, its parameter under a name that the family has not yet."""
    taken = {parameter.name for parameter in family.parameters}
    return construct(family, next(n for n in (name, *(f"{name}{k}" for k in range(2, 99))) if n not in taken))


@dataclass(frozen=True)
class Library:
    """How the distributions of a library are read, and what a divergence of them is.

    `rows` maps the name of a class, or of what `names` finds, to a law whose symbols are named after attributes; of
    several laws those whose attributes were given to the object, in the order in which it has them. `derived` are
    attributes that are computed, from which one and how; `structures` are classes that are made of other
    distributions; `standard` says what the attributes mean that a law does not name. `divergence` makes an array of
    the library from a plan and the values by name, `fit` gives it a batch shape and sums over its last axes, `plain`
    makes a NumPy array. `examples` are arguments of classes that are not made by the names in their laws. A symbolic
    library has no arrays: its values are bound in the law.
    """

    name: str
    rows: Mapping[str, Row]
    divergence: Callable[..., Any]
    fit: Callable[[Any, tuple[int, ...] | None, int], Any]
    names: Callable[[Any], Iterable[str]] = lambda d: (c.__name__ for c in type(d).__mro__)
    attribute: Callable[[Any, str], Any] = getattr
    given: Callable[[Any], list[str]] = lambda d: list(vars(d))
    batch: Callable[[Any], tuple[int, ...] | None] = lambda d: tuple(d.batch_shape)
    plain: Callable[[Any], Any] = np.asarray
    derived: Mapping[str, tuple[str, Callable[[Any], Any]]] = field(default_factory=dict)
    structures: Mapping[str, Callable[[Library, Any], tuple[Reading, ...]]] = field(default_factory=dict)
    standard: Mapping[str, Standard] = field(default_factory=dict)
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    symbolic: bool = False

    def read(self, d: Any) -> tuple[Reading, ...]:
        """The readings of an object, the best one first; one that has none raises ParameterError."""
        names = list(self.names(d))
        for name in names:
            if name in self.structures:
                return self.structures[name](self, d)
            if name in self.rows:
                return tuple(self._reading(d, law) for law in self.laws(d, name))
        raise ParameterError(
            f"{self.name}'s {names[0]} is no family that klsym knows{nearest(names[0], self.rows)}; "
            "give the density itself to klsym.density"
        )

    def laws(self, d: Any, name: str) -> list[Law]:
        """The laws of a row for an object, in the order in which it was given their attributes."""
        row = self.rows[name]
        if not isinstance(row, tuple):
            return [row]
        places = {attribute: place for place, attribute in enumerate(self.given(d))}
        ranked = []
        for law in row:
            sources = [self.derived[n][0] if n in self.derived else n for n in names_of(law)]
            if all(source in places for source in sources):
                ranked.append((sum(places[source] for source in sources), law))
        return [law for _, law in sorted(ranked, key=lambda pair: pair[0])] or list(row[:1])

    def _reading(self, d: Any, law: Law) -> Reading:
        law, batch = self._constructed(d, law), self.batch(d)
        return Reading(law, {name: self._value(d, name, law) for name in names_of(law)}, batch)

    def _value(self, d: Any, name: str, law: Law) -> Any:
        source, compute = self.derived.get(name, (name, None))
        value = self.attribute(d, source)
        if compute is not None:
            value = compute(value)
        if not self.symbolic and domain_of(law, name) is positive_definite:
            value = (value + value.swapaxes(-1, -2)) / 2
        return value

    def _constructed(self, d: Any, law: Law) -> Law:
        """The law shifted and scaled by what the object says and the law does not."""
        known = set(names_of(law))
        if not isinstance(law, Distribution):
            return law
        for name, standard in self.standard.items():
            if name in known or self._is(d, name, standard.value):
                continue
            if standard.construct is None:
                raise ParameterError(
                    f"{type(d).__name__} with {name} = {self.attribute(d, name)} is no {law.family.name}; "
                    f"{name} = {standard.value} is"
                )
            law = standard.construct(law, sp.Symbol(name))
        return law

    def _is(self, d: Any, name: str, value: Any) -> bool:
        """Whether the object has no such attribute, or has this value."""
        try:
            found = self.attribute(d, name)
        except AttributeError:
            return True
        if self.symbolic:
            return found == value
        try:
            return bool(np.all(np.asarray(found) == value))
        except (TypeError, ValueError, RuntimeError):  # not a number yet: a tracer
            return False


def names_of(law: Law) -> tuple[str, ...]:
    """The names of a law's symbols."""
    if isinstance(law, ArrayDistribution):
        return tuple(str(value) for value in law.values if hasattr(value, "free_symbols") and not _number(value))
    return tuple(sorted(symbol.name for symbol in law.symbols))


def _number(value: Any) -> bool:
    return bool(getattr(value, "is_number", False))


def domain_of(law: Law, name: str) -> Any:
    """The domain of the array of that name, None where it stands in expressions of numbers."""
    if isinstance(law, Distribution):
        return None
    found = (p for p, v in zip(law.family.parameters, law.values, strict=True) if str(v) == name)
    return next(found).domain


def axes_of(law: Law, name: str) -> int:
    """How many event axes the array of that name has."""
    domain = domain_of(law, name)
    return domain.axes if isinstance(domain, ArrayDomain) else 0


def independent(base: str) -> Callable[[Library, Any], tuple[Reading, ...]]:
    """How a product of independent coordinates is read: as its base, of that name, with more axes to sum over."""

    def read(library: Library, d: Any) -> tuple[Reading, ...]:
        axes = int(d.reinterpreted_batch_ndims)
        return tuple(Reading(r.law, r.values, r.batch, r.events + axes) for r in library.read(getattr(d, base)))

    return read


def refused(why: str) -> Callable[[Library, Any], tuple[Reading, ...]]:
    """A class that has no reading, and why."""

    def read(library: Library, d: Any) -> tuple[Reading, ...]:
        raise UnderivableError(f"{type(d).__name__} of {library.name}: {why}")

    return read
