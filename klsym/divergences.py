"""The divergences, each as its definition."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy as sp

from .core.divergence import RATIO, Divergence, Operator
from .core.domain import Domain
from .core.errors import ParameterError
from .core.family import exact
from .core.names import checked_name


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


def _affinity(log_p: sp.Expr, log_q: sp.Expr, P: Operator, alpha: sp.Expr) -> sp.Expr:
    """The integral of p^alpha q^(1 - alpha)"""
    return P(sp.exp((1 - alpha) * (log_q - log_p)))


def _renyi(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator, alpha: sp.Expr) -> sp.Expr:
    return sp.log(_affinity(log_p, log_q, P, alpha)) / (alpha - 1)


def _chernoff(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator, alpha: sp.Expr) -> sp.Expr:
    return -sp.log(_affinity(log_p, log_q, P, alpha))


def _chernoff_information(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return _chernoff(log_p, log_q, P, Q, ALPHA)


def _bhattacharyya(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return -sp.log(_affinity(log_p, log_q, P, sp.S.Half))


def _hellinger2(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return 1 - _affinity(log_p, log_q, P, sp.S.Half)


def _hellinger(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return sp.sqrt(_hellinger2(log_p, log_q, P, Q))


def _chi2(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return _affinity(log_p, log_q, P, sp.Integer(2)) - 1


def _reverse_chi2(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return _affinity(log_q, log_p, Q, sp.Integer(2)) - 1


def _tsallis(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator, alpha: sp.Expr) -> sp.Expr:
    return (_affinity(log_p, log_q, P, alpha) - 1) / (alpha - 1)


def _alpha_divergence(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator, alpha: sp.Expr) -> sp.Expr:
    return (_affinity(log_p, log_q, P, alpha) - 1) / (alpha * (alpha - 1))


def _jensen_shannon(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator, weight: sp.Expr) -> sp.Expr:
    """The mean of KL(P || M) and KL(Q || M), where M = weight P + other Q"""
    other = 1 - weight
    over_p = weight + other * sp.exp(log_q - log_p)
    over_q = other + weight * sp.exp(log_p - log_q)
    return weight * P(-sp.log(over_p)) + other * Q(-sp.log(over_q))


def _jensen_shannon_distance(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return sp.sqrt(_jensen_shannon(log_p, log_q, P, Q, sp.S.Half))


def _total_variation(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return P(sp.Max(0, 1 - sp.exp(log_q - log_p)))


def _renyi_entropy(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator, alpha: sp.Expr) -> sp.Expr:
    return sp.log(P(sp.exp((alpha - 1) * log_p))) / (1 - alpha)


def _tsallis_entropy(log_p: sp.Expr, log_q: sp.Expr, P: Operator, Q: Operator, alpha: sp.Expr) -> sp.Expr:
    return (1 - P(sp.exp((alpha - 1) * log_p))) / (alpha - 1)


def _kolmogorov(x: sp.Expr, end: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    below = sp.Piecewise((1, x <= end), (0, True))
    return sp.Abs(P(below) - Q(below))


def _wasserstein1(x: sp.Expr, y: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return P(sp.Abs(x - y))


def _wasserstein2_squared(x: sp.Expr, y: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return P((x - y) ** 2)


def _wasserstein2(x: sp.Expr, y: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return sp.sqrt(_wasserstein2_squared(x, y, P, Q))


def _fisher_rao(score: sp.Expr, _: sp.Expr, P: Operator, Q: Operator) -> sp.Expr:
    return sp.sqrt(P(score**2))


VANISHING = frozenset({"nonnegative", "zero-on-diagonal", "bijection-invariant"})
SHARED = VANISHING | {"jointly-convex"}
LIMIT = frozenset({"kl-at-1"})

ALPHA = sp.Symbol("alpha", positive=True)
ORDER = Domain("order", sp.S.Zero, sp.oo)(ALPHA, 0.2, 1.8)
EXPONENT = Domain("exponent", sp.S.Zero, sp.S.One)(ALPHA, 0.1, 0.9)
NOT_ONE = sp.Ne(ALPHA, 1)
WEIGHT = sp.Symbol("weight", positive=True)
SHARE = Domain("weight", sp.S.Zero, sp.S.One)(WEIGHT, 0.1, 0.9)
MIXED = WEIGHT * RATIO + 1 - WEIGHT
JENSEN_SHANNON = WEIGHT * RATIO * sp.log(RATIO) - MIXED * sp.log(MIXED)
ENTROPY_OF_WEIGHTS = -WEIGHT * sp.log(WEIGHT) - (1 - WEIGHT) * sp.log(1 - WEIGHT)
HALF = {WEIGHT: sp.S.Half}

kl = Divergence("kl", "KL(P || Q)", _kl, SHARED)
reverse_kl = Divergence("reverse_kl", "KL(Q || P)", _reverse_kl, SHARED)
jeffreys = Divergence("jeffreys", "J(P, Q)", _jeffreys, SHARED | {"symmetric"})
cross_entropy = Divergence("cross_entropy", "H(P, Q)", _cross_entropy, order=0)
entropy = Divergence("entropy", "H(P)", _entropy, arity=1, order=0)
renyi = Divergence(
    "renyi", "Renyi[alpha](P || Q)", _renyi, VANISHING | LIMIT, parameters=(ORDER,), values=(ALPHA,), constraint=NOT_ONE
)
chernoff = Divergence(
    "chernoff", "Chernoff[alpha](P, Q)", _chernoff, VANISHING, parameters=(EXPONENT,), values=(ALPHA,)
)
bhattacharyya = Divergence("bhattacharyya", "Bhattacharyya(P, Q)", _bhattacharyya, VANISHING | {"symmetric"})
hellinger2 = Divergence("hellinger2", "Hellinger(P, Q)^2", _hellinger2, SHARED | {"symmetric"}, bound=sp.S.One)
hellinger = Divergence("hellinger", "Hellinger(P, Q)", _hellinger, VANISHING | {"symmetric"}, bound=sp.S.One, order=1)
chi2 = Divergence("chi2", "chi2(P || Q)", _chi2, SHARED)
reverse_chi2 = Divergence("reverse_chi2", "chi2(Q || P)", _reverse_chi2, SHARED)
tsallis = Divergence(
    "tsallis",
    "Tsallis[alpha](P || Q)",
    _tsallis,
    SHARED | LIMIT,
    parameters=(ORDER,),
    values=(ALPHA,),
    constraint=NOT_ONE,
)
alpha_divergence = Divergence(
    "alpha_divergence",
    "A[alpha](P || Q)",
    _alpha_divergence,
    SHARED | LIMIT,
    parameters=(ORDER,),
    values=(ALPHA,),
    constraint=NOT_ONE,
)
jensen_shannon = Divergence(
    "jensen_shannon",
    "JS[weight](P, Q)",
    _jensen_shannon,
    SHARED,
    parameters=(SHARE,),
    values=(WEIGHT,),
    bound=ENTROPY_OF_WEIGHTS,
    generator=JENSEN_SHANNON,
)
jensen_shannon_distance = Divergence(
    "jensen_shannon_distance",
    "sqrt(JS(P, Q))",
    _jensen_shannon_distance,
    VANISHING | {"symmetric", "triangle"},
    order=1,
    bound=sp.sqrt(sp.log(2)),
    generator=JENSEN_SHANNON.xreplace(HALF),
)
total_variation = Divergence(
    "total_variation",
    "TV(P, Q)",
    _total_variation,
    SHARED | {"symmetric", "triangle"},
    order=1,
    bound=sp.S.One,
    generator=sp.Max(0, RATIO - 1),
)
renyi_entropy = Divergence(
    "renyi_entropy",
    "H[alpha](P)",
    _renyi_entropy,
    arity=1,
    parameters=(ORDER,),
    values=(ALPHA,),
    constraint=NOT_ONE,
    order=0,
)
tsallis_entropy = Divergence(
    "tsallis_entropy", "S[alpha](P)", _tsallis_entropy, arity=1, parameters=(ORDER,), values=(ALPHA,),
    constraint=NOT_ONE, order=0,
)  # fmt: skip

chernoff_information = Divergence(
    "chernoff_information", "Chernoff(P, Q)", _chernoff_information, VANISHING | {"symmetric"}, over="orders"
)

DISTANCE = frozenset({"nonnegative", "zero-on-diagonal", "symmetric"})
fisher_rao = Divergence(
    "fisher_rao",
    "FisherRao(P, Q)",
    _fisher_rao,
    VANISHING | {"symmetric", "triangle"},
    order=1,
    over="curves",
)
wasserstein1 = Divergence(
    "wasserstein1",
    "W1(P, Q)",
    _wasserstein1,
    DISTANCE | {"jointly-convex", "triangle"},
    order=1,
    over="couplings",
)
wasserstein2 = Divergence("wasserstein2", "W2(P, Q)", _wasserstein2, DISTANCE | {"triangle"}, order=1, over="couplings")
wasserstein2_squared = Divergence(
    "wasserstein2_squared", "W2(P, Q)^2", _wasserstein2_squared, DISTANCE | {"jointly-convex"}, over="couplings"
)
kolmogorov = Divergence(
    "kolmogorov", "K(P, Q)", _kolmogorov, DISTANCE | {"jointly-convex", "triangle"}, order=1, bound=sp.S.One,
    over="half-lines",
)  # fmt: skip


def ordered(divergence: Divergence, order: Any) -> Divergence:
    """The divergence of that order: a number, a name or a symbol; ParameterError for one that it does not have."""
    ((parameter, _),) = divergence.arguments
    if isinstance(order, str):
        return _of_order(divergence, parameter.domain.symbol(checked_name(order)))
    return _of_order(divergence, exact(order, f"{parameter.name} of {divergence.name}"))


@lru_cache(maxsize=256)
def _of_order(divergence: Divergence, value: sp.Expr) -> Divergence:
    ((parameter, old),) = divergence.arguments
    where, facts = f"{parameter.name} of {divergence.name}", parameter.domain.assumptions
    if value.free_symbols and not (value.is_Symbol and all(getattr(value, f"is_{fact}") for fact in facts)):
        raise ParameterError(f"{where} is {value}; it must be a number, a name, or a positive SymPy symbol")
    if parameter.domain.contains(value) == sp.false:
        raise ParameterError(f"{where} is {value}; it must lie in {parameter.domain}")
    bound = divergence.subs({old: value})
    if bound.constraint == sp.false:
        limit = "the Kullback-Leibler divergence" if divergence.arity == 2 else "the entropy"
        raise ParameterError(f"{where} is {value}, where {divergence.name} is a limit, {limit}")
    return bound
