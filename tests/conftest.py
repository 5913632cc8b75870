"""Fixtures that the tests share."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import sympy as sp

from klsym.core.family import Distribution, Family


@pytest.fixture(scope="session")
def typical() -> Callable[..., Distribution]:
    """typical(family, seed) is a member whose values, drawn from the typical ranges, are exact as floats."""

    def draw(family: Family, seed: int = 0) -> Distribution:
        rng = random.Random(f"{family.name} {seed}")
        values = []
        for parameter in family.parameters:
            low, high = parameter.typical
            whole = parameter.domain.integer
            values.append(
                rng.randint(int(low), int(high)) if whole else sp.Rational(round(256 * rng.uniform(low, high)), 256)
            )
        return family(*values)

    return draw
