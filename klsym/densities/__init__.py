"""A family of one's own, from the text of its density and one interval for each name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy as sp
from sympy.core.relational import Relational

from ..core import domain as domains
from ..core.domain import Domain, Interval, Parameter
from ..core.errors import DensityError, KlsymError
from ..core.family import Family
from ..core.grammar import Clause, clause, parse, split
from ..core.names import checked_name
from ..core.worker import call
from .logarithm import Box, logarithm
from .mass import confirm

SECONDS = 20.0
NAMES = 12

_NAMED = [each for each in vars(domains).values() if isinstance(each, Domain)]


def density(text: str, /, *, name: str = "Density", **domains: str) -> Family:
    """The family with this density, or mass where the outcome is an integer.

    `text` is arithmetic over the names of the keywords. The first keyword is the outcome and its interval the support;
    the others are the parameters, in order. A domain is one interval: "x>0", "0<x<1", "a<x<b", "mu real", "n integer",
    "k integer>=0". The density must be nonnegative and its integral, or sum, 1: both are measured at three members.
    DensityError or ParameterError says what is wrong; LimitError, that the text takes too long to work out.
    (Casella and Berger, Statistical Inference, theorem 1.6.5.)

    >>> density("x**(a-1)*exp(-x)/gamma(a)", x="x>0", a="a>0").log_density
    -x + (a - 1)*log(x) - loggamma(a)
    >>> density("exp(-x)/2", x="x>0")
    Traceback (most recent call last):
    klsym.core.errors.DensityError: 'exp(-x)/2' integrates to 0.5, not to 1; divide it by that, or mend the domain of x
    """
    return _guarded(text, tuple(domains.items()), name)


def from_text(text: str, *, name: str = "Density") -> Family:
    """The same from one line: the density, then the domains, between commas; the outcome's domain comes first.

    >>> from_text("exp(-x**2/(2*s))/sqrt(2*pi*s), x real, s>0").parameters[0].domain.name
    'positive'
    """
    if not isinstance(text, str):
        raise DensityError(f"a text is needed, such as 'exp(-x), x>0'; {type(text).__name__} was given")
    expression, *clauses = split(text)
    return _guarded(expression, tuple((None, spelled) for spelled in clauses), name)


def _guarded(text: str, clauses: tuple[tuple[str | None, str], ...], name: str) -> Family:
    """The family, made in a process that can be killed."""
    for spelled in (text, *(spelled for _, spelled in clauses)):
        if not isinstance(spelled, str):
            raise DensityError(f"a text is needed, such as 'x>0'; {type(spelled).__name__} was given")
    try:
        return call(_family, text, clauses, name, seconds=SECONDS)
    except KlsymError as error:
        if type(error) is not KlsymError:
            raise
        raise DensityError(f"{text[:60]!r} cannot be worked out: {error}") from None


def _family(text: str, clauses: Sequence[tuple[str | None, str]], name: str) -> Family:
    checked_name(name)
    if not 1 <= len(clauses) <= NAMES:
        raise DensityError(f"{text[:60]!r} needs the domain of its outcome, such as x>0, and at most {NAMES} names")
    spelled = [clause(part, known) for known, part in clauses]
    names = [checked_name(each.name) for each in spelled]
    for each in names:
        if names.count(each) > 1:
            raise DensityError(f"the domain of {each!r} is given twice; write one interval, such as 0<{each}<1")
    outcome, *others = spelled
    parameters, relations = _parameters(others)
    symbols = {parameter.name: parameter.symbol for parameter in parameters}
    support = Interval(*_ends(outcome, symbols))
    room = (sp.Le if outcome.integer else sp.Lt)(support.lower, support.upper)
    if room != sp.true and room.canonical not in [relation.canonical for relation in relations]:
        relations.append(room)
    working, variable = _outcome(outcome, support)
    value = parse(text, symbols | {outcome.name: working})
    if value.is_zero:
        raise DensityError(f"{text[:60]!r} is zero; a density integrates to 1")
    used = value.free_symbols | support.lower.free_symbols | support.upper.free_symbols
    for parameter in parameters:
        if parameter.symbol not in used:
            raise DensityError(f"{text[:60]!r} does not depend on {parameter.name!r}; leave its domain out")
    box = Box(
        {p.symbol: (p.domain.lower, p.domain.upper) for p in parameters} | {working: (support.lower, support.upper)},
        tuple(relation.gts - relation.lts for relation in relations),
    )
    family = Family(
        name=name,
        parameters=parameters,
        support=support,
        log_density=logarithm(value, box).xreplace({working: variable}),
        variable=variable,
        constraint=sp.And(*relations),
        discrete=outcome.integer,
    )
    confirm(text, value.xreplace({working: variable}), family)
    return family


def _outcome(spelled: Clause, support: Interval) -> tuple[sp.Symbol, sp.Symbol]:
    """The outcome with what its support tells SymPy, to work with; and the plain one, as in every family.

    They differ for a positive real outcome only: SymPy writes loggamma(k) as log(gamma(k)) for a positive integer k.
    """
    variable = (domains.integer if spelled.integer else domains.real).symbol(spelled.name)
    positive = support.lower.is_nonnegative and not spelled.integer
    return domains.positive.symbol(spelled.name) if positive else variable, variable


def _parameters(clauses: Sequence[Clause]) -> tuple[tuple[Parameter, ...], list[Relational]]:
    """The parameters on intervals with numeric ends, and the relations of the ends that name other parameters."""
    plain = {each.name: sp.Symbol(each.name, real=True) for each in clauses}
    made = [_parameter(each, _ends(each, plain)) for each in clauses]
    symbols = {parameter.name: parameter.symbol for parameter in made}
    relations: list[Relational] = []
    for each, parameter in zip(clauses, made, strict=True):
        lower, upper = _ends(each, symbols)
        if lower.free_symbols:
            relations.append((sp.Ge if each.left_closed or each.integer else sp.Gt)(parameter.symbol, lower))
        if upper.free_symbols:
            relations.append((sp.Le if each.right_closed or each.integer else sp.Lt)(parameter.symbol, upper))
    return tuple(made), [relation for relation in relations if relation != sp.true]


def _parameter(spelled: Clause, ends: tuple[sp.Expr, sp.Expr]) -> Parameter:
    """The parameter on the named domain with these ends, or on one made for them."""
    lower = -sp.oo if ends[0].free_symbols else ends[0]
    upper = sp.oo if ends[1].free_symbols else ends[1]
    left = lower.is_finite and (spelled.left_closed or spelled.integer)
    right = upper.is_finite and (spelled.right_closed or spelled.integer)
    domain = Domain("", lower, upper, bool(left), bool(right), spelled.integer, _typical(lower, upper, spelled.integer))
    for known in _NAMED:
        if str(known) == str(domain):
            domain = known
    domain = domain if domain.name else replace(domain, name=str(domain))
    return domain(domain.symbol(spelled.name))


def _ends(spelled: Clause, symbols: Mapping[str, sp.Symbol]) -> tuple[sp.Expr, sp.Expr]:
    """The ends of the interval; of integers, the first and the last."""
    lower, upper = parse(spelled.lower, symbols), parse(spelled.upper, symbols)
    if spelled.integer:
        lower = sp.ceiling(lower) if spelled.left_closed else sp.floor(lower) + 1
        upper = sp.floor(upper) if spelled.right_closed else sp.ceiling(upper) - 1
    room = upper - lower
    empty = room.is_negative or (room.is_zero and not spelled.integer)
    if empty or lower == sp.oo or upper == -sp.oo:
        raise DensityError(f"there is nothing between {lower} and {upper} for {spelled.name!r}; exchange the two ends")
    return lower, upper


def _typical(lower: sp.Expr, upper: sp.Expr, integer: bool) -> tuple[float, float]:
    """A range of everyday values inside an interval."""
    if lower.is_finite and upper.is_finite:
        low, width = float(lower), float(upper - lower)
        inset = 0.0 if integer else 0.15 * width
        return (low + inset, low + width - inset)
    near, far = (2.0, 6.0) if integer else (0.6, 2.5)
    if lower.is_finite:
        return (float(lower) + near, float(lower) + far)
    return (float(upper) - far, float(upper) - near) if upper.is_finite else (-1.5, 1.5)
