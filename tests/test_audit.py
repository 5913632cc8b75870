"""The audit itself: its points are where they claim to be, its truth is true, and it catches what is wrong."""

from __future__ import annotations

import json

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from klsym.audit import digits, measure, reference, report, rules, run, truth
from klsym.audit.meetings import MEETINGS
from klsym.audit.points import SETS, draw
from klsym.audit.subject import selected, subject
from klsym.cli import main
from klsym.core.errors import UndecidedWarning

PLAN = run.Plan(points=300, backend="numpy")
SECONDS = 10
FAMILIES = ["Normal", "Gamma", "Uniform", "Binomial", "Bernoulli", "Zeta", "VonMises", "Pareto", "StudentT"]


@pytest.fixture(autouse=True)
def digits_enough_to_compare():
    with mp.workprec(300):
        yield


@pytest.fixture(params=["mpmath", "balls"])
def arithmetic(request):
    if request.param == "mpmath":
        return digits.Digits()
    pytest.importorskip("flint")
    return reference.best()


def value(truth):
    high, low, exponent, known, *_ = truth
    assert known
    return mp.ldexp(mp.mpf(high) + mp.mpf(low), exponent)


def textbook(audited):
    """The derived formula in floats as it stands: right away from P = Q, and nothing near it."""
    compute = sp.lambdify(audited.symbols, audited.case.value, "scipy")

    def function(points):
        with np.errstate(all="ignore"):
            return np.asarray(compute(*points.T), float), None

    return function


def truth_of(audited):
    """A function that is right but for rounding, whatever the backends do."""
    known = run.Truths(audited)

    def function(points):
        truths = [
            reference.ZERO if e else known(r) for r, e in zip(points.tolist(), audited.equal(points), strict=True)
        ]
        return np.array([np.ldexp(t[0] + t[1], min(max(t[2], -5000), 5000)) for t in truths]), None

    return function


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("kind", SETS)
def test_points_are_valid_and_as_near_as_the_set_says(name, kind):
    audited = subject(name, name)
    points = draw(audited, kind, 200, np.random.default_rng(1))
    if kind == "infinite":
        assert audited.infinite(points).all() and not audited.valid(points).any()
        return
    assert audited.valid(points).all()
    p, q = points[:, : audited.of_p], points[:, audited.of_p :]
    size = np.abs(points).max(axis=1, keepdims=True, initial=0)
    if kind == "equal":
        assert len(points) == 200 and (p == q).all()
    if kind == "neighbours":
        assert (np.abs(p - q) <= 3 * np.spacing(np.abs(p) + np.abs(q))).all()
    if "near" in kind or "ray" in kind:
        assert len(points) == 200 and (np.abs(p - q) <= 2 * size).all()
    if "near-one" in kind:
        changed = (p != q).sum(axis=1)
        assert changed.max() <= (2 if audited.orders else 1)


@pytest.mark.parametrize("pair", MEETINGS, ids=" ".join)
def test_pairs_of_two_families_are_closed_and_meet(pair):
    audited = subject(*pair)
    if not audited.meeting:
        return
    truths = run.Truths(audited)
    for row in draw(audited, "equal", 2, np.random.default_rng(3)):
        truth = truths(row.tolist())
        # Equal to rounding: the divergence is quadratic in what rounding does to a parameter of size up to 1e8. That a
        # Log1pMellin is exactly 0 takes too many bits to prove.
        assert abs(value(truth)) < 1e-12 if truth[3] else "Log1pMellin" in str(audited.case.value)


def test_at_least_forty_pairs_of_two_families():
    assert len(selected("cross")) >= 40
    assert set(selected()) == set(selected("same")) | set(selected("cross"))
    assert selected("same", ["Gamma"]) == [("Gamma", "Gamma")]


def test_reference_keeps_the_digits_that_cancel(arithmetic):
    x, y = sp.symbols("x y", positive=True)
    near = reference.Reference(x / y - 1 - sp.log(x / y), (x, y), arithmetic)
    got = value(near([1 + 2.0**-50, 1.0]))
    d = mp.mpf(2) ** -50
    assert abs(got / (d - mp.log(1 + d)) - 1) < mp.mpf(2) ** -78
    assert near([3.0, 3.0]) == reference.ZERO


@pytest.mark.parametrize(
    "expression",
    [
        "loggamma(x) + polygamma(0, x) * polygamma(1, x)",
        "sqrt(x) / x**(x/3) + 1/x**3",
        "besseli(0, x) * exp(-x) + besselk(x, 2)",
        "Piecewise((x, x < 1), (1 + log(x), True))",
        "uppergamma(x, 2) + expint(1, x) + erf(x) + zeta(1 + x)",
    ],
)
def test_reference_agrees_with_sympy(arithmetic, expression):
    x = sp.Symbol("x", positive=True)
    tree = eval_in_sympy(expression, x)
    for at in (0.375, 1.0, 2.5):
        expected = tree.subs(x, sp.Rational(at)).evalf(40)
        assert abs(value(reference.Reference(tree, (x,), arithmetic)([at])) - mp.mpf(str(expected))) < 1e-20


