"""Arb's balls, through python-flint, which is optional: a midpoint with a proven radius."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import mpmath as mp


@cache
def flint() -> Any:
    """python-flint, imported when it is first needed."""
    return import_module("flint")


def to_mpmath(x: Any) -> mp.mpf:
    """A ball without radius as the mpmath number that it is, whatever the working precision."""
    mantissa, exponent = x.man_exp()
    return mp.make_mpf(mp.libmp.from_man_exp(int(mantissa), int(exponent)))
