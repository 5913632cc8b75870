"""The registry of subjects: other people's implementations, each by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ...adapters.reading import Library, names_of
from ...core.errors import ParameterError, nearest
from ...core.names import identifier
from ...families import array_catalog, catalog
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

    def words(self, kind: str) -> tuple[str, frozenset[str] | None]:
        """The module of a class, and the names of its arguments, None where these are never written.

        Raises ParameterError for a class that is in none of the tables.
        """
        if not self.adapter:
            known: Mapping[str, Any] = {**catalog, **array_catalog()}
            if kind in known:
                return "", None
        else:
            known = self._words
            if kind in known:
                return known[kind]
        raise ParameterError(f"{self.name} has no {kind!r}{nearest(kind, known)}")

    @cached_property
    def _words(self) -> dict[str, tuple[str, frozenset[str]]]:
        dialect, library = self.dialect, self.library
        assert library is not None
        found = {kind: (dialect.home, _arguments(library, kind)) for kind in library.rows}
        for home, classes in dialect.objects.items():
            for kind, arguments in classes.items():
                before = found.get(kind, ("", frozenset()))[1]
                found[kind] = (home, before | frozenset(arguments.split()))
        return found


def _arguments(library: Library, kind: str) -> frozenset[str]:
    """The arguments of a class that the laws of its row name, or that have a value where no law names them."""
    row = library.rows[kind]
    named = {name for law in (row if isinstance(row, tuple) else (row,)) for name in names_of(law)}
    sources = {library.derived.get(name, (name,))[0] for name in named}
    return frozenset({*sources, *library.standard, *library.examples.get(kind, ())})


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
