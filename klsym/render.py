"""The catalog and its matrix of pairs, as rows and as text."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .core.family import Family

Row = dict[str, Any]
Done = TypeVar("Done")
LETTERS = {"closed": "C", "semi-closed": "S", "numeric": "N", "infinite": "i", "undecided": "?"}
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
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
    started = time.monotonic()
    for done, row in enumerate(rows, 1):
        seconds = time.monotonic() - started
        left = f", {lasting(seconds * (total - done) / done)} left" if done < total else ""
        bar(done, total, f"pairs, {pace(done / seconds if seconds else 0)}/s{left}")
        yield row


def bar(done: int, total: int, note: str) -> None:
    """Draw how far it is over what was drawn before, on standard error, if that is a terminal."""
    if sys.stderr.isatty():
        full = 40 * done // total
        line = f"[{'#' * full}{'.' * (40 - full)}] {done}/{total} {note}"
        print(f"\r{line:79}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def pace(rate: float) -> str:
    """Something a second, to two digits or whole."""
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"


def lasting(seconds: float) -> str:
    """A time to wait, in the two units that matter.

    >>> [lasting(seconds) for seconds in (0.2, 75, 4000, 200_000)]
    ['0 s', '1 min 15 s', '1 h 6 min', '2 d 7 h']
    """
    for (unit, size), (smaller, part) in pairwise(UNITS):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} {int(seconds % size // part)} {smaller}"
    return f"{int(seconds)} s"
