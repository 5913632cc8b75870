"""A program as one C99 header: special functions, the functions of one element, a scalar function and a loop."""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from functools import cached_property

from ... import __version__
from ...core.errors import UnderivableError
from ...core.program import Program
from .. import numba, refine
from ..watch import FINE
from .library import APART, INLINE, Library, definitions, kernels, pairs
from .machine import EPILOGUE, PROLOGUE
from .translate import Function, Translator
from .words import DOUBLE, commented, number, safe, struct, wrapped

# Elements of a block: what is known of them stays in the first cache.
WIDTH = 256

# What stands beside the arguments in the functions of a header, and what the names of these end in.
_LOCALS = "result all again n i start count any odd corrected memcpy size_t uint64_t int64_t".split()
_ENDS = "decided n result first_ valid_ doubtful_ second_".split()


@dataclass(frozen=True)
class Parts:
    """The functions in C that a program becomes, and the names that they have."""

    program: Program

    def __post_init__(self) -> None:
        if lacking := numba.missing(self.program):
            raise UnderivableError(
                f"{self.program.name} cannot be written in C: there is no {', '.join(lacking)}; the target numpy has"
            )

    @cached_property
    def name(self) -> str:
        """Of the function: the value with its derivatives is another function than the value."""
        return self.program.name + ("_gradient" if len(self.program.outputs) > 1 else "")

    @cached_property
    def arguments(self) -> list[str]:
        """The names of the arguments in C."""
        taken = {*_LOCALS, self.name, *(f"{self.name}_{end}" for end in _ENDS)}
        taken |= {name for output in self.outputs for name in (output, f"{output}_block")}
        found: list[str] = []
        for name in map(safe, self.program.arguments):
            while name in taken or name in found:
                name += "_"
            found.append(name)
        return found

    @cached_property
    def outputs(self) -> list[str]:
        """The names of the results: the value, and d_NAME for the derivative by NAME."""
        return ["value", *(f"d_{output.name}" for output in self.program.outputs[1:])]

    @cached_property
    def result(self) -> str:
        return "double" if len(self.outputs) == 1 else f"{self.name}_result"

    @cached_property
    def errors(self) -> list[int]:
        """The outputs whose error is estimated."""
        return [k for k, output in enumerate(self.program.outputs) if output.error]

    @cached_property
    def bound(self) -> float:
        """The largest bound of the others."""
        return max((output.bound for output in self.program.outputs if not output.error), default=0.0)

    @cached_property
    def scalars(self) -> numba.Scalars:
        return numba.scalars(self.program)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """first, valid and doubtful, by what they are."""
        return {
            kind: self._translated(lines, f"{self.name}_{kind}_", kernels(), INLINE)
            for kind, lines in zip(("first", "valid", "doubtful"), self.scalars.functions, strict=True)
        }

    @cached_property
    def second(self) -> Function | None:
        """The values in double-double, and whether they are decided; None where that is never needed, or not possible.

        Where errors are bounded, only what is out of range is in doubt, for double-double too.
        """
        lines = refine.element(self.program) if self.errors else None
        return self._translated(lines, f"{self.name}_second_", pairs(), APART) if lines else None

    def _translated(self, lines: list[str], name: str, library: Library, qualifier: str) -> Function:
        (tree,) = ast.parse("\n".join(lines)).body
        assert isinstance(tree, ast.FunctionDef)
        translator = Translator(tree, {}, library.called, qualifier)
        return translator.translate(name, dict.fromkeys((a.arg for a in tree.args.args), DOUBLE))

    def part(self, name: str, k: int, of: int) -> str:
        """The k-th of what a function of so many results gave."""
        return name if of == 1 else f"{name}._{k}"

    def first_parts(self, name: str) -> tuple[list[str], list[str]]:
        """The values and the errors in what `first` gave."""
        count = len(self.outputs) + len(self.errors)
        parts = [self.part(name, k, count) for k in range(count)]
        return parts[: len(self.outputs)], parts[len(self.outputs) :]

    def odd(self, inputs: list[str], values: list[str], errors: list[str], limit: str) -> tuple[list[str], list[str]]:
        """Terms of arguments and of results that are 0 if all is in the usual range and no error too large."""
        kinds = ["astray" if name in self.scalars.signs else "unusual" for name in self.program.arguments]
        given = [f"klsym_{kind}({x})" for kind, x in zip(kinds, inputs, strict=True)]
        found = [f"klsym_extreme({v})" for k, v in enumerate(values) if k not in self.errors]
        found += [f"klsym_unsure({e}, {values[k]}, {limit})" for k, e in zip(self.errors, errors, strict=True)]
        return given, found

    def library(self, loop: str, *functions: Function) -> list[str]:
        """The definitions that the functions and a loop need."""
        called = dict.fromkeys(re.findall(r"klsym_(?:astray|unusual|extreme|unsure)(?=\()", loop))
        return definitions([*functions, Function("", loop, (), DOUBLE, tuple(called), ())])


