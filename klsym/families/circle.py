"""Families on the circle, as densities on (-pi, pi]."""

from sympy import besseli, cos, log, pi

from ..core.domain import below_one, circle, nonnegative, real
from ..core.family import Family

x, mu = real.symbols("x mu")
kappa = nonnegative.symbol("kappa")
rho = below_one.symbol("rho")

VonMises = Family(
    name="VonMises",
    parameters=(real(mu), nonnegative(kappa)),
    support=circle,
    log_density=kappa * cos(x - mu) - log(2 * pi * besseli(0, kappa)),
    variable=x,
    references=("Mardia, Jupp, Directional Statistics, section 3.5",),
)

WrappedCauchy = Family(
    name="WrappedCauchy",
    parameters=(real(mu), below_one(rho)),
    support=circle,
    log_density=log(1 - rho**2) - log(2 * pi) - log(1 + rho**2 - 2 * rho * cos(x - mu)),
    variable=x,
    references=("Mardia, Jupp, Directional Statistics, section 3.5",),
)

CircularUniform = Family(
    name="CircularUniform",
    parameters=(),
    support=circle,
    log_density=-log(2 * pi),
    variable=x,
    references=("Mardia, Jupp, Directional Statistics, section 3.5",),
)
