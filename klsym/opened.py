"""Code of what is not closed: integrals and sums, and the greatest value of one over its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from .backends import load, load_greatest, load_integral
from .common import common, generals
from .core.derivation import Derivation
from .core.errors import UnderivableError
from .derive import derive
from .divergences import ALPHA, chernoff
from .lower import lower
from .lower.integrals import integrals, open_cases, reached


def is_open(derivation: Derivation) -> bool:
    """Whether some case is neither closed nor infinite, and there is code for it."""
    orders = derivation.divergence.over == "orders" and any(case.kind == "numeric" for case in derivation.cases)
    return orders or open_cases(derivation)


def compiled(
    derivation: Derivation, base: sp.Expr | None, by: Sequence[sp.Symbol], backend: str | None, **options: Any
) -> Any:
    """A function of arrays with its derivatives by symbols; UnderivableError where there is none."""
    if derivation.divergence.over != "orders":
        return load_integral(_integral(derivation, base, by), backend, **options)
    if by:
        raise UnderivableError(f"{derivation.divergence.notation} is compiled without derivatives: its order moves too")
    name, names = (
        "order",
        {s.name for d in (derivation.p, derivation.q) for value in d.values for s in value.free_symbols},
    )
    while name in names:
        name += "_"
    order = sp.Symbol(name, **ALPHA.assumptions0)
    of = derive(chernoff.subs({ALPHA: order}), derivation.p, derivation.q)
    if open_cases(of):
        coefficient = load_integral(_integral(of, base, [order]), backend, second_pass=False)
    else:
        coefficient = load(lower(of, base, [order], generals(of)), backend, second_pass=False)
    outside = lower(derivation, base, open_ended=True)
    return load_greatest(outside, reached(derivation, outside), coefficient, **options)


def _integral(derivation: Derivation, base: sp.Expr | None, by: Sequence[sp.Symbol]) -> Any:
    images = next(common(derivation.p, derivation.q), None) if derivation.divergence.arity == 2 else None
    return integrals(derivation, base, images, generals(derivation), by)
