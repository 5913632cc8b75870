"""Divergences of distribution objects: both are read, the formula is derived once, and its code is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import sympy as sp

from ..arrays.domain import ArrayDomain
from ..arrays.family import ArrayDistribution, ArrayFamily
from ..core.errors import ParameterError
from ..core.family import Distribution, Family, exact
from . import library
from .plan import Plan
from .reading import Law, Library, Reading, axes_of, names_of

Formula = Callable[[Law, Law], Any]


def measure(p: Any, q: Any, formula: Formula, key: Any) -> Any:
    """What `formula` makes of two distributions, of which one or both are another library's.

    The result is of the library's own array type, of its broadcast batch shape; from a symbolic library it is the
    formula. `key` tells formulas apart whose plans are kept. Raises ParameterError for objects of two libraries, for
    one that is no family of klsym, and for outcomes of different kinds.
    """
    of = {found.name: found for found in (library(p), library(q)) if found is not None}
    if len(of) > 1:
        raise ParameterError(f"{' and '.join(of)}: two distributions of one library are needed, or one of klsym's")
    (ours,) = of.values()
    a, b = pair(ours, p, q)
    if ours.symbolic:
        return formula(bound(a), bound(b))
    plan = _plan(_Key(formula, key), a.law, b.law)
    values = {name + suffix: v for r, suffix in ((a, "_p"), (b, "_q")) for name, v in r.values.items()}
    if a.events != b.events:
        raise ParameterError(
            f"{p} and {q}: outcomes of {a.events} and {b.events} independent axes have no common space"
        )
    shapes = [r.batch for r in (a, b) if r.batch is not None]
    return ours.fit(ours.divergence(plan, values), np.broadcast_shapes(*shapes) if shapes else None, a.events)


def pair(ours: Library, p: Any, q: Any) -> tuple[Reading, Reading]:
    """The first readings of both whose outcomes are of one kind."""
    readings = [_readings(ours, d) for d in (p, q)]
    # An index and a vector with a single 1 are different outcomes, as are a number and counts of two categories.
    ranks = {len(d.event_shape) for d in (p, q) if hasattr(d, "event_shape")}
    for a, b in product(*readings) if len(ranks) < 2 else ():
        if _kind(a.law) == _kind(b.law):
            return a, b
    kinds = " and ".join(f"{type(d).__name__} ({_kind(r[0].law)})" for d, r in zip((p, q), readings, strict=True))
    raise ParameterError(f"{kinds}: the outcomes have no common space")


def single(d: Any) -> Law:
    """The klsym distribution that one distribution of another library is; a batch of several raises ParameterError."""
    ours = library(d)
    if ours is None:
        raise ParameterError(f"{type(d).__name__} is no distribution of a library that klsym reads")
    reading = ours.read(d)[0]
    if ours.symbolic:
        return bound(reading)
    plain = {name: ours.plain(value) for name, value in reading.values.items()}
    if not isinstance(reading.law, Distribution) or any(np.size(value) != 1 for value in plain.values()):
        raise ParameterError(
            f"{type(d).__name__} is a batch, or of arrays; give klsym's own distribution, or one number"
        )
    return bound(replace(reading, values={name: exact(float(v), name) for name, v in plain.items()}))


def _readings(ours: Library, d: Any) -> tuple[Reading, ...]:
    if isinstance(d, (Distribution, ArrayDistribution)):
        if not ours.symbolic and d.symbols:
            raise ParameterError(f"{d} beside a distribution of {ours.name} needs numbers for its parameters")
        return (Reading(d, {}),)
    if isinstance(d, (Family, ArrayFamily)):
        raise ParameterError(f"{d} beside a distribution of {ours.name} needs values for its parameters")
    if library(d) is None:
        raise ParameterError(f"{type(d).__name__} beside a distribution of {ours.name} is no distribution")
    return ours.read(d)


def _kind(law: Law) -> str:
    if isinstance(law, Distribution):
        return "numbers"
    return f"two {law.outcome.name}" if "two" in names_of(law) else law.outcome.name


class _Key:
    """A function that makes formulas, equal to others of the same key."""

    def __init__(self, formula: Formula, key: Any) -> None:
        self.formula, self.key = formula, key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=512)
def _plan(key: _Key, p: Law, q: Law) -> Plan:
    formula = key.formula(named(p, "_p"), named(q, "_q"))
    axes = {name + suffix: axes_of(law, name) for law, suffix in ((p, "_p"), (q, "_q")) for name in names_of(law)}
    return Plan(formula, axes)


def named(law: Law, suffix: str) -> Law:
    """The law with the suffix behind the names of its symbols."""
    names = set(names_of(law))
    if isinstance(law, Distribution):
        return law.subs({s: sp.Symbol(s.name + suffix, **s.assumptions0) for s in law.symbols})
    pairs = zip(law.family.parameters, law.values, strict=True)
    return replace(law, values=tuple(p.named(f"{v}{suffix}") if str(v) in names else v for p, v in pairs))


def bound(reading: Reading) -> Law:
    """The law with its values, SymPy expressions, in place of its symbols."""
    law = reading.law
    if not reading.values:
        return law
    if isinstance(law, Distribution):
        return law.family(*(v.xreplace({s: reading.values[s.name] for s in v.free_symbols}) for v in law.values))
    pairs = zip(law.family.parameters, law.values, strict=True)
    return law.family(*(_array(p.domain, reading.values.get(str(v), v)) for p, v in pairs))


def _array(domain: Any, value: Any) -> Any:
    """A matrix of SymPy's as an array of as many axes as the domain has."""
    if isinstance(domain, ArrayDomain) and isinstance(value, sp.MatrixBase):
        array = np.array(value.tolist(), dtype=object)
        return array.ravel() if domain.axes == 1 else array
    return value
