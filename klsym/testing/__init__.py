"""For tests of one's own divergences: hypothesis strategies, and an assertion that finds the plainest failure.

The extra `testing` brings hypothesis, which this needs; without it the import says so.

>>> import math
>>> def textbook(rate_p, rate_q):
...     return math.log(rate_p / rate_q) + rate_q / rate_p - 1
>>> from klsym import Exponential
>>> assert_kl(textbook, Exponential, near=False)
textbook: Exponential || Exponential, 100 points, worst ... eps
>>> assert_kl(textbook, Exponential)
Traceback (most recent call last):
AssertionError: textbook is off by ... eps, and 64 are allowed
...
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("hypothesis") is None:
    raise ImportError("klsym.testing needs hypothesis, which is not installed; pip install 'klsym[testing]'")

from .assertion import Check, assert_kl, check_kl
from .strategies import pairs, parameters

__all__ = ["Check", "assert_kl", "check_kl", "pairs", "parameters"]
