"""Every primitive: its NumPy spelling against its spec, and its numba spelling against NumPy's, over the table."""

import math
import random
from importlib.util import find_spec

import numpy as np
import pytest
import sympy as sp

from klsym.backends import array_api, load, numba
from klsym.backends.library import needed, numba_library
from klsym.backends.numpy import SPELLING
from klsym.core.primitive import PRIMITIVES, boolean
from klsym.core.program import Line, Output, Program

# The largest error found must stay under this many units of 2^-52, relative to max(1, |value|) for logarithms.
DEFAULT = 12
ALLOWED = {
    "pow": 4, "log1p": 4, "tan": 40, "digamma": 40, "polygamma": 40, "betainc": 400, "gamma_p": 400, "gamma_q": 400,
    "erfc": 100, "erfcx": 20, "ive": 100, "log_kve": 100, "log_tricomi_u": 100, "log_parabolic_u": 40, "kummer": 2000,
    "hyp2f1": 100, "gamma_log_moment": 100, "log1p_mellin": 300,
    "log1p_mellin_slope": 300, "bessel_k_order_slope": 400,
}  # fmt: skip
LOGARITHMS = {"log_kve", "log_tricomi_u", "log_parabolic_u"}


def draw(generator, interval):
    low, high = interval
    if isinstance(low, int):
        return generator.randint(low, high)
    if low > 0:
        return math.exp(generator.uniform(math.log(low), math.log(high)))
    return generator.uniform(low, high)


def rounded(value):
    """A number of so few bits that differences are exact."""
    return round(value * 2**20) / 2**20 if isinstance(value, float) else value


def exactly(value):
    """The double itself, with room for 60 digits (a power of two rationals of 53 bits would be factored)."""
    return sp.Integer(value) if isinstance(value, int) else sp.Float(value, 60)


def called(primitive, names, result):
    """The lines of result = primitive(*names), with the differences of arguments that it takes beside them."""
    gaps = [(f"{result}_{i}_{j}", names[j], names[i]) for i, j in primitive.gaps]
    subtractions = [Line(gap, "sub", (b, a)) for gap, b, a in gaps]
    return [*subtractions, Line(result, primitive.name, (*names, *(gap for gap, _, _ in gaps)))]


def compiled(primitive, fixed, backend="numpy"):
    """The primitive as a program; integer arguments are constants of it."""
    names = [f"a{k}" if value is None else f"c{k}" for k, value in enumerate(fixed)]
    constants = [Line(f"c{k}", "constant", (), str(value)) for k, value in enumerate(fixed) if value is not None]
    arguments = tuple(name for name in names if name.startswith("a"))
    lines = (*constants, *called(primitive, names, "y"))
    return load(Program("f", arguments, lines, (Output("y"),)), backend, second_pass=False)


def test_every_primitive_is_spelled():
    assert set(SPELLING) == set(PRIMITIVES) == set(array_api.SPELLING)


# What a value lacks has a meaning only beside that value: see test_rests.py.
WHOLE = [primitive for primitive in PRIMITIVES.values() if not primitive.rest_of]


def backends():
    """Those that run on NumPy's arrays."""
    return ["numpy", "array_api"] if find_spec("array_api_compat") else ["numpy"]


@pytest.mark.parametrize("primitive", WHOLE, ids=lambda primitive: primitive.name)
def test_spellings_are_its_spec(primitive):
    generator = random.Random(primitive.name)
    worst = 0.0
    for _ in range(6 if primitive.name.startswith("log1p_mellin") else 24):
        values = [rounded(draw(generator, interval)) for interval in primitive.typical]
        truth = [interval is boolean for interval in primitive.typical]
        fixed = [
            ("true" if value else "false") if flag else value if isinstance(value, int) else None
            for value, flag in zip(values, truth, strict=True)
        ]
        free = [value for value, constant in zip(values, fixed, strict=True) if constant is None]
        if not free:
            continue
        got = [compiled(primitive, fixed, backend)(*map(np.float64, free)) for backend in backends()]
        inputs = [sp.true if f and v else sp.false if f else exactly(v) for v, f in zip(values, truth, strict=True)]
        exact = primitive.spec(*inputs, *(inputs[j] - inputs[i] for i, j in primitive.gaps))
        if exact in (sp.true, sp.false):
            assert {bool(value) for value in got} == {bool(exact)}
            continue
        exact = float(exact.n(25))
        scale = max(1.0, abs(exact)) if primitive.name in LOGARITHMS else abs(exact)
        worst = max(worst, *(abs(value - exact) / (scale or 1.0) for value in got))
    assert worst <= ALLOWED.get(primitive.name, DEFAULT) * 2**-52


def test_numba_spells_the_same():
    pytest.importorskip("numba")
    functions = {name: spelling.function for name, spelling in numba.spelling().items() if "_" in spelling.function}
    functions = {name: function for name, function in functions.items() if name != "floor"}  # an intrinsic alone
    assert {"phi", "klrem", "cross", "lgamma", "digamma", "exp", "log"} <= set(functions)
    module = {}
    exec("\n".join(needed(numba_library(), functions.values())), module)
    for name, function in functions.items():
        generator, primitive = random.Random(name), PRIMITIVES[name]
        theirs = compiled(primitive, [None for _ in primitive.typical])
        for _ in range(0 if boolean in primitive.typical or primitive.rest_of else 20):
            values = [rounded(draw(generator, interval)) for interval in primitive.typical]
            got = module[function](*values, *(values[j] - values[i] for i, j in primitive.gaps))
            expected = theirs(*values)
            assert abs(got - expected) <= ALLOWED.get(name, DEFAULT) * 2**-52 * abs(expected), name


@pytest.mark.parametrize(
    "name, values",
    [
        ("exp_e1", (750.0,)),
        ("log_rising", (200.0, 150.5)),
        ("log_rising", (1e15, 1e-3)),
        ("log_rising", (3.0, -2.5)),
        ("log_rising", (3.0, 1e-12)),
        ("lgamma", (1.0 + 1e-10,)),
        ("lgamma", (2.0 - 1e-10,)),
        ("log_sinhc", (1e-9,)),
        ("log_sinhc", (800.0,)),
        ("langevin", (1e-9,)),
        ("langevin", (-300.0,)),
        ("langevin_prime", (1e-9,)),
        ("log_i0", (1e-8,)),
        ("log_i0", (1e6,)),
        ("zetam1", (60.0,)),
        ("zeta_derivative", (1, 60.0)),
        ("zeta_derivative", (2, 1.0001)),
        ("log_kve", (300.0, 1.0)),
        ("bessel_k_order", (1e-9, 1.0)),
        ("bessel_k_order", (500.0, 1.0)),
        ("bessel_k_order", (0.5, 1e-6)),
        ("dilog", (1e-9,)),
        ("log_tricomi_u", (1.0, -200.0, 0.01)),
        ("log_tricomi_u", (300.0, 2.0, 5.0)),
        ("log_parabolic_u", (200.0, -30.0)),
        ("kummer", (0.5, 40.0, -300.0)),
    ],
)
def test_far_out(name, values):
    primitive = PRIMITIVES[name]
    fixed = [value if isinstance(value, int) else None for value in values]
    got = compiled(primitive, fixed)(*(value for value in values if not isinstance(value, int)))
    exact = float(primitive.spec(*map(exactly, values)).n(25))
    assert abs(got / exact - 1) < 2e-13
