"""Estimates from counts: plug-in, with corrections of its bias, and posterior means."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import digamma

from ..core.errors import ParameterError, nearest
from .data import Floats, counts, level
from .quantities import QUANTITIES, Quantity, Vectors, margins
from .ratios import normal_interval
from .result import Estimate

PRIORS: dict[str, Callable[[int, float], float]] = {
    "jeffreys": lambda size, n: 0.5,
    "laplace": lambda size, n: 1.0,
    "perks": lambda size, n: 1 / size,
    "minimax": lambda size, n: math.sqrt(n) / size,
}
DRAWS = 2000
# An interval is given where the first term of the bias is no more than this share of a standard error.
LEAN = 0.5
UNSEEN = 0.1


def estimate_counts(
    p: Any,
    q: Any = None,
    *,
    quantity: str | None = None,
    method: str = "miller-madow",
    prior: str | float = "jeffreys",
    level: float | None = 0.95,
    base: Any = None,
) -> Estimate:
    """A divergence, an entropy or a mutual information from counts of outcomes.

    p, q: counts, whole numbers of one shape, an entry for each category; a table for mutual information. quantity: "kl"
    (the default of two), "jensen_shannon"; "entropy" (that of one), "mutual_information". method: "plugin";
    "miller-madow", less the first term of its bias; "jackknife"; "grassberger"; "zhang", in which digamma(n) -
    digamma(n_i) stands for -log p_i; "dirichlet", the posterior mean with a `prior` number for each category, or
    "jeffreys" (1/2), "laplace" (1), "perks" (1/K), "minimax" (sqrt(n)/K). level: of the interval, by the delta method,
    or of posterior draws. A category of P that Q does not show makes the divergence +oo, which is said. Raises
    ParameterError for what are no counts. (Miller, 1955; Grassberger, arXiv physics/0307138; Zhang and Grabchak, Neural
    Computation 26, 2014; Wolpert and Wolf, Phys. Rev. E 52, 1995.)

    >>> print(estimate_counts([30, 70], [50, 50], method="plugin"))
    KL(P || Q) = 0.0822829 +- 0.056 nats; 95% in [...] (delta method); plugin, n = 100, 100
    >>> estimate_counts([30, 70], [50, 0]).value
    inf
    """
    kind = quantity or ("entropy" if q is None else "kl")
    if kind not in QUANTITIES:
        raise ParameterError(f"quantity is {kind!r}; it is one of {', '.join(QUANTITIES)}{nearest(kind, QUANTITIES)}")
    if method not in METHODS:
        raise ParameterError(f"method is {method!r}; it is one of {', '.join(METHODS)}{nearest(method, METHODS)}")
    what = QUANTITIES[kind]
    given = [counts(p, "p")] if q is None else [counts(p, "p"), counts(q, "q")]
    if len(given) != what.arity:
        raise ParameterError(f"{kind} is one of {what.arity} vectors of counts; {len(given)} came")
    if len({array.shape for array in given}) > 1:
        raise ParameterError(f"p has shape {given[0].shape} and q {given[1].shape}; one category has one place in both")
    if kind == "mutual_information" and given[0].ndim != 2:
        raise ParameterError(f"p has shape {given[0].shape}; mutual information is that of a table, rows by columns")
    sample = Sample(kind, what, tuple(given))
    found = _posterior(sample, prior, level) if method == "dirichlet" else _corrected(sample, method, level)
    return found.in_base(base)


@dataclass(frozen=True)
class Sample:
    """Counts of one or two laws, and what is asked of these."""

    kind: str
    what: Quantity
    counts: Vectors

    @property
    def n(self) -> tuple[int, ...]:
        return tuple(int(c.sum()) for c in self.counts)

    @property
    def frequencies(self) -> Vectors:
        return tuple(c / c.sum() for c in self.counts)

    @property
    def plugin(self) -> float:
        """The quantity at the frequencies."""
        return self.what.value(*self.frequencies)

    def entropies(self, of: Callable[[Floats, float], float]) -> float:
        """The quantity as a combination of entropies of P, and a cross-entropy, each estimated by `of` or as Zhang."""
        first = self.counts[0]
        if self.kind == "entropy":
            return of(first, first.sum())
        if self.kind == "mutual_information":
            rows, columns = margins(first)
            return sum(of(side, first.sum()) for side in (rows, columns)) - of(first, first.sum())
        if self.kind == "kl":
            other = self.counts[1]
            cross = float((self.frequencies[0] * (digamma(other.sum() + 1) - digamma(other + 1))).sum())
            return cross - of(first, first.sum())
        raise ParameterError(f"{self.kind} has no such correction; take plugin, miller-madow, jackknife or dirichlet")


def _plugin(sample: Sample) -> float:
    return sample.plugin


def _miller_madow(sample: Sample) -> float:
    return sample.plugin - sample.what.bias(sample.frequencies, sample.n)


def _jackknife(sample: Sample) -> float:
    """n times the value less n - 1 times its mean without one outcome, for each sample (Quenouille, 1956)."""
    value = sample.plugin
    total = value
    for place, array in enumerate(sample.counts):
        n = sample.n[place]
        if n < 2:
            raise ParameterError(f"{'pq'[place]} counts one outcome; the jackknife leaves one out, and needs two")
        # Categories of one count, in whatever the value depends on, are left out alike.
        alike = [c.ravel() for c in sample.counts]
        if sample.kind == "mutual_information":
            alike += [np.broadcast_to(side, array.shape).ravel() for side in margins(array)]
        _, first, which = np.unique(np.stack(alike), axis=1, return_index=True, return_inverse=True)
        share = np.bincount(which.ravel(), array.ravel()) / n
        without = 0.0
        for cell in np.flatnonzero(share):
            left = array.ravel().copy()
            left[first[cell]] -= 1
            arrays = (*sample.counts[:place], left.reshape(array.shape), *sample.counts[place + 1 :])
            without += share[cell] * Sample(sample.kind, sample.what, arrays).plugin
        if math.isinf(without):
            raise ParameterError("without one outcome of q, a category seen once, kl is +oo; take zhang or dirichlet")
        total += (n - 1) * (value - without)
    return total


def _grassberger(array: Floats, n: float) -> float:
    """log n - sum n_i G(n_i)/n, G(n) = digamma(n) + (-1)^n (digamma((n + 1)/2) - digamma(n/2))/2 (equation 35)."""
    seen = array[array > 0]
    g = digamma(seen) + np.where(seen % 2, -0.5, 0.5) * (digamma((seen + 1) / 2) - digamma(seen / 2))
    return math.log(n) - float(seen @ g) / n


def _zhang(array: Floats, n: float) -> float:
    """sum n_i/n (digamma(n) - digamma(n_i)): its bias is that of a series cut off at the n-th power of 1 - p_i."""
    seen = array[array > 0]
    return float(seen @ (digamma(n) - digamma(seen))) / n


METHODS: dict[str, Callable[[Sample], float]] = {
    "plugin": _plugin,
    "miller-madow": _miller_madow,
    "jackknife": _jackknife,
    "grassberger": lambda sample: sample.entropies(_grassberger),
    "zhang": lambda sample: sample.entropies(_zhang),
    "dirichlet": lambda sample: _mean(sample, sample.counts),
}


def _corrected(sample: Sample, method: str, given: float | None) -> Estimate:
    n, said, other = sample.n, "", ""
    infinite = math.isinf(sample.plugin)
    if infinite:
        lone = int(((sample.counts[0] > 0) & (sample.counts[1] == 0)).sum())
        said = f"{lone} categories of P that Q never shows: the plug-in is +oo"
        other = "method='dirichlet', smooth(), or quantity='jensen_shannon', which is finite"
        if method in ("plugin", "miller-madow", "jackknife"):
            return Estimate(math.inf, None, None, None, "", n, sample.kind, method, said, other)
    value = METHODS[method](sample)
    rare = max(float((c == 1).sum() / c.sum()) for c in sample.counts)
    if rare > UNSEEN:
        said = "; ".join(filter(None, (said, f"about {rare:.0%} of the mass was never seen (Good and Turing)")))
        other = other or ("method='dirichlet'" if method in ("zhang", "grassberger") else "method='grassberger'")
    error = None
    if not infinite and min(n) > 1:
        parts = zip(sample.frequencies, sample.what.slopes(*sample.frequencies), n, strict=True)
        error = math.sqrt(sum(float((p * np.square(s - (p * s).sum())).sum()) / (m - 1) for p, s, m in parts))
    ends = None
    if error is not None and level(given) is not None:
        bias = abs(sample.what.bias(sample.frequencies, n))
        if rare > UNSEEN or bias > LEAN * error:
            said = "; ".join(filter(None, (said, "no interval: the bias is not small beside the standard error")))
        else:
            ends = normal_interval(value, error, given)
    how = "delta method" if ends else ""
    return Estimate(value, error, ends, given if ends else None, how, n, sample.kind, method, said, other)


def _mean(sample: Sample, posterior: Vectors) -> float:
    """The mean of the quantity where each law is Dirichlet with these parameters."""

    def entropy(a: Floats) -> float:
        return float((a * (digamma(a.sum() + 1) - digamma(a + 1))).sum() / a.sum())

    a = posterior[0]
    if sample.kind == "entropy":
        return entropy(a)
    if sample.kind == "mutual_information":
        return sum(map(entropy, margins(a))) - entropy(a)
    b = posterior[1]
    return float((a * (digamma(b.sum()) - digamma(b))).sum() / a.sum()) - entropy(a)


def _posterior(sample: Sample, prior: str | float, given: float | None) -> Estimate:
    posterior = tuple(c + _weight(prior, c) for c in sample.counts)
    rng = np.random.default_rng(0)
    draws = np.empty(DRAWS)
    for i in range(DRAWS):
        gammas = [rng.standard_gamma(a) for a in posterior]
        draws[i] = sample.what.value(*(g / g.sum() for g in gammas))
    closed = sample.kind != "jensen_shannon"
    value = _mean(sample, posterior) if closed else float(draws.mean())
    ends = None
    if level(given) is not None and np.isfinite(draws).all():
        low, high = np.quantile(draws, [(1 - (given or 0)) / 2, (1 + (given or 0)) / 2])
        ends = (float(low), float(high))
    how = f"{DRAWS} draws of the posterior" if ends else ""
    said = f"posterior mean{'' if closed else ' of draws'}, prior {prior}"
    error = float(draws.std(ddof=1)) if np.isfinite(draws).all() else None
    return Estimate(value, error, ends, given if ends else None, how, sample.n, sample.kind, "dirichlet", said)


def _weight(prior: str | float, array: Floats) -> float:
    if isinstance(prior, str):
        if prior not in PRIORS:
            raise ParameterError(f"prior is {prior!r}; it is a number or {', '.join(PRIORS)}{nearest(prior, PRIORS)}")
        return PRIORS[prior](array.size, float(array.sum()))
    if not 0 < prior < math.inf:
        raise ParameterError(f"prior is {prior}; a positive number for each category is needed")
    return float(prior)
