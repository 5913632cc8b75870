"""The directional derivative of a program: its lines, each followed by how it moves.

That is differentiation in forward mode (Griewank and Walther, Evaluating Derivatives, 3.1). Of a choice between values
the moves are chosen between too, so that a branch not taken adds nothing, not even NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import Any

from .errors import UnderivableError
from .primitive import PLAIN
from .program import Line, Output, Program, needed


def tangent(program: Program, moving: Sequence[str], outputs: Sequence[Output]) -> Program:
    """The program of how these outputs move when the arguments `moving` do; the moves are arguments after the others.

    Raises UnderivableError where the derivative of a primitive is not known.

    >>> square = Program("square", ("x",), (Line("y", "mul", ("x", "x")),), (Output("y"),))
    >>> moved = tangent(square, ["x"], square.outputs)
    >>> moved.arguments, [line.primitive for line in moved.lines]
    (('x', 'move1'), ['mul', 'add'])
    """
    names = (name for k in range(1, 1000) if (name := f"move{k}") not in program.arguments)
    moves = dict(zip(moving, names, strict=False))
    build = _Build()
    moved: dict[str, Term] = {name: Term(build, move) for name, move in moves.items()}
    lines = program.needed(*(output.line for output in outputs))
    for line in lines:
        line = _sided(build, line, moved)
        build.lines.append(line)
        move = _move(build, line, moved)
        if move is not None:
            moved[line.name] = move
    zero = build.constant(0)
    found = tuple(Output(moved.get(o.line, zero).name, name=o.name) for o in outputs)
    arguments = (*program.arguments, *moves.values())
    kept = needed(build.lines, [output.line for output in found])
    return Program(f"{program.name}_tangent", arguments, kept, found)


def _sided(build: _Build, line: Line, moved: Mapping[str, Term]) -> Line:
    """The line, but of a sign that is written -1, 0 or 1 that of the move at 0: a derivative of it is a limit there."""
    if line.primitive != "select":
        return line
    known = {known.name: known for known in build.lines}
    condition, *choices = (known.get(name) for name in line.arguments)
    if [choice and choice.constant for choice in choices] != ["-1", "0"] or condition is None:
        return line
    move = moved.get(condition.arguments[0])
    side = build("select", move("lt", 0), -1, 1).name if move else line.arguments[2]
    return replace(line, arguments=(*line.arguments[:2], side))


def _move(build: _Build, line: Line, moved: Mapping[str, Term]) -> Term | None:
    """How the line moves, or None if it does not; what rounding lost of another line does not."""
    name = line.primitive
    if not any(argument in moved for argument in line.arguments) or name in _STEPS or name.endswith("_rest"):
        return None
    if name == "select":
        condition, *choices = line.arguments
        then = Term(build, condition) if build.hides(choices) else _after(build, condition, moved)
        return build("select", then, *(moved.get(c, build.still(c)) for c in choices))
    if name == "abs":
        x, move = Term(build, line.arguments[0]), moved[line.arguments[0]]
        return build("select", x("eq", 0), move("abs"), x("lt", 0)("select", -move, move))
    rule = _PARTIALS.get(name) or _PARTIALS.get(PLAIN.get(name, name))
    arguments = [Term(build, argument) for argument in (line.name, *line.arguments)]
    partials: tuple[Any, ...] = rule(*arguments) if rule else (None,) * len(line.arguments)
    parts: list[Term] = []
    for argument, partial in zip(line.arguments, partials, strict=True):
        if argument not in moved:
            continue
        if partial is None:
            raise UnderivableError(f"the derivative of {name} has no rule")
        if isinstance(partial, Term) or partial:
            parts.append(moved[argument] * partial)
    return reduce(lambda a, b: a + b, parts) if parts else None


def _after(build: _Build, condition: str, moved: Mapping[str, Term]) -> Term:
    """The condition once the move has begun: of two that are equal, whether they come to be so.

    The slope of one piece of a function may bend where that of the next does not, though both meet there.
    """
    line = build.line(condition)
    if line is None or line.primitive not in ("lt", "le") or not any(name in moved for name in line.arguments):
        return Term(build, condition)
    a, b = (Term(build, name) for name in line.arguments)
    by_a, by_b = (moved.get(name, build.constant(0)) for name in line.arguments)
    return a("lt", b)("or", a("eq", b)("and", by_a(line.primitive, by_b)))


class _Build:
    """Lines that are added one by one, the same one once."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._known: dict[tuple[str, ...], Term] = {}

    def __call__(self, primitive: str, *arguments: Any, constant: str = "") -> Term:
        names = tuple((a if isinstance(a, Term) else self.constant(a)).name for a in arguments)
        key = (primitive, constant, *names)
        if key not in self._known:
            self._known[key] = Term(self, f"tangent.{len(self._known)}")
            self.lines.append(Line(self._known[key].name, primitive, names, constant))
        return self._known[key]

    def constant(self, value: float) -> Term:
        return self("constant", constant=str(Fraction(value)))

    def line(self, name: str) -> Line | None:
        """The line of that name, None of an argument's."""
        return next((line for line in self.lines if line.name == name), None)

    def hides(self, choices: Sequence[str]) -> bool:
        """Whether a choice is a value that stands for the other where that is none: 0, an infinity or NaN."""
        return any((line := self.line(name)) and line.constant in ("0", "inf", "-inf", "nan") for name in choices)

    def still(self, name: str) -> Term:
        """How a line that does not move moves: NaN stays what it is."""
        line = self.line(name)
        return Term(self, name) if line and line.constant == "nan" else self.constant(0)


