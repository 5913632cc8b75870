"""Generated numba, the two passes that every backend shares, and that nothing hostile reaches generated source."""

import ast
import os
import stat
import subprocess
import sys

import numpy as np
import pytest
import sympy as sp

import klsym
from klsym import Gamma, Normal, ParameterError, UnderivableError, divergences
from klsym.backends import BACKENDS, emit, load, numba, store
from klsym.backends.library import kernels, needed, numba_library
from klsym.backends.watch import FINE, watch
from klsym.core.derivation import Case, Derivation
from klsym.core.domain import Parameter, real
from klsym.core.family import Distribution, Family
from klsym.core.program import Condition, Line, Output, Program
from klsym.lower import lower

jit = pytest.importorskip("numba")
BOTH = pytest.mark.parametrize("backend", ["numba", "numpy"])


def lines(text):
    """`name = primitive argument ...`, one a line; `name = constant 1/2`."""
    rows = [row.split() for row in text.strip().splitlines()]
    return tuple(Line(n, p, (), a[0]) if p == "constant" else Line(n, p, tuple(a)) for n, _, p, *a in rows)


# Two normal distributions: z^2/2 + phi(sigma_q^2, sigma_p^2)/2, both terms positive.
NORMAL = Program(
    "kl_normal_normal",
    ("mu_p", "sigma_p", "mu_q", "sigma_q"),
    lines("""
        half = constant 1/2
        zero = constant 0
        nan = constant nan
        first = lt zero sigma_p
        second = lt zero sigma_q
        valid = and first second
        d = sub mu_q mu_p
        z = div d sigma_q
        zz = mul z z
        down = sub sigma_p sigma_q
        both = add sigma_q sigma_p
        gap = mul down both
        pp = mul sigma_p sigma_p
        qq = mul sigma_q sigma_q
        shape = phi qq pp gap
        sum = add zz shape
        right = mul half sum
        value = select valid right nan
    """),
    (Output("value", bound=6.0),),
    doc="KL(P || Q) of two normal distributions.",
    conditions=(Condition("sigma_p must lie in (0, oo)", "first", ("sigma_p",)),),
)

# (y - x)^2 + ((exp x - expm1 x) - 1) cancels all that it computes of the second term, which is 0; infinite for x > y.
CANCELLING = Program(
    "cancelling",
    ("x_p", "x_q"),
    lines("""
        a = exp x_p
        b = expm1 x_p
        c = sub a b
        one = constant 1
        nothing = sub c one
        step = sub x_q x_p
        square = mul step step
        finite = add square nothing
        large = add a b
        error = add large square
        infinite = lt x_q x_p
        inf = constant inf
        value = select infinite inf finite
    """),
    (Output("value", "error"),),
)


def test_sources_are_modules_and_names_cannot_collide():
    program = Program(
        "f", ("phi", "limit", "math", "a1"), lines("y = phi phi limit math\nz = add y a1"), (Output("z"),)
    )
    for backend in ("numba", "numpy"):
        assert max(map(len, emit(program, backend).splitlines())) <= 120
        assert load(program, backend)(1.0, 2.0, 1.0, 0.5) == pytest.approx(1.5 - np.log(2), rel=1e-15)


def test_kernels_become_straight_lines():
    for name in kernels():
        for text in needed(numba_library(), [f"_{name}"]):
            tree = ast.parse(text)
            assert not any(isinstance(node, (ast.For, ast.While, ast.Invert)) for node in ast.walk(tree)), name
    text = numba_library()["_phi"].text
    assert text.startswith("@njit") and "forceinline" in text


