"""Families of distributions as data, and distributions as families with values for the parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from numbers import Integral, Rational, Real
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from .domain import Interval, Parameter
from .errors import ParameterError, nearest
from .exact import atom
from .names import checked_name


class Drawn(sp.Symbol):
    """An outcome of a law, on which other laws may depend; unlike any parameter or variable of the same name."""


@dataclass(frozen=True)
class Origin:
    """How a construction was made: the law of `forward(X)` for X from the base family.

    `forward` and `inverse` are expressions in the base family's variable, strictly monotone on its support.
    """

    base: Family
    forward: sp.Expr
    inverse: sp.Expr


@dataclass(frozen=True)
class Family:
    """A parametric family: everything that klsym knows of it is its log density.

    `origin` says of which family it is the image, `whole` of which it is the part that lies in its support.

    >>> from klsym import Gamma
    >>> Gamma(5, 2)
    Gamma(5, 2)
    """

    name: str
    parameters: tuple[Parameter, ...]
    support: Interval
    log_density: sp.Expr
    variable: sp.Symbol
    constraint: Boolean = sp.true
    discrete: bool = False
    references: tuple[str, ...] = ()
    origin: Origin | None = field(default=None, repr=False)
    whole: Family | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        names = [self.variable.name, *(parameter.name for parameter in self.parameters)]
        for name in names:
            if names.count(name) > 1:
                raise ParameterError(f"{self.signature} uses the name {name!r} twice; choose another for one of them")
        _known_functions(self.log_density, f"the log density of {self.signature}")
        known = {self.variable, *(parameter.symbol for parameter in self.parameters)}
        if strange := sorted(map(str, self.log_density.free_symbols - known)):
            raise ParameterError(
                f"the log density of {self.signature} has {', '.join(strange)}, which is neither a parameter nor the "
                f"outcome {self.variable}; declare it as a parameter"
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Distribution:
        """The member with these values: numbers, names or SymPy expressions.

        A wrong number of values, an unknown name, or a number out of its domain raises ParameterError.
        """
        given = arguments(self.signature, [parameter.name for parameter in self.parameters], args, kwargs)
        values = tuple(_value(self, parameter, value) for parameter, value in zip(self.parameters, given, strict=True))
        distribution = Distribution(self, values)
        if distribution.constraint == sp.false:
            raise ParameterError(f"{distribution} violates the constraint {self.constraint} of {self.signature}")
        return distribution

    def member(self, suffix: str) -> Distribution:
        """The generic member, its parameters named with a suffix: alpha_p, beta_p."""
        return Distribution(self, tuple(p.domain.symbol(p.name + suffix) for p in self.parameters))

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(p.name for p in self.parameters)})"

    def __repr__(self) -> str:
        return self.signature


@dataclass(frozen=True)
class Distribution:
    """A family with its parameters bound to numbers, symbols or expressions."""

    family: Family
    values: tuple[sp.Expr, ...]

    @property
    def arguments(self) -> Iterator[tuple[Parameter, sp.Expr]]:
        """Each parameter with its value."""
        return zip(self.family.parameters, self.values, strict=True)

    @property
    def bindings(self) -> dict[sp.Symbol, sp.Expr]:
        return {p.symbol: v for p, v in zip(self.family.parameters, self.values, strict=True)}

    def log_density(self, x: sp.Expr | None = None) -> sp.Expr:
        """The log density at x, by default at the family's own variable."""
        point = self.family.variable if x is None else x
        return self.family.log_density.xreplace(self.bindings | {self.family.variable: point})

    @property
    def support(self) -> Interval:
        return self.family.support.subs(self.bindings)

    @property
    def constraint(self) -> Boolean:
        return self.family.constraint.xreplace(self.bindings)

    @property
    def base(self) -> Distribution:
        """The distribution whose image this one is, or itself."""
        origin = self.family.origin
        return self if origin is None else Distribution(origin.base, self.values[: len(origin.base.parameters)])

    @property
    def whole(self) -> Distribution:
        """The distribution of which this one is a part, or itself."""
        whole = self.family.whole
        return self if whole is None else Distribution(whole, self.values[: len(whole.parameters)])

    @property
    def symbols(self) -> set[sp.Symbol]:
        return set().union(*(value.free_symbols for value in self.values)) if self.values else set()

    @property
    def numeric(self) -> bool:
        return not self.symbols

    def subs(self, values: Mapping[sp.Symbol, sp.Expr]) -> Distribution:
        return Distribution(self.family, tuple(v.xreplace(dict(values)) for v in self.values))

    def __repr__(self) -> str:
        return f"{self.family.name}({', '.join(map(str, self.values))})"


def arguments(
    signature: str, names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any], near: Sequence[str] = ()
) -> list[Any]:
    """The values in the order of the names; `near` are those that a wrong name may be meant for, the names by default.

    Too many values, an unknown name, one that is given twice or not at all raises ParameterError.
    """
    if len(args) > len(names):
        raise ParameterError(f"{signature} takes {len(names)} parameters; {len(args)} were given")
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            raise ParameterError(f"{signature} has no parameter {name!r}{nearest(name, near or names)}")
        if name in given:
            raise ParameterError(f"{signature} was given {name!r} twice")
        given[name] = value
    if missing := [name for name in names if name not in given]:
        raise ParameterError(f"{signature} needs a value for {', '.join(missing)}")
    return [given[name] for name in names]


def _value(family: Family, parameter: Parameter, given: Any) -> sp.Expr:
    """A number as the exact rational it is, a name as a symbol of the parameter's domain."""
    where = f"{parameter.name} of {family.name}"
    value = parameter.domain.symbol(checked_name(given)) if isinstance(given, str) else exact(given, where)
    for symbol in value.free_symbols:
        if not isinstance(symbol, Drawn) and checked_name(str(symbol.name)) == family.variable.name:
            raise ParameterError(f"{where} is {value}, but {symbol} is the outcome; choose another name")
    _known_functions(value, where)
    if value.is_extended_real is False or (value.is_number and not value.is_comparable):
        raise ParameterError(f"{where} is {value}; it must lie in {parameter.domain}")
    if parameter.domain.contains(value) == sp.false:
        raise ParameterError(f"{where} is {value}; it must lie in {parameter.domain}")
    return value


def _known_functions(expr: sp.Expr, where: str) -> None:
    """Refuse functions that are a name alone: SymPy writes that name into code as it is."""
    for function in expr.atoms(AppliedUndef):
        raise ParameterError(f"{where} has the function {function.func.__name__[:40]!r}, which nobody has defined")


def exact(given: Any, where: str) -> sp.Expr:
    """A real number as the exact rational it is; a SymPy expression as it is, its floats made exact."""
    if isinstance(given, sp.Rational):
        return atom(given)
    if isinstance(given, sp.Expr):
        _known_functions(given, where)
        return given.xreplace({f: atom(sp.Rational(f)) for f in given.atoms(sp.Float)})
    if isinstance(given, bool) or not isinstance(given, (Real, Rational)):
        raise ParameterError(f"{where} is a {type(given).__name__}; a number, a name or a SymPy expression is needed")
    if isinstance(given, Integral):
        return atom(sp.Integer(int(given)))
    if not isinstance(given, Rational) and not isfinite(given):
        raise ParameterError(f"{where} is {given}; a finite number is needed")
    fraction = Fraction(given if isinstance(given, Rational) else float(given))
    return atom(sp.Rational(fraction.numerator, fraction.denominator))
