"""What can go wrong, each error saying what, why and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class KlsymError(Exception):
    """Base class of every error that klsym raises on purpose."""


class ParameterError(KlsymError, ValueError):
    """A parameter is missing, unknown, out of its domain, or means two things at once."""


class UnsettledError(ParameterError, ArithmeticError):
    """A number is beyond the reach of the arithmetic: no precision that was tried gives its digits."""


class NoCommonSpaceError(ParameterError):
    """The outcomes of two distributions are of two kinds: numbers and arrays, or arrays of two kinds."""


class UnknownNameError(KlsymError, KeyError):
    """A family, backend or divergence of that name does not exist."""

    def __str__(self) -> str:
        return str(self.args[0])


class DensityError(KlsymError, ValueError):
    """A user's density is outside the grammar, negative, or does not integrate to 1."""


class VectorError(KlsymError, ValueError):
    """A probability vector has the wrong shape, a negative entry, or does not sum to 1."""


class UnderivableError(KlsymError):
    """No closed form is known, so there is nothing to print, compile or differentiate."""


class LimitError(KlsymError):
    """A job passed its time or memory limit and was stopped."""


class SlowWarning(UserWarning):
    """What was asked for will take long, and why."""


class UndecidedWarning(UserWarning):
    """A value is not known to the accuracy that is promised: no precision that was tried decided it."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence: `; did you mean 'Gamma'?`, or nothing when no name is near.

    >>> nearest("Gama", ["Gamma", "Beta"])
    "; did you mean 'Gamma'?"
    """
    folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[matches[0]]!r}?" if matches else ""
