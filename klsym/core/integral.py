"""A number that is an integral or a sum, as programs: what to evaluate at the nodes, and what each element has."""

from __future__ import annotations

from dataclasses import dataclass

from .program import Program


@dataclass(frozen=True)
class IntegralProgram:
    """A function of parameters that is an integral over x, or a sum over integers x, of a program's value.

    `outside` computes the value where it is closed or infinite, and NaN elsewhere. `frame` has, for each element, whether the
    integral is needed there, the ends of the supports of P and Q, the places where the integrand may have a kink or
    an end, the linear forms in x, and constants, as its outputs in this order: "needed", "p_low", "p_high", "q_low",
    "q_high", "place0" and so on, for each form "slope0" and so on and its values at each of the places
    "form0_0", "form0_1", and "constant0" and so on.

    `nodes` takes, for each form, its value and the logarithm of its size, then the constants, the logarithm of dx/dt,
    and whether x is in the support of P and of Q; its outputs are the log densities of P and Q in t and the
    integrand. `after` makes the value of the integral and the parameters.
    """

    outside: Program
    frame: Program
    nodes: Program
    after: Program
    places: int
    forms: int
    constants: int
    discrete: bool
    both: bool

    @property
    def name(self) -> str:
        return self.outside.name

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.outside.arguments
