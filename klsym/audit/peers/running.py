"""The process of a subject: it runs scripts that klsym wrote, and says what became of them."""

from __future__ import annotations

import json
import re
import time
import traceback
from typing import Any

import numpy as np

from ...core.worker import converse
from .call import MAKING, Outcome

SCRIPT = "<script>"


def serve() -> None:
    """The life of the other process."""
    converse(lambda message: json.dumps(run(json.loads(message)).to_json()).encode())


def run(text: str) -> Outcome:
    """The outcome of a script in this process; the text is klsym's own, made of names in its tables and of numbers."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    start = time.perf_counter()
    try:
        exec(compile(text, SCRIPT, "exec"), scope)
        seconds = time.perf_counter() - start
        value, shape, dtype, said = plain(scope.get("value"))
        gradients = {name: plain(part)[0] for name, part in scope.get("gradients", {}).items()}
    except NotImplementedError as error:
        return Outcome("lacking", said=_line(error), seconds=time.perf_counter() - start)
    except MemoryError as error:
        return Outcome("memory", said=_line(error), seconds=time.perf_counter() - start)
    except BaseException as error:
        said = f"{MAKING} {_line(error)}" if _making(error, text) else _line(error)
        return Outcome("raised", said=said, seconds=time.perf_counter() - start)
    return Outcome("answered", value, shape, dtype, gradients, said, seconds)


def _making(error: BaseException, text: str) -> bool:
    """Whether it was raised before P and Q were there: the library refuses these, not the question."""
    steps = traceback.extract_tb(error.__traceback__)
    places = [step.lineno for step in steps if step.filename == SCRIPT and step.lineno]
    line = text.splitlines()[places[-1] - 1].strip() if places else "value"
    return not line.startswith(("value", "return", "gradients", "found", "from", "import"))


def _line(error: BaseException) -> str:
    """The error in one line, without what differs from one process to the next."""
    text = " ".join(str(error).split())[:300]
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", f"{type(error).__name__}: {text}")


def plain(value: Any) -> tuple[Any, tuple[int, ...], str, str]:
    """Lists of numbers, their shape and type; of anything else no number, the name of its type, and how it looks."""
    kind = str(getattr(value, "dtype", "")).removeprefix("torch.")
    try:
        found = value.detach() if hasattr(value, "detach") else value
        array = np.asarray(found.double() if kind == "bfloat16" and hasattr(found, "double") else found)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    if array.dtype.kind not in "fiu":
        text = re.sub(r"0x[0-9a-f]{6,}", "0x...", " ".join(repr(value).split()))[:200]
        return None, (), kind or type(value).__name__, f"returned {text}"
    return array.tolist(), array.shape, kind or array.dtype.name, ""
