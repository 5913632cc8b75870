"""Truncation: the part of a law between two ends, its mass from the incomplete normalising integral."""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..core.domain import Domain, Interval, Parameter
from ..core.errors import ParameterError, UnderivableError
from ..core.family import Distribution, Family, exact
from ..core.names import checked_name
from .cdf import between

# Everyday values of an end among outcomes, by whether the outcomes have a least and a greatest.
TYPICAL: dict[tuple[bool, bool], tuple[tuple[float, float], tuple[float, float]]] = {
    (False, False): ((-1.5, 0.2), (0.6, 2.5)),
    (True, False): ((0.2, 0.8), (1.2, 3.0)),
    (False, True): ((-3.0, -1.2), (-0.8, -0.2)),
    (True, True): ((0.1, 0.4), (0.6, 0.9)),
}
COUNTS = ((1, 2), (4, 8))


def truncate(base: Family | Distribution, lower: Any = None, upper: Any = None) -> Any:
    """The law of X given that lower <= X <= upper, X from the base.

    Each end is a number, the name of a new parameter, or None (or an infinite number) for none; the ends of a
    distribution become parameters of its truncated family, `lower` and `upper`. Raises ParameterError for an interval
    that is reversed, empty, or has a part outside the support, and for the end of a discrete law that is no integer,
    and UnderivableError where no closed form of the mass in the interval is known.
    (Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, 10.1.)

    >>> from klsym import Exponential, Normal, Poisson, kl, truncate
    >>> truncate(Normal, "a", "b")
    TruncatedNormal(mu, sigma, a, b)
    >>> truncate(Normal("mu", "sigma"), 0, 1)
    TruncatedNormal(mu, sigma, 0, 1)
    >>> kl(truncate(Poisson, 1), truncate(Poisson, 1)).kind
    'closed'
    >>> kl(truncate(Exponential(2), 1), truncate(Exponential(1), 1)).value
    -1/2 + log(2)
    """
    if not isinstance(base, (Family, Distribution)):
        raise ParameterError(
            f"{base!r} is no law of numbers to truncate; give a family or a distribution, as Normal(0, 1)"
        )
    if isinstance(base, Distribution):
        given = [_open(lower, base.family, sp.oo), _open(upper, base.family, -sp.oo)]
        own = (base.support.lower, base.support.upper)
        given = [None if end == mine else end for end, mine in zip(given, own, strict=True)]
        names = [None if end is None else name for end, name in zip(given, ("lower", "upper"), strict=True)]
        return truncate(base.family, *names)(*base.values, *(end for end in given if end is not None))
    ends = [_open(lower, base, sp.oo), _open(upper, base, -sp.oo)]
    places, parameters = _places(base, ends)
    shown = f"{base.name} truncated to the outcomes from {places[0]} to {places[1]}"
    own = [base.support.lower, base.support.upper]
    cut = [None if place == end else place for place, end in zip(places, own, strict=True)]
    if cut == [None, None]:
        return base
    _demand(base, places, shown)
    first = None if cut[0] is None else cut[0] - 1 if base.discrete else cut[0]
    mass = between(Distribution(base, tuple(p.symbol for p in base.parameters)), first, cut[1])
    if mass is None:
        raise UnderivableError(
            f"no closed form is known for the mass of {shown}; `density` takes one with its constant"
        )
    return Family(
        name=_name(base, ends),
        parameters=base.parameters + parameters,
        support=Interval(*places),
        log_density=base.log_density - sp.log(mass),
        variable=base.variable,
        constraint=sp.And(base.constraint, _ordered(base, places)),
        discrete=base.discrete,
        references=base.references,
        whole=base,
    )


def _open(end: Any, base: Family, beyond: sp.Expr) -> Any:
    """None for an end that is none; `beyond` is the infinite number that leaves no outcome."""
    if end is None or isinstance(end, str):
        return end
    infinite = isinstance(end, (int, float)) and abs(end) == float("inf")
    value = sp.oo * (1 if end > 0 else -1) if infinite else exact(end, f"an end of the truncated {base.name}")
    if value == beyond:
        raise ParameterError(f"{base.name} truncated at {end}, which leaves no outcome; None is no end")
    return None if value.is_infinite else value


def _places(base: Family, ends: list[Any]) -> tuple[tuple[sp.Expr, sp.Expr], tuple[Parameter, ...]]:
    """The two ends of the support, and the parameters that are among them."""
    if base.whole is not None or base.support.periodic:
        raise ParameterError(
            f"{base.signature} is " + ("truncated already; truncate its base" if base.whole else "a law on the circle")
        )
    places, parameters = [base.support.lower, base.support.upper], []
    bounded = tuple(end.is_number and bool(end.is_finite) for end in places)
    for side, end in enumerate(ends):
        if isinstance(end, str):
            low, high = (
                own if fixed else (-sp.oo, sp.oo)[i]
                for i, (own, fixed) in enumerate(zip((base.support.lower, base.support.upper), bounded, strict=True))
            )
            domain = Domain("end", low, high, base.discrete and side == 1, False, base.discrete)
            typical = COUNTS[side] if base.discrete else TYPICAL[bounded[0], bounded[1]][side]
            parameters.append(domain(domain.symbol(checked_name(end)), *typical))
            places[side] = parameters[-1].symbol
        elif end is not None:
            places[side] = end
    return (places[0], places[1]), tuple(parameters)


def _demand(base: Family, places: tuple[sp.Expr, sp.Expr], shown: str) -> None:
    """Raises ParameterError where the interval is certain to be reversed, empty or too wide."""
    lower, upper = places
    if (lower >= upper if not base.discrete else lower > upper) == sp.true:
        raise ParameterError(f"{shown}: the interval is {'empty' if lower == upper else 'reversed'}")
    if (lower < base.support.lower) == sp.true or (upper > base.support.upper) == sp.true:
        raise ParameterError(f"{shown}: {base.name} has no mass outside {base.support.lower} to {base.support.upper}")
    for place in places if base.discrete else ():
        if place.is_number and place.is_finite and not place.is_Integer:
            raise ParameterError(f"{shown}: the outcomes are integers, and {place} is none")


def _ordered(base: Family, places: tuple[sp.Expr, sp.Expr]) -> Any:
    """That the ends are in order, and inside a support that depends on parameters."""
    lower, upper = places
    order = sp.Le(lower, upper) if base.discrete else sp.Lt(lower, upper)
    inside = (
        [sp.Lt(base.support.lower, lower)] if base.support.lower.free_symbols and lower != base.support.lower else []
    )
    if base.support.upper.free_symbols and upper != base.support.upper:
        inside.append(sp.Lt(upper, base.support.upper))
    return sp.And(order, *inside)


def _name(base: Family, ends: list[Any]) -> str:
    """TruncatedNormal, LeftTruncatedNormal where the upper end is that of the law, with ends that are numbers."""
    side = "" if None not in ends else "Right" if ends[0] is None else "Left"
    fixed = [str(end) for end in ends if end is not None and not isinstance(end, str)]
    return f"{side}Truncated{base.name}" + (f"[{', '.join(fixed)}]" if fixed else "")
