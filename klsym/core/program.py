"""Straight-line code over primitives: what every backend spells and every arithmetic runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """name = primitive(*arguments); an argument is the name of a line or an argument, or a constant."""

    name: str
    primitive: str
    arguments: tuple[str, ...]
    constant: str = ""


@dataclass(frozen=True)
class Program:
    """A numeric formula: its arguments, its lines in order, and the name that holds the result."""

    name: str
    arguments: tuple[str, ...]
    lines: tuple[Line, ...]
    result: str
    doc: str = ""


def run(program: Program, values: Mapping[str, Any], arithmetic: Mapping[str, Any]) -> Any:
    """The result of the program, each primitive taken from the given arithmetic.

    `arithmetic["constant"]` makes a number of that arithmetic from its text.
    """
    known = dict(values)
    for line in program.lines:
        if line.primitive == "constant":
            known[line.name] = arithmetic["constant"](line.constant)
        else:
            known[line.name] = arithmetic[line.primitive](*(known[name] for name in line.arguments))
    return known[program.result]
