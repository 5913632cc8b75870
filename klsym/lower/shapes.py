"""One closed form in many shapes: coordinates put in, functions recognised, products and logarithms grouped."""

from __future__ import annotations

import sympy as sp

from .coordinates import Coordinate
from .remainder import entropic, log_beta, reduced_lgamma
from .rewrites import bessel_zero


def transplanted(value: sp.Expr, chart: tuple[Coordinate, ...]) -> sp.Expr:
    """The closed form in the coordinates, logarithms and powers of products taken apart."""
    for coordinate in chart:
        value = value.xreplace({coordinate.target: coordinate.inside})
    for coordinate in reversed(chart):
        value = value.xreplace({coordinate.target: coordinate.inside})
    value = value.replace(sp.gamma, lambda x: sp.exp(sp.loggamma(x)))
    return bessel_zero(exponents(logarithms(value)))


def logarithms(value: sp.Expr) -> sp.Expr:
    """log(-u v) -> log(-u) + log(v), where u is the factor that is not known to be positive: the minus is its own"""
    negated: dict[sp.Expr, sp.Expr] = {}

    def signed(logarithm: sp.Expr) -> sp.Expr:
        product = -logarithm.args[0]
        unknown = [factor for factor in sp.Mul.make_args(product) if not factor.is_positive]
        if len(unknown) != 1 or unknown[0].is_Add:
            return logarithm
        (u,) = unknown
        positive = sp.Dummy(positive=True)
        negated[positive] = -u
        return sp.log(product / u * positive)

    value = value.replace(lambda e: isinstance(e, sp.log) and e.args[0].could_extract_minus_sign(), signed)
    return sp.expand(sp.expand_log(value, force=True).xreplace(negated))


def exponents(value: sp.Expr) -> sp.Expr:
    """exp(u) exp(v) x^y -> exp(u + v + y log x)"""

    def gather(product: sp.Expr) -> sp.Expr:
        exponent, rest = sp.S.Zero, sp.S.One
        for factor in sp.Mul.make_args(product):
            base, power = factor.as_base_exp()
            if isinstance(factor, sp.exp):
                exponent += factor.args[0]
            elif base == sp.E:
                exponent += power
            elif not power.is_number:
                exponent += power * sp.expand_log(sp.log(base), force=True)
            else:
                rest *= factor
        return rest * sp.exp(sp.expand(exponent))

    return sp.Add(*(gather(term) for term in sp.Add.make_args(value)))


def shapes(value: sp.Expr, chart: tuple[Coordinate, ...]) -> list[sp.Expr]:
    """Groupings of one closed form: what is one function, what is one product, and what is one logarithm."""
    symbols = [c.moving.symbol for c in chart]
    plain = functions(value, symbols)
    found = (grouped(plain, symbols), plain, one_logarithm(value, symbols))
    return list(dict.fromkeys(shape for shape in found if shape is not None))


def functions(value: sp.Expr, symbols: list[sp.Symbol]) -> sp.Expr:
    """u log u -> entropic(u); lgamma(a) + lgamma(b) - lgamma(a + b) -> log B(a, b); lgamma u - u log u -> G(u) - u"""
    terms = []
    for term in sp.Add.make_args(value):
        logs = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.log) and f.free_symbols & set(symbols)]
        for f in logs:
            if f.args[0] in sp.Mul.make_args(term):
                term = term / f / f.args[0] * entropic(f.args[0])
        terms.append(term)
    coefficients = {t.as_coeff_Mul()[1]: t.as_coeff_Mul()[0] for t in terms}
    gammas = [t.args[0] for t in coefficients if isinstance(t, sp.loggamma) and t.free_symbols & set(symbols)]
    for s in gammas:
        c = coefficients.get(sp.loggamma(s))
        for a in gammas:
            b = sp.expand(s - a)
            if c is not None and coefficients.get(sp.loggamma(a)) == -c == coefficients.get(sp.loggamma(b)) and a != b:
                for x in (a, b, s):
                    del coefficients[sp.loggamma(x)]
                coefficients[log_beta(a, b)] = -c
                break
    for x in gammas:
        c = coefficients.get(sp.loggamma(x))
        for scaled, d in list(coefficients.items()):
            if c is not None and isinstance(scaled, entropic) and (scaled.args[0] / x).is_number:
                k = scaled.args[0] / x
                if d * k == -c:
                    # x log(k x) = x log x + x log k, and the second is linear
                    del coefficients[sp.loggamma(x)], coefficients[scaled]
                    coefficients[reduced_lgamma(x)] = c
                    coefficients[x] = coefficients.get(x, 0) - c + d * k * sp.log(k)
                    c = None
    return sp.Add(*(c * t for t, c in coefficients.items()))


def grouped(value: sp.Expr, symbols: list[sp.Symbol]) -> sp.Expr:
    """a f(u) + a g(u) -> a (f(u) + g(u)), where a and u both move"""
    terms = list(sp.Add.make_args(value))
    for symbol in symbols:
        groups: dict[sp.Expr, list[sp.Expr]] = {}
        rest = []
        for term in terms:
            cofactor, own = term.as_independent(symbol, as_Add=False)
            number, cofactor = cofactor.as_coeff_Mul()
            if own != 1 and cofactor.free_symbols & set(symbols):
                groups.setdefault(cofactor, []).append(number * own)
            else:
                rest.append(term)
        if any(len(g) > 1 for g in groups.values()):
            return sp.Add(*rest, *(sp.Mul(c, sp.Add(*g), evaluate=False) for c, g in groups.items()))
    return value


def one_logarithm(value: sp.Expr, symbols: list[sp.Symbol]) -> sp.Expr | None:
    """log u - 2 log v -> log(u/v^2), where all logarithms have integer coefficients up to one factor"""
    logs, rest = [], []
    for term in sp.Add.make_args(value):
        c, own = term.as_independent(*symbols, as_Add=False)
        (logs if isinstance(own, sp.log) else rest).append((c, own))
    if len(logs) < 2:
        return None
    unit = max((c for c, _ in logs), key=lambda c: (not c.could_extract_minus_sign(), str(c)))
    powers = [c / unit for c, _ in logs]
    if not all(n.is_Integer for n in powers):
        return None
    inside = sp.Mul(*(own.args[0] ** n for n, (_, own) in zip(powers, logs, strict=True)))
    return sp.Add(*(c * own for c, own in rest), unit * sp.log(inside))
