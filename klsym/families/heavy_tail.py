"""Families on the half line with tails heavier than those of any Weibull."""

from sympy import exp, log, loggamma, pi

from ..core.construct import transform
from ..core.domain import Interval, half_line, positive, real
from ..core.family import Family
from . import real_line

x, mu = real.symbols("x mu")
alpha, beta, nu, tau2, gamma, sigma, s = positive.symbols("alpha beta nu tau2 gamma sigma s")
c, lam, d1, d2, xm = positive.symbols("c lam d1 d2 xm")

InverseGamma = Family(
    name="InverseGamma",
    parameters=(positive(alpha, 2.2, 5), positive(beta)),
    support=half_line,
    log_density=alpha * log(beta) - loggamma(alpha) - (alpha + 1) * log(x) - beta / x,
    variable=x,
    references=("Gelman et al., Bayesian Data Analysis, 3rd edition, appendix A",),
)

ScaledInverseChiSquared = Family(
    name="ScaledInverseChiSquared",
    parameters=(positive(nu, 4.5, 9), positive(tau2)),
    support=half_line,
    log_density=nu / 2 * log(nu * tau2 / 2) - loggamma(nu / 2) - (nu / 2 + 1) * log(x) - nu * tau2 / (2 * x),
    variable=x,
    references=("Gelman et al., Bayesian Data Analysis, 3rd edition, appendix A",),
)

HalfCauchy = Family(
    name="HalfCauchy",
    parameters=(positive(gamma),),
    support=half_line,
    log_density=log(2 / pi) - log(gamma) - log(1 + (x / gamma) ** 2),
    variable=x,
    references=("Polson, Scott, On the half-Cauchy prior for a global scale parameter, Bayesian Analysis 7, 2012",),
)

LogNormal = Family(
    name="LogNormal",
    parameters=(real(mu), positive(sigma, 0.4, 1)),
    support=half_line,
    log_density=-log(x) - log(sigma) - log(2 * pi) / 2 - (log(x) - mu) ** 2 / (2 * sigma**2),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 14",),
)

Frechet = Family(
    name="Frechet",
    parameters=(positive(alpha, 2.2, 5), positive(s)),
    support=half_line,
    log_density=log(alpha) + alpha * log(s) - (alpha + 1) * log(x) - (x / s) ** -alpha,
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 22",),
)

Levy = Family(
    name="Levy",
    parameters=(positive(c),),
    support=half_line,
    log_density=log(c) / 2 - log(2 * pi) / 2 - 3 * log(x) / 2 - c / (2 * x),
    variable=x,
    references=("Nolan, Univariate Stable Distributions, 2020, chapter 1",),
)

LogLogistic = Family(
    name="LogLogistic",
    parameters=(positive(alpha), positive(beta, 2.2, 5)),
    support=half_line,
    log_density=log(beta) - beta * log(alpha) + (beta - 1) * log(x) - 2 * log(1 + (x / alpha) ** beta),
    variable=x,
    references=("Kleiber, Kotz, Statistical Size Distributions in Economics and Actuarial Sciences, chapter 6",),
)

LogLaplace = transform(
    real_line.Laplace,
    "LogLaplace",
    forward=exp(x),
    inverse=log(x),
    support=half_line,
    references=("Kotz, Kozubowski, Podgorski, The Laplace Distribution and Generalizations, 2001",),
)

Lomax = Family(
    name="Lomax",
    parameters=(positive(alpha, 2.2, 5), positive(lam)),
    support=half_line,
    log_density=log(alpha) - log(lam) - (alpha + 1) * log(1 + x / lam),
    variable=x,
    references=("Kleiber, Kotz, Statistical Size Distributions in Economics and Actuarial Sciences, chapter 6",),
)

BetaPrime = Family(
    name="BetaPrime",
    parameters=(positive(alpha, 0.7, 4), positive(beta, 2.2, 5)),
    support=half_line,
    log_density=(alpha - 1) * log(x)
    - (alpha + beta) * log(1 + x)
    - loggamma(alpha)
    - loggamma(beta)
    + loggamma(alpha + beta),
    variable=x,
    references=("Kleiber, Kotz, Statistical Size Distributions in Economics and Actuarial Sciences, chapter 6",),
)

FisherF = Family(
    name="FisherF",
    parameters=(positive(d1, 1.5, 6), positive(d2, 4.5, 9)),
    support=half_line,
    log_density=d1 / 2 * log(d1)
    - d1 / 2 * log(d2)
    + (d1 / 2 - 1) * log(x)
    - (d1 + d2) / 2 * log(1 + d1 * x / d2)
    - loggamma(d1 / 2)
    - loggamma(d2 / 2)
    + loggamma((d1 + d2) / 2),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 27",),
)

Pareto = Family(
    name="Pareto",
    parameters=(positive(xm, 0.6, 1.4), positive(alpha, 2.2, 5)),
    support=Interval(xm, half_line.upper),
    log_density=log(alpha) + alpha * log(xm) - (alpha + 1) * log(x),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 20",),
)
