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

from ..render import aligned
from ..samples.choose import estimate
from ..samples.counts import estimate_counts
from .laws import CASES, Case

Row = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """A library and its estimators; most: outcomes beyond which it takes minutes, many: from MANY dimensions on."""

    library: str
    calls: dict[str, Callable[..., Any]]
    most: int = 1_000_000
    many: int = 10_000


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


def _scipy(method: str) -> dict[str, Callable[..., Any]]:
    def call(x: Any) -> float:
        from scipy.stats import differential_entropy

        return float(differential_entropy(x[:, 0], method=method)) if x.shape[1] == 1 else math.nan

    return {"entropy": call}


def _npeet(x: Any, y: Any = None, k: int = 3) -> float:
    """What NPEET computes (G. Ver Steeg, 2014; it is not on the package index): the third neighbours in a cube."""
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    n, d = x.shape
    own = np.log(cKDTree(x).query(x, k=k + 1, p=np.inf)[0][:, k]).mean()
    if y is None:
        return float(digamma(n) - digamma(k) + d * (math.log(2) + own))
    other = cKDTree(y).query(x, k=k, p=np.inf)[0][:, k - 1]
    return float(math.log(len(y)) - math.log(n - 1) + d * (np.log(other).mean() - own))


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


# From so many dimensions a tree looks at nearly every point.
MANY = 10
SUBJECTS = {
    "klsym": Subject("klsym", _klsym(), many=1_000_000),
    "klsym, number alone": Subject("klsym", _klsym(level=None), many=1_000_000),
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
    "NPEET's formula": Subject("scipy", {"kl": _npeet, "entropy": _npeet}),
    "scipy": Subject("scipy", _scipy("auto") | {"counts": _scipy_counts}),
    **{f"scipy, {method}": Subject("scipy", _scipy(method)) for method in ("vasicek", "van es", "ebrahimi", "correa")},
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
                place = {"case": name, "held": case.held, "d": d, "n": n, "truth": truth, "seed": seed}
                yield place | _tried(case, d, n, repeats, seed)


def _tried(case: Case, d: int, n: int, repeats: int, seed: int) -> Row:
    present = {
        name: subject.calls[case.quantity]
        for name, subject in SUBJECTS.items()
        if case.quantity in subject.calls
        and n <= (subject.most if d < MANY else min(subject.most, subject.many))
        and find_spec(subject.library)
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
            place = (
                row["case"] + " *" * row["held"],
                str(row["d"]),
                str(row["n"]),
                f"{row['truth']:.4f}",
                one["subject"],
            )
            shown = cover if one["subject"] == "klsym" else ("", "")
            lines.append((*place, *numbers, *shown, f"{one['seconds'] * 1e3:.3g}"))
    absent = sorted({s.library for s in SUBJECTS.values() if not find_spec(s.library)})
    left_out = f" Not installed, so left out: {', '.join(absent)}." if absent else ""
    return (
        f"{aligned(lines)}\n\n{repeats} samples each. given: how often a 95% interval was, covers: how often it then "
        "held the true value. ms: the least processor time of a call. *: a law by which no threshold of "
        f"klsym's number was chosen.{left_out}"
    )
