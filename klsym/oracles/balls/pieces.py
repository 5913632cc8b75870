"""The line cut where something bends, jumps or ends, and the expressions as they are between two cuts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from itertools import combinations, pairwise
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from ..integrand import linear
from .walker import Unspelled, Walker

BENT = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, Relational)


@dataclass(frozen=True)
class Piece:
    """An open interval and the expressions on it, each bend whose place is known taken out."""

    lower: sp.Expr
    upper: sp.Expr
    inside: sp.Expr
    expressions: tuple[Any, ...]


def pieces(walker: Walker, expressions: tuple[Any, ...], lower: sp.Expr, upper: sp.Expr) -> list[Piece]:
    """The pieces between lower and upper, in order. Unspelled where two cuts cannot be told apart.

    The first expression is the one whose centres, zeros of what is linear in x, cut the whole line.
    """
    known = {turn: crossings(walker, turn) for e in expressions for turn in _turns(e)}
    cuts = [zero for zeros in known.values() for zero in zeros or ()]
    cuts += [zero for e in expressions for zero in _poles(walker, e)]
    if lower == -sp.oo and upper == sp.oo:
        cuts += _centres(walker, expressions[0])
    inside = [c for c in cuts if _below(walker, lower, c) and _below(walker, c, upper)]
    if not inside and lower == -sp.oo and upper == sp.oo:
        inside = [sp.S.Zero]
    ends = [lower, *_ordered(walker, inside), upper]
    solved = frozenset(turn for turn, zeros in known.items() if zeros is not None)
    found = []
    for a, b in pairwise(ends):
        sample = (a + b) / 2 if a != -sp.oo and b != sp.oo else b - 1 if b != sp.oo else a + 1
        found.append(Piece(a, b, sample, tuple(_unbent(walker, e, sample, solved) for e in expressions)))
    return found


def crossings(walker: Walker, e: sp.Expr) -> list[sp.Expr] | None:
    """All zeros of a product, power, logarithm or exponential of what leads to linear or quadratic terms; else None."""
    e, x = e.xreplace(walker.numbers), walker.x
    if not e.has(x):
        return []
    if isinstance(e, sp.Pow) and not e.exp.has(x):
        return crossings(walker, e.base)
    if isinstance(e, sp.Mul):
        zeros = [crossings(walker, a) for a in e.args]
        return None if None in zeros else [zero for found in zeros for zero in found or ()]
    if (form := linear(e, x)) is not None:
        return [sp.expand(-form[1] / form[0])]
    u = sp.Dummy("u", real=True)
    for f in e.atoms(sp.log, sp.exp):
        inside = e.xreplace({f: u})
        if not inside.has(x) and (places := _quadratic(walker, inside, u)) is not None:
            found = [_reached(walker, f, place) for place in places]
            return None if None in found else [zero for zeros in found for zero in zeros or ()]
    return _quadratic(walker, e, x)


def _reached(walker: Walker, f: sp.Expr, place: sp.Expr) -> list[sp.Expr] | None:
    """Where a logarithm or an exponential has that value."""
    if isinstance(f, sp.exp) and not walker.ball(place) > 0:
        return [] if walker.ball(place) <= 0 else None
    return crossings(walker, f.args[0] - f.inverse()(place))


def _quadratic(walker: Walker, e: sp.Expr, x: sp.Symbol) -> list[sp.Expr] | None:
    """All zeros of a quotient whose numerator is of degree 2 at most; None where it is not, or has not two or none."""
    if not e.is_rational_function(x):
        return None
    e = sp.expand(e if e.is_polynomial(x) else sp.fraction(sp.together(e))[0])
    a, b, c = (e.coeff(x, k) for k in (2, 1, 0))
    if sp.expand(e - a * x**2 - b * x - c) != 0 or any(k.has(x) for k in (a, b, c)):
        return None
    if a == 0:
        return [-c / b] if b != 0 else [] if c != 0 else None
    inside = sp.expand(b**2 - 4 * a * c)
    size = walker.ball(inside)
    if not (size > 0 or size < 0):
        return None
    return [(-b + sign * sp.sqrt(inside)) / (2 * a) for sign in (-1, 1)] if size > 0 else []


def _turns(e: Any) -> list[sp.Expr]:
    """What changes sign where the expression has a kink or a jump."""
    found: list[sp.Expr] = []
    for node in sp.preorder_traversal(e):
        if isinstance(node, (sp.Abs, sp.sign, sp.Heaviside)):
            found.append(node.args[0])
        elif isinstance(node, (sp.Max, sp.Min)):
            found += [a - b for a, b in combinations(node.args, 2)]
        elif isinstance(node, Relational):
            found.append(node.lhs - node.rhs)
    return found


def _poles(walker: Walker, e: Any) -> list[sp.Expr]:
    """Where a linear argument of a logarithm, or the base of a power that is not a polynomial, vanishes."""
    found: list[sp.Expr] = []
    for node in sp.preorder_traversal(e):
        singular = isinstance(node, (sp.log, sp.loggamma)) or (
            isinstance(node, sp.Pow) and not (node.exp.is_Integer and node.exp.is_positive)
        )
        if singular and node.args[0].has(walker.x):
            found += crossings(walker, node.args[0]) or []
    return found


def _centres(walker: Walker, e: sp.Expr) -> list[sp.Expr]:
    """The zeros of linear expressions that are not themselves terms."""
    found: list[sp.Expr] = []
    for a in e.args:
        form = linear(a, walker.x) if isinstance(a, sp.Expr) else None
        if form is None:
            found += _centres(walker, a)
        elif not isinstance(e, (sp.Add, sp.Mul)):
            found += crossings(walker, a) or []
    return found


def _unbent(walker: Walker, e: Any, sample: sp.Expr, solved: frozenset[sp.Expr]) -> Any:
    """The expression without the bends whose every place is a cut, as it is about the sample."""
    if not isinstance(e, sp.Basic) or not e.args or not e.has(*BENT):
        return e
    if isinstance(e, Relational):
        gap = e.lhs - e.rhs
        sign = _sign(walker, gap, sample) if gap in solved else None
        return e if sign is None else sp.true if bool(e.func(sign, 0)) else sp.false
    arguments = [_unbent(walker, a, sample, solved) for a in e.args]
    if isinstance(e, (sp.Abs, sp.sign, sp.Heaviside)) and e.args[0] in solved:
        sign = _sign(walker, e.args[0], sample)
        if sign is not None:
            return sign * arguments[0] if isinstance(e, sp.Abs) else e.func(sign)
    if isinstance(e, (sp.Max, sp.Min)) and all(a - b in solved for a, b in combinations(e.args, 2)):
        return _extreme(walker, e, arguments, sample)
    return e.func(*arguments)


def _extreme(walker: Walker, e: sp.Expr, arguments: list[Any], sample: sp.Expr) -> Any:
    best = 0
    for i in range(1, len(e.args)):
        sign = _sign(walker, e.args[i] - e.args[best], sample)
        if sign is None:
            return e.func(*arguments)
        if sign == (1 if isinstance(e, sp.Max) else -1):
            best = i
    return arguments[best]


def _sign(walker: Walker, e: sp.Expr, sample: sp.Expr) -> int | None:
    value = walker.ball(e.xreplace({walker.x: sample}))
    return 1 if value > 0 else -1 if value < 0 else None


def _below(walker: Walker, a: sp.Expr, b: sp.Expr) -> bool:
    """Whether a < b; Unspelled where that cannot be told."""
    if a == b:
        return False
    if a == -sp.oo or b == sp.oo:
        return True
    gap = walker.ball(b - a)
    if not (gap > 0 or gap <= 0):
        raise Unspelled(f"{a} and {b} cannot be told apart")
    return bool(gap > 0)


def _ordered(walker: Walker, cuts: list[sp.Expr]) -> list[sp.Expr]:
    distinct: list[sp.Expr] = []
    for cut in cuts:
        if not any(cut == c or walker.ball(cut - c).is_zero() for c in distinct):
            distinct.append(cut)
    return sorted(distinct, key=cmp_to_key(lambda a, b: -1 if _below(walker, a, b) else 1))
