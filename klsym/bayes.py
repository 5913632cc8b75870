"""Bayes' rule for two outcomes: the law of the later one alone, and that of the earlier one given it."""

from __future__ import annotations

from typing import Any

import sympy as sp

from .arrays.family import ArrayDistribution, Factor
from .arrays.joint import domain_of, symbols
from .core.domain import Domain, Parameter
from .core.errors import UnderivableError
from .core.family import Distribution, Family
from .derive.arrays.affine import affine_parts
from .derive.marginal import integrated, recognised
from .families import array_catalog, catalog


def bayes(earlier: Factor, later: Factor) -> tuple[Any, Any]:
    """The law of the later outcome with the earlier one integrated out, and that of the earlier given the later.

    Raises UnderivableError where no rule integrates.
    """
    if isinstance(earlier.law, Distribution) and isinstance(later.law, Distribution):
        return _of_numbers(earlier, later)
    if all(
        isinstance(f.law, ArrayDistribution) and f.law.family.name == "MultivariateNormal" for f in (earlier, later)
    ):
        return _of_normals(earlier, later)
    raise UnderivableError(f"no rule integrates {earlier.outcome} ~ {earlier.law} out of {later.outcome} ~ {later.law}")


def _of_numbers(earlier: Factor, later: Factor) -> tuple[Distribution, Distribution]:
    """By the normalising integral; numbers stand back as symbols while a family of the result is looked for."""
    x, y, numbers = earlier.outcome, later.outcome, {}
    prior, likelihood = _generic(earlier.law, numbers), _generic(later.law, numbers)
    marginal, posterior = integrated(prior, likelihood, x, y)
    others = [s for law in (prior, likelihood) for v in law.values for s in symbols(v) if s != x]
    own = tuple(Parameter(s, domain_of(s), domain_of(s).typical) for s in dict.fromkeys(others))
    seen = _outcomes(likelihood)(y)
    alone = Family("Marginal", own, likelihood.support, marginal, y, discrete=likelihood.family.discrete)
    given = Family("Posterior", (*own, seen), prior.support, posterior, x, discrete=prior.family.discrete)
    found = recognised(alone, catalog.values()), recognised(given, (prior.family,))
    return found[0].subs(numbers), found[1].subs(numbers)


def _generic(law: Distribution, numbers: dict[Any, Any]) -> Distribution:
    """The law with symbols for its numbers, which go into `numbers`."""
    values = []
    for parameter, value in zip(law.family.parameters, law.values, strict=True):
        if value.is_number and parameter.domain.lower < value < parameter.domain.upper:
            symbol = parameter.domain.symbol(f"c{len(numbers)}#")
            numbers[symbol] = value
            value = symbol
        values.append(value)
    return Distribution(law.family, tuple(values))


def _outcomes(law: Distribution) -> Domain:
    """The domain of the law's outcomes, as far as it is known without its parameters."""
    low, high = law.support.lower, law.support.upper
    if law.family.discrete:
        return Domain("outcomes", low if low.is_number else sp.S.Zero, sp.oo, True, integer=True, typical=(1, 2))
    lower, upper = low if low.is_number else -sp.oo, high if high.is_number else sp.oo
    return Domain("outcomes", lower, upper, typical=(0.2, 0.8) if high.is_number else (0.6, 2.5))


def _of_normals(earlier: Factor, later: Factor) -> tuple[ArrayDistribution, ArrayDistribution]:
    """y ~ N(A x + b, R), x ~ N(m, S): y ~ N(A m + b, C), C = R + A S A', and x | y ~ N(m + K (y - A m - b), S - K A S)

    with K = S A' C^-1 (Anderson, An Introduction to Multivariate Statistical Analysis, 2.4-2.5).
    """
    x, y = earlier.outcome, later.outcome
    (m, S), (mean, R) = (f.law.usual for f in (earlier, later))
    a, b = affine_parts(mean, x)
    if a is None or R.has(x):
        raise UnderivableError(f"no rule integrates {x} ~ {earlier.law} out of {y} ~ {later.law}")
    normal = array_catalog()["MultivariateNormal"]
    centre, spread = a * m + b, R + a * S * a.T
    gain = S * a.T * sp.Inverse(spread)
    marginal = normal(centre, spread)
    return marginal, normal(m + gain * (y - centre), S - gain * a * S)
