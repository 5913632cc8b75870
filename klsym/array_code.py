"""Array formulas as functions of NumPy arrays: a kernel of their own where one is known, else the closed form."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import sympy as sp

from .arrays.conditions import holds
from .arrays.domain import ArrayParameter, lower_triangular, simplex, symmetric
from .arrays.family import ArrayDistribution, Numbers
from .arrays.functions import Least, Symmetric
from .arrays.walk import walk
from .backends.arrays.closed import Output, decided, estimated, relative
from .backends.containers import container
from .backends.function import Function, Report, kind_of, numeric, place_of
from .backends.watch import FINE, FINE_NARROW
from .core.derivation import Case
from .core.divergence import Divergence
from .core.errors import ParameterError, UnderivableError
from .derive import LOG_P, LOG_Q, P, Q
from .derive.arrays import derive
from .derive.arrays.gradient import gradient
from .divergences import kl

Arrays = dict[Any, Any]
EPSILON = 2.0**-52
KERNEL = 8.0  # units of 2^-52 that a kernel's value may be off
INTEGRAL = 4096.0  # and that an integral may, before the second pass, which takes a second there

# The kernel of a divergence, by the `shape` of its closed form for generic members: "module.function" in
# klsym.backends.arrays, a function of the parameters' arrays in their order. It is NaN outside of their domains,
# but may read one triangle of a symmetric matrix, and probabilities that do not sum to 1.
KERNELS: dict[str, str] = {
    "-k/2 - logdet(a1)/2 + logdet(a3)/2 + Trace(a3**(-1)*a1)/2 + Trace((a0 - a2).T*a3**(-1)*(a0 - a2))/2": (
        "gaussian.kl_covariance"
    ),
    "-k/2 + logdet(a1)/2 - logdet(a3)/2 + Trace(a1**(-1)*a3)/2 + Trace((a0 - a2).T*a3*(a0 - a2))/2": (
        "gaussian.kl_precision"
    ),
    "-k/2 + Sum((a0[i] - a2[i])**2/a3[i], (i, 1, K))/2 + Sum(a1[i]/a3[i], (i, 1, K))/2 - Sum(log(a1[i]), (i, 1, K))/2 "
    "+ Sum(log(a3[i]), (i, 1, K))/2": "low_rank.kl_diagonal",
    "-k/2 - logdet(diag(a2) + a1*a1.T)/2 + logdet(diag(a5) + a4*a4.T)/2 "
    "+ Trace((diag(a5) + a4*a4.T)**(-1)*(diag(a2) + a1*a1.T))/2 "
    "+ Trace((a0 - a3).T*(diag(a5) + a4*a4.T)**(-1)*(a0 - a3))/2": "low_rank.kl",
    "-k/2 - logdet(a1) + logdet(a3) + Trace((a0 - a2).T*(a3.T**(-1)*a3**(-1))*(a0 - a2))/2 "
    "+ Trace(a3.T**(-1)*a3**(-1)*a1*a1.T)/2": "gaussian.kl_tril",
    "-(Sum(a0[i], (i, 1, K)) - Sum(a1[i], (i, 1, K)))*polygamma(0, Sum(a0[i], (i, 1, K))) "
    "+ loggamma(Sum(a0[i], (i, 1, K))) - loggamma(Sum(a1[i], (i, 1, K))) "
    "+ Sum((a0[i] - a1[i])*polygamma(0, a0[i]), (i, 1, K)) - Sum(loggamma(a0[i]), (i, 1, K)) "
    "+ Sum(loggamma(a1[i]), (i, 1, K))": "dirichlet.kl",
    "-log(Sum(exp(a0[i]), (i, 1, K))) + log(Sum(exp(a1[i]), (i, 1, K))) "
    "+ Sum((a0[i] - a1[i])*exp(a0[i]), (i, 1, K))/Sum(exp(a0[i]), (i, 1, K))": "logits.kl",
    "Sum((log(a0[i]) - log(a1[i]))*a0[i], (i, 1, K))": "probabilities.kl",
    "a0*Sum((log(a1[i]) - log(a3[i]))*a1[i], (i, 1, K))": "probabilities.kl_multinomial",
    "-a0*k/2 + a0*multidigamma(a0/2, k)/2 + a0*Trace(a3**(-1)*a1)/2 - a2*multidigamma(a0/2, k)/2 - a2*logdet(a1)/2 "
    "+ a2*logdet(a3)/2 - logmultigamma(a0/2, k) + logmultigamma(a2/2, k)": "wishart.kl",
    "-a0*k/2 + a0*multidigamma(a0/2, k)/2 + a0*Trace(a1**(-1)*a3)/2 - a2*multidigamma(a0/2, k)/2 + a2*logdet(a1)/2 "
    "- a2*logdet(a3)/2 - logmultigamma(a0/2, k) + logmultigamma(a2/2, k)": "wishart.kl_inverse",
    "-k*m/2 - k*logdet(a2)/2 + k*logdet(a5)/2 - m*logdet(a1)/2 + m*logdet(a4)/2 "
    "+ Trace(a4**(-1)*a1)*Trace(a5**(-1)*a2)/2 + Trace(a5**(-1)*(a0 - a3).T*a4**(-1)*(a0 - a3))/2": "matrix_normal.kl",
}

# The function that gives a kernel's value and its derivatives by all parameters, in their order.
GRADIENTS: dict[str, str] = {
    "gaussian.kl_covariance": "gaussian.kl_covariance_and_gradient",
    "gaussian.kl_tril": "gaussian.kl_and_gradient",
    "low_rank.kl_diagonal": "low_rank.kl_diagonal_and_gradient",
    "dirichlet.kl": "dirichlet.kl_and_gradient",
    "logits.kl": "logits.kl_and_gradient",
    "probabilities.kl": "probabilities.kl_and_gradient",
}


def shape(value: sp.Expr, symbols: tuple[Any, ...]) -> str:
    """The closed form with its parameters numbered in their order: equal for formulas that are one function."""
    length = sp.Symbol("K", integer=True, positive=True)
    value = value.replace(sp.Sum, lambda term, limits: sp.Sum(term, (limits[0], limits[1], length)))
    numbered = {s: sp.Symbol(f"a{n}") if s.is_Symbol else s.func(f"a{n}", *s.args[1:]) for n, s in enumerate(symbols)}
    return str(value.xreplace(numbered))


@dataclass(frozen=True)
class Kernel:
    """A function of backends.arrays, by its place, and whose parameters it takes first: P's or Q's."""

    place: str
    reverse: bool = False

    def __call__(self, p: list[Any], q: list[Any], slopes: bool) -> tuple[Any, list[Any]]:
        """The value, and with `slopes` the derivatives by the parameters of P and then of Q."""
        module, function = (GRADIENTS[self.place] if slopes else self.place).split(".")
        first, second = (q, p) if self.reverse else (p, q)
        found = getattr(import_module(f"klsym.backends.arrays.{module}"), function)(*first, *second)
        if not slopes:
            return found, []
        value, *rest = found
        parts = list(rest[0] if isinstance(rest[0], tuple) else rest)
        return value, parts[len(first) :] + parts[: len(first)] if self.reverse else parts


def kernels(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution) -> tuple[Kernel, ...]:
    """The kernels whose sum is the divergence of members of these families, none if the table has not all of them."""
    if p.family.factors:
        return ()
    definition = divergence.written(LOG_P, LOG_Q, P, Q)
    found = []
    for term in sp.Add.make_args(definition):
        reverse = term == Q(LOG_Q - LOG_P)
        if not reverse and term != P(LOG_P - LOG_Q):
            return ()
        first, second = (d.family.member(s) for d, s in zip((q, p) if reverse else (p, q), ("_p", "_q"), strict=True))
        try:
            generic = derive(kl, first, second)
        except UnderivableError:
            return ()
        if (place := KERNELS.get(shape(generic.cases[0].value, (*first.values, *second.values)))) is None:
            return ()
        found.append(Kernel(place, reverse))
    return tuple(found)


class Code(Function):
    """A formula as a function of the arrays of its parameters, in their order or by name.

    Event axes come last and leading axes broadcast; an element with an array outside its domain is NaN, with
    `check=True` a ParameterError that names the parameter, its domain and the place. The result is float64, or the
    floating type of the arrays if that is narrower. `out` receives the result. With a gradient it is a named tuple of
    the value and of an array for each parameter. `report`, of the function or of a call, gives (value, error, second):
    the relative errors estimated, derivatives' relative to the largest entry of their array, and which elements took
    the second pass, which decides those whose estimate is too large.

    `kernels` have the value in nats, of `unit` nats is the result; `members` are P's and Q's symbols; `diagonal` says
    that the value is 0 where these are equal.
    """

    def __init__(
        self,
        title: str,
        parameters: tuple[tuple[Any, ArrayParameter], ...],
        cases: tuple[Case, ...],
        constraints: tuple[Any, ...],
        sizes: dict[sp.Symbol, sp.Expr],
        numbers: dict[Any, Numbers],
        *,
        name: str = "divergence",
        kernels: tuple[Kernel, ...] = (),
        members: tuple[tuple[Any, ...], tuple[Any, ...]] = ((), ()),
        unit: float = 1.0,
        diagonal: bool = False,
        sloped: bool = False,
        second_pass: bool = True,
        report: bool = False,
    ) -> None:
        self.title, self.parameters, self.cases, self.constraints = title, parameters, cases, constraints
        self.sizes, self.numbers, self.kernels, self.members = sizes, numbers, kernels, members
        self.unit, self.diagonal, self.second_pass = unit, diagonal, second_pass
        free = [(s, p) for s, p in parameters if s not in numbers]
        self.slopes = tuple((s, p) for s, p in free if sloped and not (isinstance(s, sp.Symbol) and s.is_integer))
        text = "\n".join(f"{s}: {p}" for s, p in free)
        outputs = ("value", *(str(s) for s, _ in self.slopes))
        Function.__init__(self, name, tuple(str(s) for s, _ in free), outputs, f"{title}\n\n{text}", report)
        self.event_axes = tuple(p.axes for _, p in free)
        self._parts = tuple(() if case.kind == "infinite" else self._outputs(case) for case in cases)

    def __call__(self, *args: Any, out: Any = None, check: bool = False, report: Any = None, **kwargs: Any) -> Any:
        given = self.bound(args, kwargs)
        if (call := container(given)) is not None:
            return call(self, given, {"out": out, "check": check, "report": report})
        values = [numeric(n, v) for n, v in zip(self.arguments, given, strict=True)]
        kind, given = kind_of(values), dict(zip(self.arguments, values, strict=True))
        arrays = {
            s: np.asarray(self.numbers[s].array if s in self.numbers else given[str(s)]) for s, _ in self.parameters
        }
        arrays = {s: a.astype(float) if a.dtype == object else a for s, a in arrays.items()}
        sizes, leading = self._sizes(arrays), self._leading(arrays)
        if check:
            self._check(arrays, sizes)
        shapes = [leading, *(leading + p.event(arrays[s]) for s, p in self.slopes)]
        targets = None if out is None else self.outs(out, shapes)
        reported = self.report if report is None else report
        if not reported and (direct := self._direct(arrays, shapes)) is not None:
            return self._given(direct, kind, targets)
        found, errors, second, undecided = self._run(arrays, sizes, shapes, FINE_NARROW if kind.itemsize < 8 else FINE)
        if undecided:
            self.warn_undecided(undecided, max(int(np.prod(leading)), 1), 2)
        whole = self._given(found, kind, targets)
        if not reported:
            return whole
        return Report(whole, self.results([error[()] for error in errors]), second[()])

    def _given(self, found: list[Any], kind: Any, targets: list[Any] | None) -> Any:
        """The outputs in the type of the result, in what the caller gave to be filled."""
        results = [part.astype(kind, copy=False)[()] for part in found]
        for result, target in zip(results, targets or (), strict=False):
            np.copyto(target, result, casting="same_kind")
        return self.results(targets or results)

    def decided(self, *args: Any) -> list[Any]:
        """The outputs of the first case at arrays of one element, decided at rising precision; NaN where none does."""
        arrays = {s: np.asarray(n.array, dtype=float) for s, n in self.numbers.items()}
        free = [(s, p) for s, p in self.parameters if s not in self.numbers]
        arrays |= {s: np.asarray(a, dtype=float) for (s, _), a in zip(free, args, strict=True)}
        shapes = [(), *(arrays[s].shape for s, _ in self.slopes)]
        return decided(self._parts[0], arrays | self._sizes(arrays), shapes)

    def _sizes(self, arrays: Arrays) -> dict[sp.Symbol, int]:
        sizes = {d: int(n) for d, n in self.sizes.items()}
        for symbol, parameter in self.parameters:
            found = parameter.event(arrays[symbol])
            if len(found) != parameter.axes:
                raise ParameterError(
                    f"{symbol} has shape {arrays[symbol].shape}; {parameter.axes} event axes are needed"
                )
            for dimension, size in zip(parameter.dimensions, found, strict=False):
                if sizes.setdefault(dimension, size) != size:
                    raise ParameterError(f"{symbol} has size {size} where {dimension} is {sizes[dimension]}")
        return sizes

    def _leading(self, arrays: Arrays) -> tuple[int, ...]:
        try:
            return np.broadcast_shapes(*(arrays[s].shape[: arrays[s].ndim - p.axes] for s, p in self.parameters))
        except ValueError:
            shapes = ", ".join(f"{symbol} {array.shape}" for symbol, array in arrays.items())
            raise ParameterError(f"the leading axes do not broadcast: {shapes}") from None

    def _check(self, arrays: Arrays, sizes: dict[Any, Any]) -> None:
        """Raise ParameterError for the first array that is not in its domain, or numbers that break a constraint."""
        for symbol, parameter in self.parameters:
            valid = parameter.inside(arrays[symbol])
            if not valid.all():
                raise ParameterError(f"{symbol}{place_of(~valid)[1]} is not in the domain: {parameter}")
        for constraint in self.constraints:
            valid = np.asarray(holds(constraint, arrays | sizes))
            if not valid.all():
                raise ParameterError(f"{constraint} does not hold{place_of(~valid)[1]}")

    def _run(
        self, arrays: Arrays, sizes: dict[Any, Any], shapes: list[tuple[int, ...]], limit: float
    ) -> tuple[list[Any], list[Any], Any, int]:
        """The outputs, their relative errors, which elements took the second pass, and how many it did not decide."""
        leading = shapes[0]
        found, errors = [np.full(shape, np.nan) for shape in shapes], [np.full(leading, np.nan) for _ in shapes]
        second, undecided = np.zeros(leading, dtype=bool), 0
        values = {s: a.astype(float, copy=False) for s, a in arrays.items()}
        rest = np.broadcast_to(self._valid(arrays, values | sizes, trusting=bool(self.kernels)), leading)
        inside = self._safe(values) if any(case.when.has(Least) for case in self.cases) else values
        for case, outputs in zip(self.cases, self._parts, strict=True):
            here = rest & holds(case.when, inside | sizes)
            rest = rest & ~here
            if case.kind == "infinite":
                found[0][here], errors[0][here] = np.inf, 0.0
                continue
            first = self._first(outputs, arrays, values | sizes)
            same = here & self._same(values)
            for mine, error, (value, bound) in zip(found, errors, first, strict=True):
                mine[here] = np.broadcast_to(value, mine.shape)[here]
                error[here] = np.broadcast_to(relative(value, bound, mine.ndim - len(leading)), leading)[here]
                if self.kernels:
                    same = same & (found[0] == 0)
                mine[same], error[same] = 0.0, 0.0
            allowed = limit if case.kind == "closed" else max(limit, INTEGRAL)
            doubtful = here & ~np.logical_and.reduce([error <= allowed * EPSILON for error in errors])
            doubtful &= ~(np.isinf(found[0]) & (errors[0] == 0))
            if self.kernels and doubtful.any():
                doubtful &= self._valid(arrays, values | sizes, trusting=False)
            if self.second_pass:
                undecided += self._second(outputs, values, sizes, doubtful, found, errors, second)
        infinite = np.isinf(found[0])
        for slope, error in zip(found[1:], errors[1:], strict=True):
            slope[infinite], error[infinite] = np.nan, np.nan
        return found, errors, second, undecided

    def _second(
        self,
        outputs: tuple[Output, ...],
        values: Arrays,
        sizes: dict[Any, Any],
        doubtful: Any,
        found: list[Any],
        errors: list[Any],
        second: Any,
    ) -> int:
        """Decide the doubtful elements, in place; how many stay undecided."""
        whole = {s: np.broadcast_to(values[s], doubtful.shape + p.event(values[s])) for s, p in self.parameters}
        events, undecided = [part.shape[doubtful.ndim :] for part in found], 0
        self.warn_slow(int(doubtful.sum()), "", 4)
        for place in map(tuple, np.argwhere(doubtful)):
            exact = decided(outputs, {s: a[place] for s, a in whole.items()} | sizes, events)
            known = [not np.isnan(part).any() for part in exact]
            second[place] = all(known) or np.isinf(exact[0])
            undecided += not second[place]
            for mine, error, part, sure in zip(found, errors, exact, known, strict=True):
                mine[place], error[place] = part, EPSILON / 2 if sure else np.inf
        return undecided

    def _valid(self, arrays: Arrays, values: Arrays, trusting: bool) -> Any:
        """Which elements are in the domains; a kernel, if trusted, sees to it but for symmetry and sums."""
        valid = np.True_
        for symbol, parameter in self.parameters:
            if trusting and isinstance(symbol, Symmetric):
                valid = valid & symmetric(values[symbol])
            elif not (trusting and parameter.axes) or parameter.domain is simplex:
                valid = valid & parameter.inside(arrays[symbol])
        for constraint in self.constraints:
            valid = valid & holds(constraint, values)
        return valid

    def _same(self, values: Arrays) -> Any:
        """Where P and Q are one distribution, so that the divergence is 0 and no derivative is not."""
        if not self.diagonal:
            return np.False_
        of = dict(self.parameters)
        same = np.True_
        for a, b in zip(*self.members, strict=True):
            event = tuple(range(-of[a].axes if a in of else 0, 0))
            same = same & (np.asarray(_at(a, values)) == _at(b, values)).all(event)
        return same

    def _outputs(self, case: Case) -> tuple[Output, ...]:
        symbols = [s for s, _ in self.slopes]
        parts = gradient(case.value, symbols) if symbols else ()
        slopes = (
            Output(str(s), e, p.axes, p.domain is lower_triangular)
            for (s, p), e in zip(self.slopes, parts, strict=True)
        )
        return (Output("value", case.value), *slopes)

    def _first(self, outputs: tuple[Output, ...], arrays: Arrays, values: Arrays) -> list[tuple[Any, Any]]:
        """The outputs, and bounds of their errors: by kernels as far as there are any, else by the closed forms."""
        done: list[tuple[Any, Any]] = []
        if self.kernels:
            numbers = self._by_kernels(arrays)
            with np.errstate(all="ignore"):
                done = [(x, np.where(np.isinf(x), 0.0, KERNEL * EPSILON * abs(x))) for x in numbers]
        if len(done) < len(outputs):
            done += estimated(outputs[len(done) :], self._safe(values))
        return done

    def _by_kernels(self, arrays: Arrays) -> list[Any]:
        """The value, and the derivatives if all kernels have them."""
        slopes = bool(self.slopes) and all(kernel.place in GRADIENTS for kernel in self.kernels)
        p, q = ([_at(value, arrays) for value in member] for member in self.members)
        parts = [kernel(p, q, slopes) for kernel in self.kernels]
        value, by = parts[0][0], dict[Any, Any]()
        for more, _ in parts[1:]:
            value = value + more
        for _, rest in parts:
            for symbol, part in zip((*self.members[0], *self.members[1]), rest, strict=False):
                by[symbol] = by[symbol] + part if symbol in by else part
        found = [value, *(by[s] for s, _ in self.slopes)] if slopes else [value]
        with np.errstate(all="ignore"):
            return [np.asarray(x) if self.unit == 1.0 else np.asarray(x) / self.unit for x in found]

    def _direct(self, arrays: Arrays, shapes: list[tuple[int, ...]]) -> list[Any] | None:
        """The outputs where the kernels have them all, no element needs another look, and nobody asks for errors."""
        case, *others = self.cases
        if others or not self.kernels or any(when != sp.true for when in (case.when, *self.constraints)):
            return None
        if not np.all(self._valid(arrays, arrays, trusting=True)):
            return None
        found = self._by_kernels(arrays)
        if len(found) < len(shapes) or not (np.isfinite(found[0]) & (found[0] != 0)).all():
            return None
        return [x if x.shape == s else np.broadcast_to(x, s).copy() for x, s in zip(found, shapes, strict=True)]

    def _safe(self, values: Arrays) -> Arrays:
        """The arrays, the identity or ones in place of those outside the domains."""
        safe = dict(values)
        for symbol, parameter in self.parameters:
            mask = parameter.inside(values[symbol])
            neutral = np.eye(*values[symbol].shape[-2:]) if parameter.axes == 2 else 1.0
            safe[symbol] = np.where(mask[(..., *[None] * parameter.axes)], values[symbol], neutral)
        return safe


def _at(value: Any, arrays: Arrays) -> Any:
    """The array of a symbol, or a number that takes the place of one."""
    return arrays[value] if value in arrays else np.asarray(walk(value, arrays), dtype=float)
