"""Nearest-neighbour estimates of KL(P || Q) and of the entropy of P, with their jackknife."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import digamma, ndtri

from ..core.errors import ParameterError
from ..core.errors import nearest as near
from . import neighbours, spacings
from .data import Floats, points, same_space
from .data import level as checked
from .density import Side, side
from .maps import Mapped, mapped
from .margins import Margin, applied, margins
from .neighbours import Indices
from .ratios import normal_interval
from .result import Estimate
from .start import fitted
from .tails import VARIANCE, tail_index

# Of a divergence on a line, where balls are small; with a normal start more of them cost little bias.
K_OF_A_LINE = 5
K = 10
# In so few dimensions neighbours see a margin that is not normal themselves.
PLANE = 2
# In more than FEW dimensions an error is one of bias: of more outcomes than MOST as many ask, and the rest are guessed.
FEW = 4
MOST = 20_000
STARTS = ("auto", "flat", "normal")
# An interval is given where the two starts differ by no more than this share of a standard error.
LEAN = 0.5


# Below so many outcomes there is no standard error, and no interval.
FEWEST = 20
SURE = 200
# In a plane, where intervals of fewer were found too short on mixtures.
SURE_OF_A_PLANE = 1000


@dataclass(frozen=True)
class Plan:
    """How densities are looked at: by k neighbours, `wide` for a jackknife (0 for none), a start; free: after maps."""

    k: int
    wide: int
    start: str
    free: bool


@dataclass(frozen=True)
class Terms:
    """What a mean is taken of, with either start, and what each outcome of each sample contributes to it.

    wider: the mean of `lifted` from more neighbours. rest: what the outcomes that did not ask add to the mean. atoms:
    outcomes where P has mass and the other side has none; ties: those that were counted instead. said: which maps.
    """

    lifted: Floats
    flat: Floats
    wider: float
    rest: float
    contributions: tuple[Floats, ...]
    atoms: int
    ties: int
    said: tuple[str, ...]


@dataclass(frozen=True)
class Ends:
    """An interval and how it was made, or none and why, and what to take instead."""

    ends: tuple[float, float] | None
    how: str
    said: str
    instead: str


def kl(
    x: Any, y: Any, *, k: int | None = None, start: str = "auto", level: float | None = 0.95, base: Any = None
) -> Estimate:
    """KL(P || Q) from samples x of P and y of Q, by the distances to the k nearest (Wang, Kulkarni, Verdu, 2009).

    start: "auto" in more than one dimension puts both samples through one map first (`maps`), and each through its own
    of the columns that are still far from normal (`margins`): the neighbours correct what is left.
    """
    x, y = points(x, "x", 3), points(y, "y", 3)
    same_space(x, y)
    return _estimate("kl", _ratios, (x, y), k, start, level).in_base(base)


def entropy(
    x: Any, *, k: int | None = None, start: str = "auto", level: float | None = 0.95, base: Any = None
) -> Estimate:
    """The differential entropy of P from a sample x: on a line, where no k and no start is named, by `spacings`.

    Else by the distances to the k nearest (Kozachenko, Leonenko, 1987), after a map as in `kl`, whose slope is added.
    """
    x, z = points(x, "x", 3), None if checked(level) is None else float(ndtri((1 + (level or 0)) / 2))
    line = spacings.entropy(x[:, 0], z) if x.shape[1] == 1 and k is None and start == "auto" else None
    if line is not None:
        return replace(line, level=level if line.interval else None).in_base(base)
    return _estimate("entropy", _surprises, (x,), k, start, level).in_base(base)


def _ratios(plan: Plan, x: Floats, y: Floats) -> Terms:
    law = mapped((x, y)) if plan.free else Mapped("", (x, y), np.zeros(0))
    x, y = law.samples
    own, other = (margins(z) if plan.free and z.shape[1] > PLANE else () for z in (x, y))
    rows = _asked(x)
    p, q = _seen(x, x, rows, own, plan, "x"), _seen(y, x[rows], None, other, plan, "y")
    tied = (p.radii == 0) | (q.radii == 0)
    with np.errstate(invalid="ignore"):
        lifted, flat, broad = p.lifted - q.lifted, p.flat - q.flat, p.wide - q.wide
    if tied.any():
        lifted[tied] = flat[tied] = broad[tied] = _counted(x, y, plan.k, rows, tied)
    guess = fitted(x, "x").log_density(x) - fitted(y, "y").log_density(x) if len(rows) < len(x) else None
    rest, each = _rest(broad, guess, rows, p.loss(len(x)))
    each = (*each, q.loss(len(y)) * (len(y) / len(rows)))
    said = (law.name, *(f"own margins of {len(m)} columns of {name}" for m, name in ((own, "x"), (other, "y")) if m))
    return Terms(lifted, flat, float(broad.mean()), rest, each, int(np.isinf(flat).sum()), int(tied.sum()), said)


def _surprises(plan: Plan, x: Floats) -> Terms:
    law = mapped((x,)) if plan.free else Mapped("", (x,), np.zeros(len(x)))
    (z,) = law.samples
    rows = _asked(z)
    p = _seen(z, z, rows, (), plan, "x")
    tied = int((p.radii == 0).sum())
    slopes = law.log_slopes[rows]
    guess = -fitted(z, "x").log_density(z) - law.log_slopes if len(rows) < len(z) else None
    rest, each = _rest(-p.wide - slopes, guess, rows, -p.loss(len(x)))
    return Terms(
        -p.lifted - slopes, -p.flat - slopes, float((-p.wide - slopes).mean()), rest, each, tied, tied, (law.name,)
    )


def _asked(x: Floats) -> Indices:
    n, d = x.shape
    if d <= FEW or n <= MOST:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).permutation(n)[:MOST])


def _seen(
    sample: Floats, points: Floats, rows: Indices | None, maps: tuple[Margin, ...], plan: Plan, name: str
) -> Side:
    """log density of a sample after the maps of its margins: at its rows, or at other points where there are none."""
    images, log_slopes = applied(maps, sample)
    queries, at = (images, log_slopes) if points is sample else applied(maps, points)
    if rows is not None and len(rows) < len(sample):
        queries, at = queries[rows], at[rows]
    return side(images, queries, rows, plan.k, plan.wide, plan.start, name).plus(at)


def _rest(terms: Floats, guess: Floats | None, rows: Indices, loss: Floats) -> tuple[float, tuple[Floats, ...]]:
    """What a guess at every outcome adds to the mean of terms at some: a control variate; and what each contributes."""
    if guess is None:
        return 0.0, (terms + loss,)
    return float(guess.mean() - guess[rows].mean()), (guess, terms - guess[rows])


def _counted(x: Floats, y: Floats, k: int, rows: Indices, tied: Any) -> Floats:
    """log of the ratio of densities by counts in one ball, where duplicates leave no volume to divide by.

    The ball is the closed one that ends at the outcome's own k-th neighbour, a point where that is a duplicate; of both
    samples as many outcomes count as it holds, and volumes cancel (Wang, Kulkarni, Verdu, 2009, equation 29).
    """
    centres = x[rows][tied]
    radii = neighbours.nearest(x, x[rows], [k], rows)[0][tied, 0]
    own, other = neighbours.within(x, centres, radii) - 1, neighbours.within(y, centres, radii)
    there = np.where(other > 0, digamma(np.maximum(other, 1)), -np.inf)
    return digamma(own) - digamma(len(x)) - there + digamma(len(y) + 1)


def _estimate(
    quantity: str,
    terms: Callable[..., Terms],
    samples: tuple[Floats, ...],
    k: int | None,
    start: str,
    level: float | None,
) -> Estimate:
    d, n = samples[0].shape[1], tuple(map(len, samples))
    if d == 1:
        # The order of outcomes says nothing, and neighbours on a line are found by it.
        samples = tuple(np.sort(sample, axis=0) for sample in samples)
    free = start == "auto" and d > 1
    k = min(_usual(d, max(n), quantity), min(n) - 1) if k is None else k
    _checked(k, start, samples)
    normal = start == "normal" or free
    # A jackknife counts what j outcomes do together j times (Efron and Stein, Annals of Statistics 9, 1981), and so
    # finds the variance of k neighbours too large, that of more than twice as many about right.
    wide = 0 if checked(level) is None or min(n) < FEWEST else min(2 * k + 2, min(n) - 2)
    kind = "raw" if start == "flat" else "normal" if normal or wide else "flat"
    seen = terms(Plan(k, wide, kind, free), *samples)
    if seen.atoms:
        return _atoms(quantity, seen, k, n)
    said = [" ".join(filter(None, (f"{'normal' if normal else 'flat'} start", seen.said[0] and f"in {seen.said[0]}")))]
    said += seen.said[1:]
    if seen.ties:
        said.append(f"{seen.ties} of {n[0]} outcomes by counts, for {k} duplicates or more")
    starts = (seen.lifted, seen.flat) if normal else (seen.flat, seen.lifted)
    mean, other = (float(part.mean()) + seen.rest for part in starts)
    error = math.sqrt(sum(float(part.var(ddof=1)) / len(part) for part in seen.contributions)) if wide else None
    if error is None:
        said.append("no interval was asked for" if level is None else f"no standard error below {FEWEST} outcomes")
        found = Ends(None, "", "", "")
    else:
        found = _interval(seen, mean, other, error, d, min(n), level)
    said += [found.said] if found.said else []
    given = level if found.ends else None
    method = f"nearest neighbours, k = {k}"
    return Estimate(mean, error, found.ends, given, found.how, n, quantity, method, "; ".join(said), found.instead)


def _interval(seen: Terms, mean: float, other: float, error: float, d: int, n: int, level: float | None) -> Ends:
    """The interval over the mean and what another start, or in a plane fewer neighbours, would give; or why not."""
    index, apart = tail_index(seen.contributions[-1]), "flat and normal start"
    if index > VARIANCE:
        said = f"the ratio of densities has a Pareto tail of index {index:.2f}: the variance may not exist"
        return Ends(None, "", said, BOUND)
    if d > PLANE:
        lean = abs(mean - other) / error
        said = f"{apart} differ by {lean:.1f} standard errors; no interval in more than two dimensions, "
        return Ends(None, "", said + "where it was found too short on some laws", BOUND if lean > 2 else "")
    sure = SURE if d == 1 else SURE_OF_A_PLANE
    if n < sure:
        return Ends(None, "", f"no interval below {sure} outcomes, where it was found too short", "")
    how = "jackknife, over both starts"
    if d == PLANE:
        # Balls of a plane are larger: what is left of their bias at no neighbours, had it grown as they do.
        other, apart, how = 2 * mean - seen.wider, "more neighbours", "jackknife, over what fewer neighbours would give"
    lean = abs(mean - other) / error
    if lean > LEAN:
        return Ends(None, "", f"no interval: {apart} differ by {lean:.1f} standard errors", BOUND if lean > 2 else "")
    least, most = (normal_interval(end(mean, other), error, level) for end in (min, max))
    return Ends((least[0], most[1]) if least and most else None, how, "", "")


BOUND = "method='nwj', a lower bound in expectation"


def _atoms(quantity: str, seen: Terms, k: int, n: tuple[int, ...]) -> Estimate:
    """An atom of P that Q has not makes the divergence +oo, and any atom the differential entropy -oo."""
    value = math.inf if quantity == "kl" else -math.inf
    what = "none of them in y: an atom that Q has not" if quantity == "kl" else "an atom, and no density"
    said = f"{seen.atoms} outcomes of x have {k} duplicates or more, {what}"
    other = "method='counts', where outcomes are categories; more digits, where they were rounded"
    return Estimate(value, None, None, None, "", n, quantity, f"nearest neighbours, k = {k}", said, other)


def _usual(d: int, n: int, quantity: str) -> int:
    if d == 1:
        return K_OF_A_LINE if quantity == "kl" else K
    return K if n < MOST or d > FEW else K // 2


def _checked(k: int, start: str, samples: tuple[Floats, ...]) -> None:
    if start not in STARTS:
        raise ParameterError(f"start is {start!r}; it is one of {', '.join(STARTS)}{near(start, STARTS)}")
    if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
        raise ParameterError(f"k is {k}; a whole number of neighbours from 1 on is needed")
    for name, sample, known in zip("xy", samples, (len(samples[0]) - 1, len(samples[-1])), strict=False):
        if k > known:
            raise ParameterError(f"k is {k}, and {name} has {len(sample)} outcomes; take a smaller k")
