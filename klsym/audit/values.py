"""A table of values that somebody has written down, judged row by row as the tables of a handbook are."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath as mp

from .. import api, divergences, oracles
from ..core.errors import KlsymError, ParameterError, nearest
from ..core.family import Distribution
from ..core.value import Value
from ..families import find
from ..render import aligned

QUANTITIES = ("kl", "reverse_kl", "jeffreys", "cross_entropy", "entropy")
NUMBER = re.compile(r"[+-]?(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
QUOTIENT = re.compile(r"[+-]?\d{1,400}/\d{1,400}", re.ASCII)
WORDS = {"inf": mp.inf, "+inf": mp.inf, "-inf": -mp.inf, "infinity": mp.inf, "oo": mp.inf, "nan": mp.nan}
# What passes, in the unit of a value: a rounded digit, or the few last bits that a good function in doubles loses.
LIMITS = {"of the last digit": 0.5, "eps": 8.0}
# A double takes up to 17 digits; a column with one of 16 is read as doubles, and some of those are short ("0.5").
DOUBLE_DIGITS = 16
EPS = Fraction(1, 2**52)
GUARD = 10


@dataclass(frozen=True)
class Written:
    """A value as it is written: its text, the number, its last digit's worth and how many digits it has."""

    text: str
    number: mp.mpf
    unit: Fraction
    digits: int


@dataclass(frozen=True)
class Judged:
    """One value of the table: its line and column, what it claims, the truth, its error in units, and the verdict.

    `verdict` is "right", "wrong", "undecided" (the truth is not known well enough) or "unreadable"; `note` says why.
    """

    line: int
    column: str
    pair: str
    claimed: str
    true: str
    error: float | None
    unit: str
    verdict: str
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        error = self.error if self.error is None or self.error < float("inf") else str(self.error)
        return {**vars(self), "error": error}


@dataclass(frozen=True)
class Judgement:
    """The verdicts on a table; `ok` if it has values and every one of them is right."""

    name: str
    limit: float | None
    rows: tuple[Judged, ...]

    @property
    def ok(self) -> bool:
        return bool(self.rows) and all(row.verdict == "right" for row in self.rows)

    def __str__(self) -> str:
        found = [row for row in self.rows if row.verdict in ("right", "wrong")]
        table = [("line", "column", "of", "claimed", "true", "error", "verdict")]
        for r in found:
            error = "-" if r.error is None else f"{r.error:.3g} {r.unit}"
            table.append((str(r.line), r.column, r.pair, r.claimed, r.true, error, r.verdict))
        notes = [f"line {r.line}: {r.verdict}: {r.note}" for r in self.rows if r.verdict not in ("right", "wrong")]
        verdicts = [row.verdict for row in self.rows]
        counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts)) or "no values"
        parts = [aligned(table)] * bool(found) + ["\n".join(notes)] * bool(notes)
        return "\n\n".join([*parts, f"{self.name}: {counts}; right is {self.passing}"])

    @property
    def passing(self) -> str:
        """What is let pass."""
        units = {row.unit: None for row in self.rows if row.unit} or LIMITS
        return " or ".join(f"within {self.limit or LIMITS[unit]:g} {unit}" for unit in units)

    def to_json(self) -> dict[str, Any]:
        return {"table": self.name, "limit": self.limit, "ok": self.ok, "rows": [row.to_json() for row in self.rows]}


