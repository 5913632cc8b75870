"""The closed form of a divergence of two members of one family, as the remainder it is."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from itertools import product

import sympy as sp
from sympy.core.function import AppliedUndef

from ..core.errors import UnderivableError
from ..core.primitive import PRIMITIVES
from ..core.program import TRUSTED
from .coordinates import Coordinate, Pairs, options
from .errors import INFINITE, Errors
from .gradient import derivative
from .remainder import Arithmetic, NoRule, entropic, log_beta, reduced_lgamma
from .rewrites import bessel_zero, head, rewrite
from .ssa import Builder

# What a primitive costs, in operations; any other counts as one.
COST = {
    "div": 4, "sqrt": 4, "log": 15, "exp": 15, "expm1": 20, "e2": 20, "phi": 20, "klrem": 20, "log_ratio": 20,
    "log1p": 15, "pow": 40, "sin": 30, "lgamma": 40, "digamma": 40, "trigamma": 40, "lgamma_difference": 60,
    "lgrem": 60, "grem": 60, "lbetarem": 180, "log_i0_remainder": 100,
}  # fmt: skip

# How many coordinates for one of three or more parameters, and how many combinations of them, are tried.
KEPT, TRIED = 3, 20

# Operations in an expression beyond which it is left as it is.
LONG = 60


@dataclass(frozen=True)
class Structured:
    """A sum of remainders in coordinates, and how each coordinate and its step are computed."""

    terms: tuple[sp.Expr, ...]
    coordinates: tuple[Coordinate, ...]

    def lines(self, build: Builder) -> str:
        """The name of the sum's line, its terms added in their order."""
        for coordinate in self.coordinates:
            build.define(coordinate.moving.symbol, build.expression(coordinate.value))
            build.define(coordinate.moving.step, build.expression(coordinate.step))
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


def best(value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol], errors: Errors) -> Structured | None:
    """The remainder form to compute a closed form by, or None where there is none.

    First come sums of terms that are never negative, then those whose error has a bound, then the shortest: all
    of it is read off the lines, so that the choice is the same on every machine.
    """
    found: list[tuple[tuple[bool, bool, int, float, int], Structured]] = []
    for structured in candidates(value, pairs, ends):
        scratch = errors.scratch()
        try:
            total = scratch.range(structured.lines(scratch.build))
        except UnderivableError:
            continue
        cost = sum(COST.get(line.primitive, 1) for line in scratch.build.lines)
        bound = INFINITE if total.relative is None else total.relative
        found.append(((total.sign <= 0, bound > TRUSTED, cost, bound, len(found)), structured))
        if total.sign > 0 and bound <= TRUSTED:
            break
    for _, structured in sorted(found, key=lambda row: row[0]):
        if vanishes(structured.sum - value):
            return structured
    return None


def candidates(value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol]) -> Iterator[Structured]:
    """The remainder forms of a closed form, in the most invariant coordinates."""
    for inside, chart in charts(value, pairs, ends):
        arithmetic = Arithmetic({c.moving.symbol: c.moving for c in chart})
        for shaped in shapes(inside, chart):
            try:
                yield Structured(tidy(second_order(arithmetic, shaped), chart), chart)
            except NoRule:
                continue


def charts(value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol]) -> list[tuple[sp.Expr, tuple[Coordinate, ...]]]:
    """The closed form in combinations of coordinates, those first that leave the fewest parameters in it."""

    def rank(chart: tuple[Coordinate, ...]) -> tuple[tuple[int, int], sp.Expr, tuple[Coordinate, ...]]:
        inside = transplanted(value, chart)
        left = len(inside.free_symbols - {c.moving.symbol for c in chart})
        return (left, inside.count_ops()), inside, chart

    kept: dict[sp.Symbol, list[Coordinate]] = {}
    for q in pairs:
        ranked = sorted((rank((coordinate,))[0], k, coordinate) for k, coordinate in enumerate(options(q, pairs, ends)))
        kept[q] = [coordinate for _, _, coordinate in (ranked if len(pairs) < 3 else ranked[:KEPT])]
    found = sorted((rank(chart) for chart in product(*kept.values())), key=lambda row: row[0])
    return [(inside, chart) for (left, _), inside, chart in found[:TRIED] if left == found[0][0][0]]


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


def transplanted(value: sp.Expr, chart: tuple[Coordinate, ...]) -> sp.Expr:
    """The closed form in the coordinates, logarithms and powers of products taken apart."""
    for coordinate in chart:
        value = value.xreplace({coordinate.target: coordinate.inside})
    for coordinate in reversed(chart):
        value = value.xreplace({coordinate.target: coordinate.inside})
    value = value.replace(sp.gamma, lambda x: sp.exp(sp.loggamma(x)))
    return bessel_zero(exponents(logarithms(value)))


def logarithms(value: sp.Expr) -> sp.Expr:
    return sp.expand(sp.expand_log(value, force=True))


def exponents(value: sp.Expr) -> sp.Expr:
    """exp(u) exp(v) x^y -> exp(u + v + y log x)"""

    def gather(product: sp.Expr) -> sp.Expr:
        exponent, rest = sp.S.Zero, sp.S.One
        for factor in sp.Mul.make_args(product):
            base, power = factor.as_base_exp()
            if isinstance(factor, sp.exp):
                exponent += factor.args[0]
            elif base == sp.E:
                exponent += power
            elif not power.is_number:
                exponent += power * sp.expand_log(sp.log(base), force=True)
            else:
                rest *= factor
        return rest * sp.exp(sp.expand(exponent))

    return sp.Add(*(gather(term) for term in sp.Add.make_args(value)))


