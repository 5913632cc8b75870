"""Divergences as functions of JAX arrays: in JAX's own operations, or NumPy called back on the host."""

# Libraries that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..core.errors import ParameterError, UnderivableError
from ..core.program import Program
from . import jax as written
from .callable import execute
from .function import Function
from .host import Host


class Transformable(Function):
    """A function of JAX arrays by a generated module."""

    def _made(self, name: str, arguments: tuple[str, ...], source: str) -> dict[str, Any]:
        if not find_spec("jax"):
            raise UnderivableError("JAX is not installed; pip install jax, or take the backend numpy")
        self.backend, self.source = "jax", source
        names = execute(f"klsym.generated.{name}", source, f"<klsym jax {name} {abs(hash(source)):x}>")
        self._run: Callable[..., Any] = names[name]
        Function.__init__(self, name, arguments, ("value",), self._run.__doc__ or "", False)
        kinds = inspect.Parameter
        parameters = [kinds(n, kinds.POSITIONAL_OR_KEYWORD, annotation="ArrayLike") for n in arguments]
        self.__signature__ = inspect.Signature(parameters, return_annotation="jax.Array")
        return names

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(self.arguments):
            args = self.bound(args, kwargs)
        return self._run(*args)


class Traced(Transformable):
    """A divergence as a function of JAX arrays, which JAX transforms: jit, vmap, and derivatives of two orders.

    Arguments are arrays or numbers, by position or by name, and broadcast. It is computed in float64, also where
    jax_enable_x64 is off, and rounded to the floating type that JAX gives the sum of the arguments; an element with an
    invalid argument is NaN. Derivatives, in either mode, are computed by a form of their own, never through one that
    cancels; where a cotangent of 0 meets a slope that is no number the product is 0, so that `jnp.where` hides an
    element. Integer parameters have no derivative: that by their floats is 0. Third derivatives raise
    NotImplementedError, and so does a derivative with a function that JAX lacks.

    There is no second pass, and `second_pass` has no meaning here. Under jit on the CPU 37 of 46 pairs of one family
    have a worst error of 3.0 units of 2^-52 at the points of the audit. The other 9 cancel, and lose digits without a
    word where they do: AsymmetricLaplace, ContinuousBernoulli, Logarithmic and ZeroTruncatedPoisson at most points,
    GeneralizedGamma, GeneralizedNormal, VonMises, WrappedCauchy and LogUniform at some. In float32 37 pairs are within
    half a unit in the last place. Subnormal numbers count as 0, so that a tiny probability may give NaN or infinity.
    """

    def __init__(self, program: Program, second_pass: bool = True, report: bool = False) -> None:
        if report:
            raise ParameterError("the backend jax gives no report; the backends numba, numpy and exact do")
        self.program = program
        self._made(program.name, program.arguments, written.emit(program))

    def __reduce__(self) -> tuple[Any, ...]:
        from . import load

        return load, (self.program, self.backend)


class Hosted(Transformable):
    """A divergence as a function of JAX arrays, by NumPy, which is called back; jit, vmap and derivatives are known.

    Arguments are arrays or numbers, event axes last, batches broadcast; the result has the floating type that JAX gives
    them. Values and first derivatives, in either mode, are those that `compile` computes of arrays, on the host; second
    derivatives are those of the textbook form in JAX's operations, which do not cancel, in the type of the arguments.
    `pure` takes the portable kernel in JAX's operations for everything. Without such a kernel it raises
    NotImplementedError, and so do second derivatives.
    """

    def __init__(self, host: Host, pure: bool = False) -> None:
        self.host, self._pure, program = host, pure, host.program
        names = self._made(program.name, program.arguments, written.array_source(program))
        if not pure:
            names["_first"], names["_gradient"] = self._called(slopes=False), self._called(slopes=True)

    @cached_property
    def pure(self) -> Hosted:
        """The function in JAX's own operations."""
        return Hosted(self.host, pure=True)

    def _called(self, slopes: bool) -> Callable[..., Any]:
        """The function of arrays of one batch and type that calls NumPy back."""
        import jax

        program = self.host.program

        def found(*x: Any) -> Any:
            batch = x[0].shape[: x[0].ndim - program.axes[0]] if x else ()
            shapes = [x[k].shape for k in program.sloped] if slopes else [batch]
            kind = x[0].dtype if x else float
            results = tuple(jax.ShapeDtypeStruct(shape, kind) for shape in shapes)

            def host(*given: Any) -> Any:
                arrays = list(map(np.asarray, given))
                parts = self.host.slopes(*arrays)[1:] if slopes else (self.host.value(*arrays),)
                # vmap may have put axes before all arrays.
                ahead = arrays[0].shape[: arrays[0].ndim - len(x[0].shape)] if x else ()
                return tuple(np.broadcast_to(p, ahead + s).astype(kind) for p, s in zip(parts, shapes, strict=True))

            return jax.pure_callback(host, results, *x, vmap_method="broadcast_all")

        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return Hosted, (self.host, self._pure)
