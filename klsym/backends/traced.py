"""Programs as functions of the arrays of other libraries, which run what was written for them."""

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
from . import array_api, jax
from .callable import execute
from .function import Function
from .host import Host
from .portable import ArrayProgram


class Written(Function):
    """A function of arrays that a generated module computes as it stands."""

    def __init__(
        self,
        program: Program | ArrayProgram,
        backend: str,
        source: str,
        outputs: tuple[str, ...],
        array: str,
        report: bool = False,
    ) -> None:
        if report:
            raise ParameterError(f"the backend {backend} gives no report; the backends numba, numpy and exact do")
        self.program, self.backend, self.source = program, backend, source
        name = program.name
        label = f"<klsym {backend} {name} {abs(hash(source)):x}>"
        self._names = execute(f"klsym.generated.{name}", source, label)
        self._run = self._names[name]
        Function.__init__(self, name, program.arguments, outputs, self._run.__doc__ or "", False)
        kinds = inspect.Parameter
        parameters = [kinds(n, kinds.POSITIONAL_OR_KEYWORD, annotation="ArrayLike") for n in program.arguments]
        self.__signature__ = inspect.Signature(parameters, return_annotation=array)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(self.arguments):
            args = self.bound(args, kwargs)
        return self._run(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        from . import load

        return load, (self.program, self.backend)


class Traced(Written):
    """A divergence as a function of JAX arrays, which JAX transforms: jit, vmap, and derivatives of two orders.

    Arguments are arrays or numbers, by position or by name, and broadcast. It is computed in float64, also where
    jax_enable_x64 is off, and rounded to the floating type that JAX gives the sum of the arguments; an element with an
    invalid argument is NaN. Derivatives, in either mode, are computed by a form of their own, never through one that
    cancels; where a cotangent of 0 meets a slope that is no number the product is 0, so that `jnp.where` hides an
    element. Integer parameters have no derivative: that by their floats is 0. Third derivatives raise
    NotImplementedError, and so does a derivative with a function that JAX lacks.

    There is no second pass, and `second_pass` has no meaning here. Under jit on the CPU 37 of 46 pairs of one family
    have a worst error of 3.0 units of 2^-52 at the points of the audit. The other 9 cancel, and lose digits without a
    word where they do: AsymmetricLaplace and ContinuousBernoulli at most points, Logarithmic and ZeroTruncatedPoisson
    at two in five, GeneralizedGamma, GeneralizedNormal, VonMises, WrappedCauchy and LogUniform at some. In float32 37
    pairs are within half a unit in the last place. Subnormal numbers count as 0, so that a tiny probability may give
    NaN or infinity.
    """

    def __init__(self, program: Program, second_pass: bool = True, report: bool = False) -> None:
        _needed()
        Written.__init__(self, program, "jax", jax.emit(program), ("value",), "jax.Array", report)


class Hosted(Written):
    """A divergence as a function of JAX arrays, by NumPy, which is called back; jit, vmap and derivatives are known.

    Arguments are arrays or numbers, event axes last, batches broadcast; the result has the floating type that JAX gives
    them. Values and first derivatives, in either mode, are those that `compile` computes of arrays, on the host; second
    derivatives are those of the textbook form in JAX's operations, which do not cancel, in the type of the arguments.
    `pure` takes the portable kernel in JAX's operations for everything. Without such a kernel it raises
    NotImplementedError, and so do second derivatives.
    """

    def __init__(self, host: Host, pure: bool = False) -> None:
        _needed()
        self.host, self._pure = host, pure
        Written.__init__(self, host.program, "jax", jax.array_source(host.program), ("value",), "jax.Array")
        if not pure:
            self._names |= {"_first": self._called(slopes=False), "_gradient": self._called(slopes=True)}

    @cached_property
    def pure(self) -> Hosted:
        """The function in JAX's own operations."""
        return Hosted(self.host, pure=True)

    def _called(self, slopes: bool) -> Callable[..., Any]:
        """The function of arrays of one batch and type that calls NumPy back."""
        from jax import ShapeDtypeStruct, pure_callback

        program = self.host.program

        def found(*x: Any) -> Any:
            batch = x[0].shape[: x[0].ndim - program.axes[0]] if x else ()
            shapes = [x[k].shape for k in program.sloped] if slopes else [batch]
            kind = x[0].dtype if x else float
            results = tuple(ShapeDtypeStruct(shape, kind) for shape in shapes)

            def host(*given: Any) -> Any:
                arrays = list(map(np.asarray, given))
                parts = self.host.slopes(*arrays)[1:] if slopes else (self.host.value(*arrays),)
                # vmap may have put axes before all arrays.
                ahead = arrays[0].shape[: arrays[0].ndim - len(x[0].shape)] if x else ()
                return tuple(np.broadcast_to(p, ahead + s).astype(kind) for p, s in zip(parts, shapes, strict=True))

            return pure_callback(host, results, *x, vmap_method="broadcast_all")

        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return Hosted, (self.host, self._pure)


class Standard(Written):
    """A divergence as a function of arrays of any library that array-api-compat knows (NumPy, torch, dask, CuPy, ...).

    Arguments are numbers and arrays of one library, by position or by name, and broadcast. It is computed by that
    library's own operations in float64 and rounded to the floating type of the arrays; an element with an invalid
    argument is NaN. Arrays of dask stay lazy, those of a device stay there. What the standard lacks (incomplete gamma
    and beta functions, zeta, ...) is SciPy's: computed by the library itself where SCIPY_ARRAY_API=1 is set before
    SciPy is imported, else as NumPy reads the arrays. What SciPy lacks (Mellin-Barnes integrals, derivatives of Bessel
    functions by the order, ...) is computed by NumPy, at once, and only in the memory that it reads. A list or a
    complex argument, arrays of two libraries, and JAX without jax_enable_x64 raise TypeError. Derivatives that a
    library takes through it cancel; compile("array_api", gradient=True) returns them computed by forms of their own.

    There is no second pass, and `second_pass` has no meaning here. 37 of 56 pairs of one family have a worst error of
    3.8 units of 2^-52 on arrays of NumPy, torch and array_api_strict (`klsym audit self --backend array_api-torch
    --pairs same --points 300`), and in float32 41 of them one of 1 unit in the last place. The others cancel, and lose
    digits without a word where they do: AsymmetricLaplace, ContinuousBernoulli and those with Mellin-Barnes integrals
    or derivatives of zeta at most points, Logarithmic and ZeroTruncatedPoisson at half of them, GeneralizedGamma,
    GeneralizedNormal, VonMises, WrappedCauchy and LogUniform at up to a tenth. Operations that a compiler merges, as
    jax.jit does, are not what was measured: the backend jax is for these.
    """

    def __init__(self, program: Program, second_pass: bool = True, report: bool = False) -> None:
        outputs = tuple(output.name for output in program.outputs)
        Written.__init__(self, program, "array_api", array_api.emit(program), outputs, "Array", report)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = Written.__call__(self, *args, **kwargs)
        return self.results(list(found)) if isinstance(found, tuple) else found


def _needed() -> None:
    if not find_spec("jax"):
        raise UnderivableError("JAX is not installed; pip install jax, or take the backend numpy")
