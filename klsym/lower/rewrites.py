"""Rewrites that make a closed form safe in floating point, before it becomes straight-line code.

SymPy would undo a stable form (`log1p(x)` has no SymPy name), so the stable functions stand as opaque heads
named after primitives. Functions whose values leave the range of floating point become exponentials of
their logarithms, so that in products and quotients their exponents cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations

import sympy as sp
from sympy.core.function import AppliedUndef

from ..core.functions import ParabolicU, TricomiU

Rewrite = Callable[[sp.Expr], sp.Expr]


def head(name: str) -> type[AppliedUndef]:
    """The opaque real function that stands for a primitive."""
    return sp.Function(name, extended_real=True)


def incomplete_gamma(expr: sp.Expr) -> sp.Expr:
    """gamma(a, x) / Gamma(a) -> P(a, x) and Gamma(a, x) / Gamma(a) -> Q(a, x) (DLMF 8.2.4)"""

    def regularise(product: sp.Expr) -> sp.Expr:
        for incomplete, regular in ((sp.lowergamma, "gamma_p"), (sp.uppergamma, "gamma_q")):
            for factor in product.args:
                if isinstance(factor, incomplete) and 1 / sp.gamma(factor.args[0]) in product.args:
                    return product / factor * sp.gamma(factor.args[0]) * head(regular)(*factor.args)
        return product

    return expr.replace(lambda e: isinstance(e, sp.Mul) and e.has(sp.lowergamma, sp.uppergamma), regularise)


def complementary_error(expr: sp.Expr) -> sp.Expr:
    """exp(x^2 + c) erfc(x) -> exp(c) erfcx(x)"""

    def scale(product: sp.Expr) -> sp.Expr:
        exponent = sum(factor.args[0] for factor in product.args if isinstance(factor, sp.exp))
        for factor in product.args:
            base, power = factor.as_base_exp()
            if isinstance(base, sp.erfc) and power.is_Integer:
                x = base.args[0]
                rest = sp.expand(exponent - power * x**2)
                if len(sp.Add.make_args(rest)) < len(sp.Add.make_args(sp.expand(exponent))) or rest == 0:
                    others = sp.Mul(*(f for f in product.args if not isinstance(f, sp.exp) and f != factor))
                    return others * sp.exp(rest) * head("erfcx")(x) ** power
        return product

    return expr.replace(lambda e: isinstance(e, sp.Mul) and e.has(sp.erfc) and e.has(sp.exp), scale)


def zeta_logarithm(expr: sp.Expr) -> sp.Expr:
    """log(zeta(s)) -> log1p(zeta(s) - 1)"""
    return expr.replace(
        lambda e: isinstance(e, sp.log) and isinstance(e.args[0], sp.zeta),
        lambda e: head("log1p")(head("zetam1")(e.args[0].args[0])),
    )


def bessel_zero(expr: sp.Expr) -> sp.Expr:
    """log(I_0(z)) -> log_i0(z)"""
    return expr.replace(
        lambda e: isinstance(e, sp.log) and isinstance(e.args[0], sp.besseli) and e.args[0].args[0] == 0,
        lambda e: head("log_i0")(e.args[0].args[1]),
    )


def bessel_ratios(expr: sp.Expr) -> sp.Expr:
    """I_1(z)/I_0(z) -> bessel_ratio(z)"""

    def divide(product: sp.Expr) -> sp.Expr:
        for factor in product.args:
            if (
                isinstance(factor, sp.besseli)
                and factor.args[0] == 1
                and 1 / sp.besseli(0, z := factor.args[1]) in product.args
            ):
                return product / factor * sp.besseli(0, z) * head("bessel_ratio")(z)
        return product

    return expr.replace(lambda e: isinstance(e, sp.Mul) and e.has(sp.besseli), divide)


def exponentials(expr: sp.Expr) -> sp.Expr:
    """f -> exp(log f) for each f of great range, such as K_nu(z) -> exp(log_kve(nu, z) - z)"""
    # Not SymPy's loggamma, which turns into log(gamma(n)) at an integer n.
    lgamma, tricomi, parabolic = map(head, ("lgamma", "log_tricomi_u", "log_parabolic_u"))
    for function, logarithm in (
        (sp.lowergamma, lambda a, x: lgamma(a) + sp.log(head("gamma_p")(a, x))),
        (sp.uppergamma, lambda a, x: a * sp.log(x) - x + tricomi(1, 1 + a, x)),  # DLMF 13.6.6
        (sp.gamma, lgamma),
        (sp.factorial, lambda n: lgamma(n + 1)),
        (sp.binomial, lambda n, k: lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)),
        (sp.beta, lambda a, b: lgamma(a) + lgamma(b) - lgamma(a + b)),
        (sp.besselk, lambda nu, z: head("log_kve")(nu, z) - z),
        (sp.besseli, lambda nu, z: z + sp.log(head("ive")(nu, z))),
        (sp.expint, lambda nu, z: (sp.log(head("exp_e1")(z)) if nu == 1 else tricomi(1, 2 - nu, z)) - z),
        (TricomiU, tricomi),
        (ParabolicU, lambda a, z: parabolic(a, z) - z**2 / 4),
    ):
        expr = expr.replace(function, lambda *args, logarithm=logarithm: sp.exp(logarithm(*args)))
    return expr.replace(sp.loggamma, lgamma).replace(sp.betainc, _incomplete_beta)


def _incomplete_beta(a: sp.Expr, b: sp.Expr, low: sp.Expr, high: sp.Expr) -> sp.Expr:
    """B_x(a, b) = B(a, b) I_x(a, b) (DLMF 8.17.2), between two ends as a difference"""
    regular = [head("betainc")(a, b, x) if x != 0 else sp.S.Zero for x in (low, high)]
    lgamma = head("lgamma")
    return sp.exp(lgamma(a) + lgamma(b) - lgamma(a + b)) * (regular[1] - regular[0])


def exponents(expr: sp.Expr) -> sp.Expr:
    """exp(u) exp(v) x^y -> exp(u + v + y log(x)), then log(exp(u) v) -> u + log(v): every exponent is real here

    x^y z^w is one exponential too: each factor may underflow where the product does not.
    """

    def variable(factor: sp.Expr) -> bool:
        return factor.is_Pow and not factor.exp.is_number

    def gathered(e: sp.Expr) -> bool:
        return e.is_Mul and (e.has(sp.exp) or sum(map(variable, e.args)) > 1)

    def gather(product: sp.Expr) -> sp.Expr:
        exponent, powers, rest = sp.S.Zero, sp.S.Zero, sp.S.One
        for factor in product.args:
            base, power = factor.as_base_exp()
            if isinstance(factor, sp.exp):
                exponent += factor.args[0]
            elif isinstance(base, sp.exp):
                exponent += power * base.args[0]
            elif not power.is_number:
                powers += power * sp.log(base)
            else:
                rest *= factor
        whole = product.atoms(sp.exp).intersection(product.args) or sum(map(variable, product.args)) > 1
        return rest * sp.exp(exponent + powers) if whole else product

    def logarithm(expr: sp.Expr) -> sp.Expr:
        factors = sp.Mul.make_args(expr.args[0])
        inside = [factor for factor in factors if isinstance(factor, sp.exp)]
        return sp.Add(*(f.args[0] for f in inside)) + sp.log(sp.Mul(*(f for f in factors if f not in inside)))

    expr = expr.replace(gathered, gather)
    return expr.replace(lambda e: isinstance(e, sp.log) and e.args[0].has(sp.exp), logarithm)


def gamma_differences(expr: sp.Expr) -> sp.Expr:
    """c lgamma(u) - c lgamma(v) -> c log_rising(v, u - v), the simplest u - v first

    log_rising(v, x) = log(Gamma(v + x)/Gamma(v)) does not cancel where x is small beside v.
    """
    lgamma = head("lgamma")

    def pair(total: sp.Expr) -> sp.Expr:
        weights: dict[sp.Expr, sp.Expr] = {}
        rest = []
        for term in total.args:
            weight, function = term.as_independent(lgamma, as_Add=False)
            if isinstance(function, lgamma):
                weights[function.args[0]] = sp.expand(weights.get(function.args[0], 0) + weight)
            else:
                rest.append(term)
        opposite = (_ordered(a, b) for a, b in combinations(weights, 2) if weights[a] == -weights[b])
        pairs = sorted(
            ((sp.expand(u - v), u, v) for u, v in opposite),
            key=lambda triple: (triple[0].count_ops(), *map(sp.default_sort_key, triple)),
        )
        for difference, u, v in pairs:
            if u in weights and v in weights:
                rest.append(weights.pop(u) * _log_rising(v, difference))
                del weights[v]
        return sp.Add(*rest, *(weight * lgamma(u) for u, weight in weights.items()))

    return expr.replace(lambda e: isinstance(e, sp.Add) and e.has(lgamma), pair)


def _log_rising(a: sp.Expr, n: sp.Expr) -> sp.Expr:
    """log(Gamma(a + n)/Gamma(a)), as log(a (a + 1) ... (a + n - 1)) for a small integer n (DLMF 5.5.1)"""
    if n.is_Integer and 0 < n <= 4:
        return sp.Add(*(sp.log(a + i) for i in range(int(n))))
    return head("log_rising")(a, n)


def _ordered(a: sp.Expr, b: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The two arguments, the one that is the other plus something positive first."""
    return (b, a) if (b - a).is_positive or sp.default_sort_key(a) < sp.default_sort_key(b) else (a, b)


