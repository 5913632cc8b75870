"""Programs as JAX source: a module that needs JAX only, differentiable twice by the accurate forms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import __version__
from ..core.curvature import curvature
from ..core.errors import UnderivableError
from ..core.program import Output, Program
from .library import Definition, array_library, jax_library, kernels, needed
from .portable import ArrayProgram
from .selfcheck import about
from .source import (
    OPERATORS,
    PRODUCT,
    SUM,
    UNARY,
    Spelling,
    Texts,
    absent,
    calls,
    documentation,
    filled,
    functions,
    indented,
    laid_out,
    opening,
    quoted,
    statements,
)

if TYPE_CHECKING:
    from .host import Host
    from .traced import Hosted, Traced

SPELLING: dict[str, Spelling] = {
    **OPERATORS,
    **calls("_", " ".join(sorted(kernels()))),
    "not": Spelling("~{0}", UNARY, (UNARY,)),
    "div": Spelling("_sealed({0} / {1})", operands=(PRODUCT, PRODUCT + 1)),
    **calls("jnp.", "sqrt floor min=minimum max=maximum select=where"),
    **calls("jnp.", "sin cos tan sinh cosh tanh asin=arcsin atan=arctan"),
    **calls("special.", "erf erfc gamma_p=gammainc gamma_q=gammaincc betainc"),
    **calls("_", "polygamma zeta zetam1 ive exp_e1 dilog log_sinhc langevin langevin_prime"),
}

# Where values come with their rests, every sum and product is to be rounded as it is written.
COMPENSATED: dict[str, Spelling] = SPELLING | {
    "add": Spelling("_sealed({0} + {1})", operands=(SUM, SUM + 1)),
    "sub": Spelling("_sealed({0} - {1})", operands=(SUM, SUM + 1)),
    "mul": Spelling("_product({0}, {1})"),
}

NOTE = [
    "The arguments are arrays or numbers that broadcast. It is computed in float64, whatever jax_enable_x64 says, and",
    "rounded to the floating type that JAX gives the sum of the arguments; an element with an invalid argument is NaN.",
    "Runs under jit, vmap and grad. Derivatives have a form of their own that does not cancel where P is near Q, and",
    "so have second ones; there are no third ones. Numbers below 2.3e-308 count as 0, as everywhere in XLA on the CPU.",
    "This is the first pass of what klsym compiles: elements that cancel or overflow are not corrected.",
]

ARRAY_NOTE = [
    "The arguments are arrays, their event axes last; batches before them broadcast. It is computed in float64,",
    "whatever jax_enable_x64 says, and rounded to the floating type of the arrays. Runs under jit, vmap and grad.",
    "Derivatives have a form of their own that does not cancel where P is near Q; second ones are those of the",
    "textbook form, which do not cancel, in the type of the arrays.",
]


def missing(program: Program) -> list[str]:
    """The primitives of the program that JAX has no spelling for."""
    return sorted({line.primitive for line in program.lines} - {"constant", *SPELLING})


def emit(program: Program) -> str:
    """The source of a module that needs JAX only; a primitive without a spelling raises UnderivableError.

    The outputs of the program after the first are taken as derivatives by the arguments of their names. A derivative
    that has a primitive without a spelling raises NotImplementedError when it is asked for.
    """
    value, slopes = replace(program, outputs=program.outputs[:1]), program.outputs[1:]
    value = replace(value, lines=value.needed(value.result))
    if lacking := missing(value):
        raise UnderivableError(
            f"{program.name} cannot be written for JAX: it has no {', '.join(lacking)}; the backend numpy has"
        )
    sloped = [output.name for output in slopes]
    parts = (
        _function("_first", value),
        _function("_gradient", replace(program, outputs=slopes)),
        _bending(program, sloped, slopes),
    )
    notes = [
        *NOTE,
        *(f"{quoted(condition.text)}." for condition in program.conditions),
        "",
        *about(program).splitlines(),
    ]
    places = tuple(program.arguments.index(name) for name in sloped)
    used = {"_slopes_jvp", "_bends_jvp"}
    return _module(program, (0,) * len(program.arguments), places, parts, jax_library(), used, notes)


def array_source(program: ArrayProgram) -> str:
    """The module of a divergence of arrays; where no portable kernel is known its functions raise NotImplementedError.

    Second derivatives are those of the textbook form.
    """
    parts = [
        (["@_batches_in_doubles", *lines], names | {"_batches_in_doubles"}) if program.terms else (lines, names)
        for lines, names in (program.value(), program.gradient())
    ]
    parts.append(program.textbook("_curvature"))
    notes = program.notes(ARRAY_NOTE)
    return _module(program, program.axes, program.sloped, parts, array_library("jax"), {"_curved_jvp"}, notes)


def _module(
    program: Program | ArrayProgram,
    axes: tuple[int, ...],
    sloped: tuple[int, ...],
    parts: Sequence[Texts],
    library: Mapping[str, Definition],
    bending: set[str],
    notes: list[str],
) -> str:
    doc, used = documentation(program), set[str]().union(*(names for _, names in parts))
    definitions = needed(library, {*used, *bending, *_ALWAYS})
    imports = [text for text in definitions if re.match("import |from ", text)]
    constants = program.written() if isinstance(program, ArrayProgram) else []
    return "\n".join(
        [
            f'"""{doc[0]}',
            "",
            f"Generated by klsym {__version__}. It needs JAX only.",
            '"""',
            "",
            *imports,
            "",
            f"_SLOPED, _AXES = {sloped!r}, {axes!r}  # arguments with derivatives; event axes of each",
            *constants,
            *laid_out([text for text in definitions if text not in imports]),
            *(line for lines, _ in parts for line in [*lines, "", ""]),
            *opening(program.name, [f"{name}: ArrayLike" for name in program.arguments], "Array"),
            *indented([f'"""{doc[0]}', *doc[1:], "", *notes], 1),
            '    """',
            f"    return _apply({', '.join(program.arguments)})",
            "",
        ]
    )


_ALWAYS = ("jnp", "Array", "ArrayLike", "_apply", "_in_doubles", "_value_jvp")


def _function(name: str, program: Program) -> Texts:
    """A function of a program's outputs, and the functions that it calls; one that raises where one has no spelling."""
    results = [output.line for output in program.outputs]
    program = replace(program, lines=program.needed(*results))
    if lacking := missing(program):
        return absent(name, f"JAX has no {', '.join(lacking)}, which the derivatives need")
    table = COMPENSATED if any(line.primitive.endswith("_rest") for line in program.lines) else SPELLING
    body, texts = statements(program, table, *results)
    lines = ["@_in_doubles", *opening(name, list(program.arguments)), *indented(body, 1)]
    lines += indented(["return (", *indented(filled([*texts, ""]), 1), ")"] if texts else ["return ()"], 1)
    called = functions(program, table)
    return [re.sub(r"\bnp\.(inf|nan)\b", r"jnp.\1", line) for line in lines], called


def _bending(program: Program, by: Sequence[str], slopes: Sequence[Output]) -> Texts:
    """The function of the second derivatives."""
    try:
        bent = curvature(program, by, slopes)
    except UnderivableError as error:
        return absent("_curvature", f"no second derivatives: {error}")
    return _function("_curvature", bent)


def load(program: Program, **options: bool) -> Traced:
    """The program as a function of JAX arrays."""
    from .traced import Traced

    return Traced(program, **options)


def hosted(host: Host) -> Hosted:
    """A function of NumPy's arrays as one of JAX arrays."""
    from .traced import Hosted

    return Hosted(host)
