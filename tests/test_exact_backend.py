"""Programs in growing precision: the tables of primitives against their specs, and the doubles that are decided."""

import math
import random
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import klsym
from klsym.backends import balls, exact, multiprecision
from klsym.backends.exact import Exact, evaluate, kernel
from klsym.core.primitive import PLAIN, PRIMITIVES, boolean
from klsym.core.program import Line, Output, Program
from klsym.lower import lower

BITS = 192
# Where nothing is rounded away nothing comes in pairs.
UNPAIRED = [p for p in PRIMITIVES.values() if not p.rest_of and p.name not in PLAIN]
NUMERIC = [primitive for primitive in UNPAIRED if boolean not in primitive.typical]
FAMILIES = (klsym.Normal, klsym.Gamma, klsym.Beta, klsym.VonMises, klsym.Poisson, klsym.Geometric)


@pytest.fixture(params=["balls", "multiprecision"])
def table(request, monkeypatch):
    """Every program in that arithmetic."""
    if request.param == "balls":
        pytest.importorskip("flint")
    else:
        monkeypatch.setattr(exact, "find_spec", lambda name: None)
        monkeypatch.setattr(exact, "_EXACT", {})
    return {"balls": balls, "multiprecision": multiprecision}[request.param]


def draw(generator, interval):
    low, high = interval
    if isinstance(low, int):
        return generator.randint(low, high)
    return math.exp(generator.uniform(math.log(low), math.log(high))) if low > 0 else generator.uniform(low, high)


def exactly(value):
    return sp.Integer(value) if isinstance(value, int) else sp.Float(value, 60)


def primitive_program(name, size, constants=()):
    names = tuple(f"a{k}" for k in range(size))
    fixed = tuple(Line(f"c{k}", "constant", (), text) for k, text in enumerate(constants))
    inputs = (*names, *(line.name for line in fixed))
    return Program("f", names, (*fixed, Line("y", name, inputs)), (Output("y"),))


def chain(arguments, result, **lines):
    """A program of lines written as name="primitive argument argument", a constant as name="constant text"."""
    made = []
    for name, text in lines.items():
        primitive, *rest = text.split()
        constant = primitive == "constant"
        made.append(Line(name, primitive, () if constant else tuple(rest), rest[0] if constant else ""))
    return Program("f", tuple(arguments.split()), tuple(made), (Output(result),))


def test_both_tables_hold_every_primitive():
    assert set(balls.TABLE) == set(multiprecision.TABLE) == {primitive.name for primitive in UNPAIRED}


@pytest.mark.parametrize("primitive", NUMERIC, ids=lambda primitive: primitive.name)
def test_both_tables_hold_the_spec(primitive):
    flint = pytest.importorskip("flint")
    generator = random.Random(primitive.name)
    before = flint.ctx.prec
    for _ in range(1 if primitive.name.startswith("log1p_mellin") else 3):
        values = [draw(generator, interval) for interval in primitive.typical]
        symbols = [exactly(value) for value in values]
        truth = primitive.spec(*symbols, *(symbols[j] - symbols[i] for i, j in primitive.gaps))
        flint.ctx.prec = BITS
        numbers = [balls.number(value) for value in values]
        ball = balls.TABLE[primitive.name](*numbers, *(numbers[j] - numbers[i] for i, j in primitive.gaps))
        flint.ctx.prec = before
        with mp.workprec(BITS):
            numbers = [mp.mpf(value) for value in values]
            number = multiprecision.TABLE[primitive.name](
                *numbers, *(numbers[j] - numbers[i] for i, j in primitive.gaps)
            )
            if truth in (sp.true, sp.false):
                assert ball is number is bool(truth)
                continue
            reference = truth.n(45)._to_mpmath(BITS)
            assert abs(number - reference) <= abs(reference) * mp.mpf(10) ** -42
            assert ball.overlaps(flint.arb(mp.nstr(reference, 45), float(abs(reference)) * 1e-42))
            assert ball.rel_accuracy_bits() > 100


