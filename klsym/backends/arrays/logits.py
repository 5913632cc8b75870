"""Kullback-Leibler divergence of categorical distributions given by logits, and its derivatives.

The arithmetic is that of `kernels/logits.py`, and of `kernels/logits_single.py` for rows of single precision. Rows are
read a block at a time, twice for the value and once or twice more for derivatives, by numba where it is installed, on
as many threads as the process may use, and else by NumPy.
"""

# The kernels' helpers are for what is compiled of them, and for this module.
# pyright: basic, reportPrivateUsage=false

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.errors import VectorError
from ..kernels import logits as kernels
from .loops import loops

Array = NDArray[Any]
BLOCK = 1 << 14  # logits, of each side, that NumPy holds at a time
SHARE = 1 << 16  # and that are worth a thread
LANES = 64  # columns, and rows of few classes, are taken so many side by side
NARROW = {np.float32: 40, np.float64: 400}  # how few these are


def kl(p_logits: ArrayLike, q_logits: ArrayLike, axis: int = -1, out: Array | None = None, *, unit: float = 1.0) -> Any:
    """The divergence, in units of so many nats, of softmax(p_logits) from softmax(q_logits), along one axis.

    p_logits, q_logits: real arrays that broadcast together. -inf is a class without mass: the value is +oo where only
    Q has it. NaN where a logit is NaN or +inf, or a whole row is -inf. The type is that of a ufunc of both: float16,
    float32 or float64. Half precision and short rows of single precision are computed in wider numbers and rounded
    once; longer rows of single precision in that precision, to 4 units of its last place, and anew in float64 where it
    does not vouch for them. 0 where the logits differ by a constant, a number for vectors. `out`: an array for the
    result. Raises VectorError for shapes that do not fit or an axis without a class, TypeError for logits that are not
    real. (Cover and Thomas, Elements of Information Theory, 2.3.)

    >>> kl([0.0, 0.0], [0.0, 1.0])
    0.12011450695827752
    >>> kl([[1.0, 2.0], [3.0, -np.inf]], [[2.0, 3.0], [0.0, 0.0]])
    array([0.        , 0.69314718])
    """
    return _run(p_logits, q_logits, axis, out, unit, sloped=False)[0]


def kl_and_gradient(
    p_logits: ArrayLike, q_logits: ArrayLike, axis: int = -1, out: Array | None = None, *, unit: float = 1.0
) -> tuple[Any, Array, Array]:
    """The divergence, as `kl`, and its derivatives by the logits of either side: p (log(p/q) - KL) and q - p.

    The derivatives have the shape to which the logits broadcast, and are NaN where the divergence is not finite.

    >>> value, by_p, by_q = kl_and_gradient([0.0, 0.0], [0.0, 1.0])
    >>> by_q
    array([-0.23105858,  0.23105858])
    """
    return _run(p_logits, q_logits, axis, out, unit, sloped=True)


def _run(
    p_logits: ArrayLike, q_logits: ArrayLike, axis: int, out: Array | None, unit: float, sloped: bool
) -> tuple[Any, Any, Any]:
    p, q = _real(p_logits, "p_logits"), _real(q_logits, "q_logits")
    dtype = np.result_type(p, q)
    try:
        p, q = np.broadcast_arrays(p, q)
    except ValueError:
        raise VectorError(f"p_logits has shape {p.shape} and q_logits {q.shape}, which do not broadcast") from None
    try:
        p, q = np.moveaxis(p, axis, -1), np.moveaxis(q, axis, -1)
    except (ValueError, TypeError):
        raise VectorError(
            f"the logits have {p.ndim} axes, so axis={axis!r} does not say where the classes lie"
        ) from None
    *outer, classes = p.shape
    if classes == 0:
        raise VectorError(f"the logits are empty along axis {axis}; a distribution has at least one class")
    if out is not None and (out.shape != tuple(outer) or not np.can_cast(dtype, out.dtype, "same_kind")):
        raise VectorError(f"out has shape {out.shape} and type {out.dtype}; the result has {tuple(outer)} and {dtype}")
    value = np.empty(outer, np.float64)
    slopes = [np.empty(p.shape if sloped else 0, dtype) for _ in range(2)]
    rows: Callable[..., None] = _compiled_rows if loops("logits") else _plain_rows
    for at in np.ndindex(*outer[:-1]) if not _even(p, q) else [(...,)]:
        inner = [x[at].reshape(-1, classes) for x in (p, q)]
        rows(*inner, value[at].reshape(-1), *(x[at].reshape(-1, classes) if sloped else x for x in slopes))
    if sloped:
        for each in slopes:
            each[~np.isfinite(value)] = np.nan
    value /= unit
    if unit != 1.0:
        for each in slopes:
            each /= unit
    by_p, by_q = (np.moveaxis(each, -1, axis) if sloped else each for each in slopes)
    if out is None:
        result = float(value) if not outer and dtype == np.float64 else value.astype(dtype, copy=False)[()]
        return result, by_p, by_q
    out[...] = value
    return out, by_p, by_q


