"""Bounds of the entropy of a mixture f = sum pi_a f_a."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from .bounds import Bound, outward
from .lower import spread
from .pairs import Gauss, log_products


def lowers(pi: np.ndarray, own: np.ndarray, entropies: np.ndarray, f: Gauss | None) -> list[Bound]:
    """Every lower bound that the components allow."""
    found = [Bound("concavity", outward(pi * entropies, -1), "Cover and Thomas, Elements of Information Theory, 2.7.3")]
    if f is not None:
        value = outward(-pi * logsumexp(log_products(f, f) + np.log(pi), axis=1), -1, f.condition)
        found.append(Bound("products of densities", value, "Huber, Bailey, Durrant-Whyte, Hanebeck, MFI 2008"))
    return found


def uppers(pi: np.ndarray, own: np.ndarray, entropies: np.ndarray, f: Gauss | None) -> list[Bound]:
    """Every upper bound that the components allow; `own` are the divergences of the components from each other."""
    labels = outward([pi * entropies, -pi * np.log(pi)], 1)
    pairwise = outward([pi * entropies, -pi * logsumexp(np.log(pi) - own, axis=1)], 1)
    found = [
        Bound("entropy of the labels", labels, "Cover and Thomas, Elements of Information Theory, 2.2.1"),
        Bound("pairs", pairwise, "Kolchinsky and Tracey, Entropy 19, 2017, 3"),
    ]
    if f is not None:
        _, covariance = spread(pi, f)
        log_det = np.linalg.slogdet(2 * np.pi * np.e * covariance)[1] / 2
        value = outward(log_det, 1, float(np.linalg.cond(covariance)))
        found.append(
            Bound("normal of equal covariance", value, "Cover and Thomas, Elements of Information Theory, 8.6.5")
        )
    return found
