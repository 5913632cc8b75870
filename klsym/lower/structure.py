"""The closed form of a divergence of two members of one family, as the remainder it is."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import reduce

import sympy as sp
from sympy.core.function import AppliedUndef

from ..core.primitive import PRIMITIVES
from .coordinates import Coordinate
from .gaps import exact_gaps
from .gradient import derivative
from .remainder import Arithmetic
from .rewrites import head, rewrite
from .ssa import Builder

# Operations in an expression beyond which it is left as it is.
LONG = 60


@dataclass(frozen=True)
class Structured:
    """A sum of remainders in coordinates, and how each coordinate and its step are computed."""

    terms: tuple[sp.Expr, ...]
    coordinates: tuple[Coordinate, ...]

    def stepwise(self) -> Structured:
        """The same with u_2 = u_1 + D in every function of the three: a sum of one sign, where u_2 itself is not."""

        def step(function: sp.Expr) -> sp.Expr:
            arguments, primitive = list(function.args), PRIMITIVES[function.func.__name__]
            for gap, (low, high) in enumerate(primitive.gaps, len(primitive.typical)):
                arguments[high] = arguments[low] + arguments[gap]
            return function.func(*arguments)

        def gapped(e: sp.Expr) -> bool:
            return isinstance(e, AppliedUndef) and bool(PRIMITIVES[e.func.__name__].gaps)

        return replace(self, terms=tuple(term.replace(gapped, step) for term in self.terms))

    def guarded(self, zeros: Set[sp.Expr]) -> Structured:
        """The same where factors may be 0: such a term is 0 there, infinite as the rest of it may be (0 log 0 = 0)."""

        def guard(term: sp.Expr) -> sp.Expr:
            for factor in (factor for factor in sp.Mul.make_args(term) if factor in zeros):
                # SymPy takes the factor for positive, so its own Piecewise would not hold this case.
                term = head("select")(head("eq")(factor, 0), 0, term)
            return term

        return replace(self, terms=tuple(map(guard, self.terms)))

    def lines(self, build: Builder, actual: Mapping[sp.Symbol, sp.Expr]) -> str:
        """The name of the sum's line, its terms added in their order; `actual` is what the parameters are."""
        for coordinate in self.coordinates:
            moving = coordinate.moving
            for symbol, meant in ((moving.symbol, coordinate.value), (moving.step, coordinate.step)):
                build.define(symbol, build.expression(exact_gaps(meant.xreplace(dict(actual)))))
        return added(build, self.terms)

    def derivative(self, moves: Mapping[sp.Symbol, sp.Expr]) -> tuple[sp.Expr, ...]:
        """The terms of a derivative, in which parameters move as given, and coordinates with them."""
        moves = dict(moves)
        for coordinate in self.coordinates:
            moving = coordinate.moving
            if moving.symbol != coordinate.target:
                moves[moving.symbol] = derivative(coordinate.value, moves)
            moves[moving.step] = moves.get(moving.symbol, sp.S.Zero) - derivative(moving.base, moves)
        return tidy(derivative(sp.Add(*self.terms), moves), self.coordinates)

    @property
    def sum(self) -> sp.Expr:
        """The sum in the parameters themselves."""
        inside = {c.moving.symbol: c.value for c in self.coordinates} | {
            c.moving.step: c.step for c in self.coordinates
        }
        return meaning(sp.Add(*self.terms).xreplace(inside))


def added(build: Builder, terms: Sequence[sp.Expr]) -> str:
    """The name of the sum of the terms, added in their order."""
    names = [build.expression(rewrite(term)) for term in terms] or [build.constant("0")]
    return reduce(lambda a, b: build.line("add", a, b), names)


def second_order(arithmetic: Arithmetic, value: sp.Expr) -> sp.Expr:
    """The remainder; for terms with a coordinate that moves the value to first order, as a wider support does, D."""
    column = arithmetic(value)
    steps = {c.step: symbol for symbol, c in arithmetic.moving.items()}
    smooth = column.linear != sp.nan
    first = {symbol for step, symbol in steps.items() if not (smooth and vanishes(column.linear.diff(step)))}
    terms = [arithmetic(term) for term in sp.Add.make_args(value)]
    return sp.Add(*(t.difference if t.value.free_symbols & first else t.remainder for t in terms))


