"""The catalog: every family, by name. Adding one is one literal in the file of its support."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..core.errors import UnknownNameError, nearest
from ..core.family import Family
from . import circle, counts, half_line, heavy_tail, interval, real_line

catalog: dict[str, Family] = {
    family.name: family
    for file in (real_line, half_line, heavy_tail, interval, circle, counts)
    for family in vars(file).values()
    if isinstance(family, Family)
}


@lru_cache(maxsize=1)
def array_catalog() -> dict[str, Any]:
    """The families of vectors, lists and matrices and the joint ones, by name; they are loaded when first asked for."""
    from ..arrays.family import ArrayFamily
    from . import joints, matrices, simplex, vectors

    return {
        family.name: family
        for file in (simplex, vectors, matrices, joints)
        for family in vars(file).values()
        if isinstance(family, ArrayFamily)
    }


def find(name: str) -> Any:
    """The family of that name; case, `-` and `_` are ignored.

    A name that no family has raises UnknownNameError.

    >>> find("log-normal").name
    'LogNormal'
    """

    def fold(text: str) -> str:
        return text.replace("-", "").replace("_", "").casefold()

    for names in (lambda: catalog, array_catalog):
        for known, family in names().items():
            if fold(known) == fold(name):
                return family
    near = nearest(name, [*catalog, *array_catalog()]) or (
        "" if name[:1].isalpha() else "; a value has a name, as mu=0"
    )
    raise UnknownNameError(f"there is no family {name!r}{near}; `klsym families` lists them all")
