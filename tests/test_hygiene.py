"""What holds for the source as a whole: what an import costs, what is exported, what is never called."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import klsym
from klsym.core.family import Family
from klsym.families import array_catalog, catalog

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "klsym").rglob("*.py"))
HEAVY = ("torch", "jax", "numba", "flint", "matplotlib", "sympy", "scipy", "numpy", "mpmath")

# Each of these runs code that its argument holds, or loads it.
RUNS_TEXT = {"sympify", "parse_expr", "eval", "exec", "srepr", "__import__"}
LOADERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
# Where one of them is the point: what was generated is loaded, and a worker answers its own parent.
EXEMPT = {"klsym/backends": {"exec"}, "klsym/audit/peers/running.py": {"exec"}, "klsym/core/worker.py": {"pickle"}}
# These cost seconds on a small expression and drop conditions.
SLOW = {"simplify", "factor", "gammasimp", "nsimplify"}


def loaded(code: str) -> set[str]:
    """The heavy libraries that a fresh interpreter has loaded after the code."""
    report = f"{code}\nimport sys\nprint('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(ran.stdout.splitlines()[-1].split()[1:])


def test_import_loads_nothing_heavy():
    assert loaded("import klsym") == set()


def test_help_loads_nothing_heavy():
    assert loaded("from klsym.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass") == set()


def test_catalog_loads_no_optional_library():
    assert loaded("import klsym\nklsym.Gamma") <= loaded("import sympy") | {"mpmath"}


@pytest.mark.parametrize("name", catalog)
def test_every_family_is_exported(name):
    assert getattr(klsym, name) is catalog[name]
    assert isinstance(catalog[name], Family)
    assert name in dir(klsym)


@pytest.mark.parametrize("name", array_catalog())
def test_every_array_family_is_exported(name):
    assert getattr(klsym, name) is array_catalog()[name]
    assert name in dir(klsym)


@pytest.mark.parametrize("room, names", klsym._ROOMS.items())
def test_every_exported_name_exists(room, names):
    for name in names:
        assert getattr(klsym, name) is not None, f"klsym.{name} is promised by klsym.{room}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400, "split nouns from operations"
    places = (path.relative_to(ROOT).as_posix(), path.parent.relative_to(ROOT).as_posix())
    exempt = set().union(*(EXEMPT.get(place, set()) for place in places))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = called(node)
            assert name not in (RUNS_TEXT | SLOW) - exempt, f"line {node.lineno} calls {name}"
        names = imported(node) & (LOADERS - exempt)
        assert not names, f"line {node.lineno} imports {names}"


def called(node: ast.Call) -> str:
    """The name that is called, from whatever module; a class's own `eval` method is not the builtin."""
    if isinstance(node.func, ast.Name):
        return node.func.id
    name = getattr(node.func, "attr", "")
    return "" if name in {"eval", "exec"} else name


def imported(node: ast.AST) -> set[str]:
    """The top-level packages that a statement imports, this one's own left out."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {(node.module or "").split(".")[0]}
    return set()


@pytest.mark.parametrize("path", sorted((ROOT / "klsym" / "core").glob("*.py")), ids=lambda path: path.name)
def test_core_needs_only_sympy_mpmath_and_the_standard_library(path):
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert set().union(*map(imported, body)) <= {"sympy", "mpmath", *sys.stdlib_module_names}
