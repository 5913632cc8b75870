"""Right functions and broken ones, as subjects of an audit: each asked as a library would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import special

from klsym import Bernoulli, Beta, Dirichlet, Exponential, Gamma, MultivariateNormal, Normal, Poisson, Uniform, kl
from klsym.audit.peers.call import Call, Outcome
from klsym.core.errors import KlsymError

FAMILIES = {
    family.name: family
    for family in (Normal, Exponential, Gamma, Beta, Poisson, Bernoulli, Uniform, Dirichlet, MultivariateNormal)
}
Values = Callable[..., Any]


@cache
def right(form: str) -> Values:
    """klsym's own compiled code: the value and its derivatives."""
    family = FAMILIES[form]
    return kl(family, family).compile("numpy", gradient=True)


def summed(slope: Any, shape: tuple[int, ...]) -> Any:
    """The derivative of the sum by an argument of that shape, which was broadcast."""
    slope = np.asarray(slope)
    slope = slope.sum(tuple(range(slope.ndim - len(shape))))
    axes = tuple(n for n, size in enumerate(shape) if size == 1 and slope.shape[n] != 1)
    return slope.sum(axes, keepdims=True)


@dataclass(frozen=True)
class Planted:
    """A function of P's and Q's arrays; what is done to its value, to its derivatives, to arguments before."""

    form: str
    value: Callable[..., Any] = lambda value, *arguments: value
    slopes: Callable[[str, Any], Any] = lambda place, slope: slope
    before: Callable[..., Any] = lambda *arguments: arguments
    textbook: Values | None = None

    def __call__(self, call: Call) -> Outcome:
        assert call.q is not None
        names = [f"{side}.{name}" for side, made in (("p", call.p), ("q", call.q)) for name in made.arguments]
        given = [np.asarray(x, call.dtype) for made in (call.p, call.q) for x in made.arguments.values()]
        arguments = self.before(*given)
        with np.errstate(all="ignore"):
            if self.textbook is None:
                value, *slopes = right(self.form)(*arguments)
            else:
                value, slopes = self.textbook(*arguments), []
            value = np.asarray(self.value(value, *arguments))
        found = {
            place: self.slopes(place, summed(np.broadcast_to(s, np.broadcast_shapes(np.shape(s), x.shape)), x.shape))
            for place, s, x in zip(names, slopes, given, strict=False)
        }
        plain = {place: None if s is None else np.asarray(s).tolist() for place, s in found.items()}
        return Outcome("answered", value.tolist(), value.shape, value.dtype.name, plain if call.gradient else {})


def gauss(mu, s, nu, t):
    ratio = (s / t) ** 2
    return (ratio + ((mu - nu) / t) ** 2 - 1 - np.log(ratio)) / 2


def gamma(a, b, c, d):
    return (a - c) * special.digamma(a) - special.gammaln(a) + special.gammaln(c) + c * np.log(b / d) + a * (d - b) / b


def poisson(p, q):
    return p * (np.log(p) - np.log(q)) - p + q


def bernoulli(p, q):
    one = p.dtype.type(1)
    return p * np.log(p / q) + (one - p) * np.log((one - p) / (one - q))


def single(value, *arguments):
    return np.asarray(value, np.float32).astype(np.asarray(value).dtype)


def detached(which):
    return lambda place, slope: np.zeros_like(slope) if place == which else slope


def without(which):
    return lambda place, slope: None if place == which else slope


def poisoned(place, slope):
    """One NaN of many, as a product of a 0 and an infinity leaves it."""
    return np.where(np.isclose(slope, 0, atol=1e-300), np.nan, slope)


