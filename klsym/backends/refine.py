"""A program in double-double, compiled by numba: what decides most elements that a first pass cannot.

The lines that values depend on are pairs; those that only estimates of errors need are doubles, made of the pairs'
heads. A primitive in double-double is off by 2^-95 at most where the first pass counts 2^-52: an estimate in units
of 2^-52, made anew from better values, is one in units of 2^-95. An element is decided where so small a change, even
magnified, does not matter for the nearest double.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from ..core.primitive import PRIMITIVES
from ..core.program import Line, Program
from . import multiprecision
from .double_double.fit import pair
from .library import pair_library
from .source import filled, indented, laid_out, opening
from .store import keep, module
from .unrounded import unrounded

# A function of vectors: a vector for each output, and where all of them are decided.
Refined = Callable[..., tuple[list[NDArray[np.float64]], NDArray[np.bool_]]]

_UNIT = 2.0**-95  # of estimated errors
_BITS = 300  # the precision at which constants are folded

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "=="}
_LOGIC = {"and": "({0} & {1})", "or": "({0} | {1})", "not": "(not {0})"}
_DOUBLES = {
    **{name: f"({{0}} {symbol} {{1}})" for name, symbol in _OPERATORS.items()},
    **_LOGIC,
    "neg": "(-{0})",
    "abs": "abs({0})",
    "select": "({1} if {0} else {2})",
}
_COMPARED = {"lt", "le", "eq", "floor"}
_TRUTH = {"lt", "le", "eq", *_LOGIC}

# Primitives that keep a pair exact, those that are exact of two doubles, and those that keep a relative error small.
_EXACT = {"neg", "abs", "min", "max", "select", "floor"}
_EXACT_OF_DOUBLES = {"add", "sub", "mul"}
_RELATIVE = {*_EXACT, "mul", "div", "sqrt", "pow"}
_SUMS = {"add": "==", "sub": "!="}  # and how the signs of their terms have to compare for them to be as accurate


@cache
def spelling() -> dict[str, str]:
    """The function that computes each primitive in double-double, for those that have one."""
    ours = {name for name, definition in pair_library().items() if "cache=True" in definition.text}
    found = {name: text for name in PRIMITIVES for text in (f"_{name}_", f"_{name}") if text in ours}
    return {**found, "add": "_plus", "sub": "_minus"}


def refined(program: Program) -> Refined | None:
    """The program in double-double; None where numba is missing, or a primitive, or a condition cannot be trusted."""
    lines = element(program) if find_spec("numba") else None
    if lines is None:
        return None
    source = _source(program, lines)
    generated = module(keep(f"{program.name}_refined", source), source, vars(_library()))
    count = len(program.outputs)

    def run(*arguments: NDArray[np.float64]) -> tuple[list[NDArray[np.float64]], NDArray[np.bool_]]:
        size = arguments[0].size
        values, decided = [np.empty(size) for _ in range(count)], np.empty(size, np.bool_)
        generated._fill(*(np.ascontiguousarray(argument) for argument in arguments), *values, decided)
        return values, decided

    return run


def element(program: Program) -> list[str] | None:
    """The function `_element` of arguments a1, ... that gives the values and whether they are decided.

    None where a primitive is missing, or a condition compares what may have cancelled.
    """
    program = unrounded(program)
    known = {*spelling(), *_LOGIC, "constant"}
    if not program.arguments or any(line.primitive not in known for line in program.lines):
        return None
    return _Writer(program).element()


def _source(program: Program, lines: list[str]) -> str:
    """The module, which needs the library's names."""
    inputs = [f"a{k}" for k, _ in enumerate(program.arguments, 1)]
    results = [f"v{k}" for k, _ in enumerate(program.outputs, 1)]
    types = ["_INPUT"] * len(inputs) + ["_OUTPUT"] * len(results) + ["types.boolean[::1]"]
    return "\n".join(
        [
            f'"""{program.name} in double-double, by {_library().__name__}."""',
            "",
            "",
            '@njit(error_model="numpy")',
            *lines,
            "",
            "",
            "@njit(",
            *indented(filled([f"types.void({', '.join(types)})", ""]), 1),
            '    error_model="numpy", cache=True, nogil=True,',
            ")",
            *opening("_fill", [*inputs, *results, "decided"]),
            "    for i in range(decided.size):",
            f"        {', '.join(f'{name}[i]' for name in [*results, 'decided'])} = _element(",
            *indented(filled([f"{name}[i]" for name in inputs]), 3),
            "        )",
            "",
        ]
    )


@cache
def _library() -> ModuleType:
    """The functions in double-double, which are compiled one by one as programs call them."""
    texts = list(dict.fromkeys(definition.text for definition in pair_library().values()))
    source = "\n".join(['"""Double-double arithmetic of klsym."""', "", *laid_out(texts)])
    return module(keep("double_double", source), source, {})


