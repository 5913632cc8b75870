"""Divergences of probability vectors and of samples beside SciPy, dit and the package divergence, on the same inputs.

The vectors sum to exactly 1, so that every convention means the same number, which is computed from its definition to
50 digits, of the doubles as they are. What takes samples gets those that have exactly these frequencies.
"""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from .. import wasserstein1
from ..render import aligned
from .run import Row, timed

Vector = NDArray[np.float64]
Numbers = list[Any]
DIGITS, EPS = 50, 2.0**-52
LIBRARIES = ("klsym", "scipy", "dit", "divergence")
GRAIN = 1024  # of everyday probabilities, and how many samples have exactly such frequencies


@dataclass(frozen=True)
class Input:
    """Two vectors, or two samples, and the samples of categories that have exactly these frequencies, if any have."""

    name: str
    p: Vector
    q: Vector

    def samples(self) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        counts = [side * GRAIN for side in (self.p, self.q)]
        if any((count != np.rint(count)).any() for count in counts):
            return None
        first, second = (np.repeat(np.arange(len(count)), count.astype(int)) for count in counts)
        return first, second


@dataclass(frozen=True)
class Call:
    """A function of a library: where it is, what it takes, arguments beside, and how many of ours its unit has.

    It takes "vectors", "places" (the outcomes 0, 1, 2, ... twice, and their probabilities), "samples", or dit's
    "distributions"; `of_p` says that it takes P's alone.
    """

    where: str
    takes: str = "vectors"
    beside: tuple[Any, ...] = ()
    named: tuple[tuple[str, Any], ...] = ()
    unit: Callable[[], Any] = lambda: 1
    of_p: bool = False

    def prepared(self, given: Input) -> Callable[[], Any] | None:
        """The call of these two, what it takes being made beforehand; None where it cannot be made."""
        module, _, name = self.where.rpartition(".")
        function, sides = getattr(import_module(module), name), self._sides(given)
        if sides is None:
            return None
        return partial(function, *(sides[:1] if self.of_p else sides), *self.beside, **dict(self.named))

    def _sides(self, given: Input) -> Any:
        if self.takes == "vectors":
            return given.p, given.q
        if self.takes == "places":
            return [np.arange(len(given.p))] * 2 + [given.p, given.q]
        if self.takes == "samples":
            return given.samples()
        law = import_module("dit").Distribution
        labels = [f"{place:02}" for place in range(len(given.p))]
        return law(labels, given.p), law(labels, given.q)


def _kl(p: Numbers, q: Numbers) -> Any:
    return mp.fsum(a * mp.log(a / b) if b else mp.inf for a, b in zip(p, q, strict=True) if a)


def _cross_entropy(p: Numbers, q: Numbers) -> Any:
    return -mp.fsum(a * mp.log(b) if b else -mp.inf for a, b in zip(p, q, strict=True) if a)


def _power(p: Numbers, q: Numbers, order: float) -> Any:
    pairs = [(a, b) for a, b in zip(p, q, strict=True) if a]
    return mp.fsum(a**order * b ** (1 - order) if b else mp.inf * (order > 1) if order > 1 else 0 for a, b in pairs)


def _jensen_shannon(p: Numbers, q: Numbers) -> Any:
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return (_kl(p, middle) + _kl(q, middle)) / 2


def _between(p: Numbers, q: Numbers) -> Any:
    return mp.fsum(abs(mp.fsum(p[:k]) - mp.fsum(q[:k])) for k in range(1, len(p)))


def wasserstein(x: Vector, y: Vector) -> Any:
    """klsym's distance of the laws of two samples: at the places of both, those of x with the probabilities of x."""
    places, index = np.unique(np.concatenate([x, y]), return_inverse=True)
    p, q = (np.bincount(part, minlength=places.size) / part.size for part in np.split(index, [x.size]))
    return wasserstein1(p, q, positions=places)


def _wasserstein(x: Numbers, y: Numbers) -> Any:
    return mp.fsum(abs(a - b) for a, b in zip(sorted(x), sorted(y), strict=True)) / len(x)


def _bits() -> Any:
    return mp.log(2)


OfDit, Sampled = partial(Call, takes="distributions"), partial(Call, takes="samples")
DISCRETE = (("discrete", True),)
PMF = "dit.divergences.pmf"