@BOTH
def test_values_and_flags_of_a_bounded_program(backend):
    f = load(NORMAL, backend)
    generator = np.random.default_rng(3)
    mu_p, mu_q = generator.normal(size=(2, 2500))
    sigma_p, sigma_q = np.exp(generator.normal(size=(2, 2500)))
    value, error, second = f(mu_p, sigma_p, mu_q, sigma_q, report=True)
    exact = load(NORMAL, "exact")(mu_p[:200], sigma_p[:200], mu_q[:200], sigma_q[:200])
    assert np.max(abs(value[:200] / exact - 1)) <= 6 * 2**-52
    assert np.all(error == 6 * 2.0**-52) and not second.any()
    assert np.array_equal(value, f(mu_p, sigma_p, mu_q, sigma_q))
    assert f(0.3, 0.7, 0.3, 0.7, report=True) == (0.0, 0.0, False)
    assert np.isnan(f(0, -1, 0, 1)) and not f(0, -1, 0, 1, report=True).second
    # Squares that underflow, and a value below the smallest trusted one.
    assert f(0, 1e-170, 0, 2e-170, report=True).second and f(0, 1e-170, 0, 2e-170) == f(0, 1, 0, 2)
    assert f(1e-150, 1, 0, 1) == pytest.approx(5e-301, rel=1e-15)


@BOTH
def test_cancelling_elements_take_the_second_pass(backend):
    f, fast = load(CANCELLING, backend), load(CANCELLING, backend, second_pass=False)
    x = np.linspace(1, 3, 2001)
    y = x + np.where(np.arange(x.size) % 100 == 0, 1e-6, 1e3)
    value, error, second = f(x, y, report=True)
    step = y - x
    assert second.sum() == 21 and np.array_equal(second, np.arange(x.size) % 100 == 0)
    assert np.all(abs(value / step**2 - 1) <= FINE * 2**-52)
    assert np.max(error) <= FINE * 2**-52 and error[0] == 2.0**-53
    assert np.max(abs(fast(x, y) / step**2 - 1)) > 1e-6
    assert not fast(x, y, report=True).second.any()
    # An infinite case and the diagonal need no second pass; strided and single numbers are the same numbers.
    ends = f([2.0, 2.0], [1.0, 2.0], report=True)
    assert ends.value.tolist() == [np.inf, 0.0] and not ends.second.any() and not ends.error.any()
    assert np.array_equal(f(x[::3], y[::3]), value[::3]) and f(x[0], y[0]) == value[0]
    assert np.array_equal(f(x[:, None], y[:3]), np.stack([f(x, y[k]) for k in range(3)], axis=1))


@BOTH
def test_narrow_results_need_less(backend):
    f = load(CANCELLING, backend)
    x, y = np.float32(1.0), np.float32(1.0) + np.float32(1e-3)
    assert f(float(x), float(y), report=True).second and not f(x, y, report=True).second
    assert f(x, y) == np.float32((float(y) - float(x)) ** 2) and f(x, y).dtype == np.float32
    # A static bound beyond the limit flags every element.
    loose = Program("loose", ("x",), lines("y = exp x"), (Output("y", bound=FINE + 1),))
    assert load(loose, backend)([1.0, 2.0], report=True).second.all()
    assert not load(loose, backend)(np.float32(1.0), report=True).second


@BOTH
def test_several_outputs(backend):
    text = "value = mul x x\ntwo = constant 2\nslope = mul two x\nsize = abs slope"
    program = Program("square", ("x",), lines(text), (Output("value", bound=1.0), Output("slope", "size", name="d_x")))
    f, x = load(program, backend), np.linspace(1, 2, 5)
    value, slope = f(x)
    assert f(x)._fields == ("value", "d_x")
    assert np.array_equal(value, x * x) and np.array_equal(slope, 2 * x) and f(3.0) == (9.0, 6.0)
    outs = np.empty(5), np.empty(5)
    assert f(x, out=outs)[1] is outs[1] and np.array_equal(outs[1], 2 * x)
    assert np.array_equal(f(x, report=True).error.d_x, np.full(5, 2.0**-52))
    with pytest.raises(TypeError, match="has 2 outputs; out has 1"):
        f(x, out=np.empty(5))


def test_the_constants_of_cases_are_settled():
    watched, doubtful, _, given = watch(CANCELLING)
    assert given == ("_v1", "_e1", "_limit")
    assert doubtful not in {line.name for line in CANCELLING.lines}
    assert load(CANCELLING, "numpy")(3.0, 1.0) == np.inf
    assert set(watched.arguments) == {"x_p", "x_q"}


