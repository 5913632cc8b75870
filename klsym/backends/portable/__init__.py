"""Array kernels written once for NumPy, torch and JAX, and the modules that hold them."""

from .program import KERNELS, ArrayProgram, Term

__all__ = ["KERNELS", "ArrayProgram", "Term"]
