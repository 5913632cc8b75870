"""Programs as JAX functions: values, derivatives, transformations, both precisions, and the source."""

# pyright: basic
from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import klsym
from klsym import Bernoulli, Beta, Binomial, Gamma, Normal, Poisson, StudentT, UnderivableError
from klsym.backends import emit
from klsym.backends import jax as written
from klsym.backends.library import jax_library, needed
from klsym.core.primitive import PRIMITIVES
from klsym.core.program import Line, Output, Program
from klsym.families import catalog

pytestmark = pytest.mark.peers
jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

EPS = 2.0**-52
FAR = {"Normal": (0.3, 1.2, -0.5, 0.7), "Gamma": (5.0, 2.0, 1.5, 3.0), "Beta": (2.0, 3.5, 0.8, 1.7)}
CHECKED = pytest.mark.parametrize("name", FAR)


@pytest.fixture(autouse=True)
def doubles():
    with jax.enable_x64(True):
        yield


@cache
def compiled(name):
    return klsym.kl(catalog[name], catalog[name]).compile("jax")


@cache
def hessian(name):
    return jax.jit(jax.hessian(compiled(name), argnums=range(4)))


def exact(name, *arguments):
    return klsym.kl(catalog[name], catalog[name]).compile("exact")(*arguments)


@pytest.mark.parametrize("name", ["Normal", "Gamma", "Beta", "Bernoulli", "Poisson", "Weibull", "InverseGaussian"])
@pytest.mark.parametrize("jit", [False, True])
def test_every_digit_is_right_far_and_near(name, jit):
    rng = np.random.default_rng(3)
    domains = [parameter.domain for parameter in catalog[name].parameters]
    p = [rng.uniform(0.01, 0.99, 64) if d.upper == 1 else 10.0 ** rng.uniform(-2, 2, 64) for d in domains]
    gap = 10.0 ** rng.uniform(-16, 0, 64)
    q = [x * (1 + gap * rng.uniform(-1, 0, 64)) for x in p]
    function = jax.jit(compiled(name)) if jit else compiled(name)
    found, true = np.asarray(function(*p, *q)), exact(name, *p, *q)
    assert found.dtype == np.float64
    assert np.all(abs(found - true) <= 8 * EPS * true)
    assert np.all(found[true == 0] == 0)


@pytest.mark.parametrize("name", ["log1p", "log_ratio", "cross", "digamma", "pow", "expm1", "lgamma", "e2", "exp_e1"])
def test_the_compiler_leaves_compensated_sums_alone(name):
    """XLA contracts products and sums, and adds up constants: nothing of what a rounding lost may be lost again."""
    primitive = PRIMITIVES[name]
    rng = np.random.default_rng(5)
    arguments = tuple(f"x{k}" for k in range(len(primitive.typical)))
    gaps = tuple(Line(f"d{k}", "sub", (arguments[j], arguments[i])) for k, (i, j) in enumerate(primitive.gaps))
    last = Line("y", name, (*arguments, *(gap.name for gap in gaps)))
    function = compiled_program(Program(f"only_{name}", arguments, (*gaps, last), (Output("y"),)))
    columns = [
        rng.uniform(low, high, 200) if low <= 0 else low * (high / low) ** rng.random(200)
        for low, high in primitive.typical
    ]
    if name == "digamma":
        columns = [np.nextafter(1.4616321449683622, [1.0, 1.5, 2.0])]
    if name == "cross":
        columns[3] = columns[0] * columns[1] / columns[2]
    found = np.asarray(jax.jit(function)(*columns))
    for value, row in zip(found, zip(*columns, strict=True), strict=True):
        exact_row = [sp.Float(sp.Rational(x), 60) for x in row]
        true = primitive.spec(*exact_row, *(exact_row[j] - exact_row[i] for i, j in primitive.gaps)).n(40)
        assert abs(sp.Float(sp.Rational(float(value)), 60) / true - 1) <= 1.5 * primitive.worst * EPS


