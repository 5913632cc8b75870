"""Backends whose functions take arrays of other libraries than NumPy, as functions of columns."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import DIFFERENTIATING
from .subject import Points, Subject

# The values of columns, or with k > 0 the derivatives by the kth of the arguments that have one.
Columns = Callable[[list[NDArray[Any]], int], NDArray[Any]]
LEAST = 64


def _jax(call: Any, by: Sequence[int]) -> Columns:
    import jax

    functions = [jax.jit(call), *(jax.jit(jax.grad(lambda *x: call(*x).sum(), argnums=k)) for k in by)]

    def run(columns: list[NDArray[Any]], output: int) -> NDArray[Any]:
        # JAX compiles anew for every length.
        size = len(columns[0])
        length = max(LEAST, 1 << (size - 1).bit_length())
        with jax.enable_x64(columns[0].dtype == np.float64):
            return np.asarray(functions[output](*(np.pad(c, (0, length - size), "edge") for c in columns)))[:size]

    return run


def _torch(call: Any, by: Sequence[int], pure: bool = False) -> Columns:
    import torch

    whole = call.pure if pure else call

    def run(columns: list[NDArray[Any]], output: int) -> NDArray[Any]:
        tensors = [torch.from_numpy(column) for column in columns]
        if not output:
            return whole(*tensors).numpy()
        moved = tensors[by[output - 1]].requires_grad_()
        (found,) = torch.autograd.grad(whole(*tensors).sum(), moved)
        return found.numpy()

    return run


def _standard(call: Any, by: Sequence[int], library: str = "numpy") -> Columns:
    make = import_module(library).asarray

    def run(columns: list[NDArray[Any]], output: int) -> NDArray[Any]:
        found = call(*map(make, columns))
        # An array of dask is computed here.
        with np.errstate(all="ignore"):
            return np.asarray(found[output] if isinstance(found, tuple) else found)

    return run


# By the name of a backend: "torch-pure" is torch's own operations on the CPU too, "array_api-torch" the standard's.
LIBRARIES: dict[str, Callable[[Any, Sequence[int]], Columns]] = {
    "jax": _jax,
    "torch": _torch,
    "torch-pure": partial(_torch, pure=True),
    "array_api": _standard,
    "array_api-torch": partial(_standard, library="torch"),
    "array_api-dask": partial(_standard, library="dask.array"),
    "array_api-strict": partial(_standard, library="array_api_strict"),
}


def compiled(subject: Subject, backend: str, gradient: bool) -> list[Callable[[Points], Any]]:
    """The formula's value and, with `gradient`, each derivative; there is no telling which pass a value is of."""
    name, dtype = backend.partition("-")[0], subject.rule.dtype
    call = subject.formula.compile(name, gradient=gradient and name not in DIFFERENTIATING)
    by = [k for k, symbol in enumerate(subject.symbols) if not symbol.is_integer]
    run = LIBRARIES[backend](call, by)

    def function(points: Points, output: int) -> Any:
        return run([np.ascontiguousarray(column, dtype=dtype) for column in points.T], output).astype(float), None

    return [lambda points, k=k: function(points, k) for k in range(1 + len(by) * gradient)]
