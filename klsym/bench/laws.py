"""Laws whose divergences, entropies and information are known: what estimators from samples are measured on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import integrate, stats

from .. import MultivariateNormal, Normal, gaussian, kl
from ..families import catalog

Draw = Callable[[np.random.Generator, int, int], tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """Samples of n outcomes in d dimensions, and what is to be estimated from them.

    held: whether no threshold of an estimate was chosen by this law; those of the intervals were chosen by all.
    """

    quantity: str
    draw: Draw
    truth: Callable[[int], float]
    dimensions: tuple[int, ...] = (1, 2, 5, 10, 20)
    held: bool = False


class Mixture:
    """A mixture of two normal laws on a line."""

    def __init__(self, weight: float, means: tuple[float, float], scales: tuple[float, float]) -> None:
        self.weights, self.means, self.scales = np.array([weight, 1 - weight]), np.array(means), np.array(scales)

    def rvs(self, size: Any, random_state: np.random.Generator) -> Any:
        which = (random_state.random(size) >= self.weights[0]).astype(int)
        return self.means[which] + self.scales[which] * random_state.normal(size=size)

    def logpdf(self, x: float) -> float:
        z = (x - self.means) / self.scales
        return float(np.logaddexp.reduce(np.log(self.weights / self.scales) - z * z / 2 - math.log(2 * math.pi) / 2))

    def pdf(self, x: float) -> float:
        return math.exp(self.logpdf(x))

    def ppf(self, q: float) -> float:
        return float(np.min(self.means + self.scales * stats.norm.ppf(q)))

    def isf(self, q: float) -> float:
        return float(np.max(self.means + self.scales * stats.norm.isf(q)))

    def entropy(self) -> float:
        return _mean(self, lambda x: -self.logpdf(x))


def _mean(p: Any, of: Callable[[float], float]) -> float:
    ends = p.ppf(1e-16), p.isf(1e-16)
    inner = [p.ppf(0.01), p.ppf(0.3), p.isf(0.3), p.isf(0.01)]
    return float(integrate.quad(lambda x: float(p.pdf(x)) * of(x), *ends, points=inner, limit=500)[0])


@cache
def _line(p: Any, q: Any) -> float:
    """The definition on a line, by quadrature."""
    return _mean(p, lambda x: float(p.logpdf(x) - q.logpdf(x)))


def _products(p: Any, q: Any, held: bool) -> Case:
    def draw(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
        return p.rvs(size=(n, d), random_state=rng), q.rvs(size=(n, d), random_state=rng)

    return Case("kl", draw, lambda d: d * _line(p, q), held=held)


def _entropies(p: Any, held: bool) -> Case:
    return Case(
        "entropy",
        lambda rng, n, d: (p.rvs(size=(n, d), random_state=rng),),
        lambda d: d * float(p.entropy()),
        held=held,
    )


def _normals(shift: float, scale: float) -> Draw:
    """A standard normal law and one moved by `shift` in all, and wider."""
    return lambda rng, n, d: (rng.normal(size=(n, d)), shift / math.sqrt(d) + scale * rng.normal(size=(n, d)))


def _correlation(d: int) -> Any:
    return 0.7 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))


def _correlated(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
    return rng.normal(size=(n, d)) @ np.linalg.cholesky(_correlation(d)).T, rng.normal(size=(n, d))


def _exponents(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
    x, y = _correlated(rng, n, d)
    return np.exp(0.7 * x), np.exp(0.7 * y)


def _parabolas(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
    """Normal laws, and to every other coordinate the square of the one before: an invertible map."""
    both = _normals(0.8, 1.2)(rng, n, d)
    for z in both:
        z[:, 1::2] += np.square(z[:, 0 : d - 1 : 2]) - 1
    return both


def _students(nu: float, scale: float) -> tuple[Draw, Callable[[int], float]]:
    """Student's t in d dimensions and a wider one; a squared radius over d has the law F(d, nu)."""

    def draw(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
        x, y = (rng.normal(size=(n, d)) / np.sqrt(rng.chisquare(nu, size=n) / nu)[:, None] for _ in range(2))
        return x, scale * y

    def truth(d: int) -> float:
        def term(u: float) -> float:
            ratio = d * math.log(scale) + (nu + d) / 2 * (math.log1p(u * d / nu / scale**2) - math.log1p(u * d / nu))
            return float(stats.f.pdf(u, d, nu)) * ratio

        # In two parts, as the tail is a power.
        return float(sum(integrate.quad(term, *ends, limit=300)[0] for ends in ((0, 1), (1, math.inf))))

    return draw, truth


def _axis(p: Any, q: Any, turned: bool) -> Draw:
    """Two laws on one axis, standard normal ones on the others; turned so that it is no axis any more."""

    def draw(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
        x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d))
        x[:, 0], y[:, 0] = p.rvs(size=n, random_state=rng), q.rvs(size=n, random_state=rng)
        turn = np.linalg.qr(np.random.default_rng(5).normal(size=(d, d)))[0] if turned else np.eye(d)
        return x @ turn, y @ turn

    return draw


