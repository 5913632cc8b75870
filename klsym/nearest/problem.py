"""What is projected onto what, and the results that this makes of members and stationary points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from ..core.derivation import Step
from ..core.errors import ParameterError, UnderivableError
from ..core.family import Distribution
from ..core.mixture import Mixture, as_mixture
from ..mixtures.draws import log_density
from .descend import Stationary
from .equations import Target
from .law import Law, Sampled
from .objective import Objective
from .result import Point, Projection

Measure = Callable[..., Any]
Values = dict[sp.Symbol, sp.Expr]


@dataclass(frozen=True)
class Problem:
    """P (for samples its name) and the law that it is, the target, a direction, and the function that derives KL."""

    p: Any
    law: Law
    of: Target
    direction: str
    kl: Measure

    @property
    def family(self) -> Any:
        return self.of.member.family

    @property
    def sampled(self) -> bool:
        return isinstance(self.law, Sampled)

    @property
    def unbound(self) -> str:
        """The names of P's symbols."""
        return ", ".join(sorted(map(str, self.law.symbols)))

    def measure(self, p: Any, q: Any) -> Any:
        """The divergence in this direction, P first in both."""
        return self.kl(p, q) if self.direction == "forward" else self.kl(q, p)

    def parts(self) -> tuple[Distribution, ...]:
        """P, or the components that it is a mixture of."""
        return self.p.components if isinstance(self.p, Mixture) else (self.p,) if not self.sampled else ()

    def member(self, values: Values) -> Distribution:
        try:
            return self.of.at(values)
        except ParameterError as error:
            raise ParameterError(
                f"P is degenerate for {self.family.name}, no member is the nearest: {error}"
            ) from error

    def point(self, own: Distribution) -> Point:
        """A member with the divergence that remains, where that is known to be a number."""
        if self.law.symbols:
            return Point(own, None)
        if isinstance(self.law, Sampled):
            return Point(own, empirical(self.law, own))
        try:
            return Point(own, float(self.measure(self.p, own)))
        except (ParameterError, UnderivableError):
            return Point(own, None)

    def found(self, objective: Objective, at: Stationary) -> Point:
        """The member at a stationary point. In reverse the value of the objective is the divergence itself."""
        values = {s: sp.Rational(float(v)) for s, v in zip(self.of.free, objective.inward(at.u), strict=True)}
        own = self.member(values)
        divergence = self.point(own).divergence if self.direction == "forward" else at.value
        return Point(own, divergence, at.kind, at.slope, tuple(map(float, at.curvatures)))

    def projection(self, how: str, points: tuple[Point, ...], steps: tuple[Step, ...], **fields: Any) -> Projection:
        return Projection(
            self.p,
            self.family,
            self.direction,
            how,
            points,
            steps,
            measure=None if self.sampled else partial(self.measure, self.p),
            cross_entropy=-likelihood(self.law, points[0].member) if self.sampled else None,
            **fields,
        )


def likelihood(law: Law, own: Distribution) -> float:
    """E_P[log q], the mean log likelihood of samples."""
    x, w = law.nodes
    return float(np.sum(w * log_density(as_mixture(own))(x)))


def empirical(law: Sampled, own: Distribution) -> float | None:
    """The divergence of the empirical distribution of counts; None for a density, which has none."""
    if not law.discrete:
        return None
    shares = np.bincount(np.unique(law.nodes.x, return_inverse=True)[1], weights=law.nodes.w)
    return float(np.sum(shares * np.log(shares))) - likelihood(law, own)
