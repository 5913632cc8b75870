"""E_P[log p - log q] of mixtures of arrays: sums over finite sets, trapezoids in a few coordinates."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import mpmath as mp
import numpy as np

from ..core.mixture import Mixture
from ..core.value import Value
from ..oracles.arrays.charts import chart_of
from .draws import log_density
from .pairs import Gauss, gauss

MOST_OUTCOMES = 200_000
MOST_COORDINATES = 3
# By the number of coordinates: points a side, doubled from the first to the last.
POINTS = {1: (64, 16384), 2: (32, 1024), 3: (16, 128)}
# Standard deviations: beyond, a normal density is below 1e-17 of its peak.
REACH = 8.8
ROUNDING = 2.0**-48
Level = Callable[[int], tuple[float, float, float]]  # of n: the sum, that of the sizes, what densities miss of 1
Logs = Callable[[Any], Any]  # log p - log q, or -log p, at outcomes


def coordinates(m: Mixture) -> int:
    """How many coordinates an outcome has, 0 for a finite set."""
    outcome = m.components[0].outcome
    chart = None if outcome.discrete else chart_of(*m.components)
    return chart.dimension(int(outcome.size), int(outcome.columns)) if chart else 0


def expectation(p: Mixture, q: Mixture | None) -> Value | None:
    """E_P[log p - log q], or E_P[-log p] without q; None where there are too many coordinates or outcomes.

    The error is what the last doubling of the points changed, and what the densities miss of 1.
    """
    log_p, log_q = log_density(p), log_density(q) if q is not None else None
    logs: Logs = (lambda x: log_p(x) - log_q(x)) if log_q else (lambda x: -log_p(x))
    if p.discrete:
        return _enumerated(p, logs)
    d = coordinates(p)
    if d > MOST_COORDINATES:
        return None
    if d == 0:
        return Value(mp.mpf(0), mp.mpf(0), "exact", "there is one outcome")
    first, last = POINTS[d]
    centres, every = gauss(p.components), gauss((*p.components, *(q.components if q is not None else ())))
    if centres is None or every is None:
        return _doubled(_in_chart(p, logs, [log_p, log_q] if log_q else [log_p], d), first, last)
    needed = 2 * REACH * _narrowness(centres, every)
    while first < needed and first <= last:
        first *= 2
    return _doubled(_around_components(p, logs, centres, d), first // 2, last) if first <= last else None


def _narrowness(centres: Gauss, every: Gauss) -> float:
    """The most that a component is narrower than one of P within whose reach it lies."""
    worst = 1.0
    for mean, covariance in zip(centres.mean, centres.covariance, strict=True):
        gaps = every.mean - mean
        near = np.einsum("ni,ij,nj->n", gaps, np.linalg.inv(covariance), gaps) <= 4 * REACH**2
        ratios = np.linalg.eigvals(np.linalg.solve(every.covariance[near], covariance)).real
        worst = max(worst, float(np.sqrt(ratios.max(initial=1.0))))
    return worst


def _enumerated(p: Mixture, logs: Logs) -> Value | None:
    outcome = p.components[0].outcome
    size = int(outcome.size)
    if outcome.total is None:
        points: Any = np.arange(1, size + 1)
    elif comb(int(outcome.total) + size - 1, size - 1) > MOST_OUTCOMES:
        return None
    else:
        points = _compositions(int(outcome.total), size)
    mass = np.exp(log_density(p)(points))
    terms = _weighted(mass, logs(points))
    size_of = float(np.abs(terms).sum())
    return Value(mp.mpf(float(terms.sum())), mp.mpf(ROUNDING * size_of if np.isfinite(size_of) else 0.0), "estimate")


def _compositions(total: int, size: int) -> np.ndarray:
    """All lists of `size` counts with that sum."""
    rows = np.zeros((1, 0), dtype=int)
    for _ in range(size - 1):
        left = total - rows.sum(1)
        rows = np.concatenate([np.column_stack([np.repeat(rows[[i]], n + 1, 0), np.arange(n + 1)])
                               for i, n in enumerate(left)])  # fmt: skip
    return np.column_stack([rows, total - rows.sum(1)])


def _weighted(mass: Any, logs: Any) -> Any:
    """mass * logs, 0 where there is no mass."""
    with np.errstate(invalid="ignore"):
        return np.where(mass > 0, mass * logs, 0.0)


def _doubled(level: Level, first: int, last: int) -> Value:
    """The sums at more and more points, until two agree to rounding or there are too many."""
    n, before = first, level(first)[0]
    while True:
        n *= 2
        now, size, missed = level(n)
        error = abs(now - before) + missed * size
        if n >= last or error <= ROUNDING * size:
            return Value(mp.mpf(now), mp.mpf(error + ROUNDING * size), "estimate", f"{n} points a side")
        before = now


def _around_components(p: Mixture, logs: Logs, found: Gauss, d: int) -> Level:
    """E_P = sum_i w_i E_i, each over x = mu_i + L_i z with z on a grid: a component is seen at its own width."""
    factors = np.linalg.cholesky(found.covariance)

    def level(n: int) -> tuple[float, float, float]:
        z = np.linspace(-REACH, REACH, n + 1)
        weight = np.exp(-z * z / 2) * (2 * REACH / n) / np.sqrt(2 * np.pi)
        grid = np.stack(np.meshgrid(*[z] * d, indexing="ij"), -1).reshape(-1, d)
        mass = np.prod(np.stack(np.meshgrid(*[weight] * d, indexing="ij"), -1), -1).ravel()
        grid, mass = grid[mass > 1e-24 / n], mass[mass > 1e-24 / n]
        total = size = 0.0
        for w, mean, factor in zip(p.weights, found.mean, factors, strict=True):
            terms = mass * logs(mean + grid @ factor.T)
            total, size = total + float(w) * float(terms.sum()), size + float(w) * float(np.abs(terms).sum())
        return total, size, 0.0

    return level


def _in_chart(p: Mixture, logs: Logs, densities: list[Logs], d: int) -> Level:
    """Coordinates sinh(t) of the chart of the outcomes: densities fall doubly exponentially (Takahasi, Mori)."""
    outcome = p.components[0].outcome
    shape, chart = (int(outcome.size), int(outcome.columns)), chart_of(*p.components)
    assert chart is not None
    reach = 9.0 if d == 1 else 4.6

    def level(n: int) -> tuple[float, float, float]:
        t = np.linspace(-reach, reach, n + 1)
        grid = np.stack(np.meshgrid(*[np.sinh(t)] * d, indexing="ij"), -1)
        slopes = sum(np.meshgrid(*[np.log(np.cosh(t))] * d, indexing="ij"))
        with np.errstate(all="ignore"):
            points, log_jacobian = chart.point(grid, *shape)
            masses = [np.exp(at(points) + log_jacobian + slopes) * (2 * reach / n) ** d for at in densities]
            terms = _weighted(np.where(masses[0] > 1e-300, masses[0], 0.0), logs(points))
            missed = sum(abs(float(np.nansum(mass)) - 1) for mass in masses)
        return float(terms.sum()), float(np.abs(terms).sum()), missed

    return level
