"""Programs as C99: a header that needs libm only, and a shared library as the first pass of a callable."""

from __future__ import annotations

from ...core.program import Program
from .build import load
from .check import check
from .header import header


def emit(program: Program) -> str:
    """The source of a header with a check of itself; a primitive without a spelling raises UnderivableError."""
    return header(program, check(program))


__all__ = ["emit", "load"]
