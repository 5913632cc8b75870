"""Expectations under distributions of arrays from the definition alone: enumeration, quadrature, or Monte Carlo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from ...arrays.domain import CONTAINED
from ...arrays.family import INDEX, ArrayDistribution, Factor
from ...arrays.walk import Walker, walk
from ...core.divergence import Divergence
from ...core.errors import ParameterError
from ...core.family import Distribution
from ...core.value import Value
from .axes import COUNTS, axis
from .charts import Chart, chart_of
from .samplers import SAMPLERS

MAX_OUTCOMES = 200_000
STATISTICAL = "five standard errors of a mean of draws"
# Trapezoids in t, coordinates sinh(t): the integrand falls like exp(-exp(t)) at both ends (Takahasi and Mori, 1974).
# By the number of coordinates: how far t goes, and in how many steps. A joint distribution has conditional laws of many
# widths, and gets more.
GRID = {1: (9.0, 900), 2: (4.6, 200), 3: (4.6, 72)}
JOINT_GRID = {1: (9.0, 900), 2: (7.5, 700), 3: (4.4, 192)}
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
    if p.factors:
        return _jointly(p, integrand, values, draws, seed, method)
    size, columns = (int(walk(n, values)) for n in (p.outcome.size, p.outcome.columns))
    chart = chart_of(p)
    coordinates = chart.dimension(size, columns) if chart else 0
    chosen = method or ("enumeration" if p.outcome.discrete else "quadrature" if coordinates <= 3 else "monte carlo")
    if chosen == "enumeration":
        return _enumerated(p, integrand, values, size)
    if chosen == "quadrature":
        value = _integrated(p, integrand, values, (size, columns), chart)
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


def of_integral(d: Divergence, p: ArrayDistribution, q: ArrayDistribution, numbers: Numbers, **options: Any) -> Value:
    """A function of one integral from its definition, between its values at both ends of the integral's enclosure."""
    of = {sp.Function("E_p"): p, sp.Function("E_q"): q}
    logs = sp.symbols("log_p log_q", real=True)
    definition = d.written(*logs, *of)
    (call,) = (e for e in definition.atoms(sp.Function) if e.func in of)
    m = of[call.func]
    densities = (each.log_density().xreplace({each.variable: m.variable}) for each in (p, q))
    mean = expectation(m, sp.expand(call.args[0]).xreplace(dict(zip(logs, densities, strict=True))), numbers, **options)
    middle, *ends = (
        mp.mpmathify(sp.N(definition.xreplace({call: sp.Float(c, 30)}), 20))
        for c in (mean.mid, mean.mid - mean.rad, mean.mid + mean.rad)
    )
    return Value(middle, max(abs(end - middle) for end in ends), mean.proof, mean.note)


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
    p: ArrayDistribution, integrand: sp.Expr, values: dict[Any, Any], shape: tuple[int, int], chart: Chart | None
) -> Value:
    if chart is None or (dimension := chart.dimension(*shape)) == 0:
        point = np.ones(1)
        return Value(mp.mpf(float(walk(integrand, values | {p.variable: point}))), mp.mpf(0), "estimate")
    reach, steps = GRID[dimension]
    grid, slopes = _grid(dimension, reach, steps)
    with np.errstate(all="ignore"):
        points, log_jacobian = chart.point(grid, *shape)
        given = values | {p.variable: points}
        terms = _terms(p.log_density(), integrand, given, log_jacobian + slopes)
    return _trapezoids(terms, 2 * reach / steps, dimension)


def _grid(dimension: int, reach: float, steps: int) -> tuple[Any, Any]:
    """Coordinates sinh(t) of a grid in t, and the logarithm of |d coordinates / dt|."""
    t = np.linspace(-reach, reach, steps + 1)
    coordinates, slope = np.sinh(t), np.log(np.cosh(t))
    grid = np.stack(np.meshgrid(*[coordinates] * dimension, indexing="ij"), -1)
    return grid, sum(np.meshgrid(*[slope] * dimension, indexing="ij"))


def _terms(log_density: sp.Expr, integrand: sp.Expr, given: dict[Any, Any], log_jacobian: Any) -> Any:
    weights = np.exp(walk(log_density, given) + log_jacobian)
    return np.where(weights > 1e-300, weights * walk(integrand, given), 0.0)


