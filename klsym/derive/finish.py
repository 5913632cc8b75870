"""The last form of a value: the one that stays defined at the closed ends of the domains."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from ..core.family import Distribution


def finish(value: sp.Expr, distributions: Iterable[Distribution]) -> sp.Expr:
    """The value with each logarithm collected, where a parameter may sit at a closed end of its domain.

    There 0 log 0 = 0 needs the whole coefficient of the logarithm: n log(1-p) - n p log(1-p) at p = 1.
    """
    domains = [p.domain for d in distributions for p in d.family.parameters if not p.domain.integer]
    return collect_logs(value) if any(d.left_closed or d.right_closed for d in domains) else value


def collect_logs(value: sp.Expr) -> sp.Expr:
    """sum of coefficient * log(u), one term for each u, and the rest.

    >>> n, p = sp.symbols("n p", positive=True)
    >>> collect_logs(n * sp.log(1 - p) - n * p * (sp.log(1 - p) - sp.log(p)))
    n*p*log(p) + (-n*p + n)*log(1 - p)
    """
    coefficients: dict[sp.Expr, list[sp.Expr]] = {}
    rest = []
    for term in _distributed(value):
        logs = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.log)]
        if len(logs) == 1:
            coefficients.setdefault(logs[0], []).append(sp.Mul(*(f for f in sp.Mul.make_args(term) if f != logs[0])))
        else:
            rest.append(term)
    return sp.Add(
        *rest, *(sp.cancel(sp.Add(*c)) * log if len(c) > 1 else c[0] * log for log, c in coefficients.items())
    )


def _distributed(value: sp.Expr) -> list[sp.Expr]:
    """The terms of the sum, with products over sums of logarithms multiplied out."""
    terms = []
    for term in sp.Add.make_args(value):
        sums = [f for f in sp.Mul.make_args(term) if f.is_Add and f.has(sp.log)]
        if len(sums) != 1:
            terms.append(term)
            continue
        factor = sp.Mul(*(f for f in sp.Mul.make_args(term) if f != sums[0]))
        terms += [part for inner in sums[0].args for part in _distributed(factor * inner)]
    return terms
