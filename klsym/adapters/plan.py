"""A formula as a function of NumPy arrays for other libraries to call: the value, and the derivatives if wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..backends.function import kind_of, numeric
from ..core.errors import ParameterError, UnderivableError

# From so many elements on the fastest backend is worth the seconds that it takes to compile.
LARGE = 2**17


class Plan:
    """The value of a formula at arrays, in the order of its parameters, and its derivatives by them.

    `axes` says how many event axes each array has, by name. Where the formula has no closed form the value is computed
    from the definition, element by element, and the derivatives are NaN; such a formula is `open`.
    """

    def __init__(self, formula: Any, axes: Mapping[str, int]) -> None:
        self.formula = formula
        self.arguments = tuple(str(symbol) for symbol in formula.parameters)
        self.axes = tuple(axes[name] for name in self.arguments)
        self.integers = tuple(bool(getattr(symbol, "is_integer", False)) for symbol in formula.parameters)
        self.open = any(case.kind not in ("closed", "infinite") for case in formula.cases) and not any(self.axes)
        self._codes: dict[tuple[bool, bool], Any] = {}
        self._natives: dict[str, Any] = {}

    def __call__(self, *given: Any, slopes: bool = False) -> tuple[Any, tuple[Any, ...]]:
        """The value, and with `slopes` the derivative by each argument, None by integers."""
        values = [numeric(name, value) for name, value in zip(self.arguments, given, strict=True)]
        shape = self.shape(*(np.shape(value) for value in values))
        code = self._code(slopes, max((np.size(v) for v in values), default=1) >= LARGE)
        if code is None:
            found = np.full(shape, np.nan, kind_of(values))[()]
        else:
            found = code(*values)
        value, rest = (
            (found[0], dict(zip(code.outputs[1:], found[1:], strict=True))) if slopes and code else (found, {})
        )
        if self.open:
            value = self._measured(value, values)
        if not slopes:
            return value, ()
        none = np.full(shape, np.nan)
        return value, tuple(
            None if whole else rest.get(name, none) for name, whole in zip(self.arguments, self.integers, strict=True)
        )

    def native(self, backend: str) -> Any:
        """The formula compiled for a backend of the library's own arrays, None where that lacks a part of it."""
        if backend not in self._natives:
            self._natives[backend] = None
            if not self.open and not any(self.axes):
                try:
                    self._natives[backend] = self.formula.compile(backend)
                except UnderivableError:
                    pass
        return self._natives[backend]

    def shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the value: the leading axes broadcast."""
        return np.broadcast_shapes(*(s[: len(s) - n] for s, n in zip(shapes, self.axes, strict=True)))

    def _code(self, slopes: bool, large: bool) -> Any:
        """The compiled formula, None where nothing of it is closed."""
        key = (slopes, large and not any(self.axes))
        if key not in self._codes:
            backend = None if large or any(self.axes) else "numpy"
            try:
                self._codes[key] = self.formula.compile(backend, gradient=slopes)
            except UnderivableError:
                if not self.open:
                    raise
                self._codes[key] = None
        return self._codes[key]

    def _measured(self, value: Any, values: list[Any]) -> Any:
        """The value where no case that was compiled holds: from the definition."""
        found = np.array(value)
        arrays = np.broadcast_arrays(*values)
        for place in map(tuple, np.argwhere(np.isnan(found))):
            point = {name: array[place].item() for name, array in zip(self.arguments, arrays, strict=True)}
            try:
                found[place] = float(self.formula.evaluate(**point))
            except ParameterError:  # out of a domain, or not known: NaN
                continue
        return found[()]
