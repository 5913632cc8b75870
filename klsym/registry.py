"""klsym's divergences in the registries of other libraries, so that their own functions find them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Protocol, Self

from .adapters.example import example
from .adapters.measure import named, pair
from .adapters.reading import Law, Library
from .api import kl
from .core.errors import KlsymError

Pair = tuple[type, type]


class Registry(Protocol):
    """A library's table of divergences, by pairs of classes."""

    name: str
    module: Any
    bases: Sequence[str]  # classes of which only subclasses are made of arrays

    def array(self, value: Any) -> Any:
        """An array of the library."""
        ...

    def call(self, p: Any, q: Any) -> Any:
        """The library's own divergence; what it lacks raises NotImplementedError."""
        ...

    def get(self, pair: Pair) -> Callable[..., Any] | None:
        """What is registered for exactly this pair."""
        ...

    def put(self, functions: Mapping[Pair, Callable[..., Any] | None]) -> None:
        """Register these for exactly these pairs, or nothing."""
        ...


@dataclass
class Registration:
    """What was added to a library's registry and what was replaced; `undo()`, or leaving a with block, takes it back.

    `kept` are pairs that the library has itself, `infinite` those added or replaced whose divergence is always
    infinite, `unknown` those of outcomes of one kind that neither has.
    """

    registry: Registry
    added: tuple[Pair, ...]
    replaced: tuple[Pair, ...]
    kept: tuple[Pair, ...]
    infinite: frozenset[Pair]
    unknown: tuple[Pair, ...]
    before: dict[Pair, Callable[..., Any] | None]

    def undo(self) -> None:
        """Register what was there before; once is enough."""
        self.registry.put(self.before)
        self.before.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()

    def __str__(self) -> str:
        infinite = len(self.infinite.intersection(self.added))
        lines = [
            f"{self.registry.name}: {len(self.added)} pairs added ({infinite} of them always infinite), "
            f"{len(self.replaced)} replaced, {len(self.kept)} kept, {len(self.unknown)} without a closed form",
            *_listed("added", self.added, self.infinite),
            *_listed("replaced", self.replaced, self.infinite),
        ]
        return "\n".join(lines)

    __repr__ = __str__


def _listed(title: str, pairs: tuple[Pair, ...], infinite: frozenset[Pair]) -> Iterator[str]:
    """The pairs a line for each P, the infinite ones in brackets."""
    for first in dict.fromkeys(p for p, _ in pairs):
        seconds = [(q, (p, q) in infinite) for p, q in pairs if p is first]
        shown = ", ".join(f"[{q.__name__}]" if bad else q.__name__ for q, bad in seconds)
        yield f"  {title} {first.__name__} || {shown}"


def register(registry: Registry, replace: bool) -> Registration:
    """Give a library every divergence that it lacks and klsym has in closed form, or for certain as infinite.

    Whether it lacks one is found out by calling it for two everyday members. What it has stays, unless `replace`.
    """
    library = import_module(f".adapters.{registry.name}", __package__).LIBRARY
    classes = {
        name: getattr(registry.module, name)
        for name in library.rows
        if hasattr(registry.module, name) and name not in registry.bases
    }
    first, second = (
        {name: example(library, made, name, n, registry.array) for name, made in classes.items()} for n in (False, True)
    )
    added, replaced, kept, unknown, infinite = [], [], [], [], set[Pair]()
    for p, at_p in first.items():
        for q, at_q in second.items():
            kind, key = _kind(library, at_p, at_q), (classes[p], classes[q])
            if kind is None:
                continue
            own = _has(registry, at_p, at_q)
            known = kind in ("closed", "infinite")
            (kept if own and not (replace and known) else unknown if not known else replaced if own else added).append(
                key
            )
            if kind == "infinite":
                infinite.add(key)
    before = {key: registry.get(key) for key in (*added, *replaced)}
    registry.put(dict.fromkeys(before, divergence))
    return Registration(
        registry, tuple(added), tuple(replaced), tuple(kept), frozenset(infinite), tuple(unknown), before
    )


def divergence(p: Any, q: Any, **_: Any) -> Any:
    """klsym.kl(p, q), as a registry calls it."""
    return kl(p, q)


def _kind(library: Library, p: Any, q: Any) -> str | None:
    """The kind of the formula, None where the outcomes are of different kinds."""
    try:
        a, b = pair(library, p, q)
    except KlsymError:
        return None
    if getattr(a.law.family, "discrete", False) != getattr(b.law.family, "discrete", False):
        return None
    return _kind_of(a.law, b.law)


@cache
def _kind_of(p: Law, q: Law) -> str:
    try:
        return kl(named(p, "_p"), named(q, "_q")).kind
    except KlsymError:
        return "unknown"


def _has(registry: Registry, p: Any, q: Any) -> bool:
    """Whether the library's own divergence has an answer."""
    try:
        registry.call(p, q)
    except (NotImplementedError, TypeError, AttributeError, ValueError, RuntimeError):
        return False
    return True
