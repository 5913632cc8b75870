"""Every family of the catalog is what its name says: one loop over the catalog, so a new family is born tested."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy import special, stats

import klsym
from klsym.core.construct import scale, shift, transform
from klsym.core.domain import half_line, real_line
from klsym.core.errors import ParameterError, UnknownNameError
from klsym.core.exact import Exact
from klsym.core.running import running
from klsym.families import catalog, find

FAMILIES = [pytest.param(family, id=name) for name, family in catalog.items()]

# SciPy's member with the same parameters.
SCIPY = {
    "Normal": stats.norm,
    "Laplace": stats.laplace,
    "AsymmetricLaplace": lambda mu, lam, kappa: stats.laplace_asymmetric(kappa, mu, 1 / lam),
    "Logistic": stats.logistic,
    "Gumbel": stats.gumbel_r,
    "ExpGamma": lambda alpha, beta: stats.loggamma(alpha, -math.log(beta)),
    "Moyal": stats.moyal,
    "Cauchy": stats.cauchy,
    "StudentT": stats.t,
    "GeneralizedNormal": lambda mu, alpha, beta: stats.gennorm(beta, mu, alpha),
    "HyperbolicSecant": lambda mu, sigma: stats.hypsecant(mu, 2 * sigma / math.pi),
    "Exponential": lambda rate: stats.expon(scale=1 / rate),
    "Gamma": lambda alpha, beta: stats.gamma(alpha, scale=1 / beta),
    "ChiSquared": stats.chi2,
    "Chi": stats.chi,
    "GeneralizedGamma": lambda a, d, p: stats.gengamma(d / p, p, scale=a),
    "Weibull": lambda k, lam: stats.weibull_min(k, scale=lam),
    "Rayleigh": lambda sigma: stats.rayleigh(scale=sigma),
    "Maxwell": lambda a: stats.maxwell(scale=a),
    "HalfNormal": lambda sigma: stats.halfnorm(scale=sigma),
    "Nakagami": lambda m, omega: stats.nakagami(m, scale=math.sqrt(omega)),
    "InverseGaussian": lambda mu, lam: stats.invgauss(mu / lam, scale=lam),
    "GeneralizedInverseGaussian": lambda a, b, p: stats.geninvgauss(p, math.sqrt(a * b), scale=math.sqrt(b / a)),
    "Gompertz": lambda eta, b: stats.gompertz(eta, scale=1 / b),
    "InverseGamma": lambda alpha, beta: stats.invgamma(alpha, scale=beta),
    "ScaledInverseChiSquared": lambda nu, tau2: stats.invgamma(nu / 2, scale=nu * tau2 / 2),
    "HalfCauchy": lambda gamma: stats.halfcauchy(scale=gamma),
    "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=math.exp(mu)),
    "Frechet": lambda alpha, s: stats.invweibull(alpha, scale=s),
    "Levy": lambda c: stats.levy(scale=c),
    "LogLogistic": lambda alpha, beta: stats.fisk(beta, scale=alpha),
    "LogLaplace": lambda mu, b: stats.loglaplace(1 / b, scale=math.exp(mu)),
    "Lomax": lambda alpha, lam: stats.lomax(alpha, scale=lam),
    "BetaPrime": stats.betaprime,
    "FisherF": stats.f,
    "Pareto": lambda xm, alpha: stats.pareto(alpha, scale=xm),
    "Uniform": lambda a, b: stats.uniform(a, b - a),
    "Beta": stats.beta,
    "Arcsine": lambda a, b: stats.arcsine(a, b - a),
    "PowerFunction": stats.powerlaw,
    "LogUniform": stats.loguniform,
    "Triangular": lambda a, c, b: stats.triang((c - a) / (b - a), a, b - a),
    "CircularUniform": lambda: stats.uniform(-math.pi, 2 * math.pi),
    "Bernoulli": stats.bernoulli,
    "Binomial": stats.binom,
    "Geometric": lambda p: stats.geom(p, loc=-1),
    "Poisson": stats.poisson,
    "NegativeBinomial": stats.nbinom,
    "Logarithmic": stats.logser,
    "Zeta": stats.zipf,
    "DiscreteUniform": lambda a, b: stats.randint(a, b + 1),
    "BetaBinomial": stats.betabinom,
    "Hypergeometric": stats.hypergeom,
    "Skellam": stats.skellam,
}

# Where SciPy has no such family, or has it on another stretch of the circle: the density from its definition, at x.
DEFINITIONS = {
    "Lindley": lambda x, theta: (
        (theta * stats.expon.pdf(x, scale=1 / theta) + stats.gamma.pdf(x, 2, scale=1 / theta)) / (1 + theta)
    ),
    "Kumaraswamy": lambda x, a, b: a * x ** (a - 1) * stats.beta.pdf(x**a, 1, b),
    "ContinuousBernoulli": lambda x, lam: 2 * math.atanh(1 - 2 * lam) / (1 - 2 * lam) * lam**x * (1 - lam) ** (1 - x),
    "LogitNormal": lambda x, mu, sigma: stats.norm.pdf(special.logit(x), mu, sigma) / (x * (1 - x)),
    "VonMises": lambda x, mu, kappa: stats.vonmises.pdf(x, kappa, mu),
    "WrappedCauchy": lambda x, mu, rho: stats.wrapcauchy.pdf((x - mu) % (2 * math.pi), rho),
    "ZeroTruncatedPoisson": lambda x, lam: stats.poisson.pmf(x, lam) / stats.poisson.sf(0, lam),
}


def exp(t):
    """exp, but 0 or infinity where mpmath would spend minutes on a number with billions of digits before the point."""
    return mp.exp(t) if abs(t) < 1e6 else mp.inf if t > 0 else mp.mpf(0)


def log_density(distribution):
    """The log density as a function of an mpmath number, at the working precision."""
    return sp.lambdify(distribution.family.variable, distribution.log_density(), [{"exp": exp}, "mpmath"])


def ends(distribution):
    return sp.lambdify([], (distribution.support.lower, distribution.support.upper), "mpmath")()


def mass(distribution):
    """The integral or the sum of the density over the support, by mpmath alone; a half line in its logarithm."""
    density, (lower, upper) = log_density(distribution), ends(distribution)
    if distribution.family.discrete:
        return mp.nsum(lambda k: exp(density(k)), [lower, upper], method="levin")
    values = [mp.mpf(v.p) / v.q for v in distribution.values]
    if mp.isfinite(lower) and upper == mp.inf:
        kinks = sorted({mp.mpf(0), *values})
        return mp.quad(lambda t: exp(density(lower + exp(t)) + t) if exp(t) else mp.mpf(0), [-mp.inf, *kinks, mp.inf])
    kinks = sorted(v for v in {mp.mpf(1), *values} if lower < v < upper)
    with mp.workdps(30 if mp.isfinite(upper) else 15):  # (b - x)^(-1/2) at the end b costs half the digits
        return mp.quad(lambda x: exp(density(x)), [lower, *kinks, upper])


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("family", FAMILIES)
def test_mass_is_one(family, seed, typical):
    assert abs(mass(typical(family, seed)) - 1) < 1e-10


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("family", [pytest.param(catalog[name], id=name) for name in SCIPY])
def test_log_density_is_that_of_scipy(family, seed, typical):
    member = typical(family, seed)
    theirs = SCIPY[family.name](*map(float, member.values))
    log_theirs = theirs.logpmf if family.discrete else theirs.logpdf
    ours = log_density(member)
    for x in theirs.ppf([0.02, 0.3, 0.6, 0.97]):
        assert float(ours(mp.mpf(float(x)))) == pytest.approx(log_theirs(x), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("family", [pytest.param(catalog[name], id=name) for name in DEFINITIONS])
def test_log_density_is_that_of_the_definition(family, seed, typical):
    member = typical(family, seed)
    ours = log_density(member)
    for x in [1, 2, 5] if family.discrete else [0.07, 0.4, 0.93]:
        theirs = math.log(DEFINITIONS[family.name](x, *map(float, member.values)))
        assert float(ours(mp.mpf(x))) == pytest.approx(theirs, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("family", [pytest.param(catalog[name], id=name) for name in SCIPY])
def test_support_is_that_of_scipy(family, typical):
    member = typical(family)
    assert list(map(float, ends(member))) == pytest.approx(SCIPY[family.name](*map(float, member.values)).support())


def test_every_family_is_compared_with_something():
    assert {*SCIPY} | {*DEFINITIONS} == {*catalog}
    assert not {*SCIPY} & {*DEFINITIONS}


@pytest.mark.parametrize("family", FAMILIES)
def test_literal_is_consistent(family):
    symbols = {parameter.symbol for parameter in family.parameters}
    assert family.log_density.free_symbols <= {family.variable} | symbols
    assert family.constraint.free_symbols <= symbols
    assert (family.support.lower + family.support.upper).free_symbols <= symbols
    assert family.variable.is_integer if family.discrete else family.variable.is_real
    assert family.references and all(family.references)
    for parameter in family.parameters:
        assert parameter.symbol == parameter.domain.symbol(parameter.name)
        assert parameter.typical[0] < parameter.typical[1]
        for end in parameter.typical:
            assert parameter.domain.contains(sp.Rational(end)) == sp.true


@pytest.mark.parametrize("family", FAMILIES)
def test_typical_values_meet_the_constraint(family, typical):
    assert all(typical(family, seed).constraint == sp.true for seed in range(10))


def close(left, right, points):
    ours, theirs = log_density(left), log_density(right)
    return all(ours(x) == pytest.approx(theirs(x), rel=1e-13, abs=1e-13) for x in map(mp.mpf, points))


def test_transform_takes_a_family_to_the_one_that_is_known():
    x = klsym.Normal.variable
    exponential = transform(klsym.Normal, "Exp", forward=sp.exp(x), inverse=sp.log(x), support=half_line)
    assert close(exponential(0.3, 1.2), klsym.LogNormal(0.3, 1.2), [0.1, 1, 7])
    inverse = transform(klsym.Gamma, "Inverse", forward=1 / x, inverse=1 / x, support=half_line)
    assert close(inverse(2.5, 1.5), klsym.InverseGamma(2.5, 1.5), [0.1, 1, 7])
    odds = transform(klsym.Beta, "Odds", forward=x / (1 - x), inverse=x / (1 + x), support=half_line)
    assert close(odds(2.5, 1.5), klsym.BetaPrime(2.5, 1.5), [0.1, 1, 7])
    mirror = transform(klsym.Gumbel, "Mirror", forward=-x, inverse=-x, support=real_line)
    assert close(mirror(0.5, 2), scale(mirror(0.25, 1), 2), [-3, 0, 2])
    assert mass(mirror(0.5, 2)) == pytest.approx(1)


def test_shift_and_scale():
    assert close(shift(klsym.Normal(1, 2), 3), klsym.Normal(4, 2), [-2, 0, 5])
    assert close(scale(klsym.Normal(1, 2), 3), klsym.Normal(3, 6), [-2, 0, 5])
    assert close(scale(shift(klsym.Uniform(0, 1), 1), 2), klsym.Uniform(2, 4), [2.5, 3.5])
    assert shift(klsym.Exponential(1), 2).support.lower == 2
    assert mass(shift(klsym.Gamma(2, 3), 5)) == pytest.approx(1)


def test_a_construction_refuses_what_means_two_things():
    with pytest.raises(ParameterError, match="uses the name 'loc' twice; choose another"):
        shift(shift(klsym.Gamma))
    with pytest.raises(ParameterError, match="uses the name 'x' twice"):
        shift(klsym.Gamma, "x")
    with pytest.raises(ParameterError, match="continuous family; Poisson is discrete"):
        scale(klsym.Poisson)


def test_values_mix_numbers_names_and_expressions():
    a = sp.Symbol("a", positive=True)
    member = klsym.Gamma(np.float64(0.1), beta="b")
    assert member.values == (Exact(sp.Rational(0.1)), sp.Symbol("b", positive=True))
    assert klsym.Gamma(a**2, 1).symbols == {a}
    assert klsym.Uniform("b", "a").constraint == sp.Lt(sp.Symbol("b", real=True), sp.Symbol("a", real=True))
    assert klsym.Binomial(np.int64(5), 0.5).values[0] == 5


# The limits that belong to the domain of the numbers, as the catalog says.
@pytest.mark.parametrize(
    "family, values",
    [
        ("Bernoulli", (0,)),
        ("Bernoulli", (1,)),
        ("Binomial", (0, 0.5)),
        ("Geometric", (1,)),
        ("NegativeBinomial", (2, 1)),
        ("VonMises", (0, 0)),
        ("WrappedCauchy", (0, 0)),
        ("DiscreteUniform", (3, 3)),
        ("Triangular", (0, 0, 1)),
        ("Triangular", (0, 1, 1)),
        ("Hypergeometric", (5, 5, 0)),
    ],
)
def test_closed_ends_are_accepted(family, values):
    assert catalog[family](*values).numeric


@pytest.mark.parametrize(
    "family, values, message",
    [
        ("Gamma", (1, 2, 3), r"Gamma\(alpha, beta\) takes 2 parameters; 3 were given"),
        ("Gamma", (1,), r"Gamma\(alpha, beta\) needs a value for beta"),
        ("Gamma", (0, 1), r"alpha of Gamma is 0; it must lie in \(0, oo\)"),
        ("Gamma", (1, -2.5), r"beta of Gamma is -5/2; it must lie in \(0, oo\)"),
        ("Gamma", (sp.S(-1), 1), r"alpha of Gamma is -1; it must lie"),
        ("Bernoulli", (1.5,), r"p of Bernoulli is 3/2; it must lie in \[0, 1\]"),
        ("Geometric", (0,), r"p of Geometric is 0; it must lie in \(0, 1\]"),
        ("Logarithmic", (1,), r"p of Logarithmic is 1; it must lie in \(0, 1\)"),
        ("WrappedCauchy", (0, 1), r"rho of WrappedCauchy is 1; it must lie in \[0, 1\)"),
        ("Zeta", (1,), r"s of Zeta is 1; it must lie in \(1, oo\)"),
        ("Binomial", (2.5, 0.5), r"n of Binomial is 5/2; it must lie in integers in \[0, oo\)"),
        ("Uniform", (2, 1), r"Uniform\(2, 1\) violates the constraint a < b"),
        ("Uniform", (1, 1), r"violates the constraint"),
        ("LogUniform", (3, 2), r"violates the constraint"),
        ("DiscreteUniform", (3, 2), r"violates the constraint"),
        ("Triangular", (0, 2, 1), r"violates the constraint"),
        ("Triangular", (1, 1, 1), r"violates the constraint"),
        ("Hypergeometric", (5, 6, 1), r"violates the constraint"),
        ("Hypergeometric", (5, 1, 6), r"violates the constraint"),
        ("Normal", (float("nan"), 1), r"mu of Normal is nan; a finite number is needed"),
        ("Normal", (sp.nan, 1), r"mu of Normal is nan; it must lie in \(-oo, oo\)"),
        ("Normal", (0, float("inf")), r"sigma of Normal is inf; a finite number is needed"),
        ("Normal", (sp.oo, 1), r"mu of Normal is oo; it must lie in"),
        ("Normal", (sp.zoo, 1), r"mu of Normal is zoo; it must lie in"),
        ("Normal", (sp.I, 1), r"mu of Normal is I; it must lie in"),
        ("Normal", (1j, 1), r"mu of Normal is a complex; a number, a name or"),
        ("Normal", (True, 1), r"mu of Normal is a bool"),
        ("Normal", (np.bool_(True), 1), r"mu of Normal is a bool"),
        ("Normal", (None, 1), r"mu of Normal is a NoneType"),
        ("Normal", ([0], 1), r"mu of Normal is a list"),
        ("Normal", ("lambda", 1), r"'lambda' is a reserved word of generated code"),
        ("Normal", ("exp", 1), r"'exp' is a reserved word"),
        ("Normal", (sp.Symbol("pi"), 1), r"'pi' is a reserved word"),
        ("Normal", ("mu; import os", 1), r"'mu; import os' is not a name"),
        ("Gamma", (1, 2 * sp.Symbol("x")), r"beta of Gamma is 2\*x, but x is the outcome; choose another name"),
        ("Normal", ("x", 1), r"mu of Normal is x, but x is the outcome; choose another name"),
    ],
)
def test_a_wrong_value_is_named(family, values, message):
    with pytest.raises(ParameterError, match=message):
        catalog[family](*values)


def test_a_wrong_name_is_named():
    with pytest.raises(ParameterError, match=r"Gamma\(alpha, beta\) has no parameter 'alhpa'; did you mean 'alpha'\?"):
        klsym.Gamma(alhpa=1, beta=2)
    with pytest.raises(ParameterError, match="was given 'alpha' twice"):
        klsym.Gamma(1, alpha=1)


def test_find_ignores_case_and_separators():
    assert find("log-normal") is find("LOG_NORMAL") is klsym.find("LogNormal") is klsym.LogNormal
    with pytest.raises(UnknownNameError, match="there is no family 'Gama'; did you mean 'Gamma'"):
        find("Gama")
    with pytest.raises(AttributeError, match="Gama"):
        klsym.Gama  # noqa: B018


def test_functions_that_nobody_knows_are_refused():
    """Their names would reach generated code as they are."""
    unknown = sp.Function("__import__('os').getcwd() or abs")
    with pytest.raises(ParameterError, match="which nobody has defined"):
        catalog["Normal"](unknown(1), 1)
    x = catalog["Normal"].variable
    with pytest.raises(ParameterError, match="which nobody has defined"):
        transform(catalog["Normal"], "Moved", forward=x + unknown(1), inverse=x - unknown(1), support=real_line)


def test_orders_and_units_are_no_functions_that_nobody_knows(monkeypatch):
    ran = []
    monkeypatch.setattr("builtins.print", lambda *_: ran.append(1))
    hostile = sp.Function("print('ran') or abs", positive=True, real=True)(2)
    p, q = catalog["Normal"](0, 1), catalog["Normal"](1, 1)
    for made in (lambda: klsym.kl(p, q, base=hostile), lambda: klsym.renyi(p, q, hostile)):
        with pytest.raises(ParameterError):
            made().evaluate()
    with pytest.raises(ArithmeticError, match="nobody has defined"):
        running(hostile, 60)
    assert not ran
