"""A divergence from its generator: f(t) of the ratio t = p/q of the densities, convex, with f(1) = 0.

D = E_Q[f(p/q)] where both have mass, with f(0) for each unit of mass that Q has alone and the slope of f at infinity
for each that P has alone (Csiszar, Studia Sci. Math. Hungar. 2, 1967; Liese and Vajda, IEEE Trans. Inf. Theory 52,
2006).
To add c (t - 1) to f changes nothing, so f is taken with f'(1) = 0, and then f >= 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.core.function import AppliedUndef

from .core.divergence import RATIO, Divergence, Operator
from .core.domain import Domain
from .core.errors import KlsymError, ParameterError
from .core.grammar import FUNCTIONS, parse
from .core.worker import call
from .divergences import SHARED, kl, reverse_kl

SECONDS = 20.0
KNOWN = (*{build for build, *_ in FUNCTIONS.values() if isinstance(build, type)}, sp.Add, sp.Mul, sp.Pow)
# Where convexity is tried: about 1, and far from it both ways.
RATIOS = sorted({mp.ldexp(1, k) for k in range(-40, 41)} | {1 + mp.mpf(k) / 64 for k in range(-48, 129)})
FAR = sp.Integer(10) ** 40
EXPONENT = Domain("real", -sp.oo, sp.oo)(sp.Symbol("alpha", real=True))


def _power(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator, alpha: sp.Expr) -> sp.Expr:
    """The integral of p^alpha q^(1 - alpha), less 1, under the law that must have mass where the other has"""
    if alpha > 0:
        return P(sp.exp((1 - alpha) * (log_q - log_p))) - 1
    return Q(sp.exp(alpha * (log_p - log_q))) - 1


power = Divergence(
    "power",
    "c[alpha](P, Q) - 1",
    _power,
    frozenset({"bijection-invariant"}),
    parameters=(EXPONENT,),
    values=(EXPONENT.symbol,),
    unitless=True,
)


@dataclass(frozen=True)
class Shared:
    """The definition by any f as E_P[g] + E_Q[g], g = f(t)/(1 + t), for q f(t) = (p + q) g.

    g is as smooth as f is, and bounded where f(0) and the slope at infinity are finite.
    """

    generator: sp.Expr
    at_zero: sp.Expr
    slope: sp.Expr

    def __call__(self, log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
        t = sp.exp(log_p - log_q)
        inside = self.generator.xreplace({sp.log(RATIO): log_p - log_q}).xreplace({RATIO: t}) / (1 + t)
        return P(inside, self.slope) + Q(inside, self.at_zero)


@dataclass(frozen=True)
class Combined:
    """The definition as a sum of multiples of divergences"""

    parts: tuple[tuple[sp.Expr, Divergence], ...]

    def __call__(self, log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
        return sp.Add(*(c * part.written(log_p, log_q, P, Q) for c, part in self.parts))


def generated(f: Any) -> Divergence:
    """The divergence of a generator: a text in t, a SymPy expression in one symbol, a Lambda, or a function of one.

    ParameterError says what is wrong: other names or functions, f(1) != 0, an f that is not convex.

    >>> generated("t*log(t)").generator
    t*log(t) - t + 1
    >>> generated("t**2")
    Traceback (most recent call last):
    klsym.core.errors.ParameterError: f(1) is 1 for f = t**2; a generator is 0 where p = q: subtract 1
    """
    if isinstance(f, str):
        return call(_from_text, f, seconds=SECONDS)
    return _made(_expression(f))


def _from_text(text: str) -> Divergence:
    try:
        return _made(parse(text, {RATIO.name: RATIO}))
    except KlsymError as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError(f"f is {text[:60]!r}, which is not read: {error}; its one name is t") from None


def _expression(f: Any) -> sp.Expr:
    """The generator over `RATIO`, its floats as the decimals that they print."""
    value: Any
    if isinstance(f, sp.Lambda) and len(f.variables) == 1:
        value = f(RATIO)
    elif isinstance(f, sp.Expr):
        symbols = list(f.free_symbols)
        if len(symbols) > 1:
            raise ParameterError(f"f is {f}, which has {len(symbols)} symbols; it is a function of the ratio p/q alone")
        value = f.xreplace(dict.fromkeys(symbols, RATIO))
    elif callable(f):
        try:
            value = f(RATIO)
        except Exception as error:
            raise ParameterError(
                f"f fails for a SymPy symbol, {type(error).__name__}: {error}; write it with functions of SymPy, or as "
                "a text, 't*log(t)'"
            ) from error
    else:
        raise ParameterError(f"f is a {type(f).__name__}; a text, a SymPy expression or a function is needed")
    if not isinstance(value, sp.Expr):
        raise ParameterError(f"f gives a {type(value).__name__} for a SymPy symbol; it must give a SymPy expression")
    return value.xreplace({number: sp.Rational(str(number)) for number in value.atoms(sp.Float)})


def _made(f: sp.Expr) -> Divergence:
    for node in sp.preorder_traversal(f):
        if (
            isinstance(node, AppliedUndef)
            or (node.args and not isinstance(node, KNOWN))
            or node in (sp.nan, sp.zoo, sp.I)
        ):
            raise ParameterError(
                f"f = {f} has {node}, which is outside the grammar: arithmetic, and functions as log, exp"
            )
    if f.free_symbols - {RATIO}:
        raise ParameterError(f"f = {f} has a symbol of its own; it is a function of the ratio p/q alone")
    at_one = f.xreplace({RATIO: sp.S.One})
    if at_one != 0 and not at_one.equals(0):
        raise ParameterError(f"f(1) is {at_one} for f = {f}; a generator is 0 where p = q: subtract {at_one}")
    _demand_convex(f)
    slope = f.diff(RATIO).xreplace({RATIO: sp.S.One})
    # Of a kink at 1 this is the mean of both slopes, and the line of that slope lies below f too.
    slope = slope.replace(sp.Heaviside, lambda *_: sp.S.Half)
    generator = f - sp.expand(slope * (RATIO - 1)) if slope.is_finite else f
    parts = _parts(f)
    define = Combined(parts) if parts else Shared(generator, _at_zero(generator), _slope(generator))
    symmetric = SHARED | ({"symmetric"} if _same(generator, RATIO * generator.xreplace({RATIO: 1 / RATIO})) else set())
    bound = sp.oo if parts else _at_zero(generator) + _slope(generator)
    return Divergence(
        "f_divergence",
        f"D[{f}](P || Q)",
        define,
        symmetric,
        unitless=True,
        generator=generator,
        bound=bound,
        parts=parts,
    )


def _same(f: sp.Expr, g: sp.Expr) -> bool:
    return sp.expand_log(sp.expand(f - g)) == 0


def _parts(f: sp.Expr) -> tuple[tuple[sp.Expr, Divergence], ...]:
    """f as multiples of t log t, -log t and powers of t, whose divergences have rules; () where it is no such sum."""
    found: dict[Divergence, sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(f)):
        c, rest = term.as_independent(RATIO, as_Add=False)
        base, exponent = rest.as_base_exp()
        if rest in (1, RATIO):
            continue
        if rest == sp.log(RATIO):
            found[reverse_kl] = found.get(reverse_kl, sp.S.Zero) - c
        elif rest == RATIO * sp.log(RATIO):
            found[kl] = found.get(kl, sp.S.Zero) + c
        elif base == RATIO and exponent.is_real and exponent.is_number:
            found[power.subs({EXPONENT.symbol: exponent})] = c
        else:
            return ()
    return tuple((c, part) for part, c in found.items())


def _demand_convex(f: sp.Expr) -> None:
    """ParameterError where slopes between neighbouring ratios fall, or f is not real."""
    value = sp.lambdify(RATIO, f, modules="mpmath")
    with mp.workdps(60):
        try:
            values = [mp.mpmathify(value(t)) for t in RATIOS]
        except (ArithmeticError, ValueError, TypeError) as error:
            raise ParameterError(f"f = {f} cannot be computed for every ratio p/q > 0: {error}") from None
        strange = [t for t, v in zip(RATIOS, values, strict=True) if mp.im(v) != 0 or not mp.isfinite(v)]
        if strange:
            raise ParameterError(f"f = {f} is no finite real number at t = {mp.nstr(strange[0], 6)}")
        points = list(zip(RATIOS, values, strict=True))
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)]
        sizes = [(abs(a[1]) + abs(b[1])) / (b[0] - a[0]) for a, b in pairwise(points)]
        for k, (left, right) in enumerate(pairwise(slopes)):
            if right < left - mp.mpf(10) ** -45 * (sizes[k] + sizes[k + 1]):
                where = mp.nstr(RATIOS[k + 1], 6)
                raise ParameterError(f"f = {f} is not convex about t = {where}; only a convex f gives a divergence")


def _at_zero(f: sp.Expr) -> sp.Expr:
    return _limit(f, 1 / FAR, sp.S.Zero, "+")


def _slope(f: sp.Expr) -> sp.Expr:
    """The limit of f(t)/t at infinity."""
    return _limit(sp.expand(f / RATIO), FAR, sp.oo, "-")


def _limit(f: sp.Expr, near: sp.Expr, place: sp.Expr, side: str) -> sp.Expr:
    """The limit, every kink replaced by the branch that holds close to the place."""

    def largest(*each: sp.Expr, sign: int = 1) -> sp.Expr:
        return max(each, key=lambda e: sign * _number(e, near))

    smooth = f.replace(sp.Abs, lambda e: e if _number(e, near) >= 0 else -e)
    smooth = smooth.replace(sp.Max, largest).replace(sp.Min, lambda *each: largest(*each, sign=-1))
    found = sp.limit(smooth, RATIO, place, side)
    if not found.is_number or not (found.is_real or found.is_infinite):
        raise ParameterError(f"the limit of {f} at t = {place} is not known; write f with fewer functions")
    return found


def _number(e: sp.Expr, t: sp.Expr) -> float:
    value = e.xreplace({RATIO: t}).evalf(30)
    return math.inf if value.is_infinite else float(sp.sign(value) * min(abs(value), sp.Float(10) ** 300))
