"""From two distributions to a Derivation: support first, then expectations by tilting."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import combinations

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.derivation import Case, Derivation, Expectation, Step
from ..core.divergence import Divergence
from ..core.family import Distribution
from .curves import by_curve
from .definition import LOG_P, LOG_Q, MEASURES, P, Q
from .expand import Expansion, expand, leftover_integral
from .greatest import by_order
from .half_lines import by_half_lines
from .own_powers import by_own_powers
from .powers import by_powers
from .ratios import by_ratio
from .sums import by_sum
from .support import edges, finiteness
from .transport import by_transport


@lru_cache(maxsize=8192)
def derive(divergence: Divergence, p: Distribution, q: Distribution, deep: bool = False) -> Derivation:
    """The divergence of p from q: its cases with their conditions, and the steps that lead to them.

    `deep` also tries SymPy's integrate, for seconds each, where no rule knows an expectation.
    """
    if "bijection-invariant" in divergence.axioms and (bases := _same_map(p, q)) is not None:
        return _transported(divergence, p, q, *bases, deep=deep)
    if divergence.over == "curves":
        return by_curve(divergence, p, q)
    if divergence.over == "orders":
        derivation = by_order(divergence, p, q)
        special = [] if derivation.kind in ("closed", "infinite") else _shared_cases(divergence, p, q)
        return replace(derivation, cases=(*special, *derivation.cases))
    if divergence.over == "couplings":
        derivation = by_transport(divergence, p, q)
        special = [] if derivation.kind in ("closed", "infinite") else _shared_cases(divergence, p, q)
        return replace(derivation, cases=(*special, *derivation.cases))
    if divergence.over == "half-lines":
        cases, steps = by_half_lines(divergence, p, q)
        special = _shared_cases(divergence, p, q) if cases[-1].kind == "numeric" else []
        return Derivation(divergence, p, q, (*special, *cases), steps)
    definition = divergence.written(LOG_P, LOG_Q, P, Q)
    if divergence.parts and (summed := by_sum(divergence, p, q, derive)) is not None:
        return summed
    if divergence.integral and divergence.arity == 1:
        return Derivation(divergence, p, q, *by_own_powers(divergence, p))
    if divergence.integral:
        cases, steps, coordinates = by_powers(divergence, p, q)
        special = [] if cases[0].kind == "closed" else _shared_cases(divergence, p, q)
        return Derivation(divergence, p, q, (*special, *cases), steps, coordinates)
    if divergence.generator is not None:
        cases, steps = by_ratio(divergence, p, q)
        crossing = divergence.order == 1 and cases[-1].kind == "numeric"
        special = _shared_cases(divergence, p, q) if crossing else []
        return Derivation(divergence, p, q, (*special, *cases), steps)
    finite, why, infinite = _finiteness(definition, p, q)
    steps = [Step("definition", sp.Symbol(divergence.name), _written(definition, p, q), why=divergence.notation)]
    if finite == sp.false:
        steps.append(Step("support", sp.Symbol(divergence.name), sp.oo, why=why))
        return Derivation(divergence, p, q, (Case("infinite", sp.oo, sp.true, why),), tuple(steps))
    if finite not in (sp.true, None):
        steps.append(Step("support", sp.Symbol(divergence.name), _written(definition, p, q), finite, why))
    expansions = [(c, _expansion(call, p, q, deep)) for c, call in _calls(definition)]
    for _, expansion in expansions:
        steps += expansion.steps
    cases = _cases(divergence, p, q, definition, expansions, finite, why, infinite)
    coordinates = tuple(pair for _, expansion in expansions for pair in expansion.coordinates)
    return Derivation(divergence, p, q, cases, tuple(steps), coordinates)


def _same_map(p: Distribution, q: Distribution) -> tuple[Distribution, Distribution] | None:
    """The two base distributions, where p and q are their images under one bijection."""
    first, second = p.family.origin, q.family.origin
    if first is None or second is None or first.forward.xreplace(p.bindings) != second.forward.xreplace(q.bindings):
        return None
    return p.base, q.base


def _transported(
    divergence: Divergence, p: Distribution, q: Distribution, *bases: Distribution, deep: bool
) -> Derivation:
    """D(f(X) || f(Y)) = D(X || Y) for a bijection f"""
    inner, origin = derive(divergence, *bases, deep), p.family.origin
    assert origin is not None
    forward = origin.forward.xreplace(p.bindings)
    name = sp.Symbol(divergence.name)
    why = f"both are the law of {forward}, and the divergence is invariant under a bijection: {bases[0]} and {bases[1]}"
    return Derivation(
        divergence, p, q, inner.cases, (Step("bijection", name, name, why=why), *inner.steps), inner.coordinates
    )


def _calls(definition: sp.Expr) -> list[tuple[sp.Expr, sp.Expr]]:
    """The definition as (coefficient, operator applied to a combination of log densities)."""
    return [term.as_independent(P, Q, as_Add=False) for term in sp.Add.make_args(definition)]


def _terms(call: sp.Expr, p: Distribution, q: Distribution) -> tuple[tuple[sp.Expr, Distribution], ...]:
    inside = call.args[0]
    pairs = ((inside.coeff(LOG_P), p), (inside.coeff(LOG_Q), q))
    return tuple((c, d) for c, d in pairs if c != 0)


def _measure(call: sp.Expr, p: Distribution, q: Distribution) -> Distribution:
    return p if call.func == P else q


def _expansion(call: sp.Expr, p: Distribution, q: Distribution, deep: bool) -> Expansion:
    return expand(_measure(call, p, q), MEASURES[call.func], _terms(call, p, q), deep)


def _written(definition: sp.Expr, p: Distribution, q: Distribution) -> sp.Expr:
    total = []
    for c, call in _calls(definition):
        x = _measure(call, p, q).family.variable
        inside = sp.Add(*(b * d.log_density(x) for b, d in _terms(call, p, q)))
        total.append(c * Expectation(inside, sp.true, MEASURES[call.func]))
    return sp.Add(*total)


def _finiteness(definition: sp.Expr, p: Distribution, q: Distribution) -> tuple[Boolean | None, str, bool]:
    """The condition under which every expectation is finite, the reason, and whether it is +oo otherwise."""
    conditions, reasons = [], []
    for _, call in _calls(definition):
        m = _measure(call, p, q)
        for _, other in _terms(call, p, q):
            if other != m:
                condition, why = finiteness(m, other)
                conditions.append(condition)
                reasons.append(why)
    known = [c for c in conditions if c is not None]
    why = "; ".join(dict.fromkeys(r for r in reasons if r))
    if sp.false in known:
        return sp.false, why, True
    if len(known) < len(conditions):
        return None, why, False
    return sp.And(*known), why, True


def _cases(divergence, p, q, definition, expansions, finite, why, infinite) -> tuple[Case, ...]:
    leftover = [(c * b, e) for c, expansion in expansions for b, e in expansion.leftover]
    closed = sp.Add(*(c * expansion.closed for c, expansion in expansions))
    when = sp.true if finite is None else finite
    cases = []
    if not leftover:
        cases.append(Case("closed", closed, when))
        cases += _edge_cases(divergence, p, q, definition)
    else:
        cases += _shared_cases(divergence, p, q)
        if finite is None:
            cases.append(Case("undecided", sp.nan, sp.true, why))
            return tuple(cases)
        whole = closed + sp.Add(
            *(
                c * b * leftover_integral(_measure(call, p, q), e)
                for (c, call), (_, expansion) in zip(_calls(definition), expansions, strict=True)
                for b, e in expansion.leftover
            )
        )
        names = ", ".join(dict.fromkeys(str(e) for _, e in leftover))
        split = any(expansion.steps[-1].rule == "collect" for _, expansion in expansions if expansion.steps)
        kind = "semi-closed" if split else "numeric"
        cases.append(Case(kind, whole, when, f"no closed form is known for {names}"))
    if when != sp.true and infinite:
        cases.append(Case("infinite", sp.oo, sp.true, why))
    return tuple(cases)


def _edge_cases(divergence: Divergence, p: Distribution, q: Distribution, definition: sp.Expr) -> list[Case]:
    """Where every expectation is finite on the edge of where it diverges: the general form has no value there."""
    ends = edges(p, q) if all(_measure(call, p, q) is p for _, call in _calls(definition)) else []
    specials = [(derive(divergence, member, q), when) for member, when in ends]
    return [Case("closed", d.cases[0].value, when) for d, when in specials if d.kind == "closed"]


def _shared_cases(divergence: Divergence, p: Distribution, q: Distribution) -> list[Case]:
    """Closed cases of a same-family pair that appear once a few parameters are equal."""
    if p.family != q.family:
        return []
    free = [
        i for i, (a, b) in enumerate(zip(p.values, q.values, strict=True)) if a != b and a.is_Symbol and b.is_Symbol
    ]
    for count in range(1, len(free)):
        for chosen in combinations(free, count):
            values = tuple(a if i in chosen else b for i, (a, b) in enumerate(zip(p.values, q.values, strict=True)))
            special = derive(divergence, p, Distribution(q.family, values))
            if special.kind == "closed":
                equal = sp.And(*(sp.Eq(p.values[i], q.values[i]) for i in chosen))
                return [Case("closed", special.cases[0].value, sp.And(equal, special.cases[0].when))]
    return []
