"""The second derivatives of a program that has its first ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .program import Line, Output, Program
from .tangent import tangent


def curvature(program: Program, by: Sequence[str], slopes: Sequence[Output]) -> Program:
    """The program of the derivatives of slope j by argument i of `by`, i <= j: those of i = 0, then of i = 1, ...

    Raises UnderivableError where the derivative of a primitive is not known.

    >>> lines = (Line("s", "mul", ("x", "y")), Line("t", "mul", ("s", "x")))
    >>> bent = curvature(Program("cube", ("x", "y"), lines, ()), ["x", "y"], [Output("t"), Output("s")])
    >>> [(line.primitive, *line.arguments) for line in bent.lines]
    [('mul', 'x', 'y'), ('mul', 'y', 'x'), ('add', 'bend.2', 's')]
    """
    one = Line("bend", "constant", (), "1")
    known: dict[tuple[str, ...], str] = {(one.primitive, one.constant): one.name}
    lines, outputs, taken = [one], list[Output](), {one.name}
    for k, name in enumerate(by):
        bent = tangent(program, [name], slopes[k:])
        names = {bent.arguments[-1]: one.name}
        for line in bent.lines:
            arguments = tuple(names.get(a, a) for a in line.arguments)
            if line.primitive == "mul" and one.name in arguments:
                names[line.name] = arguments[arguments[0] == one.name]
                continue
            key = (line.primitive, line.constant, *arguments)
            if key not in known:
                own = line.name not in taken and not line.name.startswith("tangent.")
                known[key] = line.name if own else f"bend.{len(known)}"
                taken.add(known[key])
                lines.append(replace(line, name=known[key], arguments=arguments))
            names[line.name] = known[key]
        outputs += [Output(names.get(o.line, o.line), name=f"{name} {o.name}") for o in bent.outputs]
    found = Program(f"{program.name}_curvature", program.arguments, tuple(lines), tuple(outputs))
    return replace(found, lines=found.needed(*(output.line for output in outputs)))
