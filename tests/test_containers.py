"""Compiled functions of pandas, xarray and dask objects, and through pickle, joblib and other processes."""

from __future__ import annotations

import contextlib
import copy
import importlib
import multiprocessing
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

from klsym import Dirichlet, Gamma, kl

A = np.array([5.0, 4.0, 3.0])
f = kl(Gamma, Gamma).compile("numpy")
g = kl(Gamma, Gamma).compile("numpy", gradient=True)
dirichlet = kl(Dirichlet, Dirichlet).compile()


def test_columns_keep_their_index():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": A, "b": [1.0, 2.0, 3.0]}, index=list("xyz"))
    found = f(frame.a, 2.0, frame.b, 1.0)
    assert isinstance(found, pd.Series) and list(found.index) == list("xyz") and found.name is None
    assert (found.to_numpy() == f(A, 2.0, [1.0, 2.0, 3.0], 1.0)).all()
    assert f(frame.a, 2.0, alpha_q=frame.a, beta_q=1.0).name == "a"
    shuffled = f(frame.a, 2.0, frame.b[::-1], 1.0)
    assert (shuffled[list("xyz")] == found).all()
    assert f(frame.a, 2.0, frame.b[:2], 1.0).isna().tolist() == [False, False, True]
    both = f(frame, 2.0, 1.0, 1.0)
    assert list(both.columns) == ["a", "b"] and list(both.index) == list("xyz")
    assert (f(frame, 2.0, frame.b, 1.0)["b"] == f(frame.b, 2.0, frame.b, 1.0)).all()
    slopes = g(frame.a, 2.0, frame.b, 1.0)
    assert list(slopes.alpha_p.index) == list("xyz")
    value, error, second = f(frame.a, 2.0, frame.b, 1.0, report=True)
    assert list(value.index) == list(error.index) == list(second.index) == list("xyz")
    rows = dirichlet(frame, [1.0, 1.0])
    assert list(rows.index) == list("xyz") and rows.iloc[0] == dirichlet([5.0, 1.0], [1.0, 1.0])


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_dimensions_are_matched_by_name():
    xr = pytest.importorskip("xarray")
    a = xr.DataArray(A, dims="place", coords={"place": list("xyz")})
    b = xr.DataArray([1.0, 2.0], dims="time")
    found = f(a, 2.0, b, 1.0)
    assert found.dims == ("place", "time") and list(found.place.values) == list("xyz")
    assert (found.values == f(A[:, None], 2.0, [1.0, 2.0], 1.0)).all()
    assert g(a, 2.0, b, 1.0).alpha_q.dims == ("place", "time")
    alpha = xr.DataArray(np.ones((2, 3)), dims=("time", "kind"))
    assert dirichlet(alpha, xr.DataArray(A, dims="kind")).dims == ("time",)
    with pytest.raises(TypeError, match="report"):
        f(a, 2.0, b, 1.0, report=True)


def test_chunks_stay_lazy():
    da = pytest.importorskip("dask.array")
    a = da.from_array(np.linspace(1, 9, 1000), chunks=300)
    found = f(a, 2.0, a + 1, 1.0)
    assert isinstance(found, da.Array) and found.chunks == a.chunks
    assert (found.compute() == f(np.asarray(a), 2.0, np.asarray(a) + 1, 1.0)).all()
    assert (g(a, 2.0, a, 1.0).beta_q.compute() == g(np.asarray(a), 2.0, np.asarray(a), 1.0).beta_q).all()
    alpha = da.from_array(np.random.default_rng(0).uniform(1, 2, (10, 4)), chunks=(3, 2))
    assert np.allclose(dirichlet(alpha, np.ones(4)).compute(), dirichlet(np.asarray(alpha), np.ones(4)))
    assert f(a.astype("float32"), 2.0, 1.0, 1.0).dtype == np.float32


def test_chunks_under_dimensions():
    xr = pytest.importorskip("xarray")
    da = pytest.importorskip("dask.array")
    a = xr.DataArray(da.from_array(np.linspace(1, 9, 100), chunks=30), dims="x")
    found = f(a, 2.0, a + 1, 1.0)
    assert found.chunks is not None and (found.values == f(a.values, 2.0, a.values + 1, 1.0)).all()


POINT = (5.0, 2.0, 1.5, 1.0)
BACKENDS = ["numpy", "numba", "c", "exact", *(pytest.param(n, marks=pytest.mark.peers) for n in ("torch", "jax"))]


@pytest.fixture(scope="module")
def spawned():
    """Another process, which knows nothing of this one."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield pool


@pytest.fixture
def compiled(request):
    """The function of a backend, where that can be had."""
    if request.param in ("numba", "torch", "jax"):
        pytest.importorskip(request.param)
    if request.param == "c" and not (shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("there is no C compiler")
    # Other tests may have left JAX's doubles on, which another process has not.
    alone = importlib.import_module("jax").enable_x64(False) if request.param == "jax" else contextlib.nullcontext()
    with alone:
        yield kl(Gamma, Gamma).compile(request.param)


@pytest.mark.parametrize("compiled", BACKENDS, indirect=True)
def test_copies_of_every_backend_compute_the_same_here_and_elsewhere(compiled, spawned):
    found = [again(*POINT) for again in (copy.copy(compiled), copy.deepcopy(compiled))]
    found += [pickle.loads(pickle.dumps(compiled))(*POINT), spawned.apply(compiled, POINT)]
    assert [float(x) for x in found] == [float(compiled(*POINT))] * 4


@pytest.mark.parametrize("compiled", BACKENDS, indirect=True)
def test_joblib_and_dask_take_every_backend(compiled):
    joblib, dask = pytest.importorskip("joblib"), pytest.importorskip("dask")
    expected = [float(compiled(x, *POINT[1:])) for x in A]
    number = lambda x: float(compiled(x, *POINT[1:]))  # noqa: E731 - a lambda is sent by value
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(number)(x) for x in A) == expected
    assert list(dask.compute(*map(dask.delayed(number), A), scheduler="processes", num_workers=1)) == expected


@pytest.mark.parametrize("function", [g, dirichlet], ids=["gradient", "arrays"])
def test_copies_of_functions_of_several_results_compute_the_same(function):
    arguments = (A, A[::-1]) if function is dirichlet else (A, *POINT[1:])
    for again in (copy.copy(function), copy.deepcopy(function), pickle.loads(pickle.dumps(function))):
        for x, y in zip(np.atleast_1d(again(*arguments)), np.atleast_1d(function(*arguments)), strict=True):
            assert np.all(x == y)


def test_none_of_them_is_imported_without_need():
    code = (
        "import sys, klsym; f = klsym.kl(klsym.Gamma, klsym.Gamma).compile('numpy'); "
        "f([5.0], 2.0, 1.0, 1.0); print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "xarray", "dask"} & set(ran.stdout.split())
