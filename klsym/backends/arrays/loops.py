"""Loops over arrays for numba: files of this directory, with what they use of the kernels, compiled once and kept."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from ..library import needed, numba_library
from ..source import laid_out
from ..store import keep, module


@cache
def loops(*names: str) -> ModuleType | None:
    """The module made of the files NAME_numba.py and of the kernels that they use; None without numba."""
    if not find_spec("numba"):
        return None
    texts = (Path(__file__).with_name(f"{name}_numba.py").read_text(encoding="utf-8") for name in names)
    text = "\n\n".join(texts)
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    source = "\n".join([*laid_out(needed(numba_library(), used)), text])
    return module(keep(f"klsym_{names[-1]}", source), source, {})
