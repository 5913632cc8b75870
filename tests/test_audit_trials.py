"""An audit of other implementations finds what is planted in them, calls it by its name, and finds nothing else."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from importlib import import_module

import mpmath as mp
import numpy as np
import pytest
from planted import BROKEN, SOUND

from klsym.array_formula import ArrayFormula
from klsym.audit.peers import array_truth, densities, judge, truth
from klsym.audit.peers.call import Outcome
from klsym.audit.peers.case import PairCase, same
from klsym.audit.peers.composites import COMPOSITES
from klsym.audit.peers.finding import Severity
from klsym.audit.peers.forms import forms
from klsym.audit.peers.measured import measured
from klsym.audit.peers.pair import Pair
from klsym.audit.peers.result import PairResult
from klsym.audit.peers.trials import TRIALS, Bench, wrapped
from klsym.audit.peers.truth import Truth, read, values

KNOWN = {}
QUICK = (
    "sign",
    "bits",
    "batch sum",
    "shape of P",
    "never infinite",
    "no derivative",
)


def performed(job):
    """The result of a job; truths are kept, since all functions of a family are asked the same."""
    module, _, function = job.function.partition(":")
    compute = getattr(import_module(module), function)
    if module == "planted":
        return compute(job.argument)
    if job.key not in KNOWN:
        KNOWN[job.key] = compute(job.argument)
    return KNOWN[job.key]


def audited(subject, form, **plan):
    form = next(each.name for each in forms("planted:ask") if each.kind == form)
    case = PairCase(subject, Pair("planted:ask", form, form), ask="planted:ask", script=lambda *_: "", **plan)
    return PairResult.from_json(finished(case))


def finished(case):
    """What the case returns, its jobs done here."""
    steps, answers = case.steps(), None
    while True:
        try:
            jobs = steps.send(answers)
        except StopIteration as stop:
            return stop.value
        answers = [performed(job) for job in jobs]


def severities(result):
    return {str(finding.severity) for finding in result.findings}


def test_every_fault_is_named():
    assert len(BROKEN) >= 30
    assert {name for _, expected in BROKEN.values() for name in expected} == {
        str(severity) for severity in Severity if severity != Severity.DIES
    }


@pytest.mark.parametrize("name", QUICK)
def test_what_is_planted_is_found_in_few_points(name):
    planted, expected = BROKEN[name]
    assert severities(audited(name, planted.form, points=4, dtypes=("float64",))) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_planted_is_found_and_nothing_else(name):
    planted, expected = BROKEN[name]
    assert severities(audited(name, planted.form, points=12)) == expected


def test_nothing_is_found_in_a_right_function():
    result = audited("Exponential", "Exponential", points=4)
    assert not result.findings
    assert sum(result.tried.values()) > 300


@pytest.mark.slow
@pytest.mark.parametrize("form", SOUND)
def test_nothing_is_found_in_right_functions(form):
    assert not audited(form, form, points=12).findings


def test_an_audit_does_the_same_again():
    one, other = (audited("absolute value", "Exponential", points=4, dtypes=("float64",)) for _ in range(2))
    assert one == other
    assert one.findings


def test_a_fault_is_shown_in_plain_numbers():
    (found,) = audited("bits", "Exponential", points=4).findings
    assert found.call.dtype == "float64"
    assert (found.call.p.arguments, found.call.q.arguments) == ({"rate": 1.0}, {"rate": 2.0})
    assert float(found.truth) == pytest.approx(1 - math.log(2))
    assert "verified at 3 points by quadrature" in found.proof


@pytest.mark.parametrize(
    "got, number, room, severity",
    [
        (1.0, "1.0000000000001", 1.0, None),
        (1.0, "1.000001", 1e8, Severity.LOST_DIGITS),
        (1.0, "1.000001", 1.0, Severity.WRONG_VALUE),
        (-1e-17, "1e-17", 1.0, Severity.WRONG_SIGN),
        (-1.0, "1", 1.0, Severity.WRONG_VALUE),
        (2e-9, "1e-9", 0.0, Severity.LOST_DIGITS),
        (1e-17, "0", 1.0, Severity.LOST_DIGITS),
        (0.0, "0", 1.0, None),
        (0.0, "1e-310", 1.0, None),
        (math.inf, "1e308", 1.0, None),
        (math.inf, "1e300", 1.0, Severity.FALSE_INFINITY),
        (1e300, "inf", 1.0, Severity.FALSE_INFINITY),
        (math.inf, "inf", 1.0, None),
        (math.nan, "inf", 1.0, Severity.NAN),
        (math.nan, "1", 1.0, Severity.NAN),
        (math.nan, "nan", 1.0, None),
    ],
)
def test_judgement(got, number, room, severity):
    fault = judge.value(got, Truth(mp.mpf(number)), "float64", lambda: room)
    assert (fault and fault.severity) == severity


def test_what_is_not_decided_is_no_fault():
    assert judge.value(math.nan, Truth(None), "float64", lambda: 0.0) is None


WISHART = Pair("torch", "Wishart(df, covariance_matrix)", "Wishart(df, covariance_matrix)")


def test_single_precision_is_judged_at_the_numbers_that_it_holds():
    pair = Pair("planted:ask", "Exponential(rate)", "Exponential(rate)")
    single, double = (
        Bench("planted:ask", pair, dtype, np.random.default_rng(0), 4).laid("scalars", [[0.1, 2.0]], [(), ()])
        for dtype in ("float32", "float64")
    )
    assert single.cells == [[float(np.float32(0.1)), 2.0]]
    assert double.cells == [[0.1, 2.0]]
    assert single.call.p.arguments == {"rate": 0.1}


def test_a_wishart_is_decided_in_balls():
    pytest.importorskip("flint")
    point = [4.0, [[2.0, 0.5], [0.5, 1.0]], 5.0, [[2.0, 0.5], [0.5, 3.0]]]
    decided = array_truth.decided(WISHART, array_truth.rational(WISHART, point))
    assert float(decided) == pytest.approx(float(array_truth.number(WISHART, point)), rel=1e-15)


def test_the_proof_of_arrays_compiles_nothing(monkeypatch):
    monkeypatch.setattr(ArrayFormula, "compile", None)
    pair = Pair("torch", "Dirichlet(concentration)", "Dirichlet(concentration)")
    assert "verified at 3 points" in array_truth.proof(pair)["said"]


def test_a_derivative_through_an_integral_is_zero_where_p_is_q():
    pair = {"subject": "torch", "p": "HalfCauchy(scale)", "q": "HalfCauchy(scale)"}
    (slopes,) = truth.slopes({"pair": pair, "points": [[1.5, 1.5]]})
    assert [truth.read(entry).number for (entry,) in slopes] == [0, 0]


def test_what_cannot_be_made_is_told_by_its_class_alone():
    form, other = (next(f.name for f in forms("planted:ask") if f.kind == kind) for kind in ("Exponential", "Gamma"))
    refused = Outcome("raised", said="making it: ValueError: no").to_json()
    for q, told in ((form, [Severity.NAN]), (other, [])):
        pair = Pair("planted:ask", form, q)
        asked = Bench("planted:ask", pair, "float64", np.random.default_rng(0), 4).shaped(
            "scalars", [()] * len(pair.columns)
        )
        steps = measured(pair, asked, "planted:ask")
        jobs = next(steps)
        answers = [refused if job.function == "planted:ask" else performed(job) for job in jobs]
        found = None
        while found is None:
            try:
                answers = [performed(job) for job in steps.send(answers)]
            except StopIteration as stop:
                found = stop.value
        assert [seen.fault.severity for seen in found.seen] == told


def test_one_fault_is_told_once():
    (found,) = audited("bits", "Exponential", points=4).findings
    nan = replace(found, severity=Severity.NAN, trial="generic")
    assert same(replace(nan, trial="extreme", call=replace(nan.call, dtype="float32")), nan)
    moved = replace(nan.call, p=replace(nan.call.p, arguments={"rate": 7.0}))
    assert same(replace(nan, trial="extreme", call=moved), nan)
    assert not same(replace(nan, trial="ends of domains", call=moved), nan)
    assert not same(
        replace(nan, severity=Severity.WRONG_VALUE, call=moved), replace(nan, severity=Severity.WRONG_VALUE)
    )


@pytest.mark.peers
def test_scripts_of_findings_show_the_fault_with_the_library_alone(tmp_path):
    pytest.importorskip("torch")
    form = "Geometric(logits)"
    case = PairCase("torch", Pair("torch", form, form), points=4, dtypes=("float64",))
    findings = PairResult.from_json(finished(case)).findings
    assert len(findings) > 1 and Severity.FALSE_INFINITY in {finding.severity for finding in findings}
    for number, finding in enumerate(findings[:2]):
        path = tmp_path / f"finding_{number}.py"
        path.write_text(finding.script, encoding="utf-8")
        ran = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
        assert ran.returncode == 1, finding.script


@pytest.mark.parametrize(
    "p, q, point, expected",
    [
        ("Deterministic(loc)", "Normal(loc, scale)", [0.5, 0.5, 1.0], mp.inf),
        ("Deterministic(loc)", "Deterministic(loc)", [0.5, 0.5], 0),
        ("Deterministic(loc)", "Poisson(rate)", [2.0, 1.0], 1 + mp.log(2)),
    ],
)
def test_all_mass_at_one_outcome_is_far_from_every_density(p, q, point, expected):
    (truth,) = values({"pair": {"subject": "tfp", "p": p, "q": q}, "points": [point]})
    assert read(truth).number == pytest.approx(expected)


def test_a_law_without_parameters_is_asked_what_there_is_to_ask():
    bench = Bench("scipy", Pair("scipy", "Logistic()"), "float64", np.random.default_rng(0), 4)
    assert sum(len(list(trial.ask(bench, trial.name))) for trial in TRIALS) > 4


def test_an_outcome_of_a_law_on_all_integers_is_one_of_them():
    skellam = Pair("scipy", "skellam(mu1, mu2)")
    assert -3 <= densities._outcome(skellam, [1.0, 2.0], np.random.default_rng(0)) <= 3


@pytest.mark.parametrize(
    "subject, p, q",
    [("distrax", "Softmax(logits, temperature)", "Categorical(probs)"), ("tfp", "SphericalUniform()", None)],
)
def test_what_takes_no_batches_is_asked_for_none(subject, p, q):
    bench = Bench(subject, Pair(subject, p, q), "float64", np.random.default_rng(0), 2)
    assert not bench.shaped("", [(2,)] * len(bench.pair.columns))


def test_the_distance_of_jensen_and_shannon_is_known_next_to_0():
    form = "jensenshannon(probs)"
    apart, least = values(
        {
            "pair": {"subject": "scipy", "p": form, "q": form},
            "points": [[[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [5e-324, 1.0]]],
        }
    )
    assert float(read(apart).number) == pytest.approx(math.log(2) ** 0.5)
    assert float(read(least).number) == pytest.approx(1.3085492146388467e-162, abs=0)


def bench(subject, form):
    return Bench(subject, Pair(subject, form, form), "float64", np.random.default_rng(0), 4)


def test_three_copies_have_three_times_the_divergence():
    (sample,) = (c for c in COMPOSITES["tfp"] if c.name == "sample")
    normals = bench("tfp", "Normal(loc, scale)")
    (question,) = normals.shaped("composites", [(2,)] * 4)
    assert wrapped(question, sample).sums == [[0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    "form, name",
    [
        ("OrderedLogistic(predictor, cutpoints)", "cutpoints"),
        ("CirculantNormal(loc, covariance_row)", "covariance_row"),
    ],
)
def test_rows_are_those_that_the_library_documents(form, name):
    rows = [point[1] for point in bench("numpyro", form).points("generic", 20)]
    assert len(rows) == 20
    for row in map(np.array, rows):
        if name == "cutpoints":
            assert (np.diff(row) > 0).all()
        else:
            matrix = row[(np.arange(len(row))[:, None] - np.arange(len(row))) % len(row)]
            assert (matrix == matrix.T).all() and np.linalg.eigvalsh(matrix).min() > 0
