"""Every kernel against its primitive's spec: in one loop over the table, at points where the textbook form cancels."""

import ast
import ctypes
import inspect
import math
import random
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from klsym.backends.c import library
from klsym.backends.c.machine import EPILOGUE, PROLOGUE
from klsym.backends.kernels import bessel, coefficients, elementary, fit, gamma, hyperbolic, machine
from klsym.core.primitive import PRIMITIVES

MODULES = (elementary, hyperbolic, gamma, bessel)
KERNELS = {
    name: function
    for module in MODULES
    for name, function in vars(module).items()
    if name in PRIMITIVES and function.__module__ == module.__name__
}
COUNT, PRECISION = 90, 600
ZERO = 2.0**-500  # what is below is rounding at that precision
REACHES = ((1e-8, 1e8), (0.1, 100.0), (0.5, 4.0))
MINIMUM = 1.4616321449683623  # of lgamma; a difference across it passes through zero
DIFFERENCES = {"lgamma_difference": lambda a, b: b, "log_rising": lambda a, x: a + x}
ROOTS = {"lgamma": (1.0, 2.0), "digamma": (MINIMUM,), "log": (1.0,)}
SHIFTED = (2.0**-380 * (1 + 2.0**-50), 2.0**-350 * (1 - 2.0**-51), 2.0**-430, -(2.0**-401))
SPECIAL = [
    ("klrem", (0.0, 3.0, 3.0), 3.0),
    ("klrem", (3.0, 0.0, -3.0), math.inf),
    ("klrem", (0.0, 0.0, 0.0), 0.0),
    ("klrem", (3.0, 3.0, 0.0), 0.0),
    ("klrem", (1e-300, 1e300, 1e300), 1e300),
    ("phi", (1e300, 1e300, 0.0), 0.0),
    ("phi", (1.5 * 2.0**1023, 2.0**1023, -(2.0**1022)), math.log(1.5) - 1 / 3),
    ("phi", (1e300, 1e-300, -1e300), 1380.5510557964274),
    ("phi", (2.0, 5e-324, -2.0), math.nan),
    ("phi", (math.nan, 1.0, math.nan), math.nan),
    ("log_ratio", (1e-300, 1e300, 1e300), 1381.5510557964274),
    ("log_ratio", (1.0, math.inf, math.inf), math.nan),
    ("log_ratio", (1.0, 0.0, -1.0), math.nan),
    ("cross", (1.0 + 2.0**-52, 1.0 - 2.0**-52, 1.0, 1.0), -(2.0**-104)),
    ("cross", (2.0**-500 * (1 + 2.0**-52), 2.0**-500 * (1 - 2.0**-52), 2.0**-500, 2.0**-500), -0.0),
    ("cross", (2.0**-450 * (1 + 2.0**-52), 2.0**-450 * (1 - 2.0**-52), 2.0**-450, 2.0**-450), -(2.0**-1004)),
    ("log", (0.0,), -math.inf),
    ("log", (math.inf,), math.inf),
    ("log", (-1.0,), math.nan),
    ("log", (math.nan,), math.nan),
    ("log", (5e-324,), -744.4400719213812),
    ("log", (1.0,), 0.0),
    ("log1p", (-1.0,), -math.inf),
    ("log1p", (-2.0,), math.nan),
    ("log1p", (math.inf,), math.inf),
    ("log1p", (1e-320,), 1e-320),
    ("exp", (1000.0,), math.inf),
    ("exp", (-1000.0,), 0.0),
    ("exp", (-745.0,), 5e-324),
    ("exp", (709.7,), 1.6549840276802644e308),
    ("exp", (math.inf,), math.inf),
    ("exp", (-math.inf,), 0.0),
    ("exp", (math.nan,), math.nan),
    ("expm1", (-math.inf,), -1.0),
    ("expm1", (1000.0,), math.inf),
    ("expm1", (709.7,), 1.6549840276802644e308),
    ("expm1", (1e-320,), 1e-320),
    ("e2", (1000.0,), math.inf),
    ("e2", (-1e300,), 1e300),
    ("e2", (math.nan,), math.nan),
    ("softplus", (-1000.0,), 0.0),
    ("softplus", (1000.0,), 1000.0),
    ("softplus", (math.nan,), math.nan),
    ("log_cosh", (0.0,), 0.0),
    ("log_cosh", (-1e300,), 1e300),
    ("pow", (0.0, 2.5), 0.0),
    ("pow", (0.0, -1.0), math.inf),
    ("pow", (0.0, 0.0), 1.0),
    ("pow", (1.0, 1e300), 1.0),
    ("pow", (5e-324, 0.5), 2.0**-537),
    ("pow", (2.0, -1074.0), 5e-324),
    ("pow", (2.0, 1e300), math.inf),
    ("pow", (math.inf, -0.5), 0.0),
    ("pow", (-2.0, 2.0), math.nan),
    ("xlogy", (0.0, 0.0), 0.0),
    ("xlogy", (2.0, 0.0), -math.inf),
    ("xlogy", (0.0, math.nan), math.nan),
    ("xlog1py", (0.0, -1.0), 0.0),
    ("lgamma", (1.0,), 0.0),
    ("lgamma", (2.0,), 0.0),
    ("lgamma", (0.0,), math.inf),
    ("lgamma", (1e-320,), 736.827240890973907),
    ("lgamma", (1e300,), 6.897755278982137e302),
    ("grem", (3.0, 3.0, 0.0), 0.0),
    ("lgrem", (3.0, 3.0, 0.0), 0.0),
    ("lbetarem", (3.0, 4.0, 3.0, 4.0, 0.0, 0.0), 0.0),
    ("lbetarem", (3.0, 1e-200, 3.0, 2e-200, 0.0, 1e-200), math.nan),
    ("lbetarem", (2.0**-380, 2.0**-350, *SHIFTED), 3.944304531615186e-31),
    ("trigamma_difference", (1e200, 2e200, 1e200), -5e-201),
    ("log_i0", (0.0,), 0.0),
    ("log_i0", (1e300,), 1e300),
    ("log_i0_remainder", (0.0, 0.0, 0.0), 0.0),
    ("bessel_ratio", (0.0,), 0.0),
    ("bessel_ratio", (1e300,), 1.0),
    ("bessel_ratio_prime", (0.0,), 0.5),
    ("bessel_ratio_difference", (0.0, 0.0, 0.0), 0.0),
    ("bessel_ratio_difference", (1e8, 0.0, -1e8), -0.999999995),
    ("reduced_digamma_difference", (3.0, 3.0, 0.0), 0.0),
    ("log_sinhc", (0.0,), 0.0),
    ("log_sinhc", (-1e300,), 1e300),
    ("langevin", (0.0,), 0.0),
    ("langevin", (-1e300,), -1.0),
    ("langevin", (1e-320,), 1e-320 / 3),
    ("langevin_prime", (0.0,), 1 / 3),
    ("langevin_prime", (1e10,), 1e-20),
    ("langevin_prime", (math.nan,), math.nan),
    ("sin", (0.0,), 0.0),
    ("sin", (math.pi,), 1.2246467991473532e-16),
    ("sin", (1e5,), 0.0357487979720165083),
    ("sin", (1.1e5,), math.nan),
    ("cos", (0.0,), 1.0),
    ("cos", (30000 * math.pi + math.pi / 2,), 4.020391213465066e-12),
    ("cos", (math.inf,), math.nan),
]  # fmt: skip


