"""The divergence of two distributions of vectors or matrices as a formula, with its numbers and its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import mpmath as mp
import numpy as np
import sympy as sp

from .answer import Answer
from .arrays.arithmetic import multiprecision
from .arrays.conditions import resolved
from .arrays.domain import simplex, weights
from .arrays.family import ArrayDistribution, ArrayFamily, Numbers, over_sum
from .arrays.walk import walk
from .backends import DIFFERENTIATING, hosted, load
from .core.continuity import at
from .core.derivation import Case, Derivation
from .core.divergence import Divergence
from .core.domain import Domain
from .core.errors import ParameterError, UnderivableError, nearest
from .derive import arrays, joint
from .derive.arrays.totals import generalised, normalised
from .evaluation import MAX_DIGITS, Number, holding_case, precise, settled
from .lower import lower

if TYPE_CHECKING:
    from .verification import Report


@dataclass(frozen=True, repr=False)
class ArrayFormula(Answer):
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

    @property
    def _of_numbers(self) -> bool:
        """Whether every parameter is a number and nothing has a size, as in joint distributions of numbers."""
        sized = self.p.family.dimensions or self.q.family.dimensions
        return not (self.numbers or sized) and all(isinstance(p.domain, Domain) for p in self._domains.values())

    def subs(self, values: Mapping[Any, Any] | None = None, **named: Any) -> ArrayFormula:
        """The formula with some parameters bound to arrays, numbers or names; one of arrays is derived anew."""
        given = {str(k): v for k, v in {**(values or {}), **named}.items()}
        names = [str(s) for s in self.parameters]
        for name in given:
            if name not in names:
                raise ParameterError(f"{self.title} has no parameter {name!r}{nearest(name, names)}")
        bound = {**{str(s): n.array[()] for s, n in self.numbers.items()}, **given}
        members = [
            d.family(*(bound.get(str(v), v) for v in d.values), **{str(k): v for k, v in d.sizes})
            for d in (self.p, self.q)
        ]
        if self._of_numbers:
            return replace(self, derivation=_at(self.derivation, *members))
        return replace(formula(self.derivation.divergence, *members), base=self.base)

    def evaluate(self, digits: int = 15, *, normalize: bool = False, **numbers: Any) -> Number:
        """The value to the given number of digits: the working precision grows until two results agree.

        Arrays are taken exactly as they are given. Probabilities may miss the sum 1 by rounding, as in `klsym.kl` of
        vectors: the value is then that of sum p log(p/q) - p + q, which is 0 at P = Q and keeps its digits near it.
        With `normalize` every list of probabilities is divided by its sum first, exactly.

        >>> from klsym import Categorical, Dirichlet, kl
        >>> print(kl(Dirichlet([1, 2, 3]), Dirichlet([3, 2, 1])).evaluate(digits=20))
        3.0000000000000000000
        >>> print(kl(Categorical, Categorical).evaluate(digits=20, normalize=True, p_p=[1, 1], p_q=[1, 3]))
        0.14384103622589046372
        """
        if numbers:
            bound = self.subs(self._over_sums(numbers) if normalize else numbers)
            return bound.evaluate(digits, normalize=normalize)
        if not 1 <= digits <= MAX_DIGITS:
            raise ParameterError(f"digits is {digits}; it must lie between 1 and {MAX_DIGITS}")
        if needed := [s for s in self.parameters if any(c.value.has(s) or c.when.has(s) for c in self.cases)]:
            names = ", ".join(map(str, needed))
            raise ParameterError(f"{self.title} needs values for {names}: evaluate({needed[0]}=…)")
        self._check_sizes()
        scalars = {s: sp.Rational(n.entries[0]) for s, n in self.numbers.items() if not n.shape}
        values = {s: n.array for s, n in self.numbers.items()} | {k: int(v) for k, v in self.sizes.items()}
        cases = (replace(case, when=resolved(case.when, values)) for case in self._summed(normalize))
        case = holding_case(tuple(cases), self.sizes | scalars)
        if case is None:
            raise ParameterError(f"{self.title} has no case that holds")
        if case.kind == "infinite":
            return Number(mp.inf, digits, "exact", self.unit, case.why)
        if self._of_numbers:
            return Number(precise(case.value, digits), digits, "estimate", self.unit, "two working precisions agree")
        if "zero-on-diagonal" in self.derivation.divergence.axioms and self._one:
            return Number(mp.mpf(0), digits, "exact", self.unit, "P and Q are one")
        value = settled(
            lambda _: mp.mpf(np.asarray(walk(case.value, values, multiprecision)).item()), digits, self.title
        )
        return Number(value, digits, "estimate", self.unit, "two working precisions agree")

    @property
    def _one(self) -> bool:
        """Whether P and Q have the same numbers for the same parameters."""
        p, q = (tuple(self.numbers.get(value, value) for value in d.values) for d in (self.p, self.q))
        return self.p.family == self.q.family and p == q

    def _over_sums(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays by name, those that are to be probabilities divided by their sums."""
        lists = {str(s) for s, parameter in self._domains.items() if parameter.domain is simplex}
        return {name: over_sum(v, name) if name in lists else v for name, v in numbers.items()}

    def _summed(self, normalize: bool) -> tuple[Case, ...]:
        """The cases for numbers: with what is meant by probabilities whose sum is not exactly 1."""
        unit = 1 if self.base is None else sp.log(self.base)

        def value(case: Case) -> sp.Expr:
            if normalize:
                return normalised(case.value, (self.p, self.q)) / unit
            return generalised(case.value, self.derivation, _derived) / unit

        return tuple(
            case if case.kind == "infinite" else replace(case, value=value(case)) for case in self.derivation.cases
        )

    @property
    def free_sizes(self) -> tuple[sp.Symbol, ...]:
        """The dimensions that neither a number nor the shape of a parameter says."""
        told = {n for parameter in self._domains.values() for n in parameter.dimensions}
        loose = dict.fromkeys((*self.p.family.loose, *self.q.family.loose))
        return tuple(n for n in loose if n not in told and n not in self.sizes)

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

    def compile(
        self,
        backend: str | None = None,
        *,
        gradient: bool = False,
        second_pass: bool = True,
        report: bool = False,
        normalize: bool = False,
    ) -> Callable[..., Any]:
        """A function of arrays, their event axes last and leading axes broadcast; NaN outside the domains.

        Where the families have a kernel it is called. Elsewhere the closed form is evaluated in doubles with a bound of
        its error, and elements that are not good to 15 units of 2^-52 take a second pass, in ball arithmetic (mpmath
        without python-flint) until the double is decided; without `second_pass` they stay as they come. With
        `report` the function returns (value, error, second): the relative errors estimated too, and which elements
        took the second pass.

        "torch" and "jax" give functions of their own arrays, which these differentiate, by the same code where they are
        in the CPU's memory; `pure` is the function in their own operations, where a kernel is written in these.

        With `gradient` the function returns the value and its derivatives by the arrays that are no integers, in the
        order of `parameters`. Entries count as free. Of a symmetric matrix the derivative is symmetrised, G with
        d value = tr(G dX) for symmetric dX, as torch has it; of a lower triangular factor it is lower triangular; of
        probabilities it is that of sum p log(p/q) - p + q, along the simplex the same as any other.

        Probabilities must sum to 1 within 4 n eps of their own type, as in `klsym.kl` of vectors, and the value is the
        sum of p log(p/q) - p + q; with `normalize` they may be any weights, and are divided by their sum.

        >>> from klsym import Dirichlet, kl
        >>> f = kl(Dirichlet, Dirichlet).compile()
        >>> f([1.0, 2.0, 3.0], [[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]).round(12)
        array([3., 0.])
        >>> kl(Dirichlet, Dirichlet).compile(gradient=True)([1.0, 1.0], [1.0, 2.0]).alpha_q
        array([-0.5,  0.5])
        """
        if self.kind == "undecided":
            raise UnderivableError(f"{self.title} has no closed form")
        if self._of_numbers:
            program = lower(self.derivation, self.base, gradient or backend in DIFFERENTIATING)
            return load(program, backend, second_pass=second_pass, report=report)
        self._check_sizes()
        if backend in ("torch", "jax"):
            if gradient or report:
                what = "is differentiated by the library itself" if gradient else "gives no report"
                raise ParameterError(
                    f"a function of {backend} {what}; leave out {'gradient' if gradient else 'report'}"
                )
            from .array_host import ArrayHost

            return hosted(ArrayHost(self, second_pass=second_pass, normalize=normalize), backend)
        if backend not in (None, "numpy"):
            raise UnderivableError(f"array formulas have no backend {backend!r}; take numpy, torch or jax")
        from .array_code import Code, kernels

        divergence = self.derivation.divergence
        members = (self.p, self.q) if divergence.arity == 2 else (self.p,)
        lists = {s for s, parameter in self._domains.items() if parameter.domain is simplex}
        families = "_".join(dict.fromkeys(f"{d.family.name}" for d in members))
        return Code(
            self.title,
            tuple((s, replace(a, domain=weights) if normalize and s in lists else a) for s, a in self._domains.items()),
            self._summed(normalize),
            tuple(d.constraint for d in members),
            self.sizes,
            dict(self.numbers),
            name=f"{divergence.name}_{families}".lower(),
            kernels=() if normalize and lists else kernels(divergence, self.p, self.q),
            members=(self.p.values, self.q.values),
            unit=1.0 if self.base is None else float(sp.log(self.base)),
            diagonal="zero-on-diagonal" in divergence.axioms and self.p.family == self.q.family,
            sloped=gradient,
            second_pass=second_pass,
            report=report,
        )

    def generate(self, target: str = "numpy") -> str:
        """The source of a stand-alone module of arrays: "numpy", "torch" or "jax", which is all that it needs to run.

        It has a docstring with the formula, the domains and how far the value was found off, and `self_check()`, which
        computes a few points whose values it holds to 20 digits. Functions of torch and JAX are differentiable twice.
        Raises UnderivableError for families without a kernel that is written for all of these.

        >>> from klsym import Dirichlet, kl
        >>> "def kl_dirichlet(" in kl(Dirichlet, Dirichlet).generate("torch")
        True
        """
        from .array_host import generated

        return generated(self, target)

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

    def __str__(self) -> str:
        from .printing import formula_text

        where = [f"    where {symbol} = {number}" for symbol, number in self.numbers.items()]
        return "\n".join([formula_text(self), *where])


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
    return ArrayFormula(_sized(_derived(divergence, first, second), sizes), _bound(numbers, sizes), base)


