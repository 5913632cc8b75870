"""Families whose outcomes or parameters are vectors and matrices, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.errors import ParameterError, UnderivableError
from ..core.family import arguments, exact
from ..core.names import checked_name
from .domain import ArrayDomain, ArrayParameter, Outcome


@dataclass(frozen=True)
class Form:
    """Another way to give a parameter: `meaning` is the parameter in terms of `parameter`, by `keyword`."""

    keyword: str
    parameter: ArrayParameter
    of: Any
    meaning: Any


@dataclass(frozen=True)
class Image:
    """The family is the law of `forward(X)`, a bijection, for X from `base` at these values.

    `outcome` is forward(X) as an expression, where there is one for the array as a whole.
    """

    base: ArrayFamily
    forward: str
    values: tuple[Any, ...]
    outcome: Any = None


@dataclass(frozen=True)
class Factor:
    """One outcome of a joint distribution, and its law given the outcomes before it."""

    outcome: Any
    law: Any


@dataclass(frozen=True)
class Numbers:
    """An array of exact rationals, hashable; the text is that of the doubles."""

    entries: tuple[Fraction, ...]
    shape: tuple[int, ...]

    @property
    def array(self) -> Any:
        return np.array(self.entries, dtype=object).reshape(self.shape)

    def __str__(self) -> str:
        if len(self.entries) > 16:
            return f"array of shape {self.shape}"
        return str(self.array.astype(float).tolist())


@dataclass(frozen=True)
class ArrayFamily:
    """A parametric family on vectors, lists or matrices: everything that klsym knows of it is its log density.

    `dimensions` are the symbols of its sizes; the index of a list is `index`, from 1 to the size.
    The image of another family under a bijection says so in `image`, and may leave its log density out (None). A family
    of joint distributions has `factors`, and the tuple of their outcomes for its variable (see `joint`).
    """

    name: str
    parameters: tuple[ArrayParameter, ...]
    dimensions: tuple[sp.Symbol, ...]
    outcome: Outcome
    log_density: Any
    variable: Any
    constraint: Boolean = sp.true
    forms: tuple[Form, ...] = ()
    references: tuple[str, ...] = ()
    image: Image | None = field(default=None, repr=False)
    keywords: tuple[tuple[str, str], ...] = ()
    factors: tuple[Factor, ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> ArrayDistribution:
        """The member with these values: arrays, names, numbers or SymPy matrices; dimensions by name, K=3.

        A wrong number of values, an unknown name, arrays whose shapes do not fit, or numbers outside the domain
        raise ParameterError.
        """
        sizes = {str(d): exact(kwargs.pop(str(d)), str(d)) for d in self.dimensions if str(d) in kwargs}
        family, formed = self._formed(kwargs)
        names = [p.name for p in family.parameters]
        given = arguments(family.signature, names, args, formed, [*names, *(f.keyword for f in self.forms)])
        values = tuple(_value(family, p, value) for p, value in zip(family.parameters, given, strict=True))
        found = _sizes(family, values, {sp.Symbol(n, integer=True, positive=True): v for n, v in sizes.items()})
        distribution = ArrayDistribution(family, values, tuple(found.items()))
        if distribution.constraint == sp.false:
            raise ParameterError(f"{distribution} violates the constraint {self.constraint} of {self.signature}")
        return distribution

    def _formed(self, kwargs: dict[str, Any]) -> tuple[ArrayFamily, dict[str, Any]]:
        """The family in the parameters that the keywords name, and the values by parameter name."""
        family, given = self, dict(kwargs)
        for form in self.forms:
            if form.keyword in given:
                given_forms = [f for f in self.forms if f.of == form.of and f.keyword in kwargs]
                if len(given_forms) > 1:
                    raise ParameterError(f"{self.signature} was given {form.of} in two forms; keep one of them")
                family = family.formed(form)
                given[form.parameter.name] = given.pop(form.keyword)
        return family, given

    def formed(self, form: Form) -> ArrayFamily:
        """The same family with the form's parameter in place of the one it stands for."""
        if form.meaning == form.of or form.of not in [p.symbol for p in self.parameters]:
            return self
        parameters = tuple(form.parameter if p.symbol == form.of else p for p in self.parameters)
        return replace(
            self,
            parameters=parameters,
            log_density=self.log_density and substitute(self.log_density, {form.of: form.meaning}),
            forms=(form,),
            keywords=((form.parameter.name, form.keyword),),
            image=self.image
            and replace(self.image, values=tuple(substitute(v, {form.of: form.meaning}) for v in self.image.values)),
        )

    def member(self, suffix: str) -> ArrayDistribution:
        """The generic member, its parameters named with a suffix."""
        return ArrayDistribution(self, tuple(p.named(p.name + suffix) for p in self.parameters))

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(p.name for p in self.parameters)})"

    def __repr__(self) -> str:
        return self.signature


