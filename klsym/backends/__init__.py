"""From a Program to code: one small file a backend, mostly a spelling table."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from types import ModuleType

from ..core.errors import UnderivableError, UnknownNameError, nearest
from ..core.program import Program
from . import jax, numba, numpy, proof, torch
from .callable import Compiled
from .function import Report

# The fastest first.
BACKENDS: dict[str, ModuleType] = {
    **({"numba": numba} if find_spec("numba") else {}),
    "numpy": numpy,
    "exact": proof,
    "torch": torch,
    "jax": jax,
}

# Those whose functions are differentiated by their own library: they take a program with its derivatives.
DIFFERENTIATING = frozenset({"jax", "torch"})


def emit(program: Program, target: str = "numpy") -> str:
    """The source of a stand-alone module that computes the program; an unknown target raises UnknownNameError."""
    return _find(target).emit(_plain(program))


def _plain(program: Program) -> Program:
    """The program without the lines that estimate errors: nothing in a stand-alone module asks for them."""
    outputs = tuple(replace(output, error="", bound=0.0) for output in program.outputs)
    wanted = (*(output.line for output in outputs), *(condition.line for condition in program.conditions))
    return replace(program, outputs=outputs, lines=program.needed(*wanted))


def load(program: Program, backend: str | None = None, **options: bool) -> Compiled:
    """The program as a callable, by the fastest backend that has its primitives, or by the named one.

    An unknown name raises UnknownNameError, a backend that lacks a primitive UnderivableError. The options are those
    of Compiled: `second_pass` and `report`.
    """
    if backend is None:
        backend = "numba" if "numba" in BACKENDS and not numba.missing(program) else "numpy"
    return _find(backend).load(program, **options)


def _find(name: str) -> ModuleType:
    if name == "numba" and name not in BACKENDS:
        raise UnderivableError("numba is not installed; pip install numba, or take the backend numpy")
    if name not in BACKENDS:
        raise UnknownNameError(f"there is no backend {name!r}{nearest(name, BACKENDS)}; known: {', '.join(BACKENDS)}")
    return BACKENDS[name]


__all__ = ["BACKENDS", "DIFFERENTIATING", "Compiled", "Report", "emit", "load"]
