"""The truth for distributions of vectors and matrices: klsym's formula in balls, or in mpmath at two precisions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from ...api import entropy, kl
from ...array_checks import definition
from ...array_formula import ArrayFormula
from ...arrays.arithmetic import Arithmetic, balls, multiprecision
from ...arrays.domain import positive_definite, simplex
from ...arrays.walk import Walker, walk
from ...core.errors import KlsymError, ParameterError, UnderivableError
from ...core.value import Verdict
from ...evaluation import holding_case, settled
from ..reference import best
from .array_points import USUAL
from .forms import Argument
from .pair import Pair, Point, spelled, whole

Plain = list[Any] | str
# A value within a gap of 1e-16 of P = Q is 1e-32 and less, and is told from 0 by so many digits.
DIGITS, STEP, SLOPE_DIGITS = 120, Fraction(1, 1 << 70), 62
NUDGE = 2.0**-26
PRECISIONS = (192, 384, 768, 1536)
FAILURES = (ArithmeticError, ValueError, KlsymError, TypeError, AttributeError)


@cache
def formula(pair: Pair) -> ArrayFormula:
    laws = [spelled(form.law, side)[0] for side, form in pair.sides.items()]
    found = kl(*laws) if pair.q else entropy(laws[0])
    return found.sized({n: USUAL for n in found.free_sizes})


def arguments(pair: Pair, point: Point) -> dict[str, dict[str, Any]]:
    """The values of the arguments by side and name."""
    given: dict[str, dict[str, Any]] = {side: {} for side in pair.sides}
    for (side, argument), entry in zip(pair.columns, point, strict=True):
        given[side][argument.name] = int(entry) if whole(argument) else entry
    return given


def _arb() -> Any:
    from ..balls import Balls

    return Balls()


def number(pair: Pair, point: Point) -> mp.mpf:
    """The value, or ArithmeticError where it is not 0 and no precision tells it from 0."""
    given = arguments(pair, point)
    laws = [form.exact(given[side]) for side, form in pair.sides.items()]
    value = (kl(*laws) if pair.q else entropy(laws[0])).evaluate(DIGITS).value
    if value == 0 and pair.q and laws[0] != laws[1]:
        raise ArithmeticError("below every precision tried")
    return value


def parameters(f: ArrayFormula) -> Iterator[tuple[Any, Any]]:
    """The symbols of the formula with the parameters they are values of."""
    for d in dict.fromkeys((f.p, f.q)):
        for symbol, parameter in zip(d.values, d.family.parameters, strict=True):
            if isinstance(symbol, (sp.Symbol, sp.MatrixSymbol, sp.IndexedBase)):
                yield symbol, parameter


def symbols(pair: Pair, given: Mapping[str, Mapping[str, Any]]) -> dict[Any, Any]:
    """What the formula has for its symbols and sizes."""
    f = formula(pair)
    exact = {f"{name}_{side}": x for side, form in pair.sides.items() for name, x in form.numbers(given[side]).items()}
    numbers: dict[Any, Any] = {}
    for symbol, parameter in parameters(f):
        array = exact[str(symbol)]
        numbers[symbol] = array / sum(array) if parameter.domain is simplex else array
        numbers |= dict(zip(parameter.dimensions, np.shape(array), strict=False))
    return numbers | {k: int(v) for k, v in f.sizes.items()}


def value(pair: Pair, point: Point) -> Plain:
    """In balls, at rising precision; in mpmath where a function has no rule in balls, or an entry is infinite."""
    given = rational(pair, point)
    try:
        found = 0 if len(given) == 2 and _equal(pair, given) else decided(pair, given)
    except FAILURES:
        try:
            found = number(pair, point)
        except FAILURES:
            return "unknown"
    found, scale = mp.mpf(found), abs(mp.mpf(found))
    if not pair.q:
        # An entropy crosses zero, unless it is of counts, which may have no closed form.
        with suppress(*FAILURES):
            scale += _terms(pair, given)
    return plain(found, scale)


def _equal(pair: Pair, given: Mapping[str, Mapping[str, Any]]) -> bool:
    return pair.p == pair.q and given["p"] == given["q"]


def decided(pair: Pair, given: Any) -> mp.mpf:
    """The value to 80 bits; ArithmeticError where no precision decides it."""
    if find_spec("flint") is None:
        raise ArithmeticError("python-flint is not installed")
    for bits in PRECISIONS:
        with _arb().precision(bits):
            truth = _arb().decided(sum(_each(pair, given, balls())), None)
        if truth is not None and truth[3]:
            with mp.workprec(160):
                return mp.ldexp(mp.mpf(truth[0]) + mp.mpf(truth[1]), truth[2])
    raise ArithmeticError("not decided")


def plain(number: mp.mpf, scale: mp.mpf) -> Plain:
    """A number that is good to 80 bits."""
    if mp.isinf(number):
        return "infinite"
    if number == 0:
        return [0.0, 0.0, 0, float(scale)]
    with mp.workprec(160):
        mantissa, exponent = mp.frexp(number)
        high = float(mantissa)
        return [high, float(mantissa - high), int(exponent), float(mp.ldexp(scale, -int(exponent)))]


def slopes(pair: Pair, point: Point) -> list[list[Plain]]:
    """The derivatives by every entry of every argument, as central differences of the formula at 62 digits.

    Off the diagonal of a symmetric matrix both entries are moved, so that it is the sum of their derivatives; above
    the diagonal of a triangular one there is none.
    """
    given, rows = rational(pair, point), list[list[Plain]]()
    for side, argument in pair.columns:
        known: dict[frozenset[tuple[int, ...]], Plain] = {}
        rows.append([])
        for place in np.ndindex(np.shape(given[side][argument.name])):
            places = frozenset({place, place[::-1]} if argument.domain is positive_definite else {place})
            if places not in known:
                known[places] = _slope(pair, given, side, argument, places)
            rows[-1].append(known[places])
    return rows


def rational(pair: Pair, point: Point) -> dict[str, dict[str, Any]]:
    """The arguments as nested lists of rationals; infinite ones stay."""
    given = arguments(pair, point)
    return {side: {name: _rational(entry) for name, entry in named.items()} for side, named in given.items()}


def _rational(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_rational(each) for each in entry]
    return Fraction(entry) if math.isfinite(entry) else entry


def _slope(pair: Pair, given: Any, side: str, argument: Argument, places: frozenset[tuple[int, ...]]) -> Plain:
    """The derivative by entries that are one number; it is judged by the sizes of the derivatives of the terms."""
    entry, triangular = given[side][argument.name], str(argument.domain).startswith("lower")
    if whole(argument) or (triangular and any(row < column for row, column in places)):
        return "absent"
    largest = max((abs(x) for x in np.ravel(np.array(entry, dtype=object)) if math.isfinite(x)), default=Fraction(1))
    step = STEP * max(Fraction(1), largest)
    try:
        with mp.workdps(SLOPE_DIGITS):
            low, high = (_numbers(pair, _with(given, side, argument.name, places, s)) for s in (-step, step))
            width = 2 * mp.mpf(step.numerator) / step.denominator
            terms = [(b - a) / width for a, b in zip(low, high, strict=True)]
            slope, scale = mp.fsum(terms), mp.fsum(map(abs, terms))
    except FAILURES:
        return "unknown"
    if not mp.isfinite(slope):
        return "unknown"
    # The error of a central difference is about step^2, below what is kept of it.
    return plain(slope if abs(slope) > mp.mpf(10) ** -18 else mp.mpf(0), max(scale, mp.mpf(2) ** -60))


def _numbers(pair: Pair, given: Any) -> list[mp.mpf]:
    """The terms at mpmath's working precision, by balls where they have rules, which is faster."""
    if find_spec("flint") is not None:
        with suppress(UnderivableError, TypeError), _arb().precision(mp.mp.prec + 64):
            found = [x.mid().man_exp() for x in _each(pair, given, balls())]
            return [mp.ldexp(int(mantissa), int(exponent)) for mantissa, exponent in found]
    return [mp.mpf(x) for x in _each(pair, given, multiprecision)]


