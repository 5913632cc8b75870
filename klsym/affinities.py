"""The divergences that are functions of one integral c(alpha) = int p^alpha q^(1 - alpha), each a Formula.

p and q are as for `klsym.kl`: families, distributions (of klsym or of another library), or arrays of probabilities with
the options `axis` and `normalize`. `base` is the unit where the divergence is a logarithm; the others have none.
`alpha` is a positive number other than 1, or a name or symbol for one. Where supports differ the integral is over what
they share: for alpha > 1 the divergence is +oo if P has mass where Q has none, and where the integral diverges.
"""

from __future__ import annotations

from typing import Any

from . import divergences
from .api import measured
from .divergences import ordered


def renyi(p: Any, q: Any, alpha: Any, *, base: Any = None, share: Any = (), **options: Any) -> Any:
    """Renyi divergence log(c(alpha))/(alpha - 1) of order alpha, whose limit at 1 is the Kullback-Leibler divergence.

    ParameterError for an alpha that is not positive, or is 1. (van Erven and Harremoes, arXiv 1206.2459; closed forms
    of exponential families: Gil, Alajaji and Linder, Information Sciences 249, 2013.)

    >>> from klsym import Exponential, Normal, renyi
    >>> renyi(Exponential, Exponential, 2).value
    2*log(rate_p) - log(rate_q) - log(2*rate_p - rate_q)
    >>> renyi(Exponential, Exponential, 2).condition
    2*rate_p > rate_q
    >>> renyi(Normal(0, 1), Normal(1, 1), "alpha").evaluate(alpha=3).value
    mpf('1.5')
    >>> renyi([0.5, 0.5], [0.25, 0.75], 2)
    0.28768207245178...
    """
    return measured(ordered(divergences.renyi, alpha), p, q, base, share, False, options)


def tsallis(p: Any, q: Any, alpha: Any, *, share: Any = (), **options: Any) -> Any:
    """Tsallis divergence (c(alpha) - 1)/(alpha - 1), the Hellinger divergence of order alpha.

    (Tsallis, Phys. Rev. E 58, 1998; Liese and Vajda, IEEE Trans. Inf. Theory 52, 2006.)

    >>> from klsym import Poisson, tsallis
    >>> tsallis(Poisson(2), Poisson(1), 2).value
    -1 + E
    """
    return measured(ordered(divergences.tsallis, alpha), p, q, None, share, False, options)


def alpha_divergence(p: Any, q: Any, alpha: Any, *, share: Any = (), **options: Any) -> Any:
    """Alpha divergence (c(alpha) - 1)/(alpha (alpha - 1)), in the convention of Cichocki and Amari.

    Its limit at 1 is KL(p || q); at 1/2 it is 4 times the squared Hellinger distance, at 2 half of chi2. Amari's own
    parameter is 2 alpha - 1 up to its sign. (Cichocki and Amari, Entropy 12, 2010, equation 9.)

    >>> from klsym import Poisson, alpha_divergence
    >>> alpha_divergence(Poisson(2), Poisson(1), 2).value
    -1/2 + E/2
    """
    return measured(ordered(divergences.alpha_divergence, alpha), p, q, None, share, False, options)


def chernoff(p: Any, q: Any, alpha: Any, *, base: Any = None, share: Any = (), **options: Any) -> Any:
    """Chernoff alpha-coefficient -log c(alpha), 0 < alpha < 1, the exponent of P's weight in the mean of the two.

    Its greatest value over alpha is the Chernoff information. (Chernoff, Ann. Math. Stat. 23, 1952.)

    >>> from klsym import Exponential, chernoff
    >>> chernoff(Exponential(1), Exponential(2), 0.5).value
    -3*log(2)/2 + log(3)
    """
    return measured(ordered(divergences.chernoff, alpha), p, q, base, share, False, options)


def bhattacharyya(p: Any, q: Any, *, base: Any = None, share: Any = (), **options: Any) -> Any:
    """Bhattacharyya distance -log c(1/2), half the Renyi divergence of order 1/2; symmetric.

    (Bhattacharyya, Bull. Calcutta Math. Soc. 35, 1943; Kailath, IEEE Trans. Commun. Tech. 15, 1967.)

    >>> from klsym import Normal, bhattacharyya
    >>> bhattacharyya(Normal(0, 1), Normal(2, 1)).value
    1/2
    """
    return measured(divergences.bhattacharyya, p, q, base, share, False, options)


def hellinger2(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Squared Hellinger distance 1 - c(1/2), half the squared distance of the roots of the densities; from 0 to 1.

    (Le Cam and Yang, Asymptotics in Statistics, 3.1; Liese and Vajda, IEEE Trans. Inf. Theory 52, 2006.)

    >>> from klsym import Poisson, hellinger2
    >>> hellinger2(Poisson, Poisson).value
    1 - exp(sqrt(lam_p)*sqrt(lam_q) - lam_p/2 - lam_q/2)
    """
    return measured(divergences.hellinger2, p, q, None, share, False, options)


def hellinger(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Hellinger distance, a metric: the root of `hellinger2`.

    >>> from klsym import Uniform, hellinger
    >>> hellinger(Uniform(0, 1), Uniform(0, 4)).value
    sqrt(2)/2
    """
    return measured(divergences.hellinger, p, q, None, share, False, options)


def chi2(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Pearson's chi-square divergence E_q[(p/q - 1)^2] = c(2) - 1.

    (Pearson, Phil. Mag. 50, 1900; Liese and Vajda, IEEE Trans. Inf. Theory 52, 2006.)

    >>> from klsym import Poisson, chi2
    >>> chi2(Poisson, Poisson).value
    exp((lam_p - lam_q)**2/lam_q) - 1
    """
    return measured(divergences.chi2, p, q, None, share, False, options)


def reverse_chi2(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Neyman's chi-square divergence E_p[(q/p - 1)^2], which is chi2(q, p).

    (Neyman, Proc. First Berkeley Symposium, 1949.)

    >>> from klsym import Poisson, reverse_chi2
    >>> reverse_chi2(Poisson(1), Poisson(2)).value
    -1 + E
    """
    return measured(divergences.reverse_chi2, p, q, None, share, False, options)


def chernoff_information(p: Any, q: Any, *, base: Any = None, share: Any = (), **options: Any) -> Any:
    """Chernoff information, the greatest of -log c(alpha) over alpha: how fast the error of a Bayesian test falls.

    Closed where the best alpha is; elsewhere the number says at which alpha it is. (Chernoff, Ann. Math. Stat. 23,
    1952; Nielsen, arXiv 1102.2684 and 2207.03745.)

    >>> from klsym import Normal, chernoff_information
    >>> chernoff_information(Normal(0, 1), Normal(2, 1)).value
    1/2
    >>> chernoff_information([0.9, 0.1], [0.1, 0.9])
    0.51082562376599...
    """
    return measured(divergences.chernoff_information, p, q, base, share, False, options)
