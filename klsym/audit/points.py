"""Where an audit looks: sets of points, from everyday parameters to neighbouring doubles, all exact doubles.

Random independent parameters never come near P = Q, one perturbed parameter never shows what a common scale hides, and
everyday sizes never overflow a product: hence the sets.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..core.domain import Domain
from .subject import Points, Subject

Rng = np.random.Generator
Column = NDArray[np.float64]
# The largest order at a border: it grows without end towards P = Q.
FAR = 1e6


def log_uniform(rng: Rng, low: float, high: float, n: int) -> Column:
    """Powers of 10 with exponents between `low` and `high`."""
    return 10.0 ** rng.uniform(low, high, n)


def ordinary(domain: Domain, rng: Rng, n: int) -> Column:
    """Sizes from a hundredth to a hundred."""
    if domain.integer:
        size = np.floor(log_uniform(rng, 0, 2, n))
        return size if domain.lower >= 0 else size * rng.choice([-1.0, 1.0], n)
    if domain.upper == 1:
        return rng.uniform(0.01, 0.99, n)
    if domain.lower == -np.inf:
        return log_uniform(rng, -2, 2, n) * rng.choice([-1.0, 1.0], n)
    return float(domain.lower) + log_uniform(rng, -2, 2, n)


def extreme(domain: Domain, rng: Rng, n: int) -> Column:
    """Sizes from 1e-8 to 1e8; probabilities from 1e-300, and to within 1e-16 of 1."""
    if domain.integer:
        size = np.floor(log_uniform(rng, 0, 6, n))
        return size if domain.lower >= 0 else size * rng.choice([-1.0, 1.0], n)
    if domain.upper == 1:
        smallest = rng.choice([-16.0, -300.0], n)
        small, near_one = 10.0 ** rng.uniform(smallest, -0.3), 1 - log_uniform(rng, -16, -0.3, n)
        return np.where(rng.random(n) < 0.5, small, near_one)
    if domain.lower == -np.inf:
        return log_uniform(rng, -8, 8, n) * rng.choice([-1.0, 1.0], n)
    return float(domain.lower) + log_uniform(rng, -8, 3 if domain.lower == 1 else 8, n)


def either(domain: Domain, rng: Rng, n: int) -> Column:
    return np.where(rng.random(n) < 0.5, ordinary(domain, rng, n), extreme(domain, rng, n))


def ends(domain: Domain, rng: Rng, n: int) -> Column:
    """Like `either`, half of them at a closed end of the domain."""
    closed = [
        float(end) for end, there in ((domain.lower, domain.left_closed), (domain.upper, domain.right_closed)) if there
    ]
    inner = either(domain, rng, n)
    return np.where(rng.random(n) < 0.5, inner, rng.choice(closed, n)) if closed else inner


def order(domain: Domain, rng: Rng, n: int) -> Column:
    """Everyday orders of a divergence, those near 0 and near 1, where it is a limit, and large ones."""
    high, near_one = min(float(domain.upper), 3.0), 1 + log_uniform(rng, -16, -0.3, n) * rng.choice([-1.0, 1.0], n)
    ways = (rng.uniform(0.01, high - 0.01, n), near_one, log_uniform(rng, -16, -0.3, n), log_uniform(rng, 0, 3, n))
    return np.choose(rng.integers(0, 3 + (high > 1), n), ways)


def at_border(subject: Subject, points: Points, rng: Rng) -> None:
    """Move a quarter of the orders to just beside where the condition stops to hold."""
    for column, borders in subject.borders:
        for border in borders:
            found = border(points) * (
                1 + log_uniform(rng, -10, -0.3, len(points)) * rng.choice([-1.0, 1.0], len(points))
            )
            there = (rng.random(len(points)) < 0.25) & (0 < found) & (found < FAR)
            points[:, column] = np.where(there, found, points[:, column])


def gaps(subject: Subject, rng: Rng, n: int) -> Column:
    """Relative gaps of every size from half an eps to 1, of either sign."""
    return log_uniform(rng, np.log10(subject.rule.eps / 2), 0, n) * rng.choice([-1.0, 1.0], n)


def moved(subject: Subject, points: Points, column: int, h: Column, rng: Rng) -> Column:
    """The column moved by h, relative to itself; a bounded one also to its distance from it, a location to a scale."""
    x, domain = points[:, column], subject.parameters[column].domain
    if domain.integer:
        return x + np.rint(h)
    if domain.lower == -np.inf:
        own = range(subject.of_p) if column < subject.of_p else range(subject.of_p, subject.of_both)
        scales = [i for i in own if subject.parameters[i].domain.lower == 0]
        scale = points[:, scales[0]] if scales else np.ones(len(x))
        return x + h * np.where(rng.random(len(x)) < 0.5, np.abs(x), scale)
    relative = np.where(x == 0, np.abs(h), x * (1 + h))
    if domain.upper != 1 and domain.lower != 1:
        return relative
    return np.where(rng.random(len(x)) < 0.5, relative, 1 + (x - 1) * (1 + h))


def apart(subject: Subject, points: Points, rng: Rng) -> None:
    """Parameters of P and Q that have nothing to do with each other."""


def one(subject: Subject, points: Points, rng: Rng) -> None:
    """Q is P but for one parameter."""
    subject.join(points)
    chosen, h = rng.choice(subject.movable, len(points)), gaps(subject, rng, len(points))
    for column in subject.movable:
        points[:, column] = np.where(chosen == column, moved(subject, points, column, h, rng), points[:, column])


def every(subject: Subject, points: Points, rng: Rng) -> None:
    """Q is P but for small gaps in every parameter, of one size or of many."""
    subject.join(points)
    size, common = gaps(subject, rng, len(points)), rng.random(len(points)) < 0.5
    for column in subject.movable:
        h = np.where(common, size * rng.uniform(-1, 1, len(points)), gaps(subject, rng, len(points)))
        points[:, column] = moved(subject, points, column, h, rng)


def ray(subject: Subject, points: Points, rng: Rng) -> None:
    """Q is P with every positive parameter scaled by the same 1 + h."""
    subject.join(points)
    h = gaps(subject, rng, len(points))
    for column in range(subject.of_p, subject.of_both):
        domain = subject.parameters[column].domain
        if domain.lower >= 0 and not domain.integer:
            points[:, column] *= 1 + h


def nothing(subject: Subject, points: Points, rng: Rng) -> None:
    """Q is P."""
    subject.join(points)


def ulps(subject: Subject, points: Points, rng: Rng) -> None:
    """Q is P but for at most three units in the last place of each parameter."""
    subject.join(points)
    for column in subject.movable:
        domain = subject.parameters[column].domain
        steps = rng.integers(-3, 4, len(points))
        if not domain.integer:
            points[:, column] += steps * np.spacing(np.abs(points[:, column]).astype(subject.rule.dtype))


Size = Callable[[Domain, Rng, int], Column]
Gap = Callable[[Subject, Points, Rng], None]
SETS: dict[str, tuple[Size, Gap]] = {
    "generic": (ordinary, apart),
    "near-one": (ordinary, one),
    "near-all": (ordinary, every),
    "ray": (ordinary, ray),
    "extreme": (extreme, apart),
    "extreme near-one": (extreme, one),
    "extreme near-all": (extreme, every),
    "extreme ray": (extreme, ray),
    "equal": (either, nothing),
    "neighbours": (either, ulps),
    "ends": (ends, apart),
    "infinite": (either, apart),
}


def draw(subject: Subject, name: str, n: int, rng: Rng) -> Points:
    """At most n points of the named set: fewer where few satisfy the condition, none where P and Q never meet."""
    size, gap = SETS[name]
    width = len(subject.symbols)
    if gap is not apart and not (subject.meets and (subject.movable or gap is nothing)):
        return np.empty((0, width))
    if size is ends and not any(a.domain.left_closed or a.domain.right_closed for a in subject.parameters):
        return np.empty((0, width))
    if name == "infinite" and not subject.somewhere_infinite:
        return np.empty((0, width))
    found: list[Points] = []
    wanted = subject.infinite if name == "infinite" else subject.valid
    for _ in range(30):
        sizes = [size] * subject.of_both + [order] * (len(subject.symbols) - subject.of_both)
        columns = [draw(parameter.domain, rng, n) for draw, parameter in zip(sizes, subject.parameters, strict=True)]
        points = np.stack(columns, axis=1) if columns else np.empty((n, 0))
        with np.errstate(all="ignore"):
            if name != "infinite":
                # The order first: a point near P = Q keeps its ends in order only if P's are.
                subject.impose(points)
                gap(subject, points, rng)
                subject.impose(points)
                at_border(subject, points, rng)
            points = subject.rule.rounded(points)
            found.append(points[wanted(points)])
        if sum(map(len, found)) >= n:
            break
    return np.concatenate(found)[:n]
