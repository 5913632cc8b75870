"""Distributions of torch and numpyro, and klsym in their registries: `make test-peers` installs them."""

from __future__ import annotations

from importlib import import_module

import mpmath as mp
import numpy as np
import pytest

import klsym
from klsym import Gamma, ParameterError, UnderivableError, divergences, kl, oracles
from klsym.adapters.example import example
from klsym.adapters.measure import pair
from klsym.core.family import Distribution, exact

pytestmark = pytest.mark.peers

TABLES = {n: import_module(f"klsym.adapters.{n}").LIBRARY for n in ("torch", "numpyro", "tfp")}


@pytest.fixture(scope="module")
def torch():
    return import_module("torch")


@pytest.fixture(scope="module")
def jax():
    """JAX in doubles."""
    found = import_module("jax")
    before = found.config.jax_enable_x64
    found.config.update("jax_enable_x64", True)
    yield found
    found.config.update("jax_enable_x64", before)


@pytest.fixture(scope="module")
def registry(torch, jax):
    return {"torch": klsym.torch.Torch(), "numpyro": klsym.numpyro.Numpyro(), "tfp": klsym.tfp.Tfp()}


FORMS = [
    ("Bernoulli", "logits"), ("Binomial", "logits"), ("Categorical", "logits"), ("ContinuousBernoulli", "logits"),
    ("Geometric", "logits"), ("Multinomial", "logits"), ("NegativeBinomial", "logits"), ("OneHotCategorical", "logits"),
    ("MultivariateNormal", "precision_matrix"), ("MultivariateNormal", "scale_tril"),
]  # fmt: skip


@pytest.mark.parametrize("row, form", FORMS)
def test_forms_have_one_divergence(torch, row, form):
    """What is made from logits, a precision or a factor is what the class makes of the usual form."""
    made = getattr(torch.distributions, row)
    rng = np.random.default_rng(1)
    values = []
    for _ in range(2):
        if row == "MultivariateNormal":
            half = torch.tensor(np.tril(rng.standard_normal((2, 2)), -1) + 1.5 * np.eye(2))
            value = half if form == "scale_tril" else half @ half.mT
            values.append(made(torch.tensor(rng.standard_normal(2)), **{form: value}))
        else:
            shape = 3 if row in ("Categorical", "Multinomial", "OneHotCategorical") else ()
            counts = {"Binomial": (5,), "Multinomial": (5,), "NegativeBinomial": (2.5,)}.get(row, ())
            values.append(made(*counts, logits=torch.tensor(rng.standard_normal(shape))))
    usual = "covariance_matrix" if row == "MultivariateNormal" else "probs"
    keep = {"loc": True, "total_count": True}
    others = [made(**{n: getattr(d, n) for n in (*(k for k in keep if hasattr(d, k)), usual)}) for d in values]
    assert kl(*values).item() == pytest.approx(kl(*others).item(), rel=1e-9)
    assert kl(values[0], others[1]).item() == pytest.approx(kl(*others).item(), rel=1e-9)


def test_logits_keep_their_digits(torch):
    """Both probabilities of success round to 1 in doubles."""
    p, q = (torch.distributions.Bernoulli(logits=torch.tensor(x, dtype=torch.float64)) for x in (40.0, 41.0))
    with mp.workdps(60):
        a, b = (1 / (1 + mp.exp(-mp.mpf(x))) for x in (40, 41))
        expected = a * mp.log(a / b) + (1 - a) * mp.log((1 - a) / (1 - b))
    assert kl(p, q).item() == pytest.approx(float(expected), rel=1e-14)


