"""The divergence of two mixtures of scalars that is a function of one mean of a bounded f, as a ball.

Where f is convex, f >= 0 and f(1) = 0, q f(p/q) lies between 0 and f(0) q + f'(oo) p, f'(oo) its slope at infinity
(Liese and Vajda, IEEE Trans. Inf. Theory 52, 2006, II). So if both are finite, what a range leaves out of the integral
lies between 0 and f(0) Q(A) + f'(oo) P(A), A the rest: as for KL no tail of any family is needed, since densities
integrate to 1. The integral of p^alpha q^(1 - alpha) is 1 less that of f(t) = alpha t + 1 - alpha - t^alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import sympy as sp

from ..core.ball import flint, to_mpmath
from ..core.divergence import RATIO, Divergence
from ..core.mixture import Mixture
from ..derive.ratios import Ratio, generated
from ..oracles.balls.walker import Point, Walker
from .balls import Components, Range, constant, with_precision
from .law import law

Ball = Any
U, MEAN = sp.Symbol("u", real=True), sp.Symbol("mean", real=True)
ROUNDS = 3


@dataclass(frozen=True)
class Bounded:
    """f, its slope at infinity and its value at 0, and the divergence as a function of the mean, `MEAN`."""

    generator: sp.Expr
    slope: sp.Expr
    at_zero: sp.Expr
    outer: sp.Expr


def order(divergence: Divergence) -> tuple[sp.Expr, sp.Expr, sp.Symbol]:
    """Of a function of the integral of p^alpha q^(1 - alpha): alpha, the function, and its argument."""
    log_p, log_q = sp.symbols("log_p log_q", real=True)
    found: list[sp.Expr] = []

    def mean(g: sp.Expr) -> sp.Expr:
        found.append(1 - sp.expand(g.args[0]).coeff(log_q))
        return MEAN

    formula = divergence.written(log_p, log_q, mean, mean)
    return found[0], formula, MEAN


def bounded(divergence: Divergence, p: Mixture, q: Mixture) -> Bounded | None:
    """The divergence by a bounded generator; None where it is not that of one."""
    if divergence.integral:
        alpha, formula, mean = order(divergence)
        if not (0 < alpha) & (alpha < 1):
            return None
        outer = formula.xreplace({mean: 1 - mean})
        return Bounded(alpha * RATIO + 1 - alpha - RATIO**alpha, alpha, 1 - alpha, outer)
    if divergence.generator is None or divergence.parts:
        return None
    of = Ratio(divergence, law(p), law(q))
    slope, at_zero = of.alone
    if slope.is_infinite or at_zero.is_infinite:
        return None
    return Bounded(divergence.generator, slope, at_zero, of.outer(MEAN))


def measure(of: Bounded, p: Mixture, q: Mixture, digits: int) -> tuple[mp.mpf, mp.mpf]:
    """The midpoint and the radius; Unspelled or ArithmeticError where there is no such proof.

    The precision rises until the radius is small beside the value, three times at most.
    """
    bits = int(3.33 * digits) + 22
    value = flint().arb(0)
    for _ in range(ROUNDS):
        value = with_precision(lambda bits=bits: _measured(of, p, q, bits), bits)
        if not value.is_finite():
            raise ArithmeticError("the integral has no finite ball")
        lacking = digits * 3.33 + 4 - value.rel_accuracy_bits()
        if lacking <= 0:
            break
        bits += max(16, min(int(lacking), 4 * bits)) + 8
    return to_mpmath(value.mid()), to_mpmath(value.rad())


def _measured(of: Bounded, p: Mixture, q: Mixture, bits: int) -> Ball:
    """The outer function of the mean over a range that holds nearly all of both, and of what is beyond it."""
    arb, acb = flint().arb, flint().acb
    pool = Mixture((*(w / 2 for w in p.weights), *(w / 2 for w in q.weights)), (*p.components, *q.components))
    ours, theirs, range_of, count = Components(p), Components(q), Range(pool, pool, bits), len(p.components)
    slope, at_zero = constant(of.slope), constant(of.at_zero)
    term = _term(of.generator)

    def places(at: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return tuple(i for i in at.ours if i < count), tuple(i - count for i in at.ours if i >= count)

    def inside(z: Ball, analytic: bool, at: Any) -> Ball:
        mine, other = places(at)
        if not other:
            return slope * ours.mass(z, analytic, mine)
        if not mine:
            return at_zero * theirs.mass(z, analytic, other)
        return term(ours.log_density(z, analytic, mine), theirs.log_density(z, analytic, other), analytic)

    def held(z: Ball, analytic: bool, at: Any) -> Ball:
        mine, other = places(at)
        return slope * ours.mass(z, analytic, mine) + at_zero * theirs.mass(z, analytic, other)

    mean = range_of.total(inside)
    if not range_of.whole:
        beyond = slope + at_zero - range_of.total(held)
        mean += arb(0).union(arb(beyond.abs_upper()))
    found = Walker(MEAN).function(of.outer)(Point(acb(mean)))
    if not found.imag.contains(0):
        raise ArithmeticError("the mean is not known to be in the function's domain")
    return found.real


def _term(generator: sp.Expr) -> Callable[[Ball, Ball, bool], Ball]:
    """q f(p/q) as p times a function of log(p/q) or as q times another, whichever is the larger."""
    by_q = generated(generator, U)
    by_p = sp.expand(sp.exp(-U) * by_q)
    walker = Walker(U)
    of_p, of_q = walker.function(by_p), walker.function(by_q)

    def at(log_p: Ball, log_q: Ball, analytic: bool) -> Ball:
        u = log_p - log_q
        larger = math.isfinite(middle := float(u.real.mid())) and middle > 0
        return (log_p.exp() * of_p(Point(u, analytic))) if larger else (log_q.exp() * of_q(Point(u, analytic)))

    return at
