"""What a projection asks of P: expectations in closed form or as numbers, the ends of its support, and nodes.

A distribution and a mixture answer by the rules of the derivations, or by quadrature; samples by their means.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
import sympy as sp

from ..core.derivation import Step
from ..core.errors import UnderivableError
from ..core.exact import atom
from ..core.family import Distribution
from ..core.mixture import Mixture
from ..derive.expand import expand
from .equations import P, mean
from .tidy import tidy

# Up to so many samples statistics are means at the working precision, beyond in the widest floats of the machine.
EXACT = 10_000
ELEMENTARY = (sp.log, sp.exp, sp.cos, sp.sin, sp.Abs)  # functions that NumPy has in the widest floats
Array = Any


class Nodes(NamedTuple):
    """Outcomes and their weights, which sum to 1: samples, or those of a quadrature."""

    x: Array
    w: Array


class Closed(NamedTuple):
    value: sp.Expr
    steps: tuple[Step, ...]


@lru_cache(maxsize=4096)
def function(arguments: tuple[sp.Symbol, ...], expr: sp.Expr, module: str = "scipy") -> Any:
    """The expression as a function of arrays of doubles, or of mpmath numbers."""
    return sp.lambdify(arguments, expr, modules=["scipy", "numpy"] if module == "scipy" else module, cse=True)


class Means(ABC):
    """Expectations under a law `p`, closed where a rule knows them, else sums over nodes."""

    p: Any

    @property
    @abstractmethod
    def nodes(self) -> Nodes: ...

    @abstractmethod
    def closed(self, integrand: sp.Expr, x: sp.Symbol) -> Closed | None:
        """The mean of a function of x in closed form with its steps, if a rule knows it."""

    def number(self, integrand: sp.Expr, x: sp.Symbol, digits: int) -> mp.mpf:
        """The mean of a function of x alone, to that many digits if it is `exact`."""
        if (found := self.closed(integrand, x)) is not None:
            return sp.N(found.value, digits, maxn=10 * digits)
        value = doubles(self, integrand, (x,), ())
        if not np.isfinite(value):
            raise UnderivableError(f"E[{integrand}] under {self.p} could not be computed")
        return mp.mpf(value)

    def exact(self, integrand: sp.Expr, x: sp.Symbol) -> bool:
        """Whether `number` has more digits than a double."""
        return self.closed(integrand, x) is not None


@dataclass(frozen=True)
class Known(Means):
    """A distribution."""

    p: Distribution

    @property
    def symbols(self) -> frozenset[sp.Symbol]:
        return frozenset(self.p.symbols)

    @property
    def discrete(self) -> bool:
        return self.p.family.discrete

    @property
    def lower(self) -> sp.Expr:
        return self.p.support.lower

    @property
    def upper(self) -> sp.Expr:
        return self.p.support.upper

    def closed(self, integrand: sp.Expr, x: sp.Symbol) -> Closed | None:
        """E_P in closed form with its steps, if a rule knows it."""
        found = expand(self.p, P, ((sp.S.One, sp.Lambda(x, integrand)),), deep=False)
        value = tidy(found.closed)
        if found.leftover or value.has(sp.nan, sp.zoo, sp.oo):
            return None
        inner = tuple(step for step in found.steps if step.rule not in ("linearity", "collect"))
        return Closed(value, (*inner, Step("expectation", mean(integrand), value, why=f"under {self.p}")))

    @cached_property
    def nodes(self) -> Nodes:
        return Mixed(Mixture((sp.S.One,), (self.p,))).nodes


@dataclass(frozen=True)
class Mixed(Means):
    """A mixture: expectations are those of the components, weighted."""

    p: Mixture
    symbols: frozenset[sp.Symbol] = frozenset()

    @property
    def parts(self) -> list[tuple[sp.Expr, Known]]:
        return [(atom(w), Known(c)) for w, c in zip(self.p.weights, self.p.components, strict=True)]

    @property
    def discrete(self) -> bool:
        return self.p.discrete

    @property
    def lower(self) -> sp.Expr:
        return sp.Min(*(law.lower for _, law in self.parts))

    @property
    def upper(self) -> sp.Expr:
        return sp.Max(*(law.upper for _, law in self.parts))

    def closed(self, integrand: sp.Expr, x: sp.Symbol) -> Closed | None:
        found = [(w, law.closed(integrand, x)) for w, law in self.parts]
        if any(c is None for _, c in found):
            return None
        value = sp.Add(*(w * c.value for w, c in found if c is not None))
        why = f"the means under {', '.join(str(c) for c in self.p.components)}, weighted"
        return Closed(value, (Step("expectation", mean(integrand), value, why=why),))

    @cached_property
    def nodes(self) -> Nodes:
        from .rule import nodes_of

        return Nodes(*nodes_of(self.p))


@dataclass(frozen=True, eq=False)
class Sampled:
    """Samples with their weights: the empirical distribution."""

    nodes: Nodes
    discrete: bool
    symbols: frozenset[sp.Symbol] = frozenset()

    @property
    def lower(self) -> sp.Expr:
        return _exact(self.nodes.x.min())

    @property
    def upper(self) -> sp.Expr:
        return _exact(self.nodes.x.max())

    def closed(self, integrand: sp.Expr, x: sp.Symbol) -> Closed | None:
        return None

    def number(self, integrand: sp.Expr, x: sp.Symbol, digits: int) -> mp.mpf:
        outcomes, weights = self.nodes
        if integrand.has(sp.Float):  # it moves with a parameter, which is itself a rounded number
            return mp.mpf(float(doubles(self, integrand, (x,), ())))
        if len(outcomes) > EXACT:
            plain = all(isinstance(f, ELEMENTARY) for f in integrand.atoms(sp.Function))
            wide = function((x,), integrand)(outcomes.astype(np.longdouble if plain else float))
            return mp.mpf(str(np.sum(wide * weights) / np.sum(weights, dtype=np.longdouble)))
        with mp.workdps(digits):
            f = function((x,), integrand, "mpmath")
            terms = (mp.mpf(float(w)) * f(mp.mpf(float(v))) for v, w in zip(outcomes, weights, strict=True))
            return mp.fsum(terms) / mp.fsum(map(float, weights))

    def exact(self, integrand: sp.Expr, x: sp.Symbol) -> bool:
        return len(self.nodes.x) <= EXACT

    def median(self, g: sp.Expr, x: sp.Symbol) -> float:
        """The median of g(X)."""
        values = np.broadcast_to(function((x,), g)(self.nodes.x), self.nodes.x.shape)
        order = np.argsort(values, kind="stable")
        share = np.cumsum(self.nodes.w[order])
        low = int(np.searchsorted(share, share[-1] / 2 * (1 - 1e-14)))
        high = int(np.searchsorted(share, share[-1] / 2 * (1 + 1e-14)))
        return float((values[order[low]] + values[order[min(high, len(order) - 1)]]) / 2)


Law = Known | Mixed | Sampled


def doubles(
    law: Means | Sampled, integrand: sp.Expr, arguments: tuple[sp.Symbol, ...], values: Sequence[float]
) -> np.float64:
    """E_P of a function of x, the first argument, and of others, in doubles."""
    found = function(arguments, integrand)(law.nodes.x, *values)
    return np.sum(law.nodes.w * found, dtype=np.float64)


def _exact(value: Any) -> sp.Expr:
    return atom(sp.Rational(float(value)))
