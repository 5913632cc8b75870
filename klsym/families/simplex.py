"""Families of lists: probabilities, categories and counts."""

from sympy import Indexed, Sum, Symbol, exp, log, loggamma

from ..arrays.domain import ArrayParameter, Outcome, logits_list, positive_list, real_list, simplex
from ..arrays.family import INDEX as i
from ..arrays.family import ArrayFamily, Form
from ..core.domain import counting

K = Symbol("K", integer=True, positive=True)
j = Symbol("j", integer=True, positive=True)
category = Symbol("x", integer=True, positive=True)
n = counting.symbol("n")
x = real_list.symbol("x")
share = positive_list.symbol("x")
alpha = positive_list.symbol("alpha")
p = simplex.symbol("p")
each = (i, 1, K)
logits = logits_list.symbol("logits")


LOGITS = Form(
    (ArrayParameter(logits, logits_list, (K,), "logits"),), p, exp(logits[i]) / Sum(exp(logits[j]), (j, 1, K))
)

Dirichlet = ArrayFamily(
    name="Dirichlet",
    parameters=(ArrayParameter(alpha, positive_list, (K,)),),
    dimensions=(K,),
    outcome=Outcome("simplex", K),
    log_density=Sum((alpha[i] - 1) * log(share[i]), each)
    + loggamma(Sum(alpha[i], each))
    - Sum(loggamma(alpha[i]), each),
    variable=share,
    references=("Kotz, Balakrishnan, Johnson, Continuous Multivariate Distributions I, chapter 49",),
)

Categorical = ArrayFamily(
    name="Categorical",
    parameters=(ArrayParameter(p, simplex, (K,)),),
    dimensions=(K,),
    outcome=Outcome("categories", K, discrete=True),
    log_density=log(Indexed(p, category)),
    variable=category,
    forms=(LOGITS,),
    references=("Johnson, Kotz, Balakrishnan, Discrete Multivariate Distributions, chapter 35",),
)

DirichletMultinomial = ArrayFamily(
    name="DirichletMultinomial",
    parameters=(ArrayParameter(n, counting), ArrayParameter(alpha, positive_list, (K,))),
    dimensions=(K,),
    outcome=Outcome("counts", K, total=n, discrete=True),
    log_density=loggamma(n + 1)
    + loggamma(Sum(alpha[i], each))
    - loggamma(n + Sum(alpha[i], each))
    + Sum(loggamma(x[i] + alpha[i]) - loggamma(x[i] + 1) - loggamma(alpha[i]), each),
    variable=x,
    references=("Johnson, Kotz, Balakrishnan, Discrete Multivariate Distributions, section 35.13.1",),
)

Multinomial = ArrayFamily(
    name="Multinomial",
    parameters=(ArrayParameter(n, counting), ArrayParameter(p, simplex, (K,))),
    dimensions=(K,),
    outcome=Outcome("counts", K, total=n, discrete=True),
    log_density=loggamma(n + 1) - Sum(loggamma(x[i] + 1), each) + Sum(x[i] * log(p[i]), each),
    variable=x,
    forms=(LOGITS,),
    references=("Johnson, Kotz, Balakrishnan, Discrete Multivariate Distributions, chapter 35",),
)
