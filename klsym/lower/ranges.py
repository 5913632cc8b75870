"""Where the parameters of distributions lie."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from ..core.divergence import Divergence
from ..core.family import Distribution
from .errors import Range

Member = Distribution | Divergence


def ranges(members: Iterable[Member]) -> dict[str, Range]:
    """Where the arguments lie, each exact; a symbol of an expression may be anywhere."""
    members, found = tuple(members), {}
    for member in members:
        for parameter, value in member.arguments:
            if isinstance(value, sp.Symbol):
                found[value.name] = Range(*(float(end) for end in (parameter.domain.lower, parameter.domain.upper)))
    return {symbol.name: found.get(symbol.name, Range()) for symbol in symbols_of(members)}


def symbols_of(members: Iterable[Member]) -> tuple[sp.Symbol, ...]:
    """The symbols in the members' parameters, a divergence's own among them, in order, each once."""
    symbols = (
        symbol
        for member in members
        for value in member.values
        for symbol in sorted(value.free_symbols, key=lambda symbol: symbol.name)
    )
    return tuple(dict.fromkeys(symbols))
