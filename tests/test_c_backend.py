"""Generated C: headers that compile without a warning and check themselves, and what compile("c") does with it."""

import ast
import ctypes
import inspect
import math
import pickle
import random
import shutil
import subprocess

import mpmath as mp
import numpy as np
import pytest

import klsym
from klsym import Normal, ParameterError, UnderivableError
from klsym.backends import BACKENDS, emit, load, refine, store
from klsym.backends.c import build, library
from klsym.backends.c.header import Parts
from klsym.backends.c.machine import EPILOGUE, LIBM, MACHINE, PROLOGUE
from klsym.backends.c.words import commented
from klsym.backends.double_double import fit
from klsym.cli import main
from klsym.core.primitive import PRIMITIVES, boolean
from klsym.core.program import Condition, Line, Output, Program

COMPILER = build.compiler()
pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")

STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")
NATIVE = ("-march=native", "-fno-trapping-math")
PAIRS = (
    ("Normal", "Normal"), ("Laplace", "Laplace"), ("Cauchy", "Cauchy"), ("Gamma", "Gamma"), ("Beta", "Beta"),
    ("Weibull", "Weibull"), ("Bernoulli", "Bernoulli"), ("Poisson", "Poisson"), ("Uniform", "Uniform"),
    ("Pareto", "Pareto"), ("Gamma", "Weibull"), ("Laplace", "Normal"),
)  # fmt: skip


def formula(pair):
    return klsym.kl(*(getattr(klsym, name) for name in pair))