@dataclass(frozen=True)
class ArrayDistribution:
    """A family of arrays with its parameters bound to symbols, expressions or numbers."""

    family: ArrayFamily
    values: tuple[Any, ...]
    sizes: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()

    def named(self, suffix: str) -> tuple[ArrayDistribution, dict[Any, Any]]:
        """The member with symbols in place of arrays of numbers, and the arrays by symbol."""
        numbers: dict[Any, Any] = {}
        values = []
        for parameter, value in zip(self.family.parameters, self.values, strict=True):
            if isinstance(value, Numbers):
                symbol = parameter.named(parameter.name + suffix).xreplace(dict(self.sizes))
                numbers[symbol] = value
                value = symbol
            values.append(value)
        return replace(self, values=tuple(values)), numbers

    @property
    def bindings(self) -> dict[Any, Any]:
        return {p.symbol: v for p, v in zip(self.family.parameters, self.values, strict=True)}

    def log_density(self) -> sp.Expr:
        """The log density at the family's own variable."""
        return substitute(self.family.log_density, self.bindings).xreplace(dict(self.sizes))

    @property
    def variable(self) -> Any:
        """The outcome, of this member's dimensions."""
        return self.family.variable.xreplace(dict(self.sizes))

    def sized(self, sizes: Mapping[sp.Symbol, sp.Expr]) -> ArrayDistribution:
        """The member with these dimensions."""
        values = tuple(v if isinstance(v, Numbers) else v.xreplace(dict(sizes)) for v in self.values)
        return ArrayDistribution(self.family, values, tuple(sizes.items()))

    @property
    def constraint(self) -> Boolean:
        scalars = {k: v for k, v in self.bindings.items() if isinstance(v, sp.Expr)}
        return self.family.constraint.xreplace(scalars).xreplace(dict(self.sizes))

    @property
    def symbols(self) -> set[sp.Symbol]:
        """The symbols of numbers in the parameters' values."""
        return set().union(*(v.free_symbols for v in self.values if isinstance(v, sp.Expr)))

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The outcomes with their laws, of a joint distribution."""
        sizes = dict(self.sizes)
        return tuple(Factor(f.outcome.xreplace(sizes), self._law(f.law)) for f in self.family.factors)

    def _law(self, law: Any) -> Any:
        bound = tuple(substitute(v, self.bindings).xreplace(dict(self.sizes)) for v in law.values)
        return replace(law, values=bound)

    @property
    def outcome(self) -> Outcome:
        kind, sizes = self.family.outcome, dict(self.sizes)
        total = None if kind.total is None else substitute(kind.total, self.bindings)
        return replace(kind, size=kind.size.xreplace(sizes), columns=kind.columns.xreplace(sizes), total=total)

    @property
    def base(self) -> ArrayDistribution:
        """The distribution whose image under a bijection this one is, or itself."""
        image = self.family.image
        if image is None:
            return self
        values = tuple(substitute(v, self.bindings) for v in image.values)
        return ArrayDistribution(image.base, values, self.sizes).sized(dict(self.sizes))

    @property
    def seen(self) -> Any:
        """The outcome in terms of the base's variable."""
        image = self.family.image
        if image is None:
            return self.variable
        if image.outcome is None:
            raise UnderivableError(f"no rule is known for an expectation over {self}")
        return image.outcome.xreplace(dict(self.sizes))

    def __repr__(self) -> str:
        if self.family.factors and self.family.name == "joint":
            return f"joint({', '.join(f'{f.outcome} ~ {f.law}' for f in self.factors)})"
        words = dict(self.family.keywords)
        pairs = zip(self.family.parameters, self.values, strict=True)
        shown = (f"{words[p.name]}={v}" if p.name in words else str(v) for p, v in pairs)
        return f"{self.family.name}({', '.join(shown)})"


