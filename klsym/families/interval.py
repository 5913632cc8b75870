"""Families on a bounded interval."""

from sympy import And, Lt, Piecewise, Rational, exp, log, loggamma, pi

from ..core.construct import transform
from ..core.domain import Interval, positive, real, unit, unit_interval
from ..core.family import Family
from ..core.functions import LogSinhc
from . import real_line

x, a, b, c = real.symbols("x a b c")
alpha, beta, first, last = positive.symbols("alpha beta a b")
lam = unit.symbol("lam")

Uniform = Family(
    name="Uniform",
    parameters=(real(a, -1, 0.5), real(b, 1, 3)),
    constraint=Lt(a, b),
    support=Interval(a, b),
    log_density=-log(b - a),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 26",),
)

Beta = Family(
    name="Beta",
    parameters=(positive(alpha, 0.7, 5), positive(beta, 0.7, 5)),
    support=unit_interval,
    log_density=(alpha - 1) * log(x)
    + (beta - 1) * log(1 - x)
    - loggamma(alpha)
    - loggamma(beta)
    + loggamma(alpha + beta),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 25",),
)

Kumaraswamy = Family(
    name="Kumaraswamy",
    parameters=(positive(first, 0.7, 4), positive(last, 0.7, 4)),
    support=unit_interval,
    log_density=log(first) + log(last) + (first - 1) * log(x) + (last - 1) * log(1 - x**first),
    variable=x,
    references=("Jones, Kumaraswamy's distribution, Statistical Methodology 6, 2009",),
)

# With u half the log odds of lam, the integral of exp((2y - 1) u) over the unit interval is sinh(u)/u.
ContinuousBernoulli = Family(
    name="ContinuousBernoulli",
    parameters=(unit(lam),),
    support=unit_interval,
    log_density=(x - Rational(1, 2)) * (log(lam) - log(1 - lam)) - LogSinhc((log(lam) - log(1 - lam)) / 2),
    variable=x,
    references=("Loaiza-Ganem, Cunningham, The continuous Bernoulli, NeurIPS 2019, arXiv:1907.06845",),
)

Arcsine = Family(
    name="Arcsine",
    parameters=(real(a, -1, 0.5), real(b, 1, 3)),
    constraint=Lt(a, b),
    support=Interval(a, b),
    log_density=-log(pi) - log(x - a) / 2 - log(b - x) / 2,
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 25",),
)

PowerFunction = Family(
    name="PowerFunction",
    parameters=(positive(alpha, 0.7, 5),),
    support=unit_interval,
    log_density=log(alpha) + (alpha - 1) * log(x),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 25",),
)

LogUniform = Family(
    name="LogUniform",
    parameters=(positive(first, 0.4, 0.9), positive(last, 1.5, 4)),
    constraint=Lt(first, last),
    support=Interval(first, last),
    log_density=-log(x) - log(log(last) - log(first)),
    variable=x,
    references=("Hamming, On the distribution of numbers, Bell System Technical Journal 49, 1970",),
)

Triangular = Family(
    name="Triangular",
    parameters=(real(a, -1, 0), real(c, 0.2, 0.8), real(b, 1, 3)),
    constraint=And(a <= c, c <= b, a < b),
    support=Interval(a, b),
    log_density=log(2) - log(b - a) + Piecewise((log(x - a) - log(c - a), x < c), (log(b - x) - log(b - c), True)),
    variable=x,
    references=("Kotz, van Dorp, Beyond Beta, 2004, chapter 1",),
)

LogitNormal = transform(
    real_line.Normal,
    "LogitNormal",
    forward=1 / (1 + exp(-x)),
    inverse=log(x) - log(1 - x),
    support=unit_interval,
    references=("Aitchison, Shen, Logistic-normal distributions, Biometrika 67, 1980",),
)
