"""The chain rule: a divergence of joint distributions is the sum of the expected divergences of their factors."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..arrays.domain import ArrayDomain
from ..arrays.family import ArrayDistribution, Factor, substitute
from ..arrays.joint import kind
from ..core.derivation import Case, Derivation, Expectation, Step
from ..core.divergence import Divergence
from ..core.errors import NoCommonSpaceError, UnderivableError
from ..core.family import Distribution
from . import LOG_P, LOG_Q, MEASURES, P, Q, arrays
from . import derive as derive_numbers
from .arrays.affine import Names, bracketed
from .arrays.collect import collect, plain
from .arrays.words import trace
from .binding import bind
from .expand import expand

WHY = "the log density of a joint distribution is the sum of those of its factors"
INFINITE, UNDECIDED = "infinite", "undecided"


@dataclass(frozen=True)
class Part:
    """One term of the answer: its value, where it holds and what it is elsewhere, its steps, and the laws they name."""

    value: sp.Expr
    when: Boolean = sp.true
    otherwise: str = INFINITE
    why: str = ""
    steps: tuple[Step, ...] = ()
    measures: tuple[tuple[sp.Symbol, Factor], ...] = ()
    coordinates: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()

    def then(self, later: Part) -> Part:
        """The later part, which goes on from this one's value."""
        later = later.beside(self)
        unknown = [part.otherwise for part in (self, later) if part.when != sp.true]
        return Part(
            later.value,
            sp.And(self.when, later.when),
            UNDECIDED if UNDECIDED in unknown else INFINITE,
            "; ".join(dict.fromkeys(part.why for part in (self, later) if part.why)),
            (*self.steps, *later.steps),
            (*self.measures, *later.measures),
            (*self.coordinates, *later.coordinates),
        )

    def beside(self, earlier: Part) -> Part:
        """The part with names for its coordinates that mean nothing else in either part."""
        meant = {y.name: forward for y, forward in earlier.coordinates}
        own = {y for part in (self, earlier) for y, _ in part.coordinates}
        sides = (side for part in (self, earlier) for step in part.steps for side in (step.lhs, step.rhs))
        taken = {s.name for side in sides for s in side.free_symbols - own if isinstance(s, sp.Symbol)}
        renamed = {}
        for y, forward in self.coordinates:
            if y != forward:
                spare = (y.name + "'" * n for n in range(99))
                name = next(n for n in spare if n not in taken and meant.get(n, forward) == forward)
                meant[name] = forward
                renamed[y] = sp.Symbol(name, **y.assumptions0)
        steps = (_moved(step, renamed) for step in self.steps)
        return replace(
            self,
            steps=tuple(replace(step, why=_worded(step.why, renamed)) for step in steps),
            coordinates=tuple((renamed.get(y, y), forward) for y, forward in self.coordinates),
        )


@lru_cache(maxsize=1024)
def derive(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution) -> Derivation:
    """D(P || Q) = sum_i E_P[D(P_i(. | earlier) || Q_i(. | earlier))], with its steps.

    Raises ParameterError where the factors of P and Q are not of the same kinds in the same order, UnderivableError
    where a factor, or the expectation of its divergence, has no rule. (Cover and Thomas, Elements of Information
    Theory, theorem 2.5.3.)
    """
    pairs = tuple(zip(p.factors, aligned(p.factors, q.factors), strict=True))
    written, total = [], Part(sp.S.Zero)
    names: Names = {}
    for piece in pieces(divergence):
        for place in range(len(pairs)):
            term, part = _term(piece, pairs, place, names)
            written.append(term)
            total = replace(total.then(part), value=total.value + part.value)
    if left := [f.outcome for f, _ in pairs if total.value.has(f.outcome)]:
        raise UnderivableError(f"the expectation over {', '.join(map(str, left))} has no rule")
    name = sp.Symbol(divergence.name)
    steps = [Step("chain rule", name, sp.Add(*written), why=WHY), *total.steps]
    unknown = total.otherwise == UNDECIDED and total.when != sp.true
    beyond = Case("undecided" if unknown else "infinite", sp.nan if unknown else sp.oo, sp.true, total.why)
    if total.value.has(sp.oo) or total.when == sp.false:
        cases = [beyond]
    else:
        brackets = {symbol: bracket for bracket, symbol in names.items()}
        steps = [replace(s, lhs=s.lhs.xreplace(brackets), rhs=s.rhs.xreplace(brackets)) for s in steps]
        value = _whole(cancelled(collect(plain(total.value))), names).xreplace(brackets)
        steps.append(Step("sum", name, value, total.when, "the terms together"))
        cases = [Case("closed", value, total.when)]
        if total.when != sp.true:
            cases.append(beyond)
    return Derivation(divergence, p, q, tuple(cases), tuple(steps), total.coordinates, total.measures)