def test_shapes_types_and_gradients_of_torch(torch):
    D = torch.distributions
    a = torch.tensor([[5.0], [4.0]], requires_grad=True)
    b = torch.tensor([2.0, 3.0, 4.0], requires_grad=True)
    found = kl(D.Gamma(a, b), D.Weibull(3.0, 1.5))
    assert found.shape == (2, 3) and found.dtype == torch.float32
    assert found[0, 0].item() == pytest.approx(0.191703441825789, rel=1e-7)
    found.sum().backward()
    assert a.grad.shape == a.shape and b.grad.shape == b.shape
    assert kl(D.Normal(0.0, 1.0), klsym.Normal(1, 1)).item() == 0.5

    doubles = dict(dtype=torch.float64, requires_grad=True)
    k, s = torch.tensor([1.5, 2.0], **doubles), torch.tensor(3.0, **doubles)
    assert torch.autograd.gradcheck(lambda k, s: kl(D.Weibull(s, k), D.Gamma(2.0 * s, 1.0)), (k, s))
    m = torch.tensor([0.0, 1.0], **doubles)
    half = torch.tensor([[1.5, 0.0], [0.5, 1.0]], **doubles)
    other = D.MultivariateNormal(torch.zeros(2).double(), covariance_matrix=torch.eye(2).double() * 2)
    assert torch.autograd.gradcheck(lambda m, h: kl(D.MultivariateNormal(m, h @ h.mT), other), (m, half))
    own = torch.distributions.kl_divergence(D.MultivariateNormal(m, half @ half.mT), other)
    assert kl(D.MultivariateNormal(m, half @ half.mT), other).item() == pytest.approx(own.item(), rel=1e-12)
    logits = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]], **doubles)
    flat = D.Categorical(logits=torch.zeros(3).double())
    assert torch.autograd.gradcheck(lambda x: kl(D.Categorical(logits=x), flat), (logits,))


def test_independent_and_transformed_of_torch(torch):
    D = torch.distributions
    p, q = (D.Independent(D.Normal(torch.zeros(4, 3, 2) + k, 1.0 + k), 2) for k in (0, 1))
    assert kl(p, q).shape == (4,)
    assert torch.allclose(kl(p, q), torch.distributions.kl_divergence(p, q))
    with pytest.raises(ParameterError, match="no common space"):
        kl(p, D.Independent(D.Normal(torch.zeros(4, 3, 2), 1.0), 1))
    two = D.TransformedDistribution(D.Normal(0.5, 1.2), [D.ExpTransform(), D.AffineTransform(0.0, 2.0)])
    assert kl(two, D.LogNormal(0.1, 0.9)).item() == pytest.approx(
        kl(D.LogNormal(0.5 + np.log(2), 1.2), D.LogNormal(0.1, 0.9)).item(), rel=1e-6
    )
    down = D.TransformedDistribution(D.Normal(0.5, 1.2), [D.AffineTransform(1.0, -2.0)])
    assert kl(down, D.Normal(0.0, 2.4)).item() == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(UnderivableError, match="CumulativeDistributionTransform"):
        kl(D.TransformedDistribution(D.Normal(0.0, 1.0), [D.CumulativeDistributionTransform(D.Normal(0.0, 1.0))]), down)
    with pytest.raises(UnderivableError, match="mixtures"):
        kl(D.MixtureSameFamily(D.Categorical(torch.ones(2)), D.Normal(torch.zeros(2), 1.0)), down)


def test_a_derivative_that_is_not_known_is_refused(torch):
    D = torch.distributions
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    with pytest.raises(UnderivableError, match="detach"):  # the support moves with it
        kl(
            D.Pareto(scale, torch.tensor(2.0).double()),
            D.Cauchy(torch.tensor(0.0).double(), torch.tensor(1.0).double()),
        )


def test_integrals_are_differentiated_in_torch(torch):
    D = torch.distributions
    df = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    value = kl(D.StudentT(df), D.StudentT(torch.tensor(4.0).double()))
    value.backward()
    assert value.item() == pytest.approx(0.005897187284, rel=1e-9)
    sides = [kl(klsym.StudentT(3 + h, 0, 1), klsym.StudentT(4, 0, 1)).evaluate(20).value for h in (1e-3, -1e-3)]
    assert df.grad.item() == pytest.approx(float(sides[0] - sides[1]) * 500, rel=1e-4)


def test_jit_grad_and_vmap_of_jax(jax):
    nd, jnp = import_module("numpyro.distributions"), jax.numpy

    def f(a, b):
        return kl(nd.Gamma(a, b), nd.Weibull(3.0, 1.5))

    b = jnp.array([2.0, 3.0])
    assert f(5.0, b).shape == (2,) and float(jax.jit(f)(5.0, b)[0]) == pytest.approx(0.191703441825789, rel=1e-14)
    slope = jax.jit(jax.vmap(jax.grad(f), (None, 0)))(5.0, b)
    step = 1e-5
    assert np.allclose(slope, (f(5 + step, b) - f(5 - step, b)) / (2 * step), rtol=1e-7)
    q = nd.MultivariateNormal(jnp.zeros(2), scale_tril=2 * jnp.eye(2))
    found = jax.vmap(jax.grad(lambda m: kl(nd.MultivariateNormal(m, jnp.eye(2)), q)))(jnp.ones((3, 2)))
    assert np.allclose(found, 0.25)
    p = nd.Normal(0.0, 1.0).expand([3, 2]).to_event(1)
    assert np.allclose(kl(p, nd.Normal(jnp.ones(2), 1.0).to_event(1)), [1.0, 1.0, 1.0])
    assert float(kl(nd.Levy(1.0, 2.0), nd.Levy(1.0, 3.0))) == pytest.approx(float(kl(klsym.Levy(2), klsym.Levy(3))))


