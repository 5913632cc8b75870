"""The truth of what a subject is asked, at its exact doubles: pure functions of plain data, a batch of points each.

A truth is a list [high, low, exponent, scale], the number (high + low) 2^exponent and what an error is relative to,
likewise times 2^-exponent; or "infinite", "absent" (there is no such number) or "unknown" (not decided).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any, Literal

import mpmath as mp
import numpy as np
import sympy as sp

from ... import oracles
from ...core.errors import KlsymError
from ...core.value import Value, Verdict, compare
from ..reference import INFINITE, UNKNOWN, Judged, Reference, absolute, best
from ..rules import DOUBLE
from ..subject import Subject
from ..truth import Truths, truths
from . import array_truth, plainly
from .pair import Pair, everyday, exactly, spelled, subjects

Plain = list[Any] | str
CHECKED = 3
# Products of sums are written out, exponentials and logarithms of them are not.
EXPANDED = {"power_exp": False, "power_base": False, "log": False}
DEFINITIONS: dict[Literal["estimate", "ball"], str] = {"estimate": "quadrature", "ball": "balls"}


@dataclass(frozen=True)
class Truth:
    """A number, infinite, NaN where there is none, or None where it is not decided; `scale` is what judges an error."""

    number: mp.mpf | None
    scale: mp.mpf = mp.mpf(0)

    @property
    def finite(self) -> bool:
        return self.number is not None and bool(mp.isfinite(self.number))


def read(plain: Plain) -> Truth:
    """A truth of plain data."""
    if isinstance(plain, str):
        return Truth({"infinite": mp.inf, "absent": mp.nan, "unknown": None}[plain])
    high, low, exponent, scale = plain
    with mp.workprec(120):
        return Truth(mp.ldexp(mp.mpf(high) + mp.mpf(low), exponent), mp.ldexp(mp.mpf(scale), exponent))


def total(several: Sequence[Truth]) -> Truth:
    """The sum of truths: of independent coordinates, or of the elements that an argument is broadcast to."""
    if len(several) == 1:
        return several[0]
    if any(t.number is None for t in several):
        return Truth(None)
    with mp.workprec(120):
        return Truth(mp.fsum(t.number for t in several), mp.fsum(t.scale for t in several))


def plain(judged: Judged) -> Plain:
    high, low, exponent, known, scale = judged
    if not known:
        return "unknown"
    if math.isnan(high):
        return "absent"
    return "infinite" if exponent == INFINITE[2] else [high, low, int(exponent), float(scale)]


def values(asked: Mapping[str, Any]) -> list[Plain]:
    """The truths at `points`: of the divergence or the entropy, or of its derivative `by` a place, as "p.rate".

    >>> pair = {"subject": "math:hypot", "p": "Exponential(rate)", "q": "Exponential(rate)"}
    >>> [float(read(truth).number) for truth in values({"pair": pair, "points": [[1.0, 2.0], [1.0, 1.0 + 2.0**-40]]})]
    [0.3068528194400547, 4.135903062762631e-25]
    """
    pair, by = Pair(**asked["pair"]), asked.get("by")
    if not pair.numeric:
        value = plainly.value if plainly.known(pair) else array_truth.value
        return _once(lambda point: value(pair, point), asked["points"])
    return _once(lambda point: plain(_Known.of(pair, by)(list(map(float, point)))), asked["points"])


def _once(compute: Callable[[Any], Any], points: Sequence[Any]) -> list[Any]:
    """What is computed of each of the points, of equal ones once."""
    found = {text: compute(point) for text, point in {repr(point): point for point in points}.items()}
    return [found[repr(point)] for point in points]


def slopes(asked: Mapping[str, Any]) -> list[list[list[Plain]]]:
    """The truths of the derivatives at `points`, a row a point and a list of entries a place."""
    pair = Pair(**asked["pair"])
    if not pair.numeric:
        return _once(lambda point: array_truth.slopes(pair, point), asked["points"])
    columns = [values({**asked, "by": place}) for place in pair.places]
    return [[[entry] for entry in row] for row in zip(*columns, strict=True)]


def rooms(asked: Mapping[str, Any]) -> list[float | None]:
    """What rounding can do to the textbook form at `points`, per eps; None where that is not known."""
    pair, by, found = Pair(**asked["pair"]), asked.get("by"), list[float]()
    for point in asked["points"]:
        try:
            if pair.numeric:
                found.append(_Known.of(pair, by).room(list(map(float, point))))
            elif plainly.known(pair):
                found.append(plainly.room(pair, point))
            else:
                found.append(array_truth.room(pair, point))
        except (ArithmeticError, ValueError, KeyError, KlsymError):
            found.append(math.nan)  # a form with integrals has no such terms
    return [room if math.isfinite(room) else None for room in found]


def log_densities(asked: Mapping[str, Any]) -> list[Plain]:
    """The truths of P's log density at `points`, each with an outcome of `outcomes`."""
    pair = Pair(**asked["pair"])
    if not pair.numeric:
        return [array_truth.log_density(pair, *each) for each in zip(asked["points"], asked["outcomes"], strict=True)]
    reference = _log_density(pair)
    rows = zip(asked["points"], asked["outcomes"], strict=True)
    found: list[Plain] = []
    for point, outcome in rows:
        row = [*map(float, point), float(outcome)]
        truth = reference.safely(row)
        scale = reference.sizes(row, truth[2]) if truth[3] and truth != INFINITE else 0.0
        found.append(plain((*truth, max(abs(truth[0]), scale if math.isfinite(scale) else 0.0))))
    return found


