"""What is known of KL(P || Q), for every ordered pair of families."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .api import kl
from .core.family import Family
from .families import catalog


def rows(families: Iterable[Family] | None = None, deep: bool = False) -> Iterator[dict[str, Any]]:
    """The rows of `matrix`, each as soon as it is derived."""
    chosen = list(catalog.values() if families is None else families)
    for p in chosen:
        for q in chosen:
            first = kl(p, q, deep=deep).cases[0]
            yield {"p": p.name, "q": q.name, "kind": first.kind, "when": str(first.when), "value": str(first.value)}


def matrix(families: Iterable[Family] | None = None, deep: bool = False) -> list[dict[str, Any]]:
    """A row {p, q, kind, when, value} for each ordered pair of the families, by default of the whole catalog.

    `kind`, `when` and `value` are those of the first case; the whole catalog takes minutes, and
    with `deep`, which also tries integration as a last resort, hours.

    >>> from klsym import Exponential, Uniform
    >>> [(row["p"], row["q"], row["kind"]) for row in matrix([Exponential, Uniform])][:2]
    [('Exponential', 'Exponential', 'closed'), ('Exponential', 'Uniform', 'infinite')]
    """
    return list(rows(families, deep))
