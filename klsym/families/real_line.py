"""Families on the whole real line."""

from sympy import Abs, exp, log, loggamma, pi

from ..core.construct import transform
from ..core.domain import positive, real, real_line
from ..core.family import Family
from . import half_line

x, mu, x0 = real.symbols("x mu x0")
sigma, b, s, beta, gamma, alpha, nu, lam, kappa = positive.symbols("sigma b s beta gamma alpha nu lam kappa")

Normal = Family(
    name="Normal",
    parameters=(real(mu), positive(sigma)),
    support=real_line,
    log_density=-((x - mu) ** 2) / (2 * sigma**2) - log(sigma) - log(2 * pi) / 2,
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 13",),
)

Laplace = Family(
    name="Laplace",
    parameters=(real(mu), positive(b, 0.3, 0.9)),
    support=real_line,
    log_density=-Abs(x - mu) / b - log(2 * b),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 24",),
)

# The exponent is -lam kappa (x - mu) to the right of mu and lam (x - mu)/kappa to the left.
AsymmetricLaplace = Family(
    name="AsymmetricLaplace",
    parameters=(real(mu), positive(lam), positive(kappa)),
    support=real_line,
    log_density=-lam * ((kappa + 1 / kappa) / 2 * Abs(x - mu) + (kappa - 1 / kappa) / 2 * (x - mu))
    + log(lam)
    - log(kappa + 1 / kappa),
    variable=x,
    references=("Kotz, Kozubowski, Podgorski, The Laplace Distribution and Generalizations, 2001, chapter 3",),
)

Logistic = Family(
    name="Logistic",
    parameters=(real(mu), positive(s)),
    support=real_line,
    log_density=-(x - mu) / s - log(s) - 2 * log(1 + exp(-(x - mu) / s)),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 23",),
)

Gumbel = Family(
    name="Gumbel",
    parameters=(real(mu), positive(beta)),
    support=real_line,
    log_density=-(x - mu) / beta - exp(-(x - mu) / beta) - log(beta),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 22",),
)

ExpGamma = transform(half_line.Gamma, "ExpGamma", forward=log(x), inverse=exp(x), support=real_line)

Moyal = Family(
    name="Moyal",
    parameters=(real(mu), positive(sigma)),
    support=real_line,
    log_density=-(x - mu) / (2 * sigma) - exp(-(x - mu) / sigma) / 2 - log(sigma) - log(2 * pi) / 2,
    variable=x,
    references=("Moyal, Theory of ionization fluctuations, Philosophical Magazine 46, 1955",),
)

Cauchy = Family(
    name="Cauchy",
    parameters=(real(x0), positive(gamma)),
    support=real_line,
    log_density=-log(1 + ((x - x0) / gamma) ** 2) - log(pi) - log(gamma),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, chapter 16",),
)

StudentT = Family(
    name="StudentT",
    parameters=(positive(nu, 2.5, 8), real(mu), positive(sigma)),
    support=real_line,
    log_density=-(nu + 1) / 2 * log(1 + ((x - mu) / sigma) ** 2 / nu)
    + loggamma((nu + 1) / 2)
    - loggamma(nu / 2)
    - log(nu) / 2
    - log(pi) / 2
    - log(sigma),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, chapter 28",),
)

GeneralizedNormal = Family(
    name="GeneralizedNormal",
    parameters=(real(mu), positive(alpha), positive(beta, 0.8, 4)),
    support=real_line,
    log_density=-((Abs(x - mu) / alpha) ** beta) + log(beta) - log(2 * alpha) - loggamma(1 / beta),
    variable=x,
    references=("Nadarajah, A generalized normal distribution, Journal of Applied Statistics 32, 2005",),
)

# sech(pi z/2)/2 = exp(-pi z/2)/(1 + exp(-pi z)), with z = (x - mu)/sigma.
HyperbolicSecant = Family(
    name="HyperbolicSecant",
    parameters=(real(mu), positive(sigma)),
    support=real_line,
    log_density=-pi * (x - mu) / (2 * sigma) - log(sigma) - log(1 + exp(-pi * (x - mu) / sigma)),
    variable=x,
    references=("Fischer, Generalized Hyperbolic Secant Distributions, 2014",),
)
