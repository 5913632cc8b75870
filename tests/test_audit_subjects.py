"""Other implementations, asked: what they answer is written down exactly, and none of them can end the audit."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import dying
import numpy as np
import pytest

from klsym import entropy, kl
from klsym.audit.peers.call import Call, Made, Outcome
from klsym.audit.peers.child import answer, ask
from klsym.audit.peers.composites import COMPOSITES, MIXTURES
from klsym.audit.peers.discover import batch, discover, steps
from klsym.audit.peers.forms import forms
from klsym.audit.peers.laws import Point, Unknown
from klsym.audit.peers.reproducer import Expectation, reproducer
from klsym.audit.peers.script import script
from klsym.audit.peers.subjects import SUBJECTS, subject
from klsym.core.errors import ParameterError

P, Q = Made("Exponential", {"rate": 0.1}), Made("Exponential", {"rate": 3.0})


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
    got = answer(toy(name), seconds=0.5 if name == "sleeps" else 60.0, megabytes=300)
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
        Call("dying:right", "kl", Made("Exponentially", {"rate": 0.1}), Q),
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


def test_what_the_reproducer_measures_is_the_script():
    assert reproducer(toy("right"), Expectation("sign", "2.9")).startswith(script(toy("right")) + "\n\n")


def test_an_element_of_a_batch_is_held_against_the_element_alone():
    made = [Made("Exponential", {"rate": values}) for values in ([0.1, 0.5], 0.1, 3.0)]
    whole, alone = (Call("dying:right", "kl", p, made[2]) for p in made[:2])
    places = {0: 0, 1: 1}
    for place, status in places.items():
        assert ended(reproducer(whole, Expectation("batch", bound=1e-9, element=(place,), alone=alone))) == status


def test_a_function_is_called_with_floats_and_arrays_of_the_type():
    p = Made("Gamma", {"alpha": 2.0, "beta": [0.1, 0.3]})
    text = script(Call("own.kl:of", "kl", p, p, "float32"))
    assert text.splitlines()[-3:] == ["p = (p_alpha, p_beta,)", "q = (q_alpha, q_beta,)", "value = answer(*p, *q)"]
    assert "p_alpha = 2.0\np_beta = numpy.array([0.1, 0.3], dtype=numpy.float32)" in text


def test_a_function_of_floats_alone_gets_the_elements_one_by_one():
    p = Made("Exponential", {"rate": [[4.0], [1.0]]})
    got = answer(Call("dying:of_floats", "kl", p, Made("Exponential", {"rate": [1.0, 2.0, 9.0]})))
    assert got.shape == (2, 3) and got.value == [[2.0, 2.0, 9.0], [1.0, 2.0, 9.0]]
    alone = Made("Exponential", {"rate": [4.0]})
    assert answer(Call("dying:of_floats", "kl", alone, alone)).shape == (1,)
    refused = answer(Call("dying:raises", "kl", p, p))
    assert refused.fate == "raised" and refused.said.startswith("ValueError: no divergence")


NUMPYRO = """\
import jax
import jax.numpy as jnp
import numpyro.distributions as dist

p_loc = jnp.array([0.5, 1.0], dtype=jnp.float32)
p_scale = jnp.array(float("inf"), dtype=jnp.float32)
p_around_0_transforms_0_loc = jnp.array(1.0, dtype=jnp.float32)
p_around_0_transforms = [dist.transforms.AffineTransform(loc=p_around_0_transforms_0_loc)]
q_rate = jnp.array(1e-323, dtype=jnp.float32)


def function(p_loc, p_scale, p_around_0_transforms_0_loc, q_rate):
    p = dist.Independent(dist.TransformedDistribution(dist.Normal(loc=p_loc, scale=p_scale), p_around_0_transforms), 1)
    q = dist.TransformedDistribution(dist.Exponential(rate=q_rate), p_around_0_transforms)
    return dist.kl_divergence(p, q)


