"""One integral, of p^a q^b with a + b = 1: a tilt of p's law, or the normaliser of what p^a q^b is.

Everything here is about the logarithm of the integral, where gamma functions and powers are sums.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.derivation import Expectation, Step
from ..core.domain import Interval
from ..core.family import Distribution
from .across import across
from .flat import Finite, Flat
from .kernel import Kernel, Known, Restricted
from .linear import ONE, combine, exponential, linear, multiply, rebuild
from .normalisers import UpperGammaOrder, plain
from .rules import expect
from .shorten import positive, shorten
from .shorten import powers as products
from .views import Branch, View, kernel_of, views

Powers = tuple[tuple[sp.Expr, Distribution], ...]


@dataclass(frozen=True)
class Affinity:
    """The logarithm of the integral of p^a q^b over the support of one of the two, and where it is finite.

    `open` says that the integral is infinite wherever the condition fails.
    """

    log_value: sp.Expr
    when: Boolean
    open: bool
    steps: tuple[Step, ...]
    coordinates: tuple[tuple[sp.Symbol, sp.Expr], ...]


def affinity(
    m: Distribution, measure: sp.Symbol, powers: Powers, whole: Expectation, over: Interval | None = None
) -> Affinity | None:
    """The integral as E_m[exp(sum of powers of log densities)], in the first view of m in which it is known.

    `whole` is the expectation as it stands in the definition; `over` the part of the support of a flat law that it is
    over, if not all of it.
    """
    for view in views(m):
        if over is not None and (view := _part(view, m.family.variable, over)) is None:
            continue
        if (found := _in_view(m, measure, powers, view, whole)) is not None:
            return found
    return None


def _in_view(m: Distribution, measure: sp.Symbol, powers: Powers, view: View, whole: Expectation) -> Affinity | None:
    logs, steps, coordinates, tilted, conditions, open_ = [], [], [], [], [], True
    for number, (branch, own) in enumerate(zip(view.branches, view.log_density, strict=True), 1):
        exponent = combine((own if d == m else linear(d.log_density(branch.to_x), branch.y), c) for c, d in powers)
        known = _log_expectation(branch, own, exponent)
        if known is None:
            return None
        label = branch.label(number, {str(s) for s in whole.free_symbols})
        coordinates.append((label, branch.from_x))
        inside = Expectation(_exp(exponent).xreplace({branch.y: label}), branch.where, measure)
        log_value = shorten(sp.log(branch.weight) + plain(known.value))
        tilted.append(inside)
        logs.append(log_value)
        conditions.append(positive(known.when))
        open_ = open_ and known.open
        why = re.sub(rf"(?<!\w){branch.y}(?!\w)", str(label), known.why)
        steps.append(Step(known.rule, inside, products(log_value), conditions[-1], why))
    opening = [Step("coordinate", label, forward, why="a bijection: the expectation is invariant")
               for label, forward in coordinates if label != forward]  # fmt: skip
    opening.append(Step("exponent", whole, sp.Add(*tilted), why="the exponent is a finite combination of atoms"))
    steps = [step for step in (*opening, *steps) if step.lhs != step.rhs]
    return Affinity(_log_sum(logs), sp.And(*conditions), open_, tuple(steps), tuple(coordinates))


def _part(view: View, x: sp.Symbol, over: Interval) -> View | None:
    """The view of a flat law on a part of its support."""
    (branch, *others) = view.branches
    if others or not isinstance(branch.kernel, Flat):
        return None
    ends = [branch.from_x.xreplace({x: end}) for end in (over.lower, over.upper)]
    return replace(view, branches=(replace(branch, kernel=replace(branch.kernel, lower=ends[0], upper=ends[1])),))


def _log_sum(logs: list[sp.Expr]) -> sp.Expr:
    """log of the sum of exponentials"""
    if len(set(logs)) == 1:
        return logs[0] + sp.log(len(logs))
    total = sp.Add(*map(products, logs))
    return sp.log(sp.cancel(sp.together(total)) if total.is_rational_function(*total.free_symbols) else total)


def _exp(exponent: dict) -> sp.Expr:
    ((atom, factor),) = exponential(exponent).items()
    return factor * atom


def _log_expectation(branch: Branch, own: dict, exponent: dict) -> Known | None:
    """log E[exp(h)], h the exponent, for a law whose log density in the branch is `own`"""
    atoms = {atom: c for atom, c in exponent.items() if atom != ONE}
    constant = exponent.get(ONE, sp.S.Zero)
    if isinstance(branch.kernel, Finite):
        return _over_points(branch.kernel, exponent)
    if not atoms and isinstance(branch.kernel, Flat):
        mass = branch.kernel.mass
        return (
            None if mass is None else Known(constant + sp.log(mass), sp.true, "length", "the length of the part", True)
        )
    if not atoms:
        return Known(constant, sp.true, "mass", "the density integrates to 1", True)
    ((atom, _),) = exponential(atoms).items()
    if isinstance(branch.kernel, Kernel):
        for known in (branch.kernel.tilt(atom), _normaliser(branch, branch.kernel, own, atoms)):
            if known is not None and not known.value.has(UpperGammaOrder):
                return replace(known, value=constant + known.value)
    tilted = branch.kernel.tilt(atom) if isinstance(branch.kernel, Restricted) else None
    known = tilted or expect(branch, atom) or _multiplied_out(branch, atom)
    if known is None and isinstance(branch.kernel, Kernel | Flat):
        known = across(branch.kernel, branch.y, atoms)
    return None if known is None else replace(known, value=constant + sp.log(known.value))


def _over_points(law: Finite, exponent: dict) -> Known:
    """log of the sum of p_k exp(h(k)), each term as a product of powers"""
    terms = []
    for k, probability in law.points:
        logs = sp.expand_log(sp.log(probability), force=True)
        terms.append(products(sp.expand(logs + rebuild(exponent).xreplace({law.y: k}).doit())))
    return Known(sp.log(sp.Add(*terms)), sp.true, "sum", f"a sum over {len(law.points)} points", True)


def _normaliser(branch: Branch, kernel: Kernel, own: dict, exponent: dict) -> Known | None:
    """log E[exp(h)] = log Z_1 - log Z, of the kernel Z_1 that the law times exp(h) is"""
    if branch.y.is_integer:
        return None
    product = combine([(own, ONE), (exponent, ONE)])
    other = kernel_of(product, branch.y, Interval(kernel.lower, kernel.upper))
    if not isinstance(other, Kernel):
        return None
    value = other.log_z(*other.eta) - kernel.log_z(*kernel.eta)
    why = f"{other.name} kernel, eta = ({', '.join(map(str, other.eta))}); {other.citation}"
    return Known(value, sp.And(*other.finite(*other.eta)), "normaliser", why, other.regular)


def _multiplied_out(branch: Branch, atom: sp.Expr) -> Known | None:
    """E[u^n a] for a polynomial u and a whole n: the sum over the terms"""
    product = {ONE: ONE}
    for factor in sp.Mul.make_args(atom):
        base, n = factor.as_base_exp() if not isinstance(factor, sp.exp) else (factor, ONE)
        whole = base.is_Add and n.is_Integer and 0 < n <= 8
        product = multiply(product, linear(sp.expand(factor), branch.y) if whole else {factor: ONE})
    if set(product) == {atom}:
        return None
    # Each product of atoms as one atom.
    terms = combine((linear(term, branch.y), c) for term, c in product.items())
    parts = [(c, Known(ONE, sp.true, "mass", "") if a == 1 else expect(branch, a)) for a, c in terms.items()]
    if any(known is None for _, known in parts):
        return None
    value = sp.Add(*(c * known.value for c, known in parts if known is not None))
    when = sp.And(*(known.when for _, known in parts if known is not None))
    return Known(value, when, "tilt", f"multiplied out: {rebuild(terms)}", open=when == sp.true)
