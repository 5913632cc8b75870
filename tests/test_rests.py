"""Exponents as pairs: what a value lacks, and what that makes of exponentials."""

import random

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from klsym import Gumbel, Moyal, Weibull, kl
from klsym.backends import load
from klsym.core.primitive import PAIRED, PRIMITIVES, RESTS
from klsym.core.program import Line, Output, Program

COUNT = 400


def drawn(primitive):
    """Arguments as columns, over orders of size, the second often beside the first; and gaps as a caller has them."""
    generator = random.Random(primitive.name)
    first = np.array([10.0 ** generator.uniform(-8, 8) for _ in range(COUNT)])
    apart = np.array([10.0 ** generator.uniform(-8, 8) for _ in range(COUNT)])
    step = np.array([generator.choice((-0.6, 1.0)) * 10.0 ** generator.uniform(-16, 0) for _ in range(COUNT)])
    second = np.where(np.arange(COUNT) % 2, apart, first * (1 + step))
    heads = [first, second]
    return heads + [heads[j] - heads[i] for i, j in primitive.gaps]


def left(name, heads, truth):
    """How much of an error may be left, in units of 2^-52: beside each other lgamma changes by its slope."""
    if name == "lgamma_difference":
        a, _, d = heads
        return 4 * RESTS[name] * (abs(truth) + abs(mp.digamma(a) * d)) + 0.375 * min(abs(d), 1)
    if name in ("add", "sub"):
        return mp.ldexp(abs(heads[0]) + abs(heads[1]), -50)
    return PRIMITIVES[name].worst * (RESTS[name] or 2.0**-50) * abs(truth)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", RESTS)
def test_value_and_rest_are_the_whole(name, backend):
    pytest.importorskip(backend)
    primitive = PRIMITIVES[name]
    heads = drawn(primitive)
    names = [f"{kind}{k}" for k, _ in enumerate(heads) for kind in "ab"]
    lines = (
        Line("v", PAIRED.get(name, name), tuple(names[::2])),
        Line("r", f"{name}_rest", (*names, "v")),
    )
    program = Program("f", tuple(names), lines, (Output("v"), Output("r", name="rest")))
    # Every fourth pair of arguments, far from each other, has rests; and so has the gap of two doubles.
    signs = np.where(np.arange(COUNT) % 4 == 3, 2.0**-54, 0.0)
    rests = [heads[0] * signs, -heads[1] * signs]
    with mp.workprec(400):
        for _ in primitive.gaps:
            exact = [
                (mp.mpf(y) + mp.mpf(s) - mp.mpf(x) - mp.mpf(r)) - mp.mpf(d)
                for x, r, y, s, d in zip(heads[0], rests[0], heads[1], rests[1], heads[2], strict=True)
            ]
            rests.append(np.array([float(x) for x in exact]))
        columns = [column for pair in zip(heads, rests, strict=False) for column in pair]
        values, lacking = load(program, backend, second_pass=False)(*columns)
        symbols = [sp.Dummy(f"x{k}", real=True) for k, _ in enumerate(heads)]
        spec = sp.lambdify(symbols, primitive.spec(*symbols), "mpmath")
        for value, rest, *row in zip(values, lacking, *columns, strict=True):
            whole = [mp.mpf(float(x)) + mp.mpf(float(y)) for x, y in zip(row[::2], row[1::2], strict=True)]
            truth = spec(*whole)
            error = abs(mp.mpf(float(value)) + mp.mpf(float(rest)) - truth)
            assert mp.ldexp(error, 52) <= left(name, whole, truth), (row, float(mp.ldexp(error, 52)))


@pytest.mark.parametrize("family", [Weibull, Gumbel, Moyal], ids=lambda family: family.name)
def test_large_exponents_need_no_second_pass(family):
    """Exponents of 10 to 500, whose rounding alone is hundreds of units of the exponential."""
    generator = np.random.default_rng(2)
    scale = 10.0 ** generator.uniform(-1, 1, 400)
    if family == Weibull:
        p, q = (generator.uniform(0.5, 3, 400), scale), (generator.uniform(2, 60, 400), scale / 7)
    else:
        p, q = (generator.uniform(-3, 3, 400), scale), (generator.uniform(9, 50, 400) * scale, scale / 5)
    f = kl(family, family)
    value, _, second = f.compile(report=True)(*p, *q)
    assert second.mean() < 0.02 and (np.log(value) > 10).mean() > 0.9
    quick = f.compile("numpy", second_pass=False)(*p, *q)[:60]
    exact = f.compile("exact")(*(x[:60] for x in (*p, *q)))
    fine = ~second[:60] & np.isfinite(exact)
    assert (abs(quick / exact - 1)[fine] <= 8 * 2**-52).all()


def test_what_is_larger_than_any_double_is_settled():
    k = np.linspace(400, 900, 5)
    value, error, second = kl(Weibull, Weibull).compile(report=True)(1.0, 10.0, k, 0.1)
    assert np.isinf(value).all() and not error.any() and not second.any()
    assert np.isinf(kl(Weibull, Weibull).compile("exact")(1.0, 10.0, k, 0.1)).all()


def test_a_case_that_does_not_hold_settles_nothing():
    """An exponential beyond any double in an arm that is not taken says nothing of the value."""
    value = kl(Weibull, Weibull).compile()(np.nan, 10.0, 900.0, 0.1)
    assert np.isnan(value)


def test_far_exponents_forget_their_rests():
    """The rest of -6e22 is in the millions."""
    program = Program("f", ("x", "y"), (Line("v", "exp_sum", ("x", "y")),), (Output("v"),))
    assert load(program, "numpy", second_pass=False)(-6e22, 4e6) == 0.0