def test_backends_and_what_they_lack():
    assert list(BACKENDS) == ["numba", "numpy", "c", "exact", "torch", "jax", "array_api"]
    assert load(NORMAL).backend == "numba"
    special = Program("f", ("x",), lines("y = exp_e1 x"), (Output("y"),))
    assert load(special).backend == "numpy"
    with pytest.raises(UnderivableError, match="f cannot be compiled by numba: it has no exp_e1"):
        load(special, "numba")
    assert load(CANCELLING, "exact")(1.0, 1.0 + 1e-6) == (1.0 + 1e-6 - 1.0) ** 2
    assert numba.missing(NORMAL) == []


def test_loops_are_vectorised():
    source = emit(NORMAL, "numba").replace("cache=True, ", "")  # what comes from the cache has no assembly
    module = {}
    exec(compile(source, "vectorised", "exec"), module)
    (assembly,) = module["_fill"].inspect_asm().values()
    if "vdivsd" in assembly:  # x86 with AVX
        assert "vdivpd" in assembly


RUN = """
import numba, sys
from klsym.core.program import Line, Output, Program
from klsym.backends import load
f = load(Program("f", ("x",), (Line("y", "exp", ("x",)),), (Output("y"),)), "numba")
print(f(0.0), sum(f._fill.stats.cache_hits.values()))
"""


def test_code_is_kept_for_later_processes(tmp_path):
    environment = {**os.environ, "KLSYM_CACHE_DIR": str(tmp_path / "cache")}

    def run():
        done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True, env=environment)
        return done.stdout.split()

    assert run() == ["1.0", "0"]
    assert run() == ["1.0", "1"]
    file = next((tmp_path / "cache").glob("f_*.py"))
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    # What is in the file is never run: it is written anew.
    source = file.read_text()
    file.write_text("raise SystemExit('foreign')")
    assert run()[0] == "1.0" and file.read_text() == source


