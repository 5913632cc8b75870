"""Discrete families, on the integers."""

import sympy as sp
from sympy import Abs, And, Le, Max, Min, besseli, exp, log, loggamma, sqrt, zeta

from ..core.domain import (
    Interval,
    above_one,
    counting,
    integer,
    nonnegative,
    positive,
    positive_probability,
    probability,
    real_line,
    unit,
)
from ..core.family import Family

x, a, b = integer.symbols("x a b")
n, N, K = counting.symbols("n N K")
p = probability.symbol("p")
lam, r, alpha, beta, mu1, mu2 = positive.symbols("lam r alpha beta mu1 mu2")
s = above_one.symbol("s")

from_zero = Interval(sp.S.Zero, sp.oo)
from_one = Interval(sp.S.One, sp.oo)

Bernoulli = Family(
    name="Bernoulli",
    parameters=(probability(p),),
    support=Interval(sp.S.Zero, sp.S.One),
    log_density=x * log(p) + (1 - x) * log(1 - p),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 3",),
)

Binomial = Family(
    name="Binomial",
    parameters=(counting(n, 3, 9), probability(p)),
    support=Interval(sp.S.Zero, n),
    log_density=loggamma(n + 1) - loggamma(x + 1) - loggamma(n - x + 1) + x * log(p) + (n - x) * log(1 - p),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 3",),
)

Geometric = Family(
    name="Geometric",
    parameters=(positive_probability(p),),
    support=from_zero,
    log_density=log(p) + x * log(1 - p),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 5",),
)

Poisson = Family(
    name="Poisson",
    parameters=(nonnegative(lam, 0.7, 5),),
    support=from_zero,
    log_density=x * log(lam) - lam - loggamma(x + 1),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 4",),
)

ZeroTruncatedPoisson = Family(
    name="ZeroTruncatedPoisson",
    parameters=(positive(lam, 0.7, 5),),
    support=from_one,
    log_density=x * log(lam) - loggamma(x + 1) - lam - log(1 - exp(-lam)),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 4",),
)

NegativeBinomial = Family(
    name="NegativeBinomial",
    parameters=(positive(r, 0.7, 5), positive_probability(p, 0.25, 0.85)),
    support=from_zero,
    log_density=loggamma(x + r) - loggamma(x + 1) - loggamma(r) + r * log(p) + x * log(1 - p),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 5",),
)

Logarithmic = Family(
    name="Logarithmic",
    parameters=(unit(p),),
    support=from_one,
    log_density=x * log(p) - log(x) - log(-log(1 - p)),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 7",),
)

Zeta = Family(
    name="Zeta",
    parameters=(above_one(s),),
    support=from_one,
    log_density=-s * log(x) - log(zeta(s)),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 11",),
)

DiscreteUniform = Family(
    name="DiscreteUniform",
    parameters=(integer(a, -3, 0), integer(b, 2, 8)),
    constraint=Le(a, b),
    support=Interval(a, b),
    log_density=-log(b - a + 1),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 6",),
)

BetaBinomial = Family(
    name="BetaBinomial",
    parameters=(counting(n, 3, 9), positive(alpha, 0.7, 5), positive(beta, 0.7, 5)),
    support=Interval(sp.S.Zero, n),
    log_density=loggamma(n + 1)
    - loggamma(x + 1)
    - loggamma(n - x + 1)
    + loggamma(x + alpha)
    + loggamma(n - x + beta)
    - loggamma(n + alpha + beta)
    - loggamma(alpha)
    - loggamma(beta)
    + loggamma(alpha + beta),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 6",),
)

Hypergeometric = Family(
    name="Hypergeometric",
    parameters=(counting(N, 12, 20), counting(K, 4, 9), counting(n, 3, 6)),
    constraint=And(Le(K, N), Le(n, N)),
    support=Interval(Max(0, n + K - N), Min(n, K)),
    log_density=loggamma(K + 1)
    - loggamma(x + 1)
    - loggamma(K - x + 1)
    + loggamma(N - K + 1)
    - loggamma(n - x + 1)
    - loggamma(N - K - n + x + 1)
    - loggamma(N + 1)
    + loggamma(n + 1)
    + loggamma(N - n + 1),
    variable=x,
    discrete=True,
    references=("Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapter 6",),
)

Skellam = Family(
    name="Skellam",
    parameters=(positive(mu1), positive(mu2)),
    support=real_line,
    log_density=-mu1 - mu2 + x * (log(mu1) - log(mu2)) / 2 + log(besseli(Abs(x), 2 * sqrt(mu1 * mu2))),
    variable=x,
    discrete=True,
    references=("Skellam, Journal of the Royal Statistical Society 109, 1946",),
)
