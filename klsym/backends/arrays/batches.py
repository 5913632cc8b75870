"""Arguments of array kernels: arrays whose last axes are one event's and whose leading axes are broadcast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import ParameterError

Array = NDArray[np.float64]
BLOCK = 1 << 16  # entries of all events that NumPy takes at a time


@dataclass(frozen=True)
class Kind:
    """A kind of argument: a letter for the size of each event axis, whether an event is one, what is said if not."""

    axes: str
    holds: Callable[[Array], Any]
    wrong: str


def _positive_definite(x: Array) -> bool:
    try:
        np.linalg.cholesky(np.where(np.isfinite(x).all(), x, np.nan))
    except np.linalg.LinAlgError:
        return False
    return bool(np.isfinite(x).all())


def _triangular(x: Array) -> bool:
    return bool(np.isfinite(x).all() and (np.diag(x) > 0.0).all() and not np.triu(x, 1).any())


def finite(axes: str) -> Kind:
    return Kind(axes, lambda x: np.isfinite(x).all(), "is not finite")


def positive(axes: str) -> Kind:
    return Kind(axes, lambda x: ((x > 0.0) & np.isfinite(x)).all(), "is not positive and finite")


def positive_definite(axes: str) -> Kind:
    return Kind(axes, _positive_definite, "is not positive definite")


def triangular(axes: str) -> Kind:
    return Kind(axes, _triangular, "is not lower triangular with a positive diagonal and finite entries")


@dataclass(frozen=True)
class Batch:
    """The arguments as doubles, their kinds, the broadcast leading shape, and the sizes of event axes by letter."""

    arrays: dict[str, Array]
    kinds: dict[str, Kind]
    shape: tuple[int, ...]
    sizes: dict[str, int]

    @property
    def count(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    def flat(self) -> list[Array]:
        """The arguments with one leading dimension, of 1 or of all elements."""
        flat: list[Array] = []
        for name, array in self.arrays.items():
            event = array.shape[array.ndim - len(self.kinds[name].axes) :]
            if array.size != int(np.prod(event)):
                array = np.broadcast_to(array, (*self.shape, *event))
            flat.append(np.ascontiguousarray(array).reshape(-1, *event))
        return flat

    def blocks(self) -> Iterator[slice]:
        """Parts of the batch that are small enough for NumPy's temporaries."""
        largest = max(int(np.prod([self.sizes[axis] for axis in kind.axes])) for kind in self.kinds.values())
        step = max(BLOCK // largest, 1)
        return (slice(start, start + step) for start in range(0, self.count, step))

    def mapped(self, kernel: Callable[..., Any]) -> Array:
        """The kernel's values at arguments that have the batch as their last axis."""
        value, flat = np.empty(self.count), self.flat()
        with np.errstate(all="ignore"):
            for here in self.blocks():
                turned = (np.moveaxis(x if len(x) == 1 else x[here], 0, -1) for x in flat)
                value[here] = kernel(*map(np.ascontiguousarray, turned))
        return value

    def answer(self, value: Array, check: bool) -> Array | np.float64:
        """The values in the leading shape; with `check` a ParameterError names the argument that is behind a NaN."""
        value = value.reshape(self.shape)
        if check and np.isnan(value).any():
            where = tuple(int(i) for i in np.argwhere(np.isnan(value))[0])
            place = f" at {where}" if where else ""
            for name, array in self.arrays.items():
                kind = self.kinds[name]
                event = array.shape[array.ndim - len(kind.axes) :]
                if not kind.holds(np.broadcast_to(array, (*self.shape, *event))[where]):
                    raise ParameterError(f"{name}{place} {kind.wrong}")
            raise ParameterError(f"the divergence{place} is outside the range of doubles; rescale the parameters")
        return value[()]


def batched(arguments: Mapping[str, tuple[Any, Kind]]) -> Batch:
    """The arguments as a batch; what is not an array of real numbers of a shape that fits raises ParameterError."""
    arrays: dict[str, Array] = {}
    for name, (value, kind) in arguments.items():
        try:
            arrays[name] = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"{name} is not an array of real numbers: {error}; pass numbers or arrays") from error
        if arrays[name].ndim < (rank := len(kind.axes)):
            raise ParameterError(
                f"{name} has {arrays[name].ndim} dimensions; it needs {rank} or more, the last the event's"
            )
    sizes: dict[str, int] = {}
    named: dict[str, str] = {}
    leading: list[tuple[int, ...]] = []
    for name, (_, kind) in arguments.items():
        shape = arrays[name].shape
        event = shape[len(shape) - len(kind.axes) :]
        leading.append(shape[: len(shape) - len(kind.axes)])
        for axis, size in zip(kind.axes, event, strict=True):
            if size == 0:
                raise ParameterError(f"{name} is empty; its last dimensions must be at least 1")
            if sizes.setdefault(axis, size) != size:
                needed = tuple(sizes.get(letter, letter) for letter in kind.axes)
                raise ParameterError(
                    f"{name} has the shape {shape}, but {named.get(axis, name)} says that {axis} is {sizes[axis]}; its "
                    f"last dimensions must be {needed}"
                )
            named.setdefault(axis, name)
    try:
        broadcast = np.broadcast_shapes(*leading)
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ParameterError(f"the leading dimensions do not broadcast: {shapes}") from error
    return Batch(arrays, {name: kind for name, (_, kind) in arguments.items()}, broadcast, sizes)
