"""The catalog and its matrix of pairs, as rows and as text."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .core.family import Family

Row = dict[str, Any]
Done = TypeVar("Done")
LETTERS = {"closed": "C", "semi-closed": "S", "numeric": "N", "infinite": "i", "undecided": "?"}
APART = "no common space"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """The rows as columns of text, the last one ragged.

    >>> print(aligned([("a", "bb"), ("ccc", "d")]))
    a    bb
    ccc  d
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def span(family: Family) -> str:
    """The support of a family as text: an open interval, or a range of integers."""
    lower, upper = family.support.lower, family.support.upper
    if not family.discrete:
        return f"({lower}, {upper})"
    return f"integers in {'(' if lower.is_infinite else '['}{lower}, {upper}{')' if upper.is_infinite else ']'}"


def catalog_rows() -> list[Row]:
    """Every family as plain data: name, support, parameters with their domains, constraint, references."""
    from .families import array_catalog, catalog

    scalars = [
        {
            "name": family.name,
            "support": span(family),
            "discrete": family.discrete,
            "parameters": [{"name": p.name, "domain": str(p.domain)} for p in family.parameters],
            "constraint": str(family.constraint),
            "references": list(family.references),
        }
        for family in catalog.values()
    ]
    arrays = [
        {
            "name": family.name,
            "support": family.outcome.name,
            "discrete": family.outcome.discrete,
            "parameters": [{"name": p.name, "domain": str(p.domain)} for p in family.parameters],
            "constraint": str(family.constraint),
            "references": list(family.references),
            "forms": ["+".join(form.keywords) for form in family.forms],
        }
        for family in array_catalog().values()
    ]
    return scalars + arrays


def catalog_text() -> str:
    """The catalog as a table: signature, support, domains."""
    table = [("family", "support", "parameters")]
    for row in catalog_rows():
        names = ", ".join(p["name"] for p in row["parameters"])
        domains = [f"{p['name']} in {p['domain']}" for p in row["parameters"]]
        constraint = [] if row["constraint"] == "True" else [row["constraint"]]
        table.append((f"{row['name']}({names})", row["support"], ", ".join(domains + constraint)))
    return aligned(table)


def matrix_text(rows: Sequence[Row]) -> str:
    """The matrix as letters, P down and Q across in one order, and how many there are of each."""
    names = list(dict.fromkeys(row["p"] for row in rows))
    letter = {(row["p"], row["q"]): (LETTERS | {APART: "-"})[row["kind"]] for row in rows}
    width = max(map(len, names), default=0)
    numbers = [f"{i:2}" for i in range(1, len(names) + 1)]
    headings = (" ".join(number[place] for number in numbers) for place in (0, 1))
    lines = [f"{'':{width}}     {heading}" for heading in headings if heading.strip()]
    for i, p in enumerate(names):
        lines.append(f"{p:{width}}  {numbers[i]} {' '.join(letter[p, q] for q in names)}")
    counts = Counter(row["kind"] for row in rows)
    total = ", ".join(f"{LETTERS[kind]} {kind} {counts[kind]}" for kind in LETTERS)
    total += f", - {APART} {counts[APART]}" if counts[APART] else ""
    return "\n".join([*lines, "", f"{len(rows)} ordered pairs, P down, Q across: {total}"])


def with_progress(rows: Iterable[Done], total: int) -> Iterator[Done]:
    """The rows, with a bar on standard error while they come, if that is a terminal."""
    shown = sys.stderr.isatty()
    for done, row in enumerate(rows, 1):
        if shown:
            full = 40 * done // total
            ending = "\n" if done == total else ""
            print(f"\r[{'#' * full}{'.' * (40 - full)}] {done}/{total} pairs", end=ending, file=sys.stderr, flush=True)
        yield row
