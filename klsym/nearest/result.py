"""What a projection finds: the nearest member or members, how they were found, and what divergence remains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.derivation import Step
from ..core.errors import ParameterError, UnderivableError
from ..evaluation import Number
from ..printing import step_lines, text
from ..samples.result import UNITS
from ..vectors import unit
from .law import Nodes
from .solve import Numbers

DOUBLE = 15
HOW = {
    "member": "P is itself a member",
    "derived": "in closed form, by matching moments",
    "matched": "by matching moments, which quadrature gives",
    "solved": "by an equation that Newton's method solves",
    "implicit": "by equations, which numbers for P's parameters solve",
    "optimised": "by descent",
}


@dataclass(frozen=True)
class Point:
    """A member at a stationary point of the divergence.

    `divergence` is its value where one is known (samples of a density have none); `slope` the length of the
    gradient and `curvatures` those along the main axes, without constraints, of a point found by descent.
    """

    member: Any
    divergence: float | None
    kind: str = "minimum"
    slope: float | None = None
    curvatures: tuple[float, ...] = ()

    def scaled(self, unit: float) -> Point:
        """The same in units of that many nats."""
        value = None if self.divergence is None else self.divergence / unit
        slope = None if self.slope is None else self.slope / unit
        return replace(self, divergence=value, slope=slope, curvatures=tuple(c / unit for c in self.curvatures))

    def to_json(self) -> dict[str, Any]:
        values = {p.name: _plain(v) for p, v in self.member.arguments}
        return {
            "member": str(self.member),
            "parameters": values,
            "kind": self.kind,
            "divergence": self.divergence,
            "slope": self.slope,
            "curvatures": list(self.curvatures),
        }


@dataclass(frozen=True, eq=False)
class Projection:
    """The nearest members of a family, the nearest first.

    `points` are the stationary points found, local minima before others. `how` is "member", "derived", "matched",
    "solved", "implicit" or "optimised". `equations` are those that were, or are, left to solve, each 0. `cross_entropy`
    is the least -E_P[log q] of samples. Divergences are in units of log(base), of None nats.
    """

    p: Any
    family: Any
    direction: str
    how: str
    points: tuple[Point, ...]
    steps: tuple[Step, ...] = ()
    equations: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    measure: Callable[[Any], Any] | None = field(default=None, repr=False)
    numbers: Numbers | None = field(default=None, repr=False)
    cross_entropy: float | None = None
    samples: Nodes | None = field(default=None, repr=False)
    opposite: Callable[[], Projection] | None = field(default=None, repr=False)
    base: Any = None

    def in_base(self, base: Any) -> Projection:
        """The same in units of log(base), from nats."""
        if base is None:
            return self
        scale = unit(base)
        likely = None if self.cross_entropy is None else self.cross_entropy / scale
        return replace(self, points=tuple(p.scaled(scale) for p in self.points), cross_entropy=likely, base=base)

    @property
    def unit(self) -> str:
        """The unit in words."""
        return "nats" if self.base is None else UNITS.get(self.base, f"units of log {self.base}")

    @property
    def member(self) -> Any:
        """The nearest member."""
        return self.points[0].member

    @property
    def members(self) -> tuple[Any, ...]:
        """The members at local minima, the nearest first."""
        return tuple(point.member for point in self.points if point.kind == "minimum")

    @property
    def saddles(self) -> tuple[Point, ...]:
        """The stationary points found that are no minima."""
        return tuple(point for point in self.points if point.kind != "minimum")

    @property
    def values(self) -> dict[str, Any]:
        """The nearest member's parameters by name: SymPy expressions or arrays."""
        return {p.name: v for p, v in self.member.arguments}

    @cached_property
    def remaining(self) -> Any:
        """The divergence of P and the nearest member as a formula; UnderivableError for samples."""
        if self.measure is None:
            raise UnderivableError(f"{self.p} has no formula; the points have the divergence where there is one")
        found = self.measure(self.member)
        return found if self.base is None else found.in_base(self.base)

    @property
    def condition(self) -> Boolean:
        """Where the divergence that remains is finite, in P's symbols."""
        return (
            self.remaining.condition if self.measure is not None and hasattr(self.remaining, "condition") else sp.true
        )

    @property
    def divergence(self) -> float | None:
        """The divergence that remains; None where it has symbols, or samples no such number."""
        return self.points[0].divergence

    def evaluate(self, digits: int = 15) -> dict[str, Number]:
        """The nearest member's parameters to that many digits; ParameterError where P does not tell as many.

        >>> from klsym import Gamma, LogNormal, project
        >>> print(project(LogNormal(0, 1), Gamma).evaluate(digits=20)["alpha"])
        1.1377247271478586624
        """
        if hasattr(self.family, "outcome"):
            raise ParameterError(f"the parameters of {self.family.name} are arrays of doubles; `values` has them")
        if self.member.symbols:
            raise ParameterError(f"{self.member} has no numbers for {', '.join(map(str, self.member.symbols))}")
        exact = self.numbers.exact if self.numbers is not None else self.how in ("member", "derived")
        if digits > DOUBLE and not exact:
            raise ParameterError(f"{self.member} is known in doubles; ask for at most {DOUBLE} digits")
        found = self.numbers.at(digits) if self.numbers is not None else {}
        given = {p.name: found.get(s, v) for (p, v), s in zip(self.member.arguments, self._symbols, strict=True)}
        with mp.workdps(digits + 2):
            numbers = {name: mp.mpmathify(sp.N(v, digits + 2)) for name, v in given.items()}
        return {name: Number(v, digits, "estimate", "", HOW[self.how]) for name, v in numbers.items()}

    @property
    def _symbols(self) -> tuple[Any, ...]:
        return self.numbers.of.member.values if self.numbers is not None else self.member.values

    def plot(self, path: Any = None, axes: Any = None) -> Any:
        """Target, projections and integrand as a picture, in `axes` (two of matplotlib's) or a new figure, or a file.

        Needs matplotlib (`pip install 'klsym[plot]'`). Returns the figure.
        """
        from .picture import draw

        return draw(self, path, axes)

    def explain(self) -> str:
        """The steps, and then what they lead to."""
        return "\n".join([self.title, *step_lines(self.steps), "", str(self)])

    @property
    def title(self) -> str:
        q = self.family.name
        notation = f"KL({self.p} || {q})" if self.direction == "forward" else f"KL({q} || {self.p})"
        return f"the member of {q} with the least {notation}"

    def to_json(self) -> dict[str, Any]:
        """The points, the steps and how they were found, as plain data."""
        return {
            "p": str(self.p),
            "family": self.family.name,
            "direction": self.direction,
            "unit": self.unit,
            "how": self.how,
            "condition": str(self.condition),
            "points": [point.to_json() for point in self.points],
            "cross_entropy": self.cross_entropy,
            "equations": {str(s): text(e) for s, e in self.equations},
            "steps": [
                {"rule": s.rule, "lhs": text(s.lhs), "rhs": text(s.rhs), "when": str(s.when), "why": s.why}
                for s in self.steps
            ],
        }

    def __str__(self) -> str:
        lines = [self.title]
        for point in self.points:
            lines.append(f"  {_shown(point.member)}" + ("" if point.kind == "minimum" else f"  ({point.kind})"))
            if point.divergence is not None:
                lines.append(f"    divergence {point.divergence:.10g} {self.unit}")
        if self.cross_entropy is not None:
            lines.append(f"    mean log likelihood {-self.cross_entropy:.10g} {self.unit} a sample")
        lines += [f"    where {text(e)} = 0 for {s}" for s, e in self.equations if self.how == "implicit"]
        condition = "" if self.condition == sp.true else f", if {text(self.condition)}"
        return "\n".join([*lines, f"    ({HOW[self.how]}{condition})"])

    __repr__ = __str__


def _shown(member: Any) -> str:
    """The member as one writes it, numbers of many digits as decimals."""
    values = [
        v if not isinstance(v, sp.Expr) or not v.is_number or len(str(v)) <= 12 else sp.N(v, 10) for v in member.values
    ]
    shown = (f"{p.keyword}={v}" if getattr(p, "keyword", "") else text(v) if isinstance(v, sp.Expr) else str(v)
             for p, v in zip(member.family.parameters, values, strict=True))  # fmt: skip
    return f"{member.family.name}({', '.join(shown)})"


def _plain(value: Any) -> Any:
    if isinstance(value, sp.Expr):
        return float(value) if value.is_number else str(value)
    return value.array.astype(float).tolist() if hasattr(value, "array") else str(value)
