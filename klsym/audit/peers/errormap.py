"""The errors of a pair as a picture in SVG: the worst of each cell of a grid, two coordinates on logarithmic scales."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import combinations

from .result import Point

LEFT, TOP, RIGHT, BOTTOM, CELL = 76, 16, 170, 58, 14
COLUMNS, ROWS = 36, 22
# One hue whose lightness falls throughout, so that it reads in grey; each shade holds errors up to 10^exponent eps.
SHADES = ((0, "#eef1f4"), (2, "#c9d8e6"), (4, "#9dbbd7"), (7, "#6695c0"), (10, "#386a9e"), (13, "#1d4270"))
BEYOND = "#0a1b36"
DARK = {BEYOND, *(colour for exponent, colour in SHADES if exponent >= 7)}
# What no shade can say, by letters of one stroke, the gravest last.
MARKS = {"?": "truth not known", "∞": "infinite, or not", "×": "no number", "−": "negative"}


@dataclass(frozen=True)
class Axis:
    """A coordinate of a point, a size that is drawn as its logarithm; 0 has a place of its own."""

    name: str
    of: Callable[[Point], float]


@dataclass(frozen=True)
class Scale:
    """Where the powers of ten of an axis lie, in cells; `zero` is how many are kept for 0 and a space."""

    low: int
    high: int
    cells: int
    zero: int

    def place(self, size: float) -> int:
        """The cell of a size."""
        if size == 0:
            return 0
        return self.zero + min(int(self.along(math.log10(size))), self.cells - self.zero - 1)

    def along(self, exponent: float) -> float:
        """Cells from the first of a power of ten to the exponent."""
        return (exponent - self.low) / (self.high - self.low) * (self.cells - self.zero)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """(position in cells, what is written there)."""
        if self.zero:
            yield 0.5, "0"
        step = max(1, -(-(self.high - self.low) // 8))
        for exponent in range(self.low, self.high + 1, step):
            yield (
                self.zero + self.along(exponent),
                f"1e{exponent}" if not -2 <= exponent <= 3 else f"{10.0**exponent:g}",
            )


def axes(points: Sequence[Point]) -> tuple[Axis, Axis]:
    """Gap and size where P and Q have the same parameters, else the two arguments that tell most about the error."""
    if all(matched(point) for point in points):
        return Axis("relative gap between P and Q, the largest of their parameters (a ratio)", gap), Axis(
            "size of the parameters (geometric mean)", size
        )
    names = list(dict.fromkeys(name for point in points for name in point.at))
    found = [Axis(f"|{name}| (as the subject takes it)", partial(named, name)) for name in names]
    found += found[:1] * (len(found) == 1)
    return max(combinations(found, 2), key=lambda two: sum(telling(axis, points) for axis in two))


def named(name: str, point: Point) -> float:
    """The size of an argument."""
    return abs(point.at[name])


def matched(point: Point) -> list[tuple[float, float]]:
    """P's and Q's values of the parameters, where both have the same ones."""
    p, q = ({name[2:]: x for name, x in point.at.items() if name.startswith(side)} for side in ("p.", "q."))
    return [(p[name], q[name]) for name in p] if p.keys() == q.keys() else []


def gap(point: Point) -> float:
    """The largest relative difference of a parameter of P and the same of Q.

    >>> gap(Point("near", {"p.rate": 2.0, "q.rate": 2.5}, 0.0, 0.0, None))
    0.2
    """
    return max(abs(p - q) / max(abs(p), abs(q)) if p != q else 0.0 for p, q in matched(point))


def size(point: Point) -> float:
    """The geometric mean of the sizes of the arguments that are not 0."""
    logarithms = [math.log(abs(x)) for x in point.at.values() if x]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else 0.0


def telling(axis: Axis, points: Sequence[Point]) -> float:
    """How much the mean logarithm of the error differs from decade to decade of the coordinate: a variance."""
    decades: dict[int, list[float]] = {}
    for point in points:
        place = axis.of(point)
        decade = math.floor(math.log10(place)) if place else -400
        decades.setdefault(decade, []).append(min(math.log10(1 + (point.error or 0.0)), 17.0))
    total = sum(map(sum, decades.values())) / len(points)
    return sum(len(errors) * (sum(errors) / len(errors) - total) ** 2 for errors in decades.values())


def scale(sizes: Sequence[float], cells: int) -> Scale:
    """The scale that holds all the sizes, from one power of ten to another."""
    exponents = [math.log10(size) for size in sizes if size] or [0.0]
    low = math.floor(min(exponents))
    return Scale(low, max(math.ceil(max(exponents)), low + 1), cells, 3 * (0 in sizes))


def rank(point: Point) -> tuple[int, float]:
    """How bad a point is: by its mark, then by its error."""
    sign = mark(point)
    return (list(MARKS).index(sign) if sign else -1, point.error if point.error is not None else -1.0)


def mark(point: Point) -> str:
    """What is to be said of a point beside its error."""
    if point.error is None:
        return "?"
    if math.isnan(point.got) != math.isnan(point.truth):
        return "×"
    if math.isinf(point.got) != math.isinf(point.truth):
        return "∞"
    return "−" if point.where == "value" and point.got < 0 <= point.truth else ""


def shade(error: float | None) -> str:
    """The colour of an error in eps.

    >>> shade(0.5), shade(1e16)
    ('#eef1f4', '#0a1b36')
    """
    fitting = [colour for exponent, colour in SHADES if (error or 0.0) <= 10.0**exponent]
    return fitting[0] if fitting else BEYOND


def picture(points: Sequence[Point], title: str) -> str:
    """The map as one SVG element, a cell a square of the grid that holds the worst of its points; "" without points.

    Hovering over a cell tells its worst point. Points whose arguments are not all finite are left out.
    """
    shown = [point for point in points if point.at and all(map(math.isfinite, point.at.values()))]
    if not shown:
        return ""
    across, up = axes(shown)
    x, y = scale([across.of(point) for point in shown], COLUMNS), scale([up.of(point) for point in shown], ROWS)
    cells: dict[tuple[int, int], Point] = {}
    for point in shown:
        cell = x.place(across.of(point)), y.place(up.of(point))
        cells[cell] = max(cells.get(cell, point), point, key=rank)
    width, height = LEFT + COLUMNS * CELL + RIGHT, TOP + ROWS * CELL + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="11"><title>{escape(title)}</title>',
        f'<rect x="{LEFT}" y="{TOP}" width="{COLUMNS * CELL}" height="{ROWS * CELL}" fill="#fff" stroke="#999"/>',
        *(square(cell, cells[cell]) for cell in sorted(cells)),
        *across_ticks(x, across.name),
        *up_ticks(y, up.name),
        *legend(LEFT + COLUMNS * CELL + 16, {mark(point) for point in cells.values()}),
        "</svg>",
    ]
    return "\n".join(parts)


def square(cell: tuple[int, int], point: Point) -> str:
    """A cell with its shade and mark, which tells its worst point when hovered over."""
    left, top = LEFT + cell[0] * CELL, TOP + (ROWS - 1 - cell[1]) * CELL
    sign, error = mark(point), "not known" if point.error is None else f"{point.error:.3g} eps"
    at = ", ".join(f"{name}={value!r}" for name, value in point.at.items())
    said = f"{at}: got {point.got!r}, true {point.truth!r}, error {error} ({point.trial})"
    fill = "#fff" if sign == "?" else shade(point.error)
    drawn = f'<rect x="{left}" y="{top}" width="{CELL}" height="{CELL}" fill="{fill}" stroke="#fff" stroke-width="0.5">'
    if not sign:
        return f"{drawn}<title>{escape(said)}</title></rect>"
    return (
        f"<g>{drawn}</rect><text "
        f'x="{left + CELL / 2}" y="{top + CELL - 3}" text-anchor="middle" fill="{ink(fill)}">{sign}</text>'
        f"<title>{escape(said)}</title></g>"
    )


def ink(fill: str) -> str:
    """The colour of a mark that is seen on the shade."""
    return "#fff" if fill in DARK else "#111"


def across_ticks(scale: Scale, name: str) -> Iterator[str]:
    bottom = TOP + ROWS * CELL
    for place, said in scale.ticks():
        left = LEFT + place * CELL
        yield f'<line x1="{left:.1f}" x2="{left:.1f}" y1="{bottom}" y2="{bottom + 4}" stroke="#555"/>'
        yield f'<text x="{left:.1f}" y="{bottom + 17}" text-anchor="middle">{said}</text>'
    middle = LEFT + COLUMNS * CELL / 2
    yield f'<text x="{middle}" y="{bottom + 40}" text-anchor="middle" font-size="12">{escape(name)}</text>'


def up_ticks(scale: Scale, name: str) -> Iterator[str]:
    for place, said in scale.ticks():
        top = TOP + (ROWS - place) * CELL
        yield f'<line x1="{LEFT - 4}" x2="{LEFT}" y1="{top:.1f}" y2="{top:.1f}" stroke="#555"/>'
        yield f'<text x="{LEFT - 7}" y="{top + 4:.1f}" text-anchor="end">{said}</text>'
    middle = TOP + ROWS * CELL / 2
    turned = f'transform="rotate(-90 18 {middle})" text-anchor="middle" font-size="12"'
    yield f'<text x="18" y="{middle}" {turned}>{escape(name)}</text>'


def legend(left: int, marks: set[str]) -> Iterator[str]:
    """What the shades and the marks that occur mean."""
    yield f'<text x="{left}" y="{TOP + 10}" font-weight="600">worst error in a cell</text>'
    shades = [(colour, "up to 1 eps" if n == 0 else f"up to 1e{n} eps") for n, colour in SHADES]
    entries = [(colour, "", says) for colour, says in [*shades, (BEYOND, "more")]]
    entries += [("#fff", sign, says) for sign, says in MARKS.items() if sign in marks]
    for line, (colour, sign, says) in enumerate(entries, 1):
        top = TOP + 8 + line * 19
        yield f'<rect x="{left}" y="{top}" width="{CELL}" height="{CELL}" fill="{colour}" stroke="#999"/>'
        yield f'<text x="{left + CELL / 2}" y="{top + CELL - 3}" text-anchor="middle">{sign}</text>'
        yield f'<text x="{left + CELL + 7}" y="{top + CELL - 3}">{says}</text>'