value = function(p_loc, p_scale, p_around_0_transforms_0_loc, q_rate)
gradients = jax.grad(lambda *leaves: function(*leaves).sum(), argnums=tuple(range(4)))\
(p_loc, p_scale, p_around_0_transforms_0_loc, q_rate)
gradients = dict(zip(['p.loc', 'p.scale', 'p.around.0.transforms.0.loc', 'q.rate'], gradients))"""


def test_a_script_in_jax_with_one_transform_for_both_and_derivatives():
    steps_ = [Made("AffineTransform", {"loc": 1.0})]
    around = (("TransformedDistribution", {"transforms": steps_}), ("Independent", {"reinterpreted_batch_ndims": 1}))
    p = Made("Normal", {"loc": [0.5, 1.0], "scale": math.inf}, around)
    q = Made("Exponential", {"rate": 1e-323}, (("TransformedDistribution", {"transforms": "p"}),))
    assert script(Call("numpyro", "kl", p, q, "float32", gradient=True)) == NUMPYRO.replace("\\\n", "")


def form(name, text):
    return next(each for each in forms(name) if each.name == text)


def fraction(value):
    number = getattr(value, "rational", value)
    return Fraction(int(number.p), int(number.q))


def entries(law):
    return [value.array.tolist() if hasattr(value, "array") else fraction(value) for value in law.values]


@pytest.mark.parametrize(
    "name, text, values, expected",
    [
        ("torch", "Gamma(concentration, rate)", {"concentration": 0.1, "rate": 2}, [Fraction(0.1), 2]),
        ("tfp", "HalfCauchy(scale, loc)", {"scale": 0.5, "loc": -1.0}, [Fraction(1, 2), -1]),
        ("torch", "Categorical(probs)", {"probs": [1.0, 2.0]}, [[Fraction(1, 3), Fraction(2, 3)]]),
        ("torch", "Categorical(logits)", {"logits": [-math.inf, 0.25, -math.inf]}, [[0, 1, 0]]),
        ("torch", "Wishart(df, scale_tril)", {"df": 3.0, "scale_tril": [[2.0, 0.0], [0.5, 1.0]]},
         [3, [[4, 1], [1, Fraction(5, 4)]]]),
        ("torch", "Wishart(df, precision_matrix)", {"df": 3.0, "precision_matrix": [[2.0, 0.0], [0.0, 3.0]]},
         [3, [[Fraction(1, 2), 0], [0, Fraction(1, 3)]]]),
        ("numpyro", "CirculantNormal(loc, covariance_row)", {"loc": [0.0] * 3, "covariance_row": [2.0, 0.5, 0.5]},
         [[0] * 3, [[2, Fraction(1, 2), Fraction(1, 2)], [Fraction(1, 2), 2, Fraction(1, 2)],
                    [Fraction(1, 2), Fraction(1, 2), 2]]]),
        ("tfp", "MultivariateNormalLinearOperator(loc, scale.tril)", {"loc": [0.0], "scale.tril": [[3.0]]},
         [[0], [[9]]]),
        ("distrax", "EpsilonGreedy(preferences, epsilon)", {"preferences": [1.0, 2.0, 2.0, 0.0], "epsilon": 0.5},
         [[Fraction(1, 8), Fraction(3, 8), Fraction(3, 8), Fraction(1, 8)]]),
        ("distrax", "Softmax(logits, temperature)", {"logits": [1.0, 3.0], "temperature": 4.0},
         [[Fraction(1, 4), Fraction(3, 4)]]),
    ],
)  # fmt: skip
def test_the_law_of_a_form_is_exact(name, text, values, expected):
    assert entries(form(name, text).exact(values)) == expected


def test_a_law_in_single_precision_is_that_of_the_rounded_values():
    (rate,) = form("torch", "Exponential(rate)").exact({"rate": 0.1}, "float32").values
    assert fraction(rate) == Fraction(float(np.float32(0.1))) != Fraction(0.1)


def test_probabilities_between_cutpoints_have_many_digits():
    (p,) = form("tfp", "OrderedLogistic(cutpoints, loc)").exact({"cutpoints": [0.25, 1.0], "loc": 0.25}).values
    first, second, third = p.array
    assert (first, first + second + third) == (Fraction(1, 2), 1)
    assert abs(third - Fraction("0.320821300824607")) < Fraction(1, 10**14) and third.denominator.bit_length() > 300


@pytest.mark.parametrize("values", [{"low": 1.0, "high": 1.0}, {"low": 0.0, "high": math.inf}, {"low": 0.0}])
def test_values_of_no_member_have_no_law(values):
    with pytest.raises(ParameterError):
        form("torch", "Uniform(low, high)").exact(values)


def test_the_element_of_a_batch_that_is_broadcast():
    each = form("torch", "MultivariateNormal(loc, covariance_matrix)")
    values = {"loc": [[[1.0, 2.0]], [[3.0, 4.0]]], "covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]}
    assert each.element(values, (1, 5)) == {"loc": [3.0, 4.0], "covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]}


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_form_has_everyday_members_that_can_be_written(name):
    assert len({each.name for each in forms(name)}) == len(forms(name))
    for each in forms(name):
        first, second = each.everyday(), each.everyday(second=True)
        if not isinstance(each.law, (Unknown, Point)):
            fixed = each.kind == "Greedy" or all(a.axes == 0 and a.domain.integer for a in each.arguments)
            assert each.exact(first) != each.exact(second) or fixed
        for quantity in each.quantities:
            q = None if quantity in ("entropy", "log_prob") else each.made(second)
            assert script(Call(name, quantity, each.made(first), q, at=1.0)).count("\np = ") == 1
    base = forms(name)[0]
    for composite in COMPOSITES.get(name, ()):
        p, q = (base.made(batch(base), around) for around in (composite.p, composite.q))
        compile(script(Call(name, "kl", p, q, gradient=True)), name, "exec")
    for p, q in MIXTURES.get(name, {}).values():
        compile(script(Call(name, "kl", p, q, gradient=True)), name, "exec")


def test_a_discovery_asks_all_pairs_and_then_composites_of_those_that_answer():
    def answers(jobs):
        for job in jobs:
            call = Call.from_json(job.argument)
            kinds = {made.kind for made in (call.p, call.q) if made}
            known = {"Gamma": "answered", "Beta Gamma": "raised", "Bernoulli Geometric": "answered"}
            fate = known.get(" ".join(sorted(kinds)), "lacking")
            yield Outcome(fate, said="ouch").to_json()

    rounds = steps("torch")
    asked = next(rounds)
    assert len(asked) > len({each.kind for each in forms("torch")}) ** 2 - 200
    for _ in range(2):
        asked = rounds.send(list(answers(asked)))
    with pytest.raises(StopIteration) as end:
        rounds.send(list(answers(asked)))
    found = end.value.value
    gamma, beta = "Gamma(concentration, rate)", "Beta(concentration1, concentration0)"
    pairs = [
        (each["p"], each["q"], each["said"]) for each in found if each["quantity"] == "kl" and not each["composite"]
    ]
    bernoulli, geometric = ([each.name for each in forms("torch", kind)] for kind in ("Bernoulli", "Geometric"))
    both = [pair for p in bernoulli for q in geometric for pair in ((p, q, ""), (q, p, ""))]
    expected = [(beta, gamma, "raised: ouch"), (gamma, beta, "raised: ouch"), (gamma, gamma, ""), *both]
    assert sorted(pairs) == sorted(expected)
    composed = {each["composite"] for each in found if each["quantity"] == "kl" and each["composite"]}
    assert composed == {composite.name for composite in COMPOSITES["torch"]}


@pytest.mark.peers
@pytest.mark.parametrize(
    "name, kind",
    [("torch", "Wishart"), ("torch", "LowRankMultivariateNormal"), ("torch", "GeneralizedPareto"),
     ("torch", "LogisticNormal"), ("numpyro", "Levy")],
)  # fmt: skip
def test_the_law_of_a_form_is_that_of_its_class(name, kind):
    compared(name, forms(name, kind))


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("name", ["torch", "numpyro", "tfp", "distrax"])
def test_the_laws_of_all_forms_are_those_of_their_classes(name):
    assert compared(name, forms(name)) > 30


# Constants of these classes are in single precision whatever the type of the arguments.
SINGLE = {("torch", "Multinomial"), ("tfp", "SphericalUniform")}


def compared(name, several):
    """How many quantities of everyday members are klsym's, of those that are answered."""
    count = 0
    for each in several:
        p, q = each.everyday(), each.everyday(second=True)
        for quantity in ("kl", "entropy"):
            call = Call(name, quantity, each.made(p), each.made(q) if quantity == "kl" else None)
            got = answer(call)
            if got.fate != "answered" or quantity not in each.quantities or isinstance(each.law, (Unknown, Point)):
                continue
            truth = kl(each.exact(p), each.exact(q)) if quantity == "kl" else entropy(each.exact(p))
            close = 1e-6 if (name, each.kind) in SINGLE else 1e-10
            assert got.value == pytest.approx(float(truth.evaluate()), rel=close), each.name
            count += 1
    return count


