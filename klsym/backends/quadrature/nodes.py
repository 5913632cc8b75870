"""The lines of a program at nodes: arrays of rays by nodes, by NumPy or by a loop of numba's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.program import Program
from .. import numba, numpy
from ..callable import execute
from ..library import needed, numba_library
from ..source import functions, indented, laid_out, opening
from ..store import keep, module

Array = NDArray[np.float64]

# As many numbers at a time as a processor's cache has room for, of each array.
ROOM = 8192


@dataclass
class Rays:
    """Half lines x = start + direction*y, of each: its element, its forms at y = 0 and their slopes by y, constants.

    `size` is log |x - anchor| at y = 1 for no ray but t = log y; of sums y itself counts. `end` bounds t. Arrays have a
    column for each ray.
    """

    element: NDArray[np.int64]
    offset: Array
    slope: Array
    constant: Array
    first: Array
    end: Array
    inside: Array

    def __getitem__(self, rows: Any) -> Rays:
        return Rays(
            self.element[rows],
            self.offset[:, rows],
            self.slope[:, rows],
            self.constant[:, rows],
            self.first[rows],
            self.end[rows],
            self.inside[:, rows],
        )

    def __len__(self) -> int:
        return self.element.size


# log p and log q in t, and the integrand, at the nodes of each ray.
Evaluate = Callable[[Rays, Array], tuple[Array, Array, Array]]


def lines(program: Program) -> Callable[..., Any]:
    """The program's outputs as a function of arrays, without a second pass."""
    source = numpy.emit(program)
    first = execute(f"klsym.generated.{program.name}", source, f"<klsym {program.name} {abs(hash(source)):x}>")["_first"]

    def at(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return first(*arguments)

    return at


def numpy_nodes(program: Program, forms: int, discrete: bool) -> Evaluate:
    """The nodes by NumPy."""
    first = lines(program)

    def evaluate(rays: Rays, t: Array) -> tuple[Array, Array, Array]:
        found = np.empty((3, *t.shape))
        step = max(1, ROOM // t.shape[1])
        with np.errstate(all="ignore"):
            for start in range(0, len(rays), step):
                rows = slice(start, start + step)
                some, here = rays[rows], t[rows]
                arguments = [*_forms(some, here, forms, discrete), *some.constant[:, :, None]]
                jacobian = 0.0 * here if discrete else here
                found[:, rows] = np.broadcast_arrays(*first(*arguments, jacobian, *some.inside[:, :, None]), here)[:3]
        return found[0], found[1], found[2]

    return evaluate


def _forms(rays: Rays, t: Array, forms: int, discrete: bool) -> Any:
    """The values of the forms and the logarithms of their sizes, in turn."""
    y = t if discrete else np.exp(t)
    for k in range(forms):
        offset, slope = rays.offset[k][:, None], rays.slope[k][:, None]
        value = offset + slope * y
        yield value
        if discrete:
            yield np.log(abs(value))
        else:
            ratio = slope / offset
            yield np.where(offset == 0.0, np.log(abs(slope)) + t, np.log(abs(offset)) + np.log1p(ratio * y))


def numba_nodes(program: Program, forms: int, discrete: bool) -> Evaluate:
    """The nodes by a loop that is compiled."""
    parts = numba.scalars(program)
    spelled = numba.spelling()
    wanted = {*functions(program, spelled), "_log", "_log1p", "_exp", "njit", "np"}
    definitions = needed(numba_library(), wanted)
    imports = [text for text in definitions if text.startswith(("import ", "from "))]
    constants = len(program.arguments) - 2 * forms - 3
    arguments = [name for k in range(forms) for name in (f"u{k}", f"l{k}")]
    arguments += [f"constant[{k}, i]" for k in range(constants)] + ["jacobian", "inside[0, i]", "inside[1, i]"]
    source = "\n".join(
        [
            f'"""{program.name} at nodes."""',
            "",
            *imports,
            "",
            *laid_out([text for text in definitions if text not in imports]),
            '@njit(error_model="numpy", forceinline=True)',
            *parts.functions[0],
            "",
            "",
            '@njit(error_model="numpy", cache=True, nogil=True)',
            *opening("_nodes", ["offset", "slope", "constant", "inside", "t", "log_p", "log_q", "value"]),
            "    for i in range(t.shape[0]):",
            "        for j in range(t.shape[1]):",
            *indented(_loop(forms, discrete), 3),
            f"            log_p[i, j], log_q[i, j], value[i, j], = _first({', '.join(arguments)})",
            "",
        ]
    )
    loop = module(keep(program.name, source), source, {})._nodes

    def evaluate(rays: Rays, t: Array) -> tuple[Array, Array, Array]:
        found = np.empty((3, *t.shape))
        loop(rays.offset, rays.slope, rays.constant, rays.inside, t, found[0], found[1], found[2])
        return found[0], found[1], found[2]

    return evaluate


def _loop(forms: int, discrete: bool) -> list[str]:
    rows = ["y = t[i, j]" if discrete else "y = _exp(t[i, j])", "jacobian = 0.0" if discrete else "jacobian = t[i, j]"]
    for k in range(forms):
        rows.append(f"u{k} = offset[{k}, i] + slope[{k}, i] * y")
        if discrete:
            rows.append(f"l{k} = _log(abs(u{k}))")
            continue
        rows += [
            f"if offset[{k}, i] == 0.0:",
            f"    l{k} = _log(abs(slope[{k}, i])) + t[i, j]",
            "else:",
            f"    l{k} = _log(abs(offset[{k}, i])) + _log1p(slope[{k}, i] / offset[{k}, i] * y)",
        ]
    return rows
