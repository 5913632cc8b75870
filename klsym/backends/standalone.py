"""Modules that need one library only, and hold a copy of what they use of klsym's functions for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.errors import UnderivableError
from ..core.program import Output, Program
from .library import Definition, needed
from .portable import ArrayProgram
from .source import (
    Spelling,
    Table,
    Texts,
    absent,
    documentation,
    filled,
    functions,
    indented,
    laid_out,
    opening,
    quoted,
    statements,
)

# Of a program, the arguments that its slopes are by, and these outputs: the program of the second derivatives.
Bent = Callable[[Program, Sequence[str], Sequence[Output]], Program]


@dataclass(frozen=True)
class Library:
    """How modules for a library are written.

    `namespace` has inf and nan, `definitions` are copied as they are needed, and `always` in any case. A number is of
    the type `number`, a result of the type `array`. `compensated` spells programs whose values come with their rests.
    """

    name: str
    namespace: str
    number: str
    array: str
    spelling: Table
    definitions: Callable[[], Mapping[str, Definition]]
    always: tuple[str, ...]
    note: tuple[str, ...]
    decorators: tuple[str, ...] = ()
    compensated: Mapping[str, Spelling] | None = None

    def missing(self, program: Program, *results: str) -> list[str]:
        """The primitives that the library has no spelling for, of the whole program or of what these lines need."""
        lines = program.needed(*results) if results else program.lines
        return sorted({line.primitive for line in lines} - {"constant", *self.spelling})

    def module(
        self, program: Program | ArrayProgram, needs: str, parts: Iterable[Texts], constants: Sequence[str] = ()
    ) -> str:
        """The source: the parts, which the library's `_apply` calls, and a function that gives it the arguments."""
        written, doc = list(parts), documentation(program)
        remarks = program.remarks() if isinstance(program, ArrayProgram) else _sentences(program)
        definitions = needed(self.definitions(), {*self.always, *(name for _, names in written for name in names)})
        imports = [text for text in definitions if re.match("import |from ", text)]
        return "\n".join(
            [
                f'"""{doc[0]}',
                "",
                needs,
                '"""',
                "",
                *imports,
                "",
                *constants,
                *laid_out([text for text in definitions if text not in imports]),
                *(line for lines, _ in written for line in [*lines, "", ""]),
                *opening(program.name, [f"{name}: {self.number}" for name in program.arguments], self.array),
                *indented([f'"""{doc[0]}', *doc[1:], "", *self.note, *remarks], 1),
                '    """',
                f"    return _apply({', '.join(program.arguments)})",
                "",
            ]
        )

    def differentiated(self, program: Program, bent: Bent) -> list[Texts]:
        """Value, derivatives and second derivatives; what the library lacks raises when it is asked for.

        The outputs of the program after the first are taken as derivatives by the arguments of their names.
        """
        slopes = program.outputs[1:]
        first = self.function("_first", replace(program, outputs=program.outputs[:1]))
        gradient = self.function("_gradient", replace(program, outputs=slopes))
        try:
            curvature = self.function("_curvature", bent(program, [output.name for output in slopes], slopes))
        except UnderivableError as error:
            curvature = absent("_curvature", f"no second derivatives: {error}")
        return [first, gradient, curvature]

    def function(self, name: str, program: Program) -> Texts:
        """A function of a program's outputs; one that raises NotImplementedError where one has no spelling."""
        results = [output.line for output in program.outputs]
        program = replace(program, lines=program.needed(*results))
        if lacking := self.missing(program):
            return absent(name, f"{self.name} has no {', '.join(lacking)}")
        compensated = any(line.primitive.endswith("_rest") for line in program.lines)
        table = self.compensated if self.compensated and compensated else self.spelling
        body, texts = statements(program, table, *results)
        lines = [*self.decorators, *opening(name, list(program.arguments)), *indented(body, 1)]
        lines += indented(["return (", *indented(filled([*texts, ""]), 1), ")"] if texts else ["return ()"], 1)
        named = [re.sub(r"\bnp\.(inf|nan)\b", rf"{self.namespace}.\1", line) for line in lines]
        return named, functions(program, table)


def _sentences(program: Program) -> list[str]:
    return [f"{quoted(condition.text)}." for condition in program.conditions]
