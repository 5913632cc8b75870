"""What an audit tells: tables, pages, files, exit status; and the judgement on tables of values."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from klsym.audit import command
from klsym.audit.peers import errormap, page, table
from klsym.audit.peers.call import Call, Made
from klsym.audit.peers.finding import Finding, Severity
from klsym.audit.peers.result import Audit, PairResult, Point
from klsym.audit.values import judge
from klsym.cli import main
from klsym.core.errors import ParameterError, UnknownNameError

GAMMA = "Gamma(concentration, rate) || Gamma(concentration, rate)"
HOSTILE = '<script>alert("1")</script>'


def finding(severity: Severity, **changes: object) -> Finding:
    p = Made("Gamma", {"concentration": 5.0, "rate": 2.0})
    q = Made("Gamma", {"concentration": 5.00000001, "rate": 2.0})
    found = Finding(
        subject="torch",
        pair=GAMMA,
        trial="near",
        severity=severity,
        call=Call("torch", "kl", p, q),
        element=(),
        got="-2.9e-16",
        truth="1.1066147823e-17",
        proof="ball",
        error=1.2e17,
        seen=120,
        tried=500,
        script="import torch\nraise SystemExit(1 < 2 & 3)\n",
        seed=0,
        versions={"torch": "2.13.0"},
        where="value",
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def points(gaps: tuple[float, ...]) -> tuple[Point, ...]:
    """A textbook formula: the nearer, the worse."""
    at = [{"p.rate": 2.0, "q.rate": 2.0 * (1 + gap)} for gap in gaps]
    return tuple(
        Point("near", a, 1.0, 1.0, min(1 / gap**2, 1e18) if gap else 0.0) for a, gap in zip(at, gaps, strict=True)
    )


GAPS = (0.0, *(10.0**-k for k in range(16)))
AUDIT = Audit(
    "torch",
    7,
    {"torch": "2.13.0", "klsym": "0.1.0"},
    (
        PairResult(
            GAMMA,
            True,
            (finding(Severity.LOST_DIGITS, error=math.inf, element=(0, 1)), finding(Severity.WRONG_SIGN)),
            (*points(GAPS), Point("generic", {"p.rate": 1.0, "q.rate": 3.0}, math.nan, 0.5, math.inf)),
            {"near": 500, "generic": 100},
            21e-9,
        ),
        PairResult(f"{HOSTILE} || Beta", True, (finding(Severity.NAN, pair=f"{HOSTILE} || Beta", got=HOSTILE),)),
        PairResult("Beta || Beta", skipped={"extreme": "no time left", "gradients": f"{HOSTILE}"}),
        PairResult("Gamma || Normal", answers=False),
    ),
)


def test_an_audit_is_read_back_from_its_json():
    text = json.dumps(AUDIT.to_json(), allow_nan=False)
    again = Audit.from_json(json.loads(text))
    assert repr(again) == repr(AUDIT)


def test_severities_have_the_names_that_are_shown():
    assert [Severity.named(str(severity)) for severity in Severity] == list(Severity)
    assert [Severity.named(name) for name in command.BAD.split(", ")] == list(Severity)
    assert Severity.named("Wrong-Value") is Severity.WRONG_VALUE
    with pytest.raises(UnknownNameError, match="did you mean 'wrong value'"):
        Severity.named("wrong vale")


def test_the_table_has_the_worst_first_and_all_that_was_tried():
    lines = table.text(AUDIT).splitlines()
    assert lines[0] == "torch: 3 findings in 2 of 3 pairs that answer: 1 wrong sign, 1 nan, 1 lost digits"
    assert lines[1] == "600 points, seed 7; torch 2.13.0, klsym 0.1.0"
    severities = [line.split("  ")[0] for line in lines[4:7]]
    assert severities == ["wrong sign", "nan", "lost digits"]
    assert "Gamma(concentration=5, rate=2) || Gamma(concentration=5.00000001, rate=2)" in lines[4]
    assert re.search(r"-2\.9e-16 +1\.1066147823e-17 +1e\+17 eps", lines[4])
    assert "[0, 1]" in lines[6] and lines[6].endswith("inf eps")
    assert any(re.fullmatch(rf"{re.escape(GAMMA)} +600 +2 +1e\+18 eps +21 ns", line) for line in lines)
    assert "extreme: no time left (Beta || Beta)" in lines
    assert "no divergence: 1 pair (Gamma || Normal)" in lines


def test_every_point_is_a_row_of_the_csv():
    rows = list(csv.DictReader(io.StringIO(table.points(AUDIT))))
    assert len(rows) == len(GAPS) + 1
    assert (rows[-1]["got"], rows[-1]["error_eps"], rows[-1]["q.rate"]) == ("nan", "inf", "3.0")
    assert {row["pair"] for row in rows} == {GAMMA}


class Tags(HTMLParser):
    """The tags of a page, those that are open, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_escapes_every_name():
    text = page.page(AUDIT)
    tags = Tags()
    tags.feed(text)
    assert tags.open == [] and tags.loaded == []
    assert not {"script", "link", "img", "iframe"} & set(tags.seen)
    assert "url(" not in text and "&lt;script&gt;" in text
    assert "raise SystemExit(1 &lt; 2 &amp; 3)" in text
    assert tags.seen.count("details") == 3 and tags.seen.count("svg") == 1


