"""Divergences and entropies of components, and the integrals of products of normal densities, as arrays of doubles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from ..core.errors import ParameterError
from .draws import parameters

Measure = Callable[..., Any]  # kl or entropy: of families or distributions, with a Formula as its answer
CLOSED = {"closed", "infinite"}


def table(kl: Measure, ps: Sequence[Any], qs: Sequence[Any]) -> np.ndarray:
    """KL(p || q) of every p (rows) and q (columns), each from its formula; +oo where no number can be vouched for."""
    values = np.empty((len(ps), len(qs)))
    groups: dict[Any, list[tuple[int, int]]] = {}
    for i, p in enumerate(ps):
        for j, q in enumerate(qs):
            groups.setdefault((p.family, q.family), []).append((i, j))
    for (first, second), places in groups.items():
        rows = [(*_doubles(ps[i]), *_doubles(qs[j])) for i, j in places]
        code = compiled(kl, first, second) if all(row and None not in row for row in rows) else None
        found = code(*np.array(rows).T) if code else np.full(len(places), np.nan)
        for (i, j), value in zip(places, np.atleast_1d(found), strict=True):
            values[i, j] = _vouched(kl, ps[i], qs[j]) if np.isnan(value) else value
    return values


def _vouched(kl: Measure, p: Any, q: Any) -> float:
    try:
        return 0.0 if p == q else _evaluated(kl, p, q)
    except ParameterError:
        return np.inf


def entropies(entropy: Measure, ps: Sequence[Any]) -> np.ndarray:
    """The entropy of every component."""
    return np.array([_evaluated(entropy, p) for p in ps])


@lru_cache(maxsize=4096)
def _evaluated(measure: Measure, *distributions: Any) -> float:
    return float(measure(*distributions).evaluate(digits=17).value)


@cache
def compiled(kl: Measure, first: Any, second: Any) -> Callable[..., Any] | None:
    """Code for all members of two scalar families, where the formula is closed; None elsewhere."""
    if hasattr(first, "outcome"):
        return None
    formula = kl(first, second)
    return formula.compile("numpy") if all(c.kind in CLOSED for c in formula.cases) else None


def _doubles(d: Any) -> list[float | None]:
    """The parameters as doubles; None for one that is not a double."""
    if hasattr(d, "outcome"):
        return [None]
    return [float(v) if v.is_Float or _rational(v) == sp.Rational(float(v)) else None for v in d.values]


def _rational(value: Any) -> Any:
    return getattr(value, "rational", value)


class Gauss(NamedTuple):
    """Means (n, k) and covariances (n, k, k) of normal components."""

    mean: np.ndarray
    covariance: np.ndarray

    @property
    def condition(self) -> float:
        """The worst condition number of a covariance."""
        return float(np.linalg.cond(self.covariance).max())

    def along(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations of a linear function of the outcome."""
        return self.mean @ direction, np.sqrt(np.einsum("i,nij,j->n", direction, self.covariance, direction))


def gauss(components: Sequence[Any]) -> Gauss | None:
    """The components as normal distributions; None unless all are, and their log densities so quadratic."""
    found = [_normal(d) for d in components]
    if any(f is None for f in found):
        return None
    means, covariances = zip(*(f for f in found if f is not None), strict=True)
    return Gauss(np.array(means), np.array(covariances))


@lru_cache(maxsize=4096)
def _normal(d: Any) -> tuple[Any, ...] | None:
    if hasattr(d, "outcome"):
        return (*parameters(d),) if d.family.name == "MultivariateNormal" else None
    x = d.family.variable
    if d.family.discrete or d.support.lower.is_finite or d.support.upper.is_finite:
        return None
    density = sp.expand(d.log_density())
    if not density.is_polynomial(x) or sp.degree(density, x) != 2:
        return None
    curvature, slope = -2 * density.coeff(x, 2), density.coeff(x, 1)
    return np.array([float(slope / curvature)]), np.array([[float(1 / curvature)]])


def log_products(a: Gauss, b: Gauss) -> np.ndarray:
    """The logarithm of the integral of f_i g_j: the density of N(0, S_i + S_j) at the difference of the means."""
    gap = a.mean[:, None] - b.mean[None]
    total = a.covariance[:, None] + b.covariance[None]
    distance = np.einsum("ijk,ijk->ij", gap, np.linalg.solve(total, gap[..., None])[..., 0])
    return -0.5 * (distance + np.linalg.slogdet(2 * np.pi * total)[1])
