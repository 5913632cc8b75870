"""Differences of products and quotients of arguments, as one product of two factors less another.

The arguments are exact, a product or quotient of them is rounded: b - 1/a has no digit left where the two are near
each other, and (a b - 1)/a has all of them if a b - 1 is computed as one.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from .rewrites import head


def exact_gaps(expr: sp.Expr) -> sp.Expr:
    """u - v -> (a b - c d)/e for two monomials that are not both exact; of square roots, (u^2 - v^2)/(u + v)

    >>> a, b = sp.symbols("a b", positive=True)
    >>> exact_gaps(a - 1 / b), exact_gaps(a - sp.sqrt(2) * b), exact_gaps(a - b / 2)
    (cross(a, b, 1, 1)/b, cross(a, a, b, 2*b)/(a + sqrt(2)*b), a - b/2)
    """
    cross = head("cross")
    expr = expr.replace(cross, lambda a, b, c, d: _difference(a * b, c * d) or cross(a, b, c, d))
    expr = expr.replace(lambda e: isinstance(e, sp.Add) and len(e.args) == 2, _gap)
    return expr.replace(head("div"), _quotient)


def paired(expr: sp.Expr, pairs: Mapping[sp.Expr, sp.Expr]) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
    """c a_p - c a_q -> c d in sums of more than two terms, and what each d stands for; `pairs` has a_q by a_p

    >>> a, b, c, d = sp.symbols("a b c d", positive=True)
    >>> short, gaps = paired(2 * a - 2 * b + c - d, {a: b, c: d})
    >>> short.xreplace(gaps) == 2 * a - 2 * b + c - d, len(short.args)
    (True, 2)
    """
    known = {p: sp.Dummy(f"gap_{p}", real=True) for p, q in pairs.items() if p.is_Symbol and q.is_Symbol and p != q}

    def gathered(total: sp.Expr) -> sp.Expr:
        for p, gap in known.items():
            c = total.coeff(p)
            if c.is_number and c != 0 and total.coeff(pairs[p]) == -c:
                total = total - c * p + c * pairs[p] + c * gap
        return total

    short = expr.replace(lambda e: isinstance(e, sp.Add) and len(e.args) > 2, gathered)
    return short, {gap: p - pairs[p] for p, gap in known.items()}


def _quotient(above: sp.Expr, below: sp.Expr) -> sp.Expr:
    """The quotient without the factors that both sides have."""
    powers = [side.as_powers_dict() for side in (above, below)]
    if any(base in powers[1] for base in powers[0] if base != 1):
        above, below = (above / below).as_numer_denom()
    return head("div")(above, below)


def _gap(total: sp.Expr) -> sp.Expr:
    first, second = total.args if total.args[1].could_extract_minus_sign() else total.args[::-1]
    if all(map(_exact, (first, -second))):
        return total
    return _difference(first, -second) or total


def _difference(u: sp.Expr, v: sp.Expr) -> sp.Expr | None:
    """u - v for two positive monomials with powers of halves, common factors taken out; None for others."""
    powers = [u.as_powers_dict(), v.as_powers_dict()]
    known = all(base.is_positive and (base.is_Symbol or base.is_Rational) for p in powers for base in p)
    if not known or not all((2 * e).is_Integer for p in powers for e in p.values()):
        return None
    common = sp.Mul(*(base ** min(p[base] for p in powers) for base in dict.fromkeys((*powers[0], *powers[1]))))
    u, v = u / common, v / common
    if _exact(u) and _exact(v) and not (u.is_number and v.is_number):
        return common * (u - v)
    if not (u.is_number and v.is_number) and all(e.is_Integer for x in (u, v) for e in x.as_powers_dict().values()):
        return common * head("cross")(*_halves(u), *_halves(v))
    return None if u.is_number and v.is_number else common * _difference(u**2, v**2) / (u + v)


def _exact(monomial: sp.Expr) -> bool:
    """Whether a monomial is an argument or 1, times a number whose product with it is not rounded."""
    number, rest = monomial.as_coeff_Mul()
    dyadic = number.is_Rational and number.q & (number.q - 1) == 0
    return dyadic and (rest == 1 or (rest.is_Symbol and abs(number.p) & (abs(number.p) - 1) == 0))


def _halves(product: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Two factors of a product of positive integer powers, of about as many symbols each."""
    number, rest = product.as_coeff_Mul()
    factors = [base for base, power in rest.as_powers_dict().items() for _ in range(int(power)) if base != 1]
    half = (len(factors) + 1) // 2
    return sp.Mul(*factors[:half]), number * sp.Mul(*factors[half:])
