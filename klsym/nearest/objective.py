"""What is descended: -E_P[log Q] over nodes of P, KL(Q || P) over nodes that follow Q, or compiled code of either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp

from ..core.errors import ParameterError
from .coordinates import coordinate
from .equations import Target
from .law import Law, Nodes, function
from .rule import Moving

Array = Any


class Objective:
    """A function of the free parameters without constraints; subclasses give `slopes`, of the parameters."""

    name: str

    def __init__(self, of: Target, law: Law) -> None:
        self.of, self.law = of, law
        self.lines = [coordinate(of.domain(s)) for s in of.free]

    def slopes(self, theta: Array) -> tuple[float, Array]:
        """The value and its derivatives by the parameters."""
        raise NotImplementedError

    def __call__(self, u: Array) -> tuple[float, Array]:
        theta = self.inward(u)
        with np.errstate(all="ignore"):  # far out: what is then infinite or NaN turns the descent back
            value, gradient = self.slopes(theta)
            return value, gradient * np.array([line.slope(v) for line, v in zip(self.lines, u, strict=True)])

    def inward(self, u: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.array([line.inward(v) for line, v in zip(self.lines, u, strict=True)], dtype=float)

    def outward(self, theta: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.array([line.outward(v) for line, v in zip(self.lines, theta, strict=True)], dtype=float)

    def canonical(self, u: Array) -> Array:
        """The same place with angles between -pi and pi: where the outcome is an angle, so is a real parameter."""
        if not self.of.member.support.periodic:
            return u
        free = [np.isfinite(line.lower) for line in self.lines]
        return np.where(free, u, np.mod(u + np.pi, 2 * np.pi) - np.pi)

    def starts(self) -> list[Array]:
        """Places to begin: P's centre and spread for real parameters and their scales, everyday values elsewhere."""
        centre, spread = spread_of(self.law.nodes)
        found = []
        for scale in (spread, 1.0):
            values = []
            for parameter in (p for p, v in self.of.member.arguments if v in self.of.free):
                domain = parameter.domain
                middle = sum(parameter.typical) / 2
                values.append(centre if domain.lower == -sp.oo else scale if domain.upper == sp.oo else middle)
            found.append(self.outward(np.array(values, dtype=float)))
        typical = [sum(p.typical) / 2 for p, v in self.of.member.arguments if v in self.of.free]
        return [*found, self.outward(np.array(typical, dtype=float))]


def spread_of(nodes: Nodes) -> tuple[float, float]:
    """The median of the nodes, and half the distance of the quartiles, 1 where that vanishes."""
    order = np.argsort(nodes.x, kind="stable")
    share = np.cumsum(nodes.w[order]) / nodes.w.sum()
    low, middle, high = (
        float(nodes.x[order[min(np.searchsorted(share, s), len(order) - 1)]]) for s in (0.25, 0.5, 0.75)
    )
    return middle, (high - low) / 2 or 1.0


class Forward(Objective):
    """-E_P[log q] over the nodes of P."""

    name = "means over samples, or nodes of P"

    def __init__(self, of: Target, law: Law) -> None:
        Objective.__init__(self, of, law)
        self._all = _value_and_scores(of)

    def slopes(self, theta: Array) -> tuple[float, Array]:
        x, w = self.law.nodes
        with np.errstate(all="ignore"):
            found = [np.sum(w * part) for part in self._all(x, *theta)]
        return -float(found[0]), -np.array(found[1:], dtype=float)


class Reverse(Objective):
    """KL(Q || P) over nodes that follow Q; its gradient is E_Q[score (log q - log p)], as E_Q[score] = 0."""

    name = "quadrature over nodes that follow Q"

    def __init__(self, of: Target, law: Law, log_p: Callable[[Array], Array]) -> None:
        Objective.__init__(self, of, law)
        self.log_p, self._all = log_p, _value_and_scores(of)
        self._nodes = Moving(of, function((of.x, *of.free), of.log_density), spread_of(law.nodes)[0])

    def slopes(self, theta: Array) -> tuple[float, Array]:
        x, w = self._nodes(theta)
        with np.errstate(all="ignore"):
            log_q, *scores = (np.broadcast_to(part, x.shape) for part in self._all(x, *theta))
            mass = w * np.exp(log_q)
            seen = mass > 0
            terms = (mass * (log_q - self.log_p(x)))[seen]
            gradient = [np.sum(terms * score[seen]) for score in scores]
        return float(np.sum(terms)), np.array(gradient, dtype=float)


class Weighted(Objective):
    """A weighted sum of others: forward, the divergence of a mixture is that of its components but for a constant."""

    name = "compiled gradients of the components"

    def __init__(self, of: Target, law: Law, parts: Sequence[tuple[float, Objective]]) -> None:
        Objective.__init__(self, of, law)
        self._parts = parts

    def slopes(self, theta: Array) -> tuple[float, Array]:
        found = [(w, *part.slopes(theta)) for w, part in self._parts]
        return sum(w * value for w, value, _ in found), sum(w * slope for w, _, slope in found)


class Compiled(Objective):
    """The generated code of a divergence with its gradient, everything but the free parameters bound."""

    name = "compiled gradients"

    def __init__(self, of: Target, law: Law, formula: Any) -> None:
        Objective.__init__(self, of, law)
        names = [str(s) for s in formula.parameters]
        if set(names) != {str(s) for s in of.free}:
            raise ParameterError(f"{formula.title} has the parameters {', '.join(names)}; bind those of P to numbers")
        self._order = [names.index(str(s)) for s in of.free]
        self._code = formula.compile("numpy", gradient=True)

    def slopes(self, theta: Array) -> tuple[float, Array]:
        at = [0.0] * len(theta)
        for place, value in zip(self._order, theta, strict=True):
            at[place] = float(value)
        found = self._code(*at)
        return float(found[0]), np.array([float(found[1 + place]) for place in self._order])


def _value_and_scores(of: Target) -> Callable[..., tuple[Array, ...]]:
    return function((of.x, *of.free), sp.Tuple(of.log_density, *of.scores))
