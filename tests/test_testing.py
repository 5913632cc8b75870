"""klsym.testing: what it draws, what it finds, what it says, and the plugin in a run of pytest of somebody else's."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings

from klsym import Bernoulli, Binomial, Exponential, Gamma, Normal, Triangular, Weibull, catalog, kl
from klsym.core.errors import KlsymError, ParameterError
from klsym.testing import assert_kl, check_kl, pairs, parameters

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[1]


def textbook(rate_p, rate_q):
    """Right, and without digits near P = Q."""
    return math.log(rate_p / rate_q) + rate_q / rate_p - 1


def right_to_a_point(rate_p, rate_q):
    return math.log(rate_p / rate_q) + rate_q / rate_p - (1 if rate_p < 50 else 1.001)


def fails(*arguments, **options) -> str:
    """The message of the assertion, which must fail."""
    with pytest.raises(AssertionError) as caught:
        assert_kl(*arguments, **options)
    return str(caught.value)


# Strategies


@pytest.mark.parametrize("name", ["Gamma", "Triangular", "Binomial", "Bernoulli"])
@pytest.mark.parametrize("extreme", [False, True])
def test_parameters_lie_in_their_domains(name, extreme):
    family = catalog[name]

    @settings(max_examples=25, database=None, derandomize=True, deadline=None)
    @given(pairs(family, extreme=extreme, ends=True))
    def lie_inside(both):
        # A family refuses what is out of a domain or violates its constraint.
        for values in both:
            family(**values)

    lie_inside()


def near(both):
    p, q = both
    return p != q and all(abs(p[name] - q[name]) <= 1e-9 * abs(p[name]) for name in p)


@pytest.mark.parametrize("family", [Normal, Triangular])
def test_pairs_come_near_on_purpose_and_meet(family):
    quiet = settings(max_examples=500, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    find(pairs(family), near, settings=quiet)
    find(pairs(family), lambda both: both[0] == both[1], settings=quiet)


def test_pairs_of_two_families_come_near_where_they_meet():
    def exponential(both):
        p, q = both
        return p["alpha"] == 1 and 0 < abs(q["k"] - 1) < 1e-6 and p["beta"] * q["lam"] == 1

    assert find(
        pairs(Gamma, Weibull), exponential, settings=settings(max_examples=2000, database=None, derandomize=True)
    )


def test_bound_parameters_keep_their_values():
    ((p, q),) = [find(pairs(Normal("mu", 2), Normal(0, "sigma")), lambda _: True)]
    assert p["sigma"] == 2 and q["mu"] == 0


def test_what_is_no_family_of_numbers_is_refused():
    with pytest.raises(ParameterError, match="neither a family of numbers"):
        parameters("gamma")  # type: ignore[arg-type]


# The assertion


def test_a_textbook_formula_passes_far_and_fails_near():
    far = assert_kl(textbook, Exponential, near=False, eps=1e6, points=40)
    assert far.ok and far.points >= 40 and 0 < far.worst <= 1e6
    assert "off by" in (said := fails(textbook, Exponential, eps=1e6)) or "is not 0" in said
    assert assert_kl(textbook, Exponential, eps=64, absolute=1e-9, points=40).ok


def test_klsym_itself_passes():
    assert assert_kl(kl(Gamma, Exponential).compile("numpy"), Gamma, Exponential, eps=16, arrays=True, points=20).ok


def test_a_failure_is_shrunk_to_plain_numbers_and_shows_got_true_and_proof():
    def upside_down(rate_p, rate_q):
        return math.log(rate_q / rate_p) + rate_p / rate_q - 1

    said = fails(upside_down, Exponential, near=False)
    assert "upside_down is off by" in said and "64 are allowed" in said
    # log 2 - 1/2 at a quotient of 1/2, and 1 - log 2 at its inverse.
    assert "KL(Exponential(rate=1.0) || Exponential(rate=2.0))" in said
    assert "got  0.193147180559945" in said and "true 0.306852819440054690" in said
    assert "quadrature of the definition" in said


@pytest.mark.parametrize(
    "fn, options, says",
    [
        (lambda p, q: math.nan, {}, "gives no number"),
        (lambda p, q: math.inf, {}, "is infinite where it must not be"),
        (lambda p, q: 1 / 0, {}, "raises ZeroDivisionError"),
        (lambda p: 0.0, {}, "raises TypeError"),
        (lambda p, q: np.zeros(3), {}, "returns the shape (3,)"),
        (lambda p, q: "many", {}, "raises ValueError"),
        (lambda p, q: (p - q).sum(), {"arrays": True}, "returns the shape ()"),
    ],
)
def test_what_is_no_answer_is_a_failure(fn, options, says):
    assert says in fails(fn, Exponential, **options)


def test_ends_of_domains_are_reached_only_if_asked_for():
    def clamped(p, q):
        p, q = min(max(p, 1e-7), 1 - 1e-7), min(max(q, 1e-7), 1 - 1e-7)
        return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))

    assert assert_kl(clamped, Bernoulli, near=False, eps=1e4, points=40).ok
    assert "is finite where it must not be" in fails(clamped, Bernoulli, near=False, eps=1e4, ends=True)


def test_elements_that_depend_on_each_other_are_found():
    right = kl(Exponential, Exponential).compile("numpy")

    def turned(rate_p, rate_q):
        return right(rate_p, rate_q)[::-1]

    said = fails(turned, Exponential, arrays=True)
    assert said.count("KL(Exponential") == 2 and "it in the arrays" in said


def test_single_precision():
    def double_inside(mu_p, sigma_p, mu_q, sigma_q):
        assert mu_p.dtype == np.float32
        return right(*map(np.float64, (mu_p, sigma_p, mu_q, sigma_q))).astype(np.float32)

    right = kl(Normal, Normal).compile("numpy")
    assert assert_kl(double_inside, Normal, eps=1, dtype="float32", arrays=True, points=40).ok
    with pytest.raises(ParameterError, match="float16"):
        check_kl(double_inside, Normal, dtype="float16")  # type: ignore[arg-type]


def test_integers_are_given_as_integers():
    def counted(n_p, p_p, n_q, p_q):
        assert type(n_p) is int and type(p_p) is float
        return math.inf if n_p > n_q else right(n_p, p_p, n_q, p_q)

    right = kl(Binomial, Binomial).compile("numpy")
    found = check_kl(counted, Binomial("n", "p"), Binomial("n", "r"), points=10)
    assert found.ok or "AssertionError" not in found.fault


def test_the_same_seed_says_the_same():
    assert fails(right_to_a_point, Exponential, seed=3) == fails(right_to_a_point, Exponential, seed=3)


def test_answers_that_change_are_told():
    state = np.random.default_rng(0)
    said = fails(lambda p, q: state.random() > 0.5, Exponential)
    assert "different answers" in said or "off by" in said or "is not 0" in said


def test_where_no_truth_is_known_nothing_is_asserted(monkeypatch):
    monkeypatch.setattr("klsym.testing.truth.Truth.__call__", lambda self, point: math.nan)
    with pytest.raises(KlsymError, match="nothing was checked"):
        check_kl(textbook, Exponential, points=5)


def test_a_function_is_not_blamed_where_formula_and_definition_disagree(monkeypatch):
    from klsym.core.value import Value

    monkeypatch.setattr("klsym.testing.truth.Truth._measured", lambda self, point: Value(7, 0, "estimate"))
    with pytest.raises(KlsymError, match="the truth is not known"):
        check_kl(lambda p, q: 1.0, Exponential, near=False, points=20)


# The plugin

SUITE = """
import math
from klsym import Exponential

