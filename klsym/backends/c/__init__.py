"""Programs as C99: a header that needs libm only, and a shared library as the first pass of a callable."""

from .build import load
from .header import emit

__all__ = ["emit", "load"]
