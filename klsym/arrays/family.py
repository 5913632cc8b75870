"""Families whose outcomes or parameters are vectors and matrices, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.errors import ParameterError
from ..core.exact import plain
from ..core.family import arguments, exact
from ..core.names import checked_name
from .domain import ArrayDomain, ArrayParameter, Outcome
from .functions import INDEX


@dataclass(frozen=True)
class Form:
    """Another way to give the parameter `of`: by other parameters, which each have a keyword, as `meaning` has it."""

    parameters: tuple[ArrayParameter, ...]
    of: Any
    meaning: Any

    @property
    def keywords(self) -> tuple[str, ...]:
        return tuple(p.keyword for p in self.parameters)


@dataclass(frozen=True)
class Image:
    """The family is the law of f(X), f a bijection, for X from `base` at these values.

    `forward` names f; `point` and `log_jacobian` are f(x) and log |det f'(x)| at x, the variable of `base`.
    """

    base: ArrayFamily
    forward: str
    values: tuple[Any, ...]
    point: Any
    log_jacobian: sp.Expr


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
    The image of another family under a bijection says so in `image`. A family of joint distributions has `factors`,
    and the tuple of their outcomes for its variable (see `joint`).
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
    factors: tuple[Factor, ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> ArrayDistribution:
        """The member with these values: arrays, names, numbers or SymPy matrices; dimensions by name, K=3.

        A wrong number of values, an unknown name, arrays whose shapes do not fit, or numbers outside the domain
        raise ParameterError.
        """
        sizes = {str(d): exact(kwargs.pop(str(d)), str(d)) for d in self.dimensions if str(d) in kwargs}
        family, formed = self._formed(kwargs)
        names = [p.name for p in family.parameters]
        words = [word for form in self.forms for word in form.keywords]
        given = arguments(family.signature, names, args, formed, [*names, *words])
        values = tuple(_value(family, p, value) for p, value in zip(family.parameters, given, strict=True))
        found = _sizes(family, values, {sp.Symbol(n, integer=True, positive=True): v for n, v in sizes.items()})
        distribution = ArrayDistribution(family, values, tuple(found.items()))
        if distribution.constraint == sp.false:
            raise ParameterError(f"{distribution} violates the constraint {self.constraint} of {self.signature}")
        return distribution

    def _formed(self, kwargs: dict[str, Any]) -> tuple[ArrayFamily, dict[str, Any]]:
        """The family in the parameters that the keywords name, and the values by parameter name."""
        family, given = self, dict(kwargs)
        for of in dict.fromkeys(form.of for form in self.forms):
            forms = [form for form in self.forms if form.of == of]
            words = {word for form in forms for word in form.keywords if word in given}
            if not words:
                continue
            form = next((form for form in forms if set(form.keywords) == words), None)
            if form is None:
                near = min((f for f in forms if words < set(f.keywords)), key=lambda f: len(f.keywords), default=None)
                if near is None:
                    raise ParameterError(f"{self.signature} was given {of} in two forms; keep one of them")
                lacking = ", ".join(word for word in near.keywords if word not in words)
                raise ParameterError(f"{self.signature} was given {', '.join(words)}; {lacking} belongs to it")
            family = family.formed(form)
            given |= {p.name: given.pop(p.keyword) for p in form.parameters}
        return family, given

    def formed(self, form: Form) -> ArrayFamily:
        """The same family with the form's parameters in place of the one they stand for."""
        if form.meaning == form.of or form.of not in [p.symbol for p in self.parameters]:
            return self
        replaced = (form.parameters if p.symbol == form.of else (p,) for p in self.parameters)
        return replace(
            self,
            parameters=tuple(p for several in replaced for p in several),
            log_density=substitute(self.log_density, {form.of: form.meaning}),
            forms=(form,),
            image=self.image
            and replace(self.image, values=tuple(substitute(v, {form.of: form.meaning}) for v in self.image.values)),
        )

    @property
    def loose(self) -> tuple[sp.Symbol, ...]:
        """The dimensions that no parameter's shape tells."""
        told = {n for parameter in self.parameters for n in parameter.dimensions}
        return tuple(n for n in self.dimensions if n not in told)

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
        """The member with symbols in place of arrays of numbers, and the arrays by symbol.

        So are numbers that a formula had better not hold: see `_by_name`.
        """
        numbers: dict[Any, Any] = {}
        values = []
        for parameter, value in self.arguments:
            if not isinstance(parameter.domain, ArrayDomain) and _by_name(parameter.domain, value):
                number = plain(value)
                value = Numbers((Fraction(int(number.p), int(number.q)),), ())
            if isinstance(value, Numbers):
                symbol = parameter.named(parameter.name + suffix).xreplace(dict(self.sizes))
                numbers[symbol] = value
                value = symbol
            values.append(value)
        return replace(self, values=tuple(values)), numbers

    @property
    def arguments(self) -> Iterator[tuple[Any, Any]]:
        """Each parameter with its value."""
        return zip(self.family.parameters, self.values, strict=True)

    @property
    def bindings(self) -> dict[Any, Any]:
        return {parameter.symbol: value for parameter, value in self.arguments}

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
        return self.variable if image is None else image.point.xreplace(dict(self.sizes))

    @property
    def usual(self) -> tuple[Any, ...]:
        """The parameters' values as the family has them, whichever form they were given in: L L' of a factor L."""
        formed = [p for p in self.family.parameters if p.keyword]
        values = []
        for parameter, value in zip(self.family.parameters, self.values, strict=True):
            if parameter in formed[:1]:
                (form,) = self.family.forms
                value = substitute(form.meaning, self.bindings).xreplace(dict(self.sizes))
            if parameter not in formed[1:]:
                values.append(value)
        return tuple(values)

    def __repr__(self) -> str:
        if self.family.factors and self.family.name == "joint":
            return f"joint({', '.join(f'{f.outcome} ~ {f.law}' for f in self.factors)})"
        pairs = zip(self.family.parameters, self.values, strict=True)
        shown = (f"{p.keyword}={v}" if p.keyword else str(v) for p, v in pairs)
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


MOST = 1000


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


def _by_name(domain: Any, value: sp.Expr) -> bool:
    """Whether a number enters a formula by name: at an end of its domain, where the formula holds by continuity, or
    as a count of which SymPy would write the factorial out."""
    return value.is_number and bool(value > MOST if domain.integer else value in (domain.lower, domain.upper))


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
