"""Mixtures of distributions of one outcome space: weights and components, all of them numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from .errors import ParameterError
from .exact import Exact, atom
from .family import exact

# The sum of n weights may miss 1 by n times this, as that of rounded doubles does.
ROUNDING = sp.Rational(1, 2**50)


@dataclass(frozen=True)
class Mixture:
    """The law of a draw from a component that is itself drawn, by the weights.

    >>> from klsym import Normal, mixture
    >>> mixture([0.25, 0.75], [Normal(0, 1), Normal(3, 1)])
    1/4*Normal(0, 1) + 3/4*Normal(3, 1)
    """

    weights: tuple[sp.Rational, ...]
    components: tuple[Any, ...]

    @property
    def discrete(self) -> bool:
        return space(self.components[0])[0] == "integers" or self._outcome_discrete

    @property
    def of_arrays(self) -> bool:
        return hasattr(self.components[0], "outcome")

    @property
    def _outcome_discrete(self) -> bool:
        return self.of_arrays and self.components[0].outcome.discrete

    @cached_property
    def law(self) -> frozenset[tuple[Any, sp.Rational]]:
        """What the mixture is, apart from the order of its components: two equal ones count as one."""
        totals: dict[Any, sp.Rational] = {}
        for weight, component in zip(self.weights, self.components, strict=True):
            totals[component] = totals.get(component, sp.S.Zero) + weight
        return frozenset(totals.items())

    def __repr__(self) -> str:
        if len(self.components) == 1:
            return str(self.components[0])
        if len(self.components) > 4:
            return f"mixture of {len(self.components)} {self.components[0].family.name}, ..."
        terms = zip(self.weights, self.components, strict=True)
        return " + ".join(f"{atom(weight)}*{component}" for weight, component in terms)


def mixture(weights: Sequence[Any], components: Iterable[Any]) -> Mixture:
    """The mixture of distributions with these weights.

    weights: as many numbers as components, not negative, that sum to 1; a sum that misses 1 by rounding (n 2^-50 for
    n weights) is made 1 by dividing. components: distributions of one outcome space, their parameters all numbers,
    or mixtures of them. Components of weight 0 are left out. Raises ParameterError. (McLachlan and Peel, Finite
    Mixture Models, 2000, 1.4.)

    >>> from klsym import Exponential, Gamma
    >>> mixture([0.5, 0.5], [Gamma(2, 1), Exponential(3)])
    1/2*Gamma(2, 1) + 1/2*Exponential(3)
    """
    parts = tuple(components)
    numbers = [_weight(given, place) for place, given in enumerate(weights)]
    if len(numbers) != len(parts) or not parts:
        raise ParameterError(f"{len(numbers)} weights were given for {len(parts)} components; one for each is needed")
    total = sum(numbers, sp.S.Zero)
    if abs(total - 1) > len(numbers) * ROUNDING:
        raise ParameterError(f"the weights sum to {float(total)}; they must sum to 1, so divide them by their sum")
    pairs: list[tuple[sp.Rational, Any]] = []
    for weight, part in zip(numbers, parts, strict=True):
        inner = as_mixture(part)
        pairs += [
            (weight / total * w, c) for w, c in zip(inner.weights, inner.components, strict=True) if weight * w != 0
        ]
    made = Mixture(tuple(w for w, _ in pairs), tuple(c for _, c in pairs))
    for component in made.components[1:]:
        same_space(made.components[0], component)
    return made


def as_mixture(given: Any) -> Mixture:
    """The mixture itself, or that of one distribution; what is not a distribution of numbers raises ParameterError."""
    if isinstance(given, Mixture):
        return given
    if not hasattr(given, "values") or not hasattr(given, "family"):
        hint = "; give its parameters values" if hasattr(given, "parameters") else ""
        raise ParameterError(f"{given} is not a distribution{hint}")
    names = [p.name for p, v in zip(given.family.parameters, given.values, strict=True) if _symbolic(v)]
    if names:
        raise ParameterError(f"{given} has no number for {', '.join(names)}; mixtures are of numbers alone")
    return Mixture((sp.S.One,), (given,))


def space(d: Any) -> tuple[Any, ...]:
    """What the outcomes are: real numbers, integers, angles, or arrays of a kind and size."""
    if hasattr(d, "outcome"):
        outcome = d.outcome
        return (outcome.name, outcome.size, outcome.columns, outcome.total)
    return ("integers" if d.family.discrete else "angles" if d.support.periodic else "real numbers",)


def same_space(a: Any, b: Any) -> None:
    """Raises ParameterError unless both have their outcomes in one space."""
    first, second = space(a), space(b)
    if first != second:
        shown = [
            f"{d} is of {' '.join(str(s) for s in kind if s is not None)}" for d, kind in ((a, first), (b, second))
        ]
        raise ParameterError(f"{shown[0]} and {shown[1]}; a mixture has one space of outcomes")


def _weight(given: Any, place: int) -> sp.Rational:
    number = exact(given, f"weight {place}")
    rational = number.rational if isinstance(number, Exact) else number
    if not isinstance(rational, sp.Rational):
        raise ParameterError(f"weight {place} is {given}; weights are rational numbers or doubles")
    if rational < 0:
        raise ParameterError(f"weight {place} is {given}; it must not be negative")
    return rational


def _symbolic(value: Any) -> bool:
    """Whether a parameter's value is no number and no array of numbers, which alone are no SymPy expressions."""
    return isinstance(value, sp.Basic) and not (isinstance(value, sp.Expr) and value.is_number)