def cancelled(value: sp.Expr) -> sp.Expr:
    """The quotients among the terms as one quotient, v/(s + v) + s/(s + v) = 1, and no term that is 0 in disguise.

    An analytic function that is 0 at random points is 0 everywhere.
    """
    terms = [t for t in sp.Add.make_args(value) if not (t.has(sp.Add) and t.is_algebraic_expr() and vanishes(t))]
    quotients = [t for t in terms if t.is_number or (sp.denom(t).has(sp.Add) and t.is_rational_function())]
    together = sp.cancel(sp.Add(*quotients))
    return sp.Add(together, *(t for t in terms if t not in quotients)) if len(quotients) > 1 else sp.Add(*terms)


def vanishes(term: sp.Expr) -> bool:
    """Whether the expression is 0 at three points."""
    rng, symbols = random.Random(5), sorted(term.free_symbols, key=str)
    points = ({s: sp.Rational(rng.randint(101, 999), 251) for s in symbols} for _ in range(3))
    return all(abs(sp.N(term.xreplace(point), 20, maxn=60)) < 1e-25 for point in points)


def _whole(value: sp.Expr, names: Names) -> sp.Expr:
    """c tr(C^-1 A) + c tr(C^-1 B) = c k for a bracket C = A + B of k rows"""
    for bracket, symbol in names.items():
        if bracket.rows != bracket.cols:
            continue
        parts = trace(sp.MatMul(sp.Inverse(symbol), bracket))
        first, *_ = sp.Add.make_args(parts)
        c, one = first.as_independent(sp.Trace, as_Add=False)
        if weight := sp.expand(value).coeff(one):
            rest = sp.expand(value - weight / c * parts)
            if not any(rest.has(t) for t in parts.atoms(sp.Trace)):
                value = rest + weight / c * bracket.rows
    return value


