"""A function of NumPy arrays that stands behind one of tensors or JAX arrays in the CPU's memory."""

from __future__ import annotations

from typing import Any, Protocol

from .portable import ArrayProgram


class Host(Protocol):
    """The value and the derivatives of a divergence at arrays of NumPy, in the order of the program's arguments.

    What the program lacks of kernels, torch and JAX lack in operations of their own.
    """

    program: ArrayProgram

    def value(self, *arrays: Any) -> Any:
        """The value over the batch that the arguments broadcast to."""
        ...

    def slopes(self, *arrays: Any) -> tuple[Any, ...]:
        """The value, and its derivatives by the arguments that have one, each over the whole batch."""
        ...

    def check(self, *arrays: Any) -> None:
        """Raise ParameterError for the first element that is outside of a domain."""
        ...
