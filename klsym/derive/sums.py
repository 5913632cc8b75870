"""A divergence that is a sum of multiples of others: closed where they all are, and infinite where one is."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from ..core.derivation import Case, Derivation, Step
from ..core.divergence import Divergence
from ..core.family import Distribution

Derive = Callable[[Divergence, Distribution, Distribution], Derivation]


def by_sum(divergence: Divergence, p: Distribution, q: Distribution, derive: Derive) -> Derivation | None:
    """The derivation from those of the parts; None where one of them has no closed form.

    f is convex, so the terms that grow fastest towards 0 and infinity have positive coefficients, and the integral of
    any other is infinite only where one of theirs is: then the divergence is +oo, whatever the signs.
    """
    found = [(c, part, derive(part, p, q)) for c, part in divergence.parts]
    firsts = [derivation.cases[0] for *_, derivation in found]
    name, why = sp.Symbol(divergence.name), divergence.notation
    definition = Step("definition", name, sp.Add(*(c * sp.Symbol(part.name) for c, part, _ in found)), why=why)
    if any(case.kind == "infinite" and case.when == sp.true for case in firsts):
        reason = next(case.why for case in firsts if case.kind == "infinite")
        steps = (definition, Step("support", name, sp.oo, why=reason))
        return Derivation(divergence, p, q, (Case("infinite", sp.oo, sp.true, reason),), steps)
    if any(case.kind != "closed" for case in firsts):
        return None
    others = [case for *_, derivation in found for case in derivation.cases[1:]]
    when = sp.And(*(case.when for case in firsts))
    if any(case.kind != "infinite" for case in others) and when != sp.true:
        return None
    value = sp.Add(*(c * case.value for (c, *_), case in zip(found, firsts, strict=True)))
    cases = [Case("closed", value, when)]
    if when != sp.true:
        cases.append(Case("infinite", sp.oo, sp.true, "; ".join(dict.fromkeys(case.why for case in others))))
    inner = tuple(step for *_, derivation in found for step in derivation.steps)
    coordinates = tuple(pair for *_, derivation in found for pair in derivation.coordinates)
    steps = (definition, *inner, Step("collect", name, value, when, "insert the divergences"))
    return Derivation(divergence, p, q, tuple(cases), steps, coordinates)