def aligned(first: tuple[Factor, ...], second: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """The second factors with the outcomes of the first; ParameterError where they are of other kinds."""
    kinds = [tuple(kind(f.law) for f in factors) for factors in (first, second)]
    if kinds[0] != kinds[1]:
        said = [", ".join(each) or "no joint distribution" for each in kinds]
        raise NoCommonSpaceError(
            f"P is of {said[0]} and Q of {said[1]}: joint distributions need the same kinds in one order"
        )
    renamed = {b.outcome: a.outcome for a, b in zip(first, second, strict=True)}
    return tuple(Factor(a.outcome, _at(b.law, renamed)) for a, b in zip(first, second, strict=True))


def _at(law: Any, values: dict[Any, Any]) -> Any:
    return replace(law, values=tuple(substitute(v, values) for v in law.values))


@lru_cache(maxsize=64)
def pieces(divergence: Divergence) -> tuple[Divergence, ...]:
    """The divergence as a sum of expectations under one of the two distributions each."""
    terms = sp.Add.make_args(divergence.written(LOG_P, LOG_Q, P, Q))
    return (divergence,) if len(terms) == 1 else tuple(replace(divergence, define=_one(term)) for term in terms)


def _one(term: sp.Expr) -> Any:
    return lambda log_p, log_q, p, q: term.subs({LOG_P: log_p, LOG_Q: log_q}).replace(P, p).replace(Q, q)


def _measure(piece: Divergence) -> sp.Symbol:
    (measure,) = {MEASURES[f] for f in (P, Q) if piece.written(LOG_P, LOG_Q, P, Q).has(f)}
    return measure


def _term(
    piece: Divergence, pairs: tuple[tuple[Factor, Factor], ...], place: int, names: Names
) -> tuple[sp.Expr, Part]:
    """The term of one factor, as the chain rule writes it, and what it comes to."""
    under, (a, b) = _measure(piece), pairs[place]
    own = 0 if under == MEASURES[P] else 1
    earlier = [pair[own] for pair in pairs[:place]]
    name = sp.Symbol(f"{piece.name}({_given(a.outcome, (a.law, b.law), earlier)})")
    part, written = _divergence(piece, under, a, b, (a, b)[own], earlier, name, names), name
    part = replace(part, value=plain(bracketed(part.value, [f.outcome for f in earlier], names)))
    for f in reversed(earlier):
        if part.when.has(f.outcome):
            raise UnderivableError(f"{name} holds only where {part.when}, which depends on the outcome {f.outcome}")
        if part.value.has(f.outcome):
            written = Expectation(written, sp.true, sp.Symbol(f"{under}({_given(f.outcome, (f.law,), earlier)})"))
            part = part.then(expectation(under, f, earlier, part.value, "nonnegative" in piece.axioms))
    return written, part


def _given(outcome: Any, laws: tuple[Any, ...], earlier: list[Factor]) -> str:
    """The outcome and those before it that the laws depend on: x | tau"""
    on = [
        str(f.outcome)
        for f in earlier
        if any(isinstance(v, sp.Basic) and v.has(f.outcome) for law in laws for v in law.values)
    ]
    return f"{outcome} | {', '.join(on)}" if on else str(outcome)


def _named(under: sp.Symbol, f: Factor, earlier: list[Factor]) -> tuple[sp.Symbol, Factor]:
    """The measure that steps about a factor name: that of its outcome, or of what the outcome is the image of."""
    if isinstance(f.law, ArrayDistribution) and f.law.family.image is not None:
        f = Factor(f.law.base.variable, f.law.base)
    return sp.Symbol(f"{under}({_given(f.outcome, (f.law,), earlier)})"), f


def _divergence(
    piece: Divergence,
    under: sp.Symbol,
    a: Factor,
    b: Factor,
    own: Factor,
    earlier: list[Factor],
    name: sp.Symbol,
    names: Names,
) -> Part:
    """The divergence of two laws of one outcome, whose parameters may have earlier outcomes in them."""
    if isinstance(a.law, Distribution):
        found, variable = bind(lambda p, q: derive_numbers(piece, p, q), a.law, b.law, ()), a.law.family.variable
    else:
        found, variable = _of_arrays(piece, a.law, b.law, [f.outcome for f in earlier], names), own.law.base.variable
    case = found.cases[0]
    if case.kind not in ("closed", "infinite"):
        raise UnderivableError(f"{name} of {found.p} and {found.q} is {case.kind}: {case.why or 'no rule knows it'}")
    measure, seen = _named(under, own, earlier)
    moved = {variable: seen.outcome, under: measure, sp.Symbol(piece.name): name}
    otherwise = found.cases[1] if len(found.cases) > 1 else case
    return Part(
        case.value,
        case.when,
        INFINITE if otherwise.kind == "infinite" or case.when == sp.true else UNDECIDED,
        otherwise.why,
        tuple(_moved(step, moved) for step in found.steps),
        ((measure, seen),),
        tuple((y.xreplace(moved), forward.xreplace(moved)) for y, forward in found.coordinates),
    )


def _worded(why: str, renamed: dict[sp.Symbol, sp.Symbol]) -> str:
    for old, new in renamed.items():
        why = re.sub(rf"(?<!\w){old}(?![\w'])", new.name, why)
    return why


def _moved(step: Step, moved: dict[Any, Any]) -> Step:
    return replace(step, lhs=step.lhs.xreplace(moved), rhs=step.rhs.xreplace(moved))


def _of_arrays(
    piece: Divergence, p: ArrayDistribution, q: ArrayDistribution, earlier: list[Any], names: Names
) -> Derivation:
    """The derivation for symbols in place of matrix expressions, equal ones for equal, and the expressions put in.

    A sum of matrices that no outcome is in keeps its symbol, one of `names`.
    """
    symbols: dict[Any, Any] = {}
    for d in (p, q):
        for parameter, value in zip(d.family.parameters, d.values, strict=True):
            if (
                isinstance(value, sp.MatAdd)
                and isinstance(parameter.domain, ArrayDomain)
                and parameter.domain.square
                and not value.has(*earlier)
            ):
                names.setdefault(value, parameter.domain.symbol(f"#{len(names)}", *value.shape))
            elif isinstance(value, sp.MatrixExpr) and not isinstance(value, sp.MatrixSymbol):
                dimensions = (n.xreplace(dict(d.sizes)) for n in parameter.dimensions)
                symbols.setdefault(value, parameter.domain.symbol(f"#{len(symbols)}#", *dimensions))
    meant = {**names, **symbols}
    first, second = (replace(d, values=tuple(meant.get(v, v) for v in d.values)) for d in (p, q))
    found = arrays.derive(piece, first, second)
    back = {symbol: value for value, symbol in symbols.items()}
    cases = tuple(replace(c, value=c.value.xreplace(back), when=c.when.xreplace(back)) for c in found.cases)
    steps = (Step(s.rule, _put(s.lhs, back), _put(s.rhs, back), s.when, _said(s.why, back)) for s in found.steps)
    return replace(found, p=p, q=q, cases=cases, steps=tuple(s for s in steps if s.rule != "collect" or s.lhs != s.rhs))


def _put(expr: Any, back: dict[Any, Any]) -> Any:
    return plain(expr.xreplace(back)) if isinstance(expr, sp.Expr) and back else expr


def _said(why: str, back: dict[Any, Any]) -> str:
    for symbol, value in back.items():
        why = why.replace(str(symbol), str(value))
    return why


def expectation(under: sp.Symbol, f: Factor, earlier: list[Factor], value: sp.Expr, nonnegative: bool) -> Part:
    """E[value] over the factor's outcome, of a value that may be known to be nonnegative.

    Raises UnderivableError where no rule knows it.
    """
    measure, seen = _named(under, f, earlier)
    opening: tuple[Step, ...] = ()
    if isinstance(f.law, Distribution):
        x = f.law.family.variable
        within = sp.Lambda(x, sp.expand_log(value).xreplace({f.outcome: x}))
        found = expand(f.law, measure, ((sp.S.One, within),), False)
        if found.leftover:
            unknown = ", ".join(str(e.xreplace({x: f.outcome})) for _, e in found.leftover)
            raise UnderivableError(f"no rule knows {unknown} for {f.outcome} ~ {f.law}")
        closed, steps, coordinates = found.closed, found.steps, found.coordinates
    else:
        x, coordinates = seen.law.variable, ()
        inside = value.xreplace({f.outcome: f.law.seen})
        if seen != f:
            opening = (Step("coordinate", f.outcome, f.law.seen, why=f"a bijection; {x} ~ {seen.law}"),)
        closed, steps = arrays.expected(seen.law, measure, inside)
    when, otherwise, why = _convergence(steps, nonnegative)
    moved = {x: seen.outcome}
    return Part(
        closed,
        when,
        otherwise,
        why,
        (*opening, *(_moved(step, moved) for step in steps)),
        ((measure, seen),),
        tuple((y.xreplace(moved), forward.xreplace(moved)) for y, forward in coordinates),
    )


def _convergence(steps: Sequence[Step], nonnegative: bool) -> tuple[Boolean, str, str]:
    """Where every expectation of the steps is finite, and what their sum is elsewhere.

    It is infinite where one term alone is, of a sum that is nonnegative; two might cancel.
    """
    bounded = [step for step in steps if step.when != sp.true]
    when = sp.And(*(step.when for step in bounded))
    if when == sp.true:
        return when, INFINITE, ""
    why = f"{', '.join(str(step.lhs) for step in bounded)} must be finite"
    whole = next(step.rhs for step in steps if step.rule == "linearity")
    alone = len(bounded) == 1 and sp.expand(whole).coeff(bounded[0].lhs).is_nonzero
    return when, INFINITE if alone and nonnegative else UNDECIDED, why
