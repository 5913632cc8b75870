"""Equations that no algebra solves: a bracket in doubles, then Newton's method at rising precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp
from scipy.optimize import brentq

from ..core.derivation import Expectation
from ..core.errors import ParameterError, UnderivableError
from ..evaluation import GUARD_DIGITS
from .coordinates import Coordinate, coordinate
from .descend import minima
from .eliminate import Solution
from .equations import Median, Target
from .law import Law, Sampled, doubles, function
from .objective import Forward

Values = dict[sp.Symbol, sp.Expr]
# Where a sign change is looked for: in the logarithm, or the log odds, of the parameter, from the middle outward.
LADDER = np.array([0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 28, 32, 40, 48, 60])
ROUNDS = 12


@dataclass(frozen=True)
class Numbers:
    """The parameters as numbers, to any precision that P allows: what is left solved, the rest by the solution."""

    of: Target
    law: Law
    solution: Solution

    def at(self, digits: int) -> Values:
        """Each free parameter to that many digits."""
        left = self._roots(digits + GUARD_DIGITS)
        values = {s: self.number(e, left, digits + GUARD_DIGITS) for s, e in self.solution.solved.items()}
        return {s: sp.Float(v, digits + 2) for s, v in ({s: left[s] for s in left} | values).items()}

    def number(self, expr: sp.Expr, values: Mapping[sp.Symbol, Any], digits: int) -> sp.Expr:
        """The expression at these values: its expectations from the inside out, then the rest."""
        expr = expr.xreplace({s: sp.Float(v, digits) for s, v in values.items()})
        while atoms := [a for a in expr.atoms(Expectation, Median) if not _inner(a)]:
            expr = expr.xreplace({a: self._atom(a, digits) for a in atoms})
        found = sp.N(expr, digits, maxn=20 * digits)
        if not found.is_comparable:
            raise ParameterError(f"{self._title()} has no member at a minimum: {expr} is no number")
        return found

    def _atom(self, a: sp.Expr, digits: int) -> sp.Expr:
        if isinstance(a, Median):
            if not isinstance(self.law, Sampled):
                raise UnderivableError(f"{a} has no closed form")
            return sp.Float(self.law.median(a.args[0], self.of.x), digits)
        return sp.Float(self.law.number(a.integrand, self.of.x, digits), digits)

    def _title(self) -> str:
        return f"the projection onto {self.of.member.family.name}"

    @property
    def opaque(self) -> bool:
        """Whether an equation has an expectation that moves with a parameter and is known in doubles alone."""
        free = set(self.of.free)
        moving = {a for e in self.solution.left.values() for a in e.atoms(Expectation) if a.free_symbols & free}
        return any(self.law.closed(a.integrand, self.of.x) is None for a in moving)

    @property
    def exact(self) -> bool:
        """Whether there are more digits than a double has."""
        atoms = {
            a for e in (*self.solution.solved.values(), *self.solution.left.values()) for a in e.atoms(Expectation)
        }
        still = [a for a in atoms if not a.free_symbols & set(self.of.free) and not _inner(a)]
        return not self.opaque and all(self.law.exact(a.integrand, self.of.x) for a in still)

    def _roots(self, digits: int) -> dict[sp.Symbol, Any]:
        left = self.solution.left
        if not left:
            return {}
        start = None
        # Where an equation cancels, as log(alpha) - digamma(alpha) does far out, it takes more digits than its root.
        for working in (digits, 2 * digits, 4 * digits):
            plain = {s: self._plain(e, working) for s, e in left.items()}
            start = start or (self._bracketed(plain) if len(left) == 1 else self._descended())
            found = self._settled(plain, start, working, digits)
            if found is not None:
                return dict(zip(left, found, strict=True))
        raise UnderivableError(
            f"{self._title()}: Newton's method did not settle to {digits - GUARD_DIGITS} digits; where "
            "the equations have no root the divergence falls towards an end of the domains, and no member is "
            "nearest: bind a parameter, or take a smaller family"
        )

    def _settled(
        self, plain: dict[sp.Symbol, sp.Expr], start: dict[sp.Symbol, float], working: int, digits: int
    ) -> list[Any] | None:
        """The roots by Newton's method from the start, None where its steps stay larger than the digits asked for."""
        # In doubles a mean is off by 2^-53 of it: steps below that are noise.
        step, enough = (
            (1e-5, 1e-13) if self.opaque else (10.0 ** (-working // 3), 10.0 ** (-digits + GUARD_DIGITS // 2))
        )
        with mp.workdps(working):

            def residuals(*at: Any) -> Any:
                values = dict(zip(plain, at, strict=True))
                return mp.matrix([mp.mpf(self.number(e, values, working)) for e in plain.values()])

            return self._newton(residuals, mp.matrix([mp.mpf(start[s]) for s in plain]), step, enough)

    def _plain(self, equation: sp.Expr, digits: int) -> sp.Expr:
        """The equation with every expectation a number, or an expression in the parameters, where it is one."""
        free, values = set(self.of.free), {}
        for a in equation.atoms(Expectation):
            if not a.free_symbols & free and not _inner(a):
                values[a] = self._atom(a, digits)
            elif (known := self.law.closed(a.integrand, self.of.x)) is not None:
                values[a] = known.value
        return equation.xreplace(values)

    def _bracketed(self, plain: dict[sp.Symbol, sp.Expr]) -> dict[sp.Symbol, float]:
        """Where the mean score turns from + to -, a maximum of E[log q], by Brent's method in doubles."""
        ((symbol, equation),) = plain.items()
        line = coordinate(self.of.domain(symbol))
        at = self._double(equation, symbol, line)
        with np.errstate(all="ignore"):
            middle = at(0.0)
            way = 1.0 if middle > 0 else -1.0
            ladder = [0.0, *(way * LADDER)]
            place = next((k for k, u in enumerate(ladder) if not at(u) * way > 0), 0)
            turned = at(ladder[place])
        if middle == 0:
            return {symbol: float(line.inward(np.float64(0)))}
        if place == 0 or not np.isfinite(turned):
            raise UnderivableError(
                f"{self._title()}: the equation for {symbol} has no root; the divergence falls as {symbol} goes to an "
                f"end of {self.of.domain(symbol)}, so that no member is the nearest"
            )
        u = brentq(at, ladder[place - 1], ladder[place], xtol=1e-13, rtol=1e-14)
        return {symbol: float(line.inward(np.float64(u)))}

    def _double(self, equation: sp.Expr, symbol: sp.Symbol, line: Coordinate) -> Any:
        """The mean score in doubles, as a function of u."""
        atoms = sorted(equation.atoms(Expectation), key=str)
        names = [sp.Dummy("m") for _ in atoms]
        body = function((symbol, *names), equation.xreplace(dict(zip(atoms, names, strict=True))))
        arguments = (self.of.x, symbol)

        def at(u: float) -> float:
            value = np.float64(line.inward(np.float64(u)))
            means = [doubles(self.law, a.integrand, arguments, (value,)) for a in atoms]
            return float(np.real(body(value, *means)))

        return at

    def _descended(self) -> dict[sp.Symbol, float]:
        """Where several equations are left: the minimum of -E[log q] in doubles."""
        objective = Forward(self.of, self.law)
        found = minima(objective, objective.starts())
        if not found:
            raise UnderivableError(f"{self._title()}: the divergence falls towards an end of the domain")
        return dict(zip(self.of.free, map(float, objective.inward(found[0].u)), strict=True))

    def _newton(self, residuals: Any, at: Any, step: float, enough: float) -> list[Any] | None:
        """Newton's method, steps halved while they leave the domain, until they are small."""
        for _ in range(ROUNDS):
            slopes = mp.matrix(len(at), len(at))
            for k in range(len(at)):
                h = step * abs(at[k]) or mp.mpf(step)
                ahead, behind = at.copy(), at.copy()
                ahead[k], behind[k] = at[k] + h, at[k] - h
                slopes[:, k] = (residuals(*ahead) - residuals(*behind)) / (2 * h)
            move = mp.lu_solve(slopes, residuals(*at))
            while not self._inside(at - move):
                move /= 2
            at = at - move
            if all(abs(m) <= enough * abs(a) for m, a in zip(move, at, strict=True)):
                return list(at)
        return None

    def _inside(self, at: Any) -> bool:
        return all(
            self.of.domain(s).contains(sp.Float(v, mp.mp.dps)) == sp.true
            for s, v in zip(self.solution.left, at, strict=True)
        )


def _inner(a: sp.Expr) -> bool:
    return any(b != a for b in a.args[0].atoms(Expectation, Median))
