"""The lines of a program at nodes: arrays of rays by nodes, by NumPy or by a loop of numba's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

# From there on e^t is all that counts of a form.
FAR = 300.0

# As many numbers at a time as a processor's cache has room for, of each array.
ROOM = 8192


@dataclass
class Rays:
    """Half lines x = start +- y, of each: its element, its forms at y = 0 and their slopes by y, and constants.

    y is e^t, and t itself in sums; `end` is the last t, `direction` that of x. `inside` says whether P and Q have mass
    there. They are in the order of outcomes, and arrays have a column for each.
    """

    element: NDArray[np.int64]
    offset: Array
    slope: Array
    constant: Array
    first: Array
    end: Array
    inside: Array
    direction: Array

    def __getitem__(self, rows: Any) -> Rays:
        return Rays(
            self.element[rows],
            self.offset[:, rows],
            self.slope[:, rows],
            self.constant[:, rows],
            self.first[rows],
            self.end[rows],
            self.inside[:, rows],
            self.direction[rows],
        )

    def __len__(self) -> int:
        return self.element.size


class Nodes:
    """A program of nodes, at arrays of rays by nodes.

    `heights` are log p and log q in t, and the greatest size of the integrands with the sign of the first; `sums`, with
    a weight for each node, those of the integrands, of their sizes, and of p and q, as rows.
    """

    def heights(self, rays: Rays, t: Array) -> Array:
        raise NotImplementedError

    def sums(self, rays: Rays, t: Array, weights: Array) -> Array:
        raise NotImplementedError


def sizes(program: Program, forms: int, discrete: bool) -> Callable[[Rays, Array], Array]:
    """A program of the nodes' arguments with one output, at rays by nodes."""
    nodes = NumpyNodes(program, forms, discrete)

    def at(rays: Rays, t: Array) -> Array:
        return nodes.outputs(rays, t)[0]

    return at