def members(table, of, pairs):
    """The classes of the pairs, with two members each."""
    names = dict.fromkeys(kind.__name__ for both in pairs for kind in both)
    return {n: [example(table, getattr(of.module, n), n, k, of.array) for k in (False, True)] for n in names}


def reference(table, p, q):
    """The divergence by quadrature or summation of the definition, None where the oracle cannot vouch for it."""
    a, b = pair(table, p, q)
    if not isinstance(a.law, Distribution):
        return None
    laws = [r.law.subs({s: exact(float(np.asarray(r.values[s.name])), s.name) for s in r.law.symbols}) for r in (a, b)]
    measured = oracles.measure(divergences.kl, laws[0], laws[1], 10)
    return float(measured.mid) if measured.vouched else None


@pytest.mark.parametrize("name, every", [("torch", 13), ("numpyro", 97), ("tfp", 97)])
def test_registered_pairs_beside_the_oracle(registry, name, every):
    check_registered(registry, name, every)


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_all_registered_pairs_beside_the_oracle(registry, name):
    check_registered(registry, name, 1)


def check_registered(registry, name, every):
    table, of = TABLES[name], registry[name]
    with getattr(klsym, name).register() as report:
        at = members(table, of, report.added)
        checked, wrong = 0, []
        for p, q in report.added[::every]:
            found = float(np.asarray(of.call(at[p.__name__][0], at[q.__name__][1])))
            expected = np.inf
            if (p, q) not in report.infinite:
                expected = reference(table, at[p.__name__][0], at[q.__name__][1])
                checked += expected is not None
            if expected is not None and found != pytest.approx(expected, rel=1e-7, abs=1e-9):
                wrong.append(f"{p.__name__} || {q.__name__}: {found}, {expected} expected")
        print(f"{report}\n{checked} finite ones compared with the oracle")
    assert checked and not wrong, "\n".join(wrong)


def test_a_registration_says_what_it_did_and_undoes_it(torch):
    D = torch.distributions
    before = dict(D.kl._KL_REGISTRY)
    report = klsym.torch.register()
    assert (D.Weibull, D.Gamma) in report.added and (D.Gamma, D.Gamma) in report.kept and not report.replaced
    assert f"{len(report.added)} pairs added" in str(report) and "Weibull || " in str(report)
    assert not set(before) & set(report.added) and all(D.kl._KL_REGISTRY[key] is f for key, f in before.items())
    k = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    found = D.kl_divergence(D.Weibull(torch.tensor(3.0).double(), k), D.Gamma(2.0, 1.0))
    found.backward()
    assert (
        found.item() == pytest.approx(float(kl(klsym.Weibull(1.5, 3), Gamma(2, 1))), rel=1e-14) and k.grad.item() != 0
    )
    report.undo()
    assert D.kl._KL_REGISTRY == before
    with pytest.raises(NotImplementedError):
        D.kl_divergence(D.Weibull(1.0, 2.0), D.Gamma(2.0, 1.0))


def test_only_with_replace_is_anything_replaced(torch):
    D = torch.distributions
    p, q = (D.Gamma(torch.tensor(5.0 + gap, dtype=torch.float64), torch.tensor(2.0).double()) for gap in (0.0, 1e-8))
    own = D.kl_divergence(p, q).item()
    with klsym.torch.register(replace=True) as report:
        assert (D.Gamma, D.Gamma) in report.replaced
        assert D.kl_divergence(p, q).item() == pytest.approx(1.1e-17, rel=0.1, abs=0)
    assert D.kl_divergence(p, q).item() == own != pytest.approx(1.1e-17, rel=0.1, abs=0)
