"""From a Derivation to a Program: the closed form as straight-line code that is safe in floating point."""

from .program import Limit, lower

__all__ = ["Limit", "lower"]
