"""How far a program's outputs can be off: bounds that hold always, else an estimate computed beside the value.

Errors are first order, in units of eps = 2^-52. A line's relative error is bounded once for all where nothing
cancels: products, quotients, sums of one sign, and remainders, whose arguments it magnifies by a fixed factor. Any
other line carries its absolute error as one more line (running error analysis: Higham, Accuracy and Stability of
Numerical Algorithms, 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.primitive import PLAIN, PRIMITIVES, REST_ROUNDING, RESTS
from ..core.program import Line
from .slopes import ABSOLUTE, EPSILON, LEFT, MAGNIFIED, QUADRATIC, slope
from .ssa import Builder

ROUNDING = 0.5
INFINITE = math.inf


@dataclass(frozen=True)
class Range:
    """What is known of a line: its values lie in [low, high], off by at most `relative` eps, or by the line `error`."""

    low: float = -INFINITE
    high: float = INFINITE
    relative: float | None = 0.0

    @property
    def sign(self) -> int:
        """1 or -1 where the values are of that sign or 0, and 0 where the sign is not known."""
        return 1 if self.low >= 0 else -1 if self.high <= 0 else 0


EXACT = {"neg", "abs", "floor", "min", "max", "select", "constant", "lt", "le", "eq", "and", "or", "not"}
NONNEGATIVE = {
    "abs", "sqrt", "exp", "phi", "klrem", "e2", "lgrem", "grem", "lbetarem", "trigamma", "log_i0_remainder",
    "log_cosh", "softplus", "exp_sum", "e2_sum", "erfc", "erfcx", "exp_e1", "gamma_p", "gamma_q", "betainc", "ive",
    "log_i0", "log_sinhc", "zetam1", "kummer", "log1p_mellin", "langevin_prime", "gamma_log_moment", "zeta",
    "reduced_trigamma", "bessel_ratio_prime",
}  # fmt: skip
# Differences that have the sign of their last argument, and those that have the other one.
FOLLOWS = {
    "log_ratio": 1, "digamma_difference": 1, "trigamma_difference": -1, "reduced_digamma_difference": 1,
    "bessel_ratio": 1, "bessel_ratio_difference": 1, "langevin": 1, "tanh": 1, "expm1": 1,
}  # fmt: skip


class Errors:
    """The errors of a builder's lines, found line by line; `arguments` are the ranges of the program's arguments."""

    def __init__(self, build: Builder, arguments: Mapping[str, Range]) -> None:
        self.build = build
        self.ranges: dict[str, Range] = dict(arguments)
        self.lines: dict[str, Line] = {line.name: line for line in build.lines if line.name in self.ranges}
        self.absolute: dict[tuple[str, bool], str] = {}

    def scratch(self) -> Errors:
        """The same for a copy of the builder, to try something out."""
        return Errors(self.build.copy(), self.ranges)

    def range(self, name: str) -> Range:
        """What is known of the line."""
        self._know()
        return self.ranges[name]

    def _know(self) -> None:
        for line in self.build.lines[len(self.lines) :]:
            self.lines[line.name] = line
            self.ranges[line.name] = self._range(line)

    def _range(self, line: Line) -> Range:
        if line.primitive == "constant":
            return _constant(line.constant)
        arguments = [self.ranges[name] for name in line.arguments]
        low, high = _interval(line, arguments)
        return Range(low, high, self._relative(line, arguments))

    def _relative(self, line: Line, arguments: Sequence[Range]) -> float | None:
        """The bound of the line's relative error, or None where only a running estimate will do."""
        relatives = [a.relative for a in arguments]
        if any(r is None for r in relatives):
            return None
        known = [r for r in relatives if r is not None]
        primitive, own = line.primitive, _own(line.primitive)
        if own == INFINITE:
            return None
        if primitive in ("add", "sub"):
            first, second = (a.sign for a in arguments)
            second = -second if primitive == "sub" else second
            return max(known) + ROUNDING if not any(known) or first * second > 0 else None
        if primitive in ("min", "max", "select"):
            return max(known[-2:])
        if primitive in ("mul", "div") and self._is_power_of_two(line.arguments[-1]):
            return known[0]
        if primitive == "mul" and self._is_power_of_two(line.arguments[0]):
            return known[1]
        if primitive in MAGNIFIED:
            return sum(m * r for m, r in zip(MAGNIFIED[primitive], known, strict=True)) + own
        if primitive == "e2" and arguments[0].high <= 0:
            return 2 * known[0] + own
        return own if not any(known) and primitive not in ABSOLUTE else None

    def is_constant(self, name: str) -> bool:
        """Whether no argument of the program has a part in the line."""
        return name in self.lines and all(map(self.is_constant, self.lines[name].arguments))

    def _is_power_of_two(self, name: str) -> bool:
        line = self.lines.get(name)
        if line is None or line.primitive != "constant":
            return False
        value = self.ranges[name].low
        return math.isfinite(value) and value > 0 and math.frexp(value)[0] == 0.5

    def error(self, name: str, paired: bool = False) -> str:
        """The line with the absolute error of a line in eps, or of its value and the rest of that together."""
        key = (name, paired)
        if key not in self.absolute:
            known = self.range(name)
            if paired and self.is_constant(name):
                self.absolute[key] = self.number(0)
            elif paired and name in self.lines:
                self.absolute[key] = self._running(self.lines[name], True)
            elif known.relative is not None:
                bound = self.number(known.relative)
                self.absolute[key] = bound if known.relative == 0 else self.mul(bound, self.size(name))
            else:
                self.absolute[key] = self._running(self.lines[name])
        return self.absolute[key]

    def _running(self, line: Line, paired: bool = False) -> str:
        """sum |df/dx_i| error(x_i), plus the error of the primitive itself; of a constant and its rest none.

        Where a derivative may vanish half the second one times the error is added to it.
        """
        if line.primitive == "select":
            return self.line("select", line.arguments[0], *(self.error(name, paired) for name in line.arguments[1:]))
        parts, of_sum = [], line.primitive.endswith("_sum")
        primitive = PLAIN.get(line.primitive, line.primitive)
        for k, argument in enumerate(line.arguments[:1] if of_sum else line.arguments):
            error = self.error(argument, paired or of_sum)
            if not self.is_zero(error):
                move = slope(primitive, k)
                if move is None:
                    return self.build.constant("inf")
                size = self.size(move(self, line))
                if k in QUADRATIC.get(primitive, ()) and self.range(argument).relative is None:
                    size = self.line("add", size, QUADRATIC[primitive][k](self, line, size, error))
                parts.append(self.mul(size, error))
        own = _own(primitive) * (RESTS.get(primitive, 1.0) if paired else 1.0)
        if own == INFINITE:
            return self.build.constant("inf")
        if own:
            scale = ABSOLUTE[primitive](self, line) if primitive in ABSOLUTE else self.size(line.name)
            parts.append(self.mul(self.number(own), scale))
        if paired and primitive in LEFT:
            parts.append(LEFT[primitive](self, line))
        if paired and primitive in ("add", "sub") and any(self.range(name).relative != 0 for name in line.arguments):
            # The rests are rounded too, and are all that is left where the leading parts cancel.
            rounding = self.build.constant(REST_ROUNDING)
            parts += [self.mul(rounding, self.size(name)) for name in line.arguments]
        total = parts[0] if parts else self.number(0)
        for part in parts[1:]:
            total = self.line("add", total, part)
        return total

    # Lines of the estimate.

    def line(self, primitive: str, *arguments: str) -> str:
        return self.build.line(primitive, *arguments)

    def mul(self, x: str, y: str) -> str:
        one = self.number(1)
        return y if x == one else x if y == one else self.line("mul", x, y)

    def size(self, name: str) -> str:
        return name if self.range(name).sign > 0 else self.line("abs", name)

    def number(self, value: float) -> str:
        numerator, denominator = float(value).as_integer_ratio()
        return self.build.constant(str(numerator) if denominator == 1 else f"{numerator}/{denominator}")

    def is_zero(self, name: str) -> bool:
        return name == self.number(0)


