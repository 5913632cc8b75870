"""Joint families, each a law and another given its outcome: the conjugate priors of the normal's two parameters."""

from sympy import Symbol, sqrt

from ..arrays.domain import ArrayParameter, positive_definite, real_vector
from ..arrays.family import Factor
from ..arrays.functions import DrawnSymmetric, DrawnVector
from ..arrays.joint import joint_family
from ..core.domain import positive, real
from ..core.family import Drawn
from . import half_line, heavy_tail, matrices, real_line, vectors

k = Symbol("k", integer=True, positive=True)
mu = real.symbol("mu")
kappa, alpha, beta, nu = positive.symbols("kappa alpha beta nu")
mean = real_vector.symbol("mu", k)
V = positive_definite.symbol("V", k, k)
psi = positive_definite.symbol("psi", k, k)
x = Drawn("x", real=True)
vector = DrawnVector("x", k, 1)
tau, s2 = Drawn("tau", positive=True), Drawn("s2", positive=True)
Lam, Sigma = DrawnSymmetric("Lam", k, k), DrawnSymmetric("Sigma", k, k)

SCALARS = tuple(ArrayParameter(s, d) for s, d in ((mu, real), (kappa, positive), (alpha, positive), (beta, positive)))
BERNARDO = "Bernardo, Smith, Bayesian Theory, appendix A.2"
MURPHY = "Murphy, Conjugate Bayesian analysis of the Gaussian distribution, 2007, sections"


NormalGamma = joint_family(
    name="NormalGamma",
    parameters=SCALARS,
    factors=(Factor(tau, half_line.Gamma(alpha, beta)), Factor(x, real_line.Normal(mu, 1 / sqrt(kappa * tau)))),
    references=(BERNARDO,),
)

NormalInverseGamma = joint_family(
    name="NormalInverseGamma",
    parameters=SCALARS,
    factors=(Factor(s2, heavy_tail.InverseGamma(alpha, beta)), Factor(x, real_line.Normal(mu, sqrt(s2 / kappa)))),
    references=(f"{MURPHY} 6",),
)

NormalWishart = joint_family(
    name="NormalWishart",
    parameters=(
        ArrayParameter(mean, real_vector, (k,)), ArrayParameter(kappa, positive), ArrayParameter(nu, positive),
        ArrayParameter(V, positive_definite, (k, k)),
    ),
    factors=(
        Factor(Lam, matrices.Wishart(nu, V)),
        Factor(vector, vectors.MultivariateNormal(mean, precision=kappa * Lam)),
    ),
    constraint=nu > k - 1,
    references=(BERNARDO,),
)  # fmt: skip

NormalInverseWishart = joint_family(
    name="NormalInverseWishart",
    parameters=(
        ArrayParameter(mean, real_vector, (k,)), ArrayParameter(kappa, positive), ArrayParameter(nu, positive),
        ArrayParameter(psi, positive_definite, (k, k)),
    ),
    factors=(
        Factor(Sigma, matrices.InverseWishart(nu, psi)),
        Factor(vector, vectors.MultivariateNormal(mean, Sigma / kappa)),
    ),
    constraint=nu > k - 1,
    references=(f"{MURPHY} 9",),
)  # fmt: skip
