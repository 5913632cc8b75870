"""Independent draws from mixtures, and their log densities in doubles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import logsumexp

from ..arrays.family import INDEX
from ..arrays.walk import Walker, walk
from ..core.errors import UnderivableError
from ..core.family import Distribution
from ..core.mixture import Mixture, as_mixture
from ..oracles.arrays.samplers import SAMPLERS
from . import stretches
from .stretches import Stretch

# Of the mass of a component: what a table of a discrete one leaves out, or a stretch of the line.
DROP = 45.0
U_RESOLUTION = 1e-9
Log = Callable[[Any], Any]


def log_density(m: Mixture) -> Log:
    """log sum_i w_i f_i as a function of arrays of outcomes."""
    parts = [_of_array(d) if m.of_arrays else stretches.log_density(d) for d in m.components]
    logs = [np.log(float(w)) for w in m.weights]
    return lambda x: logsumexp(np.stack([log + part(x) for log, part in zip(logs, parts, strict=True)]), axis=0)


def draw(m: Mixture, count: int, rng: np.random.Generator) -> Any:
    """`count` outcomes, those of one component after those of another."""
    counts = rng.multinomial(count, [float(w) for w in m.weights])
    sample = _array_draw if m.of_arrays else _draw
    return np.concatenate([sample(d, int(n), rng) for d, n in zip(m.components, counts, strict=True) if n])


def _of_array(d: Any) -> Log:
    member, numbers = d.named("")
    values = {s: n.array.astype(float) for s, n in numbers.items()} | {k: int(v) for k, v in d.sizes}
    density = member.log_density()
    return lambda x: np.asarray(walk(density, values | {member.variable: x}))


def _array_draw(d: Any, count: int, rng: np.random.Generator) -> Any:
    return SAMPLERS[d.family.name](rng, count, *parameters(d), *(int(dict(d.sizes)[n]) for n in d.family.loose))


def parameters(d: Any) -> list[Any]:
    """The parameters as the family defines them, in doubles, whichever form the member was given in."""
    member, numbers = d.named("")
    values = {s: n.array.astype(float) for s, n in numbers.items()} | {k: int(v) for k, v in d.sizes}
    return [values[v] if v in values else Walker(values).array(v, INDEX) for v in member.usual]


def _draw(d: Distribution, count: int, rng: np.random.Generator) -> Any:
    """By inversion: of a table of the masses, or of the density in the coordinate of each stretch."""
    alone = as_mixture(d)
    found = stretches.stretches(alone, alone, DROP)
    if d.family.discrete:
        k = np.arange(found[0].first, found[0].last + 1)
        return k[np.searchsorted(np.cumsum(_masses(d, k))[:-1], rng.random(count))]
    rows = [_inversion(s, d, rng) for s in found]
    masses = np.array([mass for mass, *_ in rows])
    counts = rng.multinomial(count, masses / masses.sum())
    return np.concatenate(
        [seen.x(sampler.rvs(int(n))) for (_, sampler, seen), n in zip(rows, counts, strict=True) if n]
    )


def _masses(d: Distribution, k: Any) -> Any:
    masses = np.exp(stretches.log_density(d)(k))
    return masses / masses.sum()


def _inversion(stretch: Stretch, d: Distribution, rng: np.random.Generator) -> tuple[float, Any, Stretch]:
    """The mass on the stretch and a sampler of t there (Derflinger, Hormann, Leydold, ACM TOMACS 20, 2010)."""
    # Half a second each to import.
    from scipy.integrate import quad
    from scipy.stats.sampling import NumericalInversePolynomial, UNURANError

    seen = stretches.own(stretch, d)
    first, last = stretches.span(seen, d, DROP)
    density, (centre, _) = _InT(seen, d), stretches.peak(seen, d)
    try:
        sampler = NumericalInversePolynomial(
            density, center=centre, domain=(first, last), random_state=rng, u_resolution=U_RESOLUTION
        )
    except UNURANError as error:
        raise UnderivableError(f"{d} cannot be sampled: {error}") from error
    return quad(density.pdf, first, last, points=[centre], limit=200)[0], sampler, seen


class _InT:
    """The density of a component in t, as the sampler calls it: one double at a time."""

    def __init__(self, stretch: Stretch, d: Distribution) -> None:
        self._height = stretches.height(stretch, d)

    def pdf(self, t: float) -> float:
        return float(np.exp(self._height(np.float64(t))))
