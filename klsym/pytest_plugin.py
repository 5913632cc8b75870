"""The pytest plugin: a fixture that checks divergences, and a section at the end that says which and how well.

It is loaded with every run of pytest where klsym is installed, so nothing heavy is imported before the fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .testing import Check

# Properties of a test's report: they reach the terminal from the workers of pytest-xdist too, and JUnit's XML.
PROPERTY = "klsym"


@pytest.fixture
def kl_check(request: pytest.FixtureRequest) -> Callable[..., Check]:
    """kl_check(fn, P, Q, ...) asserts as klsym.testing.assert_kl does, with a line in the section at the end."""
    from .testing import check_kl

    def checked(*arguments: Any, **options: Any) -> Check:
        __tracebackhide__ = True
        check = check_kl(*arguments, **options)
        row = {"function": check.function, "pair": check.pair, "points": check.points, "worst": check.worst}
        request.node.user_properties.append((PROPERTY, {**row, "worst": str(check.worst), "ok": check.ok}))
        if not check.ok:
            raise AssertionError(check.fault)
        return check

    return checked


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The section: a line a check with its points and its worst error, then the counts."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    rows = [
        row
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, row in report.user_properties
        if name == PROPERTY
    ]
    if not rows:
        return
    from .render import aligned

    lines = [("function", "pair", "points", "worst error", "")]
    for row in rows:
        worst = f"{float(row['worst']):.3g} eps"
        lines.append((row["function"], row["pair"], str(row["points"]), worst, "" if row["ok"] else "FAILED"))
    failed = sum(not row["ok"] for row in rows)
    points = sum(row["points"] for row in rows)
    terminalreporter.section("divergences checked by klsym")
    terminalreporter.write_line(aligned(lines))
    checks = "1 check" if len(rows) == 1 else f"{len(rows)} checks"
    terminalreporter.write_line(f"{checks}, {points} points, {failed} failed")
