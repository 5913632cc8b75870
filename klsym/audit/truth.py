"""The truth at rows of parameters: a divergence's relative to itself, a derivative's to what cancels in it."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import sympy as sp

from ..core.continuity import at
from ..core.differentiate import differentiated
from ..core.errors import UnderivableError
from .reference import ABSENT, INFINITE, UNKNOWN, ZERO, Judged, Reference, Truth, absolute
from .subject import Points, Subject

# A derivative that is less than this where P and Q are one, computed to so many bits, vanishes there.
NOTHING, BITS = 1e-18, 192


class Truths:
    """The truth of a subject's value: at a closed end of a domain (p = 0) by continuity."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        ends = [(parameter.domain, i) for i, parameter in enumerate(subject.parameters)]
        lower = {i: float(domain.lower) for domain, i in ends if domain.left_closed}
        upper = {i: float(domain.upper) for domain, i in ends if domain.right_closed}
        self.ends = lower, upper
        self.references: dict[tuple[tuple[int, float], ...], Reference | Truth] = {}

    def evident(self, rows: Points) -> list[Judged | None]:
        """What needs no arithmetic: 0 where P and Q are one, infinity where a case says so."""
        equal, infinite = self.subject.equal(rows), self.subject.infinite(rows)
        return [
            absolute(ZERO) if e else absolute(INFINITE) if i else None for e, i in zip(equal, infinite, strict=True)
        ]

    def __call__(self, row: list[float]) -> Judged:
        met = self.met(row)
        if met not in self.references:
            self.references[met] = self.reference(met)
        found = self.references[met]
        if found == INFINITE and self.vanishes_there(met, row):
            found = UNKNOWN
        return absolute(found.safely(row) if isinstance(found, Reference) else found)

    def met(self, row: list[float]) -> tuple[tuple[int, float], ...]:
        """The columns that are at a closed end of their domain and, with them, the divergence's own: powers of 0."""
        found = tuple((i, end) for ends in self.ends for i, end in ends.items() if row[i] == end)
        return found and (*found, *((i, row[i]) for i in range(self.subject.of_both, len(row))))

    def reference(self, met: tuple[tuple[int, float], ...]) -> Reference | Truth:
        """The reference where these columns are at their domains' ends, or the one value that holds there."""
        symbols = self.subject.symbols
        value = self.value_at(met)
        if value.has(sp.nan, sp.zoo):
            return UNKNOWN
        # A divergence is infinite where one of its terms is: the others are finite, and none can be -oo in sum.
        return INFINITE if value.has(sp.oo, -sp.oo) else Reference(value, symbols)

    def value_at(self, met: tuple[tuple[int, float], ...]) -> sp.Expr:
        symbols, of_both = self.subject.symbols, self.subject.of_both
        own = {symbols[i]: sp.Rational(x) for i, x in met if i >= of_both}
        return at(
            self.subject.case.value.xreplace(own), {symbols[i]: sp.Integer(int(x)) for i, x in met if i < of_both}
        )

    def vanishes_there(self, met: tuple[tuple[int, float], ...], row: list[float]) -> bool:
        """Whether a factor of something infinite is 0: a product of the two may be anything."""
        symbols, value = self.subject.symbols, self.value_at(met)
        point = {symbol: sp.Rational(x) for symbol, x in zip(symbols, row, strict=True)}
        infinite = [term for term in sp.Add.make_args(value) if term.has(sp.oo, -sp.oo)]
        return any(term.xreplace({sp.oo: sp.S.One, -sp.oo: sp.S.One}).xreplace(point) == 0 for term in infinite)


class Sums(Truths):
    """The truth of a value that has no reason to vanish where P is Q: relative to the sum of the sizes of its terms."""

    def __call__(self, row: list[float]) -> Judged:
        found, reference = super().__call__(row), self.references[self.met(row)]
        if not (isinstance(reference, Reference) and found[3]) or found[:4] == INFINITE:
            return found
        return (*found[:4], max(found[4], reference.sizes(row, found[2])))


