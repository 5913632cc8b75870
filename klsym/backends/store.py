"""A directory of the user's for generated modules, where what is compiled from them is found again."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import __version__


def keep(name: str, source: str, suffix: str = ".py") -> Path:
    """The file that holds the source: written unless it is there already, named after a hash of it and the version."""
    digest = hashlib.sha256(f"{__version__}\n{source}".encode()).hexdigest()[:16]
    file = directory() / f"{name[:60]}_{digest}{suffix}"
    try:
        present = file.read_text(encoding="utf-8") == source
    except (OSError, UnicodeDecodeError):
        present = False
    if not present:
        handle, scratch = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(source)
        Path(scratch).replace(file)
    return file


def module(file: Path, source: str, names: Mapping[str, Any]) -> ModuleType:
    """A module made of the source at hand, never of the file's content; numba keeps its code beside that file.

    The module has `names` from the start.
    """
    found = sys.modules.get(file.stem)
    if found is None:
        found = sys.modules[file.stem] = ModuleType(file.stem)
        vars(found).update({**names, "__name__": file.stem, "__file__": str(file)})
        exec(compile(source, str(file), "exec"), vars(found))
    return found


def directory() -> Path:
    """Where generated modules are kept: KLSYM_CACHE_DIR, or klsym in the platform's cache directory.

    A directory that cannot be made, or that others may write to, is replaced by a temporary one.
    """
    return _usable(os.environ.get("KLSYM_CACHE_DIR", ""))


@cache
def _usable(wanted: str) -> Path:
    path = Path(wanted) if wanted else _convention() / "klsym"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _private(path) and os.access(path, os.W_OK | os.X_OK):
            return path
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="klsym-"))


def _private(path: Path) -> bool:
    """Whether it belongs to the user and nobody else may write to it: compiled code is loaded from there."""
    if not hasattr(os, "getuid"):
        return True
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _convention() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
