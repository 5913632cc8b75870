"""A divergence as its definition over two log densities and two expectations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import sympy as sp
from sympy.logic.boolalg import Boolean

from .domain import Parameter

Operator = Callable[[sp.Expr], sp.Expr]


@dataclass(frozen=True)
class Divergence:
    """A number that compares two distributions.

    `define(log_p, log_q, P, Q, *values)` is an expression in which `P` and `Q` are the expectations under the two
    distributions: either a sum of expectations of combinations of log densities, or any function of one expectation
    of the exponential of such a combination. `axioms` names what holds for every pair, and is what the property
    tests try: "nonnegative", "zero-on-diagonal", "bijection-invariant", "jointly-convex", "symmetric".
    A divergence may have `parameters` of its own, such as an order, bound to `values`; `constraint` is among them,
    and the notation has each value in brackets.
    What the definition is about may also be, by `over`: the "couplings" of the two laws, the arguments then being two
    outcomes in place of the log densities and the expectation under a coupling, the divergence the least value; the
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
    over: Literal["densities", "couplings", "orders", "curves"] = "densities"

    def written(self, log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
        """The definition at the values of the divergence's own parameters."""
        return self.define(log_p, log_q, P, Q, *self.values)

    @property
    def arguments(self) -> Iterator[tuple[Parameter, sp.Expr]]:
        """Each parameter of its own with its value."""
        return zip(self.parameters, self.values, strict=True)

    @property
    def integral(self) -> bool:
        """Whether it is a function of one integral of powers of the densities, not a mean of logarithms."""
        return self.over == "densities" and self._generic.has(sp.exp)

    @property
    def pure(self) -> bool:
        """Whether it is a number without a unit: no logarithm's."""
        return (self.integral or self.over != "densities") and not self._generic.has(sp.log)

    @property
    def _generic(self) -> sp.Expr:
        log_p, log_q = sp.symbols("log_p log_q", real=True)
        expectation: Operator = sp.Function("E")
        return self.written(log_p, log_q, expectation, expectation)

    def subs(self, values: Mapping[sp.Expr, sp.Expr]) -> Divergence:
        """The divergence with symbols among its own values replaced."""
        bound, notation = tuple(value.xreplace(dict(values)) for value in self.values), self.notation
        for old, new in zip(self.values, bound, strict=True):
            notation = notation.replace(f"[{old}]", f"[{new}]")
        return replace(self, values=bound, notation=notation, constraint=self.constraint.xreplace(dict(values)))
