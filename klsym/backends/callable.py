"""A compiled program: it behaves as a ufunc does, and carries its own source."""

from __future__ import annotations

import inspect
import linecache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ParameterError
from ..core.program import Program

# As many elements at a time as the intermediate arrays of a formula stay in a processor's cache.
BLOCK = 8192


class Compiled:
    """A divergence as a function of arrays.

    Arguments broadcast, by position or by name. An element with an invalid argument is NaN; with `check=True`
    it is a ParameterError that names the argument, its domain and the place. The result is float64, or the
    floating type of the arguments if that is narrower; scalars give a scalar. `out` receives the result.
    A complex argument raises TypeError.
    """

    def __init__(self, program: Program, source: str) -> None:
        self.program, self.source = program, source
        self.__name__ = self.__qualname__ = program.name
        namespace: dict[str, Any] = {"__name__": f"klsym.generated.{program.name}"}
        filename = f"<klsym {program.name} {abs(hash(source)):x}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        # The text is klsym's own: names passed the whitelist of core.names, numbers come from SymPy.
        exec(compile(source, filename, "exec"), namespace)
        self._kernel, self._conditions = namespace[program.name], namespace["conditions"]
        self.__doc__ = self._kernel.__doc__
        kinds = inspect.Parameter
        self.__signature__ = inspect.Signature(
            [kinds(name, kinds.POSITIONAL_OR_KEYWORD, annotation="ArrayLike") for name in program.arguments]
            + [
                kinds("out", kinds.KEYWORD_ONLY, default=None, annotation="NDArray[Any] | None"),
                kinds("check", kinds.KEYWORD_ONLY, default=False, annotation=bool),
            ],
            return_annotation="NDArray[Any] | np.floating[Any]",
        )

    def __call__(self, *args: Any, out: NDArray[Any] | None = None, check: bool = False, **kwargs: Any) -> Any:
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self!r}: {error}") from None
        values = [_numeric(name, bound.arguments[name]) for name in self.program.arguments]
        kind = np.result_type(*values) if values else np.dtype(float)
        kind = kind if np.issubdtype(kind, np.floating) and kind.itemsize < 8 else np.dtype(float)
        with np.errstate(all="ignore"):
            if check:
                self._check(values)
            if out is None:
                shape = np.broadcast_shapes(*(np.shape(value) for value in values))
                if shape == ():
                    return kind.type(self._kernel(*values))
                out = np.empty(shape, kind)
            self._fill(values, out)
        return out

    def _fill(self, values: list[Any], out: NDArray[Any]) -> None:
        """Run the kernel over blocks of the broadcast arguments; what is not float64 is converted block by block."""
        modes: Any = [["readonly"] for _ in values] + [["writeonly", "no_broadcast"]]
        with np.nditer(
            [*values, out],
            flags=["external_loop", "buffered", "zerosize_ok", "delay_bufalloc", "copy_if_overlap"],
            op_flags=modes,
            op_dtypes=[np.dtype(float)] * (len(values) + 1),
            casting="same_kind",
            buffersize=BLOCK,
        ) as blocks:
            blocks.reset()
            for *chunk, result in blocks:
                result[...] = self._kernel(*chunk)

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
        return Compiled, (self.program, self.source)

    def __repr__(self) -> str:
        return f"{self.program.name}({', '.join(self.program.arguments)})"


def _numeric(name: str, value: Any) -> Any:
    """A Python number as it is, so that it does not widen float32; anything else as an array of real numbers."""
    if isinstance(value, (bool, int, float)) and not isinstance(value, np.generic):
        return float(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; real numbers are needed")
    return array
