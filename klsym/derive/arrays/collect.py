"""The last form of a value: traces in normal form, squares completed, sums over an index in order."""

from __future__ import annotations

import sympy as sp

from ...arrays.family import INDEX
from ...arrays.functions import Diagonal, Entry, HalfLine, Symmetric, Vector
from . import words


def plain(expr: sp.Expr) -> sp.Expr:
    """Every trace in normal form; what does not depend on the index before its sum."""
    kept = {integral: sp.Dummy() for integral in expr.atoms(HalfLine)}
    expr = expr.xreplace(kept)
    expr = expr.xreplace({t: words.trace(t.arg) for t in expr.atoms(sp.Trace)})
    expr = expr.xreplace({stand_in: integral for integral, stand_in in kept.items()})
    return expr.replace(lambda e: isinstance(e, sp.Sum), _sum) if expr.has(sp.Sum) else expr


def _sum(total: sp.Sum) -> sp.Expr:
    index, _, last = total.limits[0]
    body = total.function
    if body.is_Add and all(not t.has(sp.Indexed) or t.is_Indexed or (-t).is_Indexed for t in body.args):
        return sp.Add(*(_sum(sp.Sum(t, total.limits[0])) for t in body.args))
    outside, inside = body.as_independent(index, as_Add=False)
    if inside == 1:
        return outside * last
    return outside * sp.Sum(inside.subs(index, INDEX), (INDEX, 1, last))


def total_one(expr: sp.Expr, lists: set[sp.IndexedBase]) -> sp.Expr:
    """sum_i p_i = 1 for each of the lists that lies in the simplex"""
    return expr.replace(
        lambda e: isinstance(e, sp.Sum) and isinstance(e.function, sp.Indexed) and e.function.base in lists,
        lambda e: sp.S.One,
    )


def norm_one(expr: sp.Expr, vectors: set[sp.MatrixSymbol]) -> sp.Expr:
    """v'v = 1 for each of the unit vectors"""
    return sp.expand(expr.xreplace({sp.Trace(v.T * v): sp.S.One for v in vectors})) if vectors else expr


def collect(expr: sp.Expr) -> sp.Expr:
    """c a'Ma - 2c a'Mb + c b'Mb = c (a-b)'M(a-b), and the same for tr(N a'Ma) of matrices a and b"""
    if not expr.has(sp.Trace):
        return expr
    kept = {total: sp.Dummy() for total in expr.atoms(sp.Sum, HalfLine)}
    expr = sp.collect(sp.expand(expr.xreplace(kept)), [d for e, d in kept.items() if isinstance(e, HalfLine)])
    expr = expr.xreplace({stand_in: total for total, stand_in in kept.items()})
    for shape, group in _groups(expr).items():
        symbols = list(dict.fromkeys(s for pair in group for s in pair))
        if len(symbols) != 2:
            continue
        a, b = symbols
        square, cross = group.get((a, a)), group.get((a, b), group.get((b, a)))
        if square is None or cross is None or group.get((b, b)) is None:
            continue
        (ca, ta), (cb, tb), (cc, tc) = square, group[b, b], cross
        if ca == cb and sp.expand(cc + 2 * ca) == 0:
            left, right = shape
            outer = words.product(left, a.cols)
            inner = words.product(right, a.rows)
            difference = sp.MatAdd(a, -b)
            factors = [
                m for m in (outer, sp.Transpose(difference), inner, difference) if not isinstance(m, sp.Identity)
            ]
            expr = expr - ca * ta - cb * tb - cc * tc + ca * sp.Trace(sp.MatMul(*factors))
    return expr.xreplace({t: _spread(t) for t in expr.atoms(sp.Trace)})


def _spread(trace: sp.Trace) -> sp.Expr:
    """u' D v = sum_i u_i D_i v_i for a product D of diagonal matrices, and 1' v = sum_i v_i"""
    if trace.arg.shape != (1, 1) or not isinstance(trace.arg, sp.MatMul):
        return trace
    left, *inner, right = trace.arg.args
    if not all(isinstance(m.base if isinstance(m, sp.MatPow) else m, Diagonal) for m in inner):
        return trace
    columns = [words.expand(m) for m in (left.T, right)]
    letters = [word for terms in columns for word in terms]
    if not all(len(word) == 1 and isinstance(word[0][0], (Vector, sp.OneMatrix)) for word in letters):
        return trace
    if not inner and not trace.has(sp.OneMatrix):
        return trace
    ((word, _),) = words.expand(sp.MatMul(*inner)).items() if inner else (((), 1),)
    return sp.Sum(sp.Mul(*map(_entry, columns)) * words.entries(word), (INDEX, 1, right.rows))


def _entry(column: words.Terms) -> sp.Expr:
    """The entry of a combination of columns"""
    return sp.Add(*(c if isinstance(s, sp.OneMatrix) else c * Entry(s, INDEX) for ((s, _, _),), c in column.items()))


def _groups(expr: sp.Expr) -> dict[tuple[words.Word, words.Word], dict]:
    """The terms c tr(N u' M v), u and v not symmetric, as {(N, M): {(u, v): (c, trace)}}"""
    groups: dict[tuple[words.Word, words.Word], dict] = {}
    for term in sp.Add.make_args(expr):
        traces = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.Trace)]
        if len(traces) != 1 or isinstance(traces[0].arg, sp.MatAdd):
            continue
        word = next(iter(words.expand(traces[0].arg)))
        free = [n for n, (s, _, inverted) in enumerate(word) if not inverted and s in _free(word)]
        if len(free) != 2:
            continue
        first = next((n for n in free if word[n][1]), None)
        if first is None:
            continue
        turned = word[first:] + word[:first]
        cut = next(n for n in range(1, len(turned)) if n != 0 and turned[n][0] in _free(word) and not turned[n][2])
        if turned[cut][1]:
            continue
        key = (turned[cut + 1 :], turned[1:cut])
        groups.setdefault(key, {})[turned[0][0], turned[cut][0]] = (term / traces[0], traces[0])
    return groups


def _free(word: words.Word) -> set[sp.MatrixSymbol]:
    """The letters that are means: neither symmetric nor square"""
    return {s for s, _, _ in word if not isinstance(s, Symmetric) and (s.cols == 1 or not s.is_square)}
