"""Families from families: shifts, scales and strictly monotone transforms."""

from __future__ import annotations

from typing import Any

import sympy as sp

from .domain import Interval, Parameter, integer, positive, real
from .errors import ParameterError
from .family import Distribution, Family, Origin
from .names import checked_name


def transform(
    base: Family,
    name: str,
    *,
    forward: sp.Expr,
    inverse: sp.Expr,
    support: Interval,
    parameters: tuple[Parameter, ...] = (),
    references: tuple[str, ...] = (),
) -> Family:
    """The family of forward(X), X from the base family.

    `forward` and `inverse` are expressions in the base family's variable; forward must be strictly
    monotone on the base's support, onto `support`, with a derivative that is nowhere 0 inside. A discrete
    base, or a name that means two things, raises ParameterError. (Casella and Berger, Statistical Inference,
    theorem 2.1.5.)

    >>> from klsym import Normal, half_line
    >>> x = Normal.variable
    >>> transform(Normal, "LogNormal2", forward=sp.exp(x), inverse=sp.log(x), support=half_line)
    LogNormal2(mu, sigma)
    """
    if base.discrete:
        raise ParameterError(f"transform needs a continuous family; {base.name} is discrete")
    return _image(base, name, Origin(base, forward, inverse), support, parameters, references)


def _image(
    base: Family,
    name: str,
    origin: Origin,
    support: Interval,
    parameters: tuple[Parameter, ...],
    references: tuple[str, ...] = (),
) -> Family:
    x, inverse = base.variable, origin.inverse
    size = sp.S.Zero if base.discrete else _log_size(sp.together(sp.diff(inverse, x)), x, support)
    return Family(
        name=name,
        parameters=base.parameters + parameters,
        support=support,
        log_density=base.log_density.subs(x, inverse) + size,
        variable=x,
        constraint=base.constraint,
        discrete=base.discrete,
        references=base.references + references,
        origin=origin,
    )


def _log_size(jacobian: sp.Expr, x: sp.Symbol, support: Interval) -> sp.Expr:
    """log |jacobian|, factor by factor: with no zero inside, a factor keeps the sign it has at one interior point."""
    inner = {
        (False, False): (support.lower + support.upper) / 2,
        (False, True): support.lower + 1,
        (True, False): support.upper - 1,
        (True, True): sp.S.Zero,
    }[bool(support.lower.is_infinite), bool(support.upper.is_infinite)]
    total = sp.S.Zero
    for factor in sp.Mul.make_args(jacobian):
        base, power = factor.as_base_exp()
        sign = base.subs(x, inner)
        total += power * sp.log(base if sign.is_positive else -base if sign.is_negative else sp.Abs(base))
    return total


def shift(base: Family | Distribution, by: Any = "loc") -> Any:
    """The family of X + by; `by` is the name of a new parameter, an integer for a discrete family, or a number for a
    distribution.

    >>> from klsym import Gamma
    >>> shift(Gamma, "loc")
    ShiftedGamma(alpha, beta, loc)
    >>> shift(Gamma(2, 3), 5)
    ShiftedGamma(2, 3, 5)
    """
    if isinstance(base, Distribution):
        return shift(base.family)(*base.values, by)
    domain = integer if base.discrete else real
    step = domain(domain.symbol(checked_name(by)))
    x, support = base.variable, base.support
    return _image(
        base,
        f"Shifted{base.name}",
        Origin(base, x + step.symbol, x - step.symbol),
        Interval(support.lower + step.symbol, support.upper + step.symbol, support.periodic),
        (step,),
    )


def scale(base: Family | Distribution, by: Any = "scale") -> Any:
    """The family of by * X; `by` is the name of a new positive parameter, or a number for a distribution.

    >>> from klsym import Beta
    >>> scale(Beta, "width")
    ScaledBeta(alpha, beta, width)
    """
    if isinstance(base, Distribution):
        return scale(base.family)(*base.values, by)
    factor = positive(positive.symbol(checked_name(by)))
    x, lower, upper = base.variable, base.support.lower, base.support.upper
    return transform(
        base,
        f"Scaled{base.name}",
        forward=x * factor.symbol,
        inverse=x / factor.symbol,
        support=Interval(lower * factor.symbol, upper * factor.symbol),
        parameters=(factor,),
    )
