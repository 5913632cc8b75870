"""An audit for a terminal and for a spreadsheet: a line a finding, the worst first, and a row a point."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

from ...render import aligned
from .call import Call, Made
from .finding import Finding
from .result import Audit, told

# What a call is cut to in a line of a table; the JSON document and the script have it whole.
WIDTH = 96
SHOWN = 12


def text(audit: Audit) -> str:
    """The table of an audit: counts, findings, what was tried of every pair, and what was left out and why."""
    return "\n\n".join(part for part in (summary(audit), findings(audit), tried(audit), left_out(audit)) if part)


def summary(audit: Audit) -> str:
    """What was audited and how many findings of each severity there are."""
    found, faulty = audit.findings, len({finding.pair for finding in audit.findings})
    answering = sum(pair.answers for pair in audit.pairs)
    versions = ", ".join(f"{name} {version}" for name, version in audit.versions.items())
    counts = ", ".join(f"{count} {severity}" for severity, count in audit.counts.items() if count)
    said = f"{audit.subject}: {plural(len(found), 'finding')} in {faulty} of {plural(answering, 'pair')} that answer"
    return f"{said}{': ' + counts if counts else ''}\n{audit.tried} points, seed {audit.seed}; {versions}"


def findings(audit: Audit) -> str:
    """A line a finding, the worst first."""
    rows = [
        (str(f.severity), f.trial, short(f.call, WIDTH) + by(f), number(f.got), number(f.truth), units(f.error))
        for f in audit.findings
    ]
    return aligned([("severity", "trial", "plainest call", "got", "true", "error"), *rows]) if rows else ""


def tried(audit: Audit) -> str:
    """A line for each pair that answers: points, findings, the worst error, the time an element."""
    rows = [
        (
            pair.pair,
            str(sum(pair.tried.values())),
            str(len(pair.findings)) if pair.findings else "-",
            units(pair.worst),
            duration(pair.seconds),
        )
        for pair in audit.pairs
        if pair.answers
    ]
    return aligned([("pair", "points", "findings", "worst error", "an element"), *rows]) if rows else ""


def left_out(audit: Audit) -> str:
    """What was not tried, and why: the same reason once."""
    reasons: dict[str, list[str]] = {}
    for pair, what, why in audit.skipped():
        reasons.setdefault(f"{what}: {why}", []).append(pair)
    lines = [f"{reason} ({', '.join(few(pairs))})" for reason, pairs in reasons.items()]
    silent = [pair.pair for pair in audit.pairs if not pair.answers]
    if silent:
        lines.append(f"no divergence: {plural(len(silent), 'pair')} ({', '.join(few(silent))})")
    return "\n".join(["not tried:", *lines]) if lines else ""


def short(call: Call, width: int | None = None) -> str:
    """The call on one line, cut to the width: what of P and Q, and the type if it is not float64."""
    sides = " || ".join(made(side) for side in (call.p, call.q) if side is not None)
    said = sides if call.quantity == "kl" else f"{call.quantity} of {sides}"
    said += "" if call.at is None else f" at {entry(call.at)}"
    said += "" if call.dtype == "float64" else f" in {call.dtype}"
    return said if width is None or len(said) <= width else f"{said[: width - 1]}…"


def made(side: Made) -> str:
    """A distribution as it is written, its wrappers outermost first.

    >>> made(Made("Gamma", {"concentration": 2.0, "rate": [1.0, 0.5]}, (("Independent", {"ndims": 1}),)))
    'Independent(Gamma(concentration=2, rate=[1, 0.5]), ndims=1)'
    """
    said = f"{side.kind}({', '.join(f'{name}={entry(value)}' for name, value in side.arguments.items())})"
    for name, arguments in side.around:
        said = f"{name}({', '.join([said, *(f'{key}={entry(value)}' for key, value in arguments.items())])})"
    return said


def entry(value: Any) -> str:
    """A number, lists of them, or another object that is made, as short as it is exact."""
    if isinstance(value, Made):
        return made(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(entry, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {entry(part)}' for key, part in value.items())}}}"
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() and abs(value) < 1e6 else str(value)


def by(finding: Finding) -> str:
    """Which derivative, or which element of the answer, the finding is about; nothing where there is one number."""
    derivative = f" d/d{finding.where}" if finding.where not in ("", "value") else ""
    return derivative + (f" {list(finding.element)}" if finding.element else "")


def number(said: str) -> str:
    """What was got, or is true, to few digits; other words are cut.

    >>> number("0.19170344182578894570431720980621"), number("RuntimeError: shapes of tensors")
    ('0.191703441826', 'RuntimeError: shapes of…')
    """
    try:
        return f"{float(said):.12g}"
    except ValueError:
        return said if len(said) <= 24 else f"{said[:23]}…"


def units(error: float | None) -> str:
    """An error in eps, short."""
    return "-" if error is None else f"{error:.3g} eps" if error < 1000 else f"{error:.0e} eps"


def slug(finding: Finding) -> str:
    """What a finding is about, as part of the name of a file."""
    words = re.findall(r"[A-Za-z0-9]+", f"{finding.pair.replace('||', ' ')} {finding.severity}")
    return "_".join(words)[:80].lower()


def duration(seconds: float | None) -> str:
    """A short time.

    >>> duration(2.1e-8), duration(0.0627)
    ('21 ns', '62.7 ms')
    """
    if seconds is None:
        return "-"
    size, unit = next(
        (pair for pair in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms")) if seconds * pair[0] < 1000), (1.0, "s")
    )
    return f"{seconds * size:.3g} {unit}"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def few(names: list[str]) -> list[str]:
    """The first names, and how many more there are."""
    return [*names[:SHOWN], f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else names


def points(audit: Audit) -> str:
    """CSV, a row a point: whose it is, got, truth, error in eps, then arguments by name, empty where it has none."""
    rows = [(pair.pair, point) for pair in audit.pairs for point in pair.points]
    names = list(dict.fromkeys(name for _, point in rows for name in point.at))
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(["subject", "pair", "trial", "where", "dtype", "got", "truth", "error_eps", *names])
    for pair, point in rows:
        about = [audit.subject, pair, point.trial, point.where, point.dtype]
        values = [told(value) for value in (point.got, point.truth, point.error)]
        table.writerow([*about, *values, *(point.at.get(name) for name in names)])
    return written.getvalue()
