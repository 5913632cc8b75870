"""Sums of terms C e^(a r) r^b e^(E(r)) with coefficients in balls, on a whole ray r >= R at once.

What a sum encloses is a function of r: each coefficient stands for a number of its ball that may change with r. All
that is proven of such sums rests on one lemma. Let m_0 be a convex increasing term, C_0 < 0 its coefficient, and let
every other unbounded term with C_k > 0 satisfy m_k <= rho_k m_0 on the ray. If c = |C_0| - sum C_k rho_k > 0, then
beside what is bounded the sum is at most -c m_0(r) <= -c (m_0(R) + m_0'(R) (r - R)): a straight line, to which terms
linear in r add. The suprema rho_k are those of quotients of terms, exponentials of sums again, which have one level of
exponentials less. A line bounds an integral: if B(r) <= top - slope (r - R), the integral of exp(B) over the ray is at
most exp(top)/slope.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...core.ball import flint

Ball = Any
Number = Any
MOST_TERMS = 60
# Up to this power a coefficient stays a rational number; beyond, one of a million digits would.
WHOLE = 64


class Unbounded(Exception):
    """Nothing can be proven of a sum on a ray."""


@dataclass(frozen=True, slots=True)
class Term:
    """coefficient * e^(a r) r^b e^(sum of the exponent), a and b rational."""

    coefficient: Number
    a: Number = 0
    b: Number = 0
    exponent: tuple[Term, ...] = ()

    @property
    def pure(self) -> bool:
        return not self.exponent

    @property
    def constant(self) -> bool:
        return self.pure and self.a == 0 and self.b == 0

    def times(self, factor: Number) -> Term:
        return Term(self.coefficient * factor, self.a, self.b, self.exponent)


Sum = tuple[Term, ...]


@dataclass(frozen=True)
class Line:
    """At most top - slope (r - R) on the ray, slope >= 0."""

    top: Ball
    slope: Ball


@dataclass(frozen=True)
class Ray:
    """r >= R > 0, as an arb."""

    start: Ball

    def constant(self, value: Number) -> Sum:
        return (Term(value),)

    # Arithmetic of sums

    def add(self, *sums: Sum) -> Sum:
        merged: list[Term] = []
        for term in (t for s in sums for t in s):
            for i, other in enumerate(merged):
                if _alike(term, other):
                    merged[i] = Term(term.coefficient + other.coefficient, term.a, term.b, term.exponent)
                    break
            else:
                merged.append(term)
        if len(merged) > MOST_TERMS:
            raise Unbounded("the expression has too many terms in its expansion")
        return tuple(t for t in merged if not _is_zero(t.coefficient))

    def scale(self, s: Sum, factor: Number) -> Sum:
        return () if _is_zero(factor) else tuple(t.times(factor) for t in s)

    def multiply(self, s: Sum, t: Sum) -> Sum:
        products = (
            Term(u.coefficient * v.coefficient, u.a + v.a, u.b + v.b, self.add(u.exponent, v.exponent))
            for u in s
            for v in t
        )
        return self.add(tuple(products))

    def exp(self, s: Sum) -> Sum:
        """Constants become factors, and what stays bounded u becomes 1 + u e^xi with xi between 0 and u."""
        arb, fmpq = flint().arb, flint().fmpq
        factor, a, small, rest = arb(1), fmpq(0), [], []
        for term in s:
            if term.constant:
                factor *= arb(term.coefficient).exp()
            elif term.pure and term.a == 0 and term.b == 1 and isinstance(term.coefficient, fmpq):
                a += term.coefficient
            elif self.supremum(term) is not None:
                small.append(term)
            else:
                rest.append(term)
        power = (Term(factor, a, fmpq(0), tuple(rest)),)
        if not small:
            return power
        slope = self.range(tuple(small)).union(arb(0)).exp()
        return self.multiply(power, self.add(self.constant(fmpq(1)), self.scale(tuple(small), slope)))

    def log(self, s: Sum) -> Sum:
        """log C + log m + log(1 + e), where log(1 + e) = e/(1 + xi) with xi between 0 and e."""
        arb = flint().arb
        lead, rest = self.leading(s)
        if not arb(lead.coefficient) > 0:
            raise Unbounded("the logarithm of what is not known to be positive")
        slope = 1 / (1 + self.range(rest).union(arb(0)))
        return self.add(self._log_term(lead), self.scale(rest, slope))

    def power(self, s: Sum, n: Number) -> Sum:
        """C^n m^n (1 + e)^n, where (1 + e)^n = 1 + n e (1 + xi)^(n - 1) with xi between 0 and e."""
        arb, fmpq = flint().arb, flint().fmpq
        whole = isinstance(n, fmpq) and n.q == 1
        if whole and 0 <= n <= 6:
            product = self.constant(fmpq(1))
            for _ in range(int(n.p)):
                product = self.multiply(product, s)
            return product
        lead, rest = self.leading(s)
        if not whole and not arb(lead.coefficient) > 0:
            raise Unbounded("a power of what is not known to be positive")
        if not isinstance(n, fmpq):
            return self.exp(self.scale(self.log(s), n))
        coefficient = lead.coefficient ** int(n.p) if whole and abs(n) <= WHOLE else arb(lead.coefficient) ** arb(n)
        top = (Term(coefficient, lead.a * n, lead.b * n, self.scale(lead.exponent, n)),)
        slope = n * (1 + self.range(rest).union(arb(0))) ** arb(n - 1)
        return self.multiply(top, self.add(self.constant(fmpq(1)), self.scale(rest, slope)))

    # What is proven of sums

    def leading(self, s: Sum) -> tuple[Term, Sum]:
        """The term C m with s = C m (1 + e) and e within (-1, 1), and e."""
        arb = flint().arb
        found: list[tuple[float, Term, Sum]] = []
        for lead in s:
            if not arb(lead.coefficient) != 0:
                continue
            rest = tuple(_quotient(term, lead, self) for term in s if term is not lead)
            suprema = [self.supremum(term) for term in rest]
            if None in suprema:
                continue
            sizes = zip(rest, suprema, strict=True)
            size = sum((abs(arb(term.coefficient)) * bound for term, bound in sizes), arb(0))
            if size < 1:
                found.append((float(arb(size).upper()), lead, rest))
        if not found:
            raise Unbounded("no term of the expansion is known to lead")
        _, lead, rest = min(found, key=lambda each: each[0])
        return lead, rest

    def range(self, s: Sum) -> Ball:
        """A ball that holds all values of the sum."""
        arb = flint().arb
        total = arb(0)
        for term in s:
            if term.constant:
                total += term.coefficient
                continue
            bound = self.supremum(term)
            if bound is None:
                raise Unbounded("the expansion is not bounded")
            total += term.coefficient * arb(0).union(bound)
        return total

    def supremum(self, term: Term) -> Ball | None:
        """An upper bound of e^(a r) r^b e^E, None where there is none."""
        arb = flint().arb
        if term.pure:
            if term.a > 0 or (term.a == 0 and term.b > 0):
                return None
            # The largest value of e^(a r) r^b is at r = b/|a|, or at R beyond it.
            peak = arb(term.b) / -arb(term.a) if term.b > 0 else arb(0)
            place = peak.max(self.start)
            return (arb(term.a) * place).exp() * place ** arb(term.b)
        line = self.line(_exponents(term), term.b)
        return None if line is None else arb(line.top.exp().upper())

    def line(self, s: Sum, log: Number = 0) -> Line | None:
        """A falling line above s + log * log(r), if the lemma gives one."""
        arb, start = flint().arb, self.start
        top = arb(log) * start.log()
        if log > 0:  # log r lies under its tangent
            s, top = self.add(s, (Term(arb(log) / start, 0, 1),)), top - log
        falling: list[tuple[Term, tuple[Ball, Ball]]] = []
        rising: list[Term] = []
        slope = arb(0)
        for term in s:
            highest = arb(arb(term.coefficient).upper())
            if not highest.is_finite():
                return None
            if term.constant:
                top += highest
                continue
            if term.pure and term.a == 0 and term.b == 1:
                top, slope = top + highest * start, slope - highest
                continue
            bound = self.supremum(term)
            if bound is not None:
                top += highest.max(arb(0)) * bound
            elif highest > 0:
                rising.append(term)
            elif (tangent := self.tangent(term)) is not None:
                falling.append((term, tangent))
        if rising:
            chosen = self._absorbing(rising, falling)
            if chosen is None:
                return None
            lead, tangent, rest = chosen
            falling = [(t, f) for t, f in falling if t is not lead]
            top, slope = top - rest * tangent[0], slope + rest * tangent[1]
        for term, (value, rise) in falling:
            lowest = -arb(arb(term.coefficient).upper())
            top, slope = top - lowest * value, slope + lowest * rise
        return Line(top, slope) if slope >= 0 else None

    def tangent(self, term: Term) -> tuple[Ball, Ball] | None:
        """(v, w) with w >= 0 and e^(a r) r^b e^E >= v + w (r - R) on the ray."""
        arb, start = flint().arb, self.start
        if term.pure and term.a >= 0 and (term.b == 0 or term.b >= 1):
            value = (arb(term.a) * start).exp() * start ** arb(term.b)
            return value, value * (arb(term.a) + arb(term.b) / start)
        line = self.line(tuple(t.times(-1) for t in _exponents(term)), -term.b)
        if line is None:
            return None
        value = (-line.top).exp()
        return value, value * line.slope

    def _absorbing(
        self, rising: list[Term], falling: list[tuple[Term, tuple[Ball, Ball]]]
    ) -> tuple[Any, Any, Any] | None:
        """The steepest falling term that outweighs all that rise, its tangent, and what is left of its coefficient."""
        arb = flint().arb
        best = None
        for lead, tangent in falling:
            rest = -arb(arb(lead.coefficient).upper())
            for term in rising:
                bound = self.supremum(_quotient(term, lead, self))
                if bound is None:
                    break
                rest -= arb(arb(term.coefficient).upper()) * bound
            else:
                if rest > 0 and (best is None or rest * tangent[1] > best[2] * best[1][1]):
                    best = lead, tangent, rest
        return best

    def _log_term(self, term: Term) -> Sum:
        """log(C) + a r + E + b log r, where log r = log R + u (r - R) with u between 0 and 1/R."""
        arb, start = flint().arb, self.start
        parts = (*self.constant(arb(term.coefficient).log()), *_exponents(term))
        if term.b == 0:
            return self.add(parts)
        slope = arb(term.b) * arb(0).union(1 / start)
        return self.add(parts, (Term(slope, 0, 1), Term(arb(term.b) * start.log() - slope * start)))

    # What is proven of integrals and sums over the ray

    def lines(self, log_weight: Sum, factor: Sum) -> Iterator[tuple[Line, Ball]]:
        """exp(log_weight) |factor| is at most the sum of the sizes times the exponentials of the lines.

        Unbounded where there is no such bound.
        """
        for term in factor:
            line = self.line(self.add(log_weight, _exponents(term)), term.b)
            if line is None or not line.slope > 0:
                raise Unbounded("the integrand is not known to decay")
            yield line, abs(flint().arb(term.coefficient))

    def diverges(self, log_weight: Sum, factor: Sum) -> int:
        """The sign of the factor if exp(log_weight) |factor| is known to stay above a positive number; else 0."""
        lead, _ = self.leading(factor)
        below = self.add(log_weight, _exponents(lead))
        line = self.line(tuple(t.times(-1) for t in below), -lead.b)
        if line is None or not line.top.is_finite():
            return 0
        return 1 if lead.coefficient > 0 else -1


def _exponents(term: Term) -> Sum:
    """The logarithm of e^(a r) e^E."""
    return ((Term(term.a, 0, 1),) if term.a != 0 else ()) + term.exponent


def _quotient(term: Term, lead: Term, ray: Ray) -> Term:
    # One and the same term of both exponents is one function of r, though its coefficient may be known as a ball only.
    mine = tuple(t for t in term.exponent if not any(t is u for u in lead.exponent))
    theirs = tuple(u for u in lead.exponent if not any(t is u for t in term.exponent))
    exponent = ray.add(mine, tuple(t.times(-1) for t in theirs))
    return Term(term.coefficient / lead.coefficient, term.a - lead.a, term.b - lead.b, exponent)


def _is_zero(c: Number) -> bool:
    return bool(c == 0)


def _alike(t: Term, u: Term) -> bool:
    """Whether two terms are one but for their coefficients; what is known only as a ball is not known to be equal."""
    return t.a == u.a and t.b == u.b and _same(t.exponent, u.exponent)


def _same(s: Iterable[Term], t: Iterable[Term]) -> bool:
    s, t = tuple(s), tuple(t)
    return s is t or (
        len(s) == len(t)
        and all(_alike(x, y) and _exact(x) and x.coefficient == y.coefficient for x, y in zip(s, t, strict=True))
    )


def _exact(term: Term) -> bool:
    return isinstance(term.coefficient, flint().fmpq) or bool(term.coefficient.is_exact())
