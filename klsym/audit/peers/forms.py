"""Every class of a library in every parametrisation that it offers, and the law of a member at exact values."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from math import isfinite
from typing import Any

import numpy as np
import sympy as sp

from ...adapters.reading import Library, names_of
from ...arrays import domain as arrays
from ...arrays.domain import ArrayDomain
from ...arrays.family import ArrayDistribution, over_sum
from ...core.domain import Domain, integer, positive, probability, real
from ...core.errors import ParameterError
from ...core.family import Distribution, exact
from ...families import array_catalog, catalog, simplex
from .call import Made, Quantity
from .dialects import VECTOR
from .laws import COMPUTED, CONSTANTS, IMAGES, LAWS, Point, Unknown, shares
from .subjects import subject

Law = Distribution | ArrayDistribution | Point | Unknown
ALL: tuple[Quantity, ...] = ("kl", "entropy", "log_prob")
# Symbols that stand in expressions, where assumptions alone do not tell that they are probabilities.
PROBABILITIES = frozenset({"probs", "p", "mean"})


@dataclass(frozen=True)
class Argument:
    """An argument of a class, under the name that its derivatives have; `inside` is the class that it is given to."""

    name: str
    domain: Domain | ArrayDomain
    inside: str = ""

    @property
    def axes(self) -> int:
        """How many of the last axes of an array are no batch axes."""
        return self.domain.axes if isinstance(self.domain, ArrayDomain) else 0

    @property
    def counts(self) -> bool:
        """Whether it is a number of trials, or the like: the members of a batch share it."""
        return isinstance(self.domain, Domain) and self.domain.integer and self.domain.lower == 0


@dataclass(frozen=True)
class Form:
    """A class with the arguments that it is made with, and its law, whose symbols have the names of the arguments.

    `computed` are symbols of the law that are made of arguments (see `laws.COMPUTED`); `constants` are arguments that
    are the same for all members. The law speaks for `quantities` of the class.
    """

    subject: str
    kind: str
    law: Law
    arguments: tuple[Argument, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ALL

    @property
    def name(self) -> str:
        """Gamma(concentration, rate)"""
        return f"{self.kind}({', '.join(a.name for a in self.arguments)})"

    def made(self, values: Mapping[str, Any], around: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> Made:
        """The member, or a batch of them, as the library is told to make it, by the arguments that have values."""
        given: dict[str, Any] = dict(self.constants)
        for argument in self.arguments:
            if argument.name not in values:
                continue
            outer, _, inner = argument.name.partition(".")
            value = values[argument.name]
            given[outer] = Made(argument.inside, {inner: value}) if argument.inside else value
        return Made(self.kind, given, tuple(around))

    def exact(self, values: Mapping[str, Any], dtype: str = "float64") -> Law:
        """The law of one member, at the values exactly as the library has them in arrays of this type.

        Probabilities are divided by their sum. What is no rational function of the values is computed to 100 digits.
        Raises ParameterError for values that no law has.

        >>> forms("torch", "Exponential")[0].exact({"rate": 0.1}, "float32")
        Exponential(0.10000000149011612)
        """
        seen = self._seen(values, dtype)
        if isinstance(self.law, Unknown):
            raise ParameterError(f"{self.name} of {self.subject} has no law that klsym knows")
        if isinstance(self.law, Point):
            return Point(_fractions(seen[self.law.at]), self.law.domain)
        if isinstance(self.law, Distribution):
            numbers = {s: exact(seen[s.name], f"{s.name} of {self.kind}") for s in self.law.symbols}
            return self.law.family(*(v.xreplace(numbers) for v in self.law.values))
        return _array_law(self.law, self.numbers(values, dtype))

    def numbers(self, values: Mapping[str, Any], dtype: str = "float64") -> dict[str, Any]:
        """What the law of arrays has for its symbols, by name, at these floats or rationals: rationals in arrays."""
        seen, law = self._seen(values, dtype), self.law
        assert isinstance(law, ArrayDistribution)
        return {name: self._whole(name, seen) for name in names_of(law)}

    def _seen(self, values: Mapping[str, Any], dtype: str) -> dict[str, Any]:
        """The values as the library has them."""
        if missing := [a.name for a in self.arguments if a.name not in values]:
            raise ParameterError(f"{self.name} needs a value for {', '.join(missing)}")
        return {a.name: _rounded(values[a.name], dtype, f"{a.name} of {self.kind}") for a in self.arguments}

    def _whole(self, name: str, seen: Mapping[str, Any]) -> Any:
        """What the law has for its symbol of that name."""
        if name not in self.computed:
            return _fractions(seen[name])
        arguments = COMPUTED[name].arguments
        return COMPUTED[name].compute(*(_fractions(seen[_told(each, real).name]) for each in arguments))

    def element(self, values: Mapping[str, Any], place: tuple[int, ...]) -> dict[str, Any]:
        """The values of one member of a batch, whose place is in the broadcast batch shape."""
        return {a.name: _element(values[a.name], place, a.axes) for a in self.arguments if a.name in values}

    def everyday(self, second: bool = False) -> dict[str, Any]:
        """Values of an everyday member, or of a second one; counts of trials are the same for both."""
        least = max((float(d.lower) for a in self.arguments if isinstance(d := a.domain, Domain)), default=0.0)
        # Degrees of freedom exceed the dimensions of a matrix.
        least = 3.0 if any(a.axes == 2 for a in self.arguments) else max(least, 0.0)
        return {a.name: _everyday(a, place, second, least) for place, a in enumerate(self.arguments)}


@cache
def forms(name: str, kind: str = "") -> tuple[Form, ...]:
    """The forms of a subject's classes, or of one of them.

    >>> [form.name for form in forms("torch", "Wishart")]
    ['Wishart(df, covariance_matrix)', 'Wishart(df, precision_matrix)', 'Wishart(df, scale_tril)']
    """
    if kind:
        return tuple(form for form in forms(name) if form.kind == kind)
    subject_, library = subject(name), subject(name).library
    rows = {k: f.member("") for k, f in FAMILIES.items()} if library is None else {**library.rows, **LAWS.get(name, {})}
    found = [
        _form(name, each, law, library)
        for each, row in rows.items()
        for law in (row if isinstance(row, tuple) else (row,))
        if _known(law, library)
    ]
    vector = Argument(VECTOR, arrays.simplex)
    vectors = [
        Form(name, each, simplex.Categorical(VECTOR), (vector,), quantities=tuple(functions))
        for each, functions in subject_.dialect.functions.items()
    ]
    return (*found, *vectors)


@cache
def words(name: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What may be written of a subject: the module of each class, and the names of its arguments in their order."""
    dialect = subject(name).dialect
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    modules = [(home, kind, own.split()) for home, table in dialect.objects.items() for kind, own in table.items()]
    told = [(f.kind, [*f.constants, *(a.name.partition(".")[0] for a in f.arguments)]) for f in forms(name)]
    for home, kind, names in [*modules, *((dialect.home, *each) for each in told)]:
        before, known = found.get(kind, (home, ()))
        found[kind] = (before, tuple(dict.fromkeys((*known, *names))))
    return found


