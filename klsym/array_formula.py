"""The divergence of two distributions of vectors or matrices as a formula, with its numbers and its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import mpmath as mp
import numpy as np
import sympy as sp

from .arrays.domain import ArrayDomain
from .arrays.family import ArrayDistribution, ArrayFamily, Numbers
from .arrays.walk import multiprecision, walk
from .core.derivation import Case, Derivation, Kind, Step
from .core.divergence import Divergence
from .core.errors import ParameterError, UnderivableError, nearest
from .derive.arrays import derive
from .evaluation import GUARD_DIGITS, MAX_DIGITS, Number, holding_case, unit_base

if TYPE_CHECKING:
    from .verification import Report


@dataclass(frozen=True)
class ArrayFormula:
    """A divergence of two distributions of arrays: its cases, each with its condition, and what can be done with them.

    >>> from klsym import MultivariateNormal, kl
    >>> f = kl(MultivariateNormal, MultivariateNormal)
    >>> f.kind, f.parameters
    ('closed', (mu_p, Sigma_p, mu_q, Sigma_q))
    """

    derivation: Derivation
    numbers: Mapping[Any, Numbers] = field(default_factory=dict)
    base: sp.Expr | None = None

    @property
    def p(self) -> ArrayDistribution:
        return self.derivation.p

    @property
    def q(self) -> ArrayDistribution:
        return self.derivation.q

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases in order: the first whose condition holds is the answer."""
        if self.base is None:
            return self.derivation.cases
        return tuple(replace(case, value=case.value / sp.log(self.base)) for case in self.derivation.cases)

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.derivation.steps

    @property
    def kind(self) -> Kind:
        return self.cases[0].kind

    @property
    def value(self) -> sp.Expr:
        """The SymPy expression of the first case; an array of numbers stands in it by its symbol."""
        return self.cases[0].value

    @property
    def unit(self) -> str:
        return {None: "nats", 2: "bits", 10: "dits"}.get(self.base, f"units of log {self.base}")

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The symbols without numbers, P's in catalog order, then Q's."""
        return tuple(s for s in self._domains if s not in self.numbers)

    @cached_property
    def _domains(self) -> dict[Any, Any]:
        members = (self.p, self.q) if self.derivation.divergence.arity == 2 else (self.p,)
        return {
            value: parameter
            for d in members
            for parameter, value in zip(d.family.parameters, d.values, strict=True)
            if isinstance(value, (sp.Symbol, sp.MatrixSymbol, sp.IndexedBase))
        }

    def in_base(self, base: Any) -> ArrayFormula:
        """The same formula in units of log(base): 2 for bits, None for nats."""
        return replace(self, base=unit_base(base))

    def subs(self, values: Mapping[Any, Any] | None = None, **named: Any) -> ArrayFormula:
        """The formula with some parameters bound to arrays, numbers or names, derived anew."""
        given = {str(k): v for k, v in {**(values or {}), **named}.items()}
        names = [str(s) for s in self.parameters]
        for name in given:
            if name not in names:
                raise ParameterError(f"{self.title} has no parameter {name!r}{nearest(name, names)}")
        bound = {**{str(s): n.array[()] for s, n in self.numbers.items()}, **given}
        members = (
            d.family(*(bound.get(str(v), v) for v in d.values), **{str(k): v for k, v in d.sizes})
            for d in (self.p, self.q)
        )
        return replace(formula(self.derivation.divergence, *members), base=self.base)

    def evaluate(self, digits: int = 15, **numbers: Any) -> Number:
        """The value to the given number of digits: the working precision grows until two results agree.

        Arrays are taken exactly as they are given. A probability vector that sums to 1 only to rounding is used as it
        is, not normalised.

        >>> from klsym import Dirichlet, kl
        >>> print(kl(Dirichlet([1, 2, 3]), Dirichlet([3, 2, 1])).evaluate(digits=20))
        3.0000000000000000000
        """
        if numbers:
            return self.subs(**numbers).evaluate(digits)
        if not 1 <= digits <= MAX_DIGITS:
            raise ParameterError(f"digits is {digits}; it must lie between 1 and {MAX_DIGITS}")
        if self.parameters:
            names = ", ".join(map(str, self.parameters))
            raise ParameterError(f"{self.title} needs arrays for {names}: evaluate({self.parameters[0]}=…)")
        self._check_sizes()
        scalars = {s: sp.Rational(n.entries[0]) for s, n in self.numbers.items() if not n.shape}
        case = holding_case(self.cases, self.sizes | scalars)
        if case is None:
            raise ParameterError(f"{self.title} has no case that holds")
        if case.kind == "infinite":
            return Number(mp.inf, digits, "exact", self.unit, case.why)
        value = settled(lambda: self._at(case), digits)
        return Number(value, digits, "estimate", self.unit, "two working precisions agree")

    def _at(self, case: Case) -> Any:
        entries = {
            s: np.array([mp.mpf(e.numerator) / e.denominator for e in n.entries], dtype=object).reshape(n.shape)
            for s, n in self.numbers.items()
        }
        sizes = {k: mp.mpf(int(v)) for k, v in self.sizes.items()}
        return mp.mpf(np.asarray(walk(case.value, {**entries, **sizes}, multiprecision)).item())

    @property
    def free_sizes(self) -> tuple[sp.Symbol, ...]:
        """The dimensions that neither a number nor the shape of a parameter says."""
        shaped = {n for parameter in self._domains.values() for n in parameter.dimensions}
        dimensions = dict.fromkeys((*self.p.family.dimensions, *self.q.family.dimensions))
        return tuple(n for n in dimensions if n not in shaped and n not in self.sizes)

    def sized(self, sizes: Mapping[sp.Symbol, Any]) -> ArrayFormula:
        """The formula at these dimensions."""
        return replace(self, derivation=_sized(self.derivation, {n: sp.Integer(v) for n, v in sizes.items()}))

    def _check_sizes(self) -> None:
        for n in self.free_sizes:
            name = self.p.family.name
            raise ParameterError(f"{self.title} needs {n}, the size of its outcomes: {name}(…, {n}=3)")

    @property
    def sizes(self) -> dict[sp.Symbol, sp.Expr]:
        """The dimensions that are numbers."""
        return dict((*self.p.sizes, *self.q.sizes))

    def __float__(self) -> float:
        return float(self.evaluate(digits=17).value)

    def compile(self, backend: str | None = None) -> Callable[..., Any]:
        """A function of arrays, their event axes last and leading axes broadcast; NaN outside the domains.

        Where a formula has a kernel of its own the kernel is called. Elsewhere the closed form is evaluated as it is
        printed, in doubles by NumPy: near P = Q its terms cancel, and the digits that go are not reported.

        >>> from klsym import Dirichlet, kl
        >>> f = kl(Dirichlet, Dirichlet).compile()
        >>> f([1.0, 2.0, 3.0], [[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]).round(12)
        array([3., 0.])
        """
        if backend not in (None, "numpy"):
            raise UnderivableError(f"array formulas have no backend {backend!r}; take numpy")
        if self.kind == "undecided":
            raise UnderivableError(f"{self.title} has no closed form")
        self._check_sizes()
        from .array_code import Code

        constraints = tuple(d.constraint for d in (self.p, self.q))
        return Code(self.title, tuple(self._domains.items()), self.cases, constraints, self.sizes, dict(self.numbers))

    def generate(self, target: str = "numpy") -> str:
        """Array formulas have no source of their own yet: raises UnderivableError."""
        raise UnderivableError(f"{self.title}: no source code is generated for array formulas; use compile()")

    def check(self, points: int = 3, seed: int = 0, draws: int = 100_000, **sizes: int) -> Report:
        """Formula, every step and the compiled code against the oracle, at random arrays of these sizes.

        The oracle enumerates finite sets, integrates over one to three coordinates, and beyond takes the mean of
        `draws` draws, which agrees within five standard errors.

        >>> from klsym import Dirichlet, kl
        >>> kl(Dirichlet, Dirichlet).check(1).ok
        True
        """
        from .array_checks import check

        return check(self, points, seed, draws, sizes)

    def explain(self) -> str:
        """The derivation, step by step."""
        from .printing import steps_text

        return steps_text(self)

    def latex(self, steps: bool = False) -> str:
        """The value, or with `steps` the derivation as an align environment, in LaTeX."""
        from .printing import formula_latex, steps_latex

        return steps_latex(self) if steps else formula_latex(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def to_json(self) -> dict[str, Any]:
        """The formula and its derivation as plain data."""
        from .printing import formula_json

        return formula_json(self)

    def __str__(self) -> str:
        from .printing import formula_text

        where = [f"    where {symbol} = {number}" for symbol, number in self.numbers.items()]
        return "\n".join([formula_text(self), *where])

    __repr__ = __str__

    @cached_property
    def title(self) -> str:
        """KL(Dirichlet(alpha_p) || Dirichlet(alpha_q))"""
        notation = self.derivation.divergence.notation
        return notation.replace("P", "\0").replace("Q", str(self.q)).replace("\0", str(self.p))


def settled(compute: Callable[[], Any], digits: int) -> mp.mpf:
    """The number at rising precision, once two results agree; what stays below every precision tried is 0."""
    working, previous = digits + GUARD_DIGITS, None
    for _ in range(8):
        with mp.workdps(working):
            current = compute()
            if mp.isinf(current):
                return current
            if previous is not None and abs(current - previous) <= abs(current) * mp.mpf(10) ** (-digits - 2):
                return current
            tiny = mp.mpf(10) ** (-working // 2)
            if previous is not None and abs(current) < tiny and abs(previous) < tiny:
                return mp.mpf(0)
            previous, working = current, working + max(working // 2, 20)
    raise ParameterError(f"the value did not settle to {digits} digits")


def formula(divergence: Divergence, p: Any, q: Any, base: sp.Expr | None = None) -> ArrayFormula:
    """The divergence of two families or distributions of arrays.

    Two arrays whose sizes differ, or two meanings of one name, raise ParameterError.
    """
    suffixes = ("_p", "_q") if divergence.arity == 2 else ("", "")
    p, q = (d.member(s) if isinstance(d, ArrayFamily) else d for d, s in zip((p, q), suffixes, strict=True))
    sizes = dict(p.sizes)
    for dimension, size in q.sizes:
        if sizes.setdefault(dimension, size) != size:
            raise ParameterError(f"{dimension} is {sizes[dimension]} in {p} and {size} in {q}; one size is needed")
    members, numbers = [], {}
    for d, suffix in zip((p, q), suffixes, strict=True):
        member, given = replace(d, sizes=()).named(suffix)
        members.append(member)
        numbers |= given
    first, second = members
    _check_names(first, second)
    return ArrayFormula(_sized(derive(divergence, first, second), sizes), _bound(numbers, sizes), base)


def _bound(numbers: Mapping[Any, Numbers], sizes: Mapping[Any, Any]) -> dict[Any, Numbers]:
    return {symbol.xreplace(dict(sizes)): given for symbol, given in numbers.items()}


def _sized(d: Derivation, sizes: Mapping[Any, Any]) -> Derivation:
    """The derivation for any dimensions at these: products of 1 x 1 matrices would otherwise have several forms."""
    at = dict(sizes)
    if not at:
        return d
    cases = tuple(replace(c, value=c.value.xreplace(at), when=c.when.xreplace(at)) for c in d.cases)
    cases = tuple(c for c in cases if c.when != sp.false)
    steps = tuple(replace(s, lhs=s.lhs.xreplace(at), rhs=s.rhs.xreplace(at), when=s.when.xreplace(at)) for s in d.steps)
    return replace(d, p=d.p.sized(at), q=d.q.sized(at), cases=cases, steps=steps)


def _check_names(p: ArrayDistribution, q: ArrayDistribution) -> None:
    seen: dict[str, Any] = {}
    for d in (p, q):
        for parameter, value in zip(d.family.parameters, d.values, strict=True):
            if seen.setdefault(str(value), value) != value:
                raise ParameterError(
                    f"{str(value)!r} means two things, one of them {parameter.name} of {d.family.name}"
                )


def inside(domain: Any, array: Any) -> Any:
    """Which of the arrays, over the leading axes, lie in the domain of a parameter."""
    if isinstance(domain, ArrayDomain):
        return domain.inside(array)
    low, high = float(domain.lower), float(domain.upper)
    above = array >= low if domain.left_closed else array > low
    below = array <= high if domain.right_closed else array < high
    return above & below & np.isfinite(array) & ((array == np.floor(array)) if domain.integer else True)