def checked(source, directory, *options, language="c", standard="c99"):
    """What the self check of a header prints; it must compile without a warning and end with 0."""
    (directory / "header.h").write_text(source)
    (program,) = {"c": COMPILER[:1], "c++": (shutil.which("g++"),)}[language]
    command = [program, f"-std={standard}", *STRICT, *options, "-DKLSYM_SELF_CHECK", "-x", language, "header.h"]
    subprocess.run([*command, "-o", "check", "-lm"], cwd=directory, check=True)
    done = subprocess.run([str(directory / "check")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_headers_compile_without_a_warning_and_check_themselves(pair, tmp_path):
    source = formula(pair).generate("c")
    options = ("-O1",) if PAIRS.index(pair) % 2 else ("-O1", *NATIVE)
    said = checked(source, tmp_path, *options)
    assert " 0 wrong" in said and max(map(len, source.splitlines())) <= 120
    assert int(said.split(" points")[0].split()[-1]) >= 13 and int(said.split(" not decided")[0].split()[-1]) <= 2


@pytest.mark.parametrize("pair", [("Normal", "Normal"), ("Gamma", "Gamma")], ids="-".join)
def test_derivatives_are_fields(pair, tmp_path):
    source = formula(pair).generate("c", gradient=True)
    first = formula(pair).parameters[0].name
    assert f"double d_{first};" in source and f"{pair[0].lower()}_gradient_n(size_t n" in source
    assert " 0 wrong" in checked(source, tmp_path, "-O1")


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_headers_are_cpp_too_and_go_side_by_side(tmp_path):
    both = formula(("Gamma", "Weibull")).generate("c"), formula(("Normal", "Normal")).generate("c", gradient=True)
    assert " 0 wrong" in checked(both[0], tmp_path, "-O1", language="c++", standard="c++17")
    for k, text in enumerate(both):
        (tmp_path / f"h{k}.h").write_text(text)
    first, second = "kl_gamma_weibull(1, 2, 1, 0.5) == 0", "kl_normal_normal_gradient(0, 1, 1, 1).value == 0.5"
    calls = f"int main(void) {{ return !({first} && {second}); }}"
    (tmp_path / "two.c").write_text(f'#include "h0.h"\n#include "h1.h"\n#include "h0.h"\n{calls}\n')
    subprocess.run([COMPILER[0], "-std=c99", *STRICT, "two.c", "-o", "two", "-lm"], cwd=tmp_path, check=True)
    assert subprocess.run([str(tmp_path / "two")], check=False).returncode == 0
    (tmp_path / "h1.h").write_text(both[1].replace("KLSYM_VERSION 1", "KLSYM_VERSION 2").replace("!= 1", "!= 2"))
    refused = subprocess.run([COMPILER[0], "two.c", "-c"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "headers of different versions" in refused.stderr


def test_a_self_check_notices_a_wrong_digit(tmp_path):
    source = formula(("Normal", "Normal")).generate("c")
    assert source.count("/ sigma_q") > 0
    with pytest.raises(AssertionError, match="instead of"):
        checked(source.replace("0.08333333333333333", "0.08333333333"), tmp_path, "-O1")


def test_fast_math_is_refused(tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        checked(formula(("Normal", "Normal")).generate("c"), tmp_path, "-O2", "-ffast-math")


def shared(pair, directory):
    """The loop of a header, compiled as the header says, as a function of columns: values, and which are decided."""
    program = formula(pair)._program(False)
    parts = Parts(program)
    columns = ", ".join(f"const double *{x}" for x in parts.arguments)
    names, here = ", ".join(parts.arguments), ", ".join(f"{x}[k]" for x in parts.arguments)
    decided = f"double result; sure[k] = {parts.name}_decided({here}, &result);"
    body = f"{parts.name}_n(n, {names}, value); for (size_t k = 0; k < n; k++) {{ {decided} }}"
    (directory / "run.c").write_text(
        f"{emit(program, 'c')}\nvoid run(size_t n, {columns}, double *value, double *sure) {{ {body} }}\n"
    )
    options = ("-std=c99", "-O2", *NATIVE, "-shared", "-fPIC")
    subprocess.run([COMPILER[0], *options, "run.c", "-o", "run.so", "-lm"], cwd=directory, check=True)
    run = ctypes.CDLL(str(directory / "run.so")).run

    def call(*arguments):
        results = [np.empty_like(arguments[0]) for _ in range(2)]
        run(ctypes.c_size_t(arguments[0].size), *(ctypes.c_void_p(a.ctypes.data) for a in (*arguments, *results)))
        return results

    return program, call


def test_the_header_alone_is_right_where_its_first_pass_is_not(tmp_path):
    """A narrow law beside the one that matches it nearly: the terms cancel."""
    program, run = shared(("LogNormal", "Gamma"), tmp_path)
    generator = np.random.default_rng(3)
    sigma, mu = 10.0 ** generator.uniform(-2, -0.5, 600), generator.uniform(-1, 1, 600)
    sigma[::100] = -1.0
    arguments = [mu, sigma, 1 / sigma**2, np.exp(-mu) / sigma**2]
    got, sure = run(*arguments)
    first = load(program, "c", second_pass=False)(*arguments)
    truth = load(program, "exact")(*arguments)
    assert np.array_equal(np.isnan(got), np.isnan(truth)) and np.isnan(got).sum() == 6
    assert np.nanmax(abs(got / truth - 1)[sure == 1]) <= 15 * 2.0**-52 and sure.mean() > 0.97
    assert np.nanmax(abs(first / truth - 1)[sure == 1]) > 1e6 * 2.0**-52


@pytest.mark.parametrize("pair", [("Gamma", "Gamma"), ("Bernoulli", "Bernoulli"), ("Laplace", "Normal")], ids="-".join)
def test_compiled_values_flags_and_shapes(pair):
    f = formula(pair)
    c, exact = f.compile("c"), f.compile("exact")
    generator = np.random.default_rng(4)
    size = len(c.arguments)
    columns = list(generator.uniform(0.05, 0.95, (size, 2100)))
    for k in range(size // 2):
        columns[size // 2 + k][::7] = columns[k][::7] * (1 + 1e-9)
    columns[0][5] = np.nan
    value, error, second = c(*columns, report=True)
    near = slice(None, None, 21)
    truth = exact(*(column[near] for column in columns))
    assert np.nanmax(abs(value[near] / truth - 1)) <= 15 * 2.0**-52
    assert np.isnan(value[5]) and not second[5] and error.shape == value.shape
    if "numba" in BACKENDS:
        again = f.compile("numba")(*columns, report=True)
        assert np.array_equal(again.value, value, equal_nan=True) and np.array_equal(again.second, second)
    one = [column[9] for column in columns]
    assert c(*one) == value[9] and c(columns[0], *one[1:]).shape == (2100,)
    assert np.array_equal(c(columns[0][:40], *one[1:]), [c(x, *one[1:]) for x in columns[0][:40]], equal_nan=True)
    narrow = c(*(column.astype(np.float32) for column in columns))
    assert narrow.dtype == np.float32
    assert pickle.loads(pickle.dumps(c))(*one) == c(*one) and c.backend == "c"
    assert c.arguments[0] in c.__doc__ and "NaN" in c.__doc__


def test_the_command_line_writes_the_header(tmp_path, capsys):
    assert main(["generate", "gamma", "gamma", "--target", "c"]) == 0
    source = capsys.readouterr().out
    assert " 0 wrong" in checked(source, tmp_path)
    assert all(
        text in source for text in ("alpha_p must lie in (0, oo)", f"klsym {klsym.__version__}", "units of 2^-52")
    )


def test_empty_arrays_and_broken_conditions():
    f = formula(("Normal", "Normal")).compile("c")
    assert f(np.empty((0, 3)), 1, 0, 1).shape == (0, 3)
    with pytest.raises(ParameterError, match=r"sigma_p must lie in \(0, oo\); sigma_p = -1.0"):
        f(0, -1, 0, 1, check=True)


def test_gradients_compile():
    slopes = formula(("Gamma", "Gamma")).compile("c", gradient=True)
    exact = formula(("Gamma", "Gamma")).compile("exact", gradient=True)
    point = (5.0, 2.0, 5.0 + 1e-8, 2.1)
    assert np.allclose(slopes(*point), exact(*point), rtol=32 * 2.0**-52, atol=0)


def test_no_argument_is_an_argument_list_too(tmp_path):
    f = klsym.kl(Normal(0, 1), Normal(1, 1))
    assert f.compile("c")() == 0.5
    assert " 1 points, 0 wrong" in checked(f.generate("c"), tmp_path)


def test_what_only_scipy_has_is_named():
    program = Program("f", ("x",), (Line("y", "exp_e1", ("x",)),), (Output("y"),))
    for do in (lambda: emit(program, "c"), lambda: load(program, "c")):
        with pytest.raises(UnderivableError, match="f cannot be written in C: there is no exp_e1"):
            do()


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(build, "compiler", lambda: None)
    with pytest.raises(UnderivableError, match="apt install gcc"):
        formula(("Normal", "Normal")).compile("c")
    assert formula(("Normal", "Normal")).compile().backend != "c"


def test_libraries_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("KLSYM_CACHE_DIR", str(tmp_path / "cache"))
    f = formula(("Normal", "Normal"))
    f.compile("c")
    (kept,) = (tmp_path / "cache").glob("*.so")
    before = kept.stat().st_mtime_ns
    (source,) = (tmp_path / "cache").glob("*.c")
    source.write_text("#error foreign\n")
    assert f.compile("c")(0, 1, 1, 1) == 0.5 and kept.stat().st_mtime_ns == before
    kept.unlink()
    assert f.compile("c")(0, 1, 1, 1) == 0.5 and store.directory() == kept.parent
    assert not list((tmp_path / "cache").glob("*.tmp"))


WORDS = (
    "auto signed near linux NULL NAN M_PI result i n klsym_phi memcpy uint64_t value d_x x all kl_f_n f f_n f_first_"
)


@pytest.mark.parametrize("name", WORDS.split())
def test_names_that_c_has_are_changed(name, tmp_path):
    body = (Line("z", "constant", (), "0"), Line("a", "lt", ("z", name)), Line("b", "phi", (name, "y", "z")))
    body += (Line("u", "constant", (), "nan"), Line("c", "select", ("a", "b", "u")))
    outputs = (Output("c", bound=4.0), Output("b", bound=4.0, name="x"))
    conditions = (Condition(f"{name} must be positive", "a", (name,)),)
    for some in (outputs[:1], outputs):
        source = emit(Program("f", (name, "y"), body, some, conditions=conditions), "c")
        (tmp_path / "f.c").write_text(source + "\nint main(void) { return 0; }\n")
        subprocess.run([COMPILER[0], "-std=gnu99", *STRICT, "-c", "f.c"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", ["x); system(1", "a b", "é", "x\ny", "double", "_x", "x/**/"])
def test_hostile_names_are_refused(name):
    with pytest.raises(ParameterError, match=r"is not a name|reserved word"):
        emit(Program("f", (name,), (Line("y", "exp", (name,)),), (Output("y"),)), "c")


def test_texts_stay_inside_comments(tmp_path):
    text = '*/ #error broken /* "\\ ??/ é \u2028 */'
    body = (Line("zero", "constant", (), "0"), Line("t", "lt", ("zero", "x")), Line("y", "exp", ("x",)))
    conditions = (Condition('*/ #error "broken" /*\\', "t", ("x",)),)
    source = emit(Program("f", ("x",), body, (Output("y", bound=1.5),), doc=text, conditions=conditions), "c")
    assert " 0 wrong" in checked(source, tmp_path)
    assert "*/" not in commented("**//**/") and source.isascii()


def test_every_function_is_translated_and_compiles(tmp_path):
    """Kernels, double-double and machine functions, in C and as C++."""
    kernels, pairs = library.kernels(), library.pairs()
    functions = [*(kernels.find(name) for name in kernels.trees), *(library.machine(name) for name in MACHINE)]
    functions += [pairs.find(name) for name in pairs.trees if name != "select"]
    wanted = library.Function("", "", (), "double", tuple(function.name for function in functions), ())
    (tmp_path / "all.h").write_text("\n".join([PROLOGUE, *library.definitions([wanted]), EPILOGUE]))
    for command in ((COMPILER[0], "-std=c99"), ("g++", "-std=c++17", "-x", "c++")):
        if shutil.which(command[0]):
            subprocess.run([*command, *STRICT, "-fsyntax-only", "all.h"], cwd=tmp_path, check=True)
    names = [function.name for function in functions]
    assert len(names) == len(set(names)) and set(LIBM) <= MACHINE.keys()


def test_double_double_is_that_of_python(tmp_path):
    """Each primitive in pairs gives what the Python source gives, of which another test holds the accuracy."""
    named = {p: text.removeprefix("_") for p, text in refine.spelling().items()}
    named = {p: f for p, f in named.items() if boolean not in PRIMITIVES[p].typical and p not in ("lt", "le", "eq")}
    found, pairs = {}, library.pairs()
    for primitive, name in named.items():
        function = pairs.find(name)
        found[primitive] = function
        assert function.result == ("double", "double")
    wanted = library.Function("", "", (), "double", tuple(function.name for function in found.values()), ())
    calls = []
    for primitive, function in found.items():
        arity = len(function.arguments)
        listed = ", ".join(f"klsym_pair_of(x[{2 * k}], x[{2 * k + 1}])" for k in range(arity))
        calls.append(
            f"void run_{primitive}(const double *x, double *out) "
            f"{{ klsym_pair r = {function.name}({listed}); out[0] = r._0; out[1] = r._1; }}"
        )
    text = "\n".join([PROLOGUE, *library.definitions([wanted]), *calls, EPILOGUE])
    (tmp_path / "dd.c").write_text(text)
    options = ("-std=c99", "-O1", *NATIVE, "-shared", "-fPIC")
    subprocess.run([COMPILER[0], *options, "dd.c", "-o", "dd.so", "-lm"], cwd=tmp_path, check=True)
    compiled = ctypes.CDLL(str(tmp_path / "dd.so"))
    generator = random.Random(5)
    for primitive, name in named.items():
        tree, module = pairs.trees[name]
        python, spec = module[tree.name], PRIMITIVES[primitive]
        assert inspect.isfunction(python) and isinstance(tree, ast.FunctionDef)
        for _ in range(12):
            values = [generator.randint(*i) if isinstance(i[0], int) else generator.uniform(*i) for i in spec.typical]
            for i, j in spec.gaps:
                values[j] = values[i] * (1 + 10.0 ** generator.uniform(-9, 0))
            with mp.workprec(200):
                exact = [mp.mpf(value) * (1 if isinstance(value, int) else 1 + mp.mpf(2) ** -70) for value in values]
                given = [fit.pair(x) for x in [*exact, *(exact[j] - exact[i] for i, j in spec.gaps)]]
            x, out = np.array(given, dtype=float).reshape(-1), np.empty(2)
            compiled[f"run_{primitive}"](ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(out.ctypes.data))
            with np.errstate(all="ignore"):
                expected = python(*given)
            assert math.isnan(expected[0]) == math.isnan(out[0])
            assert math.isnan(out[0]) or (mp.mpf(out[0]) + mp.mpf(out[1])) == pytest.approx(
                mp.mpf(expected[0]) + mp.mpf(expected[1]), rel=2.0**-95, abs=0
            ), (primitive, given)


@pytest.mark.slow
def test_round_trip_of_random_pairs(tmp_path):
    """Generated headers of random pairs of the catalog check themselves, or name the primitive that C lacks."""
    generator = random.Random(7)
    names = sorted(klsym.catalog)
    written = 0
    for k in range(60):
        p = generator.choice(names)
        q = p if k % 2 else generator.choice(names)
        f = formula((p, q))
        if f.kind != "closed" or not f.parameters:
            continue
        try:
            source = f.generate("c")
        except UnderivableError as error:
            assert "cannot be written in C: there is no" in str(error)
            continue
        assert " 0 wrong" in checked(source, tmp_path, "-O1")
        written += 1
    assert written >= 15
