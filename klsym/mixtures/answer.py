"""A divergence of two mixtures, or the entropy of one: bounds, a number with its proof, and a mean of draws."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from .. import divergences
from ..answer import unit_name
from ..core.derivation import Kind
from ..core.divergence import Divergence
from ..core.errors import ParameterError, UnderivableError
from ..core.mixture import Mixture, as_mixture, same_space
from ..core.value import Value
from ..evaluation import GUARD_DIGITS, MAX_DIGITS, Number, unit_base
from .bounds import Bound, Bounds, ordered

Measure = Callable[..., Any]
MIRRORED = {"reverse_kl": divergences.kl, "reverse_chi2": divergences.chi2}
TOO_MANY = "has too many coordinates, or too unlike components, for quadrature"


@dataclass(frozen=True)
class Sampled:
    """A mean of draws with its standard error, and from how many draws and which seed."""

    value: float
    standard_error: float
    draws: int
    seed: int
    unit: str

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.6g} +- {self.standard_error:.1g}"

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class MixtureFormula:
    """What is known of the divergence of two mixtures, or of the entropy of one: no closed form is claimed.

    `kl` and `entropy` are the functions that derive those of components.

    >>> from klsym import Normal, kl, mixture
    >>> f = kl(mixture([0.3, 0.7], [Normal(0, 1), Normal(3, 0.5)]), Normal(2, 2))
    >>> f.kind, f.bounds().lower <= float(f) <= f.bounds().upper
    ('numeric', True)
    """

    divergence: Divergence
    p: Mixture
    q: Mixture
    kl: Measure
    entropy: Measure
    base: sp.Expr | None = None

    @property
    def kind(self) -> Kind:
        return "numeric"

    @property
    def unit(self) -> str:
        return unit_name(self.divergence, self.base)

    @property
    def _alone(self) -> bool:
        return self.divergence.arity == 1

    @property
    def _of_logs(self) -> bool:
        """Whether it is KL or the entropy, of which bounds and means of draws are known."""
        return self.divergence.name in ("kl", "entropy")

    def in_base(self, base: Any) -> MixtureFormula:
        """The same in units of log(base): 2 for bits, None for nats."""
        if base is not None and self.divergence.pure:
            raise ParameterError(f"{self.title} is a number without a unit; leave out the base")
        return replace(self, base=unit_base(base))

    def bounds(self) -> Bounds:
        """Proven lower and upper bounds, from the closed forms of the components.

        The integral of a product of densities is that of normal ones; probabilities of intervals are those of normal
        components, or balls. Of another divergence they are 0 and the largest value that it takes.

        >>> from klsym import Exponential, kl, mixture
        >>> b = kl(mixture([0.5, 0.5], [Exponential(1), Exponential(3)]), Exponential(2)).bounds()
        >>> b.uppers[-1].name, b.lowers[-1].name
        ('variational', 'nonnegativity')
        """
        from . import entropy, lower, upper
        from .pairs import entropies, gauss, table

        if not self._of_logs:
            most = math.nextafter(float(self.divergence.bound), math.inf)
            largest = [Bound("largest value", most, "f(0) + f'(oo)")] if most < math.inf else []
            return self._in_unit([Bound("nonnegativity", 0.0, "f >= 0")], largest)
        p, q = self.p.components, self.q.components
        pi, omega = (np.array([float(w) for w in m.weights]) for m in (self.p, self.q))
        f, own = gauss(p), table(self.kl, p, p)
        if self._alone:
            h = entropies(self.entropy, p)
            return self._in_unit(entropy.lowers(pi, own, h, f), entropy.uppers(pi, own, h, f))
        h = entropies(self.entropy, p) if f is not None else None
        across, g = table(self.kl, p, q), gauss(q)
        lowers = lower.lowers(pi, omega, own, h, f, g)
        if not self.p.of_arrays and (f is None or g is None) and self._infinite is None:
            from .scalars import intervals

            lowers += intervals(self.p, self.q)
        return self._in_unit(lowers, upper.uppers(pi, omega, across, h, f))

    def approximation(self) -> float:
        """The variational approximation of Hershey and Olsen (ICASSP 2007, section 7): close, but no bound.

        >>> from klsym import Normal, kl, mixture
        >>> m = mixture([0.5, 0.5], [Normal(0, 1), Normal(9, 1)])
        >>> round(kl(m, Normal(0, 1)).approximation(), 6)
        19.556853
        """
        from scipy.special import logsumexp

        from .pairs import table

        if self.divergence.name != "kl":
            raise UnderivableError(
                "the variational approximation is one of KL; bounds() has those of what else is known"
            )
        pi, omega = (np.array([float(w) for w in m.weights]) for m in (self.p, self.q))
        own, across = (table(self.kl, self.p.components, m.components) for m in (self.p, self.q))
        logs = logsumexp(np.log(pi) - own, axis=1) - logsumexp(np.log(omega) - across, axis=1)
        return float(pi @ logs) * self._scale

    def evaluate(self, digits: int = 15) -> Number:
        """The value to at most that many digits, and how it is proven.

        Scalars: a ball from Arb, all that is left out included, where python-flint is there, and the divergence is
        bounded or the components have closed ones; else quadrature or sums with an estimate of their error. Arrays:
        sums over finite sets, trapezoids in one to three coordinates. In more UnderivableError says to take `estimate`.

        >>> from klsym import Normal, kl, mixture
        >>> print(kl(mixture([0.3, 0.7], [Normal(0, 1), Normal(3, 0.5)]), Normal(2, 2)).evaluate(digits=10))
        0.4150415539
        """
        if not 1 <= digits <= MAX_DIGITS:
            raise ParameterError(f"digits is {digits}; it must lie between 1 and {MAX_DIGITS}")
        if not self._alone and self.p.law == self.q.law:
            return Number(mp.mpf(0), digits, "exact", self.unit, "P and Q are one mixture")
        value = self._of_arrays() if self.p.of_arrays else self._of_scalars(digits)
        if not value.vouched:
            raise ParameterError(f"quadrature of {self.title} could not be vouched for: {value.note}")
        if mp.isinf(value.mid):
            return Number(value.mid, digits, value.proof, self.unit, value.note)
        with mp.workdps(digits + GUARD_DIGITS):
            unit = mp.mpmathify(self.divergence.unit(self.base).evalf(digits + GUARD_DIGITS))
            mid, error = value.mid / unit, value.rad / unit
            known = mp.floor(-mp.log10(value.rad / abs(value.mid))) if value.rad and value.mid else digits
        if known < 1:
            why = f"{value.note}; it is not known from 0, within {mp.nstr(value.rad, 2)} nats"
            return Number(mp.mpf(0), 1, value.proof, self.unit, why)
        return Number(mid, int(min(digits, known)), value.proof, self.unit, value.note, error)

    def _of_scalars(self, digits: int) -> Value:
        from . import scalars

        return scalars.measure(self, digits)

    def _of_arrays(self) -> Value:
        from .grids import expectation

        value = expectation(self.p, None if self._alone else self.q)
        if value is None:
            raise UnderivableError(f"{self.title} {TOO_MANY}; take bounds() or estimate()")
        if mp.isinf(value.mid):
            return Value(value.mid, mp.mpf(0), "exact", "P has mass where no component of Q has")
        how = "a sum over all outcomes" if self.p.discrete else f"trapezoids, {value.note}"
        return replace(value, note=f"{how}, error estimated at {mp.nstr(value.rad, 2)}")

    def estimate(self, draws: int = 1_000_000, seed: int = 0) -> Sampled:
        """The mean of log p - log q (of -log p for an entropy) over draws from P, with its standard error.

        The standard error is itself estimated, and too small where rare draws have most of the mean. An infinite
        value is reported as such.

        >>> from klsym import MultivariateNormal, kl, mixture
        >>> eye = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
        >>> near, far = (MultivariateNormal([m, 0, 0, 0], eye) for m in (0, 3))
        >>> print(kl(mixture([0.5, 0.5], [near, far]), near).estimate(draws=10_000))
        1.70331 +- 0.03
        """
        from .draws import draw, log_density

        if not self._of_logs:
            raise UnderivableError(
                f"{self.divergence.name} is no mean of logarithms, of which draws are taken; evaluate() has it"
            )
        if draws < 2:
            raise ParameterError(f"draws is {draws}; two at least are needed for a standard error")
        if not self.p.of_arrays and not self._alone and self._infinite is not None:
            return Sampled(float("inf"), 0.0, draws, seed, self.unit)
        x = draw(self.p, draws, np.random.default_rng(seed))
        logs = -log_density(self.p)(x) if self._alone else log_density(self.p)(x) - log_density(self.q)(x)
        if not np.isfinite(logs).all():
            if (logs == np.inf).any() and not self._alone:
                return Sampled(float("inf"), 0.0, draws, seed, self.unit)
            raise UnderivableError(f"draws from {self.p} come closer to an end of the support than doubles tell apart")
        mean, error = logs.mean() * self._scale, logs.std(ddof=1) / np.sqrt(draws) * self._scale
        return Sampled(float(mean), float(error), draws, seed, self.unit)

    @cached_property
    def _infinite(self) -> str | None:
        """Why the divergence is infinite, if it is known to be."""
        from .scalars import infinite

        return infinite(self.divergence, self.p, self.q)

    @property
    def _scale(self) -> float:
        return 1 / float(self.divergence.unit(self.base))

    def _in_unit(self, lowers: list[Bound], uppers: list[Bound]) -> Bounds:
        if not self._alone and self.p.law == self.q.law:
            uppers.append(Bound("P and Q are one mixture", 0.0, "definition"))
        if not self.p.of_arrays and not self._alone and self._infinite is not None:
            lowers.append(Bound("infinite", float("inf"), self._infinite))
        if not uppers:
            uppers.append(Bound("none", float("inf"), "no pairing of components is finite"))
        lowers, uppers = ([replace(b, value=b.value * self._scale) for b in side] for side in (lowers, uppers))
        return ordered(lowers, uppers, self.unit)

    def __float__(self) -> float:
        return float(self.evaluate(digits=17).value)

    @cached_property
    def title(self) -> str:
        """KL(1/2*Normal(0, 1) + 1/2*Normal(3, 1) || Normal(1, 2))"""
        return self.divergence.notation.replace("P", "\0").replace("Q", str(self.q)).replace("\0", str(self.p))

    def to_json(self) -> dict[str, Any]:
        """Title, value where there is one, and bounds, as plain data."""
        number = self._number()
        return {
            "divergence": self.divergence.name,
            "p": str(self.p),
            "q": str(self.q),
            "unit": self.unit,
            "kind": self.kind,
            "value": number.to_json() if number else None,
            "bounds": self.bounds().to_json(),
        }

    def _number(self) -> Number | None:
        try:
            return self.evaluate(digits=10)
        except (ParameterError, UnderivableError):
            return None

    def __str__(self) -> str:
        number = self._number()
        shown = [f"  = {number}", f"    ({self.kind}, {number.proof}: {number.why})"] if number else []
        shown = shown or [f"    ({self.kind}; it {TOO_MANY}: estimate() takes draws)"]
        return "\n".join([f"{self.title}, in {self.unit}", *shown, str(self.bounds())])

    __repr__ = __str__


def formula(divergence: Divergence, p: Any, q: Any, base: Any, kl: Measure, entropy: Measure) -> MixtureFormula:
    """A divergence of two distributions of which one at least is a mixture, or the entropy of a mixture.

    kl, entropy: the functions that derive those of two components, and of one. Raises ParameterError for outcomes of
    two spaces, and UnderivableError for what is not of densities, or of arrays and not a mean of logarithms.
    """
    ours, theirs = as_mixture(p), as_mixture(q)
    same_space(ours.components[0], theirs.components[0])
    for d in (*ours.components, *theirs.components):
        if d.family.log_density is None:
            origin = d.family.image.base.name
            raise UnderivableError(
                f"{d} is an image of {origin}: mix {origin}, between which the divergence is the same"
            )
    if divergence.name in MIRRORED:
        divergence, ours, theirs = MIRRORED[divergence.name], theirs, ours
    if ours.of_arrays and divergence.name not in ("kl", "entropy"):
        raise UnderivableError(
            f"{divergence.name} of mixtures of arrays is not known to klsym; kl, reverse_kl and entropy are"
        )
    if divergence.over != "densities" or not (divergence.name == "entropy" or "zero-on-diagonal" in divergence.axioms):
        raise UnderivableError(
            f"{divergence.name} of mixtures is not known to klsym; entropy is, and divergences of densities that are 0 "
            "at P = Q"
        )
    if free := [str(value) for value in divergence.values if value.is_Symbol]:
        raise ParameterError(f"{divergence.name} of mixtures needs a number for {', '.join(free)}")
    if base is not None and divergence.pure:
        raise ParameterError(f"{divergence.name} is a number without a unit; leave out the base")
    return MixtureFormula(divergence, ours, theirs, kl, entropy, unit_base(base))
