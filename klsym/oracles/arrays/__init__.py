"""Expectations under distributions of arrays from the definition alone: enumeration, quadrature, or Monte Carlo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from ...arrays.domain import CONTAINED
from ...arrays.family import INDEX, ArrayDistribution, substitute
from ...arrays.walk import walk, walk_array
from ...core.errors import ParameterError
from ...core.value import Value
from .charts import CHARTS
from .samplers import SAMPLERS

MAX_OUTCOMES = 200_000
STATISTICAL = "five standard errors of a mean of draws"
# Trapezoids in t, coordinates sinh(t): the integrand falls like exp(-exp(t)) at both ends (Takahasi and Mori, 1974).
# By the number of coordinates: how far t goes, and in how many steps.
GRID = {1: (9.0, 900), 2: (4.6, 200), 3: (4.6, 72)}
Numbers = Mapping[Any, Any]


def expectation(
    p: ArrayDistribution, integrand: sp.Expr, numbers: Numbers, *, draws: int = 100_000, seed: int = 0, method: str = ""
) -> Value:
    """E[g(X)] for X from p, g an expression in p's variable, and numbers for every symbol.

    Finite sets are enumerated; at most three coordinates are integrated by trapezoids after a double exponential
    substitution, the error estimated from every second point; else the mean of `draws` draws, within five standard
    errors. `method` names one of "enumeration", "quadrature", "monte carlo" to have that one.
    """
    values = dict(numbers)
    size, columns = (int(walk(n, values)) for n in (p.outcome.size, p.outcome.columns))
    chart = CHARTS.get(p.family.name, CHARTS.get(p.outcome.name))
    coordinates = chart.dimension(size, columns) if chart else 0
    chosen = method or ("enumeration" if p.outcome.discrete else "quadrature" if coordinates <= 3 else "monte carlo")
    if chosen == "enumeration":
        return _enumerated(p, integrand, values, size)
    if chosen == "quadrature":
        value = _integrated(p, integrand, values, (size, columns), coordinates)
        if value.vouched or method:
            return value
    return _drawn(p, integrand, values, draws, seed)


def mass(p: ArrayDistribution, numbers: Numbers) -> Value:
    """The integral of p's density, or the sum of its mass function; 1 if all is well."""
    return expectation(p, sp.S.One, numbers)


def divergence(p: ArrayDistribution, q: ArrayDistribution, numbers: Numbers, **options: Any) -> Value:
    """KL(p || q) from its definition, E_p[log p - log q]."""
    if CONTAINED.get(q.outcome.name) == p.outcome.name:
        return Value(mp.inf, mp.mpf(0), "exact", f"some {p.outcome.name} are no {q.outcome.name}")
    other = q.log_density().xreplace({q.variable: p.variable})
    if p.outcome.total is not None and walk(p.outcome.total, numbers) != walk(q.outcome.total, numbers):
        return Value(mp.inf, mp.mpf(0), "exact", "counts of different sums have no outcome in common")
    return expectation(p, p.log_density() - other, numbers, **options)


def _enumerated(p: ArrayDistribution, integrand: sp.Expr, values: dict[Any, Any], size: int) -> Value:
    if p.outcome.name == "categories":
        points: Any = np.arange(1, size + 1)
    else:
        total = int(walk(p.outcome.total, values))
        points = np.array(list(_compositions(total, size)))
    weights = np.exp(walk(p.log_density(), values | {p.variable: points}))
    # An outcome of no mass adds nothing, whatever the integrand is there.
    terms = np.where(weights == 0, 0.0, weights * walk(integrand, values | {p.variable: points}))
    sums = mp.fsum(terms.tolist())
    return Value(sums, mp.mpf(2) ** -44 * mp.fsum(abs(terms).tolist()) if mp.isfinite(sums) else mp.mpf(0), "estimate")


def _compositions(total: int, size: int) -> Iterator[tuple[int, ...]]:
    if (total + 1) ** (size - 1) > MAX_OUTCOMES:
        raise ParameterError(f"{total} counts over {size} categories are too many to enumerate")
    for head in product(range(total + 1), repeat=size - 1):
        if sum(head) <= total:
            yield (*head, total - sum(head))


def _integrated(
    p: ArrayDistribution, integrand: sp.Expr, values: dict[Any, Any], shape: tuple[int, int], dimension: int
) -> Value:
    if dimension == 0:
        point = np.ones(1)
        return Value(mp.mpf(float(walk(integrand, values | {p.variable: point}))), mp.mpf(0), "estimate")
    reach, steps = GRID[dimension]
    t = np.linspace(-reach, reach, steps + 1)
    coordinates, slope = np.sinh(t), np.log(np.cosh(t))
    grid = np.stack(np.meshgrid(*[coordinates] * dimension, indexing="ij"), -1)
    slopes = sum(np.meshgrid(*[slope] * dimension, indexing="ij"))
    with np.errstate(all="ignore"):
        points, log_jacobian = CHARTS.get(p.family.name, CHARTS[p.outcome.name]).point(grid, *shape)
        given = values | {p.variable: points}
        weights = np.exp(walk(p.log_density(), given) + log_jacobian + slopes)
        inside = weights > 1e-300
        terms = np.where(inside, weights * walk(integrand, given), 0.0)
    if not np.isfinite(terms).all():
        return Value(mp.nan, mp.inf, "estimate", "the density loses its digits at ill-conditioned outcomes")
    width = 2 * reach / steps
    fine, size = terms.sum() * width**dimension, abs(terms).sum() * width**dimension
    coarse = terms[(slice(None, None, 2),) * dimension].sum() * (2 * width) ** dimension
    # Halving the width about squares the relative error; the power 3/2 and the factor 10 allow for less.
    error = 10 * size * min(1.0, abs(fine - coarse) / size) ** 1.5 + 1e-13 * size if size else 0.0
    # What lies beyond the last points is of the order of the terms there.
    inner = terms[(slice(1, -1),) * dimension]
    error += 4 * (abs(terms).sum() - abs(inner).sum()) * width ** (dimension - 1)
    return Value(mp.mpf(float(fine)), mp.mpf(float(error)), "estimate")


def _drawn(p: ArrayDistribution, integrand: sp.Expr, values: dict[Any, Any], draws: int, seed: int) -> Value:
    shaped = {n for parameter in p.family.parameters for n in parameter.dimensions}
    sizes = {str(n): int(walk(n.xreplace(dict(p.sizes)), values)) for n in p.family.dimensions if n not in shaped}
    points = SAMPLERS[p.family.name](np.random.default_rng(seed), draws, *_usual(p, values), **sizes)
    sampled = np.broadcast_to(walk(integrand, values | {p.variable: points}), (draws,))
    return Value(
        mp.mpf(float(sampled.mean())), mp.mpf(float(5 * sampled.std() / np.sqrt(draws))), "estimate", STATISTICAL
    )


def _usual(p: ArrayDistribution, values: dict[Any, Any]) -> Iterator[Any]:
    """The parameters as a sampler takes them: a covariance, where p was given its precision or its Cholesky factor."""
    formed = [parameter for parameter in p.family.parameters if parameter.keyword]
    for parameter, value in zip(p.family.parameters, p.values, strict=True):
        if parameter in formed[1:]:
            continue
        if parameter in formed:
            (form,) = p.family.forms
            value = substitute(form.meaning, p.bindings).xreplace(dict(p.sizes))
        yield np.asarray(values[value]) if value in values else walk_array(value, values, INDEX)
