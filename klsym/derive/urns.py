"""Laws of counts drawn from urns: their sums are Vandermonde's, and their moments shifted ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp
from sympy import loggamma

from .kernel import Known, ratio
from .linear import ONE, Combination


@dataclass(frozen=True)
class Urn:
    """A law with 1/y! among its factors: `log_sum(j)` is the logarithm of the sum with 1/(y - j)! in its place.

    The symbols of the sum are real numbers, not integers, and stand for what is `meant`.
    """

    y: sp.Symbol
    log_sum: Callable[[int], sp.Expr]
    name: str
    meant: dict[sp.Expr, sp.Expr]

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[Y (Y-1) ... (Y-j+1)] = S_j/S_0 for Vandermonde's sums S_j"""
        first, second = (ratio(self.log_sum(j) - self.log_sum(0)).xreplace(self.meant) for j in (1, 2))
        moments = {self.y: first, self.y**2: second + first}
        return Known(moments[atom], sp.true, "sum", "Vandermonde's sum; DLMF 15.4.24") if atom in moments else None

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> None:
        """Not known: Vandermonde's sum up to a place is a 3F2"""

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> None:
        """Not known either"""


def urn(atoms: Combination, y: sp.Symbol) -> Urn | None:
    """The urn law that the atoms of a log density on 0, ..., n are, or None."""
    if not all(isinstance(atom, loggamma) and abs(c) == 1 for atom, c in atoms.items()):
        return None
    numbers = {s: sp.Dummy(str(s), positive=True) for a in atoms for s in a.free_symbols - {y}}
    meant = {number: symbol for symbol, number in numbers.items()}
    atoms = {atom.xreplace(numbers): c for atom, c in atoms.items()}
    up, down = ([sp.expand(a.args[0] - s * y) for a in atoms if _slope(a, y) == s] for s in (1, -1))
    above = {a.args[0] for a, c in atoms.items() if c == 1}
    if len(up) != 2 or len(down) != 2 or y + 1 not in (a.args[0] for a in atoms) or len(above) not in (0, 2):
        return None
    (other,) = (u for u in up if u != 1) if up != [ONE, ONE] else (ONE,)
    if not above:
        # 1/(y! (r - y)! (s - y)! (t + y)!)
        r, s, t = down[0] - 1, down[1] - 1, other - 1
        return Urn(y, lambda j: _drawn(r - j, s - j, t + j), "hypergeometric", meant)
    # Gamma(y + a) Gamma(n - y + b)/(y! (n - y)!)
    n, b = next((n - 1, sp.expand(b - n + 1)) for n, b in (down, down[::-1]) if loggamma(n - y) in atoms)
    if above != {other + y, n + b - y}:
        return None
    return Urn(y, lambda j: _contagious(n - j, other + j, b), "beta binomial", meant)


def _slope(atom: sp.Expr, y: sp.Symbol) -> sp.Expr:
    return sp.diff(atom.args[0], y)


def _drawn(r: sp.Expr, s: sp.Expr, t: sp.Expr) -> sp.Expr:
    """log of the sum of 1/(y! (r-y)! (s-y)! (t+y)!), which is (r+s+t)!/(r! s! (r+t)! (s+t)!)"""
    below = sp.Add(*(loggamma(sp.expand(u) + 1) for u in (r, s, r + t, s + t)))
    return loggamma(sp.expand(r + s + t) + 1) - below


def _contagious(n: sp.Expr, a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """log of the sum of Gamma(y+a) Gamma(n-y+b)/(y! (n-y)!), which is Gamma(a) Gamma(b) Gamma(n+a+b)/(n! Gamma(a+b))"""
    total = sp.expand(a + b)
    return loggamma(a) + loggamma(b) + loggamma(sp.expand(n + total)) - loggamma(n + 1) - loggamma(total)
