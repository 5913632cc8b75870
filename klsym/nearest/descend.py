"""Descent in coordinates without constraints, each stationary point checked: its gradient and its curvature."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize, root

Array = Any
# Of Newton's step at a stationary point, beside the point; and how near two points count as one, before and after.
SMALL, NEAR, ROUGH = 1e-6, 1e-5, 1e-4
STEP = 1e-4


class Objective(Protocol):
    """A divergence, up to a constant, and its gradient, in coordinates without constraints."""

    def __call__(self, u: Array) -> tuple[float, Array]: ...

    def canonical(self, u: Array) -> Array:
        """The place that stands for all at which the member is the same."""
        ...


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


def minima(objective: Objective, starts: Iterable[Array]) -> list[Stationary]:
    """The local minima that descent from these places ends in, the lowest first; none where it runs away."""
    bounded, options = _finite(objective), {"gtol": 1e-6, "maxiter": 300}
    with np.errstate(all="ignore"):
        ends = [
            minimize(bounded, u, jac=True, method="BFGS", options=options).x for u in starts if bounded(u)[0] < np.inf
        ]
        return [point for point in _settled(objective, ends, True) if point.kind == "minimum"]


def between(objective: Objective, starts: Iterable[Array]) -> list[Stationary]:
    """The stationary points that are no minima which a root of the gradient is found at, from these places."""
    # MINPACK's own derivatives take steps of 1e-8 of a coordinate, and are noise beside one that is 0 but for rounding.
    slope = _finite(objective)
    with np.errstate(all="ignore"):
        ends = [
            root(lambda u: slope(u)[1], u, jac=lambda u: curvature(slope, u), method="hybr", options={"xtol": 1e-6}).x
            for u in starts
        ]
        return [point for point in _settled(objective, ends, False) if point.kind != "minimum"]


def _settled(objective: Objective, ends: Iterable[Array], downward: bool) -> list[Stationary]:
    """The stationary points at these ends, each once."""
    rough = _apart(((objective.canonical(u), u) for u in ends if np.isfinite(u).all()), ROUGH)
    found = [point for u in rough if (point := _polished(objective, u, downward)) is not None]
    found.sort(key=lambda point: point.value)
    return _apart(((point.u, point) for point in found), NEAR)


def _apart(points: Iterable[tuple[Array, Any]], near: float) -> list[Any]:
    """Those of (place, what is there) that are not near an earlier one."""
    kept: list[tuple[Array, Any]] = []
    for u, what in points:
        if all(np.abs(u - other).max() > near * (1 + np.abs(other).max()) for other, _ in kept):
            kept.append((u, what))
    return [what for _, what in kept]


def curvature(objective: Callable[[Array], tuple[float, Array]], u: Array, step: float = STEP) -> Array:
    """The Hessian, by central differences of the gradient."""
    rows = []
    for k in range(len(u)):
        move = np.zeros_like(u)
        move[k] = step * max(1.0, abs(u[k]) * 1e-2)
        with np.errstate(invalid="ignore"):
            rows.append((objective(u + move)[1] - objective(u - move)[1]) / (2 * move[k]))
    hessian = np.array(rows)
    return (hessian + hessian.T) / 2


def _polished(objective: Objective, u: Array, downward: bool) -> Stationary | None:
    """The point after a few steps of Newton's method, if it is one: the next step is small, the curvature no noise.

    A gradient that is small is not enough: far out, where the divergence levels off, it is small everywhere.
    """
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
    return Stationary(objective.canonical(u), float(value), float(np.linalg.norm(gradient)), curvatures)


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
