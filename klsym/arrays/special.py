"""Functions of array formulas that SciPy has not, in doubles; with no digits left, one by one in mpmath."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from .functions import BesselRatio, BetaBinomialMass, BinomialMass, LogBessel


# By the series in z^2 (DLMF 10.25.2) where its terms fall from the first: there the power of z would cancel.
def _log_bessel(nu: Any, z: Any) -> Any:
    scaled, square = special.ive(nu, z), np.minimum(z * z / 4, nu + 1)
    series = -nu * np.log(2) - special.gammaln(nu + 1) + np.log(special.hyp0f1(nu + 1, square))
    values = np.where(square < nu + 1, series, np.log(scaled) + z - nu * np.log(z))
    return _or_precisely(values, (square < nu + 1) | (scaled > 1e-290), LogBessel, nu, z)


def _bessel_ratio(nu: Any, z: Any) -> Any:
    scaled, square = special.ive(nu, z), np.minimum(z * z / 4, nu + 1)
    series = z / (2 * nu + 2) * special.hyp0f1(nu + 2, square) / special.hyp0f1(nu + 1, square)
    values = np.where(square < nu + 1, series, special.ive(nu + 1, z) / scaled)
    return _or_precisely(values, (square < nu + 1) | (scaled > 1e-290), BesselRatio, nu, z)


def _log_choices(n: Any, x: Any) -> Any:
    return -np.log1p(n) - special.betaln(x + 1, n - x + 1)


def _binomial_mass(x: Any, n: Any, p: Any) -> Any:
    return np.exp(_log_choices(n, x) + special.xlogy(x, p) + special.xlog1py(n - x, -p))


def _beta_binomial_mass(x: Any, n: Any, a: Any, b: Any) -> Any:
    return np.exp(_log_choices(n, x) + special.betaln(x + a, n - x + b) - special.betaln(a, b))


def _or_precisely(values: Any, known: Any, function: Any, *arguments: Any) -> Any:
    """The values where they are known, elsewhere those of mpmath, one by one."""
    if np.all(known):
        return values
    values, known, *given = np.broadcast_arrays(values, known, *arguments)
    values = np.array(values)
    values[~known] = function._imp_(*(a[~known] for a in given))
    return values


# With their numbers of arguments.
SPECIAL = {LogBessel: 2, BesselRatio: 2, BinomialMass: 3, BetaBinomialMass: 4}
DOUBLES = {
    "LogBessel": _log_bessel,
    "BesselRatio": _bessel_ratio,
    "BinomialMass": _binomial_mass,
    "BetaBinomialMass": _beta_binomial_mass,
}
