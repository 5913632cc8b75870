"""Words of C: types, names, numbers, comments, and long lines."""

from __future__ import annotations

import math
import re
import textwrap
from typing import Any

Type = Any  # "double", "int", "bool", "table", or a tuple of types
DOUBLE, INT, TRUTH, TABLE, PAIR = "double", "int", "bool", "table", ("double", "double")

KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while alignas "
    "alignof and and_eq asm bitand bitor bool catch char8_t char16_t char32_t class compl concept consteval constexpr "
    "constinit const_cast co_await co_return co_yield decltype delete dynamic_cast explicit export false friend "
    "mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public reinterpret_cast "
    "requires static_assert static_cast template this thread_local throw true try typeid typename typeof typeof_unqual "
    "using virtual wchar_t xor xor_eq fortran far near huge linux unix i386 errno stdin stdout stderr main".split()
)


def safe(name: str) -> str:
    """The name, changed where C, C++ or a macro has it, or a function of ours could."""
    if name.startswith("klsym"):
        return f"arg_{name}"
    return f"{name}_" if name in KEYWORDS or re.fullmatch(r"[A-Z][A-Z0-9_]+", name) else name


def struct(kind: Type) -> str:
    """The name of a type."""
    if not isinstance(kind, tuple):
        return kind
    return "klsym_pair" if kind == PAIR else "klsym_" + "".join(_letter(part) for part in kind)


def _letter(kind: Type) -> str:
    return "p" if kind == PAIR else kind[0]


def typedef(kind: tuple[Type, ...]) -> str:
    """The struct, and the function that makes one."""
    name = struct(kind)
    fields = " ".join(f"{struct(part)} _{i};" for i, part in enumerate(kind))
    arguments = ", ".join(f"{struct(part)} _{i}" for i, part in enumerate(kind))
    values = ", ".join(f"_{i}" for i, _ in enumerate(kind))
    lines = [
        f"typedef struct {{ {fields} }} {name};",
        f"KLSYM_INLINE {name} {name}_of({arguments}) {{ {name} all = {{ {values} }}; return all; }}",
    ]
    return "\n".join(part for line in lines for part in wrapped(line))


def number(value: float) -> str:
    """The literal of a double."""
    if math.isnan(value):
        return "NAN"
    literal = repr(float(value)) if math.isfinite(value) else "INFINITY"
    return f"(-{literal.lstrip('-')})" if value < 0 or math.copysign(1.0, value) < 0 else literal


def bare(text: str) -> str:
    """An expression without the parentheses around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def commented(text: str) -> str:
    """Text that may stand inside a comment: ASCII, and neither the end of one nor the beginning of another."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in text)
    return plain.replace("*/", "* /").replace("/*", "/ *")


def wrapped(line: str) -> list[str]:
    """A long line in several; C does not care where."""
    if len(line) <= 120:
        return [line]
    pad = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, 118, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False)
