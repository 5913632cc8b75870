"""A divergence as its definition over two log densities and two expectations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from .domain import Parameter

Over = Literal["densities", "couplings", "half-lines", "orders", "curves"]
Operator = Callable[..., sp.Expr]
RATIO = sp.Symbol("t", positive=True)


@dataclass(frozen=True)
class Divergence:
    """A number that compares two distributions.

    `define(log_p, log_q, P, Q, *values)` is an expression in which `P` and `Q` are the expectations under the two
    distributions: a sum of expectations of combinations of log densities, any function of one expectation of the
    exponential of such a combination, or a sum of expectations of functions of the ratio of the densities, or a power
    of one. Where the other distribution has no mass its logarithm is -oo there; `P(g, beyond)` says what g is then.
    Of the last kind `generator` is f(t), t = `RATIO` = p/q, with which the sum is E_Q[f(p/q)]: f(1) = 0, f >= 0.
    `axioms` names what holds for every pair, and is what the property tests try: "nonnegative", "zero-on-diagonal",
    "bijection-invariant", "jointly-convex", "symmetric", "triangle", and "kl-at-1", the limit at the
    order 1; `bound` is the least number that none exceeds.
    Near P = Q it is as the power `order` of what the two differ by; 0 if it does not vanish there.
    `unitless` says that it is a number without a unit, though there are logarithms in it; `parts` that the definition
    is a sum of multiples of those of other divergences.
    A divergence may have `parameters` of its own, such as an order, bound to `values`; `constraint` is among them,
    and the notation has each value in brackets.
    What the definition is about may also be, by `over`: the "couplings" of the two laws, the arguments then being two
    outcomes in place of the log densities and the expectation under a coupling, the divergence the least value; the
    "half-lines", the arguments then being an outcome and the end of a half-line, the divergence the greatest value; the
    "orders", where it has a symbol for an order from 0 to 1, the divergence the greatest value; or the "curves" from
    one law to the other in their family, the first argument the derivative of the log density along the curve and the
    definition its speed, the divergence the least length.
    """

    name: str
    notation: str
    define: Callable[..., sp.Expr]
    axioms: frozenset[str] = frozenset()
    arity: int = 2
    parameters: tuple[Parameter, ...] = ()
    values: tuple[sp.Expr, ...] = ()
    constraint: Boolean = sp.true
    order: int = 2
    bound: sp.Expr = sp.oo
    generator: sp.Expr | None = None
    unitless: bool = False
    parts: tuple[tuple[sp.Expr, Divergence], ...] = ()
    over: Over = "densities"

    def written(self, log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
        """The definition at the values of the divergence's own parameters."""
        return self.define(log_p, log_q, P, Q, *self.values)

    @property
    def arguments(self) -> Iterator[tuple[Parameter, sp.Expr]]:
        """Each parameter of its own with its value."""
        return zip(self.parameters, self.values, strict=True)

    @cached_property
    def integral(self) -> bool:
        """Whether it is a function of one integral of powers of the densities."""
        means = self._generic.atoms(AppliedUndef)
        return self.over == "densities" and not self.parts and any(isinstance(mean.args[0], sp.exp) for mean in means)

    @cached_property
    def logarithmic(self) -> bool:
        """Whether it is a sum of means of logarithms of the densities."""
        return self.over == "densities" and not self.parts and not self._generic.has(sp.exp)

    @cached_property
    def degree(self) -> sp.Expr:
        """The power of a unit of information that it is measured in: 0 for a number without a unit."""
        generic = self._generic
        if self.unitless or not (self.logarithmic or generic.has(sp.log)):
            return sp.S.Zero
        return generic.as_base_exp()[1]

    @property
    def pure(self) -> bool:
        """Whether it is a number without a unit."""
        return self.degree == 0

    def unit(self, base: sp.Expr | None) -> sp.Expr:
        """What one of it in units of log(base) is in nats."""
        return sp.S.One if base is None else sp.log(base) ** self.degree

    @property
    def _generic(self) -> sp.Expr:
        log_p, log_q = sp.symbols("log_p log_q", real=True)
        expectation: Operator = sp.Function("E")
        return self.written(log_p, log_q, expectation, expectation)

    def subs(self, values: Mapping[sp.Expr, sp.Expr]) -> Divergence:
        """The divergence with symbols among its own values replaced."""
        given = dict(values)
        bound, notation = tuple(value.xreplace(given) for value in self.values), self.notation
        for old, new in zip(self.values, bound, strict=True):
            notation = notation.replace(f"[{old}]", f"[{new}]")
        return replace(
            self,
            values=bound,
            notation=notation,
            constraint=self.constraint.xreplace(given),
            bound=self.bound.xreplace(given),
            generator=None if self.generator is None else self.generator.xreplace(given),
        )
