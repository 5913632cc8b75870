"""The catalog: every family, by name. Adding one is one literal in the file of its support."""

from __future__ import annotations

from ..core.errors import UnknownNameError, nearest
from ..core.family import Family
from . import circle, counts, half_line, heavy_tail, interval, real_line

catalog: dict[str, Family] = {
    family.name: family
    for file in (real_line, half_line, heavy_tail, interval, circle, counts)
    for family in vars(file).values()
    if isinstance(family, Family)
}


def find(name: str) -> Family:
    """The family of that name; case, `-` and `_` are ignored.

    A name that no family has raises UnknownNameError.

    >>> find("log-normal").name
    'LogNormal'
    """

    def fold(text: str) -> str:
        return text.replace("-", "").replace("_", "").casefold()

    for known, family in catalog.items():
        if fold(known) == fold(name):
            return family
    raise UnknownNameError(f"there is no family {name!r}{nearest(name, catalog)}; `klsym families` lists them all")
