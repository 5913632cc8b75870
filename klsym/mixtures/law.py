"""A mixture of scalar distributions as a distribution that the oracles can measure."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from ..core.continuity import at
from ..core.domain import Interval
from ..core.errors import ParameterError
from ..core.exact import atom
from ..core.family import Distribution, Family
from ..core.mixture import Mixture


@lru_cache(maxsize=256)
def law(m: Mixture) -> Distribution:
    """The member of a family without parameters whose density is the weighted sum, each term on its own support."""
    x = m.components[0].family.variable
    supports = [d.support for d in m.components]
    hull = Interval(sp.Min(*(s.lower for s in supports)), sp.Max(*(s.upper for s in supports)), supports[0].periodic)
    terms = [atom(w) * _on(d, hull, x) for w, d in zip(m.weights, m.components, strict=True)]
    return Family(str(m), (), hull, sp.log(sp.Add(*terms)), x, discrete=m.discrete)()


def _density(d: Distribution, x: sp.Symbol) -> sp.Expr:
    place = atom_of(d)
    return sp.exp(d.log_density(x)) if place is None else sp.Piecewise((1, sp.And(x >= place, x <= place)), (0, True))


@lru_cache(maxsize=1024)
def atom_of(d: Distribution) -> sp.Expr | None:
    """The integer that has all the mass of a discrete member at a closed end of a parameter's domain, as Poisson(0)."""
    if not d.log_density().has(sp.zoo, sp.nan, sp.oo):
        return None
    for k in (d.support.lower, d.support.upper) if d.family.discrete else ():
        if k.is_finite and at(d.family.log_density.xreplace({d.family.variable: k}), d.bindings) == 0:
            return k
    raise ParameterError(f"{d} has no density to mix: a parameter is at the end of its domain")


def _on(d: Distribution, hull: Interval, x: sp.Symbol) -> sp.Expr:
    """The density of d on its support and 0 elsewhere; it is never looked at where loggamma has a pole."""
    lower, upper = d.support.lower, d.support.upper
    within = [x >= lower] * (lower != hull.lower) + [x <= upper] * (upper != hull.upper)
    if not within:
        return _density(d, x)
    density = _density(d, x)
    return sp.Piecewise(
        (density.xreplace({x: sp.Min(sp.Max(x, lower), upper)}) if d.family.discrete else density, sp.And(*within)),
        (0, True),
    )
