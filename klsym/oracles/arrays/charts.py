"""Bijections from R^d onto the sets where continuous outcomes live, with the logarithm of their Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Chart:
    """`dimension(k, m)` coordinates; `point` maps an array (..., dimension) to outcomes and log |d outcome / d t|."""

    dimension: Callable[[int, int], int]
    point: Callable[[Any, int, int], tuple[Any, Any]]


def _vectors(t: Any, k: int, m: int) -> tuple[Any, Any]:
    return t, np.zeros(t.shape[:-1])


def _matrices(t: Any, k: int, m: int) -> tuple[Any, Any]:
    return t.reshape(*t.shape[:-1], k, m), np.zeros(t.shape[:-1])


def _simplex(t: Any, k: int, m: int) -> tuple[Any, Any]:
    """Stick breaking: x_1 = s(t_1), x_2 = (1 - x_1) s(t_2), ..., s the logistic function"""
    log_left, parts, log_jacobian = np.zeros(t.shape[:-1]), [], np.zeros(t.shape[:-1])
    for n in range(k - 1):
        log_s, log_rest = -np.logaddexp(0, -t[..., n]), -np.logaddexp(0, t[..., n])
        parts.append(log_left + log_s)
        log_jacobian = log_jacobian + log_left + log_s + log_rest
        log_left = log_left + log_rest
    return np.exp(np.stack([*parts, log_left], -1)), log_jacobian


def _positive_definite(t: Any, k: int, m: int) -> tuple[Any, Any]:
    """X = L L^T, |dX/dL| = 2^k prod_i L_ii^(k-i+1), i from 1 (Muirhead, theorem 2.1.9), L_ii = log(1 + exp t_i)"""
    factor = np.zeros((*t.shape[:-1], k, k))
    log_jacobian = np.full(t.shape[:-1], k * np.log(2.0))
    for i in range(k):
        factor[..., i, i] = np.logaddexp(0, t[..., i])
        slope = -np.logaddexp(0, -t[..., i])
        log_jacobian = log_jacobian + (k - i) * np.log(factor[..., i, i]) + slope
    for n, (i, j) in enumerate(zip(*np.tril_indices(k, -1), strict=True)):
        factor[..., i, j] = t[..., k + n]
    return factor @ factor.swapaxes(-1, -2), log_jacobian


def _sphere(t: Any, k: int, m: int) -> tuple[Any, Any]:
    """Polar angles: x_1 = cos a_1, x_2 = sin a_1 cos a_2, ..., the last two with one angle of the whole circle"""
    log_s, log_rest = -np.logaddexp(0, -t), -np.logaddexp(0, t)
    turn = np.full(k - 1, np.pi)
    turn[-1] = 2 * np.pi
    angles = turn * np.exp(log_s)
    log_jacobian = (np.log(turn) + log_s + log_rest).sum(-1)
    across, parts = np.ones(t.shape[:-1]), []
    for n in range(k - 1):
        parts.append(across * np.cos(angles[..., n]))
        # Close to pi the angle has lost the digits of its sine.
        sine = np.sin(turn[n] * np.exp(np.minimum(log_s, log_rest)[..., n])) * (
            1.0 if n < k - 2 else np.sign(-t[..., n])
        )
        across = across * sine
        log_jacobian = log_jacobian + (k - 2 - n) * np.log(np.where(n < k - 2, sine, 1.0))
    return np.stack([*parts, across], -1), log_jacobian


def _correlation(t: Any, k: int, m: int) -> tuple[Any, Any]:
    """R = L L^T, rows of L of norm 1, L_ij / sqrt(1 - sum_{l<j} L_il^2) = tanh(t) (Joe 2006, theorem 1)"""
    factor, log_jacobian = np.zeros((*t.shape[:-1], k, k)), np.zeros(t.shape[:-1])
    factor[..., 0, 0] = 1.0
    place = iter(range(k * (k - 1) // 2))
    for i in range(1, k):
        log_left = np.zeros(t.shape[:-1])
        for j in range(i):
            z = t[..., next(place)]
            log_slope = 2 * (np.log(2) - np.logaddexp(z, -z))
            factor[..., i, j] = np.tanh(z) * np.exp(log_left / 2)
            log_jacobian = log_jacobian + log_slope * (1 + (k - j - 2) / 2)
            log_left = log_left + log_slope
        factor[..., i, i] = np.exp(log_left / 2)
    return factor @ factor.swapaxes(-1, -2), log_jacobian


def _positive(t: Any, k: int, m: int) -> tuple[Any, Any]:
    return np.exp(t), t.sum(-1)


def _heavy(t: Any, k: int, m: int) -> tuple[Any, Any]:
    """For tails like a power of |x|: exp(t_1) times a point of the sphere"""
    if k == 1:
        return np.sinh(t), np.log(np.cosh(t)).sum(-1)
    points, log_jacobian = _sphere(t[..., 1:], k, m)
    return np.exp(t[..., :1]) * points, log_jacobian + k * t[..., 0]


# By the kind of outcome, or by the family where its tails are too heavy for that chart.
CHARTS: dict[str, Chart] = {
    "MultivariateCauchy": Chart(lambda k, m: k, _heavy),
    "vectors": Chart(lambda k, m: k, _vectors),
    "positive vectors": Chart(lambda k, m: k, _positive),
    "matrices": Chart(lambda k, m: k * m, _matrices),
    "sphere": Chart(lambda k, m: k - 1, _sphere),
    "correlation matrices": Chart(lambda k, m: k * (k - 1) // 2, _correlation),
    "simplex": Chart(lambda k, m: k - 1, _simplex),
    "positive definite": Chart(lambda k, m: k * (k + 1) // 2, _positive_definite),
}


def chart_of(*laws: Any) -> Chart | None:
    """The chart of outcomes of these laws, all of one kind, if there is one; that of heavy tails where they are."""
    names = [*(law.family.name for law in laws), laws[0].outcome.name]
    return next((CHARTS[name] for name in names if name in CHARTS), None)
