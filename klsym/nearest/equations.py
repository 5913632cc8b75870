"""What the nearest member satisfies: for each free parameter, the mean of its score under P is 0."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from ..core.derivation import Expectation, Step
from ..core.differentiate import differentiated
from ..core.domain import Domain, Interval
from ..core.errors import ParameterError, UnderivableError
from ..core.family import Distribution
from ..derive.linear import ONE, linear

P = sp.Symbol("P")


class Median(sp.Function):
    """The median of g(X) under P, for g(x) its argument."""

    nargs = (1,)
    is_commutative = True
    is_extended_real = True

    def _sympystr(self, printer: object) -> str:
        return f"median_P[{self.args[0]}]"


def mean(integrand: sp.Expr) -> sp.Expr:
    """E_P of a function of the outcome, unevaluated; what is free of the outcome stays as it is."""
    return Expectation(integrand, sp.true, P)


@dataclass(frozen=True)
class Target:
    """A family to project onto: a member of it, with the symbols that are free to move."""

    member: Distribution
    free: tuple[sp.Symbol, ...]

    @property
    def x(self) -> sp.Symbol:
        """The outcome, as positive as the support lets it be."""
        family, lower = self.member.family, self.member.support.lower
        facts = {"nonnegative" if family.discrete else "positive": True} if lower.is_nonnegative else {}
        return sp.Symbol(family.variable.name, **({"integer": True} if family.discrete else {"real": True}) | facts)

    @property
    def log_density(self) -> sp.Expr:
        return self.member.log_density(self.x)

    @property
    def scores(self) -> tuple[sp.Expr, ...]:
        """The derivatives of the log density by each free parameter."""
        return tuple(differentiated(self.log_density, s) for s in self.free)

    def domain(self, symbol: sp.Symbol) -> Domain:
        return next(p.domain for p, v in self.member.arguments if v == symbol)

    def at(self, values: dict[sp.Symbol, sp.Expr]) -> Distribution:
        """The member at these values; ParameterError where they are outside the domains."""
        return self.member.family(*(v.xreplace(values) for v in self.member.values))


def target(member: Distribution, taken: set[sp.Symbol]) -> Target:
    """The target that a member with some parameters bound means; `taken` are P's own symbols, which are bound too."""
    free = tuple(v for v in member.values if isinstance(v, sp.Symbol) and v not in taken)
    family = member.family
    if not free:
        raise ParameterError(f"{member} has no free parameter; give the family, or a name for what is to be found")
    found = Target(member, free)
    scores = dict(zip(free, found.scores, strict=True))
    for p, v in member.arguments:
        if v in free and p.domain.integer and (not ends(member, v) or found.x in scores[v].free_symbols):
            raise ParameterError(f"{v} of {family.name} is a whole number, which no derivative finds; bind it")
    return found


def ends(member: Distribution, symbol: sp.Symbol) -> str:
    """Which end of the member's support the symbol is: "lower", "upper", or "" if none."""
    support = member.support
    return "lower" if support.lower == symbol else "upper" if support.upper == symbol else ""


@dataclass(frozen=True)
class System:
    """The mean scores as expressions in the free parameters and in expectations under P, and the steps to them."""

    target: Target
    equations: dict[sp.Symbol, sp.Expr]
    steps: tuple[Step, ...]


def system(of: Target, bound: dict[sp.Symbol, sp.Expr]) -> System:
    """E_P[d log q/d theta] = 0 for each theta that is not among the `bound`, each score a sum over statistics.

    The gradient of KL(P || Q) by the parameters of Q is that of -E_P[log q]: P's own entropy does not move.
    """
    x, steps, equations = of.x, [], {}
    log_q = of.log_density.xreplace(bound)
    cross = _averaged(log_q, x)
    steps.append(Step("cross-entropy", mean(-log_q), -cross, why="KL(P || Q) and -E_P[log q] differ by P's entropy"))
    for symbol, score in zip(of.free, of.scores, strict=True):
        if symbol in bound:
            continue
        own = ends(of.member, symbol)
        if own or symbol in (of.member.support.lower.free_symbols | of.member.support.upper.free_symbols):
            raise UnderivableError(
                f"{symbol} of {of.member.family.name} moves the support, and log q has no slope there; bind it to a "
                "number"
            )
        equations[symbol] = _averaged(score.xreplace(bound), x)
        why = f"the derivative by {symbol} under the expectation vanishes"
        steps.append(Step("stationarity", mean(score.xreplace(bound)), sp.S.Zero, why=why))
    return System(of, equations, tuple(steps))


def _averaged(function: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """E_P of a function of the outcome as a combination of statistics."""
    return sp.Add(*(c if atom == ONE else c * mean(atom) for atom, c in linear(function, x).items()))


def moving_ends(of: Target, lower: sp.Expr, upper: sp.Expr) -> tuple[dict[sp.Symbol, sp.Expr], list[Step]]:
    """The free ends of the support, at the ends of P's, where the density grows as the support shrinks.

    d log q/d(end) is free of the outcome and points inward: no member with a larger support is nearer, and any smaller
    one is infinitely far.
    """
    bound, steps = {}, []
    for symbol, score in zip(of.free, of.scores, strict=True):
        side = ends(of.member, symbol)
        if not side:
            continue
        if of.x in score.free_symbols or not _inward(score, side, of.member.support):
            continue
        value = lower if side == "lower" else upper
        if not value.is_finite:
            raise UnderivableError(f"every member of {of.member.family.name} is infinitely far: P has no {side} end")
        bound[symbol] = value
        way = "below" if side == "lower" else "above"
        steps.append(
            Step("end", symbol, value, why=f"the density grows with {symbol} until P has mass {way} the support")
        )
    return bound, steps


def _inward(score: sp.Expr, side: str, support: Interval) -> bool:
    """Whether the density grows as that end moves into the support, seen with b = a + w or b = a (1 + w), w > 0."""
    w, low = sp.Dummy("w", positive=True), support.lower
    wider = [low + w, low * (1 + w)] if isinstance(support.upper, sp.Symbol) else [support.upper]
    seen = [sp.cancel(sp.expand_log(score.subs(support.upper, high))) for high in wider]
    return any(e.is_positive if side == "lower" else e.is_negative for e in seen)


__all__ = ["Median", "P", "System", "Target", "ends", "mean", "moving_ends", "system", "target"]
