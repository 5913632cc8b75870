"""A derivation as a program: the cases in order, NaN outside the parameters' domains, 0 where p is q."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from ..core.derivation import Derivation, General
from ..core.domain import Parameter
from ..core.errors import UnderivableError
from ..core.family import Distribution
from ..core.program import TRUSTED, Condition, Output, Program
from .closed import Context, cases, closed_ends
from .compensate import compensated
from .errors import Errors
from .overflow import overflow
from .ranges import Member, ranges, symbols_of
from .ssa import Builder

# What the definitions are over of which there is code where no form is closed.
_COMPILED = ("densities", "half-lines", "couplings", "orders")


@dataclass(frozen=True)
class Limit:
    """What a divergence with an order is at order 1, and that of generic members of one family."""

    derivation: Derivation
    generals: Sequence[Sequence[General]]


def lower(
    derivation: Derivation,
    base: sp.Expr | None = None,
    gradient: bool | Sequence[sp.Symbol] = False,
    generals: Sequence[Sequence[General]] = (),
    open_ended: bool = False,
    limit: Limit | None = None,
) -> Program:
    """The program that computes a divergence: arguments are the parameters of p, then those of q, then its own.

    `generals` has for each term of a sum divergences of generic members of one family, in which those of p and q are
    bound; the first that has a remainder form is computed in place of the closed form. The unit is log(base), by
    default nats. With `gradient` there is an output for the derivative by each argument that is not an integer, or by
    those given. A case that has no closed form gives NaN where it applies, and so does the derivative where the
    divergence is infinite, or by parameters that a case takes as equal; a derivation without any closed or infinite
    case raises UnderivableError, unless it is `open_ended`: something else then computes what is NaN. With a `limit`
    the order may be 1, where the derivative by the order is NaN.

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
    if not (open_ended or any(case.kind in ("closed", "infinite") for case in derivation.cases)):
        compiled = derivation.divergence.over in _COMPILED
        otherwise = "the backends numpy and numba compute it, and " if compiled else ""
        raise UnderivableError(
            f"{derivation.divergence.notation} of {pair} has no closed form to compile; "
            f"{otherwise}evaluate() computes it"
        )
    owners = (*members, derivation.divergence)
    symbols = symbols_of(owners)
    build = Builder(symbol.name for symbol in symbols)
    errors = Errors(build, ranges(owners))
    limited = (*members, replace(derivation.divergence, constraint=sp.true)) if limit else owners
    conditions = tuple(condition for owner in limited for condition in _conditions(build, owner))
    wanted = gradient if isinstance(gradient, Sequence) else symbols if gradient else ()
    by = tuple(symbol for symbol in symbols if symbol in wanted and not symbol.is_integer)
    results = cases(derivation, Context(errors, by, base, generals))
    if limit is not None:
        (order,) = derivation.divergence.values
        found = cases(limit.derivation, Context(errors, by, base, limit.generals))
        found[1:] = [build.constant("nan") if order.has(x) else slope for x, slope in zip(by, found[1:], strict=True)]
        results = [build.select(sp.Eq(order, 1), a, b) for a, b in zip(found, results, strict=True)]
    errors, moved = compensated(errors, [*results, *(condition.line for condition in conditions)])
    build, results = errors.build, [moved[name] for name in results]
    conditions = tuple(replace(condition, line=moved[condition.line]) for condition in conditions)
    nonnegative = errors.range(results[0]).sign > 0
    if results[0] != build.constant("nan") and any(end for member in members for end in closed_ends(member)):
        # At an end the value may be infinite by continuity, and has no derivative there.
        finite = build.line("lt", results[0], build.constant("inf"))
        results[1:] = [build.line("select", finite, slope, build.constant("nan")) for slope in results[1:]]
    if conditions:
        valid, nan = build.all(condition.line for condition in conditions), build.constant("nan")
        results = [build.line("select", valid, result, nan) for result in results]
    names = ("value", *(symbol.name for symbol in by))
    outputs = tuple(_output(errors, line, name) for line, name in zip(results, names, strict=True))
    families = "_".join(member.family.name for member in members)
    program = Program(
        name=re.sub(r"\W", "_", f"{derivation.divergence.name}_{families}".lower()),
        arguments=build.arguments,
        lines=tuple(build.lines),
        outputs=outputs,
        doc=_doc(
            derivation,
            members,
            base,
            "an integral or a sum" if open_ended else "not known in closed form: NaN",
            limit is not None,
        ),
        conditions=conditions,
        nonnegative=nonnegative,
    )
    kept = [line for output in outputs for line in output.lines]
    return replace(program, lines=program.needed(*kept, *(condition.line for condition in conditions)))


def _output(errors: Errors, line: str, name: str) -> Output:
    """A result with the bound of its error, or with the line that estimates it."""
    bound = errors.range(line).relative
    if bound is not None and bound <= TRUSTED:
        return Output(line, bound=bound, name=name)
    error, infinite = errors.error(line), overflow(errors, line)
    return Output(line, errors.line("select", infinite, errors.number(0), error) if infinite else error, name=name)


def _doc(
    derivation: Derivation, members: Iterable[Distribution], base: sp.Expr | None, otherwise: str, limited: bool
) -> str:
    """What is computed, of what, in which unit, and the formula of each case."""
    names = " and ".join(f"{letter} = {member}" for letter, member in zip("PQ", members, strict=False))
    unit = "in nats" if base is None else "in bits" if base == 2 else f"in units of log({base})"
    unit = "without a unit" if derivation.divergence.pure else unit
    rows = [f"{derivation.divergence.notation} for {names}, {unit}.", ""]
    for case in derivation.cases:
        value = case.value if case.kind in ("closed", "infinite") else otherwise
        rows.append(f"    {value}" + ("" if case.when == sp.true else f"    if {case.when}"))
    if limited:
        rows.append(f"    its limit, the KL divergence, if {derivation.divergence.values[0]} = 1")
    return "\n".join(rows)


def _conditions(build: Builder, member: Member) -> Iterable[Condition]:
    """That each parameter lies in its domain, and that the parameters together satisfy the constraint."""
    for parameter, value in member.arguments:
        if value.free_symbols:
            names = tuple(sorted(symbol.name for symbol in value.free_symbols))
            yield Condition(f"{value} must lie in {parameter.domain}", _inside(build, parameter, value), names)
    # Plain symbols: SymPy decides relations by a symbol's assumptions, and here they are what is to be checked.
    plain = {symbol: sp.Symbol(symbol.name, real=True) for symbol in symbols_of([member])}
    if isinstance(member, Distribution):
        bindings = {symbol: value.xreplace(plain) for symbol, value in member.bindings.items()}
        whole = member.family.constraint.subs(bindings, simultaneous=True)
    else:
        whole = member.constraint.xreplace(plain)
    for constraint in sp.And.make_args(whole):
        if constraint.free_symbols:
            free = {symbol.name for symbol in constraint.free_symbols}
            names = tuple(symbol.name for symbol in symbols_of([member]) if symbol.name in free)
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
