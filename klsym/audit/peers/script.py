"""A call as a script in the library's own idiom: the text that is measured is the text that is pasted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any

from ...core.errors import ParameterError, nearest
from .call import Call, Made
from .dialects import VECTOR, Dialect
from .forms import words
from .subjects import subject


def script(call: Call) -> str:
    """The script, which leaves the variables `value` and, if asked for, `gradients`.

    Every name in it is one of the subject's tables, every number is written so that it is read back exactly. Raises
    ParameterError for a class, an argument, a wrapper or a quantity that the subject's tables lack.

    >>> from klsym.audit.peers.call import Call, Made
    >>> print(script(Call("torch", "entropy", Made("Exponential", {"rate": 0.5}))))
    import torch
    <BLANKLINE>
    p_rate = torch.tensor(0.5, dtype=torch.float64)
    p = torch.distributions.Exponential(rate=p_rate)
    value = p.entropy()
    """
    return f"{prelude(call)}\n\n{question(call)}"


def prelude(call: Call) -> str:
    """The imports, and what the type of the numbers needs."""
    dialect = subject(call.subject).dialect
    if call.dtype not in ("float64", "float32"):
        raise ParameterError(f"{call.dtype!r:.40} is no type of floats; it is float64 or float32")
    return "\n".join([dialect.imports, *[dialect.doubles] * bool(dialect.doubles and call.dtype == "float64")])


def question(call: Call) -> str:
    """The script behind its imports."""
    dialect = subject(call.subject).dialect
    writing = _Writing(call, dialect)
    made = [f"p = {writing.distribution('p', call.p)}"]
    if call.q is not None:
        made.append(f"q = {writing.distribution('q', call.q)}")
    if call.at is not None:
        writing.lines.append(f"at = {writing.outcomes(call.at)}")
    value = writing.quantity()
    if not call.gradient:
        return "\n".join([*writing.lines, *made, f"value = {value}"])
    if not dialect.gradient:
        raise ParameterError(f"{call.subject} has no derivatives")
    names, labels = ", ".join(writing.leaves.values()), list(writing.leaves)
    told = dialect.gradient.format(leaves=names, labels=labels, count=len(labels)) if labels else "gradients = {}"
    if dialect.functional:
        body = indent("\n".join([*made, f"return {value}"]), "    ")
        asked = ["", "", f"def function({names}):", body, "", "", f"value = function({names})"]
    else:
        asked = [*made, f"value = {value}"]
    return "\n".join([*writing.lines, *asked, told])


@dataclass
class _Writing:
    """The lines before the distributions, and the variables by which there are derivatives, by label."""

    call: Call
    dialect: Dialect
    lines: list[str] = field(default_factory=list)
    leaves: dict[str, str] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)

    def quantity(self) -> str:
        functions = self.dialect.functions.get(self.call.p.kind)
        known = self.dialect.quantities if functions is None else functions
        if self.call.quantity not in known:
            raise ParameterError(f"{self.call.subject}'s {self.call.p.kind} has no {self.call.quantity}")
        return known[self.call.quantity]

    def distribution(self, place: str, made: Made) -> str:
        if made.kind in self.dialect.functions:
            if set(made.arguments) != {VECTOR}:
                raise ParameterError(f"{made.kind} of {self.call.subject} takes {VECTOR} alone")
            text = self.value(f"{place}.{VECTOR}", made.arguments[VECTOR])
        else:
            text = self.object(place, made)
        for number, (name, arguments) in enumerate(made.around):
            text = self.wrapped(text, f"{place}.around.{number}", name, arguments)
        return text

    def object(self, place: str, made: Made) -> str:
        """An object of one of the library's classes."""
        classes = words(self.call.subject)
        if made.kind not in classes:
            raise ParameterError(f"{self.call.subject} has no {made.kind!r}{nearest(made.kind, classes)}")
        home, known = classes[made.kind]
        if strange := [name for name in made.arguments if name not in known]:
            raise ParameterError(
                f"{made.kind} of {self.call.subject} has no argument {strange[0]!r}{nearest(strange[0], known)}"
            )
        # Where arguments have no names in the text, their order is all that they have.
        given = {name: made.arguments[name] for name in known if name in made.arguments}
        values = {name: self.value(f"{place}.{name}", value) for name, value in given.items()}
        return self.dialect.make.format(
            home=home,
            kind=made.kind,
            arguments=", ".join(f"{name}={text}" for name, text in values.items()),
            values=", ".join(values.values()),
        )

    def wrapped(self, base: str, place: str, name: str, arguments: Mapping[str, Any]) -> str:
        if name not in self.dialect.wrappers:
            raise ParameterError(f"{self.call.subject} has no wrapper {name!r}{nearest(name, self.dialect.wrappers)}")
        wrapper = self.dialect.wrappers[name]
        if set(arguments) != set(wrapper.arguments.split()):
            raise ParameterError(f"{name} of {self.call.subject} takes {wrapper.arguments}")
        spelled = {key: self.around(f"{place}.{key}", value) for key, value in arguments.items()}
        return wrapper.spelling.format(base=base, **spelled)

    def around(self, place: str, value: Any) -> str:
        """A wrapper's argument; an object has a variable of its own, for Q to take the very same one."""
        if value == "p":
            return self.shared["p" + place[1:]]
        text = self.value(place, value)
        if not _holds_objects(value):
            return text
        variable = place.replace(".", "_")
        self.lines.append(f"{variable} = {text}")
        self.shared[place] = variable
        return variable

    def value(self, place: str, value: Any) -> str:
        """An argument: an object or a list of them, or numbers, floats under a variable of their own."""
        if isinstance(value, Made):
            return self.distribution(place, value)
        if _holds_objects(value):
            return f"[{', '.join(self.value(f'{place}.{number}', each) for number, each in enumerate(value))}]"
        if place.endswith("shape") and isinstance(value, (list, tuple)):
            return repr(tuple(map(int, value)))
        if not _floats(value):
            return self.numbers(value, leaf=False)
        variable = place.replace(".", "_")
        self.lines.append(f"{variable} = {self.numbers(value, leaf=self.call.gradient)}")
        self.leaves[place] = variable
        return variable

    def outcomes(self, value: Any) -> str:
        if _floats(value):
            return self.numbers(value, leaf=False)
        spelling = self.dialect.counts or self.dialect.integers
        return spelling.format(numbers=_text(value), dtype=self.call.dtype)

    def numbers(self, value: Any, leaf: bool) -> str:
        dialect, text = self.dialect, _text(value)
        if not _floats(value):
            return dialect.integers.format(numbers=text) if isinstance(value, list) else text
        spelling = dialect.array if isinstance(value, list) else dialect.scalar or dialect.array
        return spelling.format(numbers=text, dtype=self.call.dtype, leaf=dialect.leaf if leaf else "")


def _holds_objects(value: Any) -> bool:
    return isinstance(value, Made) or (isinstance(value, (list, tuple)) and any(map(_holds_objects, value)))


def _floats(value: Any) -> bool:
    """Whether it is a float, or an array with one: a tuple is a shape, and what else it may be has no derivatives."""
    return isinstance(value, float) or (isinstance(value, list) and (not value or any(map(_floats, value))))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, float) and value - value != 0:
        return f'float("{value}")'
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, (int, float)):
        # What a subclass makes of itself is no number of Python's.
        return repr(int(value) if isinstance(value, int) else float(value))
    raise ParameterError(f"{value!r:.40} is no number; numbers and lists of them are needed")
