"""A compiled program: it behaves as a ufunc does, carries its source, and corrects what its first pass gets wrong."""

from __future__ import annotations

import inspect
import linecache
import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ParameterError, SlowWarning, UndecidedWarning
from ..core.program import Program
from .watch import FINE, FINE_NARROW

if TYPE_CHECKING:
    from .refine import Refined

# As many elements at a time as the intermediate arrays of a formula stay in a processor's cache.
BLOCK = 8192

# The error estimates of as many elements are kept, where nobody asks for all of them.
WIDTH = 1024

# How many elements a second pass has decided in balls before double-double, which has to be compiled, pays.
MANY = 1000

# How many elements may go to mpmath, where python-flint is absent, before a warning says that this takes long.
PATIENCE = 3000

Places = NDArray[np.int64]

_DOUBLE = np.dtype(float)
_EPSILON = 2.0**-52
_NUMBERS = frozenset({float, int, bool, np.float64})  # what gives a float64


class Report(NamedTuple):
    """Values, their estimated relative errors, and which of them took the second pass."""

    value: Any
    error: Any
    second: Any


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


class Compiled:
    """A divergence as a function of arrays.

    Arguments broadcast, by position or by name. An element with an invalid argument is NaN; with `check=True`
    it is a ParameterError that names the argument, its domain and the place. The result is float64, or the
    floating type of the arguments if that is narrower; scalars give a scalar. `out` receives the result. A program of
    several outputs gives a tuple of them, and `out` is a tuple. A complex argument raises TypeError.

    A first pass computes every element with an estimate of its error. A second one visits those whose estimate
    is too large and decides them in ball arithmetic, or in double-double where they are many and that is enough;
    what no precision decides is NaN, with an UndecidedWarning: its first pass may have lost every digit and the sign.
    `second_pass` False leaves that out. `report`, of the function or of a call, gives (value, error, second): the
    relative errors estimated, and which elements took the second pass.
    """

    def __init__(self, program: Program, first: FirstPass, second_pass: bool = True, report: bool = False) -> None:
        self.program, self.second_pass, self.report, self._visited = program, second_pass, report, 0
        self.source, self.backend = first.source, first.backend
        self._fill, self._conditions = first.fill, first.conditions
        self._size, self._estimated = len(program.arguments), [output.error != "" for output in program.outputs]
        self.__name__ = self.__qualname__ = program.name
        self.__doc__ = first.doc
        kinds = inspect.Parameter
        defaults = {"check": False, "report": report}
        flags = [kinds(name, kinds.KEYWORD_ONLY, default=value, annotation=bool) for name, value in defaults.items()]
        self.__signature__ = inspect.Signature(
            [kinds(name, kinds.POSITIONAL_OR_KEYWORD, annotation="ArrayLike") for name in program.arguments]
            + [kinds("out", kinds.KEYWORD_ONLY, default=None, annotation="NDArray[Any] | None"), *flags],
            return_annotation="NDArray[Any] | np.floating[Any]",
        )

    def __call__(self, *args: Any, out: Any = None, check: bool = False, report: Any = None, **kwargs: Any) -> Any:
        report = self.report if report is None else report
        if out is None and not (check or report or kwargs) and self._are_numbers(args):
            single = self._single(args)
            if single is not None:
                return single
        if kwargs or len(args) != self._size:
            args = self._bound(args, kwargs)
        values = [_numeric(name, value) for name, value in zip(self.program.arguments, args, strict=True)]
        if check:
            self._check(values)
        shape, kind, plain = _common(values)
        outs = None if out is None else self._outs(out, shape)
        if plain or report or shape == ():
            return self._flat(values, shape, kind, outs, report)
        if outs is None:
            outs = [np.empty(shape, kind) for _ in self.program.outputs]
        self._blocks(values, outs, FINE if kind == _DOUBLE else FINE_NARROW)
        return self._results(outs)

    def _are_numbers(self, args: tuple[Any, ...]) -> bool:
        return len(args) == self._size and _NUMBERS.issuperset(map(type, args))

    def _single(self, args: tuple[Any, ...]) -> Any:
        """The results at one point, without all that arrays need; None where it has to take the second pass."""
        results = [np.empty(1) for _ in self._estimated]
        errors = [np.empty(1) for estimated in self._estimated if estimated]
        found = self._fill(FINE, *[np.array([x], _DOUBLE) for x in args], *results, *errors, np.empty(1, np.int64))
        if found and self.second_pass:
            return None
        return self._results([result[0] for result in results])

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
        places, undecided = self._run(operands, results, errors, size, FINE if kind == _DOUBLE else FINE_NARROW)
        shaped = [_shaped(result, shape, kind) for result in results]
        if outs is not None:
            for result, target in zip(shaped, outs, strict=True):
                if not direct:
                    np.copyto(target, result, casting="same_kind")
            shaped = outs
        if not report:
            return self._results(shaped)
        doubtful = np.zeros(size, dtype=bool)
        doubtful[places] = True
        second = doubtful.copy() if self.second_pass else np.zeros_like(doubtful)
        second[undecided] = False
        relative = [
            _shaped(_relative(result, error, output.bound, doubtful, second), shape, _DOUBLE)
            for result, error, output in zip(results, errors, self.program.outputs, strict=True)
        ]
        return Report(self._results(shaped), self._results(relative), second.reshape(shape)[()])

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
            warnings.warn(
                f"{self!r}: {undecided.size} of {size} values are not decided at the highest precision and are NaN; "
                "report=True shows them, by an error of inf; second_pass=False gives a number without a guarantee",
                UndecidedWarning,
                stacklevel=4,
            )
        return places[:found], undecided

    def _correct(self, operands: Any, results: Any, places: Places) -> Places:
        """The second pass: the same lines in balls, many in double-double first. The places that stay undecided."""
        rows = [np.broadcast_to(a[0], places.shape) if a.size == 1 else a[places] for a in operands]
        self._visited += places.size
        if self._visited > MANY and self._refined is not None:
            values, sure = self._refined(*rows)
            for result, value in zip(results, values, strict=True):
                result[places[sure]] = value[sure]
            if sure.all():
                return places[:0]
            places, rows = places[~sure], [row[~sure] for row in rows]
        if places.size > PATIENCE and not find_spec("flint"):
            warnings.warn(
                f"{self!r}: {places.size} elements need more digits than a double has, about a millisecond each; "
                "pip install 'klsym[jit,cert]' makes that a hundred times faster, second_pass=False leaves it out",
                SlowWarning,
                stacklevel=5,
            )
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

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if "where" in kwargs:
            raise TypeError(f"{self!r} has no where=; call it on x[mask], or choose with np.where afterwards")
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self!r}: {error}") from None
        return tuple(bound.arguments[name] for name in self.program.arguments)

    def _outs(self, out: Any, shape: tuple[int, ...]) -> list[Any]:
        outs = list(out) if isinstance(out, tuple) else [out]
        if len(outs) != len(self.program.outputs):
            raise TypeError(f"{self!r} has {len(self.program.outputs)} outputs; out has {len(outs)}")
        for array in outs:
            if not isinstance(array, np.ndarray):
                raise TypeError(f"out is a {type(array).__name__}; an array is needed")
            if array.shape != shape:
                raise ValueError(f"out has shape {array.shape}; the arguments broadcast to {shape}")
        return outs

    def _results(self, values: list[Any]) -> Any:
        return values[0] if len(values) == 1 else self._tuple(*values)

    @cached_property
    def _tuple(self) -> Any:
        names = [output.name for output in self.program.outputs]
        return namedtuple("Outputs", names)  # pyright: ignore[reportUntypedNamedTuple]

    def _check(self, values: list[Any]) -> None:
        """Raise ParameterError for the first element that breaks a condition."""
        arrays = dict(zip(self.program.arguments, np.broadcast_arrays(*values), strict=True)) if values else {}
        holds = self._conditions(**{name: np.asarray(array, dtype=float) for name, array in arrays.items()})
        for condition in self.program.conditions:
            valid = np.broadcast_to(holds[condition.text], next(iter(arrays.values())).shape)
            if not valid.all():
                place = tuple(int(k) for k in np.argwhere(~valid)[0])
                found = ", ".join(f"{name} = {arrays[name][place]}" for name in condition.arguments)
                where = f" at index {place[0] if len(place) == 1 else place}" if place else ""
                raise ParameterError(f"{condition.text}; {found}{where}")

    def __reduce__(self) -> tuple[Any, ...]:
        from . import load

        return partial(load, second_pass=self.second_pass, report=self.report), (self.program, self.backend)

    def __repr__(self) -> str:
        return f"{self.program.name}({', '.join(self.program.arguments)})"


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


