"""How many draws tell two distributions apart: what no test can do with fewer, and what one does with more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

from .affinities import chernoff
from .api import Formula, kl
from .core.errors import ParameterError


@dataclass(frozen=True)
class SampleSize:
    """Bounds on the least number of independent draws with which a test keeps both error rates.

    needed: no test does it with fewer. enough: the likelihood ratio test does it with these. order: of the Chernoff
    coefficient that proves it.
    """

    needed: int
    enough: int
    order: float


def sample_size(p: Any, q: Any, alpha: float = 0.05, beta: float = 0.05) -> SampleSize:
    """Bounds on the number of draws that a test of P against Q needs, at the error rates alpha and beta.

    p, q: two distributions without free parameters, or probability vectors. alpha: the probability of deciding for Q
    where P holds; beta: of deciding for P where Q holds; both positive, with a sum below 1.

    What decides loses information, so that d(1 - alpha || beta) <= n KL(P || Q), and likewise from Q; and with the
    threshold chosen for it the likelihood ratio test has its rates as soon as n C(s) >= (1 - s) log(1/beta) + s
    log(1/alpha), C the Chernoff coefficient of any order s. For a small beta both bounds go as log(1/beta)/KL(P || Q),
    which is Stein's lemma. Raises ParameterError for rates out of range, for free parameters, and for p = q, which no
    number of draws tells apart. (Cover and Thomas, Elements of Information Theory, 11.8-11.9.)

    >>> from klsym import Exponential, sample_size
    >>> found = sample_size(Exponential(1), Exponential(2), alpha=0.05, beta=0.01)
    >>> found.needed, found.enough
    (16, 62)
    >>> sample_size([0.5, 0.5], [0.25, 0.75]).needed
    21
    """
    if not all(isinstance(rate, Real) for rate in (alpha, beta)):
        raise ParameterError(f"alpha is {alpha!r} and beta is {beta!r}; both are probabilities, as 0.05")
    if not (alpha > 0 and beta > 0 and alpha + beta < 1):
        raise ParameterError(f"alpha is {alpha} and beta is {beta}; both are positive, and their sum is below 1")
    import numpy as np
    from scipy.optimize import minimize_scalar

    pairs = kl(p, q), kl(q, p)
    free = ", ".join(str(s) for f in pairs[:1] if isinstance(f, Formula) for s in f.parameters)
    if free:
        raise ParameterError(f"p and q have the free parameters {free}; give them numbers")
    if not isinstance(pairs[0], Formula) and np.ndim(pairs[0]):
        raise ParameterError(f"p and q are {np.size(pairs[0])} pairs of vectors; one pair is taken at a time")
    forward, reverse = map(float, pairs)
    if math.isnan(forward) or math.isnan(reverse):
        raise ParameterError("KL(p || q) or KL(q || p) is NaN; p and q must be known numbers")
    if forward == 0 or reverse == 0:
        raise ParameterError("p and q are equal, as far as a double shows: no number of draws tells them apart")
    symbolic = isinstance(pairs[0], Formula)
    coefficient = chernoff(p, q, "s").compile("numpy") if symbolic else lambda s: float(chernoff(p, q, s))
    kept, lost = [1 - alpha, alpha], [beta, 1 - beta]
    needed = max(kl(kept, lost) / forward, kl(lost, kept) / reverse)
    # A line over a concave function is quasiconvex, so that a local minimum is the least.
    best = minimize_scalar(
        lambda s: ((1 - s) * math.log(1 / beta) + s * math.log(1 / alpha)) / coefficient(s),
        bounds=(0, 1),
        method="bounded",
    )
    return SampleSize(max(1, math.ceil(needed)), max(1, math.ceil(best.fun)), float(best.x))