def judge(path: Path, limit: float | None = None) -> Judgement:
    """Every value of a CSV file beside the truth, in units of its last written digit.

    The header names the columns: `p` and `q`, the families; `p.alpha`, `q.k` and so on, their parameters (empty where a
    row's family has no such parameter); and the values, in nats, in columns `kl`, `reverse_kl`, `jeffreys`,
    `cross_entropy` or `entropy` (which needs no `q`), with a label where there are several, `kl:torch`. Columns named
    `note` or `note:…` are passed over, and so are empty lines, lines that begin with #, and empty values. Parameters
    are decimals or quotients and are taken exactly as written.

    A value is right if it is off by `limit` units of its last digit or less, by default half a unit: it is rounded. In
    a column where a value has 16 or 17 digits all are read as doubles, the unit is 2^-52 of the true value, and 8 pass.
    A value is wrong only where the formula and quadrature of the definition agree that it is.

    A file that cannot be read, and a header that is none, raise ParameterError; a row that cannot be read is a row of
    the judgement, with its line number.
    """
    try:
        # A spreadsheet may begin its file with a mark of the byte order.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} cannot be read: {error}; a CSV file in UTF-8 is needed") from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    if not lines:
        raise ParameterError(f"{path} has no header; its first line names the columns: p,p.alpha,q,q.alpha,kl")
    columns = header(cells(lines[0][1]), lines[0][0])
    rows = [(number, dict(zip(columns, cells(line), strict=False)), len(cells(line))) for number, line in lines[1:]]
    values = [name for name in columns if quantity(name)]
    doubles = {name for name in values if any(as_double(row.get(name, "")) for _, row, _ in rows)}
    judged = (
        one
        for number, row, width in rows
        for one in judged_row(number, row, width - len(columns), values, doubles, limit)
    )
    return Judgement(path.name, limit, tuple(judged))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line]))]


def quantity(column: str) -> str:
    """The divergence that a column has the values of, "" for none."""
    name = column.partition(":")[0]
    return name if name in QUANTITIES else ""


def header(columns: Sequence[str], line: int) -> Sequence[str]:
    """The columns, all of them known: ParameterError for one that is not, or is there twice, and for missing ones."""
    for name in columns:
        known = quantity(name) or name in ("p", "q") or name[:2] in ("p.", "q.") or name.partition(":")[0] == "note"
        if not known:
            near = nearest(name, ("p", "q", *QUANTITIES))
            raise ParameterError(f"line {line}: no column is named {name!r}{near}; `klsym audit --help` lists them")
        if columns.count(name) > 1:
            raise ParameterError(f"line {line}: two columns are named {name!r}; tell them apart, as in {name}:a")
    values = [name for name in columns if quantity(name)]
    if "p" not in columns or not values:
        what = "a column p of families" if values else f"values, in a column named {', '.join(QUANTITIES)}"
        raise ParameterError(f"line {line}: the header lacks {what}")
    if "q" not in columns and any(quantity(name) != "entropy" for name in values):
        raise ParameterError(f"line {line}: the header lacks a column q of families; only entropy needs none")
    return columns


def judged_row(
    line: int, row: Mapping[str, str], excess: int, values: Iterable[str], doubles: set[str], limit: float | None
) -> Iterator[Judged]:
    """The verdict on each value of a row, or the one that it cannot be read."""
    claims = [name for name in values if row.get(name)]
    try:
        if excess > 0:
            raise ParameterError(f"there {'are' if excess > 1 else 'is'} {excess} more than the header has columns")
        members = {side: member(side, row) for side in ("p", "q") if row.get(side)}
        found = [judged(line, name, members, written(row[name], name), name in doubles, limit) for name in claims]
    except KlsymError as error:
        found = [Judged(line, "", "", "", "", None, "", "unreadable", str(error))]
    yield from found


def member(side: str, row: Mapping[str, str]) -> Distribution:
    """The distribution that the row has for P or Q."""
    family = find(row[side])
    if not isinstance(getattr(family, "parameters", None), tuple) or hasattr(family, "forms"):
        raise ParameterError(f"{side} is {row[side]}, a family of arrays; a table holds families of numbers")
    given = {name[2:]: text for name, text in row.items() if name.startswith(f"{side}.") and text}
    return family(**{name: parameter(text, f"{side}.{name}") for name, text in given.items()})


