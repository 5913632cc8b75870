"""Programs as functions of the arrays of any library that array-api-compat knows: values, types, refusals."""

# pyright: basic
from __future__ import annotations

import inspect
import math
import os
import pickle
import subprocess
import sys
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

import klsym
from klsym import Gamma, Normal, ParameterError, StudentT, UnderivableError
from klsym.backends import emit
from klsym.backends.callable import execute
from klsym.backends.kernels import machine
from klsym.backends.library import array_api_library, needed
from klsym.families import catalog

if not find_spec("array_api_compat"):
    pytest.skip("needs array-api-compat", allow_module_level=True)

EPS = 2.0**-52
LIBRARIES = [
    "numpy",
    pytest.param("array_api_strict", marks=pytest.mark.peers),
    pytest.param("torch", marks=pytest.mark.peers),
    pytest.param("dask.array", marks=pytest.mark.peers),
]
OF_EVERY_LIBRARY = pytest.mark.parametrize("name", LIBRARIES)


@pytest.fixture
def library(name):
    return pytest.importorskip(name)


@cache
def compiled(family):
    return klsym.kl(catalog[family], catalog[family]).compile("array_api")


def exact(family, *arguments):
    return klsym.kl(catalog[family], catalog[family]).compile("exact")(*arguments)


@OF_EVERY_LIBRARY
@pytest.mark.parametrize("family", ["Normal", "Gamma", "Bernoulli", "Weibull", "InverseGaussian"])
def test_every_digit_is_right_far_and_near(library, family):
    rng = np.random.default_rng(3)
    domains = [parameter.domain for parameter in catalog[family].parameters]
    p = [rng.uniform(0.01, 0.99, 64) if d.upper == 1 else 10.0 ** rng.uniform(-2, 2, 64) for d in domains]
    gap = 10.0 ** rng.uniform(-16, 0, 64)
    q = [x * (1 + gap * rng.uniform(-1, 0, 64)) for x in p]
    arrays = [library.asarray(x) for x in (*p, *q)]
    result, true = compiled(family)(*arrays), exact(family, *p, *q)
    assert type(result) is type(arrays[0]) and result.dtype == arrays[0].dtype
    found = np.asarray(result)
    assert np.all(abs(found - true) <= 8 * EPS * true)
    assert np.all(found[true == 0] == 0)


@OF_EVERY_LIBRARY
def test_the_result_has_the_floating_type_of_the_arrays(library):
    f, half = compiled("Gamma"), library.asarray([5.0, 0.5], dtype=library.float32)
    result = f(half, 2.0, 1.5, 3)
    assert result.dtype == library.float32
    true = exact("Gamma", np.array([5.0, 0.5]), 2.0, 1.5, 3.0)
    assert np.all(abs(np.asarray(result) - true) <= 2.0**-24 * true)
    assert f(library.asarray([5, 7]), 2.0, 1.5, half[0]).dtype == library.float32
    assert f(library.asarray([5, 7]), 2.0, 1.5, 3.0).dtype == library.float64


@pytest.mark.filterwarnings("ignore::RuntimeWarning:dask")  # dask computes in threads of its own
@OF_EVERY_LIBRARY
def test_what_is_invalid_is_nan_and_equal_arguments_give_zero(library):
    f = compiled("Gamma")
    result = f(library.asarray([[5.0], [-1.0], [math.nan]]), 2.0, library.asarray([5.0, math.inf]), beta_q=2.0)
    result = np.asarray(result)
    assert result.shape == (3, 2) and result[0, 0] == 0.0 and np.isnan(result).sum() == 5


@OF_EVERY_LIBRARY
@pytest.mark.parametrize(
    "p, q, arguments",
    [
        ("Gamma", "AsymmetricLaplace", (2.0, 1.5, 0.7, 1.2, 0.8)),
        ("Rayleigh", "Gompertz", (1.3, 0.4, 0.9)),
        ("Logistic", "Logistic", (0.3, 1.2, -0.5, 0.7)),
        ("Zeta", "Zeta", (2.5, 3.5)),
    ],
)
def test_functions_that_the_standard_lacks(library, p, q, arguments):
    formula = klsym.kl(catalog[p], catalog[q])
    result = formula.compile("array_api")(library.asarray([arguments[0]], dtype=library.float64), *arguments[1:])
    assert type(result) is type(library.asarray([1.0]))
    assert float(np.asarray(result)[0]) == pytest.approx(formula.compile("exact")(*arguments), rel=1e-13)


@pytest.mark.peers
def test_the_library_computes_special_functions_where_scipy_dispatches():
    code = (
        "import klsym, torch, warnings; from scipy import special\n"
        "warnings.simplefilter('error')\n"
        "f = klsym.kl(klsym.Gamma, klsym.AsymmetricLaplace).compile('array_api')\n"
        "def refuse(*_): raise AssertionError('NumPy reads the tensor')\n"
        "torch.Tensor.__array__ = refuse\n"
        "print(float(f(torch.asarray(2.0, dtype=torch.float64), 1.5, 0.7, 1.2, 0.8)))"
    )
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    true = klsym.kl(klsym.Gamma, klsym.AsymmetricLaplace).compile("exact")(2.0, 1.5, 0.7, 1.2, 0.8)
    assert float(ran.stdout or "nan") == pytest.approx(true, rel=1e-13), ran.stderr


