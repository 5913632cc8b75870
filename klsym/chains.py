"""Markov chains on finitely many states, as arrays of numbers: the divergence of their paths, and its rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .core.errors import ParameterError, VectorError
from .vectors import kl, unit


def path_kl(
    initial_p: ArrayLike, p: ArrayLike, initial_q: ArrayLike, q: ArrayLike, steps: int, *, base: Any = None
) -> Any:
    """The divergence of the paths of two chains over so many steps: a sum of terms that are never negative.

    initial_p, initial_q: probabilities (..., K) of the first state; p, q: transition matrices (..., K, K), rows summing
    to 1. `base`: the unit, nats by default. +oo where P takes a step that Q never takes. Raises VectorError for what
    are no probabilities or do not fit, ParameterError for a bad number of steps.
    (Cover and Thomas, Elements of Information Theory, theorem 2.5.3 and 4.1.)

    >>> chain = [[0.5, 0.5], [0.25, 0.75]]
    >>> path_kl([1, 0], chain, [0.5, 0.5], chain, steps=10, base=2)
    1.0
    """
    if not isinstance(steps, int) or steps < 0:
        raise ParameterError(f"steps is {steps}; a whole number from 0 is needed")
    mine, theirs = _transition(p, "p"), _transition(q, "q")
    state, total = np.asarray(initial_p, dtype=float), np.asarray(kl(initial_p, initial_q))
    each = np.asarray(kl(mine, theirs))
    if state.shape[-1] != mine.shape[-1]:
        raise VectorError(f"initial_p has {state.shape[-1]} states and p {mine.shape[-1]}")
    for _ in range(steps):
        total = total + _mean(state, each)
        state = np.einsum("...i,...ij->...j", state, mine)
    return _scalar(total / unit(base))


def kl_rate(p: ArrayLike, q: ArrayLike, *, base: Any = None) -> Any:
    """The divergence of the next state, a step, in the stationary law of P: see `klsym.kl_rate`.

    >>> kl_rate([[0.5, 0.5], [0.5, 0.5]], [[0.25, 0.75], [0.25, 0.75]])
    0.14384103622589...
    """
    mine, theirs = _transition(p, "p"), _transition(q, "q")
    return _scalar(_mean(stationary(mine), np.asarray(kl(mine, theirs))) / unit(base))


def stationary(p: ArrayLike) -> Any:
    """The stationary law of a chain with one: eliminating states from the last, without a subtraction.

    p: transition matrices (..., K, K). Raises ParameterError where the chain has several recurrent classes.
    (Grassmann, Taksar, Heyman, Operations Research 33, 1985.)

    >>> stationary([[0.5, 0.5], [0.25, 0.75]])
    array([0.33333333, 0.66666667])
    """
    a = np.array(_transition(p, "p"))
    states = a.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        for n in range(states - 1, 0, -1):
            out = a[..., n, :n].sum(-1, keepdims=True)
            a[..., :n, n] /= out
            a[..., :n, :n] += a[..., :n, n, None] * a[..., None, n, :n]
        law = np.ones((*a.shape[:-2], states))
        for n in range(1, states):
            law[..., n] = (law[..., :n] * a[..., :n, n]).sum(-1)
        law /= law.sum(-1, keepdims=True)
    if not np.isfinite(law).all():
        raise ParameterError("p has no state that all others lead to from the first; it has no one stationary law")
    return law


def _transition(given: ArrayLike, name: str) -> Any:
    array = np.asarray(given, dtype=float)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise VectorError(f"{name} has shape {array.shape}; a matrix of transition probabilities is square")
    return array


def _mean(weights: Any, each: Any) -> Any:
    """The mean of values that may be infinite where nothing has weight."""
    return np.where(weights == 0, 0.0, weights * np.where(weights == 0, 0.0, each)).sum(-1)


def _scalar(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else value
