"""The journal of an audit: what is known so far, on disk, so that it can be killed at any moment and goes on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ...core.errors import ParameterError

# A line is {"key": of a job, "result": ...} or {"case": its name, "findings": ...}.
CONTENT = {"key": "result", "case": "findings"}
# What is written is safe from the end of this process at once, and from the end of the system after this many seconds.
_SYNC = 2.0


def dumps(value: Any) -> str:
    """Plain data as one line of JSON: doubles by repr, the others by name (NaN, Infinity, -Infinity).

    >>> dumps({"value": [0.1, float("inf")]})
    '{"value":[0.1,Infinity]}'
    """
    return json.dumps(value, separators=(",", ":"))


class Journal:
    """Results of jobs and findings of cases in a file of JSON lines, for one writer at a time.

    The first line says what the audit is `about`: its plan, seed and versions, plain data. A file that is there already
    is continued; a last line that was not written to its end is dropped. Raises ParameterError where the file is about
    something else, is no journal, or another process writes to it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "audit.jsonl")
    >>> with Journal(path, {"seed": 0}) as journal:
    ...     journal.put("key", "a1", dumps([0.5]))
    >>> with Journal(path, {"seed": 0}) as journal:
    ...     journal.get("key", "a1"), journal.counts
    ([0.5], {'key': 1, 'case': 0})
    >>> Journal(path, {"seed": 1})
    Traceback (most recent call last):
    klsym.core.errors.ParameterError: the journal .../audit.jsonl was begun with seed 0, and this audit has 1; ...
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        # Where the lines are, and not what they hold: an audit may have millions.
        self._places: dict[str, dict[str, tuple[int, int]]] = {kind: {} for kind in CONTENT}
        self._end, self._synced = 0, time.monotonic()
        try:
            self._lock()
            self._read(about)
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        os.fsync(self._file)
        os.close(self._file)

    @property
    def counts(self) -> dict[str, int]:
        """How many results and findings it holds."""
        return {kind: len(places) for kind, places in self._places.items()}

    def has(self, kind: str, name: str) -> bool:
        return name in self._places[kind]

    def get(self, kind: str, name: str) -> Any:
        """The result of the job with that key, or the findings of the case with that name; KeyError without any."""
        start, length = self._places[kind][name]
        return json.loads(os.pread(self._file, length, start))[CONTENT[kind]]

    def put(self, kind: str, name: str, text: str) -> None:
        """Keep a result or findings, given as `dumps` writes it."""
        if name in self._places[kind]:
            raise ParameterError(f"the journal {self.path} has the {CONTENT[kind]} of {kind} {name!r} already")
        self._places[kind][name] = self._append(f'{{"{kind}":{dumps(name)},"{CONTENT[kind]}":{text}}}\n')

    def _append(self, line: str) -> tuple[int, int]:
        """Where the line is now. It is written by one call, so a kill leaves all of it, or a torn end of the file."""
        content = line.encode()
        if os.write(self._file, content) < len(content):
            raise OSError(f"the journal {self.path} cannot grow; make room on its disk and run the audit again")
        place = self._end, len(content)
        self._end += len(content)
        if time.monotonic() > self._synced + _SYNC:
            os.fsync(self._file)
            self._synced = time.monotonic()
        return place

    def _lock(self) -> None:
        """The system lets go of the lock when the process ends, however it ends."""
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ParameterError(
                f"another audit is writing to the journal {self.path}; wait for it, or name another file"
            ) from None

    def _read(self, about: Mapping[str, Any]) -> None:
        """Note where the lines are, up to the end of the last whole one, where the file is cut."""
        ours = json.loads(dumps(about))
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines):
                if not line.endswith(b"\n"):
                    break
                entry = self._entry(line, number)
                if number == 0:
                    self._agree(entry, ours)
                for kind in CONTENT:
                    if kind in entry:
                        self._places[kind][entry[kind]] = self._end, len(line)
                self._end += len(line)
        os.ftruncate(self._file, self._end)
        if not self._end:
            self._append(dumps({"about": ours}) + "\n")

    def _entry(self, line: bytes, number: int) -> dict[str, Any]:
        wanted = ({kind, content} for kind, content in CONTENT.items()) if number else ({"about"},)
        try:
            entry = json.loads(line)
            if set(entry) in wanted:
                return entry
        except (ValueError, TypeError):
            pass
        raise ParameterError(
            f"line {number + 1} of {self.path} is not of a journal; name another file, or cut this one before that line"
        )

    def _agree(self, entry: dict[str, Any], ours: dict[str, Any]) -> None:
        """Compare what the file is about with what this audit is about."""
        theirs = entry["about"]
        for name, (begun, now) in _differences(theirs, ours).items():
            raise ParameterError(
                f"the journal {self.path} was begun with {name} {begun}, and this audit has {now}; "
                "go on with what it was begun with, or name another file"
            )


def _differences(theirs: Any, ours: Any, name: str = "") -> dict[str, tuple[str, str]]:
    """The innermost entries in which two pieces of plain data differ, by their names with dots, and how."""
    if not (isinstance(theirs, dict) and isinstance(ours, dict)):
        return {} if dumps(theirs) == dumps(ours) else {name: (dumps(theirs), dumps(ours))}
    found: dict[str, tuple[str, str]] = {}
    for key in theirs | ours:
        inner = f"{name}.{key}" if name else key
        found |= _differences(theirs.get(key), ours.get(key), inner)
    return found
