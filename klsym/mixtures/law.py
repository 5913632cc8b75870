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
    terms = [
        atom(w) * _on(d.support, hull, _density(d, x), x) for w, d in zip(m.weights, m.components, strict=True)
    ]
    return Family(str(m), (), hull, sp.log(sp.Add(*terms)), x, discrete=m.discrete)()


def _density(d: Distribution, x: sp.Symbol) -> sp.Expr:
    value = d.log_density(x)
    return sp.exp(value) if not value.has(sp.zoo, sp.nan, sp.oo) else _single(d, x)


def _single(d: Distribution, x: sp.Symbol) -> sp.Expr:
    """The mass of a discrete member at a closed end of a parameter's domain: that of one integer, as Poisson(0)."""
    ends = [end for end in (d.support.lower, d.support.upper) if end.is_finite]
    for k in ends if d.family.discrete else ():
        if at(d.family.log_density.xreplace({d.family.variable: k}), d.bindings) == 0:
            return sp.Piecewise((1, sp.And(x >= k, x <= k)), (0, True))
    raise ParameterError(f"{d} has no density to mix: a parameter is at the end of its domain")


def _on(support: Interval, hull: Interval, density: sp.Expr, x: sp.Symbol) -> sp.Expr:
    within = [x >= support.lower] * (support.lower != hull.lower) + [x <= support.upper] * (support.upper != hull.upper)
    return sp.Piecewise((density, sp.And(*within)), (0, True)) if within else density