def _own(primitive: str) -> float:
    return 0.0 if primitive in EXACT else PRIMITIVES[primitive].worst


def _constant(text: str) -> Range:
    """Integers and dyadic fractions are exact; any other constant is rounded."""
    if text in ("inf", "-inf", "nan", "true", "false"):
        value = float(text) if text in ("inf", "-inf") else 0.0
        return Range(value, value, 0.0)
    if text == REST_ROUNDING:
        return Range(EPSILON, EPSILON, 0.0)
    named = {"pi": math.pi, "e": math.e, "euler_gamma": 0.5772156649015329, "catalan": 0.915965594177219}
    if text in named:
        return Range(named[text], named[text], ROUNDING)
    numerator, _, denominator = text.partition("/")
    top, bottom = int(numerator), int(denominator or 1)
    try:
        value = top / bottom
    except OverflowError:
        value = math.inf if top > 0 else -math.inf
    exact = bottom & (bottom - 1) == 0 and abs(top).bit_length() <= 53
    return Range(value, value, 0.0 if exact else ROUNDING)


def _interval(line: Line, arguments: Sequence[Range]) -> tuple[float, float]:
    """An interval that holds the line's values: arithmetic by its ends, other primitives by their sign."""
    primitive = line.primitive
    ends = [(a.low, a.high) for a in arguments]
    if primitive == "add":
        return _safe(ends[0][0] + ends[1][0], ends[0][1] + ends[1][1])
    if primitive == "sub":
        return _safe(ends[0][0] - ends[1][1], ends[0][1] - ends[1][0])
    if primitive == "neg":
        return -ends[0][1], -ends[0][0]
    if primitive in ("mul", "div"):
        if primitive == "mul" and line.arguments[0] == line.arguments[1]:
            return 0.0, INFINITE
        sign = arguments[0].sign * arguments[1].sign
        return (0.0, INFINITE) if sign > 0 else (-INFINITE, 0.0) if sign < 0 else (-INFINITE, INFINITE)
    if primitive == "select":
        return min(e[0] for e in ends[1:]), max(e[1] for e in ends[1:])
    if primitive in ("min", "max"):
        pick = min if primitive == "min" else max
        return pick(e[0] for e in ends), pick(e[1] for e in ends)
    if primitive == "pow" and arguments[0].sign > 0:
        return 0.0, INFINITE
    if primitive in NONNEGATIVE:
        return 0.0, INFINITE
    if primitive in FOLLOWS:
        sign = arguments[-1].sign * FOLLOWS[primitive]
        return (0.0, INFINITE) if sign > 0 else (-INFINITE, 0.0) if sign < 0 else (-INFINITE, INFINITE)
    if primitive in ("log", "log1p"):
        least = 1.0 if primitive == "log" else 0.0
        return (0.0 if ends[0][0] >= least else -INFINITE), (0.0 if ends[0][1] <= least else INFINITE)
    return -INFINITE, INFINITE


def _safe(low: float, high: float) -> tuple[float, float]:
    return (-INFINITE if math.isnan(low) else low), (INFINITE if math.isnan(high) else high)
