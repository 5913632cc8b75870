"""Each example runs, and says what it set out to show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SHOWN = {
    "derive": ((), "closed"),
    "generate": (("--count", "1000"), "1000 sets of parameters"),
    "verify": (("--points", "1"), "verdict: agree"),
}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_example(path):
    arguments, says = SHOWN[path.stem]
    ran = subprocess.run([sys.executable, path, *arguments], capture_output=True, text=True, timeout=300)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert says in ran.stdout