def parameter(text: str, name: str) -> Fraction:
    """The exact number that is written."""
    if (NUMBER.fullmatch(text) and len(text) <= 400) or (QUOTIENT.fullmatch(text) and int(text.partition("/")[2])):
        return Fraction(text)
    raise ParameterError(f"{name} is {text[:40]!r}; write a decimal (0.25, 1e-3) or a quotient (1/4)")


def written(text: str, name: str) -> Written:
    """A value with its last digit's worth.

    >>> value = written("1.50e-3", "kl")
    >>> value.digits, value.unit
    (3, Fraction(1, 100000))
    """
    match = NUMBER.fullmatch(text) if len(text) <= 400 else None
    if match:
        before, after = match[1] or "", match[2] or match[3] or ""
        exact = Fraction(text)
        digits = len((before + after).lstrip("0")) or 1
        with mp.workdps(digits + GUARD):
            number = mp.mpf(exact.numerator) / exact.denominator
        return Written(text, number, Fraction(10) ** (int(match[4] or 0) - len(after)), digits)
    if text.casefold() in WORDS:
        return Written(text, WORDS[text.casefold()], Fraction(1), 1)
    raise ParameterError(f"{name} is {text[:40]!r}; a value is a decimal (0.1917, 1.9e-1), inf or nan")


def as_double(text: str) -> bool:
    """Whether the value has as many digits as only doubles are written with; longer ones are more than doubles.

    >>> as_double("0.1917034418257889"), as_double("0.1917"), as_double("0.191703441825788945704")
    (True, False, False)
    """
    match = NUMBER.fullmatch(text)
    digits = len(((match[1] or "") + (match[2] or match[3] or "")).lstrip("0")) if match else 0
    return DOUBLE_DIGITS <= digits <= DOUBLE_DIGITS + 1


def judged(
    line: int, name: str, members: Mapping[str, Distribution], claim: Written, double: bool, limit: float | None
) -> Judged:
    """The verdict on one value."""
    wanted, digits = quantity(name), max(claim.digits, 17) + GUARD
    sides = [members[side] for side in ("p", "q")[: 1 if wanted == "entropy" else 2] if side in members]
    if len(sides) < (1 if wanted == "entropy" else 2):
        raise ParameterError(f"{name} needs a family in {'column p' if not sides else 'both columns, p and q'}")
    pair, unit = " || ".join(map(str, sides)), "eps" if double else "of the last digit"
    number = getattr(api, wanted)(*sides).evaluate(digits=digits)
    true = mp.nstr(number.value, max(claim.digits, 6) + 2)
    found = error(claim, number.value, double)
    passing = LIMITS[unit] if limit is None else limit
    verdict, note = ("right" if found <= passing else "wrong"), ""
    if verdict == "wrong" and number.proof != "exact":
        second = oracles.measure(getattr(divergences, wanted), sides[0], sides[-1], digits)
        if not second.vouched or not decided(claim, second, double, passing):
            verdict, note = "undecided", f"{name}: quadrature does not confirm {true}: {second.note or second.mid}"
    return Judged(line, name, pair, claim.text, true, found, unit, verdict, note)


def error(claim: Written, truth: mp.mpf, double: bool) -> float:
    """How far the claim is off, in the unit of its column; infinite where only one of the two is a finite number."""
    if mp.isnan(claim.number) or mp.isinf(claim.number) or mp.isinf(truth):
        return 0.0 if claim.number == truth else float("inf")
    with mp.workdps(claim.digits + 2 * GUARD):
        off = abs(claim.number - truth)
        size = abs(truth) * mp.mpf(2) ** -52 if double else mp.mpf(claim.unit.numerator) / claim.unit.denominator
        return float(off / size) if size else float("inf") if off else 0.0


def decided(claim: Written, truth: Value, double: bool, limit: float) -> bool:
    """Whether the claim is beyond the limit wherever in its radius the truth is."""
    ends = (truth.mid - truth.rad, truth.mid + truth.rad)
    inside = mp.isfinite(truth.mid) and ends[0] <= claim.number <= ends[1]
    return not inside and all(error(claim, end, double) > limit for end in ends)
