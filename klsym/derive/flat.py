"""Uniform and finite laws: expectations by antiderivatives and by sums."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy as sp

from .antiderivatives import antiderivative
from .kernel import Known
from .kinks import Kink, inverse, kinked
from .linear import ONE, Combination, linear


@dataclass(frozen=True)
class Finite:
    """Finitely many points with their probabilities."""

    y: sp.Symbol
    points: tuple[tuple[sp.Expr, sp.Expr], ...]
    name: str = "finite"

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[a] = sum_k p_k a(k)"""
        value = sp.Add(*(probability * atom.xreplace({self.y: k}).doit() for k, probability in self.points))
        return Known(value, sp.true, "sum", f"a sum over {len(self.points)} points")

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr:
        """E[a; Y <= m], a sum for each stretch between two points that m may lie in"""
        terms = [p * atom.xreplace({self.y: k}).doit() for k, p in self.points]
        return self._stepped([sp.Add(*terms[:i]) for i in range(len(terms) + 1)], m)

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr:
        """E[a; Y > m]"""
        terms = [p * atom.xreplace({self.y: k}).doit() for k, p in self.points]
        return self._stepped([sp.Add(*terms[i:]) for i in range(len(terms) + 1)], m)

    def _stepped(self, sums: list[sp.Expr], m: sp.Expr) -> sp.Expr:
        """The sum with so many points at or below m"""
        stretches = ((total, m < k) for total, (k, _) in zip(sums, self.points, strict=False))
        return sp.Piecewise(*stretches, (sums[-1], True))


@dataclass(frozen=True)
class FlatCounts:
    """The uniform law on lower, ..., upper."""

    y: sp.Symbol
    lower: sp.Expr
    upper: sp.Expr
    name: str = "uniform on integers"

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[Y] = (a + b)/2, E[Y^2] = ((a+b)/2)^2 + ((b-a+1)^2 - 1)/12, E[log Y] = log(b!/(a-1)!)/(b-a+1)"""
        mean, size = (self.lower + self.upper) / 2, self.upper - self.lower + 1
        moments = {
            self.y: mean,
            self.y**2: mean**2 + (size**2 - 1) / 12,
            sp.log(self.y): (sp.loggamma(self.upper + 1) - sp.loggamma(self.lower)) / size,
        }
        if atom not in moments:
            return None
        return Known(
            moments[atom],
            sp.true,
            "sum",
            "power sums (Faulhaber; DLMF 24.4.7), and Gamma(b + 1)/Gamma(a) = a (a+1) ... b",
        )

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        """E[a; Y <= m], the expectation on the integers up to m times their share"""
        return self._share(atom, self.lower, sp.floor(m))

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        """E[a; Y > m]"""
        return self._share(atom, sp.floor(m) + 1, self.upper)

    def _share(self, atom: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr | None:
        known = Known(ONE, sp.true, "", "") if atom == 1 else FlatCounts(self.y, lower, upper).expect(atom)
        return None if known is None else known.value * (upper - lower + 1) / (self.upper - self.lower + 1)


@dataclass(frozen=True)
class Flat:
    """A polynomial density of degree 0 or 1 on (lower, upper), not normalised: a piece of a law."""

    y: sp.Symbol
    lower: sp.Expr
    upper: sp.Expr
    weight: tuple[tuple[sp.Expr, sp.Expr], ...]
    name: str = "polynomial"

    @property
    def mass(self) -> sp.Expr | None:
        """The mass of a constant density: coefficient times length."""
        ((factor, coefficient), *rest) = self.weight
        return coefficient * (self.upper - self.lower) if factor == 1 and not rest else None

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[a] = A(upper) - A(lower) for an antiderivative A of the density times a, split where a has a kink"""
        pieces = [self._between({atom: ONE}, self.lower, self.upper)]
        if None in pieces and (kink := kinked(atom, self.y)) and (place := self._clipped(kink)) is not None:
            pieces = [self._between(kink.below, self.lower, place), self._between(kink.above, place, self.upper)]
        found = [piece for piece in pieces if piece is not None]
        if len(found) < len(pieces):
            return None
        value, identities = sp.Add(*(value for value, _ in found)), "; ".join(dict.fromkeys(why for _, why in found))
        return Known(value, sp.true, "antiderivative", identities, open=True)

    def _between(self, combination: Combination, low: sp.Expr, high: sp.Expr) -> tuple[sp.Expr, str] | None:
        total, identities = [], []
        for factor, coefficient in self.weight:
            for atom, c in combination.items():
                found = antiderivative(factor * atom, self.y)
                if found is None:
                    return None
                total.append(coefficient * c * (self._at(found[0], high) - self._at(found[0], low)))
                identities.append(found[1])
        return sp.Add(*total), "; ".join(dict.fromkeys(identities))

    def _clipped(self, kink: Kink) -> sp.Expr | None:
        """Where u(y) = t, or the end that is nearest."""
        u, t = kink.u, kink.t
        if isinstance(u, sp.exp):
            low, high = (u.xreplace({self.y: end}) for end in (self.lower, self.upper))
            t = sp.Min(sp.Max(t, low), high)
        place = inverse(u, self.y, t)
        return place if place is None or isinstance(u, sp.exp) else sp.Min(sp.Max(place, self.lower), self.upper)

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        """E[a; Y < m]"""
        known = replace(self, upper=m).expect(atom)
        return None if known is None else known.value

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        """E[a; Y > m]"""
        known = replace(self, lower=m).expect(atom)
        return None if known is None else known.value

    def _at(self, primitive: sp.Expr, place: sp.Expr) -> sp.Expr:
        if place != 0:
            return primitive.xreplace({self.y: place})
        return sp.Add(*(c * self._at_zero(atom) for atom, c in linear(primitive, self.y).items()))

    def _at_zero(self, atom: sp.Expr) -> sp.Expr:
        """The limit at 0+, where y^m log^n y vanishes."""
        powers = {f.as_base_exp()[0]: f.as_base_exp()[1] for f in sp.Mul.make_args(atom)}
        if powers.get(self.y, sp.S.Zero).is_positive and set(powers) <= {self.y, sp.log(self.y)}:
            return sp.S.Zero
        return atom.xreplace({self.y: sp.S.Zero})
