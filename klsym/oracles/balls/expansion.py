"""Expressions expanded towards an end of the line: sums of terms in r, where y = unit e^(way r), on a ray r >= R."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...core.ball import flint
from .growth import Ray, Sum, Term, Unbounded
from .walker import Unspelled, Walker

# How many of the values of these functions are known where their argument is not: those of all real numbers.
BETWEEN: dict[str, tuple[int, int]] = {"sin": (-1, 1), "cos": (-1, 1), "erf": (-1, 1), "erfc": (0, 2)}


@dataclass
class Expansion:
    """Of expressions in x = anchor + direction y, y going to infinity (way 1) or to 0 (way -1)."""

    walker: Walker
    way: int
    unit: Any
    ray: Ray
    _found: dict[sp.Expr, Sum] = field(default_factory=dict)

    def __call__(self, e: sp.Expr) -> Sum:
        """The sum that encloses the expression on the ray; Unbounded or Unspelled where there is none."""
        if e not in self._found:
            self._found[e] = self._expanded(e)
        return self._found[e]

    def _expanded(self, e: Any) -> Sum:
        ray, fmpq = self.ray, flint().fmpq
        if not self.walker.varies(e):
            return ray.add(ray.constant(self.walker.constant(e)))
        if (form := self.walker.form(e)) is not None:
            offset, slope = form
            return ray.add(ray.constant(offset), (Term(slope * self.unit, fmpq(self.way), fmpq(0)),))
        if isinstance(e, sp.Add):
            return ray.add(*(self(a) for a in e.args))
        if isinstance(e, sp.Mul):
            product = ray.constant(fmpq(1))
            for a in e.args:
                product = ray.multiply(product, self(a))
            return product
        if isinstance(e, sp.Pow):
            if self.walker.varies(e.exp):
                return ray.exp(ray.multiply(self(e.exp), ray.log(self(e.base))))
            return ray.power(self(e.base), self.walker.constant(e.exp))
        if isinstance(e, sp.log):
            return self._logarithm(e.args[0])
        if isinstance(e, sp.exp):
            return ray.exp(self(e.args[0]))
        if isinstance(e, (sp.sinh, sp.cosh, sp.tanh)):
            return self(e.rewrite(sp.exp))
        if isinstance(e, sp.Abs):
            inner = self(e.args[0])
            return ray.scale(inner, fmpq(self.sign(inner)))
        if isinstance(e, (sp.Max, sp.Min)):
            return self._largest([self(a) for a in e.args], 1 if isinstance(e, sp.Max) else -1)
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e)
        if isinstance(e, sp.loggamma):
            return self._loggamma(self(e.args[0]))
        if isinstance(e, sp.besseli) and not self.walker.varies(e.args[1]):
            return ray.exp(self._log_besseli(self(e.args[0]), self.walker.ball(e.args[1])))
        if (name := e.func.__name__) in BETWEEN:
            low, high = map(flint().arb, BETWEEN[name])
            return ray.constant(low.union(high))
        raise Unspelled(f"{name} is not known towards an end of the line")

    def _logarithm(self, e: sp.Expr) -> Sum:
        if isinstance(e, sp.besseli) and not self.walker.varies(e.args[1]):
            return self._log_besseli(self(e.args[0]), self.walker.ball(e.args[1]))
        return self.ray.log(self(e))

    @property
    def jacobian(self) -> Sum:
        """log |dy/dr|, which is log y."""
        shift = flint().arb(self.unit).log()
        return self.ray.add((Term(flint().fmpq(self.way), 0, 1),), self.ray.constant(shift))

    def sign(self, s: Sum) -> int:
        """The sign of the sum on the whole ray."""
        lead, _ = self.ray.leading(s)
        return 1 if lead.coefficient > 0 else -1

    def _largest(self, sums: list[Sum], way: int) -> Sum:
        best, *rest = sums
        for other in rest:
            gap = self.ray.add(other, self.ray.scale(best, flint().fmpq(-1)))
            best = other if gap and self.sign(gap) == way else best
        return best

    def _piecewise(self, e: sp.Piecewise) -> Sum:
        for value, condition in e.args:
            if self._holds(condition):
                return self(value)
        raise Unbounded("no condition is known to hold towards the end")

    def _holds(self, condition: Any) -> bool:
        if condition in (sp.true, sp.false):
            return condition == sp.true
        if isinstance(condition, sp.And):
            return all([self._holds(c) for c in condition.args])
        if isinstance(condition, sp.Or):
            return any([self._holds(c) for c in condition.args])
        if isinstance(condition, (sp.Eq, sp.Ne)):
            self.sign(self(condition.lhs - condition.rhs))
            return isinstance(condition, sp.Ne)
        return self.sign(self(condition.gts - condition.lts)) > 0

    def _loggamma(self, z: Sum) -> Sum:
        """Stirling's formula, whose rest lies between 0 and 1/(12 z) for positive z (DLMF 5.11.1 and 5.11(ii))."""
        ray, arb, fmpq = self.ray, flint().arb, flint().fmpq
        if all(ray.supremum(t) is not None for t in z):
            return ray.constant(ray.range(z).lgamma())
        if self.sign(z) < 0:
            raise Unbounded("loggamma of what is not positive")
        log = ray.log(z)
        rest = ray.scale(ray.power(z, fmpq(-1)), arb(0).union(arb(fmpq(1, 12))))
        half = ray.constant((2 * arb.pi()).log() / 2)
        return ray.add(ray.multiply(z, log), ray.scale(log, fmpq(-1, 2)), ray.scale(z, fmpq(-1)), half, rest)

    def _log_besseli(self, n: Sum, z: Any) -> Sum:
        """I_n(z) = (z/2)^n/n! (1 + ...), where the bracket lies between 1 and exp(z^2/(4(n + 1))) (DLMF 10.25.2)."""
        ray, arb, fmpq = self.ray, flint().arb, flint().fmpq
        above = ray.add(n, ray.constant(fmpq(1)))
        if not z > 0 or self.sign(n) < 0:
            raise Unbounded("besseli of what is not positive")
        rest = ray.scale(ray.power(above, fmpq(-1)), arb(0).union(z * z / 4))
        power = ray.scale(n, (z / 2).log())
        return ray.add(power, ray.scale(self._loggamma(above), fmpq(-1)), rest)
