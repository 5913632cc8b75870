"""Hypothesis strategies for the parameters of families, and of pairs that come near each other on purpose."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ..core.family import Distribution, Family
from .points import Drawing, Point, members

Values = dict[str, float]


def parameters(
    family: Family | Distribution, *, extreme: bool = False, ends: bool = False
) -> st.SearchStrategy[Values]:
    """The values by name of a member's parameters, within their domains and the family's constraint.

    Sizes are from a hundredth to a hundred, and shrink to plain numbers; with `extreme` from 1e-8 to 1e8. `ends` adds
    the closed ends of domains, such as probabilities 0 and 1. Of a distribution the bound parameters keep their values.

    >>> from hypothesis import find
    >>> from klsym import Gamma
    >>> find(parameters(Gamma), lambda values: values["alpha"] > 2)
    {'alpha': 3.0, 'beta': 1.0}
    """
    drawing = Drawing(members(family), near=False, ends=ends, extreme=extreme)
    return _drawn(drawing).map(lambda sides: sides[0])


def pairs(
    p: Family | Distribution,
    q: Family | Distribution | None = None,
    *,
    near: bool = True,
    extreme: bool = False,
    ends: bool = False,
) -> st.SearchStrategy[tuple[Values, Values]]:
    """The values of P's parameters and of Q's, each by name; Q is of P's family if it is left out.

    With `near` some pairs differ in one parameter or in all of them by relative gaps from 0.1 to 1e-16, by a few units
    of the last place, or not at all: there every textbook formula cancels. Pairs of two families do so where klsym
    knows that they meet, as Gamma and Weibull at the exponential. `extreme` and `ends` as for `parameters`.

    >>> from hypothesis import find
    >>> from klsym import Exponential
    >>> find(pairs(Exponential), lambda both: both[0] == both[1])
    ({'rate': 1.0}, {'rate': 1.0})
    """
    return _drawn(Drawing(members(p, p if q is None else q), near=near, ends=ends, extreme=extreme))


def _drawn(drawing: Drawing) -> st.SearchStrategy[Any]:
    names = [[parameter.name for parameter in member.family.parameters] for member in drawing.of.members]

    def named(point: Point) -> tuple[Values, ...]:
        return tuple(
            dict(zip(side, values, strict=True)) for side, values in zip(names, drawing.of.numbers(point), strict=True)
        )

    return drawing.points.map(named)