def near_one(expr: sp.Expr) -> sp.Expr:
    """c exp(u) - c -> c expm1(u), then log(1 + x) -> log1p(x)"""

    def exponential(total: sp.Expr) -> sp.Expr:
        for term in total.args:
            for power in (f for f in sp.Mul.make_args(term) if isinstance(f, sp.exp)):
                if -term / power in total.args:
                    return total - term + term / power + term / power * head("expm1")(power.args[0])
        return total

    expr = expr.replace(lambda e: isinstance(e, sp.Add) and e.has(sp.exp), exponential)
    return expr.replace(
        lambda e: isinstance(e, sp.log) and isinstance(e.args[0], sp.Add) and e.args[0].as_coeff_add()[0] == 1,
        lambda e: head("log1p")(e.args[0] - 1),
    )


def saturation(expr: sp.Expr) -> sp.Expr:
    """exp(u)/expm1(u) -> -1/expm1(-u), which does not overflow"""
    expm1 = head("expm1")

    def invert(product: sp.Expr) -> sp.Expr:
        for factor in product.args:
            if isinstance(factor, sp.exp) and 1 / expm1(u := factor.args[0]) in product.args:
                return -product / factor * expm1(u) / expm1(-u)
        return product

    return expr.replace(lambda e: isinstance(e, sp.Mul) and e.has(expm1), invert)