def _derived(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution) -> Derivation:
    """The derivation by the chain rule for joint distributions, by features of the outcome for others."""
    return (joint.derive if p.factors or q.factors else arrays.derive)(divergence, p, q)


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


def _at(d: Derivation, p: ArrayDistribution, q: ArrayDistribution) -> Derivation:
    """The derivation with the values of these members for the symbols of its own."""
    pairs = zip((*d.p.values, *d.q.values), (*p.values, *q.values), strict=True)
    values = {symbol: value for symbol, value in pairs if symbol != value}
    cases = tuple(replace(c, value=at(c.value, values), when=c.when.xreplace(values)) for c in d.cases)
    steps = tuple(
        replace(s, lhs=at(s.lhs, values), rhs=at(s.rhs, values), when=s.when.xreplace(values)) for s in d.steps
    )
    measures = tuple((m, replace(f, law=f.law.subs(values))) for m, f in d.measures)
    coordinates = tuple((y, forward.xreplace(values)) for y, forward in d.coordinates)
    return replace(d, p=p, q=q, cases=cases, steps=steps, measures=measures, coordinates=coordinates)


def _check_names(p: ArrayDistribution, q: ArrayDistribution) -> None:
    seen: dict[str, Any] = {}
    for d in (p, q):
        for parameter, value in zip(d.family.parameters, d.values, strict=True):
            if seen.setdefault(str(value), value) != value:
                raise ParameterError(
                    f"{str(value)!r} means two things, one of them {parameter.name} of {d.family.name}"
                )
