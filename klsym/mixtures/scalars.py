"""The divergence of mixtures of scalar distributions as a number: infinite, a ball, or an estimate."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import mpmath as mp
import sympy as sp

from .. import oracles
from ..core.errors import ParameterError
from ..core.family import Distribution
from ..core.mixture import Mixture
from ..core.value import Value
from ..evaluation import holding_case
from .bounds import INTERVALS, Bound
from .law import law
from .pairs import Measure, compiled, table
from .support import finiteness

if TYPE_CHECKING:
    from .answer import MixtureFormula
    from .balls import Match


def measure(formula: MixtureFormula, digits: int) -> Value:
    """The value, and in its note how it was found: what is proven, unless it has fewer digits than are asked for."""
    p, q, alone = formula.p, formula.q, formula.divergence.arity == 1
    if not alone:
        finite, why = finiteness(p, q)
        if finite == sp.false:
            return Value(mp.inf, mp.mpf(0), "exact", why)
    proven = _ball(formula, digits) if find_spec("flint") else None
    if proven is not None and proven.rad <= abs(proven.mid) * mp.mpf(10) ** -digits:
        return proven
    value = oracles.measure(formula.divergence, law(p), None if alone else law(q), digits)
    if proven is not None and not (value.vouched and value.rad < proven.rad):
        return proven
    how = "sums" if p.discrete else "quadrature"
    return Value(value.mid, value.rad, value.proof, value.note or f"{how} of the definition, error estimated")


def intervals(p: Mixture, q: Mixture) -> list[Bound]:
    """The lower bound by probabilities of intervals in balls, where Arb is there and has the densities."""
    if not find_spec("flint"):
        return []
    from . import balls

    try:
        value = balls.intervals(p, q)
    except (balls.Unspelled, ArithmeticError, ParameterError):
        return []
    return [Bound("intervals", value, INTERVALS)]


def _ball(formula: MixtureFormula, digits: int) -> Value | None:
    """The value as a ball; None where a component has no closed form to compare with, or Arb finds no finite ball."""
    from . import balls

    p, q = formula.p, formula.q
    try:
        if formula.divergence.arity == 1:
            closed = [_closed(formula.entropy, d) for d in p.components]
            if any(c is None for c in closed):
                return None
            mid, rad = balls.entropy(p, [c for c in closed if c is not None], digits)
        else:
            finite = p.discrete and all(d.support.lower.is_finite and d.support.upper.is_finite for d in p.components)
            match = None if finite else _match(formula)
            if match is None and not finite:
                return None
            mid, rad = balls.divergence(p, q, match, digits)
    except (balls.Unspelled, ArithmeticError, ParameterError):
        return None
    how = "sums" if p.discrete else "integrals"
    return Value(mid, rad, "ball", f"{how} in ball arithmetic, what they leave out bounded by closed forms")


def _match(formula: MixtureFormula) -> Match | None:
    """For each component of P the nearest of Q, by KL - log(weight), that is at a finite and closed divergence."""
    from .balls import Match

    q, kl = formula.q, formula.kl
    places, values = [], []
    for d in formula.p.components:
        near = [float(_distance(kl, d, e)) - float(sp.log(w)) for w, e in zip(q.weights, q.components, strict=True)]
        place = min(range(len(near)), key=lambda j: near[j])
        value = _closed(kl, d, q.components[place]) if near[place] < float("inf") else None
        if value is None:
            return None
        places.append(place)
        values.append(value)
    return Match(tuple(places), tuple(values))


def _distance(kl: Measure, d: Distribution, e: Distribution) -> float:
    """The divergence if it is closed, and +oo otherwise."""
    if compiled(kl, d.family, e.family) is None and _closed(kl, d, e) is None:
        return float("inf")
    return float(table(kl, [d], [e])[0, 0])


def _closed(measure: Measure, *distributions: Distribution) -> sp.Expr | None:
    """The closed form of the case that holds."""
    case = holding_case(measure(*distributions).cases, {})
    return case.value if case is not None and case.kind == "closed" else None
