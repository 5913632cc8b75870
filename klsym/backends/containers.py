"""Compiled functions of labelled and of chunked arrays: pandas, xarray and dask, each by its own means."""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .function import kind_of


def container(values: Sequence[Any]) -> Callable[..., Any] | None:
    """What calls a function where one of its arguments is of one of these libraries; none of them is imported."""
    found = {type(value).__module__.partition(".")[0] for value in values} & set(CALLS)
    # xarray holds dask's arrays, and takes pandas objects for coordinates.
    return next((CALLS[name] for name in CALLS if name in found), None)


def of_xarray(function: Any, values: Sequence[Any], options: dict[str, Any]) -> Any:
    """The function over named dimensions: those of the event come last, the others broadcast by name."""
    import xarray

    _refuse(options, "xarray")
    events = [list(v.dims[v.ndim - n :]) if n else [] for v, n in zip(values, function.event_axes, strict=True)]
    outputs = [[], *(e for e, name in zip(events, function.arguments, strict=True) if name in function.outputs[1:])]
    found = xarray.apply_ufunc(
        partial(function, **options),
        *values,
        input_core_dims=events,
        output_core_dims=outputs,
        dask="parallelized",
        output_dtypes=[_kind(values)] * len(outputs),
    )
    return found if len(outputs) == 1 else function.results(list(found))


def of_dask(function: Any, values: Sequence[Any], options: dict[str, Any]) -> Any:
    """The function block by block, as a lazy array; an event is never divided."""
    import dask.array

    _refuse(options, "dask")
    arrays = [v if isinstance(v, dask.array.Array) else dask.array.asarray(v) for v in values]
    shapes = [a.shape[a.ndim - n :] for a, n in zip(arrays, function.event_axes, strict=True)]
    names = {size: f"k{n}" for n, size in enumerate(dict.fromkeys(size for shape in shapes for size in shape))}
    inputs = [",".join(names[size] for size in shape) for shape in shapes]
    slopes = [i for i, name in zip(inputs, function.arguments, strict=True) if name in function.outputs[1:]]
    signature = f"{','.join(f'({i})' for i in inputs)}->{','.join(f'({o})' for o in ['', *slopes])}"
    kinds = [_kind(values)] * (1 + len(slopes))
    found = dask.array.apply_gufunc(
        partial(function, **options),
        signature,
        *arrays,
        output_dtypes=kinds if slopes else kinds[0],
        allow_rechunk=True,
    )
    return function.results(list(found)) if slopes else found


def of_pandas(function: Any, values: Sequence[Any], options: dict[str, Any]) -> Any:
    """The function over aligned rows; an index that only some have gives NaN there, as pandas' own arithmetic does."""
    import pandas

    labelled = [v for v in values if isinstance(v, (pandas.Series, pandas.DataFrame))]
    index = labelled[0].index
    for v in labelled[1:]:
        index = index if index.equals(v.index) else index.union(v.index)
    columns = next((v.columns for v in labelled if isinstance(v, pandas.DataFrame)), None)
    names = {v.name for v in labelled if isinstance(v, pandas.Series)}
    name = names.pop() if len(names) == 1 and columns is None else None

    def plain(value: Any, axes: int) -> Any:
        if not isinstance(value, (pandas.Series, pandas.DataFrame)):
            return value
        array = value.reindex(index).to_numpy()
        # A column beside frames: one number for each row.
        return array[:, None] if columns is not None and array.ndim == 1 and not any(function.event_axes) else array

    def labelled_again(array: Any) -> Any:
        if isinstance(array, tuple):
            return type(array)(*map(labelled_again, array))
        if np.shape(array) == (len(index),):
            return pandas.Series(array, index=index, name=name)
        if columns is not None and np.shape(array) == (len(index), len(columns)):
            return pandas.DataFrame(array, index=index, columns=columns)
        return array

    given = [plain(value, axes) for value, axes in zip(values, function.event_axes, strict=True)]
    return labelled_again(function(*given, **options))


def _refuse(options: dict[str, Any], library: str) -> None:
    """Take out the options that say nothing, and refuse those that need arrays at once."""
    if options.get("out") is not None or options.get("report"):
        raise TypeError(
            f"out= and report= need arrays at hand; call the function on the values of the {library} objects"
        )
    options.pop("out", None)
    options.pop("report", None)


def _kind(values: Sequence[Any]) -> Any:
    return kind_of([np.empty(0, v.dtype) if hasattr(v, "dtype") else float(v) for v in values])


CALLS: dict[str, Callable[..., Any]] = {"xarray": of_xarray, "dask": of_dask, "pandas": of_pandas}