def _known(law: Law, library: Library | None) -> bool:
    """Whether every symbol of the law comes from an argument: some an adapter computes from the object alone."""
    if isinstance(law, (Point, Unknown)) or library is None:
        return True
    return not any(_hidden(symbol, library) for symbol in names_of(law))


def _hidden(symbol: str, library: Library) -> bool:
    source, _ = library.derived.get(symbol, (symbol, None))
    return symbol not in COMPUTED and source != symbol and source not in RENAMED


FAMILIES: dict[str, Any] = {**catalog, **array_catalog()}
# An argument whose name is a function's in SymPy has another in the adapter's law.
RENAMED = frozenset({"N"})


def _renamed(law: Law, library: Library | None) -> Law:
    """The law with its symbols named as the arguments are."""
    if library is None or not isinstance(law, Distribution):
        return law
    sources = {s: library.derived.get(s.name, (s.name,))[0] for s in law.symbols}
    return law.subs({s: sp.Symbol(name, **s.assumptions0) for s, name in sources.items() if name in RENAMED})


def _form(name: str, kind: str, law: Law, library: Library | None) -> Form:
    made: dict[str, Argument] = {}
    law = _renamed(law, library)
    symbols = _symbols(law)
    known = COMPUTED.keys() & (COMPUTED if kind in LAWS.get(name, {}) else library.derived if library else ())
    for symbol in symbols:
        if symbol in known:
            made |= {a.name: a for a in itertools.starmap(_told, COMPUTED[symbol].arguments.items())}
        else:
            made[symbol] = Argument(symbol, _domain(law, symbol))
    constants = {k: v for k, v in CONSTANTS.get(name, {}).get(kind, {}).items() if k not in made}
    spoken: tuple[Quantity, ...] = ("kl",) if kind in IMAGES.get(name, ()) else ALL
    quantities: tuple[Quantity, ...] = tuple(each for each in spoken if each in subject(name).dialect.quantities)
    return Form(
        name,
        kind.removesuffix("_frozen"),
        law,
        tuple(made.values()),
        constants,
        frozenset(known) & set(symbols),
        quantities,
    )


