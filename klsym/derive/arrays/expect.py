"""Expectations of features: the derivatives of a kernel's log Z along their coefficients."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from ...arrays.family import INDEX, substitute
from ...arrays.functions import LogDet
from . import words
from .collect import plain
from .differential import differential
from .features import Features
from .kernels import Kernel


def parts(f: Features, x: sp.Basic, size: sp.Expr) -> Iterator[tuple[str, sp.Basic, sp.Expr, sp.Expr]]:
    """Each feature with a coefficient: its name, the direction that the coefficient is, the scalar before the
    expectation, and what the expectation is of."""
    if f.logdet != 0:
        yield "logdet", sp.S.One, f.logdet, LogDet(x)
    if f.linear:
        c = words.matrix(f.linear, x.rows)
        yield "linear", c, sp.S.One, words.trace(sp.MatMul(sp.Transpose(c), x))
    if f.inverse:
        c = words.matrix(f.inverse, x.rows)
        yield "inverse", c, sp.S.One, words.trace(sp.MatMul(sp.Transpose(c), sp.Inverse(x)))
    if f.growth:
        c = words.matrix(f.growth, x.rows)
        yield "growth", c, sp.S.One, words.trace(sp.MatMul(sp.Transpose(c), x.applyfunc(sp.exp)))
    if f.growths:
        c, e = words.matrix(f.growths, x.rows), x.applyfunc(sp.exp)
        yield "growths", c, sp.S.One, words.trace(sp.MatMul(sp.Transpose(e), c, e))
    for (left, right), weight in f.quadratic.items():
        pair = (words.product(left, x.rows), words.product(right, x.cols))
        yield "quadratic", sp.Tuple(*pair), weight, words.trace(sp.MatMul(pair[0], x, pair[1], x.T))
    for (centre, a), weight in f.tails.items():
        square = sp.Trace(sp.MatMul((x - centre).T, a, x - centre))
        yield "tails", sp.Tuple(centre, a), weight, sp.log(1 + square)
    limits = (INDEX, 1, size)
    if f.logs != 0:
        yield "logs", f.logs, sp.S.One, sp.Sum(f.logs * sp.log(x[INDEX]), limits)
    if f.counts != 0:
        yield "counts", f.counts, sp.S.One, sp.Sum(f.counts * x[INDEX], limits)
    if f.each != 0:
        yield "each", f.each, sp.S.One, sp.Sum(f.each, limits)
    if f.table != 0:
        yield "table", f.table, sp.S.One, f.table.subs(INDEX, x)


def expectation(kernel: Kernel, name: str, direction: sp.Basic) -> sp.Expr:
    """E[<c, T>] = d/dt log Z(eta + t c) at t = 0, or what the kernel says of a feature that is none of its own"""
    if name in kernel.moments:
        return at_natural(kernel, kernel.moments[name].value(direction))
    if name == "quadratic":
        return _quadratic(kernel, *direction.args)
    slope = differential(kernel.log_z, kernel.symbols[name], kernel.units.get(name, 1) * direction)
    return at_natural(kernel, slope)


def _quadratic(kernel: Kernel, left: sp.MatrixExpr, right: sp.MatrixExpr) -> sp.Expr:
    """E[tr(F x D x^T)]

    For vectors by the derivative along F in A. For matrices by two derivatives along dyads G = f d^T in C, which
    give the variance of f^T x d; F and D are sums of f f^T and d d^T.
    """
    if "right" not in kernel.symbols:
        slope = differential(kernel.log_z, kernel.symbols["quadratic"], kernel.units["quadratic"] * left)
        return at_natural(kernel, slope)
    c = kernel.symbols["linear"]
    f, d = sp.MatrixSymbol("#f", left.rows, 1), sp.MatrixSymbol("#d", right.rows, 1)
    dyad = f * d.T
    mean = at_natural(kernel, differential(kernel.log_z, c, dyad))
    variance = at_natural(kernel, differential(differential(kernel.log_z, c, dyad), c, dyad))
    return _undyad(mean**2 + variance, f, left, d, right)


def _undyad(
    expr: sp.Expr, f: sp.MatrixSymbol, left: sp.MatrixExpr, d: sp.MatrixSymbol, right: sp.MatrixExpr
) -> sp.Expr:
    """The expression with f f^T and d d^T replaced: each term is a product of traces u^T M v, joined at f and at d"""
    total = []
    for term in sp.Add.make_args(sp.expand(expr)):
        scalars, chain = [], []
        for factor in sp.Mul.make_args(term):
            base, power = factor.as_base_exp()
            if isinstance(base, sp.Trace) and base.has(f, d):
                chain += [next(iter(words.expand(base.arg)))] * int(power)
            else:
                scalars.append(factor)
        total.append(sp.Mul(*scalars) * _joined(chain, {f: left, d: right}))
    return sp.Add(*total)


def _joined(chain: list[words.Word], middles: dict[sp.MatrixSymbol, sp.MatrixExpr]) -> sp.Expr:
    product = sp.S.One
    while chain:
        word = chain.pop()
        start, matrices = word[0][0], []
        while True:
            matrices += [words.product(word[1:-1], word[0][0].rows), middles[word[-1][0]]]
            if word[-1][0] == start:
                break
            nxt = next(w for w in chain if word[-1][0] in (w[0][0], w[-1][0]))
            chain.remove(nxt)
            word = nxt if nxt[0][0] == word[-1][0] else words.transpose(nxt)
        product *= words.trace(sp.MatMul(*matrices))
    return product


def at_natural(kernel: Kernel, expr: sp.Expr) -> sp.Expr:
    """The expression at the kernel's natural parameters"""
    values = {symbol: kernel.natural[name] for name, symbol in kernel.symbols.items()}
    return plain(substitute(expr, values))
