"""How fast the divergences of array-valued parameters run: batches beside torch and SciPy, in one run."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from .run import Row, timed

Contestants = dict[str, Callable[[], Any]]


@dataclass(frozen=True)
class Race:
    """A batch: `shape` is (elements, dimension), `target` how many times as fast as the fastest peer it is to be."""

    family: str
    shape: tuple[int, int]
    target: float
    gradient: bool = False


WITHOUT_GRADIENT = ("MultivariateNormal, diagonal", "MultivariateNormal, low rank", "Wishart")
RACES = tuple(
    Race(family, shape, target, gradient)
    for family, target, shapes in (
        ("MultivariateNormal", 2.0, ((100_000, 8), (1_000, 128))),
        ("Dirichlet", 8.0, ((300_000, 2), (100_000, 10), (1_000, 1_000))),
        ("Categorical", 2.0, ((300_000, 3), (1_000, 1_000))),
        ("MultivariateNormal, diagonal", 2.0, ((100_000, 8), (1_000, 128))),
        ("MultivariateNormal, low rank", 1.0, ((1_000, 8), (100, 128))),
        ("Wishart", 1.0, ((10_000, 4), (500, 20))),
        ("logits, float32", 4.0, ((64, 128_000), (100_000, 10))),
        ("logits, float64", 4.0, ((64, 128_000), (100_000, 10))),
    )
    for gradient in (False, True)
    for shape in shapes
    if not (gradient and family in WITHOUT_GRADIENT)
)


def race(entry: Race, share: float, repeats: int) -> Row:
    """One batch, of a share of its elements: microseconds an element of klsym and of the peers, and their ratio."""
    elements, dimension = max(int(entry.shape[0] * share), 1), entry.shape[1]
    contestants = _CONTESTANTS[entry.family](elements, dimension, entry.gradient)
    with np.errstate(all="ignore"):
        us = {name: ns / 1e3 for name, ns in timed(contestants, elements, repeats).items()}
    peers = [time for name, time in us.items() if name not in ("klsym", "roof")]
    return {
        "family": entry.family,
        "elements": elements,
        "dimension": dimension,
        "gradient": entry.gradient,
        "us": us,
        "ratio": min(peers) / us["klsym"] if peers else None,
        "target": entry.target,
    }


def rows(share: float, repeats: int) -> Iterator[Row]:
    """A row for every race."""
    return (race(entry, share, repeats) for entry in RACES)


def _normal(elements: int, k: int, gradient: bool) -> Contestants:
    from ..backends.arrays import gaussian

    rng = np.random.default_rng(0)
    mu_p, mu_q = rng.normal(size=(2, elements, k))
    p, q = np.tril(rng.normal(size=(2, elements, k, k)) / k) + (1.0 + rng.random((2, elements, 1, k))) * np.eye(k)
    run = gaussian.kl_and_gradient if gradient else gaussian.kl_tril
    return {"klsym": lambda: run(mu_p, p, mu_q, q), **_torch("MultivariateNormal", gradient, (mu_p, p, mu_q, q))}


def _dirichlet(elements: int, k: int, gradient: bool) -> Contestants:
    from scipy import special

    from ..backends.arrays import dirichlet

    p, q = 10 ** np.random.default_rng(0).uniform(-1, 2, (2, elements, k))
    run = dirichlet.kl_and_gradient if gradient else dirichlet.kl
    contestants: Contestants = {"klsym": lambda: run(p, q), **_torch("Dirichlet", gradient, (p, q))}
    if not gradient:
        lgamma, digamma = special.gammaln, special.digamma

        def formula() -> Any:
            p_0 = p.sum(-1)
            psi = digamma(p) - digamma(p_0)[:, None]
            norm = lgamma(p_0) - lgamma(q.sum(-1)) + (lgamma(q) - lgamma(p)).sum(-1)
            return norm + ((p - q) * psi).sum(-1)

        contestants["SciPy"] = formula
    return contestants


def _categorical(elements: int, k: int, gradient: bool) -> Contestants:
    from ..backends.arrays import probabilities

    p, q = np.random.default_rng(0).dirichlet(np.ones(k), (2, elements))
    run = probabilities.kl_and_gradient if gradient else probabilities.kl
    return {"klsym": lambda: run(p, q), **_torch("Categorical", gradient, (p, q))}


def _diagonal(elements: int, k: int, gradient: bool) -> Contestants:
    from ..backends.arrays import low_rank

    rng = np.random.default_rng(0)
    mu_p, mu_q = rng.normal(size=(2, elements, k))
    p, q = 1.0 + rng.random((2, elements, k))
    d_p, d_q = p * p, q * q
    return {
        "klsym": lambda: low_rank.kl_diagonal(mu_p, d_p, mu_q, d_q),
        **_torch("Independent", gradient, (mu_p, p, mu_q, q)),
    }


def _low_rank(elements: int, k: int, gradient: bool) -> Contestants:
    from ..backends.arrays import low_rank

    rng = np.random.default_rng(0)
    mu_p, mu_q = rng.normal(size=(2, elements, k))
    w_p, w_q = rng.normal(size=(2, elements, k, 4))
    p, q = 1.0 + rng.random((2, elements, k))
    arrays = (mu_p, w_p, p, mu_q, w_q, q)
    return {"klsym": lambda: low_rank.kl(*arrays), **_torch("LowRankMultivariateNormal", gradient, arrays)}


def _wishart(elements: int, k: int, gradient: bool) -> Contestants:
    from ..backends.arrays import wishart

    rng = np.random.default_rng(0)
    nu_p, nu_q = k + 10.0 * rng.random((2, elements))
    factors = np.tril(rng.normal(size=(2, elements, k, k)) / k) + 2.0 * np.eye(k)
    v_p, v_q = factors @ factors.swapaxes(-1, -2)
    arrays = (nu_p, v_p, nu_q, v_q)
    return {"klsym": lambda: wishart.kl(*arrays), **_torch("Wishart", gradient, arrays)}


def _logits(precision: str, elements: int, k: int, gradient: bool) -> Contestants:
    """Beside torch, and beside reading both arrays and taking two exponentials by the kernel's own polynomial."""
    from ..backends.arrays import logits

    rng = np.random.default_rng(0)
    p = 3 * rng.normal(size=(elements, k))
    p, q = (x.astype(precision) for x in (p, p + rng.normal(size=p.shape)))
    run = logits.kl_and_gradient if gradient else logits.kl
    contestants: Contestants = {"klsym": lambda: run(p, q)}
    if find_spec("numba"):
        from ..backends.library import needed, numba_library
        from ..backends.store import keep, module

        source = "\n\n\n".join([*needed(numba_library(), ("njit", "_exp", "__power_single")), EXPONENTIALS])
        roof = getattr(module(keep("klsym_exponentials", source), source, {}), precision)
        contestants["roof"] = lambda: roof(p.reshape(-1), q.reshape(-1))
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        a, b = (torch.from_numpy(x).requires_grad_(gradient) for x in (p, q))
        log_softmax, kl_div = torch.nn.functional.log_softmax, torch.nn.functional.kl_div

        def divergence() -> Any:
            value = kl_div(log_softmax(b, -1), log_softmax(a, -1), log_target=True, reduction="none").sum(-1)
            return torch.autograd.grad(value.sum(), (a, b)) if gradient else value

        contestants["torch"] = divergence
    return contestants


