"""The divergence of mixtures of scalar distributions as a number: infinite, a ball, or an estimate."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import mpmath as mp
import sympy as sp

from .. import divergences, oracles
from ..core.divergence import Divergence
from ..core.errors import ParameterError
from ..core.family import Distribution
from ..core.mixture import Mixture
from ..core.value import Value
from ..evaluation import holding_case
from .bounded import bounded, order
from .bounded import measure as by_generator
from .bounds import INTERVALS, Bound
from .law import law
from .pairs import Measure, compiled, table
from .support import finiteness

if TYPE_CHECKING:
    from .answer import MixtureFormula
    from .balls import Match


def measure(formula: MixtureFormula, digits: int) -> Value:
    """The value, and in its note how it was found: what is proven, unless it has fewer digits than are asked for."""
    p, q, divergence = formula.p, formula.q, formula.divergence
    if divergence.name == "jeffreys":
        there = replace(formula, divergence=divergences.kl)
        return _sum(measure(there, digits), measure(replace(there, p=q, q=p), digits))
    if divergence.arity > 1 and (why := infinite(divergence, p, q)) is not None:
        return Value(mp.inf, mp.mpf(0), "exact", why)
    proven = _ball(formula, digits) if find_spec("flint") else None
    if proven is not None and proven.rad <= abs(proven.mid) * mp.mpf(10) ** -digits:
        return proven
    value = oracles.measure(divergence, law(p), None if divergence.arity == 1 else law(q), digits)
    if proven is not None and not (value.vouched and value.rad < proven.rad):
        return proven
    how = "sums" if p.discrete else "quadrature"
    return Value(value.mid, value.rad, value.proof, value.note or f"{how} of the definition, error estimated")


def infinite(divergence: Divergence, p: Mixture, q: Mixture) -> str | None:
    """Why it is infinite, if it is known to be: as KL is, which is less than what is of an order above 1."""
    if not divergence.logarithmic and not (divergence.integral and order(divergence)[0] > 1):
        return None
    verdict, why = finiteness(p, q)
    return why if verdict == sp.false else None


def _sum(a: Value, b: Value) -> Value:
    for one in (a, b):
        if mp.isinf(one.mid):
            return one
    proof = "ball" if a.proof == b.proof == "ball" else "estimate"
    return Value(a.mid + b.mid, a.rad + b.rad, proof, a.note)


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

    p, q, divergence = formula.p, formula.q, formula.divergence
    try:
        if divergence.name not in ("kl", "entropy"):
            of = bounded(divergence, p, q)
            if of is None:
                return _of_definition(formula, digits)
            mid, rad = by_generator(of, p, q, digits)
        elif divergence.arity == 1:
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
    by = "closed forms" if divergence.name in ("kl", "entropy") else "masses"
    return Value(mid, rad, "ball", f"{how} in ball arithmetic, what they leave out bounded by {by}")


def _of_definition(formula: MixtureFormula, digits: int) -> Value | None:
    """The definition in balls with the density of each mixture as one law's, where that is proven."""
    alone = formula.divergence.arity == 1
    value = oracles.measure(formula.divergence, law(formula.p), None if alone else law(formula.q), digits, "ball")
    return value if value.vouched else None


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
