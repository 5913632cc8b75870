"""Coordinates in which a closed form is a function of what P and Q differ by: ratios, shifts, and what they make.

The first-order part of a divergence vanishes at P = Q in every coordinate system, so any may be used; the best are
invariants of location and scale, in which the parameters themselves disappear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

import sympy as sp

from .remainder import Moving
from .rewrites import head


@dataclass(frozen=True)
class Coordinate:
    """One moving coordinate: Q's parameter `target` is `inside` of it, and it and its step are computed as given."""

    moving: Moving
    target: sp.Symbol
    inside: sp.Expr
    value: sp.Expr
    step: sp.Expr


Pairs = Mapping[sp.Symbol, sp.Expr]


def options(q: sp.Symbol, pairs: Pairs, ends: Set[sp.Symbol]) -> Iterator[Coordinate]:
    """The coordinates for one parameter of Q; `pairs` has what each moved parameter is in P.

    `ends` are parameters of a finite or closed range: a ratio of such means little, or may be 0/0.
    """
    p = pairs[q]
    others = [o for o in pairs if o != q and o.is_positive and pairs[o] != 0 and o not in ends]
    yield _plain(q, p)
    if q in ends:
        return
    if p == 0 or not q.is_positive:
        for unit in (*others, *(pairs[other] for other in others)):
            yield _shift(q, p, unit)
        return
    yield _ratio(q, p)
    yield _inverse_ratio(q, p)
    for other in others:
        yield _log_ratio(q, p, other)
        for power in (1, -1):
            yield _mean_ratio(q, p, other, pairs[other], power)
    for other in others:
        yield _quotient(q, p, other, pairs[other])


def _symbols(q: sp.Symbol, kind: str, **assumptions: bool) -> tuple[sp.Symbol, sp.Symbol]:
    return sp.Symbol(f"{kind}_{q.name}", **assumptions), sp.Symbol(f"d_{kind}_{q.name}", real=True)


def _plain(q: sp.Symbol, p: sp.Expr) -> Coordinate:
    step = sp.Symbol(f"d_{q.name}", real=True)
    return Coordinate(Moving(q, p, step), q, q, q, q - p)


def _shift(q: sp.Symbol, p: sp.Expr, unit: sp.Expr) -> Coordinate:
    """delta = (q - p)/unit"""
    delta = sp.Symbol(f"delta_{q.name}", real=True)
    value = head("div")(q - p, unit)
    return Coordinate(Moving(delta, sp.S.Zero, delta), q, p + delta * unit, value, value)


def _ratio(q: sp.Symbol, p: sp.Expr) -> Coordinate:
    """r = p/q"""
    r, step = _symbols(q, "ratio", positive=True)
    return Coordinate(Moving(r, sp.S.One, step), q, p / r, head("div")(p, q), head("div")(p - q, q))


def _inverse_ratio(q: sp.Symbol, p: sp.Expr) -> Coordinate:
    """r = q/p"""
    r, step = _symbols(q, "inverse", positive=True)
    return Coordinate(Moving(r, sp.S.One, step), q, p * r, head("div")(q, p), head("div")(q - p, p))


def _log_ratio(q: sp.Symbol, p: sp.Expr, exponent: sp.Symbol) -> Coordinate:
    """v = e log(p/q)"""
    v = sp.Symbol(f"log_{q.name}", real=True)
    value = exponent * head("log_ratio")(q, p, p - q)
    return Coordinate(Moving(v, sp.S.Zero, v), q, p * sp.exp(-v / exponent), value, value)


def _mean_ratio(q: sp.Symbol, p: sp.Expr, other_q: sp.Symbol, other_p: sp.Expr, power: int) -> Coordinate:
    """u = q e_p/(p e_q), or u = q e_q/(p e_p)"""
    u, step = _symbols(q, "mean", positive=True)
    above, below = (other_p, other_q) if power == 1 else (other_q, other_p)
    cross = head("cross")(q, above, p, below)
    return Coordinate(
        Moving(u, sp.S.One, step), q, u * p * below / above,
        head("div")(q * above, p * below), head("div")(cross, p * below),
    )  # fmt: skip


def _quotient(q: sp.Symbol, p: sp.Expr, other_q: sp.Symbol, other_p: sp.Expr) -> Coordinate:
    """u = q/e_q"""
    u, step = _symbols(q, f"over_{other_q.name}", positive=True)
    return Coordinate(Moving(u, p / other_p, step), q, u * other_q, q / other_q, q / other_q - p / other_p)
