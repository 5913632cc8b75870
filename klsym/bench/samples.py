"""Estimators from samples beside those of other libraries: bias, spread, coverage and time where the value is known."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from .. import MultivariateNormal, Normal, entropy, gaussian, kl
from ..families import catalog
from ..render import aligned
from ..samples.choose import estimate
from ..samples.counts import estimate_counts

Row = dict[str, Any]
Draw = Callable[[np.random.Generator, int, int], tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """Samples of n outcomes in d dimensions, and the closed form of what is to be estimated from them."""

    quantity: str
    draw: Draw
    truth: Callable[[int], float]
    dimensions: tuple[int, ...] = (1, 2, 5, 10, 20)


def _normals(shift: float, scale: float) -> Draw:
    """A standard normal law and one moved by `shift` in all, and wider."""
    return lambda rng, n, d: (rng.normal(size=(n, d)), shift / math.sqrt(d) + scale * rng.normal(size=(n, d)))


def _correlation(d: int) -> Any:
    return 0.7 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))


def _correlated(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
    return rng.normal(size=(n, d)) @ np.linalg.cholesky(_correlation(d)).T, rng.normal(size=(n, d))


def _products(law: str) -> Draw:
    def draw(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
        sample = getattr(rng, law)
        return sample(size=(n, d)), 1.5 * sample(size=(n, d))

    return draw


def _pair(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
    x = rng.normal(size=n)
    return x, 0.6 * x + 0.8 * rng.normal(size=n)


def _categories(rng: np.random.Generator, n: int, d: int) -> tuple[Any, ...]:
    return rng.multinomial(n, SHARES[0]), rng.multinomial(n, SHARES[1])


def _each(p: Any, q: Any) -> Callable[[int], float]:
    return lambda d: d * float(kl(p, q))


SHARES = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
LAPLACE, EXPONENTIAL = catalog["Laplace"], catalog["Exponential"]
CASES = {
    "kl, normal, moved": Case("kl", _normals(1, 1), lambda d: float(kl(Normal(0, 1), Normal(1, 1)))),
    "kl, normal, wider": Case("kl", _normals(0, 1.5), _each(Normal(0, 1), Normal(0, 1.5))),
    "kl, normal, correlated": Case(
        "kl",
        _correlated,
        lambda d: float(
            kl(
                MultivariateNormal(np.zeros(d).tolist(), _correlation(d).tolist()),
                MultivariateNormal(np.zeros(d).tolist(), np.eye(d).tolist()),
            )
        ),
        (2, 5, 10, 20),
    ),
    "kl, laplace, wider": Case("kl", _products("laplace"), _each(LAPLACE(0, 1), LAPLACE(0, 1.5))),
    "kl, exponential, wider": Case("kl", _products("exponential"), _each(EXPONENTIAL(3), EXPONENTIAL(2))),
    "entropy, normal": Case(
        "entropy", lambda rng, n, d: (rng.normal(size=(n, d)),), lambda d: d * float(entropy(Normal(0, 1)))
    ),
    "information, normal pair": Case(
        "mutual_information", _pair, lambda d: gaussian.mutual_information([[1, 0.6], [0.6, 1]], 0, 1), (1,)
    ),
    "kl, counts of 4": Case("counts", _categories, lambda d: float(kl(*SHARES)), (1,)),
}


@dataclass(frozen=True)
class Subject:
    """A library and its estimator of each quantity; most: outcomes beyond which it takes minutes."""

    library: str
    calls: dict[str, Callable[..., Any]]
    most: int = 1_000_000


def _divergence(name: str) -> Callable[..., Any]:
    def call(*samples: Any) -> float:
        import divergence

        return float(getattr(divergence, name)(*samples))

    return call


def _infomeasure(name: str, approach: str) -> Callable[..., Any]:
    def call(*samples: Any) -> float:
        import infomeasure

        return float(getattr(infomeasure, name)(*samples, approach=approach))

    return call


def _universal(x: Any, y: Any) -> float:
    import universal_divergence

    return float(universal_divergence.estimate(x, y))


def _scipy(x: Any) -> float:
    from scipy.stats import differential_entropy

    return float(differential_entropy(x[:, 0])) if x.shape[1] == 1 else math.nan


def _scipy_counts(p: Any, q: Any) -> float:
    from scipy.stats import entropy

    return float(entropy(p, q))


def _klsym(**options: Any) -> dict[str, Callable[..., Any]]:
    return {
        "kl": lambda x, y: estimate(x, y, **options),
        "entropy": lambda x: estimate(x, **options),
        "mutual_information": lambda x, y: estimate(x, y, quantity="mutual_information", **options),
        "counts": lambda p, q: estimate_counts(p, q, **options),
    }


SUBJECTS = {
    "klsym": Subject("klsym", _klsym()),
    "klsym, number alone": Subject("klsym", _klsym(level=None)),
    "divergence": Subject(
        "divergence",
        {
            "kl": _divergence("knn_kl_divergence"),
            "entropy": _divergence("knn_entropy"),
            "mutual_information": _divergence("ksg_mutual_information"),
        },
    ),
    "infomeasure": Subject(
        "infomeasure",
        {
            "kl": _infomeasure("kullback_leiber_divergence", "metric"),
            "entropy": _infomeasure("entropy", "metric"),
            "mutual_information": _infomeasure("mutual_information", "ksg"),
        },
    ),
    "universal-divergence": Subject("universal_divergence", {"kl": _universal}, most=300),
    "scipy": Subject("scipy", {"entropy": _scipy, "counts": _scipy_counts}),
}


def rows(
    dimensions: Sequence[int], sizes: Sequence[int], repeats: int, seed: int = 0, cases: Iterable[str] = CASES
) -> Iterator[Row]:
    """Each case, dimension and size: what every subject found in samples of the seeds from `seed` on.

    The values themselves are in the row, so that runs with other seeds can be put together.
    """
    for name in cases:
        case = CASES[name]
        for d in (d for d in case.dimensions if d in dimensions):
            truth = case.truth(d)
            for n in sizes:
                yield {"case": name, "d": d, "n": n, "truth": truth, "seed": seed} | _tried(case, d, n, repeats, seed)


def _tried(case: Case, d: int, n: int, repeats: int, seed: int) -> Row:
    present = {
        name: subject.calls[case.quantity]
        for name, subject in SUBJECTS.items()
        if case.quantity in subject.calls and n <= subject.most and find_spec(subject.library)
    }
    values: dict[str, list[float]] = {name: [] for name in present}
    spent: dict[str, list[float]] = {name: [] for name in present}
    intervals: list[tuple[float, float] | None] = []
    for repeat in range(repeats):
        samples = case.draw(np.random.default_rng([seed + repeat, d, n]), n, d)
        for name, call in present.items():
            start = time.process_time()
            found = call(*samples)
            spent[name].append(time.process_time() - start)
            values[name].append(float(found))
            if name == "klsym":
                intervals.append(found.interval)
    return {"values": values, "seconds": spent, "intervals": intervals}


def summary(row: Row) -> Iterator[Row]:
    """Of each subject: bias, standard deviation, root of the mean square, and the least time; of klsym's, coverage."""
    for name, found in row["values"].items():
        off = np.array(found) - row["truth"]
        given = [i for i in row["intervals"] if i is not None] if name == "klsym" else []
        held = [low <= row["truth"] <= high for low, high in given]
        yield {
            "subject": name,
            "bias": float(off.mean()),
            "sd": float(off.std(ddof=1)) if len(off) > 1 else math.nan,
            "rms": math.sqrt(float(np.square(off).mean())),
            "given": len(given) / len(off),
            "held": float(np.mean(held)) if held else None,
            "seconds": min(row["seconds"][name]),
        }


def text(found: Sequence[Row], repeats: int) -> str:
    """The rows as a table."""
    head = ("case", "d", "n", "true", "subject", "bias", "sd", "rms", "given", "covers", "ms")
    lines: list[tuple[str, ...]] = [head]
    for row in found:
        for one in summary(row):
            if not math.isfinite(one["bias"]):
                continue
            numbers = (f"{one[key]:.4f}" for key in ("bias", "sd", "rms"))
            cover = (f"{one['given']:.0%}", "-" if one["held"] is None else f"{one['held']:.1%}")
            place = (row["case"], str(row["d"]), str(row["n"]), f"{row['truth']:.4f}", one["subject"])
            shown = cover if one["subject"] == "klsym" else ("", "")
            lines.append((*place, *numbers, *shown, f"{one['seconds'] * 1e3:.3g}"))
    absent = sorted({s.library for s in SUBJECTS.values() if not find_spec(s.library)})
    left_out = f" Not installed, so left out: {', '.join(absent)}." if absent else ""
    return (
        f"{aligned(lines)}\n\n{repeats} samples each. given: how often a 95% interval was, covers: how often it then "
        f"held the true value. ms: the least processor time of a call.{left_out}"
    )
