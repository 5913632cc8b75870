"""Formulas, steps and reports as text, LaTeX and plain data."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import mpmath as mp
import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from .arrays.functions import Entry
from .core.derivation import Case, Step

if TYPE_CHECKING:
    from .answer import Answer
    from .verification import Report

GREEK = {"lam": r"\lambda"}


class Text(StrPrinter):
    """SymPy's text with the field's names: digamma, trigamma, E1."""

    def _print_polygamma(self, expr: sp.Expr) -> str:
        order, x = expr.args
        name = {0: "digamma", 1: "trigamma"}.get(int(order)) if order.is_Integer else None
        return f"{name}({self._print(x)})" if name else f"polygamma({self._print(order)}, {self._print(x)})"

    def _print_expint(self, expr: sp.Expr) -> str:
        order, x = expr.args
        return f"E1({self._print(x)})" if order == 1 else f"expint({self._print(order)}, {self._print(x)})"

    def _print_Trace(self, expr: sp.Expr) -> str:
        inside = self._print(expr.args[0])
        return inside if expr.args[0].shape == (1, 1) else f"tr({inside})"

    def _print_Sum(self, expr: sp.Expr) -> str:
        index, first, last = expr.limits[0]
        if len(expr.limits) > 1 or not expr.has(sp.Indexed, Entry):
            return super()._print_Sum(expr)
        return f"sum({self._print(expr.function)}, {index}={first}..{last})"

    def _print_ElementwiseApplyFunction(self, expr: sp.Expr) -> str:
        return self._print(expr.function.expr.func(sp.Symbol(self._print(expr.expr))))

    def _print_DiagonalOf(self, expr: sp.Expr) -> str:
        return f"diag({self._print(expr.arg)})"

    def _print_Infinity(self, expr: sp.Expr) -> str:
        return "+oo"


class Latex(LatexPrinter):
    """SymPy's LaTeX with psi for digamma and lambda for lam."""

    def _print_polygamma(self, expr: sp.Expr, exp: str | None = None) -> str:
        order, x = expr.args
        power = "" if exp is None else f"^{{{exp}}}"
        if order == 0:
            return rf"\psi{power}\left({self._print(x)}\right)"
        return rf"\psi^{{({self._print(order)})}}\left({self._print(x)}\right)" + power

    def _print_loggamma(self, expr: sp.Expr, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\log{power} \Gamma\left({self._print(expr.args[0])}\right)"

    def _print_beta(self, expr: sp.Expr, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\operatorname{{B}}{power}\left({', '.join(map(self._print, expr.args))}\right)"

    def _print_Trace(self, expr: sp.Expr, exp: str | None = None) -> str:
        inside = self._print(expr.args[0])
        power = "" if exp is None else f"^{{{exp}}}"
        if expr.args[0].shape == (1, 1):
            return inside if exp is None else rf"\left({inside}\right){power}"
        return rf"\operatorname{{tr}}{power}\left({inside}\right)"

    def _print_Transpose(self, expr: sp.Expr) -> str:
        return f"{self.parenthesize(expr.arg, 100, True)}^\\top"

    def _print_Indexed(self, expr: sp.Expr, exp: str | None = None) -> str:
        stem, _, owner = str(expr.base).partition("_")
        power = "" if exp is None else f"^{{{exp}}}"
        indices = ",".join(map(self._print, expr.indices))
        return f"{self._print(sp.Symbol(stem))}_{{{owner + ',' if owner else ''}{indices}}}{power}"

    def _print_ElementwiseApplyFunction(self, expr: sp.Expr) -> str:
        name = expr.function.expr.func.__name__
        return rf"\{name}\left({self._print(expr.expr)}\right)"

    def _print_DiagonalOf(self, expr: sp.Expr) -> str:
        return rf"\operatorname{{diag}}\left({self._print(expr.arg)}\right)"

    def _print_Symbol(self, expr: sp.Symbol, style: str = "plain") -> str:
        stem, _, subscript = expr.name.partition("_")
        if stem in GREEK:
            return GREEK[stem] + (f"_{{{subscript}}}" if subscript else "")
        return super()._print_Symbol(expr, style)


def text(expr: Any) -> str:
    """The expression on one line."""
    return Text({"order": None}).doprint(expr)


def latex(expr: Any) -> str:
    return Latex({"ln_notation": False}).doprint(expr)


def _case_lines(case: Case, first: bool) -> list[str]:
    condition = "" if case.when == sp.true else f"if {text(case.when)}" if first else f"else if {text(case.when)}"
    if case.when == sp.true and not first:
        condition = "otherwise"
    body = textwrap.fill(
        text(case.value), 100, initial_indent="  = ", subsequent_indent="      ", break_long_words=False
    )
    note = f"; {case.why}" if case.why and case.kind != "closed" else ""
    return [body, f"    ({case.kind}{', ' + condition if condition else ''}{note})"]


def formula_text(formula: Answer) -> str:
    """The formula's cases, one after another."""
    lines = [formula.title + (f", in {formula.unit}" if formula.unit else "")]
    for i, case in enumerate(formula.cases):
        lines += _case_lines(case, i == 0)
    return "\n".join(lines)


def steps_text(formula: Answer) -> str:
    """The derivation: number, rule, equality, condition and reason of each step."""
    return "\n".join([formula.title, *step_lines(formula.steps), "", formula_text(formula)])


def step_lines(steps: Iterable[Step]) -> list[str]:
    """A paragraph for each step."""
    lines = []
    for i, step in enumerate(steps, 1):
        lines.append(f"  ({i}) [{step.rule}] {step.why}")
        if step.rule != "support":
            claim = f"{text(step.lhs)} = {text(step.rhs)}"
            lines.append(
                textwrap.fill(claim, 104, initial_indent=" " * 6, subsequent_indent=" " * 10, break_long_words=False)
            )
        if step.when != sp.true:
            lines.append(
                f"      finite if and only if {text(step.when)}"
                if step.rule == "support"
                else f"      requires {text(step.when)}"
            )
    return lines


def formula_latex(formula: Answer) -> str:
    """One LaTeX expression: the value, or cases with their conditions."""
    if len(formula.cases) == 1:
        return latex(formula.value)
    conditions = ("\\text{otherwise}" if c.when == sp.true else f"\\text{{if }} {latex(c.when)}" for c in formula.cases)
    rows = [f"{latex(c.value)} & {when}" for c, when in zip(formula.cases, conditions, strict=True)]
    return "\\begin{cases} " + " \\\\ ".join(rows) + " \\end{cases}"


def steps_latex(formula: Answer) -> str:
    """The derivation as an align environment."""
    rows = [f"{latex(s.lhs)} &= {latex(s.rhs)} && \\text{{({s.rule})}}" for s in formula.steps if s.rule != "support"]
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"


def formula_json(formula: Answer) -> dict[str, Any]:
    """The formula and its steps as plain data: every expression as text and LaTeX."""
    return {
        "divergence": formula.derivation.divergence.name,
        "p": str(formula.p),
        "q": str(formula.q),
        "unit": formula.unit,
        "kind": formula.kind,
        "parameters": [str(s) for s in formula.parameters],
        "cases": [
            {"kind": c.kind, "when": str(c.when), "value": str(c.value), "latex": latex(c.value), "why": c.why}
            for c in formula.cases
        ],
        "steps": [
            {"rule": s.rule, "lhs": text(s.lhs), "rhs": text(s.rhs), "when": str(s.when), "why": s.why}
            for s in formula.steps
        ],
    }


def report_text(report: Report) -> str:
    """A line for each thing checked: how many points, the verdicts, and the worst difference; failures in full."""
    lines = [report.title]
    for what in dict.fromkeys(row.what for row in report.rows):
        rows = [row for row in report.rows if row.what == what]
        count = Counter(row.verdict.value for row in rows)
        gaps = [
            abs(r.left.mid - r.right.mid) / (1 + abs(r.right.mid))
            for r in rows
            if mp.isfinite(r.left.mid) and mp.isfinite(r.right.mid)
        ]
        worst = f"worst difference {mp.nstr(max(gaps), 2)}" if gaps else "no two finite numbers"
        lines.append(f"  {what:<28} {', '.join(f'{n} {v}' for v, n in count.items()):<24} {worst}")
        for row in rows:
            if row.verdict.value != "agree":
                where = ", ".join(f"{k}={v}" for k, v in row.point.items())
                note = row.left.note or row.right.note
                sides = f"{mp.nstr(row.left.mid, 17)} against {mp.nstr(row.right.mid, 17)}"
                lines.append(f"      {row.verdict.value} at {where}: {sides}{f' ({note})' if note else ''}")
    lines.append(
        f"  verdict: {report.verdict.value}" if report.rows else "  nothing to check: no point satisfies the conditions"
    )
    return "\n".join(lines)
