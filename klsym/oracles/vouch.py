"""A measurement that fails inside of mpmath, SymPy or Arb is a value that nobody vouches for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import mpmath as mp

from ..core.errors import KlsymError, UnsettledError
from ..core.reach import FAILURES, reason
from ..core.value import Value

P = ParamSpec("P")


def vouched(measure: Callable[P, Value]) -> Callable[P, Value]:
    """The function, whose failures of arithmetic are notes."""

    @wraps(measure)
    def measured(*args: P.args, **kwargs: P.kwargs) -> Value:
        try:
            return measure(*args, **kwargs)
        except UnsettledError as error:
            return Value(mp.nan, mp.inf, "estimate", str(error))
        except KlsymError:
            raise
        except FAILURES as error:
            return Value(mp.nan, mp.inf, "estimate", f"it is beyond the reach of the arithmetic: {reason(error)}")

    return measured