def substitute(expr: Any, values: Mapping[Any, Any]) -> Any:
    """The expression with symbols replaced; a list may be replaced by its entry, an expression in the index i."""
    plain, entries = {}, {}
    for symbol, value in values.items():
        if isinstance(symbol, sp.IndexedBase) and not isinstance(value, (sp.IndexedBase, Numbers)):
            entries[symbol] = value
        elif not isinstance(value, Numbers):
            plain[symbol] = value
    expr = expr.xreplace(plain)
    for symbol, value in entries.items():
        found = [e for e in expr.atoms(sp.Indexed) if e.base == symbol]
        expr = expr.xreplace({e: value.subs(INDEX, e.indices[0]) for e in found})
    return expr


INDEX = sp.Symbol("i", integer=True, positive=True)


def _value(family: ArrayFamily, parameter: ArrayParameter, given: Any) -> Any:
    where = f"{parameter.name} of {family.name}"
    if isinstance(given, str):
        outcomes = family.variable if isinstance(family.variable, sp.Tuple) else (family.variable,)
        taken = {"i", "j", *map(str, outcomes), *map(str, family.dimensions)}
        if checked_name(given) in taken:
            raise ParameterError(f"{where} is {given!r}, which names the outcome, an index or a size; choose another")
        return parameter.named(given)
    domain = parameter.domain
    if not isinstance(domain, ArrayDomain):
        value = exact(given, where)
        if domain.contains(value) == sp.false:
            raise ParameterError(f"{where} is {value}; it must lie in {domain}")
        return value
    if isinstance(given, sp.Basic) and not isinstance(given, sp.MatrixBase) and given == parameter.named(str(given)):
        return given
    if isinstance(given, sp.MatrixExpr) and isinstance(parameter.symbol, sp.MatrixSymbol):
        if (parameter.symbol.cols == 1) != (given.cols == 1) or (domain.square and given.rows != given.cols):
            raise ParameterError(f"{where} is {given}, of shape {given.shape}; it must be one of the {domain}")
        return domain.symbol(given.name, *given.shape) if type(given) is sp.MatrixSymbol else given
    array = np.asarray(given, dtype=object)
    if array.ndim != domain.axes or not array.size:
        raise ParameterError(f"{where} has shape {array.shape}; a name or an array of {domain.axes} axes is needed")
    if domain.square and array.shape[0] != array.shape[1]:
        raise ParameterError(f"{where} has shape {array.shape}; a square matrix is needed")
    entries = tuple(_fraction(entry, where) for entry in array.ravel())
    if not bool(domain.inside(np.array([float(e) for e in entries]).reshape(array.shape))):
        raise ParameterError(f"{where} is not among {domain}")
    return Numbers(entries, array.shape)


def over_sum(given: Any, where: str) -> Any:
    """An array of weights divided by their sum, exactly."""
    array = np.asarray(given, dtype=object)
    shares = [_fraction(entry, where) for entry in array.ravel()]
    if not sum(shares):
        raise ParameterError(f"{where} sums to 0; no multiple of it is a probability vector")
    return np.array([share / sum(shares) for share in shares], dtype=object).reshape(array.shape)


def _fraction(entry: Any, where: str) -> Fraction:
    number = exact(entry.item() if isinstance(entry, np.generic) else entry, where)
    rational = getattr(number, "rational", number)
    if not isinstance(rational, sp.Rational):
        raise ParameterError(f"{where} has the entry {entry}; arrays are of numbers alone")
    return Fraction(int(rational.p), int(rational.q))


def _sizes(family: ArrayFamily, values: tuple[Any, ...], sizes: dict[Any, Any]) -> dict[sp.Symbol, sp.Expr]:
    """The family's dimensions as the arrays' shapes have them; two that differ raise ParameterError."""
    for parameter, value in zip(family.parameters, values, strict=True):
        if not parameter.dimensions:
            continue
        shape = value.shape if isinstance(value, (Numbers, sp.MatrixExpr)) else ()
        for dimension, size in zip(parameter.dimensions, shape, strict=False):
            if size != dimension and sizes.setdefault(dimension, _size(size)) != size:
                raise ParameterError(
                    f"{parameter.name} of {family.name} has size {size} where {dimension} is {sizes[dimension]}"
                )
    return sizes


def _size(size: Any) -> sp.Expr:
    return size if isinstance(size, sp.Expr) else sp.Integer(size)
