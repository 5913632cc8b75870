"""A formula as a function of NumPy arrays for other libraries to call: the value, and the derivatives if wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..backends import hosted
from ..backends.function import kind_of, numeric
from ..backends.portable import ArrayProgram
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
        sloped = [k for k, symbol in enumerate(formula.parameters) if not getattr(symbol, "is_integer", False)]
        self.program = ArrayProgram("divergence", self.arguments, self.axes, tuple(sloped), formula.title)
        self.open = any(case.kind not in ("closed", "infinite") for case in formula.cases) and not any(self.axes)
        self._codes: dict[tuple[bool, bool], Any] = {}
        self._natives: dict[str, Any] = {}

    def value(self, *given: Any) -> Any:
        """The value over the broadcast leading axes."""
        return self._found(given, slopes=False)[0]

    def slopes(self, *given: Any) -> tuple[Any, ...]:
        """The value, and the derivatives by the arguments that are no integers.

        Raises UnderivableError where the value is finite and a derivative is not known.
        """
        value, *rest = self._found(given, slopes=True)
        if self.open and any(np.isnan(slope[np.isfinite(value)]).any() for slope in rest):
            raise UnderivableError(
                f"{self.formula.title} has no closed form at these values, so that its derivatives are not known; "
                "detach them for the value"
            )
        return value, *rest

    def check(self, *given: Any) -> None:
        """Nothing more is asked of the attributes of a distribution."""

    def on(self, backend: str) -> Any:
        """The formula as a function of the arrays of a library that differentiates: its own, or that of this plan.

        There is no second pass in JAX: a formula of numbers that may cancel is left to NumPy.
        """
        if backend not in self._natives:
            native = None
            if not self.open:
                try:
                    native = self.formula.compile(backend)
                except UnderivableError:
                    pass
            cancels = backend == "jax" and not any(self.axes) and native and native.program.outputs[0].error
            self._natives[backend] = hosted(self, backend) if native is None or cancels else native
        return self._natives[backend]

    def _found(self, given: tuple[Any, ...], slopes: bool) -> list[Any]:
        values = [numeric(name, value) for name, value in zip(self.arguments, given, strict=True)]
        shape = self.shape(*(np.shape(value) for value in values))
        code = self._code(slopes, max((np.size(v) for v in values), default=1) >= LARGE)
        if code is None:
            found = [np.full(shape, np.nan, kind_of(values))[()]]
        else:
            found = list(code(*values)) if slopes and len(code.outputs) > 1 else [code(*values)]
        if self.open:
            found[0] = self._measured(found[0], values)
        if not slopes:
            return found
        rest = dict(zip(code.outputs[1:], found[1:], strict=True)) if code else {}
        none = np.full(shape, np.nan)
        return [found[0], *(rest.get(self.arguments[k], none) for k in self.program.sloped)]

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
