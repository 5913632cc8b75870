"""Projections onto families of arrays: the moments that each family matches, from samples, members and mixtures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import brentq
from scipy.special import ive, polygamma, psi

from ..arrays.family import ArrayDistribution, ArrayFamily, Numbers
from ..core.derivation import Step
from ..core.errors import ParameterError, UnderivableError
from ..core.mixture import Mixture, as_mixture, same_space
from ..mixtures.draws import parameters
from .result import Point, Projection
from .vectors import Normals, modes

Array = Any
ROUNDS = 100
SIMPLEX = 1e-9


@dataclass(frozen=True)
class Moments:
    """Means of components, or of samples, and covariances about them (none for samples), with weights that sum to 1."""

    weights: Array
    means: Array
    covariances: Array | None = None

    @property
    def mean(self) -> Array:
        return self.weights @ self.means

    @property
    def covariance(self) -> Array:
        """By the law of total covariance, about the mean: no difference of large squares."""
        away = self.means - self.mean
        total = np.einsum("n,ni,nj->ij", self.weights, away, away)
        if self.covariances is not None:
            total = total + np.einsum("n,nij->ij", self.weights, self.covariances)
        return (total + total.T) / 2


@dataclass(frozen=True)
class Row:
    """What a family matches: the features whose means are, and how the parameters follow from them.

    `of_samples` maps outcomes (n, ...) to features (n, m), and raises for one outside the support; `of_member` a
    member's parameters to the mean of its features, and their covariance where the family matches it; `solve` the
    moments, and the member that says what is free, to the parameters.
    """

    features: str
    claim: str
    of_samples: Callable[[Array], Array]
    of_member: Callable[..., tuple[Array, Array | None]]
    solve: Callable[[Moments, Any], tuple[Any, ...]]
    how: str = "derived"


def project_arrays(p: Any, onto: Any, direction: str, weights: Any, starts: int, kl: Callable[..., Any]) -> Projection:
    """The nearest member of a family of arrays; see `klsym.project`."""
    member = onto.member("") if isinstance(onto, ArrayFamily) else onto
    family = member.family
    row = ROWS.get(family.name)
    bound = [q.name for q, v in member.arguments if isinstance(v, Numbers)]
    if bound:
        raise ParameterError(f"{', '.join(bound)} of {family.name} cannot be bound; its parameters are all free")
    if row is None:
        raise UnderivableError(f"projections onto {family.name} are not known; those onto {', '.join(ROWS)} are")
    if not isinstance(p, (ArrayDistribution, Mixture)):
        return _of_samples(p, weights, member, row, direction)
    if weights is not None:
        raise ParameterError("weights are those of samples; a distribution has none")
    if isinstance(p, ArrayDistribution) and p.family == family:
        step = Step("member", sp.Symbol("Q"), sp.Symbol("P"), why=f"{p} is a member")
        return Projection(p, family, direction, "member", (Point(p, 0.0),), (step,))
    law = as_mixture(p)
    for part in law.components:
        same_space(part, law.components[0])
        if part.family.name != family.name:
            raise UnderivableError(f"no rule gives the moments of {part} that {family.name} matches")
    if direction == "reverse":
        return (_modes if len(law.components) > 1 else _reverse)(p, law, member, row, starts, kl)
    share = np.array([float(w) for w in law.weights])
    found = [row.of_member(*parameters(part)) for part in law.components]
    spreads = [c for _, c in found if c is not None]
    moments = Moments(share, np.array([m for m, _ in found]), np.array(spreads) if spreads else None)
    own = _made(member, row.solve(moments, member))
    return Projection(p, family, direction, row.how, (Point(own, _remaining(kl, p, own)),), _steps(row),
                      measure=partial(kl, p))  # fmt: skip


def _of_samples(given: Any, weights: Any, member: Any, row: Row, direction: str) -> Projection:
    if direction == "reverse":
        raise UnderivableError("KL(Q || samples) needs a density of P; take direction='forward', maximum likelihood")
    x = np.asarray(given)
    if x.dtype.kind not in "iuf" or not x.size:
        raise ParameterError(
            f"samples are an array (n, ...) of numbers, not an empty one; {x.dtype} {x.shape} was given"
        )
    for place in np.argwhere(~np.isfinite(x)):
        raise ParameterError(f"sample {place[0]} is {x[place[0]]}; leave it out, or give it numbers")
    features = row.of_samples(x)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    if w.shape != (len(x),) or not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
        raise ParameterError(f"weights are {len(x)} numbers, none of them negative and not all 0")
    own = _made(member, row.solve(Moments(w / w.sum(), features), member))
    named = f"{len(x)} samples"
    return Projection(named, member.family, direction, row.how, (Point(own, None),), _steps(row))


def _modes(p: Any, law: Mixture, member: Any, row: Row, starts: int, kl: Callable[..., Any]) -> Projection:
    """The stationary points of KL(Q || P); its divergences are those of mixtures, with a quadrature of their own."""
    found = [row.of_member(*parameters(part)) for part in law.components]
    means, covariances = (list(parts) for parts in zip(*found, strict=True))
    if row.claim != GAUSS:
        raise UnderivableError(
            f"reverse projections of mixtures are known of numbers and of normal vectors, not of {member.family.name}"
        )
    whole = "diagonal" not in [q.keyword for q in member.family.parameters]
    normals = Normals(np.array([float(w) for w in law.weights]), np.array(means), np.array(covariances))
    stationary, places = modes(normals, whole, starts)
    points: list[Point] = []
    for mean, covariance, at in stationary:
        own = _made(member, row.solve(Moments(np.ones(1), mean[None], covariance[None]), member))
        curvatures = tuple(map(float, at.curvatures))
        points.append(Point(own, _remaining(partial(_swapped, kl), p, own), at.kind, at.slope, curvatures))
    why = f"quadrature over a grid that Q carries along, from {places} places"
    steps = (Step("descent", sp.Symbol("d KL(Q || P)"), sp.S.Zero, why=why),)
    return Projection(p, member.family, "reverse", "optimised", tuple(points), steps,
                      measure=partial(_swapped, kl, p))  # fmt: skip


def _reverse(p: Any, law: Mixture, member: Any, row: Row, starts: int, kl: Callable[..., Any]) -> Projection:
    """Onto independent coordinates each keeps its conditional variance (Bishop, 2006, section 10.1.2)."""
    mean, covariance = row.of_member(*parameters(law.components[0]))
    forms = [q.keyword for q in member.family.parameters if q.keyword]
    if covariance is not None and forms == ["diagonal"]:
        own = _made(member, (mean, 1 / np.diag(np.linalg.inv(covariance))))
        why = "the derivative of KL(Q || P) by each variance d[i] vanishes"
        steps = (Step("precision", sp.Symbol("1/d"), sp.Symbol("diag(Sigma_p**(-1))"), why=why),)
    else:
        spread = None if covariance is None else covariance[None]
        own = _made(member, row.solve(Moments(np.ones(1), mean[None], spread), member))
        steps = (Step("member", sp.Symbol("Q"), sp.Symbol("P"), why=f"{p} is {own}"),)
    point = Point(own, _remaining(partial(_swapped, kl), p, own))
    return Projection(p, member.family, "reverse", "derived", (point,), steps, measure=partial(_swapped, kl, p))


def _swapped(kl: Callable[..., Any], p: Any, q: Any) -> Any:
    return kl(q, p)


def _made(member: Any, values: tuple[Any, ...]) -> Any:
    family = member.family
    plain = {q.name: v for q, v in zip(family.parameters, values, strict=True)}
    try:
        return family(**plain)
    except ParameterError as error:
        raise ParameterError(f"P is degenerate for {family.name}, no member is the nearest: {error}") from error


def _remaining(kl: Callable[..., Any], p: Any, own: Any) -> float | None:
    """The divergence that remains; None where it is known by draws alone."""
    try:
        return float(kl(p, own))
    except UnderivableError:
        return None


def _steps(row: Row) -> tuple[Step, ...]:
    return (Step("moments", sp.Symbol(f"E_Q[{row.features}]"), sp.Symbol(f"E_P[{row.features}]"), why=row.claim),)


def _vectors(x: Array) -> Array:
    if x.ndim != 2:
        raise ParameterError(f"samples of vectors have the shape (n, k); {x.shape} was given")
    return x.astype(float)


def _positive(x: Array) -> Array:
    x = _vectors(x)
    for place in np.flatnonzero((x <= 0).any(1)):
        raise ParameterError(f"sample {place} is {x[place].tolist()}, outside the support: entries are positive")
    return np.log(x)


def _normal(moments: Moments, onto: Any) -> tuple[Any, ...]:
    forms = [q.keyword for q in onto.family.parameters if q.keyword]
    if len(forms) > 1:
        raise UnderivableError("no closed form is known of the nearest low rank plus diagonal; take another form")
    return moments.mean, _FORMS[forms[0] if forms else "covariance"](moments.covariance)


_FORMS: dict[str, Callable[[Array], Array]] = {
    "covariance": lambda c: c,
    "diagonal": np.diag,
    "scale_tril": np.linalg.cholesky,
    "precision": lambda c: (lambda a: (a + a.T) / 2)(np.linalg.inv(c)),
}


def _one_hot(x: Array) -> Array:
    if x.ndim != 1:
        raise ParameterError(f"samples of categories have the shape (n,); {x.shape} was given")
    for place in np.flatnonzero((x != np.floor(x)) | (x < 1)):
        raise ParameterError(f"sample {place} is {x[place]}, outside the support; categories are counted from 1")
    return np.eye(int(x.max()))[x.astype(int) - 1]


def _shares(moments: Moments, onto: Any) -> tuple[Any, ...]:
    p = moments.mean / moments.mean.sum()
    with np.errstate(divide="ignore"):
        return (np.log(p) if onto.family.parameters[0].keyword == "logits" else p,)


def _counts(moments: Moments, onto: Any) -> tuple[Any, ...]:
    n = onto.values[0]
    if not n.is_number:
        raise ParameterError("n of Multinomial is a whole number, which no derivative finds; bind it")
    if abs(moments.mean.sum() - float(n)) > SIMPLEX * float(n):
        raise ParameterError(f"the counts sum to {moments.mean.sum():g}, and n of Multinomial is {n}")
    return n, moments.mean / moments.mean.sum()


def _log_shares(x: Array) -> Array:
    x = _vectors(x)
    for place in np.flatnonzero((x <= 0).any(-1) | (np.abs(x.sum(-1) - 1) > SIMPLEX)):
        raise ParameterError(
            f"sample {place} is {x[place].tolist()}, outside the support: positive entries that sum to 1"
        )
    return np.log(x)


def _dirichlet(moments: Moments, onto: Any) -> tuple[Any, ...]:
    """psi(alpha_i) - psi(sum alpha) = E[log x_i] by Newton's method (Minka, Estimating a Dirichlet, 2000)"""
    g = moments.mean
    if not np.exp(g).sum() < 1:
        raise ParameterError("P is degenerate for Dirichlet, no member is the nearest: its outcomes are all one point")
    alpha = np.ones_like(g)
    for _ in range(ROUNDS):
        slope = -(psi(alpha) - psi(alpha.sum()) - g)
        diagonal, common = -polygamma(1, alpha), polygamma(1, alpha.sum())
        shift = (slope / diagonal).sum() / (1 / common + (1 / diagonal).sum())
        step = (slope - shift) / diagonal
        while (alpha - step <= 0).any():
            step = step / 2
        alpha = alpha - step
        if (np.abs(step) <= 1e-14 * alpha).all():
            break
    return (alpha,)


