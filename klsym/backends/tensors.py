"""Divergences as functions of tensors: compiled for NumPy's arrays on the CPU, torch's own operations elsewhere."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

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
from .callable import Compiled, execute
from .function import Function
from .host import Host
from .store import keep, module
from .watch import FINE

_KINDS = (torch.float64, torch.float32)
# How many units of 2^-52 a derivative may be off, which often is a sum that passes through 0 far from P = Q.
FINE_SLOPE = 2.0**20


class Differentiable(Function):
    """A function of tensors by a generated module, whose values and slopes come from arrays where these are in memory.

    `_value` and `_derivatives` are the functions of arrays; `_together` says that the slopes, which are most of the
    work, are taken with the value where they will be needed.
    """

    _together = False

    def _made(self, name: str, arguments: tuple[str, ...], names: dict[str, Any]) -> None:
        self._run = names[name]
        Function.__init__(self, name, arguments, ("value",), self._run.__doc__, False)
        kinds = inspect.Parameter
        parameters = [kinds(n, kinds.POSITIONAL_OR_KEYWORD, annotation="Tensor | float") for n in arguments]
        check = kinds("check", kinds.KEYWORD_ONLY, default=False, annotation=bool)
        self.__signature__ = inspect.Signature([*parameters, check], return_annotation="Tensor")

    def __call__(self, *args: Any, check: bool = False, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(self.arguments):
            args = self.bound(args, kwargs)
        for name, value in zip(self.arguments, args, strict=True):
            if isinstance(value, Tensor):
                _checked(name, value)
        if check:
            self._check(*(a.detach().to("cpu", torch.float64).numpy() if isinstance(a, Tensor) else a for a in args))
        return self._run(*args)

    def _value(self, *arrays: Any) -> Any:
        raise NotImplementedError

    def _derivatives(self, *arrays: Any) -> Any:
        raise NotImplementedError

    def _check(self, *arrays: Any) -> None:
        raise NotImplementedError

    def _hosted(self, names: dict[str, Any]) -> None:
        """Let the module's values and slopes be those of arrays where all tensors are in the CPU's memory."""
        values, slopes = names["_values"], names["_slopes"]

        def valued(kind: torch.dtype, x: Any) -> Any:
            if torch.compiler.is_compiling() or not all(map(_in_memory, x)):
                return values(kind, x)
            if self._together and any(a.requires_grad for a in x):
                return _tensors(self._derivatives(*map(_array, x)), kind)
            return _tensors((self._value(*map(_array, x)),), kind)

        def sloped(kind: torch.dtype, x: Any) -> Any:
            if torch.compiler.is_compiling() or not all(map(_in_memory, x)):
                return slopes(kind, x)
            return _tensors(self._derivatives(*map(_array, x))[1:], kind)

        names["_values"], names["_slopes"] = valued, sloped


class Tensorial(Differentiable):
    """A divergence as a function of torch tensors, differentiable twice.

    Arguments are tensors or numbers, by position or by name, and broadcast. It is computed in float64 and rounded to
    the type that torch gives the sum of the arguments. An element with an invalid argument is NaN, and a ParameterError
    with `check=True`. Derivatives, by `backward`, `torch.autograd.grad` and `torch.func`, have a form of their own and
    are never taken of one that cancels; a gradient of 0 times a slope that is no number is 0, so that `torch.where`
    hides an element. Parameters that are integers have none.

    Tensors on the CPU are computed in place by the compiled kernel. Its second pass decides the values as it does for
    arrays; derivatives take it where they would be off by more than 2^20 units of 2^-52 (2e-10), or as `within` says.
    Other devices, and what torch.compile traces, take the program in torch's own operations, as `pure` does everywhere.
    It has no second pass: of 27,616 points chosen to be hard of 46 families (`klsym audit self --backend torch-pure
    --pairs same --points 300`) 38 families stay within 8 units; the others are those of which numba's first pass is as
    far off. A device without float64 (mps) is a ParameterError, and a primitive that torch lacks a NotImplementedError
    that names it.
    """

    def __init__(
        self,
        program: Program,
        second_pass: bool = True,
        report: bool = False,
        on_cpu: str | None = None,
        fine: float = FINE_SLOPE,
    ) -> None:
        """`on_cpu` names the backend of tensors on the CPU, "" for torch's own operations there too."""
        if report:
            raise ParameterError("the backend torch gives no report; the backends numba, numpy and exact do")
        self.program, self.second_pass, self.fine, self.backend = program, second_pass, fine, "torch"
        self.on_cpu = ("numpy" if numba.missing(program) else "numba") if on_cpu is None else on_cpu
        self.source = written.source(program)
        kept = keep(program.name, self.source)
        file = kept.with_stem(f"{kept.stem}_{self.on_cpu}_{second_pass}_{fine:g}")
        names = vars(module(file, self.source, {}))
        if self.on_cpu and "_from_arrays" not in names:
            names["_from_arrays"] = True
            self._hosted(names)
        self._made(program.name, program.arguments, names)

    @cached_property
    def pure(self) -> Tensorial:
        """The function in torch's own operations on every device, the first pass alone."""
        return Tensorial(self.program, self.second_pass, on_cpu="")

    def within(self, units: float) -> Tensorial:
        """The function whose derivatives are within so many units of 2^-52 of what they are, on the CPU.

        Those whose estimated error is larger take the second pass: microseconds each, where it is decided in
        double-double, else some hundreds of them.
        """
        return Tensorial(self.program, self.second_pass, on_cpu=self.on_cpu, fine=units)

    @cached_property
    def _value(self) -> Compiled:  # pyright: ignore[reportIncompatibleMethodOverride]
        value = replace(self.program, outputs=self.program.outputs[:1])
        kept = (*value.outputs[0].lines, *(condition.line for condition in value.conditions))
        return self._compiled(replace(value, lines=value.needed(*kept)))

    @cached_property
    def _derivatives(self) -> Callable[..., Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        found = self._compiled(self.program, self.fine)
        return found if len(self.program.outputs) > 1 else lambda *x: (found(*x),)

    def _compiled(self, program: Program, fine: float = FINE) -> Compiled:
        from . import load

        found = load(program, self.on_cpu, second_pass=self.second_pass, fine=fine)
        assert isinstance(found, Compiled)
        return found

    def _check(self, *arrays: Any) -> None:
        self._value(*arrays, check=True)

    def __reduce__(self) -> tuple[Any, ...]:
        from . import load

        options: dict[str, Any] = {"second_pass": self.second_pass, "on_cpu": self.on_cpu, "fine": self.fine}
        return partial(load, **options), (self.program, self.backend)


class Hosted(Differentiable):
    """A divergence as a function of torch tensors, by the compiled code of one of NumPy's arrays; differentiable.

    Arguments are tensors or numbers, event axes last, batches broadcast; the result has the type that torch gives the
    tensors. Tensors in the CPU's memory are computed there, as `compile` does arrays, values with their derivatives
    where these will be needed. Other devices, and what torch.compile and vmap trace, take the portable kernel in
    torch's operations, as `pure` does everywhere; second derivatives are those of the textbook form in torch's
    operations, which do not cancel. Without such a kernel both raise NotImplementedError.
    """

    _together = True

    def __init__(self, host: Host, pure: bool = False) -> None:
        self.host, self.backend, program = host, "torch", host.program
        self.source = written.array_source(program)
        label = f"<klsym torch {program.name} {abs(hash(self.source)):x}>"
        names = execute(f"klsym.generated.{program.name}", self.source, label)
        if not pure:
            self._hosted(names)
        self._made(program.name, program.arguments, names)
        self._pure = pure

    @cached_property
    def pure(self) -> Hosted:
        """The function in torch's own operations on every device."""
        return Hosted(self.host, pure=True)

    def _value(self, *arrays: Any) -> Any:
        return self.host.value(*arrays)

    def _derivatives(self, *arrays: Any) -> Any:
        return self.host.slopes(*arrays)

    def _check(self, *arrays: Any) -> None:
        self.host.check(*arrays)

    def __reduce__(self) -> tuple[Any, ...]:
        return Hosted, (self.host, self._pure)


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


def _tensors(values: Any, kind: torch.dtype) -> tuple[Tensor, ...]:
    return tuple(
        torch.from_numpy(v).to(kind) if isinstance(v, np.ndarray) else torch.tensor(v, dtype=kind) for v in values
    )
