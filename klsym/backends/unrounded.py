"""A program for an arithmetic of any precision: its values lack nothing, so that nothing is to be made up for."""

from __future__ import annotations

from dataclasses import replace

from ..core.primitive import PLAIN, PRIMITIVES, REST_ROUNDING
from ..core.program import Line, Program


def unrounded(program: Program) -> Program:
    """The program without the rests of its values: e^(x + rest) is e^x where no bit of x is lost."""
    found = replace(program, lines=tuple(map(_plain, program.lines)))
    outputs = (name for output in program.outputs for name in output.lines)
    return replace(found, lines=found.needed(*outputs, *(condition.line for condition in program.conditions)))


def _plain(line: Line) -> Line:
    if line.constant == REST_ROUNDING:
        return replace(line, constant="1")
    if line.primitive not in PLAIN:
        return line
    plain = PRIMITIVES[PLAIN[line.primitive]]
    return replace(line, primitive=plain.name, arguments=line.arguments[: plain.arity])
