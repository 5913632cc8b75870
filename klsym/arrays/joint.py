"""Joint distributions: one outcome after another, where a law may depend on the outcomes before it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core import domain as numbers
from ..core.domain import Domain
from ..core.errors import ParameterError
from ..core.family import Distribution, Drawn, Family
from ..core.names import checked_name
from . import domain as arrays
from .domain import ArrayDomain, ArrayParameter, Outcome
from .family import ArrayDistribution, ArrayFamily, Factor, Numbers
from .functions import DRAWN, Symmetric, Vector

SPARE = ("x", "y", "z", "u", "v", "w", *(f"x{n}" for n in range(1, 100)))


def joint(*laws: Any, **named: Any) -> ArrayDistribution:
    """The joint distribution of outcomes drawn one after another: joint(p_x, p_y_given_x).

    laws: distributions, or functions of earlier outcomes that return one; a function's arguments name the outcomes,
    in their order, and it takes those that it depends on. With keywords (tau=..., x=lambda tau: ...) the keywords
    are the names. A joint distribution among the laws stands for its own outcomes. Raises ParameterError for what is
    no distribution, or a function whose argument names no earlier outcome.
    (Cover and Thomas, Elements of Information Theory, 2.5.)

    >>> import sympy as sp
    >>> from klsym import Gamma, Normal, joint
    >>> joint(Gamma("a", "b"), lambda tau: Normal("m", 1 / sp.sqrt(tau)))
    joint(tau ~ Gamma(a, b), x ~ Normal(m, 1/sqrt(tau)))
    """
    outcomes: list[tuple[str | None, Any, Any]] = []
    for name, law in chain(((None, law) for law in laws), named.items()):
        made = _made(law, outcomes)
        name = name and checked_name(name)
        if name is not None and len(parts := _parts(made)) != 1:
            raise ParameterError(f"{name} is a joint distribution of {len(parts)} outcomes; give it without a name")
        for known, part in _parts(made):
            outcomes.append((name or known, None, part))
    if len(outcomes) < 2:
        raise ParameterError(f"a joint distribution has two outcomes or more; {len(outcomes)} was given")
    for name in map(checked_name, _names(law for _, _, law in outcomes)):
        if name in {known for known, _, _ in outcomes}:
            raise ParameterError(f"{name!r} is an outcome and a parameter; choose another name for one of them")
    taken = {name for name, _, _ in outcomes} | set(_names(law for _, _, law in outcomes))
    spare = (name for name in SPARE if name not in taken)
    factors = tuple(
        Factor(symbol if symbol is not None else outcome(name or next(spare), law), law)
        for name, symbol, law in outcomes
    )
    return bound(factors)


def independent(*laws: Any, **named: Any) -> ArrayDistribution:
    """The joint distribution of independent outcomes, each of its own law; divergences add up.

    Raises ParameterError for what is no distribution.

    >>> from klsym import Normal, independent, kl
    >>> kl(independent(Normal(0, 1), Normal(0, 2)), independent(Normal(1, 1), Normal(0, 2))).value
    1/2
    """
    for law in (*laws, *named.values()):
        if not isinstance(law, (Distribution, ArrayDistribution, Family, ArrayFamily)):
            raise ParameterError(f"{law!r} is no distribution; a law that depends on outcomes is for joint()")
    return joint(*laws, **named)


def joint_family(
    name: str,
    parameters: tuple[ArrayParameter, ...],
    factors: tuple[Factor, ...],
    references: tuple[str, ...] = (),
    constraint: Boolean = sp.true,
) -> ArrayFamily:
    """The family of joint distributions with these parameters; its log density is the sum of the factors'."""
    dense = all(isinstance(f.law, Distribution) or f.law.family.log_density is not None for f in factors)
    return ArrayFamily(
        name=name,
        parameters=parameters,
        dimensions=tuple(dict.fromkeys(d for p in parameters for d in p.dimensions if isinstance(d, sp.Symbol))),
        outcome=Outcome(" and ".join(kind(f.law) for f in factors)),
        log_density=sp.Add(*(log_density(f) for f in factors)) if dense else None,
        variable=sp.Tuple(*(f.outcome for f in factors)),
        constraint=constraint,
        references=references,
        factors=factors,
    )


def outcome(name: str, law: Any) -> Any:
    """The symbol of an outcome of the law."""
    own = law.family.variable if isinstance(law, Distribution) else law.variable
    if isinstance(own, sp.MatrixSymbol):
        return DRAWN[own.func](name, *own.shape)
    return (Drawn if own.is_Symbol else DRAWN[own.func])(name, **own.assumptions0)


def kind(law: Any) -> str:
    """The set that the law's outcomes are of, in a word."""
    if isinstance(law, ArrayDistribution):
        return law.outcome.name
    return "counts of one kind" if law.family.discrete else "numbers"


def log_density(factor: Factor) -> sp.Expr:
    """The log density of the factor at its outcome."""
    if isinstance(factor.law, Distribution):
        return factor.law.log_density(factor.outcome)
    return factor.law.log_density().xreplace({factor.law.variable: factor.outcome})


