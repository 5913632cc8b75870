"""How a primitive's value moves with its arguments: what errors of the arguments become."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.primitive import PLAIN
from ..core.program import Line

if TYPE_CHECKING:
    from .errors import Errors

# By how much a primitive magnifies relative errors of its arguments, each, which its value then has at most: its
# logarithmic derivatives where the arguments are near each other, gaps kept apart, and where they are not.
MAGNIFIED: dict[str, tuple[float, ...]] = {
    "mul": (1, 1), "div": (1, 1), "neg": (1,), "abs": (1,), "sqrt": (0.5,), "log_ratio": (0.8, 0.8, 1.25),
    "phi": (2, 1.6, 2), "klrem": (2, 1.6, 2), "lgrem": (3, 2, 2), "grem": (3, 2, 2), "lbetarem": (3, 3, 2, 2, 2, 2),
    "trigamma": (2,), "digamma_difference": (2, 1, 1), "trigamma_difference": (3, 2, 1),
    "reduced_trigamma": (2.2,), "reduced_digamma_difference": (2, 1, 1), "log_i0_remainder": (2, 2, 2),
    "bessel_ratio": (1,), "bessel_ratio_prime": (2.3,), "bessel_ratio_difference": (2, 1.2, 1),
    "langevin": (1,), "log_sinhc": (2,), "softplus": (2,), "log_cosh": (2,),
    "erf": (1,), "tanh": (1,), "atan": (1,),
}  # fmt: skip

# The line, or one made for it, that has the size of a derivative.
Slope = Callable[["Errors", Line], str]

# The same of half a second derivative times an error, from the sizes of the first derivative and of the error.
Bend = Callable[["Errors", Line, str, str], str]


def _one(errors: Errors, line: Line) -> str:
    return errors.number(1)


def _argument(k: int) -> Slope:
    return lambda errors, line: line.arguments[k]


def _of(primitive: str, k: int = 0) -> Slope:
    """primitive(argument k)"""
    return lambda errors, line: errors.line(primitive, line.arguments[k])


def _inverse(k: int) -> Slope:
    return lambda errors, line: errors.line("div", errors.number(1), line.arguments[k])


def _value(errors: Errors, line: Line) -> str:
    return line.name


def _over(k: int, factor: float = 1.0) -> Slope:
    """factor |value/argument k|: how a primitive moves that keeps relative errors relative"""
    return lambda errors, line: errors.mul(
        errors.number(factor), errors.size(errors.line("div", line.name, line.arguments[k]))
    )


def _terms_over(k: int) -> Slope:
    """2 (|value| + |d|)/|argument k|, of a difference over d = argument 2 that crosses zero"""
    return lambda errors, line: errors.mul(
        errors.number(2),
        errors.line(
            "div", ABSOLUTE[PLAIN.get(line.primitive, line.primitive)](errors, line), errors.size(line.arguments[k])
        ),
    )


def _value_plus_one(errors: Errors, line: Line) -> str:
    return errors.line("add", line.name, errors.number(1))


def _value_plus_argument(errors: Errors, line: Line) -> str:
    """e^x - 1, of e^x - 1 - x"""
    return errors.line("add", line.name, line.arguments[0])


def _inverse_1p(k: int) -> Slope:
    return lambda errors, line: errors.line(
        "div", errors.number(1), errors.line("add", errors.number(1), line.arguments[k])
    )


def _times_inverse(errors: Errors, line: Line) -> str:
    return errors.line("div", line.arguments[0], line.arguments[1])


def _power_slope(errors: Errors, line: Line) -> str:
    return errors.line("div", errors.line("mul", line.name, line.arguments[1]), line.arguments[0])


def _power_log(errors: Errors, line: Line) -> str:
    return errors.line("mul", line.name, errors.line("log", line.arguments[0]))


def _rising_slope(errors: Errors, line: Line) -> str:
    return errors.line("digamma", errors.line("add", *line.arguments))


def _rising_start(errors: Errors, line: Line) -> str:
    return errors.line("sub", _rising_slope(errors, line), errors.line("digamma", line.arguments[0]))


def _quotient_slope(errors: Errors, line: Line) -> str:
    return errors.line("div", line.name, line.arguments[1])


def _one_and_an_eighth(errors: Errors, line: Line) -> str:
    """At least 2/sqrt(pi)"""
    return errors.number(1.125)


def _erfcx_slope(errors: Errors, line: Line) -> str:
    """At least 2/sqrt(pi) + 2 |x erfcx(x)|"""
    product = errors.mul(errors.number(2), errors.size(errors.line("mul", line.arguments[0], line.name)))
    return errors.line("add", product, errors.number(1.125))


SLOPES: dict[str, tuple[Slope | None, ...]] = {
    "add": (_one, _one),
    "sub": (_one, _one),
    "neg": (_one,),
    "abs": (_one,),
    "min": (_one, _one),
    "max": (_one, _one),
    "mul": (_argument(1), _argument(0)),
    "div": (_inverse(1), _quotient_slope),
    "cross": (_argument(1), _argument(0), _argument(3), _argument(2)),
    "pow": (_power_slope, _power_log),
    "exp": (_value,),
    "expm1": (_value_plus_one,),
    "e2": (_value_plus_argument,),
    "log": (_inverse(0),),
    "log1p": (_inverse_1p(0),),
    "xlogy": (_of("log", 1), _times_inverse),
    "xlog1py": (_of("log1p", 1), lambda errors, line: errors.mul(line.arguments[0], _inverse_1p(1)(errors, line))),
    "sin": (_one,),
    "cos": (_one,),
    "sinh": (_of("cosh"),),
    "cosh": (_of("sinh"),),
    "lgamma": (_of("digamma"),),
    "digamma": (_of("trigamma"),),
    "lgamma_difference": tuple(_terms_over(k) for k in range(3)),
    "log_rising": (_rising_start, _rising_slope),
    "log_i0": (_one,),
    "erfc": (_one_and_an_eighth,),
    "erfcx": (_erfcx_slope,),
    "exp_e1": (_over(0, 1.0),),
}


def slope(primitive: str, k: int) -> Slope | None:
    """The derivative by argument k, or what bounds it; None where neither is known."""
    if primitive in SLOPES:
        slopes = SLOPES[primitive]
        return slopes[k] if k < len(slopes) else None
    return _over(k, MAGNIFIED[primitive][k]) if primitive in MAGNIFIED else None


def _largest(*slopes: Slope) -> Slope:
    def scale(errors: Errors, line: Line) -> str:
        total = errors.size(line.name)
        for slope in slopes:
            total = errors.line("add", total, errors.size(slope(errors, line)))
        return total

    return scale


def _start_slope(errors: Errors, line: Line) -> str:
    """psi(a) d"""
    return errors.line("mul", errors.line("digamma", line.arguments[0]), line.arguments[2])


def _rising_term(errors: Errors, line: Line) -> str:
    """psi(a) x"""
    return errors.line("mul", errors.line("digamma", line.arguments[0]), line.arguments[1])


def _bend(errors: Errors, line: Line, size: str, error: str) -> str:
    """1 times the error"""
    return errors.mul(errors.number(EPSILON), error)


def _half_bend(errors: Errors, line: Line, size: str, error: str) -> str:
    """1/2 times the error"""
    return errors.mul(errors.number(EPSILON / 2), error)


def _leap(errors: Errors, line: Line, size: str, error: str) -> str:
    """0, and infinite where an exponent may be off by 1/8: its exponential may be anything, however small it is"""
    near = errors.line("le", error, errors.number(0.125 / EPSILON))
    return errors.line("select", near, errors.number(0), errors.build.constant("inf"))


def _bend_and_leap(errors: Errors, line: Line, size: str, error: str) -> str:
    return errors.line("add", _bend(errors, line, size, error), _leap(errors, line, size, error))


def _gap_bend(k: int) -> Bend:
    """f'/d times the error, d = argument k: f is as d^2"""
    return lambda errors, line, size, error: errors.mul(
        errors.number(EPSILON),
        errors.line("mul", size, errors.line("div", error, errors.size(line.arguments[k]))),
    )


