"""Which elements of a first pass cannot be trusted: lines that say so, for a backend to write like any others."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from ..core.program import TRUSTED, Line, Program

# How many units of 2^-52 a float64 result may be off; narrower results are rounded from a float64 within 2^-26.
FINE = TRUSTED
FINE_NARROW = 2.0**26

# Where a value has all its digits, and where products of a few arguments neither overflow nor underflow.
_VALUES = (Fraction(1, 2**963), Fraction(2**1020))
_ARGUMENTS = (Fraction(1, 2**255), Fraction(2**255))

LIMIT = "_limit"  # the name of what is FINE or FINE_NARROW


class Watch(NamedTuple):
    """A program with lines that tell, the name of their truth value, and the names that they use beside its arguments.

    These are the values (_v1, ...), the errors where they are estimated (_e1, ...), and LIMIT. `plain` is quickly found
    and true of most elements that are not doubtful: all in range, and no error above LIMIT.
    """

    program: Program
    doubtful: str
    plain: str
    given: tuple[str, ...]


def watch(program: Program) -> Watch:
    """The lines that say which elements cannot be trusted.

    An output is fine where a choice of cases gave a constant (infinity, NaN out of the domains, 0 on the diagonal);
    where it is 0 and P's arguments are Q's, or it is a derivative and its error is 0 too; where it is certain to be
    infinite; and where it and the arguments are within range and the error is at most LIMIT.
    """
    add = _Lines(program)
    moderate = add.all([add.within(name, *_ARGUMENTS, zero=True) for name in program.arguments])
    same = add.all([add("eq", f"{stem}_p", f"{stem}_q") for stem in _pairs(program)])
    fine, plain = [], []
    for k, output in enumerate(program.outputs, 1):
        value = f"_v{k}"
        if output.error:
            # An estimate is a size: one that has lost its sign is none the smaller.
            accurate = add("le", add("abs", f"_e{k}"), add("mul", LIMIT, add("abs", value)))
        else:
            accurate = add("le", add.constant(Fraction(output.bound)), LIMIT)
        plain.append(add.all([moderate, add.within(value, *_VALUES), accurate]))
        choices = [plain[-1], settled(add, output.line)]
        zero = add("eq", value, add.constant(Fraction(0)))
        if k > 1:
            # A derivative is a sum of products with one difference each, and moderate ones do not underflow.
            none = add("eq", f"_e{k}", add.constant(Fraction(0))) if output.error else ""
            choices.append(add.all([moderate, zero, none]))
        if output.error:
            certain = add("eq", f"_e{k}", add.constant(Fraction(0)))
            choices.append(add.all([moderate, add("eq", value, add.constant("inf")), certain]))
        if same:
            choices.append(add.all([same, zero]))
        fine.append(reduce(lambda a, b: add("or", a, b), filter(None, choices)))
    doubtful, usual = add("not", add.all(fine)), add.all(plain)
    values = [f"_v{k}" for k, _ in enumerate(program.outputs, 1)]
    errors = [f"_e{k}" for k, output in enumerate(program.outputs, 1) if output.error]
    lines = (*program.lines, *add.lines)
    return Watch(replace(program, lines=lines), doubtful, usual, (*values, *errors, LIMIT))


def settled(add: _Lines, name: str) -> str:
    """The truth value of "this value is a constant that a choice of cases gave"; "" where it never is."""
    line = add.known.get(name)
    if line is None or line.primitive not in ("select", "constant"):
        return ""
    if line.primitive == "constant":
        return add.constant("true")
    condition, yes, no = line.arguments
    first, second = settled(add, yes), settled(add, no)
    if not first and not second:
        return ""
    if add.holds(first) and add.holds(second):
        return first
    parts = [condition if add.holds(first) else add("and", condition, first)] if first else []
    if second:
        other = add("not", condition)
        parts.append(other if add.holds(second) else add("and", other, second))
    return reduce(lambda a, b: add("or", a, b), parts)


def _pairs(program: Program) -> list[str]:
    """The stems of arguments that come as stem_p, stem_q, if all of them do."""
    stems = [name[:-2] for name in program.arguments if name.endswith("_p")]
    paired = {f"{stem}{end}" for stem in stems for end in ("_p", "_q")}
    return stems if paired == set(program.arguments) else []


class _Lines:
    """Lines to be added to a program, under names that no program has."""

    def __init__(self, program: Program) -> None:
        self.known = {line.name: line for line in program.lines}
        self.lines: list[Line] = []
        self._names: dict[tuple[str, ...], str] = {}

    def __call__(self, primitive: str, *arguments: str, constant: str = "") -> str:
        key = (primitive, constant, *arguments)
        if key not in self._names:
            self._names[key] = f"watch.{len(self.lines)}"
            self.lines.append(Line(self._names[key], primitive, arguments, constant))
            self.known[self._names[key]] = self.lines[-1]
        return self._names[key]

    def constant(self, value: Fraction | str) -> str:
        return self("constant", constant=str(value))

    def holds(self, name: str) -> bool:
        return bool(name) and self.known[name].constant == "true"

    def all(self, names: list[str]) -> str:
        names = [name for name in names if name]
        return reduce(lambda a, b: self("and", a, b), names) if names else ""

    def within(self, name: str, low: Fraction, high: Fraction, zero: bool = False) -> str:
        """low <= |name| <= high, or 0 if that counts."""
        size = self("abs", name)
        above = self("le", self.constant(low), size)
        if zero:
            above = self("or", above, self("eq", name, self.constant(Fraction(0))))
        return self("and", above, self("le", size, self.constant(high)))