def compiled_program(program):
    from klsym.backends.traced import Traced

    return Traced(program)


def test_products_are_as_rounded_where_their_rests_are_used():
    program = Program(
        "paired",
        ("a", "b", "c"),
        (
            Line("v", "mul", ("a", "b")),
            Line("zero", "constant", (), "0"),
            Line("rest", "mul_rest", ("a", "zero", "b", "zero", "v")),
            Line("sum", "add", ("v", "c")),
            Line("y", "add", ("sum", "rest")),
        ),
        (Output("y"),),
    )
    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 2, (2, 100))
    found = np.asarray(jax.jit(compiled_program(program))(a, b, -a * b))
    true = [float(sp.Rational(x) * sp.Rational(y) - sp.Rational(x * y)) for x, y in zip(a, b, strict=True)]
    assert np.array_equal(found, true)


@pytest.mark.parametrize("name, order", [("Normal", 2), ("Gamma", 1), ("Beta", 1)])
def test_derivatives_in_both_modes(name, order):
    check_grads(compiled(name), FAR[name], order=order)


@CHECKED
def test_the_hessian_is_right(name):
    formula, arguments = klsym.kl(catalog[name], catalog[name]), FAR[name]
    found = hessian(name)(*arguments)
    exactly = {s: sp.Rational(x) for s, x in zip(formula.parameters, arguments, strict=True)}
    for row, s in zip(found, formula.parameters, strict=True):
        for entry, t in zip(row, formula.parameters, strict=True):
            true = float(formula.value.diff(s, t).subs(exactly).n(30))
            assert float(entry) == pytest.approx(true, rel=1e-13, abs=1e-15)


@CHECKED
def test_at_equal_arguments_slopes_are_zero_and_the_hessian_is_fishers(name):
    half = FAR[name][:2]
    value, slopes = jax.value_and_grad(compiled(name), argnums=range(4))(*half, *half)
    assert value == 0.0 and all(slope == 0.0 for slope in slopes)
    found = np.array(hessian(name)(*half, *half))[2:, 2:]
    information = klsym.fisher(catalog[name])
    values = dict(zip((p.symbol for p in catalog[name].parameters), half, strict=True))
    assert found == pytest.approx(np.array(information.subs(values).evalf(), dtype=float), rel=1e-13, abs=1e-15)


def test_slopes_of_counts_are_zero_at_equal_arguments():
    """n log(1 - p) less itself: XLA would take one of the two products unrounded."""
    rng = np.random.default_rng(0)
    n, p = rng.integers(1, 1000, 64).astype(float), rng.uniform(size=64)
    slopes = jax.jit(jax.grad(lambda *x: klsym.kl(Binomial, Binomial).compile("jax")(*x).sum(), argnums=(1, 3)))
    assert not np.any(slopes(n, p, n, p))


def test_gradients_near_equal_arguments_keep_their_digits():
    arguments = (5.0, 2.0, 5.0 + 1e-8, 2.0)
    found = jax.grad(compiled("Gamma"), argnums=range(4))(*arguments)
    true = klsym.kl(Gamma, Gamma).compile("exact", gradient=True)(*arguments)[1:]
    assert np.allclose(found, true, rtol=1e-14, atol=0)


@pytest.mark.parametrize("derive", [jax.grad, lambda f: lambda x: jax.jacrev(jax.grad(f))(x).sum(0), jax.jacfwd])
def test_a_where_hides_what_has_no_value(derive):
    f = compiled("Normal")
    found = derive(lambda s: jnp.where(s > 0, f(0.0, jnp.where(s > 1, s, s), 0.0, 1.0), 0.0).sum())(
        jnp.array([1.5, -1.0, 0.0])
    )
    assert np.all(np.isfinite(found)) and found[0] != 0 and found[1] == found[2] == 0


