"""Jobs: pure functions of plain data, whose results can be kept and are the same wherever they are computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Job:
    """The call of an importable function, "package.module:function", with one argument of plain data."""

    function: str
    argument: Any

    @property
    def key(self) -> str:
        """What tells it from every other job, the same in every process."""
        text = json.dumps([self.function, self.argument], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


# Asks for the results of some jobs, again and again, and returns what it has found at last, as plain data.
# It is deterministic: the same results make it ask the same, which is how an interrupted audit is resumed.
Steps = Generator[list[Job], list[Any], Any]


class Case(Protocol):
    """A part of an audit that does not depend on the others: one pair of a library's classes."""

    @property
    def name(self) -> str: ...

    def steps(self) -> Steps: ...
