"""Fixtures that the tests share."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing with them"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text) compares the text with tests/golden/name, or writes it under --update-golden."""

    def compare(name: str, text: str) -> None:
        path = Path(__file__).parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} has changed; if that is right, --update-golden"

    return compare
