"""The search for the remainder form that computes a closed form best, and the choices it has made.

A form is judged by its lines alone, so that the choice is the same on every machine; those for the families of the
catalog are kept in choices.json by the shape of the closed form, since a search takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import product

import sympy as sp
from sympy.core.function import AppliedUndef

from ..core.errors import UnderivableError
from ..core.primitive import PRIMITIVES
from ..core.program import TRUSTED
from .coordinates import Coordinate, Pairs, options
from .errors import INFINITE, Errors
from .judge import typical_error
from .remainder import Arithmetic, NoRule
from .shapes import shapes, transplanted
from .structure import Structured, second_order, tidy, vanishes

# What a primitive costs, in operations; any other counts as one.
COST = {
    "div": 4, "sqrt": 4, "log": 15, "exp": 15, "expm1": 20, "e2": 20, "phi": 20, "klrem": 20, "log_ratio": 20,
    "log1p": 15, "pow": 40, "sin": 30, "lgamma": 40, "digamma": 40, "trigamma": 40, "lgamma_difference": 60,
    "lgrem": 60, "grem": 60, "lbetarem": 180, "log_i0_remainder": 100,
}  # fmt: skip

# How many coordinates for one of three or more parameters, how many combinations of them, and how long forms are tried.
KEPT, TRIED, LONGEST = 3, 20, 150

# Which coordinate for each parameter, and which shape: indexes into what `options` and `shapes` give; and whether
# functions of u_1, u_2 and D take u_1 + D for u_2. None is no form.
Chosen = tuple[tuple[int, ...], int, bool]
Choice = Chosen | None
Indexed = tuple[int, Coordinate]


def best(value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol], errors: Errors) -> Structured | None:
    """The remainder form to compute a closed form by, or None where there is none."""
    key = shape_key(value, pairs, ends)
    choice = chosen()[key] if key in chosen() else search(value, pairs, ends, errors)
    return None if choice is None else form(choice, value, pairs, ends)


def form(choice: Chosen, value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol]) -> Structured:
    """The form that a choice stands for."""
    chart = tuple(list(options(q, pairs, ends))[k] for q, k in zip(pairs, choice[0], strict=True))
    found = _structured(shapes(transplanted(value, chart), chart)[choice[1]], chart)
    return found.stepwise() if choice[2] else found


def search(value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol], errors: Errors) -> Choice:
    """The best choice: sums of terms never negative come first, then those whose error has a bound, or is small as a
    rule, then short ones. `errors` are those of lines whose arguments are the parameters.

    A form counts only if it is equal to the closed form at random points.
    """
    if value.count_ops() > LONGEST:
        return None
    found: list[tuple[tuple[bool, float, int, float, int], Choice, Structured]] = []
    for choice, structured in candidates(value, pairs, ends):
        scratch = errors.scratch()
        try:
            result = structured.lines(scratch.build, {})
        except UnderivableError:
            continue
        total = scratch.range(result)
        cost = sum(COST.get(line.primitive, 1) for line in scratch.build.lines)
        bound = INFINITE if total.relative is None else total.relative
        usual = 0.0 if bound <= TRUSTED else typical_error(scratch, result, pairs)
        found.append(((total.sign <= 0, usual, cost, bound, len(found)), choice, structured))
        if total.sign > 0 and bound <= TRUSTED:
            break
    ranked = sorted(found, key=lambda row: row[0])
    return next((choice for _, choice, structured in ranked if vanishes(structured.sum - value)), None)


def candidates(value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol]) -> Iterator[tuple[Choice, Structured]]:
    """The remainder forms of a closed form, in the most invariant coordinates."""
    for inside, indexed in charts(value, pairs, ends):
        chart = tuple(coordinate for _, coordinate in indexed)
        for k, shape in enumerate(shapes(inside, chart)):
            try:
                structured = _structured(shape, chart)
            except NoRule:
                continue
            if any(e.func.__name__ not in PRIMITIVES for term in structured.terms for e in term.atoms(AppliedUndef)):
                continue
            indexes = tuple(index for index, _ in indexed)
            yield (indexes, k, False), structured
            yield (indexes, k, True), structured.stepwise()


def _structured(shape: sp.Expr, chart: tuple[Coordinate, ...]) -> Structured:
    arithmetic = Arithmetic({c.moving.symbol: c.moving for c in chart})
    return Structured(tidy(second_order(arithmetic, shape), chart), chart)


def charts(value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol]) -> list[tuple[sp.Expr, tuple[Indexed, ...]]]:
    """The closed form in combinations of coordinates, those first that leave the fewest parameters in it."""

    def rank(indexed: tuple[Indexed, ...]) -> tuple[tuple[int, int], sp.Expr, tuple[Indexed, ...]]:
        chart = tuple(coordinate for _, coordinate in indexed)
        inside = transplanted(value, chart)
        left = len(inside.free_symbols - {c.moving.symbol for c in chart})
        return (left, inside.count_ops()), inside, indexed

    kept: list[list[Indexed]] = []
    for q in pairs:
        ranked = sorted((rank((one,)) for one in enumerate(options(q, pairs, ends))), key=lambda row: row[0])
        kept.append([one for _, _, (one,) in (ranked if len(pairs) < 3 else ranked[:KEPT])])
    found = sorted((rank(indexed) for indexed in product(*kept)), key=lambda row: row[0])
    return [(inside, indexed) for (left, _), inside, indexed in found[:TRIED] if left == found[0][0][0]]


def shape_key(value: sp.Expr, pairs: Pairs, ends: Set[sp.Symbol]) -> str:
    """What a closed form has in common with one in other names: the form with its symbols numbered."""
    moved = [symbol for q, p in pairs.items() for symbol in (q, p) if isinstance(symbol, sp.Symbol)]
    rest = sorted(value.free_symbols - set(moved), key=lambda symbol: symbol.name)
    names = {symbol: sp.Symbol(f"s{k}", **symbol.assumptions0) for k, symbol in enumerate((*moved, *rest))}
    text = f"{value.xreplace(names)} {[(q.xreplace(names), p.xreplace(names), q in ends) for q, p in pairs.items()]}"
    return sha256(text.encode()).hexdigest()[:16]


@cache
def chosen() -> dict[str, Choice]:
    """The choices that are kept, by shape."""
    kept = json.loads(files("klsym.lower").joinpath("choices.json").read_text(encoding="utf-8"))
    return {row["shape"]: row["choice"] and (tuple(row["choice"][0]), *row["choice"][1:]) for row in kept}