def _symbols(law: Law) -> list[str]:
    """The names of the law's symbols, in the order of its parameters."""
    if isinstance(law, (Point, Unknown)):
        return list(law.arguments) if isinstance(law, Unknown) else [law.at]
    known = set(names_of(law))
    if isinstance(law, Distribution):
        return list(dict.fromkeys(s.name for v in law.values for s in sorted(v.free_symbols, key=str)))
    return [str(v) for v in law.values if str(v) in known]


def _told(text: str, domain: Domain | ArrayDomain) -> Argument:
    """The argument that "scale=LinearOperatorDiag.diag" or "scale_tril" names."""
    outer, equals, rest = text.partition("=")
    kind, _, inner = rest.partition(".")
    return Argument(f"{outer}.{inner}" if equals else outer, domain, kind)


def _domain(law: Law, name: str) -> Domain | ArrayDomain:
    if isinstance(law, Point):
        return law.domain
    if isinstance(law, Unknown):
        return law.arguments[name]
    for parameter, value in zip(law.family.parameters, law.values, strict=True):
        if str(value) == name:
            return parameter.domain
    (symbol,) = (s for s in law.symbols if s.name == name)
    if name in PROBABILITIES and not symbol.is_integer and symbol.is_positive:
        return probability
    return integer if symbol.is_integer else positive if symbol.is_positive else real


def _rounded(value: Any, dtype: str, where: str) -> Any:
    """The numbers as floats of the type; integers as they are."""
    if isinstance(value, (list, tuple)):
        return [_rounded(each, dtype, where) for each in value]
    if isinstance(value, float):
        with np.errstate(over="ignore"):
            return float(np.dtype(dtype).type(value))
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return int(value)
    raise ParameterError(f"{where} is a {type(value).__name__}; a number, or lists of numbers, are needed")


def _fractions(value: Any) -> Any:
    """An array of rationals, of infinities where it has these; a number alone for a number."""
    found = np.array(value, dtype=object)
    for place, x in np.ndenumerate(found):
        found[place] = Fraction(x) if isfinite(x) else x
    return found if found.ndim else found[()]


def _array_law(law: ArrayDistribution, found: Mapping[str, Any]) -> ArrayDistribution:
    family, values = law.family, []
    for parameter, value in zip(law.family.parameters, law.values, strict=True):
        got = found.get(str(value), value)
        if parameter.domain is arrays.simplex:
            got = over_sum(list(got), f"{value} of {family.name}")
        if parameter.domain is arrays.logits_list and any(x == -np.inf for x in got):
            family, got = FAMILIES[family.name], shares(got)  # in probabilities
        values.append(got)
    return family(*values, **{str(size): number for size, number in law.sizes if size in family.loose})


def _element(value: Any, place: tuple[int, ...], axes: int) -> Any:
    array = np.array(value, dtype=object)
    batch = array.shape[: array.ndim - axes]
    # The last of the places belong to the axes that it has; one of length 1 is stretched.
    own = tuple(0 if n == 1 else k for n, k in zip(batch, place[len(place) - len(batch) :], strict=True))
    found = array[own]
    return found.tolist() if isinstance(found, np.ndarray) else found


MATRIX, TRIANGLE = [[2.0, 0.5], [0.5, 1.0]], [[1.5, 0.0], [0.5, 1.0]]
EVERYDAY: dict[ArrayDomain, tuple[Any, Any]] = {
    arrays.positive_definite: (MATRIX, [[3.0, 0.75], [0.75, 1.5]]),
    arrays.lower_triangular: (TRIANGLE, [[2.0, 0.0], [0.75, 1.5]]),
    arrays.real_matrix: ([[0.1, 0.2], [0.3, 0.4]], [[0.15, 0.3], [0.45, 0.6]]),
    arrays.columns: ([[0.5], [1.0]], [[0.75], [1.25]]),
    arrays.unit_vector: ([0.6, 0.8], [0.8, 0.6]),
    arrays.simplex: ([0.375, 0.625], [0.25, 0.75]),
}
LIST = ([0.4, 0.6], [0.3, 0.7])
# A row of a positive definite matrix whose rows are turned; two categories, as the others have; a population.
BY_NAME: dict[str, tuple[Any, Any]] = {
    "covariance_row": ([0.6, 0.4], [0.7, 0.3]),
    "cutpoints": ([0.4], [0.3]),
    "N": (12, 12),
    "M": (20, 20),
}


def _everyday(argument: Argument, place: int, second: bool, least: float) -> Any:
    domain = argument.domain
    if argument.name in BY_NAME:
        return BY_NAME[argument.name][second]
    if isinstance(domain, ArrayDomain):
        return EVERYDAY.get(domain, LIST)[second]
    if domain.integer:
        return 3 + 2 * place + (second * place if not argument.counts else 0)
    # Increasing, so that ends are in order.
    return least + 0.4 + 0.15 * place + 0.1 * second