def right(p, q):
    return math.log(p / q) + q / p - 1

def test_right(kl_check):
    assert kl_check(right, Exponential, near=False, eps=1e6, points=20).points >= 20

def test_wrong(kl_check):
    kl_check(lambda p, q: right(q, p), Exponential, near=False, eps=1e6, points=20)

def test_other():
    pass
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """A project of somebody's in which the plugin is installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(SUITE)
    return lambda *arguments: pytester.runpytest_inprocess(
        "-p", "klsym.pytest_plugin", "-p", "no:cacheprovider", *arguments
    )


def test_the_plugin_checks_and_reports(suite):
    ran = suite()
    ran.assert_outcomes(passed=2, failed=1)
    ran.stdout.fnmatch_lines(
        [
            "*AssertionError: *lambda> is off by * eps, and 1e+06 are allowed",
            "*KL(Exponential(rate=1.0) || Exponential(rate=2.0))",
            "*= divergences checked by klsym =*",
            "function *pair *points *worst error",
            "right *Exponential || Exponential *eps",
            "*<lambda> *Exponential || Exponential *eps *FAILED",
            "2 checks, * points, 1 failed",
        ]
    )


@pytest.mark.slow
def test_the_report_comes_from_workers_too(suite):
    ran = suite("-n", "2")
    ran.assert_outcomes(passed=2, failed=1)
    ran.stdout.fnmatch_lines(["right *Exponential || Exponential *eps", "2 checks, * points, 1 failed"])


def test_a_run_without_checks_has_no_section(suite):
    ran = suite("-k", "other")
    ran.assert_outcomes(passed=1, deselected=2)
    ran.stdout.no_fnmatch_line("*checked by klsym*")


def test_the_plugin_costs_a_run_of_pytest_nothing():
    heavy = ("hypothesis", "sympy", "numpy", "scipy", "mpmath")
    code = f"import klsym.pytest_plugin, sys; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "[]"


def test_without_hypothesis_the_import_says_what_is_needed():
    code = "import sys; sys.modules['hypothesis'] = None\nimport klsym.testing"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "klsym.testing needs hypothesis" in ran.stderr and "pip install 'klsym[testing]'" in ran.stderr
