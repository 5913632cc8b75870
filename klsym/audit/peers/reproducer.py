"""The script of a call with a few lines at its end that tell whether the fault is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ...core.errors import ParameterError
from .call import Call
from .script import prelude, question

Fault = Literal["value", "sign", "nan", "infinity", "shape", "dtype", "gradient", "exception", "batch"]


@dataclass(frozen=True)
class Expectation:
    """What is true of a call, and how the answer departs from it.

    `truth` is the value of the element, in decimal, or "inf"; `bound` the relative error from which on an answer is
    wrong. `where` is "value", or the argument by which a derivative is: "p.rate". For a fault of the shape or of the
    type `truth` is what it should be: "(2, 3)", "float64". Where the element of a batch is unlike the element alone,
    `alone` is the call of that element.
    """

    fault: Fault
    truth: str = ""
    bound: float = 0.0
    where: str = "value"
    element: tuple[int, ...] = ()
    alone: Call | None = None


def reproducer(call: Call, expectation: Expectation) -> str:
    """A script that needs the library alone, and ends with status 1 where the fault is there, 0 where it is not.

    An exception is a fault whatever it is of: its traceback ends the script with status 1. Raises ParameterError for a
    derivative that the call does not ask for.

    >>> from klsym.audit.peers.call import Call, Made
    >>> call = Call("torch", "entropy", Made("Exponential", {"rate": 0.5}))
    >>> print(reproducer(call, Expectation("value", "1.69314718055994530942", bound=1e-12)))
    import torch
    <BLANKLINE>
    p_rate = torch.tensor(0.5, dtype=torch.float64)
    p = torch.distributions.Exponential(rate=p_rate)
    value = p.entropy()
    <BLANKLINE>
    got = float(value)
    print("it says", got)
    print("true is 1.69314718055994530942")
    raise SystemExit(not abs(got - 1.69314718055994530942) <= 1e-12 * abs(1.69314718055994530942))
    """
    if expectation.where != "value" and not call.gradient:
        raise ParameterError(f"the call has no derivatives, so none by {expectation.where}")
    parts = [prelude(call), "", question(call), ""]
    if expectation.fault == "batch":
        if expectation.alone is None:
            raise ParameterError("an element of a batch needs the call of that element alone")
        parts += [f"batch = {_result(expectation)}", "", question(expectation.alone), ""]
    return "\n".join([*parts, *_ENDS[expectation.fault](expectation)])


def _result(expectation: Expectation) -> str:
    return "value" if expectation.where == "value" else f"gradients[{expectation.where!r}]"


def _element(expectation: Expectation, of: str) -> str:
    place = ", ".join(map(str, expectation.element))
    return f"float({of}[{place}])" if place else f"float({of})"


def _number(truth: str) -> str:
    """The decimal as Python reads it; what is finite and beyond all doubles is infinite, as it is for the library."""
    return truth if abs(float(truth)) < float("inf") else f'float("{float(truth)}")'


def _told(expectation: Expectation, got: str, truth: str, fault: str) -> list[str]:
    return [f"got = {got}", 'print("it says", got)', f'print("true is {truth}")', f"raise SystemExit({fault})"]


def _numeric(fault: Callable[[str, float], str]) -> Callable[[Expectation], list[str]]:
    def end(e: Expectation) -> list[str]:
        return _told(e, _element(e, _result(e)), e.truth, fault(_number(e.truth), e.bound))

    return end


def _shape(e: Expectation) -> list[str]:
    return _told(e, f"tuple({_result(e)}.shape)", e.truth, f"str(got) != {e.truth!r}")


def _dtype(e: Expectation) -> list[str]:
    return _told(e, f"str({_result(e)}.dtype)", e.truth, f"not got.endswith({e.truth!r})")


def _gradient(e: Expectation) -> list[str]:
    # A derivative of NaN is the only number unlike itself.
    missing = f"got is None or {_element(e, 'got')} != {_element(e, 'got')}"
    return _told(e, _result(e), e.truth, missing)


def _exception(e: Expectation) -> list[str]:
    return _told(e, _result(e), e.truth or "that there is an answer", "False")


def _batch(e: Expectation) -> list[str]:
    alone = f"float({_result(e)})"
    return [
        f"got, alone = {_element(e, 'batch')}, {alone}",
        'print("in the batch it says", got)',
        'print("alone it says", alone)',
        f"raise SystemExit(not abs(got - alone) <= {e.bound!r} * abs(alone))",
    ]


_ENDS: Mapping[Fault, Callable[[Expectation], list[str]]] = {
    "value": _numeric(lambda truth, bound: f"not abs(got - {truth}) <= {bound!r} * abs({truth})"),
    "sign": _numeric(lambda truth, bound: "got < 0"),
    "nan": _numeric(lambda truth, bound: "got != got"),
    "infinity": _numeric(lambda truth, bound: f'float("inf") in (abs(got), abs({truth})) and got != {truth}'),
    "shape": _shape,
    "dtype": _dtype,
    "gradient": _gradient,
    "exception": _exception,
    "batch": _batch,
}
