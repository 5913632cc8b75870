"""A logarithm of powers, gamma functions and exponentials at its shortest: one term for each logarithm."""

from __future__ import annotations

import sympy as sp
from sympy.logic.boolalg import Boolean


def shorten(total: sp.Expr) -> sp.Expr:
    """The sum with the arguments of its functions as reduced quotients, and equal functions together.

    >>> a, b = sp.symbols("a b", positive=True)
    >>> shorten(sp.log(a + b) - sp.log(1 + b / a) + (a - b) ** 2 / 2 + (a - b) ** 2 / 2)
    (a - b)**2 + log(a)
    >>> shorten((a**2 - 2 * a * b + b**2) / b)
    (a - b)**2/b
    """
    total = total.replace(sp.exp, lambda inside: _product(inside))
    total = total.replace(_is_root, lambda root: _cancelled(root.base) ** root.exp)
    functions: dict[sp.Expr, list[sp.Expr]] = {}
    for term in sp.Add.make_args(_split(total)):
        own = [f for f in sp.Mul.make_args(term) if isinstance(f, (sp.log, sp.loggamma))]
        key = own[0] if len(own) == 1 else sp.S.One
        functions.setdefault(key, []).append(term / key)
    return sp.Add(*(_coefficient(sp.Add(*c)) * key for key, c in functions.items()))


def powers(log_value: sp.Expr) -> sp.Expr:
    """exp of a sum of logarithms as the product that it is

    >>> a, b = sp.symbols("a b", positive=True)
    >>> powers(sp.log(a) / 2 - 2 * sp.loggamma(b) + (a - b) ** 2)
    sqrt(a)*exp((a - b)**2)/gamma(b)**2
    """
    product, exponent = [], []
    for term in sp.Add.make_args(log_value):
        own = [f for f in sp.Mul.make_args(term) if isinstance(f, (sp.log, sp.loggamma))]
        if len(own) != 1:
            exponent.append(term)
            continue
        base = own[0].args[0] if isinstance(own[0], sp.log) else sp.gamma(own[0].args[0])
        product.append(base ** (term / own[0]))
    return sp.Mul(*product) * sp.exp(sp.Add(*exponent))


def positive(condition: Boolean) -> Boolean:
    """The condition with each inequality as one between polynomials, where that is certain.

    >>> a, b = sp.symbols("a b", positive=True)
    >>> positive(1 - (1 - a / b) / 2 > 0), positive(2 - b / a > 0)
    (True, 2*a > b)
    """
    return condition.replace(lambda e: isinstance(e, (sp.StrictGreaterThan, sp.StrictLessThan)), _polynomial)


def _product(inside: sp.Expr) -> sp.Expr:
    """exp(a log x + b) -> x^a exp(b)"""
    return powers(sp.expand_mul(inside)) if inside.has(sp.log) else sp.exp(inside)


def _is_root(e: sp.Expr) -> bool:
    return e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer and e.base.is_Add and _rational(e.base)


def _rational(e: sp.Expr) -> bool:
    return bool(e.is_rational_function(*e.free_symbols))


def _split(total: sp.Expr) -> sp.Expr:
    """Logarithms of quotients and products as sums."""
    terms = []
    for term in sp.Add.make_args(sp.expand_mul(total, deep=False)):
        own = [f for f in sp.Mul.make_args(term) if isinstance(f, (sp.log, sp.loggamma))]
        split = term.xreplace({own[0]: _function(own[0])}) if len(own) == 1 else term
        terms.append(sp.expand_mul(split, deep=False))
    return sp.Add(*terms)


def _function(function: sp.Expr) -> sp.Expr:
    argument = function.args[0]
    if _rational(argument):
        argument = _cancelled(argument)
        argument = argument if argument.could_extract_minus_sign() is False else _turned(argument)
    if not isinstance(function, sp.log):
        return function.func(argument)
    above, below = argument.as_numer_denom() if _rational(argument) else (argument, sp.S.One)
    # A logarithm of what may be negative is no real number: such factors stay together.
    alone: list[sp.Expr] = []
    together: list[sp.Expr] = []
    for factor in (*sp.Mul.make_args(above), *sp.Mul.make_args(1 / below)):
        if isinstance(factor, sp.exp):
            alone.append(factor.exp)
        elif factor.is_positive:
            alone.append(sp.expand_log(sp.log(factor)))
        elif factor.is_Pow and not factor.exp.is_integer:
            alone.append(factor.exp * sp.log(factor.base))
        else:
            together.append(factor)
    inside = sp.Mul(*together)
    return sp.Add(*alone, -sp.log(1 / inside) if inside.is_Pow and inside.exp == -1 else sp.log(inside))


def _turned(quotient: sp.Expr) -> sp.Expr:
    """The same quotient with the signs of its numerator and denominator changed."""
    above, below = quotient.as_numer_denom()
    return -above / -below if below != 1 else quotient


def _coefficient(c: sp.Expr) -> sp.Expr:
    return _cancelled(c) if _rational(c) else c


def _cancelled(quotient: sp.Expr) -> sp.Expr:
    """The reduced quotient, differences of two symbols left as they are: (a - b)^2 is not multiplied out."""
    gaps: dict[sp.Expr, sp.Dummy] = {}

    def gap(difference: sp.Expr) -> sp.Expr:
        for sign in (1, -1):
            if sign * difference in gaps:
                return sign * gaps[sign * difference]
        return gaps.setdefault(difference, sp.Dummy(real=True))

    short = quotient.replace(_is_gap, gap)
    if set().union(*(g.free_symbols for g in gaps)) & short.free_symbols:
        short = quotient
    return _squared(sp.cancel(sp.together(short))).xreplace({symbol: g for g, symbol in gaps.items()})


def _squared(quotient: sp.Expr) -> sp.Expr:
    """The quotient with a sum that is a repeated factor of its numerator as a power: (a^2 - 2 a b + b^2)/b."""
    above, below = quotient.as_numer_denom()
    if not above.is_Add or not above.is_polynomial():
        return quotient
    number, factors = sp.sqf_list(above)
    repeated = any(n > 1 and factor.is_Add for factor, n in factors)
    return number * sp.Mul(*(factor**n for factor, n in factors)) / below if repeated else quotient


def _is_gap(e: sp.Expr) -> bool:
    return e.is_Add and len(e.args) == 2 and all((a if a.is_Symbol else -a).is_Symbol for a in e.args)


def _polynomial(relation: sp.Expr) -> Boolean:
    difference = relation.gts - relation.lts
    if not _rational(difference):
        # A product of powers is compared by its logarithm, in which a power of 0 is no 0 times infinity.
        power = relation.gts == 1 and relation.lts.is_Mul and relation.lts.has(sp.exp)
        return sp.Lt(shorten(sp.expand_log(sp.log(relation.lts), force=True)), 0) if power else relation
    above, below = sp.cancel(sp.together(difference)).as_numer_denom()
    if below.is_negative:
        above, below = -above, -below
    if not below.is_positive:
        return relation
    terms = sp.Add.make_args(above)
    taken = [term for term in terms if term.could_extract_minus_sign()]
    return sp.Gt(sp.Add(*(term for term in terms if term not in taken)), -sp.Add(*taken))
