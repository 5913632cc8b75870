"""The divergences, each as its definition."""

from __future__ import annotations

from .core.divergence import Divergence

kl = Divergence(
    name="kl",
    notation="KL(P || Q)",
    define=lambda log_p, log_q, P, Q: P(log_p - log_q),
    axioms=frozenset({"nonnegative", "zero-on-diagonal", "bijection-invariant", "jointly-convex"}),
)

reverse_kl = Divergence(
    name="reverse_kl",
    notation="KL(Q || P)",
    define=lambda log_p, log_q, P, Q: Q(log_q - log_p),
    axioms=frozenset({"nonnegative", "zero-on-diagonal", "bijection-invariant", "jointly-convex"}),
)

jeffreys = Divergence(
    name="jeffreys",
    notation="J(P, Q)",
    define=lambda log_p, log_q, P, Q: P(log_p - log_q) + Q(log_q - log_p),
    axioms=frozenset({"nonnegative", "zero-on-diagonal", "bijection-invariant", "jointly-convex", "symmetric"}),
)

cross_entropy = Divergence(
    name="cross_entropy",
    notation="H(P, Q)",
    define=lambda log_p, log_q, P, Q: P(-log_q),
)

entropy = Divergence(
    name="entropy",
    notation="H(P)",
    define=lambda log_p, log_q, P, Q: P(-log_p),
    arity=1,
)