def header(program: Program, check: str) -> str:
    """The source of the header; `check` is what stands under KLSYM_SELF_CHECK."""
    parts = Parts(program)
    guard = f"{parts.name.upper()}_H"
    functions = [*parts.functions.values(), *([parts.second] if parts.second else [])]
    run = loop(parts) if parts.arguments else ""
    blocks = [
        about(parts),
        f"#ifndef {guard}\n#define {guard}",
        VERSIONS.format(version=f'"{__version__}"', number=_number(__version__)),
        PROLOGUE,
        *parts.library(run, *functions),
        *([structure(parts)] if len(parts.outputs) > 1 else []),
        *(function.text for function in functions),
        scalar(parts),
        *([run] if run else []),
        f"#ifdef KLSYM_SELF_CHECK\n{check}\n#endif",
        EPILOGUE,
        f"#endif /* {guard} */",
    ]
    return "\n\n".join(blocks) + "\n"


VERSIONS = """\
#if defined(KLSYM_VERSION) && KLSYM_VERSION != {number}
#error "klsym: headers of different versions of klsym in one file; generate them anew by one"
#endif
#define KLSYM_VERSION {number} /* {version} */"""


def _number(version: str) -> int:
    """A version as one number: 1.2.3 is 10203."""
    digits = [int("".join(c for c in part if c.isdigit()) or "0") for part in version.split(".")[:3]]
    return sum(digit * 100 ** (2 - k) for k, digit in enumerate(digits))


def about(parts: Parts) -> str:
    """The comment at the top."""
    program, name = parts.program, parts.name
    given = [f"double {x}" for x in parts.arguments]
    columns = [f"const double *{x}" for x in parts.arguments] + [f"double *{x}" for x in parts.outputs]
    lines = [*program.doc.splitlines(), "", f"    {parts.result} {name}({', '.join(given) or 'void'});"]
    if parts.arguments:
        lines += [f"    void {name}_n(size_t n, {', '.join(columns)});"]
    lines += [f"    int {name}_decided({', '.join([*given, f'{parts.result} *result'])});", ""]
    lines += ["Of numbers, of n of each, and of numbers with whether the accuracy below is certain, which is 1 or 0."]
    if len(parts.outputs) > 1:
        lines += ["The field or array d_x is the derivative by x."]
    if program.conditions:
        lines += ["Conditions; where one fails the result is NaN:", *(f"    {c.text}" for c in program.conditions)]
    lines += [
        "",
        *accuracy(parts),
        "",
        f"Generated by klsym {__version__}. It needs a C99 or C++17 compiler and libm. Without -O3 -march=native",
        "-fno-trapping-math the loop is no vector code; without an instruction for fma it is slow.",
        "It checks itself: cc -std=c99 -DKLSYM_SELF_CHECK -x c THIS_FILE -lm && ./a.out",
    ]
    shown = [part for line in lines for part in _filled(commented(line))]
    return "\n".join(["/*", *(f" * {line}".rstrip() for line in shown), " */"])


def accuracy(parts: Parts) -> list[str]:
    """How far off results can be, where that is known."""
    found = [
        f"{name}: off by at most {output.bound:.3g} units of 2^-52, relative to it."
        for name, output in zip(parts.outputs, parts.program.outputs, strict=True)
        if not output.error
    ]
    if parts.errors:
        names = ", ".join(parts.outputs[k] for k in parts.errors)
        found += [f"{names}: off by at most {FINE:g} units of 2^-52, relative to it, by an estimate made beside it."]
        found += ["Where that is more, " + ("double-double decides." if parts.second else "there is no second pass.")]
    found += ["Not certain is what that leaves open, as it cancels too much," if parts.errors else "Not certain is"]
    found[-1] += " what has arguments beyond 1e-77 and 1e77, or is beyond 1e-290 and 1e307: it is as it comes."
    return found