def _product_bend(k: int) -> Bend:
    """Half the error of the other factor"""
    return lambda errors, line, size, error: errors.mul(errors.number(EPSILON / 2), errors.error(line.arguments[1 - k]))


EPSILON = 2.0**-52

# What is to be added to the size of a derivative, by the argument, where that may be smaller than the argument's error.
QUADRATIC: dict[str, dict[int, Bend]] = {
    "mul": {0: _product_bend(0), 1: _product_bend(1)},
    "exp": {0: _leap},
    "expm1": {0: _leap},
    "e2": {0: _bend_and_leap},
    "log_cosh": {0: _half_bend},
    "log_sinhc": {0: _half_bend},
    **{name: {2: _gap_bend(2)} for name in ("phi", "klrem", "lgrem", "grem", "log_i0_remainder")},
    "lbetarem": {4: _gap_bend(4), 5: _gap_bend(5)},
}

# Primitives that cross zero with only an absolute accuracy there: |value| plus these magnitudes.
ABSOLUTE: dict[str, Slope] = {
    "lgamma_difference": _largest(_start_slope),
    "log_rising": _largest(_rising_term),
    "log_kve": _largest(_one),
    "log_tricomi_u": _largest(_one),
    "log_parabolic_u": _largest(_one),
    "sin": _largest(),
    "cos": _largest(_one),
}


def _binet(errors: Errors, line: Line) -> str:
    """3/8 min(|d|, 1): four units of what Binet's function changes by, which is in one double."""
    gap = errors.line("min", errors.size(line.arguments[2]), errors.number(1))
    return errors.mul(errors.number(0.375), gap)


# What a value and its rest lack beside 2^-10 of the primitive's own error.
LEFT: dict[str, Slope] = {"lgamma_difference": _binet}