@pytest.mark.parametrize(
    "name, values, double",
    [
        ("log", (0.0,), -math.inf),
        ("xlogy", (0.0, 0.0), 0.0),
        ("klrem", (0.0, 0.0, 0.0), 0.0),
        ("klrem", (0.5, 0.0, -0.5), math.inf),
        ("klrem", (0.0, 0.5, 0.5), 0.5),
        ("phi", (3.0, 3.0, 0.0), 0.0),
        ("phi", (1.0, 1.0 + 2.0**-52, 2.0**-52), 2.0**-105 * (1 - 2.0**-53)),
        ("e2", (1e-20,), 5e-41),
        ("log_sinhc", (0.0,), 0.0),
        ("langevin", (0.0,), 0.0),
        ("langevin_prime", (0.0,), 1 / 3),
        ("log_cosh", (2.0**-40,), 2.0**-81),
        ("log_cosh", (-1e5,), 1e5 - math.log(2)),
        ("softplus", (-800.0,), 0.0),
        ("softplus", (800.0,), 800.0),
        ("exp", (-744.5,), 5e-324),
        ("exp", (-746.0,), 0.0),
        ("exp", (710.0,), math.inf),
        ("exp", (-1e300,), 0.0),
        ("add", (1.0, 2.0**-53), 1.0),
        ("add", (1.0 + 2.0**-52, 2.0**-53), 1.0 + 2.0**-51),
        ("mul", (2.0**-1074, 0.5), 0.0),
        ("mul", (3 * 2.0**-1074, 0.5), 2.0**-1073),
        ("mul", (2.0**1023, 2.0), math.inf),
        ("lgamma", (1.0,), 0.0),
        ("sin", (1e300,), -0.8178819121159085),
        ("erfcx", (1e10,), 5.641895835477563e-11),
        ("exp_e1", (1e10,), 9.999999999e-11),
        ("zetam1", (1e4,), 0.0),
    ],
)
def test_doubles_that_are_known(table, name, values, double):
    decided = evaluate(primitive_program(name, len(values)), values)
    assert decided.value == double
    assert decided.proof != "undecided"


@pytest.mark.parametrize(
    "name, values",
    [
        ("log1p_mellin", (50.0, 1.0, 0.7, 1.0, 1.0, -0.7, 1.0)),
        ("log1p_mellin", (0.01, 0.5, 1.0, 1.0, 2.0, 1.0, -1.0)),
        ("log1p_mellin", (1.5, 2e-4, 1.0, 1.0, 5e-8, -1.0, 1.0)),
        ("log1p_mellin_slope", (5.0, 2.0, 0.5, 0.7, 1.0, 1.5, -0.7, 1.0)),
        ("bessel_k_order", (1e-9, 100.0)),
        ("bessel_k_order_slope", (40.0, 0.5)),
        ("bessel_k_order", (-40.0, 0.01)),
        ("gamma_log_moment", (0.01, 300.0)),
        ("zeta_derivative", (2.0, 900.0)),
        ("trigamma", (1e-5,)),
        ("lgrem", (1e8, 1e8 + 1e-4, 1e-4)),
        ("erfcx", (40.0,)),
        ("log_parabolic_u", (3.0, -30.0)),
        ("log_parabolic_u", (3.0, 30.0)),
    ],
)
def test_balls_and_estimates_are_the_same_doubles(name, values, monkeypatch):
    pytest.importorskip("flint")
    program = primitive_program(name, len(values))
    proven = Exact(program)(values)
    monkeypatch.setattr(exact, "find_spec", lambda name: None)
    estimated = Exact(program)(values)
    assert (proven.proof, estimated.proof) == ("ball", "estimate")
    assert proven.value == estimated.value


def test_an_exact_zero_is_decided(table):
    zero = chain("x", "y", a="exp x", b="log a", y="sub b x")
    assert evaluate(zero, [0.3]).value == 0.0


def test_conditions_that_rounding_has_touched(table):
    """log(exp x) is x, and x/3 is less than that: one is a tie at any precision, the other is not."""
    text = {"a": "exp x", "b": "log a", "one": "constant 1", "two": "constant 2"}
    tie = chain("x", "y", **text, c="le x b", y="select c one two")
    assert evaluate(tie, [0.3]).value == 1.0
    strict = chain("x", "y", **text, c="lt x b", y="select c one two")
    assert evaluate(strict, [0.3]).value == 2.0
    third = chain("x", "y", **text, t="constant 1/3", s="mul x t", c="lt s b", y="select c one two")
    assert evaluate(third, [0.3]).value == 1.0


def test_only_the_case_that_applies_is_computed(table):
    text = {"zero": "constant 0", "c": "lt zero x", "l": "log x", "n": "constant nan"}
    program = chain("x", "y", **text, y="select c l n")
    assert evaluate(program, [math.e]).value == math.log(math.e)
    assert math.isnan(evaluate(program, [-1.0]).value) and evaluate(program, [-1.0]).proof == "exact"


