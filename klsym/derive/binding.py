"""From what a user wrote for the parameters to symbols that the derivation can rely on, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from ..core.continuity import at
from ..core.derivation import Derivation
from ..core.errors import ParameterError, nearest
from ..core.family import Distribution
from ..core.reach import reached


def bind(
    derive: Callable[[Distribution, Distribution], Derivation],
    p: Distribution,
    q: Distribution,
    share: Iterable[str] | Mapping[str, Any],
) -> Derivation:
    """derive(p, q) with `share` applied first, every expression standing for a symbol of its domain.

    Raises ParameterError where one name means two things: two symbols of one name with different
    assumptions would never cancel, and the answer would be wrong without a word.
    """
    q = _shared(p, q, share)
    _check_names(p, q)
    stand_ins = _stand_ins(p, q)
    inside = tuple(Distribution(d.family, tuple(stand_ins.get(v, v) for v in d.values)) for d in (p, q))
    with reached(f"the divergence of {p} and {q}"):
        derivation = derive(*inside)
    back = {symbol: value for value, symbol in stand_ins.items()}
    if not back:
        return derivation
    cases = tuple(replace(c, value=at(c.value, back), when=c.when.xreplace(back)) for c in derivation.cases)
    steps = tuple(
        replace(s, lhs=at(s.lhs, back), rhs=at(s.rhs, back), when=s.when.xreplace(back)) for s in derivation.steps
    )
    coordinates = tuple((y, forward.xreplace(back)) for y, forward in derivation.coordinates)
    return replace(derivation, p=p, q=q, cases=cases, steps=steps, coordinates=coordinates)


def _shared(p: Distribution, q: Distribution, share: Iterable[str] | Mapping[str, Any]) -> Distribution:
    """q with the named parameters bound to p's, or to the mapping's names and numbers."""
    wanted = dict(share) if isinstance(share, Mapping) else {name: name for name in share}
    of_p = {a.name: value for a, value in zip(p.family.parameters, p.values, strict=True)}
    of_q = {a.name: value for a, value in zip(q.family.parameters, q.values, strict=True)}
    for name, source in wanted.items():
        if name not in of_q:
            raise ParameterError(f"share: {q.family.signature} has no parameter {name!r}{nearest(name, of_q)}")
        if isinstance(source, str) and source not in of_p:
            raise ParameterError(f"share: {p.family.signature} has no parameter {source!r}{nearest(source, of_p)}")
        of_q[name] = of_p[source] if isinstance(source, str) else source
    return q.family(**of_q) if wanted else q


def _check_names(p: Distribution, q: Distribution) -> None:
    seen: dict[str, tuple[sp.Symbol, str]] = {}
    for role, distribution in (("P", p), ("Q", q)):
        for parameter, value in zip(distribution.family.parameters, distribution.values, strict=True):
            for symbol in value.free_symbols:
                where = f"{parameter.name} of {role} = {distribution.family.name} ({parameter.domain.name})"
                other, before = seen.setdefault(str(symbol.name), (symbol, where))
                if other != symbol:
                    raise ParameterError(
                        f"{symbol.name!r} means two things: {before} and {where}; "
                        "give them two names, or one SymPy symbol"
                    )


def _stand_ins(p: Distribution, q: Distribution) -> dict[sp.Expr, sp.Symbol]:
    """A symbol of its domain for every value that lacks its facts or is a closed end of it; equal values share one."""
    facts: dict[sp.Expr, dict[str, bool]] = {}
    for distribution in (p, q):
        for parameter, value in zip(distribution.family.parameters, distribution.values, strict=True):
            wanted = parameter.domain.assumptions
            known = {fact: getattr(value, f"is_{fact}") for fact in wanted}
            at_end = (
                value.is_number
                and value in (parameter.domain.lower, parameter.domain.upper)
                and not parameter.domain.integer
            )
            if at_end or (not value.is_number and (not value.is_Symbol or None in known.values())):
                facts.setdefault(value, {}).update(wanted)
    return {value: sp.Dummy(f"theta{i}", **known) for i, (value, known) in enumerate(facts.items())}