# Each with its definition and the functions that compute it; a library may have several.
FUNCTIONS: dict[str, tuple[Callable[[Numbers, Numbers], Any], tuple[Call, ...]]] = {
    "kl": (
        _kl,
        (
            Call("klsym.kl"),
            Call("scipy.stats.entropy"),
            Call(f"{PMF}.relative_entropy", unit=_bits),
            Sampled("divergence.discrete_relative_entropy"),
        ),
    ),
    "jeffreys": (
        lambda p, q: _kl(p, q) + _kl(q, p),
        (Call("klsym.jeffreys"), Sampled("divergence.jeffreys_divergence", named=DISCRETE)),
    ),
    "entropy": (
        lambda p, q: _cross_entropy(p, p),
        (
            Call("klsym.entropy", of_p=True),
            Call("scipy.stats.entropy", of_p=True),
            Call("dit.shannon.entropy_pmf", of_p=True, unit=_bits),
            Sampled("divergence.discrete_entropy", of_p=True),
        ),
    ),
    "cross_entropy": (
        _cross_entropy,
        (
            Call("klsym.cross_entropy"),
            Call(f"{PMF}.cross_entropy", unit=_bits),
            Sampled("divergence.discrete_cross_entropy"),
        ),
    ),
    "renyi 1/2": (
        lambda p, q: -2 * mp.log(_power(p, q, 0.5)),
        (
            Call("klsym.renyi", beside=(0.5,)),
            OfDit("dit.divergences.renyi_divergence", beside=(0.5,), unit=_bits),
            Sampled("divergence.renyi_divergence", named=(("alpha", 0.5), *DISCRETE)),
        ),
    ),
    "renyi 2": (
        lambda p, q: mp.log(_power(p, q, 2)),
        (
            Call("klsym.renyi", beside=(2,)),
            OfDit("dit.divergences.renyi_divergence", beside=(2,), unit=_bits),
            Sampled("divergence.renyi_divergence", named=(("alpha", 2.0), *DISCRETE)),
        ),
    ),
    "tsallis 1/2": (
        lambda p, q: 2 * (1 - _power(p, q, 0.5)),
        (
            Call("klsym.tsallis", beside=(0.5,)),
            OfDit("dit.divergences.tsallis_divergence", beside=(0.5,)),
        ),
    ),
    "alpha 1/2": (
        lambda p, q: 4 * (1 - _power(p, q, 0.5)),
        (
            Call("klsym.alpha_divergence", beside=(0.5,)),
            OfDit("dit.divergences.alpha_divergence", beside=(0.0,)),
            Sampled("divergence.cressie_read_divergence", named=(("lambda_param", -0.5), *DISCRETE)),
        ),
    ),
    "chi2": (
        lambda p, q: _power(p, q, 2) - 1,
        (
            Call("klsym.chi2"),
            OfDit("dit.divergences.hellinger_divergence", beside=(2,)),
            Sampled("divergence.chi_squared_divergence", named=DISCRETE),
        ),
    ),
    "hellinger2": (
        lambda p, q: 1 - _power(p, q, 0.5),
        (
            Call("klsym.hellinger2"),
            Sampled("divergence.squared_hellinger_distance", named=DISCRETE, unit=lambda: mp.mpf(0.5)),
        ),
    ),
    "hellinger": (
        lambda p, q: mp.sqrt(1 - _power(p, q, 0.5)),
        (Call("klsym.hellinger"), Call(f"{PMF}.hellinger_distance")),
    ),
    "jensen_shannon": (
        _jensen_shannon,
        (
            Call("klsym.jensen_shannon"),
            Call(f"{PMF}.jensen_shannon_divergence2", unit=_bits),
            Sampled("divergence.discrete_jensen_shannon_divergence"),
        ),
    ),
    "jensen_shannon_distance": (
        lambda p, q: mp.sqrt(_jensen_shannon(p, q)),
        (Call("klsym.jensen_shannon_distance"), Call("scipy.spatial.distance.jensenshannon")),
    ),
    "total_variation": (
        lambda p, q: mp.fsum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2,
        (
            Call("klsym.total_variation"),
            Call(f"{PMF}.variational_distance"),
            Sampled("divergence.total_variation_distance", named=DISCRETE),
        ),
    ),
    "wasserstein of laws": (
        _between,
        (Call("klsym.wasserstein1"), Call("scipy.stats.wasserstein_distance", takes="places")),
    ),
}
OF_SAMPLES: dict[str, tuple[Callable[[Numbers, Numbers], Any], tuple[Call, ...]]] = {
    "wasserstein": (
        _wasserstein,
        (
            Call("klsym.bench.divergences.wasserstein"),
            Call("scipy.stats.wasserstein_distance"),
            Call("divergence.wasserstein_distance"),
        ),
    ),
}


