"""What klsym is timed beside: other libraries' divergences, and the textbook formulas in their arithmetic."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = Sequence[NDArray[np.float64]]
Formula = Callable[..., Any]


def _lbeta(m: Any, a: Any, b: Any) -> Any:
    return m.lgamma(a) + m.lgamma(b) - m.lgamma(a + b)


def _gamma(m: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    return (a - c) * m.digamma(a) - m.lgamma(a) + m.lgamma(c) + c * m.log(b / d) + a * (d - b) / b


def _beta(m: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    moments = (a - c) * m.digamma(a) + (b - d) * m.digamma(b) + (c - a + d - b) * m.digamma(a + b)
    return _lbeta(m, c, d) - _lbeta(m, a, b) + moments


def _weibull(m: Any, k: Any, s: Any, j: Any, t: Any) -> Any:
    moments = (k - j) * (m.log(s) - np.euler_gamma / k) + m.exp(m.lgamma(j / k + 1) + j * m.log(s / t))
    return m.log(k / j) - k * m.log(s) + j * m.log(t) + moments - 1


def _laplace(m: Any, x: Any, b: Any, y: Any, c: Any) -> Any:
    gap = m.abs(x - y)
    return m.log(c / b) + gap / c + b / c * m.exp(-gap / b) - 1


# Each as any textbook has it, P's parameters first, in the arithmetic m.
FORMULAS: dict[str, Formula] = {
    "Normal": lambda m, x, s, y, t: m.log(t / s) + (s**2 + (x - y) ** 2) / (2 * t**2) - 0.5,
    "Laplace": _laplace,
    "Exponential": lambda m, r, q: m.log(r / q) + q / r - 1,
    "Cauchy": lambda m, x, s, y, t: m.log(((s + t) ** 2 + (x - y) ** 2) / (4 * s * t)),
    "Bernoulli": lambda m, p, q: p * m.log(p / q) + (1 - p) * m.log((1 - p) / (1 - q)),
    "Poisson": lambda m, a, b: a * m.log(a / b) - a + b,
    "Gamma": _gamma,
    "InverseGamma": _gamma,
    "Beta": _beta,
    "Weibull": _weibull,
}
# The families whose members numpyro's kl_divergence takes; the others get the formula under jit.
IN_NUMPYRO = ("Normal", "Gamma", "Beta")
IN_TORCH = ("Normal", "Laplace", "Exponential", "Cauchy", "Bernoulli", "Poisson", "Gamma", "Beta")


def numpy(family: str, columns: Columns) -> Callable[[], Any] | None:
    """The formula in NumPy, where it needs no special function."""
    if family in ("Gamma", "InverseGamma", "Beta", "Weibull"):
        return None
    m = SimpleNamespace(log=np.log, exp=np.exp, abs=np.abs)
    return lambda: FORMULAS[family](m, *columns)


def scipy(family: str, columns: Columns) -> Callable[[], Any] | None:
    """scipy.special: kl_div where it is the divergence, the formula where that needs special functions."""
    from scipy import special

    if family == "Bernoulli":
        p, q = columns
        return lambda: special.rel_entr(p, q) + special.rel_entr(1 - p, 1 - q)
    if family == "Poisson":
        return lambda: special.kl_div(*columns)
    if family not in ("Gamma", "InverseGamma", "Beta", "Weibull"):
        return None
    m = SimpleNamespace(log=np.log, exp=np.exp, lgamma=special.gammaln, digamma=special.digamma)
    return lambda: FORMULAS[family](m, *columns)


def torch(family: str, columns: Columns) -> Callable[[], Any] | None:
    """torch.distributions.kl_divergence, or the formula where torch has no such pair."""
    import torch

    torch.set_num_threads(1)
    tensors = [torch.from_numpy(column) for column in columns]
    if family not in IN_TORCH:
        return lambda: FORMULAS[family](torch, *tensors).numpy()
    half = len(tensors) // 2
    law = getattr(torch.distributions, family)
    p, q = (law(*values, validate_args=False) for values in (tensors[:half], tensors[half:]))
    return lambda: torch.distributions.kl_divergence(p, q).numpy()


def of_numpyro(family: str) -> Formula:
    """numpyro.distributions.kl_divergence, or the formula in JAX where numpyro has no such pair."""
    import jax.numpy as jnp
    from jax.scipy import special
    from numpyro import distributions

    def divergence(*x: Any) -> Any:
        if family in IN_NUMPYRO:
            law, half = getattr(distributions, family), len(x) // 2
            return distributions.kl_divergence(law(*x[:half]), law(*x[half:]))
        m = SimpleNamespace(log=jnp.log, exp=jnp.exp, abs=jnp.abs, lgamma=special.gammaln, digamma=special.digamma)
        return FORMULAS[family](m, *x)

    return divergence


def numpyro(family: str, columns: Columns) -> Callable[[], Any] | None:
    """The same under jit in doubles."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    arrays, compiled = [jnp.asarray(column) for column in columns], jax.jit(of_numpyro(family))
    return lambda: compiled(*arrays).block_until_ready()


# name: (what has to be installed, how it is made ready)
PEERS: dict[str, tuple[str, Callable[[str, Columns], Callable[[], Any] | None]]] = {
    "torch": ("torch", torch),
    "numpyro jit": ("numpyro", numpyro),
    "SciPy": ("scipy", scipy),
    "NumPy": ("numpy", numpy),
}


def installed() -> list[str]:
    """The peers that can be imported."""
    return [name for name, (module, _) in PEERS.items() if find_spec(module)]
