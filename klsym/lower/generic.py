"""What a closed form is lowered for, and what moves in one of generic members of a family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy as sp

from ..core.derivation import Case, Derivation, General
from ..core.family import Distribution
from .errors import Errors, Range
from .ranges import ranges
from .ssa import Builder

Symbols = Sequence[sp.Symbol]


@dataclass(frozen=True)
class Context:
    """What lines are made for: the errors of a builder's lines, the symbols to differentiate by, the unit.

    `generals` are divergences of generic members of one family, which have the shape of that of two members, for each
    term of the divergence.
    """

    errors: Errors
    by: Symbols
    base: sp.Expr | None
    generals: Sequence[Sequence[General]]


def moved(derivation: Derivation, case: Case) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr], set[sp.Symbol]]:
    """The value, what each parameter of Q that moves is in P, and those among them whose range has an end."""
    tied = {e.rhs: e.lhs for e in case.when.atoms(sp.Eq)} | {e.lhs: e.rhs for e in case.when.atoms(sp.Eq)}
    pairs, ends, same = {}, set(), {}
    for parameter, p, q in zip(derivation.p.family.parameters, derivation.p.values, derivation.q.values, strict=True):
        if tied.get(q) == p:
            same[q] = p
        elif p != q:
            pairs[q] = p
            domain = parameter.domain
            if domain.upper.is_finite or domain.left_closed or domain.integer:
                ends.add(q)
    movable = all(isinstance(q, sp.Symbol) for q in pairs)
    return case.value.xreplace(same), pairs if movable else {}, ends


def errors_of(whole: Derivation, **others: Range) -> Errors:
    """The errors of lines whose arguments are the parameters of generic members, and others."""
    known = ranges((whole.p, whole.q, whole.divergence)) | others
    return Errors(Builder(known), known)


def from_zero(member: Distribution) -> Iterator[sp.Expr]:
    """The parameters that may be 0."""
    for parameter, value in zip(member.family.parameters, member.values, strict=True):
        if parameter.domain.left_closed and parameter.domain.lower == 0:
            yield value