def vanishes(expr: sp.Expr) -> bool:
    """Whether an expression of the parameters is 0, decided at two random points where it is real, to 25 digits."""
    draw, expr, seen = random.Random(str(expr)), meaning(expr), 0
    symbols = sorted(expr.free_symbols, key=str)
    for _ in range(20):
        point = {symbol: sp.Rational(draw.randint(11, 89), 97) for symbol in symbols}
        number = expr.xreplace(point).evalf(25)
        if number.is_Float or number.is_Rational:
            if abs(number) > 1e-18:
                return False
            seen += 1
        if seen == 2 or (seen and not symbols):
            return True
    return False


def meaning(expr: sp.Expr) -> sp.Expr:
    """The expression with every primitive as the function it is."""
    return expr.replace(
        lambda e: isinstance(e, AppliedUndef) and e.func.__name__ in PRIMITIVES,
        lambda e: PRIMITIVES[e.func.__name__].spec(*e.args),
    )


def tidy(remainder: sp.Expr, chart: tuple[Coordinate, ...]) -> tuple[sp.Expr, ...]:
    """The terms of a remainder, equal functions together, each coefficient at its shortest."""
    steps = {c.moving.step: c.moving.symbol - c.moving.base for c in chart if c.moving.step != c.moving.symbol}
    back = {c.moving.symbol: c.moving.base + c.moving.step for c in chart if c.moving.step != c.moving.symbol}

    def shortest(expr: sp.Expr) -> sp.Expr:
        """(a + d) -> a_q, and d - d/r -> d^2/r: a step is the difference of two values"""
        if not expr.free_symbols or expr.is_Symbol or expr.count_ops() > LONG:
            return expr
        found = [expr, sp.factor_terms(expr)]
        for swap in (back, steps):
            fraction = sp.cancel(sp.together(expr.xreplace(swap)))
            above, below = (changed(side, swapped) for side in fraction.as_numer_denom())
            found += [fraction, above / below]
        return min(found, key=_length)

    def swapped(expr: sp.Expr) -> sp.Expr:
        return min((sp.expand(expr.xreplace(swap)) for swap in ({}, back, steps)), key=_length)

    def inside(function: sp.Expr) -> sp.Expr:
        return function.func(*(shortest(argument) for argument in function.args))

    remainder = remainder.replace(lambda e: isinstance(e, AppliedUndef), inside)
    terms = by_functions(remainder)
    return tuple(entropy_remainder(shortest(c) * own) for own, c in terms.items() if shortest(c) != 0)


def _length(expr: sp.Expr) -> tuple[int, int, int, str]:
    """What may cancel first, a written difference more than a step of unknown sign; then operations, and terms."""
    terms = sp.Add.make_args(expr.as_numer_denom()[0])
    positive = sum(term.is_nonnegative is True for term in terms)
    negative = sum(term.is_nonpositive is True for term in terms)
    return (
        len(terms) - positive - negative + 2 * min(positive, negative),
        expr.count_ops(),
        len(sp.Add.make_args(expr)),
        str(expr),
    )


def changed(expr: sp.Expr, change: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    """A sum of products of functions, each with its coefficient changed."""
    return sp.Add(*(change(c) * own for own, c in by_functions(expr).items()))


def by_functions(expr: sp.Expr) -> dict[sp.Expr, sp.Expr]:
    """The products of functions in a sum, with their coefficients."""
    groups: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(expr, deep=False)):
        functions = sp.Mul(*(f for f in sp.Mul.make_args(term) if f.has(sp.Function)))
        groups[functions] = groups.get(functions, 0) + term / functions
    return groups


def entropy_remainder(term: sp.Expr) -> sp.Expr:
    """p phi(p, q, d) -> klrem(p, q, d), which has a value where p is 0"""
    for factor in sp.Mul.make_args(term):
        if isinstance(factor, head("phi")) and not factor.args[0].is_number:
            rest = term / factor
            shorter = sp.cancel(rest / factor.args[0])
            if _length(shorter) < _length(rest):
                return shorter * head("klrem")(*factor.args)
    return term