@cache
def _log_density(pair: Pair) -> Reference:
    form = pair.sides["p"]
    law, new = spelled(form.law, "p")
    names = {symbol.name: renamed for symbol, renamed in new.items()}
    columns = [names.get(argument.name, sp.Dummy()) for argument in form.arguments]
    return Reference(sp.expand_log(law.log_density()), [*columns, law.family.variable])


class _Known:
    """What is true of a pair of numbers, or of its derivative by a place, case by case."""

    def __init__(self, pair: Pair, by: str | None) -> None:
        self.pair, self.by = pair, by
        self.subjects = subjects(pair, DOUBLE)
        self.symbol = None if by is None else self.subjects[0].symbols[pair.places.index(by)]
        self.integer = by is not None and self.subjects[0].parameters[pair.places.index(by)].domain.integer
        self.truths = [_truths(subject, self.symbol) for subject in self.subjects]
        self.rooms: dict[tuple[int, Any], tuple[Reference, ...]] = {}
        self.divergence = "zero-on-diagonal" in self.subjects[0].formula.derivation.divergence.axioms

    @staticmethod
    @lru_cache(maxsize=256)
    def of(pair: Pair, by: str | None) -> _Known:
        return _Known(pair, by)

    def case(self, row: list[float]) -> int | None:
        """Which case is the one that holds."""
        rows = np.array([row])
        return next((n for n, s in enumerate(self.subjects) if s.valid(rows)[0] or s.infinite(rows)[0]), None)

    def __call__(self, row: list[float]) -> Judged:
        place = self.case(row)
        if place is None or self.integer:
            return absolute(UNKNOWN)
        known = self.truths[place]
        judged = known.evident(np.array([row]))[0]
        judged = known(row) if judged is None else judged
        if (
            (self.symbol is None and self.divergence)
            or not judged[3]
            or judged[0] != judged[0]
            or judged[2] == INFINITE[2]
        ):
            return judged
        # What may be 0 anywhere is judged by the sizes of its terms.
        reference = known.reference(known.met(row))
        scale = reference.sizes(row, judged[2]) if isinstance(reference, Reference) else 0.0
        return (*judged[:4], max(abs(judged[0]), scale if math.isfinite(scale) else 0.0))

    def room(self, row: list[float]) -> float:
        """What rounding can do to the form as it is written, to its expansion and to an entropy in it, per eps.

        A derivative is taken to be as good as a quotient of differences of a value of 1 nat or more. At an
        end of a domain the form is not what a library computes there: a probability near 1 is off by an eps at least.
        """
        place = self.case(row)
        assert place is not None
        known = self.truths[place]
        met = known.met(row)
        if (place, met) not in self.rooms:
            reference = known.reference(met)
            if not isinstance(reference, Reference):
                return math.nan
            expanded = sp.expand(reference.steps[-1].node, **EXPANDED)
            self.rooms[place, met] = (reference, Reference(expanded, known.subject.symbols))
        found = max(reference.room(row) for reference in self.rooms[place, met]) + bool(met)
        # A power of a scale is a product with its logarithm in many a program.
        sizes = [abs(x) for x in row if x and math.isfinite(x)]
        found += max(sizes, default=0.0) * max((abs(math.log(size)) for size in sizes), default=0.0)
        if self.by is None:
            return found + 2 * self._entropy(row)
        argument = abs(row[self.pair.places.index(self.by)])
        return found + ((1 + _Known.of(self.pair, None).room(row)) / argument if argument else 0.0)

    def _entropy(self, row: list[float]) -> float:
        """The same of P's entropy, which is one part of a divergence for those who subtract it from a cross-entropy."""
        alone = Pair(self.pair.subject, self.pair.p)
        own = row[: len(alone.columns)]
        if self.pair.q is None or subjects(alone, DOUBLE)[0].case.kind != "closed":
            return 0.0
        known = _Known.of(alone, None)
        return 0.0 if known.case(own) is None or known.truths[0].met(own) else known.room(own)