def _with(given: Any, side: str, name: str, places: Set[tuple[int, ...]], step: Fraction) -> Any:
    """The arguments with some entries moved."""
    moved = np.array(given[side][name], dtype=object)
    for place in places:
        moved[place] += step
    return given | {side: given[side] | {name: moved.tolist()}}


def room(pair: Pair, point: Point) -> float:
    """What changes of the arguments, relative to their largest entry, do to each term, and the sizes of the terms.

    Algorithms of linear algebra are backward stable in that sense (Higham, Accuracy and Stability, chapter 10).
    """
    given = rational(pair, point)
    with mp.workdps(40):
        found, here = _terms(pair, given), _numbers(pair, given)
        for side, argument in pair.columns:
            if whole(argument):
                continue
            entries = np.array(given[side][argument.name], dtype=object)
            largest = max((abs(x) for x in entries.ravel() if math.isfinite(x)), default=0) or Fraction(1)
            for place in np.ndindex(entries.shape):
                there = _numbers(pair, _with(given, side, argument.name, {place}, largest * Fraction(NUDGE)))
                found += sum(abs(b - a) for a, b in zip(here, there, strict=True)) / NUDGE
        return float(found)


def _terms(pair: Pair, given: Any) -> mp.mpf:
    with mp.workdps(40):
        return mp.fsum(map(abs, _numbers(pair, given)))


