"""Double-double primitives against their specs, and programs in it against those in growing precision."""

import math
import random
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import klsym
from klsym.backends import callable as compiled
from klsym.backends import load, refine
from klsym.backends.double_double import arithmetic, coefficients, elementary, fit, gamma, special
from klsym.backends.exact import kernel
from klsym.core.primitive import PRIMITIVES, boolean
from klsym.core.program import Line, Output, Program
from klsym.lower import lower

pytest.importorskip("numba")

COUNT, PRECISION = 24, 600
ROOT = 1.4616321449683623  # of digamma
NEAR = {"lgamma": (1.0, 2.0), "digamma": (ROOT,), "log": (1.0,)}
PAIRED = [p for name, p in PRIMITIVES.items() if name in refine.spelling() and boolean not in p.typical]
PAIRS = {
    ("Gamma", "Weibull"): 0.98,
    ("LogNormal", "Gamma"): 1.0,
    ("Chi", "Exponential"): 0.98,
    ("Laplace", "Normal"): 1.0,
}


def beside(generator, x):
    """A neighbour of x, at a relative gap from 1e-16 to 1."""
    return x * (1.0 + generator.choice((-0.999, 1.0)) * 10.0 ** generator.uniform(-16, 0))


def points(primitive):
    """Pairs of doubles, gaps not among them; of two with a gap the second is beside the first, or not."""
    generator = random.Random(primitive.name)
    for k in range(COUNT):
        values = [
            float(generator.randint(*interval)) if isinstance(interval[0], int)
            else math.exp(generator.uniform(-18, 18) if k % 3 == 0 and interval[1] == 1e3
                          else generator.uniform(*map(math.log, interval))) if interval[0] > 0
            else generator.uniform(*interval)
            for interval in primitive.typical
        ]  # fmt: skip
        if k % 2 and primitive.name in NEAR:
            values = [beside(generator, generator.choice(NEAR[primitive.name]))]
        for i, j in primitive.gaps if k % 4 else ():
            values[j] = beside(generator, values[i])
        tails = [0.0 if v.is_integer() or k % 2 else generator.uniform(-1, 1) * 2.0**-54 * v for v in values]
        yield list(zip(values, tails, strict=True))


def function(name):
    """The primitive in Python, of pairs of doubles that follow IEEE 754 where Python's raise."""
    named = refine.spelling()[name].removeprefix("_")
    found = next(vars(m)[named] for m in (arithmetic, elementary, gamma, special) if named in vars(m))

    def call(*pairs):
        with np.errstate(all="ignore"):
            return found(*((np.float64(head), np.float64(tail)) for head, tail in pairs))

    return call


def truth(primitive):
    symbols = [sp.Dummy(f"x{i}", real=True) for i in range(primitive.arity)]
    return sp.lambdify(symbols, primitive.spec(*symbols), "mpmath")


@pytest.mark.parametrize("primitive", PAIRED, ids=lambda primitive: primitive.name)
def test_primitive_is_its_spec(primitive):
    run, exact, found = function(primitive.name), truth(primitive), 0
    for pairs in points(primitive):
        with mp.workprec(PRECISION):
            arguments = [mp.mpf(head) + mp.mpf(tail) for head, tail in pairs]
            gaps = [arguments[j] - arguments[i] for i, j in primitive.gaps]
            got = run(*pairs, *map(fit.pair, gaps))
            wanted = exact(*arguments, *gaps)
            if np.ndim(got) == 0:
                assert got == bool(wanted)
            elif not math.isnan(got[0]):
                assert got[0] + got[1] == got[0]
                assert abs(mp.mpf(got[0]) + mp.mpf(got[1]) - wanted) <= mp.ldexp(abs(wanted), -95), pairs
            found += np.ndim(got) == 0 or not math.isnan(got[0])
    assert found >= (0.6 if primitive.name == "lbetarem" else 0.9) * COUNT


@pytest.mark.parametrize(
    "name, arguments",
    [("exp", (700.0,)), ("exp", (-700.0,)), ("log", (-1.0,)), ("log", (0.0,)), ("lgamma", (-0.5,)),
     ("mul", (1e-200, 1e-100)), ("pow", (1e10, 20.0)), ("sin", (1e10,)), ("phi", (1.0, -1.0, -2.0)),
     ("phi", (1.0, 1.0, 1e-200)), ("e2", (1e-200,)), ("grem", (1.0, 1.0, 1e-200)), ("erfc", (30.0,)),
     ("lgamma_difference", (1.0, 2.0, 1.0)), ("polygamma", (9.0, 1.0)), ("exp", (math.nan,))],
)  # fmt: skip
def test_what_cannot_be_given_is_nan(name, arguments):
    assert math.isnan(function(name)(*((x, 0.0) for x in arguments))[0])


