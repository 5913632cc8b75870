"""A function of the integral of a power of one density, E_p[p^(a - 1)]: one tilt."""

from __future__ import annotations

import sympy as sp
from sympy.core.function import AppliedUndef

from ..core.derivation import Case, Expectation, Step
from ..core.divergence import Divergence
from ..core.family import Distribution
from .affinity import affinity
from .definition import LOG_P, LOG_Q, MEASURES, P, Q
from .powers import Coordinates
from .shorten import powers as products


def by_own_powers(divergence: Divergence, p: Distribution) -> tuple[tuple[Case, ...], tuple[Step, ...], Coordinates]:
    """The cases of the divergence, the steps to them, and the coordinates of the steps."""
    definition = divergence.written(LOG_P, LOG_Q, P, Q)
    (call,) = definition.atoms(AppliedUndef)
    exponent = call.args[0].exp.coeff(LOG_P)
    x = p.family.variable
    whole = Expectation(sp.exp(exponent * p.log_density(x)), sp.true, MEASURES[P])
    written = definition.xreplace({call: whole})
    steps = [Step("definition", sp.Symbol(divergence.name), written, why=divergence.notation)]
    found = affinity(p, MEASURES[P], ((exponent, p),), whole)
    if found is None:
        limits, inside = (x, p.support.lower, p.support.upper), sp.exp((exponent + 1) * p.log_density(x))
        value = definition.xreplace(
            {call: sp.Sum(inside, limits) if p.family.discrete else sp.Integral(inside, limits)}
        )
        return (Case("numeric", value, sp.true, "no closed form is known for the integral"),), tuple(steps), ()
    value = definition.xreplace({sp.log(call): found.log_value, call: products(found.log_value)})
    cases = [Case("closed", value, found.when)]
    if found.when != sp.true and found.open:
        # An integral that diverges: at an end where the density is unbounded if a > 1, in its tails if a < 1.
        why = "the integral diverges"
        cases += [
            Case("infinite", sign * sp.oo, when, why)
            for sign, when in ((1, sp.Lt(exponent + 1, 1)), (-1, sp.Gt(exponent + 1, 1)))
            if when != sp.false
        ]
    elif found.when != sp.true:
        cases.append(Case("undecided", sp.nan, sp.true, "whether the integral is finite is not known"))
    steps += [*found.steps, Step("insert", written, value, found.when, "the integral")]
    return tuple(cases), tuple(steps), found.coordinates