class Measured(Truths):
    """The truth where there is no closed form: the definition, by quadrature or summation."""

    def __call__(self, row: list[float]) -> Judged:
        p, q = self._bound(row)
        try:
            value = oracles.measure(self.subject.formula.derivation.divergence, p, q, 20)
        except (ArithmeticError, ValueError, KlsymError):
            return absolute(UNKNOWN)
        if not value.vouched or value.rad > abs(value.mid) * mp.mpf(2) ** -40:
            return absolute(UNKNOWN)
        if mp.isinf(value.mid):
            # An entropy of numbers that rounding makes infinite says nothing.
            return absolute(INFINITE if self.subject.formula.derivation.divergence.arity == 2 else UNKNOWN)
        mantissa, exponent = mp.frexp(value.mid)
        high = float(mantissa)
        return absolute((high, float(mantissa - high), int(exponent), True))

    def _bound(self, row: list[float]) -> tuple[Any, Any]:
        point = dict(zip(self.subject.symbols, map(exactly, row), strict=True))
        return self.subject.formula.p.subs(point), self.subject.formula.q.subs(point)


class Undecided(Truths):
    """The derivative of what has no closed form."""

    def __call__(self, row: list[float]) -> Judged:
        return absolute(UNKNOWN)


def _truths(subject: Subject, symbol: Any) -> Truths:
    if subject.case.kind == "closed" or subject.case.kind == "infinite":
        return truths(subject, symbol)
    return Measured(subject) if symbol is None else Undecided(subject)


def proof(asked: Mapping[str, Any]) -> dict[str, Any]:
    """How the truths of a pair are known: `said`, and `sound`, which is False where the checks disagree.

    The formula is compared with the definition at a few everyday points of its first case.
    """
    pair = Pair(**asked["pair"])
    if plainly.known(pair):
        return {"sound": True, "said": plainly.SAID[pair.quantity]}
    if not pair.numeric:
        return array_truth.proof(pair)
    subject = subjects(pair, DOUBLE)[0]
    if subject.case.kind == "infinite":
        return {"sound": True, "said": f"infinite by a rule of supports and tails: {subject.case.why}"}
    if subject.case.kind != "closed":
        return {"sound": True, "said": "quadrature of the definition; no closed form is known"}
    return _checked(subject)


def _checked(subject: Subject) -> dict[str, Any]:
    """The formula beside the definition, by quadrature and, with python-flint, by balls."""
    formula, reference = subject.formula, Truths(subject)
    divergence = formula.derivation.divergence
    members = (formula.p, formula.q)[: divergence.arity]
    agreed: Counter[str] = Counter()
    for row in everyday(subject, CHECKED, np.random.default_rng(0)).tolist():
        exact = dict(zip(subject.symbols, map(exactly, row), strict=True))
        bound = [member.subs(exact) for member in members]
        found = read(plain(reference(row)))
        if found.number is None:
            continue
        for proof, name in DEFINITIONS.items():
            if proof == "ball" and find_spec("flint") is None:
                continue
            measured = oracles.measure(divergence, bound[0], bound[-1], 20, proof)
            verdict = compare(Value(found.number, mp.mpf(0), "ball"), measured, 1e-15)
            if verdict is Verdict.DISAGREE:
                return {"sound": False, "said": f"the formula and {name} of the definition disagree at {row}"}
            agreed[name] += verdict is Verdict.AGREE
    said = " and ".join(f"at {count} points by {name}" for name, count in agreed.items() if count)
    told = f"verified {said} of the definition" if said else "not verified by the definition"
    return {"sound": True, "said": f"formula in {best().name}; {told}"}
