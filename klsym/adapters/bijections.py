"""Laws of images under the bijections of the line that other libraries have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from ..core.construct import transform
from ..core.domain import Interval
from ..core.errors import ParameterError, UnderivableError
from ..core.family import Distribution
from .reading import Library, Reading, scaled, shifted

Expression = Callable[[Any], Any]


def image(law: Distribution, name: str, forward: Expression, inverse: Expression, falling: bool = False) -> Any:
    """The law of forward(X), a function that rises or falls on the whole support."""
    x, ends = law.family.variable, (law.family.support.lower, law.family.support.upper)
    lower, upper = (forward(end) for end in (reversed(ends) if falling else ends))
    family = transform(
        law.family,
        f"{name}{law.family.name}",
        forward=forward(x),
        inverse=inverse(x),
        support=Interval(lower, upper),
    )
    return family(*law.values)


def negated(law: Distribution) -> Distribution:
    """The law of -X."""
    return image(law, "Negative", lambda x: -x, lambda x: -x, falling=True)


@dataclass(frozen=True)
class Bijection:
    """A function of the line and its inverse."""

    name: str
    forward: Expression
    inverse: Expression


# By the name that torch and numpyro have for it.
BIJECTIONS: dict[str, Bijection] = {
    "ExpTransform": Bijection("Exp", sp.exp, sp.log),
    "SigmoidTransform": Bijection("Sigmoid", lambda x: 1 / (1 + sp.exp(-x)), lambda x: sp.log(x) - sp.log(1 - x)),
    "TanhTransform": Bijection("Tanh", sp.tanh, lambda x: (sp.log(1 + x) - sp.log(1 - x)) / 2),
}


def transformed(base: str) -> Callable[[Library, Any], tuple[Reading, ...]]:
    """How a distribution is read whose outcome is the image of another's, by its attribute of that name."""

    def read(library: Library, d: Any) -> tuple[Reading, ...]:
        found = []
        for reading in library.read(getattr(d, base)):
            if not isinstance(reading.law, Distribution) or reading.events:
                raise UnderivableError(f"{type(d).__name__} of {library.name}: transforms of vectors are not known")
            law, values = reading.law, dict(reading.values)
            for place, step in enumerate(d.transforms):
                law = _image(library, law, step, f"_{place}", values)
            found.append(Reading(law, values, library.batch(d)))
        return tuple(found)

    return read


def _image(library: Library, law: Distribution, step: Any, suffix: str, values: dict[str, Any]) -> Distribution:
    """The law after one more transform; what it is made with is added to the values."""
    name = type(step).__name__
    if name == "AffineTransform":
        factor = np.asarray(library.plain(step.scale))
        if not ((factor > 0).all() or (factor < 0).all()):
            raise ParameterError(f"{name} of {library.name}: scales of both signs, or 0, are no bijection of one kind")
        law = law if (factor > 0).all() else negated(law)
        values |= {f"outer_scale{suffix}": abs(step.scale), f"outer_loc{suffix}": step.loc}
        return shifted(scaled(law, sp.Symbol(f"outer_scale{suffix}")), sp.Symbol(f"outer_loc{suffix}"))
    if name not in BIJECTIONS:
        known = ", ".join(["AffineTransform", *BIJECTIONS])
        raise UnderivableError(f"{name} of {library.name} is not known; known are {known}")
    known = BIJECTIONS[name]
    return image(law, known.name, known.forward, known.inverse)