def _each(pair: Pair, given: Any, kind: Arithmetic) -> list[Any]:
    """The terms of the formula at these arguments, in one kind of numbers."""
    f, numbers = formula(pair), symbols(pair, given)
    scalars = {k: sp.Rational(v) for k, v in numbers.items() if isinstance(v, (int, Fraction))}
    case = holding_case(f.cases, scalars)
    if case is None or case.kind != "closed":
        raise ParameterError(f"{f.title} has no closed form there")
    walker = Walker(numbers if kind is multiprecision else {k: _balls(v) for k, v in numbers.items()}, kind)
    return [kind.array(walker.array(term, None)).item() for term in _terms_of(case.value)]


@cache
def _terms_of(value: Any) -> tuple[Any, ...]:
    """The terms of the formula, those of a sum over entries each on its own."""
    found = (
        [sp.Sum(part, *term.limits) for part in sp.Add.make_args(sp.expand(term.function))]
        if isinstance(term, sp.Sum)
        else [term]
        for term in sp.Add.make_args(value)
    )
    return tuple(term for several in found for term in several)


def _balls(exact: Any) -> Any:
    """Rationals as balls of the working precision; sizes stay integers."""
    arithmetic = _arb()
    if isinstance(exact, int):
        return exact
    if isinstance(exact, np.ndarray):
        return np.array([_balls(x) for x in exact.ravel()], dtype=object).reshape(exact.shape)
    return arithmetic.rational(exact.numerator, exact.denominator)


def log_density(pair: Pair, point: Point, outcome: Any) -> Plain:
    form, law = pair.sides["p"], pair.law("p")
    try:
        numbers = form.numbers(arguments(pair, point)["p"])
        known: dict[Any, Any] = {law.variable: fractions(outcome)}
        for value, parameter in zip(law.values, law.family.parameters, strict=True):
            array = numbers.get(str(value), value)
            known[value] = array / sum(array) if parameter.domain is simplex else array
            known |= dict(zip(parameter.dimensions, np.shape(array), strict=False))
        known |= {k: int(v) for k, v in law.sizes}
        density = law.log_density()
        found = settled(lambda _: mp.mpf(np.asarray(walk(density, known, multiprecision)).item()), 30, form.name)
    except (ArithmeticError, ValueError, KlsymError, TypeError, KeyError):
        return "unknown"
    return plain(found, max(abs(found), mp.mpf(1)))


def fractions(entry: Any) -> Any:
    given = np.asarray(entry)
    return np.array([Fraction(x) for x in given.ravel().tolist()], dtype=object).reshape(given.shape)[()]


def proof(pair: Pair) -> dict[str, Any]:
    """The formula is compared with enumeration, quadrature or draws, by klsym's own check of it."""
    f = formula(pair)
    by = best().name
    if f.kind == "infinite":
        return {"sound": True, "said": f"infinite: {f.cases[0].why}"}
    if f.kind == "undecided":
        return {"sound": False, "said": "no formula is known"}
    try:
        rows = definition(f)
    except (ParameterError, KlsymError, ArithmeticError) as error:
        return {"sound": True, "said": f"formula in {by}; not verified by the definition: {error}"}
    if any(row.verdict is Verdict.DISAGREE for row in rows):
        return {"sound": False, "said": "the formula and the definition disagree"}
    agreed = sum(row.verdict is Verdict.AGREE for row in rows)
    told = f"verified at {agreed} points by the definition" if agreed else "not verified by the definition"
    return {"sound": True, "said": f"formula in {by}; {told}"}
