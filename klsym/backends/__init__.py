"""From a Program to code: one small file a backend, mostly a spelling table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from ..core.errors import UnderivableError, UnknownNameError, nearest
from ..core.integral import IntegralProgram
from ..core.program import Program
from . import array_api, c, jax, numba, numpy, portable, proof, torch
from .callable import Compiled
from .function import Report
from .greatest import Greatest
from .host import Host
from .portable import ArrayProgram
from .quadrature.function import load as _load_integral
from .selfcheck import Example, about, check

# The fastest first; by default numba or NumPy.
BACKENDS: dict[str, ModuleType] = {
    **({"numba": numba} if find_spec("numba") else {}),
    "numpy": numpy,
    "c": c,
    "exact": proof,
    "torch": torch,
    "jax": jax,
    "array_api": array_api,
}

# Those whose functions are differentiated by their own library: they take a program with its derivatives.
DIFFERENTIATING = frozenset({"jax", "torch"})

# Those that compute integrals and sums; None is the fastest of them.
INTEGRATING = frozenset({None, "numpy", "numba"})

# What comes with a second pass and a self check of its own.
CORRECTED = frozenset({"c"})


def emit(program: Program, target: str = "numpy", examples: Iterable[Example] = ()) -> str:
    """The source of a stand-alone module that computes the program; an unknown target raises UnknownNameError.

    With examples it has a function `self_check` that computes them.
    """
    if target in CORRECTED:
        return _find(target).emit(program)
    source, known = _find(target).emit(_plain(program)), list(examples)
    if not known:
        return source
    head, _, tail = source.partition('"""\n\n')  # the docstring of the module
    return "\n".join(
        [f'{head}"""', "", "from fractions import Fraction", tail.rstrip("\n"), *check(program, target, known)]
    )


def hosted(host: Host, backend: str) -> Any:
    """A function of NumPy's arrays as one of the tensors or arrays of a backend that differentiates."""
    return _find(backend).hosted(host)


def array_source(program: ArrayProgram, target: str, examples: Iterable[portable.Example]) -> str:
    """The source of a stand-alone module of arrays, with a `self_check`; UnderivableError where a target has none."""
    module = _find(target)
    if not hasattr(module, "array_source"):
        raise UnderivableError(
            f"{program.name} takes arrays, which are not generated for {target}; take numpy, torch or jax"
        )
    source: str = module.array_source(program)
    return "\n".join([source.rstrip("\n"), *portable.check(program.name, target, list(examples))])


def _plain(program: Program) -> Program:
    """The program without the lines that estimate errors: nothing in a stand-alone module asks for them."""
    outputs = tuple(replace(output, error="", bound=0.0) for output in program.outputs)
    wanted = (*(output.line for output in outputs), *(condition.line for condition in program.conditions))
    doc = f"{program.doc}\n\n{about(program)}" if program.doc else ""
    return replace(program, outputs=outputs, lines=program.needed(*wanted), doc=doc)


def load(program: Program, backend: str | None = None, **options: Any) -> Any:
    """The program as a callable, by the fastest backend that has its primitives, or by the named one.

    An unknown name raises UnknownNameError, a backend that lacks a primitive UnderivableError. The options are those
    of Compiled: `second_pass` and `report`.
    """
    if backend is None:
        backend = "numba" if "numba" in BACKENDS and not numba.missing(program) else "numpy"
    return _find(backend).load(program, **options)


def load_integral(
    program: IntegralProgram, backend: str | None = None, second_pass: bool = True, **options: Any
) -> Any:
    """A program with an integral or a sum as a callable, by "numba" or "numpy"; options are those of Compiled.

    An unknown name raises UnknownNameError, another backend UnderivableError.
    """
    if backend is not None and _find(backend) and backend not in INTEGRATING:
        raise UnderivableError(f"{program.name} is an integral or a sum, which {backend} does not compute; numpy does")
    closed = load(program.outside, "numpy", second_pass=second_pass)
    return _load_integral(program, closed, backend, second_pass=second_pass, **options)


def load_greatest(
    program: Program, reached: Program, coefficient: Any, second_pass: bool = True, report: bool = False
) -> Greatest:
    """What is the greatest value of a function over its order; the program has what is closed or infinite of it.

    `reached` is 1 where it is neither, and `coefficient` is that function compiled, with its derivative by the order.
    """
    closed = load(program, "numpy", second_pass=second_pass)
    return Greatest(program, closed, reached, coefficient, second_pass, report)


def _find(name: str) -> ModuleType:
    if name == "numba" and name not in BACKENDS:
        raise UnderivableError("numba is not installed; pip install numba, or take the backend numpy")
    if name not in BACKENDS:
        raise UnknownNameError(f"there is no backend {name!r}{nearest(name, BACKENDS)}; known: {', '.join(BACKENDS)}")
    return BACKENDS[name]


__all__ = [
    "BACKENDS",
    "DIFFERENTIATING",
    "INTEGRATING",
    "Compiled",
    "Example",
    "Report",
    "array_source",
    "emit",
    "hosted",
    "load",
    "load_greatest",
    "load_integral",
]
