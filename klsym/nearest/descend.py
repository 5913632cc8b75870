"""Descent in coordinates without constraints, each stationary point checked: its gradient and its curvature."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize, root

Array = Any
# Of Newton's step at a stationary point, beside the point; and how near two points are that count as one.
SMALL, NEAR = 1e-6, 1e-4
STEP, FARTHEST = 1e-4, 1e12


class Objective(Protocol):
    """A divergence, up to a constant, and its gradient, in coordinates without constraints."""

    def __call__(self, u: Array) -> tuple[float, Array]: ...


@dataclass(frozen=True, eq=False)
class Stationary:
    """A stationary point: where, the value, the length of the gradient, and the curvatures along the main axes."""

    u: Array
    value: float
    slope: float
    curvatures: Array

    @property
    def kind(self) -> str:
        """Of its curvatures: "minimum", "maximum", or "saddle"."""
        if (self.curvatures > 0).all():
            return "minimum"
        return "maximum" if (self.curvatures < 0).all() else "saddle"


def minimise(objective: Objective, start: Array) -> Stationary | None:
    """The minimum that descent from there ends in; None where it runs away or does not become flat."""
    bounded = _finite(objective)
    if not np.isfinite(bounded(start)[0]):
        return None
    with np.errstate(all="ignore"):
        found = minimize(bounded, start, jac=True, method="BFGS", options={"gtol": 1e-8, "maxiter": 300})
    return _settled(objective, found.x, True)


def stationary(objective: Objective, start: Array) -> Stationary | None:
    """The stationary point of any kind that Newton's method reaches from there, if it reaches one."""
    with np.errstate(all="ignore"):
        found = root(lambda u: _finite(objective)(u)[1], start, method="hybr", options={"xtol": 1e-10})
    return _settled(objective, found.x, False)


def distinct(points: Iterable[Stationary | None]) -> list[Stationary]:
    """The points apart from those that are near another one, the lowest first."""
    kept: list[Stationary] = []
    for point in sorted((p for p in points if p is not None), key=lambda p: p.value):
        if all(np.abs(point.u - other.u).max() > NEAR * (1 + np.abs(other.u).max()) for other in kept):
            kept.append(point)
    return kept


def curvature(objective: Objective, u: Array, step: float = STEP) -> Array:
    """The Hessian, by central differences of the gradient."""
    rows = []
    for k in range(len(u)):
        move = np.zeros_like(u)
        move[k] = step * max(1.0, abs(u[k]) * 1e-2)
        with np.errstate(invalid="ignore"):
            rows.append((objective(u + move)[1] - objective(u - move)[1]) / (2 * move[k]))
    hessian = np.array(rows)
    return (hessian + hessian.T) / 2


def _settled(objective: Objective, u: Array, downward: bool) -> Stationary | None:
    """The point after a few steps of Newton's method, if it is one: the next step is small, the curvature no noise.

    A gradient that is small is not enough: far out, where the divergence levels off, it is small everywhere.
    """
    if not np.isfinite(u).all() or np.abs(u).max() > FARTHEST:
        return None
    value, gradient = objective(u)
    for _ in range(8):
        step = _newton(objective, u, gradient)
        if step is None:
            return None
        below, flatter = objective(u - step)
        better = np.isfinite(below) and np.linalg.norm(flatter) < np.linalg.norm(gradient)
        if not better or (downward and below > value + 1e-9 * (1 + abs(value))):
            break
        u, value, gradient = u - step, below, flatter
    step, near, wide = _newton(objective, u, gradient), curvature(objective, u), curvature(objective, u, 4 * STEP)
    if step is None or not np.isfinite(wide).all():
        return None
    curvatures = np.linalg.eigvalsh(near)
    if np.abs(step).max() > SMALL * (1 + np.abs(u).max()) or np.abs(curvatures).min() < 4 * np.abs(near - wide).max():
        return None
    return Stationary(u, float(value), float(np.linalg.norm(gradient)), curvatures)


def _newton(objective: Objective, u: Array, gradient: Array) -> Array | None:
    hessian = curvature(objective, u)
    if not np.isfinite(hessian).all():
        return None
    try:
        return np.linalg.solve(hessian, gradient)
    except np.linalg.LinAlgError:
        return None


def _finite(objective: Objective) -> Callable[[Array], tuple[float, Array]]:
    """+oo, and no direction, where the divergence is infinite or not a number: a line search then turns back."""

    def at(u: Array) -> tuple[float, Array]:
        value, gradient = objective(u)
        if np.isfinite(value) and np.isfinite(gradient).all():
            return value, gradient
        return np.inf, np.zeros_like(u)

    return at
