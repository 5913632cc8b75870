"""Each example runs and says what it set out to show, and the README shows what the commands print."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import klsym
from klsym.cli import main

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What verify prints ends in rounding errors, and what generate prints is long: they have tests of their own.
COMMANDS = re.findall(
    r"^\$ klsym ((?:derive|evaluate|families|project) .*)\n((?:(?!\$ |```).*\n)+)", README, re.MULTILINE
)
SHOWN = {
    "audit": (("--points", "4"), "status 1: the fault is found"),
    "derive": ((), "closed"),
    "estimate": (("--draws", "4000"), "all within four standard errors"),
    "generate": (("--count", "1000"), "1000 sets of parameters"),
    "joints": ((), "NegativeBinomial(a, b/(b + 1))"),
    "mixtures": (("--draws", "100000"), "within five standard errors"),
    "project": ((), "both modes are found"),
    "verify": (("--points", "1"), "verdict: agree"),
}
# What the divergence is used for; these run in this process, which spares each its imports.
USES = {
    "aic": (("--fits", "2000"), "the penalties are what they estimate"),
    "axioms": (("--tables", "500"), "every axiom is held"),
    "bayes": ((), "the mean gain is the mutual information"),
    "coding": (("--symbols", "5000"), "the waste is the divergence"),
    "disjoint": ((), "only Wasserstein tells how far apart"),
    "distillation": ((), "the gradients agree"),
    "drift": ((), "the thresholds have their rates"),
    "g_test": ((), "as scipy.stats says, and at its level"),
    "hypotheses": (("--experiments", "5000"), "the exponents are the divergences"),
    "laplace": ((), "the terms are what they estimate"),
    "limitations": ((), "each limit is named"),
    "mine": (("--steps", "600"), "the bound is below the truth"),
    "orders": (("--pairs", "1000"), "the limits and bounds are held"),
    "ppo": ((), "do what is said"),
    "rlhf": (("--draws", "50000"), "each estimate has the gradient that is said"),
    "smoothing": (("--samples", "100"), "each way has its place"),
    "trust_region": ((), "every step is within its region"),
    "vae": ((), "trained to the best ELBO"),
}
HEAVY = {name: (pytest.mark.peers, pytest.mark.slow) for name in ("mine", "vae")} | {
    "distillation": (pytest.mark.peers,)
}
USED = README.partition("## What the divergence is used for")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", USED, re.MULTILINE)


@pytest.mark.parametrize("name", [pytest.param(name, marks=HEAVY.get(name, ())) for name in USES])
def test_use(name, monkeypatch, capsys):
    if name in ("mine", "vae"):
        pytest.importorskip("torch")
    arguments, says = USES[name]
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert not left.value.code and says in out


def test_every_use_has_an_example_and_public_calls():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*SHOWN, *USES}
    named = {file for *_, files in ROWS for file in re.findall(r"`(\w+\.py)`", files)}
    assert len(ROWS) > 20 and {f"{name}.py" for name in USES} <= named
    assert all((EXAMPLES / file).is_file() for file in named)
    # Methods begin with a dot; words before a bracket or alone are functions and families of klsym.
    calls = [
        word
        for _, call, _ in ROWS[1:]
        for span in re.findall(r"`(.+?)`", call)
        for word in re.findall(r"(?<![.\w])([A-Za-z_]\w*)(?=\()|^(\w+)$", span)
    ]
    words = {first or alone for first, alone in calls}
    assert {"kl", "sample_size", "MultivariateNormal"} <= words
    assert all(hasattr(klsym, word) for word in words)


@pytest.mark.parametrize("path", sorted(EXAMPLES / f"{name}.py" for name in SHOWN), ids=lambda path: path.stem)
def test_example(path):
    arguments, says = SHOWN[path.stem]
    ran = subprocess.run([sys.executable, path, *arguments], capture_output=True, text=True, timeout=300)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert says in ran.stdout


@pytest.mark.parametrize("command, shown", COMMANDS, ids=[command for command, _ in COMMANDS])
def test_readme_shows_what_the_command_prints(command, shown, capsys):
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out.startswith(shown.rstrip("\n"))


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_readme_python_runs(code):
    if "import torch" in code:
        pytest.importorskip("torch")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (ran.returncode, ran.stderr) == (0, "")
