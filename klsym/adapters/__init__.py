"""Distributions of other libraries as klsym's: tables, one file a library."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reading import Library

# The file that reads the subclasses of a class, by the package that has it and its name.
CLASSES: dict[tuple[str, str], str] = {
    ("scipy", "rv_frozen"): "scipy",
    ("scipy", "multi_rv_frozen"): "scipy",
    ("scipy", "UnivariateDistribution"): "scipy",
    ("torch", "Distribution"): "torch",
    ("numpyro", "Distribution"): "numpyro",
    ("tensorflow_probability", "Distribution"): "tfp",
    ("distrax", "Distribution"): "distrax",
    ("sympy", "RandomSymbol"): "sympy",
    ("sympy", "RandomMatrixSymbol"): "sympy",
}


def library(d: Any) -> Library | None:
    """The library that the object is a distribution of, None for anything else; nothing is imported to find out."""
    for kind in type(d).__mro__:
        file = CLASSES.get((kind.__module__.partition(".")[0], kind.__name__))
        if file is not None:
            return import_module(f".{file}", __name__).LIBRARY
    return None
