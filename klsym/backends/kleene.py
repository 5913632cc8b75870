"""Truth values of numbers known to some precision: True, False, and None where that precision does not tell.

The logic is Kleene's strong one (Kleene, Introduction to Metamathematics, 1952, section 64).
"""

from __future__ import annotations

Truth = bool | None


def both(x: Truth, y: Truth) -> Truth:
    """x and y: False as soon as one of them is.

    >>> both(None, False), both(None, True)
    (False, None)
    """
    if x is False or y is False:
        return False
    return True if x and y else None


def either(x: Truth, y: Truth) -> Truth:
    """x or y: True as soon as one of them is."""
    return negation(both(negation(x), negation(y)))


def negation(x: Truth) -> Truth:
    """not x."""
    return None if x is None else not x


LOGIC = {"and": both, "or": either, "not": negation}
