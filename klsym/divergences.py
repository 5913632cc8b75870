"""The divergences, each as its definition."""

from __future__ import annotations

import sympy as sp

from .core.divergence import Divergence, Operator


# Named functions, not lambdas: what holds a divergence can then be pickled.
def _kl(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return P(log_p - log_q)


def _reverse_kl(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return Q(log_q - log_p)


def _jeffreys(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return P(log_p - log_q) + Q(log_q - log_p)


def _cross_entropy(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return P(-log_q)


def _entropy(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return P(-log_p)


SHARED = frozenset({"nonnegative", "zero-on-diagonal", "bijection-invariant", "jointly-convex"})

kl = Divergence("kl", "KL(P || Q)", _kl, SHARED)
reverse_kl = Divergence("reverse_kl", "KL(Q || P)", _reverse_kl, SHARED)
jeffreys = Divergence("jeffreys", "J(P, Q)", _jeffreys, SHARED | {"symmetric"})
cross_entropy = Divergence("cross_entropy", "H(P, Q)", _cross_entropy)
entropy = Divergence("entropy", "H(P)", _entropy, arity=1)
