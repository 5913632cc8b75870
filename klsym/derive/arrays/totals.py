"""Probabilities whose sum is 1 only to rounding: what a divergence is of them, and of them over their sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from ...arrays.domain import simplex
from ...arrays.family import INDEX, ArrayDistribution, substitute
from ...core.derivation import Derivation
from ...core.divergence import Divergence
from .collect import plain, total_one
from .differential import differential

Derive = Callable[[Divergence, ArrayDistribution, ArrayDistribution], Derivation]
j = sp.Symbol("j", integer=True, positive=True)


def generalised(value: sp.Expr, derivation: Derivation, derive: Derive) -> sp.Expr:
    """The value less c (sum_i p_i - 1) for each list of probabilities p, c its derivative along p where P = Q.

    `derive` gives the derivation of two members of one family. Where the sums are 1 nothing is taken away, and
    elsewhere a zero at P = Q stays double: of sum_i p_i log(p_i/q_i) it makes the sum of p_i log(p_i/q_i) - p_i + q_i,
    which keeps its digits (Csiszar, Annals of Statistics 19, 1991).
    """
    if "zero-on-diagonal" not in derivation.divergence.axioms:
        return value
    taken = []
    for role, d in enumerate((derivation.p, derivation.q)):
        for n, parameter in enumerate(d.family.parameters):
            if parameter.domain is simplex:
                slope = _slope(derivation.divergence, d, role, n, derive)
                taken.append(slope * (_sum(d.values[n], parameter.dimensions[0], dict(d.sizes)) - 1))
    return value - sp.Add(*taken)


def _slope(divergence: Divergence, d: ArrayDistribution, role: int, n: int, derive: Derive) -> sp.Expr:
    """d/dt of the divergence of two members of d's family at P = Q, P's or Q's nth parameter times 1 + t."""
    p, q = (d.family.member(suffix) for suffix in ("_p", "_q"))
    symbol = (p, q)[role].values[n]
    lists = {v for v in d.values if isinstance(v, sp.IndexedBase)}
    found = differential(derive(divergence, p, q).cases[0].value, symbol, symbol[INDEX])
    at_equal = found.xreplace(dict(zip(q.values, p.values, strict=True)))
    given = substitute(at_equal, dict(zip(p.values, d.values, strict=True))).xreplace(dict(d.sizes))
    return total_one(plain(given), lists)


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
