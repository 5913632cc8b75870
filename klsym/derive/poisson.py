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
        why = "log|y - r|^2 is harmonic in the half-plane that r is not in; its mean is its value at i (Axler, Bourdon, Ramey, 7.5)"
        return Known(sp.log(a + c + root), sp.true, "poisson", why)


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
        cosine, sine = terms.get(sp.cos(self.y), sp.S.Zero), terms.get(sp.sin(self.y), sp.S.Zero)
        if not set(terms) <= {ONE, sp.cos(self.y), sp.sin(self.y)} or not (sine or cosine):
            return None
        radius = sp.Wild("r", exclude=[self.y])
        found = terms.get(ONE, sp.S.Zero).match(1 + radius**2)
        if not found:
            return None
        r = found[radius]
        return Known(sp.log(1 + r**2 * self.rho**2 + self.rho * cosine), sp.true, "poisson", why)


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
    if support.periodic:
        rho = sp.Wild("r", exclude=[y])
        found = atom.args[0].match(1 + rho**2 - 2 * rho * sp.cos(y))
        return Disc(y, found[rho]) if found else None
    return None