def inputs() -> Iterator[Input]:
    """Everyday vectors, nearly equal ones (by a relative gap of 1e-8), and ones with zeros of P, and of both."""
    p, q = (np.array(counts) / GRAIN for counts in ([300, 200, 180, 120, 100, 64, 40, 20], [128] * 8))
    yield Input("everyday", p, q)
    gap = np.rint(p * 1e-8 * 2.0**52) * 2.0**-52 * np.array([1, -1] * 4)
    gap[0] -= gap.sum()
    yield Input("near", p, p + gap)
    yield Input("zeros", np.array([512, 0, 256, 0, 256]) / GRAIN, np.array([256, 256, 256, 0, 256]) / GRAIN)


def draws() -> Input:
    """Samples of two normal distributions."""
    rng = np.random.default_rng(0)
    return Input("samples", rng.normal(0, 1, 1000), rng.normal(0.5, 2, 1000))


def rows(repeats: int = 5, only: tuple[str, ...] = ()) -> Iterator[Row]:
    """A row for each function, input and library: its value in our unit, its error in eps, and nanoseconds a call."""
    tables = [(FUNCTIONS, list(inputs())), (OF_SAMPLES, [draws()])]
    for functions, given in tables:
        for name in (name for name in functions if not only or name in only):
            define, calls = functions[name]
            for one in given:
                with mp.workdps(DIGITS):
                    true = mp.mpf(define(*([mp.mpf(x) for x in side.tolist()] for side in (one.p, one.q))))
                for call in (call for call in calls if find_spec(call.where.partition(".")[0])):
                    row = {"function": name, "input": one.name, "library": call.where.partition(".")[0]}
                    yield row | {"call": call.where, "true": float(true)} | _measured(call, one, true, repeats)


def _measured(call: Call, given: Input, true: Any, repeats: int) -> Row:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            run = call.prepared(given)
            if run is None:
                return {"value": None, "error": None, "ns": None, "why": "takes samples; none have these frequencies"}
            value, ns = float(run()), timed({"run": run}, 1, repeats)["run"]
        except Exception as problem:
            return {"value": None, "error": None, "ns": None, "why": f"{type(problem).__name__}: {problem}"[:100]}
    with mp.workdps(DIGITS):
        found = mp.mpf(value) * call.unit()
        same = found == true or (mp.isinf(found) and mp.isinf(true))
        wrong = abs(found - true) / abs(true) / EPS if mp.isfinite(true) and true else mp.inf
        return {"value": float(found), "error": 0.0 if same else float(wrong), "ns": ns}


def text(found: list[Row]) -> str:
    """A line for each row, and how the libraries compare."""
    table = [["function", "input", "call", "value", "error/eps", "ns"]]
    for row in found:
        known = row["value"] is not None
        shown = [f"{row['value']:.6g}", f"{row['error']:.3g}", f"{row['ns']:.0f}"] if known else ["-", "-", row["why"]]
        table.append([row["function"], row["input"], row["call"], *shown])
    lines = [_summary(name, [row for row in found if row["library"] == name]) for name in LIBRARIES]
    absent = [name for name in LIBRARIES if not find_spec(name)]
    note = [f"Not installed, so left out: {', '.join(absent)}"] if absent else []
    return "\n\n".join([aligned(table), "\n".join([*filter(None, lines), *note])])


def _summary(name: str, found: list[Row]) -> str:
    errors = [row["error"] for row in found if row["error"] is not None]
    if not errors:
        return ""
    good = sum(error <= 16 for error in errors)
    return f"{name}: {good} of {len(errors)} values within 16 eps, the worst off by {max(errors):.3g} eps"


__all__ = ["FUNCTIONS", "LIBRARIES", "OF_SAMPLES", "Call", "Input", "draws", "inputs", "rows", "text"]