def squares(svg: str) -> dict[str, tuple[float, float, str]]:
    """Of every cell what it says: left, top and colour."""
    space = "{http://www.w3.org/2000/svg}"
    found = ElementTree.fromstring(svg)
    cells = [(node, node.find(f"{space}title")) for node in found.iter(f"{space}rect")]
    cells += [(node.find(f"{space}rect"), node.find(f"{space}title")) for node in found.iter(f"{space}g")]
    return {
        title.text or "": (float(rect.attrib["x"]), float(rect.attrib["y"]), rect.attrib["fill"])
        for rect, title in cells
        if rect is not None and title is not None
    }


def test_the_map_shows_errors_growing_as_the_gap_shrinks():
    svg = errormap.picture(points(GAPS), "a <title>")
    cells = sorted(squares(svg).items(), key=lambda cell: cell[1][0])
    darkness = [int(colour[1:3], 16) for _, (_, _, colour) in cells]
    # The first cell is the gap 0, which is exact; then errors fall from the darkest to the lightest shade.
    assert darkness[0] == max(darkness)
    assert darkness[1:] == sorted(darkness[1:]) and darkness[1] < 0x10 and darkness[-1] > 0xE0
    assert "relative gap between P and Q" in svg and "size of the parameters" in svg and "worst error in a cell" in svg
    assert "a &lt;title&gt;" in svg


def test_shades_can_be_told_apart_in_grey():
    def grey(colour: str) -> float:
        r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    shades = [grey(colour) for _, colour in errormap.SHADES] + [grey(errormap.BEYOND)]
    assert all(lighter - darker > 20 for lighter, darker in pairwise(shades))


@pytest.mark.parametrize(
    "got, truth, error, sign",
    [
        (math.nan, 1.0, math.inf, "×"),
        (math.inf, 1.0, math.inf, "∞"),
        (1.0, math.inf, math.inf, "∞"),
        (-1e-16, 1e-17, 11.0, "−"),
        (1.0, math.nan, None, "?"),
        (math.inf, math.inf, 0.0, ""),
        (math.nan, math.nan, 0.0, ""),
    ],
)
def test_marks_say_what_no_shade_can(got, truth, error, sign):
    point = Point("generic", {"p.rate": 1.0, "q.rate": 2.0}, got, truth, error)
    assert errormap.mark(point) == sign
    drawn = errormap.picture([point], "")
    assert {mark for mark in errormap.MARKS if f">{mark}</text>" in drawn} == ({sign} if sign else set())


@pytest.mark.parametrize("order", [1, -1])
def test_a_cell_shows_its_worst_point(order):
    at = {"p.rate": 1.0, "q.rate": 2.0}
    two = [Point("generic", at, 1.0, 1.0, 0.5), Point("generic", at, 1.0, 2.0, 1e15)]
    (colour,) = (colour for _, _, colour in squares(errormap.picture(two[::order], "")).values())
    assert colour == errormap.BEYOND
    bad = Point("generic", at, math.nan, 1.0, 0.0)
    assert ">×</text>" in errormap.picture([*two, bad][::order], "")


def test_axes_of_unlike_sides_are_those_that_tell_most():
    def point(shape: float, scale: float, rate: float) -> Point:
        return Point("generic", {"p.rate": rate, "q.scale": scale, "q.shape": shape}, 1.0, 1.0, (shape * scale) ** 2)

    sizes = [1e-4, 1.0, 1e4]
    found = errormap.axes([point(a, b, c) for a in sizes for b in sizes for c in sizes])
    assert sorted(axis.name.split("|")[1] for axis in found) == ["q.scale", "q.shape"]


# The command


@pytest.fixture
def audited(monkeypatch):
    """The command with an audit that is there already: its plan, and how it was called."""
    from klsym.audit.peers import campaign

    seen: dict[str, Any] = {}

    def audit(plan, executor, flight, journal, minutes, progress):
        seen.update(plan=plan, flight=flight, journal=journal, minutes=minutes)
        return seen.get("audit", AUDIT)

    monkeypatch.setattr(campaign, "audit", audit)
    return seen