def _numeric(name: str, value: Any) -> Any:
    """A Python number as it is, so that it does not widen float32; anything else as an array of real numbers."""
    if isinstance(value, (bool, int, float)) and not isinstance(value, np.generic):
        return float(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; real numbers are needed")
    return array


def _common(values: list[Any]) -> tuple[tuple[int, ...], Any, bool]:
    """Shape and type of the result, and whether every argument is a number or a contiguous float64 array of it."""
    arrays = [value for value in values if not isinstance(value, float)]
    large = [array for array in arrays if array.ndim]
    shapes = {array.shape for array in large}
    plain = len(shapes) < 2 and all(a.dtype == _DOUBLE and a.flags.c_contiguous and a.flags.aligned for a in large)
    shape = (shapes.pop() if shapes else ()) if len(shapes) < 2 else np.broadcast_shapes(*shapes)
    if not arrays or all(array.dtype == _DOUBLE for array in arrays):
        return shape, _DOUBLE, plain
    kind = np.result_type(*values)
    narrow = np.issubdtype(kind, np.floating) and kind.itemsize < 8
    return shape, kind if narrow else _DOUBLE, plain and not narrow


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
        relative = _EPSILON * (np.full(value.shape, bound) if error is None else error / abs(value))
    relative[np.isinf(value) | ((value == 0) & ~doubtful)] = 0.0
    relative[doubtful & ((value == 0) | np.isnan(relative))] = np.inf
    relative[np.isnan(value) & (second | ~doubtful)] = np.nan
    return np.where(second & ~np.isnan(value), 2.0**-53, relative)