# By the name of the subject: what is planted, and the severities that have to be found, and no others.
BROKEN: dict[str, tuple[Planted, set[str]]] = {
    "sign": (Planted("Normal", lambda v, *a: -v), {"wrong value"}),
    "factor 2": (Planted("Gamma", lambda v, *a: 2 * v), {"wrong value"}),
    "missing 1/2": (Planted("Normal", lambda v, mu, s, nu, t: v + ((mu - nu) / t) ** 2 / 2), {"wrong value"}),
    "swapped P and Q": (Planted("Gamma", before=lambda a, b, c, d: (c, d, a, b)), {"wrong value"}),
    "swapped arguments": (Planted("Beta", before=lambda a, b, c, d: (a, b, d, c)), {"wrong value"}),
    "bits": (Planted("Exponential", lambda v, *a: v / v.dtype.type(np.log(2))), {"wrong value"}),
    "scale for rate": (Planted("Exponential", before=lambda p, q: (1 / p, 1 / q)), {"wrong value"}),
    "variance for deviation": (Planted("Normal", before=lambda m, s, n, t: (m, s**2, n, t**2)), {"wrong value"}),
    "clamped from below": (
        Planted("Poisson", lambda v, *a: np.maximum(v, v.dtype.type(1e-3))),
        {"wrong value", "lost digits"},
    ),
    "clamped from above": (
        Planted("Poisson", lambda v, *a: np.minimum(v, v.dtype.type(1e4))),
        {"wrong value", "false infinity"},
    ),
    "float32 inside": (Planted("Gamma", single), {"wrong value"}),
    "float32 outside": (Planted("Gamma", lambda v, *a: v.astype(np.float32)), {"wrong shape"}),
    "float64 always": (Planted("Gamma", lambda v, *a: v.astype(np.float64)), {"wrong shape"}),
    "eps added": (Planted("Normal", lambda v, *a: v + v.dtype.type(1e-6)), {"wrong value"}),
    "eps in the logarithm": (
        Planted("Poisson", textbook=lambda p, q: p * np.log((p + 1e-8) / (q + 1e-8)) - p + q),
        {"wrong value"},
    ),
    "truncated series": (Planted("Beta", lambda v, *a: v * (1 + v.dtype.type(1e-3))), {"wrong value"}),
    "wrong branch": (
        Planted("Normal", lambda v, m, s, n, t: np.where(s > 2 * t, v + np.log(s / t), v).astype(v.dtype)),
        {"wrong value"},
    ),
    "wrong beyond a threshold": (
        Planted("Poisson", lambda v, p, q: np.where(p > 1e4, v + 1, v).astype(v.dtype)),
        {"wrong value", "lost digits"},
    ),
    "absolute value": (
        Planted("Exponential", lambda v, p, q: np.where(p < q, v + (q - p) / p, v).astype(v.dtype)),
        {"wrong value"},
    ),
    "batch sum": (Planted("Normal", lambda v, *a: np.asarray(v).sum()), {"wrong shape"}),
    "batch mean": (Planted("Gamma", lambda v, *a: np.full_like(v, v.mean() if v.size else 0)), {"wrong value"}),
    "sum kept in shape": (Planted("Exponential", lambda v, *a: np.full_like(v, v.sum())), {"wrong value"}),
    "shape of P": (
        Planted("Normal", lambda v, m, *a: v if np.shape(v) == m.shape else v.ravel()[: m.size].reshape(m.shape)),
        {"wrong shape"},
    ),
    "first of Q only": (
        Planted(
            "Exponential",
            before=lambda p, q: (p, q if p.shape == q.shape else np.broadcast_to(q[..., :1], q.shape) if q.ndim else q),
        ),
        {"wrong value", "wrong gradient"},
    ),
    "infinite for all if for one": (
        Planted("Uniform", lambda v, *a: np.full_like(v, np.inf) if np.isinf(v).any() else v),
        {"false infinity"},
    ),
    "never infinite": (
        Planted("Uniform", lambda v, *a: np.where(np.isinf(v), 0, v).astype(v.dtype)),
        {"false infinity"},
    ),
    "NaN for infinite": (Planted("Uniform", lambda v, *a: np.where(np.isinf(v), np.nan, v).astype(v.dtype)), {"nan"}),
    "0 log 0": (Planted("Bernoulli", textbook=bernoulli), {"nan", "wrong sign", "missing gradient"}),
    "textbook": (Planted("Gamma", textbook=gamma), {"wrong sign", "missing gradient"}),
    "squares that overflow": (
        Planted("Normal", lambda v, m, s, n, t: np.where(s > 1e6, np.inf, v).astype(v.dtype)),
        {"false infinity"},
    ),
    "NaN at P = Q": (
        Planted("Beta", lambda v, a, b, c, d: np.where((a == c) & (b == d), np.nan, v).astype(v.dtype)),
        {"nan"},
    ),
    "rounded": (Planted("Normal", lambda v, *a: v - 8 * np.finfo(v.dtype).eps), {"wrong sign"}),
    "detached": (Planted("Gamma", slopes=detached("p.beta")), {"wrong gradient"}),
    "derivative of the mean": (Planted("Normal", slopes=lambda place, s: s / max(np.size(s), 1)), {"wrong gradient"}),
    "derivative upside down": (Planted("Beta", slopes=lambda p, s: -s if p == "q.alpha" else s), {"wrong gradient"}),
    "no derivative": (Planted("Exponential", slopes=without("q.rate")), {"missing gradient"}),
    "NaN derivative at P = Q": (Planted("Normal", slopes=poisoned), {"missing gradient"}),
    "covariance of Q": (
        Planted("MultivariateNormal", before=lambda m, s, n, t: (m, s, n, 2 * t)),
        {"wrong value"},
    ),
    "no dimension": (
        Planted("MultivariateNormal", lambda v, m, *a: v + v.dtype.type(m.shape[-1] / 2)),
        {"wrong value"},
    ),
    "one coordinate": (Planted("Dirichlet", lambda v, *a: v / v.dtype.type(2)), {"wrong value"}),
    "triangle of a derivative": (
        Planted("MultivariateNormal", slopes=lambda p, s: np.tril(s) if p == "q.Sigma" else s),
        {"wrong gradient"},
    ),
}
SOUND = {name: Planted(name) for name in FAMILIES}


def ask(argument: dict[str, Any]) -> dict[str, Any]:
    """The answer of a planted function; there are no log densities."""
    call = Call.from_json(argument)
    if call.quantity != "kl" or call.p.around:
        return Outcome("lacking").to_json()
    known = SOUND | {name: planted for name, (planted, _) in BROKEN.items()}
    try:
        return known[call.subject](call).to_json()
    except (KlsymError, ValueError) as error:
        return Outcome("raised", said=str(error)).to_json()