def squares(expr: sp.Expr) -> sp.Expr:
    """x^2 - y^2 + z -> (x - y) (x + y) + z"""

    def squared(terms: Iterable[sp.Expr]) -> list[tuple[sp.Expr, sp.Expr]]:
        """The terms that are the square of a symbol, or 1, with their roots."""
        bases = ((term, *term.as_base_exp()) for term in terms)
        return [(t, base if power == 2 else t) for t, base, power in bases if t == 1 or (base.is_Symbol and power == 2)]

    def product(total: sp.Expr) -> sp.Expr:
        plus, minus = squared(total.args), squared(-term for term in total.args)
        if len(plus) != 1 or len(minus) != 1:
            return total
        ((first, x),), ((second, y),) = plus, minus
        return (x - y) * (x + y) + (total - first + second)

    return expr.replace(lambda e: isinstance(e, sp.Add), product)


def zero_times_logarithm(expr: sp.Expr, everywhere: bool) -> sp.Expr:
    """c log(u/v) -> xlogy(c, u) - xlogy(c, v), which is 0 where c is, where u may be 0; 0 log 0 = 0"""
    log1p, xlogy = head("log1p"), head("xlogy")

    def xlog1py(c: sp.Expr, x: sp.Expr) -> sp.Expr:
        return sp.S.Zero if x == 0 else head("xlog1py")(c, x)

    def absorb(product: sp.Expr) -> sp.Expr:
        logarithms = [f for f in product.args if isinstance(f, (sp.log, log1p))]
        if len(logarithms) != 1:
            return product
        (logarithm,) = logarithms
        c, u = product / logarithm, logarithm.args[0]
        inside = 1 + u if isinstance(logarithm, log1p) else u
        if c.is_number or (inside.is_positive and not everywhere):
            return product
        if c.could_extract_minus_sign():
            return -absorb(-product)
        if isinstance(logarithm, log1p):
            return xlog1py(c, u)
        # A quotient of two negative numbers stays one.
        whole = u.as_numer_denom()[1].as_coeff_add()[0].is_negative
        sides = (u, sp.S.One) if whole else u.as_numer_denom()
        parts = (xlog1py(c, v - 1) if v.as_coeff_add()[0] == 1 else xlogy(c, v) for v in sides)
        return next(parts) - next(parts)

    return expr.replace(lambda e: isinstance(e, sp.Mul), absorb)


def inverse_hyperbolic(expr: sp.Expr) -> sp.Expr:
    """arsinh z = log1p(z + z^2/(1 + sqrt(1 + z^2))), z >= 0 (DLMF 4.37.16)"""
    return expr.replace(sp.asinh, lambda z: head("log1p")(z + z**2 / (1 + sp.sqrt(1 + z**2))))


REWRITES: tuple[Rewrite, ...] = (
    inverse_hyperbolic,
    incomplete_gamma,
    complementary_error,
    zeta_logarithm,
    bessel_zero,
    bessel_ratios,
    exponentials,
    exponents,
    gamma_differences,
    near_one,
    saturation,
    squares,
)


def rewrite(expr: sp.Expr, closed_ends: bool = False) -> sp.Expr:
    """The expression after every rewrite in turn; with closed ends, symbols called positive may be 0.

    >>> a, k = sp.symbols("a k", positive=True)
    >>> rewrite(sp.gamma(a + 1 / k) / sp.gamma(a) - 1 + sp.log(1 + k))
    expm1(log_rising(a, 1/k)) + log1p(k)
    """
    for rule in REWRITES:
        expr = rule(expr)
    return zero_times_logarithm(expr, closed_ends)
