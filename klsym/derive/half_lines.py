"""The greatest difference of two distribution functions: where the densities cross, or at an end of a support."""

from __future__ import annotations

import sympy as sp

from ..core.derivation import Case, Step
from ..core.divergence import Divergence
from ..core.family import Distribution
from .cdf import cdf
from .crossings import Apart, apart
from .ratios import Ratio, usual_first


def by_half_lines(
    divergence: Divergence, p: Distribution, q: Distribution
) -> tuple[tuple[Case, ...], tuple[Step, ...]]:
    """The cases of the divergence, the first that holds counts, and the steps to them."""
    name, written = sp.Symbol(divergence.name), _written(p, q)
    if p.support.periodic or q.support.periodic:
        why = "outcomes on a circle, where what lies below depends on where it is cut"
        return (Case("undecided", sp.nan, sp.true, why),), ()
    cases: list[Case] = []
    if p == q:
        cases = [Case("closed", sp.S.Zero, sp.true, "P and Q are equal")]
    elif p.family.discrete == q.family.discrete:
        cases = [Case("closed", sp.S.One, Ratio(divergence, p, q).disjoint, "P and Q have no outcome in common")]
        if cases[0].when != sp.true:
            cases += [Case("closed", found.greatest, found.when, _where(found)) for found in apart(p, q)]
    cases = usual_first([case for case in cases if case.when != sp.false])
    if not cases or cases[-1].when != sp.true:
        cases.append(Case("numeric", written, sp.true, "where the densities cross is not known"))
    steps = [Step("definition", name, written, why=divergence.notation)]
    if cases[0].kind == "closed":
        steps.append(Step("crossings", name, cases[0].value, cases[0].when, cases[0].why))
    return tuple(cases), tuple(steps)


def _where(found: Apart) -> str:
    places = " and ".join(f"x = {place}" for place in found.places)
    return f"F - G is steady where p = q, at {places}" if places else "p and q cross at an end of a support alone"


def _written(p: Distribution, q: Distribution) -> sp.Expr:
    """sup |F - G|, the distribution functions as they are where they are known"""
    x = sp.Symbol("x", real=True)
    functions = [
        sp.Function(f"F_{letter}")(x) if (found := cdf(d, x)) is None else found for letter, d in (("P", p), ("Q", q))
    ]
    return sp.Function("sup")(sp.Abs(functions[0] - functions[1]), x)