EXPONENTIALS = """\
@njit(fastmath={"reassoc"}, forceinline=True)
def _plus(total, term):
    return total + term


@njit(error_model="numpy")
def float32(a, b):
    total, origin = np.float32(0.0), np.float32(-127.0)
    for i in range(a.size):
        total = _plus(total, __power_single(a[i], origin) + __power_single(b[i], origin))
    return total


@njit(error_model="numpy")
def float64(a, b):
    total = 0.0
    for i in range(a.size):
        total = _plus(total, _exp(a[i]) + _exp(b[i]))
    return total
"""

_CONTESTANTS: dict[str, Callable[[int, int, bool], Contestants]] = {
    "MultivariateNormal": _normal,
    "Dirichlet": _dirichlet,
    "Categorical": _categorical,
    "MultivariateNormal, diagonal": _diagonal,
    "MultivariateNormal, low rank": _low_rank,
    "Wishart": _wishart,
    "logits, float32": partial(_logits, "float32"),
    "logits, float64": partial(_logits, "float64"),
}
_TORCH: dict[str, tuple[str, ...]] = {
    "MultivariateNormal": ("loc", "scale_tril"),
    "Dirichlet": ("concentration",),
    "Categorical": ("probs",),
    "Independent": ("loc", "scale"),
    "LowRankMultivariateNormal": ("loc", "cov_factor", "cov_diag"),
    "Wishart": ("df", "covariance_matrix"),
}


def _torch(law: str, gradient: bool, arrays: tuple[Any, ...]) -> Contestants:
    """torch.distributions.kl_divergence, and backward through it; nothing without torch."""
    if not find_spec("torch"):
        return {}
    import torch

    torch.set_num_threads(1)
    tensors = [torch.from_numpy(array).requires_grad_(gradient) for array in arrays]
    half = len(tensors) // 2

    def member(values: dict[str, Any]) -> Any:
        if law == "Independent":
            return torch.distributions.Independent(torch.distributions.Normal(**values, validate_args=False), 1)
        return getattr(torch.distributions, law)(**values, validate_args=False)

    def divergence() -> Any:
        p, q = (member(dict(zip(_TORCH[law], values, strict=True))) for values in (tensors[:half], tensors[half:]))
        value = torch.distributions.kl_divergence(p, q)
        return torch.autograd.grad(value.sum(), tensors) if gradient else value

    return {"torch": divergence}