def test_an_invalid_argument_gives_nan_and_so_does_its_slope():
    value, slope = jax.value_and_grad(compiled("Normal"), argnums=1)(0.0, -1.0, 0.0, 1.0)
    assert np.isnan(value) and np.isnan(slope)


def test_third_derivatives_are_refused():
    third = jax.grad(jax.grad(jax.grad(compiled("Normal"))))
    with pytest.raises(NotImplementedError, match="third"):
        third(0.0, 1.0, 0.0, 1.0)


def test_vmap_broadcasting_and_scan():
    f, x = compiled("Normal"), jnp.linspace(0.5, 2.0, 5)
    whole = f(x[:, None], 1.0, 0.0, x)
    assert whole.shape == (5, 5)
    mapped = jax.vmap(jax.vmap(f, (None, None, None, 0)), (0, None, None, None))(x, 1.0, 0.0, x)
    assert np.allclose(whole, mapped, rtol=4 * EPS, atol=0)
    slopes = jax.vmap(jax.grad(f), (0, None, None, 0))(x, 1.0, 0.0, x)
    assert np.allclose(slopes, jax.grad(lambda m: f(m, 1.0, 0.0, x).sum())(x), rtol=8 * EPS, atol=0)
    _, scanned = jax.lax.scan(lambda carry, s: (carry, f(carry, 1.0, 0.0, s)), 0.5, x)
    assert np.allclose(scanned, f(0.5, 1.0, 0.0, x), rtol=4 * EPS, atol=0)


def test_sums_over_broadcast_axes():
    f = compiled("Normal")
    slope = jax.grad(lambda s: f(jnp.arange(3.0), s, 0.0, 1.0).sum())(2.0)
    assert slope == pytest.approx(3 * (2.0 - 0.5))


@pytest.mark.parametrize("wide", [True, False])
def test_float32_is_rounded_once(wide):
    rng = np.random.default_rng(1)
    p = (10.0 ** rng.uniform(-2, 2, (2, 300))).astype(np.float32)
    q = (p * (1 + 10.0 ** rng.uniform(-7, 0, (2, 300)))).astype(np.float32)
    with jax.enable_x64(wide):
        found = np.asarray(jax.jit(compiled("Gamma"))(*p, *q))
        slope = jax.grad(lambda *x: compiled("Gamma")(*x).sum())(*map(jnp.asarray, (*p, *q)))
        curve = jax.jit(jax.hessian(compiled("Normal")))(0.0, 1.0, 1.0, 2.0)
    assert found.dtype == slope.dtype == np.float32
    assert curve.dtype == (np.float64 if wide else np.float32)
    true = exact("Gamma", *(x.astype(float) for x in (*p, *q)))
    assert np.all(abs(found - true) <= 0.500001 * np.spacing(true.astype(np.float32)))


def test_types():
    f = compiled("Normal")
    assert f(jnp.float32(1.0), 1.0, 0.0, 1).dtype == np.float32
    assert f(np.float32(1.0), np.float64(1.0), 0.0, 1).dtype == np.float64
    assert f(jnp.arange(3), 1, 0, 1).dtype == np.float64
    assert f(jnp.ones(2, jnp.bfloat16), 1, 0, 1).dtype == jnp.bfloat16
    assert isinstance(f(np.ones(3), 1, 0, 1), jax.Array)
    with pytest.raises(TypeError, match="complex"):
        f(1j, 1.0, 0.0, 1.0)


def test_integer_parameters_have_no_slope():
    f = klsym.kl(Binomial, Binomial).compile("jax")
    assert list(f.arguments) == ["n_p", "p_p", "n_q", "p_q"]
    assert jax.grad(f)(5.0, 0.3, 5.0, 0.4) == 0.0
    assert jax.grad(f, allow_int=True)(5, 0.3, 5, 0.4).dtype == jax.dtypes.float0
    assert jax.grad(f, argnums=1)(5, 0.3, 5, 0.4) == pytest.approx(5 * np.log(0.3 * 0.6 / (0.7 * 0.4)))