def eval_in_sympy(text, x):
    names = "loggamma polygamma sqrt besseli besselk exp log Piecewise uppergamma expint erf zeta".split()
    return eval(text, {"x": x, **{name: getattr(sp, name) for name in names}})


def test_own_special_functions_agree_with_their_definitions():
    pytest.importorskip("flint")
    from klsym.core.functions import BesselKOrder, Langevin, LogSinhc, ZetaDerivative
    from klsym.core.mellin import Log1pMellin

    x = sp.Symbol("x", positive=True)
    tree = BesselKOrder(x, 2) + LogSinhc(x) * Langevin(x) + ZetaDerivative(1, 1 + x) + Log1pMellin(x, 2, 1, 1)
    expected = tree.subs(x, sp.Rational(3, 4)).evalf(30)
    assert abs(value(reference.Reference(tree, (x,))([0.75])) - mp.mpf(str(expected))) < 1e-24


def test_a_right_function_passes():
    audited = subject("Gamma", "Gamma")
    row = run.examine(audited, truth_of(audited), PLAN, SECONDS)
    assert row["worst"] <= 0.5
    assert not list(report.flags(row))
    assert row["points"] > 2 * PLAN.points * 0.9


def test_a_cancelling_formula_is_caught():
    audited = subject("Gamma", "Gamma")
    row = run.examine(audited, textbook(audited), PLAN, SECONDS)
    assert row["worst"] > 1e10 and row["negative"] and row["lost"]
    generic = next(part for part in row["sets"] if part["set"] == "generic")
    assert generic["worst"] < 1e6, "away from P = Q the textbook is right"
    assert not report.Report(PLAN, [row]).ok


@pytest.mark.parametrize(
    "spoil, flag",
    [
        (lambda v: np.where(v < 1e-20, np.nan, v), "missing"),
        (lambda v: v - 1e-30, "negative"),
        (lambda v: np.maximum(v, 1e-300), "spurious"),
        (lambda v: np.where(v < 1e-20, 0.0, v), "lost"),
    ],
)
def test_each_kind_of_wrong_value_is_flagged(spoil, flag):
    audited = subject("Exponential", "Exponential")
    right = truth_of(audited)
    row = run.examine(audited, lambda points: (spoil(right(points)[0]), None), PLAN, SECONDS)
    assert row[flag] > 0


def test_a_hill_is_climbed():
    audited = subject("Exponential", "Exponential")
    right = truth_of(audited)

    def hilly(points):
        # 100 eps off where P's rate is 7 and Q's is near: random points hardly come there.
        return right(points)[0] * (1 + 2.0**-52 * np.rint(100 * np.exp(-(np.log(points[:, 0] / 7) ** 2) / 2))), None

    row = run.examine(audited, hilly, PLAN, SECONDS)
    assert row["climb"] >= row["sweep"] and row["climb"] > 99


def test_a_pair_without_a_closed_form_is_left_out_and_said():
    (row,) = run.audit_pair("BetaBinomial", "BetaBinomial", PLAN, SECONDS)
    assert "no closed case" in row["skipped"]
    assert "not audited" in str(report.Report(PLAN, [row]))


ALONE = "Normal Laplace Cauchy Gamma Beta Weibull VonMises Uniform Bernoulli Poisson Zeta".split()
SLICE = [*((name, name) for name in ALONE), ("Gamma", "Weibull"), ("Gamma", "LogNormal"), ("Exponential", "Gamma")]


@pytest.mark.parametrize("pair", SLICE, ids=" ".join)
def test_values_are_right_at_points_of_all_sets(pair):
    rows = run.audit_pair(*pair, run.Plan(points=500, seed=1, backend="numpy"), SECONDS)
    assert report.Report(PLAN, rows).ok, report.Report(PLAN, rows)


@pytest.mark.parametrize("name", ["Normal", "Gamma", "Beta", "Laplace", "Uniform", "Weibull"])
def test_derivatives_are_right_at_points_of_all_sets(name):
    rows = run.audit_pair(name, name, run.Plan(points=150, seed=1, backend="numpy", gradient=True), SECONDS)
    assert report.Report(PLAN, rows).ok, report.Report(PLAN, rows)
    assert len(rows) == 1 + sum(not symbol.is_integer for symbol in subject(name, name).symbols)


