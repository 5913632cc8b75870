"""Poisson kernels: under a Cauchy law, E[f] of a harmonic f is its value at one point."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from ..core.domain import Interval
from .kernel import Known
from .linear import ONE, linear


@dataclass(frozen=True)
class HalfPlane:
    """The standard Cauchy density 1/(pi (1 + y^2)) on the real line."""

    y: sp.Symbol
    name: str = "Poisson (half-plane)"

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[log(A Y^2 + B Y + C)] = log(A + C + sqrt(4 A C - B^2)), since log|i - r|^2 is harmonic in r"""
        if not isinstance(atom, sp.log):
            return None
        terms = linear(atom.args[0], self.y)
        if not set(terms) <= {ONE, self.y, self.y**2} or self.y**2 not in terms:
            return None
        a, b, c = (terms.get(atom, sp.S.Zero) for atom in (self.y**2, self.y, ONE))
        root = sp.sqrt(sp.expand(4 * a * c - b**2))
        why = (
            "log|y - r|^2 is harmonic in the half-plane that r is not in; "
            "its mean is its value at i (Axler, Bourdon, Ramey, 7.5)"
        )
        return Known(sp.log(a + c + root), sp.true, "poisson", why)

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        """P(Y < m) = 1/2 + atan(m)/pi"""
        return sp.S.Half + sp.atan(m) / sp.pi if atom == 1 else None

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        """P(Y > m) = 1/2 - atan(m)/pi"""
        return sp.S.Half - sp.atan(m) / sp.pi if atom == 1 else None


@dataclass(frozen=True)
class Disc:
    """The wrapped Cauchy density (1 - rho^2)/(2 pi (1 + rho^2 - 2 rho cos y)) on the circle."""

    y: sp.Symbol
    rho: sp.Expr
    name: str = "Poisson (disc)"

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[f(e^iY)] = f(rho) for f harmonic in the disc: cos y, sin y, log(1 + r^2 - 2 r cos(y - m)) with r < 1"""
        why = "the mean of a harmonic function is its value at rho (Mardia and Jupp, Directional Statistics, 3.5.7)"
        if atom in (sp.cos(self.y), sp.sin(self.y)):
            return Known(self.rho if atom == sp.cos(self.y) else sp.S.Zero, sp.true, "poisson", why)
        if not isinstance(atom, sp.log):
            return None
        terms = linear(atom.args[0], self.y)
        square = squared_modulus(terms, self.y)
        if square is None:
            return None
        value = sp.log(1 + square * self.rho**2 + self.rho * terms.get(sp.cos(self.y), sp.S.Zero))
        return Known(value, sp.true, "poisson", why)

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        return None

    expect_above = expect_below


def squared_modulus(terms: dict, y: sp.Symbol) -> sp.Expr | None:
    """r^2, where the terms are those of |1 - r e^(i(y - m))|^2 = 1 + r^2 - 2 r cos m cos y - 2 r sin m sin y."""
    if not set(terms) <= {ONE, sp.cos(y), sp.sin(y)} or len(terms) < 2 or ONE not in terms:
        return None
    square = terms[ONE] - 1
    circle = terms.get(sp.cos(y), sp.S.Zero) ** 2 + terms.get(sp.sin(y), sp.S.Zero) ** 2 - 4 * square
    point = {s: sp.Rational(3 + 2 * i, 17) for i, s in enumerate(sorted(circle.free_symbols, key=str))}
    return square if abs(circle.xreplace(point).evalf(20)) < 1e-15 else None


def poisson_kernel(atoms: dict, y: sp.Symbol, support: Interval) -> HalfPlane | Disc | None:
    """The Poisson kernel that a log density is, or None."""
    if len(atoms) > 1:
        return None
    ((atom, c),) = atoms.items() if atoms else ((sp.S.Zero, sp.S.NegativeOne),)
    if support.periodic and atom == 0:
        return Disc(y, sp.S.Zero)
    if c != -1 or not isinstance(atom, sp.log):
        return None
    if (support.lower, support.upper) == (-sp.oo, sp.oo) and sp.expand(atom.args[0] - 1 - y**2) == 0:
        return HalfPlane(y)
    terms = linear(atom.args[0], y)
    if support.periodic and sp.sin(y) not in terms and squared_modulus(terms, y) is not None:
        return Disc(y, -terms[sp.cos(y)] / 2)
    return None
