"""A log density as a linear combination of features of the outcome, with array coefficients."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from ...arrays.family import INDEX
from ...arrays.functions import LogDet
from ...core.errors import UnderivableError
from . import words
from .words import Terms, Word

ZERO = sp.S.Zero


@dataclass
class Features:
    """constant + tr(linear^T x) + tr(inverse^T x^-1) + sum c tr(F x D x^T) + logdet log det x + tr(growth^T e)
    + tr(growths e e^T), e the exponentials of the entries of x,
    + sum_i (logs_i log x_i + counts_i x_i + each_i) + table_x; `linear` and `inverse` have words, and `logs`, `counts`,
    `each` and `table` are entries in the index i, `each` a function of x_i. `tails` has the coefficients of
    log(1 + (x - m)^T A (x - m)) by (m, A)."""

    constant: sp.Expr = ZERO
    linear: Terms = field(default_factory=dict)
    inverse: Terms = field(default_factory=dict)
    growth: Terms = field(default_factory=dict)
    growths: Terms = field(default_factory=dict)
    quadratic: dict[tuple[Word, Word], sp.Expr] = field(default_factory=dict)
    logdet: sp.Expr = ZERO
    logs: sp.Expr = ZERO
    counts: sp.Expr = ZERO
    each: sp.Expr = ZERO
    table: sp.Expr = ZERO
    tails: dict[tuple[sp.MatrixExpr, sp.MatrixExpr], sp.Expr] = field(default_factory=dict)


def features(log_density: sp.Expr, x: sp.Basic) -> Features:
    """The features of x in the expression; what fits none raises UnderivableError."""
    found = Features()
    for term in sp.Add.make_args(_expanded(log_density)):
        if not _has(term, x):
            found.constant += term
            continue
        inside = [f for f in sp.Mul.make_args(term) if _has(f, x)]
        coefficient = sp.Mul(*(f for f in sp.Mul.make_args(term) if not _has(f, x)))
        if len(inside) != 1:
            raise UnderivableError(f"the term {term} is not linear in a known feature of {x}")
        _file(found, coefficient, inside[0], x)
    found.quadratic = {key: c for key, c in found.quadratic.items() if c != 0}
    found.tails = {key: c for key, c in found.tails.items() if c != 0}
    for entry in ("logs", "counts", "each", "table"):
        setattr(found, entry, _sorted(getattr(found, entry)))
    return found


def _has(expr: sp.Expr, x: sp.Basic) -> bool:
    return expr.has(x)


def _sorted(entry: sp.Expr) -> sp.Expr:
    return sp.expand(entry)


def _expanded(expr: sp.Expr) -> sp.Expr:
    """The expression as a sum, logarithms of quotients apart."""
    return sp.expand(sp.expand_log(expr, force=True)) if expr.has(sp.log) else sp.expand(expr)


def _file(found: Features, coefficient: sp.Expr, feature: sp.Expr, x: sp.Basic) -> None:
    if isinstance(feature, LogDet) and feature.args[0] == x:
        found.logdet += coefficient
    elif isinstance(feature, sp.Trace):
        for word, c in words.expand(feature.arg).items():
            _trace(found, coefficient * c, word, x)
    elif isinstance(feature, sp.Sum):
        _sum(found, coefficient, feature, x)
    elif isinstance(feature, sp.log) and isinstance(square := feature.args[0] - 1, sp.Trace):
        key = _centred(square, x)
        found.tails[key] = sp.expand(found.tails.get(key, ZERO) + coefficient)
    elif x.is_Symbol and feature.subs(x, INDEX).has(INDEX):
        found.table += coefficient * feature.subs(x, INDEX)
    else:
        raise UnderivableError(f"no feature is known for {feature} in {x}")


def _centred(square: sp.Trace, x: sp.MatrixSymbol) -> tuple[sp.MatrixExpr, sp.MatrixExpr]:
    """m and A of (x - m)^T A (x - m): what follows x^T is A x and, in the other terms, -A m"""
    last, after = words.letter(x), {}
    for word, c in words.expand(square.arg).items():
        if word[0] == words.letter(x, transposed=True):
            after[word[1:]] = c
    inner = [word[:-1] for word in after if word and word[-1] == last]
    if len(inner) == 1:
        back = words.inverse(inner[0])
        means = {words.cancel(back + word): -c for word, c in after.items() if word[-1] != last}
        centre = words.matrix(means, x.rows) if means else sp.ZeroMatrix(*x.shape)
        a, gap = words.product(inner[0], x.rows), sp.MatAdd(x, -centre)
        if sp.expand(words.trace(sp.MatMul(gap.T, a, gap)) - words.trace(square.arg)) == 0:
            return centre, a
    raise UnderivableError(f"no feature is known for the logarithm of {square}")


def _trace(found: Features, coefficient: sp.Expr, word: Word, x: sp.MatrixSymbol) -> None:
    grown = [n for n, item in enumerate(word) if isinstance(item[0], ElementwiseApplyFunction) and item[0].has(x)]
    if grown:
        _exponentials(found, coefficient, word[grown[0] :] + word[: grown[0]], x)
        return
    places = [n for n, item in enumerate(word) if item[0] == x]
    if not places:
        found.constant += coefficient * words.trace(words.product(word, x.cols))
        return
    turned = word[places[0] :] + word[: places[0]]
    if len(places) == 1:
        # tr(x R) = tr((R^T)^T x), and tr(x^T R) = tr(R^T x)
        rest = turned[1:]
        feature = "inverse" if turned[0][2] else "linear"
        more = {rest if turned[0][1] else words.transpose(rest): coefficient}
        setattr(found, feature, words.add(getattr(found, feature), more))
        return
    if any(word[n][2] for n in places) or len(places) != 2:
        raise UnderivableError(f"no feature is known for the trace of {words.product(word, x.rows)}")
    cut = places[1] - places[0]
    if turned[0][1] == turned[cut][1]:
        raise UnderivableError(f"no feature is known for the trace of {words.product(word, x.rows)}")
    between, after = turned[1:cut], turned[cut + 1 :]
    key = (between, after) if turned[0][1] else (after, between)
    found.quadratic[key] = found.quadratic.get(key, ZERO) + coefficient


def _exponentials(found: Features, coefficient: sp.Expr, word: Word, x: sp.MatrixSymbol) -> None:
    """A trace with the column of the exponentials of x, first in its word, once or twice"""
    column, (rest, again) = word[0][0], (word[1:], [n for n, item in enumerate(word) if item[0] == word[0][0]])
    known = column.expr == x and isinstance(column.function.expr, sp.exp)
    if known and len(again) == 1 and not any(s.has(x) for s, _, _ in rest):
        more = {rest if word[0][1] else words.transpose(rest): coefficient}
        found.growth = words.add(found.growth, more)
    elif known and len(again) == 2 and word[0][1] and again[1] == len(word) - 1:
        found.growths = words.add(found.growths, {word[1:-1]: coefficient})
    else:
        raise UnderivableError(f"no feature is known for the trace of {words.product(word, x.rows)}")


def _sum(found: Features, coefficient: sp.Expr, total: sp.Sum, x: sp.IndexedBase) -> None:
    index = total.limits[0][0]
    for term in sp.Add.make_args(sp.expand(total.function.subs(index, INDEX))):
        if not term.has(x):
            found.constant += coefficient * sp.Sum(term, (INDEX, *total.limits[0][1:]))
            continue
        slope = term.coeff(sp.log(x[INDEX]))
        if slope != 0 and not slope.has(x) and sp.expand(term - slope * sp.log(x[INDEX])) == 0:
            found.logs += coefficient * slope
        elif not (slope := term.coeff(x[INDEX])).has(x) and slope != 0 and sp.expand(term - slope * x[INDEX]) == 0:
            found.counts += coefficient * slope
        else:
            found.each += coefficient * term
