"""What is beyond the reach of the arithmetic, said as such: failures from the inside of SymPy, mpmath and Arb."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from mpmath.libmp import NoConvergence

from .errors import KlsymError, UnsettledError

# A comparison with NaN is a TypeError in SymPy, and an exponent that no integer holds a ValueError or an OverflowError.
FAILURES = (ArithmeticError, ValueError, TypeError, RecursionError, NotImplementedError, MemoryError, NoConvergence)


@contextmanager
def reached(what: object) -> Generator[None]:
    """Let a failure of arithmetic inside be an UnsettledError that names what was computed.

    >>> with reached("1/0"):
    ...     1 / 0
    Traceback (most recent call last):
    klsym.core.errors.UnsettledError: 1/0 is beyond the reach of the arithmetic: division by zero; ...
    """
    try:
        yield
    except KlsymError:
        raise
    except FAILURES as error:
        raise UnsettledError(
            f"{what} is beyond the reach of the arithmetic: {reason(error)}; parameters nearer to 1 can be computed"
        ) from error


def reason(error: BaseException) -> str:
    """The first line of what an error says, or its name."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
