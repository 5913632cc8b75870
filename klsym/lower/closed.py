"""The cases of a derivation as lines: each closed form as a remainder where it is one, else as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

import sympy as sp

from ..core.derivation import Case, Derivation, General
from ..core.differentiate import differentiated
from ..core.divergence import Divergence
from ..core.family import Distribution
from .coordinates import Pairs
from .errors import ROUNDING, Range
from .faces import faces
from .gaps import exact_gaps, paired
from .generic import Context, errors_of, from_zero, moved
from .gradient import derivative
from .middle import through_middle
from .remainder import NoRule
from .rewrites import rewrite
from .search import best, chosen, shape_key
from .ssa import Builder
from .structure import Structured, added

Values = Mapping[sp.Symbol, sp.Expr]


def cases(derivation: Derivation, context: Context) -> list[str]:
    """The value of the first case that holds and its derivatives; NaN where that has no closed form, or none holds."""
    build = context.errors.build
    nan = build.constant("nan")
    results = [nan] * (1 + len(context.by))
    for case in reversed(derivation.cases):
        if case.kind == "infinite":
            found = [build.constant("inf" if case.value == sp.oo else "-inf"), *(nan for _ in context.by)]
        elif case.kind == "closed":
            found = _closed(derivation, case, context)
            if context.base is not None:
                unit = build.expression(derivation.divergence.unit(context.base))
                found = [build.line("div", line, unit) for line in found]
        else:
            found = [nan] * len(results)
        results = [build.select(case.when, a, b) for a, b in zip(found, results, strict=True)]
    return results


def _closed(derivation: Derivation, case: Case, context: Context) -> list[str]:
    """A closed form as the remainder it is, where P and Q are of one family and it vanishes where they are equal."""
    build = context.errors.build
    tied = {symbol for equation in case.when.atoms(sp.Eq) for symbol in equation.free_symbols}
    divergence = derivation.divergence
    if divergence.integral and case is derivation.cases[0]:
        for general in (general for term in context.generals for general in term):
            renyi = _between(general, context, tied) or _remainder(general, general.derivation.cases[0], context, tied)
            found = (
                _plain(derivation, case, context, tied)
                if renyi is None
                else _outer(general, divergence, context, renyi)
            )
            value, *slopes = _with_faces(general, divergence, context, tied, found)
            return [_zero_on_diagonal(build, derivation, value), *slopes]
    elif _second_order(divergence):
        own = [[General(derivation, derivation.p, derivation.q)]] if derivation.p.family == derivation.q.family else []
        terms = [_term(term, derivation, case, context, tied) for term in context.generals or own]
        if terms and None not in terms:
            return [reduce(lambda a, b: build.line("add", a, b), lines) for lines in zip(*terms, strict=True)]
    return _plain(derivation, case, context, tied)


def _term(
    term: Sequence[General], derivation: Derivation, case: Case, context: Context, tied: set[sp.Symbol]
) -> list[str] | None:
    """The lines of the first of these that has a remainder form."""
    for general in term:
        whole = general.derivation
        found = _remainder(general, case if whole is derivation else whole.cases[0], context, tied)
        if found is not None and not (_apart(general) and context.errors.range(found[0]).relative is None):
            return found
    return None


def _second_order(divergence: Divergence) -> bool:
    """Whether it is its remainder, as its value and its slope vanish where P and Q are equal."""
    smooth = divergence.over == "densities" and not divergence.integral and divergence.order == 2
    return smooth and "zero-on-diagonal" in divergence.axioms


def _plain(derivation: Derivation, case: Case, context: Context, tied: set[sp.Symbol]) -> list[str]:
    """The closed form as it stands."""
    build, by = context.errors.build, context.by
    ends_belong = any(end for member in (derivation.p, derivation.q) for end in closed_ends(member))
    value = rewrite(case.value, ends_belong)
    if derivation.divergence.over != "densities":
        # A distance of what the parameters differ by, of first order: it is formed from the differences.
        value, gaps = paired(value, dict(zip(derivation.p.values, derivation.q.values, strict=False)))
        for gap, inside in gaps.items():
            build.define(gap, build.expression(inside))
        value = exact_gaps(value)
    value = _zero_on_diagonal(build, derivation, build.expression(value))
    nan = build.constant("nan")
    slopes = (nan if x in tied else build.expression(rewrite(differentiated(case.value, x), ends_belong)) for x in by)
    return [value, *slopes]


def _outer(general: General, divergence: Divergence, context: Context, lines: list[str]) -> list[str]:
    """A function of one integral from the lines of the Renyi divergence: its logarithm is (order - 1) times that."""
    build, (order,) = context.errors.build, general.values
    renyi, slope = (sp.Dummy(name, real=True) for name in ("renyi", "slope"))
    build.define(renyi, lines[0])
    outer = of_logarithm(divergence, (order - 1) * renyi)
    results = [build.expression(rewrite(outer))]
    for x, line in zip(context.by, lines[1:], strict=True):
        build.define(slope, line)
        results.append(build.expression(rewrite(outer.diff(renyi) * slope + outer.diff(x))))
    return results


def _with_faces(
    general: General, divergence: Divergence, context: Context, tied: set[sp.Symbol], inner: list[str]
) -> list[str]:
    """The lines, and in their place those of the formulas that hold where a parameter is at an end of its domain."""
    build, nan = context.errors.build, context.errors.build.constant("nan")
    for face in reversed(list(faces(general))):
        found = [build.constant("inf"), *(nan for _ in context.by)]
        if face.value != sp.oo:
            none = {face.symbol, *tied}
            renyi = [face.value, *(nan if x in none else differentiated(face.value, x) for x in context.by)]
            lines = [x if x is nan else build.expression(rewrite(x, closed_ends=True)) for x in renyi]
            found = _outer(general, divergence, context, lines)
        inner = [build.select(face.when, a, b) for a, b in zip(found, inner, strict=True)]
    return inner


def of_logarithm(divergence: Divergence, log_value: sp.Expr) -> sp.Expr:
    """A function of one integral, the logarithm of the integral given.

    >>> from klsym.divergences import chi2, hellinger2
    >>> of_logarithm(chi2, sp.Symbol("l")), of_logarithm(hellinger2, sp.Symbol("l"))
    (exp(l) - 1, 1 - exp(l))
    """

    def integral(_: sp.Expr) -> sp.Expr:
        return sp.exp(logarithm)

    log_p, log_q, logarithm = sp.symbols("log_p log_q logarithm", real=True)
    written = divergence.written(log_p, log_q, integral, integral)
    return written.xreplace({logarithm: log_value})


def _between(general: General, context: Context, tied: set[sp.Symbol]) -> list[str] | None:
    """The lines of a Renyi divergence by those of the KL divergence; None where that has no form for it."""
    if general.middle is None:
        return None
    whole = general.middle.kl
    value, pairs, ends = moved(whole, whole.cases[0])
    if len(whole.cases) > 1 or not pairs or value.has(sp.Piecewise):
        return None
    sides = _one(value, pairs, ends, whole)
    if sides is None:
        return None
    zeros = {symbol for member in (whole.p, whole.q) for symbol in from_zero(member)}
    return through_middle(general, context, sides[0][0].guarded(zeros), tied)


def _remainder(general: General, case: Case, context: Context, tied: set[sp.Symbol]) -> list[str] | None:
    """The lines of the remainder form of a case of generic members, at the members that are meant; None without one."""
    build, whole = context.errors.build, general.derivation
    value, pairs, ends = moved(whole, case)
    if value == 0:
        return [build.constant("0")] * (1 + len(context.by))
    if not pairs:
        return None
    values = {g: x for a, b in ((whole.p, general.p), (whole.q, general.q)) for g, x in _both(a, b)}
    values |= dict(zip(whole.divergence.values, general.values, strict=False))
    for symbol, actual in values.items():
        build.define(symbol, build.expression(actual))
    kinked = value.has(sp.Piecewise)
    sides = _sides(value, pairs, ends, whole, build) if kinked else _one(value, pairs, ends, whole)
    if sides is None:
        return None
    zeros = {symbol for member in (whole.p, whole.q) for symbol in from_zero(member)}
    return _selected(context, [(form.guarded(zeros), when, gaps) for form, when, gaps in sides], values, tied)


def _both(general: Distribution, actual: Distribution) -> Iterator[tuple[sp.Symbol, sp.Expr]]:
    return ((g, x) for g, x in zip(general.values, actual.values, strict=True) if isinstance(g, sp.Symbol))


# A remainder form, where it holds, and what its symbols stand for that are no parameters.
Side = tuple[Structured, sp.Basic, Mapping[sp.Symbol, sp.Expr]]


def _apart(general: General) -> bool:
    """Whether the members never meet: then only a remainder whose error is bounded is better than the closed form."""
    return any(a.is_number and b.is_number and a != b for a, b in zip(general.p.values, general.q.values, strict=True))


def _one(value: sp.Expr, pairs: Pairs, ends: set[sp.Symbol], whole: Derivation) -> list[Side] | None:
    long = whole.divergence.integral or (getattr(whole.p.family, "whole", None) is not None and len(pairs) > 2)
    if long and shape_key(value, pairs, ends) not in chosen():
        return None  # a search would take minutes; without a form the second pass has the digits
    structured = best(value, pairs, ends, errors_of(whole))
    return None if structured is None else [(structured, sp.true, {})]


def _sides(value: sp.Expr, pairs: Pairs, ends: set[sp.Symbol], whole: Derivation, build: Builder) -> list[Side] | None:
    """A form with a kink where a location of Q passes that of P: smooth in the gap on either side."""
    gap = sp.Symbol("gap", positive=True)
    for q, p in pairs.items():
        right, left = (sp.expand(value.xreplace({q: p + side})) for side in (gap, -gap))
        if q.is_positive or right.has(sp.Piecewise) or left.has(sp.Piecewise):
            continue
        build.define(gap, build.line("abs", build.expression(q - p)))
        moved = {gap: sp.S.Zero} | {other: pairs[other] for other in pairs if other != q}
        errors = errors_of(whole, gap=Range(0.0, relative=ROUNDING))
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
        value = structured.lines(build, values)
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
    if not pairs:
        return build.constant("0")
    same = build.all(build.line("eq", build.expression(a), build.expression(b)) for a, b in pairs)
    return build.line("select", same, build.constant("0"), value)


def closed_ends(member: Distribution) -> Iterator[bool]:
    """For each parameter whether its domain has an end that belongs to it."""
    return (parameter.domain.left_closed or parameter.domain.right_closed for parameter in member.family.parameters)