def _made(law: Any, outcomes: list[tuple[str | None, Any, Any]]) -> Any:
    """The distribution itself, or what the function makes of the outcomes that its arguments name."""
    if isinstance(law, (Family, ArrayFamily)):
        law = law.member("")
    if isinstance(law, (Distribution, ArrayDistribution)):
        return _sized(law)
    if not callable(law):
        raise ParameterError(f"{law!r} is neither a distribution nor a function of earlier outcomes")
    symbols = []
    for name in inspect.signature(law).parameters:
        place = next((n for n, (known, _, _) in enumerate(outcomes) if known == name), None)
        if place is None:
            place = next((n for n, (known, _, _) in enumerate(outcomes) if known is None), None)
        if place is None:
            raise ParameterError(f"a law depends on {name!r}, which is none of the outcomes before it")
        _, symbol, earlier = outcomes[place]
        symbol = outcome(checked_name(name), earlier) if symbol is None else symbol
        outcomes[place] = (name, symbol, earlier)
        symbols.append(symbol)
    made = law(*symbols)
    if not isinstance(made, (Distribution, ArrayDistribution)):
        raise ParameterError(f"the function of {', '.join(map(str, symbols))} gave {made!r}, which is no distribution")
    return _sized(made)


def _sized(law: Any) -> Any:
    """The law, its named parameters of its sizes; a matrix expression has sizes of its own."""
    if not isinstance(law, ArrayDistribution):
        return law
    sizes = dict(law.sizes)
    named = (v.xreplace(sizes) if isinstance(v, sp.MatrixSymbol) else v for v in law.values)
    return replace(law, values=tuple(named))


def _parts(law: Any) -> list[tuple[str | None, Any]]:
    """The law, or the factors of a joint one with the names of their outcomes."""
    if isinstance(law, ArrayDistribution) and law.family.factors:
        return [(str(f.outcome), f.law) for f in law.factors]
    return [(None, law)]


def _names(laws: Iterable[Any]) -> Iterable[str]:
    """The names of the laws' parameters, outcomes apart."""
    drawn = (Drawn, *DRAWN.values())
    values = (value for law in laws for value in law.values if isinstance(value, sp.Basic))
    return (str(s) for value in values for s in symbols(value) if not isinstance(s, drawn))


def symbols(value: sp.Basic) -> list[Any]:
    """The symbols of arrays and numbers in a value, sizes apart, in order."""
    arrays = value.atoms(sp.MatrixSymbol, sp.IndexedBase)
    sizes = {s for a in arrays for s in (a.args[1:] if isinstance(a, sp.MatrixSymbol) else a.args)}
    letters = {s for size in sizes for s in size.free_symbols}
    return sorted(arrays, key=str) + sorted((s for s in value.atoms(sp.Symbol) - letters), key=str)


def bound(factors: tuple[Factor, ...]) -> ArrayDistribution:
    """The joint distribution of the factors; its parameters are the symbols and the arrays of numbers in them."""
    outcomes = {f.outcome for f in factors}
    found: dict[Any, tuple[ArrayParameter, Any]] = {}
    plain: list[Factor] = []
    for f in factors:
        values = []
        for parameter, value in zip(f.law.family.parameters, f.law.values, strict=True):
            if isinstance(value, Numbers):
                sized = tuple(d.xreplace(dict(f.law.sizes)) for d in parameter.dimensions)
                symbol = parameter.domain.symbol(f"{parameter.name}_{f.outcome}", *sized)
                found[symbol] = (ArrayParameter(symbol, parameter.domain, sized), value)
                value = symbol
            else:
                for symbol in symbols(value):
                    if symbol not in outcomes and symbol not in found:
                        own = symbol == value
                        found[symbol] = (_parameter(symbol, parameter.domain if own else None), symbol)
            values.append(value)
        plain.append(Factor(f.outcome, replace(f.law, values=tuple(values))))
    family = joint_family("joint", tuple(p for p, _ in found.values()), tuple(plain))
    return ArrayDistribution(family, tuple(v for _, v in found.values()))


def _parameter(symbol: Any, domain: Domain | ArrayDomain | None) -> ArrayParameter:
    """The symbol as a parameter of the domain that its place has, or that it knows of itself."""
    if not isinstance(symbol, sp.MatrixSymbol):
        return ArrayParameter(symbol, domain or domain_of(symbol))
    if isinstance(symbol, Vector):
        return ArrayParameter(symbol, domain or arrays.real_vector, symbol.shape[:1])
    own = arrays.positive_definite if isinstance(symbol, Symmetric) else arrays.real_matrix
    return ArrayParameter(symbol, domain or own, symbol.shape)


def domain_of(symbol: sp.Symbol) -> Domain:
    """The widest domain that has what the symbol knows of itself."""
    if symbol.is_integer:
        return numbers.counting if symbol.is_nonnegative else numbers.integer
    return numbers.positive if symbol.is_positive else numbers.nonnegative if symbol.is_nonnegative else numbers.real
