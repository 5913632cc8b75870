"""Probabilities that sum to 1, and unit vectors, only to rounding: what a divergence is of them, and over sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from ...arrays.domain import simplex, unit_vector
from ...arrays.family import INDEX, ArrayDistribution, substitute
from ...core.derivation import Derivation
from ...core.divergence import Divergence
from .collect import norm_one, plain, total_one
from .differential import differential

Derive = Callable[[Divergence, ArrayDistribution, ArrayDistribution], Derivation]
j = sp.Symbol("j", integer=True, positive=True)


def generalised(value: sp.Expr, derivation: Derivation, derive: Derive) -> sp.Expr:
    """The value less c (sum_i p_i - 1) for each list of probabilities p, c its derivative along p where P = Q.

    For unit vectors v it is less c (v'v - 1)/2.
    `derive` gives the derivation of two members of one family. Where the sums are 1 nothing is taken away, and
    elsewhere a zero at P = Q stays double: of sum_i p_i log(p_i/q_i) it makes the sum of p_i log(p_i/q_i) - p_i + q_i,
    which keeps its digits (Csiszar, Annals of Statistics 19, 1991).
    """
    if "zero-on-diagonal" not in derivation.divergence.axioms:
        return value
    taken = []
    for role, d in enumerate((derivation.p, derivation.q)):
        for n, parameter in enumerate(d.family.parameters):
            if parameter.domain in (simplex, unit_vector):
                slope, v = _slope(derivation.divergence, d, role, n, derive), d.values[n]
                missed = (
                    _sum(v, parameter.dimensions[0], dict(d.sizes)) - 1
                    if parameter.domain is simplex
                    else ((sp.Trace(v.T * v) - 1) / 2)
                )
                taken.append(slope * missed)
    return value - sp.Add(*taken)


def _slope(divergence: Divergence, d: ArrayDistribution, role: int, n: int, derive: Derive) -> sp.Expr:
    """d/dt of the divergence of two members of d's family at P = Q, P's or Q's nth parameter times 1 + t."""
    p, q = (d.family.member(suffix) for suffix in ("_p", "_q"))
    symbol = (p, q)[role].values[n]
    lists = {v for v in d.values if isinstance(v, sp.IndexedBase)}
    vectors = {v for v, parameter in zip(d.values, d.family.parameters, strict=True) if parameter.domain is unit_vector}
    direction = symbol[INDEX] if isinstance(symbol, sp.IndexedBase) else symbol
    found = differential(derive(divergence, p, q).cases[0].value, symbol, direction)
    at_equal = found.xreplace(dict(zip(q.values, p.values, strict=True)))
    given = substitute(at_equal, dict(zip(p.values, d.values, strict=True))).xreplace(dict(d.sizes))
    return norm_one(total_one(plain(given), lists), vectors)


def normalised(value: sp.Expr, members: tuple[ArrayDistribution, ...]) -> sp.Expr:
    """The value at the probabilities over their sums: p_i/sum_j p_j for p_i"""
    over: Mapping[Any, Any] = {
        v: v[INDEX] / _sum(v, parameter.dimensions[0], dict(d.sizes), j)
        for d in members
        for v, parameter in zip(d.values, d.family.parameters, strict=True)
        if parameter.domain is simplex
    }
    return substitute(value, over)


def _sum(entries: sp.IndexedBase, size: Any, sizes: Mapping[Any, Any], index: sp.Symbol = INDEX) -> sp.Expr:
    return sp.Sum(entries[index], (index, 1, size.xreplace(sizes)))