def _trapezoids(terms: Any, width: float, dimension: int) -> Value:
    """The integral over the first `dimension` axes of the terms, and the sum over the others."""
    if not np.isfinite(terms).all():
        return Value(mp.nan, mp.inf, "estimate", "the density loses its digits at ill-conditioned outcomes")
    size = abs(terms).sum() * width**dimension
    fine, coarse, coarser = (
        terms[(slice(None, None, step),) * dimension].sum() * (step * width) ** dimension for step in (1, 2, 4)
    )
    # Halving the width about squares the error of a smooth integrand, and divides that of one with a kink by four.
    last, before = abs(fine - coarse), abs(coarse - coarser)
    error = 10 * last * min(1.0, last / before if before else 1.0) + 1e-13 * size
    # What lies beyond the last points is of the order of the terms there.
    inner = terms[(slice(1, -1),) * dimension]
    error += 4 * (abs(terms).sum() - abs(inner).sum()) * width ** max(dimension - 1, 0)
    return Value(mp.mpf(float(fine)), mp.mpf(float(error)), "estimate")


def _jointly(
    p: ArrayDistribution, integrand: sp.Expr, values: dict[Any, Any], draws: int, seed: int, method: str
) -> Value:
    """The expectation over all outcomes of a joint distribution, from its log density as a whole."""
    axes = [axis(f, values) for f in p.factors]
    dimension = sum(a.dimension for a in axes)
    if method == "monte carlo" or (dimension > 3 and not method):
        return _drawn(p, integrand, values, draws, seed)
    counted = [a for a in axes if a.counts is not None]
    reach, steps = JOINT_GRID[dimension] if dimension else (1.0, 1)
    grid, log_jacobian = _grid(dimension, reach, steps) if dimension else (np.zeros(0), np.zeros(()))
    log_jacobian = log_jacobian[(..., *[None] * len(counted))]
    given, used = dict(values), 0
    with np.errstate(all="ignore"):
        for f, a in zip(p.factors, axes, strict=True):
            if a.counts is not None:
                given[f.outcome] = a.counts[(..., *[None] * (len(counted) - 1 - counted.index(a)))]
                continue
            point, log_slope = a.point(grid[..., used : used + a.dimension], given)
            used += a.dimension
            given[f.outcome] = point.reshape(*point.shape[:dimension], *[1] * len(counted), *point.shape[dimension:])
            log_jacobian = log_jacobian + log_slope[(..., *[None] * len(counted))]
        terms = _terms(p.log_density(), integrand, given, log_jacobian)
    found = _trapezoids(terms, 2 * reach / steps, dimension)
    tail = sum(abs(np.take(terms, -1, axis=dimension + n)).sum() for n, a in enumerate(counted) if a.endless)
    return Value(
        found.mid, found.rad + mp.mpf(float(COUNTS * tail)) * (2 * reach / steps) ** dimension, "estimate", found.note
    )


def _drawn(p: ArrayDistribution, integrand: sp.Expr, values: dict[Any, Any], draws: int, seed: int) -> Value:
    given = values | outcomes(p, values, draws, np.random.default_rng(seed))
    sampled = np.broadcast_to(walk(integrand, given), (draws,))
    return Value(
        mp.mpf(float(sampled.mean())), mp.mpf(float(5 * sampled.std() / np.sqrt(draws))), "estimate", STATISTICAL
    )


def outcomes(p: ArrayDistribution, numbers: Numbers, count: int, rng: np.random.Generator) -> dict[Any, Any]:
    """That many independent draws of each outcome; ParameterError for a law that has no sampler."""
    drawn: dict[Any, Any] = {}
    for f in p.factors or (Factor(p.variable, p),):
        if f.law.family.name not in SAMPLERS:
            raise ParameterError(f"no sampler is known for {f.law}, and the oracle needs draws for {p}")
        drawn[f.outcome] = SAMPLERS[f.law.family.name](rng, count, *_given(f.law, {**numbers, **drawn}))
    return drawn


def _given(law: Any, values: dict[Any, Any]) -> Iterator[Any]:
    """What a sampler takes: the parameters, a covariance for its Cholesky factor, and sizes that they do not tell."""
    if isinstance(law, Distribution):
        yield from (walk(value, values) for value in law.values)
        return
    for value in law.usual:
        yield np.asarray(values[value]) if value in values else Walker(values).array(value, INDEX)
    for size in law.family.loose:
        yield int(walk(size.xreplace(dict(law.sizes)), values))
