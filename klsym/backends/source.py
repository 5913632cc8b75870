"""A program's lines as statements: what the backends that write Python have in common."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping
from itertools import count
from typing import Any, NamedTuple

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.primitive import CONSTANTS, PRIMITIVES
from ..core.program import Line, Program

CALL, POWER, UNARY, PRODUCT, SUM, AND, OR, COMPARISON = 8, 7, 6, 5, 4, 3, 2, 1


class Spelling(NamedTuple):
    """How a primitive is written: a template, how tightly it binds, and how tightly its operands must."""

    template: str
    binding: int = CALL
    operands: tuple[int, ...] = ()

    @property
    def function(self) -> str:
        """The function that is called, or "" if there is none."""
        return self.template.partition("(")[0] if self.binding == CALL else ""


Table = Mapping[str, Spelling]

# The lines of a function, and the names that they use.
Texts = tuple[list[str], set[str]]


def infix(symbol: str, binding: int) -> Spelling:
    return Spelling(f"{{0}} {symbol} {{1}}", binding, (binding, binding + 1))


def calls(module: str, names: str) -> dict[str, Spelling]:
    """Primitives by the function that computes them: `primitive=function`, or one name for both."""
    pairs = (name.partition("=") for name in names.split())
    return {primitive: Spelling(f"{module}{function or primitive}({{all}})") for primitive, _, function in pairs}


OPERATORS: dict[str, Spelling] = {
    "add": infix("+", SUM),
    "sub": infix("-", SUM),
    "mul": infix("*", PRODUCT),
    "div": infix("/", PRODUCT),
    "neg": Spelling("-{0}", UNARY, (UNARY,)),
    "pow": Spelling("{0}**{1}", POWER, (CALL, UNARY)),
    "lt": infix("<", COMPARISON),
    "le": infix("<=", COMPARISON),
    "eq": infix("==", COMPARISON),
    "and": infix("&", AND),
    "or": infix("|", OR),
    "abs": Spelling("abs({0})"),
}

_WIDTH, _INLINE = 100, 44


def statements(
    program: Program, table: Table, *results: str, extra: tuple[str, ...] = ()
) -> tuple[list[str], list[str]]:
    """The assignments that the results need, and the text of each result; `extra` are names beside the arguments.

    A line that is used once and is short stands where it is used; a line of constants is one number.
    """
    lines = program.needed(*results)
    uses: dict[str, int] = {}
    for name in (*(name for line in lines for name in line.arguments), *results):
        uses[name] = uses.get(name, 0) + 1
    texts = {name: (name, CALL) for name in (*program.arguments, *extra)}
    exact: dict[str, sp.Basic] = {}
    written: list[str] = []
    names = (name for k in count(1) if (name := f"x{k}") not in program.arguments)

    def assign(line: str) -> None:
        name = next(names)
        written.append(f"{name} = {texts[line][0]}")
        texts[line] = (name, CALL)

    for line in lines:
        if all(name in exact for name in line.arguments):
            exact[line.name] = _exact(line, exact)
            texts[line.name] = _literal(exact[line.name])
            continue
        text = _spell(line, table, texts, exact)
        longest = sorted((n for n in line.arguments if n not in exact), key=lambda n: -len(texts[n][0]))
        for name in longest:
            if len(text) > _WIDTH and not texts[name][0].isidentifier():
                assign(name)
                text = _spell(line, table, texts, exact)
        texts[line.name] = (text, table[line.primitive].binding)
        if uses[line.name] > 1 or len(text) > _INLINE:
            assign(line.name)
    return written, [texts[name][0] for name in results]


def functions(program: Program, table: Table) -> set[str]:
    """The names that the program's lines are spelled with: functions, and modules that have them."""
    templates = (table[line.primitive].template for line in program.lines if line.primitive != "constant")
    return {name for template in templates for name in re.findall(r"[A-Za-z_]\w*", template)}


def _spell(line: Line, table: Table, texts: dict[str, tuple[str, int]], exact: dict[str, sp.Basic]) -> str:
    spelling, primitive = table[line.primitive], PRIMITIVES[line.primitive]
    operands = []
    for k, name in enumerate(line.arguments):
        text, binding = texts[name]
        whole = name in exact and exact[name].is_Integer
        if whole and (line.primitive == "pow" or (k < len(primitive.typical) and _whole(primitive.typical[k][0]))):
            text = str(exact[name])
        least = spelling.operands[k] if spelling.operands else 0
        operands.append(text if binding >= least else f"({text})")
    return spelling.template.format(*operands, all=", ".join(operands))


def _whole(bound: float) -> bool:
    return isinstance(bound, int)


def _exact(line: Line, exact: dict[str, sp.Basic]) -> sp.Basic:
    """The value of a line of constants: a small rational as it is, any other number to 40 digits."""
    if line.primitive == "constant":
        value = CONSTANTS[line.constant] if line.constant in CONSTANTS else sp.Rational(line.constant)
    else:
        value = PRIMITIVES[line.primitive].spec(*(exact[name] for name in line.arguments))
    small = value.is_Rational and value.q.bit_length() + abs(value.p).bit_length() < 64
    return value if small or isinstance(value, Boolean) or not value.is_finite else value.n(40)


def _literal(value: sp.Basic) -> tuple[str, int]:
    """The nearest double, as Python writes it."""
    if value in (sp.true, sp.false):
        return ("True" if value == sp.true else "False"), CALL
    number = float(value)
    if math.isfinite(number):
        return repr(number), CALL if number >= 0 else UNARY
    return ("np.nan", CALL) if math.isnan(number) else ("np.inf", CALL) if number > 0 else ("-np.inf", UNARY)


def indented(lines: list[str], level: int) -> list[str]:
    return [(" " * 4 * level + line).rstrip() for line in lines]


def opening(name: str, parameters: list[str], returns: str = "") -> list[str]:
    """The first line of a function, in several where it would be too long."""
    end = f") -> {returns}:" if returns else "):"
    line = f"def {name}({', '.join(parameters)}{end}"
    return [line] if len(line) <= 120 else [f"def {name}(", *indented(filled(parameters), 1), end]


def absent(name: str, why: str) -> Texts:
    """A function that says why it is not there."""
    return [f"def {name}(*_):", f'    raise NotImplementedError("{quoted(why)}")'], set()


def laid_out(texts: list[str]) -> list[str]:
    """Definitions with two blank lines after each function and after the last of a run of numbers."""
    lines: list[str] = []
    for k, text in enumerate(texts):
        numbers = [not re.search(r"^(def|class) ", t, re.MULTILINE) for t in texts[k : k + 2]]
        lines += [*text.splitlines(), *([] if numbers == [True, True] else ["", ""])]
    return lines


def filled(items: list[str]) -> list[str]:
    """The items with commas, as many in a line as fit."""
    return textwrap.wrap(", ".join(items), 112, break_long_words=False, break_on_hyphens=False)


def documentation(program: Any) -> list[str]:
    """The program's docstring in lines, without its quotes: nothing in it can end it."""
    return [part for line in quoted(program.doc).splitlines() for part in _wrapped(line)] or [program.name]


def quoted(text: str) -> str:
    """Text that may stand inside a docstring or between double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, 112, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False) or [""]
