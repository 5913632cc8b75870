"""The measurement: one thread, everything of a row interleaved in one run, the least of several repeats."""

# pyright: reportMissingImports=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import backends
from ..api import kl
from ..core.primitive import PRIMITIVES, Primitive, boolean
from ..core.program import Line, Output, Program
from ..families import catalog
from .peers import PEERS, Columns, installed

Row = dict[str, Any]
# How many times as fast as the fastest peer klsym means to be.
TARGETS = {
    "Normal": 3.0,
    "Laplace": 3.0,
    "Exponential": 3.0,
    "Cauchy": 3.0,
    "Bernoulli": 5.0,
    "Poisson": 5.0,
    "Gamma": 8.0,
    "InverseGamma": 8.0,
    "Beta": 10.0,
    "Weibull": 5.0,
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@contextlib.contextmanager
def single_thread() -> Generator[None]:
    """Everything inside runs on one core, as far as the system lets it be pinned to one."""
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    pinned = hasattr(os, "sched_setaffinity")
    before = os.sched_getaffinity(0) if pinned else set[int]()
    if pinned:
        os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        if pinned:
            os.sched_setaffinity(0, before)


def columns(family: str, n: int, near: bool, seed: int = 0) -> list[NDArray[np.float64]]:
    """P's and Q's parameters: log-uniform in 0.1..100 (probabilities uniform), Q's drawn anew or near P's."""
    rng = np.random.default_rng(seed)

    def draw(domain: Any) -> NDArray[np.float64]:
        if domain.upper == 1:
            return rng.uniform(0.001, 0.999, n)
        return 10 ** rng.uniform(-1, 2, n)

    domains = [parameter.domain for parameter in catalog[family].parameters]
    p = [draw(domain) for domain in domains]
    return p + ([x * (1 + 1e-8 * rng.uniform(-1, 1, n)) for x in p] if near else [draw(d) for d in domains])


def timed(contestants: dict[str, Callable[[], Any]], n: int, repeats: int) -> dict[str, float]:
    """Nanoseconds an element, the least of the repeats, after one call that is not counted."""
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    for _ in range(repeats):
        for name, run in contestants.items():
            start = time.perf_counter_ns()
            run()
            spent[name].append(time.perf_counter_ns() - start)
    return {name: min(values) / n for name, values in spent.items()}


def klsym(family: str, arrays: Columns) -> dict[str, Callable[[], Any]]:
    """klsym's contestants: a call of each installed backend, into an array that is there."""
    formula, out = kl(catalog[family], catalog[family]), np.empty(len(arrays[0]))
    found: dict[str, Callable[[], Any]] = {}
    for backend in ("numba", "numpy"):
        if backend in backends.BACKENDS and find_spec(backend):
            found[f"klsym {backend}"] = _call(formula.compile(backend), arrays, out)
    if find_spec("jax"):
        found["klsym jax"] = _jitted(formula.compile("jax"), arrays)
    return found


def _call(function: Any, arrays: Columns, out: NDArray[np.float64]) -> Callable[[], Any]:
    return lambda: function(*arrays, out=out)


def _jitted(function: Any, arrays: Columns) -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    columns, compiled = [jnp.asarray(array) for array in arrays], jax.jit(function)
    return lambda: compiled(*columns).block_until_ready()


def roof(arrays: Columns) -> Callable[[], Any]:
    """The memory's limit: the same arrays read once and their sum written, by numba, or without it by np.add."""
    out = np.empty(len(arrays[0]))
    if find_spec("numba"):
        from numba import njit

        if len(arrays) == 2:

            @njit(error_model="numpy")
            def two(a: Any, b: Any, out: Any) -> None:
                for i in range(out.size):
                    out[i] = a[i] + b[i]

            return lambda: two(arrays[0], arrays[1], out)

        @njit(error_model="numpy")
        def four(a: Any, b: Any, c: Any, d: Any, out: Any) -> None:
            for i in range(out.size):
                out[i] = a[i] + b[i] + c[i] + d[i]

        return lambda: four(arrays[0], arrays[1], arrays[2], arrays[3], out)

    def chain() -> None:
        np.add(arrays[0], arrays[1], out=out)
        for array in arrays[2:]:
            np.add(out, array, out=out)

    return chain


def race(family: str, n: int, near: bool, repeats: int) -> Row:
    """One family: nanoseconds an element of klsym and of every peer, and how klsym compares with the fastest."""
    arrays = columns(family, n, near)
    contestants = klsym(family, arrays)
    for name in installed():
        run = PEERS[name][1](family, arrays)
        if run is not None:
            contestants[name] = run
    with np.errstate(all="ignore"):
        ns = timed(contestants | {"roof": roof(arrays)}, n, repeats)
    ours, theirs = ([ns[k] for k in ns if k.startswith("klsym") == mine and k != "roof"] for mine in (True, False))
    ratio = min(theirs) / min(ours) if theirs else None
    return {"family": family, "near": near, "ns": ns, "ratio": ratio, "target": TARGETS[family]}


def kernel(primitive: Primitive, n: int, repeats: int) -> Row:
    """One primitive as a program of its own: nanoseconds an element, numba's code, at everyday arguments."""
    rng = np.random.default_rng(1)
    names = tuple(f"x{i}" for i in range(len(primitive.typical)))
    gaps = [Line(f"d{k}", "sub", (names[j], names[i])) for k, (i, j) in enumerate(primitive.gaps)]
    last = Line("y", primitive.name, (*names, *(gap.name for gap in gaps)))
    program = Program(f"only_{primitive.name}", names, (*gaps, last), (Output("y", bound=primitive.worst),))
    arrays = [
        rng.uniform(low, high, n) if low <= 0 else low * (high / low) ** rng.random(n)
        for low, high in primitive.typical
    ]
    run = _call(backends.load(program, "numba"), arrays, np.empty(n))
    return {"primitive": primitive.name, "ns": timed({"numba": run}, n, repeats)["numba"]}


def kernel_rows(n: int, repeats: int) -> Iterator[Row]:
    """A row for every primitive that has a kernel of klsym's own; none without numba."""
    if "numba" not in backends.BACKENDS or not find_spec("numba"):
        return
    from ..backends.library import kernels

    for name in sorted(kernels() & set(PRIMITIVES)):
        primitive = PRIMITIVES[name]
        if not primitive.variadic and boolean not in primitive.typical:
            try:
                yield kernel(primitive, n, repeats)
            except Exception as error:
                yield {"primitive": name, "ns": None, "why": f"{type(error).__name__}: {error}"[:100]}


COMPILE = """
import time
import numpy as np
from klsym import kl
from klsym.families import catalog
family = catalog[{family!r}]
formula = kl(family, family)
x = [np.full(8, 0.25 + 0.25 * i) for i in range(len(formula.parameters))]
start = time.perf_counter()
formula.compile({backend!r})(*x)
print(time.perf_counter() - start)
"""


def compiling(family: str, backend: str) -> Row:
    """Seconds from a formula to its first values in a fresh process, with an empty cache and then with a full one."""
    code = COMPILE.format(family=family, backend=backend)
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"KLSYM_CACHE_DIR": cache}
        first, again = (
            float(
                subprocess.run(
                    [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
                ).stdout
            )
            for _ in range(2)
        )
    return {"family": family, "backend": backend, "first": first, "cached": again}


def geometric_mean(ratios: list[float]) -> float | None:
    return statistics.geometric_mean(ratios) if ratios else None