def beside(generator, x):
    """A neighbour of x: at a relative gap from 1e-16 to 1, or a unit or two in the last place away."""
    if generator.random() < 0.2:
        return float(np.nextafter(np.nextafter(x, math.inf), generator.choice((0.0, math.inf))))
    return x * (1.0 + generator.choice((-0.999, 1.0)) * 10.0 ** generator.uniform(-16, 0))


def points(primitive):
    """Arguments, gaps not among them; of two with a gap the second is beside the first, or not."""
    generator = random.Random(primitive.name)
    for k in range(COUNT):
        low, high = map(math.log, REACHES[k % 3])
        values = [
            math.exp(generator.uniform(low, high)) if interval[0] > 0 else generator.uniform(*interval)
            for interval in primitive.typical
        ]
        if primitive.arity == 1 and k % 2:
            values = [beside(generator, x) for x in ROOTS.get(primitive.name, ())] or values
            values = [
                generator.choice(values) * (1.0 if primitive.typical[0][0] > 0 else 10.0 ** generator.uniform(-9, 1))
            ]
        for i, j in primitive.gaps if k % 4 else ():
            values[j] = beside(generator, values[i])
        if primitive.name == "pow" and k % 2:
            values[1] = generator.uniform(-700, 700) / math.log(values[0])
        end = DIFFERENCES.get(primitive.name)
        if end is None or (values[0] < MINIMUM) == (end(*values) < MINIMUM):
            yield values


def worst(primitive):
    """The largest error over the points, in units of 2^-52, relative to the value."""
    drawn = np.array(list(points(primitive)))
    columns = list(drawn.T)
    with np.errstate(all="ignore"):
        got = KERNELS[primitive.name](*columns, *(columns[j] - columns[i] for i, j in primitive.gaps))
    symbols = [sp.Dummy(f"x{i}", real=True) for i in range(primitive.arity)]
    exact = sp.lambdify(symbols, primitive.spec(*symbols), "mpmath")
    largest = 0.0
    with mp.workprec(PRECISION):
        for value, row in zip(got, drawn, strict=True):
            arguments = [mp.mpf(x) for x in row]
            truth = exact(*arguments, *(arguments[j] - arguments[i] for i, j in primitive.gaps))
            error = abs(mp.mpf(float(value)) - truth)
            largest = max(largest, float(error / abs(truth) if abs(truth) > ZERO else error))
    return largest * 2.0**52


@pytest.mark.parametrize("name", KERNELS)
def test_kernel_is_its_spec(name):
    assert worst(PRIMITIVES[name]) <= PRIMITIVES[name].worst


