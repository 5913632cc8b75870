"""For tests of one's own divergences: hypothesis strategies, and an assertion that finds the plainest failure.

The extra `testing` brings hypothesis, which this needs; without it the import says so.

>>> import math
>>> def textbook(rate_p, rate_q):
...     return math.log(rate_p / rate_q) + rate_q / rate_p - 1
>>> from klsym import Exponential
>>> assert_kl(textbook, Exponential, near=False, eps=1e9, points=50)
textbook: Exponential || Exponential, 50 points, worst ... eps
>>> assert_kl(textbook, Exponential, eps=1e9, points=50)  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
AssertionError: textbook is off by 4.5e+10 eps, and 1e+09 are allowed
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("hypothesis") is None:
    raise ImportError("klsym.testing needs hypothesis, which is not installed; pip install 'klsym[testing]'")

from .assertion import Check, assert_kl, check_kl
from .strategies import pairs, parameters

__all__ = ["Check", "assert_kl", "check_kl", "pairs", "parameters"]
