"""The command line, as a user meets it: text, JSON, exit status, and one clear line for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from klsym.cli import distributions, main, number_or_name
from klsym.core.errors import ParameterError
from klsym.families import array_catalog, catalog

ROOT = Path(__file__).resolve().parents[1]
PAIR = ["gamma", "alpha=5", "beta=2", "weibull", "k=1.5", "lam=3"]


@pytest.fixture
def run(capsys):
    """The command in this process: its status, what it prints, what it says on standard error."""

    def command(*arguments: str):
        try:
            status = main(arguments)
        except SystemExit as stop:
            status = stop.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


def shell(*arguments: str, **environment: str):
    return subprocess.run(
        [sys.executable, "-m", "klsym", *arguments],
        capture_output=True,
        env=os.environ | environment,
        cwd=ROOT,
        timeout=120,
    )


@pytest.mark.parametrize(
    "text, value",
    [
        ("0.1", Fraction(1, 10)),
        ("-1", -1),
        ("1/3", Fraction(1, 3)),
        ("2.5e-3", Fraction(1, 400)),
        (".5", 0.5),
        ("s", "s"),
    ],
)
def test_a_number_is_taken_as_written(text, value):
    assert number_or_name(text, "alpha") == value


@pytest.mark.parametrize(
    "text", ["", "1e9999999999", "1/0", "1.2.3", "__import__('os')", "a+b", "1_000", "٣", "9" * 500]
)
def test_what_is_no_number_and_no_name_is_refused(text):
    with pytest.raises(ParameterError, match="alpha="):
        number_or_name(text, "alpha")


def test_families_and_bindings_in_order():
    assert [str(d) for d in distributions(PAIR)] == ["Gamma(5, 2)", "Weibull(3/2, 3)"]
    assert [str(d) for d in distributions(["log-normal", "NORMAL", "mu=-1", "sigma=s"])] == [
        "LogNormal(mu, sigma)",
        "Normal(-1, s)",
    ]


@pytest.mark.parametrize(
    "arguments, says",
    [
        ((), "required"),
        (("derivee", "gamma", "weibull"), "invalid choice"),
        (("derive", "gamma"), "two distributions"),
        (("derive", "gamma", "weibull", "normal"), "two distributions"),
        (("derive", "gamma", "normal", "--divergence", "entropy"), "one distribution"),
        (("derive", "gama", "weibull"), "did you mean 'Gamma'?"),
        (("derive", "alpha=1", "gamma", "weibull"), "before any family"),
        (("evaluate", "gamma", "alpha=1", "alpha=2", "weibull"), "bound twice"),
        (("evaluate", "gamma", "alhpa=1", "beta=2", "weibull"), "did you mean 'alpha'?"),
        (("evaluate", "gamma", "alpha=-1", "beta=2", "weibull"), "alpha of Gamma is -1"),
        (("evaluate", "gamma", "alpha=1", "weibull", "k=1", "lam=1"), "needs a value for beta"),
        (("evaluate", *PAIR, "--digits", "0"), "not a whole number"),
        (("evaluate", *PAIR, "--dig", "9"), "--dig"),
        (("generate", "gamma", "weibull", "--target", "nunpy"), "numpy"),
        (("verify", "no_such_module_here:f", "gamma", "gamma"), "no_such_module_here"),
        (("verify", "math:no_such_name", "gamma", "gamma"), "no_such_name"),
        (("derive", "__import__('os').system('id'), x>0", "gamma"), "klsym: "),
    ],
)
def test_misuse_is_one_line_and_status_2(run, arguments, says):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("klsym: ") and says in err and err.count("\n") == 1


def test_help_answers_at_once():
    fastest = min(timed("--help") for _ in range(3))
    assert fastest < 0.3


def timed(*arguments: str) -> float:
    start = time.perf_counter()
    assert shell(*arguments).returncode == 0
    return time.perf_counter() - start


@pytest.mark.parametrize("verb", ["derive", "evaluate", "generate", "verify", "families"])
def test_every_verb_has_help(run, verb):
    status, out, _ = run(verb, "--help")
    assert status == 0 and out.startswith(f"usage: klsym {verb}")


def test_derive(run):
    status, out, err = run("derive", "gamma", "weibull")
    assert (status, err) == (0, "")
    for name in ("alpha_p", "beta_p", "k_q", "lam_q"):
        assert name in out
    assert r"\Gamma" in run("derive", "gamma", "weibull", "--latex")[1]
    assert len(run("derive", "gamma", "weibull", "--steps")[1]) > len(out)


def test_derive_json_is_one_document(run):
    status, out, err = run("derive", "gamma", "weibull", "--json", "--base", "2")
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert document["kind"] == "closed" and document["unit"] == "bits"
    assert {"p", "q", "divergence", "cases", "steps"} <= document.keys()


def test_shared_parameter_opens_a_pair(run):
    document = json.loads(run("derive", "weibull", "weibull", "--share", "k", "--json")[1])
    assert document["kind"] == "closed"


def test_entropy_takes_one(run):
    status, out, _ = run("evaluate", "normal", "mu=0", "sigma=1", "--divergence", "entropy", "--digits", "20")
    assert status == 0 and out.startswith("1.418938533204672741")  # log(2 pi e)/2


def test_evaluate(run):
    # Computed apart from klsym: mpmath.quad of p log(p/q) over (0, oo) at 60 digits.
    status, out, err = run("evaluate", *PAIR, "--digits", "30")
    assert (status, err) == (0, "")
    assert out.split()[0].startswith(ORACLE[:30])


ORACLE = "0.191703441825788945704317209805943263739923970445734985162471"


def test_a_negative_number_is_a_value(run):
    status, out, _ = run("evaluate", "normal", "mu=-1", "sigma=1", "normal", "mu=1", "sigma=1")
    assert status == 0 and out.split()[0].rstrip("0").rstrip(".") == "2"


def test_options_may_stand_between_words(run):
    first = run("evaluate", *PAIR, "--digits", "20")
    assert run("evaluate", *PAIR[:3], "--digits", "20", *PAIR[3:]) == first
    assert run("evaluate", "--digits", "20", *PAIR) == first


def test_a_density_of_ones_own(run):
    own = run("evaluate", "x**4*exp(-2*x)*4/3, x>0", *PAIR[3:])
    assert own[0] == 0 and own[1].split()[0][:12] == run("evaluate", *PAIR)[1].split()[0][:12]


@pytest.mark.parametrize("text", ["(1+x**2)*exp(-x**2/2)/(2*sqrt(2*pi)), x real", "(1+abs(x))*exp(-abs(x))/4, x real"])
def test_a_density_with_a_polynomial_weight(run, text):
    assert run("derive", text, "normal")[0] == 0


def test_generated_source_runs_alone(run, tmp_path):
    status, out, _ = run("generate", "gamma", "weibull")
    assert status == 0 and "import klsym" not in out and "from klsym" not in out
    (tmp_path / "generated.py").write_text(out, encoding="utf-8")
    compile(out, "generated.py", "exec")
    document = json.loads(run("generate", "gamma", "weibull", "--json")[1])
    assert document["source"].rstrip("\n") == out.rstrip("\n") and document["target"] == "numpy"


def test_verify(run):
    status, out, _ = run("verify", "gamma", "weibull", "--points", "1")
    assert status == 0 and "agree" in out
    document = json.loads(run("verify", "gamma", "weibull", "--points", "1", "--json")[1])
    assert document["verdict"] == "agree" and document["rows"]


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module of a user's, in the current folder: KL(Exponential || Exponential), right and wrong."""
    (tmp_path / "mine.py").write_text(
        "from math import log\n"
        "def right(a, b): return log(a / b) + b / a - 1\n"
        "def wrong(a, b): return log(b / a) + a / b - 1\n"
        "def broken(a, b): raise RuntimeError('no')\n"
        "def silent(a, b): return float('nan')\n"
        "three = 3\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "mine"
    sys.modules.pop("mine", None)


@pytest.mark.parametrize("name, status", [("right", 0), ("wrong", 1), ("broken", 1), ("silent", 1)])
def test_verify_a_function_of_ones_own(run, mine, name, status):
    got, out, err = run("verify", f"{mine}:{name}", "exponential", "exponential", "--json")
    assert (got, err) == (status, "")
    document = json.loads(out)
    assert document["verdict"] == ("disagree" if status else "agree") and len(document["rows"]) == 3


def test_verify_needs_a_function(run, mine):
    status, _, err = run("verify", f"{mine}:three", "exponential", "exponential")
    assert status == 2 and "not a function" in err


def test_families(run):
    status, out, _ = run("families")
    assert status == 0 and len(out.splitlines()) == len(catalog) + len(array_catalog()) + 1
    assert [row["name"] for row in json.loads(run("families", "--json")[1])] == [*catalog, *array_catalog()]


def test_matrix(run):
    status, out, err = run("families", "--matrix", "--only", "normal,gamma,uniform")
    assert (status, err) == (0, "")
    assert [line.split()[-3:] for line in out.splitlines()[1:4]] == [["C", "i", "i"], ["C", "C", "i"], ["C", "C", "C"]]
    assert "9 ordered pairs" in out and "C closed 6" in out and "i infinite 3" in out
    rows = json.loads(run("families", "--matrix", "--json", "--only", "normal,gamma")[1])
    assert [(row["p"], row["q"]) for row in rows] == [(p, q) for p in ("Normal", "Gamma") for q in ("Normal", "Gamma")]
    assert all(row.keys() == {"p", "q", "kind", "when", "value"} for row in rows)


def test_matrix_of_arrays(run):
    out = run("families", "--matrix", "--arrays", "--only", "wishart,inversewishart,lkj,multivariatenormal")[1]
    assert [line.split()[2:] for line in out.splitlines()[1:4]] == [list("CC--"), list("CC--"), list("--C-")]
    assert "- no common space 10" in out
    rows = json.loads(run("families", "--matrix", "--json", "--only", "normal,dirichlet")[1])
    assert [row["kind"] for row in rows] == ["closed", "no common space", "no common space", "closed"]


def test_output_survives_ascii():
    ran = shell("derive", "poisson", "poisson", "--steps", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.returncode == 0 and ran.stderr == b"" and ran.stdout.decode("ascii")


def test_a_closed_pipe_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "klsym", "families"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(60)
