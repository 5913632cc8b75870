"""A derivation as a program: the cases in order, NaN outside the parameters' domains, 0 where p is q."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import sympy as sp

from ..core.derivation import Derivation
from ..core.domain import Parameter
from ..core.errors import UnderivableError
from ..core.family import Distribution
from ..core.program import Condition, Output, Program
from .rewrites import rewrite
from .ssa import Builder


def lower(derivation: Derivation, base: sp.Expr | None = None) -> Program:
    """The program that computes a divergence: arguments are the parameters of p, then those of q.

    The unit is log(base), by default nats. A case that has no closed form gives NaN where it applies; a
    derivation without any closed or infinite case raises UnderivableError.

    >>> from klsym import Normal
    >>> from klsym.core.derivation import Case
    >>> from klsym.divergences import kl
    >>> p, q = Normal.member("_p"), Normal.member("_q")
    >>> program = lower(Derivation(kl, p, q, (Case("infinite", sp.oo, sp.true),), ()))
    >>> program.name, program.arguments
    ('kl_normal_normal', ('mu_p', 'sigma_p', 'mu_q', 'sigma_q'))
    """
    members = (derivation.p, derivation.q)[: derivation.divergence.arity]
    pair = " and ".join(map(repr, members))
    if not any(case.kind in ("closed", "infinite") for case in derivation.cases):
        raise UnderivableError(
            f"{derivation.divergence.notation} of {pair} has no closed form to compile; "
            "evaluate() computes it from the definition"
        )
    unit = sp.S.One if base is None else sp.log(base)
    build = Builder(_names(members))
    conditions = tuple(condition for member in members for condition in _conditions(build, member))
    value = _cases(build, derivation, unit, closed_ends=any(_has_closed_end(member) for member in members))
    if "zero-on-diagonal" in derivation.divergence.axioms and derivation.p.family == derivation.q.family:
        value = _zero_on_diagonal(build, derivation, value)
    if conditions:
        valid = build.all(condition.line for condition in conditions)
        value = build.line("select", valid, value, build.constant("nan"))
    families = "_".join(member.family.name for member in members)
    program = Program(
        name=re.sub(r"\W", "_", f"{derivation.divergence.name}_{families}".lower()),
        arguments=build.arguments,
        lines=tuple(build.lines),
        outputs=(Output(value),),
        doc=_doc(derivation, members, base),
        conditions=conditions,
    )
    return replace(program, lines=program.needed(value, *(condition.line for condition in conditions)))


def _names(members: Iterable[Distribution]) -> tuple[str, ...]:
    """The names of the symbols in the members' parameters, in order, each once."""
    symbols = (
        symbol.name
        for member in members
        for value in member.values
        for symbol in sorted(value.free_symbols, key=lambda symbol: symbol.name)
    )
    return tuple(dict.fromkeys(symbols))


def _doc(derivation: Derivation, members: Iterable[Distribution], base: sp.Expr | None) -> str:
    """What is computed, of what, in which unit, and the formula of each case."""
    names = " and ".join(f"{letter} = {member}" for letter, member in zip("PQ", members, strict=False))
    unit = "nats" if base is None else "bits" if base == 2 else f"units of log({base})"
    rows = [f"{derivation.divergence.notation} for {names}, in {unit}.", ""]
    for case in derivation.cases:
        value = case.value if case.kind in ("closed", "infinite") else "not known in closed form: NaN"
        rows.append(f"    {value}" + ("" if case.when == sp.true else f"    if {case.when}"))
    return "\n".join(rows)


def _cases(build: Builder, derivation: Derivation, unit: sp.Expr, closed_ends: bool) -> str:
    """The value of the first case that holds; NaN where that case has no closed form, or where none holds."""
    result = build.constant("nan")
    for case in reversed(derivation.cases):
        known = case.kind in ("closed", "infinite")
        value = build.expression(rewrite(case.value / unit, closed_ends)) if known else build.constant("nan")
        result = build.select(case.when, value, result)
    return result


def _zero_on_diagonal(build: Builder, derivation: Derivation, value: str) -> str:
    """The value, and exactly 0 where the two members are one."""
    pairs = [(a, b) for a, b in zip(derivation.p.values, derivation.q.values, strict=True) if a != b]
    if not pairs:
        return build.constant("0")
    same = build.all(build.line("eq", build.expression(a), build.expression(b)) for a, b in pairs)
    return build.line("select", same, build.constant("0"), value)


def _has_closed_end(member: Distribution) -> bool:
    return any(p.domain.left_closed or p.domain.right_closed for p in member.family.parameters)


def _conditions(build: Builder, member: Distribution) -> Iterable[Condition]:
    """That each parameter lies in its domain, and that the parameters together satisfy the constraint."""
    for parameter, value in zip(member.family.parameters, member.values, strict=True):
        if value.free_symbols:
            names = tuple(sorted(symbol.name for symbol in value.free_symbols))
            yield Condition(f"{value} must lie in {parameter.domain}", _inside(build, parameter, value), names)
    # Plain symbols: SymPy decides relations by a symbol's assumptions, and here they are what is to be checked.
    plain = {symbol: sp.Symbol(symbol.name, real=True) for symbol in member.symbols}
    bindings = {symbol: value.xreplace(plain) for symbol, value in member.bindings.items()}
    for constraint in sp.And.make_args(member.family.constraint.subs(bindings, simultaneous=True)):
        if constraint.free_symbols:
            free = {symbol.name for symbol in constraint.free_symbols}
            names = tuple(name for name in _names([member]) if name in free)
            yield Condition(f"{constraint} must hold", build.expression(constraint), names)


def _inside(build: Builder, parameter: Parameter, value: sp.Expr) -> str:
    """The name of the truth value of `value in domain`; an open end at infinity excludes infinity."""
    domain, x = parameter.domain, build.expression(value)
    low, high = build.expression(domain.lower), build.expression(domain.upper)
    left, right = ("le" if closed else "lt" for closed in (domain.left_closed, domain.right_closed))
    parts = [build.line(left, low, x), build.line(right, x, high)]
    if domain.integer:
        parts.append(build.line("eq", x, build.line("floor", x)))
    return build.all(parts)
