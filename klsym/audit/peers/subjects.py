"""The registry of subjects: other people's implementations, each by its name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from ...adapters.reading import Library
from ...core.errors import ParameterError, nearest
from ...core.names import identifier
from .dialects import DISTRAX, NUMPYRO, SCIPY, SYMPY, TFP, TORCH, Dialect, own


@dataclass(frozen=True)
class Subject:
    """An implementation: how it is spelled, what its version is the version of, and which table reads its classes.

    `adapter` is a file of klsym.adapters, empty for somebody's function, which is called with values of klsym's
    families.
    """

    name: str
    dialect: Dialect
    packages: tuple[str, ...] = ()
    adapter: str = ""

    @cached_property
    def library(self) -> Library | None:
        """The table that reads the subject's distributions."""
        return import_module(f"klsym.adapters.{self.adapter}").LIBRARY if self.adapter else None

    @property
    def versions(self) -> dict[str, str]:
        """The versions of its packages; one that is not installed raises ParameterError."""
        try:
            return {package: version(package) for package in self.packages}
        except PackageNotFoundError as error:
            raise ParameterError(f"{self.name} cannot be asked: {error.name} is not installed here") from error


# Add a row here, its dialect in dialects.py and its table of classes in klsym.adapters, and it is audited.
SUBJECTS: dict[str, Subject] = {
    s.name: s
    for s in (
        Subject("torch", TORCH, ("torch",), "torch"),
        Subject("numpyro", NUMPYRO, ("numpyro", "jax"), "numpyro"),
        Subject("tfp", TFP, ("tfp-nightly", "jax"), "tfp"),
        Subject("distrax", DISTRAX, ("distrax", "tfp-nightly", "jax"), "distrax"),
        Subject("scipy", SCIPY, ("scipy", "numpy"), "scipy"),
        Subject("sympy", SYMPY, ("sympy",), "sympy"),
    )
}


@cache
def subject(name: str) -> Subject:
    """The subject of that name; "package.module:function" is a function of P's parameters and then Q's, as floats.

    Raises ParameterError for a name that is neither.

    >>> subject("scipy").dialect.imports
    'import numpy\\nimport scipy'
    >>> subject("math:hypot").name
    'math:hypot'
    """
    if name in SUBJECTS:
        return SUBJECTS[name]
    module, colon, function = name.partition(":")
    if not colon:
        raise ParameterError(
            f"{name!r} is no subject{nearest(name, SUBJECTS)}; it is one of {', '.join(SUBJECTS)}, or module:function"
        )
    for part in (*module.split("."), *function.split(".")):
        identifier(part.lstrip("_") if part.strip("_") else part)
    return Subject(name, own(module, function))
