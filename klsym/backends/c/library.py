"""Kernels, primitives in double-double and machine functions in C, by name: each is translated when it is asked for."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from .machine import MACHINE
from .translate import Function, Translator
from .words import number, struct, typedef, wrapped

_KERNELS = ("elementary", "hyperbolic", "gamma", "rests", "bessel")
_PAIRS = ("arithmetic", "elementary", "gamma", "special")
_MACHINE_TYPES = {"klsym_ddd": ("double", "double", "double"), "uint64_t": "int"}

# How functions are declared: those of a loop's body are inlined, those of a second pass need not be.
INLINE, PLAIN, APART = "KLSYM_INLINE", "static inline", "KLSYM_APART"


class Library:
    """The functions of a few modules: `find` gives one, `table` the C of a table of numbers."""

    def __init__(self, package: str, modules: Iterable[str], prefix: str, qualifier: str) -> None:
        self.prefix, self.qualifier = prefix, qualifier
        self.trees: dict[str, tuple[ast.FunctionDef, Mapping[str, Any]]] = {}
        self.found: dict[str, Function] = {}
        for name in modules:
            module = importlib.import_module(f"..{package}.{name}", __package__)
            for node in ast.parse(inspect.getsource(module)).body:
                if isinstance(node, ast.FunctionDef):
                    assert node.name not in self.trees, node.name
                    self.trees[node.name] = node, vars(module)

    def find(self, name: str) -> Function | None:
        """The function of that name in the modules or of the machine; None where there is none."""
        if name not in self.found:
            if name in self.trees:
                tree, numbers = self.trees[name]
                translator = Translator(tree, numbers, self.find, self.qualifier)
                self.found[name] = translator.translate(self.c_name(name), tables=self.prefix)
            elif name in MACHINE:
                self.found[name] = machine(name)
        return self.found.get(name)

    def c_name(self, name: str) -> str:
        """Helpers, which begin with an underscore, have it at the end."""
        return f"{self.prefix}{name[1:]}_" if name.startswith("_") else f"{self.prefix}{name}"

    def called(self, name: str) -> Function | None:
        """The function that generated statements call by the name with an underscore before it."""
        return self.find(name.removeprefix("_"))

    def definitions(self) -> dict[str, Function]:
        return {function.name: function for function in self.found.values()}

    def table(self, name: str) -> str:
        """The C of a table."""
        plain = name.removeprefix(self.prefix)
        values = next(numbers[plain] for _, numbers in self.trees.values() if plain in numbers)
        rows = ", ".join(f"{{{number(a)}, {number(b)}}}" for a, b in values)
        return "\n".join(wrapped(f"static const double {name}[{len(values)}][2] = {{ {rows} }};"))


def machine(name: str) -> Function:
    """A machine function as one that has been translated."""
    found = MACHINE[name]
    result = _MACHINE_TYPES.get(found.result, found.result)
    structs = (result,) if isinstance(result, tuple) else ()
    needs = tuple(f"klsym_{used}" for used in sorted(found.uses))
    return Function(f"klsym_{name}", found.text, found.arguments, result, needs, structs)


@cache
def kernels() -> Library:
    """The primitives in doubles, for loops."""
    return Library("kernels", _KERNELS, "klsym_", INLINE)


@cache
def pairs() -> Library:
    """The primitives in double-double."""
    return Library("double_double", _PAIRS, "klsym_dd_", PLAIN)


def definitions(functions: Iterable[Function]) -> list[str]:
    """The C of all that the functions need, each once and before what uses it, guarded for headers side by side."""
    known = {function.name: function for library in (kernels(), pairs()) for function in library.definitions().values()}
    known |= {f"klsym_{name}": machine(name) for name in MACHINE if f"klsym_{name}" not in known}
    done: dict[str, str] = {}

    def visit(name: str) -> None:
        if name in done:
            return
        if name not in known:
            done[name] = guarded(name, pairs().table(name))
            return
        for kind in known[name].structs:
            done.setdefault(struct(kind), guarded(struct(kind), typedef(kind)))
        for needed in known[name].needs:
            visit(needed)
        done[name] = guarded(name, known[name].text)

    for function in functions:
        for kind in function.structs:
            done.setdefault(struct(kind), guarded(struct(kind), typedef(kind)))
        for name in function.needs:
            visit(name)
    return list(done.values())


def guarded(name: str, text: str) -> str:
    """A definition that another header may have made."""
    return f"#ifndef HAVE_{name}\n#define HAVE_{name}\n{text}\n#endif"