@pytest.mark.peers
def test_derivatives_of_torch_are_named_by_arguments_and_missing_ones_are_none():
    p = Made("Gamma", {"concentration": 2.0, "rate": [1.0, 2.0]})
    q = Made("Exponential", {"rate": 3.0})
    got = answer(Call("torch", "kl", p, q, gradient=True))
    assert got.shape == (2,) and got.dtype == "float64"
    assert list(got.gradients) == ["p.concentration", "p.rate", "q.rate"] and len(got.gradients["p.rate"]) == 2
    constant = answer(
        Call("torch", "entropy", Made("Multinomial", {"total_count": 0, "probs": [0.5, 0.5]}), gradient=True)
    )
    assert constant.fate != "crashed"
    assert answer(Call("torch", "kl", q, Made("Dirichlet", {"concentration": [1.0, 2.0]}))).fate == "lacking"


@pytest.mark.peers
def test_what_cannot_be_made_is_told_from_what_cannot_be_answered():
    impossible, p = Made("Exponential", {"rate": -1.0}), Made("Exponential", {"rate": 1.0})
    for gradient in (False, True):
        got = answer(Call("torch", "kl", p, impossible, gradient=gradient))
        assert got.fate == "raised" and got.said.startswith("making it: ValueError: Expected parameter rate")
    assert answer(Call("torch", "log_prob", p, at=-1.0)).said.startswith("ValueError: Expected value argument")


@pytest.mark.peers
def test_single_and_double_precision_of_jax_do_not_meet():
    made = Made("Exponential", {"rate": 0.1}), Made("Exponential", {"rate": 3.0})
    for dtype in ("float64", "float32", "float64"):
        assert answer(Call("numpyro", "entropy", made[0], dtype=dtype)).dtype == dtype


@pytest.mark.slow
@pytest.mark.peers
def test_a_discovery_finds_what_torch_has():
    found = {(each.quantity, each.p, each.q, each.composite) for each in discover("torch") if not each.said}
    assert ("kl", "Gamma(concentration, rate)", "Normal(loc, scale)", "") in found
    assert ("kl", "StudentT(df, loc, scale)", "StudentT(df, loc, scale)", "") not in found
    assert ("entropy", "StudentT(df, loc, scale)", "", "") in found
    assert ("kl", "Normal(loc, scale)", "Normal(loc, scale)", "independent") in found
    assert sum(each[0] == "kl" and not each[3] for each in found) > 170


def test_no_text_of_a_call_but_names_of_the_tables_reaches_a_script():
    hostile = Call("torch", "entropy", Made("Exponential", {"rate": 0.5}), dtype="float64); import os #")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="no type of floats"):
        script(hostile)
