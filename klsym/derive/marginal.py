"""Integrating an outcome out: the law of a later outcome, and that of the earlier one given the later."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from ..core.domain import Interval
from ..core.errors import UnderivableError
from ..core.family import Distribution, Family
from .kernel import Kernel
from .linear import ONE, linear
from .membership import as_member
from .views import COORDINATES, kernel_of


def integrated(prior: Distribution, likelihood: Distribution, x: sp.Symbol, y: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """log of the density of y, and of that of x given y, for x ~ prior and y ~ likelihood, which has x in it.

    The joint density is a kernel in x whose natural parameters depend on y: the marginal is its normalising integral.
    Raises UnderivableError where it is no kernel.
    """
    whole = prior.log_density(x) + likelihood.log_density(y)
    for z, inverse, support in _coordinates(prior):
        density = linear(sp.expand_log(whole.xreplace({x: inverse}) + sp.log(sp.diff(inverse, z))), z)
        kernel = kernel_of(density, z, support)
        if isinstance(kernel, Kernel):
            marginal = sp.expand_log(density.get(ONE, sp.S.Zero) + kernel.log_z(*kernel.eta))
            return marginal, whole - marginal
    raise UnderivableError(f"no normalising integral is known for {x} ~ {prior} and {y} ~ {likelihood}")


def _coordinates(prior: Distribution) -> Iterable[tuple[sp.Symbol, sp.Expr, Interval]]:
    ends = (prior.support.lower, prior.support.upper)
    if prior.family.discrete:
        return
    for coordinate in COORDINATES.get(ends, ()):
        yield coordinate.y, coordinate.inverse(coordinate.y), coordinate.support


def recognised(family: Family, candidates: Iterable[Family]) -> Distribution:
    """The family's generic member as one of the first candidate that holds it, or as it is."""
    for candidate in sorted(candidates, key=lambda c: (len(c.parameters), c.name)):
        ends = zip(_ends(candidate), _ends(family), strict=True)
        if any(theirs != own for theirs, own in ends if theirs.is_number and own.is_number):
            continue
        if (values := as_member(family, candidate)) is not None:
            return Distribution(candidate, values)
    return Distribution(family, tuple(p.symbol for p in family.parameters))


def _ends(family: Family) -> tuple[sp.Expr, sp.Expr]:
    return family.support.lower, family.support.upper
