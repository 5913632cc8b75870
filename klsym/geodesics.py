"""The Fisher-Rao distance: the least length of a curve between two laws of a family, measured by Fisher information."""

from __future__ import annotations

from typing import Any

from . import divergences
from .api import measured


def fisher_rao(p: Any, q: Any, *, share: Any = (), **options: Any) -> Any:
    """Fisher-Rao distance of two members of one family, a Formula without a unit.

    p, q: families or distributions, or arrays of probabilities (options `axis`, `normalize`). Parameters that the two
    share stay what they are along the curve, so that with `share` the distance is that of the smaller family. Closed
    for families of one parameter whose information has an elementary root, and of two that are a hyperbolic half
    plane, as those of location and scale are; "undecided" where it is not known. Supports that move with a parameter,
    and kinks that do, have no such distance. (Rao, Bull. Calcutta Math. Soc. 37, 1945; Atkinson and Mitchell, Sankhya A
    43, 1981; Pinele, Strapasson and Costa, Entropy 22, 2020; Miyamoto et al., arXiv 2304.14885.)

    >>> from klsym import Normal, Poisson, fisher_rao
    >>> fisher_rao(Poisson, Poisson).value
    2*Abs(sqrt(lam_p) - sqrt(lam_q))
    >>> fisher_rao(Normal, Normal).value
    2*sqrt(2)*asinh(sqrt((mu_p - mu_q)**2/2 + (sigma_p - sigma_q)**2)/(2*sqrt(sigma_p)*sqrt(sigma_q)))
    >>> fisher_rao(Normal, Normal, share=["sigma"]).value
    Abs(mu_p - mu_q)/sigma_p
    """
    return measured(divergences.fisher_rao, p, q, None, share, False, options)
