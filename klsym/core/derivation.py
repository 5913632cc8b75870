"""A derivation as data: the cases of the answer, and the steps that lead to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sympy as sp
from sympy.logic.boolalg import Boolean

from .divergence import Divergence
from .family import Distribution

Kind = Literal["closed", "semi-closed", "numeric", "infinite", "undecided"]


class Expectation(sp.Function):
    """E[g(X); condition] under the named measure: arguments integrand, condition, measure.

    The condition restricts the integral (it is not a conditional expectation); `true` is the
    plain expectation. It stays unevaluated: the steps of a derivation are equalities about it.
    """

    nargs = (3,)
    is_commutative = True
    is_extended_real = True

    @property
    def integrand(self) -> sp.Expr:
        return self.args[0]

    @property
    def condition(self) -> Boolean:
        return self.args[1]

    @property
    def measure(self) -> sp.Symbol:
        return self.args[2]

    def _sympystr(self, printer: Any) -> str:
        inside = printer.doprint(self.integrand)
        limit = "" if self.condition == sp.true else f"; {printer.doprint(self.condition)}"
        return f"E_{self.measure}[{inside}{limit}]"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inside = printer.doprint(self.integrand)
        limit = "" if self.condition == sp.true else rf";\, {printer.doprint(self.condition)}"
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\mathbb{{E}}_{{{printer.doprint(self.measure)}}}\left[{inside}{limit}\right]{power}"


@dataclass(frozen=True)
class Case:
    """One branch of an answer: it holds under `when`, if no earlier case does."""

    kind: Kind
    value: sp.Expr
    when: Boolean
    why: str = ""


@dataclass(frozen=True)
class Step:
    """The claim that lhs == rhs under `when`, by the named rule."""

    rule: str
    lhs: sp.Expr
    rhs: sp.Expr
    when: Boolean = sp.true
    why: str = ""


@dataclass(frozen=True)
class Derivation:
    """What is known of a divergence of two distributions, of numbers or of arrays, and why.

    Where steps are about more laws than P and Q, as those of a joint distribution given its earlier outcomes,
    `measures` has what each symbol of a measure means.
    """

    divergence: Divergence
    p: Any
    q: Any
    cases: tuple[Case, ...]
    steps: tuple[Step, ...]
    coordinates: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    measures: tuple[tuple[sp.Symbol, Any], ...] = ()

    @property
    def kind(self) -> Kind:
        return self.cases[0].kind


@dataclass(frozen=True)
class Middle:
    """The member of a family with density in proportion to p^a q^(1 - a), a the order; KL divergence of the family."""

    kl: Derivation
    member: tuple[sp.Expr, ...]


@dataclass(frozen=True)
class General:
    """The divergence of generic members of one family, and the two members of it that are meant.

    `values` are those meant for the divergence's own parameters; where it has an order, `middle` may be the member
    between the generic two.
    """

    derivation: Derivation
    p: Distribution
    q: Distribution
    values: tuple[sp.Expr, ...] = ()
    middle: Middle | None = None
