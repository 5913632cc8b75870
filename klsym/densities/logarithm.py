"""The logarithm of a density as a sum, with each factor taken out only where its sign is proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy as sp

# A quotient of gammas, as the argument and the power of each (DLMF 5.12.1, 1.2.1).
GAMMAS: dict[type, Callable[..., tuple[tuple[sp.Expr, int], ...]]] = {
    sp.gamma: lambda a: ((a, 1),),
    sp.factorial: lambda n: ((n + 1, 1),),
    sp.binomial: lambda n, k: ((n + 1, 1), (k + 1, -1), (n - k + 1, -1)),
    sp.beta: lambda a, b: ((a, 1), (b, 1), (a + b, -1)),
}


@dataclass(frozen=True)
class Box:
    """What is known of the names: an interval for each, and expressions that are not negative."""

    intervals: Mapping[sp.Symbol, tuple[sp.Expr, sp.Expr]]
    facts: tuple[sp.Expr, ...] = ()

    def nonnegative(self, value: sp.Expr, depth: int = 4) -> bool:
        """Whether the value is proved to be nonnegative everywhere in the box.

        An expression that is monotone in a name is least at one end of its interval; one that is affine, at one of
        the two.
        """
        if value.is_nonnegative or value in self.facts:
            return True
        if value.is_nonnegative is False or depth == 0:
            return False
        if value.is_Mul:
            return all(self.nonnegative(factor, depth - 1) for factor in value.args)
        if type(value) in GAMMAS:
            return all(self.nonnegative(argument, depth - 1) for argument, _ in GAMMAS[type(value)](*value.args))
        if value.is_Pow:
            return bool(value.exp.is_real) and self.nonnegative(value.base, depth - 1)
        for symbol in sorted(value.free_symbols & set(self.intervals), key=str):
            slope = value.diff(symbol)
            lower, upper = self.intervals[symbol]
            if self.nonnegative(slope, depth - 1):
                ends = [lower]
            elif self.nonnegative(-slope, depth - 1):
                ends = [upper]
            elif symbol not in slope.free_symbols:
                ends = [lower, upper]
            else:
                continue
            if all(end.is_finite and self.nonnegative(value.subs(symbol, end), depth - 1) for end in ends):
                return True
        return False


def logarithm(value: sp.Expr, box: Box) -> sp.Expr:
    """log(value), for a value that is positive in the box, as a sum over its factors.

    log(a*b) = log(a) + log(b) where a > 0: then b > 0, because the product is.

    >>> x, a = sp.symbols("x a", positive=True)
    >>> logarithm(a*x**(a - 1)*(1 - x)/sp.gamma(a), Box({x: (sp.S.Zero, sp.S.One)}))
    (a - 1)*log(x) + log(a) + log(1 - x) - loggamma(a)
    """
    if isinstance(value, sp.exp) and value.args[0].is_extended_real:
        return value.args[0]
    if isinstance(value, sp.Abs) and box.nonnegative(value.args[0]):
        return logarithm(value.args[0], box)
    if value.is_Mul:
        known = [factor for factor in value.args if box.nonnegative(factor)]
        rest = sp.Mul(*(factor for factor in value.args if factor not in known))
        if known:
            return sp.Add(*(logarithm(factor, box) for factor in known), logarithm(rest, box))
    if value.is_Pow and value.exp.is_real:
        base, exponent = value.args
        if exponent.is_even and not box.nonnegative(base):
            return exponent * sp.log(sp.Abs(base))
        if exponent.is_odd or exponent.is_integer is False or box.nonnegative(base):
            return exponent * logarithm(base, box)
    if type(value) in GAMMAS:
        gammas = GAMMAS[type(value)](*value.args)
        if all(box.nonnegative(argument) for argument, _ in gammas):
            return sp.Add(*(power * sp.loggamma(argument) for argument, power in gammas))
    return sp.log(value)
