"""Lower bounds of KL(P || Q) from samples: a critic is fitted to one part of them and judged by the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtri

from ..core.errors import ParameterError
from .data import Floats, points, same_space
from .data import level as checked
from .features import LogRatio, fitted
from .result import Estimate
from .tails import VARIANCE, tail_index

FEWEST = 40


def kl(
    x: Any,
    y: Any,
    *,
    normalised: bool,
    critic: Any = None,
    seed: int = 0,
    level: float | None = 0.95,
    base: Any = None,
    **training: Any,
) -> Estimate:
    """A number whose expectation is at most KL(P || Q), whatever the critic (Nguyen, Wainwright, Jordan, 2010).

    E_P[t] + 1 - E_Q[exp(t)] <= KL(P || Q) for every t, with equality at t = log p/q. normalised: t is shifted so that
    E_Q[exp(t)] is 1 on the part it was fitted to: the bound of Donsker and Varadhan with its logarithm, which alone
    would make it too large, by its tangent there (Poole et al., arXiv 1905.06922). critic: None for random features and
    logistic regression on each half, judged by the other; a function of (n, d) arrays that has not seen these outcomes;
    or a torch module, which is trained on half of them with the options of `torch_critic.trained`.
    """
    x, y = points(x, "x", FEWEST), points(y, "y", FEWEST)
    same_space(x, y)
    rng = np.random.default_rng(seed)
    folds = _folds(x, y, critic, rng, training)
    means, squares, risky = [], [], []
    for ratio, fitted_to, (p, q) in folds:
        shift = _log_mean_exp(ratio(fitted_to)) if normalised and fitted_to is not None else 0.0
        first, second = ratio(p) - shift, ratio(q) - shift
        with np.errstate(over="ignore"):
            odds = np.exp(second)
        if not (np.isfinite(first).all() and np.isfinite(odds).all()):
            raise ParameterError(
                "the critic, or its exponential, is not finite at some outcomes; bound what it returns"
            )
        means.append(float(first.mean() + 1 - odds.mean()))
        squares.append(float(first.var(ddof=1) / len(p) + odds.var(ddof=1) / len(q)))
        risky.append(odds)
    value, error = float(np.mean(means)), math.sqrt(sum(squares)) / len(means)
    said, other, ends = "a lower bound in expectation", "", None
    index = tail_index(np.concatenate(risky))
    if index > VARIANCE:
        said += f", whose terms have a Pareto tail of index {index:.2f}: the variance may not exist"
        other = "method='nearest', or more outcomes of Q"
    elif checked(level):
        ends = (value - float(ndtri(level or 0)) * error, math.inf)
    how = "one-sided, which covers more often than it says, as the bound is one" if ends else ""
    method = f"{'Donsker-Varadhan' if normalised else 'NWJ'}, {_named(critic)}"
    n = (len(x), len(y))
    return Estimate(value, error, ends, level if ends else None, how, n, "kl", method, said, other).in_base(base)


def _folds(x: Floats, y: Floats, critic: Any, rng: np.random.Generator, training: dict[str, Any]) -> Any:
    """Each: a log ratio, the outcomes of Q it was fitted to, and those that judge it."""
    if critic is not None and not hasattr(critic, "parameters"):
        if training:
            raise ParameterError(f"a function is not trained: {', '.join(training)} have no meaning")
        return [(_checked(critic), None, (x, y))]
    (a, b), (c, d) = (np.array_split(side[rng.permutation(len(side))], 2) for side in (x, y))
    if critic is not None:
        from .torch_critic import trained

        return [(trained(critic, a, c, seed=int(rng.integers(2**31)), **training), c, (b, d))]
    if training:
        raise ParameterError(f"there is no option {', '.join(training)} without a torch module as critic")
    return [(fitted(a, c, rng), c, (b, d)), (fitted(b, d, rng), d, (a, c))]


def _checked(critic: Callable[[Floats], Any]) -> LogRatio:
    def ratio(z: Floats) -> Floats:
        value = np.asarray(critic(z), dtype=np.float64)
        if value.size != len(z):
            raise ParameterError(
                f"critic returned shape {value.shape} for {len(z)} outcomes; one number for each is needed"
            )
        return value.reshape(len(z))

    return ratio


def _log_mean_exp(t: Floats) -> float:
    top = float(t.max())
    return top + math.log(float(np.exp(t - top).mean()))


def _named(critic: Any) -> str:
    return "random features" if critic is None else "critic in torch" if hasattr(critic, "parameters") else "own critic"
