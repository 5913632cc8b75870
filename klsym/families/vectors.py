"""Families of real vectors."""

from dataclasses import replace

from sympy import OneMatrix, Symbol, Trace, exp, log, loggamma, pi

from ..arrays.domain import (
    ArrayParameter,
    Outcome,
    columns,
    lower_triangular,
    positive_definite,
    positive_list,
    real_vector,
    unit_vector,
)
from ..arrays.family import ArrayFamily, Form, Image
from ..arrays.functions import Diagonal, LogBessel, LogDet, Whole
from ..core.domain import nonnegative

k = Symbol("k", integer=True, positive=True)
x = real_vector.symbol("x", k)
ones = OneMatrix(k, 1)
mu = real_vector.symbol("mu", k)
Sigma = positive_definite.symbol("Sigma", k, k)
Lambda = positive_definite.symbol("Lambda", k, k)
L = lower_triangular.symbol("L", k, k)

W = columns.symbol("W", k)
d = positive_list.symbol("d")
direction = unit_vector.symbol("mu", k)
kappa = nonnegative.symbol("kappa")

COVARIANCE = ArrayParameter(Sigma, positive_definite, (k, k))
DIAGONAL = ArrayParameter(d, positive_list, (k,), "diagonal")
TRIANGULAR = Form((ArrayParameter(L, lower_triangular, (k, k), "scale_tril"),), Sigma, L * L.T)
FORMS = (
    Form((replace(COVARIANCE, keyword="covariance"),), Sigma, Sigma),
    Form((ArrayParameter(Lambda, positive_definite, (k, k), "precision"),), Sigma, Lambda.I),
    TRIANGULAR,
    Form((DIAGONAL,), Sigma, Diagonal(d, k)),
    Form((ArrayParameter(W, columns, (k,), "factor"), DIAGONAL), Sigma, Whole(W * W.T + Diagonal(d, k))),
)

MultivariateNormal = ArrayFamily(
    name="MultivariateNormal",
    parameters=(ArrayParameter(mu, real_vector, (k,)), COVARIANCE),
    dimensions=(k,),
    outcome=Outcome("vectors", k),
    log_density=-k * log(2 * pi) / 2 - LogDet(Sigma) / 2 - Trace((x - mu).T * Sigma.I * (x - mu)) / 2,
    variable=x,
    forms=FORMS,
    references=("Kotz, Balakrishnan, Johnson, Continuous Multivariate Distributions I, chapter 45",),
)

MultivariateCauchy = ArrayFamily(
    name="MultivariateCauchy",
    parameters=MultivariateNormal.parameters,
    dimensions=(k,),
    outcome=Outcome("vectors", k),
    log_density=loggamma((k + 1) / 2, evaluate=False)
    - (k + 1) * log(pi) / 2
    - LogDet(Sigma) / 2
    - (k + 1) * log(1 + Trace((x - mu).T * Sigma.I * (x - mu))) / 2,
    variable=x,
    forms=(TRIANGULAR,),
    references=("Kotz, Nadarajah, Multivariate t Distributions and Their Applications, section 1.1",),
)

VonMisesFisher = ArrayFamily(
    name="VonMisesFisher",
    parameters=(ArrayParameter(direction, unit_vector, (k,)), ArrayParameter(kappa, nonnegative)),
    dimensions=(k,),
    outcome=Outcome("sphere", k),
    log_density=kappa * Trace(direction.T * x) - k * log(2 * pi) / 2 - LogBessel(k / 2 - 1, kappa),
    variable=x,
    constraint=k > 1,
    references=("Mardia, Jupp, Directional Statistics, section 9.3.2",),
)

MultivariateLogNormal = ArrayFamily(
    name="MultivariateLogNormal",
    parameters=MultivariateNormal.parameters,
    dimensions=(k,),
    outcome=Outcome("positive vectors", k),
    log_density=-k * log(2 * pi) / 2
    - LogDet(Sigma) / 2
    - Trace((x.applyfunc(log) - mu).T * Sigma.I * (x.applyfunc(log) - mu)) / 2
    - Trace(ones.T * x.applyfunc(log)),
    variable=x,
    forms=FORMS,
    references=("Kotz, Balakrishnan, Johnson, Continuous Multivariate Distributions I, chapter 44",),
    image=Image(MultivariateNormal, "exp(x), entry by entry", (mu, Sigma), x.applyfunc(exp), Trace(ones.T * x)),
)
