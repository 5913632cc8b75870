"""Quadrature in doubles with nodes where the mass is: of a fixed law, and of one that moves with its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
from scipy.special import expit

from ..core.errors import UnderivableError
from ..core.mixture import Mixture
from ..mixtures import stretches
from ..mixtures.draws import log_density
from .equations import Target

Array = Any
# What is left out is where a density is less than exp(-DROP) of its peak.
DROP = 45.0
PANELS, ORDER, AROUND = 40, 12, 1024
MOST_TERMS = 1_000_000
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(ORDER)
STEPS = np.concatenate([[0.0], np.geomspace(1e-7, 1400, 240)])


def panels(edges: Array) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on each of the panels between the edges."""
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (POINTS + 1)).ravel(), (half * WEIGHTS).ravel()


def nodes_of(m: Mixture) -> tuple[Array, Array]:
    """Outcomes and weights, the density counted, of a mixture of numbers; each component at its own width."""
    log_p = log_density(m)
    if m.components[0].support.periodic:
        x = np.linspace(-np.pi, np.pi, AROUND, endpoint=False)
        return x, np.exp(log_p(x)) * (2 * np.pi / AROUND)
    found = [_on_stretch(m, stretch) for stretch in stretches.stretches(m, m, DROP)]
    x, slope = (np.concatenate(parts) for parts in zip(*found, strict=True))
    with np.errstate(under="ignore"):
        w = np.exp(log_p(x)) * slope
    kept = w > 0
    return x[kept], w[kept]


def _on_stretch(m: Mixture, stretch: stretches.Stretch) -> tuple[Array, Array]:
    if stretch.counted:
        if stretch.last - stretch.first > MOST_TERMS:
            raise UnderivableError(f"{m} has too heavy a tail for a sum over its outcomes")
        x = np.arange(stretch.first, stretch.last + 1)
        return x, np.ones_like(x)
    edges = [np.array([stretch.first, stretch.last])]
    for i in stretch.ours:
        edges.append(np.linspace(*stretches.extent(stretch, m.components[i], DROP), PANELS + 1))
        edges.append(np.array([_t(stretch, float(z)) for z in stretches.landmarks(m.components[i])]))
    inside = np.unique(np.concatenate(edges))
    t, w = panels(inside[(inside >= stretch.first) & (inside <= stretch.last)])
    with np.errstate(under="ignore"):
        return stretch.x(t), w * np.exp(stretch.log_slope(t))


def _t(stretch: stretches.Stretch, x: float) -> float:
    away = x - float(stretch.anchor)
    if not stretch.direction:
        return float(np.arcsinh(away))
    return float(np.log(stretch.direction * away)) if stretch.direction * away > 0 else np.nan


class Moving:
    """Nodes for a member whose parameters move: x as a function of t, in which its density has one peak.

    The line is x = c + sinh(t), a half line x = a + e^t, an interval x = a + (b - a)/(1 + e^-t), the integers x = t;
    `centre` is where P is. `kinks` are expressions where the log density of Q may have a kink.
    """

    def __init__(self, of: Target, log_q: Any, centre: float) -> None:
        self.log_q, support = log_q, of.member.support
        self.periodic, self.counted = support.periodic, of.member.family.discrete
        ends = [sp.lambdify(of.free, e, "numpy") for e in (support.lower, support.upper)]
        self.ends = lambda theta: tuple(float(e(*theta)) for e in ends)
        kinks = [e for a in of.log_density.atoms(sp.Abs) for e in _zeros(a.args[0], of.x)]
        self.kinks = sp.lambdify(of.free, kinks, "numpy")
        self.centre = centre

    def __call__(self, theta: Array) -> tuple[Array, Array]:
        """Outcomes and weights, the density not counted."""
        if self.periodic:
            x = np.linspace(-np.pi, np.pi, AROUND, endpoint=False)
            return x, np.full(AROUND, 2 * np.pi / AROUND)
        low, high = self.ends(theta)

        def at(t: Array) -> tuple[Array, Array]:
            return self._map(t, low, high)

        def height(t: Array) -> Array:
            x, slope = at(t)
            with np.errstate(all="ignore"):
                value = self.log_q(x, *theta) + np.log(slope)
            return np.where(np.isfinite(value), value, -np.inf)

        first, peak, last = self._span(height, low, high)
        if self.counted:
            x = np.arange(np.floor(max(first, low)), np.ceil(min(last, high)) + 1)
            return x, np.ones_like(x)
        kinks = [t for t in (self._back(z, low, high) for z in self.kinks(*theta)) if first < t < last]
        edges = np.unique(np.concatenate([np.linspace(first, last, PANELS + 1), [peak], kinks]))
        t, w = panels(edges)
        x, slope = at(t)
        return x, w * slope

    def _map(self, t: Array, low: float, high: float) -> tuple[Array, Array]:
        with np.errstate(all="ignore"):
            if self.counted:
                return np.round(t), np.ones_like(t)
            if np.isfinite(low) and np.isfinite(high):
                return low + (high - low) * expit(t), (high - low) * expit(t) * expit(-t)
            if np.isfinite(low):
                return low + np.exp(t), np.exp(t)
            if np.isfinite(high):
                return high - np.exp(t), np.exp(t)
            return self.centre + np.sinh(t), np.cosh(t)

    def _back(self, x: float, low: float, high: float) -> float:
        with np.errstate(all="ignore"):
            if np.isfinite(low) and np.isfinite(high):
                return float(np.log((x - low) / (high - x)))
            if np.isfinite(low):
                return float(np.log(x - low))
            return float(np.log(high - x) if np.isfinite(high) else np.arcsinh(x - self.centre))

    def _span(self, height: Any, low: float, high: float) -> tuple[float, float, float]:
        """The peak in t, and how far on either side the density matters."""
        start = self._start(low, high)
        ends = (low, high) if self.counted else (-690.0, 690.0)
        if np.isfinite(low) and np.isfinite(high) and not self.counted:
            ends = (-690.0, 36.0)
        grid = np.unique(np.clip(np.concatenate([start - STEPS[::-1], start + STEPS]), *ends))
        for _ in range(5):  # the densities here have one peak in t: each round closes in on it
            best = int(np.argmax(height(grid)))
            grid = np.unique(np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)], 33))
        values = height(grid)
        peak, top = float(grid[int(np.argmax(values))]), float(values.max())
        found = []
        for way, end in zip((-1, 1), ends, strict=True):
            away = peak + way * np.geomspace(1e-9, 1e6 if self.counted else 1400, 160)
            walked = np.clip(away, min(peak, end), max(peak, end))
            matters = np.flatnonzero(height(walked) > top - DROP)
            found.append(float(walked[min(matters[-1] + 1, len(walked) - 1)]) if matters.size else peak)
        return found[0], peak, found[1]

    def _start(self, low: float, high: float) -> float:
        if self.counted:
            return float(np.clip(np.round(self.centre), low, high))
        inside = low < self.centre < high
        return self._back(self.centre, low, high) if inside else 0.0


def _zeros(inside: sp.Expr, x: sp.Symbol) -> list[sp.Expr]:
    """Where an expression that is linear in x, or in log x, vanishes."""
    for seen, back in ((x, lambda e: e), (sp.log(x), sp.exp)):
        slope = inside.coeff(seen)
        rest = sp.expand(inside - slope * seen)
        if slope != 0 and x not in rest.free_symbols and x not in slope.free_symbols:
            return [back(-rest / slope)]
    return []