@pytest.mark.parametrize("name, arguments, value", SPECIAL)
def test_special_values(name, arguments, value):
    with np.errstate(all="ignore"):
        got = float(KERNELS[name](*map(np.float64, arguments)))
    assert got == pytest.approx(value, rel=1e-15, abs=0, nan_ok=True)


def test_equal_arguments_give_zero_and_neighbours_do_not():
    generator = random.Random(4)
    a = np.array([math.exp(generator.uniform(-18, 18)) for _ in range(2000)])
    b = np.nextafter(a, math.inf)
    for name in ("phi", "klrem", "grem", "lgrem", "log_i0_remainder"):
        with np.errstate(all="ignore"):
            assert not KERNELS[name](a, a, a - a).any(), name
            assert (KERNELS[name](a, b, b - a) > 0).all(), name


def test_coefficients_are_those_of_the_fit():
    assert Path(coefficients.__file__).read_text(encoding="utf-8") == fit.text()


def test_product_tail_is_exact():
    generator = random.Random(5)
    for _ in range(500):
        a, b = (generator.uniform(-2, 2) * 2.0 ** generator.randint(-400, 400) for _ in range(2))
        tail = float(machine.product_tail(np.float64(a), np.float64(b)))
        assert Fraction(a) * Fraction(b) == Fraction(a * b) + Fraction(tail)


@pytest.mark.parametrize("x", [1.0, -3.7, 5e-324, 1e-310, 2.0**1023, 1.9999999999999998])
def test_scaled_is_ldexp(x):
    for k in (-1100.0, -1023.0, -1.0, 0.0, 5.0, 1023.0, 1100.0):
        with np.errstate(over="ignore"):
            assert float(machine.scaled(np.float64(x), np.float64(k))) == np.ldexp(x, int(k))


@pytest.mark.parametrize("x", [1.0, 3.7, 2.0**-1022, 1.7e308])
def test_mantissa_and_exponent(x):
    assert math.ldexp(float(machine.mantissa(x)), int(machine.exponent(x))) == x


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_c_gives_what_numpy_gives(tmp_path):
    wanted = library.Function("", "", (), "double", tuple(library.kernels().find(name).name for name in KERNELS), ())
    source = [PROLOGUE, *library.definitions([wanted]), EPILOGUE]
    for name in KERNELS:
        arity = PRIMITIVES[name].arity
        listed = ", ".join(f"x[{i} * n + i_]" for i in range(arity))
        loop = f"for (long i_ = 0; i_ < n; i_++) out[i_] = klsym_{name}({listed});"
        source.append(f"void {name}_all(long n, double *out, const double *x) {{ {loop} }}")
    (tmp_path / "all.c").write_text("\n".join(source))
    options = ("-std=c99", "-O1", "-ffp-contract=off", "-Wall", "-Werror", "-Wno-unused-function", "-shared", "-fPIC")
    subprocess.run(["gcc", *options, "all.c", "-o", "all.so", "-lm"], cwd=tmp_path, check=True)
    compiled = ctypes.CDLL(str(tmp_path / "all.so"))
    for name, kernel in KERNELS.items():
        primitive = PRIMITIVES[name]
        columns = list(np.array(list(points(primitive))).T)
        columns = [*columns, *(columns[j] - columns[i] for i, j in primitive.gaps)]
        special = [arguments for other, arguments, _ in SPECIAL if other == name]
        given = np.hstack([np.array(columns), np.array(special).T]) if special else np.array(columns)
        got = np.empty(given.shape[1])
        pointers = (a.ctypes.data_as(ctypes.c_void_p) for a in (got, np.ascontiguousarray(given)))
        compiled[f"{name}_all"](ctypes.c_long(got.size), *pointers)
        with np.errstate(all="ignore"):
            expected = kernel(*given)
        np.testing.assert_allclose(got, expected, rtol=2 * primitive.worst * 2**-52, atol=0, err_msg=name)


ALLOWED = (
    ast.FunctionDef, ast.arguments, ast.arg, ast.Expr, ast.Assign, ast.For, ast.Return, ast.Name, ast.Constant,
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Tuple, ast.Subscript, ast.Slice, ast.expr_context, ast.operator,
    ast.unaryop, ast.cmpop,
)  # fmt: skip


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_kernels_keep_to_their_language(module):
    for function in ast.parse(inspect.getsource(module)).body:
        if isinstance(function, ast.FunctionDef):
            assert all(isinstance(node, ALLOWED) and not isinstance(node, ast.Pow) for node in ast.walk(function))
            assert isinstance(function.body[-1], ast.Return) and ast.get_docstring(function)
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            assert all(isinstance(node.func, ast.Name) and not node.keywords for node in calls)


def test_kernels_of_all_files_have_names_of_their_own():
    """Generated modules hold definitions of several files, side by side."""
    files = sorted(Path(machine.__file__).parent.glob("*.py"))
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in files if file.name != "fit.py")
    names = [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(names) == len(set(names))
