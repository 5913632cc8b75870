"""A self check in C: points with their exact values, and a main that compares the functions of the header with them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ...core.program import Program
from .. import exact
from ..numpy import conditions
from ..watch import FINE
from .header import Parts
from .words import number, wrapped

# Points of everyday numbers, and as many of Q near P at each of these relative gaps.
POINTS, GAPS = 6, (1e-3, 1e-7)

_DRAWN, _SEED = 20_000, 1

_MAIN = """\
#include <stdio.h>

int main(void) {{
    static const double points[][{arguments}] = {{
{points}
    }};
    static const double values[][{outputs}] = {{
{values}
    }};
    static const double limits[{outputs}] = {{ {limits} }};
    double worst = 0.0;
    int wrong = 0, undecided = 0;
    (void) points;
    for (int i = 0; i < {count}; i++) {{
        {kind} result;
        if (!{name}_decided({call}&result)) {{
            undecided++;
            continue;
        }}
        const double found[] = {{ {found} }};
        for (int k = 0; k < {outputs}; k++) {{
            const double error = fabs(found[k] / values[i][k] - 1.0) * 4503599627370496.0;
            const bool same = found[k] == values[i][k] || (found[k] != found[k] && values[i][k] != values[i][k]);
            if (!same && !(error <= limits[k])) {{
                printf("point %d, result %d: %.17g instead of %.17g\\n", i, k, found[k], values[i][k]);
                wrong++;
            }}
            worst = !same && error > worst ? error : worst;
        }}
    }}{loop}
    printf("{name}: {count} points, %d wrong, %d not decided, worst error %.2g units of 2^-52\\n",
        wrong, undecided, worst);
    return wrong != 0;
}}"""

_LOOP = """
    for (size_t i = 0; i < {count}; i++) {{
        double {blocks};
        {name}_n(1, {pointers}, {results});
        const {kind} result = {name}({call});
        const double once[] = {{ {found} }}, many[] = {{ {many} }};
        wrong += memcmp(once, many, sizeof once) != 0 && once[0] == once[0];
    }}"""


def check(program: Program) -> str:
    """The source of the check; its values are decided in growing precision, or the point is left out."""
    parts = Parts(program)
    rows: list[tuple[list[float], list[float]]] = []
    for point in points(program):
        values = [exact.evaluate(program, point, k) for k, _ in enumerate(program.outputs)]
        if all(value.proof != "undecided" for value in values):
            rows.append((point, [value.value for value in values]))
    arguments, outputs = len(parts.arguments), len(parts.outputs)
    one, inputs = outputs == 1, [f"points[i][{k}]" for k in range(arguments)]
    filling = {
        "name": parts.name,
        "kind": parts.result,
        "count": len(rows),
        "arguments": max(arguments, 1),
        "outputs": outputs,
        "points": "\n".join(_row(point or [0.0]) for point, _ in rows),
        "values": "\n".join(_row(values) for _, values in rows),
        "limits": ", ".join(number(FINE if o.error else o.bound) for o in program.outputs),
        "found": "result" if one else ", ".join(f"result.{name}" for name in parts.outputs),
        "blocks": ", ".join(f"{name}_one[1]" for name in parts.outputs),
        "many": ", ".join(f"{name}_one[0]" for name in parts.outputs),
        "results": ", ".join(f"{name}_one" for name in parts.outputs),
        "pointers": ", ".join(f"&{x}" for x in inputs),
    }
    loop = _LOOP.format(**filling, call=", ".join(inputs)) if arguments else ""
    return _MAIN.format(**filling, call="".join(f"{x}, " for x in inputs), loop=loop)


def _row(values: list[float]) -> str:
    return "\n".join(wrapped(f"        {{ {', '.join(map(number, values))} }},"))


def points(program: Program) -> Iterator[list[float]]:
    """Points of the domain, everyday numbers, then points near P = Q, and one where everything is NaN.

    Families with other parameters than each other's meet, if they do, mostly where all of these are 1.
    """
    names = program.arguments
    if not names:
        yield []
        return
    drawn = _drawn(len(names))
    valid = _valid(program, drawn)
    apart = drawn[valid][:POINTS]
    yield from apart.tolist()
    pairs = [(names.index(name), names.index(f"{name[:-2]}_q")) for name in names if _paired(name, names)]
    for gap in GAPS:
        near = _beside(drawn[valid], pairs, gap) if pairs else 1.0 + gap * (drawn - drawn.mean())
        yield from islice(near[_valid(program, near)].tolist(), POINTS)
    yield [math.nan] * len(names)


def _paired(name: str, names: tuple[str, ...]) -> bool:
    return name.endswith("_p") and f"{name[:-2]}_q" in names


def _beside(rows: NDArray[np.float64], pairs: list[tuple[int, int]], gap: float) -> NDArray[np.float64]:
    """Q moved to P, but for that relative gap in what is no whole number."""
    near = rows.copy()
    for p, q in pairs:
        whole = near[:, p] == np.floor(near[:, p])
        near[:, q] = np.where(whole, near[:, p], near[:, p] * (1.0 + gap))
    return near


def _drawn(count: int) -> NDArray[np.float64]:
    """Rows of numbers of every kind that a domain could ask for: positive, of either sign, whole, below 1."""
    rng = np.random.default_rng(_SEED)
    kinds = rng.integers(0, 4, (_DRAWN, count))
    positive = np.round(np.exp(rng.uniform(-1.5, 1.8, kinds.shape)), 3)
    signs = rng.choice([-1.0, 1.0], kinds.shape)
    whole, unit = rng.integers(1, 9, kinds.shape), np.round(rng.uniform(0.05, 0.95, kinds.shape), 3)
    return np.choose(kinds, [positive, signs * positive, whole.astype(float), unit]).astype(float)


def _valid(program: Program, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the arguments satisfy every condition."""
    with np.errstate(all="ignore"):
        holds = conditions(program)(**dict(zip(program.arguments, rows.T, strict=True)))
    return np.logical_and.reduce([np.broadcast_to(hold, len(rows)) for hold in holds.values()], initial=True)
