"""Lower bounds of KL(f || g) of mixtures f = sum pi_a f_a and g = sum omega_b g_b."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr, logsumexp

from .bounds import EPS, INTERVALS, Bound, outward
from .pairs import Gauss, log_products

# Ends of cells, in standard deviations of each component.
GRID = np.linspace(-6, 6, 49)


def jensen(pi: np.ndarray, omega: np.ndarray, own: np.ndarray, entropies: np.ndarray, f: Gauss, g: Gauss) -> float:
    """E_a[log f] >= log sum_c pi_c exp(E_a[log f_c]), and E_a[log g] <= log sum_b omega_b int f_a g_b by Jensen."""
    below = logsumexp(np.log(pi) - own, axis=1) - entropies
    above = logsumexp(log_products(f, g) + np.log(omega), axis=1)
    return outward([pi * below, -pi * above], -1, max(f.condition, g.condition))


def moments(pi: np.ndarray, omega: np.ndarray, f: Gauss, g: Gauss) -> float:
    """E_P[T] - log E_Q[exp T] for the best linear T (Donsker and Varadhan): what the means alone tell."""
    mean = pi @ f.mean
    scale = np.sqrt(np.einsum("nii->i", g.covariance) / len(omega))

    def terms(direction: np.ndarray) -> tuple[float, float]:
        exponents = g.mean @ direction + np.einsum("i,nij,j->n", direction, g.covariance, direction) / 2
        return float(mean @ direction), float(logsumexp(exponents, b=omega))

    found = minimize(lambda d: terms(d / scale)[1] - terms(d / scale)[0], np.zeros(len(mean)), method="BFGS")
    value, cumulant = terms(found.x / scale)
    return outward([value, -cumulant], -1, max(f.condition, g.condition))


def partition(pi: np.ndarray, omega: np.ndarray, f: Gauss, g: Gauss) -> float:
    """The divergence of the probabilities of intervals of a linear function of the outcome: data processing."""
    return max(_along(pi, omega, f, g, direction) for direction in _directions(pi, omega, f, g))


def _directions(pi: np.ndarray, omega: np.ndarray, f: Gauss, g: Gauss) -> list[np.ndarray]:
    """Along the difference of the means, seen by the covariance of Q, and along the main axes of both."""
    if f.mean.shape[1] == 1:
        return [np.ones(1)]
    (mean, first), (other, second) = spread(pi, f), spread(omega, g)
    axes = [*np.linalg.eigh(first)[1].T, *np.linalg.eigh(second)[1].T]
    apart = np.linalg.solve(second, mean - other)
    size = np.linalg.norm(apart)
    return [apart / size, *axes] if size > 0 else axes


def spread(weights: np.ndarray, m: Gauss) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the mixture."""
    mean = weights @ m.mean
    gaps = m.mean - mean
    return mean, np.einsum("n,nij->ij", weights, m.covariance) + np.einsum("n,ni,nj->ij", weights, gaps, gaps)


def _along(pi: np.ndarray, omega: np.ndarray, f: Gauss, g: Gauss, direction: np.ndarray) -> float:
    """sum p log(p/q) over cells: for each the tangent of the convex p log(p/q), over all p that are possible."""
    ours, theirs = f.along(direction), g.along(direction)
    edges = np.unique([m + s * z for mean, sd in (ours, theirs) for m, s in zip(mean, sd, strict=True) for z in GRID])
    (log_p, log_lost), (log_q, log_more) = _cells(pi, *ours, edges), _cells(omega, *theirs, edges)
    log_p = np.maximum(log_p, log_lost)
    ratio = log_p - np.logaddexp(log_q, log_more)
    seen = log_p > -700
    p, lost = np.exp(log_p[seen]), np.exp(log_lost[seen])
    rest = 1e-300 * (~seen).sum()  # sum p log(p/q) over the rest is at least P log P
    terms = np.concatenate([p * ratio[seen], [rest * np.log(rest) if rest else 0.0]])
    return outward(terms, -1, f.condition) - 2 * float((lost * np.abs(ratio[seen] + 1)).sum())


def _cells(weights: np.ndarray, mean: np.ndarray, sd: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logarithms of the probabilities of the intervals between the edges, and of bounds of their errors."""
    z = (np.concatenate([[-np.inf], edges, [np.inf]]) - mean[:, None]) / sd[:, None]
    low, high = z[:, :-1], z[:, 1:]
    # In the right half the roles are mirrored, so that a difference is of two small numbers.
    right = low > 0
    far, near = np.where(right, -high, low), np.where(right, -low, high)
    less, more = log_ndtr(far), log_ndtr(near)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.where(less < more, more + np.log1p(-np.exp(less - more)), -np.inf)
    close = np.minimum(np.abs(near), 1e150)
    # That of log_ndtr at a rounded argument, its slope at most 1 + |z| there; the mean itself may be rounded.
    error = 16 * EPS * (1 + np.abs(more) + (1 + close) * (close + (np.abs(mean) / sd)[:, None]))
    log_weights = np.log(weights)[:, None]
    return logsumexp(logs + log_weights, axis=0), logsumexp(more + np.log(error) + log_weights, axis=0)


def lowers(
    pi: np.ndarray, omega: np.ndarray, own: Any, entropies: Any, f: Gauss | None, g: Gauss | None
) -> list[Bound]:
    """Every lower bound that the components allow."""
    found = [Bound("nonnegativity", 0.0, "Gibbs")]
    if f is not None and g is not None:
        durrieu = jensen(pi, omega, own, entropies, f, g)
        found += [
            Bound("products of densities", durrieu, "Durrieu, Thiran, Kelly, ICASSP 2012"),
            Bound("means", moments(pi, omega, f, g), "Donsker and Varadhan, Comm. Pure Appl. Math. 28, 1975"),
            Bound("intervals", partition(pi, omega, f, g), INTERVALS),
        ]
    return [b for b in found if b.value > -np.inf]
