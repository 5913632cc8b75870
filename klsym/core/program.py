"""Straight-line code over primitives: what every backend spells and every arithmetic runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ParameterError
from .names import checked_name, identifier

# The largest error, in units of 2^-52, of a value that counts as computed. Bounds and estimates of errors add up worst
# cases, of which at most half is ever found.
TRUSTED = 15.0


@dataclass(frozen=True)
class Line:
    """name = primitive(*arguments); an argument is the name of an earlier line or of an argument of the program.

    The primitive "constant" has no arguments: `constant` is an integer, a quotient of two integers, or one of
    "pi", "e", "euler_gamma", "catalan", "inf", "-inf", "nan", "true", "false", "rest_rounding".
    """

    name: str
    primitive: str
    arguments: tuple[str, ...]
    constant: str = ""


@dataclass(frozen=True)
class Condition:
    """What the arguments must satisfy: `line` names the truth value, `text` says it to a person, in one line.

    A text with a line break or another unprintable character raises ParameterError: it becomes a string in source.
    """

    text: str
    line: str
    arguments: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.text.isprintable():
            raise ParameterError(
                f"{self.text[:40]!r} is no text for a condition: one line of printable characters only"
            )


@dataclass(frozen=True)
class Output:
    """One result of a program: the name of its line, and how far it can be off.

    `error` names the line with an estimate of the absolute error in units of 2^-52, made beside the value; where it
    is "", `bound` is the relative error in those units, and holds wherever nothing overflows or underflows.
    An infinite value with an estimate of 0 is certain to be larger than any double.
    """

    line: str
    error: str = ""
    bound: float = 0.0
    name: str = "value"

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that belong to the output."""
        return (self.line, self.error) if self.error else (self.line,)


@dataclass(frozen=True)
class Program:
    """A numeric formula: its arguments, its lines in order, and its outputs, the value first.

    An output is NaN where a condition fails: the lines see to that, and the conditions only say why. `nonnegative`
    says that the value is a sum of terms of which none can be negative. A name outside the whitelist of
    core.names raises ParameterError: names become source text.
    """

    name: str
    arguments: tuple[str, ...]
    lines: tuple[Line, ...]
    outputs: tuple[Output, ...]
    doc: str = ""
    conditions: tuple[Condition, ...] = ()
    nonnegative: bool = False

    def __post_init__(self) -> None:
        identifier(self.name)
        for name in self.arguments:
            checked_name(name)

    @property
    def result(self) -> str:
        """The name of the line that holds the value."""
        return self.outputs[0].line

    def needed(self, *results: str) -> tuple[Line, ...]:
        """The lines that these results depend on, in order."""
        return needed(self.lines, results)


def needed(lines: Sequence[Line], results: Iterable[str]) -> tuple[Line, ...]:
    """The lines that these results depend on, in order."""
    wanted, found = set(results), list[Line]()
    for line in reversed(lines):
        if line.name in wanted:
            wanted.update(line.arguments)
            found.append(line)
    return tuple(reversed(found))


def run(program: Program, values: Mapping[str, Any], arithmetic: Mapping[str, Any]) -> Any:
    """The value of the program, each primitive taken from the given arithmetic.

    `arithmetic["constant"]` makes a number of that arithmetic from its text.

    >>> double = Program("double", ("x",), (Line("y", "add", ("x", "x")),), (Output("y"),))
    >>> run(double, {"x": 3}, {"add": lambda a, b: a + b})
    6
    """
    known = dict(values)
    for line in program.lines:
        if line.primitive == "constant":
            known[line.name] = arithmetic["constant"](line.constant)
        else:
            known[line.name] = arithmetic[line.primitive](*(known[name] for name in line.arguments))
    return known[program.result]
