"""Array kernels written once for NumPy, torch and JAX, and what the modules that hold them are made of."""

from .check import Example, check
from .program import KERNELS, ArrayProgram, Term

__all__ = ["KERNELS", "ArrayProgram", "Example", "Term", "check"]
