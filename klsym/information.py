"""Fisher information as the curvature of the divergence at the diagonal."""

from __future__ import annotations

import sympy as sp

from . import divergences
from .core.differentiate import differentiated
from .core.errors import UnderivableError
from .core.family import Distribution, Family
from .derive import derive
from .derive.curves import irregular


def fisher_information(p: Family | Distribution) -> sp.ImmutableMatrix:
    """The Hessian of KL(p || q) in q at q = p, in p's symbols."""
    family = p if isinstance(p, Family) else p.family
    reason = irregular(family)
    if reason:
        raise UnderivableError(f"{family.name} has no Fisher information as a Hessian of KL: {reason}")
    first, second = family.member(""), family.member("_q")
    derivation = derive(divergences.kl, first, second)
    case = derivation.cases[0]
    if case.kind != "closed" or case.when.has(sp.Eq):
        raise UnderivableError(f"KL({first} || {second}) is not closed in general, so its Hessian is not known")
    diagonal = dict(zip(second.values, first.values, strict=True))
    hessian = [[_curvature(case.value, a, b).xreplace(diagonal) for b in second.values] for a in second.values]
    if any(entry.has(sp.Derivative, sp.Subs, sp.nan) for row in hessian for entry in row):
        raise UnderivableError(f"a derivative of KL({first} || {second}) has no closed form that klsym evaluates")
    values = p.bindings if isinstance(p, Distribution) else {}
    return sp.ImmutableMatrix(hessian).xreplace(values)


def _curvature(value: sp.Expr, a: sp.Symbol, b: sp.Symbol) -> sp.Expr:
    return sp.expand(differentiated(differentiated(value, a), b))
