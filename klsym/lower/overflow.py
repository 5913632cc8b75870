"""Where a value is certain to be larger than any double, so that nothing is left to decide."""

from __future__ import annotations

from functools import reduce
from math import ceil, inf, log

from ..core.primitive import PLAIN
from .errors import Errors

# e^x is larger than any double from here on, x being off by a thousandth at most.
EXPONENT = 710.0


def overflow(errors: Errors, name: str, least: float = EXPONENT) -> str:
    """The line that tells where a sum of terms that are not negative has one, an exponential, beyond any double."""
    line = errors.lines.get(name)
    if line is None:
        return ""
    if line.primitive == "select":
        condition, *arms = line.arguments
        sides = zip((condition, errors.line("not", condition)), arms, strict=True)
        found = [errors.line("and", side, certain) for side, arm in sides if (certain := overflow(errors, arm, least))]
    elif line.primitive == "add" and all(errors.range(term).sign > 0 for term in line.arguments):
        found = [overflow(errors, term, least) for term in line.arguments]
    elif (
        line.primitive == "div"
        and 1 <= errors.range(line.arguments[1]).low <= errors.range(line.arguments[1]).high < inf
    ):
        found = [overflow(errors, line.arguments[0], least + ceil(log(errors.range(line.arguments[1]).high)))]
    elif PLAIN.get(line.primitive, line.primitive) in ("exp", "e2"):
        exponent = line.arguments[0]
        large = errors.line("le", errors.number(least), exponent)
        error = errors.error(exponent, paired=line.primitive in PLAIN)
        found = [errors.line("and", large, errors.line("le", error, errors.number(2.0**40)))]
    else:
        found = []
    found = [certain for certain in found if certain]
    return reduce(lambda a, b: errors.line("or", a, b), found) if found else ""
