"""The cases of a derivation as lines: each closed form as a remainder where it is one, else as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from ..core.derivation import Case, Derivation
from ..core.differentiate import differentiated
from ..core.family import Distribution
from .coordinates import Pairs
from .errors import Errors
from .gradient import derivative
from .remainder import NoRule
from .rewrites import rewrite
from .search import best
from .ssa import Builder
from .structure import Structured, added

Symbols = Sequence[sp.Symbol]


Values = Mapping[sp.Symbol, sp.Expr]


@dataclass(frozen=True)
class Context:
    """What lines are made for: the errors of a builder's lines, the symbols to differentiate by, the unit.

    `general` is the divergence of two generic members, which has the shape of that of two members with some
    parameters bound.
    """

    errors: Errors
    by: Symbols
    base: sp.Expr | None
    general: Derivation | None


def cases(derivation: Derivation, context: Context) -> list[str]:
    """The value of the first case that holds and its derivatives; NaN where that has no closed form, or none holds."""
    build = context.errors.build
    nan = build.constant("nan")
    results = [nan] * (1 + len(context.by))
    for case in reversed(derivation.cases):
        if case.kind == "infinite":
            found = [build.constant("inf"), *(nan for _ in context.by)]
        elif case.kind == "closed":
            found = _closed(derivation, case, context)
            if context.base is not None:
                found = [build.line("div", line, build.expression(sp.log(context.base))) for line in found]
        else:
            found = [nan] * len(results)
        results = [build.select(case.when, a, b) for a, b in zip(found, results, strict=True)]
    return results


def _closed(derivation: Derivation, case: Case, context: Context) -> list[str]:
    """A closed form as the remainder it is, where P and Q are of one family and it vanishes where they are equal."""
    build, diagonal = context.errors.build, "zero-on-diagonal" in derivation.divergence.axioms
    by, nan = context.by, context.errors.build.constant("nan")
    tied = {symbol for equation in case.when.atoms(sp.Eq) for symbol in equation.free_symbols}
    if diagonal and derivation.p.family == derivation.q.family:
        whole = derivation if context.general is None else context.general
        value, pairs, ends = _moved(whole, whole.cases[0] if context.general else case)
        if value == 0:
            return [build.constant("0")] * (1 + len(by))
        values = {g: x for a, b in ((whole.p, derivation.p), (whole.q, derivation.q)) for g, x in _both(a, b)}
        for symbol, actual in values.items():
            build.define(symbol, build.expression(actual))
        find = _sides if value.has(sp.Piecewise) else _one
        sides = find(value, pairs, ends, context.errors) if pairs else None
        if sides is not None:
            zeros = {symbol for member in (whole.p, whole.q) for symbol in _from_zero(member)}
            return _selected(context, [(form.guarded(zeros), when, gaps) for form, when, gaps in sides], values, tied)
    ends_belong = any(end for member in (derivation.p, derivation.q) for end in closed_ends(member))
    value = _zero_on_diagonal(build, derivation, build.expression(rewrite(case.value, ends_belong)))
    slopes = (nan if x in tied else build.expression(rewrite(differentiated(case.value, x), ends_belong)) for x in by)
    return [value, *slopes]


def _both(general: Distribution, actual: Distribution) -> Iterator[tuple[sp.Symbol, sp.Expr]]:
    return ((g, x) for g, x in zip(general.values, actual.values, strict=True) if isinstance(g, sp.Symbol))


def _moved(derivation: Derivation, case: Case) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr], set[sp.Symbol]]:
    """The value, what each parameter of Q that moves is in P, and those among them whose range has an end."""
    tied = {e.rhs: e.lhs for e in case.when.atoms(sp.Eq)} | {e.lhs: e.rhs for e in case.when.atoms(sp.Eq)}
    pairs, ends, same = {}, set(), {}
    if derivation.p.family != derivation.q.family:
        return case.value, pairs, ends
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


# A remainder form, where it holds, and what its symbols stand for that are no parameters.
Side = tuple[Structured, sp.Basic, Mapping[sp.Symbol, sp.Expr]]


def _one(value: sp.Expr, pairs: Pairs, ends: set[sp.Symbol], errors: Errors) -> list[Side] | None:
    structured = best(value, pairs, ends, errors)
    return None if structured is None else [(structured, sp.true, {})]


def _sides(value: sp.Expr, pairs: Pairs, ends: set[sp.Symbol], errors: Errors) -> list[Side] | None:
    """A form with a kink where a location of Q passes that of P: smooth in the gap on either side."""
    build, gap = errors.build, sp.Symbol("gap", positive=True)
    for q, p in pairs.items():
        right, left = (sp.expand(value.xreplace({q: p + side})) for side in (gap, -gap))
        if q.is_positive or right.has(sp.Piecewise) or left.has(sp.Piecewise):
            continue
        build.define(gap, build.line("abs", build.expression(q - p)))
        moved = {gap: sp.S.Zero} | {other: pairs[other] for other in pairs if other != q}
        forms = [best(side, moved, ends, errors) for side in ((right,) if right == left else (right, left))]
        if None in forms:
            return None
        inside = {gap: sp.Abs(q - p)}
        return [(form, when, inside) for form, when in zip(forms, (q >= p, sp.true), strict=False) if form is not None]
    return None


def _selected(context: Context, sides: Sequence[Side], values: Values, tied: set[sp.Symbol]) -> list[str]:
    """The lines of the side that holds: value and derivatives."""
    build = context.errors.build
    results: list[str] = []
    for structured, when, gaps in reversed(sides):
        value = structured.lines(build)
        slopes = (
            build.constant("nan") if x in tied else _slope(build, structured, x, values, gaps) for x in context.by
        )
        found = [value, *slopes]
        results = [build.select(when, a, b) for a, b in zip(found, results, strict=True)] if results else found
    return results


def _slope(build: Builder, structured: Structured, x: sp.Symbol, values: Values, gaps: Values) -> str:
    """The derivative by a symbol of the parameters' values: of the terms, or of what they mean where a rule lacks."""
    moves = {symbol: actual.diff(x) for symbol, actual in values.items() if actual.has(x)}
    try:
        return added(
            build, structured.derivative(moves | {gap: derivative(inside, moves) for gap, inside in gaps.items()})
        )
    except NoRule:
        whole = structured.sum.xreplace(dict(gaps))
        return build.expression(
            rewrite(sp.Add(*(differentiated(whole, symbol) * move for symbol, move in moves.items())))
        )


def _zero_on_diagonal(build: Builder, derivation: Derivation, value: str) -> str:
    """The value, and exactly 0 where the two members are one."""
    if "zero-on-diagonal" not in derivation.divergence.axioms or derivation.p.family != derivation.q.family:
        return value
    pairs = [(a, b) for a, b in zip(derivation.p.values, derivation.q.values, strict=True) if a != b]
    same = build.all(build.line("eq", build.expression(a), build.expression(b)) for a, b in pairs)
    return build.line("select", same, build.constant("0"), value)


def _from_zero(member: Distribution) -> Iterator[sp.Expr]:
    """The parameters that may be 0."""
    for parameter, value in zip(member.family.parameters, member.values, strict=True):
        if parameter.domain.left_closed and parameter.domain.lower == 0:
            yield value


def closed_ends(member: Distribution) -> Iterator[bool]:
    """For each parameter whether its domain has an end that belongs to it."""
    return (parameter.domain.left_closed or parameter.domain.right_closed for parameter in member.family.parameters)
