"""Families on the whole real line."""

import sympy as sp
from sympy import Abs, log

from ..core.domain import positive, real, real_line
from ..core.family import Family

x = real.symbol("x")
mu = real.symbol("mu")
sigma, b = positive.symbols("sigma b")

Normal = Family(
    name="Normal",
    parameters=(real(mu), positive(sigma)),
    support=real_line,
    log_density=-((x - mu) ** 2) / (2 * sigma**2) - log(sigma) - log(2 * sp.pi) / 2,
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions I, 13.1",),
)

Laplace = Family(
    name="Laplace",
    parameters=(real(mu), positive(b)),
    support=real_line,
    log_density=-Abs(x - mu) / b - log(2 * b),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions II, 24.1",),
)
