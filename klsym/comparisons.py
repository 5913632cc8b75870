"""Divergences that compare the two densities point by point, each a Formula: Jensen-Shannon, total variation, any f.

p and q are as for `klsym.kl`: families, distributions (of klsym or of another library), or arrays of probabilities with
the options `axis` and `normalize`. Where no closed form is known the formula is the integral, which `evaluate`
measures.
"""

from __future__ import annotations

from typing import Any

from . import divergences
from .api import measured
from .divergences import ordered


def jensen_shannon(p: Any, q: Any, weight: Any = 0.5, *, base: Any = None, share: Any = (), **options: Any) -> Any:
    """Jensen-Shannon divergence, the mean of KL(p || m) and KL(q || m), where m = weight p + (1 - weight) q.

    `weight`, between 0 and 1, is also that of the first in the mean; a number, or a name or symbol for one.
    ParameterError for another. (Lin, IEEE Trans. Inf. Theory 37, 1991.)

    >>> from klsym import Normal, Uniform, jensen_shannon
    >>> jensen_shannon(Uniform(0, 1), Uniform(2, 3)).value
    log(2)
    >>> print(jensen_shannon(Normal(0, 1), Normal(1, 1)).evaluate(12))
    0.111421482185
    """
    return measured(ordered(divergences.jensen_shannon, weight), p, q, base, share, False, options)


def jensen_shannon_distance(p: Any, q: Any, *, base: Any = None, share: Any = (), **options: Any) -> Any:
    """The root of the Jensen-Shannon divergence with equal weights, a metric; in units of the root of log(base).

    (Endres and Schindelin, IEEE Trans. Inf. Theory 49, 2003.)

    >>> from klsym import Bernoulli, jensen_shannon_distance
    >>> jensen_shannon_distance(Bernoulli(0), Bernoulli(1), base=2).evaluate().value
    mpf('1.0')
    """
    return measured(divergences.jensen_shannon_distance, p, q, base, share, False, options)


def total_variation(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Total variation distance, the largest difference of the probabilities of an event: half of int |p - q|.

    (Tsybakov, Introduction to Nonparametric Estimation, 2.4.)

    >>> from klsym import Uniform, total_variation
    >>> total_variation(Uniform(0, 1), Uniform(0, 4)).value
    3/4
    """
    return measured(divergences.total_variation, p, q, None, share, False, options)


def f_divergence(p: Any, q: Any, f: Any, *, share: Any = (), **options: Any) -> Any:
    """The divergence E_q[f(p/q)] of a convex generator f with f(1) = 0, a number without a unit.

    `f` is a text in t, a SymPy expression in one symbol, a Lambda, or a function that makes such an expression. Mass
    that one distribution has alone counts f(0), or the slope of f at infinity. Where f is a sum of multiples of
    t log(t), log(t) and powers of t the parts are derived, and arrays of probabilities are taken. ParameterError for an
    f that is not convex, or not 0 at 1. (Liese and Vajda, IEEE Trans. Inf. Theory 52, 2006.)

    >>> from klsym import Exponential, Normal, f_divergence
    >>> f_divergence(Normal(0, 1), Normal(1, 1), "t*log(t)").value
    1/2
    >>> f_divergence(Exponential(1), Exponential(2), "(t - 1)**2").value
    oo
    >>> print(f_divergence(Normal(0, 1), Normal(1, 1), "(t - 1)**2/(t + 1)").evaluate(12))
    0.408108531267
    """
    from .generators import generated

    return measured(generated(f), p, q, None, share, False, options)


def kolmogorov(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Kolmogorov distance, the greatest difference of the two distribution functions.

    That of arrays is of the sums along them. Closed where it is known at which outcomes the densities cross, else
    measured there.
    (Kolmogorov, Giorn. Ist. Ital. Attuari 4, 1933; Gibbs and Su, Int. Stat. Rev. 70, 2002.)

    >>> from klsym import Exponential, kolmogorov
    >>> kolmogorov(Exponential(1), Exponential(2)).value
    1/4
    """
    if not all(isinstance(d, (list, tuple)) or hasattr(d, "__array__") for d in (p, q)):
        return measured(divergences.kolmogorov, p, q, None, share, False, options)
    import numpy as np

    from .vectors import Floats, summed

    def greatest(p: Floats, q: Floats) -> Floats:
        return np.max(np.abs(np.cumsum(p - q, axis=-1)), axis=-1, keepdims=True)

    return summed(greatest, (p, q), **options)
