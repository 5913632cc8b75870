"""Where the jobs of an audit are computed: on this machine, or on a cluster."""
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from ...core.errors import KlsymError
from .perform import Desk, sit

# Jobs handed over for each that runs, so that none waits while a case thinks.
_AHEAD = 4


@contextmanager
def local(jobs: int) -> Generator[tuple[Executor, int]]:
    """An executor for so many jobs at a time on this machine, and how many to hand it at once.

    Each of its threads only waits for a process that computes, and that is replaced when it dies.
    """
    desks: list[Desk] = []
    pool = ThreadPoolExecutor(jobs, initializer=lambda: desks.append(sit()))
    try:
        yield pool, _AHEAD * jobs
    finally:
        # An audit that is given up does not wait for its jobs in flight; one that is finished has none.
        pool.shutdown(wait=False, cancel_futures=True)
        for desk in desks:
            desk.leave()


@contextmanager
def dask(address: str) -> Generator[tuple[Executor, int]]:
    """An executor on the dask cluster whose scheduler has the address, and how many jobs to hand it at once.

    klsym and the libraries under audit are installed on its workers. Raises KlsymError where distributed is not
    installed, or no scheduler with a worker answers within a minute.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise KlsymError("a cluster needs the package distributed; `pip install klsym[dask]` brings it") from error
    try:
        client = Client(address, timeout=60)
    except (OSError, ValueError) as error:
        raise KlsymError(f"no dask scheduler answers at {address}; {error}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=60)
        except TimeoutError as error:
            raise KlsymError(f"the dask scheduler at {address} has no worker; start one with `dask worker`") from error
        # Two jobs of one argument are one job already; dask need not find that out.
        with client.get_executor(pure=False) as pool:
            yield pool, _AHEAD * sum(client.nthreads().values())
