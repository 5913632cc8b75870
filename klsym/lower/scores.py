"""What an integrand changes by with the parameters: a function of both masses and d times the scores of P and Q.

The derivative of f(q/p) p by log p is (f(v) - v f'(v)) p, and by log q it is v f'(v) p, at v = q/p. Means of scores are
0, so that either may be taken as what it has above its value at v = 1: near P = Q it is of first order, as d is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from .integrand import LOG_P, MASS_P, MASS_Q, D, Integrand, V, expanded, far_of, near_of
from .rewrites import head


@dataclass(frozen=True)
class Slopes:
    """The derivatives of an integrand by log p and log q, and by symbols of the divergence's own, as functions of d.

    `bends` are the derivatives of the first two by log q.
    """

    by_p: sp.Expr
    by_q: sp.Expr
    by_own: Callable[[sp.Symbol], sp.Expr]
    bends: tuple[sp.Expr, sp.Expr]

    def along(self, score_p: sp.Expr, score_q: sp.Expr) -> tuple[list[sp.Expr], sp.Expr]:
        """The terms of the derivative where log p and log q have these, and how much they move with log q at most."""
        terms = [part * score for part, score in ((self.by_p, score_p), (self.by_q, score_q)) if score != 0]
        bends = (
            _size(part, score)
            for bend, score in zip(self.bends, (score_p, score_q), strict=True)
            for part in sp.Add.make_args(sp.expand_mul(bend))
        )
        return terms, sp.Add(*bends)


def slopes(term: Integrand) -> Slopes:
    """The derivatives of an integrand that has no kink where the densities cross.

    >>> from klsym.divergences import kl
    >>> from klsym.lower.integrand import integrand
    >>> found = slopes(integrand(kl, meet=False))
    >>> found.by_p, found.by_q
    (d#*mass_p# + mass_p#, -mass_p#)
    """
    f = term.f
    if f is None:
        by_p = MASS_P * term.value.diff(MASS_P) + term.value.diff(D) + term.value.diff(LOG_P)
        by_q = -term.value.diff(D)
        return Slopes(by_p, by_q, term.value.diff, (-by_p.diff(D), -by_q.diff(D)))
    slope = _collected(f.diff(V))
    rest = _collected(f - V * f.diff(V))
    bends = _by_log_q(far_of(rest)), _by_log_q(far_of(V * slope))
    if not term.above:
        return Slopes(far_of(rest), far_of(V * slope), lambda own: far_of(_collected(f.diff(own))), bends)

    def by_own(own: sp.Symbol) -> sp.Expr:
        moved = _collected(f.diff(own))
        return near_of(moved, moved.subs(V, 1), moved.diff(V).subs(V, 1))

    by_p, by_q = near_of(rest, rest.subs(V, 1)), near_of(slope, slope.subs(V, 1), mass=MASS_Q)
    return Slopes(by_p, by_q, by_own, bends)


def _size(part: sp.Expr, score: sp.Expr) -> sp.Expr:
    factor, mass = part.as_independent(MASS_P, MASS_Q, as_Add=False)
    return mass * head("abs")(factor * score) if part * score != 0 else sp.S.Zero


def _by_log_q(e: sp.Expr) -> sp.Expr:
    return MASS_Q * e.diff(MASS_Q) - e.diff(D)


def _collected(e: sp.Expr) -> sp.Expr:
    """A sum in v with its rational terms as one: of those that come from inside of logarithms most cancel."""
    terms = sp.Add.make_args(expanded(e))
    rational = [term for term in terms if term.is_rational_function(V)]
    return sp.Add(*(term for term in terms if term not in rational), sp.expand_mul(sp.cancel(sp.Add(*rational))))
