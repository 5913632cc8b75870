"""Other implementations, asked: what they answer is written down exactly, and none of them can end the audit."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import dying
import pytest

from klsym.audit.peers.call import Call, Made, Outcome
from klsym.audit.peers.child import answer, ask
from klsym.audit.peers.reproducer import Expectation, reproducer
from klsym.audit.peers.script import script
from klsym.audit.peers.subjects import subject
from klsym.core.errors import ParameterError

P, Q = Made("Exponential", {"lamda": 0.1}), Made("Exponential", {"lamda": 3.0})


def toy(name: str) -> Call:
    return Call(f"{dying.__name__}:{name}", "kl", P, Q)


def ended(text: str) -> int:
    return subprocess.run([sys.executable, "-c", text], capture_output=True, cwd=Path(__file__).parent).returncode


def test_calls_and_outcomes_pass_through_json_exactly():
    mixture = Made("Mixture", {"of": Made("Normal", {"loc": [0.1, -math.inf], "scale": 5e-324})})
    call = Call("torch", "log_prob", mixture, P, "float32", True, at=[[1, 2.5], [True, math.inf]])
    assert Call.from_json(json.loads(json.dumps(call.to_json(), allow_nan=False))) == call
    outcome = Outcome("answered", [1 / 3, math.inf, 2], (3,), "float64", {"p.a": [0.1], "q.a": None}, "", 0.5)
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json(), allow_nan=False))) == outcome


@pytest.mark.parametrize(
    "name, fate, said",
    [
        ("crashes", "crashed", "SIGSEGV"),
        ("leaves", "crashed", "status 3"),
        ("sleeps", "hung", "no answer in 0.5 seconds"),
        ("eats", "memory", "held more than 300 megabytes"),
        ("raises", "raised", "ValueError: no divergence of 0.1 and 3.0"),
        ("exits", "raised", "SystemExit: so there"),
        ("lacks", "lacking", "NotImplementedError: of these"),
    ],
)
def test_what_dies_is_an_outcome_and_the_next_call_is_answered(name, fate, said):
    got = answer(toy(name), seconds=0.5, megabytes=300)
    assert got.fate == fate and said in got.said
    assert answer(toy("right")).value == 3.0 - 0.1


def test_a_process_that_an_earlier_call_has_ruined_says_nothing():
    first, second = (answer(toy("crashes_second")) for _ in range(2))
    assert (first.value, second.value) == (0.1, 0.1)


@pytest.mark.parametrize(
    "name, dtype, said",
    [
        ("complex_number", "complex", "returned 1j"),
        ("text", "str", "returned '1.0'"),
        ("thing", "object", "returned <object object at 0x...>"),
        ("nothing", "NoneType", "returned None"),
    ],
)
def test_garbage_is_an_answer_without_a_number(name, dtype, said):
    got = answer(toy(name))
    assert (got.fate, got.value, got.dtype, got.said) == ("answered", None, dtype, said)


def test_what_a_subject_prints_is_no_answer():
    assert answer(toy("prints")).value == 0.1


def test_a_job_asks_with_its_own_limits():
    got = ask(toy("infinite").to_json())
    assert got["value"] == ["inf", "nan", 0.1] and got["shape"] == [3] and got["dtype"] == "float64"
    assert ask({**toy("sleeps").to_json(), "limits": {"seconds": 0.3}})["said"] == "no answer in 0.3 seconds"


@pytest.mark.parametrize(
    "call",
    [
        Call("torch", "kl", Made("__import__('os').system", {})),
        Call("torch", "entropy", Made("Gamma", {"rate=1)\nimport os  #": 1.0})),
        Call("torch", "entropy", Made("Gamma", {"rate": "1"})),
        Call("torch", "entropy", Made("Gamma", {"rate": 1.0}, (("eval", {}),))),
        Call("torch", "entropy", Made("Gamma", {"rate": 1.0}, (("Independent", {"ndims": 1}),))),
        Call("os:system; import sys", "kl", P, Q),
        Call("os", "kl", P, Q),
        Call("dying:right", "kl", Made("Exponentially", {"lamda": 0.1}), Q),
        Call("dying:right", "kl", P, Q, gradient=True),
    ],
)
def test_only_names_in_the_tables_are_written(call):
    with pytest.raises(ParameterError):
        script(call)


def test_the_version_of_what_is_not_there():
    assert subject("sympy").versions["sympy"].startswith("1.")


FAULTS = [
    ("right", Expectation("value", "2.9", bound=1e-14), 0),
    ("right", Expectation("value", "2.9000000001", bound=1e-14), 1),
    ("right", Expectation("nan", "2.9"), 0),
    ("infinite", Expectation("nan", "2.9", element=(1,)), 1),
    ("infinite", Expectation("infinity", "2.9", element=(0,)), 1),
    ("infinite", Expectation("infinity", "inf", element=(0,)), 0),
    ("infinite", Expectation("infinity", "1e400", element=(0,)), 0),
    ("infinite", Expectation("infinity", "inf", element=(2,)), 1),
    ("raises", Expectation("exception", "2.9"), 1),
    ("right", Expectation("exception", "2.9"), 0),
    ("right", Expectation("sign", "2.9"), 0),
]


@pytest.mark.parametrize("name, expectation, status", FAULTS)
def test_a_reproducer_ends_with_1_where_the_fault_is(name, expectation, status):
    assert ended(reproducer(toy(name), expectation)) == status
