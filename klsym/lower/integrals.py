"""A derivation whose value is an integral or a sum, as programs that a rule runs at the nodes that it chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce

import sympy as sp

from ..core.derivation import Derivation, General
from ..core.differentiate import differentiated
from ..core.errors import UnderivableError
from ..core.family import Distribution
from ..core.integral import IntegralProgram
from ..core.program import Output, Program
from .differences import Images, difference
from .forms import Forms, places
from .gaps import exact_gaps
from .gradient import derivative
from .integrand import LOG_P, MASS_P, MASS_Q, VALUE, D, Integrand, integrand
from .program import lower
from .rewrites import head, rewrite
from .scores import slopes
from .ssa import Builder

SIZE = sp.Symbol("jacobian", real=True)  # log |dx/dt|
IN_P, IN_Q = sp.symbols("in_p in_q", real=True)
_OVER = ("densities", "half-lines", "couplings")
_LARGE = sp.Integer(1000)  # an order from which on the expansion of a Bessel function is right to 1e-12

# The terms of integrands, and how much each moves with log q at most.
Rows = list[tuple[list[sp.Expr], sp.Expr]]


def open_cases(derivation: Derivation) -> bool:
    """Whether the value is an integral or a sum of the densities in some case, or of what one is up to x."""
    return derivation.divergence.over in _OVER and any(
        case.kind in ("semi-closed", "numeric") for case in derivation.cases
    )


def integrals(
    derivation: Derivation,
    base: sp.Expr | None = None,
    images: Images | None = None,
    generals: Sequence[Sequence[General]] = (),
    by: Sequence[sp.Symbol] = (),
) -> IntegralProgram:
    """The programs of a derivation that has a case with an integral or a sum.

    `images` are P and Q as members of one family, if one holds both: near P = Q the difference of their log densities
    is then formed from what the parameters differ by. `generals` are those of `lower`, for closed cases. The integral
    is also differentiated `by` symbols; UnderivableError says where that is no integral over x.
    """
    p, q, over = derivation.p, derivation.q, derivation.divergence.over
    if over == "couplings" and p.family.discrete:
        raise UnderivableError(
            f"{derivation.divergence.notation} of counts is no sum over runs of them, as the distance of the "
            "distribution functions may change its sign anywhere; evaluate() computes it"
        )
    if p.family.discrete != q.family.discrete:
        raise UnderivableError(f"{derivation.divergence.notation} of {p} and {q} has no integral to compile")
    x = p.family.variable
    log_p, log_q = p.log_density(), q.log_density(x)
    alike = (p.support.lower, p.support.upper) == (q.support.lower, q.support.upper)
    term = integrand(derivation.divergence, images is not None)
    rows: Rows = [([term.value], sp.S.Zero), *_slopes(derivation, term, (log_p, log_q), by)]
    forms = Forms(x, (LOG_P, D, MASS_P, MASS_Q))
    anchors = _anchors(p, q, log_p, log_q)
    if over != "densities":
        factors = (sp.S.One, x - anchors[0])[: 1 + (over == "couplings")]
        rows = [([term.value * e], (MASS_P + MASS_Q) * head("abs")(e)) for e in factors]
    found = None if images is None else difference(images, x)
    near, steps = (None, {}) if found is None else found[:2]
    lost = found is None or (term.kinked and found.lost) or any(e.has(x) for e in found.lost)
    outside = lower(derivation, base, by, generals, open_ended=True)
    constant, moving = _terms(x, log_p, log_q)
    sized = [forms.write(part) for part in moving]  # all that is written comes before the names are counted
    if not lost:  # a precise d leaves as many digits as it has
        rows = [(parts, sp.S.Zero) for parts, _ in rows]
    nodes = _nodes(outside, forms, (log_p, log_q), near, rows, alike)
    sizes = _sizes(nodes, sized)
    frame = _frame(outside, derivation, forms, anchors, steps, constant)
    after = term.after / derivation.divergence.unit(base)
    return IntegralProgram(
        outside=outside,
        frame=frame,
        nodes=nodes,
        sizes=sizes,
        after=_after(outside, after, by),
        places=len(anchors),
        forms=len(forms.forms),
        constants=len(forms.constants),
        discrete=p.family.discrete,
        both=term.both,
        kinked=term.kinked,
        meets=not lost,
        over=over,
    )


def _anchors(p: Distribution, q: Distribution, *densities: sp.Expr) -> list[sp.Expr]:
    """Where the integrand may have an end, a kink or a mode; of sums, where they begin."""
    ends = [end for d in (p, q) for end in (d.support.lower, d.support.upper) if end.is_finite is not False]
    if p.family.discrete:
        found = [d.support.lower for d in (p, q) if d.support.lower.is_finite is not False]
        return list(dict.fromkeys(found)) or [sp.S.Zero]
    x = p.family.variable
    inner = [place for density in densities for place in places(density, x)]
    inner += [place for d in (p, q) for place in _mapped(d)]
    return list(dict.fromkeys([*ends, *inner])) or [sp.S.Zero]


def _mapped(d: Distribution) -> list[sp.Expr]:
    """The places of the distribution whose image this one is, where they are mapped to."""
    origin = d.family.origin
    if origin is None:
        return []
    x = origin.base.variable
    inner = [*places(d.base.log_density(), x), *_mapped(d.base)]
    images = [origin.forward.xreplace({**d.bindings, x: place}) for place in inner]
    return [image for image in images if image.is_finite is not False and not image.has(sp.zoo, sp.nan)]


def _slopes(
    derivation: Derivation, term: Integrand, densities: tuple[sp.Expr, sp.Expr], by: Sequence[sp.Symbol]
) -> Rows:
    """The terms of each derivative of the integrand, and how much it moves with log q at most."""
    if not by:
        return []
    title = derivation.divergence.notation
    if term.kinked:
        raise UnderivableError(
            f"{title} has a kink where the densities cross, and no derivative where P = Q; it is compiled without"
        )
    found, p, q = slopes(term), derivation.p, derivation.q
    moving = {symbol for d in (p, q) for end in (d.support.lower, d.support.upper) for symbol in end.free_symbols}
    # SymPy differentiates |log x - mu| where it knows that log x is real.
    x = p.family.variable
    place = sp.Dummy(positive=True) if all(d.support.lower.is_nonnegative for d in (p, q)) else x
    results: Rows = []
    for symbol in by:
        if symbol in moving:
            raise UnderivableError(
                f"the derivative of {title} by {symbol} is no integral over x: the support of {p} or {q} moves with "
                f"{symbol}; bind {symbol} to a number, or compile without derivatives"
            )
        scores = [differentiated(density.xreplace({x: place}), symbol).xreplace({place: x}) for density in densities]
        if any(score.has(sp.Derivative, sp.Subs) for score in scores):
            raise UnderivableError(f"the derivative of a log density of {p} or {q} by {symbol} has no closed form")
        parts, moves = found.along(*scores)
        own = symbol in derivation.divergence.values
        results.append(([*parts, found.by_own(symbol)] if own else parts, moves))
    return results


def _nodes(
    outside: Program,
    forms: Forms,
    densities: tuple[sp.Expr, sp.Expr],
    near: sp.Expr | None,
    rows: Rows,
    alike: bool,
) -> Program:
    """The log densities in t, the integrands, and their sizes."""
    written = [_far_orders(forms.write(e)) for e in (*densities, *([] if near is None else [near]))]
    terms = [([forms.write(part) for part in parts], forms.write(moves)) for parts, moves in rows]
    pairs = [symbol.name for pair in forms.forms.values() for symbol in pair]
    names = [*pairs, *(symbol.name for symbol in forms.constants.values()), SIZE.name, IN_P.name, IN_Q.name]
    build = Builder(names)
    minus, zero = build.constant("-inf"), build.constant("0")
    lines = [build.expression(rewrite(expr)) for expr in written]
    first, second = lines[:2]
    if not alike:
        first = build.line("select", build.line("lt", zero, IN_P.name), first, minus)
        second = build.line("select", build.line("lt", zero, IN_Q.name), second, minus)
    d = build.line("sub", first, second)
    if near is not None:
        close = build.line("lt", build.line("abs", d), build.constant("1"))
        d = build.line("select", close, lines[2], d)
    mass = [build.line("add", line, SIZE.name) for line in (first, second)]
    masses = [build.line("exp", line) for line in mass]
    for symbol, line in zip((LOG_P, D, MASS_P, MASS_Q), (first, d, *masses), strict=True):
        build.define(symbol, line)
    values, sizes = list[str](), list[str]()
    for parts, moves in terms:
        values.append(reduce(partial(build.line, "add"), [build.expression(rewrite(_guarded(e))) for e in parts]))
        size = build.line("abs", values[-1])
        sizes.append(size if moves == 0 else build.line("add", size, build.expression(rewrite(_guarded(moves)))))
    results = dict(zip(("log_p", "log_q"), mass, strict=True))
    results |= {f"{kind}_{k}": line for kind, row in (("value", values), ("size", sizes)) for k, line in enumerate(row)}
    outputs = tuple(Output(line, name=name) for name, line in results.items())
    program = Program(f"{outside.name}_nodes", tuple(names), tuple(build.lines), outputs)
    return replace(program, lines=program.needed(*results.values()))


def _far_orders(density: sp.Expr) -> sp.Expr:
    """log I_nu(z) by its expansion for large orders and where I_nu(z) is less than a double (DLMF 10.41.3)."""
    ive, select = head("ive"), head("select")

    def far(nu: sp.Expr, z: sp.Expr) -> sp.Expr:
        root = sp.sqrt(nu**2 + z**2)
        t = head("div")(nu, root)
        terms = (
            (3 * t - 5 * t**3) / (24 * nu),
            (81 * t**2 - 462 * t**4 + 385 * t**6) / (1152 * nu**2),
            (30375 * t**3 - 369603 * t**5 + 765765 * t**7 - 425425 * t**9) / (414720 * nu**3),
        )
        return root + nu * sp.log(z / (nu + root)) - sp.log(2 * sp.pi * root) / 2 + sp.log(1 + sp.Add(*terms))

    def logarithm(function: sp.Expr) -> sp.Expr:
        nu, z = function.args[0].args
        scaled = ive(sp.Min(nu, _LARGE), z)
        beyond = sp.Or(sp.Lt(_LARGE, nu), sp.Lt(scaled, sp.Rational(1, 10**250)))
        return select(beyond, far(nu, z), z + sp.log(scaled))

    return density.replace(lambda e: isinstance(e, sp.log) and isinstance(e.args[0], sp.besseli), logarithm)


def _terms(x: sp.Symbol, *densities: sp.Expr) -> tuple[list[sp.Expr], list[sp.Expr]]:
    """The terms of log densities without x, and those with x."""
    terms = [term for density in densities for term in sp.Add.make_args(density)]
    return [term for term in terms if not term.has(x)], [term for term in terms if term.has(x)]


def _sizes(nodes: Program, terms: Sequence[sp.Expr]) -> Program:
    build = Builder(nodes.arguments)
    line = _added_sizes(build, [_far_orders(term) for term in terms])
    return Program(nodes.name.replace("nodes", "sizes"), nodes.arguments, tuple(build.lines), (Output(line),))


def _added_sizes(build: Builder, terms: Sequence[sp.Expr]) -> str:
    lines = [build.line("abs", build.expression(rewrite(term))) for term in terms] or [build.constant("0")]
    return reduce(lambda a, b: build.line("add", a, b), lines)


def _guarded(value: sp.Expr) -> sp.Expr:
    """A term with the mass of P or Q is 0 where that mass is: d may be infinite there."""

    def guard(term: sp.Expr) -> sp.Expr:
        for mass in (MASS_P, MASS_Q):
            if term != mass and mass in sp.Mul.make_args(term):
                term = head("select")(head("eq")(mass, 0), 0, term)
        return term

    chosen = [factor for factor in sp.Mul.make_args(value) if factor.func == head("select")]
    if chosen:
        condition, near, far = chosen[0].args
        rest = value / chosen[0]
        return head("select")(condition, near * rest, _guarded(far * rest))
    return sp.Add(*map(guard, sp.Add.make_args(sp.expand(value, deep=False))))


def _frame(
    outside: Program,
    derivation: Derivation,
    forms: Forms,
    anchors: Sequence[sp.Expr],
    steps: Mapping[sp.Symbol, sp.Expr],
    terms: Sequence[sp.Expr],
) -> Program:
    """What each element has: whether it needs the integral, supports, places, forms at these, constants, their size."""
    build = Builder(outside.arguments)
    for step, expr in steps.items():
        build.define(step, build.expression(exact_gaps(expr)))
    results = [_needed(build, derivation)]
    for member in (derivation.p, derivation.q):
        results += [build.expression(end) for end in (member.support.lower, member.support.upper)]
    results += [build.expression(rewrite(place)) for place in anchors]
    for slope, offset in forms.forms:
        results.append(build.expression(rewrite(slope)))
        results += [build.expression(rewrite(exact_gaps(sp.expand(slope * place + offset)))) for place in anchors]
    results += [build.expression(rewrite(constant)) for constant in forms.constants]
    results.append(_added_sizes(build, terms))
    outputs = tuple(Output(line, name=f"f{k}") for k, line in enumerate(results))
    program = Program(f"{outside.name}_frame", outside.arguments, tuple(build.lines), outputs)
    return replace(program, lines=program.needed(*results))


def reached(derivation: Derivation, outside: Program) -> Program:
    """1 where the case that holds is neither closed nor infinite, of the arguments of `outside`."""
    build = Builder(outside.arguments)
    line = _needed(build, derivation)
    return Program(f"{outside.name}_reached", outside.arguments, tuple(build.lines), (Output(line),))


def _needed(build: Builder, derivation: Derivation) -> str:
    """1 where the case that holds is an integral or a sum, 0 elsewhere."""
    one, result = build.constant("1"), build.constant("0")
    for case in reversed(derivation.cases):
        found = one if case.kind in ("semi-closed", "numeric") else build.constant("0")
        result = build.select(case.when, found, result)
    return result


def _after(outside: Program, after: sp.Expr, by: Sequence[sp.Symbol]) -> Program:
    """The divergence and its derivatives from the integral and those of it."""
    slopes = [sp.Symbol(f"integral_{k}#", real=True) for k in range(len(by))]
    names = [symbol.name.rstrip("#") for symbol in (VALUE, *slopes)]
    build = Builder((*names, *outside.arguments))
    for symbol, name in zip((VALUE, *slopes), names, strict=True):
        build.define(symbol, name)
    moved = (derivative(after, {VALUE: slope, symbol: sp.S.One}) for slope, symbol in zip(slopes, by, strict=True))
    lines = [build.expression(rewrite(e)) for e in (after, *moved)]
    outputs = tuple(Output(line, name=name) for line, name in zip(lines, names, strict=True))
    return Program(f"{outside.name}_after", build.arguments, tuple(build.lines), outputs)
