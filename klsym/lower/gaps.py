"""Differences of products and quotients of arguments, as one product of two factors less another.

The arguments are exact, a product or quotient of them is rounded: b - 1/a has no digit left where the two are near
each other, and (a b - 1)/a has all of them if a b - 1 is computed as one.
"""

from __future__ import annotations

import sympy as sp

from .rewrites import head


def exact_gaps(expr: sp.Expr) -> sp.Expr:
    """u - v -> (a b - c d)/e for two monomials that are not both exact; of square roots, (u^2 - v^2)/(u + v)

    >>> a, b = sp.symbols("a b", positive=True)
    >>> exact_gaps(a - 1 / b), exact_gaps(a - sp.sqrt(2) * b), exact_gaps(a - b / 2)
    (cross(a, b, 1, 1)/b, cross(a, a, 2*b, b)/(a + sqrt(2)*b), a - b/2)
    """
    return expr.replace(lambda e: isinstance(e, sp.Add) and len(e.args) == 2, _gap)


def _gap(total: sp.Expr) -> sp.Expr:
    first, second = total.args
    u, v = (first, -second) if not first.could_extract_minus_sign() else (second, -first)
    monomials = [_powers(term) for term in (u, v)]
    if v.could_extract_minus_sign() or None in monomials or all(map(_exact, (u, v))):
        return total
    exponents = {power for powers in monomials if powers is not None for power in powers.values()}
    if not all(power.is_Integer for power in exponents):
        return _gap(u**2 - v**2) / (u + v) if all((2 * power).is_Integer for power in exponents) else total
    (above, below), (over, under) = u.as_numer_denom(), v.as_numer_denom()
    common = sp.gcd(below, under)
    whole = sp.cancel(below * under / common)
    return head("cross")(*_halves(above * under / common), *_halves(over * below / common)) / whole


def _powers(monomial: sp.Expr) -> dict[sp.Expr, sp.Expr] | None:
    """The powers in a product of numbers and symbols, or None where it is not one."""
    powers = monomial.as_powers_dict()
    plain = all((base.is_Symbol or base.is_Rational) and power.is_Rational for base, power in powers.items())
    return dict(powers) if plain else None


def _exact(monomial: sp.Expr) -> bool:
    """Whether a product is an argument, or one times a power of 2, or a number that is."""
    number, rest = monomial.as_coeff_Mul()
    scale = int(number.p) if number.q == 1 or number.q & (number.q - 1) else 0
    plain = number.is_Rational and number.q & (number.q - 1) == 0
    return plain and (rest == 1 or (rest.is_Symbol and number.p & (number.p - 1) == 0)) and scale >= 0


def _halves(product: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Two factors of a product of positive integer powers, of about as many symbols each."""
    number, rest = product.as_coeff_Mul()
    factors = [base for base, power in rest.as_powers_dict().items() for _ in range(int(power)) if base != 1]
    half = (len(factors) + 1) // 2
    return number * sp.Mul(*factors[half:]), sp.Mul(*factors[:half])