class _Writer:
    """The statements of one element: each line is a name, of a pair or of a double."""

    def __init__(self, program: Program) -> None:
        self.program = program
        values = [output.line for output in program.outputs]
        errors = [output.error for output in program.outputs if output.error]
        self.lines = {line.name: line for line in program.needed(*values, *errors)}
        self.paired = {line.name for line in program.needed(*values)}
        self.names = {name: f"a{k}" for k, name in enumerate(program.arguments, 1)}
        self.names |= {name: f"x{k}" for k, name in enumerate(self.lines, 1)}
        self.constants: dict[str, Any] = {}
        self.body: list[str] = []
        self.sure: list[str] = []

    def element(self) -> list[str] | None:
        """The function; None where a condition compares what may have cancelled."""
        for line in self.lines.values():
            if not self._write(line):
                return None
        outputs = self.program.outputs
        inputs = [f"a{k}" for k, _ in enumerate(self.program.arguments, 1)]
        self.sure += [f"_moderate({name})" for name in inputs]
        for output in outputs:
            value = self._pair(output.line)
            error = self._double(output.error) if output.error else f"{output.bound!r} * abs({value}[0])"
            self.sure.append(f"_decided({value}, {_UNIT!r} * {error})")
        return [
            *opening("_element", inputs),
            *indented(self.body, 1),
            *indented(["sure = (", *indented(" and\n".join(self.sure).splitlines(), 1), ")"], 1),
            f"    return {', '.join(f'{self._pair(output.line)}[0]' for output in outputs)}, sure",
        ]

    def _write(self, line: Line) -> bool:
        """Add the line's statement; False if it is a comparison that rounding could decide."""
        value = self._folded(line)
        if value is not None:
            self.constants[line.name] = value
            return True
        paired = line.name in self.paired
        if line.primitive in _COMPARED and paired:
            for name, other in zip(line.arguments, reversed(line.arguments), strict=True):
                if not self._exact(name):
                    if line.primitive == "floor" or not self._relative(name):
                        return False
                    self.sure.append(f"_apart({self._pair(name)}, {self._pair(other)})")
        if line.primitive in _LOGIC or (not paired and line.primitive in _DOUBLES):
            text = _DOUBLES[line.primitive].format(*map(self._double, line.arguments))
        else:
            operands = [self._truth(name) if self._is_truth(name) else self._pair(name) for name in line.arguments]
            text = f"{spelling()[line.primitive]}({', '.join(operands)}){'' if paired else '[0]'}"
        self.body.append(f"{self.names[line.name]} = {text}")
        return True

    def _folded(self, line: Line) -> Any:
        """The value of a line of constants, None if there is none."""
        if not all(name in self.constants for name in line.arguments):
            return None
        with mp.workprec(_BITS):
            if line.primitive == "constant":
                return multiprecision.constant(line.constant)
            return multiprecision.TABLE[line.primitive](*(self.constants[name] for name in line.arguments))

    def _is_truth(self, name: str) -> bool:
        if name in self.constants:
            return isinstance(self.constants[name], bool)
        return name in self.lines and self.lines[name].primitive in _TRUTH

    def _truth(self, name: str) -> str:
        return repr(self.constants[name]) if name in self.constants else self.names[name]

    def _pair(self, name: str) -> str:
        if name in self.constants:
            with mp.workprec(_BITS):
                return _literal(self.constants[name])
        return self.names[name] if name in self.paired else f"({self.names[name]}, 0.0)"

    def _double(self, name: str) -> str:
        if self._is_truth(name):
            return self._truth(name)
        if name in self.constants:
            return f"{self._pair(name)}[0]"
        return f"{self.names[name]}[0]" if name in self.paired else self.names[name]

    def _is_double(self, name: str) -> bool:
        value = self.constants.get(name, 0.0)
        return (name in self.constants or name not in self.lines) and value == float(value)

    def _exact(self, name: str) -> bool:
        """Whether the pair is the number itself."""
        if self._is_double(name) or self._is_truth(name):
            return True
        line = self.lines[name]
        if line.primitive in _EXACT_OF_DOUBLES:
            return all(map(self._is_double, line.arguments))
        return line.primitive in _EXACT and all(map(self._exact, line.arguments))

    def _relative(self, name: str) -> bool:
        """Whether nothing can have cancelled in the pair."""
        if self._exact(name) or name in self.constants:
            return True
        line = self.lines[name]
        if line.primitive not in (*_RELATIVE, *_SUMS) or not all(map(self._relative, line.arguments)):
            return False
        if line.primitive in _SUMS and not all(map(self._exact, line.arguments)):
            # Of one sign they do not cancel; where they turn out to be of two the element is not decided here.
            first, second = map(self._double, line.arguments)
            self.sure.append(f"(({first} >= 0.0) {_SUMS[line.primitive]} ({second} >= 0.0))")
        return True


def _literal(value: Any) -> str:
    head, tail = pair(value)
    return f"({head!r}, {tail!r})" if np.isfinite(head) else f"(np.{head!r}, 0.0)".replace("np.-", "-np.")