def test_remainders_of_equal_arguments_are_zero():
    for name in ("phi", "klrem", "grem", "lgrem", "log_ratio", "digamma_difference"):
        assert function(name)((0.3, 0.0), (0.3, 0.0), (0.0, 0.0)) == (0.0, 0.0)


def drawn(pair, size, seed=5):
    """Arguments in the typical ranges."""
    generator = np.random.default_rng(seed)
    ranges = [parameter.typical for name in pair for parameter in getattr(klsym, name).parameters]
    return [
        np.exp(generator.uniform(math.log(low), math.log(high), size))
        if low > 0
        else generator.uniform(low, high, size)
        for low, high in ((float(low), float(high)) for low, high in ranges)
    ]


def lowered(pair):
    return lower(klsym.kl(*(getattr(klsym, name) for name in pair)).derivation)


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_what_is_decided_is_the_nearest_double(pair):
    program, arguments = lowered(pair), drawn(pair, 60)
    (values,), sure = refine.refined(program)(*arguments)
    (exact,) = kernel(program)(*arguments)
    assert np.array_equal(values[sure], exact[sure]) and sure.mean() >= PAIRS[pair]


def test_near_the_diagonal_the_nearest_double_or_none():
    program = lowered(("Gamma", "Weibull"))
    generator = np.random.default_rng(6)
    gap = 10.0 ** generator.uniform(-9, -1, 60)
    arguments = [1 + gap, np.full(60, 0.7), 1 - gap * generator.uniform(0, 2, 60), (1 + gap) / 0.7]
    (values,), sure = refine.refined(program)(*arguments)
    (exact,) = kernel(program)(*arguments)
    assert np.array_equal(values[sure], exact[sure])
    assert sure[exact > 1e-7].all() and not sure[exact < 1e-10].any()


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_many_elements_take_double_double_and_balls_the_rest(backend, monkeypatch):
    program, arguments = lowered(("LogNormal", "Gamma")), drawn(("LogNormal", "Gamma"), 300)
    arguments[1][::10], arguments[2][::10] = 1e-4, 1e8  # a narrow one and what matches it nearly
    arguments[3][::10] = 1e8 * np.exp(-arguments[0][::10])
    f = load(program, backend)
    few, _, second = f(*arguments, report=True)
    assert second.sum() > 200 and "_refined" not in vars(f)
    monkeypatch.setattr(compiled, "MANY", 0)
    assert np.array_equal(f(*arguments), few) and not f._refined(*arguments)[1].all()


def lines(text):
    """`name = primitive argument ...`, one a line; `name = constant 1/2`."""
    rows = [row.split() for row in text.strip().splitlines()]
    return tuple(Line(n, p, (), a[0]) if p == "constant" else Line(n, p, tuple(a)) for n, _, p, *a in rows)


def program(text):
    return Program("f", ("x", "y"), lines(text), (Output("value", bound=1.0),))


def test_conditions_near_a_tie_decide_nothing():
    run = refine.refined(program("one = constant 1\nr = div x y\nless = lt r one\nvalue = select less x y"))
    (values,), sure = run(np.array([1.0, 3.0, 1.0]), np.array([3.0, 1.0, 1.0]))
    assert sure.tolist() == [True, True, False] and values[:2].tolist() == [1.0, 1.0]
    third = "third = constant 1/3\nd = sub x third\nless = lt d y\nvalue = select less x y"
    _, sure = refine.refined(program(third))(np.array([-1.0, 1.0]), np.array([1.0, 2.0]))
    assert sure.tolist() == [True, False], "what may have cancelled is not compared"
    exact = "p = mul x y\nd = sub p y\nless = lt d x\nvalue = select less x y"
    assert refine.refined(program(exact))(np.array([1.5]), np.array([1.25]))[1].all(), "exact numbers do not cancel"
    root = "s = sqrt x\nf = floor s\nless = lt f y\nvalue = select less x y"
    assert refine.refined(program(root)) is None
    assert refine.refined(program("less = lt x y\nvalue = select less x y")) is not None


def test_values_and_arguments_out_of_range_are_not_decided_but_zero_is():
    run = refine.refined(program("value = mul x y"))
    _, sure = run(np.array([1e-100, 1e-70, 0.0, math.inf, 1.0]), np.array([1.0, 1e-250, 2.0, 1.0, math.nan]))
    assert sure.tolist() == [False, False, True, False, False]


def test_a_missing_primitive_or_numba_is_left_to_balls(monkeypatch):
    assert refine.refined(program("value = kummer x y x")) is None
    monkeypatch.setattr(refine, "find_spec", lambda name: None)
    assert refine.refined(program("value = mul x y")) is None


def test_coefficients_are_those_of_the_script():
    assert Path(coefficients.__file__).read_text(encoding="utf-8") == fit.text()
