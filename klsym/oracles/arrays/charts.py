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


CHARTS: dict[str, Chart] = {
    "vectors": Chart(lambda k, m: k, _vectors),
    "matrices": Chart(lambda k, m: k * m, _matrices),
    "simplex": Chart(lambda k, m: k - 1, _simplex),
    "positive definite": Chart(lambda k, m: k * (k + 1) // 2, _positive_definite),
}
