"""From a Program to code: one small file a backend, mostly a spelling table."""

from __future__ import annotations

from types import ModuleType

from ..core.errors import UnknownNameError, nearest
from ..core.program import Program
from . import numpy
from .callable import Compiled

# The fastest first.
BACKENDS: dict[str, ModuleType] = {"numpy": numpy}


def emit(program: Program, target: str = "numpy") -> str:
    """The source of a stand-alone module that computes the program; an unknown target raises UnknownNameError."""
    return _find(target).emit(program)


def load(program: Program, backend: str | None = None) -> Compiled:
    """The program as a callable, by the fastest backend or the named one; an unknown name raises UnknownNameError."""
    return _find(next(iter(BACKENDS)) if backend is None else backend).load(program)


def _find(name: str) -> ModuleType:
    if name not in BACKENDS:
        raise UnknownNameError(f"there is no backend {name!r}{nearest(name, BACKENDS)}; known: {', '.join(BACKENDS)}")
    return BACKENDS[name]