def lines(program: Program) -> Callable[..., Any]:
    """The program's outputs as a function of arrays, without a second pass."""
    source = numpy.emit(program)
    first = execute(f"klsym.generated.{program.name}", source, f"<klsym {program.name} {abs(hash(source)):x}>")[
        "_first"
    ]

    def at(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return first(*arguments)

    return at


class NumpyNodes(Nodes):
    """The nodes by NumPy, as many at a time as stay in a processor's cache."""

    def __init__(self, program: Program, forms: int, discrete: bool) -> None:
        self._first, self._forms, self._discrete = lines(program), forms, discrete
        self._rows = len(program.outputs)

    def heights(self, rays: Rays, t: Array) -> Array:
        found = np.empty((3, *t.shape))
        for rows in _parts(t):
            log_p, log_q, *others = self.outputs(rays[rows], t[rows])
            found[:, rows] = log_p, log_q, np.copysign(np.max(others[len(others) // 2 :], axis=0), others[0])
        return found

    def sums(self, rays: Rays, t: Array, weights: Array) -> Array:
        found = np.empty((self._rows, len(rays)))
        for rows in _parts(t):
            log_p, log_q, *others = self.outputs(rays[rows], t[rows])
            with np.errstate(all="ignore"):
                parts = (*others, *(np.where(np.isnan(log), 0.0, np.exp(log)) for log in (log_p, log_q)))
                found[:, rows] = [(weights[rows] * part).sum(axis=1) for part in parts]
        return found

    def outputs(self, rays: Rays, t: Array) -> list[Array]:
        """All outputs of the program."""
        jacobian = 0.0 * t if self._discrete else t
        with np.errstate(all="ignore"):
            arguments = [*self._values(rays, t), *rays.constant[:, :, None], jacobian, *rays.inside[:, :, None]]
            return list(np.broadcast_arrays(*self._first(*arguments), t)[:-1])

    def _values(self, rays: Rays, t: Array) -> Any:
        """The values of the forms and the logarithms of their sizes, in turn."""
        y = t if self._discrete else np.exp(t)
        for k in range(self._forms):
            offset, slope = rays.offset[k][:, None], rays.slope[k][:, None]
            value = offset + slope * y
            yield value
            if self._discrete:
                yield np.log(abs(value))
                continue
            alone = (offset == 0.0) | (t > FAR)
            yield np.where(alone, np.log(abs(slope)) + t, np.log(abs(offset)) + np.log1p(slope / offset * y))


def _parts(t: Array) -> Iterator[slice]:
    step = max(1, ROOM // t.shape[1])
    return (slice(start, start + step) for start in range(0, t.shape[0], step))


class NumbaNodes(Nodes):
    """The nodes by loops that are compiled."""

    def __init__(self, program: Program, forms: int, discrete: bool) -> None:
        source = _source(program, forms, discrete)
        loops = module(keep(program.name, source), source, {})
        self._heights, self._sums, self._rows = loops.heights, loops.sums, len(program.outputs)

    def heights(self, rays: Rays, t: Array) -> Array:
        found = np.empty((3, *t.shape))
        self._heights(rays.offset, rays.slope, rays.constant, rays.inside, t, found)
        return found

    def sums(self, rays: Rays, t: Array, weights: Array) -> Array:
        found = np.empty((self._rows, len(rays)))
        self._sums(rays.offset, rays.slope, rays.constant, rays.inside, t, weights, found)
        return found


def _source(program: Program, forms: int, discrete: bool) -> str:
    """A module with the two loops."""
    wanted = {*functions(program, numba.spelling()), "_log", "_log1p", "_exp", "njit", "np"}
    definitions = needed(numba_library(), wanted)
    imports = [text for text in definitions if text.startswith(("import ", "from "))]
    constants = len(program.arguments) - 2 * forms - 3
    arguments = [name for k in range(forms) for name in (f"u{k}", f"l{k}")]
    arguments += [f"constant[{k}, i]" for k in range(constants)] + ["jacobian", "inside[0, i]", "inside[1, i]"]
    given = ["offset", "slope", "constant", "inside", "t"]
    count = len(program.outputs) // 2 - 1
    others = [f"{kind}_{k}" for kind in ("value", "size") for k in range(count)]
    names = ["p", "q", *others]
    node = [*_values(forms, discrete), f"log_p, log_q, {', '.join(others)} = _first({', '.join(arguments)})"]
    sizes = "size_0" if count == 1 else f"max({', '.join(others[count:])})"
    height = f"np.copysign({sizes}, value_0)"
    jit = '@njit(error_model="numpy", cache=True, nogil=True)'
    return "\n".join(
        [
            f'"""{program.name} at nodes."""',
            "",
            *imports,
            "",
            *laid_out([text for text in definitions if text not in imports]),
            '@njit(error_model="numpy", forceinline=True)',
            *numba.scalars(program).functions[0],
            "",
            "",
            jit,
            *opening("heights", [*given, "found"]),
            "    for i in range(t.shape[0]):",
            "        for j in range(t.shape[1]):",
            *indented([*node, f"found[0, i, j], found[1, i, j], found[2, i, j] = log_p, log_q, {height}"], 3),
            "",
            "",
            jit,
            *opening("sums", [*given, "weights", "found"]),
            *(f"    {name}_at = np.empty(t.shape[1])" for name in names),
            "    for i in range(t.shape[0]):",
            "        for j in range(t.shape[1]):",  # vector instructions, which a sum in order does not allow
            *indented([*node, "p_at[j], q_at[j] = _exp(log_p), _exp(log_q)"], 3),
            *(f"            {name}_at[j] = {name}" for name in others),
            f"        {' = '.join(f'sum_{name}' for name in names)} = 0.0",
            "        for j in range(t.shape[1]):",
            "            w = weights[i, j]",
            *(f"            sum_{name} += w * {name}_at[j]" for name in others),
            *(f"            sum_{name} += w * {name}_at[j] if {name}_at[j] == {name}_at[j] else 0.0" for name in "pq"),
            *(f"        found[{k}, i] = sum_{name}" for k, name in enumerate([*others, "p", "q"])),
            "",
        ]
    )


def _values(forms: int, discrete: bool) -> list[str]:
    rows = ["y = t[i, j]" if discrete else "y = _exp(t[i, j])", "jacobian = 0.0" if discrete else "jacobian = t[i, j]"]
    for k in range(forms):
        rows.append(f"u{k} = offset[{k}, i] + slope[{k}, i] * y")
        if discrete:
            rows.append(f"l{k} = _log(abs(u{k}))")
            continue
        rows += [
            f"if offset[{k}, i] == 0.0 or t[i, j] > {FAR}:",
            f"    l{k} = _log(abs(slope[{k}, i])) + t[i, j]",
            "else:",
            f"    l{k} = _log(abs(offset[{k}, i])) + _log1p(slope[{k}, i] / offset[{k}, i] * y)",
        ]
    return rows
