"""What is known of KL(P || Q), for every ordered pair of families."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .api import kl
from .core.errors import NoCommonSpaceError, UnderivableError
from .families import catalog


def rows(families: Iterable[Any] | None = None, deep: bool = False) -> Iterator[dict[str, Any]]:
    """The rows of `matrix`, each as soon as it is derived."""
    chosen = list(catalog.values() if families is None else families)
    for p in chosen:
        for q in chosen:
            yield {"p": p.name, "q": q.name, **_known(p, q, {"deep": True} if deep else {})}


def _known(p: Any, q: Any, options: dict[str, Any]) -> dict[str, str]:
    """Families of arrays have a rule, none, or no space in common; other pairs always have a case."""
    try:
        first = kl(p, q, **options).cases[0]
    except NoCommonSpaceError:
        return {"kind": "no common space", "when": "True", "value": ""}
    except UnderivableError:
        return {"kind": "undecided", "when": "True", "value": ""}
    return {"kind": first.kind, "when": str(first.when), "value": str(first.value)}


def matrix(families: Iterable[Any] | None = None, deep: bool = False) -> list[dict[str, Any]]:
    """A row {p, q, kind, when, value} for each ordered pair of the families, by default of the scalar catalog.

    `kind`, `when` and `value` are those of the first case; the whole catalog takes minutes, and
    with `deep`, which also tries integration as a last resort, hours. Families of arrays that have no rule are
    "undecided", and those whose outcomes are of two kinds have "no common space".

    >>> from klsym import Exponential, Uniform
    >>> [(row["p"], row["q"], row["kind"]) for row in matrix([Exponential, Uniform])][:2]
    [('Exponential', 'Exponential', 'closed'), ('Exponential', 'Uniform', 'infinite')]
    """
    return list(rows(families, deep))
