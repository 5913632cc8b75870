"""An audit of other implementations finds what is planted in them, calls it by its name, and finds nothing else."""

from __future__ import annotations

from importlib import import_module

import pytest
from planted import BROKEN, SOUND

from klsym.audit.peers.case import PairCase
from klsym.audit.peers.forms import forms
from klsym.audit.peers.pair import Pair
from klsym.audit.peers.result import PairResult

KNOWN = {}


def performed(job):
    """The result of a job; truths are kept, since all functions of a family are asked the same."""
    module, _, function = job.function.partition(":")
    compute = getattr(import_module(module), function)
    if module == "planted":
        return compute(job.argument)
    if job.key not in KNOWN:
        KNOWN[job.key] = compute(job.argument)
    return KNOWN[job.key]


def audited(subject, form, points):
    form = next(each.name for each in forms("planted:ask") if each.kind == form)
    case = PairCase(subject, Pair("planted:ask", form, form), points, ask="planted:ask", script=lambda *_: "")
    steps, answers = case.steps(), None
    while True:
        try:
            jobs = steps.send(answers)
        except StopIteration as stop:
            return PairResult.from_json(stop.value)
        answers = [performed(job) for job in jobs]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_planted_is_found(name):
    planted, severities = BROKEN[name]
    found = {str(finding.severity) for finding in audited(name, planted.form, 16).findings}
    assert found == severities


@pytest.mark.parametrize("form", SOUND)
def test_nothing_is_found_in_right_functions(form):
    assert not audited(form, form, 16).findings