def test_nan_and_infinity(table):
    program = chain("x", "y", one="constant 1", inf="constant inf", c="lt x one", y="select c x inf")
    assert evaluate(program, [math.inf]).value == math.inf
    assert evaluate(program, [-math.inf]).value == -math.inf
    assert evaluate(program, [math.nan]).proof == "exact"
    assert math.isnan(evaluate(program, [math.nan]).value)


def test_what_cannot_be_decided_says_so(table):
    decided = evaluate(chain("x", "y", y="log x"), [-1.0])
    assert math.isnan(decided.value) and decided.proof == "undecided"


def test_subnormal_products_round_once(table):
    """Just above half of the least double, exactly that, and just under three halves of it."""
    product = primitive_program("mul", 2)
    for a, b in ((1 + 2.0**-52, 2.0**-1), (1.0, 2.0**-1), (3 - 2.0**-51, 2.0**-1)):
        expected = round(Fraction(a) * Fraction(b)) * 2.0**-1074
        assert evaluate(product, (a * 2.0**-537, b * 2.0**-537)).value == expected


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_nearest_double_of_a_divergence(family):
    """Against the closed form at 400 bits, far from P = Q and near it."""
    formula = klsym.kl(family, family)
    program = lower(formula.derivation)
    names = {symbol.name: symbol for symbol in formula.value.free_symbols}
    truth = sp.lambdify([names.get(name, sp.Symbol(name)) for name in program.arguments], formula.value, "mpmath")
    generator = random.Random(family.name)
    for k in range(40):
        p = [draw(generator, parameter.typical) for parameter in family.parameters]
        gap = 10.0 ** generator.uniform(-16, 0)
        q = [draw(generator, parameter.typical) for parameter in family.parameters]
        q = q if k % 2 else [a + (b - a) * gap for a, b in zip(p, q, strict=True)]
        with mp.workprec(400):
            reference = multiprecision.nearest(mp.re(truth(*map(mp.mpf, (*p, *q)))))
        assert evaluate(program, (*p, *q)).value == reference or p == q


def test_the_kernel_decides_each_element(table):
    program = chain("x y", "z", z="sub x y")
    x, y = np.array([1.0, 2.0, 1.0, np.nan]), np.array([0.5, 0.25, 0.5, 1.0])
    (z,) = kernel(program)(x, y)
    np.testing.assert_array_equal(z, [0.5, 1.75, 0.5, np.nan])
    (empty,) = kernel(program)(x[:0], y[:0])
    assert empty.shape == (0,)


def test_a_program_of_two_outputs_gives_two():
    lines = (Line("s", "add", ("x", "y")), Line("d", "sub", ("x", "y")))
    program = Program("f", ("x", "y"), lines, (Output("s", name="sum"), Output("d", name="difference")))
    assert [column.tolist() for column in kernel(program)(np.array([3.0]), np.array([1.0]))] == [[4.0], [2.0]]
    assert evaluate(program, (3.0, 1.0), output=1).value == 2.0


def test_the_working_precision_is_given_back():
    flint = pytest.importorskip("flint")
    before = flint.ctx.prec
    evaluate(primitive_program("exp", 1), [1.5])
    assert flint.ctx.prec == before


def test_a_primitive_without_a_ball_is_estimated(monkeypatch):
    monkeypatch.delitem(balls.TABLE, "exp")
    decided = Exact(primitive_program("exp", 1))([1.0])
    assert (decided.value, decided.proof) == (math.e, "estimate")


@pytest.mark.parametrize("z", [0.6, 0.79, 0.99])
def test_a_degenerate_hypergeometric_function_is_a_ball(z):
    """c = a + b, with b known to a ball: 2F1(1, b; 1 + b; z) is b times the sum of z^k/(b + k)."""
    flint = pytest.importorskip("flint")
    from klsym.backends.ball_analysis import hyp2f1

    arb = flint.arb
    with flint.ctx.workprec(160):
        b = arb(1) / arb("1.467")
        found = hyp2f1(arb(1), b, 1 + b, arb(z))
    with mp.workdps(40):
        own = 1 / mp.mpf("1.467")
        true = own * mp.fsum(mp.mpf(z) ** k / (own + k) for k in range(12_000))
        assert abs(mp.mpf(found.str(40, radius=False)) - true) < mp.mpf(10) ** -30 * true
    assert found.rel_accuracy_bits() > 100