@pytest.mark.peers
def test_arrays_of_jax_are_computed_with_in_doubles():
    jax = pytest.importorskip("jax")
    arguments = (0.5, 1.0, 0.5 + 1e-9, 1.0)
    with jax.enable_x64(True):
        found = compiled("Normal")(*map(jax.numpy.asarray, arguments))
        assert isinstance(found, jax.Array) and found.dtype == np.float64
    assert float(found) == pytest.approx(exact("Normal", *arguments), rel=8 * EPS)


@pytest.mark.peers
def test_arrays_of_dask_stay_lazy():
    da = pytest.importorskip("dask.array")
    a = da.from_array(np.linspace(1, 9, 1000), chunks=300)
    found = compiled("Gamma")(a, 2.0, a + 1, 1.0)
    assert isinstance(found, da.Array) and found.chunks == a.chunks
    assert np.all(found.compute() == compiled("Gamma")(np.asarray(a), 2.0, np.asarray(a) + 1, 1.0))


def test_derivatives_are_returned_on_demand():
    arguments = (5.0, 2.0, np.array([5.0 + 1e-8]), 2.0)
    found = klsym.kl(Gamma, Gamma).compile("array_api", gradient=True)(*arguments)
    true = klsym.kl(Gamma, Gamma).compile("exact", gradient=True)(*arguments)
    for name, a, b in zip(found._fields, found, true, strict=True):
        assert abs(a - b) <= 8 * EPS * abs(b), name


def test_what_is_refused():
    f = compiled("Normal")
    with pytest.raises(TypeError, match="list"):
        f([0.0], 1.0, 0.0, 1.0)
    with pytest.raises(TypeError, match="complex"):
        f(np.ones(2) * 1j, 1.0, 0.0, 1.0)
    with pytest.raises(TypeError, match="sigma_q"):
        f(0.0, 1.0, 0.0)
    with pytest.raises(ParameterError, match="no report"):
        klsym.kl(Normal, Normal).compile("array_api", report=True)


@pytest.mark.peers
def test_arrays_of_two_libraries_and_single_precision_jax_are_refused():
    torch, jnp = pytest.importorskip("torch"), pytest.importorskip("jax.numpy")
    with pytest.raises(TypeError, match=r"[Mm]ultiple namespaces"):
        compiled("Normal")(np.ones(2), 1.0, torch.ones(2), 1.0)
    with pytest.warns(UserWarning, match="float64"), pytest.raises(TypeError, match="jax_enable_x64"):
        compiled("Normal")(jnp.ones(2), 1.0, 0.0, 1.0)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("klsym.backends.array_api.find_spec", lambda name: None)
    with pytest.raises(UnderivableError, match="pip install array-api-compat"):
        klsym.kl(Normal, Normal).compile("array_api")


def test_numbers_alone_give_a_number_and_a_pickle_computes_the_same():
    f = compiled("Gamma")
    assert float(pickle.loads(pickle.dumps(f))(5, 2, 1.5, 3)) == float(f(5, 2, 1.5, 3)) == exact("Gamma", 5, 2, 1.5, 3)
    assert f.__name__ == "kl_gamma_gamma" and list(inspect.signature(f).parameters) == list(f.arguments)


@OF_EVERY_LIBRARY
def test_octaves_powers_and_tails_are_those_of_the_bits(library):
    own = execute(
        "octaves", "\n".join(needed(array_api_library(), ["_octaves", "_power_of_two", "_product_tail"])), "<octaves>"
    )
    rng, k = np.random.default_rng(1), np.arange(-960.0, 961.0)
    assert np.array_equal(np.asarray(own["_power_of_two"](library.asarray(k))), np.ldexp(1.0, k.astype(int)))
    x = 2.0 ** rng.uniform(-400, 400, 3000)
    y = np.concatenate([np.nextafter(x[:1000] * 4.0, rng.choice([0.0, np.inf], 1000)), x[1000:2000] / 8.0, x[:1000]])
    found = own["_octaves"](library.asarray(x), library.asarray(y))
    for a, b in zip(found, machine.octaves(x, y), strict=True):
        assert np.array_equal(np.asarray(a), b)
    z = rng.permutation(x)
    tail = own["_product_tail"](library.asarray(x), library.asarray(z))
    assert np.array_equal(np.asarray(tail), machine.product_tail(x, z))


def test_the_source_is_documented_and_needs_no_klsym():
    source = klsym.kl(Gamma, Gamma).generate("array_api")
    assert "at most 9.8 units" in source and "import klsym" not in source
    assert "def self_check()" in source and emit(klsym.kl(StudentT, StudentT)._program(False), "array_api")
