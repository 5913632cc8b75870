"""Estimators that see their data once, in chunks: each updates, merges with another, and answers at any time."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from .counts import estimate_counts
from .data import Floats
from .ratios import checked, doubt, kind, normal_interval
from .result import Estimate
from .tails import extremes, tail_index


@dataclass
class Moments:
    """Weight, mean and sum of squares about it, of numbers that come in chunks (Chan, Golub, LeVeque, 1983)."""

    weight: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, values: Floats, weights: Floats) -> None:
        """Take in a chunk."""
        total = float(weights.sum())
        if total:
            mean = float(weights @ values / total)
            self.merge(Moments(total, mean, float(weights @ np.square(values - mean))))

    def merge(self, other: Moments) -> None:
        """Take in what another has seen."""
        total = self.weight + other.weight
        if total:
            gap = other.mean - self.mean
            self.squares += other.squares + gap * gap * self.weight * other.weight / total
            self.mean += gap * other.weight / total
            self.weight = total


@dataclass
class LogRatios:
    """KL(P || Q) from log ratios that come in chunks: `update`, `merge`, `result`; see `estimate_log_ratios`.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=10_000)
    >>> first, second = LogRatios("k1"), LogRatios("k1")
    >>> first.update(-x[:4000]), second.update(-x[4000:])
    (None, None)
    >>> first.merge(second)
    >>> bool(abs(float(first.result()) - x.mean()) < 1e-15)
    True
    """

    method: str = "k3"
    level: float | None = 0.95
    n: int = 0
    infinite: int = 0
    beyond: int = 0
    weighted: bool = False
    # Of the terms by their weights, which is the value, and by the squares of these, which is its variance.
    by_weight: Moments = field(default_factory=Moments)
    by_square: Moments = field(default_factory=Moments)
    kept: Floats = field(default_factory=lambda: np.empty(0))
    heaviest: Floats = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        kind(self.method)

    def update(self, log_ratio: Any, weights: Any = None) -> None:
        """Take in log q - log p at draws from P, or from R with weights p/r, all of them up to one common factor."""
        ratios, given = checked(log_ratio, weights)
        if self.n and self.weighted != (given is not None):
            raise ParameterError("weights came with some chunks and not with others; give 1 where R is P")
        self.weighted = given is not None
        self.n += len(ratios)
        w = np.ones(len(ratios)) if given is None else given
        outside = np.isneginf(ratios)
        self.infinite += int(np.count_nonzero(outside & (w > 0)))
        inside = ~outside
        terms, w = kind(self.method).terms(ratios[inside]).astype(np.float64), w[inside]
        self.beyond += int(np.count_nonzero(np.isposinf(terms) & (w > 0)))
        finite = np.isfinite(terms)
        terms, w = terms[finite], w[finite]
        self.by_weight.add(terms, w)
        self.by_square.add(terms, w * w)
        self.kept = extremes(np.concatenate([self.kept, terms * w]))
        if self.weighted:
            self.heaviest = extremes(np.concatenate([self.heaviest, w]))

    def merge(self, other: LogRatios) -> None:
        """Take in what another has seen of the same estimator."""
        if not isinstance(other, LogRatios):
            raise TypeError(f"a {type(other).__name__} is no LogRatios to merge with")
        if (self.method, self.weighted) != (other.method, other.weighted) and self.n and other.n:
            raise ParameterError("two streams merge where method and weighting are the same")
        self.method, self.weighted = other.method, self.weighted or other.weighted
        self.n += other.n
        self.infinite += other.infinite
        self.beyond += other.beyond
        self.by_weight.merge(other.by_weight)
        self.by_square.merge(other.by_square)
        self.kept = extremes(np.concatenate([self.kept, other.kept]))
        self.heaviest = extremes(np.concatenate([self.heaviest, other.heaviest]))

    def result(self, *, base: Any = None) -> Estimate:
        """What is known so far."""
        if not self.n:
            raise ParameterError("log_ratio is empty; one draw at least is needed, and two for a standard error")
        sums, spread = self.by_weight, self.by_square
        said, other = kind(self.method).bias, ""
        if self.infinite:
            said = f"{self.infinite} of {self.n} draws from P are where Q has no density"
            other = "a divergence that stays finite: jensen_shannon, or Wasserstein"
            return self._answer(math.inf, None, said, other).in_base(base)
        if self.beyond:
            said = f"{self.beyond} of {self.n} log ratios are so large that the terms of {self.method} are no numbers"
            other = "k1, whose terms are the log ratios; or look for draws at which log p is wrong"
            return self._answer(math.inf, None, said, other).in_base(base)
        error = None
        if self.n > 1:
            # The delta method for a ratio of means: sum w^2 (t - value)^2 / (sum w)^2.
            total = spread.squares + spread.weight * (spread.mean - sums.mean) ** 2
            error = math.sqrt(total * self.n / (self.n - 1)) / sums.weight
            worst = tail_index(self.kept, self.n)
            if self.weighted:
                worst = np.fmax(worst, tail_index(self.heaviest, self.n))
                said += f"; self-normalised, {sums.weight**2 / spread.weight:.3g} effective draws"
            doubtful, other = doubt(float(worst), self.method)
            said += f"; {doubtful}" if doubtful else ""
        else:
            said += "; one draw has no standard error"
        if self.method == "k2":
            other = other or "k3, which has no bias"
        return self._answer(sums.mean, error, said, other).in_base(base)

    def _answer(self, value: float, error: float | None, said: str, other: str) -> Estimate:
        sound = error is not None and not other
        interval = normal_interval(value, error or 0.0, self.level) if sound else None
        how = "normal law of a mean" if interval else ""
        level = self.level if interval else None
        return Estimate(value, error, interval, level, how, (self.n,), "kl", self.method, said, other)


@dataclass
class Tally:
    """Counts of outcomes that come in chunks, of P and of Q: `update`, `merge`, `result`; see `estimate_counts`.

    >>> tally = Tally()
    >>> tally.update(["a", "b", "a"], ["a", "b", "b"])
    >>> tally.update(["a"], ["a"])
    >>> tally.result(method="plugin").value  # KL of (3/4, 1/4) and (1/2, 1/2)
    0.1308...
    """

    p: Counter[Any] = field(default_factory=Counter)
    q: Counter[Any] = field(default_factory=Counter)

    def update(self, x: Any = (), y: Any = ()) -> None:
        """Take in outcomes of P and of Q: numbers, words, or rows of a table."""
        for side, given in ((self.p, x), (self.q, y)):
            array = np.asarray(given)
            if array.size:
                if not array.ndim:
                    raise ParameterError(f"{given!r} is no array of outcomes; give a list, an outcome an entry")
                if array.dtype.kind == "f" and np.isnan(array).any():
                    raise ParameterError("an outcome is NaN; leave it out, or name it as a category of its own")
                values, times = np.unique(array, return_counts=True, axis=0)
                keys = map(tuple, values.tolist()) if array.ndim > 1 else values.tolist()
                side.update(dict(zip(keys, times.tolist(), strict=True)))

    def merge(self, other: Tally) -> None:
        """Take in what another has counted."""
        if not isinstance(other, Tally):
            raise TypeError(f"a {type(other).__name__} is no Tally to merge with")
        self.p.update(other.p)
        self.q.update(other.q)

    def counts(self) -> tuple[Floats, Floats]:
        """The counts of P and of Q over the outcomes that either has shown, in one order."""
        known = [*self.p, *(outcome for outcome in self.q if outcome not in self.p)]
        p, q = (np.array([side[outcome] for outcome in known], dtype=np.float64) for side in (self.p, self.q))
        return p, q

    def result(self, **options: Any) -> Estimate:
        """The estimate from the counts so far, with the options of `estimate_counts`."""
        p, q = self.counts()
        return estimate_counts(p, q if self.q else None, **options)
