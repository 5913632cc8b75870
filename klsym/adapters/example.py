"""Distributions of a library, made from the rows of its table: two everyday members of each class."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import sympy as sp

from ..arrays import domain as arrays
from ..arrays.domain import ArrayDomain
from ..core.family import Distribution
from .reading import Law, Library, names_of

MATRIX, FACTOR = [[2.0, 0.5], [0.5, 1.0]], [[1.5, 0.0], [0.5, 1.0]]
ARRAYS: dict[ArrayDomain, list[Any]] = {
    arrays.positive_definite: MATRIX,
    arrays.lower_triangular: FACTOR,
    arrays.real_matrix: [[0.1, 0.2], [0.3, 0.4]],
}
LOW_RANK = {"loc": [0.4, 0.6], "cov_factor": [[0.5], [1.0]], "cov_diag": [1.0, 2.0]}


def example(
    library: Library, made: Any, name: str, second: bool, array: Callable[[Any], Any], law: Law | None = None
) -> Any:
    """A member of the class `made` of that name, or a second one; `array` makes an array of lists and numbers.

    Of a row of several laws it is made by the names in `law`, by default the first that has none that are computed.
    """
    law = law or makers(library, name)[0]
    given = library.examples.get(name) or {
        library.derived.get(key, (key,))[0]: value for key, value in values(law, second).items()
    }
    takes = signature(made.__init__).parameters
    plain = {key: float(standard.value) for key, standard in library.standard.items() if key in takes}
    whole = {**plain, **given}.items()
    return made(**{key: value if isinstance(value, int) and key in given else array(value) for key, value in whole})


def makers(library: Library, name: str) -> list[Law]:
    """The laws of a row whose names are all arguments, or its first."""
    row = library.rows[name]
    laws = row if isinstance(row, tuple) else (row,)
    return [law for law in laws if not library.derived.keys() & set(names_of(law))] or [laws[0]]


def values(law: Law, second: bool) -> dict[str, Any]:
    """Values for the law's symbols, integers the same for both members."""
    if isinstance(law, Distribution):
        order = dict.fromkeys(s for v in law.values for s in sorted(v.free_symbols, key=str))
        least = {v: float(p.domain.lower) for p, v in zip(law.family.parameters, law.values, strict=True)}
        return {s.name: _number(s, place, second, least.get(s, 0.0)) for place, s in enumerate(order)}
    return {str(v): _value(p.domain, second) for p, v in zip(law.family.parameters, law.values, strict=True)}


def _number(symbol: sp.Symbol, place: int, second: bool, least: float) -> Any:
    if symbol.is_integer:
        return 3 + 2 * place
    return max(least, 0.0) + 0.4 + 0.15 * place + 0.1 * second


def _value(domain: Any, second: bool) -> Any:
    if not isinstance(domain, ArrayDomain):
        return 4 if domain.integer else 3.5 + second
    if domain.axes == 1:
        return [0.3, 0.7] if second else [0.4, 0.6]
    return [[(1 + 0.5 * second) * x for x in row] for row in ARRAYS[domain]]
