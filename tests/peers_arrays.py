"""Which libraries have KL(P || Q) for two members of one family of arrays, found by asking them.

`python tests/peers_arrays.py` prints the table of the README for the libraries that are installed.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import klsym

ONE, TWO = np.eye(2), np.array([[2.0, 0.5], [0.5, 1.0]])
LOW = np.array([[0.5], [1.0]])
# P's and Q's arguments in klsym; a form is given by its keywords.
MEMBERS: dict[str, tuple[Any, Any]] = {
    "Categorical": (([0.25, 0.75],), ([0.5, 0.5],)),
    "Dirichlet": (([1.0, 2.0],), ([2.5, 1.5],)),
    "Multinomial": ((3, [0.25, 0.75]), (3, [0.5, 0.5])),
    "DirichletMultinomial": ((3, [1.0, 2.0]), (3, [2.5, 1.5])),
    "MultivariateNormal": (([0.0, 1.0], TWO), ([0.5, 0.0], ONE)),
    "MultivariateNormal, diagonal": (
        ([0.0, 1.0], {"diagonal": [1.0, 4.0]}),
        ([0.5, 0.0], {"diagonal": [2.25, 1.0]}),
    ),
    "MultivariateNormal, low rank": (
        ([0.0, 1.0], {"factor": LOW, "diagonal": [1.0, 4.0]}),
        ([0.5, 0.0], {"factor": -LOW, "diagonal": [2.25, 1.0]}),
    ),
    "MultivariateLogNormal": (([0.0, 1.0], TWO), ([0.5, 0.0], ONE)),
    "MultivariateCauchy": (([0.0, 1.0], TWO), ([0.5, 0.0], ONE)),
    "VonMisesFisher": (([0.0, 1.0], 2.0), ([1.0, 0.0], 0.5)),
    "MatrixNormal": ((ONE, TWO, ONE), (0 * ONE, ONE, TWO)),
    "Wishart": ((4.0, TWO), (3.0, ONE)),
    "InverseWishart": ((4.0, TWO), (3.0, ONE)),
    "LKJ": ((2.0,), (1.5,)),
}
Makers = dict[str, Callable[..., Any]]


def torch_makers() -> tuple[Makers, Callable[..., Any]]:
    torch = importlib.import_module("torch")
    d, t = torch.distributions, lambda a: torch.as_tensor(a, dtype=torch.float64)
    return {
        "Categorical": lambda p: d.Categorical(t(p)),
        "Dirichlet": lambda a: d.Dirichlet(t(a)),
        "Multinomial": lambda n, p: d.Multinomial(n, t(p)),
        "MultivariateNormal": lambda mu, s: d.MultivariateNormal(t(mu), t(s)),
        "MultivariateNormal, diagonal": lambda mu, diagonal: d.Independent(d.Normal(t(mu), t(diagonal).sqrt()), 1),
        "MultivariateNormal, low rank": lambda mu, factor, diagonal: d.LowRankMultivariateNormal(
            t(mu), t(factor), t(diagonal)
        ),
        "MultivariateLogNormal": lambda mu, s: d.TransformedDistribution(
            d.MultivariateNormal(t(mu), t(s)), [d.transforms.ExpTransform()]
        ),
        "Wishart": lambda nu, v: d.Wishart(t(nu), t(v)),
        "LKJ": lambda eta: d.LKJCholesky(2, t(eta)),
    }, d.kl_divergence


def numpyro_makers() -> tuple[Makers, Callable[..., Any]]:
    d = importlib.import_module("numpyro.distributions")
    return {
        "Categorical": lambda p: d.Categorical(np.array(p)),
        "Dirichlet": lambda a: d.Dirichlet(np.array(a)),
        "Multinomial": lambda n, p: d.Multinomial(n, np.array(p)),
        "DirichletMultinomial": lambda n, a: d.DirichletMultinomial(np.array(a), n),
        "MultivariateNormal": lambda mu, s: d.MultivariateNormal(np.array(mu), s),
        "MultivariateNormal, diagonal": lambda mu, diagonal: d.Normal(np.array(mu), np.sqrt(diagonal)).to_event(1),
        "MultivariateNormal, low rank": lambda mu, factor, diagonal: d.LowRankMultivariateNormal(
            np.array(mu), factor, np.array(diagonal)
        ),
        "MultivariateLogNormal": lambda mu, s: d.TransformedDistribution(
            d.MultivariateNormal(np.array(mu), s), d.transforms.ExpTransform()
        ),
        "MultivariateCauchy": lambda mu, s: d.MultivariateStudentT(1.0, np.array(mu), np.linalg.cholesky(s)),
        "MatrixNormal": lambda m, u, v: d.MatrixNormal(m, np.linalg.cholesky(u), np.linalg.cholesky(v)),
        "Wishart": lambda nu, v: d.Wishart(nu, v),
        "LKJ": lambda eta: d.LKJ(2, eta),
    }, d.kl_divergence


def tfp_makers() -> tuple[Makers, Callable[..., Any]]:
    tfp = importlib.import_module("tensorflow_probability.substrates.jax")
    d, f = tfp.distributions, lambda a: np.asarray(a, dtype=np.float32)
    operator = tfp.tf2jax.linalg.LinearOperatorLowerTriangular

    def root(s: Any) -> Any:
        return f(np.linalg.cholesky(s))

    return {
        "Categorical": lambda p: d.Categorical(probs=f(p)),
        "Dirichlet": lambda a: d.Dirichlet(f(a)),
        "Multinomial": lambda n, p: d.Multinomial(float(n), probs=f(p)),
        "DirichletMultinomial": lambda n, a: d.DirichletMultinomial(float(n), f(a)),
        "MultivariateNormal": lambda mu, s: d.MultivariateNormalTriL(f(mu), root(s)),
        "MultivariateNormal, diagonal": lambda mu, diagonal: d.MultivariateNormalDiag(f(mu), f(np.sqrt(diagonal))),
        "MultivariateNormal, low rank": lambda mu, factor, diagonal: d.MultivariateNormalDiagPlusLowRankCovariance(
            f(mu), f(diagonal), f(factor)
        ),
        "MultivariateLogNormal": lambda mu, s: tfp.bijectors.Exp()(d.MultivariateNormalTriL(f(mu), root(s))),
        "MultivariateCauchy": lambda mu, s: d.MultivariateStudentTLinearOperator(f(1), f(mu), operator(root(s))),
        "VonMisesFisher": lambda mu, kappa: d.VonMisesFisher(f(mu), f(kappa)),
        "MatrixNormal": lambda m, u, v: d.MatrixNormalLinearOperator(f(m), operator(root(u)), operator(root(v))),
        "Wishart": lambda nu, v: d.WishartTriL(f(nu), root(v)),
        "LKJ": lambda eta: d.LKJ(2, f(eta)),
    }, d.kl_divergence


def distrax_makers() -> tuple[Makers, Callable[..., Any]]:
    d, f = importlib.import_module("distrax"), lambda a: np.asarray(a, dtype=np.float32)
    return {
        "Categorical": lambda p: d.Categorical(probs=f(p)),
        "Dirichlet": lambda a: d.Dirichlet(f(a)),
        "Multinomial": lambda n, p: d.Multinomial(n, probs=f(p)),
        "MultivariateNormal": lambda mu, s: d.MultivariateNormalFullCovariance(f(mu), f(s)),
        "MultivariateNormal, diagonal": lambda mu, diagonal: d.MultivariateNormalDiag(f(mu), f(np.sqrt(diagonal))),
        "MultivariateNormal, low rank": lambda mu, factor, diagonal: d.MultivariateNormalDiagPlusLowRank(
            f(mu), *map(f, _root(factor, np.sqrt(diagonal)))
        ),
        "MultivariateLogNormal": lambda mu, s: d.Transformed(
            d.MultivariateNormalFullCovariance(f(mu), f(s)),
            d.Block(d.Lambda(importlib.import_module("jax").numpy.exp), 1),
        ),
    }, lambda p, q: p.kl_divergence(q)


def _root(factor: Any, deviations: Any) -> tuple[Any, Any, Any]:
    """S = diag(deviations) + U V^T with S S^T = factor factor^T + diag(deviations)^2, for one column"""
    w = factor / deviations[:, None]
    square = float((w * w).sum())
    return deviations, factor * (math.sqrt(1 + square) - 1) / square, w


LIBRARIES = {"torch": torch_makers, "numpyro": numpyro_makers, "TFP (JAX)": tfp_makers, "distrax": distrax_makers}


def called(maker: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """The maker called with the arguments, those of a form by keyword."""
    words = arguments[-1] if isinstance(arguments[-1], dict) else {}
    return maker(*(a for a in arguments if a is not words), **words)


def ours(name: str) -> float:
    """klsym's value for the pair."""
    family = getattr(klsym, name.partition(",")[0])
    sizes = {"k": 2} if name == "LKJ" else {}
    p, q = (called(lambda *a, **k: family(*a, **k, **sizes), arguments) for arguments in MEMBERS[name])
    return float(klsym.kl(p, q))


def answers(library: str) -> Iterator[tuple[str, str]]:
    """For every pair: "yes", "no" where the library has the family alone, "" where it lacks the family.

    A value that is not klsym's is "wrong". A library that is not installed raises ImportError.
    """
    makers, divergence = LIBRARIES[library]()
    for name, (p, q) in MEMBERS.items():
        if name not in makers:
            yield name, ""
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            members = called(makers[name], p), called(makers[name], q)
            try:
                value = float(divergence(*members).sum())
            except NotImplementedError:
                yield name, "no"
                continue
        yield name, "yes" if math.isclose(value, ours(name), rel_tol=1e-4) else f"wrong ({value} for {ours(name)})"


def main() -> None:
    """The table, in Markdown."""
    found: dict[str, dict[str, str]] = {}
    for library in LIBRARIES:
        try:
            found[library] = dict(answers(library))
        except ImportError as error:
            print(f"{library} does not import: {error}")
    print("| pair | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for name in MEMBERS:
        print(f"| {name} | " + " | ".join(column[name] or "-" for column in found.values()) + " |")


if __name__ == "__main__":
    main()
