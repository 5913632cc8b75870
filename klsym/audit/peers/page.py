"""An audit as one HTML page that needs nothing else: no network, no script; every name in it is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from .errormap import picture
from .finding import Finding
from .result import Audit, PairResult
from .table import duration, left_out, number, plural, short, units

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b2430; background: #fff; max-width: 78rem; margin: 2rem auto;
  padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p.about { color: #55606e; margin: .25rem 0 0; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #c3cad3; }
th, td { padding: .3rem .6rem .3rem 0; vertical-align: top; }
td { border-bottom: 1px solid #e4e8ed; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, pre { font: .82rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
pre { background: #f4f6f8; border: 1px solid #dde2e8; padding: .6rem .8rem; overflow-x: auto; user-select: all;
  white-space: pre; }
summary { cursor: pointer; color: #1d4270; }
.severity { font-weight: 600; white-space: nowrap; }
.proof { white-space: normal; min-width: 10rem; max-width: 16rem; margin-left: auto; color: #55606e; }
ul.counts { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem 1.6rem; font-weight: 600; }
svg { max-width: 100%; height: auto; }
@media print { details > pre { display: block; } }
"""


def page(audit: Audit) -> str:
    """The whole page: summary, findings with their scripts, a map of the errors of each pair, what was not tried."""
    title = f"Audit of {escape(audit.subject)}"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title><style>{STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        *summary(audit),
        *findings(audit.findings),
        *pairs(audit),
        *rest(audit),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def summary(audit: Audit) -> Iterator[str]:
    """How much was tried, with what, and how many findings of each severity there are."""
    answering = sum(pair.answers for pair in audit.pairs)
    versions = ", ".join(f"{name} {version}" for name, version in audit.versions.items())
    said = f"{plural(audit.tried, 'point')} of {plural(answering, 'pair')} that answer, seed {audit.seed}; {versions}"
    yield f'<p class="about">{escape(said)}</p>'
    yield (
        '<p class="about">Divergences are in nats. An error is relative to the true value, in eps of the type: 2^-52 '
        "for float64, 2^-23 for float32.</p>"
    )
    yield f"<h2>{plural(len(audit.findings), 'finding')}</h2>"
    counts = [f"<li>{count} {escape(str(severity))}</li>" for severity, count in audit.counts.items() if count]
    if counts:
        yield f'<ul class="counts">{"".join(counts)}</ul>'


def findings(found: list[Finding]) -> Iterator[str]:
    """A row a finding, the worst first, with the script that shows it."""
    headings = ("severity", "where", "plainest call and script", "got", "true", "error")
    rows = [
        (
            f'<span class="severity">{escape(str(f.severity))}</span>',
            f"{escape(f.pair)}<br>{escape(', '.join(filter(None, [f.trial, f.where])))}"
            f"<br>{f.seen} of {plural(f.tried, 'point')}",
            f"<code>{escape(short(f.call))}</code>{element(f)}"
            f"<details><summary>script that shows it</summary><pre>{escape(f.script)}</pre></details>",
            escape(number(f.got)),
            f'{escape(number(f.truth))}<div class="proof">{escape(f.proof)}</div>',
            escape(units(f.error)),
        )
        for f in found
    ]
    if rows:
        yield "<h2>Findings, the worst first</h2>"
        yield from table(headings, rows, {3, 4, 5})


def element(finding: Finding) -> str:
    """Which element of the answer it is, where there are several."""
    return f"<br>element {escape(str(list(finding.element)))}" if finding.element else ""


def pairs(audit: Audit) -> Iterator[str]:
    """A section for each pair that answers: figures, and the map of its errors."""
    yield "<h2>Pairs</h2>"
    for pair in audit.pairs:
        if pair.answers:
            yield f"<h3>{escape(pair.pair)}</h3>"
            yield f'<p class="about">{escape(figures(pair))}</p>'
            values = [point for point in pair.points if point.where == "value"]
            # An eps of one type is not that of another.
            doubles = [point for point in values if point.dtype == "float64"]
            yield picture(doubles or values, f"Errors of {pair.pair} in {'float64' if doubles else 'float32'}")


def figures(pair: PairResult) -> str:
    """What was tried of a pair, in a line."""
    tried = "; ".join(f"{trial} {count}" for trial, count in pair.tried.items())
    time = [] if pair.seconds is None else [f"{duration(pair.seconds)} an element"]
    worst = [] if pair.worst is None else [f"worst finite error {units(pair.worst)}"]
    total = plural(sum(pair.tried.values()), "point")
    return ", ".join([plural(len(pair.findings), "finding"), total, *worst, *time]) + (f" ({tried})" if tried else "")


def rest(audit: Audit) -> Iterator[str]:
    """What was not tried, and why."""
    lines = left_out(audit).splitlines()[1:]
    if lines:
        yield "<h2>Not tried</h2><ul>"
        yield from (f"<li>{escape(line)}</li>" for line in lines)
        yield "</ul>"


def table(headings: Iterable[str], rows: Iterable[tuple[str, ...]], numbers: set[int]) -> Iterator[str]:
    """A table of cells that are HTML already; the columns of numbers are set flush right."""

    def cells(tag: str, row: Iterable[str]) -> str:
        kinds = (' class="number"' if column in numbers else "" for column, _ in enumerate(row))
        return "".join(f"<{tag}{kind}>{cell}</{tag}>" for kind, cell in zip(kinds, row, strict=True))

    yield f"<table><thead><tr>{cells('th', tuple(headings))}</tr></thead><tbody>"
    yield from (f"<tr>{cells('td', row)}</tr>" for row in rows)
    yield "</tbody></table>"
