"""Points of pairs whose arguments are vectors and matrices: the sets of audit.points, for arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...arrays.domain import (
    ArrayDomain,
    columns,
    logits_list,
    positive_definite,
    positive_list,
    simplex,
    unit_vector,
    weights,
)
from ...core.domain import Domain
from ..points import extreme
from .forms import Argument
from .pair import Pair, Point, array
from .subjects import subject

Rng = np.random.Generator
Array = np.ndarray[Any, np.dtype[np.float64]]
# Probabilities are multiples of this, so that they sum to 1 exactly, in float32 too.
GRAIN = 2.0**-12
USUAL = 3
LISTS = (simplex, weights, logits_list, positive_list)


def circulant(row: Array) -> Array:
    """The nearest row that is the same from both ends, made positive definite by its first entry."""
    turned = np.round((row + np.roll(row[::-1], 1)) / 2, 3)
    return np.concatenate([[np.round(np.abs(turned).sum() + 0.5, 3)], turned[1:]])


def positive(row: Array) -> bool:
    """Whether the circulant matrix of the row is symmetric and positive definite."""
    return bool(np.array_equal(row[1:], row[:0:-1]) and (np.fft.fft(row).real > 0).all())


# What else holds of some arguments, by name: how a draw is made so, and whether it is.
ROWS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], bool]]] = {
    "cutpoints": (np.sort, lambda row: bool((np.diff(row) > 0).all())),
    "covariance_row": (circulant, positive),
}


def sized(argument: Argument, size: int) -> tuple[int, ...]:
    """The shape of an argument of outcomes of this size."""
    return (size, 2) if argument.domain is columns else (size,) * argument.axes


def fresh(domain: Any, shape: tuple[int, ...], rng: Rng, wild: bool, above: float) -> Array:
    """An argument of everyday size, or with entries from 1e-8 to 1e8, matrices of condition up to 1e8."""
    if not isinstance(domain, ArrayDomain):
        return _number(domain, rng, wild, above)
    spread = 10.0 ** rng.uniform(-4, 4, shape[:1]) if wild else np.ones(shape[:1])
    if domain in (simplex,):
        shares = np.floor(rng.dirichlet(np.full(shape, 0.3 if wild else 2.0)) / GRAIN)
        shares[np.argmax(shares)] += 1 / GRAIN - shares.sum()
        return shares * GRAIN
    if domain in (positive_list, weights):
        return np.round(rng.uniform(0.5, 4, shape), 3) * spread
    if domain is positive_definite:
        half = rng.standard_normal(shape)
        whole = np.round(half @ half.T + np.eye(shape[0]), 3)
        return (np.tril(whole) + np.tril(whole, -1).T) * np.sqrt(np.outer(spread, spread))
    if domain is unit_vector:
        free = rng.standard_normal(shape)
        return free / np.linalg.norm(free)
    free = np.round(rng.standard_normal(shape), 3)
    if domain.name.startswith("lower"):
        return (np.tril(free, -1) + np.diag(np.round(rng.uniform(0.5, 2, shape[0]), 3))) * spread[:, None]
    return free * (10.0 * wild + 1)


def _number(domain: Domain, rng: Rng, wild: bool, above: float) -> Array:
    if domain.integer:
        return np.asarray(extreme(domain, rng, 1)[0] if wild else float(rng.integers(max(1, int(above)), 7)))
    return np.asarray((extreme(domain, rng, 1)[0] if wild else round(rng.uniform(*domain.typical), 3)) + above)


def nearly(domain: Any, entry: Array, gap: float, rng: Rng) -> Array:
    """The argument with every entry moved by a relative gap of about this size, still in its domain."""
    if isinstance(domain, Domain) and domain.integer:
        return entry
    noise = rng.uniform(-1, 1, np.shape(entry))
    if domain is simplex:
        moved, (i, j) = entry.copy(), rng.choice(len(entry), 2, replace=False) if len(entry) > 1 else (0, 0)
        if i != j:
            part = np.rint(gap * entry[i] * 0.5 * 2.0**53) * 2.0**-53
            moved[i], moved[j] = moved[i] - part, moved[j] + part
        return moved
    if domain is positive_definite:
        noise = (noise + noise.T) / 2
    if isinstance(domain, Domain) and domain.upper == 1:
        return np.clip(entry * (1 + gap * noise), entry / 2, (1 + entry) / 2)
    return entry * (1 + gap * noise) if isinstance(domain, Domain) or domain is not unit_vector else entry


def inside(pair: Pair, point: Point) -> bool:
    """Whether every argument is one that the library documents."""
    return all(
        bool(np.all(argument.domain.inside(array(entry)))) if isinstance(argument.domain, ArrayDomain) else True
        for (_, argument), entry in zip(pair.columns, point, strict=True)
    ) and all(
        ROWS[argument.name][1](array(entry))
        for (_, argument), entry in zip(pair.columns, point, strict=True)
        if argument.name in ROWS
    )


def draw(pair: Pair, name: str, n: int, rng: Rng, dtype: str, size: int = USUAL) -> list[Point]:
    """At most n points of the named set, P and Q of one size."""
    found: list[Point] = []
    for _ in range(20 * n):
        if len(found) == n or name not in SETS or (name in JOINED and pair.p != pair.q):
            break
        if name == "least" and pair.sides["p"].kind not in subject(pair.subject).dialect.functions:
            break  # the subnormal numbers of arrays are theirs, not those of a formula
        point = [entry.astype(dtype).astype(float) for entry in SETS[name](pair, size, rng)]
        if inside(pair, point):
            found.append([entry.tolist() for entry in point])
    return found


def _apart(wild: bool) -> Callable[[Pair, int, Rng], Point]:
    def draw(pair: Pair, size: int, rng: Rng) -> Point:
        return list(_all(pair, size, rng, wild))

    return draw


def _all(pair: Pair, size: int, rng: Rng, wild: bool) -> Iterator[Array]:
    for side, argument in pair.columns:
        family = getattr(pair.law(side), "family", None)
        bounded = family and family.constraint.free_symbols & {p.symbol for p in family.parameters}
        above = size - 1 if bounded and argument.axes == 0 else 0
        entry = fresh(argument.domain, sized(argument, size), rng, wild, above)
        yield ROWS[argument.name][0](entry) if argument.name in ROWS else entry


def _joined(wild: bool, gap: Callable[[Rng], float], one: bool = False) -> Callable[[Pair, int, Rng], Point]:
    """Q is P but for gaps of this size, in every argument or in one of them."""

    def draw(pair: Pair, size: int, rng: Rng) -> Point:
        half = len(pair.columns) // 2
        mine = list(_all(pair, size, rng, wild))[:half]
        chosen, h = rng.integers(half), gap(rng)
        theirs = [
            nearly(argument.domain, entry, h, rng) if not one or place == chosen else entry
            for place, ((_, argument), entry) in enumerate(zip(pair.columns, mine, strict=False))
        ]
        return [*mine, *theirs]

    return draw


def _gap(rng: Rng) -> float:
    return float(10.0 ** rng.uniform(-15.5, 0) * rng.choice([-1.0, 1.0]))


def _ends(pair: Pair, size: int, rng: Rng) -> Point:
    """Everyday arguments, with an entry of some probabilities 0 and of some logits -oo."""
    point = list(_all(pair, size, rng, False))
    for place, (_, argument) in enumerate(pair.columns):
        if argument.domain in (simplex, weights, logits_list) and rng.random() < 0.6 and len(point[place]) > 1:
            i, j = rng.choice(len(point[place]), 2, replace=False)
            if argument.domain is logits_list:
                point[place][i] = -np.inf
            else:
                point[place][j] += point[place][i]
                point[place][i] = 0.0
    return point


def _least(pair: Pair, size: int, rng: Rng) -> Point:
    """Everyday shares, one of which, the same on both sides, is 0 or the least positive double."""
    point, (i, j) = list(_all(pair, size, rng, False)), rng.choice(size, 2, replace=False)
    for entry in point:
        entry[j] += entry[i]
        entry[i] = rng.choice([0.0, 5e-324])
    return point


JOINED = {"near-one", "near-all", "extreme near-all", "equal", "neighbours"}
SETS: dict[str, Callable[[Pair, int, Rng], Point]] = {
    "everyday": _apart(False),
    "generic": _apart(False),
    "near-one": _joined(False, _gap, one=True),
    "near-all": _joined(False, _gap),
    "extreme": _apart(True),
    "extreme near-all": _joined(True, _gap),
    "equal": _joined(False, lambda rng: 0.0),
    "neighbours": _joined(False, lambda rng: 2.0**-52 * rng.integers(1, 4)),
    "ends": _ends,
    "least": _least,
}
