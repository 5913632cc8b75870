"""Array formulas for torch and JAX: their NumPy code as a host, and their portable kernels as a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from .array_code import kernels
from .arrays.sampling import USUAL, draw
from .backends import array_source
from .backends.portable import KERNELS, ArrayProgram, Example, Term
from .core.errors import UnderivableError
from .printing import formula_text

if TYPE_CHECKING:
    from .array_formula import ArrayFormula

NEAR = 2.0**-20  # how far Q is from P in an example, of how far it was drawn


class ArrayHost:
    """An array formula as NumPy computes it; the options are those of its `compile`."""

    def __init__(self, formula: ArrayFormula, **options: bool) -> None:
        self.formula, self.options = formula, options
        self.program = program(formula, normalize=options.get("normalize", False))

    def value(self, *arrays: Any) -> Any:
        return self._code(*arrays)

    def slopes(self, *arrays: Any) -> tuple[Any, ...]:
        found = self._sloped(*arrays)
        return tuple(found) if self.program.sloped else (found,)

    def check(self, *arrays: Any) -> None:
        self._code(*arrays, check=True)

    @cached_property
    def _code(self) -> Any:
        return self.formula.compile("numpy", **self.options)

    @cached_property
    def _sloped(self) -> Any:
        return self.formula.compile("numpy", gradient=True, **self.options)

    def __reduce__(self) -> tuple[Any, ...]:
        return _host, (self.formula, self.options)


def _host(formula: ArrayFormula, options: dict[str, bool]) -> ArrayHost:
    return ArrayHost(formula, **options)


def program(formula: ArrayFormula, normalize: bool = False) -> ArrayProgram:
    """The formula as a sum of portable kernels, of none where a kernel is lacking."""
    divergence, free = formula.derivation.divergence, formula.parameters
    members = (formula.p, formula.q) if divergence.arity == 2 else (formula.p,)
    domains = {str(v): p for d in members for p, v in zip(d.family.parameters, d.values, strict=True) if v in free}
    families = "_".join(dict.fromkeys(d.family.name for d in members))
    names = tuple(map(str, free))
    whole = ArrayProgram(
        f"{divergence.name}_{families}".lower(),
        names,
        tuple(domains[name].axes for name in names),
        tuple(k for k, s in enumerate(free) if not (isinstance(s, sp.Symbol) and s.is_integer)),
        formula_text(formula),
        unit=1.0 if formula.base is None else float(sp.log(formula.base)),
        conditions=tuple(f"{name}: {domains[name]}" for name in names),
    )
    return whole if normalize else _with_terms(whole, formula)


def _with_terms(whole: ArrayProgram, formula: ArrayFormula) -> ArrayProgram:
    found = kernels(formula.derivation.divergence, formula.p, formula.q)
    places = [KERNELS.get(kernel.place) for kernel in found]
    numbers = {str(s): n for s, n in formula.numbers.items()}
    given = [list(map(str, member.values)) for member in (formula.p, formula.q)]
    known = {*whole.arguments, *numbers}
    if not found or None in places or len(formula.cases) > 1 or not all(set(names) <= known for names in given):
        return whole
    constants = {name: f"_c{k}" for k, name in enumerate(numbers)}
    p, q = ([constants.get(name, name) for name in names] for names in given)
    terms = tuple(
        Term(str(place), tuple(q + p if kernel.reverse else p + q)) for place, kernel in zip(places, found, strict=True)
    )
    values = tuple((constants[name], number.array.astype(float).tolist()) for name, number in numbers.items())
    return replace(whole, terms=terms, constants=values)


def generated(formula: ArrayFormula, target: str) -> str:
    """The source of a stand-alone module; UnderivableError where there is no portable kernel of the formula."""
    whole = program(formula)
    if not whole.terms:
        raise UnderivableError(
            f"{formula.title}: source of array formulas is generated for MultivariateNormal (covariance, precision, "
            "scale_tril or diagonal), Dirichlet and Categorical (probabilities or logits); use compile()"
        )
    if not whole.arguments:
        raise UnderivableError(f"{formula.title} has no parameters left; evaluate() gives the number")
    return array_source(whole, target, examples(formula))


def examples(formula: ArrayFormula, points: int = 2) -> Iterator[Example]:
    """Points as nested lists, of which every other has Q near P, and the nearest doubles to the outputs there."""
    rng = np.random.default_rng(0)
    formula = formula.sized({n: USUAL[str(n)] for n in formula.free_sizes})
    code: Any = formula.compile("numpy", gradient=True)
    for number in range(points):
        point = draw(formula.q, rng, {}) | draw(formula.p, rng, {})
        if number % 2:
            for a, b in zip(formula.p.values, formula.q.values, strict=True):
                if a in point and b in point:
                    point[b] = point[a] + NEAR * (point[b] - point[a])
        given = [np.asarray(point[s], dtype=float) for s in formula.parameters]
        yield tuple(a.tolist() for a in given), tuple(part.tolist() for part in code.decided(*given))
