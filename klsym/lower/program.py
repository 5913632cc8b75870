"""A derivation as a program: the cases in order, NaN outside the parameters' domains, 0 where p is q."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import sympy as sp

from ..core.derivation import Case, Derivation
from ..core.domain import Parameter
from ..core.errors import UnderivableError
from ..core.family import Distribution
from ..core.program import Condition, Output, Program
from .coordinates import Pairs
from .errors import Errors, Range
from .rewrites import rewrite
from .ssa import Builder
from .structure import best


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
    build = Builder(_names(members))
    errors = Errors(build, _ranges(members))
    conditions = tuple(condition for member in members for condition in _conditions(build, member))
    value = _cases(build, errors, derivation, base)
    nonnegative = errors.range(value).sign > 0
    if conditions:
        valid = build.all(condition.line for condition in conditions)
        value = build.line("select", valid, value, build.constant("nan"))
    output = _output(errors, value)
    families = "_".join(member.family.name for member in members)
    program = Program(
        name=re.sub(r"\W", "_", f"{derivation.divergence.name}_{families}".lower()),
        arguments=build.arguments,
        lines=tuple(build.lines),
        outputs=(output,),
        doc=_doc(derivation, members, base),
        conditions=conditions,
        nonnegative=nonnegative,
    )
    results = (value, *([output.error] if output.error else []))
    return replace(program, lines=program.needed(*results, *(condition.line for condition in conditions)))


def _output(errors: Errors, value: str) -> Output:
    """The value with the bound of its error, or with the line that estimates it."""
    bound = errors.range(value).relative
    return Output(value, bound=bound) if bound is not None else Output(value, errors.error(value))


def _ranges(members: Iterable[Distribution]) -> dict[str, Range]:
    """Where the arguments lie, each exact; a symbol of an expression may be anywhere."""
    found: dict[str, Range] = {}
    for member in members:
        for parameter, value in zip(member.family.parameters, member.values, strict=True):
            if isinstance(value, sp.Symbol):
                found[value.name] = Range(*(float(end) for end in (parameter.domain.lower, parameter.domain.upper)))
    return {name: found.get(name, Range()) for name in _names(members)}


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


def _cases(build: Builder, errors: Errors, derivation: Derivation, base: sp.Expr | None) -> str:
    """The value of the first case that holds; NaN where that case has no closed form, or where none holds."""
    result = build.constant("nan")
    for case in reversed(derivation.cases):
        if case.kind == "infinite":
            value = build.constant("inf")
        elif case.kind == "closed":
            value = _closed(build, errors, derivation, case)
            value = value if base is None else build.line("div", value, build.expression(sp.log(base)))
        else:
            value = build.constant("nan")
        result = build.select(case.when, value, result)
    return result


def _closed(build: Builder, errors: Errors, derivation: Derivation, case: Case) -> str:
    """A closed form as the remainder it is, where P and Q are of one family and it vanishes where they are equal."""
    if "zero-on-diagonal" in derivation.divergence.axioms and derivation.p.family == derivation.q.family:
        value, pairs, ends = _moved(derivation, case)
        if value == 0 or not pairs:
            return build.constant("0")
        lines = _sides(value, pairs, ends, errors) if value.has(sp.Piecewise) else _best(value, pairs, ends, errors)
        if lines is not None:
            return lines
    closed_ends = any(_has_closed_end(member) for member in (derivation.p, derivation.q))
    value = build.expression(rewrite(case.value, closed_ends))
    return _zero_on_diagonal(build, derivation, value)


def _best(value: sp.Expr, pairs: Pairs, ends: set[sp.Symbol], errors: Errors) -> str | None:
    structured = best(value, pairs, ends, errors)
    return None if structured is None else structured.lines(errors.build)


def _sides(value: sp.Expr, pairs: Pairs, ends: set[sp.Symbol], errors: Errors) -> str | None:
    """A form with a kink where a location of Q passes that of P: smooth in the gap on either side."""
    build, gap = errors.build, sp.Symbol("gap", positive=True)
    for q, p in pairs.items():
        right, left = (sp.expand(value.xreplace({q: p + side})) for side in (gap, -gap))
        if q.is_positive or right.has(sp.Piecewise) or left.has(sp.Piecewise):
            continue
        difference = build.expression(q - p)
        build.define(gap, build.line("abs", difference))
        moved = {gap: sp.S.Zero} | {other: pairs[other] for other in pairs if other != q}
        lines = [_best(side, moved, ends, errors) for side in ((right,) if right == left else (right, left))]
        if None in lines:
            return None
        return lines[0] if len(lines) == 1 else build.select(q >= p, *lines)
    return None


def _moved(derivation: Derivation, case: Case) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr], set[sp.Symbol]]:
    """The value, what each parameter of Q that moves is in P, and those among them whose range has an end."""
    tied = {e.rhs: e.lhs for e in case.when.atoms(sp.Eq)} | {e.lhs: e.rhs for e in case.when.atoms(sp.Eq)}
    pairs, ends, same = {}, set(), {}
    for parameter, p, q in zip(derivation.p.family.parameters, derivation.p.values, derivation.q.values, strict=True):
        if tied.get(q) == p:
            same[q] = p
        elif p != q:
            pairs[q] = p
            domain = parameter.domain
            if domain.upper.is_finite or domain.left_closed or domain.integer:
                ends.add(q)
    return case.value.xreplace(same), pairs, ends


def _zero_on_diagonal(build: Builder, derivation: Derivation, value: str) -> str:
    """The value, and exactly 0 where the two members are one."""
    if "zero-on-diagonal" not in derivation.divergence.axioms or derivation.p.family != derivation.q.family:
        return value
    pairs = [(a, b) for a, b in zip(derivation.p.values, derivation.q.values, strict=True) if a != b]
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
