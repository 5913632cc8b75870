"""A number that is an integral or a sum, as programs: what to evaluate at the nodes, and what each element has."""

from __future__ import annotations

from dataclasses import dataclass

from .divergence import Over
from .program import Program


@dataclass(frozen=True)
class IntegralProgram:
    """A function of parameters that is an integral over x, or a sum over integers x, of a program's value.

    `outside` computes the value where it is closed or infinite, and NaN elsewhere.

    `frame` has for each element, as its outputs in this order: whether the integral is needed there; where the supports
    of P and Q begin and end; the places where the integrand may have a kink or an end; for each linear form in x its
    slope, and its values at each of the places; constants; and last how large the constant terms of the log densities
    are in sum.

    `nodes` takes, for each form, its value and the logarithm of its size, then the constants, the logarithm of dx/dt,
    and whether x is in the support of P and of Q; its outputs are the log densities of P and Q in t, the integrand and
    its derivatives, and how large these are, of the derivatives with what they move by log p - log q. `after` makes the
    value and its derivatives of the integrals and the parameters. `both` says that the mass of Q counts where P
    has none, `kinked` that the integrand may have a kink where the densities cross, `meets` that near P = Q their
    difference is as precise as it is small. `sizes`, of the arguments of `nodes`, is how large the other terms of the
    log densities are in sum.

    What is `over` half-lines or couplings is made of the integrals of p - q up to each x: the greatest size of them, or
    the integral of it, for which there is one of (x - c)(p - q) too.
    """

    outside: Program
    frame: Program
    nodes: Program
    sizes: Program
    after: Program
    places: int
    forms: int
    constants: int
    discrete: bool
    both: bool
    kinked: bool
    meets: bool
    over: Over = "densities"

    @property
    def name(self) -> str:
        return self.outside.name

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.outside.arguments
