"""What is estimated from counts: each quantity by its value, its slopes and its bias at vectors of probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import entr, rel_entr

from .data import Floats

Vectors = tuple[Floats, ...]


@dataclass(frozen=True)
class Quantity:
    """A function of one or two laws on a finite set.

    value: at probabilities. slopes: its derivatives by the entries of each. bias: of `value` at frequencies of n
    outcomes, to first order in 1/n: half the trace of its curvature times the covariance of the frequencies.
    """

    arity: int
    value: Callable[..., float]
    slopes: Callable[..., Vectors]
    bias: Callable[[Vectors, tuple[int, ...]], float]


def _log_ratio(p: Floats, q: Floats) -> Floats:
    """log(p/q), and 0 where p is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, np.log(p) - np.log(q), 0.0)


def _share(p: Floats, q: Floats) -> Floats:
    """p/q, and 0 where p is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p / q, 0.0)


def margins(table: Floats) -> Vectors:
    """The sums along either axis, as a row of columns and a column of rows."""
    return table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)


def _seen(*arrays: Floats) -> list[int]:
    return [int(np.count_nonzero(array)) for array in arrays]


def _information(p: Floats) -> float:
    rows, columns = margins(p)
    return float(rel_entr(p, rows * columns).sum())


def _information_bias(vectors: Vectors, n: tuple[int, ...]) -> float:
    cells, rows, columns = _seen(vectors[0], *margins(vectors[0]))
    return (cells - rows - columns + 1) / (2 * n[0])


def _kl_bias(vectors: Vectors, n: tuple[int, ...]) -> float:
    p, q = vectors
    return (_seen(p)[0] - 1) / (2 * n[0]) + float((_share(p, q) * (1 - q)).sum()) / (2 * n[1])


def _js_bias(vectors: Vectors, n: tuple[int, ...]) -> float:
    p, q = vectors
    own = (_share(q, p + q) * (1 - p))[p > 0].sum() / n[0]
    return float(own + (_share(p, p + q) * (1 - q))[q > 0].sum() / n[1]) / 4


QUANTITIES = {
    "kl": Quantity(
        2,
        lambda p, q: float(rel_entr(p, q).sum()),
        lambda p, q: (_log_ratio(p, q), -_share(p, q)),
        _kl_bias,
    ),
    "entropy": Quantity(
        1,
        lambda p: float(entr(p).sum()),
        lambda p: (-_log_ratio(p, np.ones_like(p)),),
        lambda vectors, n: -(_seen(*vectors)[0] - 1) / (2 * n[0]),
    ),
    "mutual_information": Quantity(
        1,
        _information,
        lambda p: (_log_ratio(p, np.multiply(*margins(p))),),
        _information_bias,
    ),
    "jensen_shannon": Quantity(
        2,
        lambda p, q: float(rel_entr(p, (p + q) / 2).sum() + rel_entr(q, (p + q) / 2).sum()) / 2,
        lambda p, q: (_log_ratio(p, (p + q) / 2) / 2, _log_ratio(q, (p + q) / 2) / 2),
        _js_bias,
    ),
}