def test_a_directory_that_others_may_write_to_is_not_used(tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("KLSYM_CACHE_DIR", str(shared))
    assert store.directory() != shared
    file = store.keep("f", "x = 1\n")
    assert file.read_text() == "x = 1\n" and file.parent == store.directory()


REFUSED = r"is not a name|reserved word"
HOSTILE = ["x); import os #", "__import__('os')", "a b", "lambda", "x\ny", "alpha;beta", "é", "_x", "x" * 41, "np", ""]


def infinite(p, q):
    """The program of a pair whose divergence is infinite: quick to derive, and with all of its arguments."""
    return lower(Derivation(divergences.kl, p, q, (Case("infinite", sp.oo, sp.true),), ()))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused(name):
    with pytest.raises(ParameterError, match=REFUSED):
        Normal(name, 1)
    with pytest.raises(ParameterError, match=REFUSED):
        Program("f", (name,), (), (Output("y"),))
    for construct in (klsym.shift, klsym.scale):
        with pytest.raises(ParameterError, match=REFUSED):
            member = construct(Normal, by=name).member("")
            infinite(member, Normal(0, 1))


def test_hostile_symbols_of_families_and_substitutions_do_not_compile():
    hostile = sp.Symbol("x); __import__('os').system('true') #", real=True)
    family = Family("F", (Parameter(hostile, real, (0, 1)),), Normal.support, -Normal.variable, Normal.variable)
    moved = Normal("m", 1).subs({sp.Symbol("m", real=True): hostile})
    for p in (family.member("_p"), moved, Distribution(Normal, (hostile, sp.S.One))):
        with pytest.raises(ParameterError, match="is not a name"):
            infinite(p, Normal(0, 1))
    with pytest.raises(ParameterError, match="is not a name"):
        klsym.kl(moved, Normal(0, 1)).compile("numpy")


@BOTH
def test_texts_are_quoted(backend):
    text = '"""\nraise SystemExit("broken out")\n\\'
    conditions = (Condition(text.replace("\n", " "), "valid", ("x",)),)
    body = lines("zero = constant 0\nvalid = lt zero x\ny = exp x")
    program = Program("f", ("x",), body, (Output("y", bound=1.0),), doc=text, conditions=conditions)
    f = load(program, backend)
    assert f(0.0) == 1.0 and text.splitlines()[1] in f.__doc__
    with pytest.raises(ParameterError, match="broken out"):
        f(-1.0, check=True)


PAYLOADS = ["HIT", "x\nHIT\n#", '"""\nHIT\n"""', '\\"""\nHIT', "');HIT;('", "\rHIT", "\\\\", "{HIT}", "x\u2028HIT"]
FIELDS = {
    "name": lambda text: {"name": text},
    "argument": lambda text: {"arguments": (text,), "lines": (Line("y", "add", (text, text)),)},
    "line": lambda text: {
        "lines": (Line(text, "add", ("x", "x")), Line("y", "mul", (text, text)), Line("z", "add", ("y", text))),
        "outputs": (Output("z"),),
    },
    "primitive": lambda text: {"lines": (Line("y", text, ("x", "x")),)},
    "constant": lambda text: {"lines": (Line("c", "constant", (), text), Line("y", "add", ("x", "c")))},
    "output": lambda text: {"outputs": (Output("y", name=text), Output("y", name="b"))},
    "doc": lambda text: {"doc": text},
    "condition": lambda text: {
        "lines": (Line("y", "add", ("x", "x")), Line("t", "lt", ("x", "y"))),
        "conditions": (Condition(text, "t", ("x",)),),
    },
}


@BOTH
@pytest.mark.parametrize("field", FIELDS)
def test_no_text_of_a_program_runs(field, backend, tmp_path):
    """Whatever stands in a field of a Program is refused, renamed or quoted: it never becomes a statement."""
    mark = tmp_path / "mark"
    for payload in PAYLOADS:
        text = payload.replace("HIT", f"__import__('pathlib').Path({str(mark)!r}).touch()")
        plain = {"name": "f", "arguments": ("x",), "lines": (Line("y", "add", ("x", "x")),), "outputs": (Output("y"),)}
        try:
            f = load(Program(**{**plain, **FIELDS[field](text)}), backend)
            f(1.0)
            f(1.0, check=True)
        except (ValueError, TypeError, KeyError, UnderivableError) as refused:
            assert not isinstance(refused, SyntaxError)
        assert not mark.exists()


def test_gamma_is_right_near_the_diagonal():
    f = klsym.kl(Gamma, Gamma).compile("numba")
    near = (5.0, 2.0, 5.0 + 1e-8, 2.0)
    assert f(*near) == pytest.approx(load(f.program, "exact")(*near), rel=FINE * 2**-52)
    assert f(5.0, 2.0, 5.0, 2.0) == 0.0


@pytest.mark.parametrize("bad", [0.0, -0.0, -2.0, -1e-300, np.inf, np.nan, 5e-324])
def test_domains_that_the_flags_tell(bad):
    f = klsym.kl(Gamma, Gamma).compile("numba")
    good = np.full((4, 3000), [[3.0], [2.0], [4.0], [5.0]])
    expected = f(*good[:, 0])
    for k in range(4):
        values = good.copy()
        values[k, 7::1000] = bad
        found = f(*values)
        outside = np.arange(3000) % 1000 == 7
        assert (found[~outside] == expected).all()
        assert np.isnan(found[outside]).all() == (bad != 5e-324)
        one = [bad if i == k else row for i, row in enumerate(good)]
        assert np.array_equal(f(*one), np.full(3000, found[7]), equal_nan=True)


def test_flags_tell_the_sign_of_what_has_a_value_on_both_sides():
    text = """
        zero = constant 0
        inf = constant inf
        nan = constant nan
        a = lt zero x
        b = lt x inf
        c = le zero y
        d = lt y inf
        e = and a b
        f = and c d
        g = and e f
        h = mul x y
        i = select g h nan"""
    f = load(Program("product", ("x", "y"), lines(text), (Output("i"),)), "numba", second_pass=False)
    x, y = np.array([2.0, -2.0, -2.0, 0.0, 2.0]), np.array([3.0, -3.0, 3.0, 3.0, 0.0])
    assert np.array_equal(f(x, y), [6.0, np.nan, np.nan, np.nan, 0.0], equal_nan=True)
    assert np.array_equal(f(-2.0, -y), np.full(5, np.nan), equal_nan=True)
    assert np.array_equal(f(0.0, y), np.full(5, np.nan), equal_nan=True)
    assert np.array_equal(f(x, 0.0), [0.0, np.nan, np.nan, np.nan, 0.0], equal_nan=True)