def _units(x: Array) -> Array:
    x = _vectors(x)
    for place in np.flatnonzero(np.abs((x * x).sum(1) - 1) > SIMPLEX):
        raise ParameterError(f"sample {place} is {x[place].tolist()}, outside the support: vectors of length 1")
    return x


def _resultant(kappa: float, k: int) -> float:
    """I_(k/2)(kappa)/I_(k/2-1)(kappa), the length of the mean vector (Mardia and Jupp, 10.3.1)"""
    return float(ive(k / 2, kappa) / ive(k / 2 - 1, kappa))


def _mean_direction(mu: Array, kappa: Array) -> tuple[Array, None]:
    return _resultant(float(kappa), mu.size) * mu.ravel(), None


def _directed(moments: Moments, onto: Any) -> tuple[Any, ...]:
    mean = moments.mean
    length, k = float(np.linalg.norm(mean)), len(mean)
    if length == 0 or length >= 1 - 1e-12:
        raise ParameterError("P is degenerate for VonMisesFisher, no member is the nearest: its mean has length 0 or 1")
    kappa = brentq(lambda u: _resultant(np.exp(u), k) - length, -40, 20, xtol=1e-14)
    return mean / length, float(np.exp(kappa))


GAUSS = "mean and covariance are sufficient, and are matched"
ROWS: dict[str, Row] = {
    "MultivariateNormal": Row("x, x*x.T", GAUSS, _vectors, lambda mu, c: (mu.ravel(), c), _normal),
    "MultivariateLogNormal": Row("log x, log x*log x.T", GAUSS, _positive, lambda mu, c: (mu.ravel(), c), _normal),
    "Categorical": Row("[x = i]", "frequencies are matched", _one_hot, lambda p: (p, None), _shares),
    "Multinomial": Row("x", "mean counts are matched", _vectors, lambda n, p: (n * p, None), _counts),
    "Dirichlet": Row("log x[i]", "mean logarithms are matched: an equation for all of alpha", _log_shares,
                     lambda a: (psi(a) - psi(a.sum()), None), _dirichlet, "solved"),
    "VonMisesFisher": Row("x", "the mean vector is matched: its length gives kappa", _units,
                          _mean_direction, _directed, "solved"),
}  # fmt: skip
