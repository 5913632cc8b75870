"""A compiled program: it behaves as a ufunc does, carries its source, and corrects what its first pass gets wrong."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ParameterError
from ..core.program import Program
from .containers import container
from .function import Function, Report, kind_of, numeric, place_of
from .watch import FINE, FINE_NARROW

if TYPE_CHECKING:
    from .refine import Refined

# As many elements at a time as the intermediate arrays of a formula stay in a processor's cache.
BLOCK = 8192

# The error estimates of as many elements are kept, where nobody asks for all of them.
WIDTH = 1024

# How many elements a second pass has decided in balls before double-double, which has to be compiled, pays.
MANY = 1000

Places = NDArray[np.int64]

_DOUBLE = np.dtype(float)
_EPSILON = 2.0**-52
_NUMBERS = frozenset({float, int, bool, np.float64})  # what gives a float64


@dataclass(frozen=True)
class FirstPass:
    """Generated code: `fill` writes values and error estimates of a flat array, and the places not to be trusted.

    fill(limit, *arguments, *values, *errors, places) -> how many places; each array is contiguous, an argument may
    have one element for all, and errors as few as WIDTH, which are then overwritten. `conditions` maps each condition
    to where it holds.
    """

    backend: str
    source: str
    doc: str
    fill: Callable[..., int]
    conditions: Callable[..., dict[str, NDArray[np.bool_]]]


class Compiled(Function):
    """A divergence as a function of arrays.

    Arguments broadcast, by position or by name; columns of pandas keep their index, arrays of xarray their dimensions,
    those of dask stay lazy. An element with an invalid argument is NaN; with `check=True`
    it is a ParameterError that names the argument, its domain and the place. The result is float64, or the
    floating type of the arguments if that is narrower; scalars give a scalar. `out` receives the result. A program of
    several outputs gives a tuple of them, and `out` is a tuple. A complex argument raises TypeError.

    A first pass computes every element with an estimate of its error. A second one visits those whose estimate
    is too large and decides them in ball arithmetic, or in double-double where they are many and that is enough;
    what no precision decides is NaN, with an UndecidedWarning: its first pass may have lost every digit and the sign.
    `second_pass` False leaves that out; `fine` is how many units of 2^-52 a float64 may be off without it. `report`, of
    the function or of a call, gives (value, error, second): the relative errors estimated, and which elements took the
    second pass.
    """

    def __init__(
        self,
        program: Program,
        first: FirstPass,
        second_pass: bool = True,
        report: bool = False,
        fine: float = FINE,
    ) -> None:
        outputs = tuple(output.name for output in program.outputs)
        Function.__init__(self, program.name, program.arguments, outputs, first.doc, report)
        self.program, self.second_pass, self._visited = program, second_pass, 0
        self.fine = fine
        self.source, self.backend = first.source, first.backend
        self._fill, self.conditions = first.fill, first.conditions
        self._size, self._estimated = len(program.arguments), [output.error != "" for output in program.outputs]

    def __call__(self, *args: Any, out: Any = None, check: bool = False, report: Any = None, **kwargs: Any) -> Any:
        report = self.report if report is None else report
        if out is None and not (check or report or kwargs) and self._are_numbers(args):
            single = self._single(args)
            if single is not None:
                return single
        if kwargs or len(args) != self._size:
            args = self.bound(args, kwargs)
        if (call := container(args)) is not None:
            return call(self, args, {"out": out, "check": check, "report": report})
        values = [numeric(name, value) for name, value in zip(self.arguments, args, strict=True)]
        if check:
            self._check(values)
        shape, kind, plain = _common(values)
        outs = None if out is None else self.outs(out, [shape] * len(self.outputs))
        if plain or report or shape == ():
            return self._flat(values, shape, kind, outs, report)
        if outs is None:
            outs = [np.empty(shape, kind) for _ in self.program.outputs]
        self._blocks(values, outs, self.fine if kind == _DOUBLE else FINE_NARROW)
        return self.results(outs)

    def _are_numbers(self, args: tuple[Any, ...]) -> bool:
        return len(args) == self._size and _NUMBERS.issuperset(map(type, args))

    def _single(self, args: tuple[Any, ...]) -> Any:
        """The results at one point, without all that arrays need; None where it has to take the second pass."""
        results = [np.empty(1) for _ in self._estimated]
        errors = [np.empty(1) for estimated in self._estimated if estimated]
        found = self._fill(self.fine, *[np.array([x], _DOUBLE) for x in args], *results, *errors, np.empty(1, np.int64))
        if found and self.second_pass:
            return None
        return self.results([result[0] for result in results])

    def _flat(self, values: list[Any], shape: tuple[int, ...], kind: Any, outs: Any, report: bool) -> Any:
        """The whole at once: each argument is contiguous or one number, or small enough to be made so."""
        operands = [_flattened(value, shape) for value in values]
        size = 1
        for length in shape:
            size *= length
        direct = outs is not None and all(_writable(target, values) for target in outs)
        results = [o.reshape(-1) for o in outs] if direct and outs else [np.empty(size) for _ in self._estimated]
        room = size if report else min(size, WIDTH)
        errors = [np.empty(room) if estimated else None for estimated in self._estimated]
        places, undecided = self._run(operands, results, errors, size, self.fine if kind == _DOUBLE else FINE_NARROW)
        shaped = [_shaped(result, shape, kind) for result in results]
        if outs is not None:
            for result, target in zip(shaped, outs, strict=True):
                if not direct:
                    np.copyto(target, result, casting="same_kind")
            shaped = outs
        if not report:
            return self.results(shaped)
        doubtful = np.zeros(size, dtype=bool)
        doubtful[places] = True
        second = doubtful.copy() if self.second_pass else np.zeros_like(doubtful)
        second[undecided] = False
        relative = [
            _shaped(_relative(result, error, output.bound, doubtful, second), shape, _DOUBLE)
            for result, error, output in zip(results, errors, self.program.outputs, strict=True)
        ]
        return Report(self.results(shaped), self.results(relative), second.reshape(shape)[()])

    def _blocks(self, values: list[Any], outs: list[NDArray[Any]], limit: float) -> None:
        """Block by block of the broadcast arguments; what is not contiguous float64 is converted block by block."""
        modes: Any = [["readonly", "contig"] for _ in values] + [["writeonly", "no_broadcast", "contig"] for _ in outs]
        errors = [np.empty(WIDTH) if estimated else None for estimated in self._estimated]
        with np.errstate(all="ignore"), np.nditer(
            [*values, *outs],
            flags=["external_loop", "buffered", "zerosize_ok", "delay_bufalloc", "copy_if_overlap"],
            op_flags=modes,
            op_dtypes=[_DOUBLE] * (len(values) + len(outs)),
            casting="same_kind",
            buffersize=BLOCK,
        ) as blocks:  # fmt: skip
            blocks.reset()
            for chunk in blocks:
                operands, results = chunk[: self._size], chunk[self._size :]
                size = results[0].size
                self._run(operands, results, [e if e is None else e[:size] for e in errors], size, limit)

    def _run(self, operands: Any, results: Any, errors: Any, size: int, limit: float) -> tuple[Places, Places]:
        """Both passes; the places that the first one could not decide, and those of them that neither could."""
        places = np.empty(size, np.int64)
        found = self._fill(limit, *operands, *results, *(e for e in errors if e is not None), places)
        undecided = places[:0]
        if found and self.second_pass:
            undecided = self._correct(operands, results, places[:found])
        if undecided.size:
            self.warn_undecided(undecided.size, size, 4)
        return places[:found], undecided

    def _correct(self, operands: Any, results: Any, places: Places) -> Places:
        """The second pass: the same lines in balls, many in double-double first. The places that stay undecided."""
        rows = [np.broadcast_to(a[0], places.shape) if a.size == 1 else a[places] for a in operands]
        self._visited += places.size
        if rows and self._visited > MANY and self._refined is not None:
            values, sure = self._refined(*rows)
            for result, value in zip(results, values, strict=True):
                result[places[sure]] = value[sure]
            if sure.all():
                return places[:0]
            places, rows = places[~sure], [row[~sure] for row in rows]
        if not find_spec("flint"):
            self.warn_slow(places.size, "pip install 'klsym[jit,cert]' makes that a hundred times faster, ", 5)
        unknown = np.zeros(places.size, dtype=bool)
        for result, decided in zip(results, self._exact(*rows), strict=True):
            unknown |= np.isnan(decided) & ~np.isnan(result[places])
            result[places] = decided
        return places[unknown]

    @cached_property
    def _refined(self) -> Refined | None:
        from .refine import refined

        return refined(self.program)

    @cached_property
    def _exact(self) -> Callable[..., tuple[NDArray[np.float64], ...]]:
        from .exact import kernel

        return kernel(self.program)

    def _check(self, values: list[Any]) -> None:
        """Raise ParameterError for the first element that breaks a condition."""
        arrays = dict(zip(self.program.arguments, np.broadcast_arrays(*values), strict=True)) if values else {}
        holds = self.conditions(**{name: np.asarray(array, dtype=float) for name, array in arrays.items()})
        for condition in self.program.conditions:
            valid = np.broadcast_to(holds[condition.text], next(iter(arrays.values())).shape)
            if not valid.all():
                place, where = place_of(~valid)
                found = ", ".join(f"{name} = {arrays[name][place]}" for name in condition.arguments)
                raise ParameterError(f"{condition.text}; {found}{where}")

    def __reduce__(self) -> tuple[Any, ...]:
        from . import load

        options: dict[str, Any] = {"second_pass": self.second_pass, "report": self.report, "fine": self.fine}
        return partial(load, **options), (self.program, self.backend)


def execute(name: str, source: str, filename: str) -> dict[str, Any]:
    """The namespace of a module of generated source.

    Nothing foreign is in the text: the names of the function and its arguments passed the whitelist of core.names
    in Program, those of lines are counted (x1, x2, ...), primitives are looked up in a backend's table, constants
    are read as rationals and written by `repr`, docstrings and conditions are quoted.
    """
    namespace: dict[str, Any] = {"__name__": name, "__file__": filename}
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), namespace)
    return namespace


def _common(values: list[Any]) -> tuple[tuple[int, ...], Any, bool]:
    """Shape and type of the result, and whether every argument is a number or a contiguous float64 array of it."""
    arrays = [value for value in values if not isinstance(value, float)]
    large = [array for array in arrays if array.ndim]
    shapes = {array.shape for array in large}
    plain = len(shapes) < 2 and all(a.dtype == _DOUBLE and a.flags.c_contiguous and a.flags.aligned for a in large)
    shape = (shapes.pop() if shapes else ()) if len(shapes) < 2 else np.broadcast_shapes(*shapes)
    kind = kind_of(values)
    return shape, kind, plain and kind == _DOUBLE


def _flattened(value: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """A number or an array of size 1 as one element, anything else in full."""
    if isinstance(value, float) or value.ndim == 0:
        return np.array([value], dtype=_DOUBLE)
    if value.shape != shape:
        value = np.broadcast_to(value, shape)
    return np.ascontiguousarray(value, dtype=_DOUBLE).reshape(-1)


def _writable(target: NDArray[Any], values: list[Any]) -> bool:
    """Whether results may be written there at once, while the arguments are still needed."""
    alone = not any(np.may_share_memory(target, value) for value in values if not isinstance(value, float))
    return target.dtype == _DOUBLE and target.flags.carray and alone


def _shaped(result: NDArray[np.float64], shape: tuple[int, ...], kind: Any) -> Any:
    if shape == ():
        return kind.type(result[0])
    return result.reshape(shape) if kind == _DOUBLE else result.reshape(shape).astype(kind)


def _relative(value: Any, error: Any, bound: float, doubtful: Any, second: Any) -> NDArray[np.float64]:
    """The relative error of each value: half a unit after the second pass, none of an infinity or a 0 not in doubt."""
    with np.errstate(all="ignore"):
        relative = _EPSILON * (np.full(value.shape, bound) if error is None else abs(error / value))
    relative[np.isinf(value) | ((value == 0) & ~doubtful)] = 0.0
    relative[doubtful & ((value == 0) | np.isnan(relative))] = np.inf
    relative[np.isnan(value) & (second | ~doubtful)] = np.nan
    return np.where(second & ~np.isnan(value), 2.0**-53, relative)
