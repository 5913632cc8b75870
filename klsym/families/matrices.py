"""Families of matrices."""

from sympy import Symbol, Trace, log, loggamma, pi

from ..arrays.domain import ArrayParameter, Outcome, positive_definite, real_matrix
from ..arrays.family import ArrayFamily, Image
from ..arrays.functions import LogDet, LogMultigamma
from ..core.domain import positive

k = Symbol("k", integer=True, positive=True)
m = Symbol("m", integer=True, positive=True)
nu = positive.symbol("nu")
eta = positive.symbol("eta")
X = positive_definite.symbol("X", k, k)
Y = real_matrix.symbol("X", k, m)
M = real_matrix.symbol("M", k, m)
U = positive_definite.symbol("U", k, k)
V = positive_definite.symbol("V", k, k)
W = positive_definite.symbol("V", m, m)
psi = positive_definite.symbol("psi", k, k)

Wishart = ArrayFamily(
    name="Wishart",
    parameters=(ArrayParameter(nu, positive), ArrayParameter(V, positive_definite, (k, k))),
    dimensions=(k,),
    outcome=Outcome("positive definite", k),
    log_density=(nu - k - 1) * LogDet(X) / 2
    - Trace(V.I * X) / 2
    - nu * LogDet(V) / 2
    - nu * k * log(2) / 2
    - LogMultigamma(nu / 2, k),
    variable=X,
    constraint=nu > k - 1,
    references=("Muirhead, Aspects of Multivariate Statistical Theory, theorem 3.2.1",),
)

InverseWishart = ArrayFamily(
    name="InverseWishart",
    parameters=(ArrayParameter(nu, positive), ArrayParameter(psi, positive_definite, (k, k))),
    dimensions=(k,),
    outcome=Outcome("positive definite", k),
    log_density=-(nu + k + 1) * LogDet(X) / 2
    - Trace(psi * X.I) / 2
    + nu * LogDet(psi) / 2
    - nu * k * log(2) / 2
    - LogMultigamma(nu / 2, k),
    variable=X,
    constraint=nu > k - 1,
    references=("Muirhead, Aspects of Multivariate Statistical Theory, section 3.2.5",),
    image=Image(Wishart, "X^-1", (nu, psi.I), X.I, -(k + 1) * LogDet(X)),
)

# The distribution of the Cholesky factor, a bijection of the matrix, has the same divergences.
LKJ = ArrayFamily(
    name="LKJ",
    parameters=(ArrayParameter(eta, positive),),
    dimensions=(k,),
    outcome=Outcome("correlation matrices", k),
    log_density=(eta - 1) * LogDet(X) - LogMultigamma(eta + (k - 1) / 2, k) + k * loggamma(eta + (k - 1) / 2),
    variable=X,
    references=("Lewandowski, Kurowicka, Joe, Journal of Multivariate Analysis 100, 2009",),
)

MatrixNormal = ArrayFamily(
    name="MatrixNormal",
    parameters=(
        ArrayParameter(M, real_matrix, (k, m)),
        ArrayParameter(U, positive_definite, (k, k)),
        ArrayParameter(W, positive_definite, (m, m)),
    ),
    dimensions=(k, m),
    outcome=Outcome("matrices", k, columns=m),
    log_density=-k * m * log(2 * pi) / 2
    - m * LogDet(U) / 2
    - k * LogDet(W) / 2
    - Trace(W.I * (Y - M).T * U.I * (Y - M)) / 2,
    variable=Y,
    references=("Gupta, Nagar, Matrix Variate Distributions, chapter 2",),
)