def _filled(line: str) -> list[str]:
    pad = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, 112, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False) or [""]


def structure(parts: Parts) -> str:
    fields = " ".join(f"double {name};" for name in parts.outputs)
    return "\n".join(wrapped(f"typedef struct {{ {fields} }} {parts.result};"))


def scalar(parts: Parts) -> str:
    """The function of numbers, and the one that says whether its result is certain."""
    given, names = ", ".join(f"double {x}" for x in parts.arguments), ", ".join(parts.arguments)
    values, errors = parts.first_parts("all")
    fields = ["*result"] if len(parts.outputs) == 1 else [f"result->{name}" for name in parts.outputs]
    doubted = ", ".join([*parts.arguments, *values, *errors, number(FINE)])

    def put(results: list[str], pad: str) -> list[str]:
        return [f"{pad}{field} = {result};" for field, result in zip(fields, results, strict=True)]

    lines = [
        f"static inline int {parts.name}_decided({given}{', ' if given else ''}{parts.result} *result) {{",
        f"    const {struct(parts.functions['first'].result)} all = {parts.name}_first_({names});",
        *put(values, "    "),
        f"    if (!{parts.name}_valid_({names})) {{",
        *put(["NAN"] * len(fields), "        "),
        "        return 1;",
        "    }",
        f"    if (!{parts.name}_doubtful_({doubted})) {{",
        "        return 1;",
        "    }",
    ]
    if parts.second:
        again = [f"again._{k}" for k, _ in enumerate(fields)]
        lines += [
            f"    const {struct(parts.second.result)} again = {parts.name}_second_({names});",
            f"    if (again._{len(fields)}) {{",
            *put(again, "        "),
            "        return 1;",
            "    }",
        ]
    lines += [
        "    return 0;",
        "}",
        "",
        f"static inline {parts.result} {parts.name}({given or 'void'}) {{",
        f"    {parts.result} result;",
        f"    (void) {parts.name}_decided({names}{', ' if names else ''}&result);",
        "    return result;",
        "}",
    ]
    return "\n".join(part for line in lines for part in wrapped(line))


def loop(parts: Parts) -> str:
    """The function of arrays: blocks in vector code, then those of their elements that are out of the ordinary."""
    columns = ", ".join(f"const double *{x}" for x in parts.arguments)
    results = ", ".join(f"double *{x}" for x in parts.outputs)
    values, errors = parts.first_parts("all")
    inputs = [f"{x}[start + i]" for x in parts.arguments]
    given, found = parts.odd(inputs, values, errors, number(FINE))
    always = ["~(uint64_t) 0"] if parts.bound > FINE else []
    rooms = ", ".join(f"{name}_block[{WIDTH}]" for name in parts.outputs)
    one = len(parts.outputs) == 1
    lines = [
        f"KLSYM_APART void {parts.name}_n(size_t n, {columns}, {results}) {{",
        f"    double {rooms};",
        f"    uint64_t odd[{WIDTH}];",
        f"    for (size_t start = 0; start < n; start += {WIDTH}) {{",
        f"        const size_t count = n - start < {WIDTH} ? n - start : {WIDTH};",
        "        uint64_t any = 0;",
        "        for (size_t i = 0; i < count; i++) {",
        f"            const {struct(parts.functions['first'].result)} all = {parts.name}_first_({', '.join(inputs)});",
        *(f"            {name}_block[i] = {value};" for name, value in zip(parts.outputs, values, strict=True)),
        f"            odd[i] = {' | '.join([*always, *given, *found])};",
        "            any |= odd[i];",
        "        }",
        "        for (size_t i = 0; any && i < count; i++) {",
        "            if (odd[i]) {",
        f"                const {parts.result} corrected = {parts.name}({', '.join(inputs)});",
        *(f"                {name}_block[i] = corrected{'' if one else f'.{name}'};" for name in parts.outputs),
        "            }",
        "        }",
        *(f"        memcpy({name} + start, {name}_block, count * sizeof(double));" for name in parts.outputs),
        "    }",
        "}",
    ]
    return "\n".join(part for line in lines for part in wrapped(line))
