"""What is known of a divergence, for every ordered pair of families."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .api import measured
from .core.divergence import Divergence
from .core.errors import NoCommonSpaceError, UnderivableError
from .divergences import kl
from .families import catalog


def rows(
    families: Iterable[Any] | None = None, deep: bool = False, divergence: Divergence = kl
) -> Iterator[dict[str, Any]]:
    """The rows of `matrix`, each as soon as it is derived."""
    chosen = list(catalog.values() if families is None else families)
    for p in chosen:
        for q in chosen:
            yield {"p": p.name, "q": q.name, **_known(divergence, p, q, deep)}


def _known(divergence: Divergence, p: Any, q: Any, deep: bool) -> dict[str, str]:
    """Families of arrays have a rule, none, or no space in common; other pairs always have a case."""
    try:
        first = measured(divergence, p, q, None, (), deep, {}).cases[0]
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