def test_the_command_writes_what_is_asked_for(audited, tmp_path, capsys):
    page_, csv_, scripts = tmp_path / "deep" / "page.html", tmp_path / "points.csv", tmp_path / "scripts"
    files = ["--html", str(page_), "--csv", str(csv_), "--scripts", str(scripts)]
    assert main(["audit", "torch", "Gamma", "Beta", "--seed", "7", "--jobs", "1", *files]) == 1
    assert capsys.readouterr().out == table.text(AUDIT) + "\n"
    assert (page_.read_text(), csv_.read_text()) == (page.page(AUDIT), table.points(AUDIT))
    assert [path.read_text() for path in sorted(scripts.iterdir())] == [f.script for f in AUDIT.findings]
    assert all(re.fullmatch(r"[\w.]+", path.name) for path in scripts.iterdir())
    plan = audited["plan"]
    assert (plan.subject, plan.p, plan.q, plan.points, plan.seed) == ("torch", "Gamma", "Beta", 64, 7)


@pytest.mark.parametrize("severity, status", [("lost-digits", 1), ("wrong sign", 1), ("WRONG_VALUE", 0), ("dies", 0)])
def test_the_status_is_for_findings_as_bad_as_that(audited, severity, status, capsys):
    assert main(["audit", "torch", "--fail-on", severity, "--json"]) == status
    assert Audit.from_json(json.loads(capsys.readouterr().out)).counts == AUDIT.counts


def test_an_audit_that_tried_nothing_is_not_fine(audited, capsys):
    audited["audit"] = Audit("torch", 0, {}, (PairResult("Gamma || Gamma", skipped={"all": "klsym failed: at once"}),))
    assert main(["audit", "torch"]) == 1
    assert "all: klsym failed: at once (Gamma || Gamma)" in capsys.readouterr().out


def test_what_is_not_finished_in_time_is_told(tmp_path, monkeypatch):
    from klsym.audit.peers import campaign
    from klsym.audit.peers.conduct import Progress

    def conduct(cases, journal, executor, flight, progress):
        for done, case in enumerate(cases, 1):
            yield case.name, PairResult(case.audited.pair.name, tried={"generic": 1}).to_json()
            progress(Progress(done, len(cases), 0, done, 1.0))

    monkeypatch.setattr(campaign, "conduct", conduct)
    plan = campaign.Plan("math:hypot", "exponential", "exponential")
    whole = campaign.audit(plan, None, 1, tmp_path / "a.jsonl")  # type: ignore[arg-type]
    assert (whole.tried, list(whole.skipped())) == (1, [])
    plan = campaign.Plan("scipy", only=("gamma", "beta", "norm"))
    short = campaign.audit(plan, None, 1, tmp_path / "b.jsonl", minutes=0)  # type: ignore[arg-type]
    assert short.tried < len(short.pairs)
    assert {why for _, _, why in short.skipped()} == {"not finished in 0 minutes; the same audit goes on"}


def test_a_function_needs_to_be_told_of_which_families(capsys):
    assert main(["audit", "math:hypot"]) == 2
    assert "say of which families" in capsys.readouterr().err


def test_an_unknown_class_is_named(capsys):
    assert main(["audit", "math:hypot", "gama", "gamma"]) == 2
    assert "did you mean 'Gamma'" in capsys.readouterr().err


@pytest.mark.peers
@pytest.mark.slow
def test_a_fault_of_torch_is_found_and_shown_by_its_own_script(tmp_path, capsys):
    pytest.importorskip("torch")
    command_ = ["audit", "torch", "Exponential", "Beta", "--points", "8", "--scripts", str(tmp_path), "--json"]
    assert main(command_) == 1
    found = Audit.from_json(json.loads(capsys.readouterr().out)).findings
    # One rate beside a batch of Betas: it is infinite, and torch gives it the shape of P alone.
    (shape,) = (f for f in found if f.severity is Severity.WRONG_SHAPE)
    assert (shape.got, shape.truth) == ("() float64", "(2,) float64")
    (script,) = tmp_path.glob("*wrong_shape.py")
    ran = subprocess.run([sys.executable, "-I", script], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout) == (1, "it says ()\ntrue is (2,)\n")


# Tables of values

HEADER = "p,p.alpha,p.beta,q,q.k,q.lam,kl"


@pytest.fixture
def judged(tmp_path):
    def of(*lines: str, limit: float | None = None):
        path = tmp_path / "values.csv"
        path.write_text("\n".join(lines))
        return judge(path, limit)

    return of


