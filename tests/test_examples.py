"""Each example runs and says what it set out to show, and the README shows what the commands print."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from klsym.cli import main

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What verify prints ends in rounding errors, and what generate prints is long: they have tests of their own.
COMMANDS = re.findall(r"^\$ klsym ((?:derive|evaluate|families) .*)\n((?:(?!\$ |```).*\n)+)", README, re.MULTILINE)
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


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
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
