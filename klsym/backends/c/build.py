"""A program as a shared library: C for the first pass, compiled once, kept for later processes, called by ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ...core.errors import UnderivableError
from ...core.program import Program
from ..callable import WIDTH, Compiled, FirstPass
from ..numpy import NOTE, conditions
from ..store import keep
from .header import Parts
from .machine import EPILOGUE, PROLOGUE
from .words import struct, wrapped

_FLAGS = ("-std=c99", "-O3", "-fno-trapping-math", "-fno-math-errno", "-ffp-contract=off", "-shared", "-fPIC")
_NATIVE = "-march=native"

MISSING = (
    "the backend c needs a C compiler, and CC, cc, gcc and clang are not found; install one (Debian: apt install gcc, "
    "macOS: xcode-select --install, conda: c-compiler), or take another backend"
)


def load(program: Program, **options: bool) -> Compiled:
    """The program as a callable, compiled at the first time; UnderivableError without a compiler or a primitive."""
    parts = Parts(program)
    text = source(parts)
    fill = _filling(parts, built(parts.name, text))
    doc = "\n".join([program.doc, "", NOTE[0], *(f"{condition.text}." for condition in program.conditions)])
    return Compiled(program, FirstPass("c", text, doc, fill, conditions(program)), **options)


def source(parts: Parts) -> str:
    """The functions of one element, and `fill`, which FirstPass describes, over arrays of pointers."""
    names = range(len(parts.arguments))
    inputs = [f"x{k}" for k in names]
    made = [*(f"v{k}" for k, _ in enumerate(parts.outputs)), *(f"e{k}" for k in parts.errors)]
    values, errors = parts.first_parts("all")
    pointers = ", ".join([f"const double *restrict {x}" for x in inputs] + [f"double *restrict {x}" for x in made])
    element, results = ", ".join(f"{x}[i]" for x in inputs), ", ".join(f"{x}[i]" for x in made)
    given, found = parts.odd([f"{x}[i]" for x in inputs], values, errors, "limit")
    marked = [f"({term} & watched[{k}])" for k, term in enumerate(given)]
    odd = " | ".join(["watched[WATCHED]", *marked, *found])
    again = odd
    for name, part in zip(made, [*values, *errors], strict=True):
        again = again.replace(f"({part}", f"({name}[i]").replace(f", {part},", f", {name}[i],")
    count, watched = f"{max(len(names), 1)}", f"const uint64_t *watched, double limit, {pointers}"
    passed = ", ".join([*inputs, *made])
    lines = [
        f"enum {{ WATCHED = {len(names)}, WIDTH = {WIDTH} }};",
        "",
        f"KLSYM_APART uint64_t values(int64_t count, {watched}) {{",
        "    uint64_t any = 0;",
        "    for (int64_t i = 0; i < count; i++) {",
        f"        const {struct(parts.functions['first'].result)} all = {parts.name}_first_({element});",
        *(f"        {name}[i] = {part};" for name, part in zip(made, [*values, *errors], strict=True)),
        f"        any |= {odd};",
        "    }",
        "    return any;",
        "}",
        "",
        "int64_t fill(",
        "    double limit, int64_t size, const double *const *inputs, const int64_t *steps, double *const *outputs,",
        "    const int64_t *kept, int64_t *places",
        ") {",
        f"    double spread[{count}][WIDTH];",
        f"    uint64_t watched[WATCHED + 1] = {{ {', '.join(['~(uint64_t) 0'] * len(names) + ['0'])} }};",
        "    int64_t found = 0;",
        f"    watched[WATCHED] = {parts.bound!r} > limit ? ~(uint64_t) 0 : 0;",
        *(line for k in names for line in _spread(parts, k, given[k])),
        "    for (int64_t start = 0; start < size; start += WIDTH) {",
        "        const int64_t count = size - start < WIDTH ? size - start : WIDTH;",
        *(f"        const double *x{k} = steps[{k}] ? inputs[{k}] + start : spread[{k}];" for k in names),
        *(f"        double *{name} = outputs[{k}] + start * kept[{k}];" for k, name in enumerate(made)),
        f"        if (!values(count, watched, limit, {passed})) {{",
        "            continue;",
        "        }",
        "        for (int64_t i = 0; i < count; i++) {",
        f"            const bool odd = ({again}) != 0;",
        f"            if (odd && !{parts.name}_valid_({element})) {{",
        *(f"                v{k}[i] = NAN;" for k, _ in enumerate(parts.outputs)),
        "            }",
        f"            if (odd && {parts.name}_doubtful_({', '.join(filter(None, [element, results, 'limit']))})) {{",
        "                places[found++] = start + i;",
        "            }",
        "        }",
        "    }",
        "    return found;",
        "}",
    ]
    loop = "\n".join(part for line in lines for part in wrapped(line))
    library = parts.library(loop, *parts.functions.values())
    texts = [function.text for function in parts.functions.values()]
    return "\n\n".join([PROLOGUE, *library, *texts, loop, EPILOGUE]) + "\n"


def _spread(parts: Parts, k: int, term: str) -> list[str]:
    """A single number as a block of it, which is not watched where it is in the usual range or rightly 0."""
    first = f"spread[{k}][0]"
    zero = f" || {first} == 0.0" if parts.scalars.signs.get(parts.program.arguments[k], True) else ""
    return [
        f"    if (!steps[{k}]) {{",
        f"        for (int64_t i = 0; i < WIDTH; i++) spread[{k}][i] = inputs[{k}][0];",
        f"        if ({term.replace(f'x{k}[i]', first)} == 0{zero}) watched[{k}] = 0;",
        "    }",
    ]


def _filling(parts: Parts, library: ctypes.CDLL) -> Callable[..., int]:
    arguments, results = len(parts.arguments), len(parts.outputs) + len(parts.errors)
    function = library.fill
    inputs, outputs = ctypes.c_void_p * arguments, ctypes.c_void_p * results
    steps, kept = ctypes.c_int64 * arguments, ctypes.c_int64 * results
    function.restype = ctypes.c_int64
    function.argtypes = [ctypes.c_double, ctypes.c_int64, inputs, steps, outputs, kept, ctypes.c_void_p]

    def fill(limit: float, *arrays: Any) -> int:
        size = arrays[arguments].size
        given, made = arrays[:arguments], arrays[arguments:-1]
        return function(
            limit,
            size,
            inputs(*map(_address, given)),
            steps(*[a.size == size for a in given]),
            outputs(*map(_address, made)),
            kept(*[a.size == size for a in made]),
            _address(arrays[-1]),
        )

    return fill


def _address(array: Any) -> int:
    """Where an array begins; a writable one tells it in a third of the time."""
    if array.size and array.flags.writeable:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    return array.ctypes.data


@cache
def compiler() -> tuple[str, ...] | None:
    """The command of the C compiler: CC, or the first of the usual ones; None where there is none."""
    for command in (os.environ.get("CC"), "cc", "gcc", "clang", sysconfig.get_config_var("CC")):
        words = shlex.split(command or "")
        if words and (found := shutil.which(words[0])):
            return found, *words[1:]
    return None


def built(name: str, text: str) -> ctypes.CDLL:
    """The library, compiled unless that was done: named after source, flags, compiler and processor."""
    command = compiler()
    if command is None:
        raise UnderivableError(MISSING)
    file = keep(name, text, ".c")
    key = "\n".join([*command, *_FLAGS, _NATIVE, _version(command), _processor(), text])
    target = file.with_name(f"{file.stem}_{hashlib.sha256(key.encode()).hexdigest()[:16]}.so")
    if not target.exists():
        # From the text at hand, not from the file; and another process sees the whole library or none.
        handle, scratch = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        os.close(handle)
        for flags in ((*_FLAGS, _NATIVE), _FLAGS):
            done = subprocess.run(
                [*command, *flags, "-x", "c", "-", "-o", scratch, "-lm"],
                input=text,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                Path(scratch).replace(target)
                break
        else:
            Path(scratch).unlink()
            raise UnderivableError(f"{command[0]} does not compile {file}: {done.stderr.strip()[:400]}")
    return ctypes.CDLL(str(target))


@cache
def _version(command: tuple[str, ...]) -> str:
    return subprocess.run([*command, "--version"], capture_output=True, text=True, check=False).stdout


@cache
def _processor() -> str:
    """What -march=native depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(sorted({line for line in lines if line.startswith(("flags", "Features", "model", "CPU part"))}))