def _real(given: ArrayLike, name: str) -> Array:
    array = np.asarray(given)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} has type {array.dtype}; logits are real numbers of at most double precision")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _even(*arrays: Array) -> bool:
    """Whether the outer axes of each are one axis of constant stride, so that no copy makes them one."""
    return all(
        x.size == 0 or all(a == n * b for a, b, n in zip(x.strides[:-2], x.strides[1:-1], x.shape[1:-1], strict=True))
        for x in arrays
    )


def _plain_rows(p: Array, q: Array, value: Array, by_p: Array, by_q: Array) -> None:
    """By NumPy, at most BLOCK logits of each side at a time."""
    classes = p.shape[1]
    height = max(1, BLOCK // classes)
    cuts = [slice(first, first + BLOCK) for first in range(0, classes, BLOCK)]
    with np.errstate(all="ignore"):
        for first in range(0, len(p), height):
            rows = slice(first, first + height)

            def blocks(rows: slice = rows) -> Iterator[tuple[slice, Array, Array]]:
                for cut in cuts:
                    yield cut, p[rows, cut].astype(np.float64), q[rows, cut].astype(np.float64)

            value[rows], *rest = _plain(blocks)
            if by_p.size:
                for cut, a, b in blocks():
                    by_p[rows, cut], by_q[rows, cut] = _plain_slopes(a, b, value[rows, None], *rest)


def _plain(blocks: Callable[[], Iterator[tuple[slice, Array, Array]]]) -> tuple[Any, ...]:
    """The divergence of some rows, and what their derivatives need besides."""
    top, top_q, mode_q, odd = _surveyed(blocks())
    mode, mode_tail = kernels._gap(mode_q, top)
    sums: list[Any] = []
    for _cut, a, b in blocks():
        w, y, tail = kernels._weighed(a, b, top, mode, mode_tail)
        mass, sum_y = w.sum(-1, keepdims=True), (w * y).sum(-1, keepdims=True)
        x = (y - np.where(mass > 0, sum_y / mass, 0.0)) + tail
        terms = (part.sum(-1, keepdims=True) for part in (*kernels._term(b, w, x, top_q), w * x))
        sums.append((mass, sum_y, *terms))
    mass = sum(s[0] for s in sums)
    centre = sum(s[1] for s in sums) / mass
    t, t_tail, scale, scale_tail = kernels._scale(top_q, mode_q, centre)
    joined = [kernels._joined(m, y, n, f, z, centre, t, t_tail) for m, y, n, f, z in sums]
    terms, far, x, mass_q = (sum(parts) for parts in zip(*joined, strict=True))
    found = kernels._divergence(mass, terms, far, x, mass_q, scale, scale_tail)
    nothing = (top == -np.inf) | (top_q == -np.inf) | (odd == 2)
    found = np.where(nothing, np.nan, np.where(odd == 1, np.inf, found))
    return found[:, 0], top, top_q, mode, mode_tail, centre, x / mass, mass, mass_q


def _surveyed(blocks: Iterator[tuple[slice, Array, Array]]) -> list[Array]:
    """P's greatest logit, Q's greatest, Q's where P's is, and 2 for NaN or +inf, 1 for -inf in Q alone."""
    top, top_q, mode_q, odd = [], [], [], []
    for _cut, a, b in blocks:
        at = np.where(np.isnan(a), -np.inf, a).argmax(-1)[:, None]
        top.append(np.take_along_axis(a, at, -1))
        mode_q.append(np.take_along_axis(b, at, -1))
        top_q.append(b.max(-1, keepdims=True))
        unlike = np.where((a < np.inf) & (b < np.inf), (b == -np.inf) & (a > -np.inf), 2)
        odd.append(unlike.max(-1, keepdims=True))
    tops = np.concatenate(top, axis=-1)
    best = tops.argmax(-1)[:, None]
    found = [np.take_along_axis(tops, best, -1), np.concatenate(top_q, axis=-1).max(-1, keepdims=True)]
    return [
        *found,
        np.take_along_axis(np.concatenate(mode_q, -1), best, -1),
        np.concatenate(odd, -1).max(-1, keepdims=True),
    ]


def _plain_slopes(
    a: Array,
    b: Array,
    value: Array,
    top: Array,
    top_q: Array,
    mode: Array,
    mode_tail: Array,
    mean: Array,
    mean_tail: Array,
    mass: Array,
    mass_q: Array,
) -> tuple[Array, Array]:
    w, y, tail = kernels._weighed(a, b, top, mode, mode_tail)
    x = (y - mean) + (tail - mean_tail)
    return kernels._logit_slopes(b, w, x, top_q, value, mass, mass_q)


def _compiled_rows(p: Array, q: Array, value: Array, by_p: Array, by_q: Array) -> None:
    """By numba, the rows shared among threads; of single precision those whose digits that does not vouch for twice."""
    count, classes = p.shape
    if any(x.dtype == np.float16 for x in (p, q, by_p)) or not all(map(_plain_layout, (p, q))):
        _copied_rows(p, q, value, by_p, by_q)
        return
    (a, *a_steps), (b, *b_steps) = _flat(p), _flat(q)
    single = a.dtype == b.dtype == np.float32 and a_steps[1] == b_steps[1] == 1
    width = LANES if classes <= NARROW[np.float32 if single else np.float64] or (a_steps[1] > 1 and count > 1) else 1
    slopes = by_p.reshape(-1), by_q.reshape(-1)
    singles: Any = loops("logits_single")
    doubles: Any = loops("logits")

    def double(first: int, last: int) -> None:
        doubles.rows(a, *a_steps, b, *b_steps, first, last, classes, width, value, *slopes)

    def work(first: int, last: int) -> None:
        if width > 1 or not single:
            double(first, last)
            return
        singles.rows(a, a_steps[0], b, b_steps[0], first, last, classes, value, *slopes)
        for start, end in _runs(np.isnan(value[first:last])):
            double(first + start, first + end)

    threads = max(1, min(_cores(), count // width, count * classes // SHARE))
    if threads == 1:
        work(0, count)
        return
    ends = [count * i // threads // width * width for i in range(threads)] + [count]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, ends[:-1], ends[1:]))


def _runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where the runs of true flags begin and end."""
    turns = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    yield from zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True)


def _copied_rows(p: Array, q: Array, value: Array, by_p: Array, by_q: Array) -> None:
    """Some rows at a time, in a type and an order that the loops take."""
    height = max(1, 4 * SHARE // p.shape[1])
    double = np.float64 in (p.dtype.newbyteorder("="), q.dtype.newbyteorder("="))
    native = np.float64 if double else np.float32
    for first in range(0, len(p), height):
        rows = slice(first, first + height)
        a, b = (x[rows].astype(native, order="C") for x in (p, q))
        slopes = [np.empty(a.shape if by_p.size else (0, 0), native) for _ in range(2)]
        _compiled_rows(a, b, value[rows], *slopes)
        if by_p.size:
            by_p[rows], by_q[rows] = slopes


def _plain_layout(x: Array) -> bool:
    return x.dtype.isnative and x.flags.aligned and all(s >= 0 and s % x.itemsize == 0 for s in x.strides)


def _flat(x: Array) -> tuple[Any, ...]:
    """The memory between the first and the last logit, and how many apart rows and classes lie in it."""
    steps = [s // x.itemsize for s in x.strides]
    length = 1 + sum((n - 1) * s for n, s in zip(x.shape, steps, strict=True)) if x.size else 0
    return np.lib.stride_tricks.as_strided(x, (length,), (x.itemsize,), writeable=False), *steps


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