def test_it_is_a_function_with_a_signature_that_pickles():
    f = compiled("Gamma")
    assert list(inspect.signature(f).parameters) == ["alpha_p", "beta_p", "alpha_q", "beta_q"]
    assert f.__name__ == "kl_gamma_gamma" and "in nats" in f.__doc__ and f.backend == "jax"
    again = pickle.loads(pickle.dumps(f))
    assert again(5.0, beta_p=2.0, alpha_q=4.0, beta_q=2.0) == f(5.0, 2.0, 4.0, 2.0) == exact("Gamma", 5, 2, 4, 2)
    with pytest.raises(TypeError, match="kl_gamma_gamma"):
        f(1.0, 2.0)


def test_a_divergence_of_numbers_has_no_arguments():
    f = klsym.kl(Normal(0, 1), Normal(1, 2)).compile("jax")
    assert f() == pytest.approx(0.4431471805599453)


def test_what_jax_lacks_is_named():
    with pytest.raises(UnderivableError, match="log1p_mellin"):
        klsym.kl(StudentT, StudentT).generate("jax")


def test_what_a_derivative_lacks_is_named_when_it_is_asked_for():
    program = Program(
        "whole",
        ("s",),
        (Line("y", "log_i0", ("s",)), Line("d", "log_kve", ("s", "s"))),
        (Output("y"), Output("d", name="s")),
    )
    f = compiled_program(program)
    assert f(1.0) == pytest.approx(float(mp.log(mp.besseli(0, 1))))
    with pytest.raises(NotImplementedError, match="log_kve"):
        jax.grad(f)(1.0)


@pytest.mark.parametrize("pair", [(Gamma, Gamma), (Bernoulli, Bernoulli), (Poisson, Poisson), (Beta, Beta)], ids=str)
def test_a_generated_file_needs_jax_alone_and_checks_itself(pair, tmp_path):
    file = tmp_path / "generated.py"
    file.write_text(klsym.kl(*pair).generate("jax"), encoding="utf-8")
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import generated, jax
generated.self_check()
jax.config.update("jax_enable_x64", True)
generated.self_check()
assert not any(name.partition(".")[0] in ("klsym", "sympy", "numba") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-I", "-c", code], check=True, cwd=tmp_path)


def test_a_wrong_file_fails_its_own_check():
    source = klsym.kl(Poisson, Poisson).generate("jax").replace("_klrem(lam_p, lam_q", "_klrem(lam_q, lam_p")
    names = {"__name__": "wrong"}
    exec(compile(source, "wrong", "exec"), names)
    with pytest.raises(AssertionError, match="units of 2"):
        names["self_check"]()


def test_functions_that_jax_has_by_name():
    formula, arguments = klsym.kl(catalog["Rayleigh"], catalog["AsymmetricLaplace"]), (1.0, 0.3, 0.4, 1.2)
    assert float(formula.compile("jax")(*arguments)) == pytest.approx(formula.compile("exact")(*arguments), rel=1e-14)


def test_the_source_says_one_thing_of_its_error():
    source = klsym.kl(Gamma, Gamma).generate("jax")
    assert "at most 9.8 units" in source and "No bound" not in source


def test_the_source_is_typed_and_documented():
    source = emit(klsym.kl(Gamma, Gamma)._program(True), "jax")
    assert (
        "def kl_gamma_gamma(alpha_p: ArrayLike, beta_p: ArrayLike, alpha_q: ArrayLike, beta_q: ArrayLike) -> Array:"
        in source
    )
    for said in ("Generated by klsym", "alpha_p must lie in (0, oo)", "units of 2^-52", "loggamma"):
        assert said in source


def test_every_spelling_is_defined():
    defined = jax_library()
    for primitive, spelling in written.SPELLING.items():
        if spelling.function.startswith("_"):
            assert spelling.function in defined, primitive
    assert needed(defined, ["_phi"])
