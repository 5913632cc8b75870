"""Nearest-neighbour estimates of KL(P || Q) and of the entropy of P, with their jackknife."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import digamma

from ..core.errors import ParameterError
from ..core.errors import nearest as near
from . import neighbours
from .data import Floats, points, same_space
from .data import level as checked
from .density import side
from .ratios import normal_interval
from .result import Estimate
from .tails import VARIANCE, tail_index

K = 5
# On a line balls are so small that more of them cost little bias.
K_OF_A_LINE = {"kl": 5, "entropy": 10}
# In so few dimensions balls are small: a normal start has more to lose, on other laws, than to win.
FLAT = 2
STARTS = ("auto", "flat", "normal")
# An interval is given where the two starts differ by no more than this share of a standard error.
LEAN = 0.5


# Below so many outcomes there is no standard error, and no interval.
FEWEST = 20
SURE = 200


@dataclass(frozen=True)
class Terms:
    """What a mean is taken of, with either start, and what each outcome of each sample contributes to it.

    atoms: outcomes where P has mass and the other side has none; ties: those that were counted instead.
    """

    lifted: Floats
    flat: Floats
    contributions: tuple[Floats, ...]
    atoms: int
    ties: int


def kl(
    x: Any, y: Any, *, k: int | None = None, start: str = "auto", level: float | None = 0.95, base: Any = None
) -> Estimate:
    """KL(P || Q) from samples x of P and y of Q, by the distances to the k nearest (Wang, Kulkarni, Verdu, 2009)."""
    x, y = points(x, "x", 3), points(y, "y", 3)
    same_space(x, y)
    return _estimate("kl", _ratios, (x, y), k, start, level).in_base(base)


def entropy(
    x: Any, *, k: int | None = None, start: str = "auto", level: float | None = 0.95, base: Any = None
) -> Estimate:
    """The differential entropy of P from a sample x, by the distances to the k nearest (Kozachenko, Leonenko, 1987)."""
    return _estimate("entropy", _surprises, (points(x, "x", 3),), k, start, level).in_base(base)


def _ratios(k: int, wide: int, start: str, x: Floats, y: Floats) -> Terms:
    p, q = side(x, x, k, wide, start, "x"), side(y, x, k, wide, start, "y")
    tied = (p.radii == 0) | (q.radii == 0)
    with np.errstate(invalid="ignore"):
        lifted, flat, broad = p.lifted - q.lifted, p.flat - q.flat, p.wide - q.wide
    if tied.any():
        lifted[tied] = flat[tied] = broad[tied] = _counted(x, y, k, tied)
    each = (broad + p.loss(len(x)), q.loss(len(y)) * (len(y) / len(x)))
    return Terms(lifted, flat, each, int(np.isinf(flat).sum()), int(tied.sum()))


def _surprises(k: int, wide: int, start: str, x: Floats) -> Terms:
    p = side(x, x, k, wide, start, "x")
    tied = int((p.radii == 0).sum())
    return Terms(-p.lifted, -p.flat, (-p.wide - p.loss(len(x)),), tied, tied)


def _counted(x: Floats, y: Floats, k: int, tied: Any) -> Floats:
    """log of the ratio of densities by counts in one ball, where duplicates leave no volume to divide by.

    The ball is the closed one that ends at the outcome's own k-th neighbour, a point where that is a duplicate; of both
    samples as many outcomes count as it holds, and volumes cancel (Wang, Kulkarni, Verdu, 2009, equation 29).
    """
    centres = x[tied]
    radii = neighbours.nearest(x, x, [k], within=True)[0][tied, 0]
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
    k = min(K_OF_A_LINE[quantity] if d == 1 else K, min(n) - 1) if k is None else k
    _checked(k, start, samples)
    normal = start == "normal" or (start == "auto" and d > FLAT)
    # A jackknife counts what j outcomes do together j times (Efron and Stein, Annals of Statistics 9, 1981), and so
    # finds the variance of k neighbours too large, that of more than twice as many about right.
    wide = 0 if checked(level) is None or min(n) < FEWEST else min(2 * k + 2, min(n) - 2)
    seen = terms(k, wide, "raw" if start == "flat" else "normal" if normal or wide else "flat", *samples)
    if seen.atoms:
        return _atoms(quantity, seen, k, n)
    said = [f"{'normal' if normal else 'flat'} start"]
    if seen.ties:
        said.append(f"{seen.ties} of {n[0]} outcomes by counts, for {k} duplicates or more")
    mean, other = (float(part.mean()) for part in ((seen.lifted, seen.flat) if normal else (seen.flat, seen.lifted)))
    error = math.sqrt(sum(float(part.var(ddof=1)) / len(part) for part in seen.contributions)) if wide else None
    ends, instead = None, ""
    if error is None:
        said.append("no interval was asked for" if level is None else f"no standard error below {FEWEST} outcomes")
    else:
        index, lean = tail_index(seen.contributions[-1]), abs(mean - other) / error
        if index > VARIANCE:
            said.append(f"the ratio of densities has a Pareto tail of index {index:.2f}: the variance may not exist")
            instead = BOUND
        elif min(n) < SURE:
            said.append(f"no interval below {SURE} outcomes, where it was found too short")
        elif lean > LEAN:
            said.append(f"no interval: flat and normal start differ by {lean:.1f} standard errors")
            instead = BOUND if lean > 2 else ""
        elif d > 1:
            said.append("no interval in more than one dimension, where it was found too short on some laws")
        else:
            one, two = normal_interval(min(mean, other), error, level), normal_interval(max(mean, other), error, level)
            ends = one and two and (one[0], two[1])
    how, level = ("jackknife, over both starts", level) if ends else ("", None)
    method = f"nearest neighbours, k = {k}"
    return Estimate(mean, error, ends, level, how, n, quantity, method, "; ".join(said), instead)


BOUND = "method='nwj', a lower bound in expectation"


def _atoms(quantity: str, seen: Terms, k: int, n: tuple[int, ...]) -> Estimate:
    """An atom of P that Q has not makes the divergence +oo, and any atom the differential entropy -oo."""
    value = math.inf if quantity == "kl" else -math.inf
    what = "none of them in y: an atom that Q has not" if quantity == "kl" else "an atom, and no density"
    said = f"{seen.atoms} outcomes of x have {k} duplicates or more, {what}"
    other = "method='counts', where outcomes are categories; more digits, where they were rounded"
    return Estimate(value, None, None, None, "", n, quantity, f"nearest neighbours, k = {k}", said, other)


def _checked(k: int, start: str, samples: tuple[Floats, ...]) -> None:
    if start not in STARTS:
        raise ParameterError(f"start is {start!r}; it is one of {', '.join(STARTS)}{near(start, STARTS)}")
    if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
        raise ParameterError(f"k is {k}; a whole number of neighbours from 1 on is needed")
    for name, sample, known in zip("xy", samples, (len(samples[0]) - 1, len(samples[-1])), strict=False):
        if k > known:
            raise ParameterError(f"k is {k}, and {name} has {len(sample)} outcomes; take a smaller k")
