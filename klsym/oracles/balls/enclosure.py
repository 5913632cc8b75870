"""Expectations as proven values: balls as narrow as is asked for where that can be had, infinities, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.logic.boolalg import Boolean

from ...core.ball import flint, to_mpmath
from ...core.errors import ParameterError
from ...core.family import Distribution
from ...core.value import Value
from ..integrand import Bindings, demand_numbers
from .ends import Infinite, Integrand, Refused
from .growth import Unbounded
from .integral import integral
from .total import total
from .walker import Unspelled, Walker

Ball = Any
GUARD = 12
ROUNDS = 4
# A ball with this radius that is wider than its own midpoint is a refusal.
WIDE = 1e-3


def expected(p: Distribution, log_p: sp.Expr, g: sp.Expr, bindings: Bindings, condition: Boolean, digits: int) -> Value:
    """E[g; condition] under the density exp(log_p) on the support of p, the parameters' symbols bound.

    A ball of that many digits, or as narrow as could be had in a few rounds of growing precision; an infinity that is
    proven; or a value that is not vouched for, whose note says what could not be proven.
    """
    demand_numbers(p.family.variable, (log_p, g), bindings)
    f = Integrand(p.family.variable, log_p, g, dict(bindings))
    rule = total if p.family.discrete else integral
    return _value(lambda bits: rule(f, condition, p.support.lower, p.support.upper, bits), digits)


def mass(p: Distribution, log_p: sp.Expr, bindings: Bindings, digits: int) -> Value:
    """The integral of exp(log_p), or its sum, over the support of p."""
    return expected(p, log_p, sp.S.One, bindings, sp.true, digits)


def enumerated(points: Mapping[int, sp.Expr], terms: Mapping[int, sp.Expr], digits: int) -> Value:
    """The sum of exp(points[k]) * terms[k], log masses and factors of finitely many outcomes as numbers."""

    def compute(bits: int) -> Ball:
        walker = Walker(sp.Dummy("x", real=True))
        return sum((walker.ball(a).exp() * walker.ball(terms[k]) for k, a in points.items()), flint().arb(0))

    return _value(compute, digits)


def combined(formula: sp.Expr, parts: Mapping[sp.Symbol, Value], digits: int) -> Value:
    """The formula at values that are balls."""
    if formula in parts:
        return parts[formula]
    return _value(
        lambda bits: Walker(sp.Dummy("x", real=True), {s: _ball(v) for s, v in parts.items()}).ball(formula), digits
    )


def _ball(value: Value) -> Ball:
    return flint().arb(_exactly(value.mid), _exactly(value.rad))


def _exactly(x: mp.mpf) -> Ball:
    sign, mantissa, exponent, _ = x._mpf_
    return flint().arb((int(-mantissa if sign else mantissa), exponent))


def _value(compute: Callable[[int], Ball | Infinite], digits: int) -> Value:
    """The result at a precision that rises until the radius is small beside the value, a few times at most."""
    if not find_spec("flint"):
        raise ParameterError("a proof by balls needs python-flint; install klsym[cert], or ask for proof='estimate'")
    wanted = int(3.33 * digits) + 2
    bits, best, why = wanted + GUARD, None, ""
    for _ in range(ROUNDS):
        try:
            with flint().ctx.workprec(bits + 32):
                found = compute(bits)
        except (Refused, Unbounded, Unspelled) as error:
            why = str(error)
            break
        if isinstance(found, Infinite):
            return Value(found.sign * mp.inf, mp.mpf(0), "exact", found.why)
        if not found.is_finite():
            why = "the arithmetic has no finite ball"
            bits *= 2
            continue
        if best is not None and not found.rad() < best.rad():
            break
        best = found
        lacking = wanted - found.rel_accuracy_bits()
        if lacking <= 0 or (found.contains(0) and found.rad() < flint().arb(2) ** -(2 * wanted)):
            break
        bits += min(int(lacking), 2 * bits) + 8
    if best is not None and best.rel_accuracy_bits() < 1 and best.rad() > WIDE:
        best, why = None, f"the ball, of radius {best.rad().str(2, radius=False)}, says nothing"
    if best is None:
        return Value(mp.nan, mp.inf, "ball", why)
    return Value(to_mpmath(best.mid()), to_mpmath(best.rad()), "ball")
