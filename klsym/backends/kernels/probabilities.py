"""One entry of two lists of probabilities; those below the least normal number are raised to normal ones."""

# pyright: basic, reportMissingParameterType=false

from .elementary import INF, klrem, log_ratio
from .machine import select

RAISED, LOWERED = 2.0**100, 2.0**-100


def _summand(p, q):
    """p log(p/q) - p + q for p, q >= 0."""
    a, b = p * RAISED, q * RAISED
    return LOWERED * klrem(a, b, b - a)


def _surprise(p, q):
    """log(p/q) for p, q >= 0; 0 where both are 0."""
    a, b = p * RAISED, q * RAISED
    logarithm = -log_ratio(a, b, b - a)
    empty = select(p == q, 0.0, select(p == 0.0, -INF, select(q == 0.0, INF, logarithm)))
    return select((p >= 0.0) & (q >= 0.0), empty, logarithm)
