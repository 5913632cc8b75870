"""What every compiled formula is to its caller: names, a signature, outputs with names, `out=`, and one warning."""

from __future__ import annotations

import inspect
import warnings
from collections import namedtuple
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import SlowWarning, UndecidedWarning

# How many elements may take a millisecond each before a warning says that this takes long.
PATIENCE = 3000

_DOUBLE = np.dtype(float)


class Report(NamedTuple):
    """Values, their estimated relative errors, and which of them took the second pass."""

    value: Any
    error: Any
    second: Any


class Function:
    """A function of arrays with a name, arguments and outputs; what computes them is said by those that are one."""

    def __init__(self, name: str, arguments: tuple[str, ...], outputs: tuple[str, ...], doc: str, report: bool) -> None:
        self.arguments, self.outputs, self.report = arguments, outputs, report
        self.event_axes = (0,) * len(arguments)
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc
        kinds = inspect.Parameter
        defaults = {"check": False, "report": report}
        flags = [kinds(name, kinds.KEYWORD_ONLY, default=value, annotation=bool) for name, value in defaults.items()]
        self.__signature__ = inspect.Signature(
            [kinds(name, kinds.POSITIONAL_OR_KEYWORD, annotation="ArrayLike") for name in arguments]
            + [kinds("out", kinds.KEYWORD_ONLY, default=None, annotation="NDArray[Any] | None"), *flags],
            return_annotation="NDArray[Any] | np.floating[Any]",
        )

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments in their order, each a float or an array of real numbers."""
        if "where" in kwargs:
            raise TypeError(f"{self!r} has no where=; call it on x[mask], or choose with np.where afterwards")
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self!r}: {error}") from None
        return tuple(bound.arguments[name] for name in self.arguments)

    def outs(self, out: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
        """What the caller gave to be filled, an array of the right shape for each output."""
        outs = list(out) if isinstance(out, tuple) else [out]
        if len(outs) != len(self.outputs):
            raise TypeError(f"{self!r} has {len(self.outputs)} outputs; out has {len(outs)}")
        for array, shape in zip(outs, shapes, strict=True):
            if not isinstance(array, np.ndarray):
                raise TypeError(f"out is a {type(array).__name__}; an array is needed")
            if array.shape != shape:
                raise ValueError(f"out has shape {array.shape}; the arguments broadcast to {shape}")
        return outs

    def results(self, values: list[Any]) -> Any:
        """The value, or a named tuple of the outputs."""
        return values[0] if len(values) == 1 else self._tuple(*values)

    @cached_property
    def _tuple(self) -> Any:
        return namedtuple("Outputs", self.outputs)  # pyright: ignore[reportUntypedNamedTuple]

    def warn_undecided(self, count: int, size: int, depth: int) -> None:
        """Say that so many of the values are NaN because no precision decided them."""
        warnings.warn(
            f"{self!r}: {count} of {size} values are not decided at the highest precision and are NaN; "
            "report=True shows them, by an error of inf; second_pass=False gives a number without a guarantee",
            UndecidedWarning,
            stacklevel=depth + 1,
        )

    def warn_slow(self, count: int, advice: str, depth: int) -> None:
        """Say that a second pass over so many elements takes long, if it does."""
        if count > PATIENCE:
            warnings.warn(
                f"{self!r}: {count} elements need more digits than a double has, about a millisecond each; "
                f"{advice}second_pass=False leaves it out",
                SlowWarning,
                stacklevel=depth + 1,
            )

    def __repr__(self) -> str:
        return f"{self.__name__}({', '.join(self.arguments)})"


def numeric(name: str, value: Any) -> Any:
    """A Python number as it is, so that it does not widen float32; anything else as an array of real numbers."""
    if isinstance(value, (bool, int, float)) and not isinstance(value, np.generic):
        return float(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; real numbers are needed")
    return array


def kind_of(values: list[Any]) -> np.dtype[Any]:
    """The type of the result: float64, or the floating type of the arrays among the values if that is narrower."""
    if all(isinstance(value, float) or value.dtype == _DOUBLE for value in values):
        return _DOUBLE
    kind = np.result_type(*values)
    return kind if np.issubdtype(kind, np.floating) and kind.itemsize < 8 else _DOUBLE


def place_of(invalid: NDArray[np.bool_]) -> tuple[tuple[int, ...], str]:
    """The first place where something is invalid, and how to say it."""
    place = tuple(int(k) for k in np.argwhere(invalid)[0])
    return place, f" at index {place[0] if len(place) == 1 else place}" if place else ""
