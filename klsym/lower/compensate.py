"""Exponents as pairs: what a large exponent lacks in the last place its exponential lacks in the leading ones.

An exponent w that is off by n units of 2^-52 |w| makes e^w off by n |w| units of 2^-52. Where every step that leads
to it has a primitive for the rest of its value, the exponential takes the exponent and that rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from ..core.primitive import CONSTANTS, PAIRED, PRIMITIVES, RESTS
from ..core.program import Line, needed
from .errors import Errors
from .ssa import Builder

SUMS = ("exp", "expm1", "e2")

_DIGITS = 40
_SCALE = 2**160  # of the rest of a constant, which is no quotient of small integers


Pair = tuple[str, str]


def compensated(errors: Errors, names: Sequence[str]) -> tuple[Errors, dict[str, str]]:
    """The lines that these names need, exponents with their rests, and what each name has become."""
    arguments = errors.build.arguments
    found = Errors(Builder(arguments), {name: errors.ranges[name] for name in arguments})
    pairs, moved = _Pairs(found), {name: name for name in arguments}
    for line in needed(errors.build.lines, names):
        inner = tuple(moved[name] for name in line.arguments)
        pair = pairs(inner[0]) if line.primitive in SUMS and found.range(inner[0]).high > 0 else None
        if pair is None or pair[1] == pairs.nothing:
            moved[line.name] = found.build.line(line.primitive, *inner, constant=line.constant)
        else:
            moved[line.name] = found.build.line(PAIRED[line.primitive], *pair)
    return found, moved


class _Pairs:
    """Lines as a value and its rest: `nothing` for what is exact, None where there is no primitive for a rest."""

    def __init__(self, errors: Errors) -> None:
        self.errors, self.build = errors, errors.build
        self.nothing = self.build.constant("0")
        self.known: dict[str, Pair | None] = {}

    def __call__(self, name: str) -> Pair | None:
        if name not in self.known:
            self.known[name] = self._pair(name)
        return self.known[name]

    def _pair(self, name: str) -> Pair | None:
        if self.errors.range(name).relative == 0:
            return name, self.nothing
        line = self.errors.lines[name]
        constant = self._constant(line)
        if constant is not None:
            return name, self._rest_of_constant(constant)
        pairs = [pair for argument in line.arguments if (pair := self(argument))]
        if len(pairs) < len(line.arguments):
            return None
        heads = [head for head, _ in pairs]
        if line.primitive == "neg":
            return self.build.line("neg", *heads), self.build.line("neg", pairs[0][1])
        if line.primitive not in RESTS:
            return None
        head = self.build.line(PAIRED.get(line.primitive, line.primitive), *heads)
        return head, self.build.line(f"{line.primitive}_rest", *(part for pair in pairs for part in pair), head)

    def _constant(self, line: Line) -> sp.Expr | None:
        """The value of a line of constants."""
        if line.primitive == "constant":
            return CONSTANTS[line.constant] if line.constant in CONSTANTS else sp.Rational(line.constant)
        inner = [self._constant(self.errors.lines[name]) for name in line.arguments if name in self.errors.lines]
        if len(inner) < len(line.arguments) or any(value is None for value in inner):
            return None
        return PRIMITIVES[line.primitive].spec(*inner).n(_DIGITS)

    def _rest_of_constant(self, value: sp.Expr) -> str:
        lacking = sp.Rational(value.n(_DIGITS)) - sp.Rational(float(value))
        return self.build.constant(str(sp.Rational(sp.floor(lacking * _SCALE), _SCALE)))
