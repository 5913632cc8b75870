"""What the formulas of numbers and of arrays have in common: the answer that a derivation is, and how it is shown."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import sympy as sp
from sympy.logic.boolalg import Boolean

from .core.derivation import Case, Derivation, Kind, Step
from .core.divergence import Divergence
from .core.errors import ParameterError
from .evaluation import Number, unit_base


def unit_name(divergence: Divergence, base: sp.Expr | None) -> str:
    """The unit of a divergence in words; "" where it is a number without one."""
    if divergence.pure:
        return ""
    unit = {None: "nats", 2: "bits", 10: "dits"}.get(base, f"units of log {base}")
    return unit if divergence.degree == 1 else f"roots of {unit}"


class Answer:
    """The cases of a derivation in a unit; a dataclass with the fields `derivation` and `base`, and an `evaluate`."""

    derivation: Derivation
    base: sp.Expr | None

    def evaluate(self, digits: int = 15) -> Number:
        raise NotImplementedError

    @property
    def parameters(self) -> tuple[Any, ...]:
        raise NotImplementedError

    @property
    def p(self) -> Any:
        return self.derivation.p

    @property
    def q(self) -> Any:
        return self.derivation.q

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases in order: the first whose condition holds is the answer."""
        unit = self.derivation.divergence.unit(self.base)
        return tuple(replace(case, value=case.value / unit) for case in self.derivation.cases)

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.derivation.steps

    @property
    def kind(self) -> Kind:
        return self.cases[0].kind

    @property
    def value(self) -> sp.Expr:
        """The SymPy expression of the first case; an array of numbers stands in it by its symbol."""
        return self.cases[0].value

    @property
    def condition(self) -> Boolean:
        """Where the first case holds."""
        return self.cases[0].when

    @property
    def unit(self) -> str:
        """The unit in words; "" where the divergence is a number without one."""
        return unit_name(self.derivation.divergence, self.base)

    def in_base(self, base: Any) -> Self:
        """The same formula in units of log(base): 2 for bits, None for nats.

        >>> from klsym import kl, Normal
        >>> kl(Normal(0, 1), Normal(1, 1)).in_base(2).value
        1/(2*log(2))
        """
        if base is not None and self.derivation.divergence.pure:
            raise ParameterError(f"{self.title} is a number without a unit; leave out the base")
        return replace(self, base=unit_base(base))  # pyright: ignore[reportArgumentType]

    def __float__(self) -> float:
        return float(self.evaluate(digits=17).value)

    def explain(self) -> str:
        """The derivation, step by step."""
        from .printing import steps_text

        return steps_text(self)

    def latex(self, steps: bool = False) -> str:
        """The value, or with `steps` the derivation as an align environment, in LaTeX."""
        from .printing import formula_latex, steps_latex

        return steps_latex(self) if steps else formula_latex(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def to_json(self) -> dict[str, Any]:
        """The formula and its derivation as plain data."""
        from .printing import formula_json

        return formula_json(self)

    def __str__(self) -> str:
        from .printing import formula_text

        return formula_text(self)

    def __repr__(self) -> str:
        return str(self)

    @cached_property
    def title(self) -> str:
        """KL(Gamma(alpha_p, beta_p) || Weibull(k_q, lam_q))"""
        notation = self.derivation.divergence.notation
        return notation.replace("P", "\0").replace("Q", str(self.q)).replace("\0", str(self.p))