def shapes(value: sp.Expr, chart: tuple[Coordinate, ...]) -> Iterator[sp.Expr]:
    """Groupings of one closed form: what is one function, what is one product, and what is one logarithm."""
    symbols = [c.moving.symbol for c in chart]
    plain = functions(value, symbols)
    found = (grouped(plain, symbols), plain, one_logarithm(value, symbols))
    yield from dict.fromkeys(shape for shape in found if shape is not None)


def functions(value: sp.Expr, symbols: list[sp.Symbol]) -> sp.Expr:
    """u log u -> entropic(u); lgamma(a) + lgamma(b) - lgamma(a + b) -> log B(a, b); lgamma u - u log u -> G(u) - u"""
    terms = []
    for term in sp.Add.make_args(value):
        logs = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.log) and f.free_symbols & set(symbols)]
        for f in logs:
            if f.args[0] in sp.Mul.make_args(term):
                term = term / f / f.args[0] * entropic(f.args[0])
        terms.append(term)
    coefficients = {t.as_coeff_Mul()[1]: t.as_coeff_Mul()[0] for t in terms}
    gammas = [t.args[0] for t in coefficients if isinstance(t, sp.loggamma) and t.free_symbols & set(symbols)]
    for s in gammas:
        c = coefficients.get(sp.loggamma(s))
        for a in gammas:
            b = sp.expand(s - a)
            if c is not None and coefficients.get(sp.loggamma(a)) == -c == coefficients.get(sp.loggamma(b)) and a != b:
                for x in (a, b, s):
                    del coefficients[sp.loggamma(x)]
                coefficients[log_beta(a, b)] = -c
                break
    for x in gammas:
        c = coefficients.get(sp.loggamma(x))
        for scaled, d in list(coefficients.items()):
            if c is not None and isinstance(scaled, entropic) and (scaled.args[0] / x).is_number:
                k = scaled.args[0] / x
                if d * k == -c:
                    # x log(k x) = x log x + x log k, and the second is linear
                    del coefficients[sp.loggamma(x)], coefficients[scaled]
                    coefficients[reduced_lgamma(x)] = c
                    coefficients[x] = coefficients.get(x, 0) - c + d * k * sp.log(k)
                    c = None
    return sp.Add(*(c * t for t, c in coefficients.items()))


def grouped(value: sp.Expr, symbols: list[sp.Symbol]) -> sp.Expr:
    """a f(u) + a g(u) -> a (f(u) + g(u)), where a and u both move"""
    terms = list(sp.Add.make_args(value))
    for symbol in symbols:
        groups: dict[sp.Expr, list[sp.Expr]] = {}
        rest = []
        for term in terms:
            cofactor, own = term.as_independent(symbol, as_Add=False)
            number, cofactor = cofactor.as_coeff_Mul()
            if own != 1 and cofactor.free_symbols & set(symbols):
                groups.setdefault(cofactor, []).append(number * own)
            else:
                rest.append(term)
        if any(len(g) > 1 for g in groups.values()):
            return sp.Add(*rest, *(sp.Mul(c, sp.Add(*g), evaluate=False) for c, g in groups.items()))
    return value


def one_logarithm(value: sp.Expr, symbols: list[sp.Symbol]) -> sp.Expr | None:
    """log u - 2 log v -> log(u/v^2), where all logarithms have integer coefficients up to one factor"""
    logs, rest = [], []
    for term in sp.Add.make_args(value):
        c, own = term.as_independent(*symbols, as_Add=False)
        (logs if isinstance(own, sp.log) else rest).append((c, own))
    if len(logs) < 2:
        return None
    unit = max((c for c, _ in logs), key=lambda c: (not c.could_extract_minus_sign(), str(c)))
    powers = [c / unit for c, _ in logs]
    if not all(n.is_Integer for n in powers):
        return None
    inside = sp.Mul(*(own.args[0] ** n for n, (_, own) in zip(powers, logs, strict=True)))
    return sp.Add(*(c * own for c, own in rest), unit * sp.log(inside))


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
            sides = (
                min((sp.expand(side.xreplace(other)) for other in ({}, back, steps)), key=_length)
                for side in fraction.as_numer_denom()
            )
            found += [fraction, next(sides) / next(sides)]
        return min(found, key=_length)

    def inside(function: sp.Expr) -> sp.Expr:
        return function.func(*(shortest(argument) for argument in function.args))

    remainder = remainder.replace(lambda e: isinstance(e, AppliedUndef), inside)
    terms: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(remainder, deep=False)):
        functions = sp.Mul(*(f for f in sp.Mul.make_args(term) if f.has(sp.Function)))
        terms[functions] = terms.get(functions, 0) + term / functions
    return tuple(entropy_remainder(shortest(c) * own) for own, c in terms.items() if shortest(c) != 0)


def _length(expr: sp.Expr) -> tuple[int, int, int, str]:
    """Terms whose signs do not agree first: they cancel; then the number of terms, and of operations."""
    terms = sp.Add.make_args(expr.as_numer_denom()[0])
    positive = sum(term.is_nonnegative is True for term in terms)
    negative = sum(term.is_nonpositive is True for term in terms)
    return len(terms) - max(positive, negative), len(sp.Add.make_args(expr)), expr.count_ops(), str(expr)


def entropy_remainder(term: sp.Expr) -> sp.Expr:
    """p phi(p, q, d) -> klrem(p, q, d), which has a value where p is 0"""
    for factor in sp.Mul.make_args(term):
        if isinstance(factor, head("phi")):
            p = factor.args[0]
            rest = sp.cancel(term / factor / p)
            if not p.is_number and not rest.free_symbols & p.free_symbols:
                return rest * head("klrem")(*factor.args)
    return term
