"""The truth for distributions of vectors and matrices: klsym's formula in mpmath, two precisions agreeing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from ...api import entropy, kl
from ...array_formula import ArrayFormula
from ...arrays.arithmetic import multiprecision
from ...arrays.domain import positive_definite, simplex
from ...arrays.walk import walk
from ...core.errors import KlsymError, ParameterError
from ...core.value import Verdict
from ...evaluation import settled
from .pair import Pair, Point, spelled

Plain = list[Any] | str
DIGITS, STEP, SLOPE_DIGITS = 28, Fraction(1, 1 << 70), 62
NUDGE = 2.0**-26


@cache
def formula(pair: Pair) -> ArrayFormula:
    laws = [spelled(form.law, side)[0] for side, form in pair.sides.items()]
    return kl(*laws) if pair.q else entropy(laws[0])


def given(pair: Pair, point: Point) -> dict[str, Any]:
    """The entries of a point by the names of the formula's symbols, as exact rationals."""
    return {
        f"{argument.name}_{side}": fractions(entry) for (side, argument), entry in zip(pair.columns, point, strict=True)
    }


def fractions(entry: Any) -> Any:
    doubles = np.asarray(entry, dtype=float)
    return np.array([Fraction(x) for x in doubles.ravel().tolist()], dtype=object).reshape(doubles.shape)[()]


def number(pair: Pair, exact: Mapping[str, Any], digits: int) -> mp.mpf:
    """The value to so many digits; probabilities are taken over their sum."""
    f = formula(pair)
    normalize = any(parameter.domain is simplex for parameter in f._domains.values())
    names = {str(s) for s in f.parameters}
    return f.evaluate(digits, normalize=normalize, **{k: v for k, v in exact.items() if k in names}).value


def value(pair: Pair, point: Point) -> Plain:
    try:
        found = number(pair, given(pair, point), DIGITS)
    except (ArithmeticError, ValueError, KlsymError):
        return "unknown"
    return plain(found, abs(found) if pair.q else abs(found) + _terms(pair, point))


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
    exact, rows = given(pair, point), []
    for (side, argument), entry in zip(pair.columns, point, strict=True):
        name, found = f"{argument.name}_{side}", []
        for place in np.ndindex(np.shape(entry)):
            found.append(_slope(pair, exact, name, argument.domain, place))
        rows.append(found)
    return rows


def _slope(pair: Pair, exact: Mapping[str, Any], name: str, domain: Any, place: tuple[int, ...]) -> Plain:
    if getattr(domain, "integer", False) or (str(domain).startswith("lower") and place[0] < place[1]):
        return "absent"
    places = {place, place[::-1]} if domain is positive_definite else {place}
    step = STEP * max(Fraction(1), max(abs(x) for x in np.ravel(exact[name])))
    try:
        low, high = (number(pair, exact | {name: _moved(exact[name], places, s)}, SLOPE_DIGITS) for s in (-step, step))
    except (ArithmeticError, ValueError, KlsymError):
        return "unknown"
    if not (mp.isfinite(low) and mp.isfinite(high)):
        return "unknown"
    with mp.workdps(SLOPE_DIGITS):
        slope = (high - low) / (2 * mp.mpf(step.numerator) / step.denominator)
        size = max(abs(slope), mp.mpf(2) ** -60)
        # The error of a central difference is about step^2, below what is kept of it.
        return plain(slope if abs(slope) > mp.mpf(10) ** -30 else mp.mpf(0), size)


def _moved(entries: Any, places: set[tuple[int, ...]], step: Fraction) -> Any:
    moved = np.array(entries, dtype=object)
    for place in places:
        moved[place] += step
    return moved[()]


def room(pair: Pair, point: Point) -> float:
    """What changes of the arguments, relative to their largest entry, do to each term, and the sizes of the terms.

    Algorithms of linear algebra are backward stable in that sense (Higham, Accuracy and Stability, chapter 10).
    """
    with mp.workdps(40):
        found = _terms(pair, point)
        names = [f"{argument.name}_{side}" for side, argument in pair.columns]
        exact = given(pair, point)
        here = list(_each(pair, exact))
        for name in names:
            largest = max(abs(x) for x in np.ravel(exact[name])) or Fraction(1)
            for place in np.ndindex(np.shape(exact[name])):
                there = _each(pair, exact | {name: _moved(exact[name], {place}, largest * Fraction(NUDGE))})
                found += sum(abs(b - a) for a, b in zip(here, there, strict=True)) / NUDGE
        return float(found)


def _terms(pair: Pair, point: Point) -> mp.mpf:
    with mp.workdps(40):
        return mp.fsum(map(abs, _each(pair, given(pair, point))))


def _each(pair: Pair, exact: Mapping[str, Any]) -> Iterator[mp.mpf]:
    """The terms of the formula, sums over entries term by term."""
    f = formula(pair)
    numbers: dict[Any, Any] = {}
    for symbol, parameter in f._domains.items():
        numbers[symbol] = exact[str(symbol)]
        numbers |= dict(zip(parameter.dimensions, np.shape(exact[str(symbol)]), strict=False))
    numbers |= {k: int(v) for k, v in f.sizes.items()}
    for term in sp.Add.make_args(f.cases[0].value):
        yield mp.mpf(np.asarray(walk(term, numbers, multiprecision)).item())


def log_density(pair: Pair, point: Point, outcome: Any) -> Plain:
    law = formula_law(pair)
    exact, numbers = given(pair, point), {}
    for value, parameter in zip(law.values, law.family.parameters, strict=True):
        numbers[value] = exact[str(value)]
        numbers |= dict(zip(parameter.dimensions, np.shape(numbers[value]), strict=False))
        if parameter.domain is simplex:
            numbers[value] = numbers[value] / sum(numbers[value])
    numbers[law.variable] = fractions(outcome)
    try:
        density = law.log_density()
        found = settled(lambda _: mp.mpf(np.asarray(walk(density, numbers, multiprecision)).item()), DIGITS, law)
    except (ArithmeticError, ValueError, KlsymError):
        return "unknown"
    return plain(found, max(abs(found), mp.mpf(1)))


@lru_cache
def formula_law(pair: Pair) -> Any:
    return spelled(pair.sides["p"].law, "p")[0]


def proof(pair: Pair) -> dict[str, Any]:
    """The formula is compared with enumeration, quadrature or draws, by klsym's own check of it."""
    f = formula(pair)
    by = "mpmath, two precisions agreeing"
    if f.kind == "infinite":
        return {"sound": True, "said": f"infinite: {f.cases[0].why}"}
    if f.kind == "undecided":
        return {"sound": False, "said": "no formula is known"}
    try:
        rows = [row for row in f.check(3).rows if row.what == "formula"]
    except (ParameterError, KlsymError, ArithmeticError) as error:
        return {"sound": True, "said": f"formula in {by}; not verified by the definition: {error}"}
    if any(row.verdict is Verdict.DISAGREE for row in rows):
        return {"sound": False, "said": "the formula and the definition disagree"}
    agreed = sum(row.verdict is Verdict.AGREE for row in rows)
    return {"sound": True, "said": f"formula in {by}; verified at {agreed} points by the definition"}