class Term:
    """The value of a line; arithmetic on it writes lines."""

    __slots__ = ("build", "name")

    def __init__(self, build: _Build, name: str) -> None:
        self.build, self.name = build, name

    def __call__(self, primitive: str, *arguments: Any) -> Term:
        """primitive(self, *arguments)"""
        return self.build(primitive, self, *arguments)

    def __add__(self, other: Any) -> Term:
        return self("add", other)

    def __sub__(self, other: Any) -> Term:
        return self("sub", other)

    def __rsub__(self, other: Any) -> Term:
        return self.build("sub", other, self)

    def __mul__(self, other: Any) -> Term:
        return self if other == 1 else -self if other == -1 else self("mul", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Term:
        return self("div", other)

    def __rtruediv__(self, other: Any) -> Term:
        return self.build("div", other, self)

    def __neg__(self) -> Term:
        return self("neg")


_STEPS = {"floor", "lt", "le", "eq", "and", "or", "not", "constant"}

# The partial derivatives by the arguments, from the value v and the arguments; None where one is not known. With a gap
# d = b - a, f(a, b, d) is a function of a and d: by a it moves as f_a + f_b, by d as f_b, and by b not at all.
Partials = Callable[..., tuple[Any, ...]]


def _apart(both: Callable[..., Any], second: Callable[..., Any]) -> Partials:
    return lambda v, a, b, d: (both(a, b, d), 0, second(a, b, d))


def _chosen(condition: Callable[..., Term]) -> Partials:
    """The move of the first argument where the condition holds, of the second elsewhere."""

    def partials(v: Term, x: Term, y: Term) -> tuple[Any, ...]:
        first = condition(x, y)
        return first("select", 1, 0), first("select", 0, 1)

    return partials


def _psi(n: int, x: Term) -> Term:
    return x.build("digamma", x) if n == 0 else x.build("trigamma", x) if n == 1 else x.build("polygamma", n, x)


def _lbetarem(v: Term, a: Term, b: Term, c: Term, d: Term, e: Term, f: Term) -> tuple[Any, ...]:
    whole = (a + b)("digamma_difference", c + d, e + f)
    first = (e + f) * (a + b)("trigamma")
    by_c, by_d = a("digamma_difference", c, e) - whole, b("digamma_difference", d, f) - whole
    return first - e * a("trigamma") + by_c, first - f * b("trigamma") + by_d, 0, 0, by_c, by_d


def _ratio_bend(x: Term, v: Term) -> Term:
    """(I1/I0)'' = r/x^2 - r'/x - 2 r r'"""
    r = x("bessel_ratio")
    return (r / x - v) / x - 2 * r * v


def _langevin_bend(u: Term, v: Term) -> Term:
    """L'' = 2 (L/u - L')/u - 2 L L', from L' = 1 - L^2 - 2 L/u"""
    x = u("langevin")
    return 2 * ((x / u - v) / u) - 2 * x * v


_ROOT = 2.0 / math.sqrt(math.pi)

_PARTIALS: dict[str, Partials] = {
    "add": lambda v, x, y: (1, 1),
    "sub": lambda v, x, y: (1, -1),
    "mul": lambda v, x, y: (y, x),
    "div": lambda v, x, y: (1 / y, -v / y),
    "neg": lambda v, x: (-1,),
    "min": _chosen(lambda x, y: x("le", y)),
    "max": _chosen(lambda x, y: y("le", x)),
    "sqrt": lambda v, x: (0.5 / v,),
    "pow": lambda v, x, y: (y * x("pow", y - 1), v.build("xlogy", v, x)),
    "exp": lambda v, x: (v,),
    "expm1": lambda v, x: (x("exp"),),
    "e2": lambda v, x: (x("expm1"),),
    "exp_sum": lambda v, x, y: (v, v),
    "expm1_sum": lambda v, x, y: (x("exp_sum", y), x("exp_sum", y)),
    "e2_sum": lambda v, x, y: (x("expm1_sum", y), x("expm1_sum", y)),
    "log": lambda v, x: (1 / x,),
    "log1p": lambda v, x: (1 / (x + 1),),
    "xlogy": lambda v, c, x: (x("log"), c / x),
    "xlog1py": lambda v, c, x: (x("log1p"), c / (x + 1)),
    "softplus": lambda v, x: (1 / ((-x)("exp") + 1),),
    "log_cosh": lambda v, x: (x("tanh"),),
    "sin": lambda v, x: (x("cos"),),
    "cos": lambda v, x: (-x("sin"),),
    "tan": lambda v, x: (v * v + 1,),
    "asin": lambda v, x: (1 / (1 - x * x)("sqrt"),),
    "atan": lambda v, x: (1 / (x * x + 1),),
    "sinh": lambda v, x: (x("cosh"),),
    "cosh": lambda v, x: (x("sinh"),),
    "tanh": lambda v, x: (1 - v * v,),
    "log_sinhc": lambda v, u: (u("langevin"),),
    "langevin": lambda v, u: (u("langevin_prime"),),
    "langevin_prime": lambda v, u: (_langevin_bend(u, v),),
    "cross": lambda v, a, b, c, d: (b, a, -d, -c),
    "log_ratio": _apart(lambda a, b, d: -d / a / b, lambda a, b, d: 1 / b),
    "phi": _apart(lambda a, b, d: -(d / a) * (d / a) / b, lambda a, b, d: d / a / b),
    "klrem": _apart(lambda p, q, d: -q("phi", p, -d), lambda p, q, d: d / q),
    "lgamma": lambda v, x: (_psi(0, x),),
    "digamma": lambda v, x: (_psi(1, x),),
    "trigamma": lambda v, x: (_psi(2, x),),
    "reduced_trigamma": lambda v, x: (_psi(2, x) + 1 / (x * x),),
    "log_rising": lambda v, a, x: (a("digamma_difference", a + x, x), _psi(0, a + x)),
    "lgamma_difference": _apart(lambda a, b, d: a("digamma_difference", b, d), lambda a, b, d: _psi(0, b)),
    "digamma_difference": _apart(lambda a, b, d: a("trigamma_difference", b, d), lambda a, b, d: _psi(1, b)),
    "trigamma_difference": _apart(lambda a, b, d: _psi(2, b) - _psi(2, a), lambda a, b, d: _psi(2, b)),
    "reduced_digamma_difference": _apart(
        lambda a, b, d: b("reduced_trigamma") - a("reduced_trigamma"), lambda a, b, d: b("reduced_trigamma")
    ),
    "lgrem": _apart(
        lambda a, b, d: a("digamma_difference", b, d) - d * a("trigamma"),
        lambda a, b, d: a("digamma_difference", b, d),
    ),
    "grem": _apart(
        lambda a, b, d: a("reduced_digamma_difference", b, d) - d * a("reduced_trigamma"),
        lambda a, b, d: a("reduced_digamma_difference", b, d),
    ),
    "lbetarem": _lbetarem,
    "erf": lambda v, x: ((-(x * x))("exp") * _ROOT,),
    "erfc": lambda v, x: ((-(x * x))("exp") * -_ROOT,),
    "erfcx": lambda v, x: (2 * x * v - _ROOT,),
    "exp_e1": lambda v, z: (v - 1 / z,),
    "log_i0": lambda v, x: (x("bessel_ratio"),),
    "log_i0_remainder": _apart(
        lambda a, b, d: a("bessel_ratio_difference", b, d) - d * a("bessel_ratio_prime"),
        lambda a, b, d: a("bessel_ratio_difference", b, d),
    ),
    "bessel_ratio": lambda v, x: (x("bessel_ratio_prime"),),
    "bessel_ratio_prime": lambda v, x: (_ratio_bend(x, v),),
    "bessel_ratio_difference": _apart(
        lambda a, b, d: b("bessel_ratio_prime") - a("bessel_ratio_prime"), lambda a, b, d: b("bessel_ratio_prime")
    ),
    "polygamma": lambda v, n, x: (None, x.build("polygamma", n + 1, x)),
    "zeta": lambda v, s: (s.build("zeta_derivative", 1, s),),
    "zetam1": lambda v, s: (s.build("zeta_derivative", 1, s),),
    "zeta_derivative": lambda v, n, s: (None, s.build("zeta_derivative", n + 1, s)),
    "ive": lambda v, n, z: (None, (n - 1)("abs")("ive", z) - (n * v / z + v)),
    "bessel_k_order": lambda v, nu, z: (nu("bessel_k_order_slope", z), None),
}
