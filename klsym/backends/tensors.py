"""A compiled program as a function of tensors: the compiled kernel on the CPU, torch's own operations elsewhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import ParameterError
from ..core.program import Program
from . import numba
from . import torch as written
from .callable import Compiled
from .function import Function
from .store import keep, module

_KINDS = (torch.float64, torch.float32)


class Tensorial(Function):
    """A divergence as a function of torch tensors, differentiable twice.

    Arguments are tensors or numbers, by position or by name, and broadcast. It is computed in float64, and rounded to
    the type that torch gives the sum of the arguments; an element with an invalid argument is NaN, and with `check=True`
    a ParameterError. Derivatives, by `backward`, `torch.autograd.grad` and `torch.func`, are computed by a form of
    their own, never through one that cancels; where a gradient of 0 meets a slope that is no number the product is 0,
    so that `torch.where` hides an element. Integer parameters have no derivative.

    Tensors on the CPU are computed by the compiled kernel with its second pass, in place. Other devices, and what
    torch.compile traces, take the program in torch's own operations, the first pass alone: `pure` is that function.
    """

    def __init__(
        self, program: Program, second_pass: bool = True, report: bool = False, on_cpu: str | None = None
    ) -> None:
        """`on_cpu` names the backend of tensors on the CPU, "" for torch's own operations there too."""
        if report:
            raise ParameterError("the backend torch gives no report; the backends numba, numpy and exact do")
        self.program, self.second_pass, self.backend = program, second_pass, "torch"
        self.on_cpu = ("numpy" if numba.missing(program) else "numba") if on_cpu is None else on_cpu
        self.source = written.source(program)
        kept = keep(program.name, self.source)
        file = kept.with_stem(f"{kept.stem}_{self.on_cpu}_{second_pass}")
        names = vars(module(file, self.source, {}))
        if self.on_cpu and "_torch_only" not in names:
            names["_torch_only"] = names["_values"], names["_slopes"]
            names["_values"] = self._either(names["_values"], "_value")
            names["_slopes"] = self._either(names["_slopes"], "_derivatives")
        self._run = names[program.name]
        Function.__init__(self, program.name, program.arguments, ("value",), self._run.__doc__, False)
        kinds = inspect.Parameter
        parameters = [kinds(n, kinds.POSITIONAL_OR_KEYWORD, annotation="Tensor | float") for n in program.arguments]
        check = kinds("check", kinds.KEYWORD_ONLY, default=False, annotation=bool)
        self.__signature__ = inspect.Signature([*parameters, check], return_annotation="Tensor")

    def __call__(self, *args: Any, check: bool = False, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(self.arguments):
            args = self.bound(args, kwargs)
        for name, value in zip(self.arguments, args, strict=True):
            if isinstance(value, Tensor):
                _checked(name, value)
        if check:
            self._check(args)
        return self._run(*args)

    @cached_property
    def pure(self) -> Tensorial:
        """The function in torch's own operations on every device, the first pass alone."""
        return Tensorial(self.program, self.second_pass, on_cpu="")

    @cached_property
    def _value(self) -> Compiled:
        value = replace(self.program, outputs=self.program.outputs[:1])
        kept = (*value.outputs[0].lines, *(condition.line for condition in value.conditions))
        return self._compiled(replace(value, lines=value.needed(*kept)))

    @cached_property
    def _derivatives(self) -> Compiled:
        return self._compiled(self.program)

    def _compiled(self, program: Program) -> Compiled:
        from . import load

        found = load(program, self.on_cpu, second_pass=self.second_pass)
        assert isinstance(found, Compiled)
        return found

    def _either(self, traced: Callable[..., Any], compiled: str) -> Callable[..., Any]:
        """The function of a type and tensors that takes the compiled one where all of these are in the CPU's memory."""

        def run(kind: torch.dtype, x: Any) -> Any:
            if torch.compiler.is_compiling() or not all(map(_in_memory, x)):
                return traced(kind, x)
            found = getattr(self, compiled)(*map(_array, x))
            if isinstance(found, tuple):
                return tuple(_tensor(value, kind) for value in found[1:])
            return (_tensor(found, kind),)

        return run

    def _check(self, args: tuple[Any, ...]) -> None:
        """Raise ParameterError for the first element that breaks a condition."""
        arrays = [a.detach().to("cpu", torch.float64).numpy() if isinstance(a, Tensor) else a for a in args]
        self._value(*arrays, check=True)

    def __reduce__(self) -> tuple[Any, ...]:
        from . import load

        options: dict[str, Any] = {"second_pass": self.second_pass, "on_cpu": self.on_cpu}
        return partial(load, **options), (self.program, self.backend)


def _checked(name: str, value: Tensor) -> None:
    if value.is_complex():
        raise TypeError(f"{name} has dtype {value.dtype}; real numbers are needed")
    if value.device.type == "mps":
        raise ParameterError(f"{name} is on the device mps, which has no float64; move it by .cpu() first")


def _in_memory(x: Tensor) -> bool:
    """Whether it is a tensor of numbers on the CPU, not one that stands for others as those of tracers do."""
    return type(x) in (Tensor, torch.nn.Parameter) and x.device.type == "cpu"


def _array(x: Tensor) -> Any:
    """The memory as an array, a number where it has no axes, so that it does not widen float32."""
    if x.ndim == 0:
        return float(x)
    return x.detach().numpy() if x.dtype in _KINDS else x.detach().to(torch.float64).numpy()


def _tensor(value: Any, kind: torch.dtype) -> Tensor:
    return torch.from_numpy(value).to(kind) if isinstance(value, np.ndarray) else torch.tensor(value, dtype=kind)
