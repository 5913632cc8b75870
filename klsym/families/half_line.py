"""Families on the half line with tails no heavier than those of a Weibull."""

from sympy import besselk, exp, log, loggamma, pi, sqrt

from ..core.domain import half_line, positive, real
from ..core.family import Family

x = real.symbol("x")
rate, alpha, beta, nu, k, lam, sigma, m, omega = positive.symbols("rate alpha beta nu k lam sigma m omega")
mu, a, b, d, p, eta, theta = positive.symbols("mu a b d p eta theta")
order = real.symbol("p")

Exponential = Family(
    name="Exponential",
    parameters=(positive(rate),),
    support=half_line,
    log_density=log(rate) - rate * x,
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 19",),
)

Gamma = Family(
    name="Gamma",
    parameters=(positive(alpha, 0.7, 5), positive(beta)),
    support=half_line,
    log_density=alpha * log(beta) - loggamma(alpha) + (alpha - 1) * log(x) - beta * x,
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 17",),
)

ChiSquared = Family(
    name="ChiSquared",
    parameters=(positive(nu, 1.5, 6),),
    support=half_line,
    log_density=(nu / 2 - 1) * log(x) - x / 2 - nu / 2 * log(2) - loggamma(nu / 2),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 18",),
)

Chi = Family(
    name="Chi",
    parameters=(positive(nu, 0.8, 5),),
    support=half_line,
    log_density=(nu - 1) * log(x) - x**2 / 2 - (nu / 2 - 1) * log(2) - loggamma(nu / 2),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 18",),
)

GeneralizedGamma = Family(
    name="GeneralizedGamma",
    parameters=(positive(a), positive(d, 0.8, 4), positive(p, 0.8, 3)),
    support=half_line,
    log_density=log(p) - d * log(a) - loggamma(d / p) + (d - 1) * log(x) - (x / a) ** p,
    variable=x,
    references=("Stacy, A generalization of the gamma distribution, Annals of Mathematical Statistics 33, 1962",),
)

Weibull = Family(
    name="Weibull",
    parameters=(positive(k, 0.8, 4), positive(lam)),
    support=half_line,
    log_density=log(k) - k * log(lam) + (k - 1) * log(x) - (x / lam) ** k,
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 21",),
)

Rayleigh = Family(
    name="Rayleigh",
    parameters=(positive(sigma),),
    support=half_line,
    log_density=log(x) - 2 * log(sigma) - x**2 / (2 * sigma**2),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 18",),
)

Maxwell = Family(
    name="Maxwell",
    parameters=(positive(a),),
    support=half_line,
    log_density=log(2 / pi) / 2 + 2 * log(x) - 3 * log(a) - x**2 / (2 * a**2),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 18",),
)

HalfNormal = Family(
    name="HalfNormal",
    parameters=(positive(sigma),),
    support=half_line,
    log_density=log(2 / pi) / 2 - log(sigma) - x**2 / (2 * sigma**2),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 18",),
)

Nakagami = Family(
    name="Nakagami",
    parameters=(positive(m, 0.7, 3), positive(omega)),
    support=half_line,
    log_density=log(2) + m * log(m) - m * log(omega) - loggamma(m) + (2 * m - 1) * log(x) - m * x**2 / omega,
    variable=x,
    references=("Nakagami, The m-distribution, in Statistical Methods in Radio Wave Propagation, 1960",),
)

InverseGaussian = Family(
    name="InverseGaussian",
    parameters=(positive(mu), positive(lam, 0.7, 5)),
    support=half_line,
    log_density=log(lam) / 2 - log(2 * pi) / 2 - 3 * log(x) / 2 - lam * (x - mu) ** 2 / (2 * mu**2 * x),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 15",),
)

GeneralizedInverseGaussian = Family(
    name="GeneralizedInverseGaussian",
    parameters=(positive(a), positive(b), real(order, -2, 2)),
    support=half_line,
    log_density=order * log(a) / 2
    - order * log(b) / 2
    - log(2 * besselk(order, sqrt(a * b)))
    + (order - 1) * log(x)
    - (a * x + b / x) / 2,
    variable=x,
    references=("Jorgensen, Statistical Properties of the Generalized Inverse Gaussian Distribution, 1982",),
)

Gompertz = Family(
    name="Gompertz",
    parameters=(positive(eta), positive(b)),
    support=half_line,
    log_density=log(b) + log(eta) + eta + b * x - eta * exp(b * x),
    variable=x,
    references=("Marshall, Olkin, Life Distributions, 2007, chapter 10",),
)

Lindley = Family(
    name="Lindley",
    parameters=(positive(theta),),
    support=half_line,
    log_density=2 * log(theta) - log(1 + theta) + log(1 + x) - theta * x,
    variable=x,
    references=(
        "Ghitany, Atieh, Nadarajah, Lindley distribution and its application, "
        "Mathematics and Computers in Simulation 78, 2008",
    ),
)