@pytest.mark.parametrize(
    "value, verdict",
    [
        ("0.1917", "right"),
        ("0.19170344", "right"),
        ("1.917e-1", "right"),
        ("0.191703441825788945704317209806", "right"),
        ("0.191703441825788945704317209807", "wrong"),
        ("0.1918", "wrong"),
        ("-0.1917", "wrong"),
        ("inf", "wrong"),
        ("nan", "wrong"),
        ("0.1917034418257890", "right"),
        ("0.1917034418257900", "wrong"),
    ],
)
def test_a_value_is_right_if_it_is_rounded_right(judged, value, verdict):
    # KL(Gamma(5, 2) || Weibull(3/2, 3)) = 0.191703441825788945704317209806...
    (row,) = judged(HEADER, f"gamma,5,2,weibull,3/2,3,{value}").rows
    assert (row.line, row.verdict) == (2, verdict)


def test_a_limit_of_ones_own(judged):
    line = "gamma,5,2,weibull,1.5,3,0.1918"
    assert not judged(HEADER, line).ok and judged(HEADER, line, limit=1.0).ok


def test_short_values_among_doubles_are_doubles(judged):
    header, exact = "p,p.rate,q,q.rate,kl", "exponential,2,exponential,1,0.1931471805599453"
    alone = judged(header, "exponential,2,exponential,1,0.2")
    beside = judged(header, exact, "exponential,2,exponential,1,0.2")
    assert [row.verdict for row in alone.rows] == ["right"]
    assert [row.verdict for row in beside.rows] == ["right", "wrong"]


def test_infinite_values_and_labels_and_entropy(judged):
    found = judged(
        "p,p.rate,q,q.a,q.b,kl:book,kl:other,entropy,note",
        "exponential,1,uniform,0,1,inf,,1,a note",
        "exponential,1,uniform,0,1,,12.5,0.9,",
    )
    assert [(row.column, row.verdict) for row in found.rows] == [
        ("kl:book", "right"),
        ("entropy", "right"),
        ("kl:other", "wrong"),
        ("entropy", "wrong"),
    ]


@pytest.mark.parametrize(
    "line, says",
    [
        ("gama,5,2,weibull,1.5,3,0.19", "did you mean 'Gamma'"),
        ("gamma,5,-2,weibull,1.5,3,0.19", "beta of Gamma is -2"),
        ("gamma,5,,weibull,1.5,3,0.19", "needs a value for beta"),
        ("gamma,5,two,weibull,1.5,3,0.19", "p.beta is 'two'"),
        ("gamma,5,1/0,weibull,1.5,3,0.19", "p.beta is '1/0'"),
        ("gamma,5,2,weibull,1.5,3,about 0.19", "kl is 'about 0.19'"),
        ("gamma,5,2,,,,0.19", "both columns"),
        ("gamma,5,2,weibull,1.5,3,0.19,7", "1 more than the header"),
        ("dirichlet,5,2,weibull,1.5,3,0.19", "a family of arrays"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_the_others_are_judged(judged, line, says):
    found = judged("# a comment", HEADER, "", line, "gamma,5,2,weibull,1.5,3,0.1917")
    assert [(row.line, row.verdict) for row in found.rows] == [(4, "unreadable"), (5, "right")]
    assert says in found.rows[0].note and "line 4: unreadable" in str(found)
    assert not found.ok


@pytest.mark.parametrize(
    "header, says",
    [
        ("", "no header"),
        ("p,q,kk", "no column is named 'kk'"),
        ("p,q,kl,kl", "two columns are named 'kl'"),
        ("p,p.alpha,q", "lacks values"),
        ("q,kl", "lacks a column p"),
        ("p,kl", "lacks a column q"),
    ],
)
def test_a_header_that_is_none_is_misuse(judged, header, says):
    with pytest.raises(ParameterError, match=says):
        judged(header)


def test_the_command_judges_a_table(tmp_path, capsys):
    path = tmp_path / "values.csv"
    path.write_text(f"{HEADER}\ngamma,5,2,weibull,1.5,3,0.1917\ngamma,5,2,weibull,1.5,3,0.1927\n")
    assert main(["audit", str(path), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [row["verdict"] for row in document["rows"]] == ["right", "wrong"]
    assert main(["audit", str(path), "--limit", "20"]) == 0
    assert "2 right" in capsys.readouterr().out
    assert main(["audit", str(tmp_path / "none.csv")]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, says",
    [
        (
            ["self", "--dask", "tcp://localhost:1"],
            "--dask is for an audit of another implementation, not of klsym itself",
        ),
        (["values.csv", "--seed", "1"], "--seed is for an audit of klsym itself or another implementation"),
        (["torch", "Gamma"], "P and Q, both"),
        (["self", "gamma", "gamma"], "P and Q, both"),
        (["tensorflow"], "'tensorflow' is no subject"),
        (["torch", "--fail-on", "ugly"], "no severity is named 'ugly'"),
    ],
)
def test_misuse_is_said_in_one_line(arguments, says, capsys):
    assert main(["audit", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