def _pair(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
    x = rng.normal(size=n)
    return x, 0.6 * x + 0.8 * rng.normal(size=n)


def _categories(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
    return rng.multinomial(n, SHARES[0]), rng.multinomial(n, SHARES[1])


def _each(p: Any, q: Any) -> Callable[[int], float]:
    return lambda d: d * float(kl(p, q))


def _of_correlated(d: int) -> float:
    zero = np.zeros(d).tolist()
    return float(kl(MultivariateNormal(zero, _correlation(d).tolist()), MultivariateNormal(zero, np.eye(d).tolist())))


SHARES = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
LAPLACE, EXPONENTIAL = catalog["Laplace"], catalog["Exponential"]
TWO_MODES, WIDE = Mixture(0.5, (-2.0, 2.0), (0.7, 0.7)), stats.norm(0, 2)
UNEQUAL = Mixture(0.3, (-2.5, 1.0), (0.5, 1.0)), Mixture(0.6, (-2.0, 1.5), (0.8, 0.8))
MANY = (2, 5, 10, 20)
CASES = {
    "kl, normal, moved": Case("kl", _normals(1, 1), lambda d: float(kl(Normal(0, 1), Normal(1, 1)))),
    "kl, normal, wider": Case("kl", _normals(0, 1.5), _each(Normal(0, 1), Normal(0, 1.5))),
    "kl, normal, correlated": Case("kl", _correlated, _of_correlated, MANY),
    "kl, laplace, wider": Case(
        "kl",
        lambda rng, n, d: (rng.laplace(size=(n, d)), 1.5 * rng.laplace(size=(n, d))),
        _each(LAPLACE(0, 1), LAPLACE(0, 1.5)),
    ),
    "kl, exponential, wider": Case(
        "kl",
        lambda rng, n, d: (rng.exponential(size=(n, d)), 1.5 * rng.exponential(size=(n, d))),
        _each(EXPONENTIAL(3), EXPONENTIAL(2)),
    ),
    "kl, student 5, products": _products(stats.t(5), stats.t(5, scale=1.4), False),
    "kl, student 5, round": Case("kl", *_students(5, 1.4), MANY),
    "kl, two modes": Case("kl", _axis(TWO_MODES, WIDE, False), lambda d: _line(TWO_MODES, WIDE)),
    "kl, gamma": _products(stats.gamma(3), stats.gamma(2, scale=1.5), True),
    "kl, weibull": _products(stats.weibull_min(1.5), stats.weibull_min(1.5, scale=1.4), True),
    "kl, gumbel": _products(stats.gumbel_r(), stats.gumbel_r(0.5, 1.2), True),
    "kl, logistic": _products(stats.logistic(), stats.logistic(0.7, 1.2), True),
    "kl, beta, uniform": _products(stats.beta(2, 3), stats.uniform(), True),
    "kl, lognormal, correlated": Case("kl", _exponents, _of_correlated, MANY, held=True),
    "kl, student 3, round": Case("kl", *_students(3, 1.5), MANY, held=True),
    "kl, two modes, turned": Case("kl", _axis(*UNEQUAL, True), lambda d: _line(*UNEQUAL), held=True),
    "kl, parabolas": Case(
        "kl", _parabolas, lambda d: d * (math.log(1.2) + (1 + 0.64 / d) / 2.88 - 0.5), MANY, held=True
    ),
    "entropy, normal": _entropies(stats.norm(), False),
    "entropy, laplace": _entropies(stats.laplace(), False),
    "entropy, exponential": _entropies(stats.expon(), False),
    "entropy, two modes": _entropies(TWO_MODES, False),
    "entropy, weibull": _entropies(stats.weibull_min(1.5), True),
    "entropy, gumbel": _entropies(stats.gumbel_r(), True),
    "entropy, logistic": _entropies(stats.logistic(), True),
    "entropy, beta": _entropies(stats.beta(2, 3), True),
    "information, normal pair": Case(
        "mutual_information", _pair, lambda d: gaussian.mutual_information([[1, 0.6], [0.6, 1]], 0, 1), (1,)
    ),
    "kl, counts of 4": Case("counts", _categories, lambda d: float(kl(*SHARES)), (1,)),
}