class Slopes(Truths):
    """The truth of the derivative by one parameter, at a closed end of a domain where it is finite.

    It is relative to what cancels in it: the sum of the sizes of its terms, or of its changes as Q's parameters become
    P's one by one, if that is less. So where one parameter differs, or the derivative has one term, it is relative
    to itself. There is none by a parameter that the case takes as equal to another, nor of an infinite divergence.
    """

    def __init__(self, subject: Subject, symbol: sp.Symbol) -> None:
        super().__init__(subject)
        self.tied = subject.symbols.index(symbol) in {column for tie in subject.ties for column in tie}
        slope = sp.expand(differentiated(subject.case.value, symbol))
        if slope.has(sp.Derivative, sp.Subs, sp.DiracDelta):
            raise UnderivableError(f"the derivative by {symbol} has no closed form to compare with")
        self.expression, self.slope = slope, Reference(slope, subject.symbols)
        self.vanishes = subject.same and self._vanishes()

    def _vanishes(self) -> bool:
        """Whether the derivative is 0 where P and Q are one: at two members of the family, to 18 digits."""
        for part in (0.25, 0.625):
            member: list[float] = []
            for parameter in self.subject.parameters[: self.subject.of_p]:
                low, high = map(float, parameter.typical)
                inner = low + part * (high - low)
                member.append(float(math.floor(inner)) if parameter.domain.integer else inner)
            own = [0.5 + part] * (len(self.subject.symbols) - self.subject.of_both)
            with self.slope.arithmetic.precision(BITS), suppress(ArithmeticError, ValueError):
                number = self.slope.value([*member, *member, *own])
                if self.slope.arithmetic.scaled(abs(number), 0) < NOTHING:
                    continue
            return False
        return True

    def evident(self, rows: Points) -> list[Judged | None]:
        if self.tied:
            return [absolute(ABSENT)] * len(rows)
        known = super().evident(rows)
        zero = absolute(ZERO) if self.vanishes else None
        inside = [not self.met(row) for row in rows.tolist()]
        return [
            None if found is None else absolute(ABSENT) if found[0] else zero if i else None
            for found, i in zip(known, inside, strict=True)
        ]

    def reference(self, met: tuple[tuple[int, float], ...]) -> Reference | Truth:
        """None where the divergence is infinite; unknown where the derivative may be, or depends on the way there."""
        if not met:
            return self.slope
        if super().reference(met) == INFINITE:
            return ABSENT
        ends = {self.subject.symbols[i]: sp.Integer(int(end)) for i, end in met}
        poles = [power for power in self.expression.atoms(sp.Pow) if power.exp.is_negative]
        slope = at(self.expression, ends)
        if slope.has(sp.nan, sp.zoo, sp.oo, -sp.oo) or any(pole.base.xreplace(ends) == 0 for pole in poles):
            return UNKNOWN
        return Reference(slope, self.subject.symbols)

    def __call__(self, row: list[float]) -> Judged:
        if self.met(row):
            return super().__call__(row)
        truth = self.slope.safely(row)
        if not truth[3] or truth == INFINITE:
            return absolute(truth)
        try:
            return (*truth, max(abs(truth[0]), self.scale(row, truth[2])))
        except (ArithmeticError, ValueError):
            return absolute(UNKNOWN)

    def scale(self, row: list[float], exponent: int) -> float:
        """What cancels, times 2^-exponent."""
        found = [self.slope.sizes(row, exponent)]
        if self.vanishes:
            found += [self.slope.variation(path, exponent) for path in self.paths(row)]
        return min(x for x in found if x == x)

    def paths(self, row: list[float]) -> list[list[list[float]]]:
        """Rows from just beside P = Q, where one parameter differs, to the row, in both orders of Q's parameters."""
        of_p, of_both = self.subject.of_p, self.subject.of_both
        moving = [i for i in range(of_p, of_both) if row[i] != row[i - of_p]]
        found: list[list[list[float]]] = []
        for order in {tuple(moving), tuple(reversed(moving))}:
            path: list[list[float]] = []
            point = [*row[:of_p], *row[:of_p], *row[of_both:]]
            for i in order:
                point = [*point[:i], row[i], *point[i + 1 :]]
                path.append(point)
            found.append(path)
        return found


def truths(subject: Subject, by: Any = None) -> Truths:
    """Of the value, or of its derivative by a symbol."""
    if by is not None:
        return Slopes(subject, by)
    return Truths(subject) if subject.divergence.order else Sums(subject)
