"""A formula at numbers, to as many digits as asked, each digit accounted for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import mpmath as mp
import sympy as sp
from sympy.core.function import AppliedUndef

from . import oracles
from .core.derivation import Case
from .core.errors import ParameterError, UnsettledError
from .core.reach import reached
from .core.running import running
from .core.value import Proof, Value

if TYPE_CHECKING:
    from .api import Formula

GUARD_DIGITS = 12
MAX_DIGITS = 20_000
# Of rising precision: from 27 digits to 792, where what cancels to below 1e-396 counts as 0.
ROUNDS = 9


@dataclass(frozen=True)
class Number:
    """A value to `digits` significant digits, and how it is proven; `rad` bounds its error where that is measured."""

    value: mp.mpf
    digits: int
    proof: Proof
    unit: str
    why: str
    rad: mp.mpf | None = None

    @property
    def error(self) -> mp.mpf:
        """What the value may be off, absolutely."""
        if self.rad is not None or not mp.isfinite(self.value):
            return self.rad or mp.mpf(0)
        return abs(self.value) * mp.mpf(10) ** -self.digits

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        return mp.nstr(self.value, self.digits, strip_zeros=False) if mp.isfinite(self.value) else str(self.value)

    def to_json(self) -> dict[str, Any]:
        return {
            "value": str(self),
            "digits": self.digits,
            "error": mp.nstr(self.error, 3),
            "proof": self.proof,
            "unit": self.unit,
            "why": self.why,
        }


def holding_case(cases: tuple[Case, ...], point: dict[sp.Symbol, sp.Expr]) -> Case | None:
    """The first case whose condition holds at the point."""
    for case in cases:
        when = case.when.xreplace(point)
        if when == sp.true:
            return case
        if when != sp.false:
            raise ParameterError(
                f"whether {when} holds cannot be decided; bind {', '.join(map(str, when.free_symbols))}"
            )
    return None


def evaluate(formula: Formula, digits: int) -> Number:
    """The formula's value, all its parameters bound to numbers.

    A closed form is evaluated at rising precision until rounding leaves its digits; what is not closed is measured
    from the definition, in balls where python-flint proves that many digits, else by quadrature, whose estimate limits
    them; and so is what does not settle. UnsettledError where neither gives digits.
    """
    if formula.parameters:
        names = ", ".join(map(str, formula.parameters))
        raise ParameterError(f"{formula.title} needs numbers for {names}: evaluate({formula.parameters[0]}=…)")
    if not 1 <= digits <= MAX_DIGITS:
        raise ParameterError(f"digits is {digits}; it must lie between 1 and {MAX_DIGITS}")
    case = holding_case(formula.cases, {})
    if case is None:
        raise ParameterError(f"{formula.title} has no case that holds")
    if case.kind == "infinite":
        value = mp.inf if case.value.is_extended_positive else -mp.inf
        return Number(value, digits, "exact", formula.unit, case.why)
    lost = ""
    if case.kind == "closed":
        try:
            return Number(precise(case.value, digits), digits, "estimate", formula.unit, "two working precisions agree")
        except UnsettledError as error:
            lost = f"{error}; "
    measured = _measured(formula, digits)
    if not measured.vouched:
        raise UnsettledError(f"{lost}quadrature of {formula.title} could not be vouched for: {measured.note}")
    unit = formula.derivation.divergence.unit(formula.base).evalf(digits + GUARD_DIGITS)
    with mp.workdps(digits + GUARD_DIGITS):
        in_nats = mp.mpf(unit._to_mpmath(mp.mp.prec))
        value, error = measured.mid / in_nats, measured.rad / abs(in_nats)
        known = (
            digits
            if measured.rad == 0
            else int(mp.floor(-mp.log10(measured.rad / max(abs(measured.mid), measured.rad))))
        )
        why = "balls of the definition" if measured.proof == "ball" else "quadrature of the definition"
        why = "; ".join(part for part in (why, measured.note) if part)
        if known < 1 and not _one(formula):
            size = mp.nstr(error, 2)
            raise UnsettledError(
                f"{lost}{formula.title} is within {size} of {mp.nstr(value, 2)}, by {why}, which leaves no digit"
            )
        shown = max(1, min(digits, known))
        return Number(value, shown, measured.proof, formula.unit, why, error)


def _one(formula: Formula) -> bool:
    """Whether P and Q are the same, so that the value is 0."""
    return "zero-on-diagonal" in formula.derivation.divergence.axioms and formula.p == formula.q


def _measured(formula: Formula, digits: int) -> Value:
    """The definition as a ball that is narrow enough, or else as an estimate."""
    arguments = formula.derivation.divergence, formula.p, formula.q, digits
    if find_spec("flint"):
        proven = oracles.measure(*arguments, proof="ball")
        if proven.vouched and proven.rad <= abs(proven.mid) * mp.mpf(10) ** -digits:
            return proven
    return oracles.measure(*arguments)


def unit_base(base: Any) -> sp.Expr | None:
    """The base of the logarithm that is the unit, None for nats; a bad one raises ParameterError."""
    if base is None:
        return None
    value = sp.Rational(str(base)) if isinstance(base, (int, float)) else base
    if not isinstance(value, sp.Expr) or value.atoms(AppliedUndef) or not value.is_positive or value == 1:
        raise ParameterError(f"base is {base}; it must be a positive number other than 1")
    return None if value == sp.E else value


def precise(value: sp.Expr, digits: int) -> mp.mpf:
    """The number to `digits` significant digits: the precision rises until its radius is as small as that.

    What stays within its radius, and below the square root of every precision tried, to thousands of digits, is 0,
    which is exact for P = Q. One that does not settle raises UnsettledError.
    """
    working = digits + GUARD_DIGITS
    for round_ in range(ROUNDS):
        with reached("the closed form"):  # which may take long to print
            number, radius = running(value, int(3.33 * working) + 10)
        with mp.workdps(working):
            if mp.isinf(number) and not radius:
                return number
            if radius <= abs(number) * mp.mpf(10) ** (-digits - 2):
                return number
            if round_ == ROUNDS - 1 and abs(number) + radius < mp.mpf(10) ** (-working // 2):
                return mp.mpf(0)
            lost = mp.log10(radius / abs(number)) if number and mp.isfinite(radius) else -digits
        working += max(working // 2, 20, min(int(lost) + digits + 5, 2 * working))
    raise UnsettledError(f"the closed form did not settle to {digits} digits")


def settled(compute: Callable[[int], mp.mpf], digits: int, what: Any) -> mp.mpf:
    """What `compute` gives at so many working digits, which grow until two results agree.

    A value that stays below the square root of every precision tried, to thousands of digits, is 0, which is exact for
    P = Q. One that does not settle raises UnsettledError.
    """
    working, previous = digits + GUARD_DIGITS, None
    for round_ in range(ROUNDS):
        with mp.workdps(working):
            current = compute(working)
            if mp.isinf(current):
                return current
            if previous is not None and abs(current - previous) <= abs(current) * mp.mpf(10) ** (-digits - 2):
                if current or round_ == ROUNDS - 1:
                    return current
            elif round_ == ROUNDS - 1 and abs(current) < mp.mpf(10) ** (-working // 2):
                return mp.mpf(0)
            previous, working = current, working + max(working // 2, 20)
    raise UnsettledError(f"{what} did not settle to {digits} digits")


def real_number(value: sp.Expr, digits: int) -> Any:
    """The SymPy number as an mpmath real; a nonreal or unevaluated one is an error of the formula."""
    with reached("the closed form"):  # which may take long to print
        return _real_number(value, digits)


def _real_number(value: sp.Expr, digits: int) -> Any:
    number = value.evalf(digits, maxn=3 * digits)
    if number.has(sp.nan):
        raise ArithmeticError("it evaluates to NaN")
    if not number.is_Float and not number.is_Rational:
        re, im = number.as_real_imag()
        if not (re.is_number and im.is_number) or abs(im) > sp.Float(10) ** (-digits // 2) * (1 + abs(re)):
            raise ArithmeticError(f"{value} evaluates to {number}")
        number = re
    return number._to_mpmath(mp.mp.prec)


def as_value(value: sp.Expr, digits: int) -> Value:
    """A closed expression as a Value whose radius is what its last two precisions differ by."""
    if value in (sp.oo, -sp.oo):
        return Value(mp.inf if value == sp.oo else -mp.inf, mp.mpf(0), "exact")
    number = precise(value, digits)
    with mp.workdps(digits + GUARD_DIGITS):
        return Value(number, abs(number) * mp.mpf(10) ** (-digits), "estimate")
