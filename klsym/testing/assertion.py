"""A function beside the truth at points that hypothesis draws, climbs from and shrinks."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings, target
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from ..core.errors import KlsymError, ParameterError
from ..core.family import Distribution, Family
from .points import Drawing, Members, Point, members
from .truth import Truth

EPS = {"float64": 2.0**-52, "float32": 2.0**-23}
SMALLEST = {"float64": 2.0**-1074, "float32": 2.0**-149}
TYPES: dict[str, Callable[[Any], Any]] = {"float64": float, "float32": np.float32}
# As many pairs in one call, where the function takes arrays.
BATCH = 4


@dataclass(frozen=True)
class Check:
    """What became of a function: how many pairs were tried, the worst error in eps, the plainest failure, if any."""

    function: str
    pair: str
    points: int
    worst: float
    fault: str = ""

    @property
    def ok(self) -> bool:
        return not self.fault

    def __repr__(self) -> str:
        if self.fault:
            return self.fault
        return f"{self.function}: {self.pair}, {self.points} points, worst {self.worst:.2g} eps"


class Fault(Exception):
    """The function fails at an element of a call: what is wrong in a few words, and what it gave."""

    def __init__(self, what: str, got: str, batch: list[Point], element: int = 0) -> None:
        super().__init__(what)
        self.what, self.got, self.batch, self.element = what, got, batch, element


def assert_kl(
    fn: Callable[..., Any], p: Family | Distribution, q: Family | Distribution | None = None, **options: Any
) -> Check:
    """Assert that `fn` computes KL(P || Q), in nats; Q is of P's family if it is left out.

    The function is called with P's parameters and then Q's, in catalog order, as floats (integers where a parameter is
    one), or with `arrays=True` as arrays of one axis, of which it has to return one. Points are drawn by hypothesis,
    which climbs to where the error grows; a failure is shrunk to the plainest numbers that show it, and confirmed by
    quadrature of the definition. The options, with their defaults:

    eps=64.0: the relative error that passes, in units of 2^-52 (2^-23 in float32). absolute=0.0: an error in nats that
    passes all the same and counts as none, for functions that are to be right only so far. points=100: how many are
    drawn. near=True: also pairs that nearly or exactly meet; a textbook formula fails there. extreme=False: also sizes
    from 1e-8 to 1e8. ends=False: also the closed ends of domains. arrays=False. dtype="float64", or "float32". seed=0:
    of the points.

    Returns a Check. Raises AssertionError where the function is wrong, has no number, raises, or has another shape.

    >>> from klsym import Normal, kl
    >>> assert_kl(kl(Normal, Normal).compile("numpy"), Normal, eps=8, arrays=True).ok
    True
    """
    __tracebackhide__ = True
    check = check_kl(fn, p, q, **options)
    if not check.ok:
        raise AssertionError(check.fault)
    return check


def check_kl(
    fn: Callable[..., Any],
    p: Family | Distribution,
    q: Family | Distribution | None = None,
    *,
    eps: float = 64.0,
    absolute: float = 0.0,
    points: int = 100,
    near: bool = True,
    extreme: bool = False,
    ends: bool = False,
    arrays: bool = False,
    dtype: Literal["float64", "float32"] = "float64",
    seed: int = 0,
) -> Check:
    """What `assert_kl` asserts, as a Check that holds the failure instead of raising it."""
    if dtype not in EPS:
        raise ParameterError(f"dtype is {dtype!r}; it must be float64 or float32")
    if points < 1:
        raise ParameterError(f"points is {points}; it must be at least 1")
    of = members(p, p if q is None else q)
    drawing = Drawing(of, near=near, ends=ends, extreme=extreme, width=64 if dtype == "float64" else 32)
    return Trial(fn, of, Truth(of), eps, absolute, arrays, dtype).run(drawing, points, seed)


class Trial:
    """One check under way: the function, the truth, what passes, and what was seen so far."""

    def __init__(
        self, fn: Callable[..., Any], of: Members, truth: Truth, eps: float, absolute: float, arrays: bool, dtype: str
    ) -> None:
        self.fn, self.of, self.truth, self.arrays, self.dtype = fn, of, truth, arrays, dtype
        self.eps, self.absolute = eps, absolute
        self.name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None) or repr(fn)
        self.seen, self.judged, self.worst = 0, 0, 0.0

    def run(self, drawing: Drawing, points: int, number: int) -> Check:
        """Try the points; the failure that is left when hypothesis has shrunk it is the plainest."""
        batches = st.lists(drawing.points, min_size=1, max_size=BATCH if self.arrays else 1)

        @seed(number)
        @settings(
            max_examples=points,
            deadline=None,
            database=None,
            verbosity=Verbosity.quiet,
            phases=(Phase.generate, Phase.target, Phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=[*HealthCheck],  # pyright: ignore[reportArgumentType]
        )
        @given(batches)
        def tried(batch: list[Point]) -> None:
            worst = self.attempt(batch)
            target(math.log10(1 + min(worst, 1e300)))

        pair = " || ".join(str(member.family.name) for member in self.of.members)
        try:
            tried()
        except Fault as fault:
            return Check(self.name, pair, self.judged, self.worst, self.told(fault))
        except Flaky as error:
            said = f"{self.name} gives different answers at the same parameters: {error}"
            return Check(self.name, pair, self.judged, self.worst, said)
        if not self.judged:
            raise KlsymError(f"the truth of {pair} is not known at any of {self.seen} points; nothing was checked")
        return Check(self.name, pair, self.judged, self.worst)

    def attempt(self, batch: list[Point]) -> float:
        """The worst error of one call in eps; Fault at the first element that is wrong."""
        self.seen += len(batch)
        got = self.answers(batch)
        errors = [0.0]
        for place, (value, point) in enumerate(zip(got, batch, strict=True)):
            truth = self.truth(point)
            if math.isnan(truth):
                continue
            self.judged += 1
            error = 0.0 if abs(value - truth) <= self.absolute else self.error(value, truth)
            errors.append(error)
            self.worst = max(self.worst, error)
            if error > self.eps:
                raise Fault(wrong(value, truth, error, self.eps), repr(value), batch, place)
        return max(errors)

    def answers(self, batch: list[Point]) -> list[float]:
        """What the function returns, an element a point; Fault if it raises or has another shape."""
        rows = [[x for side in self.of.numbers(point) for x in side] for point in batch]
        kind = TYPES[self.dtype]
        columns = [
            [x if isinstance(x, int) else kind(x) for x in column] for column in map(list, zip(*rows, strict=True))
        ]
        arguments = [np.array(column) for column in columns] if self.arrays else [column[0] for column in columns]
        try:
            # A test's own output is not the place for what the function prints at a hundred points.
            with contextlib.redirect_stdout(sys.stderr), np.errstate(all="ignore"):
                found = np.asarray(self.fn(*arguments), dtype=float)
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise Fault(f"raises {type(error).__name__}", said, batch) from error
        wanted = (len(batch),) if self.arrays else ()
        if found.shape != wanted:
            raise Fault(f"returns the shape {found.shape} for arguments of shape {wanted}", str(found), batch)
        return [float(x) for x in found.reshape(-1)]

    def error(self, got: float, truth: float) -> float:
        """The relative error in eps, infinite where only one of the two is a finite number, or 0."""
        if got == truth:
            return 0.0
        if not (math.isfinite(got) and math.isfinite(truth)) or truth == 0:
            return math.inf
        return abs(got - truth) / max(abs(truth) * EPS[self.dtype], SMALLEST[self.dtype])

    def told(self, fault: Fault) -> str:
        """The failure for a person: what, where, got, true and by what proof.

        Raises KlsymError where formula and definition disagree: then it is not known that the function is wrong.
        """
        evidence = self.truth.evidence(fault.batch[fault.element])
        others = "".join(
            f"\n       with {self.written(point)} {'before' if place < fault.element else 'after'} it in the arrays"
            for place, point in enumerate(fault.batch)
            if place != fault.element
        )
        text = (
            f"{self.name} {fault.what}\n"
            f"  at   {self.written(fault.batch[fault.element])}{others}\n"
            f"  got  {fault.got}\n"
            f"  true {evidence.text}\n"
            f"       by {evidence.proof}\n"
            f"  the plainest failure in {self.seen} points; the worst error among them is {self.worst:.2g} eps"
        )
        if not evidence.certain:
            raise KlsymError(f"the truth is not known, so the function may be right: {text}")
        return text

    def written(self, point: Point) -> str:
        """The point as a call of KL."""
        sides: list[str] = []
        for member, numbers in zip(self.of.members, self.of.numbers(point), strict=True):
            named = zip(member.family.parameters, numbers, strict=True)
            sides.append(f"{member.family.name}({', '.join(f'{p.name}={x!r}' for p, x in named)})")
        return f"KL({' || '.join(sides)}){'' if self.dtype == 'float64' else f' in {self.dtype}'}"


def wrong(got: float, truth: float, error: float, eps: float) -> str:
    """What is wrong with a number."""
    if math.isnan(got):
        return "gives no number"
    if math.isinf(got) or math.isinf(truth):
        return "is infinite where it must not be" if math.isinf(got) else "is finite where it must not be"
    if truth == 0:
        return "is not 0 where P and Q are equal"
    return f"is {'negative, ' * (got < 0)}off by {error:.2g} eps, and {eps:g} are allowed"
