"""Generated files in an interpreter that cannot import klsym: their self checks, and their values beside `exact`."""

# pyright: basic
from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import klsym
from klsym import UnderivableError
from klsym.core.program import TRUSTED
from klsym.families import catalog
from klsym.verification import sample_points

PAIRS = [
    row[:2] for row in json.loads((Path(__file__).parent / "golden" / "matrix.json").read_text()) if row[2] == "closed"
]
POINTS = 5

# Units of 2^-52 that pass: where a value does not cancel; where no estimate says how much it does; and how often the
# estimate, which is made with klsym's own functions, where another library's stand for them.
SMALL, UNKNOWN, BEYOND = 16.0, 2.0**26, 4.0


class File(NamedTuple):
    """A generated file, and what is asked of it: columns of arguments, the values there, the errors that pass."""

    target: str
    pair: str
    file: str
    function: str
    columns: list[list[float]]
    values: list[float]
    limits: list[float]


class Drawn(NamedTuple):
    """Files, and what was refused: (target, pair, why)."""

    files: list[File]
    refused: list[tuple[str, str, str]]


def draw(targets: list[str], count: int, seed: int, folder: Path) -> Drawn:
    """So many files of random pairs, the targets in turn; a pair that a target refuses is replaced by another."""
    rng, drawn = random.Random(seed), Drawn([], [])
    while len(drawn.files) < count:
        target = targets[len(drawn.files) % len(targets)]
        pair = rng.choice(PAIRS)
        try:
            drawn.files.append(written(target, *pair, folder, rng.randrange(2**32)))
        except UnderivableError as error:
            drawn.refused.append((target, " || ".join(pair), str(error)))
    return drawn


def written(target: str, p: str, q: str, folder: Path, seed: int) -> File:
    formula = klsym.kl(catalog[p], catalog[q])
    source, first = formula.generate(target), formula.compile("numpy", second_pass=False, report=True)
    file = folder / f"{target}_{first.__name__}.{'h' if target == 'c' else 'py'}"
    file.write_text(source, encoding="utf-8")
    case = next(case for case in formula.cases if case.kind == "closed")
    points = sample_points(formula, case, POINTS, seed)
    columns = [[float(point[s]) for point in points] for s in formula.parameters]
    values = np.atleast_1d(formula.compile("exact")(*map(np.array, columns)))
    estimates = np.atleast_1d(first(*map(np.array, columns)).error) / 2.0**-52
    limits = np.where(estimates <= TRUSTED, SMALL, np.where(np.isfinite(estimates), BEYOND * estimates, UNKNOWN))
    return File(target, f"{p} || {q}", str(file), first.__name__, columns, values.tolist(), limits.tolist())


# Reads files from a JSON list on standard input; answers with their self checks and their values.
CLEAN = """
import ctypes, importlib.util, json, subprocess, sys

sys.modules["klsym"] = None
try:
    import klsym
except ImportError:
    pass
else:
    raise SystemExit("klsym can be imported")


def of_c(job, compiler):
    program, library = job["file"] + ".out", job["file"] + ".so"
    flags = [compiler, "-std=c99", "-O3", "-Wall", "-Werror", "-Wno-unused-function", "-ffp-contract=off"]
    subprocess.run([*flags, "-DKLSYM_SELF_CHECK", "-x", "c", job["file"], "-lm", "-o", program], check=True)
    checked = subprocess.run([program], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    count = len(job["columns"])
    listed = [", ".join(text.format(k) for k in range(count)) for text in ("double x{}", "x{}")]
    caller = f"double value({listed[0]});\\ndouble value({listed[0]}) {{ return {job['function']}({listed[1]}); }}"
    source = f'#include "{job["file"]}"\\n{caller}\\n'
    build = [*flags, "-shared", "-fPIC", "-x", "c", "-", "-lm", "-o", library]
    subprocess.run(build, input=source, text=True, check=True)
    function = ctypes.CDLL(library).value
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * count
    return checked.stdout, [function(*point) for point in [*zip(*job["columns"])] or [()]]


def of_python(job):
    spec = importlib.util.spec_from_file_location(job["file"].rpartition("/")[2][:-3], job["file"])
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    import numpy as np

    columns = [np.array(column) for column in job["columns"]]
    checked = module.self_check()
    if job["target"] == "torch":
        columns = list(map(module.torch.from_numpy, columns))
    if job["target"] == "jax":
        with module.jax.enable_x64(True):
            return checked, np.asarray(getattr(module, job["function"])(*columns)).tolist()
    return checked, np.atleast_1d(np.asarray(getattr(module, job["function"])(*columns))).tolist()


answers = []
for job in json.load(sys.stdin):
    try:
        checked, values = of_c(job, sys.argv[1]) if job["target"] == "c" else of_python(job)
        answers.append({"checked": checked, "values": values, "error": ""})
    except Exception as error:
        answers.append({"checked": None, "values": [], "error": f"{type(error).__name__}: {error}"})
assert not [name for name, module in sys.modules.items() if name.partition(".")[0] == "klsym" and module]
print("ANSWERS", json.dumps(answers))
"""


class Found(NamedTuple):
    """A file's worst error in units of 2^-52, the largest share of what passes, and what went wrong, if anything."""

    file: File
    worst: float
    share: float
    error: str


def returned(files: list[File]) -> list[Found]:
    """What the files give in a clean interpreter."""
    command = [sys.executable, "-I", "-W", "ignore", "-c", CLEAN, shutil.which("cc") or "cc"]
    asked = json.dumps([file._asdict() for file in files])
    ran = subprocess.run(command, input=asked, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout.rpartition("ANSWERS ")[2])
    return [judged(file, answer) for file, answer in zip(files, answers, strict=True)]


def judged(file: File, answer: dict[str, Any]) -> Found:
    if answer["error"]:
        return Found(file, np.nan, np.nan, answer["error"])
    found, true, limits = (np.array(x) for x in (answer["values"], file.values, file.limits))
    with np.errstate(all="ignore"):
        off = np.where(found == true, 0.0, abs(found / true - 1.0)) * 2.0**52
    wrong = ~(off <= limits)
    error = f"{found[wrong]} for {true[wrong]} at {np.array(file.columns).T[wrong].tolist()}" if wrong.any() else ""
    return Found(file, float(off.max()), float((off / limits).max()), error)