@pytest.mark.parametrize("options", [{"dtype": "float32", "backend": "numpy"}, {"backend": "exact"}])
def test_a_narrow_or_exact_result_is_right_to_the_last_place(options):
    plan = run.Plan(points=150, **options)
    rows = [row for name in ("Gamma", "Bernoulli") for row in run.audit_pair(name, name, plan, SECONDS)]
    assert all(row["worst"] <= (1 if "dtype" in options else 0.5) for row in rows)
    assert report.Report(plan, rows).ok


def test_what_no_pass_decides_is_missing(monkeypatch):
    undecided = lambda program: lambda *a: tuple(np.full(len(a[0]), np.nan) for _ in program.outputs)  # noqa: E731
    monkeypatch.setattr("klsym.backends.exact.kernel", undecided)
    audited = subject("GeneralizedNormal", "Normal")
    with pytest.warns(UndecidedWarning):
        row = run.examine(audited, *measure.compiled(audited, "numpy"), PLAN, SECONDS)
    assert row["unsure"] == row["missing"] > 0
    assert all(part["flagged"]["missing"]["pass"] == measure.UNSURE for part in row["sets"] if part["missing"])


def test_a_wrong_derivative_is_caught():
    audited = subject("Normal", "Normal", rules.rule(None, "float64", gradient=True))
    symbol = audited.symbols[1]
    compute = sp.lambdify(audited.symbols, audited.case.value.diff(symbol), "numpy")
    row = run.examine(audited, lambda points: (compute(*points.T), None), PLAN, SECONDS, truth.truths(audited, symbol))
    assert row["worst"] > 1e6, "away from the diagonal it is right, but near it the terms cancel"
    generic = next(part for part in row["sets"] if part["set"] == "generic")
    assert generic["worst"] < 8


def test_a_derivative_has_the_scale_of_what_cancels_in_it():
    audited = subject("Normal", "Normal")
    slopes = truth.Slopes(audited, audited.symbols[3])
    assert slopes.vanishes
    near = slopes([0.0, 1.0, 0.0, 1 + 2.0**-40])
    assert near[4] == pytest.approx(abs(near[0])), "one parameter differs: relative to itself"
    balanced = slopes([0.0, 1.0, 2.0**-10, 1 + 2.0**-21])
    assert balanced[4] > 1e5 * abs(balanced[0]), "what the scale and the location do cancels"
    assert slopes.evident(np.array([[3.0, 2.0, 3.0, 2.0]])) == [(0.0, 0.0, 0, True, 0.0)]


def test_there_is_no_derivative_where_the_divergence_is_infinite_or_parameters_are_tied():
    uniform = subject("Uniform", "Uniform", rules.rule(None, "float64", gradient=True))
    points = draw(uniform, "infinite", 50, np.random.default_rng(2))
    slopes = truth.Slopes(uniform, uniform.symbols[0])
    assert len(points) == 50 and np.isnan([known[0] for known in slopes.evident(points)]).all()
    row = run.examine(uniform, lambda points: (np.zeros(len(points)), None), PLAN, SECONDS, slopes)
    assert next(part for part in row["sets"] if part["set"] == "infinite")["phantom"] > 0


def test_float32_has_its_own_last_place_its_own_smallest_and_largest_number():
    high = np.array([0.75, 0.75, 0.75])
    exponent = np.array([1, -148, 128])
    truths = np.array([(h, 0.0, e, True, h) for h, e in zip(high, exponent, strict=True)], reference.JUDGED)
    got = np.array([1.5 + 2.0**-23, 2.0**-149, np.inf])
    found = measure.Measured(np.zeros((3, 1)), got, truths, None, rules.SINGLE)
    assert list(found.errors) == [1.0, 0.5, np.inf]
    assert not found.lost.any() and not found.overflow.any()


def test_the_time_is_shared_and_few_points_are_said():
    plan = run.Plan(points=5000, backend="numpy", minutes=0.02)
    rows = [row for rows in run.audit([("Zeta", "Zeta"), ("Gamma", "Gamma")], plan) for row in rows]
    assert [row["pair"] for row in rows] == ["Gamma || Gamma", "Zeta || Zeta"], "what is slow comes last"
    assert rows[1]["drawn"] < rows[1]["asked"]
    assert f"fewer points than asked: {rows[1]['drawn']} of" in str(report.Report(plan, rows))


def test_command(capsys):
    words = "audit self --only exponential --pairs same --points 200 --jobs 1 --json --backend numpy --gradient"
    status = main(words.split())
    document = json.loads(capsys.readouterr().out)
    assert status == (0 if document["ok"] else 1)
    pair = "Exponential || Exponential"
    assert [row["pair"] for row in document["rows"]] == [pair, f"{pair} d/drate_p", f"{pair} d/drate_q"]
    assert {part["set"] for part in document["rows"][0]["sets"]} >= {"generic", "near-one", "equal", "climb"}
